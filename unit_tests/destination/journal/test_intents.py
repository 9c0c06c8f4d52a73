"""What an intent says: each value with the one before as far as it is known, each link with whether it was there."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.journal.intents import Before, intent_of, names_of, seen_of
from destination_vitally.journal.lines import Intent
from destination_vitally.rows.facts import Known
from unit_tests.destination.scripted import asks

ACCOUNTS = {"a": "A", "b": "B"}


def id_of(target: str, value: str) -> str | None:
    return ACCOUNTS.get(value)


def said(before: Before) -> Intent:
    found = intent_of(before.subject, before, id_of)
    where = {"seq": 1, "line": 1, "entry": 0, "stream": "s", "namespace": None, "object": before.subject.entry.name}
    return Intent.model_validate({**where, **found})


TASK: dict[str, Any] = {"externalId": "t", "name": "New", "accountId": "b", "dueDate": None, "plan": "x"}
ROW = {
    **{"id": "T", "externalId": "t", "name": "Old", "accountId": "A", "account": {"id": "A"}},
    **{"dueDate": "2026-01-01", "traits": {"plan": "y"}},
}


def test_each_value_has_the_one_before() -> None:
    intent = said(Before(asks("task", "upsert", TASK), True, Known(ROW), True, read_at=0.0))
    values = {value.name: (value.place, value.known, value.before, value.sent) for value in intent.values}
    assert values["name"] == ("field", True, "Old", "New")
    assert values["accountId"] == ("field", True, "A", "B"), "by Vitally's ids"
    assert "externalId" not in values, "what identifies the row is no value"
    assert (intent.id, intent.existed, intent.read_at) == ("T", True, "1970-01-01T00:00:00Z")
    assert intent.key == {"externalId": "t"}


@pytest.mark.parametrize(
    ("existed", "known", "is_whole", "expected"),
    [
        (True, Known(ROW), False, (False, None)),
        (None, None, False, (False, None)),
        (False, None, False, (True, None)),
        (True, Known({**ROW, "name": None}), True, (True, None)),
        (True, Known({"id": "T", "externalId": "t"}), True, (False, None)),
    ],
    ids=["not all of the row is known", "nothing is known", "there is no row", "empty", "not shown"],
)
def test_what_is_unknown_is_said_as_unknown(
    existed: bool | None, known: Known | None, is_whole: bool, expected: tuple[bool, Any]
) -> None:
    intent = said(Before(asks("task", "upsert", TASK), existed, known, is_whole, read_at=0.0))
    [name] = [value for value in intent.values if value.name == "name"]
    assert (name.known, name.before) == expected
    assert bool(intent.read_at) is (known is not None or existed is False)


USER: dict[str, Any] = {"externalId": "u", "name": "Ada", "accountIds": ["a", "c"]}


@pytest.mark.parametrize(
    ("before", "links"),
    [
        (
            (True, Known({"id": "U", "externalId": "u", "accounts": [{"id": "A", "externalId": "a"}]})),
            [("A", "a", True), (None, "c", False)],
        ),
        (
            (True, Known({"id": "U", "accounts": [{"id": "A", "externalId": "a"}, {"id": "B", "externalId": "b"}]})),
            [("A", "a", True), (None, "c", False), ("B", "b", True)],
        ),
        ((False, None), [("A", "a", False), (None, "c", False)]),
        ((None, None), [("A", "a", None), (None, "c", None)]),
    ],
    ids=["there", "another one may be replaced", "a new user", "not known"],
)
def test_each_link_says_whether_it_was_there(before: tuple[Any, ...], links: list[Any]) -> None:
    existed, known = before
    intent = said(Before(asks("user", "upsert", USER), existed, known, known is not None, 0.0))
    assert [(link.id, link.external_id, link.was) for link in intent.links] == links
    assert {link.name for link in intent.links} == {"accountIds"}
    assert "accountIds" not in {value.name for value in intent.values}


def test_without_a_look_there_are_no_values() -> None:
    change = asks("task", "upsert", TASK)
    found = intent_of(change, None, id_of)
    assert (found["values"], found["links"], found["existed"], found["read_at"]) == ([], [], None, None)
    assert found["key"] == {"externalId": "t"}


def test_a_delete_has_the_row_and_no_values() -> None:
    change = asks("task", "delete", {"id": "T"})
    intent = said(Before(change, True, Known(ROW), True, 0.0, ROW))
    assert (intent.values, intent.row, intent.id) == ([], ROW, "T")


@pytest.mark.parametrize(
    ("known", "names"),
    [(None, ["name", "accountId", "dueDate"]), (Known({**ROW, "name": "New", "dueDate": None}), ["accountId"])],
)
def test_the_names_are_those_that_differ_where_that_is_known(known: Known | None, names: list[str]) -> None:
    change = asks("task", "upsert", {**TASK, "dueDate": "2026-02-02"} if known is None else {**TASK, "dueDate": None})
    before = Before(change, bool(known), known, bool(known), 0.0)
    assert [name for name in names_of(change, before, id_of) if not name.startswith("traits.")] == names


def test_what_was_seen_is_what_was_sent_and_is_shown() -> None:
    change = asks("task", "upsert", {"externalId": "t", "name": "New ", "accountId": "a", "description": "d"})
    seen = seen_of(change, {"id": "T", "externalId": "t", "name": "New", "completedAt": "x", "traits": {"other": 1}})
    assert seen == {"externalId": "t", "name": "New"}
