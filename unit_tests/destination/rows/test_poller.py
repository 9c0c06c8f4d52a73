"""Waiting for Vitally to apply what it took: when it is looked, what is asked, what shows a message, when it ends."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.api.pages import Row
from destination_vitally.objects.model import Object
from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.facts import Coming
from destination_vitally.rows.poller import (
    LONGER_SECONDS,
    LONGEST_PAUSE,
    LOOKS,
    MISSES,
    PATIENCE_SECONDS,
    SHORTEST_PAUSE,
    Awaited,
    read_row,
)
from unit_tests.destination.rows.asking import START, Asked, outcome
from unit_tests.destination.scripted import INSTANCES, Script, asks, page

ACCOUNT, TASK, USER = BY_NAME["account"], BY_NAME["task"], BY_NAME["user"]
LATEST = "GET /tasks?limit=100&sortBy=updatedAt"


class Waits(Awaited):
    """Waits for a row that has a subject; `ended` is what is known of it when the patience is over."""

    def __init__(self, external_id: str, since: float = 1000.0, entry: Object = TASK) -> None:
        super().__init__(entry, Coming(external_id, START, since))
        self.seen: list[float] = []
        self.ended: list[Any] = []

    def sees(self, row: Row, now: float) -> bool:
        if row.get("subject"):
            self.seen.append(now)
        return bool(row.get("subject"))

    def ends(self, row: Row | None, problem: str) -> None:
        self.ended.append(problem or row)


def task(key: str, second: int = 0, **more: Any) -> dict[str, Any]:
    return {"id": key.upper(), "externalId": key, "updatedAt": f"2026-01-01T00:00:{second:02}.500Z", **more}


def done(key: str, second: int = 0) -> dict[str, Any]:
    return task(key, second, subject="S")


def watching(asked: Asked, *keys: str) -> list[Waits]:
    found = [Waits(key) for key in keys]
    for one in found:
        asked.poller.watch(one)
    return found


def looks(asked: Asked, count: int = 1) -> list[Any]:
    """The requests of so many looks, one after the other."""
    before = len(asked.asked)
    [job] = asked.jobs
    for _ in range(count):
        pause = job()
        if pause is not None:
            asked.clock.wait(pause)
    return asked.asked[before:]


# When it is looked


def test_all_rows_of_an_object_share_one_job_that_ends_with_them() -> None:
    asked = Asked({"GET /tasks/a": done("a"), "GET /tasks/b": done("b"), "GET /accounts/c": {"id": "C"}})
    a, b = watching(asked, "a", "b")
    asked.poller.watch(Waits("c", entry=ACCOUNT))
    assert len(asked.jobs) == 2
    asked.vitally.say(LATEST, page(done("a"), done("b")))
    assert asked.jobs[0]() is None
    assert (a.seen, b.seen) == ([1000.0], [1000.0])
    assert [one.external_id for one in asked.poller.all()] == ["c"]
    watching(asked, "d")
    assert len(asked.jobs) == 3, "it begins anew"


def test_pauses_are_a_part_of_what_was_waited_within_bounds() -> None:
    asked = Asked()
    watching(asked, "a")
    [job], pauses = asked.jobs, []
    for _ in range(40):
        pause = job()
        assert pause is not None
        pauses.append(pause)
        asked.clock.wait(pause)
    assert pauses[:7] == pytest.approx([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.2])
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE
    assert SHORTEST_PAUSE == 1.0


def test_the_last_pause_ends_with_the_patience() -> None:
    asked = Asked()
    [one] = watching(asked, "a")
    asked.clock.wait(PATIENCE_SECONDS - 2.0)
    [job] = asked.jobs
    assert job() == 2.0
    asked.clock.wait(2.0)
    assert job() is None
    assert one.ended == [None]


# What is asked


@pytest.mark.parametrize("found", [404, task("a")])
def test_one_row_is_asked_for_by_its_id_at_each_look(found: Any) -> None:
    asked = Asked({"GET /tasks/a": (found, done("a"))})
    [one] = watching(asked, "a")
    looks(asked, 2)
    assert len(one.seen) == 1
    assert {*asked.asked} == {"GET /tasks/a"}


def test_many_rows_are_looked_for_at_the_newest_end_of_their_list() -> None:
    """Given more rows than pages, when the list shows some, then nobody asks for the others before they were missed
    several times: a list may be late."""
    asked = Asked({LATEST: page(done("a", 5), task("b", 4)), "GET /tasks/c": done("c"), "GET /tasks/b": task("b")})
    a, b, c = watching(asked, "a", "b", "c")
    assert looks(asked) == [LATEST]
    assert (len(a.seen), b.is_there, c.is_there) == (1, True, False)
    assert looks(asked, LOOKS - 2) == [LATEST] * (LOOKS - 2)
    assert looks(asked) == [LATEST, "GET /tasks/b", "GET /tasks/c"]
    assert len(c.seen) == 1
    assert [*asked.poller.all()] == [b]
    assert asked.references.is_listed("task", "a") is True


def test_a_page_that_costs_more_than_asking_for_each_is_not_read() -> None:
    """Given a sync that has written more pages of rows since the last look than rows are waited for, then each is
    asked for."""
    asked = Asked({"GET /tasks/a": done("a"), "GET /tasks/b": done("b")})
    asked.memory.expect(TASK, sent=True, contents=False)
    asked.sent_in_a_batch(*(asks("task", "update", {"externalId": f"t{n}"}) for n in range(200)))
    watching(asked, "a", "b")
    assert looks(asked) == ["GET /tasks/a", "GET /tasks/b"]


def test_while_rows_are_not_there_yet_not_all_are_asked_for() -> None:
    """Given an object that has no list, when nothing has landed, then one request a look shows that; once something
    has, a few more do. Those that were asked for least go first."""
    asked = Asked()
    waiting = [Waits(key, entry=BY_NAME["message"]) for key in "abcdefgh"]
    for one in waiting:
        asked.poller.watch(one)
    assert looks(asked, 2) == ["GET /messages/a", "GET /messages/b"]
    asked.vitally.say("GET /messages/c", done("c"))
    assert looks(asked) == ["GET /messages/c", "GET /messages/d"]
    assert len(waiting[2].seen) == 1
    assert looks(asked) == [f"GET /messages/{key}" for key in "efg"[:MISSES]]
    assert looks(asked) == [f"GET /messages/{key}" for key in "hab"]


def test_what_is_dropped_is_not_asked_for() -> None:
    asked = Asked({"GET /tasks/a": done("a")})
    first, second = Waits("a"), Waits("a")
    for one in (first, second):
        asked.poller.watch(one)
    assert asked.poller.of_row(TASK, "a") == [first, second]
    asked.poller.drop(first)
    asked.poller.drop(first)
    asked.poller.drop(Waits("x"))
    assert asked.poller.of_row(TASK, "a") == [second]
    looks(asked)
    assert (first.seen, second.seen) == ([], [1000.0])
    assert asked.poller.of_row(TASK, "a") == []


# When it ends


@pytest.mark.parametrize(
    ("answer", "ended"),
    [(404, None), (task("a"), task("a")), (400, "Vitally does not say whether it is there: No.")],
)
def test_when_the_patience_is_over_the_row_is_what_it_is(answer: Any, ended: Any) -> None:
    asked = Asked({"GET /tasks/a": answer})
    [one] = watching(asked, "a")
    asked.poll()
    assert one.ended == [ended]
    assert asked.clock.monotonic() == 1000.0 + PATIENCE_SECONDS
    assert [*asked.poller.all()] == []


def test_nothing_ends_that_was_not_asked_for_at_the_end() -> None:
    """Given many rows none of which the list shows, when the patience is over, then each is asked for before it counts
    as missing: a list does not hold every row."""
    asked = Asked({LATEST: page(), "GET /tasks/c": done("c")})
    waiting = watching(asked, *"abc")
    asked.clock.wait(PATIENCE_SECONDS)
    assert {*looks(asked)} == {LATEST, "GET /tasks/a", "GET /tasks/b", "GET /tasks/c"}
    assert [one.ended for one in waiting] == [[None], [None], []]
    assert len(waiting[2].seen) == 1


@pytest.mark.parametrize(
    ("is_there", "usual", "until"),
    [
        (False, None, PATIENCE_SECONDS),
        (True, None, PATIENCE_SECONDS),
        (False, 5.0, PATIENCE_SECONDS),
        (True, 5.0, 5.0 + LONGER_SECONDS),
        (True, 0.0, LONGER_SECONDS),
        (True, PATIENCE_SECONDS, PATIENCE_SECONDS),
    ],
)
def test_what_shows_something_else_is_waited_for_a_little_longer_than_others_took(
    is_there: bool, usual: float | None, until: float
) -> None:
    one = Waits("a")
    one.is_there = is_there
    assert one.until(usual) == 1000.0 + until


def test_how_long_others_took_is_what_was_seen() -> None:
    """Given a row that took ten seconds, when another is there and shows something else, then that is not waited for
    until the patience ends."""
    asked = Asked({LATEST: page(done("a"), task("b")), "GET /tasks/b": task("b")})
    a, b = watching(asked, "a", "b")
    asked.clock.wait(10.0)
    asked.poll()
    assert (a.seen, b.ended) == ([1010.0], [task("b")])
    assert asked.clock.monotonic() == pytest.approx(1000.0 + 10.0 + LONGER_SECONDS)


# One row


@pytest.mark.parametrize(
    ("entry", "key", "script", "found"),
    [
        (ACCOUNT, "a/b", {"GET /accounts/a%2Fb": {"id": "A", "externalId": "a/b"}}, "A"),
        (ACCOUNT, "a", {"GET /accounts/a": 404}, None),
        # An id of yours may be Vitally's id of another row.
        (ACCOUNT, "a", {"GET /accounts/a": {"id": "a", "externalId": "x"}}, None),
        (
            asks("custom_object/*", "update", {"externalId": "x"}).entry,
            "x",
            {f"GET {INSTANCES}/search?externalId=x": [{"id": "1", "externalId": "X"}, {"id": "2", "externalId": "x"}]},
            "2",
        ),
        (ACCOUNT, "a", {"GET /accounts/a": 400}, ("it: Vitally does not say whether it is there: No.", 400)),
    ],
)
def test_a_row_is_read_by_the_path_or_the_search_of_its_object(
    entry: Object, key: str, script: Script, found: Any
) -> None:
    asked = Asked(script)

    def read() -> Any:
        row = read_row(asked.api, entry, key)
        return row and row["id"]

    assert outcome(read) == found
    assert asked.asked == [*script]
