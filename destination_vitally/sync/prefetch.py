"""What is looked up for many rows at once before each is decided: that is where lists are cheaper.

It only fills the memory: nothing is waited for that Vitally has yet to apply.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from contextlib import suppress
from functools import partial

from destination_vitally.api.pages import Row, rows_of
from destination_vitally.compare.comparison import refers_to, would_change
from destination_vitally.errors import NotYetError, RejectedError
from destination_vitally.journal.intents import Before
from destination_vitally.mapping.change import Change, identity_of, link_of
from destination_vitally.objects.model import BatchRoute, Field, Lookup, Object
from destination_vitally.rows.facts import Known
from destination_vitally.rows.known import Asking, Rows
from destination_vitally.rows.lists import RowList
from destination_vitally.rows.paths import Paths, named_parents
from destination_vitally.rows.reader import key_of
from destination_vitally.send.decide import addressed_by, looks_up
from destination_vitally.sync.lanes import Lanes
from destination_vitally.verify.expected import was_sent

_COMPARED = ("upsert", "update")

FEW = 10
"""So many rows that no list has shown are asked for one by one in any case."""

WORTH = 10
"""One in so many of them must be there for asking to go on: what is new is cheaper to send than to ask for."""


class Prefetch:
    """Reads ahead for rows that are about to be written. Used by one thread; the requests are made by the lanes'."""

    def __init__(  # noqa: PLR0913 - what it is to read
        self,
        rows: Rows,
        asking: Asking,
        lanes: Lanes,
        *,
        compares: bool = False,
        foretells: bool = False,
        reads_before: bool = False,
    ) -> None:
        """Prepare to read ahead.

        Args:
            rows: what is known of rows.
            asking: those who can ask Vitally.
            lanes: run the requests.
            compares: whether rows that would change nothing need not be sent.
            foretells: whether it is a dry run, which looks up what a batch would write as well.
            reads_before: whether every row is read before it is written, for the journal.
        """
        self._memory = rows.memory
        self._references = rows.references
        self._people = rows.people
        self._asking = asking
        self._reader = asking.reader
        self._lists = asking.lists
        self._lanes = lanes
        self._compares = compares
        self._foretells = foretells
        self._reads_before = reads_before
        self._subjects: dict[int, Change] = {}
        """What the changes that were read ahead for last would write, as changes of the rows that show it."""
        self._whole: dict[int, Row] = {}
        """Of those that delete, the rows."""
        self._read_at = 0.0
        self._asked: Counter[str] = Counter()
        self._found: Counter[str] = Counter()
        self._unchanged: dict[int, tuple[Object, Row]] = {}
        """Of the changes that were read ahead for last, those that would change nothing, and the row of each."""

    def run(self, changes: Iterable[Change], more: int = 0) -> None:
        """Read what rows need, but for those that need not be sent; so many `more` will be looked up next."""
        left = list(changes)
        named = {
            str(change.fields[field.name]): change
            for change in left
            for field in change.entry.people
            if change.fields.get(field.name)
        }
        self._lanes.together(partial(self._without_people, change) for change in named.values())
        if self._compares or self._reads_before:
            self._read_at = self._memory.clock.now()
            subjects = {id(change): subject for change in left if (subject := self._subject(change))}
            self._read_compared(list(subjects.values()), more)
            self._subjects = subjects
        if self._compares:
            compared = (id(change) for change in left if self._is_compared(change))
            shown = {one: self._same(subjects[one]) for one in compared if one in subjects}
            self._unchanged = {number: (subjects[number].entry, row) for number, row in shown.items() if row}
            left = [change for change in left if id(change) not in self._unchanged]
        if self._reads_before:
            self._whole = {}
            self._lanes.together(partial(self._read_whole, one) for one in left if one.operation == "delete")
        self._read_looked_up(left)
        self._read_parents(left)

    # What rows refer to

    def _read_parents(self, changes: list[Change]) -> None:
        """Look for all that rows refer to: by lists, where these are cheaper than one request each."""
        unknown: dict[str, set[str]] = {}
        asked_for: dict[tuple[str, str], bool] = {}
        for change in changes:
            is_batch = isinstance(change.route, BatchRoute)
            for _, target, value in self._references.of(change):
                if not self._references.is_known(target, value):
                    unknown.setdefault(target, set()).add(value)
                    # A single call asks for itself, if it needs to.
                    may_come = self._references.may_come(target, value)
                    if is_batch or may_come:
                        asked_for[target, value] = may_come
        self._lanes.together(partial(self._references.read_list, target, values) for target, values in unknown.items())
        # Whether a row that may come is there already is worth no more than its list costs.
        self._lanes.together(
            partial(self._references.prefetch, target, value)
            for (target, value), may_come in asked_for.items()
            if not (may_come and self._references.is_list_known(target))
        )

    # The rows themselves

    def _read_looked_up(self, changes: list[Change]) -> None:
        """Look for rows together, where their list is cheaper than what is asked for else."""
        wanted: dict[RowList, dict[Hashable, Change]] = {}
        for number, change in enumerate(changes):
            if self._looks_up(change) and (listing := self._lists.of(change.entry)):
                if change.operation == "create" and change.origin:
                    self._memory.keep_values(change)  # a copy that is there is compared
                # Of rows below a parent all are read at once, if they are not found in the list of all.
                request = named_parents(change) if change.entry.can_look_up(Lookup.IN_PARENT) else number
                wanted.setdefault(listing, {})[request] = change
        self._lanes.together(
            partial(self._read_list, listing, list(requests.values())) for listing, requests in wanted.items()
        )

    def _read_list(self, listing: RowList, changes: list[Change]) -> None:
        listing.want(len(changes))
        if listing.as_of is not None:
            unlisted: dict[str, list[str]] = {}
            for target, value in (parent for change in changes for parent in named_parents(change)):
                if not self._references.is_listed(target, value):
                    unlisted.setdefault(target, []).append(value)
            for target, values in unlisted.items():
                self._references.read_list(target, values, until_listed=True)

    def _looks_up(self, change: Change) -> bool:
        if self._foretells and isinstance(change.route, BatchRoute):
            return change.operation == "upsert" and change.entry.can_look_up()
        return looks_up(change)

    def _without_people(self, change: Change) -> Change:
        """Return a change with ids in the place of names, as far as they are known; what is not is its own matter."""
        with suppress(RejectedError, NotYetError):
            return self._people.translated(change)
        return change

    # What is there before

    def before(self, change: Change) -> Before:
        """Return what is known of the row of a change that was read ahead for."""
        subject = self._subjects.get(id(change)) or _subject(self._without_people(change))
        identity = identity_of(subject.entry, subject.fields)
        answer = self._memory.ask(subject.entry, identity)
        if not answer.rows and not answer.coming:
            answer = self._reader.ask(subject, Paths(subject, self._references), is_writing=False)
        live = list(answer.live.values()) or list(answer.rows)
        known = live[0] if len(live) == 1 and not answer.coming else None
        # Below other parents than those that are named there may be one all the same.
        is_absent = answer.absent is not None and Lookup.IN_PARENT not in key_of(subject).lookups if identity else True
        is_new = is_absent and not answer.rows and not answer.coming and (identity or change.operation == "create")
        return Before(
            subject,
            True if known else False if is_new else None,
            known,
            known is not None and self._memory.has_values(known, subject),
            self._read_at,
            self._whole.get(id(change)),
        )

    def _read_whole(self, change: Change) -> None:
        """Read the row that is about to be deleted; what cannot be read is not kept."""
        if isinstance(change.route, BatchRoute) or change.entry.read_path is None:
            return
        with suppress(RejectedError, NotYetError):
            change = self._without_people(change)
            paths = Paths(change, self._references)
            answer = self._reader.ask(change, paths, is_writing=False)
            if not answer.rows and not change.fields.get("id"):
                answer = self._reader.look(change, paths)
            own = next(iter(answer.live), None) or change.fields.get("id")
            rows = rows_of(change, self._asking.api.send("GET", paths.reading(str(own)))) if own else []
            self._whole.update({id(change): row for row in rows if row.get("id") == own})

    # What need not be sent

    def is_unchanged(self, change: Change) -> bool:
        """Tell whether a change that was read ahead for would change nothing of its row; True only if that is sure."""
        known = self._unchanged.get(id(change))
        return known is not None and not self._memory.is_sent(*known)

    def _same(self, subject: Change) -> Row | None:
        """Return the row that a change would leave as it is; None if there is none."""
        shown = self._shown(subject)
        if not shown or shown.is_archived or would_change(subject, shown.row, self._references.id_of):
            return None
        return shown.row

    def _read_compared(self, subjects: list[Change], more: int) -> None:
        wanted: dict[RowList, list[Change]] = {}
        for subject in subjects:
            self._memory.keep_values(subject)
            if self._is_unknown(subject) and (listing := self._lists.of(subject.entry)):
                wanted.setdefault(listing, []).append(subject)
        self._lanes.together(partial(self._read_shown, listing, few, more) for listing, few in wanted.items())
        if self._reads_before:  # what a list has shown may be hours old
            lists = {self._lists.of(subject.entry) for subject in subjects}
            self._lanes.together(listing.refresh for listing in lists if listing)
        self._find_parents(subjects)
        # What is below a parent is shown together.
        left = {
            (subject.entry.path, named_parents(subject))
            if subject.entry.can_look_up(Lookup.IN_PARENT)
            else number: subject
            for number, subject in enumerate(subjects)
            if self._is_unknown(subject)
        }
        self._ask_for(list(left.values()))
        self._find_parents(list(left.values()))

    def _read_shown(self, listing: RowList, subjects: list[Change], more: int) -> None:
        listing.want(len(subjects), lambda: all(self._candidates(subject) for subject in subjects), more)

    def _ask_for(self, subjects: list[Change]) -> None:
        """Ask for rows one by one, as long as enough of them are there."""
        places: dict[str, list[Change]] = {}
        for subject in subjects:
            places.setdefault(subject.entry.path, []).append(subject)
        for place, few in places.items():
            left = few
            while left and (room := self._room(place, len(left))) > 0:
                block, left = left[:room], left[room:]
                found = list[Change]()
                self._lanes.together(partial(self._ask, subject, found) for subject in block)
                self._asked[place] += len(block)
                self._found[place] += len(found)

    def _room(self, place: str, left: int) -> int:
        """How many rows are worth asking for."""
        return left if self._reads_before else max(FEW, self._found[place] * WORTH) - self._asked[place]

    def _ask(self, subject: Change, found: list[Change]) -> None:
        with suppress(RejectedError, NotYetError):
            if self._reader.prefetch(subject, Paths(subject, self._references)):
                found.append(subject)

    def _find_parents(self, subjects: list[Change]) -> None:
        """Learn the ids of what rows may refer to where they do not show it."""
        parents = {
            (str(field.refers), value)
            for subject in subjects
            for field, value in self._undecided(subject)
            if not self._references.is_known(str(field.refers), value)
        }
        for target in {target for target, _ in parents}:
            values = [value for of, value in parents if of == target]
            self._lanes.together([partial(self._references.read_list, target, values)])
        self._lanes.together(partial(self._references.prefetch, *parent) for parent in parents)

    def _undecided(self, subject: Change) -> Iterator[tuple[Field, str]]:
        """Yield what a change refers to of which the remembered rows do not tell whether they refer to it."""
        for field, one in subject.references():
            for shown in self._candidates(subject):
                if refers_to(field, one, shown.row, self._references.id_of) is None and shown.row.get(
                    field.inlined or field.name
                ):
                    yield field, one

    def _is_unknown(self, subject: Change) -> bool:
        return not self._shown(subject) and not self._memory.is_sent(subject.entry, subject.fields)

    def _shown(self, subject: Change) -> Known | None:
        """What is remembered of all that is compared of a row; None when there is none, or several could be meant."""
        found = self._candidates(subject)
        if subject.entry.can_look_up(Lookup.IN_PARENT) and not subject.fields.get("id"):
            paths = Paths(subject, self._references)
            found = [one for one in found if paths.lead_to(one.row)]
        return found[0] if len(found) == 1 and self._memory.has_values(found[0], subject) else None

    def _candidates(self, subject: Change) -> list[Known]:
        return list(self._memory.ask(subject.entry, identity_of(subject.entry, subject.fields)).rows)

    def _is_compared(self, change: Change) -> bool:
        return change.operation in _COMPARED or change.is_unsure

    def _subject(self, change: Change) -> Change | None:
        """What a change would write, as a change of the row that shows it; None where there is nothing to compare."""
        if not (self._reads_before or self._is_compared(change)):
            return None
        subject = _subject(self._without_people(change))
        can_compare = self._reads_before or self._lists.of(subject.entry)
        return subject if can_compare and identity_of(subject.entry, subject.fields) else None


def _subject(change: Change) -> Change:
    if change.entry.kept_in:
        keeper, fields = link_of(change.entry, lambda field: change.fields.get(field.name))
        return change._replace(entry=keeper, fields=fields)
    if not isinstance(change.route, BatchRoute):
        # The row that is written is the one at the address, whatever else the change says of its keys.
        key = addressed_by(change) if change.operation != "create" else None
        is_other = key is not None and key != key_of(change)
        return change._replace(entry=change.entry.matched_by(key)) if key and is_other else change
    keys = {name for key in change.entry.keys for name in key.fields}
    fields = {n: v for n, v in change.fields.items() if n in keys or was_sent(change.entry.field(n), v)}
    return change._replace(fields=fields)
