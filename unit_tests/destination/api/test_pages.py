"""Rows in answers: how a list is read to its end, and what says that there is no row."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.api.pages import all_rows, answers, found_row, is_row, pages, quoted, rows_of, text_of
from destination_vitally.api.reply import Reply
from destination_vitally.errors import ListError, RejectedError
from unit_tests.destination.scripted import Parts, asks, page

TASK = asks("task", "update", {"id": "t"})
LIST = "GET /tasks?limit=100&sortBy=createdAt"
ROWS = [{"id": "1"}, {"id": "2"}, {"id": "3"}]


@pytest.mark.parametrize(
    ("value", "segment"),
    [("a", "a"), ("a/b", "a%2Fb"), ("a b+c@d", "a%20b%2Bc%40d"), ("a?b#c%", "a%3Fb%23c%25"), ("...", "...")],
)
def test_an_id_is_one_segment_of_a_path(value: str, segment: str) -> None:
    assert quoted(value) == segment


@pytest.mark.parametrize(("row", "text"), [({}, ""), ({"a": None}, ""), ({"a": 0}, "0"), ({"a": "None"}, "None")])
def test_what_a_row_lacks_is_not_called_none(row: dict[str, Any], text: str) -> None:
    assert text_of(row, "a") == text


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_an_id_that_would_lead_elsewhere_is_not_sent(value: str) -> None:
    with pytest.raises(RejectedError, match=r"^an id that is empty, \. or \.\. cannot be sent$"):
        quoted(value)


# Lists


@pytest.mark.parametrize(
    ("asked", "parameters"),
    [
        ({}, "limit=100&sortBy=createdAt"),
        ({"order": "updatedAt"}, "limit=100&sortBy=updatedAt"),
        ({"order": None}, "limit=100"),
        ({"query": "target=accounts"}, "limit=100&target=accounts&sortBy=createdAt"),
    ],
)
def test_a_list_is_read_page_by_page_in_the_order_that_edits_do_not_change(asked: Any, parameters: str) -> None:
    path = f"GET /tasks?{parameters}"
    parts = Parts({
        path: page(*ROWS[:2], following="a/b"),
        f"{path}&from=a%2Fb": page(following="c"),
        f"{path}&from=c": page(ROWS[2]),
    })  # fmt: skip
    expected: list[Any] = [ROWS[:2], [], ROWS[2:]]
    assert [*pages(parts.api, "/tasks", **asked)] == expected
    assert [reply.body["results"] for reply in answers(parts.api, "/tasks", **asked)] == expected
    assert len(parts.vitally.asked) == 6


@pytest.mark.parametrize("order", ["createdAt", None])
def test_all_rows_of_a_list_come_one_by_one(order: str | None) -> None:
    path = "GET /tasks?limit=100" + (f"&sortBy={order}" if order else "")
    parts = Parts({path: page(*ROWS[:2], following="a"), f"{path}&from=a": page(ROWS[2])})
    assert [*all_rows(parts.api, "/tasks", **({} if order else {"order": None}))] == ROWS


def test_there_may_be_no_such_list() -> None:
    assert [*all_rows(Parts().api, "/tasks")] == []


@pytest.mark.parametrize(
    ("second", "problem", "status"),
    [
        (404, "Not found", 404),  # it was there a moment ago
        (400, "No.", 400),
        (Reply(400, page({"id": "2"}), ""), "HTTP 400 without a reason", 400),
        ([{"id": "2"}], "HTTP 200 without a reason", 200),
        ({"id": "2"}, "HTTP 200 without a reason", 200),
        (page({"id": ""}), "one of its rows has no id", None),
        (page({"id": "2"}, {"name": "N"}), "one of its rows has no id", None),
        (page({"id": "2"}, following="a"), "a page comes back again and again", None),
    ],
)
def test_a_list_that_cannot_be_read_to_its_end_is_an_error(second: Any, problem: str, status: int | None) -> None:
    parts = Parts({LIST: page({"id": "1"}, following="a"), f"{LIST}&from=a": second})
    rows = all_rows(parts.api, "/tasks")
    assert next(rows) == {"id": "1"}
    with pytest.raises(ListError) as caught:
        list(rows)
    assert str(caught.value) == f"Vitally does not list /tasks to its end: {problem}"
    assert caught.value.status == status


def test_a_page_without_rows_is_asked_for_again() -> None:
    assert [*all_rows(Parts({LIST: ({"next": None}, page(*ROWS))}).api, "/tasks")] == ROWS


def test_pages_that_lead_back_to_the_first_cursor_are_an_error() -> None:
    parts = Parts({
        LIST: page(following="a"), f"{LIST}&from=a": page(following="b"), f"{LIST}&from=b": page(following="a"),
    })  # fmt: skip
    with pytest.raises(ListError, match="a page comes back again and again"):
        list(all_rows(parts.api, "/tasks"))
    assert len(parts.vitally.asked) == 3


# Answers


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"id": "1", "name": "N"}, [{"id": "1", "name": "N"}]),
        (200, {"results": ROWS, "next": None}, ROWS),
        (200, ROWS, ROWS),
        (200, [], []),
        (200, {"results": []}, []),
        (404, {"error": "Not found"}, []),
        (200, {"error": "Not found"}, []),
    ],
)
def test_an_answer_says_which_rows_there_are(status: int, body: Any, expected: Any) -> None:
    reply = Reply(status, body, "")
    assert rows_of(TASK, reply) == expected
    assert found_row(TASK, reply) == (expected[0] if expected else None)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, None, "HTTP 404 without a reason"),
        (500, {"error": "Oops"}, "Oops"),
        (400, {"results": ROWS}, "HTTP 400 without a reason"),
        (200, {"name": "N"}, "an answer that is no row"),
        (200, {"results": {"id": "1"}}, "an answer that is no row"),
        (200, [{"id": "1"}, {"id": None}], "an answer that is no row"),
        (200, "1", "an answer that is no row"),
    ],
)
def test_any_other_answer_leaves_open_whether_a_row_is_there(status: int, body: Any, reason: str) -> None:
    with pytest.raises(RejectedError) as caught:
        rows_of(TASK, Reply(status, body, ""))
    assert str(caught.value) == f"task 't': Vitally does not say whether it is there: {reason}"
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("value", "is_one"),
    [({"id": "1"}, True), ({"id": ""}, False), ({"id": 1}, False), ({"name": "N"}, False), (["id"], False)],
)
def test_a_row_has_an_id(value: Any, is_one: bool) -> None:
    assert is_row(value) is is_one
