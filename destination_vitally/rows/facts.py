"""What can be known of a row of Vitally's: the facts that are noted, and the answer to a question."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from destination_vitally.api.pages import Row, text_of
from destination_vitally.errors import RejectedError
from destination_vitally.mapping.change import Change
from destination_vitally.objects.model import Object

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


class Elsewhere(NamedTuple):
    """A row of the workspace that records were read from: Vitally's id there, and yours."""

    entry: Object
    identifier: str
    external_id: str


Fact = Shown | Missed | Sending | Taken | Seen | Written | Deleted | Elsewhere


class Known(NamedTuple):
    """A row that is known.

    Attributes:
        row: as REST returned it, without what nobody asked for; of the rows that it refers to the ids.
        names: how many names of values were asked for when it was shown.
        written: when this sync has written it by REST, by the connector's clock; None if it has not.
        is_listed: whether a list has shown it, or this sync has created it.
    """

    row: dict[str, Any]
    names: int = 0
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
