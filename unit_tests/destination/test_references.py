"""Ids of other objects: which one is sent, what is asked to find it, and what is made where nothing is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from destination_vitally.transports.landing import Landing
from destination_vitally.transports.listing import SINGLES_FIRST
from destination_vitally.transports.references import References

from destination_vitally.errors import NotYetError, RejectedError
from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.model import Operation
from integration_tests.harness import QuickClock
from unit_tests.destination.builders import change
from unit_tests.destination.scripted import BROKEN, Parts, asks, page

TASK = asks("task", "upsert", {"externalId": "t", "accountId": "a", "name": "N", "tags": ["t"]})
"""What refers to something."""

A_LIST = "GET /accounts?limit=100&status=activeOrChurned&sortBy=createdAt"
WHEN = {"createdAt": "2026-01-01T00:00:00.000Z"}
TAKEN = {"updatedAt": "2026-01-01T00:00:01.000Z"}


def vitallys(parts: Parts, value: str, target: str = "account") -> str:
    return parts.references.vitallys(TASK, f"{target}Id", target, value)


def yours(parts: Parts, value: str, target: str = "account") -> str:
    return parts.references.yours(TASK, f"{target}Id", target, value)


def outcome(call: Callable[[], Any]) -> Any:
    """What is returned, or the words and the status of the rejection."""
    try:
        return call()
    except RejectedError as error:
        return (str(error), error.status)


# Which id is sent


@pytest.mark.parametrize(
    ("value", "script", "expected"),
    [
        ("a", {}, "a"),
        (VitallyId("A"), {"GET /accounts/A": {"id": "A", "externalId": "a"}}, "a"),
        (
            VitallyId("A"), {"GET /accounts/A": {"id": "A", "externalId": None}},
            ("task 't': accountId: this account has no externalId, by which the Analytics API knows it", None),
        ),
        (
            VitallyId("A"), {},
            ("task 't': accountId is Vitally's id of a row that this workspace does not have; "
             "sync the accounts along, or map your own id to accountId", None),
        ),
    ],
)  # fmt: skip
def test_a_message_gets_your_id(value: str, script: dict[str, Any], expected: Any) -> None:
    parts = Parts(script)
    assert outcome(lambda: yours(parts, value)) == expected
    assert len(parts.vitally.asked) == isinstance(value, VitallyId)
    if expected == "a":
        assert yours(parts, value) == "a"
        assert len(parts.vitally.asked) == isinstance(value, VitallyId)


def test_without_a_rest_key_nothing_tells_your_id() -> None:
    references = References(None, Landing(None, QuickClock()))
    assert outcome(lambda: references.yours(TASK, "accountId", "account", VitallyId("A"))) == (
        "task 't': accountId is Vitally's id of a row that only a REST key (secret_token) could look up; "
        "sync the accounts along, or map your own id to accountId",
        None,
    )
    assert references.find(TASK, "account", "a") is None
    assert not references.is_list_known("account")


@pytest.mark.parametrize("value", ["a", VitallyId("A")])
def test_rest_gets_vitallys_id_and_it_is_asked_for_once(value: str) -> None:
    parts = Parts({f"GET /accounts/{value}": {"id": "A", "externalId": "a"}})
    assert [vitallys(parts, one) for one in (value, value, "a", "A", VitallyId("A"))] == ["A"] * 5
    assert parts.vitally.asked == [f"GET /accounts/{value}"]
    assert parts.references.is_there("account", "a")
    assert not parts.references.is_listed("account", "a")


def test_an_id_of_another_workspace_is_not_sent_to_this_one() -> None:
    """Rows that are read from a workspace and written to another refer to each other by ids of the former."""
    parts = Parts({"GET /accounts/a%2F1": {"id": "here", "externalId": "a/1"}})
    parts.references.learn(change("account", "upsert", {"id": "there", "externalId": "a/1", "name": "N"}))
    assert yours(parts, VitallyId("there")) == "a/1"
    assert not parts.references.is_there("account", VitallyId("there"))
    assert vitallys(parts, VitallyId("there")) == "here"
    assert parts.references.find(TASK, "account", VitallyId("there")) == "here"
    assert parts.references.is_there("account", VitallyId("there"))
    assert parts.vitally.asked == ["GET /accounts/a%2F1"]


@pytest.mark.parametrize(
    ("name", "operation", "data"),
    [("account", "update", {"id": "A", "name": "N"}), ("task", "update", {"id": "A", "externalId": "t", "name": "N"})],
)
def test_a_row_that_says_nothing_of_your_id_teaches_none(name: str, operation: Operation, data: dict[str, Any]) -> None:
    parts = Parts({"GET /accounts/A": {"id": "A", "externalId": "a"}})
    parts.references.learn(change(name, operation, data))
    assert yours(parts, VitallyId("A")) == "a"


def test_a_text_is_your_id_whatever_it_looks_like() -> None:
    parts = Parts({"GET /accounts/there": {"id": "A", "externalId": "there"}})
    parts.references.learn(change("account", "upsert", {"id": "there", "externalId": "a", "name": "N"}))
    assert vitallys(parts, "there") == "A"


def test_an_answer_that_is_neither_a_row_nor_a_miss_is_asked_for_again() -> None:
    parts = Parts({"GET /accounts/a": ({"odd": 1}, {"id": "A", "externalId": "a"})})
    assert vitallys(parts, "a") == "A"


def test_only_vitallys_id_says_itself_what_it_is() -> None:
    parts = Parts()
    assert parts.references.known("account", VitallyId("A")) == "A"
    assert parts.references.known("account", "a") is None
    assert parts.vitally.asked == []


# What is not there


def test_what_is_not_there_is_asked_for_once_until_it_comes() -> None:
    parts = Parts()
    missing = ("task 't': accountId: Vitally has no account with this id", None)
    assert [outcome(lambda: vitallys(parts, "a")) for _ in range(2)] == [missing] * 2
    assert parts.vitally.asked == ["GET /accounts/a"]
    parts.references.comes("account", "a")
    parts.vitally.say("GET /accounts/a", {"id": "A", "externalId": "a"})
    assert vitallys(parts, "a") == "A"


def test_what_vitally_does_not_say_is_asked_for_once_and_refused_for_each_row() -> None:
    parts = Parts({"GET /accounts/a": 400})
    other = asks("note", "update", {"id": "n"})
    assert outcome(lambda: vitallys(parts, "a")) == (
        "task 't': Vitally does not say whether it is there: No.", 400,
    )  # fmt: skip
    assert outcome(lambda: parts.references.vitallys(other, "accountId", "account", "a")) == (
        "note 'n': account 'a': Vitally does not say whether it is there: No.", 400,
    )  # fmt: skip
    assert parts.vitally.asked == ["GET /accounts/a"]


def test_one_may_look_again_whatever_is_known() -> None:
    parts = Parts({"GET /accounts/a": (404, {"id": "A", "externalId": "a"}, 404)})
    assert [parts.references.look_again(TASK, "account", "a") for _ in range(3)] == [False, True, False]


# What batches have brought


def test_an_account_that_a_batch_has_brought_is_waited_for() -> None:
    parts = Parts({"GET /accounts/a": (404, {"id": "A", **TAKEN, "externalId": "a"})})
    parts.sent_in_a_batch(change("account", "upsert", {"externalId": "a"}))
    with pytest.raises(NotYetError) as caught:
        vitallys(parts, "a")
    parts.clock.wait(caught.value.seconds)
    assert [vitallys(parts, "a"), vitallys(parts, "A")] == ["A", "A"]
    assert parts.vitally.asked == ["GET /accounts/a"] * 2


def test_an_account_that_never_lands_is_named() -> None:
    parts = Parts()
    parts.sent_in_a_batch(change("account", "upsert", {"externalId": "a"}))
    parts.clock.wait(600)
    said, _ = outcome(lambda: vitallys(parts, "a"))
    assert said.startswith("task 't': accountId: Vitally took the row with externalId 'a' 600 s ago")


# What this sync has written


@pytest.mark.parametrize("is_new", [True, False])
def test_a_row_that_this_sync_has_made_is_there_by_both_ids(is_new: bool) -> None:
    """One that it has only updated may be one of those that Vitally ignores, which no list shows."""
    parts = Parts()
    account = asks("account", "upsert", {"externalId": "a", "name": "N"})
    parts.references.created(account, {"id": "A"}, **({} if is_new else {"is_new": False}))
    assert [vitallys(parts, one) for one in ("a", "A")] == ["A", "A"]
    assert parts.references.is_listed("account", "a") is is_new
    assert parts.vitally.asked == []


@pytest.mark.parametrize(
    ("row", "data"),
    [({}, {"externalId": "a", "name": "N"}), ({"id": "A"}, {"id": "A", "name": "N"})],
)
def test_of_a_row_without_both_ids_nothing_is_remembered(row: dict[str, Any], data: dict[str, Any]) -> None:
    parts = Parts()
    parts.references.created(asks("account", "upsert", data), row)
    assert not any(parts.references.is_there("account", one) for one in ("a", "A", "None"))


@pytest.mark.parametrize(
    ("given", "address"), [({"externalId": "a"}, "a"), ({"id": "A"}, "A"), ({"externalId": "a"}, "A")]
)
def test_a_row_that_was_deleted_is_not_there_by_either_id(given: dict[str, str], address: str) -> None:
    parts = Parts()
    parts.references.created(asks("account", "upsert", {"externalId": "a", "name": "N"}), {"id": "A"})
    parts.references.deleted(asks("account", "delete", given), address)
    assert [parts.references.is_there("account", one) for one in ("a", "A")] == [False, False]


def test_in_a_dry_run_what_would_be_made_is_taken_for_there() -> None:
    parts = Parts()
    parts.references.expect("account", "a")
    assert vitallys(parts, "a") == "a"


# Lists


def test_a_list_that_was_shown_has_both_ids_of_its_rows() -> None:
    parts = Parts()
    parts.references.saw("account", [{"id": "A", "externalId": "a"}])
    assert [parts.references.is_listed("account", one) for one in ("a", "A", VitallyId("A"))] == [True] * 3
    assert vitallys(parts, "a") == "A"


def test_many_rows_are_looked_for_in_their_list() -> None:
    parts = Parts({A_LIST: page({"id": "A", "externalId": "a", **WHEN})})
    parts.references.read_list("account", [f"b{n}" for n in range(SINGLES_FIRST)])
    assert parts.vitally.asked == []
    assert not parts.references.is_list_known("account")
    parts.references.read_list("account", ["a"])
    assert parts.references.is_list_known("account")
    assert parts.references.is_listed("account", "a")
    assert vitallys(parts, "a") == "A"
    assert parts.vitally.asked == [A_LIST]


def test_a_row_counts_once_for_each_of_the_two_questions_and_not_if_it_is_known() -> None:
    parts = Parts({A_LIST: page({"id": "A", "externalId": "a", **WHEN}), "GET /accounts/a": {"id": "A"}})
    for _ in range(SINGLES_FIRST):
        parts.references.read_list("account", ["a", "b"])
    assert vitallys(parts, "a") == "A"
    parts.references.expect("account", "e")
    parts.references.read_list("account", [*(f"c{n}" for n in range(SINGLES_FIRST - 2)), "e"])
    assert A_LIST not in parts.vitally.asked
    parts.references.read_list("account", ["e"], until_listed=True)
    assert A_LIST in parts.vitally.asked


def test_no_more_pages_are_read_than_the_rows_that_are_looked_for_need() -> None:
    rows = [{"id": f"A{n}", "externalId": f"a{n}", **WHEN} for n in range(3)]
    cursors = ["", "&from=1", "&from=2"]
    parts = Parts({A_LIST + cursors[n]: page(rows[n], following=f"{n + 1}" if n < 2 else "") for n in range(3)})
    parts.references.read_list("account", ["a1", *["a0"] * SINGLES_FIRST])
    assert parts.vitally.asked == [A_LIST, f"{A_LIST}&from=1"]
    assert not parts.references.is_list_known("account")


def test_what_has_no_list_of_all_is_asked_for_by_itself() -> None:
    parts = Parts()
    parts.references.read_list("meeting_participant", [str(n) for n in range(50)])
    assert parts.vitally.asked == []


# What is made


@pytest.mark.parametrize(("target", "path"), [("account", "/accounts"), ("organization", "/organizations")])
def test_unknown_parents_are_made_where_that_is_asked_for(
    target: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "airbyte")
    parts = Parts({f"POST {path}": {"id": "new"}}, unknown_parents="create")
    assert [vitallys(parts, "a", target) for _ in range(2)] == ["new"] * 2
    assert parts.vitally.asked == [f"GET {path}/a", (f"POST {path}", {"externalId": "a", "name": "a"})]
    assert caplog.messages == [f"{target} 'a' is nowhere; it is made, as unknown_parents asks for."]


def test_a_dry_run_makes_no_parents_but_takes_them_for_there(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "airbyte")
    parts = Parts(unknown_parents="create", is_dry_run=True)
    assert [vitallys(parts, "a") for _ in range(2)] == ["a"] * 2
    assert parts.references.is_there("account", "a")
    assert parts.vitally.asked == ["GET /accounts/a"]
    assert caplog.messages == ["account 'a' is nowhere; it would be made, as unknown_parents asks for."]


def test_what_was_not_to_be_made_may_be_made_later() -> None:
    parts = Parts({"POST /accounts": {"id": "new"}}, unknown_parents="create")
    assert parts.references.find(TASK, "account", "a", creates=False) is None
    assert parts.references.find(TASK, "account", "a", creates=False) is None
    assert parts.vitally.asked == ["GET /accounts/a"]
    assert parts.references.find(TASK, "account", "a") == "new"


@pytest.mark.parametrize(
    ("target", "value", "unknown_parents"),
    [("account", "a", "reject"), ("user", "a", "create"), ("account", VitallyId("a"), "create")],
)
def test_nothing_else_is_made(target: str, value: str, unknown_parents: Any) -> None:
    parts = Parts(unknown_parents=unknown_parents)
    assert parts.references.find(TASK, target, value) is None
    assert parts.references.find(TASK, target, value) is None
    assert parts.vitally.asked == [f"GET /{target}s/a"]


@pytest.mark.parametrize(
    ("post", "then", "expected"),
    [
        (BROKEN, {"id": "A", "externalId": "a"}, "A"),
        (400, {"id": "A", "externalId": "a"}, "A"),
        ("", {"id": "A", "externalId": "a"}, "A"),
        ({"success": True}, {"id": "A", "externalId": "a"}, "A"),
        (BROKEN, 404, ("task 't': accountId: Vitally has no account with this id", None)),
        (400, 404, ("task 't': Vitally refused to make account 'a': No.", 400)),
    ],
)
def test_what_may_have_been_made_is_looked_for(post: Any, then: Any, expected: Any) -> None:
    parts = Parts({"GET /accounts/a": (404, then), "POST /accounts": post}, unknown_parents="create")
    assert outcome(lambda: vitallys(parts, "a")) == expected
    assert len(parts.vitally.written) == 1
