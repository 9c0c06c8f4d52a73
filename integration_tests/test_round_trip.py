"""Sandbox A through the source and the destination into the empty sandbox B: the same rows, field by field."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from integration_tests.comparison import comparable
from integration_tests.harness import Json, destination_config, write
from integration_tests.round_trip import (
    INSTANCES,
    TABLES,
    differences,
    read_workspace,
    without_untracked,
    write_workspace,
)
from integration_tests.sandbox import Switches


@pytest.mark.parametrize(("seed", "columns"), [(1, str), (7, str.upper)], ids=["as read", "upper case"])
def test_a_workspace_read_and_written_is_the_same_workspace_and_stays_so(
    make_sandbox: Any, seed: int, columns: Callable[[str], str]
) -> None:
    origin = without_untracked(make_sandbox(seed=seed))
    # The connectors run as processes, and wait by the machine's clock.
    target = make_sandbox(seed=seed, empty=True, switches=Switches(effect_delay=1))
    catalog, read = read_workspace(origin)
    written = write_workspace(target, catalog, read)
    assert written.exit_code == 0, written.errors
    assert differences(origin, target) == []
    for table in [*TABLES.values(), INSTANCES]:
        assert len(comparable(target, table)) >= 5, table
    assert [state["stream"] for state in written.states()] == [state["stream"] for state in read.states()]
    counts = [state["destinationStats"] for state in written.states()]
    taken = sum(count["recordCount"] + count["rejectedRecordCount"] for count in counts)
    assert taken == len(read.of_type("RECORD"))

    streams, records = through_a_warehouse(catalog["streams"], read.of_type("RECORD"), columns)
    again = write(destination_config(target), streams, records)
    assert again.error is None
    assert differences(origin, target) == [], "a second round trip changes nothing"
    for table in [*TABLES.values(), INSTANCES]:
        keys = [row["externalId"] for row in target.workspace.rows(table) if row["externalId"]]
        assert len(keys) == len(set(keys)), f"{table} has rows twice"


def through_a_warehouse(
    streams: list[Json], messages: list[Json], columns: Callable[[str], str]
) -> tuple[list[Json], list[Json]]:
    """Return streams and records with the names of columns as a warehouse spells them."""
    streams, messages = copy.deepcopy(streams), copy.deepcopy(messages)
    for stream in streams:
        schema = stream["stream"]["json_schema"]
        schema["properties"] = {columns(name): told for name, told in schema["properties"].items()}
    for message in messages:
        message["record"]["data"] = {columns(name): value for name, value in message["record"]["data"].items()}
    return streams, messages
