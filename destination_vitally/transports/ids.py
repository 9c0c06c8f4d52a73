"""Which ids belong together, Vitally's and yours."""

from __future__ import annotations

from destination_vitally.api.pages import Row
from destination_vitally.transports.disk import DiskTable


class Ids:
    """Both ids of rows that are in Vitally, as far as they are known. Safe to use from several threads."""

    def __init__(self) -> None:
        self._vitallys = DiskTable("id", "is_listed")
        self._yours = DiskTable("external_id")
        self._elsewhere = DiskTable("external_id")

    def learn(self, target: str, row: Row) -> None:
        """Remember both ids of a row of the object `target` that was asked for."""
        self.learn_all(target, [row], are_listed=self.is_listed(target, str(row["id"])))

    def learn_all(self, target: str, rows: list[Row], *, are_listed: bool = False) -> None:
        """Remember both ids of rows, and whether a list has shown them."""
        pairs = [(str(row["id"]), str(row["externalId"])) for row in rows if row.get("externalId")]
        self._yours.put_all(((target, own), yours) for own, yours in pairs)
        own_ids = [(own, own) for own in (str(row["id"]) for row in rows)]
        self._vitallys.put_all(((target, key), own, are_listed) for own, key in (*own_ids, *pairs))

    def belongs(self, target: str, own: str, yours: str) -> None:
        """Remember which of your ids belongs to one of Vitally's in the workspace that rows were read from."""
        self._elsewhere.put((target, own), yours)

    def vitallys(self, target: str, value: str) -> str | None:
        """Return Vitally's id of a row that is there, by either id."""
        found = self._vitallys.get((target, value))
        return found[0] if found else None

    def is_listed(self, target: str, value: str) -> bool:
        """Tell whether a list has shown a row, or this sync has made it; rows that Vitally ignores are in no list."""
        found = self._vitallys.get((target, value))
        return bool(found and found[1])

    def yours(self, target: str, own: str) -> str | None:
        """Return your id of a row: of one that was read from Vitally, else of one that is in this workspace."""
        found = self._elsewhere.get((target, own)) or self._yours.get((target, own))
        return found[0] if found else None

    def forget(self, target: str, value: str) -> None:
        """Forget a row, by either id: one that is made anew under its externalId has another id."""
        if own := self.vitallys(target, value):
            for known in (own, value, *(self._yours.get((target, own)) or ())):
                self._vitallys.forget((target, known))
