"""What the Analytics API accepted is looked for in Vitally until it is there, or named when it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone

import orjson
import pytest

from destination_vitally.verify import proof as verification
from destination_vitally.verify import sampling
from integration_tests.destination import between
from integration_tests.destination.between import START, accounts, found, sync
from integration_tests.harness import (
    Json,
    QuickClock,
    destination_config,
    record,
    state,
    stream,
    write_chunks,
)
from integration_tests.sandbox import Clock, Fault, Sandbox, Switches

MODES = ["sample", "all"]
INSTANCES = "custom_object_feature_request"
each_mode = pytest.mark.parametrize("mode", MODES)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An empty workspace, whose time passes only by waiting and that applies messages 5 s after it took them."""
    clock = Clock(at=datetime.fromtimestamp(START, timezone.utc))
    with Sandbox(empty=True, clock=clock, switches=Switches(effect_delay=5)) as served:
        yield served


@each_mode
@pytest.mark.parametrize(
    "late",
    [
        Switches(),
        Switches(effect_delay=60),
        Switches(effect_delay=300, effect_delays="random"),
        Switches(effect_delay=300, effect_delays="growing"),
        Switches(effect_delay=300, effect_delays="random", effects_overtake=True),
        Switches(effect_delay=5, no_date_header=True),
        Switches(effect_delay=5, sort_ignored=True),
        Switches(effect_delay=5, timestamp_ties=True),
        Switches(effect_delay=5, short_pages=True),
        Switches(effect_delay=5, repeat_cursor=True),
    ],
    ids=lambda switches: ", ".join(f"{k} {v}" for k, v in vars(switches).items() if v != getattr(Switches(), k)),
)
def test_what_lands_late_is_waited_for(sandbox: Sandbox, mode: str, late: Switches) -> None:
    sandbox.switches = late
    run = sync(sandbox, mode, [*accounts(450), state("accounts", 1)])
    assert run.error is None
    checked = 100 if mode == "sample" else 450
    assert found(run).startswith(f"of 450 rows sent in batches {checked} were looked for, {checked} are in Vitally")
    assert not found(run).endswith("example")
    assert run.counts("accounts")["accepted"] == 450
    assert run.state_ids == [1]


@each_mode
@pytest.mark.parametrize(("delay", "most"), [(0, 30), (5, 60), (60, 100)])
def test_waiting_costs_few_requests(sandbox: Sandbox, mode: str, delay: float, most: int) -> None:
    sandbox.switches = Switches(effect_delay=delay)
    sync(sandbox, mode, accounts(1000))
    assert sandbox.journal.count("/resources") <= most


def test_where_the_list_costs_more_each_row_is_asked_for(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "SAMPLE", 5)
    run = sync(sandbox, "sample", accounts(1000))
    assert "5 are in Vitally" in found(run)
    assert sandbox.journal.count("/resources/accounts$") == 0
    assert sandbox.journal.count("/resources/accounts/") <= 5 + 3 * 3


@each_mode
def test_how_long_it_took_is_said(sandbox: Sandbox, mode: str) -> None:
    sandbox.switches = Switches(effect_delay=60)
    assert "(after 6" in found(sync(sandbox, mode, accounts(10)))


OBJECTS: dict[str, list[Json]] = {
    "organizations": [record("organizations", {"externalId": "new", "name": "Group", "plan": "team"})],
    "accounts": [
        record("accounts", {"externalId": "new", "name": "Acme", "organizationId": "o", "mrr": 12, "no": None})
    ],
    "users": [
        record(
            "users",
            {
                "externalId": "new",
                "accountIds": ["a", "b"],
                "organizationIds": ["o"],
                "email": "Ida@Example.com",
                "avatar": "https://a.example",
                "joinDate": "2026-01-31 09:30",
                "unsubscribedFromConversations": False,
            },
        )
    ],
    "membership": [record("membership", {"userId": "u", "accountId": "b"})],
    INSTANCES: [
        record(
            INSTANCES, {"externalId": "new", "name": "Dark mode", "customerId": "a", "vitally.custom.stage": "Planned"}
        )
    ],
}


@pytest.fixture
def filled(sandbox: Sandbox) -> Sandbox:
    """The same with an organization, two accounts, and a user of the first."""
    insert = sandbox.workspace.insert
    insert("organizations", {"externalId": "o", "name": "Group"})
    account = insert("accounts", {"externalId": "a", "name": "Acme"})
    insert("accounts", {"externalId": "b", "name": "Beta"})
    insert("users", {"externalId": "u", "accountIds": [account["id"]]})
    sandbox.clock.advance(10)
    return sandbox


@each_mode
@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("lands", [True, False])
def test_each_object(filled: Sandbox, mode: str, name: str, lands: bool) -> None:
    filled.switches.drops = None if lands else lambda _: True
    run = sync(filled, mode, OBJECTS[name])
    assert found(run, name).startswith(
        "of 1 rows sent in batches 1 were looked for, " + ("1 are" if lands else "0 are")
    )
    assert run.counts(name)["accepted"] == (lands or mode == "sample")


@each_mode
@pytest.mark.parametrize("lands", [True, False])
def test_a_membership_that_ends(filled: Sandbox, mode: str, lands: bool) -> None:
    filled.switches.drops = None if lands else lambda _: True
    row = {"userId": "u", "accountId": "a", "_ab_cdc_deleted_at": "2026-01-01T00:00:00Z"}
    run = sync(filled, mode, [record("membership", row)], allow_deletes=True)
    assert f"1 were looked for, {int(lands)} are in Vitally" in found(run, "membership")


@each_mode
def test_an_event_is_not_counted_as_looked_for(filled: Sandbox, mode: str) -> None:
    event = {"event": "seen", "accountId": "a", "messageId": "1"}
    run = sync(filled, mode, [record("events", event)])
    assert run.counts("events")["accepted"] == 1
    assert not any("looked for" in line for line in run.logs())
    assert filled.journal[-1].path.endswith("/batch"), "nothing is asked after it"


# What has not landed


@pytest.mark.parametrize("place", [0, 1, 500, 999])
def test_all_finds_one_row_in_a_thousand(sandbox: Sandbox, place: int) -> None:
    sandbox.switches.drops = lambda message: message.get("accountId") == f"a{place}"
    run = sync(sandbox, "all", [*accounts(1000), state("accounts", 1)])
    assert run.counts("accounts") == {"records": 1000, "accepted": 999, "superseded": 0, "skipped": 0, "rejected": 1}
    assert f"account 'a{place}': Vitally accepted it, but 600 s later it is not there" in run.log
    assert run.states()[0]["destinationStats"] == {"recordCount": 999.0, "rejectedRecordCount": 1.0}


def test_sample_always_finds_what_is_wrong_with_the_first_rows(sandbox: Sandbox) -> None:
    sandbox.switches.drops = lambda message: message.get("accountId") == "a2"
    run = sync(sandbox, "sample", accounts(1000))
    assert "100 were looked for, 99 are in Vitally" in found(run)
    assert "1 is not, for example account 'a2': Vitally accepted it, but 600 s later it is not there" in found(run)
    assert run.counts("accounts")["accepted"] == 1000


@each_mode
@pytest.mark.parametrize("action", ["warn", "fail"])
def test_what_has_not_landed_is_a_warning_or_the_end(sandbox: Sandbox, mode: str, action: str) -> None:
    sandbox.switches.drops = lambda message: message.get("accountId") == "a1"
    run = sync(sandbox, mode, [*accounts(10), state("accounts", 1)], on_unverified=action)
    assert [found(run)] == [
        line.removeprefix("Stream accounts: ").rstrip(".") for line in run.logs("WARN") if "of 10" in line
    ]
    assert run.state_ids == [1]
    if action == "warn":
        assert run.error is None
    else:
        assert run.failure_types == {"config_error"}
        assert "set When a row has not landed (on_unverified) to warn" in run.errors[0]
        assert "account 'a1'" in run.errors[0]


A, U = {"externalId": "a"}, {"externalId": "u"}
TO_A, TO_B = {"userId": "u", "accountId": "a"}, {"userId": "u", "accountId": "b"}
GONE = {"_ab_cdc_deleted_at": "2026-01-01T00:00:00Z"}


@each_mode
@pytest.mark.parametrize(
    ("messages", "meanwhile", "cause"),
    [
        (
            [record("users", {"externalId": "new", "accountIds": ["a", "b"]})],
            between.deleting("accounts", "b"),
            "it does not have accountIds as sent: accountIds: Vitally has no account with this id",
        ),
        (
            [record("users", {"externalId": "new", "accountIds": ["b"]})],
            between.deleting("accounts", "b"),
            "it is not there: accountIds: Vitally has no account with this id",
        ),
        (
            [record("accounts", {"externalId": "new", "organizationId": "o"})],
            between.deleting("organizations", "o"),
            "organizationId: Vitally has no organization with this id",
        ),
        (
            [record("membership", TO_B)],
            between.deleting("accounts", "b"),
            "it does not have accountIds as sent: accountId: Vitally has no account with this id",
        ),
        (OBJECTS["accounts"], between.dropping("type", "account"), "it is not there: no 'account' message has landed"),
        (
            OBJECTS[INSTANCES],
            between.without_custom_objects,
            "it is not there: Vitally no longer has this custom object",
        ),
        (
            OBJECTS[INSTANCES],
            between.without_custom_fields,
            "it does not have traits.vitally.custom.stage as sent: there is no custom field vitally.custom.stage in",
        ),
        (
            OBJECTS["accounts"],
            between.changed,
            "it does not have name as sent: Vitally has not taken the value, or somebody",
        ),
        (
            [*accounts(1), *OBJECTS["accounts"]],
            between.dropping("accountId", "new"),
            "Vitally has dropped the message and does not say why",
        ),
        (
            [record("accounts", {"externalId": "b", "name": "New name"})],
            between.dropping("accountId", "b"),
            "it does not have name as sent: Vitally has dropped the message and does not say why",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_likely_cause_is_named(
    filled: Sandbox, mode: str, messages: list[Json], meanwhile: Callable[[Sandbox], None], cause: str
) -> None:
    meanwhile(filled)
    run = sync(filled, mode, messages)
    assert cause in found(run, messages[-1]["record"]["stream"])


# What else is written meanwhile


def rows(name: str, *values: Json) -> list[Json]:
    return [record(name, value) for value in values]


@each_mode
@pytest.mark.parametrize(
    "messages",
    [
        # The later of two messages wins
        rows("accounts", {**A, "name": "1", "x": 1}, {"externalId": "b"}, {**A, "name": "2"}),
        rows("users", {**U, "accountIds": ["a"], "name": "1"}, {**U, "accountIds": ["b"], "name": "2"}),
        # A stream of links after a stream of users
        rows("users", {**U, "accountIds": ["a"]}) + rows("membership", TO_B, {**TO_A, **GONE}),
        rows("users", {**U, "accountIds": ["b"]}) + rows("membership", {**TO_B, **GONE}),
        rows("membership", {**TO_A, **GONE}, TO_A),
        rows("membership", TO_B, {"userId": "nobody", "accountId": "a", **GONE}),
        # REST after a batch
        rows("users", {**U, "accountIds": ["a"]}, {**U, "accountIds": ["b"], "unsubscribedFromConversations": True}),
        rows("accounts", {"externalId": "b", "name": "1"}, {"externalId": "b", **GONE}),
    ],
    ids=lambda messages: ", ".join(str(m["record"]["data"]) for m in messages),
)
def test_what_is_written_over_is_not_missed(filled: Sandbox, mode: str, messages: list[Json]) -> None:
    run = sync(filled, mode, messages, allow_deletes=True)
    assert run.error is None
    assert not any("for example" in line for line in run.logs())


@each_mode
def test_what_is_in_no_list_is_asked_for_by_its_id(filled: Sandbox, mode: str) -> None:
    """Vitally lists no account that it does not track."""
    for row in filled.workspace.rows("accounts"):
        filled.workspace.update("accounts", row["id"], {"untracked": True})
    run = sync(filled, mode, [*accounts(20), *rows("accounts", {"externalId": "a", "name": "N"}, {"externalId": "b"})])
    assert "22 are in Vitally" in found(run)


# Settings


def test_all_needs_the_rest_key(sandbox: Sandbox) -> None:
    run = sync(sandbox, "all", accounts(1), secret_token=None)
    assert run.failure_types == {"config_error"}
    assert "all in Look whether rows have landed (verify) needs the REST API key (secret_token)" in run.errors[0]
    assert len(sandbox.journal) == 0


def test_sample_does_without_the_rest_key(sandbox: Sandbox) -> None:
    run = sync(sandbox, "sample", accounts(1), secret_token=None)
    assert run.error is None
    [line] = [line for line in run.logs("INFO") if "secret_token" in line]
    assert line == "Whether rows have landed in Vitally is not looked at: that needs the REST API key (secret_token)."
    assert run.counts("accounts")["accepted"] == 1


@pytest.mark.parametrize(("mode", "extra"), [("none", {}), ("sample", {"dry_run": True}), ("all", {"dry_run": True})])
def test_nothing_is_looked_for_where_nobody_asks(sandbox: Sandbox, mode: str, extra: Json) -> None:
    run = sync(sandbox, mode, accounts(10), **extra)
    assert run.error is None
    assert not any("looked" in line for line in run.logs())


# States, memory and bad answers


def given_back(sandbox: Sandbox, mode: str, messages: list[Json]) -> Iterator[Json]:
    """Yield the states of a sync of accounts."""
    config = destination_config(sandbox, verify=mode)
    clock = QuickClock(START, passes=sandbox.clock.advance)
    lines = [orjson.dumps(message) for message in messages]
    return write_chunks(config, [stream("accounts")], [lines], clock=clock)


def test_with_all_a_state_waits_for_the_proof(sandbox: Sandbox) -> None:
    next(given_back(sandbox, "all", [*accounts(300), state("accounts", 1)]))
    assert sandbox.analytics.pending() == []


def test_with_sample_no_state_waits(sandbox: Sandbox) -> None:
    states = given_back(sandbox, "sample", [*accounts(300), state("accounts", 1)])
    next(states)
    assert len(sandbox.analytics.pending()) == 300
    assert list(states) == []
    assert sandbox.analytics.pending() == []


def test_a_row_that_never_lands_does_not_hold_up_the_others(filled: Sandbox) -> None:
    begin, came = filled.clock.now(), []

    def drops(message: Json) -> bool:
        if message["type"] == "user":
            came.append(filled.clock.now())
        return message.get("accountId") == "new"

    filled.switches.drops = drops
    run = sync(filled, "all", [*accounts(1), *OBJECTS["accounts"], *rows("users", {**U, "accountIds": ["a"]})])
    assert (run.counts("accounts")["rejected"], run.counts("users")["accepted"]) == (1, 1)
    assert (came[0] - begin).total_seconds() < 60


@pytest.mark.parametrize(("limit", "size"), [("PENDING", 300), ("PENDING_BYTES", 300 * 120)])
def test_no_more_is_waited_for_than_memory_should_hold(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, limit: str, size: int
) -> None:
    monkeypatch.setattr(verification, limit, size)
    sandbox.switches = Switches(effect_delay=60)
    run = sync(sandbox, "all", accounts(1500), num_workers=2)
    assert run.counts("accounts")["accepted"] == 1500
    waited = most = 0
    for request in sandbox.journal:
        waited = waited + 100 if request.path.endswith("/batch") else 0
        most = max(most, waited)
    assert most <= 300 + 2 * 2 * 100


@each_mode
def test_an_answer_that_says_nothing_is_no_proof(sandbox: Sandbox, mode: str) -> None:
    sandbox.faults.add(Fault("/resources/accounts", status=422, times=None))
    run = sync(sandbox, mode, accounts(1))
    assert "1 is not, for example account 'a0': Vitally does not say whether it is there" in found(run)
