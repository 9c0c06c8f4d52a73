"""Rows that a sync has created are deleted, where the settings allow it and nobody has made more of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby

from destination_vitally.api.http import Api
from destination_vitally.api.pages import pages, quoted, text_of
from destination_vitally.compare.comparison import referred_to
from destination_vitally.config import Config, setting
from destination_vitally.errors import ListError
from destination_vitally.objects.model import Object
from destination_vitally.objects.table import BY_NAME, rank
from destination_vitally.rows.lists import second_of
from destination_vitally.rows.store import Store, Table
from destination_vitally.undo.judging import Shown, beyond
from destination_vitally.undo.looking import change_of
from destination_vitally.undo.report import Kind
from destination_vitally.undo.restoring import Hands, Reported
from destination_vitally.undo.rows import Row

_OF_COMPANY = ("user", "note", "task", "project", "nps_response", "conversation", "meeting")
LISTED_BELOW = {"account": _OF_COMPANY, "organization": ("account", *_OF_COMPANY)}
"""Objects whose rows Vitally lists below a row of another."""

DESTROYED_WITH = {"account": "custom_object/*", "organization": "custom_object/*", "user": "nps_response"}
"""Objects whose rows are destroyed with a row of another, and are in no list below it."""


class Deleting:
    """Deletes rows, children before parents."""

    def __init__(
        self, hands: Hands, config: Config, rest: Api, store: Store, instances: Callable[[], list[Object]]
    ) -> None:
        """`instances` returns the custom objects of the workspace."""
        self._hands = hands
        self._report = hands.report
        self._rest = rest
        self._allowed = config.allow_deletes
        self._limit = config.max_deletes_percent
        self._store = store
        self._instances = instances
        self._gone: set[str] = set()
        self._parents: dict[str, set[str]] = {}
        """Ids of rows that have rows of `DESTROYED_WITH`, by the name of that object."""

    def jobs(self, rows: Iterable[Row]) -> Iterator[list[tuple[Row, Callable[[], None]]]]:
        """Yield what is to be done to rows of one object after the other; all of it must be done before the next."""
        ordered = sorted(rows, key=lambda row: (-rank(row.entry), row.entry.path or row.entry.name))
        for _, few in groupby(ordered, key=lambda row: row.entry.path or row.entry.name):
            group = [*few]
            kept = self._why_kept(group)
            yield [(row, partial(self._undo, row, kept)) for row in group]

    def _undo(self, row: Row, kept: str) -> None:
        try:
            now = self._hands.now(row)
            if (now is None or now.get("archivedAt")) and row.was_deleted and not row.last.is_deleted:
                row.id = None  # a sync has deleted it and created it anew
                now = self._hands.now(row)
            if now is None or now.get("archivedAt"):
                self._report.add(Kind.PENDING if self._hands.is_pending(row) else Kind.GONE, row.label)
            elif kept:
                self._report.add(Kind.KEPT, row.label, why=kept)
            elif more := self._more(row, now):
                self._report.add(Kind.EXTENDED, row.label, why=more)
            elif self._delete(row, now):
                self._gone.add(now["id"])
                self._report.add(Kind.DELETED, row.label)
        except Reported:
            pass
        except ListError as error:
            self._report.add(Kind.EXTENDED, row.label, why=str(error))

    def _delete(self, row: Row, now: Shown) -> bool:
        if self._hands.is_dry_run:
            return True
        if reason := self._hands.make(row, change_of(row, "delete"), now):
            self._report.add(Kind.REFUSED, row.label, why=reason)
            return False
        then = self._hands.now(row)
        if then and not then.get("archivedAt"):
            self._report.add(Kind.UNRESTORED, row.label, why="it was deleted, and Vitally still shows it")
            return False
        return True

    # What keeps all rows of an object

    def _why_kept(self, rows: list[Row]) -> str:
        entry = rows[0].entry
        if not self._allowed:
            return f"{setting('allow_deletes')} is off"
        if not entry.is_listed:
            return "Vitally does not list such rows, so nobody knows which share of them would be deleted"
        try:
            there, total = self._counted(entry, rows)
        except ListError as error:
            return f"{error}, so nobody knows which share of these rows would be deleted"
        if not there:
            return "Vitally's list shows none of them, so nobody knows which share of these rows would be deleted"
        if there * 100 > self._limit * total:
            return f"{there} of {total} rows would be deleted, more than {setting('max_deletes_percent')} allows"
        return ""

    def _counted(self, entry: Object, rows: list[Row]) -> tuple[int, int]:
        """Return how many of these rows are there, and how many rows of the object are in all."""
        ids = {row.id for row in rows if row.id}
        keys = {row.key.get("externalId") for row in rows if not row.id or row.was_deleted} - {None}
        seen, there, total = Table(self._store), 0, 0
        for row in self._live(entry):
            if not seen.has(row["id"]):
                seen.put_all([(row["id"], "")])
                total += 1
                there += row["id"] in ids or text_of(row, "externalId") in keys
        return there, total

    # What keeps one row

    def _more(self, row: Row, now: Shown) -> str:
        """Return what somebody else has made of a row; empty where nobody has."""
        created, read = second_of(now.get("createdAt")), second_of(row.first.read_at)
        if read and created < read:
            return "it was created before the sync looked for it"
        if names := [*beyond(row, now, self._hands.looking.id_of)]:
            return ", ".join(names)
        below = next(self._below(row.entry, str(now["id"])), None)
        return f"there is a {below} below it" if below else ""

    def _below(self, entry: Object, own: str) -> Iterator[str]:
        for name in LISTED_BELOW.get(entry.name, ()):
            for page in pages(self._rest, f"{entry.path}/{quoted(own)}{BY_NAME[name].path}", order=None):
                if any(row["id"] not in self._gone and not row.get("archivedAt") for row in page):
                    yield name
        if kind := DESTROYED_WITH.get(entry.name):
            if kind not in self._parents:
                self._parents[kind] = self._parents_of(kind)
            if own in self._parents[kind]:
                yield kind.removesuffix("/*")

    def _parents_of(self, name: str) -> set[str]:
        """Return Vitally's ids of all rows that others of an object belong to."""
        rows = (
            (entry, row)
            for entry in (self._instances() if name.endswith("*") else [BY_NAME[name]])
            for row in self._live(entry)
            if row["id"] not in self._gone
        )
        others = (referred_to(field, row) or [] for entry, row in rows for field in entry.references())
        return {str(other["id"]) for few in others for other in few if other.get("id")}

    def _live(self, entry: Object) -> Iterator[Shown]:
        """Yield the rows of an object that are not archived; one that is in two lists comes twice."""
        for part in entry.lists:
            for page in pages(self._rest, entry.path, query=part):
                yield from (row for row in page if not row.get("archivedAt"))
