"""Which ids belong together, of rows that are here, and of rows that were read elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from destination_vitally.transports.ids import Ids


def known(ids: Ids, *values: str, target: str = "account") -> list[Any]:
    """What each value leads to: Vitally's id, yours, and whether a list has shown the row."""
    return [(ids.vitallys(target, one), ids.yours(target, one), ids.is_listed(target, one)) for one in values]


@pytest.fixture
def ids() -> Ids:
    ids = Ids()
    ids.learn_all("account", [{"id": "A", "externalId": "a"}, {"id": "B", "externalId": None}], are_listed=True)
    ids.learn("account", {"id": "C", "externalId": "c"})
    return ids


def test_a_row_is_known_by_both_of_its_ids(ids: Ids) -> None:
    assert known(ids, "A", "a") == [("A", "a", True), ("A", None, True)]
    assert known(ids, "B", "None") == [("B", None, True), (None, None, False)]
    assert known(ids, "C", "c") == [("C", "c", False), ("C", None, False)]
    assert known(ids, "A", "a", target="organization") == [(None, None, False)] * 2


def test_what_a_list_has_shown_stays_so(ids: Ids) -> None:
    """A row that Vitally ignores is in no list; that another was asked for by itself proves nothing new."""
    ids.learn("account", {"id": "A", "externalId": "a"})
    assert known(ids, "A", "a") == [("A", "a", True), ("A", None, True)]
    ids.learn_all("account", [{"id": "A", "externalId": "a"}])
    assert known(ids, "A", "a") == [("A", "a", False), ("A", None, False)]


def test_your_id_is_that_of_the_workspace_that_a_row_was_read_from(ids: Ids) -> None:
    ids.belongs("account", "A", "theirs")
    ids.belongs("account", "T", "t")
    assert known(ids, "A", "T") == [("A", "theirs", True), (None, "t", False)]


@pytest.mark.parametrize("by", ["A", "a"])
def test_a_row_is_forgotten_by_either_of_its_ids(ids: Ids, by: str) -> None:
    ids.forget("account", by)
    assert [ids.vitallys("account", one) for one in ("A", "a")] == [None, None]
    assert [ids.vitallys("account", one) for one in ("B", "C", "c")] == ["B", "C", "C"]


def test_a_row_is_forgotten_by_the_ids_that_it_had(ids: Ids) -> None:
    ids.learn("account", {"id": "A", "externalId": "new"})
    ids.forget("account", "a")
    assert [ids.vitallys("account", one) for one in ("A", "a", "new")] == [None, None, None]


def test_forgetting_what_is_not_known_changes_nothing(ids: Ids) -> None:
    for target, value in (("account", "x"), ("organization", "A"), ("organization", "a")):
        ids.forget(target, value)
    ids.forget("account", "B")
    assert [ids.vitallys("account", one) for one in ("A", "a", "B")] == ["A", "A", None]
