"""`make demo`: a sandbox workspace is read as a platform reads it, changed, read again, and written into an empty one.

Everything that is shown is verified; the exit code is 1 when something is not as it should be.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from integration_tests.harness import Json, Run, configured, run_process, source_config
from integration_tests.round_trip import (
    catalog_of,
    differences,
    lines_of,
    read_workspace,
    without_untracked,
    write_workspace,
)
from integration_tests.sandbox import Sandbox
from integration_tests.source.reference import LISTS, STREAMS, everything, merged

SIZES = {"accounts": 900, "users": 1600, "notes": 700, "tasks": 500, "conversations": 150, "npsResponses": 300}
OWN = ("id", "externalId", "createdAt", "updatedAt", "meetingId")
WHY_SKIPPED = (
    "Skipped are streams that only say what is called how, and what Vitally lets nobody make: archived rows, "
    "conversations without a subject and their messages, and answers to surveys that were dismissed and have no score."
)
console = Console()


class DemoError(Exception):
    """What the demo shows is not what it should be."""


def main() -> int:
    """Run the demo; return 0 when what was read and what was written equal the workspace, else 1."""
    with Sandbox(seed=2026, sizes=SIZES) as sandbox, Sandbox(seed=7, empty=True) as empty:
        without_untracked(sandbox)
        console.print(f"A Vitally workspace with {sum(_sizes(sandbox).values()):,} rows is served at {sandbox.url}.\n")
        try:
            _demonstrate(sandbox)
            _round_trip(sandbox, empty)
        except DemoError as failure:
            console.print(f"[bold red]{failure}")
            return 1
    return 0


def _demonstrate(sandbox: Sandbox) -> None:
    config = source_config(sandbox.url, sandbox.rest_key, lookback_minutes=0, requests_per_minute=100_000)
    spec = _command("spec").of_type("SPEC")[0]["spec"]["connectionSpecification"]
    console.print(f"spec      {len(spec['properties'])} fields: {', '.join(spec['properties'])}")
    console.print(f"check     {_command('check', config).connection_status['status']}")
    catalog = _command("discover", config).catalog
    console.print(f"discover  {len(catalog['streams'])} streams\n")

    first, first_requests = _sync("first sync", sandbox, config, configured(catalog), None)
    changes = _change(sandbox)
    console.print("\nMeanwhile in the workspace: " + ", ".join(f"{count} {what}" for what, count in changes.items()))
    second, second_requests = _sync("second sync", sandbox, config, configured(catalog), first.last_states())
    console.print(_summary(first, first_requests, second, second_requests))
    _verify(sandbox, first, second)


def _round_trip(sandbox: Sandbox, empty: Sandbox) -> None:
    """Write what the source reads into an empty workspace, and compare the two."""
    console.print(f"\nAn empty workspace, which shares no id with the other, is served at {empty.url}.")
    with console.status("reading one, writing the other"):
        catalog = catalog_of(sandbox)
        read = read_workspace(sandbox, catalog)
        written = write_workspace(empty, catalog, lines_of(read))
    if read.exit_code or written.exit_code:
        raise DemoError("; ".join(read.errors + written.errors))
    for line in written.logs("INFO"):
        if line.startswith("Stream ") and " records = " in line:
            console.print(line)
    reasons = Counter[str]()
    for line in written.logs():
        for count, reason in re.findall(r"^Stream \S+: (\d+) (rejected: .*?|rows .*?)(?: \(for example .*)?$", line):
            reasons[reason] += int(count)
    for reason, number in reasons.items():
        console.print(f"  {number} {reason}")
    console.print(WHY_SKIPPED)
    found = differences(sandbox, empty)
    if found:
        raise DemoError("The copy differs: " + "; ".join(found[:5]))
    console.print(
        "[bold green]Verified: every row that can be made anew is in the copy, field by field, links included."
    )


def _command(action: str, config: Json | None = None, **files: Any) -> Run:
    run = run_process("source-vitally", action, config=config, **files)
    if run.exit_code:
        raise DemoError(f"source-vitally {action} failed: {'; '.join(run.errors) or run.raw}")
    return run


def _sync(title: str, sandbox: Sandbox, config: Json, catalog: Json, state: Any) -> tuple[Run, Counter[str]]:
    """Run one sync with its progress in sight; return it with the number of requests per list."""
    expected = sum(_sizes(sandbox).values()) if state is None else None
    sandbox.journal.clear()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed} records"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=expected)

        def watch(message: Json) -> bool:
            progress.advance(task, message["type"] == "RECORD")
            return False

        run = _command("read", config, catalog=catalog, state=state, until=watch)
        progress.update(task, total=len(run.of_type("RECORD")))
    return run, Counter(request.path.split("/")[2] for request in sandbox.journal)


def _sizes(sandbox: Sandbox) -> dict[str, int]:
    return {stream: len(everything(sandbox, stream)) for stream in STREAMS}


def _change(sandbox: Sandbox) -> Counter[str]:
    """Edit, insert and archive some rows; return how many of each."""
    sandbox.clock.advance(3600)
    workspace, done = sandbox.workspace, Counter[str]()

    def each(what: str, resource: str, count: int, change: Callable[[Json], Any]) -> None:
        alive = [row for row in workspace.rows(resource) if not row.get("archivedAt") and not row.get("churnedAt")]
        for row in alive[:count]:
            change(row)
            done[what] += 1

    each("accounts scored", "accounts", 40, lambda row: workspace.update("accounts", row["id"], {"healthScore": 3.5}))
    each(
        "users moved on", "users", 121, lambda row: workspace.update("users", row["id"], {"traits": {"seat": "moved"}})
    )
    each("notes archived", "notes", 7, lambda row: workspace.archive("notes", row["id"]))
    each("tasks added", "tasks", 5, lambda row: workspace.insert("tasks", {**_new(row), "name": "Call back"}))
    each("conversations reopened", "conversations", 3, lambda row: _reopen(sandbox, row))
    return done


def _new(row: Json) -> Json:
    return {key: value for key, value in row.items() if key not in OWN}


def _reopen(sandbox: Sandbox, conversation: Json) -> None:
    sandbox.workspace.update("conversations", conversation["id"], {"status": "open"})


def _summary(first: Run, first_requests: Counter[str], second: Run, second_requests: Counter[str]) -> Table:
    table = Table(title="What the two syncs read")
    table.add_column("stream")
    for column in ("rows, first", "requests", "rows, second", "requests"):
        table.add_column(column, justify="right")
    for stream, (path, _) in LISTS.items():
        streams = [stream, "messages"] if stream == "conversations" else [stream]
        cells: list[int] = []
        for run, requests in ((first, first_requests), (second, second_requests)):
            cells += [sum(len(run.records(name)) for name in streams), requests[path]]
        table.add_row(" + ".join(streams), *map(str, cells))
    return table


def _verify(sandbox: Sandbox, first: Run, second: Run) -> None:
    for stream in STREAMS:
        cursor = "conversationUpdatedAt" if stream == "messages" else "updatedAt"
        copy = merged({}, [*first.records(stream), *second.records(stream)], cursor)
        if copy != everything(sandbox, stream, "reference"):
            raise DemoError(f"{stream}: the two syncs together are not what the workspace holds.")
    console.print("[bold green]Verified: the two syncs together are exactly what the workspace holds, row by row.")


if __name__ == "__main__":
    sys.exit(main())
