"""What is kept of a sync: as much as the settings ask for, and nothing of a dry run but what it would do."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.journal.intents import Before
from destination_vitally.journal.journal import Journal
from destination_vitally.journal.lines import Intent, Line, Outcome
from destination_vitally.journal.recorder import Recorder
from destination_vitally.outcomes.ledger import After, PendingRecord, Segment
from unit_tests.destination.builders import configured, plans, settings
from unit_tests.destination.journal.test_journal import Bucket, journal
from unit_tests.destination.scripted import asks

PLAN = next(iter(plans(settings(), configured("accounts")).values()))
CHANGE = asks("account", "upsert", {"externalId": "a", "name": "N"})


def pending(**more: Any) -> PendingRecord:
    return PendingRecord(PLAN, Segment(), b'{"record":{"data":{"a":1}}}', 3, label="account 'a'", **more)


def id_of(target: str, value: str) -> None:
    return None


def lines(bucket: Bucket) -> list[Line]:
    found = [Line.model_validate_json(line) for body in bucket.files.values() for line in body.splitlines()]
    return [line for line in found if line.intent or line.outcome]


@pytest.mark.parametrize(
    ("how", "is_dry_run", "kinds"),
    [
        ("none", False, []),
        ("outcomes", False, ["intent", "outcome"]),
        ("changes", False, ["intent", "outcome"]),
        ("changes", True, ["intent"]),
    ],
)
def test_what_is_kept_is_what_is_set(how: str, is_dry_run: bool, kinds: list[str]) -> None:
    bucket = Bucket()
    recorder, record = Recorder(journal(bucket, journal=how, dry_run=is_dry_run)), pending()
    recorder.intend([(record, CHANGE, None)], id_of)
    assert [line.intent is not None for line in lines(bucket)] == [True] * len(kinds[:1]), "before anything is sent"
    recorder.settled(record, "accepted")
    recorder.flush()
    assert ["intent" if line.intent else "outcome" for line in lines(bucket)] == kinds
    assert (recorder.is_on, recorder.reads_before) == (how != "none", how == "changes")


def test_what_waits_is_announced_again() -> None:
    bucket = Bucket()
    recorder, record = Recorder(journal(bucket)), pending()
    for _ in range(2):
        recorder.intend([(record, CHANGE, Before(CHANGE))], id_of)
        recorder.waits(record)
        recorder.waits(record)
    recorder.flush()
    outcomes = [line.outcome for line in lines(bucket) if line.outcome]
    assert [(one.seq, one.outcome) for one in outcomes] == [(1, "waiting"), (2, "waiting")]


def test_what_has_no_intent_has_an_outcome() -> None:
    bucket = Bucket()
    recorder = Recorder(journal(bucket))
    recorder.settled(pending(reason="account 'a': bad", status=400), "rejected")
    recorder.settled(pending(), "unchanged")
    recorder.flush()
    rejected, unchanged = (line.outcome for line in lines(bucket))
    assert rejected
    assert unchanged
    assert (rejected.seq, rejected.reason, rejected.status) == (1, "account 'a': bad", 400)
    assert rejected.record == {"data": {"a": 1}}
    assert (unchanged.seq, unchanged.reason, unchanged.record) == (2, None, None)
    assert (unchanged.line, unchanged.stream, unchanged.label) == (3, "accounts", "account 'a'")


@pytest.mark.parametrize("is_settled", [True, False])
def test_what_has_landed_is_added_or_comes_with_the_outcome(is_settled: bool) -> None:
    bucket = Bucket()
    recorder, record = Recorder(journal(bucket)), pending()
    recorder.intend([(record, CHANGE, None)], id_of)
    if is_settled:
        record.parts = 0
        recorder.settled(record, "accepted")
    recorder.landed(record, CHANGE, {"id": "A", "externalId": "a", "name": "N."}, 0.0)
    if not is_settled:
        recorder.settled(record, "accepted")
    recorder.flush()
    outcomes = [line.outcome for line in lines(bucket) if line.outcome]
    assert len(outcomes) == 1 + is_settled
    last = outcomes[-1]
    assert (last.seq, last.id, last.landed_at) == (1, "A", "1970-01-01T00:00:00Z")
    assert last.seen == {"externalId": "a", "name": "N."}


def test_a_row_that_a_mirror_deletes_is_kept_whenever_there_is_a_bucket() -> None:
    bucket, row = Bucket(), {"id": "A", "externalId": "a", "name": "N"}
    deleted = Recorder(journal(bucket, journal="none")).deletes(PLAN, asks("account", "delete", {"id": "A"}), row, 0.0)
    [line] = lines(bucket)
    assert line.intent
    assert (line.intent.row, line.intent.operation, line.intent.line) == (row, "delete", None)
    assert (line.intent.key, line.intent.stream) == ({"externalId": "a", "id": "A"}, "accounts")
    deleted()
    Recorder().deletes(PLAN, asks("account", "delete", {"id": "A"}), row, 0.0)()


def test_a_parent_that_is_created_is_announced() -> None:
    bucket = Bucket()
    kept: Journal = journal(bucket)
    created = Recorder(kept).creates(CHANGE.entry, "a", 0.0)
    [line] = lines(bucket)
    assert line.intent
    assert (line.intent.existed, line.intent.operation, line.intent.stream) == (False, "create", None)
    assert {value.name: value.sent for value in line.intent.values} == {"name": "a"}
    created("A")
    kept.flush()
    outcome = lines(bucket)[-1].outcome
    assert outcome
    assert (outcome.seq, outcome.effect, outcome.id) == (line.intent.seq, "created", "A")


def test_lines_say_where_they_are_from_and_when() -> None:
    bucket = Bucket()
    mapped = [{"stream": "accounts", "object": "event"}, {"stream": "accounts", "object": "account"}]
    catalog = configured("accounts")
    catalog["stream"]["namespace"] = "public"
    plan = list(plans(settings(mappings=mapped), catalog).values())[-1]
    recorder, record = Recorder(journal(bucket)), PendingRecord(plan, Segment(), b"{}", 7, label="account 'a'")
    recorder.intend([(record, CHANGE, Before(CHANGE, False, read_at=0.0))], id_of)
    record.after = After("created", "A", 1.5, 2.5, {"name": "N"})
    recorder.settled(record, "accepted")
    recorder.flush()
    intent, outcome = (line.intent or line.outcome for line in lines(bucket))
    assert intent
    assert outcome
    where = {"seq": 1, "line": 7, "entry": 2, "stream": "accounts", "namespace": "public", "object": "account"}
    assert {name: getattr(intent, name) for name in where} == where
    assert outcome.model_dump() == {
        **where,
        **{"label": "account 'a'", "outcome": "accepted", "reason": None, "status": None, "effect": "created"},
        **{"id": "A", "taken_at": "1970-01-01T00:00:01.500Z", "landed_at": "1970-01-01T00:00:02.500Z"},
        **{"seen": {"name": "N"}, "record": None},
    }


def test_what_no_record_asks_for_has_an_outcome_as_well() -> None:
    bucket, row = Bucket(), {"id": "A", "externalId": "a"}
    kept = journal(bucket)
    recorder = Recorder(kept)
    recorder.deletes(PLAN, asks("account", "delete", {"id": "A"}), row, 1.5)()
    recorder.creates(CHANGE.entry, "b", 2.5)("B")
    kept.flush()
    found = [line.intent or line.outcome for line in lines(bucket)]
    intents = [one for one in found if isinstance(one, Intent)]
    assert [(one.existed, one.read_at, one.key, one.entry) for one in intents] == [
        (True, "1970-01-01T00:00:01.500Z", {"externalId": "a", "id": "A"}, 0),
        (False, "1970-01-01T00:00:02.500Z", {"externalId": "b"}, 0),
    ]
    outcomes = [one for one in found if isinstance(one, Outcome)]
    assert [(one.label, one.outcome, one.effect, one.id) for one in outcomes] == [
        ("account 'A'", "accepted", "deleted", "A"),
        ("account 'b'", "accepted", "created", "B"),
    ]


@pytest.mark.parametrize(
    ("operation", "reason", "end"),
    [
        ("update", "", ("accepted", "updated", None)),
        ("delete", "", ("accepted", "deleted", None)),
        ("update", "HTTP 400", ("rejected", None, "HTTP 400")),
    ],
)
def test_a_change_that_no_record_asks_for_is_announced_with_the_row(operation: Any, reason: str, end: Any) -> None:
    bucket, row = Bucket(), {"id": "A", "externalId": "a", "name": "O", "traits": {}}
    kept = journal(bucket)
    wanted = asks("account", operation, {"id": "A", **({"name": "N"} if operation == "update" else {})})
    done = Recorder(kept).changes(wanted, row, 1.5)
    [line] = lines(bucket)
    intent = line.intent
    assert intent
    assert (intent.operation, intent.id, intent.existed, intent.line) == (operation, "A", True, None)
    assert intent.read_at == "1970-01-01T00:00:01.500Z"
    assert intent.row == (row if operation == "delete" else None)
    values = [(value.name, value.known, value.before, value.sent) for value in intent.values]
    assert values == ([("name", True, "O", "N")] if operation == "update" else [])
    done(reason)
    kept.flush()
    outcome = lines(bucket)[-1].outcome
    assert outcome
    assert (outcome.outcome, outcome.effect, outcome.reason) == end
    assert (outcome.id, outcome.label) == ("A", "account 'A'")


@pytest.mark.parametrize("how", ["none", "outcomes"])
def test_such_a_change_is_only_kept_with_the_values_before(how: str) -> None:
    bucket = Bucket()
    Recorder(journal(bucket, journal=how)).changes(asks("account", "update", {"id": "A", "name": "N"}), {}, 0.0)("")
    assert not bucket.files
