"""Where the row of a change is: each path with ids of Vitally's in it, and what it tells of a row."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.mapping.change import Change
from destination_vitally.mapping.values import VitallyId
from destination_vitally.rows.paths import named_parents
from unit_tests.destination.builders import change
from unit_tests.destination.rows.asking import Asked, outcome
from unit_tests.destination.scripted import INSTANCES, asks


def note(**fields: Any) -> Change:
    return asks("note", "update", {"externalId": "x", **fields})


MESSAGE = asks("message", "delete", {"externalId": "m/1", "conversationId": "c"})
PARTICIPANT = asks("meeting_participant", "delete", {"id": "p", "meetingId": "m"})
TRANSCRIPT = asks("meeting_transcript", "upsert", {"meetingId": "m", "transcript": [{"speaker": "s"}]})
INSTANCE = asks("custom_object/*", "update", {"externalId": "x"})


@pytest.fixture
def asked() -> Asked:
    """Vitally's ids of accounts `a` and `b`, an organization, a meeting and a conversation are known."""
    asked = Asked()
    for name in ("organization", "meeting", "conversation"):
        asked.shown(name, {"id": name[0].upper(), "externalId": name[0]})
    asked.shown("account", *({"id": name.upper(), "externalId": name} for name in "ab"))
    return asked


@pytest.mark.parametrize(
    ("subject", "collection", "item", "reading"),
    [
        (note(), "/notes", "/notes/k%2F1", "/notes/k%2F1"),
        (INSTANCE, INSTANCES, f"{INSTANCES}/k%2F1", f"{INSTANCES}/search?id=k%2F1"),
        (MESSAGE, "/conversations/C/messages", "/messages/k%2F1", "/messages/k%2F1"),
        (PARTICIPANT, "/meetings/M/participants", "/meetings/M/participants/k%2F1", "/meetings/M/participants/k%2F1"),
    ],
)
def test_each_path_has_ids_of_vitallys_in_it(
    subject: Change, collection: str, item: str, reading: str, asked: Asked
) -> None:
    paths = asked.paths(subject)
    assert (paths.collection(), paths.item("k/1"), paths.reading("k/1")) == (collection, item, reading)
    assert asked.asked == []


def test_a_parent_in_a_path_is_looked_up_and_one_that_is_not_there_has_no_path() -> None:
    asked = Asked({"GET /meetings/m": ({"id": "a b", "externalId": "m"})})
    assert asked.paths(TRANSCRIPT).collection() == "/meetings/a%20b/transcript"
    refused = (f"{MESSAGE.label}: conversationId: Vitally has no conversation with this id", None)
    assert outcome(asked.paths(MESSAGE).collection) == refused


@pytest.mark.parametrize(
    ("subject", "paths"),
    [
        (note(), []),
        (note(accountId="a"), ["/accounts/A/notes"]),
        (note(accountId="a", organizationId="o"), ["/accounts/A/notes", "/organizations/O/notes"]),
        (note(accountId=None, organizationId="o"), ["/organizations/O/notes"]),
    ],
)
def test_the_lists_that_hold_a_row_are_those_below_its_parents(subject: Change, paths: list[str], asked: Asked) -> None:
    assert [*asked.paths(subject).below_parents()] == paths
    assert [*asked.paths(subject).below_parents(known=True)] == paths


def test_of_parents_whose_ids_are_not_known_nothing_is_asked_if_it_must_not_be() -> None:
    """Given a parent whose id nobody has looked up, then its list is not mixed up with that of another."""
    asked = Asked({"GET /accounts/a": {"id": "A", "externalId": "a"}})
    paths = asked.paths(note(accountId="a"))
    assert [*paths.below_parents(known=True)] != ["/accounts/A/notes"]
    assert asked.asked == []
    assert [*paths.below_parents()] == ["/accounts/A/notes"]
    assert [*paths.below_parents(known=True)] == ["/accounts/A/notes"]


OF_A = {"id": "1", "accountId": "A", "source": "Zapier"}


@pytest.mark.parametrize(
    ("fields", "row", "is_so"),
    [
        ({"accountId": "a"}, OF_A, True),
        ({"accountId": "A"}, OF_A, True),
        ({"accountId": VitallyId("A")}, OF_A, True),
        ({"accountId": "a"}, {"account": {"id": "A"}}, True),
        ({"accountId": "a"}, {"account": {"id": "X", "externalId": "a"}}, True),
        ({"accountId": "b"}, OF_A, False),
        ({"accountId": "unknown"}, OF_A, False),
        ({"accountId": "a"}, {"id": "1"}, False),
        ({"organizationId": "o"}, OF_A, False),
        ({"accountId": "b", "organizationId": "o"}, {**OF_A, "organizationId": "O"}, True),
        ({"source": "zapier"}, OF_A, True),
        ({"source": "ZAPIER", "accountId": "b"}, OF_A, True),
        ({"source": "other", "accountId": "a"}, OF_A, True),
        ({"source": "other"}, OF_A, False),
        ({"source": "none"}, {**OF_A, "source": None}, False),
        ({}, OF_A, False),
    ],
)
def test_a_row_is_meant_if_it_is_of_a_parent_or_of_the_source(
    fields: dict[str, Any], row: dict[str, Any], is_so: bool, asked: Asked
) -> None:
    subject = note()._replace(fields={"externalId": "x", **fields})
    assert asked.paths(subject).lead_to(row) is is_so


@pytest.mark.parametrize(
    ("fields", "needed", "is_so"),
    [
        ({"accountId": "a"}, True, True),
        ({"accountId": VitallyId("A")}, True, True),
        ({"accountId": "a", "organizationId": "o"}, True, True),
        ({"accountId": "hidden"}, False, False),
        ({"accountId": "a", "organizationId": "nowhere"}, False, False),
        ({}, True, False),
        ({}, False, True),
    ],
)
def test_what_belongs_to_a_row_that_no_list_shows_may_be_in_no_list_either(
    fields: dict[str, Any], needed: bool, is_so: bool, asked: Asked
) -> None:
    asked.shown("account", {"id": "HIDDEN", "externalId": "hidden"}, is_listed=False)
    subject = note()._replace(fields={"externalId": "x", **fields})
    assert asked.paths(subject).are_listed(needed=needed) is is_so


@pytest.mark.parametrize(
    ("subject", "creating", "parents"),
    [
        (note(accountId="a", organizationId="o"), True, {"accountId": ["A"], "organizationId": ["O"]}),
        (note(accountId="unknown"), True, {"accountId": [None]}),
        (note(), True, {}),
        # A note stays where it was created.
        (note(accountId="a"), False, {}),
        (asks("task", "update", {"externalId": "t", "accountId": "b"}), False, {"accountId": ["B"]}),
        (asks("user", "update", {"externalId": "u", "accountIds": ["a", "x"]}), False, {"accountIds": ["A", None]}),
    ],
)
def test_a_write_refers_to_what_its_fields_say_unless_only_a_new_row_takes_them(
    subject: Change, creating: bool, parents: Any, asked: Asked
) -> None:
    assert asked.paths(subject).known_parents(creating=creating) == parents


def test_all_that_a_row_refers_to_is_named() -> None:
    user = change("user", "upsert", {"externalId": "u", "accountIds": ["a", "b"], "organizationId": "o"})
    assert named_parents(user) == (("account", "a"), ("account", "b"), ("organization", "o"))
    assert named_parents(note()) == ()
