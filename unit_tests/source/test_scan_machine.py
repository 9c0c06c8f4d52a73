"""Scans of a list that changes as it likes: rows that tie, cursors and syncs that die, clocks that fail."""

from __future__ import annotations

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from source_vitally.scan import MAX_RESTARTS, Scan, ScanState
from unit_tests.source.feed_model import NO_LOOK_BACK, FeedModel, step, time_of

PICKS = st.lists(st.integers(0, 40), min_size=1, max_size=4)


class ChangingList(RuleBasedStateMachine):
    """Syncs of one list, one after the other; `copy` is what a destination has of it, `state` what is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.copy: dict[int, int] = {}
        self.state = ScanState()
        self.scan: Scan | None = None
        self.rejections = 0
        self.there_before: set[int] = set()

    @initialize(size=st.integers(0, 9), limit=st.integers(1, 3), grain=st.sampled_from([1, 1000, 5000]))
    def begin_with(self, size: int, limit: int, grain: int) -> None:
        self.model = FeedModel(limit=limit, grain=grain)
        for _ in range(size):
            self.model.insert()

    # What happens in Vitally

    @rule(tick=st.sampled_from([0, 700]))
    def insert(self, tick: int) -> None:
        self.model.insert(tick)

    @precondition(lambda self: self.model.rows)
    @rule(picks=PICKS, tick=st.sampled_from([0, 700, 20_000]))
    def edit(self, picks: list[int], tick: int) -> None:
        for pick in picks:
            self.model.edit(self._row(pick), tick)

    @precondition(lambda self: self.model.rows)
    @rule(pick=st.integers(0, 40))
    def delete(self, pick: int) -> None:
        del self.model.rows[self._row(pick)]

    def _row(self, pick: int) -> int:
        return sorted(self.model.rows)[pick % len(self.model.rows)]

    # What the source does

    @rule()
    def sync(self) -> None:
        """Begin, or read to the end what has begun."""
        self._read_page()
        while self.scan:
            self._read_page()

    @precondition(lambda self: self.state.watermark)
    @rule()
    def begin_anew(self) -> None:
        """Clear the data, as people do."""
        self.copy, self.state, self.scan = {}, ScanState(), None

    @rule(clock=st.booleans())
    def read(self, clock: bool) -> None:
        self._read_page(clock=clock)

    @precondition(lambda self: self.scan and self.scan.token and self.rejections < MAX_RESTARTS)
    @rule()
    def cursor_dies(self) -> None:
        assert self.scan
        self.rejections += 1
        self.model.rejections = 1

    @precondition(lambda self: self.scan)
    @rule()
    def checkpoint(self) -> None:
        assert self.scan
        saved = self.scan.checkpoint()
        assert saved.resume is None or self.scan.is_first, "what has a watermark goes on from there"
        self.state = saved

    @precondition(lambda self: self.scan)
    @rule(after_checkpoint=st.booleans())
    def die(self, after_checkpoint: bool) -> None:
        if after_checkpoint:
            self.checkpoint()
        self.scan = None
        self.state = ScanState.from_json(self.state.as_json("updatedAt"), "updatedAt")

    def _read_page(self, *, clock: bool = True) -> None:
        if self.scan is None:
            self.scan, self.rejections = Scan(self.state, NO_LOOK_BACK), self.model.rejections
            self.there_before = self.there_before if self.scan.was_resumed else set(self.model.rows)
        for key, _, version in step(self.model, self.scan, clock=clock):
            self.copy[key] = max(version, self.copy.get(key, 0))
        if self.scan.finished:
            first = self.there_before if self.scan.is_first else set[int]()
            assert first & self.model.rows.keys() <= self.copy.keys(), "a row lived through a first scan and is missing"
            self.state, self.scan = self.scan.result(), None

    # What is promised

    @invariant()
    def a_state_claims_only_what_was_emitted(self) -> None:
        if self.state.watermark is None:
            return
        for key, (_, updated, version) in self.model.rows.items():
            if time_of(updated) < self.state.watermark:
                assert self.copy.get(key) == version, f"row {key} is older than the state and was not emitted"

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        self.sync()
        self.sync()
        assert {key: self.copy.get(key) for key in self.model.rows} == {
            key: version for key, (_, _, version) in self.model.rows.items()
        }


TestChangingList = ChangingList.TestCase
TestChangingList.settings = settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "100")), stateful_step_count=40)
