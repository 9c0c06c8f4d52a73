"""Rows that need not be sent: what is asked for to know it, and what is sent all the same."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.sync.unchanged import FEW, WORTH
from integration_tests.harness import record
from unit_tests.destination.scripted import Script, page
from unit_tests.destination.syncs import GONE, Sync, account, counts

WHEN = "2026-01-01T00:00:00.000Z"
A = {"GET /accounts/a": {"id": "A", "externalId": "a", "name": "N", "organization": None, "traits": {"plan": "x"}}}
NOTES = "GET /accounts/A/notes?limit=100&sortBy=createdAt"
IDA = {"id": "I", "email": "ida@example.com"}


def sync_of(script: Script, *streams: str, **more: Any) -> Sync:
    return Sync(script, *streams, skip_unchanged=True, **more)


def note(key: str, **more: Any) -> dict[str, Any]:
    return record("notes", {"externalId": key, "accountId": "a", "note": "N", "noteDate": WHEN, **more})


def shown_note(key: str, **more: Any) -> dict[str, Any]:
    row = {"id": key.upper(), "externalId": key, "accountId": "A", "note": "N", "noteDate": WHEN, "tags": []}
    return row | more


@pytest.mark.parametrize(
    ("data", "is_sent"),
    [
        ({}, False),
        ({"plan": "x"}, False),
        ({"plan": "y"}, True),
        ({"seats": 1}, True),
        ({"name": "M"}, True),
        (GONE, True),
    ],
)
def test_a_row_is_sent_only_if_it_would_change_what_vitally_shows(data: dict[str, Any], is_sent: bool) -> None:
    sync = sync_of(A | {"DELETE /accounts/a": {"success": True}}, "accounts", allow_deletes=True)
    sync.done(account(**data))
    assert counts(sync) == {"accepted" if is_sent else "unchanged": 1}
    assert bool(sync.sent) is is_sent


@pytest.mark.parametrize("also", [{"archivedAt": WHEN}, {"externalId": "other"}, {"name": "O"}])
def test_what_is_archived_or_another_row_is_no_reason_not_to_send(also: dict[str, Any]) -> None:
    script = {"GET /accounts/a": A["GET /accounts/a"] | also}
    assert counts(sync_of(script, "accounts").done(account())) == {"accepted": 1}


def test_a_row_that_something_was_sent_to_is_no_longer_what_it_was() -> None:
    """The same value comes again after another one; the last must win."""
    sync = sync_of(A, "accounts").done(account(plan="y"), account(plan="x"), account(plan="x"))
    assert counts(sync) == {"accepted": 1, "superseded": 2}
    assert sync.messages[0]["traits"]["plan"] == "x"


def test_an_update_is_compared_as_well() -> None:
    mappings = [{"stream": "t", "object": "account", "operation": "update", "other_columns": "traits"}]
    sync = sync_of(A, "t", mappings=mappings)
    sync.done(record("t", {"externalId": "a", "plan": "x"}))
    assert counts(sync) == {"unchanged": 1}
    assert sync.parts.vitally.asked == ["GET /accounts/a"]


def test_what_only_adds_is_not_compared() -> None:
    mappings = [{"stream": "t", "object": "account", "operation": "create", "other_columns": "traits"}]
    sync = sync_of(A, "t", mappings=mappings)
    sync.done(record("t", {"externalId": "a", "name": "N"}))
    assert counts(sync) == {"skipped": 1}


# What is asked for


def test_what_is_new_is_soon_no_longer_asked_for() -> None:
    """One in so many rows must be there for that to go on: what is new is cheaper to send."""
    sync = sync_of({}, "accounts", requests_per_minute=60_000)
    sync.done(*(account(f"n{n}") for n in range(FEW + 20)))
    singles = [one for one in sync.parts.vitally.asked if str(one).startswith("GET /accounts/n")]
    assert singles == [f"GET /accounts/n{n}" for n in range(FEW)]
    assert counts(sync) == {"accepted": FEW + 20}


@pytest.mark.parametrize(("there", "asked"), [(0, FEW), (1, FEW), (2, 2 * WORTH), (3, 3 * WORTH)])
def test_as_long_as_rows_are_there_asking_goes_on(there: int, asked: int) -> None:
    rows = {f"GET /accounts/n{n}": {"id": f"N{n}", "externalId": f"n{n}", "name": "N"} for n in range(there)}
    sync = sync_of(rows, "accounts")
    sync.done(*(account(f"n{n}") for n in range(50)))
    assert sum(str(one).startswith("GET /accounts/n") for one in sync.parts.vitally.asked) == asked
    assert counts(sync) == {"accepted": 50 - there} | ({"unchanged": there} if there else {})


def test_rows_below_one_account_are_shown_by_one_list() -> None:
    notes = [shown_note(f"n{n}") for n in range(8)]
    sync = sync_of({**A, NOTES: page(*notes), "POST /notes": {"id": "new"}}, "notes")
    sync.done(*(note(f"n{n}") for n in range(8)), note("new"))
    assert counts(sync) == {"accepted": 1, "unchanged": 8}
    assert sync.parts.vitally.asked.count(NOTES) == 1


def test_a_row_with_the_same_id_below_another_account_is_another_row() -> None:
    script = {**A, NOTES: page(), "GET /notes?limit=100&sortBy=createdAt": page(shown_note("n", accountId="B"))}
    sync = sync_of({**script, "POST /notes": {"id": "new"}}, "notes").done(note("n"))
    assert counts(sync) == {"accepted": 1}


def test_emails_are_translated_before_rows_are_compared() -> None:
    script = {**A, NOTES: page(shown_note("n", authorId="I")), "GET /admins/search?email=ida%40example.com": IDA}
    sync = sync_of(script, "notes").done(note("n", authorId="ida@example.com"))
    assert counts(sync) == {"unchanged": 1}


def test_what_cannot_be_translated_is_refused_when_it_is_made() -> None:
    sync = sync_of({**A, NOTES: page(shown_note("n"), shown_note("o"))}, "notes")
    sync.done(note("n", authorId="eva@example.com"), note("o"))
    assert counts(sync) == {"unchanged": 1, "rejected": 1}


# What rows refer to


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({"accounts": [{"id": "A", "externalId": "a"}]}, "unchanged"),
        ({"accounts": [{"id": "A"}]}, "unchanged"),
        ({"accountIds": ["A"]}, "unchanged"),
        ({"accounts": [{"id": "B", "externalId": "b"}, {"id": "A"}]}, "unchanged"),
        ({"accounts": [{"id": "B"}]}, "accepted"),
        ({"accounts": []}, "accepted"),
    ],
)
@pytest.mark.parametrize("by", ["users", "links"])
def test_a_user_who_belongs_to_the_account_already_need_not_be_sent(by: str, shown: Any, expected: str) -> None:
    user = {"id": "U", "externalId": "u", "name": "Ida", "traits": {}, **shown}
    mappings = [{"stream": "links", "object": "membership", "operation": "upsert", "other_columns": "traits"}]
    sync = sync_of({**A, "GET /users/u": user}, by, mappings=mappings if by == "links" else [])
    key = "userId" if by == "links" else "externalId"
    sync.done(record(by, {key: "u", "accountId": "a"}))
    assert counts(sync) == {expected: 1}


def test_a_membership_of_nobody_known_is_sent() -> None:
    mappings = [{"stream": "links", "object": "membership", "operation": "upsert", "other_columns": "traits"}]
    sync = sync_of({**A, "GET /users/u": {"id": "U", "externalId": "u"}}, "links", mappings=mappings)
    sync.done(record("links", {"userId": "u", "accountId": "a"}))
    assert counts(sync) == {"accepted": 1}
