"""From a record to a change: what goes where, and why a record cannot be written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destination_vitally.errors import RejectedError
from destination_vitally.mapping.change import identity_of
from destination_vitally.mapping.mapper import Mapper
from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.model import BatchRoute, Field, Kind, Operation, RestRoute
from destination_vitally.objects.table import BY_NAME, OBJECTS
from unit_tests.destination.builders import BOTH_KEYS, change, mapper

UUID = "0f0d5a52-0000-4000-8000-000000000000"
NATIVE = {"id": UUID, "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"}
DELETED = "2026-01-01T00:00:00Z"


def test_columns_named_like_a_field_go_there_and_the_rest_are_traits() -> None:
    made = change(
        "account",
        "upsert",
        {"external_id": 42, "NAME": "Acme", "organizationId": "o", "plan": "x", "tags": [1], "_airbyte_x": 1},
    )
    assert made.fields == {"externalId": "42", "name": "Acme", "organizationId": "o"}
    assert made.open_values == {"plan": "x", "tags": [1]}
    assert made.label == "account '42'"


def test_a_mapping_says_where_columns_go() -> None:
    mapping = {
        "fields": {"externalId": "customer_id", "name": "company", "organizationId": "group_id"},
        "traits": {"plan": "plan_name", "vitally.custom.owner": "company"},
    }
    data = {
        "customer_id": 1,
        "company": "Acme",
        "group_id": "g",
        "plan_name": "x",
        "name": "other",
        "seats": 3,
    }
    made = change("account", "upsert", data, mapping=mapping)
    assert made.fields == {"externalId": "1", "name": "Acme", "organizationId": "g"}
    assert made.open_values == {"plan": "x", "vitally.custom.owner": "Acme", "seats": 3}


def test_other_columns_can_be_ignored() -> None:
    mapping = {"fields": {"externalId": "key"}, "traits": {"plan": "plan"}, "other_columns": "ignore"}
    made = change("account", "upsert", {"key": "a", "name": "Acme", "plan": 1, "seats": 3}, mapping=mapping)
    assert (made.fields, made.open_values) == ({"externalId": "a", "name": "Acme"}, {"plan": 1})


def test_constants_fill_fields_of_every_record() -> None:
    mapping = {"constants": {"event": "order placed"}, "fields": {"userId": "user_id", "timestamp": "at"}}
    made = change("event", "create", {"user_id": 3, "at": 1_772_600_767, "total": 5, "event": "x"}, mapping=mapping)
    assert made.fields == {"event": "order placed", "userId": "3", "timestamp": "2026-03-04T05:06:07Z"}
    assert made.open_values == {"total": 5, "event": "x"}


def test_one_column_can_fill_two_fields() -> None:
    mapping = {"fields": {"externalId": "id", "accountIds": "id"}}
    made = change("user", "upsert", {"id": "x"}, mapping=mapping)
    assert made.fields == {"externalId": "x", "accountIds": ["x"]}


def test_an_object_named_traits_is_merged_and_columns_win() -> None:
    made = change("account", "upsert", {"externalId": "a", "traits": {"plan": "old", "b": 2, "c": None}, "plan": "new"})
    assert made.open_values == {"plan": "new", "b": 2}


@pytest.mark.parametrize(
    ("clear", "fields", "open_values"),
    [
        (False, {"externalId": "a"}, {}),
        (True, {"externalId": "a", "name": None, "organizationId": None}, {"plan": None, "kept": None}),
    ],
)
def test_nulls_leave_or_remove(clear: bool, fields: Any, open_values: Any) -> None:
    data = {"externalId": "a", "name": None, "organizationId": None, "plan": None, "traits": {"kept": None}}
    made = change("account", "upsert", data, clear_nulls=clear)
    assert (made.fields, made.open_values) == (fields, open_values)


def test_a_row_read_from_vitally_can_be_written_without_a_mapping() -> None:
    row = {
        **NATIVE, "externalId": "u", "name": "Ida", "npsLastScore": 9, "segments": [], "traits": {"a.b": 1},
        "accounts": [{"id": UUID, "externalId": "a1"}, {"id": UUID, "externalId": None}], "organizations": [],
    }  # fmt: skip
    made = change("user", "upsert", row)
    assert made.fields == {
        "externalId": "u", "name": "Ida", "accountIds": ["a1", UUID], "organizationIds": [],
    }  # fmt: skip
    assert (made.origin, made.is_unsure) == (UUID, False), "in another workspace its id has no meaning"
    assert isinstance(made.fields["accountIds"][1], VitallyId)
    assert made.open_values == {"a.b": 1}


@pytest.mark.parametrize("order", [1, -1])
def test_an_inlined_parent_goes_before_the_bare_id(order: int) -> None:
    row = {**NATIVE, "externalId": "n", "note": "N", "noteDate": DELETED}
    row |= dict([("accountId", UUID), ("account", {"id": UUID, "externalId": "a1", "name": "A"})][::order])  # type: ignore[arg-type]
    made = change("note", "upsert", {**row, "organizationId": None, "organization": None})
    assert made.fields["accountId"] == "a1"
    assert not isinstance(made.fields["accountId"], VitallyId)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("bare", "inlined", "expected"), [(None, {"id": UUID, "externalId": "a1"}, "a1"), (UUID, None, UUID)]
)
def test_an_empty_column_does_not_take_what_another_column_of_its_field_gives(
    order: int, bare: Any, inlined: Any, expected: str
) -> None:
    row = {**NATIVE, "externalId": "n", "note": "N", "noteDate": DELETED}
    row |= dict([("accountId", bare), ("account", inlined)][::order])
    assert change("note", "upsert", row, clear_nulls=True).fields["accountId"] == expected


def test_the_same_text_under_two_keys_is_two_rows() -> None:
    account = BY_NAME["account"]
    by_ids = [identity_of(account, {name: UUID}) for name in ("id", "externalId")]
    assert len({*by_ids}) == 2
    assert by_ids[1] == identity_of(account, {"externalId": UUID, "name": "A"})


def test_a_warehouse_row_is_not_mistaken_for_one_of_vitally() -> None:
    made = change("account", "upsert", {"externalId": "a", "mrr": 5, "segments": ["x"], "organizationId": UUID})
    assert made.open_values == {"mrr": 5, "segments": ["x"]}
    assert not isinstance(made.fields["organizationId"], VitallyId)


@pytest.mark.parametrize(
    ("name", "operation", "data", "reason"),
    [
        ("account", "create", {"externalId": "a"}, "account 'a': name is required to create"),
        ("account", "create", {"externalId": "a", "name": ""}, "account 'a': name is required to create"),
        (
            "account", "upsert", {"name": "hidden"},
            "account: externalId is required to upsert; map the column that holds your id to it",
        ),
        ("account", "update", {"name": "x"}, "account: externalId or id is required to update"),
        ("account", "upsert", {"externalId": {"a": 1}}, "account: externalId must be a text; the value is an object"),
        ("user", "create", {"externalId": "u", "accountIds": []},
         "user 'u': accountIds or organizationIds is required to create"),
        ("event", "create", {"event": "e", "userId": "u"},
         "event: timestamp or messageId is required to create"),
        ("event", "create", {"event": "e", "id": 1, "timestamp": "hidden"},
         "event '1': timestamp must be a date-time such as 2026-01-31T09:30:00Z; the value is a text"),
        ("nps_response", "upsert", {"externalId": "r", "userId": "u", "respondedAt": 1, "score": 11},
         "nps_response 'r': score must be a whole number from 0 to 10; the value is a number"),
        ("task", "create", {"name": "T"}, "task: accountId or organizationId is required to create"),
        ("project", "create", {"templateId": "t", "accountId": "a", "organizationId": "o"},
         "project: exactly one of accountId, organizationId must be given"),
        ("meeting_participant", "create", {"meetingId": "m", "type": "attendee"},
         "meeting_participant: exactly one of userId, vitallyUserId, email must be given"),
        ("project", "update", {"name": "x"}, "project: id is required to update"),
        ("event", "create", {"event": "e", "id": 1, "_ab_cdc_deleted_at": DELETED},
         "event '1': Vitally has no way to delete it"),
        ("account", "upsert", {"externalId": "a", "_ab_cdc_deleted_at": DELETED},
         "account 'a': deletes are switched off; set Allow deletes (allow_deletes) to allow them"),
    ],
)  # fmt: skip
def test_reasons_name_object_key_and_remedy(name: str, operation: Any, data: dict[str, Any], reason: str) -> None:
    with pytest.raises(RejectedError) as caught:
        change(name, operation, data)
    assert str(caught.value) == reason
    assert "hidden" not in reason


@pytest.mark.parametrize("column", ["_ab_cdc_deleted_at", "_AB_CDC_DELETED_AT"])
def test_a_deleted_row_is_a_delete_whatever_else_it_holds(column: str) -> None:
    data = {"externalId": "a", "name": {"not": "a text"}, column: DELETED}
    assert change("account", "upsert", data, allow_deletes=True).operation == "delete"
    alive = change("account", "upsert", {**data, "name": "A", column: None}, allow_deletes=True)
    assert (alive.operation, alive.open_values) == ("upsert", {})


def test_the_first_route_that_can_is_taken() -> None:
    ida = {"externalId": "u", "accountIds": ["a"]}
    assert isinstance(change("user", "upsert", ida).route, BatchRoute)
    assert isinstance(change("user", "upsert", {**ida, "unsubscribedFromConversations": False}).route, BatchRoute)
    assert isinstance(change("user", "upsert", {**ida, "unsubscribedFromConversations": True}).route, RestRoute)
    assert isinstance(change("user", "upsert", {"externalId": "u"}).route, RestRoute)
    assert isinstance(change("account", "upsert", {"id": UUID, "name": "A"}).route, RestRoute)


INSTANCE_OWNER = {"externalId": "i", "customerId": "c", "ownedByVitallyUserId": "admin"}
UNSUBSCRIBED = {"externalId": "u", "accountIds": ["a"], "unsubscribedFromConversations": True}


@pytest.mark.parametrize(
    ("name", "data", "tokens", "expected"),
    [
        ("custom_object/*", INSTANCE_OWNER, BOTH_KEYS, (RestRoute, "rows with ownedByVitallyUserId go by REST")),
        (
            "custom_object/*",
            INSTANCE_OWNER,
            {"analytics_token"},
            (BatchRoute, "ownedByVitallyUserId is left out"),
        ),
        ("custom_object/*", {**INSTANCE_OWNER, "ownedByVitallyUserId": None}, BOTH_KEYS, (BatchRoute, "")),
        ("user", UNSUBSCRIBED, BOTH_KEYS, (RestRoute, "rows with unsubscribedFromConversations go by REST")),
        (
            "user",
            {**UNSUBSCRIBED, "unsubscribedFromConversations": False},
            BOTH_KEYS,
            (BatchRoute, "new rows have"),
        ),
        ("user", {**UNSUBSCRIBED, "unsubscribedFromConversations": 0}, BOTH_KEYS, (BatchRoute, "new rows have")),
    ],
)
def test_a_field_that_does_not_travel_in_batches(
    name: str, data: Any, tokens: Any, expected: tuple[Any, str], caplog: pytest.LogCaptureFixture
) -> None:
    route, said = expected
    caplog.set_level("WARNING", logger="airbyte")
    made = mapper(name, "upsert", tokens=frozenset(tokens))
    assert {type(made.change(data).route) for _ in range(3)} == {route}
    assert len(caplog.records) == bool(said), "it is said once"
    assert said in caplog.text


@pytest.mark.parametrize(
    ("name", "operation", "data", "said"),
    [
        ("account", "update", {"externalId": "a", "avatar": "x"}, "avatar is left out, since REST does not take it"),
        (
            "project",
            "update",
            {"id": UUID, "accountId": "a"},
            "accountId is left out, since Vitally takes it only when",
        ),
        ("custom_object/*", "update", {"id": UUID, "customerId": "a"}, "customerId is left out"),
        ("note", "update", {"externalId": "n", "accountId": "a"}, ""),
        ("account", "delete", {"externalId": "a", "avatar": "x"}, ""),
        ("account", "upsert", {"externalId": "a", "avatar": "x"}, ""),
    ],
)
def test_a_value_that_is_not_written_is_named_in_the_log_once(
    name: str, operation: Operation, data: Any, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", logger="airbyte")
    made = mapper(name, operation, allow_deletes=True)
    for _ in range(3):
        made.change(data)
    assert len(caplog.records) == bool(said)
    assert said in caplog.text


REST_ONLY = [
    (entry.name, field.name)
    for entry in OBJECTS
    for field in entry.fields
    if field.in_body
    and not field.analytics
    and not field.clear_only
    and any(isinstance(r, BatchRoute) for r in entry.operations.get("upsert", ()))
]


@pytest.mark.parametrize(("name", "field_name"), REST_ONLY)
def test_each_field_that_only_rest_takes_leaves_the_batch(
    name: str, field_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", logger="airbyte")
    field = BY_NAME[name].field(field_name)
    assert field
    value = {Kind.BOOLEAN: True, Kind.NUMBER: 0, Kind.SCORE: 0, Kind.TEXTS: ["a"]}.get(field.kind, "2026-01-01")
    base = {"externalId": "x", "accountId": "a"}
    assert isinstance(change(name, "upsert", base).route, BatchRoute)
    assert isinstance(change(name, "upsert", {**base, field_name: value}).route, RestRoute)
    assert f"rows with {field_name} go by REST" in caplog.text
    only_batches = change(name, "upsert", {**base, field_name: value}, tokens=frozenset({"analytics_token"}))
    assert isinstance(only_batches.route, BatchRoute)
    assert f"{field_name} is left out" in caplog.text


def test_a_number_that_only_rest_takes_goes_by_rest_whatever_its_value() -> None:
    entry = replace(BY_NAME["user"], fields=(*BY_NAME["user"].fields, Field("rank", Kind.NUMBER)))
    change = Mapper(entry, "upsert", {"upsert": entry.operations["upsert"]}).change({**UNSUBSCRIBED, "rank": 0})
    assert isinstance(change.route, RestRoute)
    assert change.fields["rank"] == 0


def test_records_are_left_as_they_are() -> None:
    data = {"externalId": "a", "traits": {"x": None}, "name": None, "n": [1]}
    before = repr(data)
    change("account", "upsert", data, clear_nulls=True)
    assert repr(data) == before


def test_a_flood_of_different_columns_is_not_remembered() -> None:
    made = mapper("account", "upsert")
    for n in range(0, 30_000, 10):
        made.change({"externalId": "a", **{f"column {n + i}": 1 for i in range(10)}})
    assert sum(len(layout.targets) for layout in made.layouts._known.values()) <= 20_000


@given(
    st.dictionaries(
        st.text() | st.sampled_from(["externalId", "id", "traits", "name"]),
        st.none() | st.integers() | st.text() | st.dictionaries(st.text(), st.integers()),
    )
)
def test_any_record_is_a_change_or_a_rejection(data: dict[str, Any]) -> None:
    try:
        made = change("account", "upsert", data)
    except RejectedError as error:
        assert str(error).startswith("account")  # noqa: PT017 - either is right
    else:
        assert made.fields.get("externalId") or made.fields["id"]


@pytest.mark.parametrize(
    ("name", "row", "tokens", "expected"),
    [
        ("account", {"organizationId": None}, BOTH_KEYS, (RestRoute, "rows with an empty organizationId go by REST")),
        ("account", {"organizationId": None}, {"analytics_token"}, (BatchRoute, "an empty organizationId is left out")),
        ("account", {"name": None}, BOTH_KEYS, (BatchRoute, "")),
        ("account", {"organizationId": "o"}, BOTH_KEYS, (BatchRoute, "")),
        (
            "user",
            {"accountIds": ["a"], "organizationIds": None},
            BOTH_KEYS,
            (BatchRoute, "organizationIds stays as it is where it is empty"),
        ),
        (
            "custom_object/*",
            {"customerId": "c", "organizationId": None},
            BOTH_KEYS,
            (BatchRoute, "organizationId stays as it is where it is empty"),
        ),
    ],
)
def test_a_reference_is_cleared_by_rest_or_it_is_said_once(
    name: str, row: Any, tokens: Any, expected: tuple[Any, str], caplog: pytest.LogCaptureFixture
) -> None:
    route, said = expected
    caplog.set_level("WARNING", logger="airbyte")
    made = mapper(name, "upsert", tokens=frozenset(tokens), clear_nulls=True)
    assert {type(made.change({"externalId": "x", **row}).route) for _ in range(3)} == {route}
    assert len(caplog.records) == bool(said)
    assert said in caplog.text
