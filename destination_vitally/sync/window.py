"""Rows that are held back for a moment, so that parents which arrive a little later still go first."""

from __future__ import annotations

from collections.abc import Iterator

from destination_vitally.outcomes.ledger import PendingRecord

ROWS = 10_000
BYTES = 16_000_000
"""How much is held back."""

SECONDS = 15
"""Held back is no more than can be sent within this time."""

BATCHED = 0.01
"""The cost of a row that travels in a batch, in requests."""


class Window:
    """Rows by their rank, until they are as many as should be held back."""

    def __init__(self, requests_per_minute: int) -> None:
        self._affordable = requests_per_minute * SECONDS / 60
        self._clear()

    def _clear(self) -> None:
        self._ranks: dict[int, list[PendingRecord]] = {}
        self._rows, self._bytes, self._cost = 0, 0, 0.0

    def add(self, row: PendingRecord) -> None:
        """Hold a row back."""
        self._ranks.setdefault(row.plan.rank, []).append(row)
        self._rows += 1
        self._bytes += len(row.line)
        self._cost += BATCHED if row.plan.batched else 1.0

    @property
    def is_full(self) -> bool:
        """Whether no more should be held back."""
        return self._rows >= ROWS or self._bytes >= BYTES or self._cost >= self._affordable

    def empty(self) -> Iterator[tuple[int, list[PendingRecord]]]:
        """Yield each rank with its rows in the order of the input, parents first, and hold none any more."""
        ranks = self._ranks
        self._clear()
        for rank in sorted(ranks):
            yield rank, sorted(ranks[rank], key=lambda row: row.number)
