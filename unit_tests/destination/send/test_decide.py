"""What to do next about one change by REST: a row per rule and situation, and what holds of all of them."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destination_vitally.mapping.change import Change
from destination_vitally.objects.model import Key, Verb
from destination_vitally.rows.facts import Answer, Known
from destination_vitally.rows.lists import FRESH_SECONDS
from destination_vitally.send.decide import (
    MOST_LATE,
    MOST_ROUNDS,
    Attempt,
    Case,
    Delete,
    Done,
    Look,
    Post,
    Put,
    Reject,
    Result,
    Step,
    decide,
    looks_up,
)
from unit_tests.destination.builders import DEFINITION, change
from unit_tests.destination.scripted import asks

NOW = 1_000.0
WHEN = "2026-01-01T00:00:00.000Z"

RESULTS = {
    **{"m": Result.MISSED, "e": Result.EXISTS, "l": Result.LOST, "k": Result.LOOKED, "a": Result.ARCHIVED},
    "t": Result.LATE,
}
"""The results of attempts, in short: missed, exists, lost, looked for, archived, too late."""

UNKNOWN = Answer()
ROW = Known({"id": "R", "externalId": "x"})
OTHER = Known({"id": "S", "externalId": "x"})
THERE, SEVERAL = Answer((ROW,)), Answer((ROW, OTHER))
ARCHIVED = Answer((Known({"id": "R", "externalId": "x", "archivedAt": WHEN}),))
DELETED = Answer(was_deleted=True)


def absent(seconds: float = 0.0, **more: Any) -> Answer:
    """That there is no such row, as it was known so many seconds ago."""
    return Answer(absent=NOW - seconds, **more)


def case(wanted: Change, answer: Answer, result: str = "", *, shows: bool = True) -> Case:
    attempts = [Attempt("a step", RESULTS[one], "No.", 400) for one in result]
    return Case(wanted, answer, attempts, NOW, lambda known: shows)


def upsert(name: str, **data: Any) -> Change:
    return asks(name, "upsert", {"externalId": "x", "name": "N", **data})


# One object for each way of writing: its routes are data, and these have all that there are.
ACCOUNT, TASK, ORGANIZATION = (
    upsert(name, **more) for name, more in [("account", {}), ("task", {"accountId": "a"}), ("organization", {})]
)
NEW, UNIDENTIFIED = (
    asks("account", "create", {"externalId": "x", "name": "N"}),
    asks("task", "create", {"name": "N", "accountId": "a"}),
)
BLIND = NEW._replace(entry=NEW.entry.matched_by(Key("id", in_path=True)))
"""As in a stream that identifies its rows by Vitally's id, so that a new one cannot be looked for."""
UPDATE, DELETE = (asks("task", operation, {"externalId": "x", "accountId": "a"}) for operation in ("update", "delete"))
BY_ADDRESS = [asks("account", operation, {"externalId": "x"}) for operation in ("update", "delete")]
BY_VITALLYS_ID = asks("account", "upsert", {"id": "R", "name": "N"})
UNDOCUMENTED = asks("conversation", "update", {"externalId": "x", "subject": "S"})
TRANSCRIPT = asks("meeting_transcript", "upsert", {"meetingId": "m", "transcript": [{}]})
ORPHAN = asks("task", "delete", {"externalId": "x"})

REFUSED = Reject("Vitally refused it: No.", 400)
MANY = "2 rows in Vitally have this externalId; match by id, or merge them in Vitally: R, S"
NOT_TWICE = (
    "Vitally may or may not have created it (No.). It was not sent again, because that could create it twice: look it "
    "up in Vitally"
)
NOT_OURS = (
    "Vitally did not answer when it was created, and now has a row with this externalId and other values, which "
    "somebody else may have created. Nothing more was sent: look it up in Vitally"
)
NO_SUCH_ID = (
    "Vitally has no row with this id; only rows matched by externalId can be created. If the id is yours, map it to "
    "externalId; for rows of another workspace set External id of rows that have none (external_id) to from_vitally_id"
)
NOT_FOUND = "not found by externalId; to {} it, map Vitally's id to id"


@pytest.mark.parametrize(
    ("wanted", "answer", "result", "step"),
    [
        # An upsert by PUT or else POST asks by writing, where nobody has looked.
        (ACCOUNT, UNKNOWN, "", Put("x")),
        (ACCOUNT, THERE, "", Put("x")),
        (ACCOUNT, absent(FRESH_SECONDS), "", Post()),
        (ACCOUNT, absent(FRESH_SECONDS + 1), "", Put("x")),
        (ACCOUNT, absent(was_deleted=True), "", Put("x")),
        (ACCOUNT, UNKNOWN, "m", Post()),
        (ACCOUNT, UNKNOWN, "me", Put("x")),
        (ACCOUNT, UNKNOWN, "mem", Post()),
        (ACCOUNT, UNKNOWN, "ml", Put("x")),
        # An upsert that has to know Vitally's id looks first, and again before it creates on what is not of now.
        (TASK, UNKNOWN, "", Look()),
        (TASK, THERE, "", Put("R", ROW)),
        (TASK, absent(), "", Post()),
        (TASK, absent(FRESH_SECONDS + 1), "", Look(is_stale=True)),
        (TASK, absent(), "k", Post()),
        (TASK, THERE, "k", Put("R", ROW)),
        (TASK, THERE, "m", Look()),
        (TASK, THERE, "e", Look()),
        (TASK, THERE, "mk", Put("R", ROW)),
        (TASK, absent(), "mk", Post()),
        (TASK, absent(), "e", Look()),
        (TASK, THERE, "ek", Put("R", ROW)),
        (TASK, absent(), "ek", Post()),
        (TASK, UNKNOWN, "l", Look()),
        (TASK, THERE, "lk", Put("R", ROW)),
        (TASK, absent(), "lk", Post()),
        # An upsert by POST alone looks only where Vitally says that the row exists.
        (ORGANIZATION, UNKNOWN, "", Post()),
        (ORGANIZATION, THERE, "", Post()),
        (ORGANIZATION, UNKNOWN, "e", Look()),
        (ORGANIZATION, THERE, "e", Look()),
        (TRANSCRIPT, UNKNOWN, "e", REFUSED),
        (ORGANIZATION, THERE, "ek", Put("R", ROW)),
        (ORGANIZATION, absent(), "ek", Post()),
        # A create is an insert: what exists is skipped, unless it is what a lost attempt has created.
        (NEW, UNKNOWN, "", Look()),
        (NEW, THERE, "", Done("skipped")),
        (NEW, SEVERAL, "", Done("skipped")),
        (NEW, absent(), "", Post()),
        (NEW, absent(FRESH_SECONDS + 1), "", Look(is_stale=True)),
        (NEW, absent(), "e", Look()),
        (NEW, THERE, "ek", Done("skipped")),
        (NEW, absent(), "l", Look()),
        (NEW, THERE, "lk", Done("created")),
        (NEW, absent(), "lk", Post()),
        (UNIDENTIFIED, UNKNOWN, "", Post()),
        (UNIDENTIFIED, UNKNOWN, "e", REFUSED),
        (UNIDENTIFIED, UNKNOWN, "l", Reject(NOT_TWICE)),
        (BLIND, UNKNOWN, "", Post()),
        (BLIND, UNKNOWN, "l", Reject(NOT_TWICE)),
        # A look may have taken so long that what it has found is not of now.
        (TASK, absent(FRESH_SECONDS + 1), "k", Look()),
        (TASK, absent(FRESH_SECONDS + 1), "k" * MOST_ROUNDS, Look()),
        (TASK, absent(FRESH_SECONDS + 1), "k" * (MOST_ROUNDS + 1), Post()),
        # What could not be sent in time is asked for again.
        (ACCOUNT, absent(FRESH_SECONDS + 1), "mt", Put("x")),
        (TASK, absent(FRESH_SECONDS + 1), "t", Look(is_stale=True)),
        (TASK, THERE, "t", Put("R", ROW)),
        (NEW, absent(FRESH_SECONDS + 1), "kt", Look(is_stale=True)),
        (NEW, THERE, "ktk", Done("skipped")),
        (NEW, absent(), "ktk", Post()),
        # Vitally refuses a row because it is archived.
        *((wanted, THERE, "a", Done("skipped", is_archived=True)) for wanted in (ACCOUNT, TASK, ORGANIZATION)),
        *((wanted, absent(was_deleted=True), "a", REFUSED) for wanted in (ACCOUNT, TASK)),
        *((wanted, THERE, "a", REFUSED) for wanted in (UPDATE, NEW)),
        # What somebody has archived stays so; what this sync has archived is created anew.
        *((wanted, ARCHIVED, "", Done("skipped", is_archived=True)) for wanted in (ACCOUNT, TASK, ORGANIZATION)),
        (TASK, ARCHIVED, "ek", Done("skipped", is_archived=True)),
        (ACCOUNT, ARCHIVED._replace(was_deleted=True), "", Put("x")),
        (TASK, absent(was_deleted=True), "k", Post()),
        (ACCOUNT, DELETED, "m", Post()),
        # Updates and deletes go to an address, if there is one, else to what is found.
        (BY_ADDRESS[0], UNKNOWN, "", Put("x")),
        # A delete looks first where the id may be the old one of a row that was merged.
        (BY_ADDRESS[1], UNKNOWN, "", Look()),
        (BY_ADDRESS[1], THERE, "", Delete("x")),
        (BY_ADDRESS[1], THERE, "k", Delete("x")),
        *((BY_ADDRESS[1], answer, "k", Done("skipped")) for answer in (UNKNOWN, absent())),
        (asks("task", "delete", {"id": "R"}), UNKNOWN, "", Delete("R")),
        (BY_ADDRESS[0], SEVERAL, "", Put("x")),
        *((wanted, UNKNOWN, "m", Done("skipped")) for wanted in BY_ADDRESS),
        (BY_VITALLYS_ID, UNKNOWN, "", Put("R")),
        (BY_VITALLYS_ID, UNKNOWN, "m", Reject(NO_SUCH_ID)),
        *((wanted, UNKNOWN, "", Look()) for wanted in (UPDATE, DELETE)),
        (UPDATE, THERE, "", Put("R", ROW)),
        (DELETE, THERE, "", Delete("R")),
        *((wanted, absent(age), "", Done("skipped")) for wanted in (UPDATE, DELETE) for age in (0, 100)),
        *((wanted, THERE, "m", Done("skipped")) for wanted in (UPDATE, DELETE)),
        (DELETE, ARCHIVED._replace(absent=NOW), "k", Done("skipped")),
        # A miss by an address of which no page speaks, or of a row whose parent is not named, proves nothing.
        (UNDOCUMENTED, UNKNOWN, "", Put("x")),
        (asks("conversation", "update", {"id": "R", "externalId": "x", "subject": "S"}), UNKNOWN, "", Put("R")),
        (asks("task", "update", {"id": "R", "externalId": "x", "name": "N"}), UNKNOWN, "m", Done("skipped")),
        (UNDOCUMENTED, UNKNOWN, "m", Reject(NOT_FOUND.format("update"))),
        (
            ORPHAN, absent(), "k",
            Reject(NOT_FOUND.format("delete") + ", or accountId or organizationId along with externalId"),
        ),
        # Several rows may be meant.
        *((wanted, SEVERAL, "", Reject(MANY)) for wanted in (TASK, UPDATE, DELETE)),
        *((wanted, SEVERAL, "", Put("x")) for wanted in (ACCOUNT, BY_ADDRESS[0])),
        (TASK, Answer((ROW, *ARCHIVED.rows)), "", Put("R", ROW)),
        # However often: at most so many times for one cause.
        (TASK, absent(), "ek" * (MOST_ROUNDS - 1) + "e", Look()),
        (TASK, absent(), "ek" * MOST_ROUNDS, REFUSED),
        (TASK, THERE, "ek" * MOST_ROUNDS, Put("R", ROW)),
        (ORGANIZATION, absent(), "ek" * MOST_ROUNDS, REFUSED),
        (ACCOUNT, UNKNOWN, "me" * MOST_ROUNDS, Put("x")),
        (ACCOUNT, UNKNOWN, "me" * (MOST_ROUNDS + 1), REFUSED),
        (NEW, absent(), "lk" * MOST_ROUNDS, Post()),
        (NEW, absent(), "lk" * MOST_ROUNDS + "l", REFUSED),
        (ACCOUNT, UNKNOWN, "ml" * MOST_ROUNDS, Put("x")),
        (ACCOUNT, UNKNOWN, "ml" * (MOST_ROUNDS + 1), REFUSED),
        # What is still shown after it was twice not there is shown by a list that lags.
        (TASK, THERE, "mkm", Look()),
        (TASK, THERE, "mkmk", Post()),
        (TASK, THERE, "mk" * 2 * MOST_ROUNDS, Post()),
        (TASK, THERE, "mk" * 2 * MOST_ROUNDS + "m", REFUSED),
    ],
)  # fmt: skip
def test_what_is_done_next(wanted: Change, answer: Answer, result: str, step: Step) -> None:
    """Given a change, what is known of its row, and what has come of the attempts so far, then one step is next."""
    assert decide(case(wanted, answer, result)) == step


def test_a_row_with_other_values_is_not_taken_for_the_one_that_was_lost() -> None:
    assert decide(case(NEW, THERE, "lk", shows=False)) == Reject(NOT_OURS)


@st.composite
def answers(draw: st.DrawFn, *, looked: bool) -> Answer:
    """Anything that may be known of a row; whoever has `looked` knows at once that there is none."""
    answer = Answer(draw(st.sampled_from([(), (ROW,), ARCHIVED.rows, (ROW, OTHER)])), was_deleted=draw(st.booleans()))
    age = 0.0 if looked else draw(st.sampled_from([None, 0.0, FRESH_SECONDS + 1]))
    return answer if answer.live or age is None else answer._replace(absent=NOW - age)


CHANGES = [ACCOUNT, TASK, ORGANIZATION, NEW, UNIDENTIFIED, BLIND, UPDATE, DELETE, *BY_ADDRESS, BY_VITALLYS_ID, ORPHAN]
LONGEST = 6 * MOST_ROUNDS


@given(st.sampled_from(CHANGES), st.data())
def test_whatever_vitally_answers_it_ends_and_nothing_is_created_on_a_guess(
    wanted: Change, data: st.DataObject
) -> None:
    """Given any answers, one after the other, then a change is decided in so many steps.

    After an answer that was lost nothing is created before something was asked; and what looks its row up creates only
    right after that, or on an absence of this moment.
    """
    attempts: list[Attempt] = []
    for _ in range(LONGEST):
        last = attempts[-1].result if attempts else None
        answer = data.draw(answers(looked=last is Result.LOOKED))
        step = decide(Case(wanted, answer, attempts, NOW, lambda known: data.draw(st.booleans())))
        if isinstance(step, Post):
            verb = case(wanted, answer).verb
            assert verb not in (Verb.PUT, Verb.DELETE)
            assert last is not Result.LOST
            if looks_up(wanted):
                assert not answer.live
                assert last is Result.LOOKED or (last in (None, Result.LATE) and answer.absent == NOW)
        if isinstance(step, (Done, Reject)):
            return
        if isinstance(step, Look):
            result = Result.LOOKED
        else:
            is_timed = case(wanted, answer).until(1.0) < inf
            may_come = {Put: "mw", Delete: "mw", Post: "elwt" if is_timed else "elw"}[type(step)]
            drawn = data.draw(st.sampled_from(may_come))
            if drawn == "w":
                return
            result = RESULTS[drawn]
        attempts.append(Attempt("a step", result, "No.", 400))
    raise AssertionError(f"not decided after {LONGEST} steps")


@pytest.mark.parametrize(
    ("answer", "result", "gap", "until"),
    [
        (absent(), "k", 1.2, NOW + FRESH_SECONDS),
        (absent(3), "", 1.2, NOW - 3 + FRESH_SECONDS),
        (absent(), "k", 12.0, NOW + 24.0),  # at so few requests a minute nothing is ever of the last five seconds
        (absent(), "kt" * (MOST_LATE - 1) + "k", 1.2, NOW + FRESH_SECONDS),
        (absent(), "kt" * MOST_LATE + "k", 1.2, inf),
        (absent(FRESH_SECONDS + 1), "k" * (MOST_ROUNDS + 1), 1.2, inf),
        (UNKNOWN, "", 1.2, inf),
    ],
)
def test_up_to_when_a_row_may_be_created(answer: Answer, result: str, gap: float, until: float) -> None:
    assert case(NEW, answer, result).until(gap) == until


# Whether a row is looked up


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (asks("account", "create", {"externalId": "a", "name": "N"}), True),
        (asks("organization", "upsert", {"externalId": "a", "name": "N"}), False),
        (asks("account", "upsert", {"externalId": "a", "name": "N"}), False),
        (asks("account", "update", {"id": "a", "name": "N"}), False),
        (asks("account", "delete", {"externalId": "a"}), False),
        (asks("project", "create", {"templateId": DEFINITION, "accountId": "a"}), False),
        (asks("note", "create", {"note": "N", "noteDate": WHEN, "accountId": "a"}), False),
        (asks("note", "update", {"externalId": "a"}), True),
        (asks("note", "delete", {"externalId": "a"}), True),
        (asks("note", "update", {"id": "a", "tags": []}), False),
        (asks("note", "update", {"id": "a"}), True),
        (asks("note", "delete", {"id": "a"}), False),
        (asks("task", "upsert", {"externalId": "a", "accountId": "a", "name": "N", "tags": ["t"]}), False),
        (asks("task", "upsert", {"externalId": "a", "accountId": "a", "tags": ["t"]}), True),
        (asks("meeting_transcript", "upsert", {"meetingId": "m", "transcript": [{}]}), False),
        (change("account", "upsert", {"externalId": "a"}), False),
    ],
)
def test_which_changes_look_their_row_up(wanted: Change, expected: bool) -> None:
    assert looks_up(wanted) is expected
