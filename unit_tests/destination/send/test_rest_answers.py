"""What Vitally answers of the row that was written: another one, an archived one, one that exists, or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.api.reply import Reply
from destination_vitally.errors import RejectedError
from destination_vitally.mapping.change import Change
from destination_vitally.send.decide import Effect
from destination_vitally.send.rest import ARCHIVED, Made
from unit_tests.destination.scripted import BROKEN, Parts, asks, page

WHEN = "2026-01-01T00:00:00.000Z"
TASKS = "GET /accounts/A/tasks?limit=100&sortBy=createdAt"
A_TASK = {"id": "t", "externalId": "x", "tags": ["old"]}
A = {"GET /accounts/a": {"id": "A", "externalId": "a"}}
"""The account `a` is there."""
NEW_ACCOUNT = asks("account", "create", {"externalId": "a", "name": "N"})
OTHER = "were written to a row with another {} than the one given, as after a merge"


@pytest.mark.parametrize(
    ("wanted", "script", "made"),
    [
        (
            asks("account", "upsert", {"externalId": "a", "name": "N"}),
            {"PUT /accounts/a": {"id": "A", "externalId": "b"}}, Made("updated", OTHER.format("externalId")),
        ),
        (
            asks("task", "update", {"id": "t", "tags": []}),
            {"PUT /tasks/t": {"id": "u"}}, Made("updated", OTHER.format("id")),
        ),
        # Somebody has archived it, and an upsert does not bring it back.
        *(
            (asks("account", "upsert", {"externalId": "a", "name": "N"}), script, Made("skipped", ARCHIVED))
            for script in (
                {"PUT /accounts/a": {"id": "A", "externalId": "a", "archivedAt": WHEN}},
                {"POST /accounts": {"id": "A", "externalId": "a", "archivedAt": WHEN}},
            )
        ),
        (
            asks("task", "upsert", {"externalId": "x", "accountId": "a", "name": "N"}),
            {**A, TASKS: page(A_TASK | {"archivedAt": WHEN})}, Made("skipped", ARCHIVED),
        ),
        # An update writes what there is, archived or not.
        (
            asks("account", "update", {"externalId": "a", "name": "N"}),
            {"PUT /accounts/a": {"id": "A", "externalId": "a", "archivedAt": WHEN}}, Made("updated"),
        ),
    ],
)  # fmt: skip
def test_what_an_answer_says_of_the_row_is_remarked(wanted: Change, script: dict[str, Any], made: Made) -> None:
    assert Parts(script).rest.make(wanted) == made


ARCHIVED_ROW = {"id": "A", "externalId": "a", "archivedAt": WHEN}


@pytest.mark.parametrize(
    ("answers", "made"),
    [
        ({"PUT /accounts/a": 404, "POST /accounts": {"id": "B", "externalId": "a"}}, Made("created")),
        ({"PUT /accounts/a": {"id": "A", "externalId": "a"}}, Made("updated")),
        ({"PUT /accounts/a": 404, "POST /accounts": ARCHIVED_ROW}, None),
        pytest.param(
            {"PUT /accounts/a": ARCHIVED_ROW}, None,
        ),
    ],
)  # fmt: skip
def test_what_this_sync_has_archived_is_brought_back_or_created_anew_or_rejected(
    answers: dict[str, Any], made: Made | None
) -> None:
    """Given a row that this sync has deleted, when an upsert writes it, then it is not left archived in silence."""
    parts = Parts({**A, "DELETE /accounts/a": {"id": "A"}, **answers})
    assert parts.rest.make(asks("account", "delete", {"externalId": "a"})).effect == "deleted"
    upsert = asks("account", "upsert", {"externalId": "a", "name": "N"})
    if made:
        assert parts.rest.make(upsert) == made
        return
    with pytest.raises(RejectedError, match="this sync has archived it, and Vitally does not bring it back"):
        parts.rest.make(upsert)


EXISTS = [
    409,
    Reply(409, {"error": "Conflict"}, ""),
    Reply(400, {"error": "An account with this externalId already exists"}, ""),
    Reply(422, {"error": "externalId has already been taken"}, ""),
]


@pytest.mark.parametrize("refusal", EXISTS)
@pytest.mark.parametrize(
    ("wanted", "script", "created_by", "effect"),
    [
        (asks("account", "upsert", {"externalId": "a", "name": "N"}), {"PUT /accounts/a": (404, {"id": "A"})},
         "POST /accounts", "updated"),
        (NEW_ACCOUNT, {"GET /accounts/a": (404, {"id": "A", "externalId": "a"})}, "POST /accounts", "skipped"),
        (asks("task", "upsert", {"externalId": "x", "accountId": "a", "name": "N"}),
         {**A, TASKS: (page(), page(A_TASK)), "PUT /tasks/t": A_TASK}, "POST /tasks", "updated"),
        (asks("organization", "upsert", {"externalId": "o", "name": "N"}),
         {"GET /organizations/o": {"id": "O", "externalId": "o"}, "PUT /organizations/O": {"id": "O"}},
         "POST /organizations", "updated"),
    ],
)  # fmt: skip
def test_a_row_that_exists_after_all_is_looked_for_and_written_as_what_it_is(
    wanted: Change, script: dict[str, Any], created_by: str, effect: Effect, refusal: Any
) -> None:
    """Given a row that another creates between a look and a POST, then the POST is neither repeated nor waited for."""
    parts = Parts({**script, created_by: refusal})
    assert parts.rest.make(wanted) == Made(effect)
    assert sum(one[0] == created_by for one in parts.vitally.written) == 1
    assert parts.clock.waits == []


@pytest.mark.parametrize(("lost", "waits"), [(1, [1.0]), (2, [1.0, 15.0]), (3, [1.0, 15.0, 60.0])])
def test_a_lost_row_is_looked_for_after_waits_that_grow_and_created_if_it_is_not_there(
    lost: int, waits: list[float]
) -> None:
    parts = Parts({"POST /accounts": (*[BROKEN] * lost, {"id": "A"})})
    assert parts.rest.make(NEW_ACCOUNT) == Made("created")
    assert parts.clock.waits == waits
