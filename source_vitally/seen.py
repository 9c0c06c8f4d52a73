"""Which versions of rows a sync has given, so that none comes twice: in a few bytes a row, most of them on disk."""

from __future__ import annotations

import logging
import sqlite3
import sys
from array import array

logger = logging.getLogger("airbyte")

IN_MEMORY = 65_000
"""Rows of a stream, of 16 bytes, that are remembered in memory; what is more lies on disk."""

_EIGHT_BYTES, _HALF = 2**64 - 1, 2**63


class Seen:
    """A set of hashes of 8 bytes: some tens of thousands in memory, in open addressing, and all others on disk.

    That two of a million rows have one hash is a chance of one in thirty million. On a disk that is full or cannot be
    written a row that comes again is taken for new.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._slots = array("Q", bytes(8 * 1024))
        self._count = 0
        self._in_memory = in_memory
        self._disk: sqlite3.Connection | None = None

    def add(self, key: str) -> bool:
        """Add a key and return whether it is new."""
        value = (hash(key) & _EIGHT_BYTES) or 1  # 0 is an empty slot
        slot = self._slot(value)
        if self._slots[slot]:
            return False
        if self._count >= self._in_memory:
            return self._is_new_on_disk(value)
        self._slots[slot] = value
        self._count += 1
        if self._count * 2 >= len(self._slots):
            self._grow()
        return True

    def _slot(self, value: int) -> int:
        """Return where a value is, or the empty slot for it."""
        mask = len(self._slots) - 1
        slot = value & mask
        while self._slots[slot] not in (0, value):
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        old, self._slots = self._slots, array("Q", bytes(16 * len(self._slots)))
        for value in filter(None, old):
            self._slots[self._slot(value)] = value

    def _is_new_on_disk(self, value: int) -> bool:
        try:
            self._disk = self._disk or _opened()
            return bool(self._disk.execute("INSERT OR IGNORE INTO seen VALUES (?)", (value - _HALF,)).rowcount)
        except sqlite3.Error as problem:
            self._disk, self._in_memory = None, sys.maxsize
            logger.warning(f"What was read is remembered in memory from here on, as it cannot be on disk: {problem}.")
            return True


def _opened() -> sqlite3.Connection:
    """Return a database in a file of no name, of which some two megabytes are held in memory."""
    disk = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    for statement in (
        "PRAGMA journal_mode=OFF",
        "PRAGMA cache_size=-2000",
        "CREATE TABLE seen (hash INTEGER PRIMARY KEY)",
    ):
        disk.execute(statement)
    disk.execute("BEGIN")
    return disk
