"""The columns of every stream: one type each, names that a warehouse can tell apart, keys that are never null."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any

import orjson
import pytest
from jsonschema import Draft7Validator

from source_vitally.schema import (
    NO_VALUE,
    TRAIT_TYPES,
    CustomField,
    TableSchemaLoader,
    columns_of,
    fields_of,
    inlined_fields,
    streams_of_table,
)
from unit_tests.source.quick import resolved_manifest

MANIFEST = resolved_manifest()
TEMPLATE = MANIFEST["dynamic_streams"][0]["stream_template"]
STREAMS = {stream["name"]: stream for stream in [*MANIFEST["streams"], TEMPLATE]}
OF_0_4 = ("accounts", "admins", "conversations", "notes", "tasks", "users")
ONE_OF_EACH = {
    "own.text": "textarea",
    "vitally.custom.Number": "number",
    "flag": "checkbox",
    "time": "datetime",
    "day": "date",
    "several": "multiselect",
    "unknown": "moonPhase",
}
MODELS = ("accounts", "organizations", "users", "conversations", "notes", "tasks", "projects", "customObjects")
FIELDS = {path: CustomField(kind, f"Label of {path}") for path, kind in ONE_OF_EACH.items()}
TYPES = {(model, ""): FIELDS for model in MODELS}
CONFIGS = [
    {"inlined_objects": inlined, "flatten_traits": flat, **({TRAIT_TYPES: TYPES} if typed else {})}
    for inlined, flat, typed in product(["reference", "full"], [False, True], [False, True])
]
each = pytest.mark.parametrize("stream", STREAMS)


def schema(stream: str, config: dict[str, Any]) -> Any:
    return TableSchemaLoader(config=config, parameters=STREAMS[stream]["$parameters"]).get_json_schema()


@cache
def schemas(stream: str) -> list[Any]:
    """Return the schemas that a stream has by different configs, each once."""
    by_text = {orjson.dumps(found): found for found in (schema(stream, config) for config in CONFIGS)}
    return list(by_text.values())


def described(node: dict[str, Any], place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every column, property and item below a schema, with its place."""
    for name, inner in node.get("properties", {}).items():
        yield f"{place}.{name}", inner
        yield from described(inner, f"{place}.{name}")
    if "items" in node:
        yield f"{place}[]", node["items"]
        yield from described(node["items"], f"{place}[]")


@each
def test_each_column_property_and_item_has_one_type(stream: str) -> None:
    for found in schemas(stream):
        Draft7Validator.check_schema(found)
        assert found["additionalProperties"] is True
        for place, inner in described(found):
            kind = inner.get("type")
            kinds = {kind} if isinstance(kind, str) else set(kind or ())
            assert len(kinds - {"null"}) == 1, f"{place}: {kind}"
            assert "items" in inner or "array" not in kinds, f"{place}: items of any type"


@each
def test_no_two_columns_or_properties_differ_by_case_only(stream: str) -> None:
    for found in schemas(stream):
        for place, inner in [("", found), *described(found)]:
            names = [name.lower() for name in inner.get("properties", {})]
            assert len(names) == len(set(names)), place


@each
def test_keys_and_cursors_are_required_and_never_null(stream: str) -> None:
    entry = STREAMS[stream]
    key = entry["primary_key"]
    columns = [key] if isinstance(key, str) else list(key)
    if "incremental_sync" in entry:
        columns.append(entry["$parameters"].get("cursor_field", "updatedAt"))
    for found, column in product(schemas(stream), columns):
        assert column in found["required"]
        assert found["properties"][column]["type"] in ("string", "integer")


@pytest.mark.parametrize("stream", OF_0_4)
def test_a_config_of_0_4_keeps_the_types_that_differ_today(stream: str) -> None:
    """Which these are; that they are those of 0.4 is judged by integration_tests/source/test_config_migration.py."""
    now, then = (schema(stream, {"inlined_objects": "full", "column_types": which}) for which in ("current", "0.4"))
    assert set(now["properties"]) == set(then["properties"])
    changed = {name for name, column in then["properties"].items() if column != now["properties"][name]}
    for name in changed:
        said = [found["properties"][name]["description"].removesuffix(f" {NO_VALUE}") for found in (now, then)]
        assert said[0] == said[1]
    counts = {"usersCount", "npsDetractorCount", "npsPassiveCount", "npsPromoterCount"}
    expected = {"accounts": counts, "notes": {"users", "account"}, "tasks": {"tags", "account"}}
    expected |= {"users": {"segments", "accounts"}}
    cursor = {"updatedAt"} if stream != "admins" else set()
    assert changed == expected.get(stream, set()) | cursor
    assert then["required"] == ["id"]


def test_counts_and_answers_from_0_to_10_are_integers() -> None:
    for stream, column, kind in (
        ("accounts", "usersCount", "integer"),
        ("nps_responses", "score", "integer"),
        ("accounts", "mrr", "number"),
    ):
        assert schema(stream, {})["properties"][column]["type"] == [kind, "null"]


@each
def test_each_column_and_property_is_described_and_each_column_says_what_null_means(stream: str) -> None:
    for found in schemas(stream):
        for place, inner in described(found):
            assert place.endswith("[]") or inner.get("description", "").endswith("."), place
        for name, column in found["properties"].items():
            may_be_null = "null" in column.get("type", ())
            assert not may_be_null or "null" in column["description"].lower(), name
            assert may_be_null or NO_VALUE not in column["description"], name


@pytest.mark.parametrize("stream", streams_of_table())
def test_what_a_column_refers_to_is_a_stream(stream: str) -> None:
    for name, field in columns_of(stream).items():
        assert field.about, name
        assert field.refers in (None, *streams_of_table()), name
        has_name = name.removesuffix("s").endswith("Id") and name not in ("externalId", "surveyId", "projectStatusId")
        is_made_of_it = isinstance(field.kind, dict) and "ids_of" in field.kind
        assert not has_name or field.refers or is_made_of_it, f"{name} refers to nothing"


def test_a_column_says_to_which_stream_it_refers() -> None:
    assert "Refers to organizations." in schema("accounts", {})["properties"]["organizationId"]["description"]
    assert "Refers to" not in schema("notes", {})["properties"]["account"]["description"]


def test_custom_fields_are_described_as_vitally_does() -> None:
    found = CustomField("number", "Renewal risk", "How likely they leave")
    assert found.about == "Renewal risk. How likely they leave. A custom field; its type in Vitally is number."
    assert CustomField("date").about == "A custom field; its type in Vitally is date."
    config = {TRAIT_TYPES: {("accounts", ""): {"vitally.custom.risk": found}}, "flatten_traits": True}
    properties = schema("accounts", config)["properties"]
    assert properties["traits"]["properties"]["vitally.custom.risk"]["description"] == found.about
    assert properties["trait_risk"]["description"].startswith(
        f"{found.about} Its key in `traits` is vitally.custom.risk."
    )


def test_inlined_objects_are_described_as_they_are_sent() -> None:
    assert inlined_fields({"name": "notes"}) == ("account", "organization")
    assert inlined_fields({"name": "users"}) == ("accounts", "organizations")
    assert set(schema("notes", {})["properties"]["account"]["properties"]) == {"id", "externalId", "name"}
    whole = schema("users", {"inlined_objects": "full"})["properties"]["accounts"]["items"]
    assert whole["properties"]["traits"]["additionalProperties"] is True
    assert whole["properties"]["mrr"]["type"] == ["number", "null"]
    assert whole["properties"]["updatedAt"]["type"] == ["string", "null"], "a reference has none"


@pytest.mark.parametrize("stream", STREAMS)
def test_custom_fields_are_columns_only_where_configured(stream: str) -> None:
    fields = fields_of(STREAMS[stream]["$parameters"])
    kinds = {
        "trait_own_text_4ba85572": ["string", "null"],
        "trait_number_73718b2e": ["number", "null"],
        "trait_flag": ["boolean", "null"],
        "trait_time": ["string", "null"],
        "trait_day": ["string", "null"],
        "trait_several": ["array", "null"],
        "trait_unknown": ["string", "null"],
    }
    plain = schema(stream, {TRAIT_TYPES: TYPES})["properties"]
    flat = schema(stream, {TRAIT_TYPES: TYPES, "flatten_traits": True})["properties"]
    has_fields = isinstance(fields.get("traits"), dict)
    added = {name: column["type"] for name, column in flat.items() if name not in plain}
    assert added == (kinds if has_fields else {})
    assert {name: column for name, column in flat.items() if name in plain} == plain
    if has_fields:
        assert (flat["trait_time"]["format"], flat["trait_day"]["format"]) == ("date-time", "date")
        assert "own.text" in flat["trait_own_text_4ba85572"]["description"]
