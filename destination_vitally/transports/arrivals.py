"""Waits until the rows that batches have brought are there, so that what refers to them is no orphan."""

from __future__ import annotations

from destination_vitally.api.http import Api
from destination_vitally.api.pages import text_of
from destination_vitally.mapping.mapper import Change
from destination_vitally.objects.table import BY_NAME
from destination_vitally.transports.landing import FIRST_WAIT, LONGEST_WAIT, Landing
from destination_vitally.transports.references import References
from destination_vitally.transports.tail import Tail

SINGLES = 20
"""So many rows at least are asked for one by one in a look, where the list does not show them."""

SINGLES_FROM = 3
"""From which look on."""

PAGE = 100


class Arrivals:
    """Looks for rows of one object until all are there or their patience is over. Used by one thread at a time."""

    def __init__(
        self, rest: Api, references: References, landing: Landing, target: str, waited: dict[str, Change]
    ) -> None:
        """`waited` are the ids of the rows, each with a change that refers to it."""
        self._references = references
        self._landing = landing
        self._target = target
        self._waited = waited
        self._tail = Tail(rest, BY_NAME[target])
        self._pause = FIRST_WAIT
        self._looks = 0

    def look(self) -> float | None:
        """Look once; return the seconds until the next look, or None when nothing is left to wait for."""
        sent = {value: self._landing.sent((self._target, "externalId", value)) for value in self._waited}
        for value in [value for value, one in sent.items() if one is None]:
            del self._waited[value]
        times = [one.taken for one in sent.values() if one and one.taken is not None]
        self._looks += 1
        came = self._read_list(min(times, default=None)) if self._waited else 0
        singles = max(SINGLES, came) if self._looks >= SINGLES_FROM else 0
        for value in [*self._waited][:singles]:
            if self._references.look_again(self._waited[value], self._target, value):
                del self._waited[value]
        if not self._waited:
            return None
        pause, self._pause = self._pause, min(LONGEST_WAIT, 2 * self._pause)
        return pause

    def _read_list(self, since: float | None) -> int:
        """Read what the list has had since the last look; return how many of the rows came with it."""
        most = 2 + 2 * self._landing.count(self._target) // PAGE
        rows = list(self._tail.look(since, most))
        self._references.saw(self._target, rows)
        came = [self._waited.pop(text_of(row, "externalId"), None) for row in rows]
        return sum(one is not None for one in came)
