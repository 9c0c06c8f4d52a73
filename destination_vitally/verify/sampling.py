"""Which messages of a stream are looked for: its first rows, the first of each kind, others from all over the sync."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

from destination_vitally.transports.expected import Expected

SAMPLE = 100
"""How many messages of a stream are looked for at the most."""

FIRST = 3
"""So many are among them in any case: the first rows of the stream, and the first of each kind to be accepted."""


class Sample:
    """Some of the messages of one stream, whose number nobody knows beforehand.

    Besides the first ones it is a reservoir: at any time each message that has passed is in it with the same
    probability. Of `n` messages of one kind, of which `d` are dropped at random, none that was dropped is among the `s`
    that are looked for with a probability of C(n - d, s) / C(n, s).
    """

    def __init__(self, choose: Random) -> None:
        self._choose = choose
        self._kinds: Counter[str] = Counter()
        self._first: list[Expected] = []
        self._others: list[Expected] = []
        self._passed = 0

    def __iter__(self) -> Iterator[Expected]:
        return iter([*self._first, *self._others])

    def offer(self, one: Expected) -> Expected | None:
        """Take a message or leave it; returns the one that has no place: this, an earlier one, or None."""
        self._kinds[one.kind] += 1
        # Batches are accepted in any order, so the first of the stream may come when others have been.
        if self._kinds[one.kind] <= FIRST or one.record.place <= FIRST:
            self._first.append(one)
            return self._shrink()
        self._passed += 1
        room = SAMPLE - len(self._first)
        place = self._passed - 1 if self._passed <= room else self._choose.randrange(self._passed)
        if place >= room:
            return one
        if place >= len(self._others):
            self._others.append(one)
            return None
        self._others[place], left_out = one, self._others[place]
        return left_out

    def remove(self, one: Expected) -> None:
        """Look for a message no longer."""
        for some in (self._first, self._others):
            if one in some:
                some.remove(one)

    def _shrink(self) -> Expected | None:
        """Make room for the first of a kind that came late; any of the others is as good as any."""
        if len(self._first) + len(self._others) <= SAMPLE or not self._others:
            return None
        return self._others.pop(self._choose.randrange(len(self._others)))
