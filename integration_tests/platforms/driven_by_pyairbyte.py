"""Both connectors, installed by their names, driven by PyAirbyte and fed by source-faker, both as published."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from integration_tests.comparison import comparable
from integration_tests.harness import destination_config, source_config
from integration_tests.platforms.programs import HERE, connector, run, tool
from integration_tests.round_trip import catalog_of, differences, mappings, without_untracked
from integration_tests.sandbox import Sandbox, Switches
from integration_tests.test_round_trip import DAY, edit
from shipping.alone import repository
from shipping.names import CONNECTORS, ROOT

SOURCE, DESTINATION = map(connector, CONNECTORS)
COUNT = 200
TABLES = ("organizations", "accounts", "users")
EVERYONE = [{"field": "accountIds", "value": "everyone"}]
# DuckDB has the columns in lower case, which is why externalId must be named.
OWN: dict[str, Any] = {"id": {}, "big_integer": {"cast": "text"}, "integer_value": {"cast": "text"}}
"""Columns of the streams of the smoke test that are mapped by themselves."""
KEYED: dict[str, Any] = {"fields": [{"field": "externalId", "column": "externalid"}], "other_columns": "ignore"}
FROM_DUCKDB = [
    {"stream": "organizations", "object": "organization", **KEYED},
    {"stream": "accounts", "object": "account", **KEYED},
    {"stream": "users", "object": "user", "constants": EVERYONE, **KEYED},
]


def pyairbyte(program: str, *arguments: str | Path, folder: Path | None = None, **variables: str) -> str:
    """Run a program of PyAirbyte's environment, offline; return what it printed."""
    return run(tool("pyairbyte") / program, *arguments, folder=folder, **variables)


def read_into_duckdb(wish: Mapping[str, Any]) -> int:
    """Return how many records the source sent."""
    printed = pyairbyte("python", HERE / "read_with_pyairbyte.py", json.dumps(wish))
    return int(re.findall(r"^processed: (\d+)$", printed, re.MULTILINE)[0])


def by_external_id(sandbox: Sandbox, table: str) -> dict[str, Any]:
    return {row["externalId"]: row["name"] for row in sandbox.workspace.rows(table) if not row.get("untracked")}


def test_the_source_fills_duckdb_and_duckdb_fills_the_destination(tmp_path: Path) -> None:
    with Sandbox(seed=1) as sandbox, Sandbox(empty=True, ids="another", switches=Switches(effect_delay=1)) as empty:
        without_untracked(sandbox)
        wish: dict[str, Any] = {
            "source": str(SOURCE),
            "source_config": source_config(sandbox.url, sandbox.rest_key, lookback_minutes=0),
            "database": str(tmp_path / "workspace.duckdb"),
            "streams": TABLES,
        }
        first = read_into_duckdb(wish)
        assert first == sum(len(by_external_id(sandbox, table)) for table in TABLES)

        sandbox.clock.advance(3600)
        for row in sandbox.workspace.rows("users")[:3]:
            sandbox.workspace.update("users", row["id"], {"name": "Renamed"})
        empty.workspace.insert("accounts", {"externalId": "everyone", "name": "Everyone"})
        wish["destination"] = str(DESTINATION)
        wish["destination_config"] = destination_config(empty, mappings=FROM_DUCKDB)
        second = read_into_duckdb(wish)

        assert 3 <= second < 10, "the second read is incremental"
        written = {table: by_external_id(empty, table) for table in TABLES}
        del written["accounts"]["everyone"]
        assert written == {table: by_external_id(sandbox, table) for table in TABLES}


def test_a_copy_by_way_of_duckdb_is_equal_field_by_field(tmp_path: Path) -> None:
    """After a first sync and after a day of edits, without a false alarm of what was sent in batches.

    What was deleted stays: PyAirbyte says of no table that it is whole.
    """
    fast = Switches(effect_delay=1)
    with Sandbox(seed=1) as sandbox, Sandbox(seed=2, empty=True, switches=fast) as empty:
        names = [one["stream"]["name"] for one in catalog_of(without_untracked(sandbox))["streams"]]
        settings: dict[str, Any] = {"verify": "all", "on_unverified": "fail", "allow_deletes": True}
        wish = {
            "source": str(SOURCE),
            "source_config": source_config(sandbox.url, sandbox.rest_key, requests_per_minute=100_000),
            "database": str(tmp_path / "workspace.duckdb"),
            "streams": names,
            "destination": str(DESTINATION),
            "destination_config": destination_config(empty, mappings=mappings(names), **settings),
        }
        first = read_into_duckdb(wish)
        assert differences(sandbox, empty) == []

        for one in (sandbox, empty):
            one.clock.advance(DAY)
        before = {table: comparable(sandbox, table).keys() for table in ("tasks", "instances")}
        edit(sandbox)
        gone = {table: keys - comparable(sandbox, table).keys() for table, keys in before.items()}
        assert all(map(len, gone.values()))
        assert read_into_duckdb(wish) < first / 4, "the second read is incremental"
        left = [f"{table} {key}: not in the origin" for table, keys in gone.items() for key in keys]
        assert differences(sandbox, empty) == sorted(left)


def test_the_example_of_readme_reads_and_writes_every_row(tmp_path: Path) -> None:
    """As it stands there, to the letter; the two configs and the commands are where it looks for them."""
    [example] = re.findall(r"\n## From PyAirbyte\n.*?```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    with Sandbox(seed=1) as sandbox, Sandbox(empty=True, ids="another", switches=Switches(effect_delay=1)) as empty:
        without_untracked(sandbox)
        (tmp_path / "try").mkdir()
        (tmp_path / "try/read.json").write_text(json.dumps(source_config(sandbox.url, sandbox.rest_key)))
        (tmp_path / "try/write.json").write_text(json.dumps(destination_config(empty)))
        programs = tmp_path / ".venv/bin"
        programs.mkdir(parents=True)
        for command in (SOURCE, DESTINATION):
            (programs / command.name).symlink_to(command)
        (tmp_path / "example.py").write_text(example)
        printed = pyairbyte("python", "example.py", folder=tmp_path)

        tables = ("organizations", "accounts", "users")
        assert {table: by_external_id(empty, table) for table in tables} == {
            table: by_external_id(sandbox, table) for table in tables
        }
        assert f"{len(by_external_id(sandbox, 'users'))} users" in printed


def test_users_and_purchases_of_source_faker_become_users_and_events() -> None:
    with Sandbox(empty=True, switches=Switches(effect_delay=1)) as sandbox:
        everyone = sandbox.workspace.insert("accounts", {"externalId": "everyone", "name": "Everyone"})
        keys = [sandbox.url, sandbox.rest_key, sandbox.analytics_token]
        faker = tool("source-faker") / "source-faker"

        pyairbyte("python", HERE / "write_with_pyairbyte.py", *keys, faker, DESTINATION, str(COUNT))

        users = sandbox.workspace.rows("users")
        assert len(users) == COUNT
        assert all(user["accountIds"] == [everyone["id"]] and user["email"] for user in users)
        assert {event["event"] for event in sandbox.workspace.events} == {"order placed"}
        assert len(sandbox.workspace.events) == len({event["messageId"] for event in sandbox.workspace.events})
        assert all("product_id" in event["properties"] for event in sandbox.workspace.events)


def test_pyab_validates_a_command(tmp_path: Path) -> None:
    assert "Connection check succeeded" in validated(tmp_path, f"--connector={DESTINATION}")


def test_pyab_validates_what_it_installs_from_a_repository(tmp_path: Path) -> None:
    """`pip_url`, with an address of git: PyAirbyte makes an environment and looks there for the command."""
    address = f"git+file://{repository(tmp_path / 'repository')}"
    connector = ("--connector=source-vitally", f"--pip-url={address}")
    assert "Connection check succeeded" in validated(tmp_path, *connector, **installer())
    assert (tmp_path / ".venv-source-vitally/bin/source-vitally").exists()


def validated(folder: Path, *arguments: str, **variables: str) -> str:
    """Let PyAirbyte's command look at a connector's spec and check it with a sandbox; return what it printed."""
    with Sandbox(seed=1) as sandbox:
        (folder / "config.json").write_text(json.dumps(source_config(sandbox.url, sandbox.rest_key)))
        return pyairbyte("pyab", "validate", "--config=config.json", *arguments, folder=folder, **variables)


def installer() -> dict[str, str]:
    """PyAirbyte installs with uv unless told otherwise; where uv reaches no index, its own environment is pip's."""
    made_by_uv = "uv = " in (tool("pyairbyte").parent / "pyvenv.cfg").read_text()
    return {} if made_by_uv else {"AIRBYTE_NO_UV": "1"}


def test_pyab_destination_smoke_test(tmp_path: Path) -> None:
    """Whatever shape a row has, it can be the properties of an event."""
    smoke_config = tmp_path / "smoke.json"
    smoke_config.write_text('{"all_fast_streams": true, "all_slow_streams": false}')
    lines = pyairbyte("source-smoke-test", "discover", "--config", smoke_config).splitlines()
    [catalog] = [json.loads(line)["catalog"] for line in lines if '"CATALOG"' in line]
    columns = {stream["name"]: stream["json_schema"]["properties"] for stream in catalog["streams"]}
    columns["_preflight_basic_types"] = {"id": {}}
    constants = {"userId": "someone", "timestamp": "2026-01-01T00:00:00Z"}
    # An id would identify the event, but every stream of the test counts from 1: here it is a property. Numbers that no
    # double holds are texts.
    mappings = [
        {
            "stream": name,
            "object": "event",
            "constants": [{"field": field, "value": value} for field, value in {"event": name, **constants}.items()],
            "traits": [
                {"trait": column, "column": column, **as_text} for column, as_text in OWN.items() if column in found
            ],
            "other_columns": "traits",
        }
        for name, found in columns.items()
    ]
    with Sandbox(empty=True, switches=Switches(effect_delay=1)) as sandbox:
        account = sandbox.workspace.insert("accounts", {"externalId": "everyone", "name": "Everyone"})
        sandbox.workspace.insert("users", {"externalId": "someone", "name": "Some One", "accountIds": [account["id"]]})
        (tmp_path / "config.json").write_text(
            json.dumps(destination_config(sandbox, mappings=mappings, on_rejected="fail"))
        )

        printed = pyairbyte(
            "pyab", "destination-smoke-test", f"--destination={DESTINATION}", "--config=config.json", folder=tmp_path
        )

        result, _ = json.JSONDecoder().raw_decode(printed[printed.index("{") :])
        assert result["success"], result
        sandbox.workspace.settle()
        assert len(sandbox.workspace.events) >= result["records_delivered"] > 0
