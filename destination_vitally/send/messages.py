"""Changes as messages of the Analytics API, each with an id by which Vitally drops what it has seen."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from destination_vitally.api.bodies import encoded as encoded_body
from destination_vitally.compare.comparison import TRAIT
from destination_vitally.compare.equality import canonical
from destination_vitally.lines import dumps
from destination_vitally.mapping.change import Change, identity_of
from destination_vitally.mapping.values import moment_of
from destination_vitally.mapping.values.cursors import is_older
from destination_vitally.objects.model import BatchRoute, Kind
from destination_vitally.outcomes.ledger import PendingRecord
from destination_vitally.rows.reader import lanes_of
from destination_vitally.rows.references import References


class Emission(NamedTuple):
    """When a record was emitted: start of the sync and `emitted_at`, both Unix milliseconds, and its line."""

    sync: int
    emitted_at: float
    line: int


@dataclass(slots=True)
class QueuedMessage:
    """One message on its way, and the records it stands for.

    Attributes:
        key: messages with equal keys must be sent in order.
        merge_key: of two messages with equal keys, the later can be merged into the earlier when this is equal too.
        change: what it says of the row, in the words of the object.
        body: the message without its id and, unless the record gives one, its time.
        emission: what the newest of its records was sent with.
        encoded: the message as it is sent.
        records: the records it stands for, the oldest first.
        unmerged: what each of them would have been by itself, in case the merged message is refused.
        counts_once: whether the first of several equal messages stands for all.
        lanes: all keys of what it writes.
    """

    key: Hashable
    merge_key: Hashable
    change: Change
    body: dict[str, Any]
    emission: Emission
    encoded: bytes
    records: list[PendingRecord]
    unmerged: list[bytes]
    counts_once: bool = False
    lanes: tuple[Hashable, ...] = ()

    @property
    def standing(self) -> PendingRecord:
        """The record that the message is of: the newest, or of what counts once the first."""
        return self.records[0 if self.counts_once else -1]

    @property
    def superseded(self) -> list[PendingRecord]:
        """Its other records."""
        return self.records[1:] if self.counts_once else self.records[:-1]

    def merge(self, later: QueuedMessage) -> None:
        """Take a later record in: its values win, what it does not mention stays, unless the cursor says it is old."""
        if not self.counts_once:
            if is_older(self.change.cursor, later.change.cursor):
                self.body = later.body
            else:
                traits = self.body.get("traits")
                self.body = {**self.body, **later.body}
                if traits:
                    self.body["traits"] = {**traits, **later.body["traits"]}
            self.change = self.change.followed_by(later.change)
            self.emission = later.emission
            content = dumps(self.body)
            self.encoded = _sealed(self.body, content, _hash(content, repr(later.emission)), later.emission)
        self.records += later.records
        self.unmerged += later.unmerged

    def apart(self) -> Iterator[QueuedMessage]:
        """Yield a message per record, each as it would have been by itself."""
        for record, encoded in zip(self.records, self.unmerged, strict=True):
            yield replace(self, encoded=encoded, records=[record], unmerged=[encoded])


def messages_of(
    change: Change, record: PendingRecord, emission: Emission, references: References
) -> list[QueuedMessage]:
    """Return the messages of one change: one, or one per parent when a user belongs to several.

    Emails and names in it have been translated.

    Raises:
        RejectedError: a reference cannot be translated into your id.
    """
    identity = identity_of(change.entry, change.fields)
    counts_once = change.entry.counts_once
    messages, lanes = [], tuple(lanes_of(change))
    for number, body in enumerate(_bodies(change, references)):
        if change.sent_at and not counts_once:
            body["timestamp"] = change.sent_at
        content = encoded_body(change, body)
        if counts_once:
            own = change.fields.get("messageId")
            # An event has its id from what and whose it is, not from when it was sent: a replay must not count twice.
            origin = [record.plan.namespace or "", record.plan.name]
            identifier = _hash(
                dumps([body.get("event"), own]) if own else dumps(canonical(body), sort_keys=True), f"event {origin}"
            )
            identity = (change.entry.name, identifier)
        else:
            # An upsert has its id from where it was emitted: going back to an earlier value is no repetition.
            own = change.message_id and (f"{change.message_id} {number + 1}" if number else change.message_id)
            identifier = own or _hash(content, repr(emission))
        encoded = _sealed(body, content, identifier, emission)
        merge_key: Hashable = () if counts_once else tuple([v for k, v in body.items() if k.endswith("Id")])
        if change.sent_at or change.message_id:
            merge_key = (identifier, emission)  # a message of its own
        messages.append(
            QueuedMessage(
                *(identity, merge_key, change, body, emission, encoded, [record], [encoded], counts_once),
                lanes=(identity,) if counts_once else lanes,
            )
        )
    record.parts = len(messages)
    return messages


def _bodies(change: Change, references: References) -> list[dict[str, Any]]:
    """Return the messages without id and time."""
    route = change.route
    assert isinstance(route, BatchRoute)
    body: dict[str, Any] = {"type": route.type, **change.entry.constants}
    open_values = dict(change.open_values)
    parents: dict[str, list[str]] = {}
    for name, value in change.fields.items():
        field = change.entry.field(name)
        travels_as = field.analytics if field else None
        if field is None or not travels_as:
            continue
        if travels_as.startswith(TRAIT):
            open_values[travels_as.removeprefix(TRAIT)] = value
        elif value is None:
            continue
        elif not field.refers:
            body[travels_as] = value
        elif field.kind is Kind.TEXTS:
            parents[travels_as] = [references.yours(change, name, field.refers, one) for one in value]
        else:
            body[travels_as] = references.yours(change, name, field.refers, value)
    if route.carries:
        body[route.carries] = open_values
    if not parents:
        return [body]
    most = max(map(len, parents.values()))
    return [body | {k: ids[n] for k, ids in parents.items() if n < len(ids)} for n in range(most)]


def _hash(content: bytes, salt: str) -> str:
    digest = hashlib.blake2b(content, digest_size=16)
    digest.update(salt.encode())
    return digest.hexdigest()


def _sealed(body: dict[str, Any], content: bytes, identifier: str, emission: Emission) -> bytes:
    """Return the `content`, which is the body as JSON, with an id and, unless it has one, a time."""
    tail = f',"messageId":"{identifier}"'
    if "timestamp" not in body:
        tail += f',"timestamp":"{moment_of(emission.emitted_at)}"'
    return b"%b%b}" % (content[:-1], tail.encode())
