"""All that knows of Vitally's rows in one sync, put together once."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from destination_vitally.api.http import Api
from destination_vitally.clock import Clock
from destination_vitally.rows.lists import Lists
from destination_vitally.rows.memory import Memory
from destination_vitally.rows.people import People
from destination_vitally.rows.poller import Poller
from destination_vitally.rows.reader import Reader
from destination_vitally.rows.references import References, UnknownParents


class Asking(NamedTuple):
    """Those who can ask Vitally, where there is a REST key.

    Attributes:
        api: the way to Vitally.
        lists: the lists of all objects.
        reader: finds the row that a change writes.
        poller: waits for what Vitally has yet to apply.
    """

    api: Api
    lists: Lists
    reader: Reader
    poller: Poller


class Rows:
    """What is known of rows, and who finds out more.

    Attributes:
        memory: what is known.
        references: finds what changes refer to.
        people: finds people, and what has a name.
        asking: those who can ask Vitally, if anybody can.
    """

    def __init__(
        self,
        api: Api | None,
        clock: Clock,
        again: Callable[[Callable[[], float | None]], None],
        unknown_parents: UnknownParents = "reject",
        *,
        is_dry_run: bool = False,
    ) -> None:
        """Put them together.

        Args:
            api: the way to Vitally, if there is one.
            clock: what waits and ages go by.
            again: runs a job in the background, and again after the seconds it returns, until it returns None.
            unknown_parents: what becomes of a row that names an account or organization that does not exist.
            is_dry_run: whether what would be created is only taken for there.
        """
        self.memory = Memory(clock)
        lists = Lists(api, self.memory) if api else None
        self.references = References(self.memory, lists, unknown_parents, is_dry_run=is_dry_run)
        self.people = People(lists, self.memory, self.references)
        self.asking: Asking | None = None
        if api and lists:
            reader, poller = Reader(api, self.memory, lists), Poller(api, self.memory, again)
            self.asking = Asking(api, lists, reader, poller)
