"""What batches have brought to Vitally in this sync and may not be there yet.

The Analytics API applies a message some time after it took it ("several seconds to several minutes", says a public
integration page; Vitally's own docs say nothing). What goes by REST is applied at once. So a request that depends on a
row of a batch asks for the row first, again and again, until it shows that the message was applied.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from destination_vitally.api.http import Api
from destination_vitally.api.pages import Row, found_row, quoted, rows_of
from destination_vitally.api.reply import Reply
from destination_vitally.clock import Clock
from destination_vitally.errors import NotYetError
from destination_vitally.lines import dumps, parse
from destination_vitally.mapping.comparison import differing
from destination_vitally.mapping.mapper import Change, identities_of
from destination_vitally.mapping.values import moment_of
from destination_vitally.objects.model import Lookup, Object
from destination_vitally.objects.table import BY_NAME
from destination_vitally.transports.disk import DiskTable, RecentTable
from destination_vitally.transports.tail import SECONDS, second_of

PATIENCE = 600.0
"""Seconds after its acceptance for which a message is waited for."""

FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0

SAID = 100_000
"""Of how many messages at least it is remembered what they say."""


class Sent(NamedTuple):
    """A message that was accepted.

    Attributes:
        external_id: of the row that it writes.
        taken: when Vitally took it, by its own clock in Unix seconds; None when it did not say.
        since: the same by the connector's clock.
    """

    external_id: str
    taken: float | None
    since: float


class Landing:
    """Remembers what was accepted, and tells when it is there. Safe to use from several threads.

    All rows share one growing wait: while one that was asked for is not there, the others are not asked for.
    """

    def __init__(self, rest: Api | None, clock: Clock) -> None:
        """Without a REST key (`rest`) nothing can be seen, only remembered."""
        self._rest = rest
        self.clock = clock
        self._sent = DiskTable("external_id", "taken", "since")
        self._said = RecentTable(SAID, "said")
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._wait = FIRST_WAIT

    def accepted(self, changes: Iterable[Change], reply: Reply) -> None:
        """Remember the changes of a batch."""
        now = self.clock.monotonic()
        written = [one for change in changes if (one := _written(change))]
        self._sent.put_all(
            (key, external_id, reply.time, now)
            for entry, external_id, fields, _ in written
            for key in identities_of(entry, fields)
        )
        if self._rest:
            self._said.put_all(
                ((entry.name, "externalId", external_id), dumps([fields, open_values]))
                for entry, external_id, fields, open_values in written
            )
        with self._lock:
            self._counts.update(entry.name for entry, *_ in written)

    def count(self, name: str) -> int:
        """Return at least how many rows of an object were written by batches in this sync."""
        return self._counts[name]

    def sent(self, identity: Sequence[str] | None) -> Sent | None:
        """Return the message that wrote a row, if it was accepted in this sync and the row was not seen since."""
        found = self._sent.get(identity) if identity else None
        sent = Sent(*found) if found else None
        return sent if sent and not self.is_over(sent) else None

    def was_sent(self, identity: Sequence[str]) -> bool:
        """Tell whether a message that wrote a row was accepted in this sync and the row was not seen since."""
        return self._sent.get(identity) is not None

    def is_over(self, sent: Sent) -> bool:
        """Whether a message was waited for long enough."""
        return self.clock.monotonic() - sent.since > PATIENCE

    def see(self, change: Change, entry: Object, sent: Sent) -> Row | None:
        """Return the row of a message once it shows it, or what there is of it when the patience ends.

        Args:
            change: what depends on it.
            entry: the object of the row.
            sent: the message.

        Raises:
            NotYetError: it does not show it yet.
            RejectedError: Vitally does not say.
        """
        asked = self.clock.monotonic()
        left = sent.since + PATIENCE - asked
        if asked < self._not_before and left > 0:
            raise NotYetError(min(self._not_before - asked, left))
        assert self._rest is not None  # nothing is remembered without it
        row = read_row(self._rest, change, entry, sent.external_id)
        if row is not None and self._shows(entry, row, sent):
            with self._lock:
                self._wait, self._not_before = FIRST_WAIT, 0.0
            self.seen(entry, row)
            return row
        if left <= 0:
            return row
        with self._lock:
            now = self.clock.monotonic()
            if asked >= self._not_before:
                self._not_before = now + self._wait
                self._wait = min(LONGEST_WAIT, 2 * self._wait)
            raise NotYetError(max(0.0, min(self._not_before - now, left)))

    def _shows(self, entry: Object, row: Row, sent: Sent) -> bool:
        """Whether a row says what a message says, and was written after it was taken as far as Vitally's clock tells.

        Neither is enough: the row may have said so before, and within a second times do not tell what came first.
        """
        updated = second_of(row.get("updatedAt"))
        if sent.taken is not None and updated and updated < moment_of(sent.taken * 1000)[:SECONDS]:
            return False
        said = self._said.get((entry.name, "externalId", sent.external_id))
        if said is None:
            return True
        fields, open_values = parse(said[0])
        return not differing(entry, fields, open_values, row)

    def missing(self, sent: Sent) -> str:
        """Say that the row of a message is not there, although it was waited for."""
        waited = self.clock.monotonic() - sent.since
        return (
            f"Vitally took the row with externalId '{sent.external_id}' {waited:.0f} s ago and has not applied it. "
            "Look in Vitally why; the next sync that has this record writes it"
        )

    def seen(self, entry: Object, row: Row) -> None:
        """Take note that a row shows what was sent of it, or that it was deleted."""
        for identity in identities_of(entry, row):
            self._sent.forget(identity)


def read_row(rest: Api, change: Change, entry: Object, external_id: str) -> Row | None:
    """Return the row of an object by your id, None when there is none; RejectedError when Vitally does not say."""
    if entry.can_look_up(Lookup.SEARCH):
        reply = rest.send("GET", f"{entry.path}/search?externalId={quoted(external_id)}")
        return next((row for row in rows_of(change, reply) if row.get("externalId") == external_id), None)
    return found_row(change, rest.send("GET", entry.item_path.format(key=quoted(external_id))))


class _Written(NamedTuple):
    """What a change says of a row."""

    entry: Object
    external_id: str
    fields: dict[str, Any]
    open_values: dict[str, Any]


def _written(change: Change) -> _Written | None:
    """Return what a change says of the row that shows it; None where there is no row, or nothing tells it."""
    entry, fields, open_values = change.entry, change.fields, change.open_values
    if entry.kept_in:
        holder = entry.field(entry.kept_in)
        if holder and holder.refers:
            entry, fields, open_values = BY_NAME[holder.refers], {"externalId": fields.get(holder.name)}, {}
    external_id = fields.get("externalId")
    return _Written(entry, str(external_id), fields, open_values) if external_id else None
