"""Which row is meant: one key is one row, what was written is remembered, and what exists is not made again."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.destination.cases import filled, prepare
from integration_tests.destination.test_matrix import CASES
from integration_tests.harness import Run, destination_config, record, state, stream, write
from integration_tests.sandbox import Sandbox

WHEN = "2026-01-01T00:00:00Z"


def rest(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    settings = destination_config(sandbox, allow_deletes=True, **more)
    del settings["analytics_token"]
    return settings


def below_an_account(sandbox: Sandbox, resource: str, **more: Any) -> dict[str, Any]:
    """Accounts `a` and `b`, and a row of `a` with the tag `old`."""
    account = sandbox.workspace.insert("accounts", {"externalId": "a"})
    sandbox.workspace.insert("accounts", {"externalId": "b"})
    row = {"externalId": "x", "accountId": account["id"], "tags": ["old"], "note": "N", "noteDate": WHEN, "name": "N"}
    attributes = {name: value for name, value in row.items() if resource == "tasks" or name != "name"}
    if resource == "tasks":
        attributes = {name: value for name, value in row.items() if name not in ("note", "noteDate")}
    return sandbox.workspace.insert(resource, {**attributes, **more})


@pytest.mark.parametrize("resource", ["notes", "tasks"])
def test_tags_that_were_set_in_this_sync_stay_at_its_next_row(sandbox: Sandbox, resource: str) -> None:
    below_an_account(sandbox, resource)
    field = "note" if resource == "notes" else "description"
    rows: list[dict[str, Any]] = [
        {"tags": ["new"]},
        {field: "2"},
        {field: "3", "name" if resource == "tasks" else "subject": "S"},
    ]
    messages = [record(resource, {"externalId": "x", "accountId": "a", **row}) for row in rows]
    result = write(rest(sandbox), [stream(resource)], messages)
    assert result.counts(resource)["accepted"] == 3
    [row] = sandbox.workspace.rows(resource)
    assert (row["tags"], row[field]) == (["new"], "3")


@pytest.mark.parametrize("resource", ["notes", "tasks"])
@pytest.mark.parametrize("known", [True, False])
def test_tags_of_a_row_made_in_this_sync_stay_at_its_next_row(sandbox: Sandbox, resource: str, known: bool) -> None:
    below_an_account(sandbox, resource)
    first: dict[str, Any] = (
        {"name": "N", "tags": ["t"]} if resource == "tasks" else {"note": "N", "noteDate": WHEN, "tags": ["t"]}
    )
    field = "note" if resource == "notes" else "description"
    rows: list[dict[str, Any]] = [{"externalId": "x"}] * known + [
        {"externalId": "y", **first},
        {"externalId": "y", field: "2"},
    ]
    result = write(
        rest(sandbox, num_workers=1), [stream(resource)], [record(resource, {"accountId": "a", **row}) for row in rows]
    )
    assert result.counts(resource)["accepted"] == len(rows), result.log
    row = sandbox.workspace.find(resource, "y")
    assert row is not None
    assert (row["tags"], row[field]) == (["t"], "2")


@pytest.mark.parametrize("by", ["externalId", "id"])
@pytest.mark.parametrize("resource", ["notes", "tasks"])
def test_a_row_deleted_and_written_again_in_one_sync_is_there(sandbox: Sandbox, resource: str, by: str) -> None:
    sandbox.switches.note_post_existing = "duplicate"
    known = below_an_account(sandbox, resource)
    row: dict[str, Any] = {"externalId": "x", "accountId": "a", "name": "New", "note": "New", "noteDate": WHEN}
    row = {
        name: value
        for name, value in row.items()
        if name not in (("name",) if resource == "notes" else ("note", "noteDate"))
    }
    gone = {"id": known["id"]} if by == "id" else {"externalId": "x", "accountId": "a"}
    messages = [
        record(resource, {"externalId": "x", "accountId": "a"}),
        record(resource, {**gone, "_ab_cdc_deleted_at": WHEN}),
        record(resource, row),
    ]
    result = write(rest(sandbox, num_workers=1), [stream(resource)], messages)
    assert result.error is None
    live = [row for row in sandbox.workspace.rows(resource) if not row["archivedAt"]]
    assert len(live) == (1 if resource == "notes" else len(live))
    assert result.counts(resource)["accepted"] == 3 or "Vitally does not bring it back" in result.log


def test_a_task_that_moves_is_found_where_it_is(sandbox: Sandbox) -> None:
    below_an_account(sandbox, "tasks")
    rows: list[dict[str, Any]] = [
        {"accountId": "a"},
        {"accountId": "b", "name": "N", "tags": ["t"]},
        {"accountId": "b", "description": "D"},
    ]
    messages = [record("tasks", {"externalId": "x", **row}) for row in rows]
    result = write(rest(sandbox, num_workers=1), [stream("tasks")], messages)
    assert result.counts("tasks")["accepted"] == 3
    [row] = sandbox.workspace.rows("tasks")
    assert (row["tags"], row["description"]) == (["t"], "D")


def test_children_of_an_account_made_anew_go_to_the_new_one(sandbox: Sandbox) -> None:
    """The account comes back by a batch, whose answer does not say its new id."""
    sandbox.workspace.insert("accounts", {"externalId": "a"})
    mappings = [{"stream": "gone", "object": "account", "operation": "delete", "other_columns": "traits"}]
    # So few requests are affordable that nothing is held back for its parents.
    settings = destination_config(sandbox, allow_deletes=True, mappings=mappings, num_workers=1, requests_per_minute=4)
    note = {"accountId": "a", "note": "N", "noteDate": WHEN}
    messages = [
        record("notes", {"externalId": "before", **note}),
        record("gone", {"externalId": "a"}),
        record("accounts", {"externalId": "a", "name": "New"}),
        record("notes", {"externalId": "after", **note}),
    ]
    result = write(settings, [stream(name) for name in ("gone", "accounts", "notes")], messages)
    assert result.error is None
    [account] = sandbox.workspace.rows("accounts")
    assert [(row["externalId"], row["accountId"]) for row in sandbox.workspace.rows("notes")] == [
        ("after", account["id"])
    ]


# Events


def orders(name: str, namespace: str | None, *ids: int) -> list[dict[str, Any]]:
    messages = [record(name, {"id": number, "event": "order placed", "accountId": "a"}) for number in ids]
    for message in messages:
        message["record"]["namespace"] = namespace
    return messages


@pytest.mark.parametrize("places", [[("orders", None), ("old_orders", None)], [("orders", "eu"), ("orders", "us")]])
def test_events_of_two_tables_with_the_same_ids_are_two(sandbox: Sandbox, places: list[tuple[str, str | None]]) -> None:
    sandbox.workspace.insert("accounts", {"externalId": "a"})
    streams = []
    for name, namespace in places:
        streams.append(stream(name))
        streams[-1]["stream"]["namespace"] = namespace
    mappings = [{"stream": name, "object": "event", "other_columns": "traits"} for name in {name for name, _ in places}]
    messages = [message for name, namespace in places for message in orders(name, namespace, *range(60))]
    for _ in range(2):
        result = write(destination_config(sandbox, mappings=mappings), streams, messages)
        assert result.error is None
        assert "superseded, 0 skipped" in result.log
        assert " 60 superseded" not in result.log
    assert len(sandbox.workspace.events) == 120


def test_of_equal_events_the_later_is_superseded(sandbox: Sandbox) -> None:
    sandbox.workspace.insert("accounts", {"externalId": "a"})
    messages = [*orders("events", None, 1, 2), state("events", 1), *orders("events", None, 1, 1), state("events", 2)]
    result = write(destination_config(sandbox), [stream("events")], messages)
    assert result.counts("events") == {"records": 4, "accepted": 2, "superseded": 2, "skipped": 0, "rejected": 0}
    assert len(sandbox.workspace.events) == 2


# Emails and external ids


@pytest.mark.parametrize("workers", [1, 8])
def test_two_spellings_of_an_email_are_one_user(sandbox: Sandbox, workers: int) -> None:
    sandbox.workspace.insert("accounts", {"externalId": "a"})
    spellings = ["Ida@Example.com", "ida@example.com", "IDA@EXAMPLE.COM", " ida@example.com"]
    rows = [
        record("rows", {"externalId": f"u{n}", "email": email, "accountId": "a", "name": f"{n}"})
        for n, email in enumerate(spellings)
    ]
    streams = [stream("rows", destination_object_name="user", primary_key=[["email"]])]
    result = write(rest(sandbox, num_workers=workers), streams, rows)
    assert result.counts("rows")["accepted"] == len(spellings), result.log
    [user] = sandbox.workspace.rows("users")
    assert user["name"] == "3"


@pytest.mark.parametrize("operation", ["upsert", "update", "delete"])
def test_an_external_id_that_several_rows_share_is_a_rejection_with_the_ids(sandbox: Sandbox, operation: str) -> None:
    prepare(sandbox)
    [known] = sandbox.workspace.rows("instances")
    other = sandbox.workspace.insert("instances", {**known, "id": sandbox.workspace.new_id()})
    settings = rest(
        sandbox,
        mappings=[
            {
                "stream": "rows",
                "object": "custom_object/featureRequest",
                "operation": operation,
                "other_columns": "traits",
            }
        ],
    )
    row = record("rows", {"externalId": "inst-1", "name": "New", "accountId": "acct/1"})
    result = write(settings, [stream("rows")], [row, state("rows", 1)])
    assert result.counts("rows")["rejected"] == 1
    assert "2 rows in Vitally have this externalId; match by id, or merge them in Vitally" in result.log
    assert known["id"] in result.log
    assert other["id"] in result.log
    assert sorted(row["id"] for row in sandbox.workspace.rows("instances")) == sorted([known["id"], other["id"]])


# What exists is not made again

TAKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "organization": ("organizations", {"externalId": "org-1", "name": "New", "plan": "new"}),
    "account": ("accounts", {"externalId": "acct/1", "name": "New", "plan": "new"}),
    "user": ("users", {"externalId": "user-1", "name": "New", "accountId": "acct/1"}),
    "custom_object/featureRequest": ("instances", {"externalId": "inst-1", "name": "New", "accountId": "acct/1"}),
    "note": ("notes", {"externalId": "note-1", "accountId": "acct/1", "note": "New", "noteDate": WHEN}),
    "task": ("tasks", {"externalId": "task-1", "accountId": "acct/1", "name": "New"}),
    "nps_response": ("npsResponses", {"externalId": "nps-1", "userId": "user-1", "score": 9, "respondedAt": WHEN}),
    "conversation": ("conversations", {"externalId": "conv-1", "subject": "New"}),
    "message": ("messages", {"externalId": "msg-1", "conversationId": "conv-1", "message": "New"}),
    "meeting": ("meetings", {"externalId": "meet-1", "title": "New", "participants": [{}]}),
}  # fmt: skip


@pytest.mark.parametrize("existing", ["update", "duplicate"])
@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("name", TAKEN)
def test_a_create_of_what_exists_is_skipped_and_leaves_it(
    sandbox: Sandbox, name: str, existing: Any, dry_run: bool
) -> None:
    prepare(sandbox)
    for kind in ("account", "note", "conversation", "meeting"):
        setattr(sandbox.switches, f"{kind}_post_existing", existing)
    resource, row = TAKEN[name]
    if name == "message":
        person = sandbox.workspace.rows("messages")[0]["from"]
        row = row | {"from": person, "to": [person]}
    before = sandbox.workspace.rows(resource)
    settings = rest(
        sandbox,
        dry_run=dry_run,
        mappings=[{"stream": "rows", "object": name, "operation": "create", "other_columns": "traits"}],
    )

    result = write(settings, [stream("rows")], [record("rows", row), state("rows", 1)])

    assert result.error is None
    assert "1 skipped, 0 rejected" in result.log, result.log
    assert sandbox.workspace.rows(resource) == before


CREATES = [
    case for case in CASES if case.operation == "create" and case.transport == "rest" and case.record.get("externalId")
]


@pytest.mark.parametrize("case", CREATES, ids=lambda case: case.title)
def test_of_two_creates_of_one_key_the_second_is_skipped(sandbox: Sandbox, case: Any) -> None:
    prepare(sandbox)
    settings = rest(
        sandbox, mappings=[{"stream": "rows", "object": case.object, "operation": "create", "other_columns": "traits"}]
    )
    rows = [record("rows", filled(case.record, sandbox))] * 2
    real: Run = write(settings, [stream("rows")], rows)
    assert (real.counts("rows")["accepted"], real.counts("rows")["skipped"]) == (1, 1)


def test_of_two_creates_of_one_key_a_dry_run_counts_one(sandbox: Sandbox) -> None:
    for case in CREATES:
        with Sandbox(empty=True) as fresh:
            prepare(fresh)
            mappings = [{"stream": "rows", "object": case.object, "operation": "create", "other_columns": "traits"}]
            rows = [record("rows", filled(case.record, fresh))] * 2
            result = write(rest(fresh, dry_run=True, mappings=mappings), [stream("rows")], rows)
            assert (
                "2 records = 1 created, 0 updated, 0 created or updated, 0 deleted, 0 superseded, 1 skipped"
                in result.log
            )
