"""The Analytics API applies what it takes later: what is sent afterwards must not notice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import orjson
import pytest
from airbyte_cdk.models.airbyte_protocol_serializers import ConfiguredAirbyteCatalogSerializer

from destination_vitally import DestinationVitally
from destination_vitally.sync import window
from destination_vitally.sync.writer import Writer
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


# Children before their parents


def accounts(count: int) -> list[Json]:
    return [record("accounts", {"externalId": f"a{n}", "name": "Acme"}) for n in range(count)]


def users(count: int) -> list[Json]:
    return [record("users", {"externalId": f"u{n}", "accountIds": [f"a{n}"]}) for n in range(count)]


def complete(name: str) -> Json:
    status = {"stream_descriptor": {"name": name}, "status": "COMPLETE"}
    return {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 0, "stream_status": status}}


USERS_FIRST = [stream("users"), stream("accounts")]


@pytest.mark.parametrize("keys", ["both", "analytics only"])
def test_any_number_of_children_may_come_before_their_parents(
    late: Sandbox, keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "ROWS", 200)
    count = 1_200 if late.switches.effect_delay == 60 and keys == "both" else 700  # more than are decided together
    settings: Json = {"requests_per_minute": 100_000, **({"secret_token": None} if keys != "both" else {})}
    messages = [*users(count), state("users", 1), *accounts(count), state("accounts", 2)]

    run = sync(late, USERS_FIRST, messages, **settings)

    assert run.error is None
    assert run.counts("users")["accepted"] == count, run.log
    assert len(late.workspace.rows("users")) == count
    assert [given["id"] for given in run.states()] == [1, 2]
    assert run.log.count("let the stream of the accounts come first") == 1


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold next to nothing back for parents that come a moment later."""
    monkeypatch.setattr(window, "ROWS", 1)


@pytest.mark.usefixtures("narrow")
def test_grandchildren_wait_for_children_that_wait(late: Sandbox) -> None:
    rows = [
        record("nps_responses", {"externalId": "n", "userId": "u0", "score": 9, "respondedAt": "2026-01-01T00:00:00Z"}),
        record("events", {"event": "seen", "userId": "u0", "messageId": "m"}),
        *users(1),
    ]
    names = ["nps_responses", "events", "users", "accounts"]

    for order in (rows, rows[::-1]):
        run = sync(late, [stream(name) for name in names], [*order, complete("users"), *accounts(1)])
        assert not any(run.counts(name)["rejected"] for name in names), run.log
    assert len(late.workspace.rows("npsResponses")) == 1
    assert len(late.workspace.events) == 1


@pytest.mark.usefixtures("narrow")
def test_rows_of_one_key_stay_in_order_while_they_wait(late: Sandbox) -> None:
    late.workspace.insert("accounts", {"externalId": "there", "name": "There"})
    rows = [
        record("users", {"externalId": "u", "accountIds": ["a0"], "name": "First"}),
        record("users", {"externalId": "u", "accountIds": ["there"], "name": "Last"}),
    ]

    run = sync(late, USERS_FIRST, [*rows, *accounts(1)])

    assert run.counts("users")["rejected"] == 0
    [user] = late.workspace.rows("users")
    assert user["name"] == "Last"
    assert len(user["accountIds"]) == 2


@pytest.mark.usefixtures("narrow")
def test_a_parent_that_does_not_come_is_said(late: Sandbox) -> None:
    late.workspace.insert("accounts", {"externalId": "untracked", "name": "Hidden", "untracked": True})
    rows = [*users(2), record("users", {"externalId": "u2", "accountIds": ["untracked"]}), *accounts(1)]

    run = sync(late, USERS_FIRST, [*rows, complete("users"), state("users", 1)])

    assert run.counts("users") == {"records": 3, "accepted": 2, "superseded": 0, "skipped": 0, "rejected": 1}
    assert "user 'u1': accountIds: Vitally has no account with this id, and none arrived in this sync" in run.log
    assert sorted(user["externalId"] for user in late.workspace.rows("users")) == ["u0", "u2"]
    assert run.states()[0]["destinationStats"] == {"recordCount": 2.0, "rejectedRecordCount": 1.0}


def test_a_parent_that_is_nowhere_is_made_if_that_is_asked_for(late: Sandbox) -> None:
    note = {"externalId": "n", "accountId": "a9", "note": "Hello", "noteDate": "2026-01-01T00:00:00Z"}
    streams = [stream("users"), stream("notes")]

    run = sync(late, streams, [*users(2), record("notes", note)], unknown_parents="create")

    assert run.counts("users")["accepted"] == 2, run.log
    assert run.counts("notes")["accepted"] == 1, run.log
    assert sorted(row["externalId"] for row in late.workspace.rows("accounts")) == ["a0", "a1", "a9"]
    assert len(late.workspace.rows("users")) == 2


@pytest.mark.usefixtures("narrow")
def test_a_sync_that_is_stopped_claims_nothing_of_rows_that_wait(
    late: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = QuickClock(START, passes=late.clock.advance)
    destination = DestinationVitally(clock)
    catalog = ConfiguredAirbyteCatalogSerializer.load({"streams": USERS_FIRST})

    monkeypatch.setattr(Writer, "tick", lambda _: destination._stop.set())  # the state was taken
    lines = [orjson.dumps(message) for message in [*users(3), state("users", 1)]]

    given = list(destination.write_lines(destination_config(late), catalog, [lines]))

    assert given == []
    late.clock.advance(3600)
    assert late.workspace.rows("users") == []
    run = sync(late, USERS_FIRST, [*users(3), state("users", 1), *accounts(3)])
    assert run.counts("users")["accepted"] == 3


@pytest.mark.usefixtures("narrow")
def test_rows_whose_parents_were_cut_short_come_again(late: Sandbox) -> None:
    status = complete("accounts")
    status["trace"]["stream_status"]["status"] = "INCOMPLETE"

    run = sync(late, USERS_FIRST, [*users(3), state("users", 1), *accounts(2), status])

    assert "Stream users (upsert user): 3 records = 2 accepted" in run.log
    assert "1 without outcome, they come again with the next sync" in run.log
    assert run.states() == []
    run = sync(late, USERS_FIRST, [*users(3), state("users", 1), *accounts(3)])
    assert run.counts("users")["accepted"] == 3
    assert len(late.workspace.rows("users")) == 3


@pytest.mark.usefixtures("narrow")
def test_the_dry_run_says_the_same(late: Sandbox) -> None:
    run = sync(late, USERS_FIRST, [*users(3), *accounts(2)], dry_run=True)

    assert "Stream users (upsert user): 3 records = 2 created" in run.log
    assert "user 'u2': accountIds: Vitally has no account with this id, and none arrived in this sync" in run.log
    assert late.workspace.rows("users") == []


def test_waiting_for_parents_costs_few_requests(late: Sandbox) -> None:
    count = 500

    run = sync(late, USERS_FIRST[::-1], [*accounts(count), *users(count)])

    assert run.counts("users")["accepted"] == count
    looks = len(late.journal) - late.journal.count("batch")
    assert looks <= 120, "more than a page of the list and twenty rows a look"
