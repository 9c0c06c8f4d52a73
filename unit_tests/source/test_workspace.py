"""Types of traits, whatever a workspace calls them; passes over the rows of its custom objects."""

from __future__ import annotations

from typing import Any

import pytest

from source_vitally.schema import TRAIT_TYPES, CustomField, TableSchemaLoader
from source_vitally.workspace import CUSTOM_OBJECTS, AllInstances, InstancePartitions


def traits_schema(types: dict[str, str], **parameters: Any) -> Any:
    fields = {path: CustomField(kind) for path, kind in types.items()}
    of_object = {"vitally.custom.x": CustomField("number")}
    config = {TRAIT_TYPES: {("accounts", ""): fields, ("customObjects", "co-1"): of_object}}
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
    assert "moonPhase" in properties["d"]["description"]
    instance = traits_schema({}, table="custom_object_instances", custom_object_id="co-1")
    assert instance["properties"]["vitally.custom.x"]["type"] == ["number", "null"]
    assert "properties" not in traits_schema({}, table="custom_object_instances", custom_object_id="co-2")


def test_traits_of_inlined_accounts_are_typed_too_when_they_come_whole() -> None:
    config = {TRAIT_TYPES: {("accounts", ""): {"tier": CustomField("string")}}, "inlined_objects": "full"}
    schema = TableSchemaLoader(config=config, parameters={"name": "notes"}).get_json_schema()
    assert "tier" in schema["properties"]["account"]["properties"]["traits"]["properties"]


@pytest.mark.parametrize(("include", "passes"), [(True, ["false", "true"]), (False, ["false"])])
def test_archived_rows_of_custom_objects_are_a_pass_of_their_own_if_wanted(include: bool, passes: list[str]) -> None:
    config = {"include_archived": include, CUSTOM_OBJECTS: [{"id": "co-1"}]}
    of_one = InstancePartitions(config=config, parameters={"custom_object_id": "co-1"})
    for router in (of_one, AllInstances(config=config, parameters={})):
        slices = list(router.stream_slices())
        assert [part.partition["archived"] for part in slices] == passes
        assert [router.get_request_params(stream_slice=part) for part in slices] == [{"archived": p} for p in passes]
