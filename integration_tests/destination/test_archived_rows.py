"""Somebody archived a row on purpose: a write that finds it does not bring it back, and says so.

What this sync itself archived and then writes again is there afterwards, if Vitally lets it, or rejected.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from integration_tests.destination.between import START
from integration_tests.destination.cases import definition
from integration_tests.harness import Json, QuickClock, Run, destination_config, record, stream, write
from integration_tests.sandbox import Row, Sandbox, Switches

WHEN = "2026-01-01T00:00:00.000Z"
OURS = "Ours"


class Archivable(NamedTuple):
    """An object whose rows can be archived: where they are, what one is called, a record, and a row of it."""

    table: str
    name: str
    data: Json
    row: Row


def objects(sandbox: Sandbox) -> dict[str, Archivable]:
    """Insert the parents that rows need; return the objects that are archived and have a key of yours."""
    insert = sandbox.workspace.insert
    account = insert("accounts", {"externalId": "acme", "name": "Acme"})["id"]
    insert("users", {"externalId": "ida", "accountIds": [account]})
    of_acme, below = {"accountId": "acme"}, {"accountId": account}
    people = [{"type": "organizer", "userId": "ida"}]
    instance = {"customerId": account, "customObjectId": definition(sandbox)}
    return {
        "note": Archivable("notes", "note", {"noteDate": WHEN, **of_acme}, {"noteDate": WHEN, **below}),
        "task": Archivable("tasks", "name", of_acme, below),
        "task with tags": Archivable("tasks", "name", {"tags": ["a"], **of_acme}, {"tags": ["b"], **below}),
        "custom_object/featureRequest": Archivable("instances", "name", of_acme, instance),
        "meeting": Archivable("meetings", "title", {"participants": people}, {}),
    }


NAMES = [*objects(Sandbox(empty=True))]


class Scene:
    """A workspace with archived rows of an object."""

    def __init__(self, sandbox: Sandbox, name: str, upsert: Any, archived: int = 1, live: int = 0) -> None:
        sandbox.switches = Switches(
            effect_delay=5, archived_upsert=upsert, instance_delete="soft", note_post_existing="update"
        )
        self.sandbox = sandbox
        self.object = name.removesuffix(" with tags")
        self.one = objects(sandbox)[name]
        for n in range(archived + live):
            row = {"externalId": f"k{n}", self.one.name: "Old", **self.one.row}
            sandbox.workspace.insert(self.one.table, row | ({"archivedAt": WHEN} if n < archived else {}))
        sandbox.clock.advance(60)

    def sync(self, rows: list[Json], *, by_batch: bool = False, **settings: Any) -> Run:
        chosen = destination_config(self.sandbox, allow_deletes=True, num_workers=1, **settings)
        if not by_batch:
            chosen["analytics_token"] = None
        table = stream("rows")
        table["stream"]["json_schema"] = {"properties": {name: {} for row in rows for name in row}}
        mapping = {"stream": "rows", "object": self.object, "operation": "upsert", "other_columns": "traits"}
        run = write(
            {**chosen, "mappings": [mapping]}, [table], [record("rows", row) for row in rows], clock=QuickClock(START)
        )
        assert run.unforeseen is None, run.log
        return run

    def row(self, n: int = 0, name: str = OURS, **more: Any) -> Json:
        return {"externalId": f"k{n}", self.one.name: name, **self.one.data, **more}

    def live(self, n: int = 0) -> list[str]:
        """Return what the rows of a key are called that are not archived."""
        rows = self.sandbox.workspace.rows(self.one.table)
        return [row[self.one.name] for row in rows if row["externalId"] == f"k{n}" and not row["archivedAt"]]


@pytest.mark.parametrize("name", NAMES[:-1])
def test_another_row_of_the_same_key_is_the_one_that_is_written(sandbox: Sandbox, name: str) -> None:
    """Given an archived and a living row of one key, the living one is meant."""
    scene = Scene(sandbox, name, "is made anew")
    sandbox.workspace.insert(scene.one.table, {"externalId": "k0", scene.one.name: "Living", **scene.one.row})
    sandbox.clock.advance(60)
    run = scene.sync([scene.row()])
    assert run.counts("rows")["accepted"] == 1, run.log
    assert scene.live() == [OURS]
