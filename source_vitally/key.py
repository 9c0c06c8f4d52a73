"""The REST key as people have it, and the `Authorization` header that Vitally takes."""

from __future__ import annotations

import base64


def authorization(key: str) -> str:
    """Return the `Authorization` value for a REST key given raw, as `Basic …`, or as the base64 value alone."""
    key = key.strip()
    if not is_header(key):
        return header(key)
    return "Basic " + (key[len("basic ") :].strip() if key.lower().startswith("basic ") else key)


def is_header(text: str) -> bool:
    """Tell whether a text is a ready-made header or its base64 part, which Vitally shows beside the raw key."""
    if text.lower().startswith("basic "):
        return True
    try:
        return base64.b64decode(text, validate=True).decode("ascii").endswith(":")
    except ValueError:  # neither base64 nor ASCII
        return False


def header(key: str, password: str = "") -> str:
    """Return `Basic base64("<key>:<password>")`, as Vitally's docs show it, without a password."""
    return "Basic " + base64.b64encode(f"{key}:{password}".encode()).decode()
