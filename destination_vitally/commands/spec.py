"""The configuration as the JSON Schema that Airbyte's form understands.

That form wants draft-07 without `$ref`, choices as `oneOf` whose branches differ in a `const`, `order` on
every property, and nothing nullable: what is not required may be left out.
"""

from __future__ import annotations

from typing import Any

from destination_vitally.config import Config
from destination_vitally.config.base import UNCHOSEN, form
from vitally_api.settings import data_center, may_be_empty

JsonSchema = dict[str, Any]


def connection_specification() -> JsonSchema:
    """Return the JSON Schema of the configuration."""
    schema = Config.model_json_schema()
    definitions = schema.pop("$defs")
    schema["properties"]["data_center"] = {**data_center(analytics=True), **form()["Config"]["settings"]["data_center"]}
    rendered = _render(schema, definitions)
    draft = "http://json-schema.org/draft-07/schema#"
    return {"$schema": draft, **rendered, "additionalProperties": True, "groups": form()["groups"]}


def _render(schema: Any, definitions: JsonSchema) -> Any:
    if isinstance(schema, list):
        return [_render(entry, definitions) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = definitions[schema["$ref"].rsplit("/", 1)[1]]
        return _render({**target, **{k: v for k, v in schema.items() if k != "$ref"}}, definitions)
    schema = _without_null(schema)
    rendered = {k: _render(v, definitions) for k, v in schema.items() if k not in ("discriminator", "properties")}
    if "oneOf" in rendered:
        rendered["type"] = "object"
    if "properties" in schema:
        rendered["properties"] = {
            name: {**_property(name, _render(entry, definitions), name in schema.get("required", ())), "order": order}
            for order, (name, entry) in enumerate(schema["properties"].items())
        }
        rendered["additionalProperties"] = True
    return rendered


def _without_null(schema: JsonSchema) -> JsonSchema:
    """Turn `anyOf: [X, null]` into X: the form leaves out what is empty."""
    choices = [c for c in schema.get("anyOf", []) if c != {"type": "null"}]
    if len(choices) != 1:
        return schema
    rest = {k: v for k, v in schema.items() if k != "anyOf" and not (k == "default" and v is None)}
    chosen = {**choices[0], **rest}
    return {**chosen, "enum": [*chosen["enum"], UNCHOSEN]} if "enum" in chosen else chosen


def _property(name: str, schema: JsonSchema, is_required: bool) -> JsonSchema:
    """Return a property as the form wants it: a constant shows nothing but itself, what is optional may be emptied."""
    if "const" in schema:
        return {
            "type": "string",
            "const": schema["const"],
            "default": schema["const"],
            "title": name.replace("_", " ").capitalize(),
        }
    if schema.get("type") == "integer":
        schema = {**schema, "multipleOf": 1}
    if "properties" in schema.get("items", {}):
        for entry in schema["items"]["properties"].values():
            entry.pop("default", None)  # the form would write it into each new entry
    return schema if is_required else may_be_empty(schema)
