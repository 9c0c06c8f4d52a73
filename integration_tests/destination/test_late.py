"""The Analytics API applies what it takes later: what is sent afterwards must not notice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from integration_tests.harness import Json, QuickClock, Run, destination_config, record, state, stream, write
from integration_tests.sandbox import Clock, Sandbox, Switches

START = 1_790_000_000
DELAYS = [0, 5, 60]


@pytest.fixture(params=DELAYS, ids="{} s".format)
def late(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A workspace that applies messages some time after it took them; its time passes only by waiting."""
    clock = Clock(at=datetime.fromtimestamp(START, timezone.utc))
    with Sandbox(empty=True, clock=clock, switches=Switches(effect_delay=request.param)) as served:
        yield served


def sync(sandbox: Sandbox, streams: list[Json], messages: list[Json], **settings: Any) -> Run:
    """Run one sync and let everything take effect."""
    clock = QuickClock(START, passes=sandbox.clock.advance)
    run = write(destination_config(sandbox, **settings), streams, messages, clock=clock)
    sandbox.clock.advance(3600)
    return run


def test_children_by_rest_wait_for_the_parents_that_a_batch_has_brought(late: Sandbox) -> None:
    template = late.workspace.insert("projectTemplates", {"name": "Onboarding"})["id"]
    rows = [
        *(record("accounts", {"externalId": f"a{n}", "name": "Acme"}) for n in range(3)),
        *(record("users", {"externalId": f"u{n}", "accountIds": [f"a{n}"]}) for n in range(3)),
    ]
    for n in range(9):
        parent = {"externalId": f"c{n}", "accountId": f"a{n // 3}"}
        rows += [
            record("notes", {**parent, "note": "Hello", "noteDate": "2026-01-01T00:00:00Z"}),
            record("tasks", {**parent, "name": "Call"}),
            record("projects", {"accountId": f"a{n // 3}", "templateId": template}),
            record(
                "nps_responses",
                {"externalId": f"c{n}", "userId": f"u{n // 3}", "score": 9, "respondedAt": "2026-01-01T00:00:00Z"},
            ),
        ]
    names = ["accounts", "users", "notes", "tasks", "projects", "nps_responses"]
    states = [state(name, number) for number, name in enumerate(names)]

    run = sync(late, [stream(name) for name in names], [*rows, *states])

    assert run.error is None
    for name in names:
        counts = run.counts(name)
        assert counts["accepted"] == counts["records"], run.log
    for table in ("notes", "tasks", "projects", "npsResponses"):
        assert len(late.workspace.rows(table)) == 9
    assert [given["id"] for given in run.states()] == [0, 1, 2, 3, 4, 5]


def test_a_row_that_a_batch_has_brought_is_deleted_for_good(late: Sandbox) -> None:
    row = {"externalId": "a", "name": "Acme"}
    deleted = {**row, "_ab_cdc_deleted_at": "2026-01-01T00:00:00Z"}
    schema = {"properties": {name: {"type": "string"} for name in deleted}}
    accounts = stream("accounts")
    accounts["stream"]["json_schema"] = schema

    run = sync(late, [accounts], [record("accounts", row), record("accounts", deleted)], allow_deletes=True)

    assert run.counts("accounts")["accepted"] == 2, run.log
    assert late.workspace.rows("accounts") == []


@pytest.mark.parametrize("is_there", [False, True])
def test_the_newer_value_by_rest_stays(late: Sandbox, is_there: bool) -> None:
    late.workspace.insert("accounts", {"externalId": "a", "name": "Acme"})
    if is_there:
        late.workspace.insert("users", {"externalId": "u", "name": "Oldest"})
        late.clock.advance(60)
    older = {"externalId": "u", "accountIds": ["a"], "name": "Older"}
    newer = {**older, "name": "Newer", "unsubscribedFromConversations": True}

    run = sync(late, [stream("users")], [record("users", older), record("users", newer)])

    assert run.counts("users")["accepted"] == 2, run.log
    [user] = late.workspace.rows("users")
    assert (user["name"], user["unsubscribedFromConversations"]) == ("Newer", True)
