"""What people and platforms get wrong: each a clear error, none silent, and never a secret in the output."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.harness import FORKED_SOURCE, Json, configured, run_process, run_source, source_config
from integration_tests.sandbox import Fault, Sandbox

STREAM = {"name": "users", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}
CATALOG = configured({"streams": [STREAM]})
SECRET = "sk_live_example_not_real"
ENCODED = "c2tfbGl2ZV9leGFtcGxlX25vdF9yZWFsOg"


def state(blob: Json) -> list[Json]:
    return [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}, "stream_state": blob}}]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"config": {"data_center": {"region": "mars"}}},
            "Data center (data_center), region must be one of us, eu, custom",
        ),
        ({"config": {"secret_token": ""}}, "REST API key (secret_token) must not be empty"),
        ({"config": {"num_workers": "many"}}, "Parallel requests (num_workers) must be"),
        ({"config": {"start_date": "yesterday"}}, "Start date (start_date) must be YYYY-MM-DDTHH:mm:ssZ"),
        ({"config": {"secret_token": "sk_live_wrong_example"}}, "Vitally refused the REST key"),
        ({"catalog": configured({"streams": [{**STREAM, "name": "userz"}]})}, "asks for userz"),
        ({"catalog": {"streams": "all"}}, "The catalog file cannot be read"),
        ({"state": state({"page": 7})}, "saved state of stream 'users'"),
        ({"state": state({"updatedAt": "yesterday"})}, "saved state of stream 'users'"),
        ({"state": {"users": 7}}, "The state file cannot be read"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_bad_input_to_read_is_a_config_error_that_says_what_to_do(
    make_sandbox: Any, changes: Json, sentence: str
) -> None:
    sandbox = make_sandbox(seed=1)
    config = {**source_config(sandbox.url, sandbox.rest_key), **changes.get("config", {})}
    run = run_source("read", config, changes.get("catalog", CATALOG), changes.get("state"))
    assert run.exit_code == 1
    assert any(sentence in error for error in run.errors), run.raw
    assert "config_error" in run.failure_types
    assert run.records("users") == []
    assert_no_secret(run.raw)


def test_a_config_that_is_no_json_is_said_to_be_none(make_sandbox: Any) -> None:
    run = run_process(FORKED_SOURCE, "check", config='{"secret_token": "sk_live_example_not_real", oops')
    assert run.exit_code == 1
    assert run.errors == [
        "The config file cannot be read: it must be JSON of the shape that the Airbyte protocol gives it."
    ]
    assert_no_secret(run.raw + run.stderr)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault(status=401, body={"error": f"Unknown key {SECRET}"}, times=None), "Vitally refused the REST key"),
        (Fault(status=404, times=None), "does not serve this resource"),
        (Fault(kind="html", status=200, times=None), "a body that is not JSON"),
        (Fault(kind="drop", times=None), "No connection to"),
        (Fault(status=400, body=["a list"], times=None), "rejected a request as invalid"),
        (Fault(status=200, body={"results": ["no row"]}, times=None), "a body that is not a page of rows"),
    ],
)
def test_a_failing_check_says_why_without_the_key(
    make_sandbox: Any, waits: list[float], fault: Fault, sentence: str
) -> None:
    sandbox: Sandbox = make_sandbox(seed=1)
    sandbox.faults.add(fault)
    run = run_source("check", source_config(sandbox.url, SECRET))
    assert run.connection_status["status"] == "FAILED"
    assert sentence in run.connection_status["message"]
    assert_no_secret(run.raw)


@pytest.mark.parametrize("action", ["check", "read"])
def test_a_process_says_a_refused_key_without_it(make_sandbox: Any, action: str) -> None:
    sandbox: Sandbox = make_sandbox(seed=1)
    sandbox.faults.add(Fault(status=401, body={"error": f"Unknown key {SECRET}"}, times=None))
    catalog = CATALOG if action == "read" else None
    run = run_process(FORKED_SOURCE, action, config=source_config(sandbox.url, SECRET), catalog=catalog)
    assert "Vitally refused the REST key" in run.raw
    assert run.exit_code == (action == "read")
    assert_no_secret(run.raw + run.stderr)


@pytest.mark.parametrize("path", ["/customObjects$", "/customFields$"])
def test_a_key_that_is_refused_half_way_ends_discover(make_sandbox: Any, path: str) -> None:
    sandbox: Sandbox = make_sandbox(seed=1)
    sandbox.faults.add(Fault(path=path, status=401, body={"error": f"Unknown key {SECRET}"}, times=None))
    run = run_source("discover", source_config(sandbox.url, SECRET))
    assert run.exit_code == 1
    assert any("Vitally refused the REST key" in error for error in run.errors), run.raw
    assert_no_secret(run.raw)


def test_debug_output_has_no_key(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=1)
    for key in (SECRET, f"Basic {ENCODED}=="):
        config = source_config(sandbox.url, key)
        run = run_process(FORKED_SOURCE, "read", config=config, catalog=CATALOG, debug=True)
        assert run.exit_code == 0
        assert "Making outbound API request" in run.raw
        assert_no_secret(run.raw + run.stderr)


def assert_no_secret(output: str) -> None:
    assert SECRET not in output
    assert ENCODED not in output
