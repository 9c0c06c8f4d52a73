"""What a dry run foretells of each change, from reads alone, and upon what it has foretold before."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.errors import RejectedError
from destination_vitally.mapping.change import Change
from destination_vitally.rows.known import Rows
from destination_vitally.send.forecast import Forecast
from destination_vitally.send.rest import Made
from unit_tests.clock import QuickClock
from unit_tests.destination.builders import change
from unit_tests.destination.scripted import INSTANCES, Parts, asks, page

A = {"GET /accounts/a": {"id": "A", "externalId": "a", "name": "N"}}
O = {"GET /organizations/o": {"id": "O", "externalId": "o"}}  # noqa: E741 - as Vitally's id is
ROW = {"externalId": "a", "name": "N"}
WHEN = "2026-01-01T00:00:00Z"
SEARCH = f"GET {INSTANCES}/search?externalId=x"
INSTANCE = {"externalId": "x", "name": "N", "customerId": "a"}
BATCHED = change("account", "upsert", ROW)
ANSWER = change("nps_response", "upsert", {"externalId": "x", "userId": "u", "score": 9, "respondedAt": WHEN})
LINK = {"userId": "u", "accountId": "a"}


def rest(operation: Any, entry: str = "account", /, **data: Any) -> Change:
    return asks(entry, operation, data or ROW)


@pytest.mark.parametrize(
    ("wanted", "script", "effect"),
    [
        # By REST: what a write would have answered is read.
        (rest("upsert"), A, "updated"),
        (rest("upsert"), {}, "created"),
        (rest("create"), A, "skipped"),
        (rest("create"), {}, "created"),
        (rest("update"), A, "updated"),
        (rest("update"), {}, "skipped"),
        (rest("delete"), A, "deleted"),
        (rest("delete"), {}, "skipped"),
        (rest("upsert", "custom_object/*", **INSTANCE), A | {SEARCH: [{"id": "X", "externalId": "x"}]}, "updated"),
        (rest("upsert", "custom_object/*", **INSTANCE), A | {SEARCH: []}, "created"),
        # Of a POST Vitally does not say which of both it was; a dry run has looked.
        (rest("upsert", "organization", externalId="o", name="N"), O, "updated"),
        (rest("upsert", "organization", externalId="o", name="N"), {}, "created"),
        # In a batch.
        (BATCHED, A, "updated"),
        (BATCHED, {}, "created"),
        (change("membership", "delete", LINK, allow_deletes=True), {}, "deleted"),
        # Of what the newest page alone could show nobody knows.
        (ANSWER, {"GET /users/u": {"id": "U", "externalId": "u"}}, "created or updated"),
    ],
)  # fmt: skip
def test_what_a_change_would_do(wanted: Change, script: dict[str, Any], effect: str) -> None:
    parts = Parts(script, is_dry_run=True)
    assert Forecast(parts.rows).make(wanted) == Made(effect)  # type: ignore[arg-type]
    assert parts.vitally.written == []


UPSERT, UPDATE, DELETE = (rest(operation) for operation in ("upsert", "update", "delete"))


@pytest.mark.parametrize(
    ("changes", "script", "effects"),
    [
        ([UPSERT, UPSERT, UPDATE, DELETE, UPDATE, UPSERT], {}, "created updated updated deleted skipped created"),
        ([DELETE, DELETE, UPSERT, UPSERT], A, "deleted skipped created updated"),
        ([BATCHED, BATCHED, UPSERT, DELETE, BATCHED], {}, "created updated updated deleted created"),
        ([rest("create"), rest("create")], {}, "created skipped"),
    ],
)
def test_what_was_foretold_is_there_for_what_follows(changes: list[Change], script: Any, effects: str) -> None:
    """Given several changes of a row, then each is foretold as if those before it had been made."""
    parts = Parts(script, is_dry_run=True)
    forecast = Forecast(parts.rows)
    assert [forecast.make(one).effect for one in changes] == effects.split()
    assert parts.vitally.written == []


def test_of_equal_events_the_first_counts() -> None:
    forecast = Forecast(Parts(is_dry_run=True).rows)
    event = change("event", "create", {"event": "e", "accountId": "a", "timestamp": WHEN})
    made = [forecast.make(event, counted_by).effect for counted_by in ("1", "1", "2", "1")]
    assert made == ["created", "superseded", "created", "superseded"]


def test_without_a_rest_key_nothing_is_read() -> None:
    forecast = Forecast(Rows(None, QuickClock(), lambda job: None, is_dry_run=True))
    delete = change("membership", "delete", LINK, allow_deletes=True)
    assert [forecast.make(one).effect for one in (BATCHED, delete)] == ["created or updated", "deleted"]


@pytest.mark.parametrize(
    ("wanted", "script", "reason"),
    [
        (rest("upsert", externalId="a", plan="x"), {}, "it does not exist yet, and name is required to create it"),
        (
            rest("upsert", "custom_object/*", **INSTANCE), A | {SEARCH: [{"id": n, "externalId": "x"} for n in "12"]},
            "2 rows in Vitally have this externalId",
        ),
        (rest("update", id="A", organizationId="o"), A, "Vitally has no organization with this id"),
    ],
)  # fmt: skip
def test_what_would_be_refused_is_refused(wanted: Change, script: dict[str, Any], reason: str) -> None:
    parts = Parts(script, is_dry_run=True)
    with pytest.raises(RejectedError, match=reason):
        Forecast(parts.rows).make(wanted)
    assert parts.vitally.written == []


def test_what_is_read_anyway_is_read_once() -> None:
    parts = Parts(A, is_dry_run=True)
    forecast = Forecast(parts.rows)
    for _ in range(3):
        forecast.make(UPSERT)
    assert parts.vitally.asked == [*A]


def test_a_row_that_is_looked_for_in_a_list_is_foretold_as_well() -> None:
    task = {"externalId": "x", "accountId": "a", "name": "N"}
    parts = Parts({**A, "GET /accounts/A/tasks?limit=100&sortBy=createdAt": page()}, is_dry_run=True)
    forecast = Forecast(parts.rows)
    assert [forecast.make(asks("task", "upsert", task)).effect for _ in range(2)] == ["created", "updated"]
