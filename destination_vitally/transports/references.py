"""Ids of other objects: yours, Vitally's, and how one is found from the other."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Literal

from destination_vitally.api.http import Api
from destination_vitally.api.pages import Row, found_row, is_row, quoted
from destination_vitally.errors import AmbiguousError, RejectedError
from destination_vitally.lines import dumps
from destination_vitally.mapping.mapper import Change
from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.model import PARENT
from destination_vitally.objects.table import BY_NAME, OBJECTS
from destination_vitally.transports.ids import Ids
from destination_vitally.transports.landing import Landing
from destination_vitally.transports.listing import Lists
from destination_vitally.transports.memory import Memory
from destination_vitally.transports.people import People

logger = logging.getLogger("airbyte")

REFERRED_TO = {field.refers for entry in OBJECTS for field in entry.references() if field.refers}
"""The objects that others refer to."""

CREATABLE = {field.refers for entry in OBJECTS for field in entry.references() if field.name in PARENT} - {None}
"""The objects that can be made from nothing but an id."""

UnknownParents = Literal["reject", "create"]


class References:
    """Translates the ids in the reference fields of changes."""

    def __init__(
        self,
        rest: Api | None,
        landing: Landing,
        unknown_parents: UnknownParents = "reject",
        *,
        is_dry_run: bool = False,
    ) -> None:
        """Prepare to translate.

        Args:
            rest: the way to Vitally, if there is one.
            landing: knows what batches have brought and may not be there yet.
            unknown_parents: what becomes of a row that names an account or organization which is nowhere.
            is_dry_run: whether what would be made is only taken for there.
        """
        self._rest = rest
        self._landing = landing
        self._creates = unknown_parents == "create"
        self._is_dry_run = is_dry_run
        self._ids = Ids()
        self.lists = Lists(rest, landing.clock, self._learn_page) if rest else None
        self._absent: Memory[bool] = Memory()
        self._counted: Memory[bool] = Memory()
        self._unclear: Memory[RejectedError] = Memory()
        self.people = People(rest, landing, self._ids.learn)

    def _learn_page(self, name: str, rows: list[Row]) -> None:
        if name in REFERRED_TO:
            self._ids.learn_all(name, rows, are_listed=True)

    # What is known

    def learn(self, change: Change) -> None:
        """Remember both ids of a row read from Vitally, for the rows that refer to it."""
        own, yours = change.fields.get("id"), change.fields.get("externalId")
        if change.entry.name in REFERRED_TO and own and yours:
            self._ids.belongs(change.entry.name, own, yours)

    def known(self, target: str, value: str) -> str | None:
        """Return the id REST wants, if no look-up is needed to say it."""
        return self._ids.vitallys(target, value) or (value if isinstance(value, VitallyId) else None)

    def is_listed(self, target: str, value: str) -> bool:
        """Tell whether a list has shown a row that is referred to, or this sync has made it."""
        return self._ids.is_listed(target, self.here(target, value))

    def is_there(self, target: str, value: str) -> bool:
        """Tell whether a row that is referred to is known to be in this workspace."""
        return self._ids.vitallys(target, self.here(target, value)) is not None

    def saw(self, target: str, rows: list[Row]) -> None:
        """Remember rows that a list has shown."""
        self._ids.learn_all(target, rows, are_listed=True)

    def comes(self, target: str, external_id: str) -> None:
        """Take note that a row is about to be sent: what was not there may be there from now on."""
        self._absent.forget((target, external_id))

    def created(self, change: Change, row: Row, *, is_new: bool = True) -> None:
        """Remember both ids of a row that this sync has written, and whether there was none before."""
        external_id = change.fields.get("externalId")
        if change.entry.name in REFERRED_TO and external_id and is_row(row):
            made = {"id": row["id"], "externalId": external_id}
            self._ids.learn_all(change.entry.name, [made], are_listed=is_new)

    def deleted(self, change: Change, address: str) -> None:
        """Forget a row that was deleted, by either id."""
        self._ids.forget(change.entry.name, address)

    def expect(self, target: str, external_id: str) -> None:
        """Take a row that would have been created (in a dry run) for one that is there."""
        if target in REFERRED_TO:
            self._ids.learn(target, {"id": external_id})

    # What is looked up

    def yours(self, change: Change, field_name: str, target: str, value: str) -> str:
        """Return the id the Analytics API wants: your id of the object `target` (account, organization, user).

        Raises:
            RejectedError: the value is Vitally's id, and nothing tells which of yours belongs to it.
        """
        if not isinstance(value, VitallyId):
            return value
        found = None
        if not self._ids.yours(target, value) and self._rest:
            found = self._search(change, target, value)
        if known := self._ids.yours(target, value):
            return known
        if found:
            raise change.rejected(f"{field_name}: this {target} has no externalId, by which the Analytics API knows it")
        raise change.rejected(
            f"{field_name} is Vitally's id of a row that "
            + ("this workspace does not have" if self._rest else "only a REST key (secret_token) could look up")
            + f"; sync the {target}s along, or map your own id to {field_name}"
        )

    def vitallys(self, change: Change, field_name: str, target: str, value: str) -> str:
        """Return the id REST wants: Vitally's id of the object `target`, found by either id.

        Raises:
            RejectedError: Vitally has no such row.
            NotYetError: it was sent in a batch and is not there yet.
        """
        wanted = self.here(target, value)
        if known := self._ids.vitallys(target, wanted):
            return known
        sent = self._landing.sent((target, "externalId", wanted))
        if sent:
            row = self._landing.see(change, BY_NAME[target], sent)
            if row is None:
                raise change.rejected(f"{field_name}: {self._landing.missing(sent)}")
            self._ids.learn(target, row)
            return str(row["id"])
        found = self.find(change, target, value)
        if found is None:
            raise change.rejected(f"{field_name}: Vitally has no {target} with this id")
        return found

    def is_list_known(self, target: str) -> bool:
        """Tell whether every row that the list of an object shows is known."""
        listing = self.lists.of(BY_NAME[target]) if self.lists else None
        return listing is not None and listing.is_read

    def read_list(self, target: str, values: Collection[str], *, until_listed: bool = False) -> None:
        """Read as much of the list of an object as is worth it to find so many rows, by either id.

        With `until_listed` also rows that are known are looked for in it.
        """
        is_found = self.is_listed if until_listed else self._ids.vitallys
        listing = self.lists.of(BY_NAME[target]) if self.lists else None
        unknown = [value for value in values if not is_found(target, value)]
        # What was counted once is not counted again by whoever asks for it in the end.
        new = [value for value in unknown if not self._counted.get((target, value, until_listed))]
        for value in new:
            self._counted.put((target, value, until_listed), True)
        if listing and new:
            listing.want(len(new), lambda: all(is_found(target, value) for value in unknown))

    def find(self, change: Change, target: str, value: str, *, creates: bool = True) -> str | None:
        """Look a row up, or make it where unknown parents are to be made; None when it is not there.

        Args:
            change: what refers to it.
            target: its object.
            value: either id of it.
            creates: whether it may be made.

        Raises:
            RejectedError: Vitally does not say whether it is there, or refuses to make it.
        """
        wanted = self.here(target, value)
        if known := self._ids.vitallys(target, wanted):
            return known
        if self._rest is None:
            return None
        creates = creates and self._creates and target in CREATABLE and not isinstance(wanted, VitallyId)
        if self._absent.get((target, wanted)) and not creates:
            return None
        if unclear := self._unclear.get((target, wanted)):
            raise change.rejected(f"{target} '{wanted}': {unclear}", unclear.status)
        try:
            found = self._search(change, target, wanted)
        except RejectedError as error:
            # What was asked for until the patience ended is not asked for again for each row that names it.
            self._unclear.put(
                (target, wanted), RejectedError(str(error).removeprefix(f"{change.label}: "), error.status)
            )
            raise
        if found is None:
            self._absent.put((target, wanted), True)
            found = self._create(self._rest, change, target, wanted) if creates else None
        return found

    def look_again(self, change: Change, target: str, value: str) -> bool:
        """Look a row up whatever is known of it, and tell whether it is there; RejectedError as `find`."""
        return self._ask(change, target, self.here(target, value)) is not None

    def _search(self, change: Change, target: str, value: str) -> str | None:
        """Find a row by an id, which may be yours: in the list where that is worth it, else by itself."""
        self.read_list(target, [value])
        return self._ids.vitallys(target, value) or self._ask(change, target, value)

    def _ask(self, change: Change, target: str, value: str) -> str | None:
        assert self._rest is not None  # callers have seen to it
        row = found_row(change, self._rest.send("GET", BY_NAME[target].item_path.format(key=quoted(value))))
        if row is None:
            return None
        self._ids.learn(target, row)
        return str(row["id"])

    def here(self, target: str, value: str) -> str:
        """Return your id in the place of Vitally's, where it is known: a row may be of another workspace."""
        return (self._ids.yours(target, value) if isinstance(value, VitallyId) else None) or value

    def _create(self, rest: Api, change: Change, target: str, external_id: str) -> str | None:
        if self._is_dry_run:
            self.expect(target, external_id)
            logger.info("%s '%s' is nowhere; it would be made, as unknown_parents asks for.", target, external_id)
            return external_id
        body = dumps({"externalId": external_id, "name": external_id})
        try:
            reply = rest.send("POST", BY_NAME[target].path, body, repeatable=False)
        except AmbiguousError:
            reply = None
        if reply is not None and reply.ok and is_row(reply.body):
            self._ids.learn(target, {"id": reply.body["id"], "externalId": external_id})
            logger.info("%s '%s' is nowhere; it is made, as unknown_parents asks for.", target, external_id)
        else:  # somebody else may have made it meanwhile
            self._ask(change, target, external_id)
        found = self._ids.vitallys(target, external_id)
        if found is None and reply is not None:
            raise change.rejected(f"Vitally refused to make {target} '{external_id}': {reply.reason}", reply.status)
        return found
