"""Whether a row shows what was sent, what was there before, or what somebody else has made of it since; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from destination_vitally.compare.comparison import TRAIT, Known, referred_to, refers_to
from destination_vitally.compare.equality import is_empty, unchanged
from destination_vitally.compare.loosened import alike
from destination_vitally.mapping.change import listed
from destination_vitally.objects.model import Field, Kind, Object
from destination_vitally.undo.rows import Past, Row

Shown = dict[str, Any]
"""A row as REST returns it."""

ABSENT = object()
"""Stands for a value that a row does not show: nobody knows what it is."""


def field_of(entry: Object, past: Past) -> Field | None:
    """Return the field of a value; None for a trait, and for what only messages have."""
    return None if past.is_trait else entry.field(past.name)


def shown(entry: Object, past: Past, row: Shown) -> Any:
    """Return the value that a row shows, `ABSENT` where it does not say. Of a row that it refers to it is the id."""
    field, traits = field_of(entry, past), row.get("traits")
    if past.is_trait:
        if not isinstance(traits, dict):
            return ABSENT
        # Some traits feed an attribute of the row, and may show up as this alone.
        is_fed = past.name not in traits and not is_empty(row.get(past.name)) and alike(past.sent, row[past.name])
        return row[past.name] if is_fed else traits.get(past.name)
    return _of_field(field, row) if field else ABSENT


def _of_field(field: Field, row: Shown) -> Any:
    if field.refers or (field.inlined and field.name not in row):
        others = referred_to(field, row)
        if others is None:
            return ABSENT
        ids = [other.get("id") for other in others]
        return ids if field.kind is Kind.TEXTS else ids[0] if ids else None
    return row.get(field.name, ABSENT)


def is_as_before(entry: Object, past: Past, now: Any) -> bool:
    """Tell whether what is shown surely is what was there before."""
    field = field_of(entry, past)
    return now is not ABSENT and _unchanged(entry, field, past.before, now)


def is_ours(entry: Object, past: Past, row: Shown, known: Known) -> bool:
    """Tell whether a row shows what was sent: exactly what was seen after that, else the value in any form of it."""
    field, now = field_of(entry, past), shown(entry, past, row)
    if now is ABSENT:
        return False
    if past.seen:
        return _unchanged(entry, field, past.seen[0], now)
    if field and field.refers and not is_empty(past.sent) and not is_empty(now):
        return all(refers_to(field, str(one), row, known) for one in listed(past.sent))
    return alike(past.sent, now, any_case=_is_any_case(entry, field))


def why_not_writable(entry: Object, past: Past) -> str:
    """Return why REST cannot write the value that was there before; empty if it can."""
    field = field_of(entry, past)
    if "update" not in entry.operations or (field is None and not past.is_trait):
        return "no request changes it"
    if field is None:
        return ""
    if field.entries or (field.refers and field.kind is Kind.TEXTS):
        return "what was added to it cannot be taken out"
    if field.create_only or not field.in_body:
        return "no request changes it"
    return "it can be emptied, and not set" if field.clear_only and not is_empty(past.before) else ""


def beyond(row: Row, now: Shown, known: Known) -> Iterator[str]:
    """Yield the names of what a row that a sync has created has besides what the sync has written."""
    entry = row.entry
    for field in entry.fields:
        value = _of_field(field, now)
        if value is ABSENT or is_empty(value) or not (field.in_body or field.analytics) or field.name == "id":
            continue
        past = row.values.get(field.name)
        if past and is_ours(entry, past, now, known):
            continue
        is_given = value in (field.initial, field.default) or _is_key(row, field, value)
        if not is_given and not (field.kind is Kind.TEXTS and field.refers and _are_links(row, field, now)):
            yield field.name
    traits = now.get("traits")
    for name, value in traits.items() if isinstance(traits, dict) else ():
        travels = (one.name for one in entry.fields if one.analytics == TRAIT + name)
        pasts = [past for key in (TRAIT + name, *travels) if (past := row.values.get(key))]
        if not is_empty(value) and not any(_is_sent(past, value) for past in pasts):
            yield TRAIT + name


def _is_sent(past: Past, value: Any) -> bool:
    return unchanged(past.seen[0], value) if past.seen else alike(past.sent, value)


def _is_key(row: Row, field: Field, value: Any) -> bool:
    known = row.key.get(field.name)
    return known is not None and alike(known, value, any_case=_is_any_case(row.entry, field))


def _are_links(row: Row, field: Field, now: Shown) -> bool:
    """Whether all that a row refers to by a field is what it was linked to."""
    ties = [tie for (name, _), tie in row.links.items() if name == field.name and not tie.was]
    ours = {one for tie in ties for one in (tie.link.id, tie.link.external_id) if one}
    return all({other.get("id"), other.get("externalId")} & ours for other in referred_to(field, now) or [])


def _unchanged(entry: Object, field: Field | None, value: Any, now: Any) -> bool:
    return unchanged(value, now, any_case=_is_any_case(entry, field), is_html=bool(field and field.is_html))


def _is_any_case(entry: Object, field: Field | None) -> bool:
    return field is not None and any(key.any_case and field.name in key.fields for key in entry.keys)
