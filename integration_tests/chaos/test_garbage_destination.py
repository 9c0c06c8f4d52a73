"""Whatever comes in, the destination ends with outcomes or an error in words of its own, and gives no secret away."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from destination_vitally import config as configuration
from destination_vitally.commands.files import read_catalog
from destination_vitally.errors import ConfigError, InputError
from destination_vitally.mapping import plan
from integration_tests.chaos.garbage import EXAMPLES, JSON, SECRET, in_time, mutated
from integration_tests.harness import Run, destination_config, record, state, stream, write
from integration_tests.sandbox import Fault, Sandbox
from unit_tests.destination.builders import OneDefinition

WHEN = "2026-01-01T00:00:00Z"
ROWS: dict[str, dict[str, Any]] = {
    "accounts": {"externalId": "a", "name": "A", "traits": {"plan": "x"}},
    "users": {"externalId": "u", "accountId": "a", "email": "ida@example.com"},
    "notes": {"externalId": "n", "accountId": "a", "note": "N", "noteDate": WHEN, "tags": ["t"]},
    "custom_object_feature_request": {"externalId": "i", "name": "I", "accountId": "a"},
    "events": {"event": "e", "id": 1, "accountId": "a", "timestamp": WHEN},
}
NAMES = st.sampled_from(sorted(ROWS))
RECORDS = NAMES.map(lambda name: record(name, ROWS[name]))
LINES = st.one_of(
    RECORDS,
    RECORDS.flatmap(mutated),
    NAMES.map(lambda name: state(name, 1)),
    NAMES.flatmap(lambda name: mutated(state(name, 1))),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"")),
)
BODIES = st.one_of(
    JSON,
    mutated({"results": [{"id": "x", "externalId": "n", "tags": []}], "next": "more"}),
    mutated({"id": "x", "externalId": "n"}),
    mutated({"error": f"Unknown key {SECRET}", "message": "no"}),
    st.text(max_size=30),
)
FAULTS = st.builds(
    Fault,
    path=st.sampled_from(["batch", "resources/", "notes", "instances", "customObjects", "accounts"]),
    method=st.sampled_from([None, "GET", "POST"]),
    status=st.sampled_from([200, 200, 200, 201, 204, 301, 400, 403, 404, 409, 413, 422, 429, 500]),
    body=BODIES,
    headers=st.dictionaries(
        st.sampled_from(["Retry-After", "RateLimit-Remaining", "RateLimit-Limit", "RateLimit-Reset", "Location"]),
        st.sampled_from(["0", "5", "-1", "1e9", "nan", "inf", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"]),
        max_size=3,
    ),
    times=st.integers(1, 3),
    skip=st.integers(0, 3),
)
VALID: dict[str, Any] = {
    "data_center": {"region": "custom", "rest_url": "http://127.0.0.1:9", "analytics_url": "http://127.0.0.1:9"},
    "secret_token": SECRET,
    "analytics_token": "analytics_example_not_real",
    "mappings": [
        {
            "stream": "notes",
            "object": "note",
            "operation": "upsert",
            "fields": [{"field": "note", "column": "text"}],
            "constants": [{"field": "x", "value": 1}],
        }
    ],
    "null_values": "clear",
    "num_workers": 3,
}
CATALOG = {
    "streams": [stream("accounts"), stream("users", destination_object_name="user", primary_key=[["externalId"]])]
}

quick = settings(deadline=None, suppress_health_check=list(HealthCheck))


def sync(messages: list[Any], faults: list[Fault]) -> Run:
    """Write messages into a sandbox; what a person would see of it holds no key."""
    with Sandbox(empty=True) as sandbox:
        for fault in faults:
            sandbox.faults.add(fault)
        chosen = destination_config(sandbox, num_workers=2)
        run = in_time(lambda: write(chosen, [stream(name) for name in ROWS], messages, level=logging.DEBUG))
    assert run.error is None or isinstance(run.error, AirbyteTracedException), repr(run.error)
    return run


def refusal(action: Callable[[], object]) -> ConfigError | None:
    """The config error an action ends with, if any; any other error is raised."""
    try:
        in_time(action)
    except ConfigError as error:
        return error
    return None


@settings(quick, max_examples=EXAMPLES or 30)
@given(lines=st.lists(LINES, max_size=6))
def test_any_line_of_input(lines: list[Any]) -> None:
    result = sync(lines, [])
    assert result.unforeseen is None or isinstance(result.error, InputError)


@settings(quick, max_examples=EXAMPLES or 30)
@given(faults=st.lists(FAULTS, min_size=1, max_size=3))
def test_any_answer_of_the_server(faults: list[Fault]) -> None:
    messages = [record(name, row) for name, row in ROWS.items()]
    result = sync([*messages, state("notes", 1)], faults)
    if result.error is None:
        assert result.state_ids == [1]


@settings(quick, max_examples=EXAMPLES or 100)
@given(given_config=st.one_of(mutated(VALID), JSON))
def test_any_configuration(given_config: Any) -> None:
    if not isinstance(given_config, dict):
        return  # a file that holds no object is refused before
    error = refusal(lambda: plan.build(configuration.read(given_config), [], OneDefinition()))
    assert error is None or error.message
    assert error is None or SECRET not in f"{error.message} {error.internal_message}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("catalogs")


@settings(quick, max_examples=EXAMPLES or 60)
@given(given_catalog=st.one_of(mutated(CATALOG), JSON))
def test_any_catalog(folder: Path, given_catalog: Any) -> None:
    path = folder / "catalog.json"
    path.write_text(json.dumps(given_catalog))
    chosen = configuration.read(VALID | {"mappings": []})
    error = refusal(lambda: plan.build(chosen, read_catalog(str(path)).streams, OneDefinition()))
    assert error is None or error.message
