"""What an intent says: each value with the one before as far as it is known, each link with whether it was there."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.journal.intents import Before, intent_of, names_of, seen_of
from destination_vitally.journal.lines import Intent
from destination_vitally.rows.facts import Known
from unit_tests.destination.builders import change
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


def test_an_intent_is_whole() -> None:
    wanted = change("account", "upsert", {"externalId": "a", "name": "N", "organizationId": "b", "plan": "x"})
    row = {"id": "A", "externalId": "a", "name": "O", "organization": None, "traits": {"plan": "y"}}
    assert intent_of(wanted, Before(wanted, True, Known(row), True, 1.5), id_of) == {
        **{"operation": "upsert", "route": "batch", "key": {"externalId": "a"}, "id": "A", "existed": True},
        **{"read_at": "1970-01-01T00:00:01.500Z", "links": [], "row": None},
        "values": [
            {"place": "field", "name": "name", "known": True, "before": "O", "sent": "N"},
            {"place": "field", "name": "organizationId", "known": True, "before": None, "sent": "B"},
            {"place": "trait", "name": "plan", "known": True, "before": "y", "sent": "x"},
        ],
    }


def test_a_row_that_is_addressed_by_its_id_has_that_id_and_it_is_no_value() -> None:
    intent = said(Before(asks("task", "update", {"id": "T", "name": "N", "accountId": None}), None, read_at=1.0))
    assert (intent.id, intent.key, intent.route) == ("T", {"id": "T"}, "rest")
    assert [value.name for value in intent.values if value.name == "id"] == []


def test_a_reference_that_is_taken_away_is_sent_as_null() -> None:
    wanted = asks("account", "update", {"id": "A", "name": "N"})
    wanted = wanted._replace(fields={**wanted.fields, "organizationId": None})
    row = {"id": "A", "name": "N", "organization": {"id": "O"}}
    values = {value.name: value for value in said(Before(wanted, True, Known(row), True, 0.0)).values}
    assert (values["organizationId"].before, values["organizationId"].sent) == ("O", None)


def test_a_row_with_a_time_of_its_own_says_so() -> None:
    wanted = asks("account", "update", {"id": "A", "name": "N"})._replace(sent_at="2026-01-01T00:00:00Z")
    [name, time] = said(Before(wanted, read_at=0.0)).values
    assert (name.name, time.model_dump()) == (
        "name",
        {"place": "field", "name": "timestamp", "known": False, "before": None, "sent": "2026-01-01T00:00:00Z"},
    )


def test_a_membership_is_a_link_of_its_user() -> None:
    wanted = change("membership", "upsert", {"userId": "u", "accountId": "c"})
    row = {"id": "U", "externalId": "u", "accounts": [{"id": "C", "externalId": "c"}]}
    [link] = said(Before(wanted, True, Known(row), True, 0.0)).links
    assert link.model_dump() == {"name": "accountIds", "id": "C", "external_id": "c", "was": True}


def test_what_was_seen_has_traits_in_front_of_traits() -> None:
    wanted = asks("account", "update", {"id": "A", "name": "N", "plan": "x", "seats": 3})
    assert seen_of(wanted, {"id": "A", "name": "N.", "traits": {"plan": "X", "other": 1}}) == {
        "name": "N.",
        "traits.plan": "X",
    }
