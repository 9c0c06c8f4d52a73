"""From a record to the change it asks for: pure functions, the same for both transports.

A `Mapper` is made once per stream; where the columns go says `layout`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

from destination_vitally.config import StreamMapping
from destination_vitally.errors import RejectedError
from destination_vitally.lines import TOO_DEEP
from destination_vitally.mapping import casts
from destination_vitally.mapping.columns import folded, is_native, member
from destination_vitally.mapping.layout import NO_TYPES, Layouts, Target, Types
from destination_vitally.objects.model import (
    Field,
    Kind,
    Lookup,
    Object,
    Operation,
    Requirement,
    RestRoute,
    Route,
    Verb,
)

logger = logging.getLogger("airbyte")

_EMPTY: tuple[Any, ...] = (None, "", [])

_LEAVES = "%s: rows with %s go by REST, a request or more each, since the Analytics API does not take it."
_LEFT_OUT = "%s: %s is left out, since the Analytics API does not take it. With secret_token it is written."
_INITIAL = (
    "%s: %s is left out where it has the value that new rows have anyway, since the Analytics API does not take it. "
    "To set it back to that value, use an update."
)
"""What is said of fields that only REST takes."""

_NOT_IN_REST = "%s: %s is left out, since REST does not take it. With analytics_token, an upsert writes it."
_NOT_IN_UPDATES = "%s: %s is left out, since Vitally takes it only when a row is created."


_NEVER_CLEARED = "%s: %s stays as it is where it is empty, since Vitally has no way to clear it in an upsert."


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

    def followed_by(self, later: Change) -> Change:
        """Return this change and a later one of the same row as one: the later values win."""
        return later._replace(
            fields={**self.fields, **later.fields}, open_values={**self.open_values, **later.open_values}
        )

    def rejected(self, reason: str, status: int | None = None) -> RejectedError:
        """Return the error that says why this change cannot be made."""
        return RejectedError(f"{self.label}: {reason}", status)


class _Draft:
    """A change in the making."""

    __slots__ = ("fields", "merged", "open_values", "problem")

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.open_values: dict[str, Any] = {}
        self.merged: dict[str, Any] = {}
        self.problem = ""


class Rules(NamedTuple):
    """What bears on the rows of a stream besides its mapping: settings, and what is known of types."""

    clear_nulls: bool = False
    allow_deletes: bool = False
    types: Types = NO_TYPES


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
            ValueError: a fixed value of the mapping is not of its type.
        """
        self.entry = entry
        self._operation = operation
        self._routes = routes
        self._rules = rules
        self.layouts = Layouts(entry, mapping, rules.types, clears=rules.clear_nulls)
        self.mapped = {said.field for said in mapping.fields} if mapping else set()
        self._read_as_yours = _is_yours(mapping)
        self._constants = dict(_constants(entry, mapping)) if mapping else {}
        self._constant_traits = dict(_constant_traits(self.layouts, mapping)) if mapping else {}
        self._rest_only = {f.name: f.initial for f in entry.fields if f.in_body and not f.analytics}
        self._batch_only = [f.name for f in entry.fields if f.analytics and not f.in_body]
        references = [f for f in entry.references() if f.analytics and operation == "upsert"]
        self._cleared_by_rest = [f.name for f in references if _can_be_cleared(f)]
        self._never_cleared = [f.name for f in references if not _can_be_cleared(f)]
        self._create_only = [f.name for f in entry.fields if f.create_only and not _finds(entry, f)]
        self._said: set[tuple[str, str]] = set()
        self._demands = {
            wanted: [
                (route, tuple(map(entry.or_stand_ins, (*route.requires, *_address(entry, route))))) for route in found
            ]
            for wanted, found in routes.items()
        }

    def change(self, data: dict[str, Any]) -> Change:
        """Return the change a record asks for.

        Raises:
            RejectedError: the record cannot be written as it is; the text names object, key and reason.
        """
        layout = self.layouts.of(data, native=not self._read_as_yours and is_native(data))
        draft = _Draft(dict(self._constants))
        draft.problem = layout.problem
        for target in layout.targets:
            column, path, _, name, _, _, is_plain = target
            value = data[column]
            if is_plain and value is not None and value is not TOO_DEEP:
                draft.open_values[name] = value
                continue
            try:
                self._place(target, member(value, path) if path else value, draft)
            except MemoryError:
                raise
            except Exception as error:  # whatever a value does to our code, it is only this record's
                draft.problem = draft.problem or f"{name} {problem_of(error)}"
        for place, name in layout.cleared:
            (draft.fields if place == "field" else draft.open_values).setdefault(name, None)
        if draft.merged or self._constant_traits:
            draft.open_values = {**draft.merged, **draft.open_values, **self._constant_traits}
        is_deleted = any(data[column] for column in layout.deletions)
        return self._checked(draft, "delete" if is_deleted else self._operation)

    def may_use_rest(self, columns: Iterable[str]) -> bool:
        """Tell whether a row with some columns might be written or deleted by REST."""
        layout = self.layouts.of(dict.fromkeys(columns), native=False)
        by_rest = {wanted for wanted, routes in self._routes.items() if any(isinstance(r, RestRoute) for r in routes)}
        leaves = {target.name for target in layout.targets} & {*self._rest_only}
        may_leave = bool(leaves or not layout.targets or (self._rules.clear_nulls and self._cleared_by_rest))
        may_delete = "delete" in by_rest and self._rules.allow_deletes and bool(layout.deletions or not layout.targets)
        return (self._operation in by_rest and may_leave) or may_delete

    def identity(self, data: dict[str, Any]) -> tuple[str, ...] | None:
        """Return what tells the row of a record from others, whatever is wrong with the rest; None if that is wrong."""
        layout = self.layouts.of(data, native=not self._read_as_yours and is_native(data))
        draft = _Draft(dict(self._constants))
        keys = {name for key in self.entry.keys for name in key.fields}
        try:
            for target in layout.targets:
                if target.name in keys and target.place != "open":
                    self._place(target, member(data[target.column], target.path), draft)
        except MemoryError:
            raise
        except Exception:
            return None
        return None if layout.problem else identity_of(self.entry, draft.fields)

    def _place(self, target: Target, value: Any, draft: _Draft) -> None:
        """Put the value of a column where it goes; raises ValueError when it is not of the type it must have."""
        if value is TOO_DEEP:
            raise ValueError("is nested too deeply")
        if value is not None:
            value = target.read(value)
        into = draft.open_values if target.place == "open" else draft.fields
        if target.place == "merged":
            self._merge(target, value, draft)
        elif value is None:
            if target.clears:
                into.setdefault(target.name, None)
        elif target.place != "default" or into.get(target.name) is None:
            into[target.name] = value

    def _merge(self, target: Target, value: Any, draft: _Draft) -> None:
        """Take the members of an object of traits; anything else is a trait of that name."""
        members = value if isinstance(value, dict) else {} if value is None else {target.name: value}
        draft.merged.update((k, v) for k, v in members.items() if v is not None or target.clears)

    def _checked(self, draft: _Draft, operation: Operation) -> Change:
        entry, fields = self.entry, draft.fields
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
        if "delete" not in self.entry.operations:
            raise RejectedError(f"{label}: Vitally has no way to delete it")
        if not self._rules.allow_deletes:
            raise RejectedError(f"{label}: deletes are switched off; set allow_deletes to allow them")
        if "delete" not in self._routes:
            needed = self.entry.operations["delete"][0].needs
            raise RejectedError(f"{label}: deleting needs {needed} in the configuration")

    def _route(self, operation: Operation, fields: dict[str, Any], label: str) -> Route:
        """Return the first route that has what it requires and takes every field; else the first of the former."""
        empty = [name for name, value in fields.items() if value is None]
        rest_only = [name for name in fields if name in self._rest_only]
        leaving = [name for name in rest_only if fields[name] != self._rest_only[name]]
        leaving += [f"an empty {name}" for name in empty if name in self._cleared_by_rest]
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
                    self._say_once(_NEVER_CLEARED, [name for name in empty if name in self._never_cleared])
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
        if new := [name for name in names if (text, name) not in self._said]:
            self._said |= {(text, name) for name in new}
            logger.warning(text, self.entry.name, ", ".join(sorted(new)))

    def never_given(self, given: Iterable[str], operation: Operation) -> str:
        """Return the requirement that rows cannot meet which have no other fields than `given`; empty when they can."""
        fields = {**{name: name for name in given}, **self._constants}  # any value will do
        missing = [lacking(fields, demands) for _, demands in self._demands[operation]]
        return missing[0] if missing and all(missing) else ""

    def _hint(self, missing: str) -> str:
        if missing != "externalId" or missing in self.mapped:
            return ""
        return "; map the column that holds your id to it"


def _can_be_cleared(field: Field) -> bool:
    """Tell whether REST removes a reference when it is sent null, which a message cannot say."""
    return field.in_body and not field.create_only and field.kind is Kind.TEXT


def _finds(entry: Object, field: Field) -> bool:
    """Tell whether a field helps to find the row, even if it is not written."""
    is_key = any(field.name in key.fields for key in entry.keys)
    return is_key or (field.refers is not None and entry.can_look_up(Lookup.IN_PARENT))


def lacking(fields: dict[str, Any], requires: tuple[Requirement, ...]) -> str:
    """Return the first requirement that `fields` do not meet, in words; empty when they meet all."""
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
    """Return what tells this row from other rows of the object: the first of its keys that has values, or nothing."""
    return next(identities_of(entry, fields), None)


def identities_of(entry: Object, fields: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield what each of its keys that has values says of a row, in the order of the keys."""
    for key in entry.keys:
        values = [fields.get(name) for name in key.fields]
        if None not in values and "" not in values:
            texts = [str(value).casefold() if key.any_case else str(value) for value in values]
            yield (entry.name, *key.fields, *texts)


def problem_of(error: Exception) -> str:
    """Say what is wrong with a value, without quoting it: our own words, or the kind of failure."""
    return str(error) if type(error) is ValueError else f"cannot be read ({type(error).__name__})"


def _label(entry: Object, fields: dict[str, Any]) -> str:
    for name in _label_names(entry):
        value = fields.get(name)
        if value and isinstance(value, str):
            return f"{entry.name} '{value}'"
    return entry.name


@cache
def _label_names(entry: Object) -> tuple[str, ...]:
    """The fields that may name a row in a message, the preferred first."""
    of_keys = (name for key in entry.keys for name in key.fields)
    return (
        *(either for name in of_keys for either in (name, entry.stand_ins.get(name, name))),
        "externalId",
        "messageId",
    )


def _is_yours(mapping: StreamMapping | None) -> bool:
    """Tell whether a mapping says of ids that they are yours, whatever the rows look like."""
    said = mapping.fields if mapping else []
    return any(folded(e.column) == "id" or (e.field == "externalId" and folded(e.column) != "externalid") for e in said)


def _constants(entry: Object, mapping: StreamMapping) -> Iterator[tuple[str, Any]]:
    for said in mapping.constants:
        field = entry.field(said.field)
        if field:
            with _named(said.field):
                yield said.field, casts.of_field(field)(said.value)


def _constant_traits(layouts: Layouts, mapping: StreamMapping) -> Iterator[tuple[str, Any]]:
    for said in mapping.constant_traits:
        with _named(said.trait):
            yield said.trait, layouts.read_trait(said.trait, "", said.cast)(said.value)


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(f"the fixed value of {name} {error}") from None
