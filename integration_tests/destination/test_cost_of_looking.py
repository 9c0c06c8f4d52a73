"""What it costs to look: proof overlaps with writing, a full budget is used at once, and rows on disk stay small."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from integration_tests.destination.between import START, accounts
from integration_tests.harness import (
    Json,
    QuickClock,
    Run,
    destination_config,
    record,
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
