"""Rows read from one workspace, written without a mapping: into another one, and back into the same.

What the source emits is stood in for by the REST rows themselves, parents inlined.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from integration_tests.comparison import comparable
from integration_tests.harness import destination_config, record, stream, write
from integration_tests.round_trip import without_untracked
from integration_tests.sandbox import Sandbox

PATHS = {
    "organizations": "/organizations",
    "accounts": "/accounts?status=activeOrChurned",
    "users": "/users",
    "notes": "/notes?archived=false",
    "tasks": "/tasks?archived=false",
    "nps_responses": "/npsResponses",
}
TABLES = {"nps_responses": "npsResponses", "custom_object_feature_request": "instances"}


@pytest.fixture
def origin() -> Iterator[Sandbox]:
    with Sandbox(seed=1) as sandbox:
        yield without_untracked(sandbox)


def read(sandbox: Sandbox, path: str) -> list[dict[str, Any]]:
    """Every row of a list, as the source reads it."""
    rows: list[dict[str, Any]] = []
    url = f"{sandbox.url}/resources{path}"
    cursor: dict[str, str] = {}
    while True:
        page = requests.get(url, params={"limit": "100", **cursor}, auth=(sandbox.rest_key, ""), timeout=10).json()
        rows += page["results"]
        if not page["next"]:
            return rows
        cursor = {"from": page["next"]}


def instances(sandbox: Sandbox) -> tuple[str, str]:
    """The stream of one custom object and its path."""
    row = next(r for r in sandbox.workspace.rows("customObjects") if r["name"] == "featureRequest")
    return "custom_object_feature_request", f"/customObjects/{row['id']}/instances?archived=false"


def messages(sandbox: Sandbox) -> tuple[list[str], list[dict[str, Any]]]:
    name, path = instances(sandbox)
    paths = {**PATHS, name: path}
    rows = {stream_name: read(sandbox, where) for stream_name, where in paths.items()}
    turns = [
        record(stream_name, row)
        for position in range(max(map(len, rows.values())))
        for stream_name in reversed(list(paths))
        for row in rows[stream_name][position : position + 1]
    ]
    return list(paths), turns


def test_into_another_workspace(origin: Sandbox, sandbox: Sandbox) -> None:
    names, rows = messages(origin)

    people = [record("admins", row) for row in read(origin, "/admins")]  # instances name their owner by id alone
    result = write(destination_config(sandbox), [stream(name) for name in (*names, "admins")], [*people, *rows])

    assert result.error is None
    for name in names:
        table = TABLES.get(name, name)
        written, original = comparable(sandbox, table), comparable(origin, table)
        sent = {str(m["record"]["data"].get("externalId")) for m in rows if m["record"]["stream"] == name}
        expected = {key: row for key, row in original.items() if key in sent and row.get("score", 0) is not None}
        assert written == expected, name
        assert len(written) >= 5, name


def test_back_into_the_same_workspace(origin: Sandbox) -> None:
    names, rows = messages(origin)
    before = {name: origin.workspace.rows(TABLES.get(name, name)) for name in names}

    result = write(destination_config(origin), [stream(name) for name in names], rows)

    assert result.error is None
    for name in names:
        after = origin.workspace.rows(TABLES.get(name, name))
        assert [_still(row) for row in after] == [_still(row) for row in before[name]], name


def _still(row: dict[str, Any]) -> dict[str, Any]:
    still = {k: sorted(v) if k.endswith("Ids") else v for k, v in row.items() if k != "updatedAt"}
    return {**still, "traits": {k: v for k, v in row.get("traits", {}).items() if v is not None}}
