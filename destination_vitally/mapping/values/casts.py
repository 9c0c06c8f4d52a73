"""Values of columns brought to the type that a field or a trait has in Vitally. What is empty becomes None."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from functools import partial
from typing import Any

from destination_vitally.mapping.values import lists, numbers, texts, times
from destination_vitally.objects.model import Field, Kind

Read = Callable[[Any], Any]
"""Turns the value of a column into what is sent, None when it is empty; raises ValueError, which never quotes it."""

_OF_TYPE: Mapping[str, Kind] = {
    "string": Kind.TEXT,
    "number": Kind.NUMBER,
    "integer": Kind.NUMBER,
    "boolean": Kind.BOOLEAN,
}
_OF_FORMAT: Mapping[str, Kind] = {"date": Kind.DATE, "date-time": Kind.DATETIME}

_READ: Mapping[str, Read] = {
    Kind.TEXT: texts.text,
    Kind.NUMBER: numbers.number,
    Kind.BOOLEAN: numbers.boolean,
    Kind.LIST: lists.listed,
    Kind.TEXTS: lists.texts,
    Kind.SCORE: numbers.score,
    "unix_seconds": partial(times.unix, scale=1),
    "unix_milliseconds": partial(times.unix, scale=1000),
}
_READ_TIME: Mapping[str, Callable[..., Any]] = {
    Kind.DATE: times.day,
    Kind.DATETIME: times.date_time,
    Kind.DATE_OR_DATETIME: times.day_or_time,
}
"""What reads times; one without a zone is in the time zone of the mapping."""


def _instance_of(kind: type, name: str) -> Read:
    def check(value: Any) -> Any:
        if not isinstance(found := lists.structure(value), kind):
            raise ValueError(f"must be {name}")
        return numbers.sent_exactly(found)

    return check


_READ_FIELD: Mapping[str, Read] = {
    **_READ,
    Kind.LIST: _instance_of(list, "a list"),
    Kind.OBJECT: _instance_of(dict, "an object"),
}
"""Fields that are lists hold objects: one value is no list of one."""


def unchanged(value: Any) -> Any:
    """Return a value of which no type is known, with whole numbers that would be rounded as texts."""
    return numbers.sent_exactly(value)


def of_field(field: Field, separator: str | None = None, cast: str | None = None, zone: tzinfo = times.UTC) -> Read:
    """Return what reads the values of a field.

    Args:
        field: the field; of an id an empty text is no value, and a placeholder no id.
        separator: what is between the entries of a list in one text.
        cast: what the values are brought to first; an id that is cast to text may be any text.
        zone: of times that say none.
    """
    if field.clear_only:
        read: Read = _refuse
    elif field.is_id:
        one = texts.identifier if cast == Kind.TEXT else texts.key
        is_reference = field.refers or field.directory or field.stands_for
        if field.kind is Kind.TEXTS:
            read = partial(lists.identifiers, one=one)
        else:
            read = partial(lists.only, read=one) if is_reference else one
    elif field.kind in _READ_TIME:
        read = partial(_READ_TIME[field.kind], zone=zone)
    else:
        read = _READ_FIELD[field.kind]
    if cast and not (field.is_id and cast == Kind.TEXT):
        read = _then(of_cast(cast, zone=zone), read)
    return _reader(_split(read, separator), blank_is_nothing=field.is_id or field.kind is not Kind.TEXT)


def as_vitallys(read: Read, *, many: bool) -> Read:
    """Return what reads ids of rows that were read from Vitally: they are Vitally's."""

    def one(value: Any) -> Any:
        found = read(value)
        return None if found is None else texts.VitallyId(found)

    def each(value: Any) -> Any:
        return [texts.VitallyId(entry) for entry in read(value) or []]

    return each if many else one


def of_inlined(field: Field) -> Read:
    """Return what reads the id of an inlined object: yours where it has one, as only that has a meaning elsewhere.

    The id of a person or a category comes with the email or the name.
    """

    def one(parent: Any) -> str:
        if isinstance(parent, dict) and parent.get("externalId") and field.refers:
            return texts.key(parent["externalId"])
        if isinstance(parent, dict) and parent.get("id"):
            called = field.directory and parent.get(field.directory.other_name)
            return texts.VitallyId(texts.key(parent["id"]), called if isinstance(called, str) else "")
        raise ValueError("has neither externalId nor id")

    if field.kind is Kind.TEXTS:
        listed = of_field(Field(field.name, Kind.LIST))
        return lambda value: [one(entry) for entry in listed(value) or []]
    return lambda value: one(lists.structure(value))


def of_cast(cast: str | None, separator: str | None = None, zone: tzinfo = times.UTC) -> Read:
    """Return what brings values to a type; as they are where there is none."""
    if separator:
        return _reader(_split(lists.listed, separator), blank_is_nothing=True)
    if cast is None:
        return unchanged
    read = partial(_READ_TIME[cast], zone=zone) if cast in _READ_TIME else _READ[cast]
    return _reader(read, blank_is_nothing=cast != Kind.TEXT)


def of_schema(schema: Any) -> Kind | None:
    """Return the type that the schema of a column says, where it says one that can be cast to."""
    if not isinstance(schema, Mapping):
        return None
    types = schema.get("type")
    possible = [t for t in (types if isinstance(types, list) else [types]) if t != "null"]
    if len(possible) != 1 or not isinstance(possible[0], str):
        return None
    return _OF_FORMAT.get(str(schema.get("format"))) if "format" in schema else _OF_TYPE.get(possible[0])


def kind_of(value: Any) -> str:
    """Return what a value is, in a word: what may be written of it in a log."""
    if isinstance(value, bool):
        return "true or false"
    names = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "of another kind")


def _refuse(value: Any) -> Any:
    raise ValueError("can only be emptied in Vitally, not set")


def _then(first: Read, second: Read) -> Read:
    def read(value: Any) -> Any:
        found = first(value)
        return found if found is None or found is times.NEVER else second(found)

    return read


def _split(read: Read, separator: str | None) -> Read:
    if not separator:
        return read

    def split(value: Any) -> Any:
        value = lists.structure(value)
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
