"""Looks for what was accepted, of one object, until rows of Vitally show it or the patience ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Protocol

from destination_vitally.api.http import Api
from destination_vitally.api.pages import Row, text_of
from destination_vitally.clock import Clock
from destination_vitally.errors import RejectedError
from destination_vitally.mapping.comparison import Known
from destination_vitally.objects.model import Object
from destination_vitally.transports.expected import Expected
from destination_vitally.transports.landing import FIRST_WAIT, LONGEST_WAIT, PATIENCE, read_row
from destination_vitally.transports.tail import Tail

PAGE = 100

LOOKS = 3
"""So many looks at the list must have missed a row before it is asked for by its id."""

MISSES = 3
"""So many rows that are asked for by their id may not be there yet before the others wait for the next look."""


class Told(Protocol):
    """Is told what was found."""

    def landed(self, one: Expected) -> None:
        """A row shows the message."""
        ...

    def missing(self, one: Expected, row: Row | None, problem: str) -> None:
        """The patience is over; the row as it is, if there is one, or why nobody knows."""
        ...


class Watch:
    """Looks for the rows of one object; all share one growing wait. Safe to use from several threads.

    Many are looked for in the list of what was written last, down to where the look before has ended. What the list
    does not show is asked for by its id, and nothing counts as missing before that: a list does not hold every row.
    """

    def __init__(self, rest: Api, entry: Object, clock: Clock, known: Known, told: Told) -> None:
        """Prepare to look for rows of an object.

        Args:
            rest: the way to Vitally.
            entry: the object.
            clock: what the waits go by.
            known: what is known of Vitally's ids.
            told: is told what becomes of each message.
        """
        self._rest = rest
        self._clock = clock
        self._known = known
        self._told = told
        self._tail = Tail(rest, entry)
        self._pending: dict[str, list[Expected]] = {}
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._written = 0
        self._wait = FIRST_WAIT
        self._next = 0.0

    # What is looked for

    def passed(self, count: int) -> None:
        """Take note that so many messages about rows of the object were accepted, looked for or not."""
        with self._lock:
            self._written += count

    def add(self, one: Expected) -> None:
        """Look for a message from now on."""
        with self._lock:
            if not self._pending:
                self._wait, self._next = FIRST_WAIT, 0.0
            self._pending.setdefault(one.external_id, []).append(one)

    def drop(self, one: Expected) -> None:
        """Look for a message no longer."""
        with self._lock:
            left = [other for other in self._pending.get(one.external_id, ()) if other is not one]
            if left:
                self._pending[one.external_id] = left
            else:
                self._pending.pop(one.external_id, None)

    def of_row(self, external_id: str) -> list[Expected]:
        """Return what is looked for at one row."""
        with self._lock:
            return list(self._pending.get(external_id, ()))

    def all(self) -> Iterator[Expected]:
        """Yield everything that is looked for."""
        with self._lock:
            found = list(self._pending.values())
        return (one for row in found for one in row)

    # Looking

    def look(self) -> float | None:
        """Look if it is time to; returns the seconds until the next look, None when nothing is left to look for.

        Raises:
            ConfigError, OutageError, StoppedError: as `Api.send`.
        """
        if not self._looking.acquire(blocking=False):
            return FIRST_WAIT
        try:
            if self._pause() == 0:
                self._look()
            return self._pause()
        finally:
            self._looking.release()

    def _look(self) -> None:
        before = {id(one) for one in self.all()}
        listed = self._read_list(len(before))
        left = list(self.all())
        for one in left:
            one.looks += 1
        self._ask([one for one in left if not listed or one.looks >= LOOKS or self._is_over(one)])
        with self._lock:
            self._next = self._clock.monotonic() + self._wait
            if not before - {id(one) for row in self._pending.values() for one in row}:
                self._wait = min(LONGEST_WAIT, 2 * self._wait)

    def _pause(self) -> float | None:
        """Return the seconds until it is time to look, None when there is nothing to look for."""
        ends = min((one.since + PATIENCE for one in self.all()), default=None)
        return None if ends is None else max(0.0, min(self._next, ends) - self._clock.monotonic())

    def _read_list(self, wanted: int) -> bool:
        """Look at the rows that were written last, where that costs less than to ask for each that is wanted."""
        with self._lock:
            pages = 1 + self._written // PAGE
        if wanted < 2 or pages > wanted:
            return False
        taken = [one.taken for one in self.all() if one.taken is not None]
        with self._lock:
            self._written = 0
        for row in self._tail.look(min(taken, default=None), max(wanted, pages)):
            self._see(row)
        return True

    def _ask(self, candidates: list[Expected]) -> None:
        """Ask for rows by their id, those that were asked for least first; not for all while some are not there yet."""
        misses = 0
        for one in sorted(candidates, key=lambda one: (one.asked, one.since)):
            is_over = self._is_over(one)
            if (misses >= MISSES and not is_over) or one not in self.of_row(one.external_id):
                continue
            row, problem = self._read(one)
            if row:
                self._see(row | {"externalId": one.external_id})
            if one not in self.of_row(one.external_id):
                continue
            misses += 1
            if is_over:
                self.drop(one)
                if row or problem or not one.only_ends_links:
                    self._told.missing(one, row, problem)
                else:
                    self._told.landed(one)

    def _read(self, one: Expected) -> tuple[Row | None, str]:
        one.asked += 1
        try:
            return read_row(self._rest, one.change, one.entry, one.external_id), ""
        except RejectedError as error:
            return None, str(error).removeprefix(f"{one.change.label}: ")

    def _see(self, row: Row) -> None:
        """Compare a row with what is expected of it."""
        for one in self.of_row(text_of(row, "externalId")):
            if not one.differs(row, self._known):
                one.see(row, self._clock.monotonic())
                self.drop(one)
                self._told.landed(one)

    def _is_over(self, one: Expected) -> bool:
        return self._clock.monotonic() >= one.since + PATIENCE
