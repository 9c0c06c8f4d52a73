"""What is remembered of rows that Vitally has shown: by Vitally's id and by each of their keys, on disk."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from destination_vitally.api.pages import Row
from destination_vitally.lines import dumps, parse
from destination_vitally.mapping.comparison import TRAIT, referred_to
from destination_vitally.mapping.mapper import Change, identities_of
from destination_vitally.objects.model import Object
from destination_vitally.transports.disk import SEPARATOR, temporary_database

_SCHEMA = """
CREATE TABLE shown (id TEXT PRIMARY KEY, names INTEGER, is_own INTEGER, row BLOB) WITHOUT ROWID;
CREATE TABLE keys (key TEXT, id TEXT, PRIMARY KEY (key, id)) WITHOUT ROWID;
CREATE TABLE sent (key TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_PUT = """
INSERT INTO shown VALUES (?, ?, 0, ?)
ON CONFLICT (id) DO UPDATE SET names = excluded.names, row = excluded.row WHERE is_own = 0
"""
_PUT_OWN = "INSERT OR REPLACE INTO shown VALUES (?, 0, 1, ?)"
_PUT_KEY = "INSERT OR IGNORE INTO keys VALUES (?, ?)"
_FIND = "SELECT row, names, is_own FROM keys JOIN shown USING (id) WHERE key = ?"
_SEND = "INSERT OR IGNORE INTO sent VALUES (?)"
_IS_SENT = "SELECT 1 FROM sent WHERE key = ?"
_GET = "SELECT row, names, is_own FROM shown WHERE id = ?"


class Shown(NamedTuple):
    """What is remembered of a row.

    Attributes:
        row: as REST returned it, without what nobody asked for; of the rows it refers to the ids.
        names: how many names were asked for at that time.
        is_own: whether this sync has written the row since Vitally showed it.
    """

    row: Row
    names: int
    is_own: bool


class RowIndex:
    """The rows of one object. Safe to use from several threads.

    Of a row is kept what tells it, what it belongs to, and the values that have been asked for by then.
    """

    def __init__(self, entry: Object) -> None:
        self._entry = entry
        self._lock = threading.Lock()
        self._database = temporary_database()
        self._database.executescript(_SCHEMA)
        self._references = list(entry.references())
        self._top = {
            "id",
            "archivedAt",
            "source",
            *entry.resend_on_update,
            *(name for key in entry.keys for name in key.fields),
        }
        self._traits: set[str] = set()
        self._places: dict[str, int] = {}

    # Which values are kept

    def ask_for(self, change: Change) -> None:
        """Keep from now on the values that a change would write."""
        for name in change.fields:
            if name not in self._places:
                field = self._entry.field(name)
                travels_as = field.analytics if field else None
                self._keep(name, name, travels_as.removeprefix(TRAIT) if travels_as else name)
        for name in change.open_values:
            if TRAIT + name not in self._places:
                self._keep(TRAIT + name, name, name)

    def _keep(self, name: str, attribute: str, trait: str) -> None:
        with self._lock:
            self._top = self._top | {attribute}
            self._traits = self._traits | {trait}
            self._places[name] = len(self._places)

    def has_all(self, shown: Shown, change: Change) -> bool:
        """Tell whether all was kept of a row that a change would write."""
        wanted = (*change.fields, *(TRAIT + name for name in change.open_values))
        return all(self._places.get(name, shown.names) < shown.names for name in wanted)

    def _kept(self, row: Row) -> Row:
        kept = {name: row[name] for name in self._top if name in row}
        for field in self._references:
            others = referred_to(field, row)
            if others is not None:
                kept.pop(field.name, None)
                kept[field.inlined or field.name] = [_ids(other) for other in others]
        traits = row.get("traits")
        if isinstance(traits, dict):
            kept["traits"] = {name: traits[name] for name in self._traits if name in traits}
        return kept

    # What is remembered

    def put_all(self, rows: Iterable[Row]) -> None:
        """Remember rows as Vitally shows them, but for those that this sync has written."""
        names = len(self._places)
        shown = [(str(row["id"]), names, dumps(self._kept(row))) for row in rows]
        keys = [(key, str(row["id"])) for row in rows for key in self._keys(row)]
        with self._lock:
            self._database.execute("BEGIN")
            self._database.executemany(_PUT, shown)
            self._database.executemany(_PUT_KEY, keys)
            self._database.execute("COMMIT")

    def wrote(self, identifier: str, row: Row) -> None:
        """Remember what is known of a row that this sync has just written, besides what was known before."""
        with self._lock:
            found = self._database.execute(_GET, (identifier,)).fetchone()
            known = {**(parse(found[0]) if found else {}), **self._kept(row), "id": identifier}
            self._database.execute(_PUT_OWN, (identifier, dumps(known)))
            self._database.executemany(_PUT_KEY, [(key, identifier) for key in self._keys(known)])

    def forget(self, identifier: str) -> None:
        """Forget a row: it is gone, or is not what was shown of it."""
        with self._lock:
            self._database.execute("DELETE FROM shown WHERE id = ?", (identifier,))

    def find(self, identity: Sequence[str]) -> list[Shown]:
        """Return the rows that are told by a key, as `identities_of` names it."""
        with self._lock:
            found = self._database.execute(_FIND, (SEPARATOR.join(identity),)).fetchall()
        shown = [Shown(parse(row), names, bool(is_own)) for row, names, is_own in found]
        # A row may have had the key before it was shown again.
        return [one for one in shown if tuple(identity) in identities_of(self._entry, one.row)]

    def sends(self, change: Change) -> None:
        """Take note that this sync sends something to a row: what was shown of it no longer counts."""
        keys = [(SEPARATOR.join(identity),) for identity in identities_of(self._entry, change.fields)]
        with self._lock:
            self._database.executemany(_SEND, keys)

    def is_sent(self, row: Row) -> bool:
        """Tell whether this sync has sent something to a row, by any of its keys."""
        with self._lock:
            return any(self._database.execute(_IS_SENT, (key,)).fetchone() for key in self._keys(row))

    def _keys(self, row: Row) -> list[str]:
        return [SEPARATOR.join(identity) for identity in identities_of(self._entry, row)]


def _ids(row: Any) -> Row:
    return {name: row[name] for name in ("id", "externalId") if name in row}
