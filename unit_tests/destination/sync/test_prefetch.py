"""Rows that need not be sent: what is asked for to know it, and what is sent all the same."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.rows.lists import SINGLES_FIRST
from destination_vitally.sync import window
from destination_vitally.sync.prefetch import FEW, WORTH
from unit_tests.destination.scripted import Script, page
from unit_tests.destination.syncs import GONE, Sync, account, counts, record

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


@pytest.mark.parametrize(
    ("there", "asked"),
    [([], FEW), ([0], FEW), ([0, 1], 2 * WORTH), ([0, 1, 2], 3 * WORTH), ([0, 1, 12], 3 * WORTH), ([0, 12], FEW)],
)
def test_as_long_as_rows_are_there_asking_goes_on(there: list[int], asked: int) -> None:
    rows = {f"GET /accounts/n{n}": {"id": f"N{n}", "externalId": f"n{n}", "name": "N"} for n in there}
    sync = sync_of(rows, "accounts")
    sync.done(*(account(f"n{n}") for n in range(50)))
    assert sum(str(one).startswith("GET /accounts/n") for one in sync.parts.vitally.asked) == asked
    found = len([n for n in there if n < asked])
    assert counts(sync) == {"accepted": 50 - found} | ({"unchanged": found} if found else {})


def test_what_was_asked_for_before_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "SLICE", FEW - 1)
    names = [*(f"n{n}" for n in range(FEW - 1)), "a"]
    sync = sync_of(A, "accounts")
    sync.done(*map(account, names))
    assert counts(sync)["unchanged"] == 1


def test_what_is_below_one_account_counts_once() -> None:
    of_b = page(shown_note("x", accountId="B"))
    other = {"GET /accounts/b": {"id": "B", "externalId": "b"}, NOTES.replace("/A/", "/B/"): of_b}
    sync = sync_of({**A, NOTES: page(), **other, "POST /notes": {"id": "new"}}, "notes")
    sync.done(*(note(f"n{n}") for n in range(FEW + 2)), note("x", accountId="b"))
    assert counts(sync) == {"accepted": FEW + 2, "unchanged": 1}


def test_what_a_list_has_shown_is_not_asked_for() -> None:
    """Neither the rows, nor the accounts of which the rows show no more than Vitally's ids."""
    numbers = range(SINGLES_FIRST + 2)
    users = [{"id": f"U{n}", "externalId": f"u{n}", "accountIds": [f"A{n}"], "createdAt": WHEN} for n in numbers]
    accounts = [{"id": f"A{n}", "externalId": f"a{n}", "createdAt": WHEN} for n in numbers]
    script = {
        "GET /users?limit=100&sortBy=createdAt": page(*users),
        "GET /accounts?limit=100&status=activeOrChurned&sortBy=createdAt": page(*accounts),
    }
    sync = sync_of(script, "users")
    sync.done(*(record("users", {"externalId": f"u{n}", "accountId": f"a{n}"}) for n in numbers))
    assert counts(sync) == {"unchanged": len(numbers)}
    assert sync.parts.vitally.asked == [*script]


def test_what_vitally_does_not_say_is_sent() -> None:
    assert counts(sync_of({"GET /accounts/a": 400}, "accounts").done(account())) == {"accepted": 1}


def test_what_depends_on_rows_that_have_just_been_sent_waits_for_them() -> None:
    script = {"GET /accounts/a": (404, 404, 404, A["GET /accounts/a"]), NOTES: page(), "POST /notes": {"id": "n"}}
    sync = sync_of(script, "accounts", "notes").done(account(), note("n"))
    assert [counts(sync, n) for n in range(2)] == [{"accepted": 1}] * 2
    assert sync.sent == [["account a"], "POST /notes"]


def test_people_who_have_just_been_sent_are_waited_for() -> None:
    mappings = [{"stream": "t", "object": "conversation", "operation": "update", "other_columns": "traits"}]
    user = {"id": "U", "externalId": "u", "accounts": [{"id": "A", "externalId": "a"}]}
    script = {**A, "GET /users/u": (404, 404, 404, user), "PUT /conversations/C": {"id": "C"}}
    sync = sync_of(script, "users", "t", mappings=mappings)
    message = {"message": "M", "from": {"type": "user", "id": "u"}}
    sync.done(record("users", {"externalId": "u", "accountId": "a"}), record("t", {"id": "C", "messages": [message]}))
    assert sync.sent == [["user u"], "PUT /conversations/C"]


def test_a_delete_of_what_is_as_it_says_is_a_delete() -> None:
    sync = sync_of(A | {"DELETE /accounts/a": {"success": True}}, "accounts", allow_deletes=True)
    sync.done(account(plan="x"), account(plan="x", **GONE))
    assert counts(sync) == {"accepted": 1, "unchanged": 1}
    assert sync.sent == ["DELETE /accounts/a"]


def test_a_row_told_by_vitallys_id_need_not_say_where_it_belongs() -> None:
    sync = sync_of({"GET /notes/N": shown_note("n")}, "notes").done(record("notes", {"id": "N", "note": "N"}))
    assert counts(sync) == {"unchanged": 1}


def test_what_a_batch_leaves_out_is_not_compared() -> None:
    user = {"id": "U", "externalId": "u", "accounts": [{"id": "A", "externalId": "a"}]}
    sync = sync_of({"GET /users/u": user | {"unsubscribedFromConversations": True}}, "users")
    sync.done(record("users", {"externalId": "u", "accountId": "a", "unsubscribedFromConversations": False}))
    assert counts(sync) == {"unchanged": 1}
    assert sync.parts.vitally.asked == ["GET /users/u"]


@pytest.mark.parametrize(("shown", "expected"), [("O", "unchanged"), ("P", "accepted"), (None, "accepted")])
def test_an_account_of_the_organization_already_need_not_be_sent(shown: str | None, expected: str) -> None:
    row = {"id": "A", "externalId": "a", "name": "N", "organizationId": shown}
    sync = sync_of({"GET /accounts/a": row, "GET /organizations/o": {"id": "O", "externalId": "o"}}, "accounts")
    assert counts(sync.done(account(organizationId="o"))) == {expected: 1}


def test_a_task_of_the_account_already_need_not_be_sent() -> None:
    task = {"id": "T", "externalId": "t", "accountId": "A", "tags": []}
    sync = sync_of({**A, "GET /tasks/T": task}, "tasks").done(record("tasks", {"id": "T", "accountId": "a"}))
    assert counts(sync) == {"unchanged": 1}


def test_rows_below_one_account_are_shown_by_one_list() -> None:
    notes = [shown_note(f"n{n}") for n in range(8)]
    sync = sync_of({**A, NOTES: page(*notes), "POST /notes": {"id": "new"}}, "notes")
    sync.done(*(note(f"n{n}") for n in range(8)), note("new"))
    assert counts(sync) == {"accepted": 1, "unchanged": 8}
    assert sync.parts.vitally.asked.count(NOTES) == 1


def test_a_row_with_the_same_id_below_another_account_is_another_row() -> None:
    notes = [shown_note(f"n{n}", accountId="A" if n else "B", createdAt=WHEN) for n in range(SINGLES_FIRST + 2)]
    script = {**A, NOTES: page(*notes[1:]), "GET /notes?limit=100&sortBy=createdAt": page(*notes)}
    sync = sync_of({**script, "POST /notes": {"id": "new"}}, "notes")
    sync.done(*(note(row["externalId"]) for row in notes))
    assert counts(sync) == {"accepted": 1, "unchanged": SINGLES_FIRST + 1}


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
