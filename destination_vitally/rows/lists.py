"""Rows found by pages of their list, a hundred a request, as soon as that is cheaper than asking for each.

A list proves that a row is there. That it is not there it proves only in the case that `RowList.as_of` names.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

from destination_vitally.api.http import Api
from destination_vitally.api.pages import Row, answers, pages
from destination_vitally.api.reply import Reply
from destination_vitally.errors import ListError
from destination_vitally.mapping.values import moment, moment_of
from destination_vitally.objects.model import Object
from destination_vitally.rows.facts import Shown
from destination_vitally.rows.memory import Memory

PAGE = 100
"""So many rows has a page of a list."""

SECONDS = len("2026-01-31T09:30:00")
"""So much of a time in text has no fraction of a second, as a `Date` header has none."""

SINGLES_FIRST = 10
"""So many rows are asked for one by one before the list is read."""

FRESH_SECONDS = 5.0
"""So old may be what is known of a list for a row to be created because it is not in it."""

ARCHIVED = "archived=true"
"""Asks for the part of a list that has archived rows."""

MOST_PAGES = 50
"""So many pages of what others wrote are read at once; where there are more, the list is no proof any longer."""


def second_of(value: object) -> str:
    """Return a time of Vitally's up to its seconds, in UTC, to be compared as text; empty for what is none."""
    try:
        return moment(value)[:SECONDS]
    except ValueError:
        return ""


class Tail:
    """Follows the newest end of a list: a look goes down to where the one before began. For one thread at a time."""

    def __init__(self, rest: Api, entry: Object, query: str = "", newest: str | None = None) -> None:
        """Prepare to look.

        Args:
            rest: the way to Vitally.
            entry: whose list it is.
            query: which part of the list.
            newest: where an earlier look would have begun: up to the second, as `second_of` gives it; empty for a list
                that had no rows; None if there was none.
        """
        self._rest = rest
        self._path = entry.path
        self._query = query or entry.lists[0]
        self._newest = newest
        self.has_arrived = True
        """Whether the last look came down to where it had to."""

    def look(self, since: float | None, most: int) -> Iterator[Row]:
        """Yield the rows that were written since the last look, the newest first.

        A list that is refused or in another order yields less or more: what is not here may still be there.

        Args:
            since: for the first look, a time by Vitally's clock in Unix seconds, or None for one page.
            most: how many pages may be read.
        """
        floor = self._newest
        if floor is None:
            floor = moment_of(since * 1000)[:SECONDS] if since is not None else "9999"
        newest = self._newest or ""
        self.has_arrived = is_cut = False
        try:
            for number, page in enumerate(pages(self._rest, self._path, order="updatedAt", query=self._query), 1):
                stamps = [second_of(row.get("updatedAt")) for row in page]
                newest = max([newest, *stamps])
                yield from page
                is_cut = number > 1 and not page  # a cursor that has expired may look like the end
                self.has_arrived = bool(stamps) and bool(stamps[-1]) and stamps[-1] < floor
                if number >= most or self.has_arrived:
                    break
            else:
                self.has_arrived = not is_cut
        except ListError:
            return
        self._newest = newest


class RowList:
    """The list of one object. Safe to use from several threads.

    To ask for a row costs a request, and so does a page. Pages are read until they have cost what asking for each row
    would have: then the whole is at most twice as dear as the better of the two ways.
    """

    def __init__(self, rest: Api, entry: Object, memory: Memory) -> None:
        """`entry` is an object that `is_listed`; its rows are noted in `memory`."""
        self._rest = rest
        self._entry = entry
        self._memory = memory
        self._lock = threading.Lock()
        self._wanted = self._read = 0
        self._pages: Iterator[tuple[list[Row], bool]] | None = self._whole_list()
        self._tails: list[Tail] = []
        self._in_order = True
        self._looked = 0.0
        self._count = 0
        self.pages_read = 0
        """How many pages have been read of a list that is being read at this moment, else 0."""

    @property
    def is_read(self) -> bool:
        """Whether no page is left to read."""
        return self._pages is None

    @property
    def as_of(self) -> float | None:
        """As of when, by the connector's clock, a row that was not shown is not in the list; None if nobody knows.

        It was read to its end in an order that does not change with edits, and so was what was written since.
        """
        is_proof = self._pages is None and self._in_order and not self._memory.is_forgetful
        return self._looked if is_proof else None

    def want(self, count: int, is_enough: Callable[[], bool] = lambda: False, more: int = 0) -> None:
        """Take note that so many more rows are looked for, and read the pages that this is worth.

        Args:
            count: how many rows.
            is_enough: whether nothing more needs to be read.
            more: how many will be looked for next.

        Raises:
            ConfigError, OutageError, StoppedError: as `Api.send`.
        """
        with self._lock:
            self._wanted += count
            if self._wanted <= SINGLES_FIRST:
                return
            while self._pages is not None and self._read < self._wanted + more and not is_enough():
                self.pages_read = self._read + 1
                self._read_page(self._pages)
            self.pages_read = 0
            if self._pages is None and not is_enough():
                self._refresh()

    def refresh(self) -> None:
        """Read what was written since the last look, where any of the list has been read and that look is not fresh."""
        with self._lock:
            if self._tails:
                self._refresh()

    def _refresh(self) -> None:
        now = self._memory.clock.monotonic()
        if not self._in_order or now - self._looked <= FRESH_SECONDS:
            return
        written, self._count = self._count, self._memory.count(self._entry)
        most = MOST_PAGES + 2 * (self._count - written) // PAGE
        for tail in self._tails:
            self._note(list(tail.look(None, most)))
            self._in_order = self._in_order and tail.has_arrived
        self._looked = now

    def _read_page(self, left: Iterator[tuple[list[Row], bool]]) -> None:
        self._read += 1
        try:
            page, is_last = next(left, ([], True))
        except ListError:
            self._pages, self._in_order = None, False
            return
        self._note(page)
        if is_last:
            self._pages = None

    def _whole_list(self) -> Iterator[tuple[list[Row], bool]]:
        """Yield the pages of all parts of the list, each with whether it is the last.

        On the way it is seen whether they are all, and in the order that was asked for.
        """
        self._looked = self._memory.clock.monotonic()
        for part in self._entry.lists:
            last, is_there = "9999", False
            for reply in answers(self._rest, self._entry.path, query=part):
                page: list[Row] = reply.body["results"]
                if not is_there:
                    self._tails.append(Tail(self._rest, self._entry, part, _no_later_than(reply, page)))
                elif not page:
                    self._in_order = False  # a cursor that has expired may look like the end
                for row in page:
                    created = second_of(row.get("createdAt"))
                    self._in_order = self._in_order and bool(created) and created <= last
                    last = created
                is_there = True
                yield page, not reply.body.get("next") and part == self._entry.lists[-1]
            self._in_order = self._in_order and is_there

    def _note(self, page: list[Row]) -> None:
        if page:
            self._memory.note(Shown(self._entry, page, is_listed=True))


class Lists:
    """The lists of all objects, each read once for whoever looks for rows of it."""

    def __init__(self, rest: Api, memory: Memory) -> None:
        self.rest = rest
        self._memory = memory
        self._lists: dict[str, RowList] = {}
        self._lock = threading.Lock()

    def reading(self) -> Iterator[tuple[str, int]]:
        """Yield the paths of the lists that are being read, each with how many pages have been."""
        yield from ((path, pages) for path, one in list(self._lists.items()) if (pages := one.pages_read))

    def of(self, entry: Object, part: str = "") -> RowList | None:
        """Return the list of an object, or another part of it; None when there is no list of all its rows."""
        if not entry.is_listed:
            return None
        with self._lock:
            if entry.path + part not in self._lists:
                entry = replace(entry, lists=(part,)) if part else entry
                self._lists[entry.path + part] = RowList(self.rest, entry, self._memory)
            return self._lists[entry.path + part]


def _no_later_than(reply: Reply, page: list[Row]) -> str:
    """Return a time by Vitally's clock no later than that at which a page was read, up to the second."""
    if reply.time is not None:
        return moment_of(reply.time * 1000)[:SECONDS]
    return max((second_of(row.get("updatedAt")) for row in page), default="")
