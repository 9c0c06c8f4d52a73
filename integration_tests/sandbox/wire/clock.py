"""The workspace's own time: every stamp and every `Date` header comes from here, never from the machine."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache
from threading import Lock

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MILLISECOND = timedelta(milliseconds=1)


def iso(moment: datetime) -> str:
    """Return a moment as Vitally writes it: UTC, milliseconds, `Z`."""
    return iso_milliseconds((moment - EPOCH) // MILLISECOND)


def iso_milliseconds(milliseconds: int) -> str:
    """Return milliseconds since 1970 as Vitally writes them. Fixed width, so text order is time order."""
    days, rest = divmod(milliseconds, 86_400_000)
    seconds, rest = divmod(rest, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{_day(days)}T{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}.{rest:03d}Z"


@lru_cache(maxsize=4096)
def _day(days: int) -> str:
    return (EPOCH + timedelta(days=days)).date().isoformat()


class Clock:
    """A UTC clock: the machine's plus `offset`, or (with `at`) one that stands still until it is advanced."""

    def __init__(self, offset: timedelta = timedelta(0), at: datetime | None = None) -> None:
        self.offset = offset
        self._at = at
        self._last_stamp = EPOCH
        self._lock = Lock()

    @property
    def likeness(self) -> tuple[timedelta, datetime | None]:
        """What two clocks have in common that show the same time."""
        return self.offset, self._at

    def now(self) -> datetime:
        """Return the time, never earlier than a stamp already given."""
        base = datetime.now(timezone.utc) if self._at is None else self._at
        return max(base + self.offset, self._last_stamp)

    def advance(self, seconds: float) -> None:
        self.offset += timedelta(seconds=seconds)

    def stamp(self, ties: bool = False) -> str:
        """Return the time of a write, later than every earlier stamp; with `ties`, whole seconds, often the same."""
        with self._lock:
            now = datetime.now(timezone.utc) if self._at is None else self._at
            now += self.offset
            if ties:
                stamp = max(now.replace(microsecond=0), self._last_stamp)
            else:
                now = now.replace(microsecond=now.microsecond // 1000 * 1000)
                stamp = max(now, self._last_stamp + MILLISECOND)
            self._last_stamp = stamp
            return iso(stamp)
