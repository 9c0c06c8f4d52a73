"""Time: what it is, and how to let it pass, so that tests can bring their own."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from destination_vitally.errors import StoppedError


class Clock(Protocol):
    """What time it is, and how to let it pass. Tests bring their own."""

    def monotonic(self) -> float: ...

    def now(self) -> float:
        """Unix time in seconds."""
        ...

    def wait(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            StoppedError: the connector has to end before that.
        """
        ...


class SystemClock:
    """The real time, with an end: after `stop_within` nobody waits beyond the deadline."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._deadline = float("inf")

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> float:
        return time.time()

    def stop_within(self, seconds: float) -> None:
        """Start the time that is left for finishing; waits under way are looked at again."""
        self._deadline = time.monotonic() + seconds
        self._stopping.set()

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        if not self._stopping.is_set() and self._stopping.wait(seconds) is False:
            return
        if until > self._deadline:
            raise StoppedError
        time.sleep(max(0.0, until - time.monotonic()))
