"""Points in time and days, in the form Vitally wants. What could be two of them is refused, never guessed.

Texts are ISO 8601, also in its compact form. Numbers are compact dates, else Unix times of our days: from 1990 to 2100.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone, tzinfo
from enum import Enum
from functools import lru_cache
from typing import Any

UTC = timezone.utc
EARLIEST, LATEST = 631_152_000, 4_102_444_800
"""The Unix seconds of 1990 and 2100: what lies outside is no time of our days."""

DAY_SECONDS = 86_400
SCALES = (1, 1000)
"""How many units of a Unix time are a second: seconds and milliseconds, whose windows do not meet."""


class _Never(Enum):
    NEVER = "never"


NEVER = _Never.NEVER
"""A number that is no time of our days, such as 0 or the day number of a spreadsheet: no value for a time."""

_UTC_TEXT = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z", re.ASCII)
"""What is right as it is, if the day exists; everything else is parsed."""

_ISO = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d|\d{8}(?=T))"
    r"(?:[T ](?P<clock>\d\d:\d\d(?::\d\d)?|\d{4}|\d{6})(?:[.,](?P<fraction>\d+))?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_DIGITS = re.compile(r"(?P<day>\d{8})(?P<clock>\d{4}|\d{6})?(?:\.(?P<fraction>\d+))?", re.ASCII)
"""A compact date with its time and nothing between them."""

_NUMBER = re.compile(r"[+-]?\d{1,400}(?:\.\d+)?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d|\d{8}", re.ASCII)
_DAY_AND_HOUR = 10
"""How many digits a compact date with its hour has, and a Unix time of our days as well."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COMPACT_YEARS, _OUR_YEARS = range(1800, 2200), range(1990, 2100)
_NO_TIME = "must be a date-time such as 2026-01-31T09:30:00Z"
_NO_DAY = "must be a date such as 2026-01-31"
_TWO_READINGS = (
    "; these ten digits could be a Unix time in seconds, or a date with its hour (YYYYMMDDHH). Give them the "
    "Type (cast) unix_seconds, or write the time as 2026-01-31T09:00:00Z"
)


def moment(value: Any, zone: tzinfo = UTC) -> str:
    """Return a point in time that is written in ISO 8601 as such in UTC; a time without a zone is in `zone`.

    Raises:
        ValueError: it is none; the text does not quote it.
    """
    if isinstance(value, str):
        if _UTC_TEXT.fullmatch(value) and _exists(value[:10]):
            return value
        if (found := _ISO.fullmatch(value.strip())) and (when := _instant(found, zone)):
            return _iso(when)
    raise ValueError(_NO_TIME)


def date_time(value: Any, zone: tzinfo = UTC) -> Any:
    """Return a point in time in UTC, of whatever spelling; `NEVER` for a number that is no time of our days.

    Raises:
        ValueError: it is no time, or could be two; the text does not quote it.
    """
    found = _numeric(value, zone, _NO_TIME)
    return moment(value, zone) if found is None else found if found is NEVER else _iso(found)


def day(value: Any, zone: tzinfo = UTC) -> Any:
    """Return a calendar day; of a point in time its day in `zone`. Else as `date_time`."""
    if iso := _plain_day(value):
        return iso
    found = _numeric(value, zone, _NO_DAY)
    if found is NEVER:
        return found
    try:
        return (found or parsed(moment(value, zone))).astimezone(zone).date().isoformat()
    except (ValueError, OverflowError):
        raise ValueError(_NO_DAY) from None


def day_or_time(value: Any, zone: tzinfo = UTC) -> Any:
    """Return a day as a day, and a point in time as such. Raises as `date_time`."""
    return _plain_day(value) or date_time(value, zone)


def unix(value: Any, scale: int) -> str:
    """Return the point in time that a Unix time stands for, whatever its size; `scale` units are a second.

    Raises:
        ValueError: it is no number, or beyond the year 9999.
    """
    if isinstance(value, (int, float, str)) and not isinstance(value, bool) and _NUMBER.fullmatch(str(value).strip()):
        try:
            return _iso(_EPOCH + timedelta(seconds=_number(value) / scale))
        except OverflowError:
            pass
    raise ValueError(f"must be a Unix time in {'seconds' if scale == 1 else 'milliseconds'}")


def plausible(text: str) -> bool:
    """Tell whether a point in time, as `moment` returns it, is of our days: from 1990 to 2100."""
    return EARLIEST <= parsed(text).timestamp() < LATEST


def seconds_of(text: str) -> float:
    """Return the Unix seconds of a day or a point in time, as this module returns them; of a day its first moment."""
    return parsed(text if "T" in text else text + "T00:00:00Z").timestamp()


def emitted(value: Any) -> float | None:
    """Return the `emitted_at` of a record as Unix milliseconds, though some platforms write seconds.

    None for what is no time of our days: a message is then dated by the sync.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        for scale in SCALES:
            if EARLIEST * scale <= value < LATEST * scale:
                return value * 1000 / scale
    return None


@lru_cache(maxsize=1024)
def moment_of(milliseconds: float) -> str:
    """Return a Unix time in milliseconds as ISO 8601 in UTC."""
    return _iso(_EPOCH + timedelta(milliseconds=int(milliseconds)))


def _numeric(value: Any, zone: tzinfo, problem: str) -> Any:
    """What a number, or a text of digits, stands for: a compact date or a Unix time; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    if not _NUMBER.fullmatch(text):
        return None
    if found := _compact(text, zone, _COMPACT_YEARS):
        return found
    number = _number(text)
    for scale in SCALES:
        if EARLIEST * scale <= number < LATEST * scale:
            if len(text) == _DAY_AND_HOUR and _compact(text + "00", zone, _OUR_YEARS):
                raise ValueError(problem + _TWO_READINGS)
            return _EPOCH + timedelta(seconds=number / scale)
    return NEVER


def _compact(text: str, zone: tzinfo, years: range) -> datetime | None:
    found = _DIGITS.fullmatch(text)
    return _instant(found, zone) if found and int(text[:4]) in years else None


def _number(value: Any) -> int | float:
    text = str(value).strip()
    return int(text) if text.lstrip("+-").isdecimal() else float(text)


@lru_cache(maxsize=1024)
def _exists(iso_day: str) -> bool:
    try:
        date.fromisoformat(iso_day)
    except ValueError:
        return False
    return True


def _plain_day(value: Any) -> str:
    """Return a day that is written as one, compact or not; empty for anything else."""
    text = str(value).strip()
    if not isinstance(value, (str, int)) or not _DAY.fullmatch(text):
        return ""
    iso = text if "-" in text else f"{text[:4]}-{text[4:6]}-{text[6:]}"
    return iso if _exists(iso) and ("-" in text or int(text[:4]) in _COMPACT_YEARS) else ""


def _instant(found: re.Match[str], zone: tzinfo) -> datetime | None:
    """Return what was matched, in UTC; None where there is no such time in the years 1 to 9999.

    A day without a time is the same day in UTC, whatever the zone.
    """
    named: dict[str, str] = {name: text or "" for name, text in found.groupdict().items()}
    digits = named["day"].replace("-", "") + (named["clock"].replace(":", "") + "000000")[:6]
    offset = named.get("zone", "").replace(":", "").upper()
    try:
        local = datetime.strptime(digits, "%Y%m%d%H%M%S")
        local = local.replace(microsecond=int((named["fraction"] or "0")[:6].ljust(6, "0")))
        if named["clock"] and not offset:
            return local.replace(tzinfo=zone).astimezone(UTC)
        ahead = timedelta()
        if offset[:1] in ("+", "-"):
            ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:5] or 0)) * (-1 if offset[0] == "-" else 1)
        return local.replace(tzinfo=UTC) - ahead
    except (ValueError, OverflowError):
        return None


def parsed(text: str) -> datetime:
    """Return a point in time that is written as `moment` writes it."""
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(seconds + "+00:00").replace(microsecond=int(fraction.ljust(6, "0")))


def _iso(when: datetime) -> str:
    digits = "microseconds" if when.microsecond % 1000 else "milliseconds" if when.microsecond else "seconds"
    return when.isoformat(timespec=digits).replace("+00:00", "Z")
