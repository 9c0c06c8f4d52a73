"""Sandbox A through the source and the destination into the empty sandbox B: the same rows, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.comparison import comparable
from integration_tests.harness import destination_config, write
from integration_tests.round_trip import (
    INSTANCES,
    TABLES,
    differences,
    read_workspace,
    without_untracked,
    write_workspace,
)


@pytest.mark.parametrize("seed", [1, 7])
def test_a_workspace_read_and_written_is_the_same_workspace_and_stays_so(make_sandbox: Any, seed: int) -> None:
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

    again = write(destination_config(copy), catalog["streams"], read.of_type("RECORD"))
    assert again.error is None
    assert differences(origin, copy) == [], "a second round trip changes nothing"
    for table in [*TABLES.values(), INSTANCES]:
        keys = [row["externalId"] for row in copy.workspace.rows(table) if row["externalId"]]
        assert len(keys) == len(set(keys)), f"{table} has rows twice"
