"""The request budget of one REST key, shared by every stream of a sync."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock
from typing import Any

import requests
from airbyte_cdk.sources.streams.call_rate import APIBudget, CallRateLimitHit, MovingWindowCallRatePolicy, Rate

from source_vitally.progress import HERE
from vitally_api import answers

logger = logging.getLogger("airbyte")

WORTH_SAYING = 5.0
"""Seconds from which on a wait is said in the log."""

_MINUTE = 60.0
_RESERVE = 0.01
_ONE_REQUEST = "request"


class RequestBudget(APIBudget):
    """Paces requests by a moving window of one minute, and slower when the server says that little is left.

    Vitally counts a key's requests in a token bucket that refills evenly and answers every request with what
    remains. Other clients of the same key drain it too, so below one percent all requests wait until it has refilled
    that far. `RateLimit-Reset` is not used for pacing: by Vitally's docs it is the time until one unit refills.

    It also holds how many requests are under way at once, over all streams, and counts those that succeeded. Who reads
    a large answer has the `turn`.
    """

    def __init__(
        self,
        requests_per_minute: int,
        num_workers: int = 1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(policies=[MovingWindowCallRatePolicy([Rate(requests_per_minute, timedelta(minutes=1))], [])])
        self._requests_per_minute = requests_per_minute
        self._clock = clock
        self._sleep = sleep
        self._not_before = 0.0
        self._said_until = 0.0
        self._slots = threading.BoundedSemaphore(num_workers)
        self._lock = threading.Lock()
        self.successes = 0
        self.turn = Lock()

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Let one request be under way, as soon as fewer than `num_workers` are."""
        with self._slots:
            yield

    def succeeded(self) -> None:
        """Take note of a request that succeeded."""
        with self._lock:
            self.successes += 1

    def acquire_call(self, request: Any, block: bool = True, timeout: float | None = None) -> None:
        """Wait until both the window and the server's bucket allow one more request."""
        HERE.sent()
        with HERE.waiting("its turn within the request limit"):
            self._acquire(request, block, timeout)

    def _acquire(self, request: Any, block: bool, timeout: float | None) -> None:
        # The window keeps for a minute what it counts, and whole requests would be megabytes.
        try:
            super().acquire_call(_ONE_REQUEST, block=False)
        except CallRateLimitHit as hit:
            if not block:
                raise
            why = "as many requests as Requests per minute (requests_per_minute) allows are sent"
            self._say(hit.time_to_wait.total_seconds(), why)
            super().acquire_call(_ONE_REQUEST, block, timeout)
        with self._lock:
            wait = self._not_before - self._clock()
        if wait > 0:
            self._say(wait, "Vitally says that little of the key's request limit is left")
            self._sleep(wait)

    def _say(self, wait: float, reason: str) -> None:
        """Say a wait that is worth it, once for all who wait."""
        with self._lock:
            now = self._clock()
            if wait < WORTH_SAYING or now < self._said_until:
                return
            self._said_until = now + wait
        logger.info(f"Waiting {wait:.0f} seconds: {reason}.")

    def update_from_response(self, request: Any, response: Any) -> None:
        """Take note of what the server says remains."""
        if not isinstance(response, requests.Response):
            return
        remaining = answers.remaining(response.headers)
        limit = answers.limit(response.headers) or self._requests_per_minute
        missing = max(1.0, limit * _RESERVE) - max(remaining, 0.0) if remaining is not None else 0.0
        if missing > 0:
            with self._lock:
                self._not_before = self._clock() + missing * _MINUTE / limit
