"""The threads that wait for Vitally's answers: bounded in number, and never two at the same row.

A lane is all keys of one row: what shares one of them is done one after the other, in the order of the input.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from heapq import heappop, heappush
from itertools import count as numbers
from typing import NamedTuple

from destination_vitally.clock import Clock

BACKLOG = 2
"""Jobs per worker that may be under way or waiting; more of them would only hold memory."""

PARKED = 500
"""Jobs with lanes that may be parked at once; more of them would only hold memory."""

BEAT = 5.0
"""Whoever waits for what takes long looks up after so many seconds."""

Job = Callable[[], float | None]


class Lanes:
    """Runs jobs in threads. Jobs that share a lane run one after the other, in the order in which they were submitted.

    A job that returns a number of seconds is parked: it runs again after that time, keeps its lanes until it is done,
    and takes no thread meanwhile. Whoever submits or waits is the one that wakes parked jobs.
    """

    def __init__(self, count: int, clock: Clock) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="worker")
        self._clock = clock
        self._limit = count * BACKLOG
        self._running = 0
        self._busy: set[Hashable] = set()
        self._parked: list[_Parked] = []
        self._keyed = 0
        self._numbers = numbers()
        self._changed = threading.Condition(threading.RLock())
        self._failure: BaseException | None = None
        self.beat: Callable[[], None] = lambda: None
        """Called again and again by whoever waits."""

    def submit(self, lanes: Iterable[Hashable], job: Job, may_begin: Callable[[], bool] = lambda: True) -> None:
        """Run `job` soon; waits while there is no room, while one of its lanes is at work, or it may not begin.

        Raises:
            BaseException: what an earlier job failed with.
        """
        wanted = frozenset(lanes)
        with self._changed:
            self._wait_until(
                lambda: self._has_room() and self._keyed < PARKED and wanted.isdisjoint(self._busy) and may_begin()
            )
            self._busy |= wanted
            self._start(_Parked(0.0, next(self._numbers), wanted, job, is_background=False))

    def again(self, job: Job) -> None:
        """Run a job in the background, which nothing waits for before the end. Any thread may call it."""
        with self._changed:
            heappush(
                self._parked,
                _Parked(self._clock.monotonic(), next(self._numbers), frozenset(), job, is_background=True),
            )
            self._changed.notify_all()

    def together(self, jobs: Iterable[Callable[[], object]]) -> None:
        """Run jobs side by side, and wait for them alone; raises what a job failed with."""
        left = 0

        def counted(job: Callable[[], object]) -> None:
            nonlocal left
            job()
            with self._changed:
                left -= 1
                self._changed.notify_all()

        for job in jobs:
            with self._changed:
                left += 1
            self.submit([], partial(counted, job))
        self.wait_until(lambda: not left)

    def wait_until(self, is_ready: Callable[[], bool]) -> None:
        """Wait, and let time pass, until something is so or there is nothing left that could make it so."""
        with self._changed:
            self._wait_until(is_ready)

    def drain(self) -> None:
        """Wait until no job is under way; those that are parked stay so. Raises what a job failed with."""
        self.wait_until(lambda: not self._running)

    def finish(self, *, background: bool = False) -> None:
        """Wait until every job is done, those in the background only if asked for; raises what a job failed with."""
        self.wait_until(
            lambda: (
                not self._running and (not self._parked if background else all(o.is_background for o in self._parked))
            )
        )

    def close(self) -> None:
        """Wait for the jobs under way and end the threads."""
        self._pool.shutdown(cancel_futures=True)

    def fail(self, failure: BaseException) -> None:
        """Start no more jobs; whoever waits gets `failure`."""
        with self._changed:
            self._failure = self._failure or failure
            self._changed.notify_all()

    def check(self) -> None:
        """Raise what a job failed with, if one has; start what was parked long enough."""
        with self._changed:
            self._raise_failure()
            self._wake()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _has_room(self) -> bool:
        return self._running < self._limit

    def _wait_until(self, is_ready: Callable[[], bool]) -> None:
        """Wait with the lock held, and wake parked jobs meanwhile; no longer than there are jobs that could help."""
        while True:
            self._raise_failure()
            self.beat()
            if is_ready() or not (self._running or self._parked):
                return
            self._wake()
            pause = self._parked[0].due - self._clock.monotonic() if self._parked and self._has_room() else None
            if self._running:
                self._changed.wait(BEAT if pause is None else min(pause, BEAT))
            elif pause is not None:
                self._changed.release()
                try:
                    self._clock.wait(max(0.0, pause))
                finally:
                    self._changed.acquire()

    def _wake(self) -> None:
        while self._parked and self._has_room() and self._parked[0].due <= self._clock.monotonic():
            parked = heappop(self._parked)
            self._keyed -= bool(parked.lanes)
            self._start(parked)

    def _start(self, parked: _Parked) -> None:
        self._running += 1
        self._pool.submit(self._run, parked)

    def _run(self, parked: _Parked) -> None:
        again: float | None = None
        try:
            if self._failure is None:
                again = parked.job()
        except BaseException as failure:
            self.fail(failure)
        finally:
            with self._changed:
                self._running -= 1
                if again is None:
                    self._busy -= parked.lanes
                else:
                    self._keyed += bool(parked.lanes)
                    heappush(self._parked, parked._replace(due=self._clock.monotonic() + again))
                self._changed.notify_all()


class _Parked(NamedTuple):
    """A job, when it runs next, and what it keeps others from meanwhile."""

    due: float
    number: int
    lanes: frozenset[Hashable]
    job: Job
    is_background: bool


class KeyKinds:
    """By which keys the rows of each object are identified.

    Where none is common to all, nobody can tell which changes are of one row, and all of them have to keep their order.

    Attributes:
        differ: the paths of the objects of which that is so.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, set[frozenset[str]]] = {}
        self.differ: set[str] = set()

    def differ_first(self, path: str, lanes: Iterable[tuple[str, ...]]) -> bool:
        """Take note of the lanes of a row; return whether its object is the first time one whose keys differ."""
        names = frozenset(lane[1] for lane in lanes if lane[0] == path)
        kinds = self._kinds.setdefault(path, set())
        is_new = path not in self.differ and bool(names) and any(names.isdisjoint(others) for others in kinds)
        if is_new:
            self.differ.add(path)
        if names:
            kinds.add(names)
        return is_new
