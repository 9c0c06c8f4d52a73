"""Whether the `Date` of Vitally's answers can be believed: a proxy may drop it, or keep giving an old one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from time import sleep

logger = logging.getLogger("airbyte")

TICK = 2.0
"""Seconds in which a clock that is read to the second must have moved."""


class DateWatch:
    """Takes note of the dates of all answers of a sync, whichever stream they are for."""

    def __init__(self) -> None:
        self._first: datetime | None = None
        self._moves = False
        self._lock = threading.Lock()
        self.is_known_to_stand = False

    def take(self, date: datetime) -> None:
        """Take note of the date of an answer."""
        self._first = self._first or date
        self._moves = self._moves or date > self._first

    def stands(self, ask: Callable[[], datetime | None]) -> bool:
        """Tell whether the date stands still; if no answer so far has shown that it moves, `ask` for another one."""
        with self._lock:
            if not self._moves and not self.is_known_to_stand:
                sleep(TICK)
                date = ask()
                self.is_known_to_stand = date is not None and self._first is not None and date <= self._first
                self._moves = not self.is_known_to_stand
                if self.is_known_to_stand:
                    logger.warning(
                        f"The Date header of Vitally's answers stands still at {date}. It is not used: this machine's "
                        "own clock is. Something in between keeps old answers or headers; let it pass on what Vitally "
                        "sends."
                    )
            return self.is_known_to_stand
