"""The threads that wait for Vitally's answers: bounded in number, and never two at the same row."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from heapq import heappop, heappush
from itertools import count as numbers

from destination_vitally.clock import Clock

BACKLOG = 2
"""Jobs per worker that may be under way or waiting; more of them would only hold memory."""

PARKED = 500
"""Jobs that may be parked at once; more of them would only hold memory."""

Job = Callable[[], float | None]


class Workers:
    """Runs jobs in threads. Jobs that share a key run one after the other, in the order they came.

    A job that returns a number of seconds is parked: it runs again after that time, keeps its keys until it is done,
    and takes no worker meanwhile. The thread that submits is the one that wakes parked jobs.
    """

    def __init__(self, count: int, clock: Clock, may_stay: Callable[[], int] = lambda: 0) -> None:
        """`may_stay` says how many parked jobs nothing has to wait for before the end."""
        self._may_stay = may_stay
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="worker")
        self._clock = clock
        self._limit = count * BACKLOG
        self._running = 0
        self._busy: set[Hashable] = set()
        self._parked: list[tuple[float, int, frozenset[Hashable], Job]] = []
        self._numbers = numbers()
        self._changed = threading.Condition()
        self._failure: BaseException | None = None

    def submit(self, keys: Iterable[Hashable], job: Job, may_begin: Callable[[], bool] = lambda: True) -> None:
        """Run `job` soon; waits while there is no room, while one of `keys` is at work, or it may not begin.

        Raises:
            BaseException: what an earlier job failed with.
        """
        wanted = frozenset(keys)
        with self._changed:
            self._wait_until(
                lambda: (
                    self._has_room() and len(self._parked) < PARKED and wanted.isdisjoint(self._busy) and may_begin()
                )
            )
            self._busy |= wanted
            self._start(wanted, job)

    def drain(self) -> None:
        """Wait until every job is done but for those that may stay parked; raises what a job failed with."""
        with self._changed:
            self._wait_until(lambda: not self._running and len(self._parked) <= self._may_stay())

    def finish(self) -> None:
        """Wait until every job is done; raises what a job failed with."""
        with self._changed:
            self._wait_until(lambda: not self._running and not self._parked)

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
        """Wait with the lock held, and wake parked jobs meanwhile."""
        while True:
            self._raise_failure()
            self._wake()
            if is_ready():
                return
            pause = self._parked[0][0] - self._clock.monotonic() if self._parked and self._has_room() else None
            if self._running:
                self._changed.wait(pause)
            elif pause is not None:
                self._let_pass(pause)

    def _let_pass(self, seconds: float) -> None:
        self._changed.release()
        try:
            self._clock.wait(max(0.0, seconds))
        finally:
            self._changed.acquire()

    def _wake(self) -> None:
        while self._parked and self._has_room() and self._parked[0][0] <= self._clock.monotonic():
            _, _, keys, job = heappop(self._parked)
            self._start(keys, job)

    def _start(self, keys: frozenset[Hashable], job: Job) -> None:
        self._running += 1
        self._pool.submit(self._run, keys, job)

    def _run(self, keys: frozenset[Hashable], job: Job) -> None:
        again: float | None = None
        try:
            if self._failure is None:
                again = job()
        except BaseException as failure:
            self.fail(failure)
        finally:
            with self._changed:
                self._running -= 1
                if again is None:
                    self._busy -= keys
                else:
                    heappush(self._parked, (self._clock.monotonic() + again, next(self._numbers), keys, job))
                self._changed.notify_all()
