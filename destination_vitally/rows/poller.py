"""The one who waits for Vitally to apply what it took: rows are looked at until they show it, or the patience ends.

The Analytics API applies a message some time after it took it ("several seconds to several minutes", says a public
integration page; Vitally's own docs say nothing). Whoever depends on that says so here, and is called when it is so.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from destination_vitally.api.http import Api
from destination_vitally.api.pages import Row, found_row, quoted, rows_of, text_of
from destination_vitally.compare.comparison import How, differing
from destination_vitally.compare.loosened import alike
from destination_vitally.errors import RejectedError
from destination_vitally.mapping.change import Change
from destination_vitally.mapping.values import moment_of
from destination_vitally.objects.model import Lookup, Object
from destination_vitally.rows.facts import Coming, Missed, Seen, Shown
from destination_vitally.rows.lists import PAGE, SECONDS, Tail, second_of
from destination_vitally.rows.memory import Memory

PATIENCE_SECONDS = 600.0
"""After its acceptance, so long is a message waited for."""

LONGER_SECONDS = 60.0
"""So much longer than others took is a row waited for that is there and shows something else."""

SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 5.0
"""Seconds between two looks at the rows of one object."""

PAUSE_SHARE = 0.2
"""The pause is this part of what was waited already."""

LOOKS = 3
"""So many looks at the list must have missed a row before it is asked for by its id."""

MISSES = 3
"""So many rows that are asked for by their id may not be there yet before the others wait for the next look; one, as
long as none has landed."""


class Awaited(ABC):
    """A message whose effect is waited for.

    Attributes:
        entry: the object of the row.
        external_id: your id of it.
        taken: when Vitally took the message, by its own clock in Unix seconds; None when it did not say.
        since: the same by the connector's clock.
        looks: how often it was looked for.
        asked: how often it was asked for by its id.
        is_there: whether the row was there at the last look.
        tells_time: whether what was seen tells how long it took; not so if it was there before.
    """

    tells_time = True

    def __init__(self, entry: Object, coming: Coming) -> None:
        self.entry = entry
        self.external_id, self.taken, self.since = coming
        self.looks = self.asked = 0
        self.is_there = False

    @abstractmethod
    def sees(self, row: Row, now: float) -> bool:
        """Tell whether a row shows what is waited for; it is not waited for any longer then."""

    @abstractmethod
    def ends(self, row: Row | None, problem: str) -> None:
        """The patience is over: the row as it is, if there is one, or why nobody knows."""

    def misses(self) -> None:
        """The row is not there."""
        self.is_there = False

    def until(self, usual: float | None) -> float:
        """Until when it is looked for; `usual` is the longest that others took.

        A row that is there and shows something else is waited for no longer than a little more than that.
        """
        if self.is_there and usual is not None:
            return self.since + min(PATIENCE_SECONDS, usual + LONGER_SECONDS)
        return self.since + PATIENCE_SECONDS


class Arrival(Awaited):
    """A row that others depend on: that it is there or, where `is_acted`, that the message to it was applied."""

    def __init__(
        self, entry: Object, coming: Coming, memory: Memory, done: Callable[[Arrival], None], *, is_acted: bool
    ) -> None:
        super().__init__(entry, coming)
        self.is_acted = is_acted
        self._memory = memory
        self._done = done
        self._before: set[str] | None = None
        self._was_absent = False

    def misses(self) -> None:
        super().misses()
        self._was_absent = True

    def sees(self, row: Row, now: float) -> bool:
        if self.is_acted:
            if not self._was_applied(row):
                return False
            self._memory.note(Seen(self.entry, {**row, "externalId": self.external_id}))
        self.tells_time = self.is_acted or self._was_absent
        self._done(self)
        return True

    def ends(self, row: Row | None, problem: str) -> None:
        if row is None:
            waited = self._memory.clock.monotonic() - self.since
            reason = problem or (
                f"Vitally took the row with externalId '{self.external_id}' {waited:.0f} s ago and has not applied it. "
                "Look in Vitally why; the next sync that has this record writes it"
            )
            identity = (self.entry.name, "externalId", self.external_id)
            self._memory.note(Missed(self.entry, identity, RejectedError(reason)))
        self._memory.note(Seen(self.entry, {"externalId": self.external_id}))
        self._done(self)

    def _was_applied(self, row: Row) -> bool:
        """Whether a row shows the message, and something says that it did not do so before.

        That is a value that was another at an earlier look, or that the row was created or changed after the message
        was taken. The last is only likely: somebody else may have changed the row. Docs name it as assumed.
        """
        content = self._memory.content(self.entry, self.external_id)
        differs = set(differing(self.entry, *content, row, How(equal=alike))) if content else set()
        before, self._before = self._before, self._before if self._before is not None else differs
        if differs:
            return False
        if self._was_absent or before or self.taken is None:
            return True
        stamps = (second_of(row.get("createdAt")), second_of(row.get("updatedAt")))
        return any(stamp >= moment_of(self.taken * 1000)[:SECONDS] for stamp in stamps)


class Poller:
    """Looks for what is awaited, object by object; all rows of an object share one wait. Safe to use from threads."""

    def __init__(self, rest: Api, memory: Memory, again: Callable[[Callable[[], float | None]], None]) -> None:
        """Prepare to look.

        Args:
            rest: the way to Vitally.
            memory: what is known of rows; what is seen is noted there.
            again: runs a job in the background, and again after the seconds it returns, until it returns None.
        """
        self._rest = rest
        self._memory = memory
        self._again = again
        self._lock = threading.Lock()
        self._watches: dict[str, _Watch] = {}

    def watch(self, one: Awaited) -> None:
        """Look for a row from now on."""
        watch = self._of(one.entry)
        if watch.add(one):
            self._again(watch.look)

    def drop(self, one: Awaited) -> None:
        """Look for it no longer."""
        self._of(one.entry).drop(one)

    def of_row(self, entry: Object, external_id: str) -> list[Awaited]:
        """Return what is looked for at one row."""
        return self._of(entry).of_row(external_id)

    def all(self) -> Iterator[Awaited]:
        """Yield everything that is looked for."""
        for watch in list(self._watches.values()):
            yield from watch.all()

    def _of(self, entry: Object) -> _Watch:
        with self._lock:
            if entry.path not in self._watches:
                self._watches[entry.path] = _Watch(self._rest, entry, self._memory)
            return self._watches[entry.path]


class _Watch:
    """Looks for the rows of one object.

    Many are looked for in the list of what was written last, down to where the look before has ended. What the list
    does not show is asked for by its id, and nothing counts as missing before that: a list does not hold every row.
    """

    def __init__(self, rest: Api, entry: Object, memory: Memory) -> None:
        self._rest = rest
        self._entry = entry
        self._memory = memory
        self._tail = Tail(rest, entry) if entry.is_listed else None
        self._pending: dict[str, list[Awaited]] = {}
        self._lock = threading.Lock()
        self._is_looking = False
        self._count = 0
        self._usual: float | None = None
        """The longest that any row took until now."""

    def add(self, one: Awaited) -> bool:
        """Look for a row from now on; returns whether looking has to be begun."""
        with self._lock:
            self._pending.setdefault(one.external_id, []).append(one)
            is_begun, self._is_looking = self._is_looking, True
            return not is_begun

    def drop(self, one: Awaited) -> None:
        with self._lock:
            left = [other for other in self._pending.get(one.external_id, ()) if other is not one]
            if left:
                self._pending[one.external_id] = left
            else:
                self._pending.pop(one.external_id, None)

    def of_row(self, external_id: str) -> list[Awaited]:
        with self._lock:
            return list(self._pending.get(external_id, ()))

    def all(self) -> list[Awaited]:
        with self._lock:
            return [one for row in self._pending.values() for one in row]

    def look(self) -> float | None:
        """Look once; returns the seconds until the next look, None when nothing is left to look for.

        Raises:
            ConfigError, OutageError, StoppedError: as `Api.send`.
        """
        listed = self._read_list(self.all())
        left = self.all()
        for one in left:
            one.looks += 1
        self._ask([one for one in left if not listed or one.looks >= LOOKS or self._is_over(one)])
        with self._lock:
            pending = [one for row in self._pending.values() for one in row]
            self._is_looking = bool(pending)
        return self._pause(pending) if pending else None

    def _pause(self, pending: list[Awaited]) -> float:
        now = self._now()
        waited = now - min(one.since for one in pending)
        pause = min(LONGEST_PAUSE, max(SHORTEST_PAUSE, PAUSE_SHARE * waited))
        ends = min(one.until(self._usual) for one in pending) - now
        return max(0.0, min(pause, ends)) if ends > 0 else SHORTEST_PAUSE

    def _read_list(self, wanted: list[Awaited]) -> bool:
        """Look at the rows that were written last, where that costs less than to ask for each that is wanted."""
        written = self._memory.count(self._entry) - self._count
        pages = 1 + written // PAGE
        if len(wanted) < 2 or pages > len(wanted) or self._tail is None:
            return False
        self._count += written
        taken = [one.taken for one in wanted if one.taken is not None]
        rows = list(self._tail.look(min(taken, default=None), max(len(wanted), pages)))
        self._memory.note(Shown(self._entry, rows, is_listed=True))
        for row in rows:
            self._see(row)
        return True

    def _ask(self, candidates: list[Awaited]) -> None:
        """Ask for rows by their id, those that were asked for least first; not for all while some are not there yet."""
        misses, most = 0, 1 if self._usual is None else MISSES
        for one in sorted(candidates, key=lambda one: (one.asked, one.since)):
            is_over = self._is_over(one)
            if (misses >= most and not is_over) or one not in self.of_row(one.external_id):
                continue
            one.asked += 1
            row, problem = self._read(one)
            if row:
                self._see(row)
            else:
                one.misses()
            if one not in self.of_row(one.external_id):
                continue
            misses += 1
            if self._is_over(one):
                self.drop(one)
                one.ends(row, problem)

    def _read(self, one: Awaited) -> tuple[Row | None, str]:
        try:
            row = read_row(self._rest, one.entry, one.external_id)
        except RejectedError as error:
            return None, str(error).removeprefix("it: ")
        if row:
            self._memory.note(Shown(self._entry, [row]))
        return row, ""

    def _see(self, row: Row) -> None:
        now = self._now()
        for one in self.of_row(text_of(row, "externalId")):
            one.is_there = True
            if one.sees(row, now):
                self.drop(one)
                if one.tells_time:
                    self._usual = max(self._usual or 0.0, now - one.since)

    def _is_over(self, one: Awaited) -> bool:
        return self._now() >= one.until(self._usual)

    def _now(self) -> float:
        return self._memory.clock.monotonic()


def read_row(rest: Api, entry: Object, external_id: str) -> Row | None:
    """Return the row of an object by your id, None when there is none.

    Raises:
        RejectedError: Vitally does not say.
    """
    subject = Change(entry, "update", entry.operations["delete"][0], "it", {}, {})
    if entry.can_look_up(Lookup.SEARCH):
        rows = rows_of(subject, rest.send("GET", f"{entry.path}/search?externalId={quoted(external_id)}"))
    else:
        row = found_row(subject, rest.send("GET", entry.item_path.format(key=quoted(external_id))))
        rows = [row] if row else []
    # An id of yours may be Vitally's id of another row.
    return next((row for row in rows if text_of(row, "externalId") == external_id), None)
