"""What changes refer to: by which id it is found, which id is sent, and what is created where nothing is found."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.errors import RejectedError
from destination_vitally.mapping.change import Change
from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.model import Operation
from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.facts import Deleted, Fact, Missed, Seen
from destination_vitally.rows.lists import SINGLES_FIRST
from destination_vitally.rows.references import ABSENT_SECONDS, References
from unit_tests.destination.builders import REFERENCES, change
from unit_tests.destination.rows.asking import (
    ARCHIVED,
    OURS,
    TASK,
    WHEN,
    A,
    Asked,
    elsewhere,
    identity,
    logged,
    outcome,
    vitallys,
    yours,
)
from unit_tests.destination.scripted import Script, page

USER = change("user", "upsert", {"externalId": "u", "accountId": "a"})
"""What refers to something, in a batch."""

OLD = "aaaaaaaa-0000-4000-8000-000000000009"
"""Vitally's id of an account that was merged into account `a`."""

A_LIST = "GET /accounts?limit=100&status=activeOrChurned&sortBy=createdAt"
ANOTHER_SPACE = (
    "task: accountId holds ids that are not your ids of accounts but Vitally's, or those of accounts that were merged. "
    "The Analytics API knows only yours, so your id of the account that Vitally shows is sent instead."
)


# Which id is sent


@pytest.mark.parametrize("target", ["account", "organization"])
@pytest.mark.parametrize("kind", [str, VitallyId])
@pytest.mark.parametrize("value", ["a", OURS, OLD])
def test_by_any_id_each_api_gets_the_one_that_it_knows(
    value: str, kind: type[str], target: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Given an id of yours, of Vitally's, or of a row that was merged, in a column that is said to hold yours or
    Vitally's, when it is sent by REST, then it is Vitally's id of the row that answers; in a message it is yours. What
    was asked for once is known by all ids, and a column that holds other ids than it should is named once."""
    asked = Asked({f"GET /{target}s/{value}": A})
    assert [vitallys(asked, kind(value), target) for _ in range(2)] == [OURS] * 2
    assert [yours(asked, kind(value), target) for _ in range(2)] == ["a"] * 2
    assert [vitallys(asked, one, target) for one in ("a", OURS, VitallyId(OURS))] == [OURS] * 3
    assert asked.asked == [f"GET /{target}s/{value}"]
    is_another_space = kind is str and value != "a"
    assert logged(caplog) == ([ANOTHER_SPACE.replace("account", target)] if is_another_space else [])


@pytest.mark.parametrize("value", [VitallyId(OURS), "a"])
def test_a_row_without_your_id_cannot_be_named_in_a_message(value: str) -> None:
    asked = Asked({f"GET /accounts/{value}": {"id": OURS, "externalId": None}})
    reason = "task 't': accountId: this account has no externalId, by which the Analytics API knows it"
    assert yours(asked, value) == (reason, None)
    assert vitallys(asked, value) == OURS


def test_your_id_goes_before_vitallys_id_of_another_row() -> None:
    """Given a row whose externalId is Vitally's id of another, when that text is named, then yours is meant."""
    asked = Asked()
    asked.shown("account", A, {"id": "B", "externalId": OURS})
    assert vitallys(asked, OURS) == "B"


def test_two_rows_of_one_of_your_ids_are_not_told_apart_and_archived_ones_do_not_count() -> None:
    asked = Asked()
    asked.shown("account", {"id": "1", "externalId": "a"}, {"id": "2", "externalId": "a"})
    assert vitallys(asked, "a") == ("task 't': accountId: 2 rows of account in Vitally have this id", None)
    asked.shown("account", {"id": "1", "externalId": "a", **ARCHIVED})
    assert vitallys(asked, "a") == "2"
    asked.shown("account", {"id": "2", "externalId": "a", **ARCHIVED})
    assert vitallys(asked, "a") == "1"


@pytest.mark.parametrize("operation", ["upsert", "delete"])
@pytest.mark.parametrize(
    ("value", "script", "sent"),
    [
        ("u", {}, "u"),
        ("u", {"GET /users/u": {"id": OURS, "externalId": "u"}}, "u"),
        (OURS, {f"GET /users/{OURS}": {"id": OURS, "externalId": "u"}}, "u"),
        (OURS, {}, OURS),
        (OURS, {f"GET /users/{OURS}": 400}, OURS),
        (VitallyId(OURS), {f"GET /users/{OURS}": {"id": OURS, "externalId": "u"}}, "u"),
        (VitallyId(OURS), {}, None),
    ],
)
def test_what_need_not_be_there_is_looked_up_and_if_it_is_not_there_sent_as_it_is(
    value: str, script: Script, sent: str | None, operation: Operation
) -> None:
    """Given the user of a membership, whom the message creates, when it is sent, then the id is looked up, since it may
    be Vitally's or of a merged row; of a membership that ends, only one that looks like Vitally's."""
    membership = change("membership", "upsert", {"userId": "u", "accountId": "a"})._replace(operation=operation)
    asked = Asked(script)
    refusal = f"{membership.label}: userId: Vitally has no user with this id, and none arrived in this sync"
    assert yours(asked, value, "user", membership) == (sent or (refusal, None))
    looks = 2 if isinstance(value, VitallyId) and sent is None else 1  # by the id itself, and as a copy
    assert len(asked.asked) == looks * (value != "u" or operation == "upsert")


# Without a REST key


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "a"),
        (OURS, OURS),
        (VitallyId("there"), "a"),
        (
            VitallyId("A"),
            (
                "task 't': accountId is Vitally's id of a row that only the REST API key (secret_token) could look up; "
                "sync the accounts along, or map your own id to accountId",
                None,
            ),
        ),
    ],
)
def test_without_a_rest_key_only_the_sync_itself_tells_your_id(value: str, expected: Any) -> None:
    references = References(Asked().memory, None)
    references.learned(elsewhere("there", "a"))
    wanted = references.here("account", value)
    assert outcome(lambda: references.yours(TASK, "accountId", "account", wanted)) == expected


def test_without_a_rest_key_what_may_still_come_is_waited_for() -> None:
    references = References(Asked().memory, None)
    references.may_come = lambda target, value, by="externalId": (target, value) == ("account", "a")
    sent, deleted = USER, USER._replace(operation="delete")
    assert outcome(lambda: references.yours(sent, "accountIds", "account", "a")) == ("waits for", "account", "a")
    assert outcome(lambda: references.yours(sent, "accountIds", "account", "b")) == "b"
    assert outcome(lambda: references.yours(deleted, "accountIds", "account", "a")) == "a"


def test_without_a_rest_key_nothing_is_looked_for() -> None:
    assert not REFERENCES.is_list_known("account")
    REFERENCES.prefetch("account", "a")
    REFERENCES.read_list("account", [str(n) for n in range(50)])
    assert not REFERENCES.is_known("account", "a")


# What is not there

CURE = "; sync it along, or let Unknown accounts and organizations (unknown_parents) create it"
MISSING = (f"task 't': accountId: Vitally has no account with this id{CURE}", None)


@pytest.mark.parametrize(("passed", "is_asked_again"), [(0.0, False), (ABSENT_SECONDS, False), (61.0, True)])
def test_what_is_not_there_is_believed_for_a_while(passed: float, is_asked_again: bool) -> None:
    asked = Asked({"GET /accounts/a": (404, A)})
    assert vitallys(asked, "a") == MISSING
    asked.clock.wait(passed)
    assert vitallys(asked, "a") == (OURS if is_asked_again else MISSING)
    assert len(asked.asked) == 1 + is_asked_again


def test_a_row_that_is_forgotten_as_soon_as_it_is_shown_is_there_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a disk that is full at the moment in which a parent has been looked up."""
    asked = Asked({"GET /accounts/a": A})
    note = asked.memory.note

    def forgets(*facts: Fact) -> None:
        note(*facts)
        asked.memory.store._move_to_memory()

    monkeypatch.setattr(asked.memory, "note", forgets)
    assert vitallys(asked, "a") == OURS


def test_a_message_is_refused_with_what_the_sync_could_have_brought() -> None:
    assert yours(Asked(), "a", subject=USER) == (
        f"user 'u': accountId: Vitally has no account with this id, and none arrived in this sync{CURE}",
        None,
    )


def test_what_vitally_does_not_say_is_asked_for_once_and_refused_for_each_row() -> None:
    asked = Asked({"GET /accounts/a": 400})
    refused = ("task 't': accountId: account 'a': Vitally does not say whether it is there: No.", 400)
    assert [vitallys(asked, "a"), vitallys(asked, "a")] == [refused] * 2
    assert asked.asked == ["GET /accounts/a"]


def test_an_answer_that_is_neither_a_row_nor_a_miss_is_asked_for_again() -> None:
    assert vitallys(Asked({"GET /accounts/a": ({"odd": 1}, A)}), "a") == OURS


def test_what_may_still_come_is_waited_for_before_anybody_is_asked() -> None:
    asked = Asked({"GET /accounts/b": {"id": "B", "externalId": "b"}})
    asked.references.may_come = lambda target, value, by="externalId": value == "a"
    assert vitallys(asked, "a") == yours(asked, "a") == ("waits for", "account", "a")
    assert vitallys(asked, "b") == "B"
    asked.shown("account", A)
    assert vitallys(asked, "a") == OURS
    assert asked.asked == ["GET /accounts/b"]


# What batches have brought


def test_a_row_that_a_batch_has_brought_is_waited_for_until_it_is_seen() -> None:
    asked = Asked()
    asked.sent_in_a_batch(change("account", "upsert", {"externalId": "a"}))
    assert vitallys(asked, "a") == yours(asked, "a") == ("waits for", "account", "a")
    assert asked.asked == []
    asked.shown("account", A)
    asked.memory.note(Seen(BY_NAME["account"], A))
    assert [vitallys(asked, "a"), yours(asked, OURS)] == [OURS, "a"]
    assert asked.asked == []


def test_of_a_row_that_is_there_nobody_waits_for_a_message_to_it() -> None:
    """Given a row that was there before, when a message to it is on its way, then it can be referred to."""
    asked = Asked()
    asked.shown("account", A)
    asked.sent_in_a_batch(change("account", "upsert", {"externalId": "a"}))
    assert vitallys(asked, "a") == OURS


def test_a_row_that_never_arrives_is_refused_with_the_reason() -> None:
    asked = Asked()
    why = RejectedError("Vitally took the row with externalId 'a' 600 s ago and has not applied it.")
    asked.memory.note(Missed(BY_NAME["account"], identity("account", externalId="a"), why))
    assert vitallys(asked, "a") == (f"task 't': accountId: {why}", None)
    assert asked.asked == []


# What this sync has written


@pytest.mark.parametrize("is_new", [True, False])
def test_a_row_that_this_sync_has_written_is_there_by_both_ids(is_new: bool) -> None:
    """Given a row that it has only updated, then that may be one of those that Vitally ignores, which no list shows."""
    asked = Asked()
    asked.written("account", is_new=is_new, **A)
    assert [vitallys(asked, one) for one in ("a", OURS)] == [OURS] * 2
    assert asked.references.is_listed("account", "a") is is_new
    assert asked.asked == []


@pytest.mark.parametrize("keys", [{"externalId": "a"}, {"id": OURS}])
def test_a_row_that_this_sync_has_deleted_is_not_there_by_either_id(keys: dict[str, str]) -> None:
    asked = Asked()
    asked.written("account", **A)
    asked.memory.note(Deleted(BY_NAME["account"], keys))
    assert [asked.references.is_there("account", one) for one in ("a", OURS)] == [False, False]


# Lists


def test_rows_that_a_list_has_shown_are_listed_by_each_id() -> None:
    asked = Asked()
    asked.shown("account", A)
    asked.shown("account", {"id": "B", "externalId": "b"}, is_listed=False)
    assert [asked.references.is_listed("account", one) for one in ("a", OURS, VitallyId(OURS))] == [True] * 3
    assert [asked.references.is_listed("account", one) for one in ("b", "B", "c")] == [False] * 3


@pytest.mark.parametrize(
    ("note", "is_known"),
    [("nothing", False), ("there", True), ("on its way", True), ("not there", True), ("not said", True)],
)
def test_what_is_known_need_not_be_looked_for(note: str, is_known: bool) -> None:
    asked = Asked({"GET /accounts/a": A})
    missed = Missed(BY_NAME["account"], identity("account", externalId="a"))
    match note:
        case "there":
            asked.shown("account", A)
        case "on its way":
            asked.sent_in_a_batch(change("account", "upsert", {"externalId": "a"}))
        case "not there":
            asked.memory.note(missed)
        case "not said":
            asked.memory.note(missed._replace(reason=RejectedError("No.")))
    assert asked.references.is_known("account", "a") is is_known
    asked.references.prefetch("account", "a")
    assert asked.asked == ([] if is_known else ["GET /accounts/a"])
    assert asked.references.is_known("account", "a")


def test_many_rows_are_looked_for_in_their_list() -> None:
    asked = Asked({A_LIST: page({**A, **WHEN})})
    asked.references.read_list("account", [f"b{n}" for n in range(SINGLES_FIRST)])
    assert asked.asked == []
    assert not asked.references.is_list_known("account")
    asked.references.read_list("account", ["a"])
    assert asked.references.is_list_known("account")
    assert asked.references.is_listed("account", "a")
    assert vitallys(asked, "a") == OURS
    assert asked.asked == [A_LIST]


def test_a_row_counts_once_for_each_of_the_two_questions_and_not_if_it_is_known() -> None:
    """Given the questions whether rows are there and whether they are listed, then each makes a list worth reading
    once per row, however often it is asked."""
    asked = Asked({A_LIST: page({**A, **WHEN}), "GET /accounts/a": A})
    for _ in range(SINGLES_FIRST):
        asked.references.read_list("account", ["a", "b"])
    assert vitallys(asked, "a") == OURS
    asked.written("account", id="E", externalId="e")
    asked.references.read_list("account", [*(f"c{n}" for n in range(SINGLES_FIRST - 2)), "e"])
    assert A_LIST not in asked.asked
    asked.references.read_list("account", ["e"], until_listed=True)
    assert A_LIST in asked.asked


def test_no_more_pages_are_read_than_the_rows_that_are_looked_for_need() -> None:
    rows = [{"id": f"A{n}", "externalId": f"a{n}", **WHEN} for n in range(3)]
    cursors = ["", "&from=1", "&from=2"]
    asked = Asked({A_LIST + cursors[n]: page(rows[n], following=f"{n + 1}" if n < 2 else "") for n in range(3)})
    asked.references.read_list("account", ["a1", *["a0"] * SINGLES_FIRST])
    assert asked.asked == [A_LIST, f"{A_LIST}&from=1"]
    assert not asked.references.is_list_known("account")


def test_what_has_no_list_of_all_is_asked_for_by_itself() -> None:
    asked = Asked()
    asked.references.read_list("meeting_participant", [str(n) for n in range(50)])
    assert asked.asked == []


# What must be there


@pytest.mark.parametrize(
    ("subject", "references"),
    [
        (TASK, [("accountId", "account", "a")]),
        (
            change("user", "upsert", {"externalId": "u", "accountIds": ["a", "b"], "organizationId": "o"}),
            [
                *(("accountIds", "account", "a"), ("accountIds", "account", "b")),
                ("organizationIds", "organization", "o"),
            ],
        ),
        # The row that a membership is kept in may be created by the message, and may be named by an old id.
        (
            change("membership", "upsert", {"userId": "u", "accountId": "a"}),
            [("userId", "user", "u"), ("accountId", "account", "a")],
        ),
        (TASK._replace(operation="delete"), []),
        (TASK._replace(fields={"externalId": "t", "accountId": None}), []),
    ],
)
def test_what_must_be_there_before_a_change_is_sent(subject: Change, references: Any) -> None:
    assert [tuple(one) for one in REFERENCES.of(subject)] == references
