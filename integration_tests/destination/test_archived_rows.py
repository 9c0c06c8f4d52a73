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
GONE = {"_ab_cdc_deleted_at": WHEN}
OURS = "Ours"
UPSERTS: list[Any] = ["stays archived", "comes back", "is made anew"]
each_reading = pytest.mark.parametrize("upsert", UPSERTS)


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


def check(scene: Scene, run: Run, upsert: str, count: int = 1) -> None:
    """Assert that what was archived is as its outcome says: skipped and archived, or made anew beside the old one."""
    counts = run.counts("rows")
    live = [scene.live(n) for n in range(count)]
    assert counts["rejected"] == 0, run.log
    assert live == [[OURS]] * count if counts["accepted"] else live == [[]] * count, run.log
    assert counts["accepted"] in (0, count)
    if upsert == "stays archived" and scene.one.table != "instances":  # the search of instances shows no archived ones
        assert counts["skipped"] == count, run.log
    if counts["skipped"]:
        assert "archived in Vitally" in run.log


@each_reading
@pytest.mark.parametrize("name", NAMES)
def test_an_upsert_of_an_archived_row_does_not_bring_it_back(sandbox: Sandbox, name: str, upsert: Any) -> None:
    """Given a row that somebody archived, when it is upserted by REST, it is skipped, or a new one is made."""
    scene = Scene(sandbox, name, upsert)
    check(scene, scene.sync([scene.row()]), upsert)


@pytest.mark.parametrize("exists", ["reject", "duplicate"])
@pytest.mark.parametrize("status", [400, 409])
def test_a_post_that_is_refused_for_an_archived_row(sandbox: Sandbox, exists: Any, status: Any) -> None:
    scene = Scene(sandbox, "note", "stays archived")
    sandbox.switches.note_post_existing, sandbox.switches.exists_status = exists, status
    run = scene.sync([scene.row()])
    counts = run.counts("rows")
    if exists == "reject":
        assert (counts["skipped"], scene.live()) == (1, []), run.log
        assert "archived in Vitally" in run.log
    else:
        assert len(scene.live()) == counts["accepted"], run.log


@each_reading
def test_an_archived_instance_that_a_batch_would_write(sandbox: Sandbox, upsert: Any) -> None:
    scene = Scene(sandbox, "custom_object/featureRequest", upsert)
    run = scene.sync([scene.row()], by_batch=True, verify="all")
    counts = run.counts("rows")
    assert scene.live() == [OURS] * counts["accepted"], run.log
    if upsert == "stays archived":
        assert counts["rejected"] == 1, run.log
        assert "archived it in Vitally" in run.log


SHOWN = [name for name in NAMES if name != "custom_object/featureRequest"]
"""Objects whose archived rows can be found by their key."""


@pytest.mark.parametrize("name", SHOWN)
def test_how_many_are_archived_is_said_once_per_stream(sandbox: Sandbox, name: str) -> None:
    """Given thirty archived rows among forty, when all are written, one line has their number."""
    scene = Scene(sandbox, name, "stays archived", archived=30, live=10)
    run = scene.sync([scene.row(n) for n in range(40)])
    counts = run.counts("rows")
    assert (counts["skipped"], counts["accepted"]) == (30, 10), run.log
    lines = [line for line in run.logs() if "archived in Vitally" in line]
    assert len(lines) == 1
    assert "30" in lines[0]
    assert [scene.live(n) for n in range(40)] == [[]] * 30 + [[OURS]] * 10


@pytest.mark.parametrize("name", SHOWN)
def test_an_archived_row_is_not_called_unchanged(sandbox: Sandbox, name: str) -> None:
    scene = Scene(sandbox, name, "stays archived", archived=20)
    run = scene.sync([scene.row(n, "Old") for n in range(20)], skip_unchanged=True)
    assert run.counts("rows")["unchanged"] == 0
    assert run.counts("rows")["skipped"] == 20, run.log


@each_reading
@pytest.mark.parametrize("name", NAMES)
def test_what_this_sync_archived_itself_is_written_again(sandbox: Sandbox, name: str, upsert: Any) -> None:
    """Given a live row, when one sync deletes and then writes it, it is there again as Vitally does it, or rejected."""
    scene = Scene(sandbox, name, upsert, archived=0, live=1)
    run = scene.sync([scene.row(), {**scene.row(), **GONE}, scene.row()])
    counts = run.counts("rows")
    assert counts["skipped"] == 0, run.log
    assert scene.live() == [OURS] * (counts["accepted"] - 2), run.log
    if upsert != "stays archived" and name != "meeting":  # an archived meeting cannot be updated
        assert counts["accepted"] == 3, run.log


@pytest.mark.parametrize("name", NAMES[:-1])
def test_another_row_of_the_same_key_is_the_one_that_is_written(sandbox: Sandbox, name: str) -> None:
    """Given an archived and a living row of one key, the living one is meant."""
    scene = Scene(sandbox, name, "is made anew")
    sandbox.workspace.insert(scene.one.table, {"externalId": "k0", scene.one.name: "Living", **scene.one.row})
    sandbox.clock.advance(60)
    run = scene.sync([scene.row()])
    assert run.counts("rows")["accepted"] == 1, run.log
    assert scene.live() == [OURS]
