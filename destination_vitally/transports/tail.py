"""The rows of a list that were written last, a hundred a request."""

from __future__ import annotations

from collections.abc import Iterator

from destination_vitally.api.http import Api
from destination_vitally.api.pages import Row, pages
from destination_vitally.errors import ListError
from destination_vitally.mapping.values import moment, moment_of
from destination_vitally.objects.model import Object

SECONDS = len("2026-01-31T09:30:00")
"""So much of a time in text has no fraction of a second, as a `Date` header has none."""


def second_of(value: object) -> str:
    """Return a time of Vitally's up to its seconds, in UTC, to be compared as text; empty for what is none."""
    try:
        return moment(value)[:SECONDS]
    except ValueError:
        return ""


class Tail:
    """Follows the newest end of a list: a look goes down to where the one before began. For one thread at a time."""

    def __init__(self, rest: Api, entry: Object, query: str = "", newest: str | None = None) -> None:
        """Prepare to look.

        Args:
            rest: the way to Vitally.
            entry: whose list it is.
            query: which part of the list.
            newest: where an earlier look would have begun: up to the second, as `second_of` gives it; empty for a list
                that had no rows; None if there was none.
        """
        self._rest = rest
        self._path = entry.path
        self._query = query or entry.lists[0]
        self._newest = newest
        self.has_arrived = True
        """Whether the last look came down to where it had to."""

    def look(self, since: float | None, most: int) -> Iterator[Row]:
        """Yield the rows that were written since the last look, the newest first.

        A list that is refused or in another order yields less or more: what is not here may still be there.

        Args:
            since: for the first look, a time by Vitally's clock in Unix seconds, or None for one page.
            most: how many pages may be read.
        """
        floor = self._newest
        if floor is None:
            floor = moment_of(since * 1000)[:SECONDS] if since is not None else "9999"
        newest = self._newest or ""
        self.has_arrived = is_cut = False
        try:
            for number, page in enumerate(pages(self._rest, self._path, order="updatedAt", query=self._query), 1):
                stamps = [second_of(row.get("updatedAt")) for row in page]
                newest = max([newest, *stamps])
                yield from page
                is_cut = number > 1 and not page  # a cursor that has expired may look like the end
                self.has_arrived = bool(stamps) and stamps[-1] < floor
                if number >= most or self.has_arrived:
                    break
            else:
                self.has_arrived = not is_cut
        except ListError:
            return
        self._newest = newest
