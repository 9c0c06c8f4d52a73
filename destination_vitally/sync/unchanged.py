"""Rows that would change nothing in Vitally need not be sent; what Vitally has is read before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial

from destination_vitally.errors import NotYetError, RejectedError
from destination_vitally.mapping.comparison import refers_to, would_change
from destination_vitally.mapping.mapper import Change, identity_of
from destination_vitally.objects.model import BatchRoute, Field, Lookup, Object
from destination_vitally.objects.table import BY_NAME
from destination_vitally.sync.workers import Workers
from destination_vitally.transports.expected import was_sent
from destination_vitally.transports.index import Shown
from destination_vitally.transports.listing import Listing
from destination_vitally.transports.lookups import Finder, Paths, named_parents
from destination_vitally.transports.references import References

_COMPARED = ("upsert", "update")

FEW = 10
"""So many rows that no list has shown are asked for one by one in any case."""

WORTH = 10
"""One in so many of them must be there for asking to go on: what is new is cheaper to send than to ask for."""


class Unchanged:
    """Tells which changes would change nothing. Used by one thread; the requests are made by the workers'."""

    def __init__(self, references: References, finder: Finder, workers: Workers) -> None:
        self._references = references
        self._finder = finder
        self._workers = workers
        self._asked: Counter[str] = Counter()
        self._found: Counter[str] = Counter()

    def look_up(self, changes: Iterable[Change], more: int) -> None:
        """Read what Vitally has of the rows of changes; so many `more` will be looked up next."""
        compared = [change for change in changes if change.operation in _COMPARED]
        self._all(partial(self._translate, change) for change in compared if self._references.people.concern(change))
        told = [found for change in compared if (found := self._told(change))]
        wanted: dict[Listing, list[Change]] = {}
        for listing, subject in told:
            listing.index.ask_for(subject)
            if self._is_unknown(listing, subject):
                wanted.setdefault(listing, []).append(subject)
        self._all(partial(self._read, listing, subjects, more) for listing, subjects in wanted.items())
        self._find_parents(told)
        left = [subject for listing, subject in told if self._is_unknown(listing, subject)]
        # What is below a parent is shown together.
        requests = {
            named_parents(subject) if subject.entry.can_look_up(Lookup.IN_PARENT) else number: subject
            for number, subject in enumerate(left)
        }
        self._ask_for(list(requests.values()))
        self._find_parents(told)

    def _ask_for(self, subjects: list[Change]) -> None:
        """Ask for rows one by one, as long as enough of them are there."""
        places: dict[str, list[Change]] = {}
        for subject in subjects:
            places.setdefault(subject.entry.path, []).append(subject)
        for place, asked_for in places.items():
            left = asked_for
            while left and (room := max(FEW, self._found[place] * WORTH) - self._asked[place]) > 0:
                block, left = left[:room], left[room:]
                found = list[Change]()
                self._all(partial(self._ask, subject, found) for subject in block)
                self._asked[place] += len(block)
                self._found[place] += len(found)

    def _find_parents(self, told: list[tuple[Listing, Change]]) -> None:
        """Learn the ids of what rows may refer to where they do not show it."""
        parents = {
            (str(field.refers), value): subject
            for listing, subject in told
            for field, value in self._undecided(listing, subject)
        }
        for target in {target for target, _ in parents}:
            values = [value for of, value in parents if of == target]
            self._all([partial(self._references.read_list, target, values)])
        self._all(partial(self._find_parent, parents[key], *key) for key in parents)

    def _all(self, jobs: Iterable[Callable[[], None]]) -> None:
        """Do jobs, and wait for them."""
        jobs = list(jobs)
        for job in jobs:
            self._workers.submit([], job)
        if jobs:
            self._workers.drain()

    def is_so(self, change: Change) -> bool:
        """Tell whether a change would change nothing of what Vitally was read to have; True only if that is sure."""
        told = self._told(change) if change.operation in _COMPARED else None
        if not told:
            return False
        listing, subject = told
        shown = self._shown(listing, subject)
        if not shown or shown.row.get("archivedAt") or listing.index.is_sent(shown.row):
            return False
        return not would_change(subject, shown.row, self._references.known)

    def sends(self, change: Change) -> None:
        """Take note that a change is sent: its row is no longer what it was read to be."""
        if told := self._told(change):
            told[0].index.sends(told[1])

    # What is compared

    def _told(self, change: Change) -> tuple[Listing, Change] | None:
        """The list of a change's row, and what it would write there; None where there is nothing to compare."""
        subject, lists = _subject(change), self._references.lists
        if lists is None or subject is None or identity_of(subject.entry, subject.fields) is None:
            return None
        listing = lists.of(subject.entry)
        return (listing, subject) if listing else None

    def _is_unknown(self, listing: Listing, subject: Change) -> bool:
        return not self._shown(listing, subject) and not listing.index.is_sent(subject.fields)

    def _shown(self, listing: Listing, subject: Change) -> Shown | None:
        """What is remembered of all that is compared of a row; None when there is none, or several could be meant."""
        found = self._candidates(listing, subject)
        if subject.entry.can_look_up(Lookup.IN_PARENT) and not subject.fields.get("id"):
            paths = Paths(subject, self._references)
            found = [one for one in found if paths.lead_to(one.row)]
        return found[0] if len(found) == 1 and listing.index.has_all(found[0], subject) else None

    def _candidates(self, listing: Listing, subject: Change) -> list[Shown]:
        identity = identity_of(subject.entry, subject.fields)
        return listing.index.find(identity) if identity else []

    def _undecided(self, listing: Listing, subject: Change) -> Iterator[tuple[Field, str]]:
        """Yield what a change refers to of which the remembered rows do not tell whether they refer to it."""
        for field in subject.entry.references():
            value = subject.fields.get(field.name)
            for one in value if isinstance(value, list) else [value] if value else []:
                for shown in self._candidates(listing, subject):
                    if refers_to(field, one, shown.row, self._references.known) is None and shown.row.get(
                        field.inlined or field.name
                    ):
                        yield field, one

    # What is read

    def _translate(self, change: Change) -> None:
        # One that cannot be translated is rejected, or waited for, when it is made.
        with suppress(RejectedError, NotYetError):
            self._references.people.translate(change)

    def _read(self, listing: Listing, subjects: list[Change], more: int) -> None:
        listing.want(len(subjects), lambda: all(self._candidates(listing, subject) for subject in subjects), more)

    def _find_parent(self, subject: Change, target: str, value: str) -> None:
        with suppress(RejectedError):
            self._references.find(subject, target, value, creates=False)

    def _ask(self, subject: Change, found: list[Change]) -> None:
        with suppress(RejectedError, NotYetError):
            if self._finder.ask(subject, Paths(subject, self._references)):
                found.append(subject)


def _subject(change: Change) -> Change | None:
    """What a change would write, as a change of the row that shows it; None where no row does."""
    if change.entry.kept_in:
        return _link(change)
    if not isinstance(change.route, BatchRoute):
        return change
    keys = {name for key in change.entry.keys for name in key.fields}
    fields = {n: v for n, v in change.fields.items() if n in keys or was_sent(change.entry.field(n), v)}
    return change._replace(fields=fields)


def _link(change: Change) -> Change | None:
    """What a membership would write, as fields of its user."""
    entry = change.entry
    holder = entry.field(entry.kept_in)
    assert holder is not None  # the table says so
    keeper: Object = BY_NAME[str(holder.refers)]
    value = change.fields.get(holder.name)
    if not value:
        return None
    links = {
        place.name: [change.fields[field.name]]
        for field in entry.references()
        for place in keeper.references()
        if field.name != entry.kept_in and change.fields.get(field.name) and place.refers == field.refers
    }
    return change._replace(entry=keeper, fields={"externalId": value, **links})
