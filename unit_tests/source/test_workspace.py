"""Types of traits, whatever a workspace calls them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from source_vitally.schema import TRAIT_TYPES, TableSchemaLoader


def traits_schema(types: dict[str, str], **parameters: Any) -> Any:
    config = {TRAIT_TYPES: {("accounts", ""): types, ("customObjects", "co-1"): {"vitally.custom.x": "number"}}}
    schema = TableSchemaLoader(config=config, parameters={"name": "accounts", **parameters}).get_json_schema()
    return schema["properties"]["traits"]


def test_traits_are_typed_by_their_path_first_type_first() -> None:
    types = {"vitally.custom.a": "number", "vitally.custom.b": "TEXTAREA", "c": "multiselect", "d": "moonPhase"}
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
