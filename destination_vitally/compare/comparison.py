"""Does a row as REST returns it show what was sent? Pure, and the same for every object of the table.

Only what differs for sure is returned. What a row does not carry cannot differ: Vitally shows an account's
organization by Vitally's id alone, and some attributes that messages take in no place at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from destination_vitally.compare.equality import is_empty, same, unchanged
from destination_vitally.mapping.change import Change, listed
from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.model import Field, Kind, Object, RestRoute

Row = Mapping[str, Any]

Known = Callable[[str, str], str | None]
"""Returns Vitally's id of an object (`account`) by yours, if it is known."""

Equal = Callable[..., bool]
"""Tells whether a value that was sent is one that is shown; `any_case` is for emails."""

TRAIT = "traits."
"""What stands before the name of a trait."""


class How(NamedTuple):
    """With the help of what a row is compared: what is known of ids that it does not carry, and what is equal."""

    known: Known = lambda target, value: None
    equal: Equal = same


DEFAULT = How()

_ABSENT = object()


def differing(
    entry: Object,
    fields: Mapping[str, Any],
    open_values: Mapping[str, Any],
    row: Row,
    how: How = DEFAULT,
) -> list[str]:
    """Return the names of what a row shows otherwise than it was sent, traits with `traits.` in front.

    Args:
        entry: what the row is.
        fields: what was sent, as in a `Change`; null means removed. Of ids in a list, those sent must be among those
            that the row has.
        open_values: the traits that were sent.
        row: as REST returns it, with or without the rows it refers to.
        how: what it is compared with the help of.
    """
    found = [
        name
        for name, field, value in written(entry, fields)
        if not (
            _shows_reference(field, value, row, how.known)
            if field.refers
            else _shows_value(field, value, row, partial(how.equal, any_case=_is_any_case(entry, field)))
        )
    ]
    traits = row.get("traits")
    if isinstance(traits, Mapping):
        found += [
            TRAIT + name for name, value in open_values.items() if not _shows_trait(name, value, traits, row, how.equal)
        ]
    return found


def would_change(change: Change, row: Row, known: Known = lambda target, value: None) -> list[str]:
    """Return the names of what might change if it was sent, traits with `traits.` in front.

    The strict counterpart of `differing`: what a row does not show may change, and so may what it shows in another way
    than Vitally is known to spell what it was sent.

    Args:
        change: what would be sent. Ids in a list are added to those that the row has, in messages and, as is assumed,
            by REST.
        row: as REST returns it.
        known: what is known of ids that the row does not carry.

    A row with a time of its own is a piece of history, of which Vitally shows nothing.
    """
    if change.sent_at:
        return ["timestamp"]
    found = []
    by_rest = isinstance(change.route, RestRoute)
    for name, field, value in written(change.entry, change.fields):
        if by_rest and (field.create_only or not field.in_body):
            continue
        if field.refers:
            stays = _surely_refers(field, value, row, known)
        else:
            shown = next(carried(field, row), _ABSENT)
            stays = shown is not _ABSENT and unchanged(
                value, shown, any_case=_is_any_case(change.entry, field), is_html=field.is_html
            )
        if not stays:
            found.append(name)
    traits = row.get("traits")
    if not isinstance(traits, Mapping):
        return found + [TRAIT + name for name in change.open_values]
    shown_as = {name: traits.get(name, row.get(name)) for name in change.open_values}
    return found + [TRAIT + name for name, value in change.open_values.items() if not unchanged(value, shown_as[name])]


def written(entry: Object, fields: Mapping[str, Any]) -> Iterator[tuple[str, Field, Any]]:
    """Yield the fields that are sent and that Vitally does not compute, each with its value."""
    for name, value in fields.items():
        field = entry.field(name)
        if field and name not in entry.read_only and (field.in_body or field.analytics or field.refers):
            yield name, field, value


def _surely_refers(field: Field, value: Any, row: Row, known: Known) -> bool:
    carried = referred_to(field, row)
    if is_empty(value):
        return carried == []
    return all(refers_to(field, one, row, known) for one in listed(value))


def _shows_value(field: Field, value: Any, row: Row, equal: Equal) -> bool:
    alike = [equal(value, shown) for shown in carried(field, row)]
    return all(alike) if is_empty(value) else any(alike) or not alike


def _is_any_case(entry: Object, field: Field) -> bool:
    return any(key.any_case and field.name in key.fields for key in entry.keys)


def carried(field: Field, row: Row) -> Iterator[Any]:
    """Yield what a row says of a field, which may be nothing: as the attribute, and as the trait that it travels as."""
    if field.name in row:
        yield row[field.name]
    traits = row.get("traits")
    if field.analytics and field.analytics.startswith(TRAIT) and isinstance(traits, Mapping):
        trait = field.analytics.removeprefix(TRAIT)
        if trait in traits:
            yield traits[trait]


def _shows_trait(name: str, value: Any, traits: Row, row: Row, equal: Equal) -> bool:
    """Whether a trait is there; some feed an attribute of the row, and may show up as this alone."""
    if equal(value, traits.get(name)):
        return True
    return not is_empty(value) and name in row and equal(value, row[name])


def refers_to(field: Field, value: str, row: Row, known: Known) -> bool | None:
    """Return whether a row refers to another by a field, among others it may refer to; None when it does not say.

    Args:
        field: the field that refers.
        value: your id of the other, or Vitally's.
        row: as REST returns it.
        known: what is known of ids that the row does not carry.
    """
    carried = referred_to(field, row)
    if carried is None:
        return None
    if any(str(value) in (other.get("id"), other.get("externalId")) for other in carried):
        return True
    vitallys = known(str(field.refers), value)
    if vitallys and vitallys != value:
        return any(other.get("id") == vitallys for other in carried)
    if isinstance(value, VitallyId):
        return False
    return None if any("externalId" not in other for other in carried) else False


def _shows_reference(field: Field, value: Any, row: Row, known: Known) -> bool:
    if field.kind is not Kind.TEXTS and is_empty(value):
        return not referred_to(field, row)
    return all(refers_to(field, one, row, known) is not False for one in listed(value))


def referred_to(field: Field, row: Row) -> list[Row] | None:
    """Return the rows that a row refers to, as far as it says who they are; None when it does not say."""
    inlined = row.get(field.inlined, _ABSENT) if field.inlined else _ABSENT
    if isinstance(inlined, (list, Mapping)):
        return [other for other in (inlined if isinstance(inlined, list) else [inlined]) if isinstance(other, Mapping)]
    ids = row.get(field.name, _ABSENT)
    if ids is not _ABSENT:
        return [{"id": one} for one in (ids if isinstance(ids, list) else [ids]) if one]
    return [] if inlined is None else None
