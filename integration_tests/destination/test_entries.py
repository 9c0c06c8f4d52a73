"""One stream feeds several objects, each by an entry of its own: product usage per day, and whole tables."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from destination_vitally import DestinationVitally
from integration_tests.destination.mirrored import complete, full, objects
from integration_tests.harness import Json, QuickClock, Run, destination_config, record, state, stream, write
from integration_tests.sandbox import Sandbox

WHEN = "2026-05-01T00:00:00Z"
USAGE: list[Json] = [
    {
        "stream": "USAGE_BY_DAY",
        "object": "account",
        "operation": "upsert",
        "fields": [{"field": "externalId", "column": "CUSTOMER_ID"}],
        "traits": [{"trait": "lastLogins", "column": "LOGINS"}],
        "other_columns": "ignore",
    },
    {
        "stream": "USAGE_BY_DAY",
        "object": "event",
        "constants": [{"field": "event", "value": "product used"}],
        "fields": [
            {"field": "accountId", "column": "CUSTOMER_ID"},
            {"field": "timestamp", "column": "DAY"},
            {"field": "messageId", "column": "ROW_ID"},
        ],
        "traits": [{"trait": "logins", "column": "LOGINS"}],
        "other_columns": "ignore",
    },
]
ACCOUNTS, EVENTS = "USAGE_BY_DAY, entry 1", "USAGE_BY_DAY, entry 2"


def usage(sandbox: Sandbox, *rows: tuple[str, int], **settings: Any) -> Run:
    """Sync days of use: a customer and how often they logged in, each."""
    messages = [
        record("USAGE_BY_DAY", {"ROW_ID": f"{key} {n}", "CUSTOMER_ID": key, "DAY": WHEN, "LOGINS": logins})
        for n, (key, logins) in enumerate(rows)
    ]
    config = destination_config(sandbox, mappings=USAGE, **settings)
    return write(config, [stream("USAGE_BY_DAY")], [*messages, state("USAGE_BY_DAY", 1)])


def counts(run: Run) -> tuple[Json, Json]:
    """What became of the rows, entry by entry."""
    found = run.counts(ACCOUNTS), run.counts(EVENTS)
    return tuple({word: count for word, count in one.items() if count} for one in found)  # type: ignore[return-value]


def test_usage_per_day_becomes_traits_and_events(sandbox: Sandbox) -> None:
    """Given rows of customers that exist and are new, when they are synced twice, then each is once in Vitally."""
    sandbox.workspace.insert("accounts", {"externalId": "a", "name": "A"})
    first = usage(sandbox, ("a", 3), ("b", 4))
    assert (first.error, counts(first)) == (None, ({"records": 2, "accepted": 2}, {"records": 2, "accepted": 2}))
    [given] = first.of_type("STATE")
    assert given["state"]["destinationStats"] == {"recordCount": 2.0, "rejectedRecordCount": 0.0}
    again = usage(sandbox, ("a", 3), ("b", 4), skip_unchanged=True)
    assert counts(again) == ({"records": 2, "unchanged": 2}, {"records": 2, "accepted": 2})
    assert {row["externalId"]: row["traits"] for row in sandbox.workspace.rows("accounts")} == {
        "a": {"lastLogins": 3},
        "b": {"lastLogins": 4},
    }
    assert sorted(event["properties"]["logins"] for event in sandbox.workspace.events) == [3, 4]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [({}, None), ({"object": "evnt"}, "stream 'USAGE_BY_DAY', entry 2 of Mappings: there is no object 'evnt'")],
)
def test_check_looks_at_each_entry(sandbox: Sandbox, changes: Json, problem: str | None) -> None:
    config = destination_config(sandbox, mappings=[USAGE[0], {**USAGE[1], **changes}])
    status = DestinationVitally(QuickClock()).check(logging.getLogger("airbyte"), config)
    assert status.message is None if problem is None else str(status.message).startswith(problem)


def test_a_dry_run_says_of_each_entry_what_it_would_do(sandbox: Sandbox) -> None:
    sandbox.workspace.insert("accounts", {"externalId": "a", "name": "A"})
    run = usage(sandbox, ("a", 3), ("b", 4), dry_run=True)
    for of, became in (("1 (upsert account)", "1 created, 1 updated"), ("2 (create event)", "2 created, 0 updated")):
        assert f"Stream USAGE_BY_DAY, entry {of}: 2 records = {became}" in run.log


@pytest.mark.parametrize("missing", ["x", None])
def test_a_table_of_several_objects_is_mirrored_as_each(sandbox: Sandbox, missing: str | None) -> None:
    """Given a table that is the whole of two objects, when rows of both are in Vitally alone, then both lose them."""
    both = [objects(sandbox)[name] for name in ("note", "task")]
    for one in both:
        for key in ("a", "b", "c", *([missing] if missing else [])):
            sandbox.workspace.insert(one.resource, {**one.row, "externalId": key})
    sandbox.clock.advance(60)
    said = {"stream": "table", "other_columns": "ignore", "missing_rows": "delete", "missing_rows_grace_hours": 0}
    config = destination_config(
        sandbox, allow_deletes=True, max_deletes_percent=50, mappings=[{**said, "object": one.object} for one in both]
    )
    data = {**both[0].data, **both[1].data}
    rows = [record("table", {"externalId": key, **data}) for key in "abc"]
    assert write(config, [full("table")], [*rows, complete("table")]).error is None
    for one in both:
        left = {row["externalId"] for row in sandbox.workspace.rows(one.resource) if not row.get("archivedAt")}
        assert left == {"a", "b", "c"}
    assert sandbox.journal.count("resources/", "DELETE") == (2 if missing else 0)
