"""Rows below accounts and organizations: read once per parent, and kept true to what is written meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from threading import Lock
from typing import NamedTuple

from destination_vitally.api.pages import Row
from destination_vitally.transports.memory import Memory

PARENTS_REMEMBERED = 500
"""Of how many accounts and organizations the rows below them are kept."""

WRITES_REMEMBERED = 10_000
"""How many rows may be written while a list is being read."""


class Write(NamedTuple):
    """What became of a row: its id, its externalId if known, the lists it is in (none: where it was), its new values.

    `row` is None when the row is gone.
    """

    collection: str
    id: str
    external_id: str | None
    lists: tuple[str, ...]
    row: Row | None


class _List:
    """The rows below one parent that have an externalId."""

    def __init__(self, path: str, rows: Iterable[Row]) -> None:
        self.path = path
        self._rows: dict[str, dict[str, Row]] = {}
        self._external_ids: dict[str, str] = {}
        for row in rows:
            if row.get("externalId") and row.get("id"):
                self._put(str(row["id"]), str(row["externalId"]), row)

    def found(self, external_id: str) -> list[Row]:
        return list(self._rows.get(external_id, {}).values())

    def apply(self, write: Write) -> None:
        """Change what the list holds as a write did."""
        known = self._external_ids.get(write.id)
        external_id = write.external_id or known
        here = self.path in write.lists
        moved = not here and any(_kind(path) == _kind(self.path) for path in write.lists)
        if known is not None and (write.row is None or moved):
            del self._external_ids[write.id], self._rows[known][write.id]
        elif write.row is not None and external_id and (here or known is not None):
            self._put(write.id, external_id, write.row)

    def _put(self, identifier: str, external_id: str, row: Row) -> None:
        self._external_ids[identifier] = external_id
        self._rows.setdefault(external_id, {})[identifier] = row


class RowsBelow:
    """The lists that have been read. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lists: Memory[_List] = Memory(PARENTS_REMEMBERED)
        self._lock = Lock()
        self._writes: deque[Write] = deque(maxlen=WRITES_REMEMBERED)
        self._written = 0

    def find(self, path: str, external_id: str, read: Callable[[], list[Row]]) -> list[Row]:
        """Return the rows with an externalId in a list, which is read (by `read`) if it has not been."""
        known = self._lists.get(path)
        if known is None:
            known = self._load(path, read)
        with self._lock:
            return known.found(external_id)

    def learn(self, write: Write) -> None:
        """Take note of what was written."""
        with self._lock:
            self._writes.append(write)
            self._written += 1
            for known in self._lists.values():
                if known.path.endswith(write.collection):
                    known.apply(write)

    def forget(self, path: str) -> None:
        """Read a list again next time."""
        self._lists.forget(path)

    def _load(self, path: str, read: Callable[[], list[Row]]) -> _List:
        before = self._written
        found = _List(path, read())
        with self._lock:
            # What was written while the list was read may be in it or not.
            missed = self._written - before
            for write in list(self._writes)[max(0, len(self._writes) - missed) :]:
                if path.endswith(write.collection):
                    found.apply(write)
            if missed <= WRITES_REMEMBERED:
                self._lists.put(path, found)
        return found


def _kind(path: str) -> str:
    return path.split("/")[1]
