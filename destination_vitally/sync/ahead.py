"""What rows need to have looked up before they are written, for many at once: that is where lists are cheaper."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import partial

from destination_vitally.mapping.mapper import Change
from destination_vitally.objects.model import BatchRoute, Lookup
from destination_vitally.sync.parents import Parents
from destination_vitally.sync.unchanged import Unchanged
from destination_vitally.sync.workers import Workers
from destination_vitally.transports.listing import Listing, Lists
from destination_vitally.transports.lookups import named_parents
from destination_vitally.transports.references import References
from destination_vitally.transports.rest import looks_up


class Ahead:
    """Reads ahead for rows that are about to be written. Used by one thread; the requests are made by the workers'."""

    def __init__(
        self,
        references: References,
        parents: Parents,
        unchanged: Unchanged | None,
        workers: Workers,
        *,
        foretells: bool,
    ) -> None:
        """Prepare to read ahead.

        Args:
            references: what is known of ids, and the lists of Vitally.
            parents: finds what rows refer to.
            unchanged: tells rows that need not be sent, if that is asked for.
            workers: make the requests.
            foretells: whether it is a dry run, which looks up what a batch would write as well.
        """
        self._references = references
        self._lists = references.lists
        self._parents = parents
        self._unchanged = unchanged
        self._workers = workers
        self._foretells = foretells

    def concerns(self, change: Change) -> bool:
        """Tell whether something has to be read before a row is written."""
        return self._parents.concern(change) or (self._lists is not None and self._looks_up(change))

    def look_up(self, changes: Iterable[Change], more: int = 0) -> None:
        """Read what rows need, but for those that need not be sent; so many `more` will be looked up next."""
        left = list(changes)
        if self._unchanged:
            self._unchanged.look_up(left, more)
            left = [change for change in left if not self._unchanged.is_so(change)]
        if self._lists:
            self._read_lists(self._lists, left)
        self._parents.look_up(left)

    def _read_lists(self, lists: Lists, changes: list[Change]) -> None:
        """Look for rows together, where their list is cheaper than what is asked for else."""
        wanted: dict[Listing, dict[Hashable, Change]] = {}
        for number, change in enumerate(changes):
            if self._looks_up(change) and (listing := lists.of(change.entry)):
                # Of rows below a parent all are read at once, if they are not found in the list of all.
                request = named_parents(change) if change.entry.can_look_up(Lookup.IN_PARENT) else number
                wanted.setdefault(listing, {})[request] = change
        for listing, requests in wanted.items():
            self._workers.submit([], partial(self._read_list, listing, list(requests.values())))
        if wanted:
            self._workers.drain()

    def _read_list(self, listing: Listing, changes: list[Change]) -> None:
        listing.want(len(changes))
        if listing.is_complete:
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
