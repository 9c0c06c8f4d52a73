"""What happens with a record that is rejected."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any, Protocol

from destination_vitally.lines import parse
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.outcomes.ledger import PendingRecord

logger = logging.getLogger("airbyte")

LOGGED_PER_STREAM = 1000
SHORTEST_MASKED = 3


class RejectedRecords(Protocol):
    """Where rejected records go. `keep` may be called from any thread, never from two at once."""

    def keep(self, record: PendingRecord) -> None:
        """Take one rejected record; `record` has its reason."""
        ...

    @property
    def is_full(self) -> bool:
        """Whether so much was taken that it should be flushed without waiting for a state."""
        ...

    def flush(self) -> None:
        """Make everything taken so far durable; called before a state that covers it is given back."""
        ...


class RejectedLog:
    """Reports each rejected record in the log: stream, object, key and reason, none of its other values."""

    def __init__(self) -> None:
        self._logged: Counter[StreamPlan] = Counter()

    def keep(self, record: PendingRecord) -> None:
        self._logged[record.plan] += 1
        count = self._logged[record.plan]
        if count <= LOGGED_PER_STREAM:
            logger.warning("Rejected, stream %s, line %d: %s", record.plan.title, record.number, masked(record))
        if count == LOGGED_PER_STREAM:
            logger.warning("Stream %s: further rejected records are counted, not logged.", record.plan.title)

    @property
    def is_full(self) -> bool:
        return False

    def flush(self) -> None:
        """Nothing to do: the log is written at once."""


def masked(record: PendingRecord) -> str:
    """The reason of a rejection without values of the record but its key: Vitally's words may quote them."""
    words = (record.reason or "").removeprefix(record.label)
    for value in sorted(_texts(parse(record.line)["record"]["data"]), key=len, reverse=True):
        words = words.replace(value, "***")
    return record.label + words


def _texts(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_texts(entry) for entry in value.values()))
    if isinstance(value, list):
        return set().union(*(_texts(entry) for entry in value))
    text = value if isinstance(value, str) else "" if value is None or isinstance(value, bool) else str(value)
    return {text} if len(text) >= SHORTEST_MASKED else set()
