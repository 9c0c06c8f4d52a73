"""Lines of JSON: read however odd they are, written whatever they hold, changed without touching the rest of them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from vitally_api import answers

DEEPEST = 200
"""How many levels of lists and objects a line may have; what lies deeper is not read. No parser's limit is lower."""

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},:]', re.DOTALL)
_BRACKET = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_OPENING, _CLOSING = frozenset((b"[", b"{")), frozenset((b"]", b"}"))
_MARK = "\x00nested too deeply\x00"


class TooDeep(str):
    """Stands for a column that holds something nested deeper than `DEEPEST`."""

    __slots__ = ()


TOO_DEEP = TooDeep("(nested too deeply)")


class Rounded(float):
    """A number that was written with more digits than it has; `digits` are those."""

    def __new__(cls, number: float, digits: str) -> Rounded:
        """Keep what was written beside what is left of it."""
        rounded = super().__new__(cls, number)
        rounded.digits = digits
        return rounded

    digits: str


def parse(line: bytes) -> Any:
    """Return the JSON of a line; what the standard library's parser reads is read.

    Lone surrogates become U+FFFD, NaN and infinities None, integers of any length stay integers, decimals beyond 2^53
    that are none of a floating-point number are `Rounded`. Of a RECORD, a column nested deeper than `DEEPEST` is
    `TOO_DEEP`.

    Raises:
        ValueError: the line is not JSON.
    """
    shallow = _pruned(line) if line.count(b"[") + line.count(b"{") > DEEPEST else line
    message = answers.parse(shallow, _decimal)
    if shallow is not line:
        _mark_columns(message)
    return message


def is_rounded(digits: str, number: float) -> bool:
    """Tell whether digits are neither what a floating-point number is, nor what it is written as."""
    return Decimal(digits) not in (Decimal(number), Decimal(repr(float(number))))


def _decimal(digits: str) -> float | None:
    number = float(digits)
    if not math.isfinite(number):
        return None
    return Rounded(number, digits) if abs(number) > 2**53 and is_rounded(digits, number) else number


def _digits(value: Any) -> str:
    if isinstance(value, Rounded):
        return value.digits
    raise TypeError(f"Type is not JSON serializable: {type(value).__name__}")


def dumps(value: Any, *, sort_keys: bool = False) -> bytes:
    """Return JSON in UTF-8; unlike the fast encoder, of integers of any length as well. `Rounded` is a text of digits.

    Raises:
        ValueError: the value holds something that JSON cannot say, or is nested too deeply.
    """
    try:
        return orjson.dumps(value, _digits, option=orjson.OPT_SORT_KEYS if sort_keys else 0)
    except TypeError:
        pass
    try:
        return json.dumps(value, separators=(",", ":"), sort_keys=sort_keys, allow_nan=False).encode()
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except TypeError as error:
        raise ValueError(f"cannot be sent ({error})") from None


def member(line: bytes, name: str) -> bytes | None:
    """Return the bytes of a member of the object that a line is; None when it has no such member."""
    found = _last(line, line.find(b"{"), name)
    return line[found.value : found.end].strip() if found else None


def with_member(line: bytes, path: tuple[str, ...], value: bytes) -> bytes:
    """Return a line with a member put in, or in the place of the one it has; every other byte stays as it is.

    Args:
        line: An object, as JSON.
        path: The names that lead to the member. All but the last must be there, and be objects.
        value: JSON.

    Raises:
        ValueError: there is no such object in the line.
    """
    opening = line.find(b"{")
    for name in path[:-1]:
        holder = _last(line, opening, name)
        if not holder or line[holder.value : holder.end].lstrip()[:1] != b"{":
            raise ValueError(f"there is no object '{name}'")
        opening = line.find(b"{", holder.value)
    entry = json.dumps(path[-1]).encode() + b":" + value
    if known := _last(line, opening, path[-1]):
        return line[: known.start] + entry + line[known.end :]
    members = list(_members(line, opening))
    end = members[-1].end if members else opening + 1
    return line[:end] + (b"," if members else b"") + entry + line[end:]


class _Member(NamedTuple):
    """Where a member is in its line: its name from `start`, its value from `value` to `end`."""

    name: str
    start: int
    value: int
    end: int


def _last(line: bytes, opening: int, name: str) -> _Member | None:
    """Return the member of that name; of several, the one that parsers go by."""
    return next((found for found in reversed(list(_members(line, opening))) if found.name == name), None)


def _members(line: bytes, opening: int) -> Iterator[_Member]:
    """Yield the members of the object that opens at a place of a line, which must be JSON."""
    depth, name, start, value = 0, None, 0, 0
    for token in _TOKEN.finditer(line, max(opening, 0)):
        text = token[0]
        if text in _OPENING:
            depth += 1
            continue
        if text in _CLOSING:
            depth -= 1
        if depth > 1 or (depth == 1 and text in _CLOSING):
            continue
        if depth == 0 or text == b",":
            if name is not None:
                yield _Member(name, start, value, token.start())
            name = None
            if depth == 0:
                return
        elif text == b":":
            value = token.end()
        elif name is None:
            name, start = str(json.loads(text)), token.start()


def _pruned(line: bytes) -> bytes:
    """Return a line with a mark in the place of each list and object that lies deeper than `DEEPEST`."""
    parts: list[bytes] = []
    depth = done = 0
    for token in _BRACKET.finditer(line):
        if token[0] in _OPENING:
            depth += 1
            if depth == DEEPEST + 1:
                parts.append(line[done : token.start()])
        elif token[0] in _CLOSING:
            if depth == DEEPEST + 1:
                parts.append(json.dumps(_MARK).encode())
                done = token.end()
            depth -= 1
    # What does not close stays as it is: it is no JSON, and the parser is to say so.
    return b"".join([*parts, line[done:]]) if parts and depth == 0 else line if not parts else b""


def _mark_columns(message: Any) -> None:
    record = message.get("record") if isinstance(message, dict) else None
    columns = record.get("data") if isinstance(record, dict) else None
    if isinstance(columns, dict):
        for name, value in columns.items():
            if _holds_mark(value):
                columns[name] = TOO_DEEP


def _holds_mark(value: Any) -> bool:
    if isinstance(value, (dict, list)):
        return any(map(_holds_mark, value.values() if isinstance(value, dict) else value))
    return bool(value == _MARK)
