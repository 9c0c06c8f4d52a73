"""Batches and message ids: full, small enough, in order; the same event has the same id."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from destination_vitally.outcomes.ledger import Ledger, PendingRecord, Segment
from destination_vitally.transports.analytics import BYTES, MESSAGES, REFUSALS_TELLING, Analytics, Batch, Batcher
from destination_vitally.transports.landing import Landing
from destination_vitally.transports.messages import Emission, QueuedMessage, messages_of
from destination_vitally.transports.references import References
from destination_vitally.transports.reply import Reply
from destination_vitally.transports.verification import Verification
from integration_tests.harness import QuickClock
from unit_tests.destination.builders import change, configured, plans, settings

PLAN = next(iter(plans(settings(), configured("accounts")).values()))
REFERENCES = References(None, Landing(None, QuickClock()))
EMISSION = Emission(1, 1_790_000_000_000, 1)


def record_of(number: int = 1) -> PendingRecord:
    return PendingRecord(PLAN, Segment(), b"", number)


def queued(name: str, data: dict[str, Any], emission: Emission = EMISSION) -> list[QueuedMessage]:
    operation: Any = "create" if name == "event" else "upsert"
    return messages_of(change(name, operation, data), record_of(), emission, REFERENCES)


def message(one: QueuedMessage) -> dict[str, Any]:
    parsed = orjson.loads(one.encoded)
    assert isinstance(parsed, dict)
    return parsed


def one_id(name: str, data: dict[str, Any], **emission: int) -> str:
    made = Emission(**{"sync": 1, "emitted_at": 2, "line": 3, **emission})
    return str(message(queued(name, data, made)[0])["messageId"])


EVENT = {"event": "e", "userId": "u", "timestamp": "2026-01-01T00:00:00Z", "a": 1, "b": [2]}


def test_an_event_has_its_id_from_its_id_or_its_content() -> None:
    later = {"sync": 9, "emitted_at": 9, "line": 9}
    by_content = one_id("event", EVENT)
    assert by_content == one_id("event", dict(reversed(EVENT.items())), **later)
    assert by_content != one_id("event", {**EVENT, "a": 2})
    by_id = one_id("event", {**EVENT, "id": 7})
    assert by_id == one_id("event", {**EVENT, "messageId": 7, "a": 2}, **later)
    assert by_id != by_content
    assert by_id != one_id("event", {**EVENT, "id": 7, "event": "other"})


def test_an_upsert_has_its_id_from_content_and_emission() -> None:
    account = {"externalId": "a", "plan": "A"}
    first = one_id("account", account)
    assert first == one_id("account", account)
    assert first != one_id("account", {**account, "plan": "B"})
    for changed in ("sync", "emitted_at", "line"):
        assert first != one_id("account", account, **{changed: 99})


def test_times_are_those_of_the_record() -> None:
    assert message(queued("account", {"externalId": "a"})[0])["timestamp"] == "2026-09-21T14:13:20Z"
    assert message(queued("event", EVENT)[0])["timestamp"] == "2026-01-01T00:00:00Z"


def test_a_user_of_several_parents_becomes_several_messages() -> None:
    data = {"externalId": "u", "accountIds": ["a", "b", "c"], "organizationIds": ["o"], "plan": "x"}
    made = queued("user", data)
    assert [(m.get("accountId"), m.get("organizationId")) for m in map(message, made)] == [
        ("a", "o"), ("b", None), ("c", None),
    ]  # fmt: skip
    assert len({message(one)["messageId"] for one in made}) == 3
    assert made[0].records[0].parts == 3


def test_bytes_and_messages_of_a_batch_are_bounded() -> None:
    sent: list[Batch] = []
    batcher = Batcher(sent.append)
    for n in range(60):
        batcher.add(queued("account", {"externalId": f"a{n}", "text": "x" * 20_000})[0])
    for n in range(250):
        batcher.add(queued("account", {"externalId": f"b{n}"})[0])
    batcher.flush()
    bodies = [b"[" + b",".join(queued.encoded for queued in batch.messages) + b"]" for batch in sent]
    assert sum(len(batch.messages) for batch in sent) == 310
    assert all(len(body) <= BYTES for body in bodies)
    assert [batch.size for batch in sent] == [*map(len, bodies)]
    assert all(len(batch.messages) <= MESSAGES for batch in sent)
    assert len(sent) <= 6


LIMIT = 500_000


def of_length(name: str, length: int, **traits: Any) -> QueuedMessage:
    """A message of so many bytes."""
    bare = queued("account", {"externalId": name, "text": "", **traits})[0]
    return queued("account", {"externalId": name, "text": "x" * (length - len(bare.encoded)), **traits})[0]


@pytest.mark.parametrize("beyond", range(-4, 5))
def test_a_body_is_never_a_byte_too_long(beyond: int) -> None:
    sent: list[Batch] = []
    batcher = Batcher(sent.append)
    for n, length in enumerate([200_000, 300_000 + beyond - len(b"[,]")]):
        batcher.add(of_length(f"a{n}", length))
    batcher.flush()
    bodies = [b"[" + b",".join(one.encoded for one in batch.messages) + b"]" for batch in sent]
    assert max(map(len, bodies)) <= LIMIT
    assert len(bodies) == (2 if beyond > 0 else 1), "all the room is used"


def test_a_message_as_long_as_a_body_may_be_travels_alone() -> None:
    sent: list[Batch] = []
    batcher = Batcher(sent.append)
    for name, length in {"small": 200, "largest": LIMIT - len(b"[]"), "next": 200}.items():
        batcher.add(of_length(name, length))
    batcher.flush()
    assert [batch.size for batch in sent] == [202, LIMIT, 202]


@pytest.mark.parametrize("other", [0, 250_000])
def test_rows_of_a_key_are_not_merged_into_what_would_be_too_long(other: int) -> None:
    sent: list[Batch] = []
    batcher = Batcher(sent.append)
    batcher.add(of_length("a", 200_000))
    if other:
        batcher.add(of_length("b", other))
    later = queued("account", {"externalId": "a", "more": "y" * (400_000 - other)})[0]
    batcher.add(later)
    batcher.flush()
    assert max(sum(len(one.encoded) for one in batch.messages) for batch in sent) < LIMIT
    assert [one.records for one in sent[-1].messages] == [later.records], "after the row before it"


def test_what_is_merged_counts_for_the_rows_after_it() -> None:
    sent: list[Batch] = []
    batcher = Batcher(sent.append)
    batcher.add(of_length("a", 200_000))
    batcher.add(queued("account", {"externalId": "a", "more": "y" * 200_000})[0])
    batcher.add(of_length("b", 150_000))
    batcher.flush()
    assert [len(batch.messages[0].records) for batch in sent] == [2, 1]


def test_bad_rows_stop_no_sync_that_accepts_others() -> None:
    class Refusing:
        def send(self, method: str, path: str, body: bytes, **_: Any) -> Reply:
            return Reply(400 if b"bad" in body else 200, {}, "")

    rejected: list[PendingRecord] = []
    ledger = Ledger(rejected.append)
    ledger.expect(PLAN)
    landing = Landing(None, QuickClock())
    analytics = Analytics(Refusing(), ledger, landing, Verification())  # type: ignore[arg-type]
    bad = REFUSALS_TELLING + 20
    for name in ["good", *(f"bad {n}" for n in range(bad))]:
        record = ledger.receive(PLAN, b"", 1)
        analytics.send(messages_of(change("account", "upsert", {"externalId": name}), record, EMISSION, REFERENCES))
    assert ledger.tallies[PLAN].outcomes == {"accepted": 1, "rejected": bad}
    assert len(rejected) == bad


@pytest.mark.parametrize(
    ("name", "parents"),
    [("account", {}), ("user", {"accountId": "b"}), ("custom_object/*", {"customerId": "b"})],
)
def test_a_parent_that_is_empty_does_not_travel(name: str, parents: dict[str, str]) -> None:
    parent = "organizationIds" if name == "user" else "organizationId"
    row = {"externalId": "a", **parents, parent: None, "plan": None}
    asked = change(name, "upsert", row, clear_nulls=True, tokens=frozenset({"analytics_token"}))
    assert asked.fields[parent] is None
    [made] = messages_of(asked, record_of(), EMISSION, REFERENCES)
    assert "organizationId" not in message(made)
    assert message(made)["traits"] == {"plan": None}
