"""Lists read as far as they are worth it, and what they prove."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from destination_vitally.api.reply import Reply
from destination_vitally.objects.table import BY_NAME, INSTANCE
from destination_vitally.rows.lists import FRESH_SECONDS, MOST_PAGES, SINGLES_FIRST, RowList
from destination_vitally.rows.memory import Memory
from unit_tests.clock import QuickClock
from unit_tests.destination.rows.asking import Asked, ids, row
from unit_tests.destination.scripted import INSTANCES, page

LIST = "GET /tasks?limit=100&sortBy=createdAt"
LATEST = "GET /tasks?limit=100&sortBy=updatedAt"
MANY = SINGLES_FIRST + 1
"""So many rows are worth to read a page for."""


def list_of(parts: Asked, name: str = "task") -> RowList:
    found = parts.lists.of(BY_NAME[name])
    assert found
    return found


def shown(parts: Asked, key: str, name: str = "task") -> list[str]:
    return ids(parts.known(name, externalId=key))


def is_proof(listing: RowList) -> bool:
    return listing.as_of is not None


class Paged:
    """A list of pages, each a list of the times at which its rows were made, in seconds."""

    def __init__(self, *pages: list[int]) -> None:
        self._pages = list(pages)

    def send(self, method: str, path: str) -> Reply:
        assert method == "GET"
        assert path.startswith("/tasks?")
        page = self._pages.pop(0) if self._pages else []
        rows = [{"id": f"r{second}", "createdAt": f"2026-01-01T00:00:{second:02}.000Z"} for second in page]
        return Reply(200, {"results": rows, "next": f"more{len(self._pages)}" if self._pages else None}, "")


@pytest.mark.parametrize(
    ("pages", "is_proven"),
    [
        ([[9, 8], [8, 1]], True),
        ([[]], True),
        ([[9, 8], [9]], False),
        ([[8, 9]], False),
        ([[9, 8], []], False),
        ([[9], [], [8]], False),
    ],
)
def test_only_a_whole_list_in_order_proves_that_a_row_is_not_there(pages: list[list[int]], is_proven: bool) -> None:
    listing = RowList(Paged(*pages), BY_NAME["task"], Memory(QuickClock()))  # type: ignore[arg-type]
    listing.want(SINGLES_FIRST + 1)
    assert listing.is_read
    assert is_proof(listing) is is_proven


def test_few_rows_read_no_list() -> None:
    listing = RowList(Paged([1]), BY_NAME["task"], Memory(QuickClock()))  # type: ignore[arg-type]
    listing.want(SINGLES_FIRST)
    assert not listing.is_read


def test_a_list_of_exactly_as_many_pages_as_are_worth_it_is_known_to_be_read() -> None:
    pages = [[9]] * (SINGLES_FIRST + 1)
    listing = RowList(Paged(*pages), BY_NAME["task"], Memory(QuickClock()))  # type: ignore[arg-type]
    listing.want(SINGLES_FIRST + 1)
    assert listing.is_read
    assert is_proof(listing)


# Pages are read as far as the rows that are looked for are worth it


def test_pages_are_read_until_they_have_cost_what_asking_for_each_row_would() -> None:
    pages = {f"{LIST}{f'&from={n}' if n else ''}": page(row(f"r{n}"), following=str(n + 1)) for n in range(40)}
    parts = Asked(pages)
    listing = list_of(parts)
    listing.want(SINGLES_FIRST)
    assert parts.asked == []
    listing.want(1)
    assert parts.asked == [*pages][:MANY]
    listing.want(2, more=3)
    assert parts.asked == [*pages][: MANY + 5]
    listing.want(5, lambda: shown(parts, "r17") == ["R17"])
    assert parts.asked == [*pages][:18]
    listing.want(50, lambda: True)
    assert parts.asked == [*pages][:18]
    assert not listing.is_read
    assert not is_proof(listing)


def test_what_is_enough_is_not_looked_at_again() -> None:
    """Given a list that was read a while ago, when all that is looked for is known, then nobody looks what was written
    since, and the proof stays as old as it is."""
    parts = Asked({LIST: page(row("a")), LATEST: page(row("a"))})
    listing = list_of(parts)
    listing.want(MANY)
    parts.clock.wait(FRESH_SECONDS + 1)
    listing.want(MANY, lambda: shown(parts, "a") == ["A"])
    assert (listing.as_of, parts.asked) == (1000.0, [LIST])
    listing.want(1)
    assert (listing.as_of, parts.asked) == (1000.0 + FRESH_SECONDS + 1, [LIST, LATEST])


PARTS = [f"GET /npsResponses?limit=100&target={part}&sortBy=createdAt" for part in ("accounts", "organization")]


@pytest.mark.parametrize(
    ("script", "is_proven"),
    [
        ({PARTS[0]: page(row("a", 5)), PARTS[1]: page(row("b", 9))}, True),
        ({PARTS[0]: page(), PARTS[1]: page()}, True),
        ({PARTS[0]: page(row("a"))}, False),
        ({PARTS[1]: page(row("b"))}, False),
        ({PARTS[0]: page(row("a")), PARTS[1]: 400}, False),
    ],
)
def test_each_part_of_a_list_must_be_there(script: Any, is_proven: bool) -> None:
    parts = Asked(script)
    listing = list_of(parts, "nps_response")
    listing.want(MANY)
    assert listing.is_read
    assert is_proof(listing) is is_proven
    for key, answer in zip("ab", PARTS, strict=True):
        is_there = isinstance(script.get(answer), dict) and script[answer]["results"]
        assert bool(shown(parts, key, "nps_response")) is bool(is_there)


@pytest.mark.parametrize("created", [None, "yesterday"])
def test_a_row_without_a_time_leaves_the_order_open(created: Any) -> None:
    listing = list_of(Asked({LIST: page(row("a") | {"createdAt": created})}))
    listing.want(MANY)
    assert not is_proof(listing)


# What is written since


def test_after_a_while_one_looks_at_what_others_have_written_since() -> None:
    parts = Asked({LIST: page(row("b", 20), row("a", 10)), LATEST: page(row("c", 30), row("a", 10, 21), row("b", 20))})
    listing = list_of(parts)
    listing.want(MANY)
    parts.clock.wait(FRESH_SECONDS)
    listing.want(1)
    assert parts.asked == [LIST]
    parts.clock.wait(1)
    listing.want(1)
    assert parts.asked == [LIST, LATEST]
    assert shown(parts, "c") == ["C"]
    assert is_proof(listing)
    parts.clock.wait(FRESH_SECONDS)
    listing.want(1)
    assert len(parts.asked) == 2
    parts.clock.wait(1)
    listing.want(1)
    assert len(parts.asked) == 3


@pytest.mark.parametrize(("second", "pages"), [(None, 2), (25, 1), (15, 2), (12, 3), (5, 3), (4, 4)])
def test_one_looks_down_to_where_the_list_was_when_it_was_read(second: int | None, pages: int) -> None:
    """By Vitally's clock if it says the time, else by the newest row."""
    rows = [[row("c", 30), row("b", 20)], [row("d", 12)], [row("e", 4)], [row("f", 3)]]
    tail = {f"{LATEST}{f'&from={n}' if n else ''}": page(*rows[n], following=str(n + 1)) for n in range(4)}
    parts = Asked({LIST: page(row("b", 20), row("a", 10)), **tail})
    parts.vitally.date = "" if second is None else f"Thu, 01 Jan 2026 00:00:{second:02} GMT"
    listing = list_of(parts)
    listing.want(MANY)
    parts.clock.wait(FRESH_SECONDS + 1)
    listing.want(1)
    assert parts.asked == [LIST, *[*tail][:pages]]
    assert is_proof(listing)


@pytest.mark.parametrize(
    ("pages", "written", "is_proven"),
    [(MOST_PAGES, 0, True), (MOST_PAGES + 1, 0, False), (MOST_PAGES + 2, 100, True), (MOST_PAGES + 3, 100, False)],
)
def test_too_much_that_others_write_leaves_no_proof(pages: int, written: int, is_proven: bool) -> None:
    """What this sync has written itself comes on top of it."""
    last = pages - 1
    tail = {
        f"{LATEST}{f'&from={n}' if n else ''}": page(row(f"r{n}", 100 if n < last else 5), following=str(n + 1))
        for n in range(pages)
    }
    parts = Asked({LIST: page(row("a", 10)), **tail})
    listing = list_of(parts)
    listing.want(MANY)
    for n in range(written):
        parts.written("task", id=f"W{n}", externalId=f"w{n}")
    parts.clock.wait(FRESH_SECONDS + 1)
    listing.want(1)
    assert is_proof(listing) is is_proven


def test_what_was_written_before_the_last_look_does_not_count_again() -> None:
    parts = Asked({LIST: page(row("a", 10)), LATEST: page(row("a", 10), following="")})
    listing = list_of(parts)
    listing.want(MANY)
    parts.clock.wait(FRESH_SECONDS + 1)
    listing.want(1)
    for n in range(49):
        parts.written("task", id=f"W{n}", externalId=f"w{n}")
    for n in range(MOST_PAGES + 1):
        last = n == MOST_PAGES
        parts.vitally.say(
            f"{LATEST}{f'&from={n}' if n else ''}", page(row("b", 5 if last else 99), following=str(n + 1))
        )
    parts.clock.wait(FRESH_SECONDS + 1)
    listing.want(1)
    assert not is_proof(listing)


def test_of_a_list_that_was_empty_everything_is_new() -> None:
    parts = Asked({LIST: page(), LATEST: page(row("b", 9), following="1"), f"{LATEST}&from=1": page(row("a", 5))})
    listing = list_of(parts)
    listing.want(MANY)
    parts.clock.wait(FRESH_SECONDS + 1)
    listing.want(1)
    assert [shown(parts, key) for key in "ab"] == [["A"], ["B"]]


@pytest.mark.parametrize(
    "look",
    [{LATEST: 400}, {LATEST: page(row("b", 99), following="1"), f"{LATEST}&from=1": page()}],
    ids=["refused", "ends with an empty page, as a cursor that has expired may"],
)
def test_a_list_that_can_no_longer_be_read_proves_nothing_any_more(look: dict[str, Any]) -> None:
    parts = Asked({LIST: page(row("a")), **look})
    listing = list_of(parts)
    listing.want(MANY)
    assert is_proof(listing)
    parts.clock.wait(FRESH_SECONDS + 1)
    listing.want(1)
    assert not is_proof(listing)


@pytest.mark.parametrize("reads", [1, 2])
def test_a_proof_is_as_old_as_the_last_look(reads: int) -> None:
    """Given a list that took a while to read, then it says what was so when that began; a look at what was written
    since makes it younger, even where nobody looks for more rows."""
    parts = Asked({LIST: page(row("a")), LATEST: page(row("a"))})
    listing = list_of(parts)
    assert listing.as_of is None
    listing.refresh()
    assert parts.asked == []
    listing.want(MANY)
    assert listing.as_of == 1000.0
    for _ in range(reads):
        parts.clock.wait(FRESH_SECONDS + 1)
        listing.refresh()
    assert listing.as_of == 1000.0 + reads * (FRESH_SECONDS + 1)
    assert parts.asked == [LIST, *[LATEST] * reads]


def test_a_list_proves_nothing_any_more_once_memory_has_forgotten_what_it_showed() -> None:
    """Given a list that was read to its end, when the disk is full and rows that were shown are forgotten, then a row
    that is not known may have been in it."""
    parts = Asked({LIST: page(row("a"))})
    listing = list_of(parts)
    listing.want(MANY)
    assert is_proof(listing)
    parts.memory.store._move_to_memory()
    assert not is_proof(listing)


def test_what_a_list_shows_is_marked_as_listed() -> None:
    parts = Asked({LIST: page(row("a"))})
    list_of(parts).want(MANY)
    [one] = parts.known("task", externalId="a").rows
    assert one.is_listed


# The lists of all objects


def test_each_list_is_read_once_for_whoever_looks_for_rows_of_it() -> None:
    """Given a stream that identifies its rows by one of the keys alone, then it shares the list with all others."""
    parts = Asked({"GET /users?limit=100&sortBy=createdAt": page(row("u", email="ida@example.com"))})
    user = BY_NAME["user"]
    listing = parts.lists.of(user.matched_by(user.keys[-1]))
    assert listing is parts.lists.of(user)
    assert listing
    listing.want(MANY)
    assert shown(parts, "u", "user") == ["U"]
    assert parts.references.is_listed("user", "u")


def test_instances_of_a_custom_object_have_a_list_of_their_own() -> None:
    """Given instances whose object is called by its name in one stream and by its id in another, then they are the
    same rows: those of one place."""
    parts = Asked({f"GET {INSTANCES}?limit=100&sortBy=createdAt": page(row("x"))})
    one, other = (replace(INSTANCE, name=name, path=INSTANCES) for name in ("custom_object/x", "custom_object/id"))
    listing = parts.lists.of(one)
    assert listing is parts.lists.of(other)
    assert listing
    listing.want(MANY)
    assert ids(parts.memory.ask(other, ("custom_object/id", "externalId", "x"))) == ["X"]
    elsewhere = replace(INSTANCE, name="custom_object/x", path="/elsewhere")
    assert ids(parts.memory.ask(elsewhere, ("custom_object/x", "externalId", "x"))) == []


@pytest.mark.parametrize("name", ["event", "message", "meeting_participant"])
def test_what_has_no_list_of_all_has_none(name: str) -> None:
    assert Asked().lists.of(BY_NAME[name]) is None


def test_while_a_list_is_read_it_says_at_which_page() -> None:
    asked, numbers = Asked(), list[int]()
    listing = RowList(Paged([9], [8], [7]), BY_NAME["task"], asked.memory)  # type: ignore[arg-type]

    def is_enough() -> bool:
        numbers.append(listing.pages_read)
        return False

    listing.want(1000, is_enough)
    assert (numbers[:3], listing.pages_read) == ([0, 1, 2], 0)
