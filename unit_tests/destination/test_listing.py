"""Lists read as far as they are worth it, and what they prove."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from destination_vitally.transports.listing import FRESH, MOST_PAGES, SINGLES_FIRST, Listing

from destination_vitally.api.reply import Reply
from destination_vitally.mapping.mapper import identity_of
from destination_vitally.objects.table import BY_NAME, INSTANCE
from integration_tests.harness import QuickClock
from unit_tests.destination.scripted import INSTANCES, Parts, page

LIST = "GET /tasks?limit=100&sortBy=createdAt"
LATEST = "GET /tasks?limit=100&sortBy=updatedAt"
MANY = SINGLES_FIRST + 1
"""So many rows are worth to read a page for."""


def listing_of(parts: Parts, name: str = "task") -> Listing:
    assert parts.references.lists
    found = parts.references.lists.of(BY_NAME[name])
    assert found
    return found


def row(key: str, created: int = 0, updated: int | None = None, **more: Any) -> dict[str, Any]:
    times = {"createdAt": created, "updatedAt": created if updated is None else updated}
    said = {name: f"2026-01-01T00:{minute // 60:02}:{minute % 60:02}.500Z" for name, minute in times.items()}
    return {"id": key.upper(), "externalId": key, **said, **more}


def shown(listing: Listing, key: str, name: str = "task") -> list[str]:
    identity = identity_of(BY_NAME[name], {"externalId": key})
    assert identity
    return [one.row["id"] for one in listing.index.find(identity)]


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
    ("pages", "is_complete"),
    [
        ([[9, 8], [8, 1]], True),
        ([[]], True),
        ([[9, 8], [9]], False),
        ([[8, 9]], False),
        ([[9, 8], []], False),
        ([[9], [], [8]], False),
    ],
)
def test_only_a_whole_list_in_order_proves_that_a_row_is_not_there(pages: list[list[int]], is_complete: bool) -> None:
    listing = Listing(Paged(*pages), BY_NAME["task"], QuickClock(), lambda rows: None)  # type: ignore[arg-type]
    listing.want(SINGLES_FIRST + 1)
    assert listing.is_read
    assert listing.is_complete is is_complete


def test_few_rows_read_no_list() -> None:
    listing = Listing(Paged([1]), BY_NAME["task"], QuickClock(), lambda rows: None)  # type: ignore[arg-type]
    listing.want(SINGLES_FIRST)
    assert not listing.is_read


def test_a_list_of_exactly_as_many_pages_as_are_worth_it_is_known_to_be_read() -> None:
    pages = [[9]] * (SINGLES_FIRST + 1)
    listing = Listing(Paged(*pages), BY_NAME["task"], QuickClock(), lambda rows: None)  # type: ignore[arg-type]
    listing.want(SINGLES_FIRST + 1)
    assert listing.is_read
    assert listing.is_complete


# Pages are read as far as the rows that are looked for are worth it


def test_pages_are_read_until_they_have_cost_what_asking_for_each_row_would() -> None:
    pages = {f"{LIST}{f'&from={n}' if n else ''}": page(row(f"r{n}"), following=str(n + 1)) for n in range(40)}
    parts = Parts(pages)
    listing = listing_of(parts)
    listing.want(SINGLES_FIRST)
    assert parts.vitally.asked == []
    listing.want(1)
    assert parts.vitally.asked == [*pages][:MANY]
    listing.want(2, more=3)
    assert parts.vitally.asked == [*pages][: MANY + 5]
    listing.want(5, lambda: shown(listing, "r17") == ["R17"])
    assert parts.vitally.asked == [*pages][:18]
    listing.want(50, lambda: True)
    assert parts.vitally.asked == [*pages][:18]
    assert not listing.is_read
    assert not listing.is_complete


def test_what_is_enough_is_no_proof() -> None:
    """The list is read, but nobody has looked whether it is still true."""
    parts = Parts({LIST: page(row("a"))})
    listing = listing_of(parts)
    listing.want(MANY, lambda: shown(listing, "a") == ["A"])
    assert listing.is_read
    assert not listing.is_complete
    listing.want(1)
    assert listing.is_complete


PARTS = [f"GET /npsResponses?limit=100&target={part}&sortBy=createdAt" for part in ("accounts", "organization")]


@pytest.mark.parametrize(
    ("script", "is_complete"),
    [
        ({PARTS[0]: page(row("a", 5)), PARTS[1]: page(row("b", 9))}, True),
        ({PARTS[0]: page(), PARTS[1]: page()}, True),
        ({PARTS[0]: page(row("a"))}, False),
        ({PARTS[1]: page(row("b"))}, False),
        ({PARTS[0]: page(row("a")), PARTS[1]: 400}, False),
    ],
)
def test_each_part_of_a_list_must_be_there(script: Any, is_complete: bool) -> None:
    parts = Parts(script)
    listing = listing_of(parts, "nps_response")
    listing.want(MANY)
    assert listing.is_read
    assert listing.is_complete is is_complete
    for key, answer in zip("ab", PARTS, strict=True):
        is_there = isinstance(script.get(answer), dict) and script[answer]["results"]
        assert bool(shown(listing, key, "nps_response")) is bool(is_there)


@pytest.mark.parametrize("created", [None, "yesterday"])
def test_a_row_without_a_time_leaves_the_order_open(created: Any) -> None:
    listing = listing_of(Parts({LIST: page(row("a") | {"createdAt": created})}))
    listing.want(MANY)
    assert not listing.is_complete


# What is written since


def test_after_a_while_one_looks_at_what_others_have_written_since() -> None:
    parts = Parts({LIST: page(row("b", 20), row("a", 10)), LATEST: page(row("c", 30), row("a", 10, 21), row("b", 20))})
    listing = listing_of(parts)
    listing.want(MANY)
    parts.clock.wait(FRESH)
    listing.want(1)
    assert parts.vitally.asked == [LIST]
    parts.clock.wait(1)
    listing.want(1)
    assert parts.vitally.asked == [LIST, LATEST]
    assert shown(listing, "c") == ["C"]
    assert listing.is_complete
    parts.clock.wait(FRESH)
    listing.want(1)
    assert len(parts.vitally.asked) == 2
    parts.clock.wait(1)
    listing.want(1)
    assert len(parts.vitally.asked) == 3


@pytest.mark.parametrize(("second", "pages"), [(None, 2), (25, 1), (15, 2), (12, 3), (5, 3), (4, 4)])
def test_one_looks_down_to_where_the_list_was_when_it_was_read(second: int | None, pages: int) -> None:
    """By Vitally's clock if it says the time, else by the newest row."""
    rows = [[row("c", 30), row("b", 20)], [row("d", 12)], [row("e", 4)], [row("f", 3)]]
    tail = {f"{LATEST}{f'&from={n}' if n else ''}": page(*rows[n], following=str(n + 1)) for n in range(4)}
    parts = Parts({LIST: page(row("b", 20), row("a", 10)), **tail})
    parts.vitally.date = "" if second is None else f"Thu, 01 Jan 2026 00:00:{second:02} GMT"
    listing = listing_of(parts)
    listing.want(MANY)
    parts.clock.wait(FRESH + 1)
    listing.want(1)
    assert parts.vitally.asked == [LIST, *[*tail][:pages]]
    assert listing.is_complete


@pytest.mark.parametrize(
    ("pages", "written", "is_complete"),
    [(MOST_PAGES, 0, True), (MOST_PAGES + 1, 0, False), (MOST_PAGES + 2, 100, True), (MOST_PAGES + 3, 100, False)],
)
def test_too_much_that_others_write_leaves_no_proof(pages: int, written: int, is_complete: bool) -> None:
    """What this sync has written itself comes on top of it."""
    last = pages - 1
    tail = {
        f"{LATEST}{f'&from={n}' if n else ''}": page(row(f"r{n}", 100 if n < last else 5), following=str(n + 1))
        for n in range(pages)
    }
    parts = Parts({LIST: page(row("a", 10)), **tail})
    listing = listing_of(parts)
    listing.want(MANY)
    for n in range(written):
        listing.wrote(f"W{n}", {"externalId": f"w{n}"})
    parts.clock.wait(FRESH + 1)
    listing.want(1)
    assert listing.is_complete is is_complete


def test_what_was_written_before_the_last_look_does_not_count_again() -> None:
    parts = Parts({LIST: page(row("a", 10)), LATEST: page(row("a", 10), following="")})
    listing = listing_of(parts)
    listing.want(MANY)
    parts.clock.wait(FRESH + 1)
    listing.want(1)
    for n in range(49):
        listing.wrote(f"W{n}", {"externalId": f"w{n}"})
    for n in range(MOST_PAGES + 1):
        last = n == MOST_PAGES
        parts.vitally.say(
            f"{LATEST}{f'&from={n}' if n else ''}", page(row("b", 5 if last else 99), following=str(n + 1))
        )
    parts.clock.wait(FRESH + 1)
    listing.want(1)
    assert not listing.is_complete


def test_of_a_list_that_was_empty_everything_is_new() -> None:
    parts = Parts({LIST: page(), LATEST: page(row("b", 9), following="1"), f"{LATEST}&from=1": page(row("a", 5))})
    listing = listing_of(parts)
    listing.want(MANY)
    parts.clock.wait(FRESH + 1)
    listing.want(1)
    assert [shown(listing, key) for key in "ab"] == [["A"], ["B"]]


@pytest.mark.parametrize(
    "look",
    [{LATEST: 400}, {LATEST: page(row("b", 99), following="1"), f"{LATEST}&from=1": page()}],
    ids=["refused", "ends with an empty page, as a cursor that has expired may"],
)
def test_a_list_that_can_no_longer_be_read_proves_nothing_any_more(look: dict[str, Any]) -> None:
    parts = Parts({LIST: page(row("a")), **look})
    listing = listing_of(parts)
    listing.want(MANY)
    assert listing.is_complete
    parts.clock.wait(FRESH + 1)
    listing.want(1)
    assert not listing.is_complete


def test_what_this_sync_writes_is_remembered_once_the_list_is_read() -> None:
    parts = Parts({LIST: page(row("a"))})
    listing = listing_of(parts)
    listing.want(SINGLES_FIRST)
    listing.wrote("B", {"externalId": "b"})
    assert shown(listing, "b") == []
    listing.want(1)
    listing.wrote("B", {"externalId": "b"})
    assert shown(listing, "b") == ["B"]


# The lists of all objects


def test_each_list_is_read_once_for_whoever_looks_for_rows_of_it() -> None:
    """A stream may tell its rows by one of the keys alone."""
    parts = Parts({"GET /users?limit=100&sortBy=createdAt": page(row("u", email="ida@example.com"))})
    assert parts.references.lists
    user = BY_NAME["user"]
    listing = parts.references.lists.of(user.matched_by(user.keys[-1]))
    assert listing is parts.references.lists.of(user)
    assert listing
    listing.want(MANY)
    assert shown(listing, "u", "user") == ["U"]
    assert parts.references.is_listed("user", "u")


def test_instances_of_a_custom_object_have_a_list_of_their_own() -> None:
    parts = Parts({f"GET {INSTANCES}?limit=100&sortBy=createdAt": page(row("x"))})
    assert parts.references.lists
    listing = parts.references.lists.of(replace(INSTANCE, name="custom_object/x", path=INSTANCES))
    assert listing
    listing.want(MANY)
    assert [one.row["id"] for one in listing.index.find(("custom_object/x", "externalId", "x"))] == ["X"]


@pytest.mark.parametrize("name", ["event", "message", "meeting_participant"])
def test_what_has_no_list_of_all_has_none(name: str) -> None:
    parts = Parts()
    assert parts.references.lists
    assert parts.references.lists.of(BY_NAME[name]) is None
