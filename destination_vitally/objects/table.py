"""The table of objects: what Vitally lets one write, and how, as `objects.yaml` says it in the words of `model`."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import ConfigDict, TypeAdapter

from destination_vitally.objects.model import Directory, Field, Object, Operation, RestRoute, Route, Verb

Table = dict[str, dict[str, Any]]
"""Facts by the name of what they are of."""


def read(found: dict[str, Table]) -> tuple[tuple[Object, ...], dict[str, Field]]:
    """Return the objects of a table, and the fields that the message of any of them takes, by name.

    Raises:
        ValidationError: it says what `model` has no word for, or a value that is not of its type.
    """
    objects = [
        {**facts, "fields": _named(facts["fields"]), "read_only": [*_flat(facts.get("read_only", []))]}
        for facts in _named(found["objects"])
    ]
    table = TypeAdapter(tuple[tuple[Object, ...], tuple[Field, ...]], config=ConfigDict(extra="forbid"))
    entries, messages = table.validate_python((objects, _named(found["messages"])))
    return entries, {field.name: field for field in messages}


def _named(table: Table) -> list[dict[str, Any]]:
    return [{"name": name, **facts} for name, facts in table.items()]


def _flat(names: list[Any]) -> Iterator[str]:
    for name in names:
        yield from _flat(name) if isinstance(name, list) else (name,)


_TEXT = pkgutil.get_data(__package__, "objects.yaml") or b""
_ENTRIES, MESSAGE_FIELDS = read(yaml.load(_TEXT, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506, both are
OBJECTS = tuple(entry for entry in _ENTRIES if entry.operations)
_READ: dict[Operation, tuple[Route, ...]] = {"upsert": (RestRoute(Verb.POST),)}
_ID = (Field("id", in_body=False),)
DIRECTORIES = {
    one: Object(one.title, "Only looked up", _ID, _READ, (one.stream,), one.path) for one in Directory if one.stream
}
BY_NAME: dict[str, Object] = {entry.name: entry for entry in (*_ENTRIES, *DIRECTORIES.values())}
INSTANCE = BY_NAME["custom_object/*"]
"""The entry that stands for the instances of any custom object."""


def rank(entry: Object) -> int:
    """Return how many generations of objects must be written before this one: 0 for what refers to nothing."""
    before = (*entry.written_after, *(f.refers for f in entry.references() if f.refers))
    return max((1 + rank(BY_NAME[name]) for name in before), default=0)
