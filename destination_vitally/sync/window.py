"""Rows that are kept back for a moment, so that parents which arrive a little later still go first."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any, NamedTuple

from destination_vitally.mapping.change import Change
from destination_vitally.outcomes.ledger import PendingRecord

ROWS = 10_000
BYTES = 16_000_000
"""How much is kept back."""

SLICE = 1_000
SLICE_BYTES = 8_000_000
"""So much is decided together, with what is looked up for it."""

SECONDS = 15
"""Kept back is no more than can be sent within this time."""

BATCHED = 0.01
"""The cost of a row that travels in a batch, in requests."""


class Window:
    """Rows by their rank, until they are as many as should be kept back."""

    def __init__(self, requests_per_minute: int) -> None:
        self._affordable = requests_per_minute * SECONDS / 60
        self._clear()

    def _clear(self) -> None:
        self._ranks: dict[int, list[PendingRecord]] = {}
        self._rows, self._bytes, self._cost = 0, 0, 0.0

    def add(self, row: PendingRecord) -> None:
        """Keep a row back."""
        self._ranks.setdefault(row.plan.rank, []).append(row)
        self._rows += 1
        self._bytes += len(row.line)
        self._cost += BATCHED if row.plan.batched else 1.0

    @property
    def is_full(self) -> bool:
        """Whether no more should be kept back."""
        return self._rows >= ROWS or self._bytes >= BYTES or self._cost >= self._affordable

    def empty(self) -> Iterator[tuple[int, list[PendingRecord]]]:
        """Yield each rank with its rows in the order of the input, parents first, and keep none any more."""
        ranks = self._ranks
        self._clear()
        for rank in sorted(ranks):
            yield rank, sorted(ranks.pop(rank), key=lambda row: row.number)


def slices(rows: Iterable[PendingRecord]) -> Iterator[list[PendingRecord]]:
    """Yield rows in slices that are no longer and no larger than is decided together."""
    few, size = list[PendingRecord](), 0
    for row in rows:
        if few and (len(few) >= SLICE or size + len(row.line) > SLICE_BYTES):
            yield few
            few, size = [], 0
        few.append(row)
        size += len(row.line)
    if few:
        yield few


class Draft(NamedTuple):
    """A record on its way, with the change that it asks for and the keys of what that writes.

    `names` are those of the values that a dry run shows.
    """

    row: PendingRecord
    emitted_at: Any
    change: Change
    lanes: tuple[Hashable, ...]
    names: tuple[str, ...] = ()
