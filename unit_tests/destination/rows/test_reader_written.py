"""Looking up rows that this sync has written or looked for, and the keys of changes."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.mapping.change import Change
from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.facts import Deleted
from destination_vitally.rows.reader import key_of, lanes_of
from unit_tests.destination.builders import change
from unit_tests.destination.rows.asking import Asked, instance, known, task, user
from unit_tests.destination.scripted import INSTANCES, asks

IDA = "ida@example.com"
OF_A = {"id": "1", "externalId": "x", "accountId": "A", "source": "Zapier", "archivedAt": None}
SEARCH = f"GET {INSTANCES}/search?externalId=x"


# What this sync has written


def test_a_row_that_this_sync_created_is_known_by_each_of_its_keys_until_it_is_gone() -> None:
    created = asks("user", "upsert", {"externalId": "u", "email": IDA, "accountIds": ["a"]})
    asked = Asked()
    asked.written("user", is_new=True, id="new", externalId="u", email=IDA)
    assert [known(asked, one) for one in (created, user(IDA.upper()))] == [["new"]] * 2
    asked.memory.note(Deleted(BY_NAME["user"], {"externalId": "u"}))
    assert [known(asked, one) for one in (created, user(IDA.upper()))] == ["unknown"] * 2
    assert asked.asked == []


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (task(accountId="b"), ["1"]),
        (task(accountId="a"), "unknown"),
        (task(organizationId="o"), "unknown"),
        (task(accountId="a", organizationId="p"), ["1"]),
    ],
)
def test_what_is_written_is_found_below_the_parents_that_it_has_then(wanted: Change, expected: Any) -> None:
    asked = Asked()
    asked.shown("account", *({"id": name.upper(), "externalId": name} for name in "ab"))
    asked.shown("organization", *({"id": name.upper(), "externalId": name} for name in "op"))
    asked.shown("task", OF_A)
    asked.written("task", id="1", accountId="B", organizationId="P")
    assert known(asked, wanted) == expected
    asked.memory.note(Deleted(BY_NAME["task"], {"id": "1"}))
    assert known(asked, wanted) == "unknown"


# Rows that are looked for before they are written


def test_a_row_that_was_looked_for_is_known_to_the_next_who_writes_it_and_to_nobody_after_him() -> None:
    """Given a row below whose key others may be, when it was just looked for, then whoever writes it next knows all
    that was found; what he does changes that, so the one after him has to look himself."""
    asked = Asked({SEARCH: [{"id": "i", "externalId": "x"}]})
    assert asked.reader.prefetch(instance(), asked.paths(instance()))
    assert [known(asked, instance()), known(asked, instance())] == [["i"], "unknown"]
    assert asked.asked == [SEARCH]


def test_a_row_that_was_looked_for_in_vain_is_absent_as_of_then() -> None:
    asked = Asked()
    assert not asked.reader.prefetch(instance(), asked.paths(instance()))
    asked.clock.wait(3.0)
    answer = asked.reader.ask(instance(), asked.paths(instance()))
    assert (answer.rows, answer.absent) == ((), 1000.0)


def test_what_this_sync_has_written_since_counts_more_than_what_was_looked_for_ahead() -> None:
    """Given a user who was looked for by email in vain, when another record creates them with that email, then the
    record that was looked for finds them."""
    asked = Asked()
    assert not asked.reader.prefetch(user(IDA), asked.paths(user(IDA)))
    asked.written("user", is_new=True, id="new", externalId="u", email=IDA)
    assert known(asked, user(IDA)) != "absent"


# Keys


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        (asks("user", "update", {"id": "1", "externalId": "u", "email": IDA}), ("externalId",)),
        (asks("user", "update", {"id": "1", "email": IDA}), ("id",)),
        (user(IDA), ("email",)),
        (change("membership", "upsert", {"userId": "u", "accountId": "a"}), ("userId", "accountId")),
    ],
)
def test_the_first_key_that_has_values_is_the_one(wanted: Change, fields: tuple[str, ...]) -> None:
    assert key_of(wanted).fields == fields


@pytest.mark.parametrize(
    ("wanted", "lanes"),
    [
        (
            asks("user", "update", {"id": "1", "externalId": "u", "email": "Ida@Example.com"}),
            [("/users", "externalId", "u"), ("/users", "id", "1"), ("/users", "email", IDA)],
        ),
        # A membership is written in its user: both wait for each other.
        (
            change("membership", "upsert", {"userId": "u", "accountId": "a"}),
            [("membership", "userId", "accountId", "u", "a"), ("/users", "externalId", "u")],
        ),
        (change("event", "create", {"event": "e", "userId": "u", "id": 1}), []),
        (instance(), [(INSTANCES, "externalId", "x")]),
    ],
)
def test_changes_that_share_a_key_of_a_row_are_made_one_after_the_other(wanted: Change, lanes: Any) -> None:
    assert [*lanes_of(wanted)] == lanes


def test_a_stream_that_matches_by_one_key_alone_waits_for_the_same_rows() -> None:
    """Given users who are matched by email alone, then a record of theirs shares a lane with one of their id."""
    wanted = user(IDA, id="1")
    by_email = BY_NAME["user"].matched_by(BY_NAME["user"].keys[-1])
    assert [*lanes_of(wanted._replace(entry=by_email))] == [("/users", "id", "1"), ("/users", "email", IDA)]
