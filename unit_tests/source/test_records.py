"""From a row of Vitally to a record: columns in one spelling, ids of inlined rows, parents as references."""

from __future__ import annotations

from typing import Any

import pytest

from source_vitally.records import Columns, InlinedParents


def columns(stream: str, row: dict[str, Any]) -> dict[str, Any]:
    Columns(config={}, parameters={"name": stream}).transform(row)
    return row


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"userID": "u"}, {"userId": "u"}),
        ({"userId": "u"}, {"userId": "u"}),
        ({"userId": None, "userID": "u"}, {"userId": "u"}),
        ({"userId": "u", "userID": None}, {"userId": "u"}),
        ({"userId": "u", "USERID": "v"}, {"userId": "u"}),
        ({"somethingNew": 1, "SOMETHINGNEW": 2}, {"somethingNew": 1, "SOMETHINGNEW": 2}),
    ],
)
def test_a_column_has_one_spelling(row: dict[str, Any], expected: dict[str, Any]) -> None:
    assert columns("survey_responses", row) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"accounts": [{"id": "a"}, {"id": "b"}]}, ["a", "b"]),
        ({"accounts": [{"id": "a"}], "accountIds": []}, ["a"]),
        ({"accounts": [{"id": "a"}], "accountIds": ["a", "z"]}, ["a", "z"]),
        ({"accounts": ["a", {"name": "no id"}]}, ["a"]),
        ({"accounts": []}, []),
        ({"accountIds": ["a"]}, ["a"]),
        ({}, None),
        ({"accounts": None}, None),
    ],
)
def test_ids_are_taken_from_the_inlined_rows_where_vitally_gives_none(row: dict[str, Any], expected: Any) -> None:
    assert columns("users", row).get("accountIds") == expected


@pytest.mark.parametrize("odd", ["b", None, True, 7, 1.5, []], ids=str)
def test_what_is_no_object_among_inlined_rows_is_left_out_and_said_once(
    odd: Any, caplog: pytest.LogCaptureFixture
) -> None:
    transformation = Columns(config={}, parameters={"name": "users"})
    for _ in range(2):
        row = {"accounts": [{"id": "a"}, odd], "organizations": []}
        transformation.transform(row)
        assert row["accounts"] == [{"id": "a"}]
    [said] = caplog.messages
    assert "Stream users" in said
    assert "'accounts'" in said


REDUCED = {"account": {"id": "a", "name": None}, "organization": None, "traits": {"id": 1, "x": 2}}
WHOLE = {**REDUCED, "account": {"id": "a", "name": None, "mrr": 5}}


@pytest.mark.parametrize(("inlined", "expected"), [("reference", REDUCED), ("full", WHOLE)])
def test_inlined_parents_are_reduced_only_where_configured(inlined: str, expected: dict[str, Any]) -> None:
    record = {**WHOLE}
    InlinedParents(config={"inlined_objects": inlined}, parameters={"name": "notes"}).transform(record)
    assert record == expected


def test_inlined_lists_are_reduced_item_by_item_and_ids_pass() -> None:
    record = {"accounts": [{"id": "a", "externalId": "x", "traits": {}}, "b"], "organizations": []}
    InlinedParents(config={}, parameters={"name": "users"}).transform(record)
    assert record == {"accounts": [{"id": "a", "externalId": "x"}, "b"], "organizations": []}
