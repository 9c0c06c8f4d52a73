"""What journals say of each row, joined: what was there first, what was sent last; pure.

Joining knows no order: lines may come in any, and twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from destination_vitally.compare.comparison import TRAIT
from destination_vitally.errors import ConfigError
from destination_vitally.journal.lines import Intent, Link, Outcome
from destination_vitally.mapping.change import identities_of
from destination_vitally.objects.model import Kind, Object
from destination_vitally.objects.table import BY_NAME, MESSAGE_FIELDS
from destination_vitally.undo.reading import Entry, Place

NOT_SENT = ("waiting", "unchanged", "skipped")
"""Outcomes of records of which nothing was sent."""

Entries = Callable[[str], Object]
"""Returns the object that a journal calls so; raises ConfigError for one that Vitally does not have."""

Identity = tuple[str, ...]


class End(NamedTuple):
    """What all outcomes of an intent say together. One without an outcome counts as sent."""

    is_left: bool = False
    is_refused: bool = False
    effect: str | None = None
    id: str | None = None
    seen: dict[str, Any] | None = None
    taken_at: str | None = None
    landed_at: str | None = None

    def is_sent(self, intent: Intent) -> bool:
        """Tell whether anything may have been sent: of refusals only those of single requests say that nothing was."""
        return not self.is_left and not (self.is_refused and intent.route == "rest")


_NOWHERE = Place("", 0, 0, 0)
UNSAID, LEFT = End(), End(is_left=True)


class First(NamedTuple):
    """The first that was done to a row: whether it was not there before, or nobody knows whether it was."""

    place: Place
    is_created: bool
    is_unsure: bool
    read_at: str | None


class Last(NamedTuple):
    """The last that was done to a row; `row` is what it was when it was deleted."""

    place: Place
    is_deleted: bool
    row: dict[str, Any] | None


@dataclass(slots=True)
class Past:
    """One value: what was there before the first intent, and what the last one has sent.

    `seen` is what Vitally showed after that, in a list of one, if it was read.
    """

    name: str
    is_trait: bool
    first: Place
    known: bool
    before: Any
    last: Place
    sent: Any
    seen: list[Any]

    @classmethod
    def of(cls, name: str, value: Any, *, is_trait: bool = False) -> Past:
        """Return the past of a value that is sent and of which no journal says anything."""
        return cls(name, is_trait, _NOWHERE, True, value, _NOWHERE, value, [])

    @property
    def key(self) -> str:
        """Its name, with `traits.` in front of that of a trait, as in `seen` of an outcome."""
        return TRAIT + self.name if self.is_trait else self.name

    def join(self, other: Past) -> None:
        """Take another past of the same value in."""
        if other.first < self.first:
            self.first, self.known, self.before = other.first, other.known, other.before
        if other.last > self.last:
            self.last, self.sent, self.seen = other.last, other.sent, other.seen


@dataclass(slots=True)
class Tie:
    """Another row that a row is linked to, or no longer: whether it was at first, and what was done last."""

    link: Link
    first: Place
    was: bool | None
    last: Place
    is_linked: bool

    def join(self, other: Tie) -> None:
        """Take another past of the same link in."""
        if other.first < self.first:
            self.first, self.was = other.first, other.was
        if other.last > self.last:
            self.last, self.is_linked = other.last, other.is_linked


@dataclass(slots=True)
class Row:
    """What journals say of one row of an object.

    `id` is Vitally's, if it is known, `key` what identifies it besides. `unseen_since` says when Vitally took the last
    message of which nobody has seen whether it has landed, `was_deleted` whether a sync has deleted the row, which
    another may have created anew since. `values` are named as in `seen` of an outcome,
    `links` by their field and an id of the other row.
    """

    entry: Object
    id: str | None
    key: dict[str, str]
    first: First
    last: Last
    unseen_since: str = ""
    was_deleted: bool = False
    values: dict[str, Past] = field(default_factory=dict)
    links: dict[tuple[str, str | None], Tie] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What the log calls it."""
        names = (name for key in self.entry.keys for name in key.fields)
        called = next((self.key[name] for name in names if self.key.get(name)), self.id)
        return f"{self.entry.name} '{called}'" if called else self.entry.name

    def join(self, other: Row) -> None:
        """Take what other lines say of the same row in."""
        self.id = self.id or other.id
        self.key = {**other.key, **self.key}
        self.first = min(self.first, other.first, key=lambda one: one.place)
        self.last = max(self.last, other.last, key=lambda one: one.place)
        self.unseen_since = max(self.unseen_since, other.unseen_since)
        self.was_deleted = self.was_deleted or other.was_deleted
        for name, past in other.values.items():
            self.values.setdefault(name, past).join(past)
        for tie in list(other.links.values()):
            self.link(tie)

    def link(self, tie: Tie) -> None:
        """Take a link in; of two to the same row one may have Vitally's id of it, the other yours alone."""
        for place, other in [*self.links.items()]:
            if other is not tie and _is_same(other.link, tie.link):
                del self.links[place]
                ids = {name: getattr(tie.link, name) or getattr(other.link, name) for name in ("id", "external_id")}
                tie = replace(tie, link=tie.link.model_copy(update=ids))
                tie.join(other)
        self.links[tie.link.name, tie.link.id or tie.link.external_id] = tie


def _is_same(one: Link, other: Link) -> bool:
    """Whether two links are to the same row, by Vitally's ids of it, else by yours."""
    ids = (one.id, other.id) if one.id and other.id else (one.external_id, other.external_id)
    return one.name == other.name and ids[0] is not None and ids[0] == ids[1]


def rows_of(read: Callable[[], Iterable[Entry]], entry_of: Entries) -> list[Row]:
    """Return the rows to which something may have been sent, in the order in which they were first.

    Args:
        read: reads the files from their beginning; it is called twice.
        entry_of: knows the objects.

    Raises:
        ConfigError: as what is given, and for a name that Vitally does not have.
    """
    ends = _ends(read())
    rows: dict[Identity, Row] = {}
    ids: dict[Identity, set[str]] = {}
    for line in read():
        if not isinstance(line.said, Intent) or not ends.get(line.place, UNSAID).is_sent(line.said):
            continue
        row = _row_of(line.said, line, entry_of(line.said.object), ends.get(line.place, UNSAID))
        keys = [one for one in identities_of(row.entry, row.key) if one[1] != "id"]
        for key in keys if row.id else ():
            ids.setdefault(_at(row, *key[1:]), set()).add(str(row.id))
        own = ("id", row.id) if row.id else keys[0][1:] if keys else tuple(map(str, line.place))
        rows.setdefault(_at(row, *own), row).join(row)
    for name, row in [*rows.items()]:
        known = ids.get(name, set())
        if row.id is None and len(known) == 1:  # the same row, by lines that know no more than its key
            rows[_at(row, "id", *known)].join(rows.pop(name))
    return sorted(rows.values(), key=lambda row: row.first.place)


def _at(row: Row, *names: str) -> Identity:
    return (row.entry.path or row.entry.name, *names)


def _ends(lines: Iterable[Entry]) -> dict[Place, End]:
    ends: dict[Place, End] = {}
    for place, said, _ in lines:
        if isinstance(said, Outcome):
            known = ends.get(place)
            if said.outcome in NOT_SENT:
                ends.setdefault(place, LEFT)
                continue
            is_refused = said.outcome == "rejected" and 400 <= (said.status or 0) < 500
            if known is None or known.is_left:
                ends[place] = End(
                    *(False, is_refused, said.effect, said.id, said.seen, said.taken_at, said.landed_at),
                )
            else:
                more = (
                    *(said.effect or known.effect, said.id or known.id, {**(known.seen or {}), **(said.seen or {})}),
                    *(said.taken_at or known.taken_at, said.landed_at or known.landed_at),
                )
                ends[place] = End(False, known.is_refused and is_refused, *more)
    return ends


def _row_of(intent: Intent, line: Entry, entry: Object, end: End) -> Row:
    """Return what one intent says of its row, or of the row that shows it."""
    place, key = line.place, {name: value for name, value in intent.key.items() if value}
    is_own = not entry.kept_in
    if not is_own:
        holder = next(one for one in entry.references() if one.name == entry.kept_in)
        entry, key = BY_NAME[str(holder.refers)], {"externalId": key[holder.name]} if holder.name in key else {}
    may_be_new = is_own and intent.operation in ("create", "upsert") and end.effect != "updated"
    # A row that was there is created if a sync has deleted it meanwhile: then it has another id.
    is_anew = end.effect == "created" and (not intent.existed or (intent.id and end.id and intent.id != end.id))
    is_new = may_be_new and bool(intent.existed is False or is_anew)
    is_unsure = may_be_new and not is_new and intent.existed is None
    is_deleted = is_own and intent.operation == "delete"
    row = Row(
        *(entry, end.id or intent.id, key),
        First(place, is_new, is_unsure, intent.read_at),
        Last(place, is_deleted, intent.row if is_deleted else None),
        unseen_since=end.taken_at or "" if intent.route == "batch" and not end.landed_at else "",
        was_deleted=is_deleted,
    )
    for value in intent.values if is_own else ():
        is_trait = value.place == "trait"
        if not is_trait and not entry.field(value.name) and value.name not in MESSAGE_FIELDS:
            raise _unknown(line.path, entry, value.name)
        name = (TRAIT if is_trait else "") + value.name
        seen = [end.seen[name]] if end.seen and name in end.seen else []
        row.values[name] = Past(
            *(value.name, is_trait, place, value.known, value.before, place, value.sent, seen),
        )
    for link in intent.links:
        found = entry.field(link.name)
        if not found or not found.refers or found.kind is not Kind.TEXTS:
            raise _unknown(line.path, entry, link.name)
        is_linked = intent.operation != "delete"
        row.link(Tie(link.model_copy(update={"was": None}), place, link.was, place, is_linked))
    return row


def _unknown(path: str, entry: Object, name: str) -> ConfigError:
    return ConfigError(
        f"{path} names a field that {entry.name} does not have here: {name[:100]!r}. Undo it with the version of the "
        "destination that has written it, or leave the file out."
    )
