"""Rows that are referred to and do not exist: which are created."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.mapping.values import VitallyId
from unit_tests.destination.rows.asking import (
    OURS,
    A,
    Asked,
    logged,
    vitallys,
    yours,
)
from unit_tests.destination.scripted import BROKEN

# What is created


@pytest.mark.parametrize("target", ["account", "organization"])
def test_unknown_parents_are_created_where_that_is_asked_for(target: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "airbyte")
    path = f"/{target}s"
    asked = Asked({f"POST {path}": {"id": "new"}}, unknown_parents="create")
    assert [vitallys(asked, "a", target) for _ in range(2)] == ["new"] * 2
    assert yours(asked, "a", target) == "a"
    assert asked.asked == [f"GET {path}/a", (f"POST {path}", {"externalId": "a", "name": "a"})]
    assert logged(caplog) == [f"{target} 'a' is not there; it is created."]
    assert asked.references.is_listed(target, "a")


def test_a_dry_run_creates_no_parents_but_takes_them_for_there(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "airbyte")
    asked = Asked(unknown_parents="create", is_dry_run=True)
    assert [vitallys(asked, "a"), vitallys(asked, "a"), yours(asked, "a")] == ["a"] * 3
    assert asked.references.is_there("account", "a")
    assert asked.asked == ["GET /accounts/a"]
    assert logged(caplog) == ["account 'a' is not there; it would be created."]


@pytest.mark.parametrize(
    ("target", "value", "unknown_parents"),
    [("account", "a", "reject"), ("user", "a", "create"), ("account", VitallyId("a"), "create")],
)
def test_nothing_else_is_created(target: str, value: str, unknown_parents: Any) -> None:
    asked = Asked(unknown_parents=unknown_parents)
    assert not asked.references.creates(target, value)
    cure = "; sync it along, or let Unknown accounts and organizations (unknown_parents) create it"
    cure = cure if unknown_parents == "reject" else ""
    refused = (f"task 't': {target}Id: Vitally has no {target} with this id{cure}", None)
    assert [vitallys(asked, value, target) for _ in range(2)] == [refused] * 2
    as_a_copy = [f"GET /{target}s/vitally%3Aa"] if isinstance(value, VitallyId) else []
    assert asked.asked == [f"GET /{target}s/a", *as_a_copy]


@pytest.mark.parametrize(
    ("post", "then", "expected"),
    [
        (BROKEN, A, OURS),
        (400, A, OURS),
        ("", A, OURS),
        ({"success": True}, A, OURS),
        (BROKEN, 404, ("task 't': accountId: Vitally refused to create account 'a': no answer", 0)),
        (400, 404, ("task 't': accountId: Vitally refused to create account 'a': No.", 400)),
    ],
)
def test_what_may_have_been_created_is_looked_for(post: Any, then: Any, expected: Any) -> None:
    """Given an answer that was lost or is none, or a refusal since somebody else was quicker, when a parent is
    created, then it is looked for, and not created a second time."""
    asked = Asked({"GET /accounts/a": (404, then), "POST /accounts": post}, unknown_parents="create")
    result = vitallys(asked, "a")
    assert (result if isinstance(result, str) else (result[0][: len(expected[0])], result[1])) == expected
    assert len(asked.vitally.written) == 1
