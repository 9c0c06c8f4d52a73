"""Times as Vitally, and what it takes its rows from, may write them."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from dateutil.parser import isoparse

_FIRST = datetime.min.replace(tzinfo=timezone.utc)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECONDS_FROM = 100_000_000_000
"""Numbers from here on are milliseconds since 1970: as seconds they would be after the year 5000."""


def parse_time(value: Any) -> datetime | None:
    """Return an ISO 8601 text as an aware UTC datetime, or None for anything that is not one."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        try:  # fromisoformat of Python 3.10 knows only some of the ISO forms, but is twenty times as fast
            parsed = isoparse(value)
        except (ValueError, OverflowError):
            return None
    return _in_utc(parsed)


def read_time(value: Any) -> datetime | None:
    """Return a time in any form that says which it is: ISO 8601, seconds or milliseconds since 1970, an HTTP date."""
    if (time := parse_time(value)) is not None or value is None:
        return time
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError):
        return _of_mail(value)
    try:
        return _EPOCH + timedelta(seconds=number / 1000 if abs(number) >= _MILLISECONDS_FROM else number)
    except (ValueError, OverflowError):
        return None


def format_time(value: datetime) -> str:
    """Return a UTC time as Vitally writes it, with milliseconds (cut, never rounded up) and `Z`."""
    return value.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def earlier(value: datetime, by: timedelta) -> datetime:
    """Return a time less a span, the first day of the calendar at the earliest."""
    return value - by if value - _FIRST > by else _FIRST


def _of_mail(value: Any) -> datetime | None:
    try:
        return _in_utc(parsedate_to_datetime(value))
    except (TypeError, ValueError, OverflowError, IndexError, AttributeError):  # whatever it raises for what is no date
        return None


def _in_utc(parsed: datetime) -> datetime | None:
    try:
        return parsed.replace(tzinfo=timezone.utc) if parsed.tzinfo is None else parsed.astimezone(timezone.utc)
    except OverflowError:  # beyond the calendar once it is in UTC
        return None
