"""What the writer makes of single rows: merged, refused, foretold, looked for; and what is said of it at the end."""

from __future__ import annotations

import logging
from typing import Any

import orjson
import pytest

from destination_vitally.errors import ConfigError, OutageError
from destination_vitally.mapping.mapper import Mapper
from destination_vitally.send.batches import BYTES
from destination_vitally.sync import window, writer
from destination_vitally.sync.writer import HOLD_SECONDS
from destination_vitally.verify import proof
from unit_tests.destination.scripted import page
from unit_tests.destination.syncs import GONE, Sync, account, counts, event, record, state

WHEN = "2026-01-01T00:00:00.000Z"
THERE = {"GET /accounts/a": {"id": "A", "externalId": "a"}}
NOTE = {"note": "1", "noteDate": WHEN, "accountId": "a"}


# Messages


def test_later_rows_of_a_key_are_merged_into_the_first_while_it_waits() -> None:
    sync = Sync({}, "accounts").done(account(plan="x"), account("b"), account(plan="y"))
    assert sync.sent == [["account a", "account b"]]
    assert sync.messages[0]["traits"] == {"name": "N", "plan": "y"}
    assert counts(sync) == {"accepted": 2, "superseded": 1}


@pytest.mark.parametrize(
    ("emitted_at", "expected"),
    [
        (1_767_225_600_123, "2026-01-01T00:00:00.123Z"),
        (1_767_225_600_123.5, "2026-01-01T00:00:00.123Z"),
        (1_767_225_600, "2026-01-01T00:00:00Z"),
        # What no clock says is the beginning of the sync.
        *((odd, "2026-09-21T14:13:20Z") for odd in (0, 1, -5, None, "1767225600000", 253_402_300_800_000, 1e300)),
    ],
)
def test_a_message_has_the_time_at_which_its_row_was_emitted(emitted_at: Any, expected: str) -> None:
    message = account()
    message["record"]["emitted_at"] = emitted_at
    assert Sync({}, "accounts").done(message).messages[0]["timestamp"] == expected


@pytest.mark.parametrize("more", [0, 1])
def test_no_message_is_larger_than_vitally_takes(more: int) -> None:
    [small] = Sync({}, "accounts").done(account(text="")).messages
    room = BYTES - 2 - len(orjson.dumps(small))
    sync = Sync({}, "accounts").done(account(text="x" * (room + more)), account("b"))
    assert (
        sync.rejected.reasons == ["account 'a': it is larger than the 500000 bytes that Vitally takes at once"] * more
    )
    assert [message["accountId"] for message in sync.messages] == ["a", "b"][more:]


# Single calls


def test_calls_for_one_row_keep_their_order_and_others_need_not_wait() -> None:
    """The first waits for an account that a batch has brought."""
    late = {"GET /accounts/a": (404, 404, {"id": "A", "externalId": "a", "name": "N"})}
    script = {
        **late,
        "GET /accounts/b": {"id": "B", "externalId": "b"},
        "POST /notes": {"id": "n"},
    }

    def notes(**more: Any) -> list[Any]:
        mappings = [{"stream": "notes", "object": "note", "operation": "create", "other_columns": "traits"}]
        sync = Sync(script, "accounts", "notes", mappings=mappings)
        second = NOTE | more | {"note": "2", "accountId": "b"}
        sync.done(account(), record("notes", NOTE | more), record("notes", second))
        return [(request, body["note"]) for request, body in sync.parts.vitally.written if "notes" in request]

    assert notes(externalId="x") == [("POST /notes", "1"), ("POST /notes", "2")]
    assert notes() == [("POST /notes", "2"), ("POST /notes", "1")]


# What is refused


def test_what_vitally_refuses_has_its_status() -> None:
    sync = Sync({"PUT /accounts/a": 400, "PUT /accounts/b": {"id": "B"}}, "accounts", analytics_token=None)
    sync.done(account(), account("b"))
    assert sync.rejected.reasons == ["account 'a': Vitally refused it: No."]
    assert sync.rejected.statuses == [400]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row is written when it arrives."""
    monkeypatch.setattr(writer, "AT_ONCE", 1)


def odd(*_: Any) -> Any:
    raise TypeError("secret")


@pytest.mark.usefixtures("at_once")
def test_what_nobody_thought_of_is_the_matter_of_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Mapper, "change", odd)
        first = Sync({}, "accounts")
        first.take(account())
    assert first.rejected.reasons == ["account: it cannot be written (TypeError)"]
    monkeypatch.setattr(writer, "messages_of", odd)
    second = Sync({}, "accounts")
    second.take(account())
    assert second.rejected.reasons == ["account 'a': it cannot be written (TypeError)"]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("error", [MemoryError(), OutageError("No way."), ConfigError("Wrong.")])
def test_what_is_no_matter_of_a_row_ends_the_sync(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fails(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(writer, "messages_of", fails)
    sync = Sync({}, "accounts")
    with pytest.raises(type(error)):
        sync.take(account())
    assert sync.rejected.reasons == []


@pytest.mark.usefixtures("at_once")
def test_a_rejected_record_stops_the_sync_if_that_is_asked_for() -> None:
    sync = Sync({}, "accounts", on_rejected="fail")
    with pytest.raises(ConfigError) as caught:  # noqa: PT012 - at once, or when the writer looks next
        sync.take(record("accounts", {"name": "N"}), state("accounts", 1))
        sync.writer.tick()
    assert str(caught.value.message) == (
        "Stopped at a rejected record of stream accounts, as it is set: account: externalId is required to "
        "upsert; map the column that holds your id to it. Correct the record, or set When a row is rejected "
        "(on_rejected) to skip."
    )
    assert sync.given() == []


# Dry runs


def test_a_dry_run_sends_nothing_and_says_what_a_sync_would_do(caplog: pytest.LogCaptureFixture) -> None:
    script = {**THERE, "GET /accounts/b": 404}
    sync = Sync(script, "accounts", "events", dry_run=True, allow_deletes=True)
    sync.take(account(), account("b"), account(**GONE), account("b"), account("c", **GONE))
    sync.done(event("b"), event("b"), state("accounts", 1))
    assert sync.sent == []
    assert sync.given() == []
    assert sync.said[0].startswith(
        "Dry run, nothing was sent. Stream accounts (upsert account): 5 records = 1 created, "
    )
    assert counts(sync) == {"created": 1, "updated": 2, "deleted": 1, "skipped": 1}
    assert counts(sync, 1) == {"created": 1, "superseded": 1}
    assert "Dry run (dry_run) is on: nothing is sent, and no state is given back" in caplog.text


def test_a_dry_run_makes_no_parents_either() -> None:
    sync = Sync({"GET /users/u": 404}, "users", dry_run=True, unknown_parents="create")
    sync.done(record("users", {"externalId": "u", "accountId": "nobody"}))
    assert sync.sent == []
    assert counts(sync) == {"created": 1}


# What need not be sent

A_LIST = "GET /accounts?limit=100&status=activeOrChurned&sortBy=createdAt"


def test_rows_that_would_change_nothing_are_not_sent() -> None:
    shown: dict[str, Any] = {
        "id": "A",
        "externalId": "a",
        "name": "N",
        "createdAt": WHEN,
        "traits": {},
        "organization": None,
    }
    sync = Sync({"GET /accounts/a": shown}, "accounts", skip_unchanged=True)
    sync.done(account(), account("b"), account(name="M"), account())
    assert counts(sync) == {"accepted": 2, "superseded": 1, "unchanged": 1}


def test_what_is_compared_fills_its_batches_all_the_same() -> None:
    """So few requests are affordable that no more than 25 rows are held back at once."""
    sync = Sync({}, "accounts", skip_unchanged=True, requests_per_minute=1)
    sync.done(*(account(f"a{n}") for n in range(60)))
    assert [len(batch) for batch in sync.sent] == [60]


def test_of_many_rows_that_are_compared_the_list_is_read_for_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no further than that is cheaper than asking for each: the last row is in none of the first pages."""
    monkeypatch.setattr(window, "SLICE", 11)
    rows = [
        {"id": f"A{n}", "externalId": f"a{n}", "name": "N", "createdAt": WHEN, "traits": {}}
        for n in (11, *range(11), 22, 23)
    ]
    pages = {
        f"{A_LIST}{f'&from={n}' if n else ''}": page(row, following=str(n + 1) if n < len(rows) - 1 else "")
        for n, row in enumerate(rows)
    }
    sync = Sync(pages, "accounts", skip_unchanged=True)
    sync.done(*(account(f"a{n}") for n in (*range(12), 30)))
    assert sync.parts.vitally.asked[:-2] == [*pages][:12]
    assert sync.parts.vitally.asked[-2] == "GET /accounts/a30"
    assert sync.sent == [["account a30"]]


# Whether it has landed


SHOWN = {"id": "A", "externalId": "a", "name": "N", "organization": None}


@pytest.mark.parametrize("on_unverified", ["warn", "fail"])
@pytest.mark.parametrize("has_landed", [True, False])
def test_what_has_not_landed_is_a_warning_or_a_failure(on_unverified: str, has_landed: bool) -> None:
    shown = {"GET /accounts/a": SHOWN} if has_landed else {}
    sync = Sync(shown, "accounts", verify="sample", on_unverified=on_unverified)
    if on_unverified == "fail" and not has_landed:
        with pytest.raises(
            ConfigError,
            match=r"Correct what is named and sync again, or set When a row has not landed \(on_unverified\) to warn",
        ):
            sync.done(account(), looks=True)
    else:
        sync.done(account(), looks=True)
    levels = [level for level, _ in sync.writer.summary()]
    assert levels == [logging.INFO, logging.INFO if has_landed else logging.WARNING]


def requests_of(sync: Sync) -> list[str]:
    return [str(one[0] if isinstance(one, tuple) else one).partition("?")[0] for one in sync.parts.vitally.asked]


def test_a_row_is_not_sent_again_before_it_has_landed() -> None:
    plans = [SHOWN | {"traits": {"plan": plan}} for plan in "xy"]
    sync = Sync({"GET /accounts/a": tuple(plans)}, "accounts", verify="all")
    sync.take(account(plan="x"), state("accounts", 1))
    sync.pass_time(HOLD_SECONDS)
    sync.done(account(plan="y"), looks=True)
    asked = requests_of(sync)
    assert asked.index("GET /accounts/a") < asked.index("POST /batch", 1)


@pytest.mark.parametrize("room", [1, 1_000])
def test_no_more_is_sent_while_much_has_not_landed(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    monkeypatch.setattr(proof, "PENDING", room)
    shown = {"GET /organizations/o": {"id": "O", "externalId": "o", "name": "O"}, "GET /accounts/a": SHOWN}
    sync = Sync(shown, "organizations", "accounts", verify="all")
    sync.done(record("organizations", {"externalId": "o", "name": "O"}), account(), looks=True)
    asked = requests_of(sync)
    assert (asked.index("GET /organizations/o") < asked.index("POST /batch", 1)) == (room == 1)
