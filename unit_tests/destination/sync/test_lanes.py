"""The threads that wait for answers: their number, the order of jobs that share a lane, and what is parked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from destination_vitally.clock import SystemClock
from destination_vitally.sync import lanes as module
from destination_vitally.sync.lanes import BACKLOG, PARKED, Lanes
from unit_tests.clock import QuickClock

LONG = 30.0
"""Seconds after which a test has failed."""


class ByHand:
    """A pool whose jobs run when the test says so, one at a time."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.jobs: list[Callable[[], None]] = []

    def submit(self, run: Callable[..., None], *arguments: Any) -> None:
        self.jobs.append(partial(run, *arguments))

    def run(self) -> None:
        jobs, self.jobs = self.jobs, []
        for job in jobs:
            job()


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> ByHand:
    pool = ByHand()
    monkeypatch.setattr(module, "ThreadPoolExecutor", lambda *_, **__: pool)
    return pool


@pytest.fixture
def clock() -> QuickClock:
    """A clock by which some time has passed."""
    clock = QuickClock()
    clock.wait(1000.0)
    clock.waits.clear()
    return clock


@pytest.fixture
def lanes(clock: QuickClock) -> Iterator[Lanes]:
    lanes = Lanes(2, clock)
    yield lanes
    lanes.close()


class Parking:
    """A job that is parked for each of some times, then done."""

    def __init__(self, clock: QuickClock, *seconds: float) -> None:
        self._clock = clock
        self._seconds = list(seconds)
        self.began: list[float] = []

    def __call__(self) -> float | None:
        self.began.append(self._clock.monotonic() - 1000)
        return self._seconds.pop(0) if self._seconds else None


def failing(text: str) -> float | None:
    raise ValueError(text)


def test_a_parked_job_runs_again_when_its_time_has_passed_and_no_later(lanes: Lanes, clock: QuickClock) -> None:
    job = Parking(clock, 5.0, 0.25, 0.0)
    lanes.submit([], job)
    lanes.finish()
    assert job.began == [0, 5, 5.25, 5.25]
    assert clock.waits == [5, 0.25]


def test_who_submits_wakes_what_is_due_and_nothing_else(by_hand: ByHand, clock: QuickClock) -> None:
    lanes = Lanes(2, clock)
    jobs = {name: Parking(clock, seconds) for name, seconds in [("later", 7.0), ("soon", 5.0)]}
    for job in jobs.values():
        lanes.submit([], job)
        by_hand.run()
    for seconds, due in [(4.0, []), (1.0, ["soon"]), (1.0, []), (1.0, ["later"])]:
        clock.wait(seconds)
        lanes.check()
        before = {name: len(job.began) for name, job in jobs.items()}
        by_hand.run()
        assert [name for name, job in jobs.items() if len(job.began) > before[name]] == due


def test_no_more_is_under_way_than_the_workers_get_through_soon(by_hand: ByHand, clock: QuickClock) -> None:
    lanes = Lanes(3, clock)
    for _ in range(10):
        lanes.submit([], Parking(clock, 5.0))
        by_hand.run()
    clock.wait(5.0)
    started = []
    for _ in range(3):
        lanes.check()
        lanes.check()
        started.append(len(by_hand.jobs))
        by_hand.run()
    assert started == [3 * BACKLOG, 10 - 3 * BACKLOG, 0]


@pytest.mark.parametrize(
    ("parked", "in_lanes", "waits"),
    [(PARKED - 1, True, []), (PARKED, True, [5.0]), (PARKED, False, [])],
)
def test_no_more_jobs_with_lanes_are_parked_than_memory_has_room_for(
    clock: QuickClock, parked: int, in_lanes: bool, waits: list[float]
) -> None:
    """Given many parked jobs, when another is submitted, then it waits for one of them if too many keep lanes."""
    lanes = Lanes(1, clock)
    for number in range(parked):
        lanes.submit([number] if in_lanes else [], Parking(clock, 5.0))
    lanes.drain()
    lanes.submit([], lambda: None)
    assert clock.waits == waits
    lanes.finish()
    lanes.close()


def test_jobs_that_share_a_lane_run_in_the_order_they_arrived_one_at_a_time(lanes: Lanes, clock: QuickClock) -> None:
    started: dict[str, list[int]] = {lane: [] for lane in "abcd"}
    at_work: set[str] = set()

    def job(number: int, own: str, parking: Parking) -> float | None:
        if len(parking.began) == 0:
            assert at_work.isdisjoint(own)
            at_work.update(own)
            for lane in own:
                started[lane].append(number)
        again = parking()
        if again is None:
            at_work.difference_update(own)
        return again

    submitted = [(number, "".join({"abcd"[number % 4], "abcd"[number * 7 % 3]})) for number in range(200)]
    for number, own in submitted:
        parking = Parking(clock, *[5.0] * (number % 3))
        lanes.submit(own, partial(job, number, own, parking))
    lanes.finish()
    assert started == {lane: [number for number, own in submitted if lane in own] for lane in "abcd"}


def test_jobs_that_share_no_lane_run_at_once(lanes: Lanes) -> None:
    meeting = threading.Barrier(2, timeout=LONG)

    def meet() -> None:
        meeting.wait()

    for own in ([], [], ["a", "b"], ["c"]):
        lanes.submit(own, meet)
    lanes.finish()


def test_a_job_begins_once_it_may(lanes: Lanes, clock: QuickClock) -> None:
    early = Parking(clock, 5.0, 5.0)
    lanes.submit([], early)
    lanes.submit([], Parking(clock), may_begin=lambda: clock.monotonic() >= 1010)
    assert clock.waits == [5, 5]


def test_a_job_begins_when_nothing_is_left_that_could_let_it(lanes: Lanes, clock: QuickClock) -> None:
    """Given a job that may not begin, when nothing runs and nothing is parked, then it is not waited for for ever."""
    begun = Parking(clock)
    lanes.submit([], begun, may_begin=lambda: False)
    lanes.finish()
    assert begun.began == [0.0]


def test_to_drain_is_to_leave_parked_what_is_parked(lanes: Lanes, clock: QuickClock) -> None:
    jobs = [Parking(clock, seconds) for seconds in (1.0, 7.0, 8.0)]
    for job in jobs:
        lanes.submit([], job)
    lanes.drain()
    assert clock.waits == []
    lanes.finish()
    assert clock.waits == [1, 6, 1]


@pytest.mark.parametrize("is_background", [False, True])
def test_what_runs_in_the_background_is_waited_for_only_if_that_is_asked_for(
    lanes: Lanes, clock: QuickClock, is_background: bool
) -> None:
    """Given a job that looks again and again, when others are finished, then it goes on until all is to be."""
    look = Parking(clock, 5.0, 5.0)
    lanes.again(look)
    lanes.submit(["a"], Parking(clock, 7.0))
    lanes.finish()
    assert look.began == [0, 5]
    lanes.finish(background=is_background)
    assert look.began == ([0, 5, 10] if is_background else [0, 5])


def test_a_job_may_begin_another_in_the_background(lanes: Lanes, clock: QuickClock) -> None:
    look = Parking(clock, 5.0)
    lanes.submit([], partial(lanes.again, look))
    lanes.finish(background=True)
    assert look.began == [0, 5]


def test_jobs_that_are_run_together_are_waited_for_alone(lanes: Lanes, clock: QuickClock) -> None:
    """Given a parked job, when some are run together, then these are done and the parked one is still parked."""
    parked = Parking(clock, 5.0)
    lanes.submit(["a"], parked)
    done: list[int] = []
    lanes.together(partial(done.append, number) for number in range(10))
    assert sorted(done) == [*range(10)]
    assert clock.waits == []
    lanes.together([])
    lanes.finish()


@pytest.mark.parametrize("wait", ["finish", "together"])
def test_what_one_of_several_fails_with_is_raised(lanes: Lanes, wait: str) -> None:
    failing_job = partial(failing, "why")
    if wait == "finish":
        lanes.again(failing_job)
    with pytest.raises(ValueError, match="why"):
        {"finish": partial(lanes.finish, background=True), "together": partial(lanes.together, [failing_job])}[wait]()


@pytest.mark.parametrize(("wanted", "waits"), [(1, [5.0]), (2, [5.0, 5.0]), (9, [5.0, 5.0])])
def test_something_is_waited_for_until_nothing_is_left_that_could_make_it_so(
    lanes: Lanes, clock: QuickClock, wanted: int, waits: list[float]
) -> None:
    job = Parking(clock, 5.0, 5.0)
    lanes.again(job)
    lanes.wait_until(lambda: len(job.began) > wanted)
    assert clock.waits == waits


def test_parked_jobs_are_woken_while_others_are_under_way() -> None:
    lanes = Lanes(2, SystemClock())
    woken = threading.Event()
    seen: list[bool] = []
    pauses = [0.01]

    def parked() -> float | None:
        if pauses:
            return pauses.pop()
        woken.set()
        return None

    lanes.submit([], parked)
    lanes.submit([], lambda: seen.append(woken.wait(LONG)))
    lanes.finish()
    lanes.close()
    assert seen == [True]


@pytest.mark.parametrize("wait", ["submit", "drain", "finish", "check"])
def test_whoever_waits_gets_what_the_first_job_failed_with(by_hand: ByHand, clock: QuickClock, wait: str) -> None:
    lanes = Lanes(2, clock)
    later = Parking(clock)
    for job in (partial(failing, "first"), partial(failing, "second"), later):
        lanes.submit([], job)
    by_hand.run()
    with pytest.raises(ValueError, match="first"):
        {"submit": lambda: lanes.submit([], later)}.get(wait, getattr(lanes, wait))()
    by_hand.run()
    assert later.began == [], "no job starts after that"


@pytest.mark.parametrize("wait", ["submit", "finish"])
def test_who_waits_for_a_job_gets_what_the_sync_failed_with(lanes: Lanes, wait: str) -> None:
    def job() -> float | None:
        lanes.fail(ValueError("the sync stops here"))
        raise ValueError("and this is why")

    lanes.submit(["a"], job)
    with pytest.raises(ValueError, match="the sync stops here"):
        {"submit": lambda: lanes.submit(["a"], lambda: None), "finish": lanes.finish}[wait]()


def test_to_close_is_to_wait_for_what_is_under_way_and_to_begin_no_more(
    monkeypatch: pytest.MonkeyPatch, clock: QuickClock
) -> None:
    closing = threading.Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(False, cancel_futures=cancel_futures)
            closing.set()
            super().shutdown(wait)

    monkeypatch.setattr(module, "ThreadPoolExecutor", Pool)
    lanes = Lanes(1, clock)
    begun = threading.Event()
    done: list[str] = []

    def under_way() -> None:
        begun.set()
        assert closing.wait(LONG)
        done.append("under way")

    lanes.submit([], under_way)
    lanes.submit([], lambda: done.append("waiting"))
    assert begun.wait(LONG)
    lanes.close()
    assert done == ["under way"]
