"""What a row must show once a message about it was applied."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from destination_vitally.api.pages import Row
from destination_vitally.mapping.comparison import Known, differing, refers_to
from destination_vitally.mapping.equality import instant
from destination_vitally.mapping.mapper import Change
from destination_vitally.objects.model import Field, Object
from destination_vitally.objects.table import BY_NAME
from destination_vitally.outcomes.ledger import PendingRecord
from destination_vitally.transports.messages import QueuedMessage

_IN_TRAITS = "traits."


@dataclass(slots=True, eq=False)
class Expected:
    """A message that was accepted, as what is to be seen of it.

    Attributes:
        change: what the message said.
        kind: the type of the message.
        record: the record that the message is of.
        entry: the object of the row: that of the change, or for a membership the user.
        external_id: of the row.
        fields: those that the row must show.
        traits: those that the row must show.
        absent: the rows that it must no longer refer to, by the field that would.
        taken: when Vitally took it, by its own clock in Unix seconds; None when it did not say.
        since: the same by the connector's clock.
        looks: how often it was looked for.
        asked: how often it was asked for by its id.
        after: seconds from acceptance to effect, once it was seen; None when it was there before.
    """

    change: Change
    kind: str
    record: PendingRecord
    entry: Object
    external_id: str
    fields: dict[str, Any]
    traits: dict[str, Any]
    taken: float | None
    since: float
    absent: dict[str, list[str]] = field(default_factory=dict)
    looks: int = 0
    asked: int = 0
    after: float | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Where the row is in Vitally."""
        return self.entry.path, self.external_id

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of it that could be seen: all of it was written over."""
        return not (self.fields or self.traits or self.absent)

    @property
    def only_ends_links(self) -> bool:
        """Whether it says only what the row must not refer to, which a row that is not there does not."""
        return bool(self.absent) and not (self.fields or self.traits)

    def differs(self, row: Row, known: Known) -> list[str]:
        """Return the names of what a row does not show."""
        still = [
            name
            for name, ids in self.absent.items()
            if (f := self.entry.field(name)) and any(refers_to(f, one, row, known) for one in ids)
        ]
        return differing(self.entry, self.fields, self.traits, row, known) + still

    def see(self, row: Row, now: float) -> None:
        """Take note that the row shows it, and of how long that took: no longer than until now, by either clock."""
        updated = instant(row.get("updatedAt"))
        if updated is None or self.taken is None:
            self.after = now - self.since
        elif updated.timestamp() >= self.taken:
            self.after = min(updated.timestamp() - self.taken, now - self.since)

    def written_over(self, later: Expected) -> None:
        """Expect no longer what a later message to the same row says otherwise."""
        # Made anew, not changed: another thread may be comparing.
        self.traits = {name: value for name, value in self.traits.items() if name not in later.traits}
        links = {name: value for name, value in later.fields.items() if isinstance(value, list)}
        fields = {name: value for name, value in self.fields.items() if name in links or name not in later.fields}
        self.fields = _without(fields, later.absent)
        self.absent = _without(self.absent, links)

    def forget_parent(self, target: str, external_id: str) -> None:
        """Expect no longer that the row refers to one of the object `target` that was deleted since."""
        names = [field.name for field in self.entry.references() if field.refers == target]
        kept = {name: value for name, value in self.fields.items() if name not in names or value != external_id}
        lists = {name: [external_id] for name in names if isinstance(kept.get(name), list)}
        self.fields = _without(kept, lists)

    def followed_by(self, later: Expected) -> None:
        """Expect what this message and a later one to the same row leave together."""
        self.written_over(later)
        self.fields = _joined(self.fields, later.fields)
        self.absent = _joined(self.absent, later.absent)
        self.traits = {**self.traits, **later.traits}
        self.change, self.record, self.taken, self.since = later.change, later.record, later.taken, later.since


def expected_of(message: QueuedMessage, taken: float | None, now: float) -> Expected | None:
    """Return what is to be seen of a message that was just accepted; None for what REST shows nowhere, such as events.

    Args:
        message: The message.
        taken: When Vitally took it, by its own clock in Unix seconds, if it said so.
        now: The same by the connector's clock.
    """
    change, entry, kind = message.change, message.change.entry, str(message.body["type"])
    if entry.kept_in:
        return _of_link(message, kind, taken, now)
    if not entry.path or not change.fields.get("externalId"):
        return None
    fields = {name: value for name, value in change.fields.items() if (f := entry.field(name)) and was_sent(f, value)}
    external_id = str(change.fields["externalId"])
    return Expected(change, kind, message.standing, entry, external_id, fields, change.open_values, taken, now)


def _of_link(message: QueuedMessage, kind: str, taken: float | None, now: float) -> Expected:
    """What is to be seen of a row that is kept in another: that this one refers to a third, or no longer does."""
    change, entry = message.change, message.change.entry
    holder = entry.field(entry.kept_in)
    assert holder is not None  # the table says so
    keeper = BY_NAME[str(holder.refers)]
    links: dict[str, Any] = {
        place.name: [message.body[field.analytics]]
        for field in entry.references()
        for place in keeper.references()
        if field.name != entry.kept_in and field.analytics and place.refers == field.refers
    }
    external_id = str(message.body[str(holder.analytics)])
    is_gone = change.operation == "delete"
    shown, absent = ({}, links) if is_gone else (links, {})
    return Expected(change, kind, message.standing, keeper, external_id, shown, {}, taken, now, absent)


def was_sent(field: Field | None, value: Any) -> bool:
    """Tell whether a field is in the message of a change: one that is removed only where it travels as a trait."""
    return (
        field is not None
        and bool(field.analytics)
        and (value is not None or str(field.analytics).startswith(_IN_TRAITS))
    )


def _without(lists: dict[str, Any], others: dict[str, list[str]]) -> dict[str, Any]:
    """Return lists of ids, and what is no list, without certain ids."""
    left = {name: [one for one in ids if one not in others[name]] for name, ids in lists.items() if name in others}
    return {name: left.get(name, value) for name, value in lists.items() if left.get(name, value) != []}


def _joined(values: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    """Return values and later ones, which win; lists of ids are joined."""
    lists = {name: [*values[name], *ids] for name, ids in later.items() if isinstance(ids, list) and values.get(name)}
    return {**values, **later, **lists}
