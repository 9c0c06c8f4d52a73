"""The threads that wait for Vitally's answers: bounded in number, and never two at the same row."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor

BACKLOG = 2
"""Jobs per worker that may be under way or waiting; more of them would only hold memory."""


class Workers:
    """Runs jobs in threads. Jobs that share a key run one after the other, in the order they came."""

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="worker")
        self._limit = count * BACKLOG
        self._running = 0
        self._busy: set[Hashable] = set()
        self._changed = threading.Condition()
        self._failure: BaseException | None = None

    def submit(self, keys: Iterable[Hashable], job: Callable[[], None]) -> None:
        """Run `job` soon; waits while there is no room, or while one of `keys` is at work.

        Raises:
            BaseException: what an earlier job failed with.
        """
        wanted = frozenset(keys)
        with self._changed:
            while self._failure is None and (self._running >= self._limit or not wanted.isdisjoint(self._busy)):
                self._changed.wait()
            self._raise_failure()
            self._running += 1
            self._busy |= wanted
        self._pool.submit(self._run, wanted, job)

    def drain(self) -> None:
        """Wait until every job has ended; raises what a job failed with."""
        with self._changed:
            while self._running:
                self._changed.wait()
            self._raise_failure()

    def close(self) -> None:
        """Wait for the jobs under way and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def fail(self, failure: BaseException) -> None:
        """Start no more jobs; whoever waits gets `failure`."""
        with self._changed:
            self._failure = self._failure or failure
            self._changed.notify_all()

    def check(self) -> None:
        """Raise what a job failed with, if one has."""
        with self._changed:
            self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _run(self, keys: frozenset[Hashable], job: Callable[[], None]) -> None:
        try:
            if self._failure is None:
                job()
        except BaseException as failure:
            self.fail(failure)
        finally:
            with self._changed:
                self._running -= 1
                self._busy -= keys
                self._changed.notify_all()
