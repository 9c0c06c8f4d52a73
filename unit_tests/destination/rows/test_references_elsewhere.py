"""References of rows that were read from another workspace."""

from __future__ import annotations

import pytest

from destination_vitally.mapping.change import Change
from destination_vitally.mapping.values import VitallyId
from unit_tests.destination.builders import change
from unit_tests.destination.rows.asking import (
    TASK,
    Asked,
    elsewhere,
    vitallys,
    yours,
)


def test_an_id_of_another_workspace_is_not_sent_to_this_one() -> None:
    """Given rows that are read from one workspace and written to another, when they refer to each other by ids of the
    former, then your id takes the place of each that is known."""
    asked = Asked()
    asked.references.learned(elsewhere("there", "a/1"))
    there, other = VitallyId("there"), VitallyId("other")
    assert asked.references.here("account", there) == "a/1"
    made = asked.references.learned(change("task", "update", {"id": "t", "accountId": there}))
    assert made.fields == {"id": "t", "accountId": "a/1"}
    user = asked.references.learned(change("user", "upsert", {"externalId": "u", "accountIds": [other, there]}))
    assert user.fields["accountIds"] == ["other", "a/1"]


def test_a_row_of_another_workspace_is_known_as_its_copy() -> None:
    """Given a row that has no id of yours where it was read, when others refer to it, then its copy is found."""
    asked = Asked(
        {"GET /accounts/there": 404, "GET /accounts/vitally%3Athere": {"id": "A", "externalId": "vitally:there"}}
    )
    there = VitallyId("there")
    assert [vitallys(asked, there), yours(asked, there)] == ["A", "vitally:there"]
    assert asked.references.is_there("account", there)
    assert asked.references.id_of("account", there) == "A"
    assert asked.asked == ["GET /accounts/there", "GET /accounts/vitally%3Athere"]


def test_a_text_is_your_id_whatever_it_looks_like() -> None:
    asked = Asked({"GET /accounts/there": {"id": "A", "externalId": "there"}})
    asked.references.learned(elsewhere("there", "a"))
    assert asked.references.here("account", "there") == "there"
    assert vitallys(asked, "there") == "A"


@pytest.mark.parametrize(
    "made",
    [
        change("account", "update", {"id": "A", "externalId": "b", "name": "N"}),
        change("account", "upsert", {"externalId": "b", "name": "N"})._replace(origin="A", is_unsure=True),
        TASK._replace(origin="A"),
    ],
)
def test_a_row_that_says_nothing_of_your_id_teaches_none(made: Change) -> None:
    asked = Asked()
    assert asked.references.learned(made).fields == made.fields
    assert asked.references.here("account", VitallyId("A")) == "A"


def test_only_vitallys_id_says_itself_what_it_is() -> None:
    asked = Asked()
    assert asked.references.id_of("account", VitallyId("A")) == "A"
    assert asked.references.id_of("account", "a") is None
    assert asked.asked == []
