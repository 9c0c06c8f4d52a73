"""Rows found by pages of their list, a hundred a request, as soon as that is cheaper than asking for each.

A list proves that a row is there. That it is not there it proves only in the cases that `Listing.is_complete` names.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from destination_vitally.api.http import Api
from destination_vitally.api.pages import Row, answers
from destination_vitally.api.reply import Reply
from destination_vitally.clock import Clock
from destination_vitally.errors import ListError
from destination_vitally.mapping.values import moment_of
from destination_vitally.objects.model import Object
from destination_vitally.objects.table import BY_NAME, INSTANCE
from destination_vitally.transports.index import RowIndex
from destination_vitally.transports.tail import SECONDS, Tail, second_of

SINGLES_FIRST = 10
"""So many rows are asked for one by one before the list is read."""

FRESH = 60.0
"""Seconds after which one looks again at what was written last."""

PAGE = 100

MOST_PAGES = 50
"""So many pages of what others wrote are read at once; where there are more, the list is no proof any longer."""

Learn = Callable[[list[Row]], None]


class Listing:
    """The list of one object. Safe to use from several threads.

    To ask for a row costs a request, and so does a page. Pages are read until they have cost what asking for each row
    would have: then the whole is at most twice as dear as the better of the two ways.
    """

    def __init__(self, rest: Api, entry: Object, clock: Clock, learn: Learn) -> None:
        """Prepare to read the list of an object.

        Args:
            rest: the way to Vitally.
            entry: the object, which `is_listed`.
            clock: what the age of what is known goes by.
            learn: is given each page.
        """
        self._rest = rest
        self._entry = entry
        self._clock = clock
        self._learn = learn
        self._lock = threading.Lock()
        self._wanted = self._read = self._written = 0
        self._pages: Iterator[tuple[list[Row], bool]] | None = self._whole_list()
        self._tails: list[Tail] = []
        self._in_order = True
        self._looked = 0.0
        self._is_complete = False
        self.index = RowIndex(entry)

    @property
    def is_read(self) -> bool:
        """Whether no page is left to read."""
        return self._pages is None

    @property
    def is_complete(self) -> bool:
        """Whether a row that was not shown is not in the list, as of the last `want`.

        It is read to its end in an order that does not change with edits, and so is what was written since.
        """
        return self._is_complete

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
                self._read_page(self._pages)
            if self._pages is None and not is_enough():
                self._look_again()

    def wrote(self, identifier: str, row: Row) -> None:
        """Take note that this sync has written a row."""
        if self._wanted > SINGLES_FIRST:
            self._written += 1
            self.index.wrote(identifier, row)

    def _read_page(self, left: Iterator[tuple[list[Row], bool]]) -> None:
        self._read += 1
        try:
            page, is_last = next(left, ([], True))
        except ListError:
            self._pages, self._in_order = None, False
            return
        self._take(page)
        if is_last:
            self._pages = None

    def _whole_list(self) -> Iterator[tuple[list[Row], bool]]:
        """Yield the pages of all parts of the list, each with whether it is the last.

        On the way it is seen whether they are all, and in the order that was asked for.
        """
        self._looked = self._clock.monotonic()
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

    def _take(self, page: list[Row]) -> None:
        self.index.put_all(page)
        self._learn(page)

    def _look_again(self) -> None:
        """Read what was written since the last look, if that is a while ago."""
        if self._in_order and self._clock.monotonic() - self._looked > FRESH:
            self._looked = self._clock.monotonic()
            most, self._written = MOST_PAGES + 2 * self._written // PAGE, 0
            for tail in self._tails:
                self._take(list(tail.look(None, most)))
                self._in_order = self._in_order and tail.has_arrived
        self._is_complete = self._in_order


class Lists:
    """The lists of all objects, each read once for whoever looks for rows of it."""

    def __init__(self, rest: Api, clock: Clock, learn: Callable[[str, list[Row]], None]) -> None:
        """`learn` is given the name of an object and a page of its rows."""
        self._rest = rest
        self._clock = clock
        self._learn = learn
        self._lists: dict[str, Listing] = {}
        self._lock = threading.Lock()

    def of(self, entry: Object) -> Listing | None:
        """Return the list of an object; None when there is no list of all its rows."""
        if not entry.is_listed:
            return None
        with self._lock:
            if entry.path not in self._lists:
                # A stream may tell its rows by one of the keys alone; the list is for all streams.
                whole = replace(entry, keys=BY_NAME.get(entry.name, INSTANCE).keys)
                self._lists[entry.path] = Listing(self._rest, whole, self._clock, partial(self._learn, entry.name))
            return self._lists[entry.path]


def _no_later_than(reply: Reply, page: list[Row]) -> str:
    """Return a time by Vitally's clock no later than that at which a page was read, up to the second."""
    if reply.time is not None:
        return moment_of(reply.time * 1000)[:SECONDS]
    return max((second_of(row.get("updatedAt")) for row in page), default="")
