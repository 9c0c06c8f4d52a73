"""What is about to be sent for a record, and what Vitally showed afterwards, as the journal has them; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from destination_vitally.api.pages import Row
from destination_vitally.compare.comparison import TRAIT, carried, referred_to, refers_to, would_change, written
from destination_vitally.mapping.change import Change, identity_of, link_of, listed
from destination_vitally.mapping.values import moment_of
from destination_vitally.objects.model import BatchRoute, Field, Kind
from destination_vitally.rows.facts import Known

IdOf = Callable[[str, str], str | None]
"""Returns Vitally's id of a row of an object by yours, if it is known."""


class Before(NamedTuple):
    """What is known of the row that a change writes, before it does.

    Attributes:
        subject: the change, as one of the row that shows it.
        existed: whether the row is there; None when nobody knows.
        known: the row, if it is known.
        is_whole: whether all is known of it that the change would write.
        read_at: by when it was read, in Unix seconds.
        row: the whole row as Vitally shows it, of a delete.
    """

    subject: Change
    existed: bool | None = None
    known: Known | None = None
    is_whole: bool = False
    read_at: float | None = None
    row: Row | None = None


def intent_of(change: Change, before: Before | None, id_of: IdOf) -> dict[str, Any]:
    """Return what an intent says of a change; without values where nobody has looked `before`."""
    row = before.known if before else None
    has_read = before is not None and bool(row or before.row or before.existed is False)
    return {
        "operation": change.operation,
        "route": "batch" if isinstance(change.route, BatchRoute) else "rest",
        "key": key_of(change),
        "id": row.id if row else str(change.fields["id"]) if change.fields.get("id") else None,
        "existed": before.existed if before else None,
        "read_at": moment_of(before.read_at * 1000) if has_read and before and before.read_at is not None else None,
        "values": list(_values(before, id_of)) if before else [],
        "links": list(_links(before, id_of)) if before else [],
        "row": before.row if before else None,
    }


def names_of(change: Change, before: Before | None, id_of: IdOf) -> list[str]:
    """Return the names of what a change would write, where it is known of what differs; of traits after `traits.`."""
    if before and before.known and before.is_whole:
        return would_change(before.subject, before.known.row, id_of)
    keys = {name for key in change.entry.keys for name in key.fields}
    return [*(name for name in change.fields if name not in keys), *(TRAIT + name for name in change.open_values)]


def key_of(change: Change) -> dict[str, str]:
    """Return what a change says of the keys of its row, as texts."""
    names = dict.fromkeys(name for key in change.entry.keys for name in key.fields)
    return {name: str(change.fields[name]) for name in names if change.fields.get(name)}


def seen_of(change: Change, row: Row) -> dict[str, Any]:
    """Return what a row shows of what a change has sent, as far as it does: traits with `traits.` in front."""
    fields = {name: shown for name, field, _ in written(change.entry, change.fields) for shown in carried(field, row)}
    traits = row.get("traits")
    shown = traits if isinstance(traits, Mapping) else {}
    return {**fields, **{TRAIT + name: shown[name] for name in change.open_values if name in shown}}


def _values(before: Before, id_of: IdOf) -> Iterator[dict[str, Any]]:
    """Yield each value that is sent, with the one before; what identifies the row is none."""
    change = before.subject
    if change.operation == "delete":
        return
    row: Row | None = before.known.row if before.known and before.is_whole else None
    is_new = before.existed is False
    own = identity_of(change.entry, change.fields) or ()
    for name, field, value in written(change.entry, change.fields):
        if (field.kind is Kind.TEXTS and field.refers) or name == "id" or name in own[1 : 1 + len(own) // 2]:
            continue
        if field.refers:
            others = referred_to(field, row) if row is not None else None
            shown = [other.get("id") for other in others] if others else [None] if others == [] else []
            sent = id_of(field.refers, value) or value if value else value
        else:
            shown, sent = list(carried(field, row)) if row is not None else [], value
        yield _value("field", name, shown, sent, is_new=is_new)
    if change.sent_at:  # a row with a time of its own is a piece of history
        yield _value("field", "timestamp", [], change.sent_at, is_new=is_new)
    traits = row.get("traits") if row is not None else None
    for name, value in change.open_values.items():
        shown = [traits.get(name)] if isinstance(traits, Mapping) else []
        yield _value("trait", name, shown, value, is_new=is_new)


def _value(place: str, name: str, shown: list[Any], sent: Any, *, is_new: bool) -> dict[str, Any]:
    known = is_new or bool(shown)
    return {"place": place, "name": name, "known": known, "before": shown[0] if shown else None, "sent": sent}


def _links(before: Before, id_of: IdOf) -> Iterator[dict[str, Any]]:
    """Yield each row that the row is linked to by the change, or was linked to and need not be afterwards."""
    change, entry = before.subject, before.subject.entry
    fields = change.fields
    if entry.kept_in:
        entry, fields = link_of(entry, lambda field: fields.get(field.name))
    row: Row | None = before.known.row if before.known else None
    for field in entry.references():
        if field.kind is not Kind.TEXTS or field.name not in fields:
            continue
        for one in listed(fields[field.name]):
            is_linked = refers_to(field, one, row, id_of) if row is not None else None
            own = id_of(str(field.refers), one) or _linked(field, one, row)
            yield {
                "name": field.name,
                "id": own,
                "external_id": None if one == own else str(one),
                "was": False if before.existed is False else is_linked,
            }
        yield from _others(
            change, field.name, row, [id_of(str(field.refers), one) for one in listed(fields[field.name])]
        )


def _linked(field: Field, external_id: str, row: Row | None) -> str | None:
    """Return Vitally's id of a row that another shows to be linked to."""
    others = referred_to(field, row) if row is not None else None
    return next(
        (str(one["id"]) for one in others or () if one.get("externalId") == external_id and one.get("id")), None
    )


def _others(change: Change, name: str, row: Row | None, sent: list[str | None]) -> Iterator[dict[str, Any]]:
    """Yield what a row is linked to besides: by REST a list of ids may replace the one that is there."""
    field = change.entry.field(name)
    if isinstance(change.route, BatchRoute) or field is None or row is None:
        return
    for other in referred_to(field, row) or ():
        if other.get("id") not in sent:
            external_id = other.get("externalId")
            yield {"name": name, "id": other.get("id"), "external_id": external_id, "was": True}
