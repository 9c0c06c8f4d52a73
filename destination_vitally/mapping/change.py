"""What one record asks for, and what identifies its row."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from destination_vitally.errors import RejectedError
from destination_vitally.objects.model import Object, Operation, Requirement, Route

_EMPTY: tuple[Any, ...] = (None, "", [])


class Change(NamedTuple):
    """What one record asks for.

    `fields` are those of the object, under their own names and in Vitally's types; a reference is a text when
    it is your id, a `VitallyId` when it is Vitally's. `open_values` are the traits, or the properties of an event.
    A null in either means: remove the value. `sent_at` and `message_id` are the time (ISO 8601 in UTC) and the id that
    the record gives its message; empty where it gives none. A record with a time of its own is one message of its own.
    """

    entry: Object
    operation: Operation
    route: Route
    label: str
    fields: dict[str, Any]
    open_values: dict[str, Any]
    sent_at: str = ""
    message_id: str = ""

    def followed_by(self, later: Change) -> Change:
        """Return this change and a later one of the same row as one: the later values win."""
        return later._replace(
            fields={**self.fields, **later.fields}, open_values={**self.open_values, **later.open_values}
        )

    def rejected(self, reason: str, status: int | None = None) -> RejectedError:
        """Return the error that says why this change cannot be made."""
        return RejectedError(f"{self.label}: {reason}", status)


def lacking(fields: dict[str, Any], requires: tuple[Requirement, ...]) -> str:
    """Return the first requirement that `fields` do not meet, in words; empty when they meet all."""
    for requirement in requires:
        if isinstance(requirement, str):
            if fields.get(requirement) in _EMPTY:
                return requirement
        elif all(fields.get(name) in _EMPTY for name in requirement):
            return " or ".join(requirement)
    return ""


def identity_of(entry: Object, fields: dict[str, Any]) -> tuple[str, ...] | None:
    """Return what identifies this row among those of the object: the first of its keys that has values, or nothing."""
    return next(identities_of(entry, fields), None)


def identities_of(entry: Object, fields: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield what each of its keys that has values says of a row, in the order of the keys."""
    for key in entry.keys:
        values = [fields.get(name) for name in key.fields]
        if None not in values and "" not in values:
            texts = [str(value).lower() if key.any_case else str(value) for value in values]
            yield (entry.name, *key.fields, *texts)


def problem_of(error: Exception) -> str:
    """Return what is wrong with a value, without quoting it: our own words, or the kind of failure."""
    return str(error) if type(error) is ValueError else f"cannot be read ({type(error).__name__})"


def label_of(entry: Object, fields: dict[str, Any]) -> str:
    """Return what messages call the row: its object, and the first of its keys that is a text."""
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
