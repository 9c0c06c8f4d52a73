"""A stream that feeds several objects: an outcome for each record and entry, states that wait for all of them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from destination_vitally.errors import InputError
from destination_vitally.outcomes.store import ENTRY
from unit_tests.destination.builders import configured
from unit_tests.destination.scripted import Script
from unit_tests.destination.syncs import GONE, Sync, record, state

A = {"GET /accounts/a": {"id": "A", "externalId": "a"}}
ACCOUNT = {"stream": "usage", "object": "account", "fields": {"externalId": "customer", "name": "name"}}
EVENT = {
    "stream": "usage",
    "object": "event",
    "fields": {"accountId": "customer", "event": "what", "messageId": "number"},
    "traits": {"count": "count"},
}
OTHER = {**EVENT, "fields": {"accountId": "customer", "messageId": "number"}, "constants": {"event": "other"}}


def sync_of(script: Script | None = None, *entries: dict[str, Any], **more: Any) -> Sync:
    mappings = [{"other_columns": "ignore", **one} for one in entries or (ACCOUNT, EVENT)]
    return Sync(script or {}, configured("usage"), mappings=mappings, **more)


def usage(key: str | None = "a", what: str | None = "seen", **more: Any) -> dict[str, Any]:
    return record("usage", {"customer": key, "what": what, "name": "N", "count": 1, "number": 7, **more})


def stats(sync: Sync) -> list[dict[str, float]]:
    return [orjson.loads(line)["state"]["destinationStats"] for line in sync.writer.states()]


def outcomes(sync: Sync) -> dict[str, str]:
    """What the summary has of each entry."""
    lines = (text.split(": ", 1) for text in sync.said if " records = " in text)
    return {title: what.split(" = ")[1] for title, what in lines}


def test_each_entry_has_its_outcome_and_its_line() -> None:
    sync = sync_of(A).done(usage(), state("usage", 1))
    assert sync.sent == [["account a"], ["track seen"]]
    assert outcomes(sync) == {
        "Stream usage, entry 1 (upsert account)": "1 accepted, 0 superseded, 0 skipped, 0 rejected",
        "Stream usage, entry 2 (create event)": "1 accepted, 0 superseded, 0 skipped, 0 rejected",
    }
    assert stats(sync) == [{"recordCount": 1.0, "rejectedRecordCount": 0.0}]


@pytest.mark.parametrize(
    ("first", "rejected"), [({"what": None}, 1), ({"key": None}, 1), ({"key": None, "what": None}, 1), ({}, 0)]
)
def test_a_record_counts_as_rejected_once_whichever_of_its_entries_reject_it(first: Any, rejected: int) -> None:
    """Given two records, when one entry or both reject one of them, then a state has one that was rejected."""
    sync = sync_of(A).done(usage(**first), usage(what="clicked", number=8), state("usage", 1))
    assert stats(sync) == [{"recordCount": 2.0 - rejected, "rejectedRecordCount": rejected}]


def test_a_state_waits_for_all_entries() -> None:
    """Given an entry that waits for a row of another stream, when the other entry is done, then the state waits."""
    organization = {"stream": "usage", "object": "organization", "fields": {"externalId": "customer", "name": "name"}}
    mappings = [{"other_columns": "ignore", **one} for one in (organization, EVENT)]
    script = {"GET /accounts/a": (404, *A.values())}
    sync = Sync(script, configured("usage"), configured("accounts"), mappings=mappings)
    sync.take(usage(), state("usage", 1))
    sync.pass_time(21.0)
    assert (sync.sent, sync.given()) == ([["organization a"]], [])
    sync.done(record("accounts", {"externalId": "a", "name": "N"}))
    assert (sync.sent[-1], sync.given()) == (["track seen"], [1])


def test_a_delete_reaches_the_entries_whose_object_has_one() -> None:
    sync = sync_of(A | {"DELETE /accounts/a": {"success": True}}, allow_deletes=True)
    sync.done(usage(**GONE), state("usage", 1))
    assert sync.sent == ["DELETE /accounts/a"]
    said = "Stream usage, entry 2: 1 rows say that they were deleted, which reaches only the entries whose object has a"
    assert any(text.startswith(said) for text in sync.said)
    assert outcomes(sync)["Stream usage, entry 2 (create event)"].startswith("0 accepted, 0 superseded, 1 skipped")
    assert stats(sync) == [{"recordCount": 1.0, "rejectedRecordCount": 0.0}]


def test_a_delete_that_no_entry_has_is_rejected() -> None:
    sync = sync_of(A, EVENT, OTHER, allow_deletes=True).done(usage(number=8), usage(**GONE), state("usage", 1))
    assert sync.rejected.reasons == ["event '7': Vitally has no way to delete it"] * 2
    assert stats(sync) == [{"recordCount": 1.0, "rejectedRecordCount": 1.0}]


@pytest.mark.parametrize(
    ("entry", "entries", "sent"),
    [
        ({"entry": 2, "object": "event"}, (ACCOUNT, EVENT), [["track seen"]]),
        ({"entry": 1, "object": "account"}, (ACCOUNT, EVENT), [["account a"]]),
        # Entries were put in another order, or taken out, since it was rejected.
        ({"entry": 1, "object": "event"}, (ACCOUNT, EVENT), [["track seen"]]),
        ({"entry": 2, "object": "event"}, (EVENT,), [["track seen"]]),
        # Of several entries for one object the number tells.
        (
            {"entry": 2, "object": "event"},
            (EVENT, OTHER),
            [["track other"]],
        ),
    ],
)
def test_a_rejection_that_is_written_again_goes_to_its_entry_alone(entry: Any, entries: Any, sent: Any) -> None:
    again = usage()
    again["record"][ENTRY] = entry
    sync = sync_of(A, *entries).done(again, state("usage", 1))
    assert sync.sent == sent
    assert stats(sync) == [{"recordCount": 1.0, "rejectedRecordCount": 0.0}]


def test_a_rejection_of_an_entry_that_is_no_longer_there_ends_the_sync() -> None:
    again = usage()
    again["record"][ENTRY] = {"entry": 2, "object": "note"}
    sync = sync_of(A)
    with pytest.raises(InputError, match="Line 1 of the input is a rejected record of stream 'usage', and of an entry"):
        sync.done(again)


def test_two_entries_may_write_one_row() -> None:
    """Given two entries for one object and key, when a record arrives, then one message has what both say."""
    other = {"stream": "usage", "object": "account", "fields": {"externalId": "customer"}, "traits": {"n": "count"}}
    sync = sync_of(A, ACCOUNT, other).done(usage(), state("usage", 1))
    [message] = sync.messages
    assert (message["accountId"], message["traits"]) == ("a", {"name": "N", "n": 1})
    assert stats(sync) == [{"recordCount": 1.0, "rejectedRecordCount": 0.0}]


def test_the_copies_of_a_record_wait_side_by_side() -> None:
    """Given two entries whose rows depend on a row that may still come, when it comes, then both are written."""
    mappings = [{"other_columns": "ignore", **OTHER, "constants": {"event": name}} for name in ("x", "y")]
    sync = Sync({"GET /accounts/a": (404, *A.values())}, configured("usage"), configured("accounts"), mappings=mappings)
    sync.take(usage(), state("usage", 1))
    sync.pass_time(21.0)
    assert sync.given() == []
    sync.done(record("accounts", {"externalId": "a", "name": "N"}))
    assert sorted(map(str, sync.sent[-1])) == ["track x", "track y"]
    assert sync.given() == [1]
