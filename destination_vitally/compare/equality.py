"""Whether two values are one and the same, as it was sent and as Vitally shows it; pure.

Vitally gives values back in other spellings: dates with other offsets and digits, numbers as texts, lists in another
order, HTML without the tags it does not allow. What is removed is null, an empty text, an empty list, or not there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from destination_vitally.mapping.values import lists, moment, numbers
from destination_vitally.mapping.values.html import cleaned
from destination_vitally.mapping.values.times import parsed, unix

_EMPTY: tuple[Any, ...] = (None, "", [], {})
_SCALARS = (str, int, float)
_EXACT = 2**53
_LINKS = ("href", "src")
_HIDDEN = ("script", "style")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_ZONED = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*(Z|[+-]\d\d:?\d\d)", re.ASCII)
_MILLISECONDS_FROM = 100_000_000_000  # as seconds this would be the year 5138
_DAY = 10
"""How many characters a calendar day has."""


def is_empty(value: Any) -> bool:
    """Whether a value is none: Vitally shows it as null, as an empty text, or not at all."""
    return value in _EMPTY


def same(sent: Any, shown: Any, *, any_case: bool = False) -> bool:
    """Return whether Vitally shows what was sent. `any_case` is for emails."""
    if is_empty(sent) or is_empty(shown):
        return is_empty(sent) and is_empty(shown)
    sent, shown = lists.structure(sent), lists.structure(shown)
    if isinstance(sent, Mapping) and isinstance(shown, Mapping):
        return all(same(value, shown.get(name)) for name, value in sent.items())
    if isinstance(sent, list) or isinstance(shown, list):
        return _same_lists(same, *(value if isinstance(value, list) else [value] for value in (sent, shown)))
    if isinstance(sent, bool) or isinstance(shown, bool):
        return _read(numbers.boolean, sent) is _read(numbers.boolean, shown) is not None
    if isinstance(sent, str) and isinstance(shown, str):
        return _same_texts(sent.lower(), shown.lower()) if any_case else _same_texts(sent, shown)
    return _same_numbers(sent, shown)


def unchanged(sent: Any, shown: Any, *, any_case: bool = False, is_html: bool = False) -> bool:
    """Return whether sending a value would surely leave what Vitally shows as it is.

    The strict counterpart of `same`: a value in another spelling counts only where both spellings say exactly as much.

    Args:
        sent: what would be sent.
        shown: what Vitally shows.
        any_case: for emails.
        is_html: whether Vitally takes tags out of it that it does not allow.
    """
    if type(sent) is type(shown) and isinstance(sent, _SCALARS) and sent == shown:
        return True  # nearly always so, and what follows is slower
    if is_empty(sent) or is_empty(shown):
        return is_empty(sent) and is_empty(shown)
    if isinstance(sent, Mapping) and isinstance(shown, Mapping):
        return all(unchanged(sent.get(name), shown.get(name)) for name in {*sent, *shown})
    if isinstance(sent, list) and isinstance(shown, list):
        return _same_lists(unchanged, sent, shown)
    if isinstance(sent, str) and isinstance(shown, str):
        is_same = (
            sent == shown
            or (any_case and sent.lower() == shown.lower())
            or (is_html and cleaned(sent) == cleaned(shown))
        )
        return is_same or _equal_moments(sent, shown)
    is_number = not any(isinstance(value, (bool, list, Mapping)) for value in (sent, shown))
    is_number = is_number and all(_NUMBER.fullmatch(value) for value in (sent, shown) if isinstance(value, str))
    return is_number and bool(numbers.parsed(sent) == numbers.parsed(shown))


def _same_lists(equal: Callable[[Any, Any], bool], sent: Sequence[Any], shown: Sequence[Any]) -> bool:
    """Whether lists have the same entries: of texts and numbers in any order."""
    if len(sent) != len(shown):
        return False
    if not all(isinstance(entry, _SCALARS) for entry in (*sent, *shown)):
        return all(map(equal, sent, shown))
    left = list(shown)
    for entry in sent:
        place = next((place for place, other in enumerate(left) if equal(entry, other)), None)
        if place is None:
            return False
        del left[place]
    return True


def _same_numbers(sent: Any, shown: Any) -> bool:
    """Whether values of which one is a number are the same: both numbers, or a point in time and its Unix time."""
    one, other = _read(numbers.parsed, sent), _read(numbers.parsed, shown)
    if one is None or other is None:
        return _same_moments(sent, shown)
    if isinstance(one, int) and isinstance(other, int) and abs(one) < _EXACT:
        return one == other
    try:
        return math.isclose(one, other, rel_tol=1e-15)
    except OverflowError:
        return False


def _same_texts(sent: str, shown: str) -> bool:
    if sent.strip() == shown.strip() or _same_moments(sent, shown):
        return True
    is_html = any(mark in text for mark in "<&" for text in (sent, shown))
    return is_html and _content(sent) == _content(shown)


def _same_moments(sent: Any, shown: Any) -> bool:
    """Whether both are the same day, or the same point in time as far as the coarser of them says."""
    one, other = instant(sent), instant(shown)
    if one is None or other is None:
        return False
    if any(len(str(value).strip()) == _DAY for value in (sent, shown) if isinstance(value, str)):
        return bool(_days(sent, one) & _days(shown, other))
    if not one.microsecond or not other.microsecond:
        return one.replace(microsecond=0) == other.replace(microsecond=0)
    return abs(one - other) <= timedelta(milliseconds=1)


def _equal_moments(sent: Any, shown: Any) -> bool:
    """Whether both are the same point in time, to the millisecond; a day is its first moment in UTC."""
    one, other = instant(sent), instant(shown)
    return one is not None and other is not None and abs(one - other) < timedelta(milliseconds=1)


def _days(value: Any, when: datetime) -> set[str]:
    """The day of a point in time: in UTC, and as it is written."""
    return {when.date().isoformat(), str(value).strip()[:_DAY]}


def instant(value: Any) -> datetime | None:
    """The point in time that a value stands for, if it stands for one: a text, or a Unix time of any age."""
    if isinstance(value, str):
        text = _read(moment, value)
    else:
        scale = 1000 if isinstance(value, (int, float)) and abs(value) >= _MILLISECONDS_FROM else 1
        text = _read(lambda number: unix(number, scale), value)
    return parsed(text) if text is not None else None


def canonical(value: Any) -> Any:
    """Return a value in the one spelling that all spellings of its meaning have: for ids that are made of contents.

    `10` and `10.0` are one number; times with a zone are one if they are the same to the microsecond.
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        when = instant(value) if _ZONED.fullmatch(value) else None
        return when.isoformat() if when else value
    if isinstance(value, list):
        return [canonical(entry) for entry in value]
    if isinstance(value, dict):
        return {name: canonical(entry) for name, entry in value.items()}
    return value


def _read(read: Any, value: Any) -> Any:
    try:
        return read(value)
    except ValueError:
        return None


def _content(text: str) -> str:
    """What is left of HTML whatever tags are allowed: its words without spaces, and where its links lead."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return "".join("".join(reader.found).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden = tag in _HIDDEN  # what looks like a tag in a script is none: there are no others in it
        self.found += [value for name, value in attrs if name in _LINKS and value]

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.found.append(data)
