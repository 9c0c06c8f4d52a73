"""Values of columns brought to types: every spelling that databases have, and what cannot be cast."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.config import Cast
from destination_vitally.errors import RejectedError
from destination_vitally.mapping.layout import Types
from destination_vitally.mapping.values import casts
from destination_vitally.objects.model import Field, Kind
from unit_tests.destination.builders import change
from vitally_api.traits import CustomField

NOON = "2026-01-31T12:00:00Z"
GOOD: list[tuple[Cast, Any, Any]] = [
    *[("text", given, wanted) for given, wanted in [("a", "a"), (5, "5"), (5.0, "5"), ("", ""), (" a ", " a ")]],
    *[("number", given, wanted) for given, wanted in [
        (5, 5), (5.5, 5.5), ("12000.50", 12000.5), ("7", 7), (" 7 ", 7), ("1e3", 1000), ("", None), ("  ", None),
    ]],
    *[("boolean", given, True) for given in (True, 1, 1.0, "true", "TRUE", "t", "Y", "yes", "1", " Yes ")],
    *[("boolean", given, False) for given in (False, 0, "false", "F", "n", "NO", "0")],
    ("boolean", "", None),
    *[("date", given, "2026-01-31") for given in ("2026-01-31", NOON, "2026-01-31 12:00:00", 1769860800, "1769860800")],
    *[("datetime", given, NOON) for given in (
        NOON, "2026-01-31 12:00:00", "2026-01-31T13:00:00+01:00", 1769860800, 1769860800000, "1769860800",
        "1769860800000",
    )],
    ("datetime", " ", None),
    *[("list", given, ["a", "b"]) for given in (["a", "b"], '["a","b"]', ' ["a", "b"] ')],
    ("list", "a", ["a"]),
    ("list", 5, [5]),
    ("list", "", None),
]  # fmt: skip


@pytest.mark.parametrize(("cast", "given", "wanted"), GOOD)
def test_casts(cast: Cast, given: Any, wanted: Any) -> None:
    found = casts.of_cast(cast)(given)
    assert (found, type(found)) == (wanted, type(wanted))


@pytest.mark.parametrize(
    ("cast", "given", "problem"),
    [
        ("text", {"a": 1}, "must be a text; the value is an object"),
        ("number", "hidden", "must be a number; the value is a text"),
        ("number", True, "must be a number; the value is true or false"),
        ("number", ["hidden"], "must be a number; the value is a list"),
        ("number", "nan", "must be a number; the value is a text"),
        ("boolean", "hidden", "must be true or false; the value is a text"),
        ("boolean", 2, "must be true or false; the value is a number"),
        ("date", "hidden", "must be a date such as 2026-01-31; the value is a text"),
        ("date", "2026-02-30", "must be a date such as 2026-01-31; the value is a text"),
        ("datetime", "31/01/2026", "must be a date-time such as 2026-01-31T09:30:00Z; the value is a text"),
        ("list", {"hidden": 1}, "must be a list; the value is an object"),
    ],
)
def test_what_cannot_be_cast_is_named_without_its_value(cast: Cast, given: Any, problem: str) -> None:
    with pytest.raises(ValueError, match="must be") as caught:
        casts.of_cast(cast)(given)
    assert str(caught.value) == problem
    with pytest.raises(RejectedError) as rejected:
        change("account", "upsert", {"externalId": "a", "p": given}, mapping={
            "fields": {"externalId": "externalId"}, "traits": [{"trait": "p", "column": "p", "cast": cast}],
        })  # fmt: skip
    assert str(rejected.value) == f"account 'a': p {problem}"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("a, b", ["a", "b"]),
        ("a,,b,", ["a", "b"]),
        ('["a","b"]', ["a", "b"]),
        (["a", "b"], ["a", "b"]),
        ("a", ["a"]),
        ("", None),
    ],
)
def test_a_separator_makes_a_list(given: Any, wanted: Any) -> None:
    assert casts.of_cast("list", ",")(given) == wanted
    assert casts.of_cast(None, ",")(given) == wanted
    assert casts.of_field(Field("tags", Kind.TEXTS), ",")(given) == wanted


@pytest.mark.parametrize(
    ("kind", "given", "wanted"),
    [
        (Kind.TEXTS, '["a", "b"]', ["a", "b"]),
        (Kind.TEXTS, "a, b", ["a, b"]),
        (Kind.LIST, '[{"a": 1}]', [{"a": 1}]),
        (Kind.OBJECT, '{"seats": 5}', {"seats": 5}),
        (Kind.BOOLEAN, "Y", True),
        (Kind.DATETIME, "1769860800", NOON),
        (Kind.TEXT, "", ""),
        (Kind.TEXT, '["a"]', '["a"]'),
        *[(kind, blank, None) for blank in ("", "  ") for kind in Kind if kind is not Kind.TEXT],
    ],
)
def test_fields_are_read_in_the_spellings_of_warehouses(kind: Kind, given: Any, wanted: Any) -> None:
    assert casts.of_field(Field("x", kind))(given) == wanted


def test_an_empty_id_or_reference_is_none() -> None:
    row = {"externalId": "a", "id": " ", "organizationId": "", "name": ""}
    assert change("account", "upsert", row).fields == {"externalId": "a", "name": ""}
    with pytest.raises(RejectedError, match="externalId is required"):
        change("account", "upsert", {"externalId": "  "})


TYPES = Types(
    lambda: {"seats": CustomField("number"), "since": CustomField("DATE"), "odd": CustomField("matrix")},
    {
        "seats": {"type": ["null", "string"]},
        "mrr": {"type": ["null", "number"]},
        "active": {"type": "boolean"},
        "at": {"type": "string", "format": "date-time"},
        "note": {"type": "string"},
        "both": {"type": ["string", "number"]},
        "any": {},
    },
)


def test_the_custom_field_goes_before_the_schema_and_the_mapping_before_both() -> None:
    row = {"id": 1, "seats": "7", "since": NOON, "odd": "7", "mrr": "12000.50", "active": "t", "at": "2026-01-31 12:00",
           "note": 5, "both": "7", "any": "7"}  # fmt: skip
    wanted = {"seats": 7, "since": "2026-01-31", "odd": "7", "mrr": 12000.5, "active": True, "at": NOON, "note": "5",
              "both": "7", "any": "7"}  # fmt: skip
    assert change("account", "upsert", {**row, "externalId": "a"}, types=TYPES).open_values == wanted
    mapping = {"fields": {"externalId": "id"}, "traits": [{"trait": "seats", "column": "mrr", "cast": "text"}]}
    assert change("account", "upsert", row, types=TYPES, mapping=mapping).open_values["seats"] == "12000.50"
    mapping["traits"] = [{"trait": "seats", "column": "note"}]
    assert change("account", "upsert", {**row, "note": "8"}, types=TYPES, mapping=mapping).open_values["seats"] == 8


def test_members_of_traits_are_cast_and_may_come_as_json_text() -> None:
    for traits in ({"seats": "7", "plan": "x"}, '{"seats": "7", "plan": "x"}'):
        made = change("account", "upsert", {"externalId": "a", "TRAITS": traits}, types=TYPES)
        assert made.open_values == {"seats": 7, "plan": "x"}
    with pytest.raises(RejectedError, match="account 'a': traits seats must be a number; the value is a list"):
        change("account", "upsert", {"externalId": "a", "traits": {"seats": []}}, types=TYPES)


def test_a_row_of_vitally_keeps_its_values() -> None:
    uuid = "0f0d5a52-0000-4000-8000-000000000000"
    row = {"id": uuid, "createdAt": NOON, "updatedAt": NOON, "externalId": "a", "traits": {"since": NOON}, "extra": "7"}
    made = change("account", "upsert", row, types=Types(TYPES.custom_fields, {"extra": {"type": "number"}}))
    assert made.open_values == {"since": NOON, "extra": "7"}


# What is empty


CLEARED = {"fields": {"externalId": "id"}, "traits": {"plan": "plan_name"}}
SCHEMA = Types(columns={name: {} for name in ("id", "plan_name", "NAME", "other")})


def test_a_column_of_the_schema_that_a_row_lacks_is_empty_when_empty_values_clear() -> None:
    made = change("account", "upsert", {"id": 1}, mapping=CLEARED, types=SCHEMA, clear_nulls=True)
    assert (made.fields, made.open_values) == ({"externalId": "1", "name": None}, {"plan": None})
    made = change("account", "upsert", {"id": 1}, mapping=CLEARED, types=SCHEMA)
    assert (made.fields, made.open_values) == ({"externalId": "1"}, {})


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_mapping_entry_may_say_what_empty_does(everywhere: bool) -> None:
    mapping = {
        "fields": [
            {"field": "externalId", "column": "id"},
            {"field": "name", "column": "n", "null_values": "omit" if everywhere else "clear"},
        ],
        "traits": [
            {"trait": "a", "column": "a", "null_values": "omit" if everywhere else "clear"},
            {"trait": "b", "column": "b"},
        ],
    }
    row = {"id": 1, "n": None, "a": None, "b": None}
    made = change("account", "upsert", row, mapping=mapping, clear_nulls=everywhere)
    assert ("name" in made.fields, set(made.open_values)) == ((not everywhere), {"b"} if everywhere else {"a"})


@pytest.mark.parametrize(
    ("given", "wanted"),
    [(["a", 1], ["a", "1"]), ('["a", 1]', ["a", "1"]), ("a", ["a"]), ('["\ud800"]', ["\ufffd"])],
)
def test_ids_are_a_list_or_the_text_of_one(given: Any, wanted: Any) -> None:
    assert casts.of_field(Field("accountIds", Kind.TEXTS))(given) == wanted


@pytest.mark.parametrize(("value", "kind"), [(1, "a number"), (1.5, "a number"), (None, "of another kind")])
def test_what_a_value_is_in_a_word(value: Any, kind: str) -> None:
    assert casts.kind_of(value) == kind
