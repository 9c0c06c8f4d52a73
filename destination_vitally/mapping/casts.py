"""Values of columns brought to the type that a field or a trait has in Vitally. What is empty becomes None."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from destination_vitally.config import Cast
from destination_vitally.mapping import values
from destination_vitally.objects.model import Field, Kind
from vitally_api import traits
from vitally_api.answers import parse

Read = Callable[[Any], Any]
"""Turns the value of a column into what is sent, None when it is empty; raises ValueError, which never quotes it."""

_TRUE = frozenset(("true", "t", "yes", "y", "1", "1.0"))
_FALSE = frozenset(("false", "f", "no", "n", "0", "0.0"))
_EPOCH_DIGITS = range(10, 14)
"""How many digits a Unix time of our days has, in seconds or milliseconds."""

_NOTHING_IN_BLANK = frozenset(
    (Kind.NUMBER, Kind.SCORE, Kind.FLAG, Kind.MOMENT, Kind.DAY, Kind.TEXTS, Kind.LIST, Kind.OBJECT)
)

_OF_CUSTOM_FIELD: Mapping[traits.Kind, Cast] = {
    "text": "text",
    "number": "number",
    "flag": "boolean",
    "moment": "datetime",
    "day": "date",
    "list": "list",
}
_OF_TYPE: Mapping[str, Cast] = {"string": "text", "number": "number", "integer": "number", "boolean": "boolean"}
_OF_FORMAT: Mapping[str, Cast] = {"date": "date", "date-time": "datetime"}


def boolean(value: Any) -> bool:
    """Return true or false, as people and databases write it."""
    word = str(value).strip().lower()
    if isinstance(value, (str, int, float)) and word in _TRUE | _FALSE:
        return word in _TRUE
    raise ValueError("must be true or false")


def date_time(value: Any) -> str:
    """Return a point in time: ISO 8601, or a Unix time in seconds or milliseconds, also one written as text."""
    return values.moment(_epoch(value))


def date(value: Any) -> str:
    """Return a calendar day, of whatever `date_time` reads."""
    return values.day(_epoch(value))


def _epoch(value: Any) -> Any:
    is_epoch = isinstance(value, str) and value.isdecimal() and len(value) in _EPOCH_DIGITS
    return int(value) if is_epoch else value


def listed(value: Any) -> list[Any]:
    """Return a list: as it is, from JSON, or of the one value there is."""
    value = structure(value)
    if isinstance(value, Mapping):
        raise ValueError("must be a list")
    return value if isinstance(value, list) else [value]


def structure(value: Any) -> Any:
    """Return what a text that is a JSON list or object stands for; else the value as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return parse(value.encode(errors="surrogatepass"))
        except ValueError:
            return value
    return value


_CASTS: Mapping[Cast, Read] = {
    "text": values.text,
    "number": values.number,
    "boolean": boolean,
    "date": date,
    "datetime": date_time,
    "list": listed,
}
_OF_KIND: Mapping[Kind, Read] = {
    Kind.FLAG: boolean,
    Kind.MOMENT: date_time,
    Kind.DAY: date,
    Kind.TEXTS: lambda value: values.texts(structure(value)),
    Kind.LIST: lambda value: values.COERCIONS[Kind.LIST](structure(value)),
    Kind.OBJECT: lambda value: values.COERCIONS[Kind.OBJECT](structure(value)),
}
"""The kinds of fields that are read in more spellings than `values` knows."""


def unchanged(value: Any) -> Any:
    """Return a value of which no type is known."""
    return value


def of_field(field: Field, separator: str | None = None) -> Read:
    """Return what reads the values of a field; of an id an empty text is no value."""
    read = _OF_KIND.get(field.kind) or values.COERCIONS[field.kind]
    if field.is_id:
        read = (lambda value: values.identifiers(structure(value))) if field.kind is Kind.TEXTS else values.identifier
    blank_is_nothing = field.is_id or field.kind in _NOTHING_IN_BLANK
    return _reader(_split(read, separator), blank_is_nothing=blank_is_nothing)


def of_cast(cast: Cast | None, separator: str | None = None) -> Read:
    """Return what brings values to a type; as they are where there is none."""
    if separator:
        return _reader(_split(listed, separator), blank_is_nothing=True)
    if cast is None:
        return unchanged
    return _reader(_CASTS[cast], blank_is_nothing=cast != "text")


def of_custom_field(field_type: str) -> Cast | None:
    """Return the type of the values of a custom field; None for one that nobody has seen."""
    kind = traits.kind_of(field_type)
    return _OF_CUSTOM_FIELD[kind] if kind else None


def of_schema(schema: Any) -> Cast | None:
    """Return the type that the schema of a column says, where it says one that can be cast to."""
    if not isinstance(schema, Mapping):
        return None
    types = schema.get("type")
    possible = [t for t in (types if isinstance(types, list) else [types]) if t != "null"]
    if len(possible) != 1 or not isinstance(possible[0], str):
        return None
    return _OF_FORMAT.get(str(schema.get("format"))) if "format" in schema else _OF_TYPE.get(possible[0])


def kind_of(value: Any) -> str:
    """Return what a value is, in a word: what may be said of it in a log."""
    if isinstance(value, bool):
        return "true or false"
    names = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "of another kind")


def _split(read: Read, separator: str | None) -> Read:
    if not separator:
        return read

    def split(value: Any) -> Any:
        value = structure(value)
        if isinstance(value, str):
            value = [part for part in map(str.strip, value.split(separator)) if part]
        return read(value)

    return split


def _reader(read: Read, *, blank_is_nothing: bool) -> Read:
    def reader(value: Any) -> Any:
        if blank_is_nothing and isinstance(value, str) and not value.strip():
            return None
        try:
            return read(value)
        except ValueError as error:
            raise ValueError(f"{error}; the value is {kind_of(value)}") from None

    return reader
