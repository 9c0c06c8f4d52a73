"""Names of custom objects and types of traits, whatever a workspace calls them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from source_vitally.schema import TRAIT_TYPES, TableSchemaLoader
from source_vitally.workspace import snake_case, stream_names


def definition(key: str, name: Any, created: str = "2026-01-01T00:00:00.000Z") -> dict[str, Any]:
    return {"id": key, "name": name, "createdAt": created}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("featureRequest", "feature_request"),
        ("Feature Request (v2)", "feature_request_v2"),
        ("deal-room", "deal_room"),
        ("HTTPServer", "httpserver"),
        ("Überblick", "uberblick"),
        ("客户", "ke_hu"),
        ("__x__", "x"),
        ("!!!", "unnamed"),
        ("", "unnamed"),
    ],
)
def test_names_are_cleaned(name: str, expected: str) -> None:
    assert snake_case(name) == expected


def test_of_colliding_names_the_oldest_stays_plain() -> None:
    older = definition("bbbb1111-2222", "dealRoom", "2024-01-01T00:00:00.000Z")
    newer = definition("aaaa1111-2222", "Deal Room", "2025-01-01T00:00:00.000Z")
    names = {"bbbb1111-2222": "custom_object_deal_room", "aaaa1111-2222": "custom_object_deal_room_aaaa1111"}
    assert stream_names([newer, older]) == names
    assert stream_names([older]) == {"bbbb1111-2222": "custom_object_deal_room"}


@given(st.lists(st.tuples(st.uuids(), st.text(max_size=6), st.datetimes()), unique_by=lambda found: found[0]))
def test_names_are_unique_clean_and_stable(found: list[Any]) -> None:
    definitions = [definition(str(key), name, created.isoformat()) for key, name, created in found]
    names = stream_names(definitions)
    assert len(set(names.values())) == len(definitions)
    assert all(re.fullmatch(r"custom_object_[a-z0-9_]+", name) for name in names.values())
    assert stream_names(reversed(definitions)) == names
    oldest_first = sorted(definitions, key=lambda one: (one["createdAt"], one["id"]))
    for count in range(len(definitions)):
        assert stream_names(oldest_first[:count]).items() <= names.items()


def traits_schema(types: dict[str, str], **parameters: Any) -> Any:
    config = {TRAIT_TYPES: {("accounts", ""): types, ("customObjects", "co-1"): {"vitally.custom.x": "number"}}}
    schema = TableSchemaLoader(config=config, parameters={"name": "accounts", **parameters}).get_json_schema()
    return schema["properties"]["traits"]


def test_traits_are_typed_by_their_path_first_type_first() -> None:
    types = {"vitally.custom.a": "number", "vitally.custom.b": "textarea", "c": "multiselect", "d": "moonPhase"}
    properties = traits_schema(types)["properties"]
    assert [properties[path].get("type", [None])[0] for path in types] == ["number", "string", "array", None]
    assert properties["d"] == {"description": "Vitally field type: moonPhase"}
    instance = traits_schema({}, table="custom_object_instances", custom_object_id="co-1")
    assert instance["properties"]["vitally.custom.x"]["type"][0] == "number"
    assert "properties" not in traits_schema({}, table="custom_object_instances", custom_object_id="co-2")


def test_traits_of_inlined_accounts_are_typed_too_when_they_come_whole() -> None:
    config = {TRAIT_TYPES: {("accounts", ""): {"tier": "string"}}, "inlined_objects": "full"}
    schema = TableSchemaLoader(config=config, parameters={"name": "notes"}).get_json_schema()
    assert "tier" in schema["properties"]["account"]["properties"]["traits"]["properties"]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    types=st.dictionaries(
        st.text(max_size=8), st.sampled_from(["string", "number", "datetime", "moonPhase", "list", ""])
    ),
    traits=st.dictionaries(st.text(max_size=8), JSON),
)
def test_any_value_of_any_trait_fulfils_its_schema(types: dict[str, str], traits: dict[str, Any]) -> None:
    values = {**dict.fromkeys(types, 5), **traits}
    assert list(Draft7Validator(traits_schema(types)).iter_errors(values)) == []
