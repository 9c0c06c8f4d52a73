"""The ledger against a model of it: each record has one outcome, each state its records, and none comes early."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import orjson
import pytest
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from destination_vitally.outcomes.ledger import NO_ACCIDENT, Ledger, Outcome, PendingRecord
from unit_tests.destination.builders import configured, plans, settings

PLANS = list(plans(settings(), configured("accounts"), configured("users")).values())
WELL = st.sampled_from(["accepted", "superseded", "skipped"])


@dataclass
class Row:
    """What the model knows of a record."""

    record: PendingRecord
    stream: int
    open_parts: int
    is_bad: bool = False
    is_settled: bool = False


@dataclass
class State:
    """What the model knows of a state: the rows of its streams since the state before it."""

    line: bytes
    rows: list[Row] = field(default_factory=list)


class LedgerOfTwoStreams(RuleBasedStateMachine):
    """Records of two streams, some of several messages, are settled in any order while states arrive and leave."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self.uncovered: list[list[Row]] = [[], []]
        self.waiting: list[State] = []
        self.sent = 0
        self.reported: list[PendingRecord] = []

    @initialize(hold_rejected=st.booleans())
    def begin(self, hold_rejected: bool) -> None:
        self.hold_rejected = hold_rejected
        self.ledger = Ledger(self.reported.append, hold_rejected=hold_rejected)
        for plan in PLANS:
            self.ledger.expect(plan)

    @rule(stream=st.integers(0, 1), parts=st.lists(st.integers(1, 3), min_size=1, max_size=12))
    def receive(self, stream: int, parts: list[int]) -> None:
        for count in parts:
            record = self.ledger.receive(PLANS[stream], b"", len(self.rows) + 1)
            record.parts = count
            self.rows.append(Row(record, stream, count))
            self.uncovered[stream].append(self.rows[-1])

    @precondition(lambda self: self._open())
    @rule(pick=st.integers(0, 40), outcome=WELL | st.just("rejected"))
    def settle_part(self, pick: int, outcome: Outcome) -> None:
        row = self._open()[pick % len(self._open())]
        self.ledger.settle(row.record, outcome, "why", 400)
        self._note(row, is_bad=outcome == "rejected")

    @precondition(lambda self: self._open())
    @rule(picks=st.lists(st.integers(0, 40), min_size=1, max_size=5), outcome=WELL)
    def settle_many(self, picks: list[int], outcome: Outcome) -> None:
        rows = {id(row): row for row in (self._open()[pick % len(self._open())] for pick in picks)}
        self.ledger.settle_all([row.record for row in rows.values()], outcome)
        for row in rows.values():
            self._note(row, is_bad=False)

    @rule(stream=st.integers(0, 1))
    def reject_all_of_a_stream(self, stream: int) -> None:
        for row in self._open():
            while row.stream == stream and row.open_parts:
                self.ledger.settle(row.record, "rejected", "why")
                self._note(row, is_bad=True)

    @rule(streams=st.sampled_from([[0], [1], [0, 1], []]))
    def checkpoint(self, streams: list[int]) -> None:
        line = orjson.dumps({"type": "STATE", "state": {"data": self.sent}})
        self.sent += 1
        self.ledger.checkpoint(line, [PLANS[stream] for stream in streams], float(self.sent))
        rows = [row for stream in streams for row in self.uncovered[stream]]
        self.waiting.append(State(line if not streams else b"", rows))
        for stream in streams:
            self.uncovered[stream] = []

    @rule()
    def give_back(self) -> None:
        expected = []
        while self.waiting and not any(map(self._holds, self.waiting[0].rows)):
            expected.append(self.waiting.pop(0))
        given = list(self.ledger.ready())
        first = self.sent - len(self.waiting) - len(expected)
        assert [orjson.loads(line)["state"]["data"] for line in given] == [*range(first, first + len(expected))]
        for line, state in zip(given, expected, strict=True):
            bad = sum(row.is_bad for row in state.rows)
            stats = {"recordCount": len(state.rows) - bad, "rejectedRecordCount": bad}
            assert line == state.line or orjson.loads(line)["state"]["destinationStats"] == stats
            assert {id(row.record) for row in state.rows if row.is_bad} <= {id(record) for record in self.reported}
        assert self.ledger.waiting_since == (float(first + len(expected) + 1) if self.waiting else None)

    def _open(self) -> list[Row]:
        return [row for row in self.rows if row.open_parts]

    def _note(self, row: Row, *, is_bad: bool) -> None:
        row.open_parts -= 1
        row.is_bad = row.is_bad or is_bad
        row.is_settled = not row.open_parts

    def _holds(self, row: Row) -> bool:
        if not row.is_settled:
            return True
        settled = [other.is_bad for other in self.rows if other.stream == row.stream and other.is_settled]
        return row.is_bad and (self.hold_rejected or (len(settled) >= NO_ACCIDENT and all(settled)))

    @invariant()
    def each_record_has_one_outcome_or_none_yet(self) -> None:
        for number, plan in enumerate(PLANS if self.sent or self.rows else []):
            rows = [row for row in self.rows if row.stream == number]
            tally = self.ledger.tallies[plan]
            assert (tally.received, tally.open) == (len(rows), sum(not row.is_settled for row in rows))
            bad = [row.record for row in rows if row.is_settled and row.is_bad]
            assert tally.outcomes["rejected"] == len(bad)
            assert {id(r) for r in bad} == {id(r) for r in self.reported if r.plan is plan}
        assert len(self.reported) == len({id(record) for record in self.reported})


TestLedgerOfTwoStreams = LedgerOfTwoStreams.TestCase
TestLedgerOfTwoStreams.settings = examples(max_examples=150, stateful_step_count=30)


def test_a_rejection_that_cannot_be_reported_lets_no_state_past() -> None:
    def fails(_: PendingRecord) -> None:
        raise OSError("the bucket is full")

    ledger, plan = Ledger(fails), PLANS[0]
    ledger.expect(plan)
    record = ledger.receive(plan, b"", 1)
    ledger.checkpoint(b'{"type":"STATE","state":{}}', [plan], 0.0)
    with pytest.raises(OSError, match="full"):
        ledger.settle(record, "rejected")
    assert list(ledger.ready()) == []
    assert ledger.tallies[plan].open == 1


@pytest.mark.parametrize("last", [0, 1])
def test_a_state_of_two_streams_waits_for_the_records_of_both(last: int) -> None:
    ledger = Ledger(lambda _: None)
    for plan in PLANS:
        ledger.expect(plan)
    records = [ledger.receive(plan, b"", 1) for plan in PLANS]
    ledger.checkpoint(b'{"type":"STATE","state":{}}', PLANS, 0.0)
    ledger.settle(records[1 - last], "accepted")
    assert list(ledger.ready()) == []
    ledger.settle(records[last], "accepted")
    assert len(list(ledger.ready())) == 1


def test_a_record_has_a_place_in_its_stream_and_a_rejection_a_reason() -> None:
    ledger = Ledger(lambda _: None)
    for plan in PLANS:
        ledger.expect(plan)
    records = [ledger.receive(plan, b"", 1) for plan in (PLANS[0], PLANS[1], PLANS[0])]
    assert [record.place for record in records] == [1, 1, 2]
    ledger.settle(records[0], "rejected")
    assert records[0].reason == "rejected"


def test_outcomes_are_entered_and_reported_under_the_lock() -> None:
    under_lock: list[bool] = []

    def watched(records: Iterable[PendingRecord]) -> Iterator[PendingRecord]:
        for record in records:
            under_lock.append(ledger._lock.locked())
            yield record

    ledger = Ledger(lambda _: under_lock.append(ledger._lock.locked()))
    ledger.expect(PLANS[0])
    ledger.settle(ledger.receive(PLANS[0], b"", 1), "rejected")
    ledger.settle_all(watched([ledger.receive(PLANS[0], b"", 2)]), "accepted")
    assert under_lock == [True, True]
