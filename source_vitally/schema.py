"""JSON schemas of the streams, made from the table in `schemas.yaml`."""

import pkgutil
from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from functools import cache
from typing import Any

import yaml
from airbyte_cdk.sources.declarative.schema import SchemaLoader
from airbyte_cdk.sources.types import Config

from source_vitally.trait_columns import TraitColumn, trait_columns
from vitally_api.traits import Kind, kind_of

_TIME = {"format": "date-time", "airbyte_type": "timestamp_with_timezone"}
_SCALARS: Mapping[str, Mapping[str, Any]] = {
    "id": {"type": "string"},
    "position": {"type": "integer"},
    "cursor": {"type": "string", **_TIME},
    "string": {"type": ["string", "null"]},
    "integer": {"type": ["integer", "null"]},
    "number": {"type": ["number", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "datetime": {"type": ["string", "null"], **_TIME},
    "date": {"type": ["string", "null"]},
    "day": {"type": ["string", "null"], "format": "date"},
    "object": {"type": ["object", "null"], "additionalProperties": True},
    "any": {},
}
_NEVER_NULL = {"id": "string", "position": "integer", "cursor": "datetime"}
"""Field types that a row of the stream itself always has a value of, and what they are inside another row."""
_TRAIT_FIELDS: Mapping[Kind, Any] = {
    Kind.TEXT: "string",
    Kind.NUMBER: "number",
    Kind.BOOLEAN: "boolean",
    Kind.DATETIME: "string",
    Kind.DATE: "string",
    Kind.LIST: ["string"],
}
_COLUMN_FIELDS: Mapping[Kind, Any] = {**_TRAIT_FIELDS, Kind.DATETIME: "datetime", Kind.DATE: "day"}
"""Values in columns of their own are cast, so that a time is one; inside `traits` they stay as they are."""
_REFERENCE = {"id": "string", "externalId": "string", "name": "string", "email": "string"}

TraitTypes = dict[tuple[str, str], dict[str, str]]
TRAIT_TYPES = "__trait_types"
CUSTOM_OBJECTS = "customObjects"
OWNER = "x-vitally-custom-object"
"""The key of a schema that holds the id of the custom object whose rows the stream has, whatever it is called later."""


@dataclass
class TableSchemaLoader(SchemaLoader):
    """Gives a stream the schema that its entry in the table, the config and the workspace's traits make.

    The entry is `$parameters.table`, by default the stream's name. The types of traits are in the config while a
    discover runs, put there by the source: a read needs none, unless traits become columns.
    """

    config: Config
    parameters: InitVar[Mapping[str, Any]]

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        self._parameters = parameters

    def get_json_schema(self) -> Mapping[str, Any]:
        """Return a draft-07 schema whose rows are open."""
        description = _Description(
            whole=self.config.get("inlined_objects") == "full",
            as_in_0_4=self.config.get("column_types") == "0.4",
            types=self.config.get(TRAIT_TYPES, {}),
            custom_object=_custom_object(self._parameters),
        )
        schema = description.row(_entry(self._parameters), flat_columns(self.config, self._parameters))
        custom_object = _custom_object(self._parameters)
        owner = {OWNER: custom_object} if custom_object else {}
        return {"$schema": "http://json-schema.org/draft-07/schema#", **owner, **schema}


def fields_of(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields of the table's entry that a stream's `$parameters` name."""
    fields: Mapping[str, Any] = _table()["streams"][_entry(parameters)]
    return fields


def streams_of_table() -> tuple[str, ...]:
    """Return the names of the table's entries."""
    return tuple(_table()["streams"])


def inlined_fields(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of a stream's fields in which Vitally inlines whole rows of other streams."""
    return tuple(name for name, kind in fields_of(parameters).items() if _inlined(kind))


def id_fields(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return, per field that holds ids, the field in which Vitally inlines the rows of these ids."""
    fields = fields_of(parameters).items()
    return {name: kind["ids_of"] for name, kind in fields if isinstance(kind, Mapping) and "ids_of" in kind}


def flat_columns(config: Config, parameters: Mapping[str, Any]) -> list[TraitColumn]:
    """Return the columns that a stream's known custom fields become with `flatten_traits`."""
    kind = fields_of(parameters).get("traits")
    if not config.get("flatten_traits") or not isinstance(kind, Mapping):
        return []
    model = kind["traits"]
    owner = _custom_object(parameters) if model == CUSTOM_OBJECTS else ""
    return trait_columns(config.get(TRAIT_TYPES, {}).get((model, owner), {}))


@cache
def _table() -> Any:
    text = pkgutil.get_data("source_vitally", "schemas.yaml")
    assert text is not None
    return yaml.safe_load(text)


def _entry(parameters: Mapping[str, Any]) -> str:
    return str(parameters.get("table") or parameters["name"])


def _custom_object(parameters: Mapping[str, Any]) -> str:
    return str(parameters.get("custom_object_id") or "")


def _inlined(kind: Any) -> str | None:
    item = kind[0] if isinstance(kind, list) else kind
    return item.get("inlined") if isinstance(item, Mapping) else None


@dataclass(frozen=True)
class _Description:
    """How fields are described: inlined rows whole or as references, traits with the types known of them."""

    whole: bool
    as_in_0_4: bool
    types: TraitTypes
    custom_object: str

    def row(self, stream: str, columns: list[TraitColumn]) -> dict[str, Any]:
        fields = self.fields(stream)
        properties = {name: self.field(kind) for name, kind in fields.items()}
        properties |= {
            column.name: {**self.field(_COLUMN_FIELDS[column.kind]), "description": f"traits: {column.path}"}
            for column in columns
        }
        return {
            "type": "object",
            "additionalProperties": True,
            "required": [name for name, kind in fields.items() if isinstance(kind, str) and kind in _NEVER_NULL],
            "properties": properties,
        }

    def fields(self, stream: str) -> dict[str, Any]:
        table = _table()
        return {**table["streams"][stream], **(table["version_0_4"].get(stream, {}) if self.as_in_0_4 else {})}

    def field(self, kind: Any) -> dict[str, Any]:
        if isinstance(kind, list):
            return {"type": ["array", "null"], "items": self.field(kind[0])}
        if inlined := _inlined(kind):
            fields = self.fields(inlined) if self.whole else _REFERENCE
            # What an inlined row inlines in turn is left open, or accounts and users would hold each other without end.
            return self.nested({name: inner for name, inner in fields.items() if not _inlined(inner)})
        if isinstance(kind, Mapping):
            return self.field(["string"]) if "ids_of" in kind else self.traits(kind["traits"])
        return dict(_SCALARS[kind]) if kind in _SCALARS else self.nested(_table()["shapes"][kind])

    def nested(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        properties = {
            name: self.field(_NEVER_NULL.get(kind, kind) if isinstance(kind, str) else kind)
            for name, kind in fields.items()
        }
        return {**_SCALARS["object"], "properties": properties}

    def traits(self, model: str) -> dict[str, Any]:
        known = self.types.get((model, self.custom_object if model == CUSTOM_OBJECTS else ""), {})
        described = {"properties": {path: self.trait(kind) for path, kind in sorted(known.items())}} if known else {}
        return {**_SCALARS["object"], **described}

    def trait(self, field_type: str) -> dict[str, Any]:
        """Return the schema of a trait whose field type is `field_type`; one that nobody knows is a text."""
        kind = _TRAIT_FIELDS[kind_of(field_type) or Kind.TEXT]
        return {**self.field(kind), "description": f"Vitally field type: {field_type}"}
