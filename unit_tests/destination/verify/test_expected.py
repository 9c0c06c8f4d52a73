"""What a row must show once a message was applied, how it is known that it was, and what later messages change."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.facts import Deleted, Written
from destination_vitally.rows.memory import Memory
from destination_vitally.rows.poller import LONGER_SECONDS, LONGEST_PAUSE, PATIENCE_SECONDS
from destination_vitally.verify.expected import Expected, Seeing
from unit_tests.clock import QuickClock
from unit_tests.destination.verify.expecting import DELETED, SINCE, expected, wanted

LATER = "1970-01-01T00:01:47Z"
"""Seven seconds after the message was taken."""


class Watched:
    """A message with what became of it."""

    def __init__(self, one: Expected) -> None:
        self.one = one
        self.landed: list[Expected] = []
        self.missing: list[tuple[Any, str]] = []
        one.on_landed = self.landed.append
        one.on_missing = lambda one, row, problem: self.missing.append((row, problem))


# What is expected


@pytest.mark.parametrize(
    ("name", "data", "seen"),
    [
        (
            "account",
            {"externalId": "a", "name": "Acme", "organizationId": "o", "avatar": "x", "plan": "team"},
            {
                "place": ("/accounts", "a"),
                "fields": {"externalId": "a", "name": "Acme", "organizationId": "o", "avatar": "x"},
                "traits": {"plan": "team"},
            },
        ),
        (
            "user",
            {"externalId": "u", "accountIds": ["a", "b"], "unsubscribedFromConversations": False},
            {"place": ("/users", "u"), "fields": {"externalId": "u", "accountIds": ["a", "b"]}, "traits": {}},
        ),
        (
            "membership",
            {"userId": "u", "accountId": "a"},
            {"place": ("/users", "u"), "fields": {"accountIds": ["a"]}, "absent": {}},
        ),
        (
            "membership",
            {"userId": "u", "accountId": "a", **DELETED},
            {"place": ("/users", "u"), "fields": {}, "absent": {"accountIds": ["a"]}},
        ),
    ],
)
def test_what_is_to_be_seen_of_a_message(name: str, data: dict[str, Any], seen: dict[str, Any]) -> None:
    one = wanted(name, data)
    assert {attribute: getattr(one, attribute) for attribute in seen} == seen


def test_nothing_is_to_be_seen_of_an_event() -> None:
    assert expected("event", {"event": "e", "userId": "u", "messageId": "1"}) is None


LINKED = {"externalId": "u", "accounts": [{"id": "x", "externalId": "a"}], "name": "Ida", "traits": {}}


@pytest.mark.parametrize(
    ("earlier", "later", "followed", "written_over"),
    [
        ({"accountIds": ["a"], "name": "Old"}, {"accountIds": ["a"], "name": "Ida"}, [], []),
        ({"accountIds": ["a"], "x": 1}, {"accountIds": ["a"], "x": 2}, ["traits.x"], []),
        ({"accountIds": ["a"], "x": 1, "y": 1}, {"accountIds": ["a"], "x": 2}, ["traits.x", "traits.y"], ["traits.y"]),
        ({"accountIds": ["b"]}, {"accountIds": ["a"]}, ["accountIds"], ["accountIds"]),
    ],
)
def test_what_is_left_of_a_message_when_another_follows(
    earlier: dict[str, Any], later: dict[str, Any], followed: list[str], written_over: list[str]
) -> None:
    after = wanted("user", {"externalId": "u", **later})
    one, other = (wanted("user", {"externalId": "u", **earlier}) for _ in range(2))
    one.followed_by(after)
    other.written_over(after)
    assert sorted(one.differs(LINKED)) == followed
    assert sorted(other.differs(LINKED)) == written_over


def test_a_link_that_is_made_and_ended_is_expected_as_it_is_in_the_end() -> None:
    link = {"userId": "u", "accountId": "a"}
    made, ended = wanted("membership", link), wanted("membership", {**link, **DELETED})
    assert (made.differs(LINKED), ended.differs(LINKED)) == ([], ["accountIds"])
    made.followed_by(wanted("membership", {**link, **DELETED}))
    assert made.differs(LINKED) == ["accountIds"]
    ended.followed_by(wanted("membership", link))
    assert ended.differs(LINKED) == []
    ended.written_over(wanted("membership", {**link, **DELETED}))
    assert ended.is_empty


def test_a_link_that_the_row_does_not_tell_is_not_there_still() -> None:
    link = {"userId": "u", "accountId": "a", **DELETED}
    known = Seeing(lambda target, value: "x", Memory(QuickClock()))
    assert wanted("membership", link).differs({"externalId": "u"}) == []
    assert wanted("membership", link, seeing=known).differs({"externalId": "u", "accountIds": ["x"]}) == ["accountIds"]


@pytest.mark.parametrize(("shown", "differs"), [("x", []), ("y", ["organizationId"])])
def test_ids_of_vitally_are_compared_as_such(shown: str, differs: list[str]) -> None:
    one = wanted("account", {"externalId": "a"})
    one.fields["organizationId"] = VitallyId("x")
    assert one.differs({"externalId": "a", "organizationId": shown}) == differs


# What this sync has done since


def memory_with(*facts: Any) -> Memory:
    memory = Memory(QuickClock())
    memory.clock.wait(SINCE)
    memory.note(*facts)
    return memory


@pytest.mark.parametrize(
    ("facts", "differs"),
    [
        ([], ["name"]),
        ([Written(BY_NAME["account"], {"id": "A", "externalId": "a"})], []),
        ([Deleted(BY_NAME["account"], {"externalId": "a"})], []),
        ([Written(BY_NAME["account"], {"id": "B", "externalId": "b"})], ["name"]),
    ],
)
def test_what_this_sync_has_written_or_deleted_since_is_not_expected(facts: Any, differs: list[str]) -> None:
    seeing = Seeing(lambda target, value: None, memory_with(*facts))
    one = Watched(wanted("account", {"externalId": "a", "name": "N"}, seeing=seeing))
    assert one.one.differs({"name": "other"}) == differs
    one.one.ends(None, "")
    assert (len(one.landed), len(one.missing)) == (not differs, bool(differs))


def test_a_parent_that_was_deleted_since_is_not_expected() -> None:
    gone = memory_with(Deleted(BY_NAME["account"], {"externalId": "b"}))
    seeing = Seeing(lambda target, value: None, gone)
    one = wanted("user", {"externalId": "u", "accountIds": ["a", "b"]}, seeing=seeing)
    assert one.differs({"accounts": [{"id": "A", "externalId": "a"}]}) == []
    assert one.differs({"accounts": [{"id": "B", "externalId": "b"}]}) == ["accountIds"]
    only = wanted("user", {"externalId": "u", "accountIds": ["b"]}, seeing=seeing)
    assert only.differs({"accounts": []}) == []


# What is seen


@pytest.mark.parametrize(
    ("taken", "updated", "after"),
    [
        (100.0, LATER, 7.0),
        (100.0, "1970-01-01T00:05:00Z", 60.0),
        (100.0, "1970-01-01T00:00:30Z", None),
        (None, LATER, 60.0),
        (100.0, None, 60.0),
    ],
)
def test_how_long_it_took(taken: float | None, updated: str | None, after: float | None) -> None:
    """Given the time at which Vitally changed a row, then that is when the message was applied; a row that is older
    than the message was so before."""
    watched = Watched(wanted("account", {"externalId": "a"}, taken=taken))
    assert watched.one.sees({"updatedAt": updated}, SINCE + 60.0)
    assert watched.landed == [watched.one]
    assert watched.one.after == after


SENT = {"externalId": "a", "name": " Acme ", "plan": "Team", "seats": 2.345}


@pytest.mark.parametrize(
    ("row", "otherwise"),
    [
        ({"name": " Acme ", "traits": {"plan": "Team", "seats": 2.345}}, []),
        ({"name": "Acme", "traits": {"plan": "Team", "seats": 2.345}}, ["name"]),
        ({"name": " Acme ", "traits": {"plan": "team", "seats": 2.35}}, ["traits.plan", "traits.seats"]),
    ],
)
def test_what_is_stored_otherwise_has_landed_at_once_and_is_named(row: dict[str, Any], otherwise: list[str]) -> None:
    watched = Watched(wanted("account", SENT))
    assert watched.one.sees({"externalId": "a", "updatedAt": LATER, **row}, 10.0)
    assert len(watched.landed) == 1
    assert watched.one.otherwise == otherwise


OLD = {"externalId": "a", "name": "Old", "traits": {"plan": "old"}}
PART = {"externalId": "a", "name": "New", "traits": {"plan": "old"}}


@pytest.mark.parametrize(
    ("rows", "is_first", "has_acted"),
    [
        ([OLD], True, False),
        ([OLD, OLD], True, False),
        # A value that was another before, or a row that was not there: the message has acted.
        ([OLD, PART], True, True),
        ([None, PART], True, True),
        ([{**PART, "createdAt": LATER}], True, True),
        # A value that was equal before proves nothing; nor does a row that shows nothing of the message.
        ([PART, PART], True, False),
        ([{**PART, "createdAt": "1970-01-01T00:01:40Z"}], True, False),
        pytest.param(
            *([None, OLD], True, False),
        ),
        # Where another message was on its way, it may be that one which has acted.
        ([OLD, PART], False, False),
    ],
)
def test_once_a_message_has_acted_what_it_left_out_is_not_waited_for(
    rows: list[Any], is_first: bool, has_acted: bool
) -> None:
    """Given a message of which Vitally takes only a part, when that shows, then the rest will not come: it is waited
    for a moment longer, and not until the patience ends."""
    one = wanted("account", {"externalId": "a", "name": "New", "plan": "new"})
    one.is_first = is_first
    for row in rows:
        if row is None:
            one.misses()
        else:
            one.is_there = True
            assert not one.sees(row, 20.0)
    assert one.until(None) == (20.0 + LONGEST_PAUSE if has_acted else SINCE + PATIENCE_SECONDS)
    one.is_there = True
    assert one.until(3.0) == (20.0 + LONGEST_PAUSE if has_acted else SINCE + 3.0 + LONGER_SECONDS)


# When the patience is over


@pytest.mark.parametrize(
    ("name", "data", "row", "problem", "is_landed"),
    [
        ("account", {"externalId": "a"}, None, "", False),
        ("account", {"externalId": "a", "name": "N"}, {"name": "other"}, "", False),
        ("account", {"externalId": "a"}, None, "Vitally does not say", False),
        ("membership", {"userId": "u", "accountId": "a"}, None, "", False),
        # A user who is not there belongs to nothing.
        ("membership", {"userId": "u", "accountId": "a", **DELETED}, None, "", True),
        ("membership", {"userId": "u", "accountId": "a", **DELETED}, None, "Vitally does not say", False),
        ("membership", {"userId": "u", "accountId": "a", **DELETED}, {"accountIds": ["A"]}, "", False),
    ],
)
def test_at_the_end_what_is_not_shown_has_not_landed(
    name: str, data: dict[str, Any], row: Any, problem: str, is_landed: bool
) -> None:
    watched = Watched(wanted(name, data))
    watched.one.ends(row, problem)
    assert watched.landed == ([watched.one] if is_landed else [])
    assert watched.missing == ([] if is_landed else [(row, problem)])
