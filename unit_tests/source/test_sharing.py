"""An answer that several streams want is asked for once, is never too old for who takes it, and is given up at last."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any

import pytest
import requests

from source_vitally.responses import body_of, clock_of, is_absent, is_empty, mark_absent, size_of
from source_vitally.sharing import BLOCK, LARGEST, Answers, Reading, Spool

LIST = ("/accounts", "limit=100", "createdAt")


def answer(body: Any, status: int = 200) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content = status, json.dumps(body).encode()
    response.headers["Date"] = "Mon, 04 May 2026 10:00:00 GMT"
    response.elapsed = timedelta(seconds=0.5)
    body_of(response)
    return response


class Server:
    """Counts what it is asked for, and gives another answer each time."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def __call__(self, key: Any, size: int = 0) -> requests.Response:
        self.asked.append(key)
        return answer({"results": [key, len(self.asked), "x" * size]})


@pytest.fixture
def server() -> Server:
    return Server()


def readings(answers: Answers, count: int, **settings: Any) -> list[Reading]:
    made = [Reading(answers, LIST, **settings) for _ in range(count)]
    for reading in made:
        reading.expect()
    return made


def rows(response: requests.Response) -> Any:
    return body_of(response)["results"]


def blocks_in_use(spool: Spool) -> int:
    return spool._blocks - len(spool._free)


def test_a_page_is_asked_for_once_and_kept_until_each_reader_has_had_it(server: Server) -> None:
    spool = Spool()
    first, second, third = readings(Answers(spool), 3)
    pages = [reading.page("p", partial(server, "p")) for reading in (first, second)]
    assert blocks_in_use(spool) == 1
    pages.append(third.page("p", partial(server, "p")))
    assert [rows(page) for page in pages] == [["p", 1, ""]] * 3
    assert server.asked == ["p"]
    assert blocks_in_use(spool) == 0


@pytest.mark.parametrize(
    ("body", "status"), [({"a": [1, 2**70, 0.5, None, "Ü"]}, 200), ([], 200), ({"error": ""}, 404)]
)
def test_an_answer_is_the_same_from_disk(body: Any, status: int) -> None:
    given = answer(body, status)
    if not given.ok:
        mark_absent(given)
    asked: list[int] = []

    def ask() -> requests.Response:
        asked.append(1)
        return given

    shown = [
        (body_of(each), size_of(each), is_empty(each), is_absent(each), clock_of(each), each.status_code)
        for each in (
            reading.detail("row", ask)
            for reading in readings(Answers(), 2, details=("/accounts/*/healthScores", *LIST))
        )
    ]
    assert len(asked) == 1
    assert shown[0] == shown[1]
    assert shown[0][4] is not None


def test_nothing_is_kept_for_one_reader_or_for_nobody(server: Server) -> None:
    spool = Spool()
    answers = Answers(spool)
    Reading(answers, LIST).page("p", partial(server, "p"))
    [only] = readings(answers, 1)
    only.page("p", partial(server, "p"))
    assert server.asked == ["p", "p"]
    assert spool._file is None


def test_what_a_reader_that_failed_has_not_had_is_given_up_with_the_last_one(server: Server) -> None:
    spool = Spool()
    first, second = readings(Answers(spool), 2)
    for key in "pq":
        first.page(key, partial(server, key))
    second.page("p", partial(server, "p"))
    second.end()
    assert blocks_in_use(spool) == 1
    first.end()
    assert blocks_in_use(spool) == 0


def test_that_a_list_is_absent_each_stream_finds_out_as_not_each_may_be_without_it() -> None:
    first, second = readings(Answers(), 2)
    asked = []

    def ask() -> requests.Response:
        asked.append(1)
        given = answer({"error": "No."}, 404)
        mark_absent(given)
        return given

    assert is_absent(first.page("p", ask))
    assert is_absent(second.page("p", ask))
    assert len(asked) == 2


def test_archived_pages_are_not_older_than_the_live_ones_that_were_read_before(server: Server) -> None:
    first, second = readings(Answers(), 2)
    first.page("archived", partial(server, "archived"))
    second.since = monotonic()
    assert rows(second.page("archived", partial(server, "archived")))[1] == 2


def test_details_are_not_older_than_the_page_that_names_their_row(server: Server) -> None:
    """Else a row that was edited in between would come with the details from before, and never with the others."""
    first, second = readings(Answers(), 2, details=("/accounts/*/healthScores", *LIST))
    first.page("p", partial(server, "p"))
    first.detail("row", partial(server, "row"))
    second.page("q", partial(server, "q"))  # where the row is by now
    assert rows(second.detail("row", partial(server, "row"))) == ["row", 4, ""]
    third, fourth = readings(Answers(), 2, details=("/accounts/*/healthScores", *LIST))
    for reading in (third, fourth):
        reading.page("p", partial(server, "p"))
        reading.detail("row", partial(server, "row"))
    assert server.asked[4:] == ["p", "row"]


def test_who_begins_again_takes_nothing_of_before_and_others_take_what_is_new(server: Server) -> None:
    first, second, third = readings(Answers(), 3)
    first.page("p", partial(server, "p"))
    second.begin_again()
    assert [rows(each.page("p", partial(server, "p")))[1] for each in (second, third)] == [2, 2]


def test_ids_are_not_older_than_what_was_read_of_the_list_in_another_order(server: Server) -> None:
    """By ids a row is found that is gone; one that was created after they were listed must not seem to be."""
    answers = Answers()
    first, second = readings(answers, 2)
    first.page("p", partial(server, "p"))
    assert answers.seen_otherwise(LIST) == 0.0
    Reading(answers, (*LIST[:2], "updatedAt")).page("u", partial(server, "u"))
    assert answers.seen_otherwise(("/accounts", "limit=50", "createdAt")) == 0.0, "another list"
    second.since = answers.seen_otherwise(LIST)
    assert rows(second.page("p", partial(server, "p"))) == ["p", 3, ""]


def side_by_side(*tasks: Callable[[], Any]) -> Iterator[threading.Thread]:
    for task in tasks:
        thread = threading.Thread(target=task)
        thread.start()
        yield thread


def test_a_page_that_is_on_its_way_is_waited_for(server: Server) -> None:
    answers, goes_on, begun = Answers(), threading.Event(), threading.Event()
    given: list[Any] = []

    def slowly() -> requests.Response:
        begun.set()
        assert goes_on.wait(10)
        return server("p")

    def read(reading: Reading, ask: Callable[[], requests.Response]) -> None:
        given.append(rows(reading.page("p", ask)))

    first, second, third = readings(answers, 3)
    [leader] = side_by_side(partial(read, first, slowly))
    assert begun.wait(10)
    followers = list(side_by_side(*(partial(read, each, partial(server, "p")) for each in (second, third))))
    goes_on.set()
    for thread in (leader, *followers):
        thread.join(10)
    assert given == [["p", 1, ""]] * 3


@pytest.mark.parametrize("why", ["it fails", "it takes too long", "it is too old"])
def test_nobody_waits_for_what_does_not_come(server: Server, why: str) -> None:
    answers = Answers(longest_wait=0.0 if why == "it takes too long" else 300.0)
    goes_on, begun = threading.Event(), threading.Event()
    given: list[Any] = []

    def fail() -> requests.Response:
        begun.set()
        assert goes_on.wait(10)
        raise ValueError

    def lead(reading: Reading) -> None:
        with pytest.raises(ValueError):  # noqa: PT011
            reading.page("p", fail)

    def follow(reading: Reading) -> None:
        given.append(rows(reading.page("p", partial(server, "p"))))

    first, second = readings(answers, 2)
    [leader] = side_by_side(partial(lead, first))
    assert begun.wait(10)
    if why == "it is too old":
        second.begin_again()
    [follower] = side_by_side(partial(follow, second))
    if why == "it fails":
        goes_on.set()
    follower.join(10)
    assert given == [["p", 1, ""]]
    goes_on.set()
    leader.join(10)


def test_what_finds_no_room_on_disk_is_asked_for_by_each(server: Server) -> None:
    first, second = readings(Answers(Spool(limit=2 * BLOCK)), 2)
    sizes = {"large": 2 * BLOCK, "small": 10, "last": 10, "too many": 10}
    for reading in (first, second):
        for key, size in sizes.items():
            assert len(rows(reading.page(key, partial(server, key, size)))[2]) == size
    assert server.asked == [*sizes, "large", "too many"]


def test_what_is_very_large_is_not_held_once_more(server: Server) -> None:
    first, second = readings(Answers(), 2)
    for reading in (first, second):
        reading.page("p", partial(server, "p", LARGEST + 1))
    assert server.asked == ["p", "p"]


def test_bytes_come_back_as_they_were_put_and_their_blocks_are_used_again() -> None:
    spool, contents = Spool(), [bytes([number]) * (number * BLOCK // 2 + 1) for number in range(1, 9)]
    kept = [spool.put(content) for content in contents]
    for number in (1, 4, 6):
        spool.free(kept[number])
        contents[number] = contents[number][::-1] + b"!"
        kept[number] = spool.put(contents[number])
    assert [spool.get(blocks, len(content)) for blocks, content in zip(kept, contents, strict=True)] == contents
    assert spool._blocks <= sum(map(len, kept)) + 3


@pytest.mark.parametrize("where", ["write", "read", "open"])
def test_a_disk_that_fails_costs_requests_and_nothing_else(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    class Broken:
        def seek(self, _: int) -> None: ...

        def write(self, part: bytes) -> int:
            return len(part) - 1 if where == "write" else len(part)

        def read(self, _: int) -> bytes:
            raise OSError(5, "Input/output error")

    def opened(**_: Any) -> Any:
        if where == "open":
            raise FileNotFoundError(2, "No usable temporary directory found")
        return Broken()

    monkeypatch.setattr("source_vitally.sharing.tempfile.TemporaryFile", opened)
    first, second = readings(Answers(), 2)
    with caplog.at_level("WARNING", "airbyte"):
        for reading in (first, second):
            for key in "pq":
                assert rows(reading.page(key, partial(server, key)))[0] == key
    assert server.asked == list("pqpq")
    assert caplog.text.count("no longer kept on disk") == (where != "read")
