"""What a change refers to: the row of each id that it names, from which whoever needs an id takes the one he needs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator
from typing import Literal, NamedTuple

from destination_vitally.api.http import Api
from destination_vitally.api.pages import found_row, is_row, quoted
from destination_vitally.errors import AmbiguousError, NotYetError, RejectedError, SkippedError
from destination_vitally.lines import dumps
from destination_vitally.mapping.change import COPIED, Change
from destination_vitally.mapping.columns import UUID
from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.model import PARENT, BatchRoute, Kind, Object
from destination_vitally.objects.table import BY_NAME, OBJECTS
from destination_vitally.rows.facts import LEFT_OUT, Answer, Elsewhere, Known, Missed, Shown, Written
from destination_vitally.rows.lists import Lists
from destination_vitally.rows.memory import Memory
from destination_vitally.rows.store import Recent

logger = logging.getLogger("airbyte")

REFERRED_TO = {field.refers for entry in OBJECTS for field in entry.references() if field.refers}
"""The objects that others refer to."""

CREATABLE = {field.refers for entry in OBJECTS for field in entry.references() if field.name in PARENT} - {None}
"""The objects that can be created from nothing but an id."""

_CURE = "; sync it along, or let Unknown accounts and organizations (unknown_parents) create it"

ABSENT_SECONDS = 60.0
"""So long it is believed that a row which is referred to is not there."""

UnknownParents = Literal["reject", "create"]


class Reference(NamedTuple):
    """One id that a change names: in which field, of which object."""

    field: str
    target: str
    value: str


class References:
    """Finds what changes refer to. Safe to use from several threads."""

    def __init__(
        self,
        memory: Memory,
        lists: Lists | None,
        unknown_parents: UnknownParents = "reject",
        *,
        is_dry_run: bool = False,
    ) -> None:
        """Prepare to find.

        Args:
            memory: what is known of rows.
            lists: those of all objects, if there is a way to Vitally.
            unknown_parents: what becomes of a row that names an account or organization that does not exist.
            is_dry_run: whether what would be created is only taken for there.
        """
        self._rest = lists.rest if lists else None
        self._memory = memory
        self._lists = lists
        self._creates = unknown_parents == "create"
        self._is_dry_run = is_dry_run
        self._counted: Recent[bool] = Recent()
        self._creating = threading.Lock()
        self._logged: set[tuple[str, str]] = set()
        self.may_come: Callable[..., bool] = lambda target, value, by="externalId": False
        """Whether a row of an object may still arrive in this sync, by the value of one of its keys."""
        self.is_held: Callable[[str, str, str], bool] = lambda target, value, by: False
        """Whether the record of such a row waits."""
        self.is_open: Callable[[str], bool] = lambda target: False
        """Whether more rows of an object may arrive."""
        self.creates_row: Callable[[Object, str], Callable[[str], None]] = lambda entry, own: lambda created: None
        """Hears of a row that is about to be created, by your id; what it returns hears of Vitally's id of it."""

    # What is known

    def learned(self, change: Change) -> Change:
        """Return a change that names by your ids what was read from another workspace, as far as they are known.

        Both ids of the row itself are noted, for the rows that refer to it.
        """
        entry, yours = change.entry, change.fields.get("externalId")
        if change.origin and yours and not change.is_unsure and entry.name in REFERRED_TO:
            self._memory.note(Elsewhere(entry, change.origin, yours))
        known = {
            field.name: [self.here(str(field.refers), one) for one in value]
            if isinstance(value, list)
            else self.here(str(field.refers), value)
            for field in entry.references()
            if (value := change.fields.get(field.name))
        }
        return change._replace(fields={**change.fields, **known}) if known else change

    def here(self, target: str, value: str) -> str:
        """Return your id in the place of Vitally's, where it is known: a row may be of another workspace."""
        yours = self._memory.yours_elsewhere(BY_NAME[target], value) if isinstance(value, VitallyId) else None
        return yours or value

    def _find(self, target: str, value: str) -> Answer:
        """Return what is known of a row, by an id of it, or as the copy of a row of another workspace."""
        answers = [self._memory.find(target, one) for one in _spelled(value)]
        return next((answer for answer in answers if answer.rows or answer.coming), answers[0])

    def id_of(self, target: str, value: str) -> str | None:
        """Return Vitally's id of a row, if nothing has to be asked for to say it."""
        found = self._find(target, value).live
        known = next(iter(found)) if len(found) == 1 else None
        return known or (value if isinstance(value, VitallyId) else None)

    def is_there(self, target: str, value: str) -> bool:
        """Tell whether a row that is referred to is known to be in this workspace."""
        return bool(self._find(target, value).rows)

    def is_known(self, target: str, value: str) -> bool:
        """Tell whether a row that is referred to is known to be there, to be on its way, or not to be there."""
        answer = self._find(target, value)
        return bool(answer.rows or answer.coming or answer.why_not or answer.absent)

    def is_listed(self, target: str, value: str) -> bool:
        """Tell whether a list has shown a row that is referred to, or this sync has created it."""
        return any(one.is_listed for one in self._find(target, value).rows)

    def of(self, change: Change) -> Iterator[Reference]:
        """Yield what has to be known of what a change refers to before it is sent."""
        if change.operation == "delete":
            return
        for field in change.entry.references():
            value = change.fields.get(field.name)
            if value and field.refers:
                for one in value if field.kind is Kind.TEXTS else [value]:
                    yield Reference(field.name, field.refers, one)

    # What is looked up

    def yours(self, change: Change, field: str, target: str, value: str) -> str:
        """Return the id that the Analytics API wants: your id of the row that is referred to.

        Raises:
            RejectedError: there is no such row, it has no id of yours, or nobody can tell.
            NotYetError: it may still come, or is on its way.
        """
        if self._rest is None:
            if change.operation != "delete" and field != change.entry.kept_in and self.may_come(target, value):
                raise NotYetError(BY_NAME[target], value)
            if isinstance(value, VitallyId):
                raise change.rejected(
                    f"{field} is Vitally's id of a row that only the REST API key (secret_token) could look up; sync "
                    f"the {target}s along, or map your own id to {field}"
                )
            return value
        if change.operation == "delete" or field == change.entry.kept_in:
            # It need not be there; but it may be an id of Vitally's, or of a row that was merged.
            if change.operation == "delete" and not UUID.fullmatch(value):
                return value
            try:
                known = self.get(change, field, target, value)
            except (RejectedError, NotYetError):
                if isinstance(value, VitallyId):
                    raise
                return value
        else:
            known = self.get(change, field, target, value)
        if not known.external_id:
            raise change.rejected(f"{field}: this {target} has no externalId, by which the Analytics API knows it")
        if known.external_id != value and not isinstance(value, VitallyId):
            self._log_translated(change, field, target)
        return known.external_id

    def get(self, change: Change, field: str, target: str, value: str) -> Known:
        """Return the row that is referred to, by any id; it is created where unknown parents are to be created.

        Raises:
            RejectedError: there is no such row, or Vitally does not say.
            NotYetError: it may still come, or is on its way.
        """
        entry, answer = BY_NAME[target], self._find(target, value)
        if not answer.rows:
            if answer.coming:
                raise NotYetError(entry, answer.coming.external_id)
            if self.may_come(target, value):
                raise NotYetError(entry, value)
            answer = self._looked_for(target, value)
        if len(answer.live) > 1:
            raise change.rejected(f"{field}: {len(answer.live)} rows of {target} in Vitally have this id")
        if answer.rows:
            return next(iter(answer.live.values()), answer.rows[0])
        if answer.why_not:
            raise change.rejected(f"{field}: {answer.why_not}", answer.why_not.status)
        if self._memory.yours_elsewhere(entry, value) == LEFT_OUT:
            raise SkippedError(f"belong to a {target} that is left out")
        if self._rest and self.creates(target, value):
            return self._create(self._rest, change, field, target, value)
        problem = f"{field}: Vitally has no {target} with this id"
        if isinstance(change.route, BatchRoute):
            problem = f"{field}: Vitally has no {target} with this id, and none arrived in this sync"
        raise change.rejected(problem + (_CURE if target in CREATABLE and not self._creates else ""))

    def _looked_for(self, target: str, value: str) -> Answer:
        """Return what is known of a row, which is asked for unless it was a moment ago."""
        old = self._memory.clock.monotonic() - ABSENT_SECONDS
        for one in _spelled(value):
            answer = self._memory.find(target, one)
            if self._rest and answer.why_not is None and (answer.absent is None or answer.absent < old):
                answer = self._look(self._rest, target, one)
            if answer.rows:
                break
        return answer

    def creates(self, target: str, value: str) -> bool:
        """Tell whether a row is created where it does not exist."""
        return self._creates and target in CREATABLE and not isinstance(value, VitallyId)

    def prefetch(self, target: str, value: str) -> None:
        """Look for a row that is referred to, if nothing is known of it; the memory has the answer."""
        if self._rest and not self.is_known(target, value):
            self._looked_for(target, value)

    def is_list_known(self, target: str) -> bool:
        """Tell whether every row that the list of an object shows is known."""
        listing = self._lists.of(BY_NAME[target]) if self._lists else None
        return listing is not None and listing.is_read

    def read_list(self, target: str, values: Collection[str], *, until_listed: bool = False) -> None:
        """Read as much of the list of an object as is worth it to find so many rows, by any id.

        With `until_listed` also rows that are known are looked for in it.
        """
        is_found = self.is_listed if until_listed else self.is_there
        listing = self._lists.of(BY_NAME[target]) if self._lists else None
        unknown = [value for value in values if not is_found(target, value)]
        # What was counted once is not counted again by whoever asks for it in the end.
        new = [value for value in unknown if not self._counted.get((target, value, until_listed))]
        for value in new:
            self._counted.put((target, value, until_listed), True)
        if listing and new:
            listing.want(len(new), lambda: all(is_found(target, value) for value in unknown))

    def _look(self, rest: Api, target: str, value: str) -> Answer:
        entry = BY_NAME[target]
        subject = Change(entry, "update", entry.operations["create"][0], f"{target} '{value}'", {}, {})
        identity, row = (target, "externalId", value), None
        try:
            row = found_row(subject, rest.send("GET", entry.item_path.format(key=quoted(value))))
        except RejectedError as error:
            # What was asked for until the patience ended is not asked for again for each row that names it.
            self._memory.note(Missed(entry, identity, error))
        else:
            if row is None:
                self._memory.note(Missed(entry, identity))
            else:
                ids = (row["id"], row.get("externalId"))
                self._memory.note(Shown(entry, [row], asked="" if value in ids else value))
        answer = self._memory.find(target, value)
        if row is None or answer.rows or answer.was_deleted:
            return answer
        return answer._replace(rows=(Known(row),))  # the disk is full, and memory has forgotten it already

    def _create(self, rest: Api, change: Change, field: str, target: str, external_id: str) -> Known:
        # One at a time: many rows may name the same one.
        with self._creating:
            if known := self._memory.find(target, external_id).rows:
                return known[0]
            entry = BY_NAME[target]
            row = {"id": external_id, "externalId": external_id}
            if self._is_dry_run:
                logger.info("%s '%s' is not there; it would be created.", target, external_id)
            else:
                created = self.creates_row(entry, external_id)
                try:
                    reply = rest.send(
                        "POST", entry.path, dumps({"externalId": external_id, "name": external_id}), repeatable=False
                    )
                except AmbiguousError as doubt:
                    reply = doubt.reply
                if reply.ok and is_row(reply.body):
                    row = {**row, "id": reply.body["id"]}
                    created(str(row["id"]))
                    logger.info("%s '%s' is not there; it is created.", target, external_id)
                elif known := self._look(rest, target, external_id).rows:  # somebody else has created it meanwhile
                    return known[0]
                else:
                    raise change.rejected(
                        f"{field}: Vitally refused to create {target} '{external_id}': {reply.reason}", reply.status
                    )
            self._memory.note(Written(entry, row, is_new=True))
            return self._memory.find(target, external_id).rows[0]

    def _log_translated(self, change: Change, field: str, target: str) -> None:
        if (change.entry.name, field) not in self._logged:
            self._logged.add((change.entry.name, field))
            logger.warning(
                "%s: %s holds ids that are not your ids of %ss but Vitally's, or those of %ss that were merged. The "
                "Analytics API knows only yours, so your id of the %s that Vitally shows is sent instead.",
                *(change.entry.name, field, target, target, target),
            )


def _spelled(value: str) -> tuple[str, ...]:
    """Return the ids by which a row is known: one of another workspace that has none of yours is known as a copy."""
    return (value, COPIED + value) if isinstance(value, VitallyId) else (value,)
