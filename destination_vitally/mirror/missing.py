"""Rows that Vitally has and a sync did not bring: found by reading the lists, and deleted one by one."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Literal, NamedTuple

from destination_vitally.api.http import Api
from destination_vitally.api.pages import Row, found_row, pages, quoted, text_of
from destination_vitally.errors import NotYetError, RejectedError
from destination_vitally.mapping.change import Change, identities_of
from destination_vitally.mapping.values import VitallyId, identifier, moment_of
from destination_vitally.objects.model import Object
from destination_vitally.rows.lists import SECONDS, second_of
from destination_vitally.rows.store import Store, Table
from destination_vitally.send.rest import Made

Identity = tuple[str, ...]

Kept = Literal[
    "newer than the sync",
    "younger than the grace period",
    "only spelled otherwise in the sync",
    "of an integration",
    "changed meanwhile",
    "gone meanwhile",
    "not deleted",
]
"""Why a row that is missing is not deleted, or not by the sync."""

IDS_NAMED = 10
"""How many rows a report names."""


_UUID = re.compile(r"(urn:uuid:)?\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?")


def folded(key: str) -> str:
    """Return what keys have in common of which nobody knows whether Vitally, or a warehouse, takes them for one.

    They differ by case, form of Unicode, invisible letters, blanks around them, zeros before them, or are one UUID.
    """
    key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", key).casefold())
    key = "".join(letter for letter in key if unicodedata.category(letter) != "Cf").strip()
    if _UUID.fullmatch(key):
        return re.sub(r"urn:uuid:|[{}-]", "", key)
    return key.lstrip("0") or key[-1:]


class Care(NamedTuple):
    """What else keeps a row: its age in seconds, and a key in the sync that looks like its own.

    `about_to_delete` is called with the change and the row as Vitally shows it, before it is deleted; what it returns
    is called once the row is.
    """

    grace: float = 0.0
    looks_like: Callable[[Identity], bool] = lambda identity: False
    about_to_delete: Callable[[Change, Row], Callable[[], None]] = lambda change, row: lambda: None


CARELESS = Care()


class Missing:
    """The rows of one object that are in Vitally and were not in a sync. Deletes may run in several threads."""

    def __init__(  # noqa: PLR0913 - what a row is judged by
        self,
        rest: Api,
        entry: Object,
        has: Callable[[Identity], bool],
        began: float,
        store: Store,
        *,
        care: Care = CARELESS,
    ) -> None:
        """Prepare to look for them; sends nothing yet.

        Args:
            rest: the way to Vitally.
            entry: the object.
            has: tells whether a row of this identity was in the sync.
            began: when the sync began by Vitally's clock, in Unix seconds. What was made since is kept: the table may
                have been read before.
            store: where what was found is kept.
            care: what else keeps a row.
        """
        self._rest = rest
        self._entry = entry
        self._has = has
        self._began = moment_of(began * 1000)[:SECONDS]
        self._old_enough = moment_of((began - care.grace) * 1000)[:SECONDS]
        self._care = care
        self._seen, self._missing = Table(store), Table(store)
        self._lock = Lock()
        self.there = 0
        """How many rows there are with an externalId that no integration has brought."""
        self.missing = 0
        """How many of them may be deleted."""
        self.deleted = 0
        self.kept: Counter[Kept] = Counter()
        self.problem = ""
        """Why the first row that could not be deleted was not."""

    def read(self, beat: Callable[[], None] = lambda: None) -> None:
        """Read the lists, in the order of creation: what is edited meanwhile keeps its place; `beat` after each page.

        Raises:
            ListError: a list is not read to its end.
        """
        for part in self._entry.lists:
            for page in pages(self._rest, self._entry.path, query=part):
                rows = [row for row in page if _is_live(row) and not self._seen.has(row["id"])]
                self._seen.put_all((row["id"], "") for row in rows)
                self._missing.put_all(
                    (row["id"], str(row["externalId"])) for row in rows if self._is_to_be_deleted(row)
                )
                beat()

    def _is_to_be_deleted(self, row: Row) -> bool:
        """Take a row into the account, and tell whether it may be deleted."""
        self.there += not row.get("source")
        if self._is_in_the_sync(row):
            return False
        if why := self._why_kept(row):
            self.kept[why] += 1
            return False
        self.missing += 1
        return True

    def _is_in_the_sync(self, row: Row) -> bool:
        """Tell whether a row is in the sync by any of its keys; what cannot be compared counts as being in it."""
        try:
            return any(map(self._has, self._identities(row)))
        except ValueError:
            return True

    def _identities(self, row: Row) -> list[Identity]:
        names = {name for key in self._entry.keys for name in key.fields}
        keys = {name: identifier(row[name]) for name in names if row.get(name) is not None}
        return list(identities_of(self._entry, keys))

    def _why_kept(self, row: Row) -> Kept | None:
        if row.get("source"):
            return "of an integration"
        created = second_of(row.get("createdAt"))
        if not created or created >= self._began:
            return "newer than the sync"
        if any(map(self._care.looks_like, self._identities(row))):
            return "only spelled otherwise in the sync"
        return None if created < self._old_enough else "younger than the grace period"

    @property
    def so_far(self) -> str:
        """How far it is, in a sentence."""
        return f"so far {self.there} rows read, {self.missing} of them not in the sync, {self.deleted} deleted."

    @property
    def named(self) -> str:
        """The first of them, by their externalIds."""
        first = [external_id for (_, external_id), _ in zip(self._missing, range(IDS_NAMED), strict=False)]
        more = ", ..." if self.missing > len(first) else ""
        return ", ".join(f"'{external_id}'" for external_id in first) + more

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield what may be deleted: Vitally's id of each row, and yours."""
        return iter(self._missing)

    def delete(self, own: str, external_id: str, make: Callable[[Change], Made]) -> str:
        """Delete a row if it still is what the list showed, which may be old.

        Args:
            own: Vitally's id of the row.
            external_id: the externalId that the list showed.
            make: makes a change.

        Returns:
            What to say of it in the log.
        """
        label = f"{self._entry.name} '{external_id}'"
        route = self._entry.operations["delete"][0]
        change = Change(self._entry, "delete", route, label, {"id": VitallyId(own)}, {})
        try:
            row = self._row_now(change, own)
            why = self._why_kept_now(row, external_id)
            if row and why is None:
                deleted = self._care.about_to_delete(change, row)
                make(change)
                deleted()
        except NotYetError:
            why = "changed meanwhile"  # a message of this sync to it has not been applied yet
        except RejectedError as error:
            why, self.problem = "not deleted", self.problem or str(error)
        with self._lock:
            if why is None:
                self.deleted += 1
            else:
                self.kept[why] += 1
        return f"{label}: {why or 'deleted'}"

    def _row_now(self, change: Change, own: str) -> Row | None:
        path = self._entry.item_path.format(key=quoted(own))
        if self._entry.read_path:
            path = self._entry.read_path.format(collection=self._entry.path, key=quoted(own))
        return found_row(change, self._rest.send("GET", path))

    def _why_kept_now(self, row: Row | None, external_id: str) -> Kept | None:
        if row is None or row.get("archivedAt"):
            return "gone meanwhile"
        if text_of(row, "externalId") != external_id or self._is_in_the_sync(row) or self._why_kept(row):
            return "changed meanwhile"
        return None


def _is_live(row: Row) -> bool:
    """Tell whether a row is one that could be missing: it has your id, and is not archived."""
    return row.get("externalId") not in (None, "") and not row.get("archivedAt")
