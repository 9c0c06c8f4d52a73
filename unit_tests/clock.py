"""A clock that does not wait."""

from __future__ import annotations

import threading
from collections.abc import Callable


def nowhere(seconds: float) -> None:
    """Let time pass nowhere else."""


class QuickClock:
    """Time that passes only by waiting, so that waits of minutes take no time."""

    def __init__(self, start: float = 1_790_000_000.0, passes: Callable[[float], object] = nowhere) -> None:
        """`passes` is told the seconds of each wait, so that they pass elsewhere too."""
        self.waits: list[float] = []
        self._passes = passes
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
            self._passes(seconds)
