"""People by their emails, and categories by their names: which id is sent in their place, and what is asked for it."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.mapping.change import Change
from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.facts import Deleted
from destination_vitally.rows.people import People
from unit_tests.destination.builders import REFERENCES, change
from unit_tests.destination.rows.asking import Asked, outcome
from unit_tests.destination.scripted import Script, asks, page

IDA, AN_ID = "ida@example.com", "aaaaaaaa-0000-4000-8000-000000000001"
ADMIN, USER = ("GET /admins/search?email=", "GET /users/search?email=")
AT = "%40example.com"
CATEGORIES = "GET /noteCategories?limit=100"


def note(**fields: Any) -> Change:
    return asks("note", "update", {"externalId": "n"})._replace(fields={"externalId": "n", **fields})


def response(**fields: Any) -> Change:
    given = {"externalId": "r", "userId": "u", "score": 9, "respondedAt": "2026-01-01T00:00:00Z"}
    return asks("nps_response", "upsert", given)._replace(fields={"externalId": "r", "score": 9, **fields})


def translated(asked: Asked, subject: Change) -> Any:
    """The fields with ids in them; else the words and the status of the rejection, or what is waited for."""
    return outcome(lambda: asked.people.translated(subject).fields)


# Who is found


@pytest.mark.parametrize(
    ("given", "script", "sent"),
    [
        (AN_ID, {}, AN_ID),
        ("no email", {}, "no email"),
        (IDA, {f"{ADMIN}ida{AT}": page({"id": "i", "email": IDA})}, "i"),
        (IDA, {f"{ADMIN}ida{AT}": [{"id": "i", "email": "IDA@example.com"}]}, "i"),
        # A search may be exact, or find more than is meant: each spelling is asked for, and what it finds is compared.
        (
            "Ida@Example.com",
            {"GET /admins/search?email=Ida%40Example.com": page(), f"{ADMIN}ida{AT}": page({"id": "i", "email": IDA})},
            "i",
        ),
        (
            "Ida@Example.com",
            {"GET /admins/search?email=Ida%40Example.com": page({"id": "i", "email": "Ida@Example.com"})},
            "i",
        ),
        (IDA, {f"{ADMIN}ida{AT}": page({"id": "o", "email": "ida@example.com.au"}, {"id": "i", "email": IDA})}, "i"),
        (IDA, {}, ("note 'n': authorId: Vitally has no team member with this email", None)),
        (
            IDA,
            {f"{ADMIN}ida{AT}": page({"id": "1", "email": IDA}, {"id": "2", "email": IDA.upper()})},
            ("note 'n': authorId: Vitally has more than one team member with this email", None),
        ),
        (
            "Ida@Example.com",
            {
                "GET /admins/search?email=Ida%40Example.com": page({"id": "1", "email": "Ida@Example.com"}),
                f"{ADMIN}ida{AT}": page({"id": "2", "email": IDA}),
            },
            ("note 'n': authorId: Vitally has more than one team member with this email", None),
        ),
        (IDA, {f"{ADMIN}ida{AT}": 400}, ("note 'n': Vitally does not say whether it is there: No.", 400)),
    ],
)
def test_a_team_member_is_found_by_email_in_any_case(given: str, script: Script, sent: Any) -> None:
    """Given two whose emails differ in nothing but their case, then nobody knows who is meant."""
    asked = Asked(script)
    expected = sent if isinstance(sent, tuple) else {"externalId": "n", "authorId": sent}
    assert translated(asked, note(authorId=given)) == expected
    assert {*script} <= {*asked.asked}


def test_each_is_asked_for_once_whatever_is_found() -> None:
    asked = Asked({f"{ADMIN}ida{AT}": page({"id": "i", "email": IDA})})
    for _ in range(3):
        assert translated(asked, note(authorId=IDA)) == {"externalId": "n", "authorId": "i"}
        assert translated(asked, note(authorId="eva@example.com"))[0].endswith("no team member with this email")
    assert asked.asked == [f"{ADMIN}ida{AT}", f"{ADMIN}eva{AT}"]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("Call", "c"),
        ("call", "c"),
        (AN_ID, AN_ID),
        ("Mail", "note 'n': categoryId: Vitally has no note category of this name. There are: call, visit"),
    ],
)
def test_a_category_is_found_by_its_name_in_any_case(given: str, sent: str) -> None:
    asked = Asked({CATEGORIES: page({"id": "c", "name": "Call"}, {"id": "v", "name": "VISIT"})})
    expected = (sent, None) if sent.startswith("note") else {"externalId": "n", "categoryId": sent}
    assert [translated(asked, note(categoryId=given)) for _ in range(2)] == [expected] * 2
    assert asked.asked == ([] if given == AN_ID else [CATEGORIES])


@pytest.mark.parametrize(
    ("answer", "problem", "status"),
    [
        (page(), "note 'n': categoryId: Vitally has no note category of this name. There are: none", None),
        (400, "note 'n': Vitally does not list /noteCategories to its end: No.", 400),
    ],
)
def test_where_no_category_is_listed_that_is_the_reason(answer: Any, problem: str, status: int | None) -> None:
    assert translated(Asked({CATEGORIES: answer}), note(categoryId="Call")) == (problem, status)


# Users


@pytest.mark.parametrize(
    ("row", "sent"),
    [
        ({"id": "I", "externalId": "i"}, "i"),
        ({"id": "I", "externalId": None}, VitallyId("I")),
    ],
)
def test_the_email_of_a_user_stands_for_their_id(row: dict[str, Any], sent: str) -> None:
    """Given an email in the place of an id, then it becomes your id, as other records call the same user; Vitally's
    where they have none of yours. An id that is given as well counts more."""
    asked = Asked({f"{USER}ida{AT}": page({**row, "email": IDA})})
    fields = translated(asked, response(userEmail=IDA))
    assert fields == {"externalId": "r", "score": 9, "userId": sent}
    assert isinstance(fields["userId"], VitallyId) is isinstance(sent, VitallyId)
    assert translated(asked, response(userEmail=IDA, userId="u"))["userId"] == "u"
    assert asked.references.is_there("user", "I")


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        ("nothing", ("nps_response 'r': userEmail: Vitally has no user with this email", None)),
        ("shown", ("nps_response 'r': userEmail: Vitally has no user with this email", None)),
        ("written", "u"),
        ("written without your id", VitallyId("U")),
        # Your id of one that is on the way is known from the message.
        ("on the way", "u"),
        ("may come", ("waits for", "user", IDA)),
    ],
)
def test_a_user_may_be_one_whom_this_sync_brings(happened: str, expected: Any) -> None:
    """Given an email that the search does not find, when this sync has written the user, or may yet, then that is the
    one who is meant; what a list has shown need not be the only one."""
    asked = Asked()
    user: dict[str, Any] = {"id": "U", "externalId": "u", "email": IDA}
    match happened:
        case "shown":
            asked.shown("user", user)
        case "written":
            asked.written("user", **user)
        case "written without your id":
            asked.written("user", id="U", email=IDA)
        case "on the way":
            asked.sent_in_a_batch(change("user", "upsert", {"externalId": "u", "accountId": "a", "email": IDA}))
        case "may come":
            asked.references.may_come = lambda target, value, by="externalId": (target, by) == ("user", "email")
    result = translated(asked, response(userEmail=IDA.upper()))
    assert (result["userId"] if isinstance(result, dict) else result) == expected


def test_a_user_who_is_no_longer_there_is_found_anew() -> None:
    asked = Asked({f"{USER}ida{AT}": page({"id": "V", "externalId": "v", "email": IDA})})
    asked.written("user", id="U", externalId="u", email=IDA)
    asked.memory.note(Deleted(BY_NAME["user"], {"id": "U"}))
    assert translated(asked, response(userEmail=IDA))["userId"] == "v"


def test_where_nothing_can_be_looked_up_names_stay_as_they_are_and_emails_of_users_are_refused() -> None:
    people = People(None, Asked().memory, REFERENCES)
    subject = note(authorId=IDA, categoryId="Call")
    assert people.translated(subject) == subject
    assert outcome(lambda: people.translated(response(userEmail=IDA))) == (
        "nps_response 'r': userEmail is looked up with the REST API key (secret_token), which is not entered",
        None,
    )


# People within values


def message(**people: Any) -> Change:
    given = {"externalId": "m", "conversationId": "c", "message": "x", "from": {"type": "user", "id": "u"}}
    return asks("message", "create", given | {"to": [{"type": "user", "id": "u"}]})._replace(fields=people)


SEARCHES = {
    f"{ADMIN}eva{AT}": page({"id": "E", "email": "eva@example.com"}),
    f"{USER}ida{AT}": page({"id": "I", "externalId": "i", "email": IDA}),
    "GET /users/i": {"id": "I", "externalId": "i"},
}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"type": "user", "id": IDA}, {"type": "user", "id": "I"}),
        ({"type": "user", "email": IDA, "name": "Ida"}, {"type": "user", "id": "I", "name": "Ida"}),
        ({"type": "user", "id": "i"}, {"type": "user", "id": "I"}),
        ({"type": "admin", "id": "eva@example.com"}, {"type": "admin", "id": "E"}),
        ({"type": "admin", "id": AN_ID}, {"type": "admin", "id": AN_ID}),
        ([{"type": "user", "id": "i"}, {"type": "admin", "id": "eva@example.com"}],
         [{"type": "user", "id": "I"}, {"type": "admin", "id": "E"}]),
        ({"from": {"type": "user", "id": "i"}, "text": "x"}, {"from": {"type": "user", "id": "I"}, "text": "x"}),
        # Whose kind is not known is left as it is.
        ({"type": "robot", "id": IDA}, {"type": "robot", "id": IDA}),
        ({"type": "user", "id": 7}, {"type": "user", "id": 7}),
        ({"type": "user"}, {"type": "user"}),
        ("text", "text"),
    ],
)  # fmt: skip
def test_people_within_a_value_get_the_ids_that_they_have(given: Any, sent: Any) -> None:
    assert translated(Asked(SEARCHES), message(**{"from": given})) == {"from": sent}


def test_an_id_of_a_user_that_looks_like_vitallys_is_one_if_that_is_known() -> None:
    asked = Asked({f"GET /users/{AN_ID}": {"id": "I", "externalId": AN_ID}})
    sender = message(**{"from": {"type": "user", "id": AN_ID}})
    assert translated(asked, sender) == {"from": {"type": "user", "id": AN_ID}}
    asked.shown("user", {"id": "I", "externalId": AN_ID})
    assert translated(asked, sender) == {"from": {"type": "user", "id": "I"}}


# What a change mentions


@pytest.mark.parametrize(
    ("subject", "is_concerned"),
    [
        (note(authorId=IDA), True),
        (note(authorId=AN_ID), True),
        (note(authorId=None), False),
        (note(), False),
        (response(userEmail=IDA), True),
        (message(**{"from": {"type": "user", "id": "i"}}), True),
    ],
)
def test_whether_there_are_people_in_a_change(subject: Change, is_concerned: bool) -> None:
    assert Asked().people.concern(subject) is is_concerned


MEETING = asks("meeting", "create", {"externalId": "m", "title": "T", "participants": [{"userId": "u"}]})


@pytest.mark.parametrize(
    ("subject", "mentioned"),
    [
        (
            MEETING._replace(fields={"participants": [{"userId": "u"}, {"email": "Ida@Example.com"}]}),
            [[("user", "externalId", "u")], [("user", "email", IDA)]],
        ),
        (
            asks("meeting_participant", "create", {"meetingId": "m", "type": "attendee", "userId": "u"}),
            [[("user", "externalId", "u"), ("user", "email", "u")]],
        ),
        (MEETING._replace(fields={"participants": []}), []),
        (MEETING._replace(fields={}), []),
    ],
)
def test_rows_that_vitally_finds_itself_are_mentioned_by_each_key(subject: Change, mentioned: Any) -> None:
    found = [*Asked().people.mentioned(subject)]
    assert [identities for _, identities in found] == mentioned
    assert all(entry.name == "user" for entry, _ in found)
