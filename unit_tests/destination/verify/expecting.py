"""Messages that were accepted, as what is to be seen of them."""

from __future__ import annotations

from typing import Any

from destination_vitally.objects.model import Operation
from destination_vitally.outcomes.ledger import PendingRecord, Segment
from destination_vitally.rows.memory import Memory
from destination_vitally.send.messages import Emission, QueuedMessage, messages_of
from destination_vitally.verify.expected import Expected, Seeing, expected_of
from unit_tests.clock import QuickClock
from unit_tests.destination.builders import REFERENCES, change, configured, plans, settings

PLAN = next(iter(plans(settings(), configured("accounts")).values()))
DELETED = {"_ab_cdc_deleted_at": "2026-01-01T00:00:00Z"}
NOTHING_KNOWN = Seeing(lambda target, value: None, Memory(QuickClock()))
SINCE = 5.0
"""When Vitally took the messages, by the connector's clock."""


def record_of(place: int = 10) -> PendingRecord:
    return PendingRecord(PLAN, Segment(), b"a line", place, place=place)


def messages(name: str, data: dict[str, Any], record: PendingRecord | None = None) -> list[QueuedMessage]:
    operation: Operation = "create" if name == "event" else "upsert"
    asked = change(name, operation, data, allow_deletes=True)
    return messages_of(asked, record or record_of(), Emission(1, 2, 3), REFERENCES)


def expected(
    name: str,
    data: dict[str, Any],
    taken: float | None = 100.0,
    record: PendingRecord | None = None,
    seeing: Seeing = NOTHING_KNOWN,
) -> Expected | None:
    """What is to be seen of a message; of nobody's ids anything is known, unless `seeing` says so."""
    return expected_of(messages(name, data, record)[0], seeing, taken, SINCE)


def wanted(name: str, data: dict[str, Any], **more: Any) -> Expected:
    one = expected(name, data, **more)
    assert one
    return one
