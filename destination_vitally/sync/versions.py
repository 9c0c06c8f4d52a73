"""Several rows of one key: which is newer, which goes first, and which are one by mistake."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator

from destination_vitally.compare.equality import canonical
from destination_vitally.lines import dumps
from destination_vitally.mapping.change import Change, identity_of
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.mapping.values.cursors import is_older
from destination_vitally.mapping.values.times import seconds_of
from destination_vitally.outcomes.ledger import PendingRecord
from destination_vitally.rows.store import Store, joined
from destination_vitally.sync.held import Shelf

logger = logging.getLogger("airbyte")

_SCHEMA = """
CREATE TABLE newest (key BLOB PRIMARY KEY, cursor BLOB) WITHOUT ROWID;
CREATE TABLE own_ids (id BLOB PRIMARY KEY, content BLOB) WITHOUT ROWID;
CREATE TABLE dated (
    number INTEGER, stream INTEGER, segment INTEGER, line BLOB, place INTEGER, at REAL, PRIMARY KEY (stream, at, number)
) WITHOUT ROWID;
"""

MOST_KEYS = 5_000_000
"""Of so many keys the newest cursor is kept, some 33 bytes each where it is a time or a number."""

MOST_BYTES = 200_000_000
"""So many bytes of dated rows are kept until their stream ends."""

_LATEST = float("inf")


class Versions:
    """Tells which of several rows of a key counts, and keeps dated rows until they can be sorted. For one thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.create(_SCHEMA)
        self._keys = self._ids = self._bytes = 0
        self._shelf = Shelf()
        self._plans: set[StreamPlan] = set()
        self._ended: set[StreamPlan] = set()
        self._logged: set[tuple[str, str]] = set()

    def is_superseded(self, plan: StreamPlan, change: Change) -> bool:
        """Tell whether a newer row of the key has arrived before, by the cursor of its stream."""
        cursor = change.cursor
        identity = identity_of(change.entry, change.fields) if cursor and not change.sent_at else None
        if identity is None:
            return False
        key = _digest(f"{change.entry.path} {joined(identity)}".encode(errors="replace"))
        found = self._store.one("SELECT cursor FROM newest WHERE key = ?", key)
        if found and is_older(cursor, found[0]):
            return True
        if not found and self._keys >= MOST_KEYS:
            self._log_once(
                "Stream %s: it has more keys than are remembered (%s). Of others the row that arrives last counts, "
                "whatever its cursor.",
                plan.title,
                f"{MOST_KEYS:,}",
            )
            return False
        self._keys += not found
        self._store.write(("INSERT OR REPLACE INTO newest VALUES (?, ?)", [(key, cursor)]))
        return False

    def check_own_id(self, plan: StreamPlan, change: Change) -> None:
        """See that a message id of yours is not that of another message; the same row may come again.

        Raises:
            RejectedError: it is.
        """
        if not change.message_id:
            return
        said = [change.entry.name, change.sent_at, change.fields, change.open_values]
        key, content = (
            _digest(change.message_id.encode(errors="replace")),
            _digest(dumps(canonical(said), sort_keys=True)),
        )
        found = self._store.one("SELECT content FROM own_ids WHERE id = ?", key)
        if found and found[0] != content:
            raise change.rejected(
                "another row has this messageId and says something else; Vitally would drop one of them"
            )
        if not found and self._ids >= MOST_KEYS:
            self._log_once(
                "Stream %s: it has more messageIds than are remembered (%s). Whether another of them comes twice with "
                "other content is not looked at.",
                plan.title,
                f"{MOST_KEYS:,}",
            )
        elif not found:
            self._ids += 1
            self._store.write(("INSERT INTO own_ids VALUES (?, ?)", [(key, content)]))

    # Dated rows

    def keeps(self, row: PendingRecord, change: Change) -> bool:
        """Keep a row of a dated stream until the stream ends, and tell whether it is kept."""
        if row.is_sorted or not row.plan.is_dated:
            return False
        self._bytes += len(row.line)
        if self.is_full:
            self._log_once(
                "Stream %s: its dated rows are more than are kept to be sorted (%s MB). They are sent in blocks of "
                "that size, in the order of their arrival; only within a block are they sorted. Let the oldest rows "
                "come first.",
                row.plan.title,
                str(MOST_BYTES // 1_000_000),
            )
        self._plans.add(row.plan)
        at = seconds_of(change.sent_at) if change.sent_at else _LATEST
        kept = (*self._shelf.row_of(row), at)
        self._store.write(("INSERT INTO dated VALUES (?, ?, ?, ?, ?, ?)", [kept]))
        return True

    @property
    def is_full(self) -> bool:
        """Whether no more dated rows should be kept: what is kept has to be taken now."""
        return self._bytes >= MOST_BYTES

    def end(self, plan: StreamPlan) -> None:
        """Take note that no more rows of a stream will arrive: its dated rows may go."""
        self._ended.add(plan)

    def has_ended(self, plan: StreamPlan) -> bool:
        """Tell whether no more rows of a stream will arrive."""
        return plan in self._ended

    def take(self, below: float) -> Iterator[PendingRecord]:
        """Take out the dated rows of streams that have ended, or of all when they are too many.

        Parents go first, then the oldest; those without a time are the last of their stream.

        Args:
            below: only rows of objects below this rank are wanted.
        """
        is_full = self.is_full
        for plan in sorted(self._plans, key=lambda one: (one.rank, one.title)):
            if plan.rank >= below or not (is_full or plan in self._ended):
                continue
            while rows := self._store.all(
                "SELECT * FROM dated WHERE stream = ? ORDER BY at, number LIMIT 100", id(plan)
            ):
                gone = [(id(plan), at, number) for number, *_, at in rows]
                self._store.write(("DELETE FROM dated WHERE stream = ? AND at = ? AND number = ?", gone))
                for *row, _ in rows:
                    record = self._shelf.record_of(*row, is_sorted=True)
                    self._bytes -= len(record.line)
                    yield record

    def _log_once(self, text: str, title: str, limit: str) -> None:
        if (text, title) not in self._logged:
            self._logged.add((text, title))
            logger.warning(text, title, limit)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=8).digest()
