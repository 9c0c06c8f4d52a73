"""Rows that would change nothing are not sent, and everything else is: for every object, way and field of the table."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.objects.model import RestRoute
from destination_vitally.objects.table import OBJECTS
from integration_tests.destination.objects import test_conversations, test_custom_objects, test_meetings
from integration_tests.destination.ways import Way, record_of, ways_of
from integration_tests.destination.world import World
from integration_tests.harness import (
    Run,
    configured,
    destination_config,
    record,
    run_source,
    source_config,
    stream,
    write,
)
from integration_tests.round_trip import TABLES, mappings, without_untracked
from integration_tests.sandbox import Sandbox
from vitally_api.names import STREAM_PREFIX

NEVER_COMPARED = {
    "meeting_transcript": "it stands in no list",
    "custom_object_definition": "its custom fields are not shown with it",
}
"""Objects whose rows are always sent, and why."""

NOT_SHOWN = {"conversation": {"messages"}}
"""Fields that no answer of Vitally shows, so that rows with them are always sent."""

SAMPLES = {**test_conversations.SAMPLES, **test_custom_objects.SAMPLES, **test_meetings.SAMPLES}
WAYS = [
    way
    for entry in OBJECTS
    for way in ways_of(entry)
    if way.operation in ("upsert", "update") and not way.nothing and entry.name not in NEVER_COMPARED
]


def send(sandbox: Sandbox, way: Way, world: World, given: dict[str, Any], **settings: Any) -> Run:
    chosen = destination_config(sandbox, **settings)
    if isinstance(way.route, RestRoute):
        del chosen["analytics_token"]
    chosen["mappings"] = [
        {"stream": "rows", "object": world.name, "operation": way.operation, "other_columns": "traits"}
    ]
    result = write(chosen, [stream("rows")], [record("rows", given)])
    assert result.error is None, result.log
    return result


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_what_was_written_in_any_way_is_not_sent_again(way: Way, sandbox: Sandbox) -> None:
    world = World(sandbox, way.entry, way.is_there, SAMPLES)
    given, _ = record_of(way, world)
    given = {name: value for name, value in given.items() if name not in NOT_SHOWN.get(way.entry.name, ())}
    if way.key and not way.key.documented:
        sandbox.switches.also_by_external_id = frozenset({world.resource})
    assert send(sandbox, way, world, given).counts("rows")["accepted"] == 1
    sandbox.journal.clear()
    result = send(sandbox, way, world, given, skip_unchanged=True)
    assert result.counts("rows")["unchanged"] == 1, result.log
    assert [request.path for request in sandbox.journal if request.method != "GET"] == []


# Sequences: what this sync sends, nothing read before counts any longer.

SEATS = "seats"


def sync(sandbox: Sandbox, messages: list[dict[str, Any]], **settings: Any) -> Run:
    """Run one sync; the mappings of the streams `a…` make them accounts."""
    names = list(dict.fromkeys(one["record"]["stream"] for one in messages))
    mappings = [{"stream": name, "object": "account", "other_columns": "traits"} for name in names if name[0] == "a"]
    chosen = destination_config(sandbox, mappings=mappings, **{"skip_unchanged": True, **settings})
    result = write(chosen, [stream(name) for name in names], messages)
    assert result.error is None, result.log
    return result


def accounts(count: int, name: str = "accounts", **more: Any) -> list[dict[str, Any]]:
    return [record(name, {"externalId": f"a{n}", "name": f"N{n}", SEATS: n, **more}) for n in range(count)]


def insert(sandbox: Sandbox, count: int, **more: Any) -> None:
    for n in range(count):
        sandbox.workspace.insert("accounts", {"externalId": f"a{n}", "name": f"N{n}", "traits": {SEATS: n}, **more})


@pytest.mark.parametrize("others", [0, 30])
@pytest.mark.parametrize("keys", ["both", "rest"])
@pytest.mark.parametrize("values", [(7, 0), (7, 8, 0), (0, 7, 0), (0, 0, 7)])
@pytest.mark.parametrize("second", ["accounts", "a_second_table"])
def test_a_row_that_goes_back_to_what_was_read_is_sent(
    sandbox: Sandbox, others: int, keys: str, values: tuple[int, ...], second: str
) -> None:
    insert(sandbox, others + 1)
    rows = [record("accounts", {"externalId": "a0", "name": "N0", SEATS: value}) for value in values[:-1]]
    rows += [*accounts(others + 1)[1:], record(second, {"externalId": "a0", "name": "N0", SEATS: values[-1]})]
    settings = {"analytics_token": None} if keys == "rest" else {}
    sync(sandbox, rows, num_workers=1, **settings)
    found = sandbox.workspace.find("accounts", "a0")
    assert found is not None
    assert found["traits"] == {SEATS: values[-1]}


@pytest.mark.parametrize("by", ["externalId", "id"])
def test_a_row_written_by_one_key_is_not_compared_by_another(sandbox: Sandbox, by: str) -> None:
    insert(sandbox, 1)
    row = sandbox.workspace.find("accounts", "a0")
    assert row is not None
    keys = [{"externalId": "a0"}, {"id": row["id"]}]
    first, last = keys if by == "id" else reversed(keys)
    tables = [record("a_one", {**first, SEATS: 7}), record("a_two", {**last, SEATS: 0})]
    mappings = [
        {"stream": name, "object": "account", "operation": "update", "fields": [{"field": key, "column": key}]}
        for name, key in (("a_one", next(iter(first))), ("a_two", next(iter(last))))
    ]
    settings = destination_config(sandbox, mappings=mappings, skip_unchanged=True, num_workers=1)
    assert write(settings, [stream("a_one"), stream("a_two")], tables).error is None
    assert sandbox.workspace.find("accounts", "a0")["traits"] == {SEATS: 0}  # type: ignore[index]


@pytest.mark.parametrize("value", [2, None])
def test_columns_that_come_late_are_compared_too(sandbox: Sandbox, value: int | None) -> None:
    insert(sandbox, 200)
    row = sandbox.workspace.find("accounts", "a3")
    assert row is not None
    sandbox.workspace.update("accounts", row["id"], {"traits": {SEATS: 3, "late": 1}})
    rows = [*accounts(200), record("accounts", {"externalId": "a3", "name": "N3", "late": value})]
    assert sync(sandbox, rows, null_values="clear").counts("accounts")["accepted"] == 1
    assert sandbox.workspace.get("accounts", row["id"])["traits"].get("late") == value


def test_an_archived_row_is_not_taken_for_the_row(sandbox: Sandbox) -> None:
    sandbox.switches.archived_ignored = True
    account = sandbox.workspace.insert("accounts", {"externalId": "a0", "name": "A"})
    for n in range(20):
        archived = "2026-01-01T00:00:00.000Z"
        task = {"externalId": f"t{n}", "name": "T", "accountId": account["id"], "archivedAt": archived}
        sandbox.workspace.insert("tasks", task)
    rows = [record("tasks", {"externalId": f"t{n}", "name": "T", "accountId": "a0"}) for n in range(20)]
    assert sync(sandbox, rows).counts("tasks")["unchanged"] == 0


def test_a_dry_run_says_what_would_not_be_sent(sandbox: Sandbox) -> None:
    insert(sandbox, 15)
    result = sync(sandbox, accounts(20), dry_run=True)
    assert "15 unchanged" in result.log
    assert "5 created" in result.log


def test_without_the_rest_key_it_is_an_error(sandbox: Sandbox) -> None:
    settings = destination_config(sandbox, skip_unchanged=True, secret_token=None)
    result = write(settings, [stream("accounts")], accounts(1))
    assert "Send only what changes (skip_unchanged) needs the REST API key (secret_token)" in str(result.error.message)  # type: ignore[union-attr]


def test_states_count_rows_that_were_not_sent(sandbox: Sandbox) -> None:
    insert(sandbox, 12)
    state = {"type": "STATE", "state": {"type": "STREAM", "stream": {"stream_descriptor": {"name": "accounts"}}}}
    settings = destination_config(sandbox, skip_unchanged=True)
    result = write(settings, [stream("accounts")], [*accounts(12), state])
    assert result.states()[0]["destinationStats"] == {"recordCount": 12.0, "rejectedRecordCount": 0.0}


def test_a_round_trip_settles(sandbox: Sandbox) -> None:
    with Sandbox(seed=1) as workspace:
        without_untracked(workspace)
        config = source_config(workspace.url, workspace.rest_key, include_archived=False, lookback_minutes=0)
        found = run_source("discover", config)
        names = [one["name"] for one in found.catalog["streams"]]
        catalog = configured(found.catalog, [n for n in names if n in TABLES or n.startswith(STREAM_PREFIX)])
        settings = destination_config(workspace, skip_unchanged=True, mappings=mappings(["conversations"]))
        states, seen = None, set[tuple[str, str, str]]()
        for turn in range(3):
            workspace.clock.advance(60)
            read = run_source("read", config, catalog, states)
            states = [message["state"] for message in read.of_type("STATE")]
            before = len(workspace.journal)
            written = write(settings, catalog["streams"], read.of_type("RECORD"))
            assert written.error is None
            sent = [
                request
                for request in workspace.journal[before:]
                if request.method != "GET" and not request.path.endswith("/transcript")  # of which nothing is compared
            ]
            assert not sent or turn == 0, "a second turn sends nothing"
            rows = [(one["record"]["stream"], one["record"]["data"]) for one in read.of_type("RECORD")]
            versions = {(name, row["id"], row.get("updatedAt")) for name, row in rows if name != "meeting_transcripts"}
            assert turn < 2 or versions <= seen, "a third sync reads nothing new"
            seen |= versions


# What it costs


@pytest.mark.parametrize(
    ("there", "rows", "changed", "reads"),
    [
        (1_000, 5, 0, (0, 5)),
        (1_000, 10, 0, (0, 10)),
        (1_000, 50, 0, (10, 0)),
        (5_000, 20, 0, (20, 20)),
        (1_000, 1_000, 0, (10, 0)),
        (1_000, 1_000, 100, (10, 0)),
        (0, 300, 300, (1, 10)),
    ],
)
def test_rows_are_read_by_pages_or_one_by_one_whichever_is_cheaper(
    sandbox: Sandbox, there: int, rows: int, changed: int, reads: tuple[int, int]
) -> None:
    insert(sandbox, there)
    messages = accounts(rows)
    for message in messages[:changed]:
        message["record"]["data"]["name"] = "changed"
    result = sync(sandbox, messages, num_workers=1)
    assert result.counts("accounts")["unchanged"] == rows - changed
    assert (sandbox.journal.count("/accounts$"), sandbox.journal.count("/accounts/")) == reads
    assert sandbox.journal.count("/batch") == -(-changed // 100)


@pytest.mark.parametrize("workers", [1, 8, 20])
def test_rows_that_no_list_shows_are_asked_for_as_long_as_they_are_there(sandbox: Sandbox, workers: int) -> None:
    sandbox.switches.latency = 0.01
    insert(sandbox, 60, untracked=True)
    assert sync(sandbox, accounts(60), num_workers=workers).counts("accounts")["unchanged"] == 60
    assert sandbox.journal.count("/accounts/") == 60


def test_rows_that_are_new_are_not_asked_for_forever(sandbox: Sandbox) -> None:
    assert sync(sandbox, accounts(300)).counts("accounts")["accepted"] == 300
    assert sandbox.journal.count("/accounts/") == 10
