"""What a data-activation connection can choose from: objects, operations, fields, matching keys.

The answer of `discover` is one DESTINATION_CATALOG message of the Airbyte protocol. Its forms show the top-level
properties of an operation's schema, demand the `required` ones, and let a person choose one of the matching keys.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from destination_vitally.api.http import Apis
from destination_vitally.api.pages import Row
from destination_vitally.api.workspace import Workspace
from destination_vitally.commands.check import prove_rest
from destination_vitally.config import Config
from destination_vitally.errors import ListError
from destination_vitally.mapping.naming import PREFIX
from destination_vitally.mapping.plan import BY_SYNC_MODE, usable
from destination_vitally.objects.model import (
    OPERATIONS,
    BatchRoute,
    Field,
    Key,
    Kind,
    Lookup,
    Object,
    Operation,
    Requirement,
    RestRoute,
    Route,
)
from destination_vitally.objects.table import INSTANCE, OBJECTS
from vitally_api import traits

logger = logging.getLogger("airbyte")

Json = dict[str, Any]
Traits = Mapping[str, traits.CustomField] | None
"""The custom fields by their path; None when they could not be read."""

SYNC_MODES = {operation: mode for mode, operation in BY_SYNC_MODE.items()}
TYPES: Mapping[Kind, Json] = {
    Kind.TEXT: {"type": "string"},
    Kind.NUMBER: {"type": "number"},
    Kind.SCORE: {"type": "integer", "minimum": 0, "maximum": 10},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.DATETIME: {"type": "string", "format": "date-time"},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.TEXTS: {"type": ["array", "string"], "items": {"type": "string"}},
    Kind.LIST: {"type": "array"},
    Kind.OBJECT: {"type": "object"},
    Kind.DATE_OR_DATETIME: {"type": "string"},
}

Read = TypeVar("Read")

NO_KEY = Key(())
"""What new rows are matched by."""


def destination_catalog(config: Config, apis: Apis) -> Json:
    """Return the DESTINATION_CATALOG message: each operation that the configured keys allow, of each object.

    Takes one request for the key, one per hundred custom objects, and one per kind of object with custom fields. What
    cannot be read costs what it would have shown, and a warning.

    Raises:
        ConfigError: the REST key or the address is wrong.
        OutageError: Vitally cannot be reached.
    """
    if apis.rest:
        prove_rest(apis.rest)
    workspace = Workspace(apis.rest)
    none: list[Row] = []
    definitions = _or_else(none, "The custom objects are missing", lambda: workspace.definitions)
    owners = [(entry, "") for entry in OBJECTS if entry is not INSTANCE]
    owners += [(_instances(row, definitions), str(row["id"])) for row in definitions]
    with ThreadPoolExecutor(config.num_workers) as pool:
        known_traits = list(pool.map(lambda owner: _traits(workspace, *owner), owners))
    tokens = config.tokens
    operations = [
        operation
        for (entry, _), known in zip(owners, known_traits, strict=True)
        for operation in forms(entry, known if apis.rest else None, tokens)
    ]
    return {"type": "DESTINATION_CATALOG", "destination_catalog": {"operations": operations}}


def _instances(row: Row, definitions: list[Row]) -> Object:
    """The object of one definition, under its name, or its id where the name does not tell it from others."""
    name = row.get("name")
    is_unique = name and sum(other.get("name") == name for other in definitions) == 1
    return replace(INSTANCE, name=PREFIX + str(name if is_unique else row["id"]))


def _traits(workspace: Workspace, entry: Object, definition: str) -> Traits:
    if not entry.model:
        return {}

    def read() -> Traits:
        return workspace.custom_fields(entry.model, definition)

    return _or_else(None, f"The traits of {entry.name} are not listed", read)


def _or_else(otherwise: Read, problem: str, read: Callable[[], Read]) -> Read:
    try:
        return read()
    except (ListError, AirbyteTracedException) as error:
        reason = error.message if isinstance(error, AirbyteTracedException) else error
        logger.warning("%s: %s", problem, reason)
        return otherwise


def forms(entry: Object, known: Traits, tokens: frozenset[str]) -> Iterator[Json]:
    """Yield each operation of an object that the keys allow: sync mode, fields, and what rows are matched by."""
    if RestRoute.needs not in tokens:  # which looks up whom an email stands for
        entry = replace(entry, fields=tuple(field for field in entry.fields if not field.stands_for))
    for operation in OPERATIONS:
        keys = entry.keys if operation != "create" else ()
        routes = {key: usable(entry.matched_by(key), operation, tokens) for key in keys}
        offered = [key for key in keys if routes[key]]
        if operation == "create":
            routes, offered = {NO_KEY: usable(entry, operation, tokens)}, [NO_KEY]
        if any(routes.values()):
            ways = {key: routes[key] for key in offered}
            yield {
                "object_name": entry.name,
                "sync_mode": SYNC_MODES[operation],
                "json_schema": _Form(entry, operation, ways, known).schema(),
                "matching_keys": [spelled for key in offered if key.fields for spelled in _spellings(entry, key)],
            }


def _spellings(entry: Object, key: Key) -> list[list[str]]:
    """The fields of a key, and those that may be given in their place."""
    names = list(key.fields)
    other = [entry.stand_ins.get(name, name) for name in names]
    return [names] if other == names else [names, other]


class _Form:
    """The fields of one operation, as a JSON schema. `ways` are the routes per matching key."""

    def __init__(
        self, entry: Object, operation: Operation, ways: Mapping[Key, tuple[Route, ...]], known: Traits
    ) -> None:
        self._entry = entry
        self._operation = operation
        self._ways = ways
        self._traits = known
        self._routes = [route for routes in ways.values() for route in routes]

    def schema(self) -> Json:
        fields = [field for field in self._entry.fields if self._has(field)]
        properties = {field.name: self._property(field) for field in fields}
        if self._entry.open_member == "traits" and self._operation != "delete":
            properties |= {path: _trait(field) for path, field in sorted((self._traits or {}).items())}
        return {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "description": self._description(),
            "properties": properties,
            "required": [field.name for field in fields if field.name in self._required()],
            "additionalProperties": self._is_open,
        }

    def _description(self) -> str:
        if self._operation == "delete":
            return f"Each row {self._entry.on_delete}. Needs Allow deletes (allow_deletes) in the settings."
        return self._entry.description

    @property
    def _is_open(self) -> bool:
        """Whether columns of any other name are taken."""
        if self._entry.open_member is None or self._operation == "delete":
            return False
        return not self._entry.defined_traits or self._traits is None

    def _has(self, field: Field) -> bool:
        """Whether the operation takes a field, or needs it to find the row."""
        if field.stands_for:
            return self._has(next(f for f in self._entry.fields if f.name == field.stands_for))
        matching = self._lookup_fields()
        if self._operation == "delete":
            return field.name in matching | self._required() or field.of_deletes
        if field.of_deletes or field.is_named:
            return False
        by_message = field.analytics and any(isinstance(route, BatchRoute) for route in self._routes)
        by_call = (field.in_body or field.refers) and any(isinstance(route, RestRoute) for route in self._routes)
        if field.name in matching:
            return True
        if self._operation == "update" and field.create_only:
            return False
        return bool(by_message or by_call or self._entry.counts_once)

    def _lookup_fields(self) -> set[str]:
        """The fields that help to find a row which may be there."""
        if self._operation == "create":
            return set()
        found = {name for key in self._ways for name in key.fields}
        if self._entry.can_look_up(Lookup.IN_PARENT):
            found |= {field.name for field in self._entry.references()}
        if self._entry.field("source") and "externalId" in found:
            found.add("source")
        return found

    def _required(self) -> set[str]:
        """The fields every row must have, whatever it is matched by."""
        return {demand for demand in self._always(_demands) if isinstance(demand, str)}

    def _always(self, demands_of: Callable[[Route], tuple[Requirement, ...]]) -> set[Requirement]:
        """What every row must have by some demands of the routes, whatever it is matched by."""
        ways = self._ways.items()
        always = set.intersection(*({d for d in demands_of(routes[0]) if d not in key.fields} for key, routes in ways))
        if len(self._ways) == 1:
            always |= set(next(iter(self._ways)).fields)
        return self._either(always)

    def _either(self, demands: Iterable[Requirement]) -> set[Requirement]:
        return {self._entry.or_stand_ins(demand) for demand in demands}

    def _property(self, field: Field) -> Json:
        notes = ". ".join(self._notes(field))
        return {**TYPES[field.kind], "description": notes} if notes else dict(TYPES[field.kind])

    def _notes(self, field: Field) -> Iterator[str]:
        # The Analytics API knows no other ids than yours, and drops in silence what names a parent it does not know.
        yield from what_it_takes(field, any_id=not any(isinstance(route, BatchRoute) for route in self._routes))
        if field.name in self._entry.exactly_one and self._operation == "create":
            yield f"Exactly one of {', '.join(self._entry.exactly_one)}"
        if field.name in self._required():
            return
        if choice := _choice(field, self._always(lambda route: route.requires)):
            yield f"{choice} is required"
        elif choice := _choice(field, self._either(demand for route in self._routes for demand in _to_create(route))):
            yield f"{choice} is needed for rows that are not in Vitally yet"


def what_it_takes(field: Field, *, any_id: bool) -> Iterator[str]:
    """Yield what a person has to know of a field, whatever the operation; of a parent REST takes any id."""
    if field.description:
        yield field.description
    if field.refers:
        yield f"Your id of the {field.refers.replace('_', ' ')}" + (", or Vitally's" if any_id else "")
    if field.directory:
        yield f"Vitally's id or the {field.directory.other_name} of the {field.directory.title}"


def _choice(field: Field, demands: set[Requirement]) -> str:
    """What is demanded together with a field: itself, or several of which one must be given."""
    several = (demand for demand in demands if not isinstance(demand, str) and field.name in demand)
    return next((" or ".join(demand) for demand in several), field.name if field.name in demands else "")


def _demands(route: Route) -> tuple[Requirement, ...]:
    return (*route.requires, *_to_create(route))


def _to_create(route: Route) -> tuple[Requirement, ...]:
    return route.to_create if isinstance(route, RestRoute) else ()


def _trait(field: traits.CustomField) -> Json:
    kind = traits.kind_of(field.type) or Kind.TEXT  # what has no type some take for an object
    label = {"title": field.label} if field.label else {}
    return {
        **TYPES[Kind.TEXTS if kind is Kind.LIST else kind],
        **label,
        "description": f"Custom field, {field.type}",
    }
