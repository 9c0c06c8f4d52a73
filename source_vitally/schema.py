"""JSON schemas of the streams, made from the table in `schemas.yaml`."""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass
from functools import cache
from typing import Any, NamedTuple

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
NO_VALUE = "Null: Vitally has no value."


class Field(NamedTuple):
    """A field of the table: what it holds, what the table says of it, its type as it is written there.

    `refers` is the stream whose rows it names or holds, if it does. `kind` is a word (a scalar or a shape), a list of
    one, or an object that says what the field is made of: `inlined` rows of a stream, `ids_of` the rows in another
    field, `traits` of a model.
    """

    kind: Any
    about: str = ""
    written: str = ""
    refers: str | None = None


class CustomField(NamedTuple):
    """A custom field of the workspace: Vitally's type of it, and what Vitally says of it."""

    type: str
    label: str = ""
    description: str = ""

    @property
    def about(self) -> str:
        """What the field is, in a sentence or more."""
        said = (f"{text.strip().rstrip('.')}." for text in (self.label, self.description) if text.strip())
        return " ".join((*said, f"A custom field; its type in Vitally is {self.type}."))


_REFERENCE = {
    "id": Field("string", "Vitally's id."),
    "externalId": Field("string", "The id in your own system."),
    "name": Field("string", "The name."),
}
_MADE_OF: Mapping[str, Callable[[str], Field]] = {
    "list": lambda word: Field([word]),
    "id": lambda stream: Field("id", refers=stream),
    "key": lambda stream: Field("string", refers=stream),
    "keys": lambda stream: Field(["string"], refers=stream),
    "row": lambda stream: Field({"inlined": stream}, refers=stream),
    "rows": lambda stream: Field([{"inlined": stream}], refers=stream),
    "traits": lambda model: Field({"traits": model}),
    "ids": lambda field: Field({"ids_of": field}),
}
"""What the first word of a type of several words makes of the last."""

TraitTypes = dict[tuple[str, str], dict[str, CustomField]]
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


def columns_of(entry: str) -> Mapping[str, Field]:
    """Return the fields of an entry of the table."""
    fields: Mapping[str, Field] = _table()["streams"][entry]
    return fields


def fields_of(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the kinds of the fields of the table's entry that a stream's `$parameters` name."""
    return {name: field.kind for name, field in columns_of(_entry(parameters)).items()}


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
    fields = config.get(TRAIT_TYPES, {}).get((model, owner), {})
    return trait_columns({path: field.type for path, field in fields.items()})


@cache
def _table() -> dict[str, dict[str, dict[str, Field]]]:
    text = pkgutil.get_data("source_vitally", "schemas.yaml")
    assert text is not None
    return {
        part: {name: {field: _field(line) for field, line in lines.items()} for name, lines in entries.items()}
        for part, entries in yaml.safe_load(text).items()
    }


def _field(line: str) -> Field:
    written, _, about = line.partition(" | ")
    words = written.split(" ")
    field = _MADE_OF[words[0]](words[-1]) if len(words) > 1 else Field(written)
    return field._replace(about=about, written=written)


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
        properties = {name: self.column(field) for name, field in fields.items()}
        properties |= {column.name: self.trait_column(stream, column) for column in columns}
        return {
            "type": "object",
            "additionalProperties": True,
            "required": [name for name, field in fields.items() if _is_never_null(field.kind)],
            "properties": properties,
        }

    def fields(self, stream: str) -> dict[str, Field]:
        table = _table()
        before = table["version_0_4"].get(stream, {}) if self.as_in_0_4 else {}
        fields = table["streams"][stream]
        return {**fields, **{name: field._replace(about=fields[name].about) for name, field in before.items()}}

    def column(self, field: Field) -> dict[str, Any]:
        is_said = _is_never_null(field.kind) or "null" in field.about.lower()
        named = f"Refers to {field.refers}." if field.refers and not _inlined(field.kind) else ""
        said = (field.about, named, "" if is_said else NO_VALUE)
        return {**self.field(field.kind), "description": " ".join(filter(None, said))}

    def field(self, kind: Any) -> dict[str, Any]:
        if isinstance(kind, list):
            return {"type": ["array", "null"], "items": self.field(kind[0])}
        if inlined := _inlined(kind):
            fields = self.fields(inlined) if self.whole else _REFERENCE
            # What an inlined row inlines in turn is left open, or accounts and users would hold each other without end.
            return self.nested({name: inner for name, inner in fields.items() if not _inlined(inner.kind)})
        if isinstance(kind, Mapping):
            return self.field(["string"]) if "ids_of" in kind else self.traits(kind["traits"])
        return dict(_SCALARS[kind]) if kind in _SCALARS else self.nested(_table()["shapes"][kind])

    def nested(self, fields: Mapping[str, Field]) -> dict[str, Any]:
        properties = {}
        for name, (kind, about, *_) in fields.items():
            inner = self.field(_NEVER_NULL.get(kind, kind) if isinstance(kind, str) else kind)
            properties[name] = {**inner, "description": about}
        return {**_SCALARS["object"], "properties": properties}

    def traits(self, model: str) -> dict[str, Any]:
        known = self.known(model)
        described = {"properties": {path: self.trait(field) for path, field in sorted(known.items())}} if known else {}
        return {**_SCALARS["object"], **described}

    def known(self, model: str) -> dict[str, CustomField]:
        return self.types.get((model, self.custom_object if model == CUSTOM_OBJECTS else ""), {})

    def trait(self, field: CustomField) -> dict[str, Any]:
        """Return the schema of a trait; one whose type nobody knows is a text."""
        return {**self.field(_TRAIT_FIELDS[kind_of(field.type) or Kind.TEXT]), "description": field.about}

    def trait_column(self, stream: str, column: TraitColumn) -> dict[str, Any]:
        about = self.known(self.fields(stream)["traits"].kind["traits"])[column.path].about
        text = f"{about} Its key in `traits` is {column.path}. Null: the row has no value of it that is of this type."
        return {**self.field(_COLUMN_FIELDS[column.kind]), "description": text}


def _is_never_null(kind: Any) -> bool:
    return isinstance(kind, str) and kind in _NEVER_NULL
