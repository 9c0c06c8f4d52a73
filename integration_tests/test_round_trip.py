"""Sandbox A through the source and the destination into the empty sandbox B: the same rows, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.comparison import comparable
from integration_tests.round_trip import (
    INSTANCES,
    TABLES,
    differences,
    read_workspace,
    without_untracked,
    write_workspace,
)


@pytest.mark.parametrize("seed", [1, 7])
def test_a_workspace_read_and_written_is_the_same_workspace(make_sandbox: Any, seed: int) -> None:
    origin, copy = without_untracked(make_sandbox(seed=seed)), make_sandbox(seed=seed, empty=True)
    catalog, read = read_workspace(origin)
    written = write_workspace(copy, catalog, read)
    assert written.exit_code == 0, written.errors
    assert differences(origin, copy) == []
    for table in [*TABLES.values(), INSTANCES]:
        assert len(comparable(copy, table)) >= 5, table
    assert [state["stream"] for state in written.states()] == [state["stream"] for state in read.states()]
    counts = [state["destinationStats"] for state in written.states()]
    taken = sum(count["recordCount"] + count["rejectedRecordCount"] for count in counts)
    assert taken == len(read.of_type("RECORD"))


def test_a_second_round_trip_changes_nothing(make_sandbox: Any) -> None:
    origin, copy = without_untracked(make_sandbox(seed=3)), make_sandbox(seed=3, empty=True)
    catalog, read = read_workspace(origin)
    for _ in range(2):
        assert write_workspace(copy, catalog, read).exit_code == 0
    assert differences(origin, copy) == []
    for table in [*TABLES.values(), INSTANCES]:
        keys = [row["externalId"] for row in copy.workspace.rows(table) if row["externalId"]]
        assert len(keys) == len(set(keys)), f"{table} has rows twice"
