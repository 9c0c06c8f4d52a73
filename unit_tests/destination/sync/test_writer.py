"""The writer: what is sent when, in which order, and what is said of it; by lines, on a clock that only tests move."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.errors import ConfigError, InputError
from destination_vitally.sync import window, writer
from destination_vitally.sync.writer import AT_ONCE, HOLD_SECONDS
from unit_tests.destination.builders import configured
from unit_tests.destination.syncs import GONE, Sync, account, event, record, state, status

WHEN = "2026-01-01T00:00:00.000Z"
THERE = {"GET /accounts/a": {"id": "A", "externalId": "a"}}


COUNTS = "Stream accounts (upsert account): {} records = {} accepted, {} superseded, {} skipped, {} rejected"


# What arrives


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ({"type": "RECORD"}, "Line 2 of the input is a RECORD without data."),
        ({"type": "RECORD", "record": {"data": []}}, "Line 2 of the input is a RECORD without data."),
        ({"type": "RECORD", "record": [{"data": {}}]}, "Line 2 of the input is a RECORD without data."),
        (record("other", {}), "Line 2 of the input is of stream 'other', which is not in the catalog."),
        ({"type": "STATE"}, "Line 2 of the input is a STATE without a state."),
        ({"type": 1}, "Line 2 of the input is not an Airbyte message."),
    ],
)  # fmt: skip
def test_what_is_no_message_is_named_by_its_line(message: dict[str, Any], problem: str) -> None:
    sync = Sync({}, "accounts")
    sync.take(account())
    with pytest.raises(InputError) as caught:
        sync.take(message)
    assert str(caught.value.message) == problem


def test_what_says_nothing_to_a_destination_is_passed_over() -> None:
    others: list[dict[str, Any]] = [
        {"type": "LOG", "log": {}},
        {"type": "TRACE"},
        status("other", "COMPLETE"),
        status("accounts", "RUNNING"),
    ]
    assert Sync({}, "accounts").done(*others, account()).said == [COUNTS.format(1, 1, 0, 0, 0)]


def test_nothing_at_all_may_come() -> None:
    assert Sync({}).done().said == []


def test_streams_of_one_name_are_found_by_their_namespace() -> None:
    streams = [configured("accounts") for _ in range(2)]
    for one, namespace in zip(streams, ("eu", "us"), strict=True):
        one["stream"]["namespace"] = namespace
    sync = Sync({}, *streams)
    message = account()
    message["record"]["namespace"] = "us"
    sync.done(message)
    assert [line.split(" = ")[0] for line in sync.said] == [
        "Stream eu.accounts (upsert account): 0 records", "Stream us.accounts (upsert account): 1 records",
    ]  # fmt: skip


# When it is sent


def test_a_state_waits_no_longer_than_its_time_for_its_batch_to_fill() -> None:
    sync = Sync({}, "accounts")
    sync.take(account())
    sync.pass_time(HOLD_SECONDS + 1)
    assert not sync.writer.has_states
    sync.take(state("accounts", 1))
    assert sync.writer.has_states
    sync.pass_time(HOLD_SECONDS - 0.5)
    assert sync.sent == []
    assert sync.given() == []
    sync.pass_time(0.5)
    sync.writer.close()
    assert sync.sent == [["account a"]]
    assert sync.given() == [1]
    assert not sync.writer.has_states


def test_what_has_just_been_sent_is_not_sent_again_at_once() -> None:
    """Else each row that comes while an old state waits would go out alone."""
    sync = Sync({}, "accounts", "users", secret_token=None)
    sync.take(record("users", {"externalId": "u", "accountId": "b"}), state("users", 1), account())
    sync.pass_time(HOLD_SECONDS)
    sync.take(account("c"))
    sync.pass_time(HOLD_SECONDS / 2)
    assert sync.sent == [["account a"]]
    sync.pass_time(HOLD_SECONDS / 2)
    assert sync.writer.has_states
    sync.done()
    assert sync.sent == [["account a"], ["account c"], ["user u"]]


def test_rows_that_refer_to_others_are_held_back_for_them(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "airbyte")
    sync = Sync({}, "events", "accounts", "organizations", secret_token=None)
    sync.done(event(), account(organizationId="o"), record("organizations", {"externalId": "o", "name": "O"}))
    assert sync.sent == [["organization o"], ["account a"], ["track e"]]
    assert "wait on disk" not in caplog.text


def test_all_rows_that_are_held_back_are_sent_however_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "SLICE", 2)
    sync = Sync({}, "accounts", "events", secret_token=None)
    sync.done(account(), *(event("a", id=n) for n in range(5)))
    assert sync.sent == [["account a"], ["track e"] * 5]


@pytest.mark.parametrize("count", range(1, 8))
@pytest.mark.parametrize("early", [0, 1])
def test_all_rows_that_wait_on_disk_are_sent_in_the_end(
    monkeypatch: pytest.MonkeyPatch, count: int, early: int
) -> None:
    """However many come before time makes the others go to the disk, too."""
    monkeypatch.setattr(window, "ROWS", 2)
    users = [record("users", {"externalId": f"u{n}", "accountId": "x"}) for n in range(count)]
    sync = Sync({}, "accounts", "users", secret_token=None)
    sync.take(*users[:early], state("users", 1))
    sync.pass_time(HOLD_SECONDS)
    sync.done(*users[early:], account())
    sent = [key for batch in sync.sent for key in batch if key.startswith("user")]
    assert sorted(sent) == [f"user u{n}" for n in range(count)]


def test_no_more_is_held_back_than_can_be_sent_in_good_time() -> None:
    sync = Sync({**THERE, "POST /notes": {"id": "n"}}, "accounts", "notes", analytics_token=None, requests_per_minute=4)
    note = record("notes", {"externalId": "n", "note": "N", "noteDate": WHEN, "accountId": "a"})
    sync.take(note)
    sync.done()
    assert sync.sent == ["POST /notes"]


def test_full_batches_wait_for_nothing() -> None:
    sync = Sync({}, "accounts")
    sync.take(*(account(f"a{n}") for n in range(150)))
    sync.writer.close()
    assert [len(batch) for batch in sync.sent] == [100]


def test_rows_that_need_not_wait_for_parents_are_looked_up_so_many_at_once() -> None:
    """Given rows of the lowest rank of the catalog, then what they need is asked for when enough of them are there."""
    sync = Sync(THERE, "events")
    sync.take(*(event("a", id=n) for n in range(AT_ONCE - 1)))
    assert sync.parts.vitally.asked == []
    sync.take(event("a", id=AT_ONCE))
    assert sync.parts.vitally.asked[0] == "GET /accounts/a"
    sync.done(event("a", id=AT_ONCE + 1))
    assert [len(batch) for batch in sync.sent] == [100, 1]


def test_rejected_records_are_durable_before_a_state_that_covers_them_and_when_they_are_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer, "AT_ONCE", 1)
    sync = Sync({}, "accounts")
    bad = record("accounts", {"name": "N"})
    sync.take(bad, account())
    sync.writer.tick()
    assert sync.rejected.flushed == []
    sync.rejected.full = True
    sync.writer.tick()
    assert sync.rejected.flushed == [1]
    sync.rejected.full = False
    sync.done(bad, state("accounts", 1))
    assert sync.rejected.flushed == [1]
    assert next(sync.writer.states())
    assert sync.rejected.flushed == [1, 2]
    sync.writer.store()
    assert sync.rejected.flushed == [1, 2, 2]


# Order


def test_rows_of_one_key_keep_their_order_whichever_way_they_go() -> None:
    """An update goes by REST; the batch with an earlier row must be sent before it, and a later row after it."""
    script = {"GET /accounts/a": {"id": "A", "externalId": "a", "name": "N"}, "DELETE /accounts/a": {"success": True}}
    sync = Sync(script, "accounts", allow_deletes=True)
    sync.done(account("b"), account(), account(**GONE), account())
    assert sync.sent == [["account b", "account a"], "DELETE /accounts/a", ["account a"]]
    assert sync.said == [COUNTS.format(4, 4, 0, 0, 0)]


def test_rows_of_an_object_keep_their_order_where_some_are_identified_by_one_key_and_some_by_another() -> None:
    """Given a row by your id in a batch and one by Vitally's, then nobody knows whether they are one: order counts."""
    sync = Sync({"PUT /accounts/A": {"id": "A", "externalId": "a"}}, "accounts")
    sync.done(account(), record("accounts", {"id": "A", "name": "M"}), account(name="O"))
    assert sync.sent == [["account a"], "PUT /accounts/A", ["account a"]]


def test_rows_of_one_key_in_two_kinds_of_messages_keep_their_order() -> None:
    mappings = [{"stream": "links", "object": "membership", "operation": "upsert", "other_columns": "traits"}]
    users = {"GET /users/u": {"id": "U", "externalId": "u"}, **THERE}
    gone = record("links", {"userId": "u", "accountId": "a", **GONE})
    sync = Sync(users, "links", mappings=mappings, allow_deletes=True)
    link = record("links", {"userId": "u", "accountId": "a"})
    sync.done(link, gone, link)
    assert [message["type"] for message in sync.messages] == ["user", "unlink", "user"]
    assert len(sync.sent) == 3


def test_rows_of_other_keys_stay_in_their_batch() -> None:
    script = {"GET /accounts/b": {"id": "B", "externalId": "b"}, "DELETE /accounts/b": {"success": True}}
    sync = Sync(script, "accounts", allow_deletes=True)
    sync.done(account(), account("b", **GONE), account("c"))
    assert sync.sent == ["DELETE /accounts/b", ["account a", "account c"]]


# Streams that end, and streams that are cut short


ORPHAN = record("users", {"externalId": "u", "accountId": "x"})


@pytest.mark.parametrize("told", ["COMPLETE", "INCOMPLETE", ""])
def test_what_waits_for_a_stream_waits_until_it_has_ended(told: str) -> None:
    """If it was cut short, the parent may come with the next sync: the row has no outcome, and comes again."""
    sync = Sync({}, "accounts", "users")
    sync.take(ORPHAN, account(), state("users", 1))
    sync.pass_time(HOLD_SECONDS)
    assert sync.rejected.reasons == []
    if told:
        sync.take(status("accounts", told))
        sync.pass_time(HOLD_SECONDS)
    assert bool(sync.rejected.reasons) == (told == "COMPLETE")
    if told == "INCOMPLETE":
        sync.done()
        assert "1 without outcome, they come again with the next sync" in sync.said[1]
        assert sync.given() == []
        return
    with pytest.raises(ConfigError, match="Stream users: none of its 1 rows could be written"):
        sync.done()
    assert sync.rejected.reasons == [
        "user 'u': accountIds: Vitally has no account with this id, and none arrived in this sync; sync it along, "
        "or let "
        "Unknown accounts and organizations (unknown_parents) create it"
    ]


def test_what_waits_has_no_outcome_when_the_input_is_not_all() -> None:
    sync = Sync({}, "accounts", "users")
    sync.take(ORPHAN, account(), state("users", 1))
    sync.writer.finish(is_all=False)
    sync.writer.close()
    assert sync.sent == [["account a"]]
    assert "1 without outcome" in sync.said[1]


def test_rows_that_wait_for_rows_that_wait_are_sent_in_the_end() -> None:
    users = record("users", {"externalId": "u", "accountId": "a"})
    sync = Sync({}, "users", "accounts", "organizations", secret_token=None)
    sync.take(users, account(organizationId="o"))
    sync.pass_time(HOLD_SECONDS)
    sync.done(record("organizations", {"externalId": "o", "name": "O"}))
    assert sync.sent == [["organization o"], ["account a"], ["user u"]]


def test_all_streams_that_failed_are_named() -> None:
    sync = Sync({}, "accounts", "organizations")
    sync.take(record("accounts", {"name": "N"}), record("organizations", {"name": "N"}))
    with pytest.raises(ConfigError) as caught:
        sync.done()
    assert str(caught.value.message) == (
        "Stream accounts: none of its 1 rows could be written. 1 rejected: externalId is required to upsert; map the "
        "column that holds your id to it (for example account). Stream organizations: none of its 1 rows could be "
        "written. 1 rejected: externalId is required to upsert; map the column that holds your id to it (for example "
        "organization)."
    )
