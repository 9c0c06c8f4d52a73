"""The types of values: of fields, of custom fields and of what a mapping casts to. One name for each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple


class CustomField(NamedTuple):
    """A custom field as an admin has defined it: its type as Vitally calls it, and what people see."""

    type: str
    label: str = ""


class Kind(str, Enum):
    """The type of a value. Custom fields have the first six; only fields of objects have the others."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    LIST = "list"
    TEXTS = "list of texts"
    SCORE = "whole number from 0 to 10"
    OBJECT = "object"
    DATE_OR_DATETIME = "date or datetime"


# Vitally's docs show string, textarea and datetime; the other names are guesses that cost nothing.
_FIELD_TYPES: Mapping[Kind, tuple[str, ...]] = {
    Kind.TEXT: ("string", "text", "textarea", "richtext", "url", "email", "phone", "select"),
    Kind.NUMBER: ("number", "integer", "float", "currency", "percent"),
    Kind.BOOLEAN: ("boolean", "checkbox"),
    Kind.DATETIME: ("datetime",),
    Kind.DATE: ("date",),
    Kind.LIST: ("multiselect", "array", "list"),
}
_KINDS: Mapping[str, Kind] = {name: kind for kind, names in _FIELD_TYPES.items() for name in names}


def kind_of(field_type: str) -> Kind | None:
    """Return the kind of value that a field type stands for, whatever its case; None for a type nobody has seen."""
    return _KINDS.get(field_type.strip().lower())
