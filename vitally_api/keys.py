"""The two keys as people have them, and the `Authorization` headers that Vitally takes."""

from __future__ import annotations

import base64

_BASIC = "Basic "


def rest_authorization(key: str) -> str:
    """Return the `Authorization` value for a REST key given raw, as `Basic …`, or as the base64 value alone."""
    key = key.strip()
    return _BASIC + _credentials(key) if is_header(key) else header(key)


def analytics_authorization(token: str) -> str:
    """Return the `Authorization` value for a token of the Analytics API: as displayed, after `Basic `, unencoded."""
    return _BASIC + _credentials(token.strip())


def is_header(text: str) -> bool:
    """Tell whether a text is a ready-made header or its base64 part, which Vitally shows beside the raw key."""
    return _has_scheme(text) or _decoded(text).endswith(":")


def header(key: str, password: str = "") -> str:
    """Return `Basic base64("<key>:<password>")`, as Vitally's docs show it, without a password."""
    return _BASIC + base64.b64encode(f"{key}:{password}".encode()).decode()


def secrets_of(key: str) -> list[str]:
    """Return every spelling of a key that a log must mask, the longest first.

    These are what was given, what is sent, and the key itself with and without a password, whichever was given.
    """
    given = key.strip()
    sent = _credentials(given)
    decoded = _decoded(sent)
    user, _, password = decoded.partition(":")
    spellings = {key, given, sent, _credentials(rest_authorization(given)), decoded, user, password}
    return sorted(filter(None, spellings), key=lambda text: (-len(text), text)) if given else []


def _has_scheme(text: str) -> bool:
    return text[: len(_BASIC)].lower() == _BASIC.lower()


def _credentials(text: str) -> str:
    return text[len(_BASIC) :].strip() if _has_scheme(text) else text


def _decoded(text: str) -> str:
    """Return what a base64 text stands for, or nothing where it is no base64 of a readable text."""
    try:
        decoded = base64.b64decode(text, validate=True).decode("ascii")
    except ValueError:  # neither base64 nor ASCII
        return ""
    return decoded if decoded.isprintable() else ""
