"""The newest end of a list: how far down one looks."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.lists import Tail, second_of
from unit_tests.destination.rows.asking import START, Asked, row
from unit_tests.destination.scripted import page

LATEST = "GET /tasks?limit=100&sortBy=updatedAt"

# The newest end of a list

TAIL_ROWS = [[row("d", 40), row("c", 30)], [row("b", 20)], [row("a", 10)]]
TAIL = [f"{LATEST}{f'&from={n}' if n else ''}" for n in range(3)]


def tail_of(parts: Asked, newest: str | None = None) -> Tail:
    return Tail(parts.api, BY_NAME["task"], newest=newest)


def pages_of(*rows: list[dict[str, Any]]) -> dict[str, Any]:
    last = len(rows) - 1
    return {TAIL[n]: page(*rows[n], following=str(n + 1) if n < last else "") for n in range(len(rows))}


@pytest.mark.parametrize(
    ("newest", "since", "most", "pages", "has_arrived"),
    [
        # One page for whoever does not know since when.
        (None, None, 9, 1, True),
        # Down to a time by Vitally's clock, to the second: what was written in that second may be on the next page.
        (None, START + 35.0, 9, 1, True),
        (None, START + 30.9, 9, 2, True),
        (None, START + 20.0, 9, 3, True),
        (None, START, 9, 3, True),
        # Down to where an earlier look would have begun.
        ("2026-01-01T00:00:31", START, 9, 1, True),
        ("2026-01-01T00:00:20", None, 9, 3, True),
        ("", None, 9, 3, True),
        # No further than it is worth.
        ("", None, 2, 2, False),
        (None, START, 1, 1, False),
        (None, START + 35.0, 1, 1, True),
    ],
)
def test_a_look_goes_down_to_where_it_has_to(
    newest: str | None, since: float | None, most: int, pages: int, has_arrived: bool
) -> None:
    parts = Asked(pages_of(*TAIL_ROWS))
    tail = tail_of(parts, newest)
    assert list(tail.look(since, most)) == [one for rows in TAIL_ROWS[:pages] for one in rows]
    assert parts.asked == TAIL[:pages]
    assert tail.has_arrived is has_arrived


def test_the_next_look_goes_down_to_where_the_one_before_began() -> None:
    """Given a look whose newest row is of second 40, when it is looked again, then pages are read until a row is older
    than that, whatever the time is that one waits since."""
    parts = Asked(pages_of(*TAIL_ROWS))
    tail = tail_of(parts)
    list(tail.look(None, 9))
    parts.asked.clear()
    parts.vitally.say(TAIL[0], page(row("f", 60), row("e", 50), following="1"))
    parts.vitally.say(TAIL[1], page(row("d", 40), row("c", 30), following="2"))
    assert [one["id"] for one in tail.look(START, 9)] == ["F", "E", "D", "C"]
    assert parts.asked == TAIL[:2]


@pytest.mark.parametrize(
    "script",
    [
        {TAIL[0]: 400},
        {**pages_of(*TAIL_ROWS), TAIL[1]: 400},
        {**pages_of(*TAIL_ROWS), TAIL[1]: page()},
    ],
    ids=["refused", "the second page is refused", "an empty page, as after a cursor that has expired"],
)
def test_a_look_that_did_not_arrive_says_so_and_the_next_begins_where_it_began(script: dict[str, Any]) -> None:
    """Given a list that cannot be read as far as it should be, then what is not shown may be there; no later look may
    take for granted what this one did not see."""
    parts = Asked(pages_of(*TAIL_ROWS))
    tail = tail_of(parts, "2026-01-01T00:00:11")
    for request, answer in script.items():
        parts.vitally.say(request, answer)
    list(tail.look(None, 9))
    is_cut_short = not tail.has_arrived
    assert is_cut_short


@pytest.mark.parametrize(("most", "ids", "has_arrived"), [(2, "D C X", False), (9, "D C X A", True)])
def test_a_page_without_times_does_not_end_a_look(most: int, ids: str, has_arrived: bool) -> None:
    """Given rows that do not say when they were written, then they may be new, and so may those of the next page."""
    parts = Asked({**pages_of(*TAIL_ROWS), TAIL[1]: page({"id": "X"}, following="2")})
    tail = tail_of(parts, "2026-01-01T00:00:25")
    assert " ".join(one["id"] for one in tail.look(None, most)) == ids
    assert tail.has_arrived is has_arrived


def test_a_list_that_is_refused_is_looked_at_again_from_the_same_place() -> None:
    parts = Asked({TAIL[0]: (400, page(*TAIL_ROWS[0], following="1")), **dict([*pages_of(*TAIL_ROWS).items()][1:])})
    tail = tail_of(parts, "2026-01-01T00:00:15")
    assert list(tail.look(None, 9)) == []
    assert not tail.has_arrived
    assert [one["id"] for one in tail.look(None, 9)] == ["D", "C", "B", "A"]
    assert tail.has_arrived


def test_a_list_without_rows_is_looked_at_to_its_end() -> None:
    tail = tail_of(Asked({TAIL[0]: page()}), "")
    assert list(tail.look(None, 9)) == []
    assert tail.has_arrived


@pytest.mark.parametrize(
    ("value", "second"),
    [
        ("2026-01-01T00:00:05.999Z", "2026-01-01T00:00:05"),
        ("2026-01-01T01:00:05+01:00", "2026-01-01T00:00:05"),
        ("yesterday", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_times_are_compared_up_to_the_second_in_utc(value: Any, second: str) -> None:
    assert second_of(value) == second
