"""Rows that were given: however many, in memory and on disk, and on a disk that fails."""

from __future__ import annotations

import logging
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_vitally import seen
from source_vitally.seen import IN_MEMORY, Seen


@given(keys=st.lists(st.text(max_size=3), max_size=3_000), in_memory=st.integers(0, 20) | st.just(IN_MEMORY))
def test_what_has_been_seen(keys: list[str], in_memory: int) -> None:
    rows, known = Seen(in_memory), set[str]()
    for key in keys:
        assert rows.add(key) is (key not in known)
        known.add(key)


def test_a_long_list_is_remembered_in_two_megabytes() -> None:
    rows = Seen()
    assert sum(rows.add(f"row {number}") for number in range(100_000)) == 100_000
    assert not any(rows.add(f"row {number}") for number in range(0, 100_000, 997))
    assert len(rows._slots) * 8 <= 2_500_000


def test_on_a_disk_that_fails_the_rest_is_remembered_in_memory(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rows = Seen(in_memory=10)
    assert all(rows.add(f"row {number}") for number in range(20))
    assert rows._disk is not None
    rows._disk.execute("PRAGMA max_page_count = 3")
    monkeypatch.setattr(seen, "_opened", lambda: pytest.fail("it is not tried again"))
    with caplog.at_level(logging.WARNING, "airbyte"):
        assert all(rows.add(f"more {number}") for number in range(5_000))
    assert len([entry for entry in caplog.records if "cannot be on disk" in entry.getMessage()]) == 1
    assert not rows.add("row 3"), "what is in memory stays there"
    assert not rows.add("more 4999")


def test_no_disk_at_all_costs_nothing_but_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> sqlite3.Connection:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(seen, "_opened", refuse)
    rows = Seen(in_memory=0)
    assert rows.add("row")
