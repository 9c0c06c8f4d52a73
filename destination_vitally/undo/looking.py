"""Rows as Vitally shows them now, and the changes that set them back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from destination_vitally.api.pages import found_row, quoted, text_of
from destination_vitally.compare.comparison import referred_to
from destination_vitally.errors import RejectedError
from destination_vitally.mapping.change import Change
from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.model import Operation
from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.facts import Shown as ShownFact
from destination_vitally.rows.known import Asking, Rows
from destination_vitally.rows.paths import Paths
from destination_vitally.send.decide import cannot_look
from destination_vitally.undo.judging import Shown, field_of
from destination_vitally.undo.rows import Past, Row


class MovedError(RejectedError):
    """A row is no longer the one that was written."""


class Looking:
    """Reads rows. Safe to use from several threads."""

    def __init__(self, rows: Rows, asking: Asking) -> None:
        self._asking = asking
        self._memory = rows.memory
        self._references = rows.references
        self._people = rows.people

    def now(self, row: Row) -> Shown | None:
        """Return a row as it is now, archived ones too; None if there is none. Vitally's id of it is known then.

        Raises:
            MovedError: its id leads to another row, or its key to several.
            RejectedError: Vitally does not say, or the row cannot be looked for.
        """
        if row.id is None:
            row.id = self._id_of(row)
        if row.id is None:
            return None
        entry = row.entry
        template = entry.read_path or entry.item_path
        path = template.replace("{collection}", entry.path).replace("{key}", quoted(row.id))
        found = found_row(change_of(row, "update"), self._asking.api.send("GET", path))
        if found is None:
            return None
        if found["id"] != row.id:
            raise MovedError("its id leads to another row, as after a merge")
        self._memory.note(ShownFact(entry, [found]))
        return found

    def _id_of(self, row: Row) -> str | None:
        """Return Vitally's id of a row of which no more than its key is known; None if there is no such row."""
        parents = {f.name: p.sent for f in row.entry.references() if (p := row.values.get(f.name)) and p.sent}
        change = change_of(row, "update", {**parents, **row.key})
        if cannot_look(change):
            raise RejectedError("the journal has no id and no key by which it can be found")
        found = self._asking.reader.look(change, Paths(change, self._references)).rows
        # Of a user whose email has changed the externalId is still the same.
        names = next(key.fields for key in row.entry.keys if all(row.key.get(name) for name in key.fields))
        here = [one for one in found if all(_has(one.row, name, row.key[name]) for name in names)]
        if len(here) > 1:
            raise MovedError("several rows have its key")
        return here[0].id if here else None

    def id_of(self, target: str, value: str) -> str | None:
        """Return Vitally's id of a row by an id of it; None if there is none, or Vitally does not say."""
        entry = BY_NAME[target]
        subject = Change(entry, "update", entry.operations["create"][0], target, {}, {})
        try:
            return self._references.get(subject, target, target, value).id
        except RejectedError:
            return None

    def translated(self, row: Row, past: Past) -> Past:
        """Return what was sent with an id in the place of an email or a name, as far as it is known."""
        field = field_of(row.entry, past)
        if not field or not field.directory or not past.sent or past.seen:
            return past
        try:
            sent = self._people.translated(change_of(row, "update", {field.name: past.sent})).fields[field.name]
        except (RejectedError, KeyError):
            return past
        return replace(past, sent=sent)


def change_of(
    row: Row, operation: Operation, fields: dict[str, Any] | None = None, traits: dict[str, Any] | None = None
) -> Change:
    """Return a change of a row, by Vitally's id if it is known."""
    routes = row.entry.operations.get(operation) or next(iter(row.entry.operations.values()))
    own = {"id": VitallyId(row.id)} if row.id else {}
    return Change(row.entry, operation, routes[0], row.label, {**(fields or {}), **own}, traits or {})


def setting_back(row: Row, now: Shown, pasts: Iterable[Past]) -> Change:
    """Return the change that gives a row as it is `now` the values that it had, and leaves the others as they are."""
    entry = row.entry
    pasts = list(pasts)
    fields = {past.name: _before(row, past) for past in pasts if not past.is_trait}
    requires = [
        name for one in entry.operations["update"][0].requires for name in ([one] if isinstance(one, str) else one)
    ]
    for name in (*entry.resend_on_update, *requires):
        field = entry.field(name)
        if field and name not in fields:
            others = referred_to(field, now) if field.refers else None
            fields[name] = VitallyId(others[0]["id"]) if others else now.get(name)
    return change_of(row, "update", fields, {past.name: past.before for past in pasts if past.is_trait})


def _before(row: Row, past: Past) -> Any:
    field = field_of(row.entry, past)
    if field and field.refers and past.before:
        return VitallyId(str(past.before))
    return past.before


def _has(row: Shown, name: str, value: str) -> bool:
    shown = text_of(row, name)
    return shown == value or (name == "email" and shown.lower() == value.lower())
