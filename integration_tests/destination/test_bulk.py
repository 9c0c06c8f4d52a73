"""What many rows by REST cost, look-ups included; and that a list is never believed further than it can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from integration_tests.destination.between import START, soon
from integration_tests.destination.cases import TIME, definition
from integration_tests.harness import QuickClock, Run, destination_config, record, stream, write
from integration_tests.sandbox import Clock, Sandbox

INSTANCES = "custom_object_feature_request"

SLOW = {"requests_per_minute": 200}
"""So that some hundred rows take minutes by the workspace's time."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An empty workspace whose time passes only by waiting."""
    with Sandbox(empty=True, clock=Clock(at=datetime.fromtimestamp(START, timezone.utc))) as served:
        yield served


def sync(sandbox: Sandbox, name: str, rows: list[dict[str, Any]], **settings: Any) -> Run:
    """Write rows by REST alone."""
    clock = QuickClock(START, passes=sandbox.clock.advance)
    mappings = settings.pop("mappings", [])
    chosen = destination_config(sandbox, analytics_token=None, mappings=mappings, **settings)
    result = write(chosen, [stream(name)], [record(name, row) for row in rows], clock=clock)
    assert result.error is None, result.log
    return result


def accounts(sandbox: Sandbox, count: int, **more: Any) -> list[str]:
    """Insert accounts; returns their ids."""
    rows = [{"externalId": f"a{n}", "name": "A", **more} for n in range(count)]
    return [sandbox.workspace.insert("accounts", row)["id"] for row in rows]


def rows_of(name: str, count: int, parents: int) -> list[dict[str, Any]]:
    """Rows of a stream, each below one of so many accounts."""
    parent = "customerId" if name == INSTANCES else "accountId"
    more = {"note": "N", "noteDate": TIME} if name == "notes" else {"name": "New"}
    return [{"externalId": f"x{n}", parent: f"a{n % parents}", **more} for n in range(count)]


def insert(sandbox: Sandbox, name: str, count: int, parents: list[str], **more: Any) -> None:
    """Insert the rows that `rows_of` writes, as they were before."""
    resource = "instances" if name == INSTANCES else name
    for n in range(count):
        account = {"customerId" if name == INSTANCES else "accountId": parents[n % len(parents)]}
        row = {"externalId": f"x{n}", "name": "Old", "note": "Old", "noteDate": TIME, "tags": ["t"], **account, **more}
        left_out = {"instances": ("tags", "note", "noteDate"), "notes": ("name",), "tasks": ("note", "noteDate")}
        row = {key: value for key, value in row.items() if key not in left_out[resource]}
        if name == INSTANCES:
            row["customObjectId"] = definition(sandbox)
        sandbox.workspace.insert(resource, row)


def keys_of(sandbox: Sandbox, name: str) -> list[str]:
    """Your ids of the rows of a stream that are there."""
    rows = sandbox.workspace.rows("instances" if name == INSTANCES else name)
    return sorted(str(row["externalId"]) for row in rows if not row.get("archivedAt"))


@pytest.mark.parametrize("exist", [True, False], ids=["there", "new"])
@pytest.mark.parametrize(
    ("name", "parents", "most"),
    [("tasks", 200, 1.05), ("notes", 200, 1.05), (INSTANCES, 200, 1.1), (INSTANCES, 3, 1.1)],
)
def test_a_row_costs_little_more_than_a_request(
    sandbox: Sandbox, name: str, parents: int, most: float, exist: bool
) -> None:
    ids = accounts(sandbox, parents)
    if exist:
        insert(sandbox, name, 400, ids)
    sync(sandbox, name, rows_of(name, 400, parents))
    assert len(keys_of(sandbox, name)) == 400
    assert len(sandbox.journal) <= most * 400
    if exist and name != INSTANCES:
        assert all(row["tags"] == ["t"] for row in sandbox.workspace.rows(name))


@pytest.mark.parametrize("create", [True, False])
def test_what_is_created_is_looked_for_by_pages(sandbox: Sandbox, create: bool) -> None:
    accounts(sandbox, 500)
    mapping = {"stream": "rows", "object": "account", "operation": "create", "other_columns": "traits"}
    rows = [{"externalId": f"a{n}", "name": "B"} for n in range(500)]
    result = sync(sandbox, "rows", rows, mappings=[mapping])
    assert result.counts("rows")["skipped"] == 500
    assert len(sandbox.journal) <= 10


@pytest.mark.parametrize("parents", [5, 10, 20, 60])
def test_parents_cost_at_most_twice_what_the_cheaper_way_costs(sandbox: Sandbox, parents: int) -> None:
    accounts(sandbox, 3_000)
    sync(sandbox, "tasks", [{**row, "tags": []} for row in rows_of("tasks", 60, parents)])
    looked = sandbox.journal.count("/accounts$", method="GET") + sandbox.journal.count("/accounts/[^/]*$", method="GET")
    assert looked <= 2 * min(parents, 30)


def lists_lie(sandbox: Sandbox) -> None:
    sandbox.switches.below_untracked_hidden = True
    for row in sandbox.workspace.rows("accounts"):
        sandbox.workspace.update("accounts", row["id"], {"untracked": True})


def cursors_expire(sandbox: Sandbox) -> None:
    sandbox.switches.cursors_expire_after = 0
    sandbox.switches.expired_cursor = "empty page"


def order_is_ignored(sandbox: Sandbox) -> None:
    sandbox.switches.sort_ignored = True


def pages_are_refused(sandbox: Sandbox) -> None:
    sandbox.switches.cursors_expire_after = 0


def pages_repeat(sandbox: Sandbox) -> None:
    sandbox.switches.repeat_cursor = True


@pytest.mark.parametrize("how", [lists_lie, cursors_expire, order_is_ignored, pages_are_refused, pages_repeat])
@pytest.mark.parametrize("name", ["tasks", "notes", INSTANCES])
def test_a_list_that_does_not_show_a_row_makes_no_second_one(
    sandbox: Sandbox, name: str, how: Callable[[Sandbox], None]
) -> None:
    sandbox.switches.note_post_existing = "duplicate"
    insert(sandbox, name, 150, accounts(sandbox, 20))
    how(sandbox)
    sync(sandbox, name, rows_of(name, 150, 20))
    assert keys_of(sandbox, name) == sorted(f"x{n}" for n in range(150))
    if name != INSTANCES:
        assert all(row["tags"] == ["t"] for row in sandbox.workspace.rows(name))


@pytest.mark.parametrize("name", ["notes", INSTANCES])
def test_what_others_make_meanwhile_is_not_made_again(sandbox: Sandbox, name: str) -> None:
    sandbox.switches.note_post_existing = "duplicate"
    ids = accounts(sandbox, 20)
    soon(sandbox, 61, lambda: insert(sandbox, name, 1, [ids[-1]], externalId="x699"))
    sync(sandbox, name, rows_of(name, 700, 20), **SLOW)
    assert keys_of(sandbox, name).count("x699") == 1


@pytest.mark.parametrize("name", ["tasks", "notes", INSTANCES])
def test_what_others_delete_meanwhile_is_made_again(sandbox: Sandbox, name: str) -> None:
    resource = "instances" if name == INSTANCES else name
    insert(sandbox, name, 700, accounts(sandbox, 20))
    last = sandbox.workspace.find(resource, "x699")
    assert last is not None
    soon(sandbox, 61, lambda: sandbox.workspace.delete(resource, last["id"]))
    sync(sandbox, name, rows_of(name, 700, 20), **SLOW)
    assert keys_of(sandbox, name).count("x699") == 1


def test_rows_that_share_an_id_are_refused_as_they_are_one_by_one(sandbox: Sandbox) -> None:
    ids = accounts(sandbox, 2)
    insert(sandbox, INSTANCES, 50, ids)
    insert(sandbox, INSTANCES, 1, [ids[1]], externalId="x30")
    result = sync(sandbox, INSTANCES, rows_of(INSTANCES, 50, 2))
    assert result.counts(INSTANCES)["rejected"] == 1
    assert "2 rows in Vitally have this externalId" in result.log


def test_tags_that_others_set_meanwhile_stay(sandbox: Sandbox) -> None:
    insert(sandbox, "tasks", 700, accounts(sandbox, 20))
    last = sandbox.workspace.find("tasks", "x699")
    assert last is not None
    soon(sandbox, 61, lambda: sandbox.workspace.update("tasks", last["id"], {"tags": ["theirs"]}))
    sync(sandbox, "tasks", rows_of("tasks", 700, 20), **SLOW)
    assert sandbox.workspace.get("tasks", last["id"])["tags"] == ["theirs"]
