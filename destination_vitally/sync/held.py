"""Rows that came before the rows they refer to, kept on disk until those have come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.outcomes.ledger import PendingRecord, Segment
from destination_vitally.transports.disk import SEPARATOR, temporary_database

_SCHEMA = """
CREATE TABLE held (
    place INTEGER PRIMARY KEY, target TEXT, parent TEXT, key TEXT, rank INTEGER, ready INTEGER,
    stream INTEGER, segment INTEGER, line BLOB, in_stream INTEGER
);
CREATE INDEX by_parent ON held (parent);
CREATE INDEX by_key ON held (key);
CREATE INDEX by_ready ON held (ready, rank, place);
"""

_LAST = 2**62


class HeldRows:
    """Rows in a temporary database, each under the row it waits for. Used by one thread.

    A state that covers a row cannot be given back while the row is here: what is here has no outcome.
    """

    def __init__(self) -> None:
        self._database = temporary_database()
        self._database.executescript(_SCHEMA)
        self._plans: list[StreamPlan] = []
        self._segments: dict[int, Segment] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, row: PendingRecord, parent: tuple[str, str], key: Sequence[str] | None) -> None:
        """Keep a row until `parent`, an object and your id of it, has come; `key` is what tells the row itself."""
        if row.plan not in self._plans:
            self._plans.append(row.plan)
        self._segments[id(row.segment)] = row.segment
        values = (row.number, parent[0], SEPARATOR.join(parent), SEPARATOR.join(key) if key else None, row.plan.rank, 0)
        also = (self._plans.index(row.plan), id(row.segment), row.line, row.place)
        self._database.execute("INSERT INTO held VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*values, *also))
        self._count += 1

    def waits_for(self, key: Sequence[str] | None, before: int = _LAST) -> tuple[str, str] | None:
        """Return what the last row of a key waits for, if one is here that came before line `before` of the input."""
        if not self._count or not key:
            return None
        query = "SELECT parent FROM held WHERE key = ? AND place < ? ORDER BY place DESC LIMIT 1"
        found = self._database.execute(query, (SEPARATOR.join(key), before)).fetchone()
        target, _, value = found[0].partition(SEPARATOR) if found else ("", "", "")
        return (target, value) if target else None

    def release(self, parent: tuple[str, str]) -> None:
        """Let the rows go that wait for a row, which has come."""
        if self._count:
            self._database.execute("UPDATE held SET ready = 1 WHERE parent = ?", (SEPARATOR.join(parent),))

    def release_all(self, target: str | None = None) -> None:
        """Let all rows go, or those that wait for rows of one object: no more of them will come."""
        where = "" if target is None else " WHERE target = ?"
        self._database.execute(f"UPDATE held SET ready = 1{where}", () if target is None else (target,))  # noqa: S608

    def take(self, most: int) -> Iterator[PendingRecord]:
        """Take out rows that may go, at most so many: parents before children, else in the order in which they came."""
        query = "SELECT place, stream, segment, line, in_stream FROM held WHERE ready = 1 ORDER BY rank, place LIMIT ?"
        for place, stream, segment, line, in_stream in self._database.execute(query, (most,)).fetchall():
            self._database.execute("DELETE FROM held WHERE place = ?", (place,))
            self._count -= 1
            yield PendingRecord(self._plans[stream], self._segments[segment], line, place, place=in_stream)
