"""Dry run: everything but the sending; nothing is written, no state is given back, the summary says what would be."""

from __future__ import annotations

import re
from typing import Any

import pytest

from integration_tests.destination.cases import ACC, NOTE, USR, Case, filled, prepare
from integration_tests.destination.mirrored import Scene, said
from integration_tests.destination.test_matrix import CASES
from integration_tests.harness import (
    FORKED_DESTINATION,
    Run,
    destination_config,
    record,
    run_process,
    state,
    stream,
    write,
)
from integration_tests.sandbox import Sandbox

EFFECTS = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
}


def forecast(result: Run, title: str = "rows") -> dict[str, int]:
    """The numbers of a stream's line, the zeroes left out."""
    [line] = [text for text in result.logs("INFO") if text.startswith(f"Dry run, nothing was sent. Stream {title} ")]
    numbers = re.findall(r"(\d+) ([a-z ]+?)(?:,|$)", line.split(" records = ")[1])
    return {words: int(number) for number, words in numbers if number != "0"}


def writes(sandbox: Sandbox) -> list[str]:
    return [f"{request.method} {request.path}" for request in sandbox.journal if request.method != "GET"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_of_each_operation_sends_nothing_and_says_what_it_would_do(case: Case) -> None:
    with Sandbox(empty=True) as sandbox:
        prepare(sandbox)
        settings = destination_config(sandbox, allow_deletes=True, dry_run=True)
        if case.transport == "rest":
            del settings["analytics_token"]
        settings["mappings"] = [
            {"stream": "rows", "object": case.object, "operation": case.operation, "other_columns": "traits"}
        ]
        rows = [record("rows", filled(case.record, sandbox)), state("rows", 1)]

        result = write(settings, [stream("rows")], rows)

        assert result.error is None
        assert writes(sandbox) == []
        assert result.states() == []
        [(effect, count)] = forecast(result).items()
        assert count == 1
        assert effect == _expected(case, sandbox)


def _expected(case: Case, sandbox: Sandbox) -> str:
    if case.outcome == "skipped" or case.operation != "upsert":
        return "skipped" if case.outcome == "skipped" else EFFECTS[case.operation]
    if case.object in ("nps_response", "membership", "meeting_transcript"):
        return "created or updated"  # there is no way to look
    assert case.after is not None
    resource, key, _ = case.after
    return "updated" if sandbox.workspace.find(resource, filled({"key": key}, sandbox)["key"]) else "created"


def test_rows_that_would_be_made_count_as_there(make_sandbox: Any) -> None:
    sandbox = make_sandbox(empty=True)
    names = ["organizations", "accounts", "users", "notes", "custom_object_feature_request"]
    rows = [
        record("notes", {"externalId": "n", "accountId": "a", "note": "x", "noteDate": "2026-01-01"}),
        record("users", {"externalId": "u", "accountIds": ["a"]}),
        record("users", {"externalId": "u", "accountIds": ["a"], "name": "Later"}),
        record("accounts", {"externalId": "a", "name": "A", "organizationId": "o"}),
        record("organizations", {"externalId": "o", "name": "O"}),
        record("custom_object_feature_request", {"externalId": "i", "name": "I", "accountId": "a"}),
    ]
    for settings in (
        destination_config(sandbox, dry_run=True),
        {**destination_config(sandbox, dry_run=True), "analytics_token": None},
    ):
        result = write(settings, [stream(name) for name in names], rows)
        assert result.error is None
        assert [forecast(result, name) for name in names] == [
            {"created": 1}, {"created": 1}, {"created": 1, "updated": 1}, {"created": 1}, {"created": 1},
        ]  # fmt: skip
        assert writes(sandbox) == []


def test_without_a_rest_key_nothing_is_read(make_sandbox: Any) -> None:
    sandbox = make_sandbox(empty=True)
    settings = {**destination_config(sandbox, dry_run=True), "secret_token": None}
    rows = [record("accounts", {"externalId": f"a{n}"}) for n in range(250)]
    rows += [record("events", {"event": "e", "accountId": "a1", "id": str(n)}) for n in range(3)]
    result = write(settings, [stream("accounts"), stream("events")], rows)
    assert result.error is None
    assert (forecast(result, "accounts"), forecast(result, "events")) == ({"created or updated": 250}, {"created": 3})
    assert len(sandbox.journal) == 0


def test_what_would_be_rejected_is_said_with_its_reason(make_sandbox: Any) -> None:
    sandbox = make_sandbox(empty=True)
    prepare(sandbox)
    mappings = [{"stream": "gone", "object": "account", "operation": "delete", "other_columns": "traits"}]
    rows = [
        record("notes", {"externalId": "n", "accountId": "nobody", "note": "x", "noteDate": "2026-01-01"}),
        record("notes", {"id": NOTE, "note": "new"}),
        record("users", {"externalId": "u"}),
        record("users", {"externalId": "user-1", "name": "New"}),
        record("gone", {"id": ACC}),
    ]
    settings = destination_config(sandbox, dry_run=True, mappings=mappings)
    result = write(settings, [stream("notes"), stream("users"), stream("gone")], rows)
    assert result.unforeseen is None
    assert forecast(result, "notes") == {"updated": 1, "rejected": 1}
    assert forecast(result, "users") == {"updated": 1, "rejected": 1}
    assert forecast(result, "gone") == {"rejected": 1}
    for reason in ("Vitally has no account with this id", "is required to create it", "deletes are switched off"):
        assert reason in result.log
    assert sandbox.workspace.get("users", USR)["name"] == "Old"


def test_as_a_process(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=1)
    before = len(sandbox.workspace.rows("accounts"))
    lines = ['{"type":"RECORD","record":{"stream":"accounts","emitted_at":1,"data":{"externalId":"new","name":"N"}}}']
    lines.append('{"type":"STATE","state":{"type":"STREAM","id":1,"stream":{"stream_descriptor":{"name":"accounts"}}}}')
    run = run_process(
        FORKED_DESTINATION,
        "write",
        config=destination_config(sandbox, dry_run=True),
        catalog={"streams": [stream("accounts")]},
        stdin=lines,
    )
    assert run.exit_code == 0, run.errors
    assert run.of_type("STATE") == []
    assert any("1 records = 1 created" in text for text in run.logs("INFO"))
    assert any("Dry run (dry_run) is on" in text for text in run.logs("WARN"))
    assert len(sandbox.workspace.rows("accounts")) == before


@pytest.mark.parametrize("keys", ["both", "secret_token", "analytics_token"])
def test_it_counts_as_a_sync_would(make_sandbox: Any, keys: str) -> None:
    """Rows that change the same thing twice, each with what becomes of it."""
    sandbox = make_sandbox(empty=True)
    prepare(sandbox)
    settings = destination_config(sandbox, dry_run=True, allow_deletes=True)
    if keys != "both":
        del settings["analytics_token" if keys == "secret_token" else "secret_token"]
    gone = {"_ab_cdc_deleted_at": "2026-01-01T00:00:00Z"}
    rows: dict[str, list[Any]] = {"accounts": [{"externalId": "new", "name": "N"}, {"externalId": "new", "name": "M"}]}
    if keys != "analytics_token":
        known = {"externalId": "acct/1"}
        rows["accounts"] += [known | gone, {"id": ACC} | gone, known | gone, known | {"name": "N"}, known | gone]
    if keys != "secret_token":
        event = {"event": "e", "accountId": "new", "id": 1}
        rows["events"] = [event, event]
        rows["memberships"] = [{"userId": "user-1", "accountId": "new"} | gone] * 2
    settings["mappings"] = (
        [{"stream": "memberships", "object": "membership", "other_columns": "traits"}] if "memberships" in rows else []
    )
    messages = [record(name, row) for name, given in rows.items() for row in given]

    run = write(settings, [stream(name) for name in rows], messages)

    assert run.error is None
    if keys == "analytics_token":
        assert forecast(run, "accounts") == {"created or updated": 1, "updated": 1}
    else:
        assert forecast(run, "accounts") == {"created": 2, "updated": 1, "deleted": 2, "skipped": 2}
    if keys != "secret_token":
        assert forecast(run, "events") == {"created": 1, "superseded": 1}
        assert forecast(run, "memberships") == {"deleted": 1, "skipped": 1}
    assert writes(sandbox) == []


def test_unknown_parents_are_seen_with_a_rest_key(make_sandbox: Any) -> None:
    sandbox = make_sandbox(empty=True)
    names = ["users", "events", "custom_object_feature_request"]
    rows = [
        record("users", {"externalId": "u", "accountId": "nobody"}),
        record("events", {"event": "e", "accountId": "nobody", "id": 1}),
        record("custom_object_feature_request", {"externalId": "i", "name": "I", "accountId": "nobody"}),
    ]
    for settings, expected in (
        (destination_config(sandbox, dry_run=True), {"rejected": 1}),
        ({**destination_config(sandbox, dry_run=True), "secret_token": None}, {"created": 1}),
    ):
        chosen = names if settings["secret_token"] else ["events"]
        run = write(settings, [stream(n) for n in chosen], [row for row in rows if row["record"]["stream"] in chosen])
        assert run.unforeseen is None
        assert [forecast(run, name) for name in chosen] == [expected] * len(chosen)


def test_nothing_is_put_into_the_bucket(make_sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = make_sandbox(empty=True)
    bucket = {"storage_type": "S3", "s3_bucket_name": "abc", "s3_bucket_region": "eu-central-1", "bucket_path": "x"}
    settings = destination_config(
        sandbox, dry_run=True, object_storage_config={**bucket, "s3_endpoint": "http://127.0.0.1:9"}
    )
    run = write(settings, [stream("accounts")], [record("accounts", {"name": "no id"})])
    assert run.unforeseen is None
    assert forecast(run, "accounts") == {"rejected": 1}


# Rows that a table lacks


@pytest.mark.parametrize(
    ("percent", "words"),
    [
        (50, "2 of 4 rows in Vitally are not in the sync and would be deleted: 'gone0', 'gone1'."),
        (
            49,
            "more than the 49 % of Missing rows deleted at most (max_deletes_percent), so nothing is deleted: "
            "'gone0', 'gone1'.",
        ),
    ],
)
def test_it_says_what_would_be_deleted(sandbox: Sandbox, percent: int, words: str) -> None:
    scene = Scene(sandbox, there=["a", "b"])
    for number in range(2):
        scene.insert(f"gone{number}", id=f"00000000-0000-4000-8000-00000000000{number}")
    scene.pass_time()

    run = scene.sync(["a", "b"], dry_run=True, max_deletes_percent=percent)

    assert run.error is None
    assert "Dry run, nothing was deleted. Mirror of note (stream table): " in said(run)
    assert words in said(run)
    assert ("A sync would fail." in said(run)) == (percent == 49)
    assert scene.deletes == 0


def test_it_names_the_first_ten(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, there=["a", *(f"gone{n:02}" for n in range(30))])

    run = scene.sync(["a"], dry_run=True, max_deletes_percent=100)

    assert said(run).count("'gone") == 10
    assert said(run).endswith(", ....")
