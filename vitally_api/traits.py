"""What the type of a custom field means for the values of its trait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple


class CustomField(NamedTuple):
    """A custom field as an admin has defined it: its type as Vitally calls it, and what people see."""

    type: str
    label: str = ""


Kind = Literal["text", "number", "flag", "moment", "day", "list"]

# Vitally's docs show string, textarea and datetime; the other names are guesses that cost nothing.
_FIELD_TYPES: Mapping[Kind, tuple[str, ...]] = {
    "text": ("string", "text", "textarea", "richtext", "url", "email", "phone", "select"),
    "number": ("number", "integer", "float", "currency", "percent"),
    "flag": ("boolean", "checkbox"),
    "moment": ("datetime",),
    "day": ("date",),
    "list": ("multiselect", "array", "list"),
}
_KINDS: Mapping[str, Kind] = {name: kind for kind, names in _FIELD_TYPES.items() for name in names}


def kind_of(field_type: str) -> Kind | None:
    """Return the kind of value that a field type stands for, whatever its case; None for a type nobody has seen."""
    return _KINDS.get(field_type.strip().lower())
