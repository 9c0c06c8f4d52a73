"""Ids of other objects: yours, Vitally's, and how one is found from the other."""

from __future__ import annotations

from destination_vitally.mapping.mapper import Change
from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.table import BY_NAME, OBJECTS
from destination_vitally.transports.http import Api
from destination_vitally.transports.memory import Memory
from destination_vitally.transports.people import People
from destination_vitally.transports.rows import Row, found_row, is_row, quoted

REFERRED_TO = {field.refers for entry in OBJECTS for field in entry.references() if field.refers}
"""The objects that others refer to."""


class References:
    """Translates the ids in the reference fields of changes."""

    def __init__(self, rest: Api | None) -> None:
        self._rest = rest
        self._yours: dict[str, Memory[str]] = {name: Memory() for name in REFERRED_TO}
        self._vitallys: Memory[str] = Memory()
        self.people = People(rest, self._learn_row)

    def learn(self, change: Change) -> None:
        """Remember both ids of a row read from Vitally, for the rows that refer to it."""
        memory = self._yours.get(change.entry.name)
        own, yours = change.fields.get("id"), change.fields.get("externalId")
        if memory is not None and own and yours:
            memory.put(own, yours)

    def _learn_row(self, target: str, row: Row) -> None:
        """Remember both ids of a row that was looked up."""
        self._vitallys.put((target, row["id"]), row["id"])
        if external_id := row.get("externalId"):
            self._yours[target].put(row["id"], str(external_id))
            self._vitallys.put((target, str(external_id)), row["id"])

    def known(self, target: str, value: str) -> str | None:
        """The id REST wants, if no look-up is needed to say it."""
        return self._vitallys.get((target, value)) or (value if isinstance(value, VitallyId) else None)

    def created(self, change: Change, row: Row) -> None:
        """Remember both ids of a row that was just made."""
        external_id = change.fields.get("externalId")
        if change.entry.name in self._yours and external_id and is_row(row):
            self._vitallys.put((change.entry.name, external_id), row["id"])

    def deleted(self, change: Change, address: str) -> None:
        """Forget a row: one that is made anew under its externalId has another id."""
        known = {str(value) for name in ("id", "externalId") if (value := change.fields.get(name))} | {address}
        for key in known:
            if found := self._vitallys.get((change.entry.name, key)):
                known = known | {found}
        for value in known:
            self._vitallys.forget((change.entry.name, value))
            self._vitallys.forget_value(value)

    def expect(self, target: str, external_id: str) -> None:
        """Take a row that would have been created (in a dry run) for one that is there."""
        self._vitallys.put((target, external_id), external_id)

    def yours(self, change: Change, field_name: str, target: str, value: str) -> str:
        """The id the Analytics API wants: your id of the object `target` (account, organization, user).

        Raises:
            RejectedError: the value is Vitally's id, and nothing tells which of yours belongs to it.
        """
        if not isinstance(value, VitallyId):
            return value
        known = self._yours[target].get(value)
        if known:
            return known
        found = self._look_up(change, target, value)
        if found and found.get("externalId"):
            self._yours[target].put(value, str(found["externalId"]))
            return str(found["externalId"])
        if found:
            raise change.rejected(f"{field_name}: this {target} has no externalId, by which the Analytics API knows it")
        raise change.rejected(
            f"{field_name} is Vitally's id of a row that "
            + ("this workspace does not have" if self._rest else "only a REST key (secret_token) could look up")
            + f"; sync the {target}s along, or map your own id to {field_name}"
        )

    def vitallys(self, change: Change, field_name: str, target: str, value: str) -> str:
        """The id REST wants: Vitally's id of the object `target`, found by either id.

        Raises:
            RejectedError: Vitally has no such row.
        """
        wanted = self._yours[target].get(value) if isinstance(value, VitallyId) else None
        wanted = wanted or value
        known = self._vitallys.get((target, wanted))
        if known:
            return known
        found = self._look_up(change, target, wanted)
        if not found:
            raise change.rejected(f"{field_name}: Vitally has no {target} with this id")
        self._vitallys.put((target, wanted), str(found["id"]))
        return str(found["id"])

    def _look_up(self, change: Change, target: str, value: str) -> Row | None:
        if self._rest is None:
            return None
        entry = BY_NAME[target]
        return found_row(change, self._rest.send("GET", entry.item_path.format(key=quoted(value))))
