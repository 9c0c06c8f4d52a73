"""Which messages are looked for, and how likely a sample finds what was dropped."""

from __future__ import annotations

from math import comb
from random import Random

import pytest

from destination_vitally.verify.expected import Expected
from destination_vitally.verify.sampling import FIRST, SAMPLE, SPREAD, Sample
from unit_tests.destination.verify.expecting import record_of, wanted


def message(kind: str = "account", place: int = 10) -> Expected:
    one = wanted("account", {"externalId": "a"}, record=record_of(place))
    one.kind = kind
    return one


MESSAGES = [message() for _ in range(1000)]


def sampled(count: int, seed: int, kinds: int = 1) -> list[int]:
    """The places of the messages that are looked for, of so many that take turns between kinds."""
    sample, places = Sample(Random(seed)), {}
    for place, one in enumerate(MESSAGES[:count]):
        one.kind = f"kind {place % kinds}"
        places[id(one)] = place
        sample.offer(one)
    return sorted(places[id(one)] for one in sample)


@pytest.mark.parametrize("count", [0, 1, FIRST, SAMPLE, SAMPLE + 1, 1000])
@pytest.mark.parametrize("kinds", [1, 2])
def test_a_sample_has_the_first_of_each_kind_the_last_and_no_more_than_it_should(count: int, kinds: int) -> None:
    places = sampled(count, 1, kinds)
    first, last = FIRST * kinds, SAMPLE - FIRST * kinds - SPREAD
    assert len(places) == len(set(places)) == min(count, SAMPLE)
    assert places[:first] == list(range(min(count, first)))
    assert places[-last:] == list(range(count))[-last:] if count > SAMPLE else places == list(range(count))


def test_some_are_from_all_over_the_sync() -> None:
    """Given 1,000 messages, when each sync chooses anew, then over many syncs any of them is among the spread."""
    counts = [0] * 4
    for seed in range(50):
        for place in sampled(1000, seed)[FIRST : FIRST + SPREAD]:
            counts[place * 4 // 1000] += 1
    assert sum(counts) == 50 * SPREAD
    # The last quarter has fewer: the last of all are looked for anyway.
    assert all(120 < count < 230 for count in counts[:3])
    assert 75 < counts[3] < 160


@pytest.mark.parametrize("dropped", [5, 30, 100])
def test_a_sample_finds_what_was_dropped_as_often_as_chance_says(dropped: int) -> None:
    """Given `d` messages that were dropped of the `m` that are neither among the first nor the last, then
    `1 - C(m - d, s) / C(m, s)` of the syncs find one by the `s` that are from all over the sync."""
    runs, middle = 100, 500
    chance = 1 - comb(middle - dropped, SPREAD) / comb(middle, SPREAD)
    offered = [message() for _ in range(middle + SAMPLE - SPREAD)]
    hits = 0
    for seed in range(runs):
        sample = Sample(Random(seed))
        for one in offered:
            sample.offer(one)
        lost = {id(one) for one in Random(-1 - seed).sample(offered[FIRST : FIRST + middle], dropped)}
        hits += any(id(one) in lost for one in sample)
    deviation = (chance * (1 - chance) / runs) ** 0.5
    assert abs(hits / runs - chance) < 4 * deviation, (hits / runs, chance)


def test_a_kind_that_comes_late_has_its_place() -> None:
    sample = Sample(Random(1))
    for _ in range(500):
        sample.offer(message())
    late = message("late")
    [left_out] = sample.offer(late)
    assert left_out is not late
    assert len([*sample]) == SAMPLE
    assert late in sample
    assert left_out not in sample
    assert sample.is_first(late)


def test_the_first_rows_of_the_stream_are_looked_for_whenever_they_are_accepted() -> None:
    """Given batches that are accepted in another order than they were sent in, then the first rows have their place."""
    sample = Sample(Random(1))
    for _ in range(500):
        sample.offer(message())
    first = [message(place=place) for place in range(1, FIRST + 1)]
    assert not any(one in sample.offer(one) for one in first)
    assert set(first) <= set(sample)
    assert all(map(sample.is_first, first))
    assert len([*sample]) == SAMPLE


def test_many_kinds_leave_no_place_for_others_and_are_all_looked_for() -> None:
    sample = Sample(Random(1))
    for number in range(SAMPLE):
        sample.offer(message())
        sample.offer(message(f"kind {number}"))
    assert {one.kind for one in sample} == {"account", *(f"kind {number}" for number in range(SAMPLE))}


def test_each_message_that_is_offered_is_either_looked_for_or_left_out_once() -> None:
    sample, left_out = Sample(Random(3)), list[Expected]()
    offered = [message() for _ in range(700)]
    for one in offered:
        left_out += sample.offer(one)
    assert len(left_out) == len(set(left_out)) == 700 - SAMPLE
    assert {*left_out, *sample} == {*offered}
    assert {*left_out}.isdisjoint(sample)


def test_what_is_removed_is_not_looked_for() -> None:
    sample = Sample(Random(1))
    for _ in range(1000):
        sample.offer(message())
    for one in [*sample]:
        sample.remove(one)
        sample.remove(one)
    assert [*sample] == []
    sample.offer(later := message())
    assert [*sample] == [later]
    assert not sample.is_first(later)
