"""Types of traits, whatever a workspace calls them."""

from __future__ import annotations

from typing import Any

from source_vitally.schema import TRAIT_TYPES, TableSchemaLoader


def traits_schema(types: dict[str, str], **parameters: Any) -> Any:
    config = {TRAIT_TYPES: {("accounts", ""): types, ("customObjects", "co-1"): {"vitally.custom.x": "number"}}}
    schema = TableSchemaLoader(config=config, parameters={"name": "accounts", **parameters}).get_json_schema()
    return schema["properties"]["traits"]


def test_a_trait_has_the_type_of_its_field_and_no_other() -> None:
    types = {"vitally.custom.a": "number", "vitally.custom.b": "TEXTAREA", "c": "multiselect", "d": "moonPhase"}
    properties = traits_schema(types)["properties"]
    assert {path: found["type"] for path, found in properties.items()} == {
        "vitally.custom.a": ["number", "null"],
        "vitally.custom.b": ["string", "null"],
        "c": ["array", "null"],
        "d": ["string", "null"],
    }
    assert properties["c"]["items"] == {"type": ["string", "null"]}
    assert properties["d"]["description"] == "Vitally field type: moonPhase"
    instance = traits_schema({}, table="custom_object_instances", custom_object_id="co-1")
    assert instance["properties"]["vitally.custom.x"]["type"] == ["number", "null"]
    assert "properties" not in traits_schema({}, table="custom_object_instances", custom_object_id="co-2")


def test_traits_of_inlined_accounts_are_typed_too_when_they_come_whole() -> None:
    config = {TRAIT_TYPES: {("accounts", ""): {"tier": "string"}}, "inlined_objects": "full"}
    schema = TableSchemaLoader(config=config, parameters={"name": "notes"}).get_json_schema()
    assert "tier" in schema["properties"]["account"]["properties"]["traits"]["properties"]
