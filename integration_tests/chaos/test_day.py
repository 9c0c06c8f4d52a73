"""A day on a simulated clock: people edit every minute, during the syncs as well, and every hour there is one."""

from __future__ import annotations

from datetime import datetime, timezone
from random import Random
from typing import Any

from integration_tests.chaos.editor import Editor
from integration_tests.chaos.warehouse import Warehouse
from integration_tests.harness import Run, run_source, source_config, without_waiting
from integration_tests.sandbox import Clock, Page, Sandbox
from integration_tests.source.reference import catalog, everything

STREAMS = {
    "accounts": "updatedAt",
    "users": "updatedAt",
    "notes": "updatedAt",
    "tasks": "updatedAt",
    "conversations": "updatedAt",
    "messages": "conversationUpdatedAt",
}
# resource: whether its rows can be archived, and deleted without touching rows of other resources
EDITED = {"accounts": (False, False), "notes": (True, True), "tasks": (True, True), "conversations": (False, True)}
MINUTES = 24 * 60


def test_a_day_of_hourly_syncs_ends_with_a_copy_of_the_workspace() -> None:
    dice = Random("a day")
    clock = Clock(at=datetime(2026, 3, 1, tzinfo=timezone.utc))
    sizes = {"accounts": 150, "notes": 250, "tasks": 150, "conversations": 40}
    with without_waiting(), Sandbox(seed=7, sizes=sizes, clock=clock) as sandbox:
        editors = [
            Editor(sandbox, resource, dice, archivable=archivable, deleting=deleting)
            for resource, (archivable, deleting) in EDITED.items()
        ]
        warehouses = [Warehouse(stream, cursor) for stream, cursor in STREAMS.items()]

        def a_minute_passes(_: Page | None = None) -> None:
            clock.advance(60)
            dice.choice(editors).change()

        for minute in range(1, MINUTES + 1):
            a_minute_passes()
            if minute % 60 == 0:
                sandbox.after_page = a_minute_passes if minute < MINUTES else None
                run = _sync(sandbox, warehouses)
                assert run.exit_code == 0, run.errors
        deleted = set().union(*(editor.deleted for editor in editors))
        for stream, warehouse in zip(STREAMS, warehouses, strict=True):
            key = "conversationId" if stream == "messages" else "id"
            held = {identifier: row for identifier, row in warehouse.copy.items() if row[key] not in deleted}
            assert held == everything(sandbox, stream, "reference"), stream
        assert sum(len(editor.versions) for editor in editors) > MINUTES
        assert deleted


def _sync(sandbox: Sandbox, warehouses: list[Warehouse]) -> Run:
    config = source_config(sandbox.url, sandbox.rest_key, requests_per_minute=100_000)
    states: list[Any] = [state for warehouse in warehouses for state in warehouse.states or []]
    run = run_source("read", config, catalog(*STREAMS), states)
    for warehouse in warehouses:
        warehouse.take(run.messages)
    return run
