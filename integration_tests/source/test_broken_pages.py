"""Pages that cannot be had: they are asked for in halves, down to the row that is broken."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.harness import Run, run_source, source_config
from integration_tests.sandbox import Fault, Sandbox, Switches
from integration_tests.source.reference import catalog, everything
from source_vitally import page_size

CURSORS = pytest.mark.parametrize("any_limit", [True, False], ids=["cursors of any limit", "cursors of one limit"])


def read(sandbox: Sandbox, stream: str, state: Any = None, **fields: Any) -> Run:
    config = source_config(sandbox.url, sandbox.rest_key, inlined_objects="full", **{"lookback_minutes": 0, **fields})
    return run_source("read", config, catalog(stream), state)


def by_creation(sandbox: Sandbox, resource: str) -> list[str]:
    rows = sorted(sandbox.workspace.rows(resource), key=lambda row: (str(row["createdAt"]), row["id"]), reverse=True)
    return [row["id"] for row in rows]


def ids(run: Run, stream: str) -> list[str]:
    return [record["id"] for record in run.records(stream)]


def state_of(run: Run, stream: str) -> Any:
    return run.states(stream)[-1]["stream"]["stream_state"]


@CURSORS
@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_page_that_is_too_heavy_is_asked_for_in_halves(
    make_sandbox: Any, waits: list[float], status: int, any_limit: bool
) -> None:
    switches = Switches(heaviest_page=25, too_heavy=status, cursors_of_any_limit=any_limit)
    sandbox = make_sandbox(sizes={"users": 480}, switches=switches)
    run = read(sandbox, "users")
    assert run.exit_code == 0, run.errors
    requests = len(list(sandbox.journal))
    sandbox.switches = Switches()
    assert sorted(ids(run, "users")) == sorted(everything(sandbox, "users"))
    assert requests < 80


@CURSORS
@pytest.mark.parametrize(
    "kind", [{"kind": "not_json"}, {"kind": "drop"}, {"kind": "truncate"}, {"status": 500}], ids=str
)
def test_after_a_page_that_came_in_halves_pages_grow_again(
    make_sandbox: Any, waits: list[float], monkeypatch: pytest.MonkeyPatch, kind: dict[str, Any], any_limit: bool
) -> None:
    monkeypatch.setattr(page_size, "_PAGES_UNTIL_LARGER", 3)
    sandbox = make_sandbox(sizes={"users": 800}, switches=Switches(cursors_of_any_limit=any_limit))
    seen = []
    sandbox.after_page = lambda page: seen.append(page.query["limit"])
    # The page and its first half fail as often as they are asked for; what is known to work comes in between.
    sandbox.faults.add(Fault(path="/users$", times=5, skip=2, **kind))
    sandbox.faults.add(Fault(path="/users$", times=2, skip=1, **kind))
    run = read(sandbox, "users")
    sandbox.after_page = None
    assert run.exit_code == 0, run.errors
    assert sorted(ids(run, "users")) == sorted(everything(sandbox, "users"))
    assert "50" in seen
    assert seen[-1] == ("100" if any_limit else seen[-1])


@CURSORS
@pytest.mark.parametrize("stream", ["users", "notes", "messages"])
def test_a_broken_row_costs_what_lies_behind_it_and_a_resumed_sync_goes_on_from_there(
    make_sandbox: Any, waits: list[float], stream: str, any_limit: bool
) -> None:
    resource = "conversations" if stream == "messages" else stream
    key = "conversationId" if stream == "messages" else "id"
    sandbox = make_sandbox(sizes={resource: 350}, switches=Switches(cursors_of_any_limit=any_limit))
    order = [row["id"] for row in _live(sandbox, resource)]
    broken = order[133]
    whole = {row[key] for row in everything(sandbox, stream).values()}
    sandbox.switches.broken_rows = frozenset([broken])
    first = read(sandbox, stream, include_archived=False)
    assert first.statuses == {stream: "INCOMPLETE"}
    found = [record[key] for record in first.records(stream)]
    assert set(order[:133]) & whole <= set(found)
    assert broken not in found
    assert any(order[132] in error and "does not give, even alone" in error for error in first.errors), first.errors
    assert order[132] in str(state_of(first, stream))
    sandbox.journal.clear()
    second = read(sandbox, stream, first.last_states(), include_archived=False)
    assert second.statuses == {stream: "INCOMPLETE"}
    assert not set(order[:132]) & {record[key] for record in second.records(stream)}, "what was read comes once"
    sandbox.switches.broken_rows = frozenset()
    third = read(sandbox, stream, second.last_states(), include_archived=False)
    assert (third.exit_code, third.statuses) == (0, {stream: "COMPLETE"}), third.errors
    assert {record[key] for run in (first, second, third) for record in run.records(stream)} == whole & set(order)
    assert "resume" not in str(state_of(third, stream))


def _live(sandbox: Sandbox, resource: str) -> list[Any]:
    rows = [row for row in sandbox.workspace.rows(resource) if not row.get("archivedAt")]
    return sorted(rows, key=lambda row: (str(row["createdAt"]), row["id"]), reverse=True)


def test_what_lies_behind_a_broken_row_is_taken_from_the_other_side(make_sandbox: Any, waits: list[float]) -> None:
    sandbox = make_sandbox(sizes={"users": 350})
    order = by_creation(sandbox, "users")
    sandbox.clock.advance(3600)
    edited = order[200:230]
    for key in edited:
        sandbox.workspace.update("users", key, {"name": "later"})
    sandbox.switches.broken_rows = frozenset([order[100]])
    run = read(sandbox, "users")
    assert run.statuses == {"users": "INCOMPLETE"}
    assert {*order[:100], *edited} <= set(ids(run, "users"))
    assert len(ids(run, "users")) == len(set(ids(run, "users")))


def test_a_broken_row_among_what_was_changed_leaves_the_state_as_it_was(make_sandbox: Any, waits: list[float]) -> None:
    sandbox = make_sandbox(sizes={"users": 150})
    first = read(sandbox, "users")
    sandbox.clock.advance(3600)
    order = by_creation(sandbox, "users")[:30]
    for key in order:
        sandbox.workspace.update("users", key, {"name": "later"})
    sandbox.switches.broken_rows = frozenset([order[10]])
    second = read(sandbox, "users", first.last_states())
    assert second.statuses == {"users": "INCOMPLETE"}
    assert set(order[11:]) <= set(ids(second, "users"))
    assert state_of(second, "users") == state_of(first, "users")


def test_a_page_that_is_too_heavy_after_an_outage_is_asked_for_in_halves_as_well(
    make_sandbox: Any, waits: list[float]
) -> None:
    sandbox = make_sandbox(sizes={"users": 120}, switches=Switches(heaviest_page=25))
    sandbox.faults.add(
        Fault(path="/users$", times=4, skip=5, status=503)
    )  # what is known to work, while it is asked for
    run = read(sandbox, "users")
    assert run.exit_code == 0, run.errors
    assert len(ids(run, "users")) == 120


def test_an_outage_is_no_broken_row(make_sandbox: Any, waits: list[float]) -> None:
    sandbox = make_sandbox(sizes={"users": 350})
    sandbox.faults.add(Fault(path="/users$", times=None, skip=2, status=500))
    run = read(sandbox, "users")
    assert run.statuses == {"users": "INCOMPLETE"}
    assert "even alone" not in str(run.errors)
    assert all(request.query["limit"] in ("1", "100") for request in sandbox.journal)
