"""Memory does not grow with the length of a sync."""

from __future__ import annotations

import pytest

from integration_tests.destination.measure import measure


@pytest.mark.parametrize("streams", [("accounts",), ("accounts", "users", "events")], ids=len)
def test_memory_stays_flat_and_batches_full(streams: tuple[str, ...]) -> None:
    found = measure(60_000, 1_000, streams)
    assert found.memory < 150
    assert 60_000 / found.batches >= 99
    assert found.states == 6
