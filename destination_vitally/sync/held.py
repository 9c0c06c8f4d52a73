"""Records that wait for a row: kept on disk as they arrived, and decided anew when they come back."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.objects.model import Object
from destination_vitally.outcomes.ledger import COPIES, PendingRecord
from destination_vitally.rows.store import SEPARATOR, Store

_SCHEMA = """
CREATE TABLE held (
    number INTEGER PRIMARY KEY, stream INTEGER, segment INTEGER, line BLOB, place INTEGER,
    target TEXT, row TEXT, rank INTEGER, ready INTEGER
);
CREATE INDEX held_by_row ON held (row);
CREATE INDEX held_ready ON held (ready, rank, number);
CREATE TABLE held_lanes (lane TEXT, number INTEGER, PRIMARY KEY (lane, number)) WITHOUT ROWID;
"""

LAST = 2**62
"""An order that comes after any other."""


class Shelf:
    """Records as rows of a table: order, stream, segment, line, place. Streams and segments stay in memory."""

    def __init__(self) -> None:
        self._parts: dict[int, Any] = {}

    def row_of(self, record: PendingRecord) -> tuple[int, int, int, bytes, int]:
        """Return what is written of a record."""
        for part in (record.plan, record.segment):
            self._parts[id(part)] = part
        return record.order, id(record.plan), id(record.segment), record.line, record.place

    def plan_of(self, stream: int) -> StreamPlan:
        """Return the stream of a record that was written."""
        plan: StreamPlan = self._parts[stream]
        return plan

    def record_of(  # noqa: PLR0913 - as it was written
        self, order: int, stream: int, segment: int, line: bytes, place: int, *, is_sorted: bool = False
    ) -> PendingRecord:
        """Return a record that was written."""
        plan, part = self._parts[stream], self._parts[segment]
        return PendingRecord(plan, part, line, order // COPIES, place=place, is_sorted=is_sorted)


class Held:
    """Records in the store, each under the row it waits for. Safe to use from several threads.

    A state that covers a record cannot be given back while it is here: what is here has no outcome.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        store.create(_SCHEMA)
        self._shelf = Shelf()
        self._lock = threading.Lock()
        self._count = 0
        self.has_ready = False
        """Whether a record may have become ready."""

    def __len__(self) -> int:
        return self._count

    def add(self, record: PendingRecord, entry: Object, external_id: str, lanes: Iterable[Hashable]) -> None:
        """Keep a record until the row `external_id` of an object is there; `lanes` are the record's own."""
        self._add(record, entry.name, _joined((entry.path, external_id)), lanes)

    def _add(self, record: PendingRecord, target: str, row: str, lanes: Iterable[Hashable]) -> None:
        with self._lock:
            self._count += 1
        held = (*self._shelf.row_of(record), target, row, record.plan.rank, 0)
        self._store.write(
            ("INSERT INTO held VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [held]),
            ("INSERT INTO held_lanes VALUES (?, ?)", [(_joined(lane), record.order) for lane in lanes]),
        )

    def waiting(self) -> Iterator[tuple[StreamPlan, str, int]]:
        """Yield how many records of each stream wait for a row of which object."""
        if self._count:
            counts = self._store.all("SELECT stream, target, count(*) FROM held GROUP BY stream, target")
            yield from ((self._shelf.plan_of(stream), target, count) for stream, target, count in counts)

    def is_behind(self, lanes: Iterable[Hashable], order: int = LAST) -> bool:
        """Tell whether a record of a lane is here that arrived before one of that order."""
        query = "SELECT 1 FROM held_lanes WHERE lane = ? AND number < ? LIMIT 1"
        return self._count > 0 and any(self._store.one(query, _joined(lane), order) for lane in lanes)

    def add_behind(self, record: PendingRecord, lanes: Iterable[Hashable]) -> None:
        """Keep a record until the one before it in its lane goes, of which there is one."""
        lanes = list(lanes)
        query = "SELECT target, row FROM held_lanes JOIN held USING (number) WHERE lane = ? AND number < ? LIMIT 1"
        before = LAST if record.is_sorted else record.order
        target, row = next(filter(None, (self._store.one(query, _joined(lane), before) for lane in lanes)))
        self._add(record, target, row, lanes)

    def wake(self, path: str, external_ids: Iterable[str]) -> None:
        """Let the records go that wait for rows of an object, by your ids."""
        if self._count:
            rows = [(_joined((path, external_id)),) for external_id in external_ids]
            self._store.write(("UPDATE held SET ready = 1 WHERE row = ?", rows))
            self.has_ready = True

    def wake_all(self, target: str | None = None) -> None:
        """Let all records go, or those that wait for rows of one object: no more of them will arrive."""
        if self._count:
            where = "" if target is None else " WHERE target = ?"
            self._store.write((f"UPDATE held SET ready = 1{where}", [() if target is None else (target,)]))  # noqa: S608
            self.has_ready = True

    def take(self, most: int, most_bytes: int) -> Iterator[PendingRecord]:
        """Take out records that may go, at most so many and so large: parents first, else in the order of the input."""
        if not self.has_ready:
            return
        self.has_ready = False
        taken = size = 0
        query = "SELECT number, stream, segment, line, place FROM held WHERE ready = 1 ORDER BY rank, number LIMIT 100"
        while rows := self._store.all(query):
            gone = [(row[0],) for row in rows]
            self._store.write(
                ("DELETE FROM held WHERE number = ?", gone), ("DELETE FROM held_lanes WHERE number = ?", gone)
            )
            with self._lock:
                self._count -= len(gone)
            for record in (self._shelf.record_of(*row) for row in rows):
                size += len(record.line)
                yield record
            taken += len(rows)
            if taken >= most or size >= most_bytes:
                self.has_ready = True
                return


def _joined(lane: Hashable) -> str:
    return SEPARATOR.join(map(str, lane)) if isinstance(lane, tuple) else str(lane)
