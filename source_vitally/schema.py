"""JSON schemas of the streams, made from the table in `schemas.yaml`."""

import pkgutil
from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from functools import cache
from typing import Any

import yaml
from airbyte_cdk.sources.declarative.schema import SchemaLoader
from airbyte_cdk.sources.types import Config

from vitally_api.traits import Kind, kind_of

_SCALARS: Mapping[str, Mapping[str, Any]] = {
    "id": {"type": "string"},
    "string": {"type": ["string", "null"]},
    "number": {"type": ["number", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "datetime": {
        "type": ["string", "null"],
        "format": "date-time",
        "airbyte_type": "timestamp_with_timezone",
    },
    "date": {"type": ["string", "null"]},
    "object": {"type": ["object", "null"], "additionalProperties": True},
    "any": {},
}
_JSON_TYPES = ("string", "number", "boolean", "array", "object", "null")
_TYPE_OF_KIND: Mapping[Kind, str] = {
    "text": "string",
    "number": "number",
    "flag": "boolean",
    "moment": "string",
    "day": "string",
    "list": "array",
}
_REFERENCE = {"id": "string", "externalId": "string", "name": "string"}

TraitTypes = dict[tuple[str, str], dict[str, str]]
TRAIT_TYPES = "__trait_types"
OWNER = "x-vitally-custom-object"
"""The key of a schema that holds the id of the custom object whose rows the stream has, whatever it is called later."""


@dataclass
class TableSchemaLoader(SchemaLoader):
    """Gives a stream the schema that its entry in the table, `inlined_objects` and the workspace's traits make.

    The entry is `$parameters.table`, by default the stream's name. The types of traits are in the config while a
    discover runs, put there by the source: a read needs no types and asks for none.
    """

    config: Config
    parameters: InitVar[Mapping[str, Any]]

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        self._fields = fields_of(parameters)
        self._custom_object = str(parameters.get("custom_object_id") or "")

    def get_json_schema(self) -> Mapping[str, Any]:
        """Return a draft-07 schema whose rows are open."""
        types = self.config.get(TRAIT_TYPES, {})
        description = _Description(self.config.get("inlined_objects") == "full", types, self._custom_object)
        schema = description.object(self._fields)
        owner = {OWNER: self._custom_object} if self._custom_object else {}
        return {"$schema": "http://json-schema.org/draft-07/schema#", **owner, **schema, "type": "object"}


def fields_of(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields of the table's entry that a stream's `$parameters` name."""
    fields: Mapping[str, Any] = _table()["streams"][parameters.get("table") or parameters["name"]]
    return fields


def streams_of_table() -> tuple[str, ...]:
    """Return the names of the table's entries."""
    return tuple(_table()["streams"])


def inlined_fields(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of a stream's fields in which Vitally inlines whole rows of other streams."""
    return tuple(name for name, kind in fields_of(parameters).items() if _inlined(kind))


@cache
def _table() -> Any:
    text = pkgutil.get_data("source_vitally", "schemas.yaml")
    assert text is not None
    return yaml.safe_load(text)


def _inlined(kind: Any) -> str | None:
    item = kind[0] if isinstance(kind, list) else kind
    return item.get("inlined") if isinstance(item, Mapping) else None


@dataclass(frozen=True)
class _Description:
    """How fields are described: inlined rows whole or as references, traits with the types known of them."""

    whole: bool
    types: TraitTypes
    custom_object: str

    def object(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        properties = {name: self.field(kind) for name, kind in fields.items()}
        return {"type": ["object", "null"], "additionalProperties": True, "properties": properties}

    def field(self, kind: Any) -> dict[str, Any]:
        if isinstance(kind, list):
            return {"type": ["array", "null"], "items": self.field(kind[0])}
        if inlined := _inlined(kind):
            fields = _table()["streams"][inlined] if self.whole else _REFERENCE
            # What an inlined row inlines in turn is left open, or accounts and users would hold each other without end.
            return self.object(
                {**{name: inner for name, inner in fields.items() if not _inlined(inner)}, "id": "string"}
            )
        if isinstance(kind, Mapping):
            return self.traits(kind["traits"])
        return dict(_SCALARS[kind]) if kind in _SCALARS else self.object(_table()["shapes"][kind])

    def traits(self, model: str) -> dict[str, Any]:
        owner = self.custom_object if model == "customObjects" else ""
        known = self.types.get((model, owner), {})
        described = {"properties": {path: _trait(kind) for path, kind in sorted(known.items())}} if known else {}
        return {**_SCALARS["object"], **described}


def _trait(kind: str) -> dict[str, Any]:
    """Return the schema of a trait whose field type Vitally calls `kind`; an unknown one is untyped.

    A field's type can be changed in Vitally while old values stay, so the other types stay legal behind the first.
    """
    known = kind_of(kind)
    if known is None:
        return {"description": f"Vitally field type: {kind}"}
    first = _TYPE_OF_KIND[known]
    types = [first, *(json for json in _JSON_TYPES if json != first)]
    return {"type": types, "description": f"Vitally field type: {kind}"}
