"""What an answer of Vitally says: its JSON, a miss, a reason, a failure, the server's clock and its limits."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

LONGEST_WAIT = 300.0
"""Seconds beyond which a wait that is asked for is no longer believed: a header misread is likelier than meant."""

LONGEST_REASON = 300

_EPOCH_FROM = 1_000_000
_MILLISECONDS_FROM = 100_000_000_000
_DEEPEST = 300
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_NUMBER = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*(?:[,;]|$)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_AS_ZEROS = bytes(ord("0") if chr(byte).isdigit() and byte < 128 else byte for byte in range(256))
_LONG = b"0" * 20
_LONG_DECIMAL = b"0" * 16 + b"."
_LONG_NEGATIVE = b"-" + b"0" * 19


def parse(content: bytes, decimal: Callable[[str], Any] | None = None) -> Any:
    """Return the JSON of a body; whatever the standard library's parser reads is read.

    Lone surrogates become U+FFFD, NaN and infinities become None, integers of any length stay integers. What is nested
    deeper than 300 levels is None.

    Args:
        content: The body.
        decimal: What makes values of the digits of a number with a point, if there is one of sixteen digits before it.

    Raises:
        ValueError: The body is not JSON.
    """
    if not _has_long_number(content, decimal is not None):
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError:
            pass
    try:
        return _leniently(content, decimal)
    except RecursionError:
        return _leniently(_without_depths(content), decimal)


def _leniently(content: bytes, decimal: Callable[[str], Any] | None) -> Any:
    value = json.loads(content, parse_constant=lambda _: None, parse_float=decimal or _finite, parse_int=_integer)
    return _without_surrogates(value)


def _without_depths(content: bytes) -> bytes:
    """Return JSON with nulls instead of what is nested too deeply to be read."""
    kept, depth, start = [], 0, 0
    for token in _TOKENS.finditer(content):
        if token[0] in (b"[", b"{"):
            depth += 1
            if depth == _DEEPEST + 1:
                kept.append(content[start : token.start()])
        elif token[0] in (b"]", b"}"):
            if depth == _DEEPEST + 1:
                kept.append(b"null")
                start = token.end()
            depth -= 1
    return b"".join([*kept, content[start:]] if depth <= _DEEPEST else kept)


def is_miss(status: int, body: Any) -> bool:
    """Tell whether an answer means "no such thing": a 404, or (as a client has seen) a 2xx with `error` and no `id`."""
    return status == 404 or (_is_success(status) and _has_error(body) and "results" not in body)


def says_failure(body: Any) -> bool:
    """Tell whether the body of a 2xx says that it failed: `errors`, `success: false`, or an `error` without an `id`."""
    if not isinstance(body, Mapping):
        return False
    return bool(body.get("errors")) or body.get("success") is False or _has_error(body)


def reason(body: Any, text: str, mask: Callable[[str], str] = str) -> str:
    """Return what the server says went wrong, in one line: by its JSON, else by the text of its answer.

    Args:
        body: The parsed body, None where it is not JSON.
        text: The same as text.
        mask: What takes secrets out, before a text is cut to its length: of half a key nobody could tell.
    """
    said = _words(body) if isinstance(body, Mapping) else ""
    return " ".join(mask(said or text).split())[:LONGEST_REASON]


def wait_asked_for(headers: Mapping[str, str], now: float | None) -> float | None:
    """Return the seconds an answer asks to wait, by whichever of the known headers it has, or None.

    `Retry-After` is seconds or an HTTP date; `RateLimit-Reset` and `X-RateLimit-Reset` are seconds when small, else an
    epoch, and milliseconds of either where seconds make no sense. What lies in the past is 0. The result may be longer
    than `LONGEST_WAIT`.

    Args:
        headers: Of the answer, in any case of their names.
        now: The Unix time by which times are measured where the answer has no `Date`; None to ignore them then.
    """
    sent = server_time(headers)
    measured_from = sent.timestamp() if sent else now
    seconds = _seconds(first_number(headers, ["Retry-After"]), measured_from)
    if seconds is None:
        named = _time(headers.get("Retry-After"))
        seconds = named.timestamp() - measured_from if named and measured_from is not None else None
    if seconds is None:
        reset = first_number(headers, ["RateLimit-Reset", "X-RateLimit-Reset"])
        # A limit of requests a minute never takes that many seconds to reset.
        is_in_milliseconds = reset is not None and LONGEST_WAIT < reset < _EPOCH_FROM
        seconds = reset / 1000 if reset and is_in_milliseconds else _seconds(reset, measured_from)
    return max(seconds, 0.0) if seconds is not None else None


def first_number(headers: Mapping[str, str], names: Iterable[str]) -> float | None:
    """Return the first number in the first of the headers that has one (`"1000, 1000;window=60"` is 1000)."""
    for name in names:
        match = _NUMBER.match(headers.get(name) or "")
        if match:
            return float(match[1])
    return None


def remaining(headers: Mapping[str, str]) -> float | None:
    """Return the units that are left of the server's budget for this key, or None where it does not say."""
    return first_number(headers, ["RateLimit-Remaining", "X-RateLimit-Remaining"])


def limit(headers: Mapping[str, str]) -> float | None:
    """Return the units per minute that the server allows this key, or None where it does not say."""
    return first_number(headers, ["RateLimit-Limit", "X-RateLimit-Limit"])


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """Return the `Date` header as an aware UTC datetime (whole seconds), or None."""
    return _time(headers.get("Date"))


def _is_success(status: int) -> bool:
    return 200 <= status < 300


def _has_error(body: Any) -> bool:
    return isinstance(body, Mapping) and bool(body.get("error")) and "id" not in body


def _words(value: Any) -> str:
    """Return the words in what a server gives as `error`, `message` or `errors`, however it wraps them."""
    if isinstance(value, Mapping):
        return next(filter(None, (_words(value.get(name)) for name in ("error", "message", "errors"))), "")
    if isinstance(value, list):
        return "; ".join(filter(None, map(_words, value)))
    return "" if value is None or isinstance(value, bool) else str(value)


def _seconds(number: float | None, measured_from: float | None) -> float | None:
    """Return a number that is seconds when small, else an epoch, as seconds; None where it cannot be measured."""
    if number is None or number < _EPOCH_FROM:
        return number
    if number >= _MILLISECONDS_FROM:
        number /= 1000
    return number - measured_from if measured_from is not None else None


def _time(text: str | None) -> datetime | None:
    """Return an HTTP date as an aware UTC datetime, or None."""
    try:
        parsed = parsedate_to_datetime(text or "")
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (TypeError, ValueError, OverflowError, IndexError):  # whatever the parser raises for what is no date
        return None


def _has_long_number(content: bytes, decimals: bool) -> bool:
    """Tell whether there may be an integer beyond 64 bits, or a decimal, that the fast parser rounds."""
    zeros = content.translate(_AS_ZEROS)  # five times as fast as a regular expression
    return _LONG in zeros or _LONG_NEGATIVE in zeros or (decimals and _LONG_DECIMAL in zeros)


def _integer(digits: str) -> int | None:
    try:
        return int(digits)
    except ValueError:  # longer than Python reads: as far from meaning anything as an infinity
        return None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(name): _without_surrogates(item) for name, item in value.items()}
    return value
