"""What is held at once is bounded, and nobody waits for ever."""

from __future__ import annotations

import threading
from queue import Full
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_vitally.memory import (
    AHEAD_BYTES,
    QUEUED_BYTES,
    ROOM_BYTES,
    UNKNOWN_BYTES,
    Abandoned,
    Room,
    Shared,
    WeighedQueue,
    aside,
    weigh,
)


def item(size: int) -> SimpleNamespace:
    made = SimpleNamespace()
    weigh(made, size)
    return made


def test_a_queue_is_full_when_its_bytes_are() -> None:
    queue = WeighedQueue(10_000)
    queue.put(item(6_000))
    queue.put(item(6_000))
    with pytest.raises(Full):
        queue.put(item(1), block=False)
    queue.get()
    queue.put("a state is small", block=False)
    assert not queue.empty()
    queue.get()
    queue.get()
    assert queue.empty()


@pytest.mark.parametrize("size", [1, QUEUED_BYTES * 10])
def test_one_record_of_any_size_finds_its_way(size: int) -> None:
    queue = WeighedQueue(QUEUED_BYTES)
    queue.put(item(size), block=False)
    assert queue.get()


def test_a_room_is_bounded_but_one_always_gets_in() -> None:
    room = Room(10)
    with room.place(50) as first:
        assert not room.has(1)
        first.weigh(4)
        assert room.has(6)
        assert not room.has(7)
        with room.place(6):
            assert not room.has(1)
    assert room.has(1_000)


def test_who_waits_for_a_place_gets_it_when_another_leaves() -> None:
    room, entered = Room(10), threading.Event()

    def enter() -> None:
        with room.place(8):
            entered.set()

    with room.place(8):
        waiting = threading.Thread(target=enter)
        waiting.start()
        assert not entered.wait(0.05)
    assert entered.wait(10)
    waiting.join()


@given(sizes=st.lists(st.integers(0, 3 * UNKNOWN_BYTES), max_size=30), workers=st.integers(1, 5))
def test_details_come_in_order_and_a_few_at_a_time(sizes: list[int], workers: int) -> None:
    shared = Shared(workers)
    under_way, most, lock = 0, 0, threading.Lock()

    def ask(number: int) -> int:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        with lock:
            under_way -= 1
        return sizes[number]

    found = list(shared.in_order(ask, range(len(sizes)), lambda size: size))
    assert found == list(enumerate(sizes))
    assert most <= workers
    assert shared.room.has(10**12), "all have left the room"


def test_details_that_are_left_half_way_leave_the_room() -> None:
    shared = Shared(3)
    answers = shared.in_order(lambda number: number, range(100), lambda _: 1)
    next(answers)
    answers.close()
    assert shared.room.has(10**12)


def test_a_detail_that_does_not_come_stops_its_own_stream_only() -> None:
    shared, asked, comes = Shared(1), threading.Event(), threading.Event()

    def ask(_: int) -> bool:
        asked.set()
        with aside():
            return comes.wait(10)

    def nothing_but_this() -> None:
        found.extend(shared.in_order(ask, [0], lambda _: 1))

    found: list[tuple[int, bool]] = []
    stopped = threading.Thread(target=nothing_but_this)
    stopped.start()
    assert asked.wait(10)
    with shared.room.place(shared.room._limit):
        others = list(shared.in_order(str, range(50), lambda _: ROOM_BYTES))
    assert [number for number, _ in others] == list(range(50))
    comes.set()
    stopped.join()
    assert found == [(0, True)]
    assert shared.room.has(10**12), "all have left the room"


def test_what_waits_to_try_again_leaves_its_place_and_takes_it_again() -> None:
    room = Room(10)

    def ask() -> None:
        with aside():
            assert room.has(10), "others may have the room"
            with room.place(10):
                assert not room.has(1)
        assert not room.has(3)

    with room.place(8) as place:
        place.during(ask)
    assert room.has(10**12)
    with aside():
        assert room.has(10**12), "who asks for no answer has no place"


def test_nobody_goes_on_trying_for_an_answer_that_is_not_wanted_any_more() -> None:
    room = Room(10)
    place = room.place_at_once(8)

    def ask() -> None:
        with aside():
            place.leave()

    with pytest.raises(Abandoned):
        place.during(ask)
    place.weigh(8)
    assert room.has(10**12), "a place that has been left stays so"


def test_details_ahead_of_their_turn_leave_half_of_the_room() -> None:
    shared, asked = Shared(8), threading.Semaphore(0)

    def ask(number: int) -> int:
        asked.release()
        return number

    answers = shared.in_order(ask, range(8), lambda _: ROOM_BYTES // 4)
    next(answers)
    assert shared.room.has(ROOM_BYTES - AHEAD_BYTES)
    answers.close()
