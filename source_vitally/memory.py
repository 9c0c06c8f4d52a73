"""How much of what was read is held at once: bytes of pages and details, of records that wait to be printed, of ids."""

from __future__ import annotations

import ctypes
import threading
from array import array
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import Queue
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

QUEUED_BYTES = 4_000_000
"""Bytes of records, as they came, that wait to be printed; then reading waits."""

ROOM_BYTES = 6_000_000
"""Bytes of answers, as they came, that are worked on at once, over all streams."""

UNKNOWN_BYTES = 2_000_000
"""What a first answer is taken for, until it is there: pages of megabytes have been seen."""

SHARED = "__shared"
"""Where in the config the streams of a command find what they share."""

_ITEM_BYTES = 500
_ARENA_MAX = -8
_WEIGHT = "_vitally_weight"


def give_memory_back() -> None:
    """Let the threads of this process share what they have freed, where the C library is glibc.

    By default each thread keeps its own, so that with pages of megabytes a fifth of the memory is free and not given
    back. Call this before the first thread begins.
    """
    with suppress(OSError, AttributeError, TypeError):  # another system, another C library
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def weigh(record: Any, size: int) -> None:
    """Take note of how many bytes a record takes."""
    setattr(record, _WEIGHT, size)


class WeighedQueue(Queue[Any]):
    """A queue whose bound and size are bytes; what has not been weighed is small."""

    def _init(self, maxsize: int) -> None:
        self.queue: deque[Any] = deque()
        self._bytes = 0

    def _qsize(self) -> int:
        return self._bytes

    def _put(self, item: Any) -> None:
        self._bytes += self._weight(item)
        self.queue.append(item)

    def _get(self) -> Any:
        item = self.queue.popleft()
        self._bytes -= self._weight(item)
        return item

    def _weight(self, item: Any) -> int:
        return _ITEM_BYTES + int(getattr(item, _WEIGHT, 0))


class Place:
    """The part of a room that one answer takes; left once."""

    def __init__(self, room: Room, size: int) -> None:
        self._room = room
        self.size = size

    def weigh(self, size: int) -> None:
        """Say how large the answer really is."""
        self._room.change(size - self.size)
        self.size = size

    def leave(self) -> None:
        """Let others have it."""
        self.weigh(0)


class Room:
    """A bound on the bytes that are held at once, over all streams. One answer always finds a place."""

    def __init__(self, limit: int = ROOM_BYTES) -> None:
        self._limit = limit
        self._taken = 0
        self._changed = threading.Condition()

    def change(self, by: int) -> None:
        """Take or leave bytes, whatever is taken."""
        with self._changed:
            self._taken += by
            self._changed.notify_all()

    def has(self, size: int) -> bool:
        """Whether so many bytes would find a place now."""
        return not self._taken or self._taken + size <= self._limit

    @contextmanager
    def place(self, size: int) -> Iterator[Place]:
        """Wait for a place. Who waits for one must not hold what somebody else waits for."""
        with self._changed:
            self._changed.wait_for(lambda: self.has(size))
            self._taken += size
        place = Place(self, size)
        try:
            yield place
        finally:
            place.leave()

    def place_at_once(self, size: int) -> Place:
        """Take a place, whatever is taken."""
        self.change(size)
        return Place(self, size)


class Shared:
    """What all streams of a command share: the room, and the workers that ask for details."""

    def __init__(self, workers: int) -> None:
        self.room = Room()
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="details")

    def in_order(
        self, ask: Callable[[Item], Result], items: Iterable[Item], size_of: Callable[[Result], int]
    ) -> Generator[tuple[Item, Result], None, None]:
        """Yield each item with its result, in order, while the next ones are asked for.

        Another is asked for when the room has a place for it, or when none is under way; it is taken to be as large
        as the one before. So this never waits for the room, and others may wait for it.
        """
        window: deque[tuple[Item, Future[Result], Place]] = deque()
        size = UNKNOWN_BYTES
        waiting = iter(items)
        item = next(waiting, None)
        try:
            while window or item is not None:
                while item is not None and (not window or (len(window) < self._workers and self.room.has(size))):
                    window.append((item, self._pool.submit(ask, item), self.room.place_at_once(size)))
                    item = next(waiting, None)
                asked, future, place = window[0]
                result = future.result()
                size = max(size_of(result), 1)
                place.weigh(size)
                yield asked, result
                del future, result
                window.popleft()
                place.leave()
        finally:
            for _, future, place in window:
                future.cancel()
                place.leave()


class Seen:
    """A set of hashes of 8 bytes in open addressing: 16 bytes a member, 32 at the most while it grows.

    A million rows take 16 MB; that two of them have one hash is a chance of one in thirty million.
    """

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * 1024))
        self._count = 0

    def add(self, key: str) -> bool:
        """Add a key and return whether it is new."""
        if self._count * 2 >= len(self._slots):
            old, self._slots = self._slots, array("Q", bytes(16 * len(self._slots)))
            for value in filter(None, old):
                self._slots[self._slot(value)] = value
        value = (hash(key) & 0xFFFF_FFFF_FFFF_FFFF) or 1  # 0 is an empty slot
        slot = self._slot(value)
        if self._slots[slot]:
            return False
        self._slots[slot] = value
        self._count += 1
        return True

    def _slot(self, value: int) -> int:
        """Return where a value is, or the empty slot for it."""
        mask = len(self._slots) - 1
        slot = value & mask
        while self._slots[slot] not in (0, value):
            slot = (slot + 1) & mask
        return slot
