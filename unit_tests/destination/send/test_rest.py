"""What single changes ask of Vitally, request by request, and what they come to."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pytest

from destination_vitally.api.http import GIVEN_UP_IN_A_ROW
from destination_vitally.errors import OutageError, RejectedError
from destination_vitally.mapping.change import Change
from destination_vitally.objects.model import Key
from destination_vitally.send.decide import Effect
from destination_vitally.send.rest import Made
from unit_tests.destination.builders import DEFINITION
from unit_tests.destination.scripted import BROKEN, INSTANCES, Parts, asks, page
from unit_tests.destination.send.test_decide import NO_SUCH_ID

WHEN = "2026-01-01T00:00:00.000Z"
MADE = {"id": "new"}
TASKS = "GET /accounts/A/tasks?limit=100&sortBy=createdAt"
A_TASK = {"id": "t", "externalId": "x", "tags": ["old"]}
A = {"GET /accounts/a": {"id": "A", "externalId": "a"}}
"""The account `a` is there."""


@pytest.mark.parametrize(
    ("wanted", "script", "effect", "asked"),
    [
        # An upsert by PUT: only what may be changed; POST with all of it when there is no such row.
        (
            asks("account", "upsert", {"externalId": "a/1", "name": "N", "plan": None}),
            {"PUT /accounts/a%2F1": {"id": "A"}},
            "updated", [("PUT /accounts/a%2F1", {"name": "N"})],
        ),
        (
            asks("account", "upsert", {"externalId": "a", "name": "N", "plan": "x"}),
            {"POST /accounts": MADE},
            "created", [
                ("PUT /accounts/a", {"name": "N", "traits": {"plan": "x"}}),
                ("POST /accounts", {"externalId": "a", "name": "N", "traits": {"plan": "x"}}),
            ],
        ),
        # An upsert by POST does not say which of both it was; a create has looked before.
        (
            asks("organization", "upsert", {"externalId": "o", "name": "N"}), {"POST /organizations": MADE},
            "created or updated", [("POST /organizations", {"externalId": "o", "name": "N"})],
        ),
        (
            asks("organization", "create", {"externalId": "o", "name": "N"}), {"POST /organizations": MADE},
            "created", ["GET /organizations/o", ("POST /organizations", {"externalId": "o", "name": "N"})],
        ),
        (
            asks("organization", "create", {"externalId": "o", "name": "N"}),
            {"GET /organizations/o": {"id": "O", "externalId": "o"}},
            "skipped", ["GET /organizations/o"],
        ),
        # The old id of a row that was merged leads to another, which is not the row that is to be created.
        (
            asks("organization", "create", {"externalId": "o", "name": "N"}),
            {"GET /organizations/o": {"id": "S", "externalId": "s"}, "POST /organizations": MADE},
            "created", ["GET /organizations/o", ("POST /organizations", {"externalId": "o", "name": "N"})],
        ),
        (
            asks("custom_object/*", "create", {"externalId": "x", "name": "N", "customerId": "a"}),
            {f"GET {INSTANCES}/search?externalId=x": [{"id": n, "externalId": "x"} for n in "12"]},
            "skipped", [f"GET {INSTANCES}/search?externalId=x"],
        ),
        # A row found in a list is known: what an update would lose is sent along without asking again.
        (
            asks("task", "upsert", {"externalId": "x", "accountId": "a", "name": "N"}),
            {**A, TASKS: page(A_TASK), "PUT /tasks/t": A_TASK},
            "updated", [
                "GET /accounts/a", TASKS, ("PUT /tasks/t", {"tags": ["old"], "name": "N", "accountId": "A"}),
            ],
        ),
        (
            asks("task", "update", {"externalId": "x", "accountId": "a"}),
            {**A, TASKS: page(A_TASK), "PUT /tasks/t": A_TASK},
            "updated", ["GET /accounts/a", TASKS, ("PUT /tasks/t", {"tags": ["old"], "accountId": "A"})],
        ),
        (
            asks("task", "update", {"id": "t", "name": "N"}),
            {"GET /tasks/t": ({"no": "row"}, A_TASK), "PUT /tasks/t": A_TASK},
            "updated", ["GET /tasks/t", "GET /tasks/t", ("PUT /tasks/t", {"tags": ["old"], "name": "N"})],
        ),
        # A row that has gone since is looked for once more, and created by an upsert.
        (
            asks("task", "upsert", {"externalId": "x", "accountId": "a", "name": "N"}),
            {**A, TASKS: (page(A_TASK), page()), "POST /tasks": MADE},
            "created", [
                "GET /accounts/a", TASKS,
                ("PUT /tasks/t", {"tags": ["old"], "name": "N", "accountId": "A"}),
                TASKS, ("POST /tasks", {"externalId": "x", "accountId": "A", "name": "N"}),
            ],
        ),
        # What another has created since is updated, wherever Vitally says so.
        (
            asks("account", "upsert", {"externalId": "a", "name": "N"}),
            {"PUT /accounts/a": (404, {"id": "A"}), "POST /accounts": 409},
            "updated", [
                ("PUT /accounts/a", {"name": "N"}), ("POST /accounts", {"externalId": "a", "name": "N"}),
                ("PUT /accounts/a", {"name": "N"}),
            ],
        ),
        (
            asks("task", "upsert", {"externalId": "x", "accountId": "a", "name": "N"}),
            {**A, TASKS: (page(), page(A_TASK)), "POST /tasks": 409, "PUT /tasks/t": A_TASK},
            "updated", [
                "GET /accounts/a", TASKS, ("POST /tasks", {"externalId": "x", "accountId": "A", "name": "N"}),
                TASKS, ("PUT /tasks/t", {"tags": ["old"], "name": "N", "accountId": "A"}),
            ],
        ),
        (
            asks("organization", "upsert", {"externalId": "o", "name": "N"}),
            {
                "POST /organizations": 409, "PUT /organizations/O": {"id": "O"},
                "GET /organizations/o": {"id": "O", "externalId": "o"},
            },
            "updated", [
                ("POST /organizations", {"externalId": "o", "name": "N"}), "GET /organizations/o",
                ("PUT /organizations/O", {"name": "N"}),
            ],
        ),
        (
            asks("organization", "create", {"externalId": "o", "name": "N"}),
            {"GET /organizations/o": (404, {"id": "O", "externalId": "o"}), "POST /organizations": 409},
            "skipped", [
                "GET /organizations/o", ("POST /organizations", {"externalId": "o", "name": "N"}),
                "GET /organizations/o",
            ],
        ),
        # Vitally need not say anything of what it did.
        (
            asks("task", "update", {"id": "t", "tags": ["new"]}), {"PUT /tasks/t": ""},
            "updated", [("PUT /tasks/t", {"tags": ["new"]})],
        ),
        # What is sent when nothing is said of it belongs to new rows alone.
        (
            asks("conversation", "create", {"externalId": "c", "subject": "S"}),
            {"GET /conversations?sortBy=createdAt&limit=100": page(), "POST /conversations": MADE},
            "created", [
                "GET /conversations/c", "GET /conversations?sortBy=createdAt&limit=100",
                ("POST /conversations", {"externalId": "c", "subject": "S", "messages": []}),
            ],
        ),
        # Vitally's id is the better address than an externalId that it may not take.
        (
            asks("conversation", "update", {"id": "C", "externalId": "c", "subject": "S"}),
            {"PUT /conversations/C": {"id": "C"}},
            "updated", [("PUT /conversations/C", {"subject": "S"})],
        ),
        (
            asks("account", "update", {"externalId": "a", "name": "N"}),
            {}, "skipped", [("PUT /accounts/a", {"name": "N"})],
        ),
        # An answer that is no JSON is one, to a request that asks for none.
        (
            asks("account", "delete", {"externalId": "a"}),
            {**A, "DELETE /accounts/a": "OK"}, "deleted", ["GET /accounts/a", "DELETE /accounts/a"],
        ),
        # What can be merged is looked at before it is deleted: an old id leads to the row that survived.
        (asks("account", "delete", {"externalId": "a"}), {}, "skipped", ["GET /accounts/a"]),
        *(
            (
                asks(name, "delete", {key: "a"}),
                {f"GET {path}/a": {"id": "S", "externalId": "s"}, f"DELETE {path}/a": "OK"},
                "skipped", [f"GET {path}/a"],
            )
            for name, path in (("account", "/accounts"), ("organization", "/organizations"), ("user", "/users"))
            for key in ("externalId", "id")
        ),
        (asks("task", "delete", {"id": "t"}), {"DELETE /tasks/t": "OK"}, "deleted", ["DELETE /tasks/t"]),
        # What leaves the same when it is sent twice is sent again after the connection broke.
        (
            asks("account", "update", {"externalId": "a", "name": "N"}), {"PUT /accounts/a": (BROKEN, MADE)},
            "updated", [("PUT /accounts/a", {"name": "N"})] * 2,
        ),
        (
            asks("organization", "upsert", {"externalId": "o", "name": "N"}), {"POST /organizations": (BROKEN, MADE)},
            "created or updated", [("POST /organizations", {"externalId": "o", "name": "N"})] * 2,
        ),
        (
            asks("meeting_transcript", "upsert", {"meetingId": "m", "transcript": [{"speaker": "I"}]}),
            {"GET /meetings/m": {"id": "M"}, "POST /meetings/M/transcript": (BROKEN, MADE)},
            "created or updated", [
                "GET /meetings/m", *[("POST /meetings/M/transcript", {"transcript": [{"speaker": "I"}]})] * 2,
            ],
        ),
        # What does not is looked for first.
        (
            asks("account", "create", {"externalId": "a", "name": "N"}),
            {"GET /accounts/a": (404, {"id": "A", "externalId": "a", "name": "N"}), "POST /accounts": BROKEN},
            "created", [
                "GET /accounts/a", ("POST /accounts", {"externalId": "a", "name": "N"}), "GET /accounts/a",
            ],
        ),
        (
            asks("account", "create", {"externalId": "a", "name": "N"}), {"POST /accounts": (BROKEN, MADE)},
            "created", ["GET /accounts/a", ("POST /accounts", {"externalId": "a", "name": "N"})] * 2,
        ),
        (
            asks("user", "create", {"externalId": "u", "accountIds": ["a"]}), {**A, "POST /users": (BROKEN, MADE)},
            "created", [
                "GET /users/u", "GET /accounts/a", ("POST /users", {"externalId": "u", "accountIds": ["A"]}),
                "GET /users/u", ("POST /users", {"externalId": "u", "accountIds": ["A"]}),
            ],
        ),
    ],
)  # fmt: skip
def test_what_is_asked_and_what_was_done(
    wanted: Change, script: dict[str, Any], effect: Effect, asked: list[Any]
) -> None:
    parts = Parts(script)
    assert parts.rest.make(wanted) == Made(effect)
    assert parts.vitally.asked == asked


NEW_ACCOUNT = asks("account", "create", {"externalId": "a", "name": "N"})
BY_ID_ALONE = NEW_ACCOUNT._replace(entry=NEW_ACCOUNT.entry.matched_by(Key("id", in_path=True)))
"""As in a stream that tells its rows by Vitally's id, so that a new one cannot be looked for."""

NO_TWICE = (
    "Vitally may or may not have created it (the connection broke before Vitally's answer arrived). It was not sent "
    "again, because that could create it twice: look it up in Vitally"
)


@pytest.mark.parametrize(
    ("wanted", "script", "status", "reason"),
    [
        (
            asks("account", "upsert", {"externalId": "a", "plan": "x"}), {}, None,
            "account 'a': it does not exist yet, and name is required to create it",
        ),
        (
            asks("account", "update", {"externalId": "a", "name": "N"}), {"PUT /accounts/a": 400}, 400,
            "account 'a': Vitally refused it: No.",
        ),
        (
            asks("account", "delete", {"externalId": "a"}), {**A, "DELETE /accounts/a": 422}, 422,
            "account 'a': Vitally refused it: No.",
        ),
        (
            asks("account", "upsert", {"id": "A", "name": "N"}), {}, None,
            f"account 'A': {NO_SUCH_ID}",
        ),
        # A miss by an address of which no page of Vitally speaks proves nothing.
        (
            asks("conversation", "update", {"externalId": "c", "subject": "S"}),
            {"GET /conversations?sortBy=createdAt&limit=100": page()}, None,
            "conversation 'c': not found by externalId; to update it, map Vitally's id to id",
        ),
        (
            asks("nps_response", "delete", {"externalId": "x"}),
            {"GET /npsResponses?sortBy=createdAt&limit=100": page()}, None,
            "nps_response 'x': not found by externalId; to delete it, map Vitally's id to id",
        ),
        (
            asks("task", "delete", {"externalId": "x"}), {}, None,
            "task 'x': not found by externalId; to delete it, map Vitally's id to id, or accountId or organizationId "
            "along with externalId",
        ),
        # Nothing can tell whether a row without externalId was made, so it is not sent twice.
        (
            asks("task", "create", {"name": "N", "accountId": "a"}),
            {**A, "POST /tasks": BROKEN}, None, f"task: {NO_TWICE}",
        ),
        (
            asks("note", "create", {"note": "N", "noteDate": WHEN, "accountId": "a"}),
            {**A, "POST /notes": BROKEN}, None,
            f"note: {NO_TWICE}",
        ),
        (
            BY_ID_ALONE, {"POST /accounts": BROKEN}, None, f"account 'a': {NO_TWICE}",
        ),
        (
            asks("project", "create", {"templateId": DEFINITION, "accountId": "a"}),
            {**A, "POST /projects": BROKEN}, None,
            f"project: {NO_TWICE}",
        ),
        # A row with other values than ours, found where our answer was lost, may be another's.
        (
            NEW_ACCOUNT,
            {"GET /accounts/a": (404, {"id": "A", "externalId": "a", "name": "M"}), "POST /accounts": BROKEN}, None,
            "account 'a': Vitally did not answer when it was created, and now has a row with this externalId and other "
            "values, which somebody else may have created. Nothing more was sent: look it up in Vitally",
        ),
        # Said to exist, and nowhere to be found.
        (NEW_ACCOUNT, {"POST /accounts": 409}, 409, "account 'a': Vitally refused it: No."),
        (
            asks("account", "upsert", {"externalId": "a", "name": "N"}), {"POST /accounts": 409}, 409,
            "account 'a': Vitally refused it: No.",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(wanted: Change, script: dict[str, Any], status: int | None, reason: str) -> None:
    parts = Parts(script)
    with pytest.raises(RejectedError) as caught:
        parts.rest.make(wanted)
    assert (str(caught.value), caught.value.status) == (reason, status)
    if reason.endswith(NO_TWICE):
        assert len(parts.vitally.written) == 1


def test_why_one_waits_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    Parts({"POST /accounts": (500, MADE)}).rest.make(NEW_ACCOUNT)
    assert "Waiting 1 s, then looking whether it is there: Vitally answered with HTTP 500" in caplog.text


def test_rows_that_fail_in_a_row_are_an_outage_until_one_is_created_again() -> None:
    """Given that each POST of an object fails while reads are answered, then that is an outage of this kind of request.

    Rows that are rejected are lost to the sync, since states go on past them; after an outage they come again.
    """
    parts = Parts({"GET /users?limit=1": page(), "POST /accounts": 500})

    def fails() -> str:
        with pytest.raises((RejectedError, OutageError)) as caught:
            parts.rest.make(NEW_ACCOUNT)
        return type(caught.value).__name__

    refused = ["RejectedError"] * GIVEN_UP_IN_A_ROW
    assert [fails() for _ in range(GIVEN_UP_IN_A_ROW + 1)] == [*refused, "OutageError"]
    parts.vitally.say("POST /accounts", MADE)
    parts.rest.make(asks("account", "create", {"externalId": "b", "name": "N"}))
    parts.vitally.say("POST /accounts", 500)
    assert [fails() for _ in range(GIVEN_UP_IN_A_ROW + 1)] == [*refused, "OutageError"]


def test_what_is_written_is_known_even_if_vitally_answers_with_no_more_than_an_id() -> None:
    task = {"externalId": "x", "accountId": "a"}
    parts = Parts({**A, TASKS: page(), "POST /tasks": {"id": "t"}, "PUT /tasks/t": {"id": "t"}})
    assert parts.rest.make(asks("task", "update", {**task, "name": "L"})).effect == "skipped"
    parts.rest.make(asks("task", "upsert", {**task, "name": "N", "tags": ["1"]}))
    parts.rest.make(asks("task", "update", {**task, "name": "M"}))
    parts.rest.make(asks("task", "update", {**task, "tags": ["2"]}))
    parts.rest.make(asks("task", "update", {**task, "name": "O"}))
    assert [(body.get("name"), body["tags"]) for _, body in parts.vitally.written] == [
        ("N", ["1"]), ("M", ["1"]), (None, ["2"]), ("O", ["2"]),
    ]  # fmt: skip


def test_a_row_that_went_after_this_sync_had_made_it_is_made_again() -> None:
    row = {"externalId": "x", "name": "N", "customerId": "a"}
    parts = Parts({**A, f"GET {INSTANCES}/search?externalId=x": [], f"POST {INSTANCES}": MADE})
    made = [
        parts.rest.make(asks("custom_object/*", operation, row)).effect for operation in ("create", "update", "create")
    ]
    assert made == ["created", "skipped", "created"]


@pytest.mark.parametrize(
    ("busy", "effect", "asked"),
    [
        (429, "skipped", ["GET /organizations/o", "POST /organizations", "GET /organizations/o"]),
        (503, "created", ["GET /organizations/o", "POST /organizations"]),
    ],
)
def test_a_row_is_not_created_on_what_was_known_before_a_long_wait(busy: int, effect: Effect, asked: list[str]) -> None:
    """Given a creation that has to wait, then the row is looked for again if it is certain that nothing was created."""
    found = {"id": "O", "externalId": "o"}
    parts = Parts({"GET /organizations/o": (404, found), "POST /organizations": (*[busy] * 8, MADE)})
    assert parts.rest.make(asks("organization", "create", {"externalId": "o", "name": "N"})) == Made(effect)
    assert [
        one for one, _ in groupby(parts.vitally.asked, lambda one: one if isinstance(one, str) else one[0])
    ] == asked
