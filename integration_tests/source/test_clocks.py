"""A clock is never believed blindly: no state lies in the future, and none that does hides what was changed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from integration_tests.harness import Run, run_source, source_config
from integration_tests.sandbox import Clock, Sandbox, Switches, iso
from integration_tests.source.reference import catalog, everything

FAR = "2099-01-01T00:00:00.000Z"
SWITCHES = {
    "with a date": Switches(),
    "without": Switches(no_date_header=True),
    "standing still": Switches(date_stands_still=True),
}


def read(sandbox: Sandbox, stream: str, state: Any = None, **fields: Any) -> Run:
    config = source_config(sandbox.url, sandbox.rest_key, inlined_objects="full", **{"lookback_minutes": 0, **fields})
    run = run_source("read", config, catalog(stream), state)
    assert run.exit_code == 0, run.errors
    return run


def watermark(run: Run, stream: str) -> str:
    return str(run.states(stream)[-1]["stream"]["stream_state"]["updatedAt"])


def in_two_days() -> str:
    return iso(datetime.now(timezone.utc) + timedelta(days=2))


@pytest.mark.parametrize("kind", SWITCHES)
def test_a_row_of_the_future_hides_no_edit(make_sandbox: Any, waits: list[float], kind: str) -> None:
    sandbox = make_sandbox(sizes={"users": 130}, switches=SWITCHES[kind])
    sandbox.workspace.insert("users", {"externalId": "far", "updatedAt": FAR})
    state = None
    for number in range(4):
        run = read(sandbox, "users", state)
        assert watermark(run, "users") < in_two_days()
        edited = sandbox.workspace.update("users", sandbox.workspace.rows("users")[number]["id"], {"name": "new"})
        state = run.last_states()
        following = read(sandbox, "users", state)
        assert edited["updatedAt"] in [row["updatedAt"] for row in following.records("users")]
        sandbox.clock.advance(60)


@pytest.mark.parametrize("kind", SWITCHES)
@pytest.mark.parametrize("stream", ["users", "notes"])
def test_a_state_of_the_future_is_taken_back_and_nothing_is_missed(
    make_sandbox: Any, waits: list[float], stream: str, kind: str
) -> None:
    sandbox = make_sandbox(sizes={stream: 130}, switches=SWITCHES[kind])
    state = [
        {
            "type": "STREAM",
            "stream": {"stream_descriptor": {"name": stream}, "stream_state": {"updatedAt": FAR}},
        }
    ]
    run = read(sandbox, stream, state)
    assert {record["id"] for record in run.records(stream)} == everything(sandbox, stream).keys()
    assert FAR not in str(run.states(stream)[-1])
    assert any("lies in the future" in line and FAR in line for line in run.logs("WARN"))
    again = read(sandbox, stream, run.last_states())
    assert len(again.records(stream)) < 10
    assert "lies in the future" not in again.log


def test_a_date_that_stands_still_is_said_and_makes_no_sync_a_full_one(make_sandbox: Any, waits: list[float]) -> None:
    sandbox = make_sandbox(sizes={"users": 130})
    read(sandbox, "users")
    sandbox.switches = Switches(date_stands_still=True)
    read(sandbox, "users")  # from here on the date is this one
    sandbox.clock.advance(3600)
    for row in sandbox.workspace.rows("users"):
        sandbox.workspace.update("users", row["id"], {"name": "later"})
    second = read(sandbox, "users", read(sandbox, "users").last_states())
    assert any("stands still" in line and "own clock" in line for line in second.logs("WARN")), second.log
    sandbox.clock.advance(3600)
    third = read(sandbox, "users", second.last_states())
    assert len(third.records("users")) <= 1


@pytest.mark.parametrize("ahead", [timedelta(days=400), timedelta(days=-400)])
def test_a_server_whose_clock_differs_from_ours_is_believed(make_sandbox: Any, ahead: timedelta) -> None:
    sandbox = make_sandbox(sizes={"users": 30}, clock=Clock(offset=ahead))
    first = read(sandbox, "users")
    row = sandbox.workspace.update("users", sandbox.workspace.rows("users")[0]["id"], {"name": "new"})
    second = read(sandbox, "users", first.last_states())
    assert row["id"] in {record["id"] for record in second.records("users")}
    assert len(second.records("users")) <= 2
    assert "future" not in second.log
