"""What is remembered on disk, in a temporary database, so that memory does not grow with the length of a sync."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

SEPARATOR = "\x1f"

ROWS_AT_ONCE = 1_000
"""So many rows are read at once when all of a table are."""

ANSWERS = 10_000
"""So many answers of a table are kept in memory: the rows of a sync ask for the same parents again and again."""


def temporary_database() -> sqlite3.Connection:
    """Return an empty database that is gone with the process, safe to use from several threads one at a time."""
    # An empty name is a temporary file, which is written only once it outgrows the cache.
    database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
    database.execute("PRAGMA journal_mode=OFF")
    database.execute("PRAGMA synchronous=OFF")
    return database


class DiskTable:
    """Rows by a key of several texts, in a file that is gone with the process. Safe to use from several threads."""

    def __init__(self, *columns: str, keeps_answers: bool = True) -> None:
        """`columns` are the names of what is remembered besides the key.

        With `keeps_answers` what was asked for last is in memory; not for large values.
        """
        self._columns = columns
        self._keeps_answers = keeps_answers
        self._answers: dict[str, tuple[Any, ...] | None] = {}
        self._lock = threading.Lock()
        self._database = temporary_database()
        self._database.execute(f"CREATE TABLE t (key TEXT PRIMARY KEY, {', '.join(columns)}) WITHOUT ROWID")
        self._count = 0

    def __len__(self) -> int:
        """Return about how many keys were put in; zero only when there are none."""
        return self._count

    def put(self, key: Sequence[str], *values: Any) -> None:
        """Remember one row, in the place of the one with the same key."""
        self.put_all([(key, *values)])

    def put_all(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Remember rows, each a key and its values."""
        marks = ", ".join("?" * (1 + len(self._columns)))
        given = [(SEPARATOR.join(key), *values) for key, *values in rows]
        with self._lock:
            self._count += len(given)
            for row in given if self._answers else ():
                self._answers.pop(row[0], None)
            self._database.execute("BEGIN")
            self._database.executemany(f"INSERT OR REPLACE INTO t VALUES ({marks})", given)  # noqa: S608 - marks only
            self._database.execute("COMMIT")

    def get(self, key: Sequence[str]) -> tuple[Any, ...] | None:
        """Return the values of a key, if it is there."""
        if not self._count:
            return None
        joined = SEPARATOR.join(key)
        try:
            return self._answers[joined]
        except KeyError:
            return self._read(joined)

    def _read(self, key: str) -> tuple[Any, ...] | None:
        with self._lock:
            found = self._database.execute("SELECT * FROM t WHERE key = ?", (key,)).fetchone()
            answer = found[1:] if found else None
            if self._keeps_answers:
                if len(self._answers) >= ANSWERS:
                    self._answers.clear()
                self._answers[key] = answer
        return answer

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows in the order of their keys, each a key and its values, a few at a time from the disk."""
        last = ""
        while True:
            query = "SELECT * FROM t WHERE key > ? ORDER BY key LIMIT ?"
            with self._lock:
                rows = self._database.execute(query, (last, ROWS_AT_ONCE)).fetchall()
            if not rows:
                return
            yield from rows
            last = rows[-1][0]

    def forget(self, key: Sequence[str]) -> None:
        """Forget a row, if it is there."""
        if self._count:
            joined = SEPARATOR.join(key)
            with self._lock:
                self._answers.pop(joined, None)
                self._database.execute("DELETE FROM t WHERE key = ?", (joined,))


class RecentTable:
    """The rows that were put in last, at least `size` and about twice as many. Safe to use from several threads."""

    def __init__(self, size: int, *columns: str) -> None:
        self._size = size
        self._columns = columns
        self._lock = threading.Lock()
        self._newer, self._older = self._table(), self._table()

    def _table(self) -> DiskTable:
        return DiskTable(*self._columns, keeps_answers=False)

    def put_all(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Remember rows as `DiskTable` does, and forget old ones."""
        with self._lock:
            if len(self._newer) >= self._size:
                self._newer, self._older = self._table(), self._newer
            self._newer.put_all(rows)

    def get(self, key: Sequence[str]) -> tuple[Any, ...] | None:
        """Return the values of a key, if it is still there."""
        with self._lock:
            return self._newer.get(key) or self._older.get(key)
