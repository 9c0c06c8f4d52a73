"""Whether as many records arrive as the source has counted, and what a GLOBAL state waits for."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from integration_tests.airbyte_platform import (
    FULL_REFRESH_OVERWRITE,
    INCREMENTAL_APPEND,
    Connection,
    Job,
    Renaming,
    Selected,
    SourceStream,
)
from integration_tests.destination.jobs import sync
from integration_tests.destination.mirrored import REGISTRY, Scene, said
from integration_tests.harness import Json, destination_config, record, write, write_chunks
from integration_tests.sandbox import Sandbox

COLUMNS = ("externalId", "name", "accountId")


def job(*names: str, **more: Any) -> Job:
    streams = [
        SourceStream(name, {key: {} for key in COLUMNS}, source_defined_cursor=True, is_resumable=True)
        for name in names
    ]
    return Connection(REGISTRY, *(Selected(one, INCREMENTAL_APPEND) for one in streams), **more).job()


def row(stream: str, key: str) -> Json:
    of_acme = {"accountId": "acme"} if stream == "users" else {}
    return record(stream, {"externalId": key, "name": "N", **of_acme})


def state(name: str, count: Any = None) -> Json:
    stats = {} if count is None else {"sourceStats": {"recordCount": count}}
    stream = {"stream_descriptor": {"name": name}, "stream_state": {"n": 1}}
    return {"type": "STATE", "state": {"type": "STREAM", "stream": stream, **stats}}


def shared(*names: str, count: Any = None) -> Json:
    stats = {} if count is None else {"sourceStats": {"recordCount": count}}
    states = [{"stream_descriptor": {"name": name}, "stream_state": {}} for name in names]
    return {"type": "STATE", "state": {"type": "GLOBAL", "global": {"stream_states": states}, **stats}}


LOST = record("accounts", {})
"""A record that the platform drops, and the source has counted."""
A, U = row("accounts", "acme"), row("users", "u")

GAPS: dict[str, tuple[list[Json], list[str]]] = {
    "none": ([A, state("accounts"), state("accounts")], []),
    "counted by the source": ([A, A, state("accounts", 2.0), U, state("users", 1.0)], []),
    "fewer counted": ([A, A, state("accounts", 1.0)], []),
    "one": ([A, LOST, state("accounts", 2.0), U, state("users", 1.0)], ["accounts: 2 1"]),
    "twice": (
        [A, LOST, state("accounts", 2.0), A, state("accounts", 1), LOST, state("accounts", 1)],
        ["accounts: 3 1"],
    ),
    "made up for later": ([A, LOST, state("accounts", 2.0), A, A, state("accounts", 1)], ["accounts: 2 1"]),
    "of two streams": ([A, U, shared("accounts", "users", count=3.0)], ["accounts, users: 3 2"]),
    "of two streams, all": ([A, U, shared("users", "accounts", count=2.0)], []),
    "of one that it lists": ([A, U, shared("accounts", count=1.0), state("users", 1.0)], []),
    "of one that it lists, lost": ([U, LOST, shared("accounts", count=1.0), state("users", 1)], ["accounts: 1 0"]),
}


@pytest.mark.parametrize(("messages", "expected"), GAPS.values(), ids=GAPS)
def test_fewer_records_than_the_source_has_counted(sandbox: Sandbox, messages: list[Json], expected: list[str]) -> None:
    made = job("accounts", "users")
    sandbox.workspace.insert("accounts", {"externalId": "acme"})

    run = write(destination_config(sandbox), made.catalog["streams"], made.delivered(messages))

    assert run.error is None, run.errors
    warned = [line for line in run.logs("WARN") if "the source has counted" in line]
    wanted = [one.replace(": ", " ").split() for one in expected]
    assert len(warned) == len(wanted)
    for line, words in zip(warned, wanted, strict=True):
        *names, counted, came = words
        assert f"Stream {' '.join(names)}: the source has counted {counted} records" in line
        assert f"of which {came} arrived" in line


@pytest.mark.parametrize("count", [2.0, 3.0])
def test_with_a_prefix_a_global_state_names_no_stream_of_the_catalog(sandbox: Sandbox, count: float) -> None:
    made = job("accounts", "users", renaming=Renaming(prefix="crm_"))
    mappings = [{"stream": f"crm_{name}s", "object": name, "other_columns": "ignore"} for name in ("account", "user")]
    messages = made.delivered([A, U, shared("accounts", "users", count=count)])

    run = write(destination_config(sandbox, mappings=mappings), made.catalog["streams"], messages)

    assert run.error is None, run.errors
    assert ("Stream crm_accounts, crm_users: the source has counted 3 records" in run.log) == (count == 3)


@pytest.mark.parametrize("loses", [False, True])
def test_a_lost_record_leaves_a_doubt(sandbox: Sandbox, loses: bool) -> None:
    """Given a table of which one row was lost on its way, when that row is in Vitally, then it stays there."""
    scene = Scene(sandbox, there=["a", "lost", "missing"])
    lost = record("table", {}) if loses else scene.record("lost")
    run = sync(scene, mode=FULL_REFRESH_OVERWRITE, messages=[scene.record("a"), lost, state("table", 2.0)])
    assert run.error is None, run.errors
    assert scene.left() == ({"a", "lost", "missing"} if loses else {"a", "lost"})
    assert ("nothing is deleted: fewer records arrived than the source has counted" in said(run)) == loses


@pytest.mark.parametrize("names", [("accounts", "users"), ("users", "accounts")], ids="-".join)
def test_a_global_state_comes_back_when_all_its_streams_are_done(sandbox: Sandbox, names: tuple[str, ...]) -> None:
    """Whatever the order of the streams in the catalog, in the state and among the records."""
    made = job(*names)
    messages: list[Json] = []
    for number in range(4):
        both = [row("accounts", f"a{number}"), {**row("users", f"u{number}")}]
        both[1]["record"]["data"]["accountId"] = f"a{number}"
        messages += [*(both if number % 2 else reversed(both)), shared(*names), state(names[number % 2])]
    lines = [orjson.dumps(message) for message in made.delivered(messages)]
    numbers = iter(range(4))

    for message in write_chunks(destination_config(sandbox), made.catalog["streams"], [[line] for line in lines]):
        if message["state"]["type"] == "GLOBAL":
            number = next(numbers)
            assert message["state"]["destinationStats"] == {"recordCount": 2.0, "rejectedRecordCount": 0.0}
            for resource, key in (("accounts", f"a{number}"), ("users", f"u{number}")):
                assert sandbox.workspace.find(resource, key), f"{key} is not there yet"
        else:
            assert message["state"]["destinationStats"]["recordCount"] == 0
    assert next(numbers, None) is None
