"""Every stream: discovered with a schema its records fulfil, read whole, then only what changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker

from integration_tests.harness import Run, configured, run_source, source_config
from integration_tests.sandbox import Sandbox
from integration_tests.source.reference import INCREMENTAL, LISTS, MANIFEST, STREAMS, discovered, everything, one_pass
from vitally_api.names import STREAM_PREFIX

SIZES = {"accounts": 230, "notes": 120, "users": 110}


@pytest.fixture(scope="module")
def workspace() -> Iterator[Sandbox]:
    with Sandbox(seed=7, sizes=SIZES) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def config(workspace: Sandbox) -> dict[str, Any]:
    return source_config(workspace.url, workspace.rest_key, lookback_minutes=0)


@pytest.fixture(scope="module")
def catalog(config: dict[str, Any]) -> dict[str, Any]:
    return run_source("discover", config).catalog


@pytest.fixture(scope="module", params=["reference", "full"])
def first(request: pytest.FixtureRequest, config: dict[str, Any], catalog: dict[str, Any]) -> tuple[str, Run]:
    run = run_source("read", {**config, "inlined_objects": request.param}, configured(catalog))
    assert run.exit_code == 0, run.errors
    return request.param, run


@pytest.fixture(scope="module")
def schemas(first: tuple[str, Run], config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    catalog = run_source("discover", {**config, "inlined_objects": first[0]}).catalog
    return {stream["name"]: stream["json_schema"] for stream in catalog["streams"]}


@pytest.fixture(scope="module")
def second(first: tuple[str, Run], config: dict[str, Any], catalog: dict[str, Any]) -> Run:
    return run_source("read", config, configured(catalog), first[1].last_states())


def test_discover_lists_every_stream_with_its_modes_and_keys(catalog: dict[str, Any]) -> None:
    found = {stream["name"]: stream for stream in catalog["streams"]}
    assert [name for name in found if not name.startswith(STREAM_PREFIX)] == list(MANIFEST)
    keys = {
        "custom_fields": ["model", "path", "customObjectId"],
        "account_health_scores": ["accountId"],
        "account_health_score_components": ["accountId", "position"],
    }
    for name, stream in found.items():
        assert stream["source_defined_primary_key"] == [[key] for key in keys.get(name, ["id"])], name
        assert ("incremental" in stream["supported_sync_modes"]) is bool(stream.get("default_cursor_field")), name
    assert found["messages"]["default_cursor_field"] == ["conversationUpdatedAt"]
    assert found["users"]["default_cursor_field"] == ["updatedAt"]


@pytest.mark.parametrize("stream", STREAMS)
def test_a_full_read_equals_the_workspace(stream: str, first: tuple[str, Run], workspace: Sandbox) -> None:
    inlined, run = first
    expected = everything(workspace, stream, inlined)
    records = {record["id"]: record for record in run.records(stream)}
    assert len(run.records(stream)) == len(records), "a row came twice"
    assert records.keys() == expected.keys()
    for key, row in expected.items():
        assert records[key] == row
    assert run.statuses[stream] == "COMPLETE"


@pytest.mark.parametrize("stream", STREAMS)
def test_records_fulfil_the_discovered_schema(
    stream: str, first: tuple[str, Run], schemas: dict[str, dict[str, Any]]
) -> None:
    _, run = first
    schema = schemas[stream]
    validator = Draft7Validator(schema, format_checker=FormatChecker())
    assert run.records(stream), "the sandbox has no rows to judge by"
    for record in run.records(stream):
        assert list(validator.iter_errors(record)) == []
        if stream in LISTS:
            assert set(record) <= set(schema["properties"]), "a documented field without a type"


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_a_second_sync_without_changes_reads_the_look_back_only(
    stream: str, first: tuple[str, Run], second: Run, workspace: Sandbox
) -> None:
    feed = "conversations" if stream == "messages" else stream
    passes = [[row["updatedAt"] for row in one_pass(workspace, feed, filters)] for filters in LISTS[feed][1]]
    newest = {max(times) for times in passes if times}
    for record in second.records(stream):
        assert (record.get("conversationUpdatedAt") or record["updatedAt"]) in newest
    assert second.states(stream)[-1]["stream"] == first[1].states(stream)[-1]["stream"]


def test_edits_cost_requests_for_the_edits(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3, sizes={"accounts": 1500})
    config = source_config(sandbox.url, sandbox.rest_key, lookback_minutes=0)
    accounts = configured(discovered(), ["accounts"])
    first = run_source("read", config, accounts)
    sandbox.clock.advance(3600)
    rows = list(everything(sandbox, "accounts"))
    for changes, pages in ((3, 1), (121, 2)):
        edited = {
            sandbox.workspace.update("accounts", key, {"name": f"renamed {changes}"})["id"] for key in rows[:changes]
        }
        sandbox.journal.clear()
        run = run_source("read", config, accounts, first.last_states())
        assert edited <= {record["id"] for record in run.records("accounts")}
        assert len(run.records("accounts")) <= changes + 1
        assert sandbox.journal.count(path_regex="accounts") == pages
        first = run
        sandbox.clock.advance(3600)
