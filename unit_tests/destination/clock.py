"""A clock that does not wait."""

from __future__ import annotations

import threading


class QuickClock:
    """Time that passes only by waiting, so that waits of minutes take no time."""

    def __init__(self, start: float = 1_790_000_000.0) -> None:
        """`start` is the time at the beginning, in seconds since 1970."""
        self.waits: list[float] = []
        self._start = start
        self._passed = 0.0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return self._passed

    def now(self) -> float:
        """Return the seconds since 1970."""
        return self._start + self._passed

    def wait(self, seconds: float) -> None:
        """Let time pass at once, and take note of it in `waits`."""
        with self._lock:
            self._passed += seconds
            self.waits.append(seconds)
