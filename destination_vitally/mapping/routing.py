"""Which of its routes a change takes, and what the log says of fields that not every route takes."""

from __future__ import annotations

import logging
from typing import Any

from destination_vitally.errors import RejectedError
from destination_vitally.mapping.change import lacking
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

_LEAVES = "%s: rows with %s go by REST, a request or more each, since the Analytics API does not take it."
_LEFT_OUT = (
    "%s: %s is left out, since the Analytics API does not take it. With the REST API key (secret_token) it is written."
)
_LEFT_OUT_OF_MESSAGE = "%s: %s is left out of rows with a timestamp or messageId of their own, which go in messages."
_INITIAL = (
    "%s: %s is left out where it has the value that new rows have anyway, since the Analytics API does not take it. "
    "To set it back to that value, use an update."
)
"""What the log says of fields that only REST takes."""

_NOT_IN_REST = (
    "%s: %s is left out, since REST does not take it. An upsert with the Analytics API key (analytics_token) writes it."
)
_NOT_IN_UPDATES = "%s: %s is left out, since Vitally takes it only when a row is created."
_NEVER_CLEARED = "%s: %s stays as it is where it is empty, since Vitally has no way to clear it in an upsert."
_IN_MESSAGES = "timestamp and messageId travel in messages of the Analytics API alone, and this row cannot go as one"


_NO_FIELD = Field("")


class Routing:
    """Chooses among the routes of the operation of a stream, and of deletes."""

    def __init__(
        self, entry: Object, operation: Operation, routes: dict[Operation, tuple[Route, ...]], mapped: set[str]
    ) -> None:
        """`mapped` are the fields that the mapping names."""
        self._entry = entry
        self._mapped = mapped
        self._rest_only = {f.name: f.initial for f in entry.fields if f.in_body and not f.analytics}
        self._batch_only = [f.name for f in entry.fields if f.analytics and not f.in_body]
        references = [f for f in entry.references() if f.analytics and operation == "upsert"]
        self._cleared_by_rest = [f.name for f in references if _can_be_cleared(f)]
        self._never_cleared = [f.name for f in references if not _can_be_cleared(f)]
        self._create_only = [f.name for f in entry.fields if f.create_only and not _finds(entry, f)]
        self._logged: set[tuple[str, str]] = set()
        self._demands = {
            wanted: [
                (route, tuple(map(entry.or_stand_ins, (*route.requires, *_address(entry, route))))) for route in found
            ]
            for wanted, found in routes.items()
        }

    def __contains__(self, operation: Operation) -> bool:
        return operation in self._demands

    def may_use_rest(self, operation: Operation, names: set[str] | None, *, clears: bool = False) -> bool:
        """Tell whether rows with some fields, which may be any (None) and empty if that `clears`, might go by REST."""
        if not any(isinstance(route, RestRoute) for route, _ in self._demands.get(operation, ())):
            return False
        rest_only = {name for name in self._rest_only if not (self._entry.field(name) or _NO_FIELD).clear_only}
        found = rest_only if names is None else names & {*self._rest_only}
        return operation == "delete" or bool(found) or "id" in (names or ()) or (clears and bool(self._cleared_by_rest))

    def never_met(self, fields: dict[str, Any], operation: Operation) -> str:
        """Return the requirement that no route does without and that `fields` do not meet; empty when they meet all."""
        missing = [lacking(fields, demands) for _, demands in self._demands[operation]]
        return missing[0] if missing and all(missing) else ""

    def choose(self, operation: Operation, fields: dict[str, Any], label: str, *, in_message: bool) -> Route:
        """Return the first route that has what it requires and takes every field; else the first of the former.

        Args:
            operation: what is asked for.
            fields: of the record.
            label: what messages call the row.
            in_message: whether the record has a time or an id of its own, which only messages take.

        Raises:
            RejectedError: no route has what it requires.
        """
        empty = [name for name, value in fields.items() if value is None]
        rest_only = [name for name in fields if name in self._rest_only]
        leaving = [name for name in rest_only if fields[name] != self._rest_only[name]]
        leaving += [f"an empty {name}" for name in empty if name in self._cleared_by_rest]
        possible, first_missing = None, ""
        for route, demands in self._demands[operation]:
            missing = lacking(fields, demands)
            if missing:
                first_missing = first_missing or missing
            elif isinstance(route, RestRoute) and in_message and operation != "delete":
                continue
            elif isinstance(route, RestRoute) or not leaving:
                if isinstance(route, RestRoute) and operation != "delete":
                    self.log_once(_LEAVES, leaving if possible else [])
                    self.log_once(_NOT_IN_REST, [name for name in self._batch_only if name in fields])
                elif not isinstance(route, RestRoute):
                    self.log_once(_INITIAL, rest_only)
                    self.log_once(_NEVER_CLEARED, [name for name in empty if name in self._never_cleared])
                if operation == "update":
                    self.log_once(_NOT_IN_UPDATES, [name for name in self._create_only if name in fields])
                return route
            else:
                possible = possible or route
        if possible is None and (first_missing or not in_message):
            hint = self._hint(first_missing)
            raise RejectedError(f"{label}: {first_missing} is required to {operation}{hint}")
        if possible is None:
            raise RejectedError(f"{label}: {_IN_MESSAGES}")
        self.log_once(_LEFT_OUT_OF_MESSAGE if in_message else _LEFT_OUT, leaving)
        return possible

    def log_once(self, text: str, names: list[str]) -> None:
        """Log what becomes of fields that not every route takes, once per field."""
        if new := [name for name in names if (text, name) not in self._logged]:
            self._logged |= {(text, name) for name in new}
            logger.warning(text, self._entry.name, ", ".join(sorted(new)))

    def _hint(self, missing: str) -> str:
        if missing != "externalId" or missing in self._mapped:
            return ""
        return "; map the column that holds your id to it"


def _can_be_cleared(field: Field) -> bool:
    """Tell whether REST removes a reference when it is sent null, which a message cannot say."""
    return field.in_body and not field.create_only and field.kind is Kind.TEXT


def _finds(entry: Object, field: Field) -> bool:
    """Tell whether a field helps to find the row, even if it is not written."""
    is_key = any(field.name in key.fields for key in entry.keys)
    return is_key or (field.refers is not None and entry.can_look_up(Lookup.IN_PARENT))


def _address(entry: Object, route: Route) -> tuple[Requirement, ...]:
    """What a call needs to find its row."""
    if not isinstance(route, RestRoute) or route.verb in (Verb.POST, Verb.FIND_OR_POST):
        return ()
    return (tuple(key.by for key in entry.keys if isinstance(key.by, str)),)
