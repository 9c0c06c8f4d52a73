"""The threads that wait for answers: their number, the order of jobs that share a key, and what is parked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from destination_vitally.sync.workers import BACKLOG, PARKED, Workers

from destination_vitally.clock import SystemClock
from destination_vitally.sync import workers as module
from integration_tests.harness import QuickClock

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
    clock = QuickClock(passes=lambda _: None)
    clock.wait(1000.0)
    clock.waits.clear()
    return clock


@pytest.fixture
def workers(clock: QuickClock) -> Iterator[Workers]:
    made = Workers(2, clock)
    yield made
    made.close()


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


def test_a_parked_job_runs_again_when_its_time_has_passed_and_no_later(workers: Workers, clock: QuickClock) -> None:
    job = Parking(clock, 5.0, 0.25, 0.0)
    workers.submit([], job)
    workers.finish()
    assert job.began == [0, 5, 5.25, 5.25]
    assert clock.waits == [5, 0.25]


def test_who_submits_wakes_what_is_due_and_nothing_else(by_hand: ByHand, clock: QuickClock) -> None:
    workers = Workers(2, clock)
    jobs = {name: Parking(clock, seconds) for name, seconds in [("later", 7.0), ("soon", 5.0)]}
    for job in jobs.values():
        workers.submit([], job)
        by_hand.run()
    for seconds, due in [(4.0, []), (1.0, ["soon"]), (1.0, []), (1.0, ["later"])]:
        clock.wait(seconds)
        workers.check()
        before = {name: len(job.began) for name, job in jobs.items()}
        by_hand.run()
        assert [name for name, job in jobs.items() if len(job.began) > before[name]] == due


def test_no_more_is_under_way_than_the_workers_get_through_soon(by_hand: ByHand, clock: QuickClock) -> None:
    workers = Workers(3, clock)
    for _ in range(10):
        workers.submit([], Parking(clock, 5.0))
        by_hand.run()
    clock.wait(5.0)
    started = []
    for _ in range(3):
        workers.check()
        workers.check()
        started.append(len(by_hand.jobs))
        by_hand.run()
    assert started == [3 * BACKLOG, 10 - 3 * BACKLOG, 0]


@pytest.mark.parametrize(("parked", "waits"), [(PARKED - 1, []), (PARKED, [5.0])])
def test_no_more_is_parked_than_memory_has_room_for(clock: QuickClock, parked: int, waits: list[float]) -> None:
    workers = Workers(1, clock, may_stay=lambda: PARKED)
    for _ in range(parked):
        workers.submit([], Parking(clock, 5.0))
    workers.drain()
    workers.submit([], lambda: None)
    assert clock.waits == waits
    workers.finish()
    workers.close()


def test_jobs_that_share_a_key_run_in_the_order_they_came_one_at_a_time(workers: Workers, clock: QuickClock) -> None:
    started: dict[str, list[int]] = {key: [] for key in "abcd"}
    at_work: set[str] = set()

    def job(number: int, keys: str, parking: Parking) -> float | None:
        if len(parking.began) == 0:
            assert at_work.isdisjoint(keys)
            at_work.update(keys)
            for key in keys:
                started[key].append(number)
        again = parking()
        if again is None:
            at_work.difference_update(keys)
        return again

    submitted = [(number, "".join({"abcd"[number % 4], "abcd"[number * 7 % 3]})) for number in range(200)]
    for number, keys in submitted:
        parking = Parking(clock, *[5.0] * (number % 3))
        workers.submit(keys, partial(job, number, keys, parking))
    workers.finish()
    assert started == {key: [number for number, keys in submitted if key in keys] for key in "abcd"}


def test_jobs_that_share_no_key_run_at_once(workers: Workers) -> None:
    meeting = threading.Barrier(2, timeout=LONG)

    def meet() -> None:
        meeting.wait()

    for keys in ([], [], ["a", "b"], ["c"]):
        workers.submit(keys, meet)
    workers.finish()


def test_a_job_begins_once_it_may(workers: Workers, clock: QuickClock) -> None:
    early = Parking(clock, 5.0, 5.0)
    workers.submit([], early)
    workers.submit([], Parking(clock), may_begin=lambda: clock.monotonic() >= 1010)
    assert clock.waits == [5, 5]


def test_what_may_stay_parked_is_waited_for_only_at_the_end(clock: QuickClock) -> None:
    workers = Workers(2, clock, may_stay=lambda: 2)
    for seconds in (1.0, 7.0, 8.0):
        workers.submit([], Parking(clock, seconds))
    workers.drain()
    assert clock.waits == [1]
    workers.finish()
    assert clock.waits == [1, 6, 1]
    workers.close()


def test_parked_jobs_are_woken_while_others_are_under_way() -> None:
    workers = Workers(2, SystemClock())
    woken = threading.Event()
    seen: list[bool] = []
    pauses = [0.01]

    def parked() -> float | None:
        if pauses:
            return pauses.pop()
        woken.set()
        return None

    workers.submit([], parked)
    workers.submit([], lambda: seen.append(woken.wait(LONG)))
    workers.finish()
    workers.close()
    assert seen == [True]


@pytest.mark.parametrize("wait", ["submit", "drain", "finish", "check"])
def test_whoever_waits_is_told_what_the_first_job_failed_with(by_hand: ByHand, clock: QuickClock, wait: str) -> None:
    workers = Workers(2, clock)
    later = Parking(clock)
    for job in (partial(failing, "first"), partial(failing, "second"), later):
        workers.submit([], job)
    by_hand.run()
    with pytest.raises(ValueError, match="first"):
        {"submit": lambda: workers.submit([], later)}.get(wait, getattr(workers, wait))()
    by_hand.run()
    assert later.began == [], "no job starts after that"


@pytest.mark.parametrize("wait", ["submit", "finish"])
def test_who_waits_for_a_job_is_told_that_it_fails(workers: Workers, wait: str) -> None:
    def job() -> float | None:
        workers.fail(ValueError("the sync stops here"))
        raise ValueError("and this is why")

    workers.submit(["key"], job)
    with pytest.raises(ValueError, match="the sync stops here"):
        {"submit": lambda: workers.submit(["key"], lambda: None), "finish": workers.finish}[wait]()


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
    workers = Workers(1, clock)
    begun = threading.Event()
    done: list[str] = []

    def under_way() -> None:
        begun.set()
        assert closing.wait(LONG)
        done.append("under way")

    workers.submit([], under_way)
    workers.submit([], lambda: done.append("waiting"))
    assert begun.wait(LONG)
    workers.close()
    assert done == ["under way"]
