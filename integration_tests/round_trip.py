"""Workspace A through the source and the destination into workspace B, as a platform would move it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from integration_tests.comparison import comparable
from integration_tests.harness import (
    Json,
    QuickClock,
    Run,
    configured,
    destination_config,
    run_source,
    source_config,
    write,
)
from integration_tests.sandbox import Sandbox
from vitally_api.names import STREAM_PREFIX

# stream: the sandbox's table of it; every custom object's stream comes on top
TABLES = {
    "organizations": "organizations",
    "accounts": "accounts",
    "users": "users",
    "conversations": "conversations",
    "messages": "messages",
    "notes": "notes",
    "tasks": "tasks",
    "projects": "projects",
    "nps_responses": "npsResponses",
    "meetings": "meetings",
    "meeting_transcripts": "meetingTranscripts",
}
NAMES = ("admins", "note_categories", "task_categories", "project_categories", "project_templates")
"""Streams that say what is called how."""

INSTANCES = "instances"
PARTICIPANTS = "meetingParticipants"
NO_LIMIT = 100_000


def mappings(names: list[str], more: Iterable[Json] = ()) -> list[Json]:
    """Return what gives rows of some streams an externalId where they have none, and `more`, which goes before it."""
    more = list(more)
    names = [name for name in names if name not in {mapping["stream"] for mapping in more}]
    objects = {"conversations": "conversation", "notes": "note", "tasks": "task", "nps_responses": "nps_response"}
    objects |= {name: f"custom_object/{name.removeprefix(STREAM_PREFIX)}" for name in names if STREAM_PREFIX in name}
    return more + [
        {"stream": name, "object": objects[name], "external_id": "from_vitally_id"} for name in names if name in objects
    ]


def without_untracked(sandbox: Sandbox) -> Sandbox:
    """Track every customer of a workspace: untracked ones are in no list, but may be parents of rows that are."""
    for name in ("accounts", "organizations"):
        for row in sandbox.workspace.rows(name):
            sandbox.workspace.update(name, row["id"], {"untracked": False}, bump=False)
    return sandbox


def catalog_of(sandbox: Sandbox, *more: str) -> Json:
    """Return the configured catalog of all that can be written back, and of `more` streams."""
    discovered = run_source("discover", _config(sandbox)).catalog
    names = [stream["name"] for stream in discovered["streams"]]
    chosen = [one for one in names if one in (*TABLES, *NAMES, *more) or one.startswith(STREAM_PREFIX)]
    return configured(discovered, chosen)


def read_workspace(sandbox: Sandbox, catalog: Json, state: Any = None) -> Run:
    """Read what can be written back."""
    return run_source("read", _config(sandbox), catalog, state)


def _config(sandbox: Sandbox) -> Json:
    return source_config(sandbox.url, sandbox.rest_key, requests_per_minute=NO_LIMIT)


def write_workspace(
    sandbox: Sandbox, catalog: Json, lines: Iterable[str], more: Iterable[Json] = (), **settings: Any
) -> Run:
    """Write what was read, under the names it was read by, with `more` mappings; what waits takes no time."""
    names = [stream["stream"]["name"] for stream in catalog["streams"]]
    config = destination_config(sandbox, **{"mappings": mappings(names, more), "verify": "all", **settings})
    clock = QuickClock(sandbox.clock.now().timestamp(), passes=sandbox.clock.advance)
    return write(config, catalog["streams"], [line.encode() for line in lines], clock=clock)


def lines_of(read: Run) -> list[str]:
    """Return what a platform hands on of a sync."""
    kept = ("RECORD", "STATE", "TRACE")
    return [line for line, message in zip(read.lines, read.messages, strict=True) if message["type"] in kept]


def differences(origin: Sandbox, copy: Sandbox) -> list[str]:
    """Say which rows of the copy are not as in the origin, but for ids, times and what no API can write.

    Left out are rows that cannot be made anew: archived ones, NPS responses without a score (dismissed surveys),
    conversations without a subject and their messages.
    """
    found = []
    for table in [*TABLES.values(), INSTANCES, PARTICIPANTS]:
        expected = comparable(origin, table, partial(_can_be_copied, origin, table))
        written = comparable(copy, table, lambda row: not row.get("archivedAt"))
        found += [
            f"{table} {key}: {_unequal(expected.get(key), written.get(key))}"
            for key in expected.keys() | written.keys()
            if expected.get(key) != written.get(key)
        ]
    return sorted(found)


_PARENTS = {
    "messages": ("conversations", "conversationId"),
    "meetingParticipants": ("meetings", "meetingId"),
    "meetingTranscripts": ("meetings", "meetingId"),
}


def _can_be_copied(origin: Sandbox, table: str, row: Json) -> bool:
    if table in _PARENTS:
        parents, name = _PARENTS[table]
        return _can_be_copied(origin, parents, origin.workspace.get(parents, row[name]))
    has_what_is_required = {"conversations": row.get("subject"), "npsResponses": row.get("score") is not None}
    return not row.get("archivedAt") and bool(has_what_is_required.get(table, True))


def _unequal(expected: Json | None, written: Json | None) -> str:
    if expected is None or written is None:
        return "not in the origin" if expected is None else "not in the copy"
    return ", ".join(name for name in expected.keys() | written.keys() if expected.get(name) != written.get(name))
