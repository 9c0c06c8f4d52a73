"""What is remembered of rows that Vitally has shown, and of what this sync has written and sent."""

from __future__ import annotations

from typing import Any

import pytest
from destination_vitally.transports.index import RowIndex

from destination_vitally.mapping.mapper import Change, identity_of
from destination_vitally.objects.table import BY_NAME
from unit_tests.destination.scripted import asks

IDA = "ida@example.com"


def index_of(name: str, *rows: dict[str, Any]) -> RowIndex:
    index = RowIndex(BY_NAME[name])
    index.put_all(rows)
    return index


def rows(index: RowIndex, name: str, **fields: Any) -> list[dict[str, Any]]:
    identity = identity_of(BY_NAME[name], fields)
    assert identity
    return [one.row for one in index.find(identity)]


def user(**fields: Any) -> Change:
    return asks("user", "update", {"externalId": "u", **fields})


def test_a_row_is_found_by_each_of_its_keys_and_by_no_other() -> None:
    index = index_of("user", {"id": "1", "externalId": "u", "email": "Ida@Example.com"}, {"id": "2", "email": IDA})
    assert [row["id"] for row in rows(index, "user", externalId="u")] == ["1"]
    assert [row["id"] for row in rows(index, "user", id="2")] == ["2"]
    assert [row["id"] for row in rows(index, "user", email=IDA)] == ["1", "2"]
    assert rows(index, "user", externalId="None") == []


def test_a_row_that_has_another_key_by_now_is_not_found_by_the_old_one() -> None:
    index = index_of("user", {"id": "1", "email": "old@example.com"})
    index.put_all([{"id": "1", "email": IDA}])
    assert rows(index, "user", email="old@example.com") == []
    assert rows(index, "user", email=IDA) == [{"id": "1", "email": IDA}]


SHOWN = {
    "id": "1", "externalId": "u", "email": None, "name": "Ida", "joinDate": "2026-01-01", "archivedAt": None,
    "accounts": [{"id": "A", "externalId": "a", "name": "Acme"}, {"id": "B", "name": "B"}], "accountIds": ["A"],
    "traits": {"role": "x", "plan": "y"},
}  # fmt: skip
ALWAYS = {
    "id": "1", "externalId": "u", "email": None, "archivedAt": None,
    "accounts": [{"id": "A", "externalId": "a"}, {"id": "B"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "more"),
    [
        ({}, {"traits": {}}),
        ({"name": "N"}, {"name": "Ida", "traits": {}}),
        ({"role": "z"}, {"traits": {"role": "x"}}),
        ({"name": "N", "plan": "z", "seats": 1}, {"name": "Ida", "traits": {"plan": "y"}}),
        ({"joinDate": "2026-01-01"}, {"joinDate": "2026-01-01", "traits": {}}),
    ],
)
def test_of_a_row_is_kept_what_tells_it_what_it_belongs_to_and_what_was_asked_for(asked: Any, more: Any) -> None:
    index = RowIndex(BY_NAME["user"])
    index.ask_for(user(**asked))
    index.put_all([SHOWN])
    assert rows(index, "user", externalId="u") == [ALWAYS | more]


def test_what_an_update_would_lose_is_kept_and_parents_by_their_ids_where_a_row_has_no_more() -> None:
    shown = {"id": "1", "externalId": "t", "tags": ["x"], "source": "zapier", "accountId": "A", "name": "N"}
    assert rows(index_of("task", shown), "task", externalId="t") == [
        {"id": "1", "externalId": "t", "tags": ["x"], "source": "zapier", "account": [{"id": "A"}]}
    ]


def test_a_field_that_travels_as_a_trait_is_kept_by_that_name() -> None:
    index = RowIndex(BY_NAME["user"])
    index.ask_for(user(joinDate="2026-01-01"))
    index.put_all([{"id": "1", "externalId": "u", "traits": {"createdAt": "2026-01-01", "joinDate": "x"}}])
    [row] = rows(index, "user", externalId="u")
    assert row["traits"] == {"createdAt": "2026-01-01"}


def test_only_what_was_asked_for_before_a_row_was_shown_can_be_compared() -> None:
    index = RowIndex(BY_NAME["user"])
    first, other, both = user(name="N", role="x"), user(name="N", plan="y"), user(name="N", role="x", plan="y")
    index.ask_for(first)
    index.put_all([SHOWN])
    [shown] = index.find(("user", "externalId", "u"))
    assert [index.has_all(shown, one) for one in (first, other, both)] == [True, False, False]
    index.ask_for(other)
    index.ask_for(first)
    assert [index.has_all(shown, one) for one in (first, other, both)] == [True, False, False]
    index.put_all([SHOWN])
    [shown] = index.find(("user", "externalId", "u"))
    assert [index.has_all(shown, one) for one in (first, other, both)] == [True, True, True]
    assert not index.has_all(shown, user(email=IDA, seats=1))


# What this sync has written


def test_what_was_written_counts_whatever_a_list_shows_afterwards() -> None:
    index = index_of("task", {"id": "1", "externalId": "t", "tags": ["old"], "source": "zapier"})
    assert [one.is_own for one in index.find(("task", "externalId", "t"))] == [False]
    index.wrote("1", {"tags": ["new"]})
    index.put_all([{"id": "1", "externalId": "t", "tags": ["old"]}])
    [shown] = index.find(("task", "externalId", "t"))
    assert shown.row == {"id": "1", "externalId": "t", "tags": ["new"], "source": "zapier"}
    assert shown.is_own
    assert not index.has_all(shown, asks("task", "update", {"id": "1", "name": "N"}))


def test_a_row_that_was_made_is_found_and_one_that_is_gone_is_not() -> None:
    index = index_of("task")
    index.wrote("1", {"externalId": "t", "accountId": ["A"]})
    assert rows(index, "task", externalId="t") == rows(index, "task", id="1")
    assert rows(index, "task", id="1") == [{"id": "1", "externalId": "t", "account": [{"id": "A"}]}]
    index.forget("1")
    assert rows(index, "task", externalId="t") == []


def test_a_row_that_something_was_sent_to_is_known_by_any_of_its_keys() -> None:
    index = index_of("user", {"id": "1", "externalId": "u", "email": IDA})
    index.sends(user(email="Ida@Example.com"))
    assert index.is_sent({"id": "1", "externalId": "u"})
    assert index.is_sent({"id": "2", "email": IDA})
    assert not index.is_sent({"id": "1", "externalId": "other", "email": None})
    index.sends(user())
    assert index.is_sent({"externalId": "u"})
