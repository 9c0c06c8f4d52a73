"""Memory does not grow with the length of a sync."""

from __future__ import annotations

from integration_tests.destination.measure import measure


def test_memory_stays_flat_and_batches_full() -> None:
    found = measure(60_000, 1_000, ("accounts", "users", "events"))
    assert found.memory < 150
    assert 60_000 / found.batches >= 99
    assert found.states == 6
