"""Workspace A through the source and the destination into workspace B, as a platform would move it."""

from __future__ import annotations

from typing import Any

from integration_tests.comparison import comparable
from integration_tests.harness import Json, Run, configured, destination_config, run_process, run_source, source_config
from integration_tests.sandbox import Sandbox
from vitally_api.names import STREAM_PREFIX

# stream: the sandbox's table of it; every custom object's stream comes on top
TABLES = {
    "organizations": "organizations",
    "accounts": "accounts",
    "users": "users",
    "notes": "notes",
    "tasks": "tasks",
    "nps_responses": "npsResponses",
}
INSTANCES = "instances"
NO_LIMIT = 100_000


def without_untracked(sandbox: Sandbox) -> Sandbox:
    """Track every customer of a workspace: untracked ones are in no list, but may be parents of rows that are."""
    for name in ("accounts", "organizations"):
        for row in sandbox.workspace.rows(name):
            sandbox.workspace.update(name, row["id"], {"untracked": False}, bump=False)
    return sandbox


def read_workspace(sandbox: Sandbox, until: Any = None) -> tuple[Json, Run]:
    """Read what can be written back, live rows only; return the configured catalog and the sync."""
    config = source_config(sandbox.url, sandbox.rest_key, include_archived=False, requests_per_minute=NO_LIMIT)
    discovered = run_source("discover", config)
    names = [stream["name"] for stream in discovered.catalog["streams"]]
    catalog = configured(discovered.catalog, [n for n in names if n in TABLES or n.startswith(STREAM_PREFIX)])
    return catalog, run_process("source-vitally", "read", config=config, catalog=catalog, until=until)


def write_workspace(sandbox: Sandbox, catalog: Json, read: Run, until: Any = None) -> Run:
    """Write what was read, under the names it was read by."""
    config = destination_config(sandbox)
    kept = [
        line for line, message in zip(read.lines, read.messages, strict=True) if message["type"] in ("RECORD", "STATE")
    ]
    return run_process("destination-vitally", "write", config=config, catalog=catalog, stdin=kept, until=until)


def differences(origin: Sandbox, copy: Sandbox) -> list[str]:
    """Say which rows of the copy are not as in the origin, but for ids, times and what no API can write.

    Left out are rows that cannot be made anew: archived ones, those without an externalId, NPS responses without a
    score (dismissed surveys).
    """
    found = []
    for table in [*TABLES.values(), INSTANCES]:
        gone = {row.get("externalId") for row in origin.workspace.rows(table) if row.get("archivedAt")}
        expected = {
            key: row
            for key, row in comparable(origin, table).items()
            if key not in gone and row.get("score", 0) is not None
        }
        written = comparable(copy, table)
        found += [
            f"{table} {key}: {_unequal(expected.get(key), written.get(key))}"
            for key in expected.keys() | written.keys()
            if expected.get(key) != written.get(key)
        ]
    return sorted(found)


def _unequal(expected: Json | None, written: Json | None) -> str:
    if expected is None or written is None:
        return "not in the origin" if expected is None else "not in the copy"
    return ", ".join(name for name in expected.keys() | written.keys() if expected.get(name) != written.get(name))
