"""The limiter against a model of it, on a clock that only waiting moves."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from destination_vitally.api.limiter import Limiter
from destination_vitally.errors import LateError
from unit_tests.clock import QuickClock

NEARLY = 1e-6


class Requests(RuleBasedStateMachine):
    """Requests, answers of the server about its own budget, pauses and time, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = QuickClock()
        self.sent: list[float] = []
        self.paused_until = 0.0
        self.cost = 1.0

    @initialize(per_minute=st.sampled_from([1, 7, 10, 60, 1000]))
    def begin(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self.spread = max(1, per_minute // 4)
        self.limiter = Limiter(per_minute, self.clock)

    @rule(times=st.integers(1, 12))
    def send(self, times: int) -> None:
        for _ in range(times):
            asked = max(self.clock.monotonic(), self.paused_until)
            recent = sum(moment > asked - 60 for moment in self.sent)
            self.limiter.acquire()
            waited = self.clock.monotonic() - asked
            assert waited >= -NEARLY, "a pause is kept"
            assert waited < NEARLY or recent >= self.per_minute - self.spread, "three quarters wait for nothing"
            assert waited <= 60 / self.spread + NEARLY, "the last quarter is spread"
            self.sent.append(self.clock.monotonic())

    @rule(limit=st.sampled_from([1, 60, 1000]), part=st.floats(0, 1), refused=st.booleans())
    def answered(self, limit: int, part: float, refused: bool) -> None:
        remaining = int(limit * part)
        self.limiter.observe({"RateLimit-Limit": str(limit), "RateLimit-Remaining": str(remaining)}, refused=refused)
        self.cost = max(self.cost, remaining + 1) if refused else self.cost
        missing = max(self.cost, limit / 100) - remaining
        if missing > 0:
            self.paused_until = max(self.paused_until, self.clock.monotonic() + missing * 60 / limit)

    @rule(seconds=st.sampled_from([0.5, 5.0, 70.0]))
    def pause(self, seconds: float) -> None:
        self.limiter.pause(seconds)
        self.paused_until = max(self.paused_until, self.clock.monotonic() + seconds)

    @rule(seconds=st.sampled_from([0.01, 3.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.wait(seconds)

    @invariant()
    def no_minute_has_more_than_the_budget(self) -> None:
        if len(self.sent) > self.per_minute:
            assert self.sent[-1] - self.sent[-1 - self.per_minute] >= 60 - NEARLY


TestRequests = Requests.TestCase
TestRequests.settings = settings(max_examples=150, stateful_step_count=30)


def test_who_waits_for_a_turn_is_counted() -> None:
    seen: list[int] = []
    limiter = Limiter(4, QuickClock(passes=lambda seconds: seen.append(limiter.waiting)))
    for _ in range(5):
        limiter.acquire()
    with pytest.raises(LateError):
        limiter.acquire(until=-1.0)
    assert set(seen) == {1}
    assert limiter.waiting == 0


@pytest.mark.parametrize(("requests", "seconds"), [(150, 0), (152, 2.4), (200, 60), (350, 60), (400, 120)])
def test_a_job_within_three_quarters_of_a_minute_waits_for_nothing(requests: int, seconds: float) -> None:
    limiter = Limiter(200, clock := QuickClock())
    for _ in range(requests):
        limiter.acquire()
    assert clock.monotonic() == pytest.approx(seconds, abs=1.2 + NEARLY)


@pytest.mark.parametrize(("until", "waited"), [(59.0, 2.4), (2.5, 2.4), (2.3, None)])
def test_a_request_that_is_late_is_not_sent_and_takes_no_place(until: float, waited: float | None) -> None:
    limiter = Limiter(100, clock := QuickClock())
    for _ in range(76):
        limiter.acquire()
    if waited is None:
        with pytest.raises(LateError):
            limiter.acquire(until)
        assert limiter.sent == 76
        limiter.acquire()
    else:
        limiter.acquire(until)
    assert limiter.sent == 77
    assert clock.monotonic() == pytest.approx(2.4)


def test_a_request_that_may_become_late_goes_before_others() -> None:
    """Given a request that waits for its place, when one arrives that is right for some seconds only, it goes first."""
    order: list[str] = []

    def meanwhile(_: float) -> None:
        if not order:
            order.append("one of any time waits")
            limiter.acquire(clock.monotonic() + 10)
            order.append("one of ten seconds is sent")

    limiter = Limiter(100, clock := QuickClock(passes=meanwhile))
    for _ in range(77):
        limiter.acquire()
        order += ["one of any time is sent"] if order else []
    assert order == ["one of any time waits", "one of ten seconds is sent", "one of any time is sent"]


class Waits(Exception):  # noqa: N818
    """A request would wait."""


def test_a_request_that_may_become_late_keeps_its_place_from_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def waits(_: float) -> None:
        raise Waits

    def meanwhile(_: float) -> None:
        monkeypatch.setattr(clock, "wait", waits)
        with pytest.raises(Waits):
            limiter.acquire()

    limiter = Limiter(100, clock := QuickClock(passes=meanwhile))
    for _ in range(76):
        limiter.acquire()
    limiter.acquire(clock.monotonic() + 10)
    assert limiter.sent == 77


@pytest.mark.parametrize(("limit", "seconds"), [("12", 5), ("2", 30), ("13", None)])
def test_a_pause_that_is_worth_it_is_said_once(
    caplog: pytest.LogCaptureFixture, limit: str, seconds: int | None
) -> None:
    limiter = Limiter(1000, QuickClock())
    for _ in range(3):
        limiter.observe({"RateLimit-Limit": limit, "RateLimit-Remaining": "0"})
    said = f"Vitally's budget for this key is spent: nothing is sent for {seconds} s."
    assert [entry.getMessage() for entry in caplog.records] == ([said] if seconds else [])


@pytest.mark.parametrize(("seconds", "is_free"), [(5, False), (10, False), (10.1, True)])
def test_a_pause_of_half_the_time_is_about_as_long(seconds: float, is_free: bool) -> None:
    limiter = Limiter(1000, QuickClock())
    limiter.pause(5)
    assert limiter.is_free(seconds) is is_free


def test_only_a_refusal_tells_that_a_request_costs_more() -> None:
    limiter = Limiter(1000, clock := QuickClock())
    limiter.observe({"RateLimit-Limit": "60", "RateLimit-Remaining": "20"})
    limiter.acquire()
    assert clock.monotonic() == 0
