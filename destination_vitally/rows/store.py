"""The one file in which a sync keeps what would make its memory grow: a temporary database, gone with the process.

A folder that is full, small or read-only costs what can be asked for again; only if that is not enough, the sync ends.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import count
from typing import Any, Generic, TypeVar

from destination_vitally.errors import ConfigError

logger = logging.getLogger("airbyte")

SEPARATOR = "\x1f"

CACHE_KIB = 8_000
"""So much of the file is held in memory."""

IN_MEMORY_PAGES = 12_000
"""So many pages of 4 KiB are held where no file can be written."""

ROWS_AT_ONCE = 1_000
"""So many rows are read at once when all of a table are."""

_FULL = ("database or disk is full", "disk I/O error", "unable to open database file")
"""What SQLite says of a file that cannot grow; its codes are not to be had before Python 3.11."""

REMEMBERED = 50_000
"""How many entries of what can be found out again are kept unless another number is given."""

Value = TypeVar("Value")

Statement = tuple[str, Iterable[tuple[Any, ...]]]
"""SQL, and the values of each time it is to be run."""


class Store:
    """A database for all that is remembered of rows. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._kept: dict[str, str] = {}
        self._on_full: list[Callable[[], None]] = []
        self._folder = ""
        self._names = count()
        try:
            self._database = self._in_file()
        except (OSError, sqlite3.OperationalError) as error:
            logger.warning(
                "The folder for temporary files%s cannot be written (%s). What is known of rows is kept in memory.",
                f", {self._folder}," if self._folder else "",
                getattr(error, "strerror", None) or error,
            )
            self._database = _in_memory()

    def _in_file(self) -> sqlite3.Connection:
        self._folder = tempfile.gettempdir()
        handle, path = tempfile.mkstemp(prefix="vitally-", suffix=".sqlite", dir=self._folder)
        os.close(handle)
        try:
            database = _opened(path)
            database.execute("CREATE TABLE tried (x)")  # an empty file can be made in a full folder too
        finally:
            os.unlink(path)
        return database

    def create(self, schema: str) -> None:
        """Make tables."""
        self._run(lambda: self._database.executescript(schema) and None)

    def new_name(self) -> str:
        """Return a name that no table has."""
        return f"table_{next(self._names)}"

    def on_full(self, forget: Callable[[], None], kept: dict[str, str]) -> None:
        """Call `forget` when the file cannot be written any more; of some tables only the rows of a condition are kept.

        What is kept moves into memory.
        """
        self._on_full.append(forget)
        self._kept |= kept

    def one(self, query: str, *values: Any) -> Any:
        """Return the first row of a query, or None."""
        return self._run(lambda: self._database.execute(query, values).fetchone())

    def all(self, query: str, *values: Any) -> list[Any]:
        """Return the rows of a query."""
        return self._run(lambda: self._database.execute(query, values).fetchall())

    def write(self, *statements: Statement) -> None:
        """Change all or nothing.

        Raises:
            ConfigError: the folder for temporary files has no room for what cannot be forgotten.
        """
        given = [(sql, list(values)) for sql, values in statements]
        self._run(lambda: self._change(given))

    def _change(self, statements: list[tuple[str, list[tuple[Any, ...]]]]) -> None:
        self._database.execute("BEGIN")
        try:
            for sql, values in statements:
                self._database.executemany(sql, values)
            self._database.execute("COMMIT")
        except sqlite3.Error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def _run(self, job: Callable[[], Value]) -> Value:
        with self._lock:
            try:
                return job()
            except sqlite3.OperationalError as error:
                if str(error) not in _FULL:
                    raise
                try:
                    self._move_to_memory()
                    return job()
                except sqlite3.OperationalError:
                    raise self._too_small() from None

    def _move_to_memory(self) -> None:
        """Go on in memory with what cannot be asked for again; what it has no room for raises an OperationalError."""
        for forget in self._on_full:
            forget()
        file, self._on_full = self._database, []
        if not self._kept:
            raise sqlite3.OperationalError(_FULL[0])
        logger.warning(
            "The folder for temporary files, %s, has no room left. What was read of rows is forgotten and "
            "asked for again where it is needed, which takes longer.",
            self._folder,
        )
        memory, kept = _in_memory(), self._kept
        self._kept = {}
        for name, sql in file.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall():
            memory.execute(sql)
            read = file.execute(f"SELECT * FROM {name} WHERE {kept.get(name, '1')}")  # noqa: S608 - our own words
            while rows := read.fetchmany(ROWS_AT_ONCE):
                marks = ", ".join("?" * len(rows[0]))
                memory.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)  # noqa: S608 - as above
        for (sql,) in file.execute("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL").fetchall():
            memory.execute(sql)
        self._database = memory

    def _too_small(self) -> ConfigError:
        taken = self._database.execute("PRAGMA page_count").fetchone()[0] * 4096 / 1e6
        return ConfigError(
            f"The folder for temporary files, {self._folder or 'of which there is none'}, has no room for what this "
            f"sync has to remember of its rows: {taken:.0f} MB were taken so far. Give it more room (in Kubernetes the "
            "ephemeral-storage of the pod, or the sizeLimit of the volume), or let the environment variable TMPDIR "
            "name a folder that has it. The rows that have no outcome yet come again with the next sync."
        )


class Table:
    """Texts by a text, in the store; not to be forgotten. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._name = store.new_name()
        store.create(f"CREATE TABLE {self._name} (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")

    def put_all(self, rows: Iterable[tuple[str, str]]) -> None:
        """Remember rows, each a key and its value."""
        self._store.write((f"INSERT OR REPLACE INTO {self._name} VALUES (?, ?)", rows))  # noqa: S608 - our own name

    def has(self, key: str) -> bool:
        """Tell whether a key was put in."""
        return self._store.one(f"SELECT 1 FROM {self._name} WHERE key = ?", key) is not None  # noqa: S608

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield the rows in the order of their keys, a few at a time from the disk."""
        last = ""
        query = f"SELECT * FROM {self._name} WHERE key > ? ORDER BY key LIMIT {ROWS_AT_ONCE}"  # noqa: S608
        while rows := self._store.all(query, last):
            yield from rows
            last = rows[-1][0]


class Recent(Generic[Value]):
    """The most recently used entries of a mapping. Safe to use from several threads."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._entries: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        """Return what is remembered of a key."""
        if not self._entries:
            return None
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
        return None

    def put(self, key: Hashable, value: Value) -> Value | None:
        """Remember an entry, in the place of the one with the same key, which is returned."""
        with self._lock:
            before = self._entries.get(key)
            self._entries[key] = value
            self._entries.move_to_end(key)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
            return before

    def forget(self, key: Hashable) -> None:
        """Forget an entry, if it is there."""
        if self._entries:
            with self._lock:
                self._entries.pop(key, None)


def _in_memory() -> sqlite3.Connection:
    database = _opened(":memory:")
    database.execute(f"PRAGMA max_page_count={IN_MEMORY_PAGES}")
    return database


def _opened(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    # Without a journal the file could not be read any more once a write has failed.
    database.execute("PRAGMA journal_mode=MEMORY")
    database.execute("PRAGMA synchronous=OFF")
    database.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    return database


def joined(identity: tuple[str, ...]) -> str:
    """Return an identity as one text, without the name of the object, which may be spelled in several ways."""
    return SEPARATOR.join(identity[1:])
