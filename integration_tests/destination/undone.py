"""A workspace before a sync and after its undo: what is not as it was, and not listed either."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from integration_tests.destination.journaled import KeptBucket
from integration_tests.destination.journals import undo
from integration_tests.harness import Json, Run
from integration_tests.sandbox import Row, Sandbox

LISTED = ("left alone", "cannot be undone")
"""What a line says of a row that is not as it was."""


def rows_of(sandbox: Sandbox) -> dict[tuple[str, str], Row]:
    """Return what each row of a workspace holds, but for what Vitally itself keeps of a change."""
    tables = sandbox.workspace.tables
    with sandbox.workspace.settled():
        rows = {(name, str(row["id"])): row for name in tables for row in sandbox.workspace.rows(name)}
    return {place: {k: v for k, v in row.items() if k != "updatedAt"} for place, row in rows.items()}


def undone(settings: Json, bucket: KeptBucket, folder: Path, *flags: str) -> Run:
    """Undo all that is in a bucket."""
    files = []
    for number, key in enumerate(bucket.journals()):
        files.append(folder / f"{number}.jsonl.gz")
        files[-1].write_bytes(bucket.files[key])
    return undo({**settings, "journal": "none"}, folder, [str(file) for file in files], *flags)


def unlisted(before: dict[Any, Row], after: dict[Any, Row], run: Run) -> list[str]:
    """Return what is not as it was and in no line that says so, nor below a row that is."""
    lines = [line for line in run.logs() if any(words in line for words in LISTED)]
    changed = {
        place: (before.get(place, {}), after.get(place, {}))
        for place in before.keys() | after.keys()
        if before.get(place) != after.get(place)
    }
    listed = {place[1] for place, rows in changed.items() if _is_in(lines, place[0], rows)}
    listed |= {place[1] for place, (then, now) in changed.items() if not then and now.get("archivedAt")}
    found = []
    for place, (then, now) in changed.items():
        names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
        names = [name for name in names if not _is_derived(place[0], name)]
        if names and place[1] not in listed and not any(one in str([then, now]) for one in listed):
            found.append(f"{place}: {names}")
    return found


def _is_in(lines: list[str], table: str, rows: tuple[Row, Row]) -> bool:
    """Tell whether a line names a row, by what an undo may call it."""
    if table == "meetingTranscripts":  # it is called by its meeting
        return any(line.startswith("meeting_transcript") for line in lines)
    names = {str(row[name]) for row in rows for name in ("id", "externalId", "name", "email") if row.get(name)}
    return any(f"'{one}'" in line for one in names for line in lines)


def _is_derived(table: str, name: str) -> bool:
    """Tell whether a value is what the sandbox makes of other rows."""
    return table != "users" and name in ("accountIds", "organizationIds", "userIds", "adminIds", "targets")
