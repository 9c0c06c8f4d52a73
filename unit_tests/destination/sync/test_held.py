"""Records that wait on disk: which may go, in which order, and that they come back as they arrived."""

from __future__ import annotations

import pytest

from destination_vitally.outcomes.ledger import PendingRecord, Segment
from destination_vitally.rows.store import Store
from destination_vitally.sync.held import Held
from unit_tests.destination.builders import configured, plans, settings

PLANS = {plan.name: plan for plan in plans(settings(), *map(configured, ("accounts", "users", "notes"))).values()}
TARGETS = {name: plan.entry for name, plan in PLANS.items()}
ALL = 1_000_000


def record(number: int, stream: str = "users", line: bytes = b"line") -> PendingRecord:
    return PendingRecord(PLANS[stream], Segment(), line, number, place=number)


def lane(key: str, path: str = "/users") -> tuple[str, str, str]:
    return (path, "externalId", key)


@pytest.fixture
def held() -> Held:
    return Held(Store())


def taken(held: Held, most: int = ALL, most_bytes: int = ALL) -> list[int]:
    return [one.number for one in held.take(most, most_bytes)]


def test_a_record_comes_back_as_it_arrived(held: Held) -> None:
    first, second = record(7, line=b'{"a":"\xc3\xa9"}'), record(9, "notes")
    for one in (first, second):
        held.add(one, TARGETS["accounts"], "a", [lane(str(one.number))])
    held.wake("/accounts", ["a"])
    for before, after in zip((first, second), held.take(ALL, ALL), strict=True):
        assert (after.plan, after.segment) == (before.plan, before.segment)
        assert (after.line, after.number, after.place) == (before.line, before.number, before.place)


def test_those_of_a_row_go_when_it_is_there_and_the_others_stay(held: Held) -> None:
    for number, (stream, key) in enumerate([("accounts", "a"), ("accounts", "b"), ("users", "a"), ("accounts", "a")]):
        held.add(record(number), TARGETS[stream], key, [])
    assert (len(held), held.has_ready, taken(held)) == (4, False, [])
    held.wake("/accounts", ["a", "nobody"])
    assert held.has_ready
    assert (taken(held), len(held), held.has_ready) == ([0, 3], 2, False)
    held.wake("/users", ["a"])
    assert taken(held) == [2]
    held.wake("/accounts", ["b"])
    held.wake("/accounts", ["b"])
    assert (taken(held), len(held)) == ([1], 0)


@pytest.mark.parametrize(("target", "expected"), [(None, [0, 1, 2]), ("account", [0, 2]), ("user", [1]), ("task", [])])
def test_all_go_when_no_more_rows_of_an_object_arrive(held: Held, target: str | None, expected: list[int]) -> None:
    for number, stream in enumerate(["accounts", "users", "accounts"]):
        held.add(record(number), TARGETS[stream], "x", [])
    held.wake_all(target)
    assert taken(held) == expected


def test_parents_go_first_and_then_the_order_of_the_input_counts(held: Held) -> None:
    """Given records that were held in another order than they arrived in, then they go parents first, line by line."""
    for number, stream in [(4, "notes"), (9, "users"), (2, "users"), (8, "accounts"), (1, "notes")]:
        held.add(record(number, stream), TARGETS["accounts"], "a", [])
    held.wake_all()
    assert PLANS["users"].rank == PLANS["notes"].rank
    assert taken(held) == [8, 1, 2, 4, 9]


@pytest.mark.parametrize(("most", "most_bytes"), [(100, ALL), (150, ALL), (ALL, 100 * 1_000)])
def test_so_many_go_at_once_and_the_others_after_them(held: Held, most: int, most_bytes: int) -> None:
    for number in range(250):
        held.add(record(number, line=b"x" * 1_000), TARGETS["accounts"], "a", [])
    held.wake_all()
    parts = []
    while held.has_ready:
        parts.append(taken(held, most, most_bytes))
    assert [number for part in parts for number in part] == [*range(250)]
    assert len(parts[0]) == (200 if most == 150 else 100)
    assert len(held) == 0


def test_a_later_record_of_a_lane_waits_for_the_one_before_it(held: Held) -> None:
    """Given a record that waits for an account, when a later one shares a lane with it, then both go with the account.

    What arrived before it does not wait for it, and neither does what shares no lane.
    """
    held.add(record(5), TARGETS["accounts"], "a", [lane("u"), lane("e")])
    assert held.is_behind([lane("u")])
    assert held.is_behind([lane("x"), lane("e")], record(6).order)
    assert not held.is_behind([lane("u")], record(5).order)
    assert not held.is_behind([lane("u", "/accounts"), lane("x")])
    held.add_behind(record(6), [lane("x"), lane("e")])
    held.add_behind(record(7), [lane("x")])
    held.wake("/accounts", ["a"])
    assert taken(held) == [5, 6, 7]
    assert not held.is_behind([lane("u"), lane("e"), lane("x")])


def test_keys_of_any_text_are_kept_apart(held: Held) -> None:
    for number, key in enumerate(["a", "A", "a ", "ä", "1"]):
        held.add(record(number), TARGETS["accounts"], key, [lane(key)])
    for number, key in enumerate(["a", "A", "a ", "ä", "1"]):
        assert held.is_behind([lane(key)])
        held.wake("/accounts", [key])
        assert taken(held) == [number]
        assert not held.is_behind([lane(key)])
