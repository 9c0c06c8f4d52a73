"""How much of what was read is held at once: bytes of pages and details, and of records that wait to be printed."""

from __future__ import annotations

import ctypes
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from queue import Queue
from typing import Any, ParamSpec, TypeVar

from source_vitally.clocks import DateWatch

Item = TypeVar("Item")
Result = TypeVar("Result")
Given = ParamSpec("Given")

QUEUED_BYTES = 1_000_000
"""Bytes of records, as they came, that wait to be printed; then reading waits."""

ROOM_BYTES = 6_000_000
"""Bytes of answers, as they came, that are worked on at once, over all streams."""

AHEAD_BYTES = ROOM_BYTES // 2
"""Above this no detail is asked for ahead of its turn, so that one that does not come stops its own stream only."""

UNKNOWN_BYTES = 2_000_000
"""What a first answer is taken for, until it is there: pages of megabytes have been seen."""

LEAST_READERS = 2
"""The CDK reads so many partitions at once, whatever `num_workers` says."""

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


class Abandoned(Exception):  # noqa: N818
    """Nobody wants the answer any more that is being asked for."""


class Place:
    """The part of a room that one answer takes; left once."""

    def __init__(self, room: Room, *, waits: bool) -> None:
        self._room = room
        self._waits = waits
        self.size = 0
        self.is_left = False

    def weigh(self, size: int) -> None:
        """Say how large the answer really is."""
        self._room.resize(self, size)

    def leave(self) -> None:
        """Let others have it."""
        self._room.resize(self, 0, leaves=True)

    def during(self, ask: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
        """Ask for the answer that this place is for."""
        before = _asked_for.set(self)
        try:
            return ask(*given, **named)
        finally:
            _asked_for.reset(before)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let others have it for a while, then take it again; raise Abandoned where it has been left meanwhile."""
        size = self.size
        self.weigh(0)
        yield
        if self.is_left:
            raise Abandoned
        self._room.resize(self, size, wait=self._waits)


_asked_for: ContextVar[Place | None] = ContextVar("asked_for", default=None)


def aside() -> AbstractContextManager[None]:
    """Let others have the place of the answer that this thread asks for, while there is nothing to do but wait."""
    place = _asked_for.get()
    return place.aside() if place else nullcontext()


class Room:
    """A bound on the bytes that are held at once, over all streams. One answer always finds a place."""

    def __init__(self, limit: int = ROOM_BYTES) -> None:
        self._limit = limit
        self._taken = 0
        self._changed = threading.Condition()

    def has(self, size: int, limit: int | None = None) -> bool:
        """Whether so many bytes would find a place now, or a place below a limit of their own."""
        return not self._taken or self._taken + size <= (self._limit if limit is None else limit)

    def resize(self, place: Place, size: int, *, wait: bool = False, leaves: bool = False) -> None:
        """Give a place that has not been left another size: whatever is taken, or as soon as there is room."""
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self.has(size))
            if not place.is_left:
                self._taken += size - place.size
                place.size, place.is_left = size, leaves
                self._changed.notify_all()

    @contextmanager
    def place(self, size: int) -> Iterator[Place]:
        """Wait for a place. Who waits for one must not hold what somebody else waits for."""
        place = Place(self, waits=True)
        self.resize(place, size, wait=True)
        try:
            yield place
        finally:
            place.leave()

    def place_at_once(self, size: int) -> Place:
        """Take a place, whatever is taken."""
        place = Place(self, waits=False)
        self.resize(place, size)
        return place


class Shared:
    """What all streams of a command share: the room, the dates of answers, the threads for details, what has been said.

    There are threads for all that may be asked for at once by as many readers as the CDK has, so that one that waits
    to try again keeps nobody from asking. How many requests are under way is bounded by the budget.
    """

    def __init__(self, workers: int) -> None:
        self.room = Room()
        self.dates = DateWatch()
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers * max(workers, LEAST_READERS), thread_name_prefix="details")
        self._said: dict[str, object] = {}

    def is_new(self, what: str) -> bool:
        """Whether something that is said once has not been said yet."""
        mark = object()  # streams are read at the same time
        return self._said.setdefault(what, mark) is mark

    def in_order(
        self, ask: Callable[[Item], Result], items: Iterable[Item], size_of: Callable[[Result], int]
    ) -> Generator[tuple[Item, Result], None, None]:
        """Yield each item with its result, in order, while the next ones are asked for.

        Another is asked for when half of the room has a place for it, or when none is under way; it is taken to be as
        large as the one before. So this never waits for the room, and others may wait for it.
        """
        window: deque[tuple[Item, Future[Result], Place]] = deque()
        size = UNKNOWN_BYTES
        waiting = iter(items)
        item = next(waiting, None)
        try:
            while window or item is not None:
                while item is not None and (not window or self._may_go_ahead(len(window), size)):
                    place = self.room.place_at_once(size)
                    window.append((item, self._pool.submit(place.during, ask, item), place))
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

    def _may_go_ahead(self, ahead: int, size: int) -> bool:
        return ahead < self._workers and self.room.has(size, AHEAD_BYTES)
