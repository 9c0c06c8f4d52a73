"""Values of records brought into the form Vitally wants, or refused without being quoted."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from destination_vitally.objects.model import Field, Kind

_UTC_TEXT = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z")
"""What is right as it is, if the day exists; everything else is parsed."""

_MOMENT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:[T ](?P<clock>\d\d:\d\d(?::\d\d)?)(?:\.(?P<fraction>\d+))?\s*(?P<zone>Z|UTC|[+-]\d\d(?::?\d\d)?)?)?"
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,4000}\s*")
_MILLISECONDS_FROM = 100_000_000_000  # as seconds this would be the year 5138
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class VitallyId(str):
    """An id that Vitally gave out, as opposed to one of yours."""

    __slots__ = ()


def text(value: Any) -> str:
    """Return a text; a number becomes its digits, because ids are texts in Vitally whatever they are at home."""
    if type(value) is str:
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("must be a text")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


EXACT_UP_TO = 2.0**53
"""From here on a floating-point number leaves whole numbers out."""

EXACT_DIGITS = 15
"""So many digits of a decimal fraction a floating-point number keeps for sure."""

_OTHER_PLACES = frozenset((".", ".."))
"""What a path takes for a place instead of a name, even percent-encoded."""


def identifier(value: Any) -> str:
    """Return an id as text, without the spaces around it; what is not exact or could be another id is refused."""
    if isinstance(value, float) and not _is_exact(value):
        raise ValueError("must be exact, and this number was rounded on its way: give it as a text")
    if type(value) is VitallyId:
        return value
    found = text(value).strip()
    if found in _OTHER_PLACES:
        raise ValueError("must not be . or ..")
    return found


def _is_exact(value: float) -> bool:
    if value.is_integer():
        return abs(value) < EXACT_UP_TO
    return len(repr(value).partition("e")[0].replace(".", "").strip("-0")) <= EXACT_DIGITS


def number(value: Any) -> int | float:
    """Return a number, also one written as text."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    try:
        parsed = float(value) if isinstance(value, str) else None
    except ValueError:
        parsed = None
    if parsed is None or not math.isfinite(parsed):
        raise ValueError("must be a number")
    return int(parsed) if parsed.is_integer() else parsed


def score(value: Any) -> int:
    """Return a whole number from 0 to 10, the scale of NPS."""
    try:
        parsed = number(value)
    except ValueError:
        parsed = -1
    if parsed != int(parsed) or not 0 <= parsed <= 10:
        raise ValueError("must be a whole number from 0 to 10")
    return int(parsed)


def flag(value: Any) -> bool:
    """Return true or false, also as text or as 1 and 0."""
    known = {"true": True, "false": False, "1": True, "0": False}.get(str(value).lower())
    if known is None:
        raise ValueError("must be true or false")
    return known


def moment(value: Any) -> str:
    """Return a point in time as ISO 8601 in UTC. A time without zone is taken as UTC, a number as a Unix time."""
    if isinstance(value, str):
        if _UTC_TEXT.fullmatch(value) and _exists(value[:10]):
            return value
        found = _MOMENT.fullmatch(value.strip())
        if found:
            try:
                return _utc(found)
            except (ValueError, OverflowError):  # no such day, or none in the years 1 to 9999 once it is in UTC
                pass
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            seconds = value / 1000 if abs(value) >= _MILLISECONDS_FROM else value
            return _iso(_EPOCH + timedelta(seconds=seconds))
        except OverflowError:
            pass
    raise ValueError("must be a date-time such as 2026-01-31T09:30:00Z")


@lru_cache(maxsize=1024)
def _exists(iso_day: str) -> bool:
    try:
        date.fromisoformat(iso_day)
    except ValueError:
        return False
    return True


def _utc(found: re.Match[str]) -> str:
    clock = found["clock"] or "00:00"
    local = datetime.strptime(f"{found['day']} {clock}", "%Y-%m-%d %H:%M:%S" if clock[5:] else "%Y-%m-%d %H:%M")
    fraction = int((found["fraction"] or "0")[:6].ljust(6, "0"))
    zone = (found["zone"] or "Z").replace(":", "")
    offset = timedelta()
    if zone not in ("Z", "UTC"):
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5] or 0)) * (-1 if zone[0] == "-" else 1)
    return _iso(local.replace(microsecond=fraction, tzinfo=timezone.utc) - offset)


def _iso(when: datetime) -> str:
    digits = "microseconds" if when.microsecond % 1000 else "milliseconds" if when.microsecond else "seconds"
    return when.isoformat(timespec=digits).replace("+00:00", "Z")


@lru_cache(maxsize=1024)
def moment_of(milliseconds: float) -> str:
    """Return a Unix time in milliseconds, as `emitted_at` of a record is, as ISO 8601 in UTC."""
    return _iso(_EPOCH + timedelta(milliseconds=int(milliseconds)))


def day(value: Any) -> str:
    """Return a calendar day; of a date-time, its day in UTC."""
    try:
        plain = value if isinstance(value, str) and _DAY.fullmatch(value) else moment(value)[:10]
        return date.fromisoformat(plain).isoformat()
    except ValueError:
        raise ValueError("must be a date such as 2026-01-31") from None


def texts(value: Any) -> list[str]:
    """Return a list of texts; a single value is a list of one."""
    if not isinstance(value, list):
        return [text(value)]
    return [text(entry) for entry in value if entry not in (None, "")]


def identifiers(value: Any) -> list[str]:
    """Return a list of ids; a single one is a list of one."""
    return [found for entry in (value if isinstance(value, list) else [value]) if (found := _id_or_nothing(entry))]


def _id_or_nothing(value: Any) -> str:
    return "" if value is None else identifier(value)


def _instance_of(kind: type, name: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if not isinstance(value, kind):
            raise ValueError(f"must be {name}")
        return value

    return check


COERCIONS: dict[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: text,
    Kind.NUMBER: number,
    Kind.SCORE: score,
    Kind.FLAG: flag,
    Kind.MOMENT: moment,
    Kind.DAY: day,
    Kind.TEXTS: texts,
    Kind.LIST: _instance_of(list, "a list"),
    Kind.OBJECT: _instance_of(dict, "an object"),
}
"""What turns a value into one of a kind; raises ValueError, whose text never quotes the value."""


def coercion_of(field: Field) -> Callable[[Any], Any]:
    """Return what turns a value into one of a field; ids have rules of their own. Raises as `COERCIONS`."""
    if not field.is_id:
        return COERCIONS[field.kind]
    return identifiers if field.kind is Kind.TEXTS else identifier
