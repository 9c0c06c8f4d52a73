"""Lanes against a model of them: rows of a lane one after the other, parked jobs when their time has come."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from destination_vitally.sync.lanes import Lanes
from unit_tests.clock import QuickClock

LANES = st.frozensets(st.sampled_from("abcdef"), max_size=2)
PAUSES = st.lists(st.sampled_from([0.5, 3.0, 60.0]), max_size=3)


class BrokenError(Exception):
    """What a job fails with."""


@dataclass(eq=False)
class Row:
    """A job of the model: it is parked for each of its pauses, and then done."""

    own: frozenset[str]
    pauses: list[float]
    ready_at: float = 0.0
    begins: threading.Event = field(default_factory=threading.Event)
    may_go_on: threading.Event = field(default_factory=threading.Event)


class RowsOfSomeLanes(RuleBasedStateMachine):
    """Jobs of common lanes that end at once, wait for an answer, are parked or fail."""

    @initialize(count=st.integers(2, 4))
    def begin(self, count: int) -> None:
        self.count = count
        self.clock = QuickClock()
        self.lanes = Lanes(count, self.clock)
        self.lock = threading.Lock()
        self.at_work: list[Row] = []
        self.unfinished: list[Row] = []
        self.held: list[Row] = []
        self.failed = False
        self.broken: list[str] = []

    def job(self, row: Row) -> Callable[[], float | None]:
        return lambda: self.run(row)

    def run(self, row: Row) -> float | None:
        with self.lock:
            self.at_work.append(row)
            self.expect(len(self.at_work) <= self.count, "more are at work than there are workers")
            self.expect(self.clock.monotonic() >= row.ready_at, "a parked job came too early")
            earlier = self.unfinished[: self.unfinished.index(row)]
            self.expect(all(row.own.isdisjoint(other.own) for other in earlier), "a row overtook one of its lane")
        row.begins.set()
        row.may_go_on.wait()
        with self.lock:
            self.at_work.remove(row)
            if row.pauses:
                pause = row.pauses.pop(0)
                row.ready_at = self.clock.monotonic() + pause
                return pause
            self.unfinished.remove(row)
            return None

    def expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.broken.append(otherwise)

    def submit(self, row: Row) -> None:
        with self.lock:
            must_wait = any(row.own & other.own for other in self.unfinished)
        if must_wait:
            self.all_answers_come()
        with self.lock:
            self.unfinished.append(row)
        self.lanes.submit(row.own, self.job(row))

    @rule(own=LANES, pauses=PAUSES)
    def row(self, own: frozenset[str], pauses: list[float]) -> None:
        row = Row(own, pauses)
        row.may_go_on.set()
        self.submit(row)

    @precondition(lambda self: len(self.held) < self.count - 1)
    @rule(own=LANES)
    def row_without_an_answer(self, own: frozenset[str]) -> None:
        row = Row(own, [])
        self.submit(row)
        row.begins.wait()
        self.held.append(row)

    @precondition(lambda self: self.held)
    @rule(number=st.integers(0, 3))
    def an_answer_comes(self, number: int) -> None:
        self.held.pop(number % len(self.held)).may_go_on.set()

    def all_answers_come(self) -> None:
        while self.held:
            self.an_answer_comes(0)

    @rule(seconds=st.sampled_from([0.1, 3.0, 100.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.wait(seconds)
        self.lanes.check()

    @rule()
    def drain(self) -> None:
        self.all_answers_come()
        self.lanes.drain()
        assert not self.at_work
        assert all(row.pauses or row.ready_at for row in self.unfinished), "what is left is parked"

    @rule()
    def finish(self) -> None:
        self.all_answers_come()
        self.lanes.finish()
        assert self.unfinished == []

    @rule(own=LANES)
    def fail(self, own: frozenset[str]) -> None:
        self.all_answers_come()
        self.lanes.submit(own, self.broken_job)
        for act in (
            self.lanes.finish,
            self.lanes.drain,
            self.lanes.check,
            lambda: self.lanes.submit(own, self.broken_job),
        ):
            with pytest.raises(BrokenError):
                act()
        self.lanes.close()
        assert not self.at_work
        assert self.broken == []
        self.begin(self.count)

    def broken_job(self) -> float | None:
        raise BrokenError

    def teardown(self) -> None:
        self.finish()
        self.lanes.close()
        assert self.broken == []


TestRowsOfSomeLanes = RowsOfSomeLanes.TestCase
TestRowsOfSomeLanes.settings = examples(max_examples=50, stateful_step_count=30)
