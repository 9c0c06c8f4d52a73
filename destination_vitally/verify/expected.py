"""What a row must show once a message about it was applied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from destination_vitally.api.pages import Row
from destination_vitally.compare.comparison import TRAIT, How, Known, differing, refers_to
from destination_vitally.compare.equality import instant, unchanged
from destination_vitally.compare.loosened import alike
from destination_vitally.mapping.change import Change, link_of, listed
from destination_vitally.mapping.values import moment_of
from destination_vitally.objects.model import Field, Object
from destination_vitally.objects.table import BY_NAME
from destination_vitally.outcomes.ledger import PendingRecord
from destination_vitally.rows.facts import Coming
from destination_vitally.rows.lists import SECONDS, second_of
from destination_vitally.rows.memory import Memory
from destination_vitally.rows.poller import LONGEST_PAUSE, Awaited
from destination_vitally.send.messages import QueuedMessage


class Seeing(NamedTuple):
    """What a row is compared with the help of: what is known of ids that rows do not carry, and of rows."""

    known: Known
    memory: Memory


class Expected(Awaited):
    """A message that was accepted, as what is to be seen of it.

    Attributes:
        change: what the message said.
        kind: the type of the message.
        record: the record that the message is of.
        fields: those that the row must show.
        traits: those that the row must show.
        absent: the rows that it must no longer refer to, by the field that would.
        is_first: whether no other message to the row was on its way when this was taken: then a row that was not there
            and is now shows that this message has acted.
        otherwise: the names of what the row shows in another form than it was sent in.
        after: seconds from acceptance to effect, once it was seen; None when it was there before.
        shown: the row that shows it, once it was seen.
    """

    def __init__(self, message: QueuedMessage, entry: Object, seeing: Seeing, coming: Coming) -> None:
        """Expect nothing yet of the row of an object that is `coming`."""
        super().__init__(entry, coming)
        self.change: Change = message.change
        self.kind = str(message.body["type"])
        self.record: PendingRecord = message.standing
        self.fields: dict[str, Any] = {}
        self.traits: dict[str, Any] = {}
        self.absent: dict[str, list[str]] = {}
        self.is_first = True
        self.otherwise: list[str] = []
        self.after: float | None = None
        self.shown: Row | None = None
        self.on_landed: Callable[[Expected], None] = lambda one: None
        self.on_missing: Callable[[Expected, Row | None, str], None] = lambda one, row, problem: None
        self._known, self._memory = seeing
        self._before: set[str] | None = None
        self._was_absent = False
        self._acted: float | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Where the row is in Vitally."""
        return self.entry.path, self.external_id

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of it that could be seen: all of it was written over."""
        return not (self.fields or self.traits or self.absent)

    def differs(self, row: Row) -> list[str]:
        """Return the names of what a row does not show, in any form."""
        if self._was_written_since():
            return []
        still = [
            name
            for name, ids in self.absent.items()
            if (f := self.entry.field(name)) and any(refers_to(f, one, row, self._known) for one in ids)
        ]
        return differing(self.entry, self._fields_left(), self.traits, row, How(self._known, alike)) + still

    def _was_written_since(self) -> bool:
        """Whether this sync has written the row by REST or deleted it after the message."""
        answer = self._memory.ask(self.entry, (self.entry.name, "externalId", self.external_id))
        return answer.was_deleted or any((one.written or 0.0) >= self.since for one in answer.rows if one.is_own)

    def _fields_left(self) -> dict[str, Any]:
        """The fields without what they refer to that this sync has deleted."""
        fields = dict(self.fields)
        for field in self.entry.references():
            if value := fields.get(field.name):
                left = [one for one in listed(value) if not self._is_gone(field, one)]
                if not left:
                    del fields[field.name]
                elif isinstance(value, list):
                    fields[field.name] = left
        return fields

    def _is_gone(self, field: Field, value: str) -> bool:
        target = BY_NAME[str(field.refers)]
        return self._memory.ask(target, (target.name, "externalId", value)).was_deleted

    # What is seen

    def misses(self) -> None:
        super().misses()
        self._was_absent = True

    def sees(self, row: Row, now: float) -> bool:
        differs = self.differs(row)
        if differs:
            self._note_effect(set(differs), row, now)
            return False
        self.otherwise = [name for name in self._names_otherwise(row) if name not in self.absent]
        updated = instant(row.get("updatedAt"))
        if updated is None or self.taken is None:
            self.after = now - self.since
        elif updated.timestamp() >= self.taken:
            self.after = max(0.0, min(updated.timestamp() - self.taken, now - self.since))
        self.tells_time = self.after is not None
        self.shown = row
        self.on_landed(self)
        return True

    def _names_otherwise(self, row: Row) -> list[str]:
        fields = {
            name: value
            for name, value in self.fields.items()
            if (field := self.entry.field(name)) and not field.refers and not field.is_html
        }
        return differing(self.entry, fields, self.traits, row, How(self._known, unchanged))

    def _note_effect(self, differs: set[str], row: Row, now: float) -> None:
        """Take note whether a row that shows only a part of the message shows that the message has acted."""
        if self._before is None:
            self._before = differs
        names = {*self.fields, *(TRAIT + name for name in self.traits)}
        is_new = self._was_absent or bool(
            self.taken is not None and second_of(row.get("createdAt")) > moment_of(self.taken * 1000)[:SECONDS]
        )
        keys = {name for key in self.entry.keys for name in key.fields}
        has_acted = bool((self._before - differs) & names) or (is_new and bool(names - differs - keys))
        if has_acted and self.is_first and self._acted is None:
            self._acted = now

    def until(self, usual: float | None) -> float:
        ends = super().until(usual)
        return ends if self._acted is None else min(ends, self._acted + LONGEST_PAUSE)

    def ends(self, row: Row | None, problem: str) -> None:
        if self._was_written_since():
            self.on_landed(self)
            return
        only_ends_links = self.absent and not (self.fields or self.traits)
        if row is None and not problem and only_ends_links:
            self.on_landed(self)  # a row that is not there refers to nothing
        else:
            self.on_missing(self, row, problem)

    # What is sent later

    def written_over(self, later: Expected) -> None:
        """Expect no longer what a later message to the same row says otherwise."""
        # Made anew, not changed: another thread may be comparing.
        self.traits = {name: value for name, value in self.traits.items() if name not in later.traits}
        links = {name: value for name, value in later.fields.items() if isinstance(value, list)}
        fields = {name: value for name, value in self.fields.items() if name in links or name not in later.fields}
        self.fields = _without(fields, later.absent)
        self.absent = _without(self.absent, links)

    def followed_by(self, later: Expected) -> None:
        """Expect what this message and a later one to the same row leave together."""
        self.written_over(later)
        self.fields = _joined(self.fields, later.fields)
        self.absent = _joined(self.absent, later.absent)
        self.traits = {**self.traits, **later.traits}
        self.change, self.record, self.taken, self.since = later.change, later.record, later.taken, later.since
        self.is_first = False


def expected_of(message: QueuedMessage, seeing: Seeing, taken: float | None, now: float) -> Expected | None:
    """Return what is to be seen of a message that was just accepted; None for what REST shows nowhere, such as events.

    Args:
        message: The message.
        seeing: What a row is compared with the help of.
        taken: When Vitally took it, by its own clock in Unix seconds, if it said so.
        now: The same by the connector's clock.
    """
    change, entry, links = message.change, message.change.entry, dict[str, Any]()
    if entry.kept_in:
        entry, links = link_of(entry, lambda field: message.body.get(str(field.analytics)))
    external_id = links.pop("externalId", None) or change.fields.get("externalId")
    if not entry.path or not external_id:
        return None
    one = Expected(message, entry, seeing, Coming(str(external_id), taken, now))
    if not change.entry.kept_in:
        one.fields = {name: value for name, value in change.fields.items() if was_sent(entry.field(name), value)}
        one.traits = change.open_values
    elif change.operation == "delete":
        one.absent = links
    else:
        one.fields = links
    return one


def was_sent(field: Field | None, value: Any) -> bool:
    """Tell whether a field is in the message of a change: one that is removed only where it travels as a trait."""
    return field is not None and bool(field.analytics) and (value is not None or str(field.analytics).startswith(TRAIT))


def _without(lists: dict[str, Any], others: dict[str, list[str]]) -> dict[str, Any]:
    """Return lists of ids, and what is no list, without certain ids."""
    left = {name: [one for one in ids if one not in others[name]] for name, ids in lists.items() if name in others}
    return {name: left.get(name, value) for name, value in lists.items() if left.get(name, value) != []}


def _joined(values: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    """Return values and later ones, which win; lists of ids are joined."""
    lists = {name: [*values[name], *ids] for name, ids in later.items() if isinstance(ids, list) and values.get(name)}
    return {**values, **later, **lists}
