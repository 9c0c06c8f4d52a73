"""The pace of requests: the configured budget, slowed by what the server says about its own."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import inf

from destination_vitally.clock import Clock
from destination_vitally.errors import LateError
from vitally_api import answers

logger = logging.getLogger("airbyte")

WORTH_SAYING = 5.0
"""Seconds from which on a pause is said in the log."""

_MINUTE = 60.0
_RESERVE = 0.01
"""The part of the server's budget that is left untouched, because a write may cost several units."""


_ROUNDING = 1e-9
"""So much longer is a gap than it need be, since sums of it are rounded."""


class Limiter:
    """At most `per_minute` requests in any minute that moves: three quarters as they come, the last quarter spread.

    So a small job waits for nothing, and after a burst nobody waits for longer than `60 / (per_minute / 4)` seconds.
    Shared by all workers. The server's `RateLimit-*` or `X-RateLimit-*` headers slow it further: Vitally's
    docs say that a write may cost more than one unit, and that the reset is the time until ONE is back.
    """

    def __init__(self, per_minute: int, clock: Clock) -> None:
        spread = max(1, per_minute // 4)
        self.gap = _MINUTE / spread * (1 + _ROUNDING)
        """Seconds between two requests once those that go as they come are used up."""
        self._burst = per_minute - spread
        self._clock = clock
        self._sent: deque[float] = deque()
        self._next_spread = 0.0
        self._not_before = 0.0
        self._cost = 1.0
        self._in_front = 0
        self.waiting = 0
        """How many requests wait for their turn."""
        self.sent = 0
        """How many requests were let through."""
        self._lock = threading.Lock()

    def acquire(self, until: float = inf) -> None:
        """Wait until one more request may be sent; one that is right only `until` some time goes before others.

        Raises:
            LateError: that time, by the monotonic clock, has passed.
        """
        with self._in_line(is_first=until < inf):
            while True:
                with self._lock:
                    now = self._clock.monotonic()
                    if now > until:
                        raise LateError
                    delay = self._taken(now) if until < inf or not self._in_front else self.gap
                    if delay <= 0:
                        self.sent += 1
                        return
                self._clock.wait(delay)

    @contextmanager
    def _in_line(self, *, is_first: bool) -> Iterator[None]:
        self._count(1, is_first)
        try:
            yield
        finally:
            self._count(-1, -is_first)

    def _count(self, waiting: int, in_front: int) -> None:
        with self._lock:
            self.waiting += waiting
            self._in_front += in_front

    def _taken(self, now: float) -> float:
        """Take a place in the minute; the seconds until there may be one where there is none."""
        if now < self._not_before:
            return self._not_before - now
        while self._sent and self._sent[0] + _MINUTE * (1 + _ROUNDING) <= now:
            self._sent.popleft()
        if len(self._sent) < self._burst:
            self._sent.append(now)
            return 0.0
        if now >= self._next_spread:
            self._next_spread = now + self.gap
            return 0.0
        free = self._sent[0] + _MINUTE * (1 + _ROUNDING) if self._sent else self._next_spread
        return min(free, self._next_spread) - now

    def observe(self, headers: Mapping[str, str], *, refused: bool = False) -> None:
        """Slow down when the server's budget is nearly spent; a refusal tells that a request costs more."""
        limit, remaining = answers.limit(headers), answers.remaining(headers)
        if limit is None or remaining is None or limit <= 0:
            return
        if refused:
            self._cost = max(self._cost, remaining + 1)
        short = max(self._cost, limit * _RESERVE) - remaining
        if short > 0:
            seconds = short * _MINUTE / limit
            if seconds >= WORTH_SAYING and self.is_free(seconds):
                logger.warning("Vitally's budget for this key is spent: nothing is sent for %.0f s.", seconds)
            self.pause(seconds)

    def is_free(self, seconds: float) -> bool:
        """Tell whether nobody has paused for about that long already."""
        return self._not_before < self._clock.monotonic() + seconds / 2

    def pause(self, seconds: float) -> None:
        """Send nothing for a while."""
        with self._lock:
            self._not_before = max(self._not_before, self._clock.monotonic() + seconds)
