"""Secrets in every spelling in which a server, a proxy or a library may repeat them."""

from __future__ import annotations

import base64
import html
import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from vitally_api.keys import SHORTEST_KEY, bare, cleaned, decoded

_STARS = "****"
_LONG_PART = 9
_LONGEST_KEY = 200
_SECRET_NAME = re.compile(r"token|secret|passw|auth|(?:api|access)_?key", re.IGNORECASE)
_WITH_PASSWORD = re.compile(r"//([^\s/?#:@]*):(\S*)@")
_QUOTES = "\"'`"
_SCHEME = re.compile(r"(?:basic|bearer)\s+", re.IGNORECASE)

_ESCAPES: list[Callable[[str], str]] = [
    str,
    lambda text: quote(text, safe=""),
    quote,
    quote_plus,
    lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1].replace("/", "\\/"),
    lambda text: re.sub("[<>&=']", lambda found: f"\\u{ord(found[0]):04x}", text),
    lambda text: repr(text)[1:-1],
    html.escape,
]


@dataclass(frozen=True)
class Masks:
    """What must not be readable in any output.

    Attributes:
        texts: Spellings to be masked wherever they are, the longest first: a part that went first would leave the rest.
        words: Finds the short ones where they are words of their own; None where there are none.
    """

    texts: list[str]
    words: re.Pattern[str] | None

    def applied(self, text: str) -> str:
        """Return a text without them."""
        # Most texts are short, most spellings are not.
        for secret in self.texts[bisect_left(self.texts, -len(text), key=lambda known: -len(known)) :]:
            text = text.replace(secret, _STARS)
        return self.words.sub(_STARS, text) if self.words else text


def masks(config: Any, environ: Mapping[str, str]) -> Masks:
    """Return what is to be masked for a configuration, whatever its shape, and for the proxies of the environment."""
    found = {text for secret in _secrets_of(config) for text in spellings(secret)}
    for name, address in environ.items():
        if name.lower().endswith("_proxy"):
            place = address if "//" in address else f"//{address}"
            found.update(text for secret in _passwords_of(place) for text in spellings(secret))
    ordered = sorted(found, key=lambda text: (-len(text), text))
    words = [re.escape(text) for text in ordered if len(text) < SHORTEST_KEY]
    return Masks(
        [text for text in ordered if len(text) >= SHORTEST_KEY],
        re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)") if words else None,
    )


@lru_cache(maxsize=8)
def spellings(secret: str) -> frozenset[str]:
    """Return a secret as it was given, is meant, is sent, and may be escaped; also its long parts and halves."""
    meant = _meanings(secret)
    parts = {part for text in meant for part in re.findall(rf"[\w-]{{{_LONG_PART},}}", text)}
    codes = {code for text in meant for code in _codes(text)}
    embedded = {code for text in meant | {*map(_sent, meant)} for code in _within_base64(text)}
    embedded |= {code for text in meant | codes for code in _letter_by_letter(text)}
    halves = {half for text in meant | codes if len(text) <= _LONGEST_KEY for half in _halves(text)}
    once = {escape(text) for text in meant | parts | codes for escape in _ESCAPES}
    twice = {second(first(text)) for text in meant for first in _ESCAPES for second in _ESCAPES}
    return frozenset(once | twice | halves | embedded)


def _secrets_of(config: Any, *, is_secret: bool = False) -> Iterator[str]:
    """Yield the values of settings that hold secrets by their name, and the passwords in addresses."""
    if isinstance(config, Mapping):
        for name, value in config.items():
            yield from _secrets_of(value, is_secret=is_secret or bool(_SECRET_NAME.search(str(name))))
    elif isinstance(config, (list, tuple)):
        for value in config:
            yield from _secrets_of(value, is_secret=is_secret)
    elif is_secret and isinstance(config, (str, int, float)) and not isinstance(config, bool):
        yield str(config)
    elif isinstance(config, str):
        yield from _passwords_of(config)


def _passwords_of(address: str) -> Iterator[str]:
    for user, password in _WITH_PASSWORD.findall(address):
        yield from (password, unquote(password), f"{unquote(user)}:{unquote(password)}")


def _meanings(secret: str) -> set[str]:
    """Return what a text may mean: as it is, without what was pasted with it, and what it is the base64 of."""
    inside = decoded(_bare(secret))
    unwrapped = _SCHEME.sub("", secret.strip().strip(_QUOTES), count=1).strip()
    found = {secret, secret.strip(), unwrapped, _bare(secret), inside, *inside.partition(":")[::2]}
    return {text for text in found if text.strip()}


def _bare(secret: str) -> str:
    """Return a secret as it is sent if it is a key: `base64` breaks its lines, and what copies it adds quotes."""
    return bare(cleaned(secret))


def _sent(text: str) -> str:
    """Return what a header has of a key: a request that was logged whole has that."""
    return base64.b64encode(f"{text}:".encode()).decode()


def _codes(text: str) -> Iterator[str]:
    for body in (text.encode(), f"{text}:".encode(), text.encode("latin-1", "replace")):
        yield from (body.hex(), body.hex().upper())
        for code in (base64.b64encode(body).decode(), base64.urlsafe_b64encode(body).decode()):
            yield from (code, code.rstrip("="))


def _within_base64(text: str) -> Iterator[str]:
    """Yield what the base64 of a longer text shows of this one: a header, a token, a request that was logged whole.

    It depends on how many letters stand before, by threes; the letters at the ends depend on what stands beside.
    """
    for body in (text.encode(), text.encode("utf-16-le")):
        for before in range(3):
            known = slice((before * 8 + 5) // 6, (before + len(body)) * 8 // 6)
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                code = encode(bytes(before) + body)[known].decode()
                if len(code) >= _LONG_PART:
                    yield code


def _letter_by_letter(text: str) -> Iterator[str]:
    for form in ("%{:02X}", "%{:02x}", "%25{:02X}", "%25{:02x}", "\\u{:04x}", "\\x{:02x}", "&#{};", "&#x{:x};"):
        yield "".join(form.format(ord(letter)) for letter in text)


def _halves(text: str) -> Iterator[str]:
    for length in range(max(_LONG_PART, (len(text) + 1) // 2), len(text)):
        yield from (text[:length], text[-length:])
