"""What long syncs say of themselves: a line a minute per stream, and none before the first minute is over."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

logger = logging.getLogger("airbyte")

EVERY = 60.0


class Progress:
    """Rows that have arrived, and what each thread waits for.

    How much is left is not known: Vitally's lists do not say how long they are.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.begin(0)

    def begin(self, requests_per_minute: int) -> None:
        """Begin a sync."""
        self._limit = requests_per_minute
        self._started = self._said = self._clock()
        self._rows: Counter[str] = Counter()
        self._answers: Counter[str] = Counter()
        self._requests = 0
        self._waits: dict[int, tuple[str, str, float]] = {}

    @contextmanager
    def waiting(self, what: str, stream: str | None = None) -> Iterator[None]:
        """Take note that this thread waits for something; without a stream, for the one that it works for."""
        thread = threading.get_ident()
        before = self._waits.get(thread)
        name = stream or (before[0] if before else "")
        with self._lock:
            self._waits[thread] = (name, what, self._clock())
        try:
            yield
        finally:
            with self._lock:
                if before:
                    self._waits[thread] = before
                else:
                    self._waits.pop(thread, None)

    def sent(self) -> None:
        """Take note of a request."""
        with self._lock:
            self._requests += 1

    def arrived(self, stream: str, rows: int) -> None:
        """Take note of an answer with so many rows."""
        with self._lock:
            self._rows[stream] += rows
            self._answers[stream] += 1

    def say(self) -> None:
        """Say of each stream that is under way how far it is, if a minute has passed since this was last said."""
        now = self._clock()
        if now - self._said < EVERY:
            return
        with self._lock:
            share = f"{100 * self._requests * EVERY / (now - self._said) / max(self._limit, 1):.0f} %"
            minutes = (now - self._started) / EVERY
            waits = {name: (what, since) for name, what, since in sorted(self._waits.values(), key=lambda one: -one[2])}
            lines = []
            for name in sorted({*self._answers, *waits} - {""}):
                doing = f"; waiting for {waits[name][0]} for {now - waits[name][1]:.0f} s" if name in waits else ""
                lines.append(f"Stream {name}: {self._rows[name]:,} rows received in {minutes:.0f} min{doing}")
            self._said, self._requests = now, 0
            self._answers.clear()
        for line in lines:
            logger.info(f"{line}. {share} of the request limit in use.")


HERE = Progress()
"""That of this process, which runs one sync."""
