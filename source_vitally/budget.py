"""The request budget of one REST key, shared by every stream of a sync."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import requests
from airbyte_cdk.sources.streams.call_rate import APIBudget, MovingWindowCallRatePolicy, Rate

from vitally_api import answers

_MINUTE = 60.0
_RESERVE = 0.01
_ONE_REQUEST = "request"


class RequestBudget(APIBudget):
    """Paces requests by a moving window of one minute, and slower when the server says that little is left.

    Vitally counts a key's requests in a token bucket that refills evenly and answers every request with what
    remains. Other clients of the same key drain it too, so below one percent all requests wait until it has refilled
    that far. `RateLimit-Reset` is not used for pacing: by Vitally's docs it is the time until one unit refills.
    """

    def __init__(
        self,
        requests_per_minute: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(policies=[MovingWindowCallRatePolicy([Rate(requests_per_minute, timedelta(minutes=1))], [])])
        self._requests_per_minute = requests_per_minute
        self._clock = clock
        self._sleep = sleep
        self._not_before = 0.0
        self._lock = threading.Lock()

    def acquire_call(self, request: Any, block: bool = True, timeout: float | None = None) -> None:
        """Wait until both the window and the server's bucket allow one more request."""
        # The window keeps for a minute what it counts, and whole requests would be megabytes.
        super().acquire_call(_ONE_REQUEST, block, timeout)
        with self._lock:
            wait = self._not_before - self._clock()
        if wait > 0:
            self._sleep(wait)

    def update_from_response(self, request: Any, response: Any) -> None:
        """Take note of what the server says remains."""
        if not isinstance(response, requests.Response):
            return
        remaining = answers.remaining(response.headers)
        limit = answers.limit(response.headers) or self._requests_per_minute
        missing = max(1.0, limit * _RESERVE) - remaining if remaining is not None else 0.0
        if missing > 0:
            with self._lock:
                self._not_before = self._clock() + missing * _MINUTE / limit
