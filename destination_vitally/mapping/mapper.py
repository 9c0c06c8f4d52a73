"""From a record to the change it asks for: pure functions, the same for both transports.

A `Mapper` is made once per stream; what becomes of the columns is decided the first time they are seen.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from destination_vitally.config import StreamMapping
from destination_vitally.errors import RejectedError
from destination_vitally.lines import TOO_DEEP
from destination_vitally.mapping.values import VitallyId, coercion_of, identifier
from destination_vitally.objects.model import (
    Field,
    Key,
    Kind,
    Lookup,
    Object,
    Operation,
    Requirement,
    RestRoute,
    Route,
    Verb,
)
from vitally_api.names import snake_case

logger = logging.getLogger("airbyte")

DELETED = "_ab_cdc_deleted_at"
"""The column in which database sources say that a row was deleted."""

_UUID_LENGTH = 36
_EMPTY: tuple[Any, ...] = (None, "", [])
_COLUMNS_REMEMBERED = 10_000

_LEAVES = "%s: rows with %s go by REST, a request or more each, since the Analytics API does not take it."
_LEFT_OUT = "%s: %s is left out, since the Analytics API does not take it. With secret_token it is written."
_INITIAL = (
    "%s: %s is left out where it has the value that new rows have anyway, since the Analytics API does not take it. "
    "To set it back to that value, use an update."
)
"""What is said of fields that only REST takes."""

_NOT_IN_REST = "%s: %s is left out, since REST does not take it. With analytics_token, an upsert writes it."
_NOT_IN_UPDATES = "%s: %s is left out, since Vitally takes it only when a row is created."


class Change(NamedTuple):
    """What one record asks for.

    `fields` are those of the object, under their own names and in Vitally's types; a reference is a text when
    it is your id, a `VitallyId` when it is Vitally's. `open_values` are the traits, or the properties of an event.
    A null in either means: remove the value.
    """

    entry: Object
    operation: Operation
    route: Route
    label: str
    fields: dict[str, Any]
    open_values: dict[str, Any]

    def rejected(self, reason: str, status: int | None = None) -> RejectedError:
        """The error that says why this change cannot be made."""
        return RejectedError(f"{self.label}: {reason}", status)


class _Target(NamedTuple):
    """Where a column goes.

    `place` is `field`, `default` (a field, unless it has a value), `open` (among the traits) or `merged` (its members
    among the traits).
    """

    place: str
    name: str
    coerce: Callable[[Any], Any]
    field: Field | None


class _Draft:
    """A change in the making."""

    __slots__ = ("fields", "merged", "open_values", "problem")

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.open_values: dict[str, Any] = {}
        self.merged: dict[str, Any] = {}
        self.problem = ""


class Rules(NamedTuple):
    """The settings that bear on every mapping."""

    clear_nulls: bool = False
    allow_deletes: bool = False


DEFAULT_RULES = Rules()


class Mapper:
    """Turns the records of one stream into changes."""

    def __init__(
        self,
        entry: Object,
        operation: Operation,
        routes: dict[Operation, tuple[Route, ...]],
        mapping: StreamMapping | None = None,
        rules: Rules = DEFAULT_RULES,
    ) -> None:
        """`routes` are those of the stream's operation and, where deletes are possible, of deletes.

        Raises:
            ValueError: a constant of the mapping is not of its field's type.
        """
        self._entry = entry
        self._operation = operation
        self._routes = routes
        self._rules = rules
        self._fields = {e.field: e.column for e in mapping.fields} if mapping else {}
        self._traits = {e.trait: e.column for e in mapping.traits} if mapping else {}
        self._ignore_others = bool(mapping and mapping.other_columns == "ignore")
        constants = {e.field: e.value for e in mapping.constants} if mapping else {}
        self._constants = {
            name: coercion_of(f)(value) if (f := entry.field(name)) else value for name, value in constants.items()
        }
        taken = {*self._fields, *constants}
        self._by_column = {spelling: f for f in entry.fields if f.name not in taken for spelling in _spellings(f)}
        self._mapped = {*self._fields.values(), *self._traits.values()}
        self._rest_only = {f.name: f.initial for f in entry.fields if f.in_body and not f.analytics}
        self._batch_only = [f.name for f in entry.fields if f.analytics and not f.in_body]
        self._create_only = [f.name for f in entry.fields if f.create_only and not _finds(entry, f)]
        self._said: set[tuple[str, str]] = set()
        self._targets: dict[bool, dict[str, tuple[_Target, ...]]] = {False: {}, True: {}}
        self._demands = {
            wanted: [(route, (*route.requires, *_address(entry, route))) for route in found]
            for wanted, found in routes.items()
        }

    def change(self, data: dict[str, Any]) -> Change:
        """The change a record asks for.

        Raises:
            RejectedError: the record cannot be written as it is; the text names object, key and reason.
        """
        draft = _Draft(dict(self._constants))
        native = _is_native(data)
        known = self._targets[native]
        for column, value in data.items():
            targets = known.get(column)
            for target in self._learn(column, native) if targets is None else targets:
                try:
                    self._place(target, value, draft)
                except MemoryError:
                    raise
                except Exception as error:  # whatever a value does to our code, it is only this record's
                    draft.problem = draft.problem or f"{target.name} {problem_of(error)}"
        draft.open_values = {**draft.merged, **draft.open_values}
        return self._checked(data, draft)

    def _place(self, target: _Target, value: Any, draft: _Draft) -> None:
        name = target.name
        if value is TOO_DEEP:
            raise ValueError("is nested too deeply")
        if value is None:
            if self._rules.clear_nulls and target.place != "merged":
                (draft.fields if target.field else draft.open_values).setdefault(name, None)
        elif target.place == "open":
            draft.open_values[name] = value
        elif target.place == "merged":
            members = value if isinstance(value, dict) else {name: value}
            draft.merged.update(members if self._rules.clear_nulls else _without_nulls(members))
        elif target.place == "field" or draft.fields.get(name) is None:
            draft.fields[name] = target.coerce(value)

    def _checked(self, data: dict[str, Any], draft: _Draft) -> Change:
        entry, fields = self._entry, draft.fields
        operation: Operation = "delete" if data.get(DELETED) else self._operation
        label = _label(entry, fields)
        if operation == "delete":
            self._check_delete(label)
        elif draft.problem:
            raise RejectedError(f"{label}: {draft.problem}")
        route = self._route(operation, fields, label)
        if entry.exactly_one and operation == "create":
            given = [name for name in entry.exactly_one if fields.get(name) not in (None, "")]
            if len(given) != 1:
                raise RejectedError(f"{label}: exactly one of {', '.join(entry.exactly_one)} must be given")
        return Change(entry, operation, route, label, fields, draft.open_values)

    def _check_delete(self, label: str) -> None:
        if "delete" not in self._entry.operations:
            raise RejectedError(f"{label}: Vitally has no way to delete it")
        if not self._rules.allow_deletes:
            raise RejectedError(f"{label}: deletes are switched off; set allow_deletes to allow them")
        if "delete" not in self._routes:
            needed = self._entry.operations["delete"][0].needs
            raise RejectedError(f"{label}: deleting needs {needed} in the configuration")

    def _route(self, operation: Operation, fields: dict[str, Any], label: str) -> Route:
        """Return the first route that has what it requires and takes every field; else the first of the former."""
        rest_only = [name for name in self._rest_only if name in fields]
        leaving = [name for name in rest_only if fields[name] != self._rest_only[name]]
        possible, first_missing = None, ""
        for route, demands in self._demands[operation]:
            missing = lacking(fields, demands)
            if missing:
                first_missing = first_missing or missing
            elif isinstance(route, RestRoute) or not leaving:
                if isinstance(route, RestRoute) and operation != "delete":
                    self._say_once(_LEAVES, leaving if possible else [])
                    self._say_once(_NOT_IN_REST, [name for name in self._batch_only if name in fields])
                elif not isinstance(route, RestRoute):
                    self._say_once(_INITIAL, rest_only)
                if operation == "update":
                    self._say_once(_NOT_IN_UPDATES, [name for name in self._create_only if name in fields])
                return route
            else:
                possible = possible or route
        if possible is None:
            hint = self._hint(first_missing)
            raise RejectedError(f"{label}: {first_missing} is required to {operation}{hint}")
        self._say_once(_LEFT_OUT, leaving)
        return possible

    def _say_once(self, text: str, names: list[str]) -> None:
        """Say what becomes of fields that not every route takes, once per field."""
        new = [name for name in names if (text, name) not in self._said]
        if new:
            self._said |= {(text, name) for name in new}
            logger.warning(text, self._entry.name, ", ".join(sorted(new)))

    def _hint(self, missing: str) -> str:
        if missing != "externalId" or missing in self._fields:
            return ""
        return "; map the column that holds your id to it"

    def _learn(self, column: str, native: bool) -> tuple[_Target, ...]:
        targets = tuple(self._resolve(column, native))
        known = self._targets[native]
        if len(known) < _COLUMNS_REMEMBERED:
            known[column] = targets
        return targets

    def _resolve(self, column: str, native: bool) -> Iterator[_Target]:
        entry = self._entry
        for name, mapped in self._fields.items():
            if mapped == column and (field := entry.field(name)):
                yield _Target("field", name, coercion_of(field), field)
        for name, mapped in self._traits.items():
            if mapped == column:
                yield _Target("open", name, _unchanged, None)
        if column in self._mapped or column.startswith(("_ab_", "_airbyte_")):
            return
        field = self._by_column.get(column)
        parents = [f for f in self._by_column.values() if native and f.inlined == column]
        if parents:
            yield _Target("field", parents[0].name, _inlined_ids(parents[0]), parents[0])
        elif field:
            place = "default" if native and field.inlined else "field"
            yield _Target(place, field.name, _native(field) if native else coercion_of(field), field)
        elif column == entry.open_member:
            yield _Target("merged", column, _unchanged, None)
        elif entry.open_member and not self._ignore_others and not (native and column in entry.read_only):
            yield _Target("open", column, _unchanged, None)


def _finds(entry: Object, field: Field) -> bool:
    """Tell whether a field helps to find the row, even if it is not written."""
    is_key = any(field.name in key.fields for key in entry.keys)
    return is_key or (field.refers is not None and entry.can_look_up(Lookup.IN_PARENT))


def lacking(fields: dict[str, Any], requires: tuple[Requirement, ...]) -> str:
    """The first requirement that `fields` do not meet, in words; empty when they meet all."""
    for requirement in requires:
        if isinstance(requirement, str):
            if fields.get(requirement) in _EMPTY:
                return requirement
        elif all(fields.get(name) in _EMPTY for name in requirement):
            return " or ".join(requirement)
    return ""


def _address(entry: Object, route: Route) -> tuple[Requirement, ...]:
    """What a call needs to find its row."""
    if not isinstance(route, RestRoute) or route.verb in (Verb.POST, Verb.FIND_OR_POST):
        return ()
    return (entry.single_keys,)


def identity_of(entry: Object, fields: dict[str, Any]) -> tuple[str, ...] | None:
    """What tells this row from other rows of the object: the first of its keys that has values, or nothing."""
    return next(identities_of(entry, fields), None)


def identities_of(entry: Object, fields: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield what each of its keys that has values says of a row, in the order of the keys."""
    for key in entry.keys:
        values = [fields.get(name) for name in key.fields]
        if None not in values and "" not in values:
            texts = map(str, values)
            yield (entry.name, *key.fields, *(map(str.casefold, texts) if key.any_case else texts))


def problem_of(error: Exception) -> str:
    """Say what is wrong with a value, without quoting it: our own words, or the kind of failure."""
    return str(error) if type(error) is ValueError else f"cannot be read ({type(error).__name__})"


def _label(entry: Object, fields: dict[str, Any]) -> str:
    for name in _label_names(entry.keys):
        value = fields.get(name)
        if value and isinstance(value, str):
            return f"{entry.name} '{value}'"
    return entry.name


@cache
def _label_names(keys: tuple[Key, ...]) -> tuple[str, ...]:
    """The fields that may name a row in a message, the preferred first."""
    return (*(name for key in keys for name in key.fields), "externalId", "messageId")


def _spellings(field: Field) -> Iterator[str]:
    """The columns that mean a field without being mapped: camel case, snake case, SNAKE_CASE."""
    for name in (field.name, *field.aliases):
        snake = snake_case(name)
        yield from (name, snake, snake.upper())


def _is_native(data: dict[str, Any]) -> bool:
    """Whether a record was read from Vitally: its `id` and its references are then Vitally's, not yours."""
    own = data.get("id")
    return type(own) is str and len(own) == _UUID_LENGTH and own[8] == "-" and "updatedAt" in data


def _native(field: Field) -> Callable[[Any], Any]:
    coerce = coercion_of(field)
    if not field.refers:
        return coerce
    if field.kind is Kind.TEXTS:
        return lambda value: [VitallyId(entry) for entry in coerce(value)]
    return lambda value: VitallyId(coerce(value))


def _inlined_ids(field: Field) -> Callable[[Any], Any]:
    """The id of an inlined parent: yours where it has one, since only that means something elsewhere."""

    def one(parent: Any) -> str:
        if isinstance(parent, dict) and parent.get("externalId"):
            return identifier(parent["externalId"])
        if isinstance(parent, dict) and parent.get("id"):
            return VitallyId(identifier(parent["id"]))
        raise ValueError("has neither externalId nor id")

    def each(value: Any) -> list[str]:
        if not isinstance(value, list):
            raise ValueError("must be a list")
        return [one(entry) for entry in value]

    return each if field.kind is Kind.TEXTS else one


def _unchanged(value: Any) -> Any:
    return value


def _without_nulls(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
