"""A connection of the published source-vitally 0.4 goes on: config, state, catalog, columns and rows stay."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integration_tests.harness import FORKED_SOURCE, Json, Run, configured, run_process, run_source, source_config
from integration_tests.sandbox import Sandbox
from integration_tests.sandbox.testing.client import Client

KEY = "sk_live_example_not_real"
NO_CURSOR = {"__ab_no_cursor_state_message": True}

# The columns of 0.4: "?" is nullable, a dict an object, a list an array of what it holds, [] one of anything.
ADMIN = dict.fromkeys(["email", "id", "licenseStatus", "name"], "string?")
CATEGORY = dict.fromkeys(["createdAt", "id", "name", "updatedAt"], "string?")
SEGMENTS = [{"id": "string?", "name": "string?"}]
KEY_ROLE = {"assignedAt": "string?", "createdAt": "string?", "id": "string?", "vitallyUser": ADMIN}
KEY_ROLE |= {"keyRole": {"createdAt": "string?", "id": "string?", "label": "string?"}}
ACCOUNT = {
    **dict.fromkeys(["accountExecutiveId", "churnedAt", "createdAt", "csmId", "externalId", "id"], "string?"),
    **dict.fromkeys(["lastInboundMessageTimestamp", "lastOutboundMessageTimestamp", "name"], "string?"),
    **dict.fromkeys(["nextRenewalDate", "updatedAt"], "string?"),
    **dict.fromkeys(["healthScore", "mrr", "npsDetractorCount", "npsPassiveCount", "npsPromoterCount"], "number?"),
    **{"traits": {}, "usersCount": "number?"},
}
PROJECT = {
    **dict.fromkeys(["accountId", "actualStartDate", "archivedAt", "createdAt", "id", "name"], "string?"),
    **dict.fromkeys(["ownedByVitallyUserId", "projectCategoryId", "projectStatusId"], "string?"),
    **dict.fromkeys(["targetCompletionDate", "updatedAt"], "string?"),
    **{"durationInDays": "number?", "traits": {}},
}
COLUMNS: dict[str, Json] = {
    "accounts": {**ACCOUNT, "id": "string", "keyRoles": [KEY_ROLE], "segments": SEGMENTS},
    "admins": {**ADMIN, "id": "string"},
    "conversations": {
        **dict.fromkeys(["createdAt", "source", "status", "subject", "updatedAt"], "string?"),
        **{"id": "string", "traits": {}},
    },
    "notes": {
        **dict.fromkeys(["accountId", "authorId", "categoryId", "createdAt", "note", "noteDate"], "string?"),
        **dict.fromkeys(["subject", "updatedAt"], "string?"),
        **{"account": ACCOUNT, "author": ADMIN, "category": CATEGORY, "id": "string"},
        **{"tags": ["string?"], "traits": {}, "users": []},
    },
    "tasks": {
        **dict.fromkeys(["accountId", "assignedToId", "completedAt", "completedById", "createdAt"], "string?"),
        **dict.fromkeys(["description", "dueDate", "name", "updatedAt"], "string?"),
        **{"account": ACCOUNT, "assignedTo": ADMIN, "completedBy": ADMIN, "id": "string"},
        **{"projects": [PROJECT], "tags": [], "traits": {}},
    },
    "users": {
        **dict.fromkeys(["createdAt", "email", "externalId", "firstKnown", "joinDate"], "string?"),
        **dict.fromkeys(["lastInboundMessageTimestamp", "lastOutboundMessageTimestamp", "name"], "string?"),
        **{"accounts": [{**ACCOUNT, "segments": SEGMENTS}], "id": "string", "segments": [], "traits": {}},
        **{"unsubscribedFromConversations": "boolean?", "updatedAt": "string?"},
    },
}
WIDTHS = {"accounts": 20, "admins": 4, "conversations": 7, "notes": 15, "tasks": 16, "users": 14}
DATES_WITHOUT_TIME = ("dueDate", "actualStartDate", "targetCompletionDate")


@pytest.fixture
def workspace(make_sandbox: Any) -> Sandbox:
    sandbox: Sandbox = make_sandbox(seed=11, sizes={"accounts": 120, "notes": 110})
    return sandbox


def old_config(sandbox: Sandbox, **fields: Any) -> Json:
    return {"api_url": f"{sandbox.url}/", "status": "active", "secret_token": sandbox.rest_key, **fields}


def old_catalog(sync_mode: str = "full_refresh") -> Json:
    """The catalog as a connection of 0.4 saved it: one sync mode, no cursor, not resumable."""
    return {
        "streams": [
            {
                "stream": {
                    "name": name,
                    "json_schema": {"type": "object", "properties": {column: {} for column in COLUMNS[name]}},
                    "supported_sync_modes": ["full_refresh"],
                    "source_defined_primary_key": [["id"]],
                    "is_resumable": False,
                },
                "sync_mode": sync_mode,
                "destination_sync_mode": "overwrite",
                "primary_key": [["id"]],
            }
            for name in COLUMNS
        ]
    }


def old_states() -> list[Json]:
    return [
        {"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": NO_CURSOR}}
        for name in COLUMNS
    ]


def read_by_0_4(sandbox: Sandbox, status: str) -> dict[str, list[Json]]:
    """Ask what 0.4 asked: pages of a hundred in the API's own order, a filter on accounts only."""
    client = Client(sandbox)
    filters = {"accounts": {"status": status}}
    return {name: client.scan(name, limit=100, **filters.get(name, {})) for name in COLUMNS}


def assert_same_rows(run: Run, expected: dict[str, list[Json]]) -> None:
    for name, rows in expected.items():
        # Without null columns: the CDK's messages have none.
        wanted = {row["id"]: {key: value for key, value in row.items() if value is not None} for row in rows}
        if name == "users":  # two columns that 0.4 did not have
            for row in wanted.values():
                row |= {
                    f"{parent}Ids": [one["id"] for one in row[f"{parent}s"]] for parent in ("account", "organization")
                }
        found = run.records(name)
        assert {record["id"]: record for record in found} == wanted, name
        assert len(found) == len(wanted), name


def test_a_saved_connection_reads_what_it_read_and_is_rewritten_once(workspace: Sandbox) -> None:
    expected = read_by_0_4(workspace, "active")
    old = old_config(workspace, basic_auth_header="")
    first = run_process(FORKED_SOURCE, "read", config=old, catalog=old_catalog(), state=old_states())
    assert (first.exit_code, first.errors) == (0, [])
    assert_same_rows(first, expected)
    assert set(first.statuses.values()) == {"COMPLETE"}

    [control] = first.of_type("CONTROL")
    new = json.loads(first.saved_config)
    assert control["control"]["type"] == "CONNECTOR_CONFIG"
    assert control["control"]["connectorConfig"]["config"] == new
    assert new == source_config(
        workspace.url,
        workspace.rest_key,
        status="active",
        include_archived=False,
        inlined_objects="full",
        column_types="0.4",
    )

    second = run_source("read", first.saved_config, old_catalog(), old_states())
    assert (second.exit_code, second.errors) == (0, [])
    assert_same_rows(second, expected)
    assert second.of_type("CONTROL") == []
    assert second.saved_config == first.saved_config


def test_the_sandbox_has_rows_that_0_4_did_not_read(workspace: Sandbox) -> None:
    rows = read_by_0_4(workspace, "active")
    assert {name for name, found in rows.items() if found} == set(COLUMNS)
    assert len(rows["accounts"]) < len(read_by_0_4(workspace, "activeOrChurned")["accounts"])
    for name in ("notes", "tasks"):
        assert any(row["archivedAt"] for row in workspace.workspace.rows(name)), name
        assert not any(row["archivedAt"] for row in rows[name]), name


@pytest.mark.parametrize("status", ["churned", "activeOrChurned"])
def test_the_status_goes_on_to_choose_the_accounts(workspace: Sandbox, status: str) -> None:
    run = run_source("read", old_config(workspace, status=status), old_catalog(), old_states())
    assert_same_rows(run, read_by_0_4(workspace, status))


def test_an_old_state_is_no_state_for_an_incremental_sync(workspace: Sandbox) -> None:
    config = old_config(workspace)
    catalog = configured(run_source("discover", config).catalog, COLUMNS)
    first = run_source("read", config, catalog, old_states())
    assert first.errors == []
    assert_same_rows(first, read_by_0_4(workspace, "active"))

    workspace.clock.advance(3600)
    edited = first.records("users")[-1]["id"]
    workspace.workspace.update("users", edited, {"name": "renamed"})
    second = run_source("read", config, catalog, first.last_states())
    assert edited in {record["id"] for record in second.records("users")}
    assert len(second.records("users")) < len(first.records("users"))


def test_the_key_stands_in_the_control_message_and_nowhere_else(workspace: Sandbox) -> None:
    leftovers = {"basic_auth_header": "example-password-not-real", "api_key": "sk_live_leftover_example"}
    run = run_process(FORKED_SOURCE, "check", config=old_config(workspace, secret_token=KEY, **leftovers), debug=True)
    [control] = run.of_type("CONTROL")
    written = control["control"]["connectorConfig"]["config"]["secret_token"].removeprefix("Basic ")
    others = [line for line, message in zip(run.lines, run.messages, strict=True) if message != control]
    output = "\n".join(others) + run.stderr
    assert len(others) > 1
    for secret in (KEY, written, *leftovers.values()):
        assert secret not in output
    assert "example-password-not-real" not in json.dumps(control)
    assert "sk_live_leftover_example" not in run.raw


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"domain": "https://proxy.example.com", "status": "active", "secret_token": KEY}, "'domain' must be a single"),
        ({"domain": "acme", "status": "active"}, "REST API key (secret_token) is missing"),
        ({"domain": "acme", "secret_token": KEY, "data_center": {"region": "eu"}}, "name different addresses"),
    ],
)
def test_a_config_that_cannot_be_migrated_is_left_alone_and_said_to_be_wrong(config: Json, sentence: str) -> None:
    check = run_source("check", config)
    assert check.connection_status["status"] == "FAILED"
    assert sentence in check.connection_status["message"]
    read = run_source("read", config, old_catalog())
    assert read.exit_code == 1
    assert read.failure_types == {"config_error"}
    for run in (check, read):
        assert run.of_type("CONTROL") == []
        assert json.loads(run.saved_config) == config
        assert KEY not in run.raw


def test_a_config_file_that_cannot_be_written_is_migrated_in_memory(
    workspace: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("source_vitally.run.os.access", lambda path, mode: False)
    monkeypatch.setattr("json.dump", lambda *args: pytest.fail("the config file was written"))
    run = run_source("check", old_config(workspace))
    assert run.connection_status["status"] == "SUCCEEDED"
    assert len(run.of_type("CONTROL")) == 1


def differences(schema: Json, expected: Any, path: str) -> list[str]:
    """Return where a schema is not what a column of 0.4 was; more properties than it had are none."""
    types = {"dict": ["object", "null"], "list": ["array", "null"]}.get(type(expected).__name__) or (
        [expected[:-1], "null"] if expected.endswith("?") else expected
    )
    if schema.get("type") != types:
        return [f"{path}: {schema.get('type')} instead of {types}"]
    found = []
    if isinstance(expected, dict):
        found += [] if schema.get("additionalProperties") is True else [f"{path}: closed"]
        for name, column in expected.items():
            found += differences(schema.get("properties", {}).get(name, {}), column, f"{path}.{name}")
    if isinstance(expected, list) and expected:
        found += differences(schema["items"], expected[0], f"{path}[]")
    if expected == [] and schema["items"]:
        found.append(f"{path}[]: {schema['items']} instead of anything")
    if "format" in schema and (schema["format"] != "date-time" or path.endswith(DATES_WITHOUT_TIME)):
        found.append(f"{path}: format {schema['format']}")
    return found


def test_the_six_streams_keep_names_keys_modes_and_columns(workspace: Sandbox) -> None:
    assert {name: len(columns) for name, columns in COLUMNS.items()} == WIDTHS
    run = run_source("discover", old_config(workspace))
    rewritten = run_source("discover", json.loads(run.saved_config)).catalog
    assert rewritten == run.catalog
    streams = {stream["name"]: stream for stream in run.catalog["streams"]}
    for name, columns in COLUMNS.items():
        stream = streams[name]
        assert stream["json_schema"]["required"] == ["id"]
        assert stream["source_defined_primary_key"] == [["id"]]
        assert "full_refresh" in stream["supported_sync_modes"]
        assert stream.get("namespace") is None
        assert differences({**stream["json_schema"], "type": ["object", "null"]}, columns, name) == []
