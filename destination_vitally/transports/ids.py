"""Which ids belong together, Vitally's and yours; and rows found one by one or by pages, whichever has cost less."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from destination_vitally.errors import ListError
from destination_vitally.mapping.mapper import Change
from destination_vitally.objects.model import Object
from destination_vitally.objects.table import BY_NAME
from destination_vitally.transports.disk import DiskTable
from destination_vitally.transports.http import Api
from destination_vitally.transports.rows import Row, found_row, pages, quoted

SINGLE_FIRST = 10
"""So many rows are asked for one by one before pages of the list are read along."""


class Ids:
    """Both ids of rows that are in Vitally, as far as they are known. Safe to use from several threads."""

    def __init__(self) -> None:
        self._vitallys = DiskTable("id")
        self._yours = DiskTable("external_id")
        self._elsewhere = DiskTable("external_id")

    def learn(self, target: str, row: Row) -> None:
        """Remember both ids of a row of the object `target`."""
        self.learn_all(target, [row])

    def learn_all(self, target: str, rows: list[Row]) -> None:
        """Remember both ids of rows."""
        pairs = [(str(row["id"]), str(row["externalId"])) for row in rows if row.get("externalId")]
        self._yours.put_all(((target, own), yours) for own, yours in pairs)
        self._vitallys.put_all(
            [*(((target, str(row["id"])), str(row["id"])) for row in rows), *(((target, y), own) for own, y in pairs)]
        )

    def belongs(self, target: str, own: str, yours: str) -> None:
        """Remember which of your ids belongs to one of Vitally's in the workspace that rows were read from."""
        self._elsewhere.put((target, own), yours)

    def vitallys(self, target: str, value: str) -> str | None:
        """Return Vitally's id of a row that is there, by either id."""
        found = self._vitallys.get((target, value))
        return found[0] if found else None

    def yours(self, target: str, own: str) -> str | None:
        """Return your id of a row: of one that was read from Vitally, else of one that is in this workspace."""
        found = self._elsewhere.get((target, own)) or self._yours.get((target, own))
        return found[0] if found else None

    def forget(self, target: str, values: set[str]) -> None:
        """Forget a row by its ids: one that is made anew under its externalId has another id."""
        own = {found for value in values if (found := self.vitallys(target, value))}
        known = [self._yours.get((target, value)) for value in values | own]
        for value in values | own | {found[0] for found in known if found}:
            self._vitallys.forget((target, value))


class Search:
    """Finds the rows of one object by an id.

    Each look-up costs a request, and so does a page of the list, which tells of a hundred rows. Whoever asks for many
    rows reads along a page per look-up, until the whole list is known: that costs at most twice what the better of the
    two ways would have cost. A list proves that a row is there, never that it is not: rows that Vitally does not track
    are in none.
    """

    def __init__(self, rest: Api, target: str, ids: Ids) -> None:
        self._rest = rest
        self._target = target
        self._entry: Object = BY_NAME[target]
        self._ids = ids
        self._lock = threading.Lock()
        self._singles = 0
        self._pages: Iterator[list[Row]] | None = pages(rest, self._entry.path)

    @property
    def is_list_known(self) -> bool:
        """Whether there is no page left to read."""
        return self._pages is None

    def find(self, change: Change, value: str) -> str | None:
        """Return Vitally's id of the row with an id, which may be yours; None when it is not there.

        Raises:
            RejectedError: Vitally does not say.
        """
        if self._read_along() and (found := self._ids.vitallys(self._target, value)):
            return found
        row = found_row(change, self._rest.send("GET", self._entry.item_path.format(key=quoted(value))))
        if row is None:
            return None
        self._ids.learn(self._target, row)
        return str(row["id"])

    def _read_along(self) -> bool:
        """Read a page of the list if it is its turn."""
        with self._lock:
            self._singles += 1
            if self._pages is None or self._singles <= SINGLE_FIRST:
                return False
            try:
                page = next(self._pages)
            except (StopIteration, ListError):
                self._pages = None
                return False
        self._ids.learn_all(self._target, page)
        return True
