"""What is held at once is bounded, and nobody waits for ever."""

from __future__ import annotations

import threading
from queue import Full
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_vitally.memory import QUEUED_BYTES, UNKNOWN_BYTES, Room, Seen, Shared, WeighedQueue, weigh


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


@given(keys=st.lists(st.text(max_size=3), max_size=3_000))
def test_what_has_been_seen(keys: list[str]) -> None:
    seen, known = Seen(), set[str]()
    for key in keys:
        assert seen.add(key) is (key not in known)
        known.add(key)


def test_a_million_rows_are_remembered_in_few_bytes() -> None:
    seen = Seen()
    assert sum(seen.add(f"row {number}") for number in range(100_000)) == 100_000
    assert not any(seen.add(f"row {number}") for number in range(0, 100_000, 997))
    assert len(seen._slots) * 8 <= 32 * 100_000
