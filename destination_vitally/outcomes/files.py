"""Lines on their way into a bucket: gathered by folder, stored as gzipped files of bounded size."""

from __future__ import annotations

import gzip
import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import quote

from destination_vitally.clock import Clock

if TYPE_CHECKING:
    from destination_vitally.outcomes.bucket import Bucket

FULL_BYTES = 8_000_000
"""From here on what was gathered is stored without waiting for a state, so that memory stays flat; and a file ends."""


def folder_of(*names: object) -> str:
    """Return the path of a folder: names with what a path gives a meaning to encoded, empty ones left out."""
    encoded = [quote(str(name), safe="") for name in names if name not in ("", None)]
    return "/".join(name.replace(".", "%2E") if name in (".", "..") else name for name in encoded)


class Files:
    """Files of lines in a bucket. Safe to use from several threads."""

    def __init__(self, bucket: Bucket, clock: Clock, suffix: str, framed: Callable[[list[bytes]], bytes]) -> None:
        """`framed` makes the contents of a file of its lines; `suffix` stands before `.gz` in its name."""
        self._bucket = bucket
        self._clock = clock
        self._suffix = suffix
        self._framed = framed
        self._lock = threading.Lock()
        self._storing = threading.Lock()
        self._lines: dict[str, list[bytes]] = {}
        self._bytes = 0

    def add(self, folder: str, line: bytes) -> None:
        """Take a line, with its end, that goes into a file of a folder."""
        with self._lock:
            self._lines.setdefault(folder, []).append(line)
            self._bytes += len(line)

    @property
    def is_full(self) -> bool:
        """Whether so much was taken that it should be stored without waiting."""
        return self._bytes >= FULL_BYTES

    def flush(self) -> None:
        """Store what was taken so far; raises as `Bucket.put`, and then still has what is not stored."""
        with self._storing:
            for folder in list(self._lines):
                left = len(self._lines[folder])
                while left > 0:
                    lines = self._first(folder)
                    self._bucket.put(f"{folder}/{self._name()}", gzip.compress(self._framed(lines)))
                    with self._lock:
                        del self._lines[folder][: len(lines)]
                        self._bytes -= sum(map(len, lines))
                    left -= len(lines)

    def _first(self, folder: str) -> list[bytes]:
        """Return the lines of the next file: as many as make it full."""
        few, size = list[bytes](), 0
        with self._lock:
            for line in self._lines[folder]:
                few.append(line)
                size += len(line)
                if size >= FULL_BYTES:
                    break
        return few

    def _name(self) -> str:
        return f"{stamp(self._clock)}-{uuid.uuid4().hex[:12]}.{self._suffix}.gz"


def stamp(clock: Clock) -> str:
    """Return the time as names of files have it, in UTC and without what paths give a meaning to."""
    return f"{datetime.fromtimestamp(clock.now(), timezone.utc):%Y%m%dT%H%M%SZ}"
