"""Where columns go: whatever their spelling and order, in tables of every shape."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from destination_vitally.errors import ConfigError, RejectedError
from destination_vitally.mapping.change import Change
from destination_vitally.mapping.columns import Columns, folded, is_loader_column, is_native, member
from destination_vitally.mapping.layout import COLUMNS_LOGGED
from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.table import OBJECTS
from unit_tests.destination.builders import change, configured, mapper, planned, plans, settings
from vitally_api.names import snake_case
from vitally_api.traits import CustomField

UUID = "0f0d5a52-0000-4000-8000-000000000000"
TIMES = {"createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"}
SPELLINGS: dict[str, Callable[[str], str]] = {
    "camel": lambda name: name,
    "Pascal": lambda name: name[0].upper() + name[1:],
    "snake": snake_case,
    "SNAKE": lambda name: snake_case(name).upper(),
    "lower": str.lower,
    "UPPER": str.upper,
    "kebab": lambda name: snake_case(name).replace("_", "-"),
    "Words": lambda name: snake_case(name).replace("_", " ").title(),
}
spelled = pytest.mark.parametrize("spelling", SPELLINGS)


@spelled
@pytest.mark.parametrize("entry", OBJECTS, ids=lambda entry: entry.name)
def test_a_field_is_found_in_each_spelling_of_its_name(entry: Any, spelling: str) -> None:
    operation = next(iter(entry.operations))
    layouts = mapper(entry.name, operation).layouts
    for field in (field for field in entry.fields if not field.is_named):
        for name in (field.name, *field.aliases):
            [target] = layouts.of([SPELLINGS[spelling](name)]).targets
            assert (target.place, target.name) == ("field", field.name), name


@spelled
@pytest.mark.parametrize("mapped_as", SPELLINGS)
def test_a_mapped_column_is_found_in_each_spelling(spelling: str, mapped_as: str) -> None:
    mapping = {
        "fields": [{"field": "external_id", "column": SPELLINGS[mapped_as]("customerId")}],
        "traits": [{"trait": "plan", "column": SPELLINGS[mapped_as]("planName")}],
        "other_columns": "ignore",
    }
    stream = configured("t", properties=["customerId", "planName"])
    plan = next(iter(plans(settings(mappings=[{"stream": "t", "object": "account", **mapping}]), stream).values()))
    made = plan.mapper.change({SPELLINGS[spelling]("customerId"): 1, SPELLINGS[spelling]("planName"): "x"})
    assert (made.fields, made.open_values) == ({"externalId": "1"}, {"plan": "x"})


@pytest.mark.parametrize(
    ("name", "column"), [("EXTERNAL_ID", "external_id"), ("Größe", "größe"), ("a.b", "A.B"), ("plan$", "plan_")]
)
def test_names_that_are_the_same(name: str, column: str) -> None:
    assert Columns([column]).find(name) == column


def test_a_name_of_nothing_but_signs_is_itself() -> None:
    assert folded("_") == "_"
    assert Columns(["_", "$"]).find("$") == "$"


def mapped(properties: list[str], **mapping: Any) -> None:
    entry = {"stream": "t", "object": "account", "other_columns": "traits", **mapping}
    plans(settings(mappings=[entry]), configured("t", properties=properties))


ID = {"field": "externalId", "column": "id"}


@pytest.mark.parametrize(
    ("properties", "mapping", "problem"),
    [
        (["ID", "Id", "x"], {"fields": [ID]}, "columns 'ID' and 'Id' could each be meant by 'id'"),
        (["id", "external_id", "externalId"], {}, "'external_id' and 'externalId' both have the name of externalId"),
        (["id"], {"fields": [ID, {"field": "external_id", "column": "id"}]}, "externalId (externalId and external_id)"),
        (
            ["id", "b"],
            {"fields": [ID, {"field": "externalId", "column": "b"}]},
            "externalId is mapped twice; leave one",
        ),
        (["id", "b"], {"fields": [ID], "traits": 2 * [{"trait": "p", "column": "b"}]}, "trait 'p' is mapped twice"),
        (
            ["id", "b"],
            {
                "fields": [ID],
                "traits": [{"trait": "p", "column": "b"}],
                "constant_traits": [{"trait": "p", "value": "1"}],
            },
            "trait 'p' is mapped twice",
        ),
        (["name", "plan"], {}, "no column gives externalId, which is required to upsert account. Map a column to it"),
        (["id"], {"fields": [{"field": "externalId", "column": "idd"}]}, "the mapping names column 'idd', which the"),
        (["a"], {"fields": [{"field": "externalId", "column": "a.b.c"}, {"field": "name", "column": "c.b"}]}, "'c.b'"),
    ],
)
def test_what_is_not_clear_is_an_error_that_names_both(properties: list[str], mapping: Any, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        mapped(properties, **mapping)
    assert problem in str(caught.value)
    assert "stream 't'" in str(caught.value)


def test_without_a_schema_a_row_that_is_not_clear_is_rejected_with_its_key() -> None:
    with pytest.raises(RejectedError, match="account 'a': columns 'name' and 'NAME' both have the name of name"):
        change("account", "upsert", {"externalId": "a", "name": "x", "NAME": "y"})


def test_the_column_spelled_as_mapped_goes_before_one_that_is_alike() -> None:
    made = change("account", "upsert", {"ID": 2, "id": 1}, mapping={"fields": {"externalId": "id"}})
    assert made.fields["externalId"] == "1"


@pytest.mark.parametrize("order", permutations(["key", "plan", "plan_name"]))
def test_a_mapped_trait_wins_over_a_column_of_its_name_in_any_order(order: tuple[str, ...]) -> None:
    row = {"key": "a", "plan": "column", "plan_name": "mapped"}
    mapping = {"fields": {"externalId": "key"}, "traits": {"plan": "plan_name"}}
    made = change("account", "upsert", {name: row[name] for name in order}, mapping=mapping)
    assert made.open_values == {"plan": "mapped"}


def test_a_column_is_found_by_a_path() -> None:
    mapping = {
        "fields": [{"field": "externalId", "column": "customer.id"}],
        "traits": [{"trait": "city", "column": "customer.address.city"}, {"trait": "a.b", "column": "a.b"}],
        "other_columns": "ignore",
    }
    row = {"CUSTOMER": {"Id": 7, "address": {"CITY": "Riga"}}, "a.b": 1, "a": {"b": 2}}
    made = change("account", "upsert", row, mapping=mapping)
    assert (made.fields, made.open_values) == ({"externalId": "7"}, {"city": "Riga", "a.b": 1})
    assert member({"a": {"b": 1}}, ("a", "c")) is None
    assert member({"a": 1}, ("a", "c")) is None


def test_fixed_traits_are_in_each_row_and_of_their_type() -> None:
    mapping = {
        "fields": {"externalId": "id"},
        "constant_traits": [
            {"trait": "origin", "value": "warehouse"},
            {"trait": "tier", "value": "3", "cast": "number"},
            {"trait": "roles", "value": '["a", "b"]', "cast": "list"},
        ],
    }
    made = change("account", "upsert", {"id": 1, "origin": "x"}, mapping=mapping)
    assert made.open_values == {"origin": "warehouse", "tier": 3, "roles": ["a", "b"]}


# Columns that nobody means


@pytest.mark.parametrize(
    "column",
    ["_fivetran_synced", "_FIVETRAN_DELETED", "_dlt_load_id", "_sdc_batched_at", "_ab_cdc_lsn", "_airbyte_raw_id",
     "_AIRBYTE_EXTRACTED_AT", "_loaded_at", "_LOADED_AT"],
)  # fmt: skip
def test_columns_of_loaders_are_left_out_and_it_is_said_once(column: str, caplog: pytest.LogCaptureFixture) -> None:
    made = mapper("account", "upsert")
    for n in range(3):
        assert made.change({"externalId": str(n), column: 1, f"x{n}": 1}).open_values == {f"x{n}": 1}
    assert [r.getMessage() for r in caplog.records] == [
        f"Rows of account: column '{column}' is left out: it is a column of the tool that loads the table."
    ]
    mapping = {"fields": {"externalId": "id"}, "traits": {"synced": column}}
    assert change("account", "upsert", {"id": 1, column: 1}, mapping=mapping).open_values == {"synced": 1}
    caplog.clear()
    ignored = {"fields": {"externalId": "id"}, "other_columns": "ignore"}
    assert change("account", "upsert", {"id": 1, column: 1}, mapping=ignored).open_values == {}
    assert not caplog.records


def test_of_the_column_that_says_what_was_deleted_it_is_not_said_that_it_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert change("account", "upsert", {"externalId": "a", "_ab_cdc_deleted_at": None, "x": 1}).open_values == {"x": 1}
    assert not caplog.records


@pytest.mark.parametrize("column", ["loaded_at", "_plan", "fivetran_synced", "_about", "x_dlt_y"])
def test_columns_of_people_are_kept(column: str) -> None:
    assert not is_loader_column(column)


STAGE = {"vitally.custom.stage": CustomField("string", "Stage")}


READ = {"id": UUID, "createdAt": "2026-01-01", "updatedAt": "2026-01-01"}
"""What makes a row one that was read from Vitally."""


@pytest.mark.parametrize("name", ["task", "note", "project", "custom_object/deal"])
@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"vitally.custom.stage": "x", "color": "red"}, "color"),
        ({"traits": {"vitally.custom.stage": "x", "color": "red", "none": None}}, "traits.color"),
        ({"TRAITS": '{"vitally.custom.stage": "x", "color": "red"}'}, "TRAITS.color"),
        ({"traits": {"vitally.custom.stage": "x", "color": "red"}, **READ}, "traits.color"),
        ({"vitally.custom.stage": "x", "traits": "red"}, "traits"),
    ],
)
def test_columns_that_are_no_custom_field_are_left_out_where_only_defined_ones_are_taken(
    name: str, given: dict[str, Any], path: str, caplog: pytest.LogCaptureFixture
) -> None:
    mapping = {"stream": "t", "object": name, "operation": "create", "other_columns": "traits"}
    plan = next(iter(plans(settings(mappings=[mapping]), configured("t"), fields=STAGE).values()))
    row = {
        "externalId": "t", "name": "T", "note": "N", "noteDate": TIMES["createdAt"], "accountId": "a",
        "customerId": "a", "templateId": UUID,
    }  # fmt: skip
    row = {column: value for column, value in row.items() if plan.entry.field(column)}
    for _ in range(3):
        assert plan.mapper.change({**row, **given}).open_values == {"vitally.custom.stage": "x"}
    assert caplog.text.count(f"column '{path}' is left out: there is no custom field of that path in Vitally") == 1


def test_it_is_not_said_without_end_what_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    mapping = {"stream": "t", "object": "note", "operation": "create", "other_columns": "traits"}
    plan = next(iter(plans(settings(mappings=[mapping]), configured("t"), fields=STAGE).values()))
    row = {"note": "N", "noteDate": TIMES["createdAt"], "accountId": "a"}
    for number in range(COLUMNS_LOGGED + 5):
        assert not plan.mapper.change({**row, "traits": {f"n{number}": 1}}).open_values
    assert caplog.text.count("is left out") == COLUMNS_LOGGED


@pytest.mark.parametrize(
    ("name", "trait", "problem"),
    [
        ("task", "vitally.custom.stagee", "task has no custom field 'vitally.custom.stagee', and takes no other "
         "traits. Did you mean vitally.custom.stage?"),
        ("task", "Stages", "Did you mean vitally.custom.stage?"),
    ],
)  # fmt: skip
def test_a_path_that_is_no_custom_field_is_an_error_where_only_those_are_taken(
    name: str, trait: str, problem: str
) -> None:
    mapping = {"stream": "t", "object": name, "traits": {trait: "x"}}
    with pytest.raises(ConfigError) as caught:
        plans(settings(mappings=[mapping]), configured("t"), fields=STAGE)
    assert problem in str(caught.value)


def test_and_a_warning_where_any_trait_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    mapping = {"stream": "t", "object": "account", "traits": {"vitally.custom.stagee": "x", "plan": "y"}}
    plans(settings(mappings=[mapping]), configured("t"), fields=STAGE)
    assert (
        "there is no custom field 'vitally.custom.stagee' in Vitally yet. Did you mean vitally.custom.stage?"
        in caplog.text
    )
    assert "'plan'" not in caplog.text


# Tables of applications, as their frameworks make them

TABLES: dict[str, dict[str, Any]] = {
    "Rails": {"id": UUID, "created_at": "2026-01-01", "updated_at": "2026-01-01", "external_id": "x", "traits": "{}"},
    "Django": {"id": UUID, "created": "2026-01-01", "modified": "2026-01-01", "name": "Acme", "is_active": True},
    "Prisma": {"id": UUID, **TIMES, "name": "Acme", "ownerId": UUID, "mrr": 5},
    "Sequelize": {"id": UUID, **TIMES, "deletedAt": None, "name": "Acme", "usersCount": 3},
    "a cache of those": {"id": UUID, "createdat": "2026-01-01", "updatedat": "2026-01-01", "name": "Acme"},
}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_an_application_is_not_taken_for_rows_of_vitally(table: str) -> None:
    row = TABLES[table]
    assert not is_native(row)
    made = change("account", "upsert", row, mapping={"fields": {"externalId": "id"}})
    assert made.fields["externalId"] == UUID
    assert not isinstance(made.fields["externalId"], VitallyId)
    fields = {"name", "external_id", "traits"}
    kept = {name for name, value in row.items() if name not in {"id", *fields} and value is not None}
    assert kept <= set(made.open_values), "it keeps all its columns"


NATIVE: dict[str, dict[str, Any]] = {
    "as read": {"id": UUID, **TIMES, "externalId": "a", "traits": {"p": 1}, "organizationId": UUID},
    "without externalId": {"id": UUID, **TIMES, "traits": {}, "organizationId": UUID},
    "without traits": {"id": UUID, **TIMES, "externalId": None, "organizationId": UUID},
    "from a cache": {"id": UUID, "createdat": "x", "updatedat": "x", "externalid": "a", "organizationid": UUID},
    "from a warehouse": {"ID": UUID, "CREATEDAT": "x", "UPDATEDAT": "x", "EXTERNALID": "a", "ORGANIZATIONID": UUID},
    "of one case with traits": {"ID": UUID, "CREATEDAT": "x", "UPDATEDAT": "x", "TRAITS": {}, "ORGANIZATIONID": UUID},
}


def natives(made: Change) -> bool:
    return isinstance(made.fields["organizationId"], VitallyId)


@pytest.mark.parametrize("shape", NATIVE)
def test_a_row_of_vitally_is_known_by_its_shape(shape: str) -> None:
    row = NATIVE[shape]
    assert is_native(row)
    assert natives(change("account", "upsert", row))
    assert not {"createdat", "updatedat"} & set(map(str.lower, change("account", "upsert", row).open_values))


FOREIGN: dict[str, dict[str, Any]] = {
    "a table of an application": {"id": UUID, **TIMES},
    "with traits that are no object": {"id": UUID, **TIMES, "traits": "x"},
    "in snake case": {"id": UUID, "created_at": "x", "updated_at": "x", "external_id": "a"},
    "in several cases": {"ID": UUID, "createdAt": "x", "UPDATEDAT": "x", "externalid": "a"},
    "without times": {"id": UUID, "externalId": "a", "traits": {}},
    "with one time": {"id": UUID, "createdAt": "x", "externalId": "a", "traits": {}},
    "with a number": {"id": 7, **TIMES, "externalId": "a", "traits": {}},
    "with a longer id": {"id": f"{UUID}0", **TIMES, "externalId": "a", "traits": {}},
}


@pytest.mark.parametrize("shape", FOREIGN)
def test_a_row_with_a_uuid_is_not_vitallys_for_that(shape: str) -> None:
    row = {**FOREIGN[shape], "organizationId": UUID}
    assert not is_native(row)
    assert not natives(change("account", "update", row))


@pytest.mark.parametrize(
    ("column", "native"),
    [("id", False), ("ID", False), ("customer", False), ("externalId", True), ("external_id", True)],
)
def test_a_mapping_can_say_that_ids_are_yours(column: str, native: bool) -> None:
    mapping = {"fields": {"externalId": column}}
    assert natives(change("account", "upsert", {**NATIVE["as read"], "customer": 1}, mapping=mapping)) is native


def test_an_id_that_may_be_yours_is_pointed_out(caplog: pytest.LogCaptureFixture) -> None:
    plans(settings(), configured("accounts", properties=["id", "name", "created_at"]))
    assert "rows are matched by column 'id', which is taken for Vitally's own id" in caplog.text
    caplog.clear()
    plans(settings(), configured("accounts", properties=["id", "externalId", "updatedAt"]))
    assert "matched by" not in caplog.text


# Which mapping is for which stream


@pytest.mark.parametrize("stream", ["orders", "ORDERS", "Orders", "or_ders"])
def test_a_stream_is_found_whatever_its_case(stream: str, caplog: pytest.LogCaptureFixture) -> None:
    mapping = {"stream": "orders", "object": "event", "other_columns": "traits"}
    plan = next(iter(plans(settings(mappings=[mapping]), configured(stream)).values()))
    assert plan.entry.name == "event"
    said = f"The mapping of stream 'orders' is taken for stream '{stream}'."
    assert [r.getMessage() for r in caplog.records if "taken for" in r.getMessage()] == [said] * (stream != "orders")


def test_a_mapping_for_several_streams_is_an_error() -> None:
    mapping = {"stream": "ORDERS", "object": "event", "other_columns": "traits"}
    with pytest.raises(ConfigError, match="'ORDERS' could be for 'Orders' or 'orders': write the name of the one you"):
        plans(settings(mappings=[mapping]), configured("orders"), configured("Orders"))


@pytest.mark.parametrize(("streams", "known"), [((), "none"), (("events", "accounts"), "accounts, events")])
def test_a_mapping_for_no_stream_is_pointed_out(
    streams: tuple[str, ...], known: str, caplog: pytest.LogCaptureFixture
) -> None:
    mapping = {"stream": "oders", "object": "event", "other_columns": "traits"}
    plans(settings(mappings=[mapping]), *map(configured, streams))
    said = f"There is a mapping for stream 'oders', which is not in the connection. Streams: {known}"
    assert said in [entry.getMessage() for entry in caplog.records]


def test_several_mappings_of_a_stream_count_whatever_the_case_of_its_name_and_two_equal_ones_are_an_error() -> None:
    loose = {"stream": "ORDERS", "object": "event", "other_columns": "traits"}
    exact = {"stream": "orders", "object": "account", "other_columns": "traits"}
    found = planned(settings(mappings=[{**exact, "stream": "other"}, loose, exact]), configured("orders"))
    assert [(plan.title, plan.entry.name) for plan in found] == [
        ("orders, entry 2", "event"),
        ("orders, entry 3", "account"),
    ]
    with pytest.raises(ConfigError, match="stream 'orders': entries 1 and 3 of Mappings are the same; leave one"):
        plans(settings(mappings=[loose, exact, {**loose, "stream": "orders"}]), configured("orders"))


def test_what_is_wrong_with_one_of_several_mappings_names_it() -> None:
    good = {"stream": "orders", "object": "event", "other_columns": "traits"}
    with pytest.raises(ConfigError, match="stream 'orders', entry 2 of Mappings: there is no object 'acount'"):
        plans(settings(mappings=[good, {**good, "object": "acount"}]), configured("orders"))
