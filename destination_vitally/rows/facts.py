"""What can be known of a row of Vitally's: the facts that are noted, what is kept of them, the answer to a question."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from math import inf
from typing import Any, NamedTuple

from destination_vitally.api.pages import Row, text_of
from destination_vitally.compare.comparison import TRAIT, referred_to
from destination_vitally.errors import RejectedError
from destination_vitally.mapping.change import Change, identities_of
from destination_vitally.objects.model import Object
from destination_vitally.objects.table import BY_NAME, INSTANCE
from destination_vitally.rows.store import joined

Identity = tuple[str, ...]
"""What a row is identified by: the name of its object, the names of the fields of one of its keys, their values."""


class Shown(NamedTuple):
    """Vitally has shown rows.

    `is_listed` says whether a list has, which rows that Vitally ignores are not in; `asked` is the id that the row was
    asked for with, which need not be one of those that it has: rows are merged.
    """

    entry: Object
    rows: Collection[Row]
    is_listed: bool = False
    asked: str = ""


class Missed(NamedTuple):
    """Vitally has no row of this identity; or it does not say, for a `reason`.

    A search may not know yet what this sync has created; `is_gone` says that a request to the row itself has failed.
    """

    entry: Object
    identity: Identity
    reason: RejectedError | None = None
    is_gone: bool = False


class Sending(NamedTuple):
    """Something is about to be sent to a row: what was shown of it no longer counts."""

    change: Change


class Taken(NamedTuple):
    """Vitally has taken messages, at a `time` by its clock in Unix seconds, and applies them later."""

    changes: Sequence[Change]
    time: float | None


class Written(NamedTuple):
    """This sync has written a row by REST; `row` is what is known of it, with its id."""

    entry: Object
    row: Row
    is_new: bool = False


class Deleted(NamedTuple):
    """This sync has deleted or archived the row that has some `keys`."""

    entry: Object
    keys: Row


class Seen(NamedTuple):
    """A row shows what was sent to it, or it is waited for no longer."""

    entry: Object
    row: Row


LEFT_OUT = ""
"""Stands in the place of your id of a row that no copy can have."""


class Elsewhere(NamedTuple):
    """A row of the workspace that records were read from: Vitally's id there, and yours, or `LEFT_OUT`."""

    entry: Object
    identifier: str
    external_id: str


Fact = Shown | Missed | Sending | Taken | Seen | Written | Deleted | Elsewhere


class Known(NamedTuple):
    """A row that is known.

    Attributes:
        row: as REST returned it, without what nobody asked for; of the rows that it refers to the ids.
        names: how many names of values were asked for when it was shown; infinite where it is whole.
        written: when this sync has written it by REST, by the connector's clock; None if it has not.
        is_listed: whether a list has shown it, or this sync has created it.
    """

    row: dict[str, Any]
    names: float = 0
    written: float | None = None
    is_listed: bool = False

    @property
    def is_own(self) -> bool:
        """Whether this sync has written it, so that what lists show of it may be older."""
        return self.written is not None

    @property
    def id(self) -> str:
        """Vitally's id."""
        return str(self.row["id"])

    @property
    def external_id(self) -> str:
        """Your id; empty where it has none."""
        return text_of(self.row, "externalId")

    @property
    def is_archived(self) -> bool:
        """Whether somebody has archived it."""
        return bool(self.row.get("archivedAt"))


class Coming(NamedTuple):
    """A message that Vitally has taken and of which nothing has been seen yet.

    Attributes:
        external_id: of the row that it writes.
        taken: when Vitally took it, by its own clock in Unix seconds; None when it did not say.
        since: the same by the connector's clock.
    """

    external_id: str
    taken: float | None
    since: float


class Answer(NamedTuple):
    """What is known of the row of one identity; several may be meant, and one may be there and have a message coming.

    Attributes:
        rows: those that are there, archived ones too; never one that this sync has deleted.
        coming: a message on its way to it.
        absent: as of when, by the connector's clock, it is known that there is none.
        was_sent: whether this sync has sent something to it.
        was_deleted: whether this sync has deleted or archived it.
        why_not: why Vitally does not say.
    """

    rows: tuple[Known, ...] = ()
    coming: Coming | None = None
    absent: float | None = None
    was_sent: bool = False
    was_deleted: bool = False
    why_not: RejectedError | None = None

    @property
    def live(self) -> dict[str, Known]:
        """Those of the rows that are not archived, by Vitally's id."""
        return {one.id: one for one in self.rows if not one.is_archived}


def names_of(row: Row) -> list[str]:
    """What others may call a row that they wait for."""
    return [text_of(row, "externalId"), text_of(row, "email").lower()]


class Place:
    """The rows of one object, and which of their values are kept."""

    def __init__(self, number: int, entry: Object) -> None:
        self.number = number
        # A stream may identify its rows by one of the keys alone; what is known is for all streams.
        whole = BY_NAME.get(entry.name, INSTANCE)
        self.entry = replace(entry, keys=(*whole.keys, *([whole.copied_by] if whole.copied_by else [])))
        self.references = list(entry.references())
        keys = (name for key in self.entry.keys for name in key.fields)
        self.top = {"id", "externalId", "archivedAt", "source", "createdAt", *entry.resend_on_update, *keys}
        self.traits: set[str] = set()
        self.values: dict[str, int] = {}
        self._needed: dict[tuple[tuple[str, ...], tuple[str, ...]], int] = {}
        self.keeps_sent = False
        self.keeps_contents = False
        self.count = 0
        self.has_sent = False

    def keys_of(self, row: Any) -> list[str]:
        """Return the identities of a row, each as one text."""
        return [joined(identity) for identity in identities_of(self.entry, row)]

    def kept(self, row: Row) -> Row:
        """Return of a row what is kept."""
        kept = {name: row[name] for name in self.top if name in row}
        for field in self.references:
            others = referred_to(field, row)
            if others is not None:
                kept.pop(field.name, None)
                kept[field.inlined or field.name] = [_ids(other) for other in others]
        traits = row.get("traits")
        if isinstance(traits, dict):
            kept["traits"] = {name: traits[name] for name in self.traits if name in traits}
        return kept

    def keep(self, change: Change) -> None:
        """Keep from now on the values that a change would write."""
        if self.needed(change) < inf:
            return
        for name in change.fields:
            if name not in self.values:
                field = self.entry.field(name)
                travels_as = field.analytics if field else None
                self._keep(name, name, travels_as.removeprefix(TRAIT) if travels_as else name)
        for name in change.open_values:
            if TRAIT + name not in self.values:
                self._keep(TRAIT + name, name, name)

    def needed(self, change: Change) -> float:
        """How many names must have been asked for when a row was shown that has all that a change would write."""
        columns = tuple(change.fields), tuple(change.open_values)  # most rows of a stream have the same
        if columns not in self._needed:
            places = [self.values.get(name) for name in (*columns[0], *(TRAIT + name for name in columns[1]))]
            known = [place for place in places if place is not None]
            if len(known) < len(places):
                return inf
            self._needed[columns] = max(known, default=-1) + 1
        return self._needed[columns]

    def _keep(self, name: str, attribute: str, trait: str) -> None:
        # Made anew, not changed: another thread may be reading.
        self.top, self.traits = self.top | {attribute}, self.traits | {trait}
        self.values[name] = len(self.values)


def _ids(row: Any) -> Row:
    return {name: row[name] for name in ("id", "externalId") if name in row}
