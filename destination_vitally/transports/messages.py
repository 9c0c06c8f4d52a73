"""Changes as messages of the Analytics API, each with an id by which Vitally drops what it has seen."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from typing import Any, NamedTuple

import orjson

from destination_vitally.mapping.mapper import Change, identity_of
from destination_vitally.mapping.values import moment_of
from destination_vitally.objects.model import Kind, Message, Object
from destination_vitally.outcomes.ledger import Row
from destination_vitally.transports.references import References

_IN_TRAITS = "traits."


class Emission(NamedTuple):
    """When a record was emitted: start of the sync and `emitted_at`, both Unix milliseconds, and its line."""

    sync: int
    emitted_at: float
    line: int


@dataclass(slots=True)
class Item:
    """One message on its way, and the records it stands for, the oldest first.

    Of several records of the same key the later are merged into the message; `alone` keeps what each of them
    would have been by itself, for the case that the merged message is refused. Items with equal `key` must be
    sent in order; they can be merged when `twin` is equal as well. Of an item that counts `once`, the first
    message stands for all.
    """

    key: Hashable
    twin: Hashable
    body: dict[str, Any]
    emission: Emission
    message: bytes
    rows: list[Row]
    alone: list[bytes]
    once: bool = False

    def merge(self, later: Item) -> None:
        """Take a later record in: its values win, what it does not mention stays."""
        if not self.once:
            traits = self.body.get("traits")
            self.body = {**self.body, **later.body}
            if traits:
                self.body["traits"] = {**traits, **later.body["traits"]}
            self.emission = later.emission
            self.message = _sealed(self.body, _hash(orjson.dumps(self.body), repr(later.emission)), later.emission)
        self.rows += later.rows
        self.alone += later.alone


def items_of(change: Change, row: Row, emission: Emission, references: References) -> list[Item]:
    """The messages of one change: one, or one per parent when a user belongs to several.

    Raises:
        RejectedError: a reference cannot be translated into your id.
    """
    identity = identity_of(change.entry, change.fields)
    items = []
    for body in _bodies(change, references):
        content = orjson.dumps(body, option=orjson.OPT_SORT_KEYS if change.entry.once else 0)
        if change.entry.once:
            own = change.fields.get("messageId")
            # An event has its id from what it is, not from when it was sent: a replay must not count twice.
            identifier = _hash(orjson.dumps([body.get("event"), own]) if own else content, "event")
            identity = (change.entry.name, identifier)
        else:
            # An upsert has its id from where it was emitted: going back to an earlier value is no repetition.
            identifier = _hash(content, repr(emission))
        message = _sealed(body, identifier, emission, content)
        twin = () if change.entry.once else tuple([v for k, v in body.items() if k.endswith("Id")])
        items.append(Item(identity, twin, body, emission, message, [row], [message], change.entry.once))
    row.parts = len(items)
    return items


def _bodies(change: Change, references: References) -> list[dict[str, Any]]:
    """The messages without id and time."""
    route = change.route
    assert isinstance(route, Message)
    body: dict[str, Any] = {"type": route.type, **change.entry.constants}
    free = change.free
    parents: dict[str, list[str]] = {}
    places = _places(change.entry)
    for name, value in change.fields.items():
        place = places.get(name)
        if place is None:
            continue
        if place.is_trait:
            free[place.name] = value
        elif value is None:
            continue
        elif place.refers and place.is_list:
            parents[place.name] = [references.yours(change, name, place.refers, v) for v in value]
        elif place.refers:
            body[place.name] = references.yours(change, name, place.refers, value)
        else:
            body[place.name] = value
    if route.carries:
        body[route.carries] = free
    if not parents:
        return [body]
    pairs = zip_longest(*parents.values())
    return [body | {k: v for k, v in zip(parents, pair, strict=True) if v is not None} for pair in pairs]


class _Place(NamedTuple):
    """Where a field travels in a message."""

    name: str
    is_trait: bool
    refers: str | None
    is_list: bool


@cache
def _places(entry: Object) -> dict[str, _Place]:
    return {
        field.name: _Place(
            field.analytics.removeprefix(_IN_TRAITS),
            field.analytics.startswith(_IN_TRAITS),
            field.refers,
            field.kind is Kind.TEXTS,
        )
        for field in entry.fields
        if field.analytics
    }


def _hash(content: bytes, salt: str) -> str:
    digest = hashlib.blake2b(content, digest_size=16)
    digest.update(salt.encode())
    return digest.hexdigest()


def _sealed(body: dict[str, Any], identifier: str, emission: Emission, content: bytes | None = None) -> bytes:
    content = content or orjson.dumps(body)
    tail = f',"messageId":"{identifier}"'
    if "timestamp" not in body:
        tail += f',"timestamp":"{moment_of(emission.emitted_at)}"'
    return b"%b%b}" % (content[:-1], tail.encode())
