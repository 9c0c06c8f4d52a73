"""What happens with a record that is rejected."""

from __future__ import annotations

import logging
from collections import Counter

from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.outcomes.ledger import PendingRecord
from destination_vitally.outcomes.reasons import masked, reason_of

logger = logging.getLogger("airbyte")

LOGGED_PER_REASON = 10
LOGGED_PER_STREAM = 1000
"""How many rejections are logged one by one; the rest is counted, and said at the end by reason."""


class RejectedRecords:
    """Where rejected records go; by itself into the log: stream, object, key and reason, none of the other values."""

    def __init__(self) -> None:
        self._logged: Counter[StreamPlan] = Counter()
        self._alike: Counter[tuple[StreamPlan, str]] = Counter()

    def keep(self, record: PendingRecord) -> None:
        """Take one rejected record, which has its reason; from any thread, never from two at once."""
        plan, (_, reason) = record.plan, reason_of(record)
        if self._logged[plan] >= LOGGED_PER_STREAM or self._alike[plan, reason] >= LOGGED_PER_REASON:
            return
        self._logged[plan] += 1
        self._alike[plan, reason] += 1
        logger.warning("Rejected, stream %s, line %d: %s", plan.title, record.number, masked(record))
        if self._logged[plan] == LOGGED_PER_STREAM:
            logger.warning("Stream %s: further rejected records are counted, not logged.", plan.title)
        elif self._alike[plan, reason] == LOGGED_PER_REASON:
            logger.warning("Stream %s: further rejections for this reason are counted, not logged.", plan.title)

    @property
    def is_full(self) -> bool:
        """Whether so much was taken that it should be flushed without waiting for a state."""
        return False

    def flush(self) -> None:
        """Make everything taken so far durable; called before a state that covers it is given back."""
