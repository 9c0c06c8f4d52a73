"""Every way in which the table of objects says that a row can be written, each tried with all the fields it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from destination_vitally.objects.model import BatchRoute, Field, Key, Kind, Lookup, Object, Operation, Route, Verb
from destination_vitally.objects.table import BY_NAME
from integration_tests.destination.world import Samples, World
from integration_tests.harness import destination_config, record, stream, write
from integration_tests.sandbox import Sandbox

CREATING = (None, Verb.POST, Verb.PUT_OR_POST, Verb.FIND_OR_POST)
"""What makes a row that is not there; None is a batch."""

COUNTING = (Kind.NUMBER, Kind.SCORE, Kind.BOOLEAN)
"""The kinds of values that must not be taken for nothing when they are 0 or false."""


@dataclass(frozen=True)
class Way:
    """One way to write one row.

    Attributes:
        entry: the object.
        operation: what is done.
        route: how.
        key: what the row is matched by; None for a new row.
        is_there: whether it is in Vitally before.
        helper: the field that helps to find it where the key is not enough.
        only: the member of `exactly_one` that the record has.
        nothing: whether numbers are 0 and flags false.
    """

    entry: Object
    operation: Operation
    route: Route
    key: Key | None = None
    is_there: bool = False
    helper: str = ""
    only: str = ""
    nothing: bool = False

    def __str__(self) -> str:
        how = self.route.type if isinstance(self.route, BatchRoute) else self.route.verb.name.lower()
        by = "+".join(
            (*self.key.fields, self.helper) if self.key and self.helper else self.key.fields if self.key else ()
        )
        notes = ("there" if self.is_there else "new", by, self.only, "zeroes" if self.nothing else "")
        return "-".join(filter(None, (self.entry.name, self.operation, how, *notes)))

    @property
    def fields(self) -> list[Field]:
        """The fields it writes."""
        return [field for field in self.entry.fields if self.operation != "delete" and self._writes(field)]

    def _writes(self, field: Field) -> bool:
        if self.only and field.name in self.entry.exactly_one and field.name != self.only:
            return False
        if field.clear_only or field.of_deletes:
            return False
        if isinstance(self.route, BatchRoute):
            return field.analytics is not None
        is_put = self.is_there and self.route.verb is not Verb.POST
        return not (is_put and field.create_only) and (field.in_body or f"{{{field.name}}}" in self.entry.path)

    @property
    def left_out(self) -> set[str]:
        """The written fields without which no earlier route of the operation takes the record."""
        routes = self.entry.operations[self.operation]
        earlier = [r for r in routes[: routes.index(self.route)] if type(r) is type(self.route)]
        keep = {*self.route.requires, *(() if isinstance(self.route, BatchRoute) else self.route.to_create)}
        keep |= set(self.key.fields if self.key else ())
        return {name for route in earlier for name in route.requires if isinstance(name, str) and name not in keep}


def ways_of(entry: Object) -> Iterator[Way]:
    """Yield every way to write rows of an object."""
    for operation, routes in entry.operations.items():
        for route in routes:
            for way in _ways(Way(entry, operation, route)):
                yield way
                if any(field.kind in COUNTING for field in way.fields):
                    yield replace(way, nothing=True)


def _ways(way: Way) -> Iterator[Way]:
    entry, route = way.entry, way.route
    if way.operation == "create":
        yield from (replace(way, only=only) for only in entry.exactly_one or ("",))
        return
    keys = [key for key in entry.keys if not _other_keys(entry, key) & set(route.requires)]
    for key in keys:
        verb = None if isinstance(route, BatchRoute) else route.verb
        # Vitally gives ids itself, and an email alone makes no user.
        if way.operation == "upsert" and verb in CREATING and key.by not in ("id", "email"):
            yield replace(way, key=key)
        for helper in ("",) if verb in (None, Verb.POST) else _helpers(entry, key):
            yield replace(way, key=key, is_there=True, helper=helper)


def _other_keys(entry: Object, key: Key) -> set[str]:
    return {name for other in entry.keys for name in other.fields} - set(key.fields)


def _helpers(entry: Object, key: Key) -> tuple[str, ...]:
    """The fields of which one is needed to find a row by a key."""
    helpers = ["source"] if Lookup.BY_PATH in key.lookups and entry.field("source") else []
    helpers += [field.name for field in entry.references()] if Lookup.IN_PARENT in key.lookups else []
    return tuple(helpers) or ("",)


def every_way(*names: str) -> Callable[[Any], Any]:
    """Run a test with every way to write rows of some objects."""
    return pytest.mark.parametrize("way", [way for name in names for way in ways_of(BY_NAME[name])], ids=str)


def check_way(way: Way, sandbox: Sandbox, samples: Samples | None = None) -> None:
    """Assert that a row written in this way is in Vitally, and has the value of each of its fields."""
    world = World(sandbox, way.entry, way.is_there, samples or {})
    given, expected = record_of(way, world)
    settings = destination_config(sandbox, allow_deletes=True)
    if not isinstance(way.route, BatchRoute):
        del settings["analytics_token"]
    elif not way.entry.name.startswith("custom_object/"):
        del settings["secret_token"]
    if way.key and not way.key.documented:
        sandbox.switches.also_by_external_id = frozenset({world.resource})
    settings["mappings"] = [
        {"stream": "rows", "object": world.name, "operation": way.operation, "other_columns": "traits"}
    ]

    result = write(settings, [stream("rows")], [record("rows", given)])

    assert result.error is None
    assert result.counts("rows")["accepted"] == 1, result.log
    if way.operation == "delete":
        assert world.is_gone(), f"{way.entry.name} is still there"
        return
    found = world.row_after()
    sent = [request.body for request in sandbox.journal if isinstance(request.body, dict)]
    for name, value in expected.items():
        stored = found.get(name, found.get("traits", {}).get(name))
        assert holds(stored, value), f"{way.entry.name}.{name} was written as {given[name]!r} and is {stored!r}"
        if value in (0, False):
            assert any(name in body for body in sent), f"{way.entry.name}.{name} was not sent: {value!r} is a value"


def record_of(way: Way, world: World) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the record of a way, and what the row must hold afterwards."""
    written = [field for field in way.fields if field.name not in way.left_out]
    pairs = {field.name: world.sample(field, nothing=way.nothing) for field in written}
    if way.nothing and way.is_there:
        world.preset(
            {field.name: True if field.kind is Kind.BOOLEAN else 7 for field in written if field.kind in COUNTING}
        )
    fixed = {*way.key.fields, way.helper} if way.key and way.is_there else set[str]()
    if not way.is_there and way.entry.field("externalId"):
        fixed.add("externalId")
    for demand in way.route.requires:
        names = (demand,) if isinstance(demand, str) else demand
        if not {*pairs, *fixed} & set(names):
            fixed.add(names[0])
    given = {name: value for name, (value, _) in pairs.items()} | {name: world.current(name) for name in fixed - {""}}
    return given, {name: value for name, (_, value) in pairs.items() if name not in fixed}


def holds(stored: Any, value: Any) -> bool:
    """Tell whether a stored value is the one that was written; objects and lists may hold more."""
    if isinstance(value, dict):
        return isinstance(stored, dict) and all(holds(stored.get(name), member) for name, member in value.items())
    if isinstance(value, list):
        return isinstance(stored, list) and all(any(holds(s, member) for s in stored) for member in value)
    return bool(stored == value) and type(stored) is type(value)
