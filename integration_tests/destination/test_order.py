"""Order and repetition: the last value wins, a replay changes nothing, parents go before their children."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.harness import QuickClock, destination_config, record, state, stream, write
from integration_tests.sandbox import Sandbox

ACCOUNTS = [stream("accounts")]


def account(plan: str, **more: Any) -> dict[str, Any]:
    return record("accounts", {"externalId": "acct-1", "name": "Acme", "plan": plan, **more})


@pytest.mark.parametrize("transport", ["analytics", "rest"])
@pytest.mark.parametrize("gap", [0, 150], ids=["one batch", "several batches"])
@pytest.mark.parametrize("late_is_dropped", [False, True])
def test_back_to_an_earlier_value_within_one_sync(
    sandbox: Sandbox, transport: str, gap: int, late_is_dropped: bool
) -> None:
    sandbox.switches.older_timestamp_overwrites = not late_is_dropped
    between = [record("accounts", {"externalId": f"other-{n}", "name": "Other"}) for n in range(gap)]
    settings = destination_config(sandbox)
    if transport == "rest":
        del settings["analytics_token"]

    result = write(settings, ACCOUNTS, [account("A"), *between, account("B"), *between, account("A")])

    assert result.error is None
    assert find(sandbox)["traits"]["plan"] == "A"


@pytest.mark.parametrize("transport", ["analytics", "rest"])
def test_back_to_an_earlier_value_across_syncs(sandbox: Sandbox, transport: str) -> None:
    settings = destination_config(sandbox)
    if transport == "rest":
        del settings["analytics_token"]
    for number, plan in enumerate("ABA"):
        write(settings, ACCOUNTS, [account(plan)], clock=QuickClock(1_790_000_000 + number * 3600))
    assert find(sandbox)["traits"]["plan"] == "A"


def test_rows_of_one_key_are_merged_and_counted(sandbox: Sandbox) -> None:
    rows = [account("A", seats=1), account("B", region="EU"), account("C")]

    result = write(destination_config(sandbox), ACCOUNTS, [*rows, state("accounts", 1)])

    assert find(sandbox)["traits"] == {"plan": "C", "seats": 1, "region": "EU"}
    assert result.counts("accounts") == {
        "records": 3,
        "accepted": 1,
        "superseded": 2,
        "skipped": 0,
        "rejected": 0,
    }
    assert result.states()[0]["destinationStats"] == {"recordCount": 3.0, "rejectedRecordCount": 0.0}
    assert sandbox.journal.count("batch") == 1


def test_a_user_of_several_accounts_keeps_all_of_them_and_the_last_value(sandbox: Sandbox) -> None:
    accounts = [record("accounts", {"externalId": f"a{n}", "name": "A"}) for n in range(3)]
    users = [
        record("users", {"externalId": "u", "accountId": account_id, "role": role})
        for account_id, role in [("a0", "x"), ("a1", "y"), ("a0", "z"), ("a2", "last")]
    ]

    result = write(destination_config(sandbox), [*ACCOUNTS, stream("users")], [*users, *accounts])

    assert result.error is None
    row = sandbox.workspace.find("users", "u")
    assert row is not None
    assert len(row["accountIds"]) == 3
    assert row["traits"] == {"role": "last"}


@pytest.mark.parametrize("orphans", ["drop", "reject"])
def test_parents_that_arrive_later_are_written_first(sandbox: Sandbox, orphans: Any) -> None:
    sandbox.switches.orphans = orphans
    messages = []
    for n in range(150):
        messages += [
            record("notes", {"externalId": f"n{n}", "accountId": f"a{n}", "note": "x", "noteDate": "2026-01-01"}),
            record("events", {"event": "e", "id": n, "userId": f"u{n}", "timestamp": "2026-01-01T00:00:00Z"}),
            record("users", {"externalId": f"u{n}", "accountId": f"a{n}"}),
            state("users", 3 * n),
            record("accounts", {"externalId": f"a{n}", "name": "A", "organizationId": f"o{n}"}),
            state("accounts", 3 * n + 1),
            record("organizations", {"externalId": f"o{n}", "name": "O"}),
            state("events", 3 * n + 2),
        ]
    streams = [stream(name) for name in ("events", "users", "accounts", "organizations", "notes")]

    result = write(destination_config(sandbox), streams, messages)

    assert result.error is None
    assert result.state_ids == list(range(450))
    assert len(sandbox.workspace.events) == 150
    for resource in ("users", "accounts", "organizations", "notes"):
        assert len(sandbox.workspace.rows(resource)) == 150
    assert all(len(row["accountIds"]) == 1 for row in sandbox.workspace.rows("users"))
    assert all(row["organizationId"] for row in sandbox.workspace.rows("accounts"))
    for name in ("users", "accounts", "organizations", "events", "notes"):
        assert result.counts(name)["accepted"] == 150


def test_upserts_and_deletes_of_one_key_keep_their_order(sandbox: Sandbox) -> None:
    gone = {"_ab_cdc_deleted_at": "2026-01-01T00:00:00Z"}
    rows = [
        account("A"),
        record("accounts", {"externalId": "acct-1", **gone}),
        account("B"),
        record("accounts", {"externalId": "acct-2", "name": "Two"}),
        record("accounts", {"externalId": "acct-2", "name": None, **gone}),
    ]

    result = write(destination_config(sandbox, allow_deletes=True), ACCOUNTS, rows)

    assert result.error is None
    assert find(sandbox)["traits"] == {"plan": "B"}
    assert sandbox.workspace.find("accounts", "acct-2") is None


def test_an_event_counts_once_however_often_it_is_sent(sandbox: Sandbox) -> None:
    sandbox.workspace.insert("users", {"externalId": "u", "name": "U"})
    by_id = record("events", {"event": "e", "id": 7, "userId": "u", "timestamp": "2026-01-01"})
    by_content = record("events", {"event": "e", "userId": "u", "timestamp": "2026-01-01", "a": 1, "b": 2})
    reordered = record("events", {"b": 2, "a": 1, "timestamp": "2026-01-01", "userId": "u", "event": "e"}, 5)
    other = record("events", {"event": "other", "id": 7, "userId": "u", "timestamp": "2026-01-01"})

    for number in range(2):
        clock = QuickClock(1_790_000_000 + number * 3600)
        result = write(
            destination_config(sandbox), [stream("events")], [by_id, by_content, reordered, by_id, other], clock=clock
        )
        assert result.error is None

    assert len(sandbox.workspace.events) == 3


@pytest.mark.parametrize("existing", ["update", "reject", "duplicate"])
@pytest.mark.parametrize("transport", ["analytics", "rest"])
def test_a_second_sync_of_the_same_records_changes_nothing(sandbox: Sandbox, existing: Any, transport: str) -> None:
    sandbox.switches.account_post_existing = existing
    sandbox.switches.note_post_existing = existing
    sandbox.switches.meeting_post_existing = existing
    names = ["organizations", "accounts", "users", "notes", "tasks", "nps_responses", "meetings"]
    names += ["custom_object_feature_request"]
    when = "2026-01-01T00:00:00Z"
    parent = {"accountId": "a"}
    rows = [
        record("organizations", {"externalId": "o", "name": "O"}),
        record("accounts", {"externalId": "a", "name": "A", "organizationId": "o"}),
        record("users", {"externalId": "u", **parent, "email": "u@example.com"}),
        record("notes", {"externalId": "n", **parent, "note": "N", "noteDate": when, "tags": ["t"]}),
        record("tasks", {"externalId": "t", **parent, "name": "T"}),
        record("nps_responses", {"externalId": "r", "userId": "u", "score": 3, "respondedAt": when}),
        record("custom_object_feature_request", {"externalId": "i", "name": "I", **parent}),
        record(
            "meetings",
            {"externalId": "m", "title": "M", "participants": [{"userId": "u", "type": "organizer"}]},
        ),
    ]
    settings = destination_config(sandbox)
    if transport == "rest":
        del settings["analytics_token"]
    resources = [
        "organizations",
        "accounts",
        "users",
        "notes",
        "tasks",
        "npsResponses",
        "meetings",
        "instances",
    ]

    def contents() -> dict[str, Any]:
        return {
            name: [{k: v for k, v in row.items() if k != "updatedAt"} for row in sandbox.workspace.rows(name)]
            for name in resources
        }

    write(settings, [stream(name) for name in names], rows)
    once = contents()
    result = write(settings, [stream(name) for name in names], rows)

    assert all(len(found) == 1 for found in once.values())
    assert contents() == once
    assert all(result.counts(name)["accepted"] == 1 for name in names), result.log


def find(sandbox: Sandbox) -> dict[str, Any]:
    row = sandbox.workspace.find("accounts", "acct-1")
    assert row is not None
    return row
