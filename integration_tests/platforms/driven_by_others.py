"""The source read by Meltano's Singer SDK and by airbyte-serverless: no row is lost and no value is another."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from integration_tests.harness import Json, source_config
from integration_tests.platforms.programs import HERE, connector, read, run, tool
from integration_tests.sandbox import Sandbox


@pytest.fixture(scope="module")
def workspace() -> Iterable[Json]:
    """The config of a workspace that nothing changes."""
    with Sandbox(seed=1) as sandbox:
        yield source_config(sandbox.url, sandbox.rest_key, requests_per_minute=100_000)


def as_a_set(rows: Iterable[Json]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def test_meltano_has_every_row_and_every_value(workspace: Json, tmp_path: Path) -> None:
    catalog, rows = read(workspace, tmp_path)
    script, source = HERE / "read_with_singer.py", connector("source-vitally")
    printed = run(tool("singer") / "python", script, source, tmp_path / "config.json", catalog)
    found: dict[str, list[Json]] = defaultdict(list)
    for line in printed.splitlines():
        if line.startswith('{"type":"RECORD"') or line.startswith('{"type": "RECORD"'):
            message = json.loads(line)
            found[message["stream"]].append(message["record"])
    changed = {name for name, sent in rows.items() if as_a_set(sent) != as_a_set(found[name])}
    assert changed == set()
    for entry in json.loads(catalog.read_text())["streams"]:
        keys = {key for [key] in entry["stream"]["source_defined_primary_key"]}
        assert keys <= set(entry["stream"]["json_schema"]["required"]), entry["stream"]["name"]
    assert sum(map(len, found.values())) > 500


def test_airbyte_serverless_has_every_row(workspace: Json, tmp_path: Path) -> None:
    names = ("accounts", "users", "meeting_transcripts")
    _, rows = read(workspace, tmp_path, *names)
    script, source = HERE / "read_with_serverless.py", connector("source-vitally")
    printed = run(tool("serverless") / "python", script, source, json.dumps(workspace), ",".join(names))
    found: dict[str, list[Json]] = defaultdict(list)
    table = ""
    for line in printed.splitlines():
        if line.startswith("_AIRBYTE_"):
            table = line.lower().removeprefix("_airbyte_raw_")
        elif line.startswith('{"_airbyte_raw_id"') and table in names:
            found[table].append(json.loads(json.loads(line)["_airbyte_data"]))
    assert {name: as_a_set(found[name]) for name in names} == {name: as_a_set(rows[name]) for name in names}
