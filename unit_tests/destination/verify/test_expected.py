"""Which messages are looked for, how likely a sample finds what was dropped, and what a row must show."""

from __future__ import annotations

from math import comb
from random import Random
from typing import Any

import pytest
from destination_vitally.transports.expected import Expected, expected_of
from destination_vitally.transports.landing import Landing
from destination_vitally.transports.messages import Emission, messages_of
from destination_vitally.transports.references import References
from destination_vitally.transports.sampling import FIRST, SAMPLE, Sample

from destination_vitally.mapping.values import VitallyId
from destination_vitally.outcomes.ledger import PendingRecord, Segment
from unit_tests.destination.builders import change, configured, plans, settings
from unit_tests.destination.clock import QuickClock

PLAN = next(iter(plans(settings(), configured("accounts")).values()))
REFERENCES = References(None, Landing(None, QuickClock()))
DELETED = {"_ab_cdc_deleted_at": "2026-01-01T00:00:00Z"}


def expected(
    name: str, data: dict[str, Any], taken: float | None = 100.0, since: float = 5.0, place: int = 10
) -> Expected | None:
    operation: Any = "create" if name == "event" else "upsert"
    made = change(name, operation, data, allow_deletes=True)
    messages = messages_of(made, PendingRecord(PLAN, Segment(), b"", 1, place=place), Emission(1, 2, 3), REFERENCES)
    return expected_of(messages[0], taken, since)


def wanted(name: str, data: dict[str, Any]) -> Expected:
    one = expected(name, data)
    assert one
    return one


def nobody(target: str, value: str) -> None:
    """Know no id."""


# The sample


def sampled(count: int, seed: int, kinds: int = 1) -> list[int]:
    """Return the places of the messages that are looked for, of so many that take turns between kinds."""
    sample, places = Sample(Random(seed)), {}
    for place in range(count):
        one = wanted("account", {"externalId": "a"})
        one.kind = f"kind {place % kinds}"
        places[id(one)] = (place, one)
        sample.offer(one)
    return sorted(places[id(one)][0] for one in sample)


@pytest.mark.parametrize("count", [0, 1, FIRST, SAMPLE, SAMPLE + 1, 1000])
@pytest.mark.parametrize("kinds", [1, 2])
def test_a_sample_has_the_first_of_each_kind_and_no_more_than_it_should(count: int, kinds: int) -> None:
    places = sampled(count, 1, kinds)
    assert len(places) == len(set(places)) == min(count, SAMPLE)
    assert places[: FIRST * kinds] == list(range(min(count, FIRST * kinds)))


def test_a_kind_that_comes_late_has_its_place() -> None:
    sample = Sample(Random(1))
    for _ in range(500):
        sample.offer(wanted("account", {"externalId": "a"}))
    late = wanted("account", {"externalId": "late"})
    late.kind = "late"
    left_out = sample.offer(late)
    assert left_out not in (None, late)
    assert len(list(sample)) == SAMPLE
    assert late in sample
    assert left_out not in sample


def test_the_first_rows_of_the_stream_are_looked_for_whenever_they_are_accepted() -> None:
    sample = Sample(Random(1))
    for _ in range(500):
        sample.offer(wanted("account", {"externalId": "a"}))
    first = [expected("account", {"externalId": "b"}, place=place) for place in range(1, FIRST + 1)]
    for one in first:
        assert one
        sample.offer(one)
    assert set(first) <= set(sample)
    assert len(list(sample)) == SAMPLE


def test_what_is_removed_makes_room_for_later_ones_by_chance_only() -> None:
    sample = Sample(Random(1))
    for _ in range(1000):
        sample.offer(wanted("account", {"externalId": "a"}))
    for one in list(sample)[FIRST:]:
        sample.remove(one)
    for _ in range(1000):
        sample.offer(wanted("account", {"externalId": "b"}))
    taken = len(list(sample))
    assert 30 < taken < SAMPLE - 20, "about half of those that are looked for come from each half of the stream"


@pytest.mark.parametrize(("count", "dropped"), [(1_000, 1), (2_000, 2), (3_000, 30)])
def test_a_sample_finds_what_was_dropped_as_often_as_the_formula_says(count: int, dropped: int) -> None:
    """1 - C(n - d, s) / C(n, s), of n messages of which d were dropped and s are looked for."""
    runs = 600
    chance = 1 - comb(count - dropped, SAMPLE) / comb(count, SAMPLE)
    messages = [wanted("account", {"externalId": "a"}) for _ in range(count)]
    hits = 0
    for seed in range(runs):
        sample = Sample(Random(seed))
        for one in messages:
            sample.offer(one)
        lost = {id(one) for one in Random(-1 - seed).sample(messages, dropped)}
        hits += any(id(one) in lost for one in sample)
    deviation = (chance * (1 - chance) / runs) ** 0.5
    assert abs(hits / runs - chance) < 4 * deviation, (hits / runs, chance)


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
    assert sorted(one.differs(LINKED, nobody)) == followed
    assert sorted(other.differs(LINKED, nobody)) == written_over


def test_a_link_that_is_made_and_ended_is_expected_as_it_is_in_the_end() -> None:
    link = {"userId": "u", "accountId": "a"}
    made, ended = wanted("membership", link), wanted("membership", {**link, **DELETED})
    assert (made.differs(LINKED, nobody), ended.differs(LINKED, nobody)) == ([], ["accountIds"])
    made.followed_by(wanted("membership", {**link, **DELETED}))
    assert made.differs(LINKED, nobody) == ["accountIds"]
    ended.followed_by(wanted("membership", link))
    assert ended.differs(LINKED, nobody) == []
    ended.written_over(wanted("membership", {**link, **DELETED}))
    assert ended.is_empty


def test_a_link_that_the_row_does_not_tell_is_not_there_still() -> None:
    ended = wanted("membership", {"userId": "u", "accountId": "a", **DELETED})
    assert ended.differs({"externalId": "u"}, nobody) == []
    assert ended.differs({"externalId": "u", "accountIds": ["x"]}, lambda *_: "x") == ["accountIds"]


def test_a_parent_that_was_deleted_since_is_not_expected() -> None:
    one = wanted("user", {"externalId": "u", "accountIds": ["a", "b"]})
    one.forget_parent("account", "b")
    assert one.fields["accountIds"] == ["a"]
    account = wanted("account", {"externalId": "a", "organizationId": "o"})
    account.forget_parent("organization", "o")
    assert account.fields == {"externalId": "a"}


@pytest.mark.parametrize(
    ("taken", "updated", "after"),
    [
        (100.0, "1970-01-01T00:01:47Z", 7.0),
        (100.0, "1970-01-01T00:05:00Z", 60.0),
        (100.0, "1970-01-01T00:00:30Z", None),
        (None, "1970-01-01T00:01:47Z", 60.0),
        (100.0, None, 60.0),
    ],
)
def test_how_long_it_took(taken: float | None, updated: str | None, after: float | None) -> None:
    one = expected("account", {"externalId": "a"}, taken)
    assert one
    one.see({"updatedAt": updated}, 65.0)
    assert one.after == after


def test_ids_of_vitally_are_compared_as_such() -> None:
    one = wanted("account", {"externalId": "a"})
    one.fields["organizationId"] = VitallyId("x")
    assert one.differs({"externalId": "a", "organizationId": "x"}, nobody) == []
    assert one.differs({"externalId": "a", "organizationId": "y"}, nobody) == ["organizationId"]
