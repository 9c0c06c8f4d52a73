"""The two keys as people have them, and the `Authorization` headers that Vitally takes."""

from __future__ import annotations

import base64
import re

SHORTEST_KEY = 6
"""Letters that a key of Vitally has at least. Shorter secrets are masked only where they are words of their own."""

_BASIC = "Basic "
_PREFIX = re.compile(r"\s*(?:authorization\s*[:=]\s*)?(?:(basic)|bearer|token)\s+", re.IGNORECASE)
_NAME = re.compile(r"\s*authorization\s*[:=]\s*", re.IGNORECASE)
_QUOTES = "\"'`\u2018\u2019\u201c\u201d\u00ab\u00bb"
_INVISIBLE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")


def cleaned(key: str) -> str:
    """Return a key without what comes along when it is copied: white space anywhere, quotes, names of headers.

    `Basic` before it stays, as it says that a ready-made header follows.
    """
    text = _INVISIBLE.sub(" ", key).strip().strip(_QUOTES).strip()
    if found := _PREFIX.match(text):
        rest = text[found.end() :]
        scheme = _BASIC if found[1] else ""
    else:
        rest, scheme = _NAME.sub("", text, count=1), ""
    return scheme + _INVISIBLE.sub("", rest).strip(_QUOTES)


def problem_of_key(key: str) -> str | None:
    """Return what is wrong with a key as a predicate that quotes nothing of it, or None."""
    found = bare(cleaned(key))
    if not found:
        return "is empty but for white space or quotes: paste the key again"
    if not (found.isascii() and found.isprintable()):
        return "holds letters that no key has (outside ASCII): copy it again from Vitally"
    user, colon, _ = decoded(found).partition(":")
    if len(user if colon else found) < SHORTEST_KEY:  # it would star the whole log
        return f"is shorter than {SHORTEST_KEY} letters: copy the whole key from Vitally"
    return None


def rest_authorization(key: str) -> str:
    """Return the `Authorization` value for a REST key given raw, as `Basic …`, or as the base64 value alone."""
    key = cleaned(key)
    if not is_header(key):
        return header(key)
    credentials = bare(key)
    # A double click leaves out the `=` at the end.
    return _BASIC + credentials + ("=" * (-len(credentials) % 4) if decoded(credentials) else "")


def analytics_authorization(token: str) -> str:
    """Return the `Authorization` value for a token of the Analytics API: as displayed, after `Basic `, unencoded."""
    return _BASIC + bare(cleaned(token))


def is_header(text: str) -> bool:
    """Tell whether a text is a ready-made header or its base64 part, which Vitally shows beside the raw key."""
    text = cleaned(text)
    return _has_scheme(text) or decoded(text).endswith(":")


def header(key: str, password: str = "") -> str:
    """Return `Basic base64("<key>:<password>")`, as Vitally's docs show it, without a password."""
    return _BASIC + base64.b64encode(f"{key}:{password}".encode()).decode()


def _has_scheme(text: str) -> bool:
    return text[: len(_BASIC)].lower() == _BASIC.lower()


def bare(text: str) -> str:
    """Return a cleaned key without the `Basic ` before it."""
    return text[len(_BASIC) :].strip() if _has_scheme(text) else text


def decoded(text: str) -> str:
    """Return what a base64 text, padded or not, stands for; nothing where that is no readable text."""
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("ascii")
    except ValueError:  # neither base64 nor ASCII
        return ""
    return found if found.isprintable() else ""
