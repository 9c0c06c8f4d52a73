"""What is kept back so that parents go first: how much, in which order, and in which slices it is decided."""

from __future__ import annotations

import pytest

from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.outcomes.ledger import PendingRecord, Segment
from destination_vitally.sync.window import BYTES, ROWS, SLICE, SLICE_BYTES, Window, slices
from unit_tests.destination.builders import configured, plans, settings

PLANS = {plan.name: plan for plan in plans(settings(), *map(configured, ("accounts", "users", "notes"))).values()}
MANY = 1_000_000
"""So many requests a minute that they keep nothing back."""


def row(number: int, stream: str = "accounts", size: int = 0) -> PendingRecord:
    plan: StreamPlan = PLANS[stream]
    return PendingRecord(plan, Segment(), b"x" * size, number)


def test_parents_go_first_and_each_rank_in_the_order_of_the_input() -> None:
    """Given rows that come back from the disk after others of their rank, then they are sorted in by their lines."""
    window = Window(MANY)
    for number, stream in [(1, "users"), (5, "accounts"), (3, "users"), (2, "accounts")]:
        window.add(row(number, stream))
    assert [[one.number for one in rows] for _, rows in window.empty()] == [[2, 5], [1, 3]]
    assert list(window.empty()) == []
    assert not window.is_full


@pytest.mark.parametrize(
    ("count", "size", "stream", "requests", "is_full"),
    [
        (ROWS - 1, 0, "accounts", MANY, False),
        (ROWS, 0, "accounts", MANY, True),
        (2, BYTES // 2 - 1, "accounts", MANY, False),
        (2, BYTES // 2, "accounts", MANY, True),
        # No more than can be sent in 15 seconds: a request for each row, or one for a hundred that travel in batches.
        (4, 0, "notes", 20, False),
        (5, 0, "notes", 20, True),
        (499, 0, "accounts", 20, False),
        (501, 0, "accounts", 20, True),
    ],
)
def test_so_much_is_kept_back(count: int, size: int, stream: str, requests: int, is_full: bool) -> None:
    window = Window(requests)
    for number in range(count):
        assert not window.is_full
        window.add(row(number, stream, size))
    assert window.is_full is is_full


def test_what_is_taken_out_no_longer_counts() -> None:
    window = Window(MANY)
    window.add(row(1, size=BYTES))
    assert window.is_full
    list(window.empty())
    window.add(row(2))
    assert not window.is_full


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([1] * SLICE, [SLICE]),
        ([1] * (2 * SLICE + 1), [SLICE, SLICE, 1]),
        ([SLICE_BYTES // 2] * 2, [2]),
        ([SLICE_BYTES // 2] * 2 + [1], [2, 1]),
        ([SLICE_BYTES + 1, 1], [1, 1]),
        ([1, SLICE_BYTES], [1, 1]),
    ],
)
def test_a_slice_is_no_longer_and_no_larger_than_is_decided_together(sizes: list[int], expected: list[int]) -> None:
    rows = [row(number, size=size) for number, size in enumerate(sizes)]
    cut = list(slices(rows))
    assert [len(few) for few in cut] == expected
    assert [one for few in cut for one in few] == rows
