"""Several rows of one key: a table of history, the newer of two rows, and what is one by mistake."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer

from destination_vitally import DestinationVitally
from destination_vitally.sync import versions, window
from integration_tests.destination.one_row import (
    ACCOUNTS,
    GONE,
    MAPPED,
    START,
    sent,
    slow_workspace,
    sync,
    traits,
    version,
)
from integration_tests.harness import Json, QuickClock, destination_config, record, state, stream
from integration_tests.sandbox import Sandbox

MONTHS = [f"2025-{month:02}-01" for month in range(1, 13)]
HISTORY = {
    "stream": "account_months",
    "object": "account",
    "operation": "upsert",
    "fields": [
        {"field": "externalId", "column": "customer_id"},
        {"field": "timestamp", "column": "month"},
        {"field": "messageId", "column": "key"},
    ],
    "traits": [{"trait": "plan", "column": "plan"}, {"trait": "seats", "column": "seats"}],
    "other_columns": "ignore",
}


@pytest.fixture
def vitally() -> Iterator[Sandbox]:
    with slow_workspace() as served:
        yield served


def dated(customer: str, month: str | None, **more: Any) -> Json:
    seats = MONTHS.index(month) if month else 99
    row = {"customer_id": customer, "month": month, "plan": f"p{seats}", "seats": seats}
    return record("account_months", {**row, **more})


HISTORY_ONLY = [stream("account_months")]

# A table of history


@pytest.mark.parametrize("order", ["as written", "reversed", "shuffled"])
@pytest.mark.parametrize("keys", ["both", "analytics only"])
def test_a_year_of_plans_and_seats_arrives_oldest_first(vitally: Sandbox, order: str, keys: str) -> None:
    rows = [dated(f"a{n}", month) for n in range(12) for month in MONTHS]
    rows += [dated("a0", None), dated("a1", MONTHS[-1], seats=50)]
    if order != "as written":
        rows[:-1] = rows[:-1][::-1] if order == "reversed" else random.Random(7).sample(rows[:-1], len(rows) - 1)
    settings: Json = {"secret_token": None} if keys != "both" else {"verify": "all"}

    run = sync(vitally, HISTORY_ONLY, [*rows, state("account_months", 1)], mappings=[HISTORY], **settings)

    assert run.error is None
    assert run.counts("account_months")["accepted"] == len(rows), run.log
    assert [message.get("timestamp", "")[:10] for message in sent(vitally, "a5")] == MONTHS
    assert [message["traits"]["seats"] for message in sent(vitally, "a5")] == [*range(12)]
    assert [message["traits"]["seats"] for message in sent(vitally)] == [*range(12), 99]
    assert traits(vitally) == {"plan": "p99", "seats": 99}
    assert traits(vitally, "a1")["seats"] == 50
    assert all(traits(vitally, f"a{n}")["seats"] == 11 for n in range(2, 12))
    assert run.logs("WARN") == []
    assert [given["id"] for given in run.states()] == [1]


def test_states_wait_for_the_end_of_a_dated_stream_alone(vitally: Sandbox) -> None:
    chunks = [
        [dated("a0", MONTHS[1]), state("account_months", 1)],
        [record("accounts", {"externalId": "b", "name": "B"}), state("accounts", 2)],
        [dated("a0", MONTHS[0])],
        [complete("account_months")],
    ]
    seen: list[tuple[int, list[Json]]] = []
    clock = QuickClock(START, passes=vitally.clock.advance)

    def lines() -> Iterator[list[bytes]]:
        for number, chunk in enumerate(chunks):
            yield [orjson.dumps(one) for one in chunk]
            clock.wait(60)
            yield []
            seen.append((number, sent(vitally)))

    catalog = ConfiguredAirbyteCatalogSerializer.load({"streams": [*HISTORY_ONLY, stream("accounts")]})
    settings = destination_config(vitally, mappings=[HISTORY])
    given = [orjson.loads(line) for line in DestinationVitally(clock).write_lines(settings, catalog, lines())]

    assert [number for number, messages in seen if messages and number < 3] == [], "none goes before the stream ends"
    assert [message["timestamp"][:7] for message in sent(vitally)] == ["2025-01", "2025-02"]
    assert [one["state"]["id"] for one in given] == [1, 2]


def complete(name: str) -> Json:
    status = {"stream_descriptor": {"name": name}, "status": "COMPLETE"}
    return {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 0, "stream_status": status}}


def test_a_sync_of_history_that_is_stopped_loses_nothing(vitally: Sandbox) -> None:
    clock = QuickClock(START, passes=vitally.clock.advance)
    destination = DestinationVitally(clock)
    catalog = ConfiguredAirbyteCatalogSerializer.load({"streams": HISTORY_ONLY})
    rows = [*(dated("a0", month) for month in MONTHS[::-1]), state("account_months", 1)]

    def chunks() -> Iterator[list[bytes]]:
        yield [orjson.dumps(message) for message in rows]
        destination._stop.set()
        yield []

    given = list(destination.write_lines(destination_config(vitally, mappings=[HISTORY]), catalog, chunks()))

    assert given == []
    run = sync(vitally, HISTORY_ONLY, rows, mappings=[HISTORY])
    assert run.counts("account_months")["accepted"] == 12
    assert traits(vitally)["seats"] == 11
    assert run.state_ids == [1]


@pytest.mark.parametrize("keys", ["both", "analytics only"])
@pytest.mark.parametrize("ended", [True, False], ids=["with status", "without"])
@pytest.mark.parametrize("first", ["parents", "children"])
def test_children_wait_for_parents_that_come_with_their_history(
    vitally: Sandbox, keys: str, ended: bool, first: str
) -> None:
    parents = [dated(f"a{n}", month) for month in MONTHS[3::-1] for n in range(2)]
    parents += [complete("account_months")] if ended else []
    children = [
        *(record("users", {"externalId": f"u{n}", "accountIds": [f"a{n}"]}) for n in range(2)),
        record("events", {"event": "seen", "accountId": "a0", "messageId": "m"}),
    ]
    rows = [*parents, *children] if first == "parents" else [*children, *parents]
    settings: Json = {"secret_token": None} if keys != "both" else {}

    run = sync(
        vitally,
        [stream("users"), stream("events"), *HISTORY_ONLY],
        [*rows, state("users", 1)],
        mappings=[HISTORY],
        **settings,
    )

    assert (run.counts("users")["accepted"], run.counts("events")["accepted"]) == (2, 1), run.log
    assert (len(vitally.workspace.rows("users")), len(vitally.workspace.events)) == (2, 1)
    assert traits(vitally)["seats"] == 3
    assert run.state_ids == [1]


def test_beyond_the_budget_blocks_are_sorted_and_the_log_says_so(
    vitally: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [dated(f"a{n}", month) for month in MONTHS[::-1] for n in range(20)]
    monkeypatch.setattr(versions, "MOST_BYTES", 50 * len(orjson.dumps(rows[0])))

    run = sync(vitally, HISTORY_ONLY, rows, mappings=[HISTORY])

    assert run.counts("account_months")["accepted"] == 240, run.log
    assert [message["timestamp"][:10] for message in sent(vitally)] == [*MONTHS[7:], *MONTHS[2:7], *MONTHS[:2]]
    assert run.log.count("Stream account_months: its dated rows are more than are kept to be sorted") == 1


def test_a_message_id_of_ones_own(vitally: Sandbox) -> None:
    rows = [
        dated("a0", MONTHS[1], key="k1"),
        dated("a0", MONTHS[0], key="k0"),
        dated("a0", MONTHS[1], key="k1", seats=1.0),
        dated("a0", MONTHS[2], key="k1"),
        dated("a1", MONTHS[1], key="k1"),
    ]

    run = sync(vitally, HISTORY_ONLY, rows, mappings=[HISTORY])

    assert run.counts("account_months")["rejected"] == 2, run.log
    assert run.log.count("another row has this messageId and says something else") == 3, "a line each and the summary"
    assert {message["messageId"] for message in sent(vitally)} == {"k0", "k1"}
    assert traits(vitally)["seats"] == 1


def test_a_user_of_two_accounts_with_a_message_id_belongs_to_both(vitally: Sandbox) -> None:
    for key in ("a", "b"):
        vitally.workspace.insert("accounts", {"externalId": key, "name": key})
    mapping = {
        "stream": "people",
        "object": "user",
        "operation": "upsert",
        "fields": [
            {"field": "externalId", "column": "id"},
            {"field": "accountIds", "column": "accounts"},
            {"field": "messageId", "column": "key"},
        ],
    }
    run = sync(
        vitally,
        [stream("people")],
        [record("people", {"id": "u", "accounts": ["a", "b"], "key": "k"})],
        mappings=[mapping],
    )

    assert run.counts("people")["accepted"] == 1, run.log
    [user] = vitally.workspace.rows("users")
    assert len(user["accountIds"]) == 2


def test_unchanged_rows_of_history_are_sent_nevertheless(vitally: Sandbox) -> None:
    for key in ("a0", "a1", "a2"):
        vitally.workspace.insert("accounts", {"externalId": key, "name": "A", "traits": {"plan": "p11", "seats": 11}})
    rows = [*(dated("a0", month) for month in MONTHS[::-1]), dated("a1", MONTHS[11])]
    rows.append(dated("a2", None, plan="p11", seats=11))

    run = sync(vitally, HISTORY_ONLY, rows, mappings=[HISTORY], skip_unchanged=True)

    assert (run.counts("account_months")["accepted"], run.counts("account_months")["unchanged"]) == (13, 1), run.log
    assert traits(vitally)["seats"] == 11


def test_the_dry_run_of_history(vitally: Sandbox) -> None:
    rows = [dated("a0", month) for month in MONTHS[::-1]]

    run = sync(
        vitally,
        HISTORY_ONLY,
        [*rows, record("account_months", {"customer_id": "a0", "month": "2031-01-01"})],
        mappings=[HISTORY],
        dry_run=True,
    )

    assert "13 records = 1 created, 11 updated" in run.log, run.log
    assert "timestamp is more than a day ahead of now" in run.log
    assert vitally.workspace.rows("accounts") == []


# The newer of two rows


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (9, 10),
        ("9", "10"),
        ("2026-01-01T01:00:00+02:00", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00.000002Z"),
        ("2025-12-31", "2026-01-01T00:00:00"),
        (1.5, 1.75),
        ("b", "c"),
        (-10, -9),
        (2**63, 2**63 + 1),
    ],
)
@pytest.mark.parametrize("order", ["newer first", "older first"])
def test_the_row_with_the_higher_cursor_stays(vitally: Sandbox, older: Any, newer: Any, order: str) -> None:
    rows = [version(newer, seats=2), version(older, seats=1, old=True)]
    gap = 150 if older == 9 else 0  # more than a batch
    others = [record("accounts", {"externalId": f"b{n}", "name": "B"}) for n in range(gap)]

    first, second = rows if order == "newer first" else rows[::-1]
    run = sync(vitally, ACCOUNTS, [first, *others, second], mappings=MAPPED)

    assert traits(vitally)["seats"] == 2
    if order == "newer first" or not gap:
        assert run.counts("accounts")["superseded"] == 1, run.log
        assert traits(vitally) == {"seats": 2}, "the other is superseded whole"


@pytest.mark.parametrize(
    ("first", "second"), [(5, 5), (5, None), (None, 5), (5, "x"), ("2026-01-01", 3), (5, [1]), (True, False), (5, "")]
)
def test_of_rows_whose_cursors_say_nothing_the_later_stays(vitally: Sandbox, first: Any, second: Any) -> None:
    run = sync(vitally, ACCOUNTS, [version(first, seats=1, old=True), version(second, seats=2)], mappings=MAPPED)

    assert traits(vitally) == {"seats": 2, "old": True}, run.log


@pytest.mark.parametrize("keys", ["both", "rest only"])
def test_an_older_delete_does_not_destroy_a_newer_row(vitally: Sandbox, keys: str) -> None:
    settings: Json = {"analytics_token": None} if keys != "both" else {}
    rows = [version(2, seats=2), version(1, **GONE)]

    run = sync(vitally, ACCOUNTS, rows, mappings=MAPPED, allow_deletes=True, **settings)

    assert run.counts("accounts")["superseded"] == 1, run.log
    assert traits(vitally) == {"seats": 2}
    run = sync(vitally, ACCOUNTS, [version(4, **GONE), version(3)], mappings=MAPPED, allow_deletes=True, **settings)
    assert run.counts("accounts")["superseded"] == 1, run.log
    assert vitally.workspace.rows("accounts") == []


@pytest.mark.parametrize("mode", ["append", "append_dedup"])
def test_only_a_deduplicated_stream_has_newer_rows(vitally: Sandbox, mode: str) -> None:
    accounts = stream("accounts", mode, cursor_field=["changed", "at"])

    sync(vitally, [accounts], [version(2, seats=2), version(1, seats=1)], mappings=MAPPED)

    assert traits(vitally)["seats"] == (1 if mode == "append" else 2)


def test_the_dry_run_says_what_is_superseded(vitally: Sandbox) -> None:
    run = sync(vitally, ACCOUNTS, [version(2), version(1)], mappings=MAPPED, dry_run=True)

    assert "2 records = 1 created, 0 updated, 0 created or updated, 0 deleted, 1 superseded" in run.log


def test_beyond_the_budget_of_keys_the_later_row_stays(vitally: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "MOST_KEYS", 1)
    other = [record("accounts", {"externalId": "b", "name": str(at), "changed": {"at": at}}) for at in (2, 1)]

    run = sync(vitally, ACCOUNTS, [version(2, seats=2), *other, version(1, seats=1)], mappings=MAPPED)

    assert traits(vitally)["seats"] == 2
    assert [row["name"] for row in vitally.workspace.rows("accounts") if row["externalId"] == "b"] == ["1"]
    assert run.log.count("Stream accounts: it has more keys than are remembered (1)") == 1


# Rows that are one by mistake


@pytest.mark.parametrize("cursor", [True, False], ids=["with cursor", "without"])
def test_many_rows_of_one_key_are_pointed_out(vitally: Sandbox, cursor: bool) -> None:
    rows = [version(n, externalId="unknown", name=f"Company {n}") for n in range(25)]
    rows += [version(n, externalId=f"a{n}") for n in range(100)]

    run = sync(vitally, ACCOUNTS if cursor else [stream("accounts")], rows[::-1], mappings=MAPPED)

    [said] = run.logs("WARN")
    assert "25 rows of 125 have the same key, externalId 'unknown', and differ otherwise" in said


def test_rows_that_wait_are_counted_once(vitally: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "ROWS", 1)
    users = [record("users", {"externalId": "unknown", "name": str(n), "accountIds": ["a0"]}) for n in range(25)]

    run = sync(vitally, [stream("users"), stream("accounts")], [*users, version(1)])

    assert "Stream users: 25 rows of 25 have the same key, externalId 'unknown', and differ otherwise" in run.log, (
        run.log
    )
    assert "Stream users (upsert user): 25 records = 1 accepted, 24 superseded" in run.log


@pytest.mark.parametrize("key", ["null", "None", "NaN", "[object Object]", "-", "N/A", "undefined"])
def test_placeholders_are_no_ids(vitally: Sandbox, key: str) -> None:
    run = sync(vitally, ACCOUNTS, [version(1, externalId=key), version(1)], mappings=MAPPED)

    assert (run.counts("accounts")["rejected"], run.counts("accounts")["accepted"]) == (1, 1), run.log
    assert [row["externalId"] for row in vitally.workspace.rows("accounts")] == ["a0"]
