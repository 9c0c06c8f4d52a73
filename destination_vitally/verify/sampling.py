"""Which messages of a stream are looked for: its first, the first of each kind, some from all over the sync, the last.

The last are many because one page of Vitally's list shows them all; each of the others costs a request.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from random import Random

from destination_vitally.verify.expected import Expected

SAMPLE = 100
"""How many messages of a stream are looked for at the most."""

FIRST = 3
"""So many are among them in any case: the first rows of the stream, and the first of each kind to be accepted."""

SPREAD = 12
"""So many are from all over the sync."""


class Sample:
    """Some of the messages of one stream, whose number nobody knows beforehand.

    Those from all over the sync are a reservoir: at any time each message that has passed is in it with the same
    probability.
    """

    def __init__(self, choose: Random) -> None:
        self._choose = choose
        self._kinds: Counter[str] = Counter()
        self._first: list[Expected] = []
        self._spread: list[Expected] = []
        self._last: deque[Expected] = deque()
        self._passed = 0

    def __iter__(self) -> Iterator[Expected]:
        return iter([*self._first, *self._spread, *self._last])

    def is_first(self, one: Expected) -> bool:
        """Tell whether a message is looked for in any case."""
        return one in self._first

    def offer(self, one: Expected) -> list[Expected]:
        """Take a message; returns those that have no place any longer, of which it may be one itself."""
        self._kinds[one.kind] += 1
        # Batches are accepted in any order, so the first of the stream may come when others have been.
        if self._kinds[one.kind] <= FIRST or one.record.place <= FIRST:
            self._first.append(one)
            return self._shrink()
        self._passed += 1
        # Each is one of the last for a while; the reservoir takes it then, or not.
        self._last.append(one)
        return self._shrink()

    def remove(self, one: Expected) -> None:
        """Look for a message no longer."""
        for some in (self._first, self._spread, self._last):
            if one in some:
                some.remove(one)

    def _shrink(self) -> list[Expected]:
        left_out = []
        while self._last and len(self._first) + SPREAD + len(self._last) > SAMPLE:
            left_out += self._spread_out(self._last.popleft())
        while self._spread and len(self._first) + len(self._spread) + len(self._last) > SAMPLE:
            left_out.append(self._spread.pop(self._choose.randrange(len(self._spread))))
        return left_out

    def _spread_out(self, one: Expected) -> list[Expected]:
        room = max(0, min(SPREAD, SAMPLE - len(self._first)))
        passed = self._passed - len(self._last)
        place = len(self._spread) if len(self._spread) < room else self._choose.randrange(max(1, passed))
        if place >= room:
            return [one]
        if place >= len(self._spread):
            self._spread.append(one)
            return []
        self._spread[place], left_out = one, self._spread[place]
        return [left_out]
