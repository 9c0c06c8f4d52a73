"""What it costs to look: proof overlaps with writing, a full budget is used at once, and rows on disk stay small."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import orjson
import pytest

from integration_tests.destination.between import START, accounts, found
from integration_tests.destination.measure import peak_memory
from integration_tests.harness import (
    Json,
    QuickClock,
    Run,
    destination_config,
    record,
    run_process,
    state,
    stream,
    write,
)
from integration_tests.sandbox import Clock, Limits, Maker, Sandbox, Switches

MARGIN = 5
PER_MINUTE = 200


@pytest.fixture
def clock() -> QuickClock:
    return QuickClock(START)


@pytest.fixture
def sandbox(clock: QuickClock) -> Iterator[Sandbox]:
    """A workspace that grants 200 requests a minute, and whose time passes only by waiting."""
    limits = Limits(PER_MINUTE, monotonic=clock.monotonic)
    at = Clock(at=datetime.fromtimestamp(START, timezone.utc))
    with Sandbox(empty=True, clock=at, limits=limits) as served:
        yield served


def sync(sandbox: Sandbox, clock: QuickClock, name: str, messages: list[Json], **settings: Any) -> Run:
    chosen = destination_config(sandbox, requests_per_minute=PER_MINUTE, **settings)
    run = write(chosen, [stream(name)], messages, clock=clock)
    assert run.error is None, run.log
    assert not [request for request in sandbox.journal if request.status == 429], "more was asked than is granted"
    return run


def moments(sandbox: Sandbox, clock: QuickClock, path: str, method: str = "POST") -> list[float]:
    """Return a list that gets the time of each request of a kind."""
    seen: list[float] = []
    sandbox.makers.add(Maker(lambda _: seen.append(clock.monotonic()), path, method, "after", times=None))
    return seen


@pytest.mark.parametrize("delay", [0, 5, 60])
@pytest.mark.parametrize("count", [100, 1_000, 5_000])
def test_the_proof_of_a_sample_is_there_soon_after_the_last_write(
    sandbox: Sandbox, clock: QuickClock, count: int, delay: float
) -> None:
    """Given 200 requests a minute, when the last batch was taken, the sample is proved once it has been applied."""
    sandbox.switches = Switches(effect_delay=delay)
    sent = moments(sandbox, clock, "/batch$")
    run = sync(sandbox, clock, "accounts", accounts(count), verify="sample")
    assert "100 are in Vitally" in found(run)
    assert clock.monotonic() - sent[-1] <= delay + MARGIN


@pytest.mark.parametrize("there", [1_000, 20_000])
def test_a_sample_in_a_large_workspace_is_as_quick(sandbox: Sandbox, clock: QuickClock, there: int) -> None:
    """Given many rows in Vitally that are updated here and there, the newest pages by updatedAt show them."""
    sandbox.workspace.bulk("accounts", there, lambda n: {"externalId": f"b{n}", "name": "B"})
    for n in range(300):
        sandbox.workspace.insert("accounts", {"externalId": f"a{n}", "name": "Old"})
    sandbox.clock.advance(60)
    sandbox.switches = Switches(effect_delay=5)
    sent = moments(sandbox, clock, "/batch$")
    sync(sandbox, clock, "accounts", accounts(300), verify="sample")
    assert clock.monotonic() - sent[-1] <= 5 + MARGIN


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("count", [50, 150, 190])
def test_a_full_budget_is_used_at_once(sandbox: Sandbox, clock: QuickClock, count: int, workers: int) -> None:
    """Given a job that fits into a minute's budget, when nothing was asked before, it takes seconds."""
    rows = [sandbox.workspace.insert("accounts", {"externalId": f"a{n}"})["id"] for n in range(count)]
    messages = [record("accounts", {"id": key, "name": "New"}) for key in rows]
    mapping = {"stream": "accounts", "object": "account", "operation": "update", "other_columns": "traits"}
    run = sync(sandbox, clock, "accounts", messages, num_workers=workers, mappings=[mapping], analytics_token=None)
    assert run.counts("accounts")["accepted"] == count, run.log
    # The last quarter of a minute's budget is spread over it.
    assert clock.monotonic() <= (5 if count <= 150 else 60)


def test_no_minute_has_more_requests_than_are_granted(sandbox: Sandbox, clock: QuickClock) -> None:
    """Given a job of several minutes, no moving minute has more than its budget, and the budget is used."""
    sandbox.limits = None
    sent = moments(sandbox, clock, "/accounts/", "PUT")
    rows = [sandbox.workspace.insert("accounts", {"externalId": f"a{n}"})["id"] for n in range(700)]
    messages = [record("accounts", {"id": key, "name": "New"}) for key in rows]
    mapping = {"stream": "accounts", "object": "account", "operation": "update", "other_columns": "traits"}
    # One worker: with more, what is granted at one time may arrive when the clock has moved on.
    sync(sandbox, clock, "accounts", messages, mappings=[mapping], analytics_token=None, num_workers=1)
    for n, begin in enumerate(sent):
        in_a_minute = sum(1 for one in sent[n:] if one < begin + 60)
        assert in_a_minute <= PER_MINUTE
    assert sent[-1] <= 240, "three minutes and a part of one are enough for 700"


def test_no_state_waits_for_the_next_minute(sandbox: Sandbox, clock: QuickClock) -> None:
    """Given that three quarters of a minute were used at once, the rest is spread: requests go on, and so do states."""
    sent = moments(sandbox, clock, "/accounts/", "PUT")
    rows = [sandbox.workspace.insert("accounts", {"externalId": f"a{n}"})["id"] for n in range(400)]
    messages = []
    for n, key in enumerate(rows):
        messages += [record("accounts", {"id": key, "name": "New"}), state("accounts", n)]
    mapping = {"stream": "accounts", "object": "account", "operation": "update", "other_columns": "traits"}
    sync(sandbox, clock, "accounts", messages, mappings=[mapping], analytics_token=None)
    gaps = [later - earlier for earlier, later in zip(sorted(sent), sorted(sent)[1:], strict=False)]
    assert max(gaps) <= 20


# What waits on disk is read back in pieces


def test_large_rows_that_come_back_from_disk_do_so_in_pieces(tmp_path: Path) -> None:
    """Given 5,000 rows of 20 kB whose parent comes last, when it is there, memory holds a part of them only."""
    text, pid, peaks = "x" * 20_000, tmp_path / "pid", [0.0]

    def lines() -> Iterator[bytes]:
        user = {"externalId": "@@@", "accountId": "late", "about": text}
        before, after = orjson.dumps(record("users", user)).split(b"@@@")
        for number in range(5_000):
            yield b"%sr%d%s" % (before, number, after)
        yield orjson.dumps(record("accounts", {"externalId": "late", "name": "Late"}))

    switches = Switches(effect_delay=0, drops=lambda message: message["type"] == "user")
    with Sandbox(empty=True, switches=switches) as sandbox:
        sandbox.journal.keep_bodies = False
        sandbox.makers.add(Maker(lambda _: peaks.append(peak_memory(int(pid.read_text()))), "/batch$", times=None))
        run = run_process(
            [
                "bash",
                "-c",
                'echo $$ >"$0"; exec "$@"',
                str(pid),
                str(Path(sys.executable).parent / "destination-vitally"),
            ],
            "write",
            config=destination_config(sandbox),
            catalog={"streams": [stream("users"), stream("accounts")]},
            stdin=lines(),
        )
    assert run.exit_code == 0, run.lines[-3:]
    assert run.counts("users")["accepted"] == 5_000
    assert max(peaks) < 150
