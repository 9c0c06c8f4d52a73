"""Team members, users and categories under the names that people know."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.destination.cases import prepare
from integration_tests.harness import Run, destination_config, record, stream, write
from integration_tests.sandbox import Sandbox

WHEN = "2026-01-31T09:30:00Z"
UUID = "0f0d5a52-0000-4000-8000-000000000000"


@pytest.fixture
def known(sandbox: Sandbox) -> dict[str, Any]:
    """What the workspace knows: a team member, a user of an account, a conversation."""
    prepare(sandbox)
    account = sandbox.workspace.insert("accounts", {"externalId": "a"})
    user = sandbox.workspace.insert(
        "users", {"externalId": "u", "email": "Ida@example.com", "accountIds": [account["id"]]}
    )
    admin = sandbox.workspace.rows("admins")[0]
    conversation = sandbox.workspace.insert("conversations", {"externalId": "c", "subject": "S"})
    return {"account": account, "user": user, "admin": admin, "conversation": conversation}


def send(sandbox: Sandbox, name: str, *rows: dict[str, Any], operation: str = "create", **settings: Any) -> Run:
    mapping = {"stream": "rows", "object": name, "operation": operation, "other_columns": "traits"}
    return write(
        destination_config(sandbox, mappings=[mapping], **settings), [stream("rows")], [record("rows", r) for r in rows]
    )


ROWS: dict[str, tuple[str, dict[str, Any], str]] = {
    "note": ("notes", {"accountId": "a", "note": "N", "noteDate": WHEN}, "authorId"),
    "task": ("tasks", {"accountId": "a", "name": "T"}, "assignedToId"),
    "custom_object/featureRequest": ("instances", {"customerId": "a", "name": "I"}, "ownedByVitallyUserId"),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_team_member_is_found_by_email_once(sandbox: Sandbox, known: dict[str, Any], name: str) -> None:
    resource, row, field = ROWS[name]
    rows = [{**row, field: email} for email in (known["admin"]["email"], known["admin"]["email"].upper())]
    result = send(sandbox, name, *rows, {**row, field: known["admin"]["id"]}, num_workers=1)
    assert result.counts("rows")["accepted"] == 3, result.log
    assert [r[field] for r in sandbox.workspace.rows(resource)][-3:] == 3 * [known["admin"]["id"]]
    assert sandbox.journal.count("/admins/search") == 1
    result = send(sandbox, name, {**row, field: "nobody@example.com"})
    assert f"{field}: Vitally has no team member with this email" in result.log


@pytest.mark.parametrize(
    ("name", "resource", "title"),
    [
        ("note", "noteCategories", "note category"),
        ("task", "taskCategories", "task category"),
    ],
)
def test_a_category_is_found_by_its_name(
    sandbox: Sandbox, known: dict[str, Any], name: str, resource: str, title: str
) -> None:
    field, category = "categoryId", sandbox.workspace.rows(resource)[0]
    table, row, _ = ROWS[name]
    rows = [{**row, field: value} for value in (category["name"], category["name"].upper(), category["id"])]
    result = send(sandbox, name, *rows, num_workers=1)
    assert result.counts("rows")["accepted"] == 3, result.log
    assert [r[field] for r in sandbox.workspace.rows(table)][-3:] == 3 * [category["id"]]
    assert sandbox.journal.count(f"/{resource}$") == 1
    result = send(sandbox, name, {**row, field: "No such"})
    assert f"{field}: Vitally has no {title} of this name. There are: " in result.log


@pytest.mark.parametrize(
    ("person", "resource"),
    [
        ({"type": "user", "id": "u"}, "user"),
        ({"type": "user", "id": "Ida@example.com"}, "user"),
        ({"type": "user", "email": "Ida@example.com"}, "user"),
        ({"type": "admin", "email": "ADMIN", "id": None}, "admin"),
        ({"type": "admin", "id": "ADMIN"}, "admin"),
    ],
)
def test_people_of_a_message_are_found_by_your_id_and_by_email(
    sandbox: Sandbox, known: dict[str, Any], person: dict[str, Any], resource: str
) -> None:
    given = {name: known["admin"]["email"] if value == "ADMIN" else value for name, value in person.items()}
    wanted = {"type": person["type"], "id": known[resource]["id"]}
    message = {"externalId": "m", "message": "M", "from": given, "to": [given]}
    result = send(sandbox, "message", {"conversationId": known["conversation"]["id"], **message})
    assert result.error is None, result.log
    [stored] = [m for m in sandbox.workspace.rows("messages") if m["externalId"] == "m"]
    assert (stored["from"], stored["to"]) == (wanted, [wanted])
    result = send(
        sandbox, "conversation", {"externalId": "c2", "subject": "S", "messages": [{**message, "externalId": "m2"}]}
    )
    assert result.error is None, result.log
    [stored] = [m for m in sandbox.workspace.rows("messages") if m["externalId"] == "m2"]
    assert stored["from"] == wanted


def test_the_user_of_an_event_is_found_by_email(sandbox: Sandbox, known: dict[str, Any]) -> None:
    rows = [{"event": "e", "user_email": "Ida@example.com", "id": n} for n in range(3)]
    result = send(sandbox, "event", *rows)
    assert result.error is None, result.log
    assert [event["userId"] for event in sandbox.workspace.events] == ["u"] * 3
    assert sandbox.journal.count("/users/search") == 2
    result = send(sandbox, "event", {"event": "e", "userEmail": "nobody@example.com", "id": 9})
    assert "event '9': userEmail: Vitally has no user with this email" in result.log


def test_the_user_of_an_answer_is_found_by_email(sandbox: Sandbox, known: dict[str, Any]) -> None:
    row = {"externalId": "n", "userEmail": "Ida@example.com", "score": 9, "respondedAt": WHEN}
    assert send(sandbox, "nps_response", row, operation="upsert").error is None
    assert sandbox.workspace.rows("npsResponses")[-1]["userId"] == known["user"]["id"]


@pytest.mark.parametrize("given", [{"userEmail": "Ida@example.com"}, {"user_email": "Ida@example.com", "userId": ""}])
def test_the_user_of_a_membership_is_found_by_email(sandbox: Sandbox, known: dict[str, Any], given: Any) -> None:
    rows = [
        {**given, "accountId": row["externalId"]} for row in sandbox.workspace.rows("accounts") if row["externalId"]
    ]
    joined = [row["id"] for row in sandbox.workspace.rows("accounts") if row["externalId"]]
    result = send(sandbox, "membership", *rows, operation="upsert")
    assert result.error is None, result.log
    assert set(joined) <= set(sandbox.workspace.get("users", known["user"]["id"])["accountIds"])
    assert sandbox.journal.count("/users/search") == 2
    assert send(sandbox, "membership", *rows, operation="delete", allow_deletes=True).error is None
    assert not set(joined) & set(sandbox.workspace.get("users", known["user"]["id"])["accountIds"])


def test_a_membership_by_email_and_by_id_is_one_and_keeps_its_order(sandbox: Sandbox, known: dict[str, Any]) -> None:
    by_id, by_email = {"userId": "u", "accountId": "a"}, {"userEmail": "Ida@example.com", "accountId": "a"}
    first = {"userId": "u", "accountId": sandbox.workspace.rows("accounts")[0]["externalId"]}
    for leaves, joins in ((by_id, by_email), (by_email, by_id)):
        rows = [first, {**leaves, "_ab_cdc_deleted_at": WHEN}, joins]
        result = send(sandbox, "membership", *rows, operation="upsert", allow_deletes=True, num_workers=1)
        assert result.counts("rows")["accepted"] == 3, result.log
        assert known["account"]["id"] in sandbox.workspace.get("users", known["user"]["id"])["accountIds"]


def test_a_user_that_the_analytics_api_cannot_name_is_said(sandbox: Sandbox, known: dict[str, Any]) -> None:
    sandbox.workspace.update("users", known["user"]["id"], {"externalId": None})
    row = {"userEmail": "Ida@example.com", "accountId": "a"}
    result = send(sandbox, "membership", row, {**row, "userEmail": "nobody@example.com"}, operation="upsert")
    assert "userId: this user has no externalId, by which the Analytics API knows it" in result.log
    assert "userEmail: Vitally has no user with this email" in result.log


@pytest.mark.parametrize("name", ["event", "membership"])
def test_without_the_rest_key_an_email_cannot_be_looked_up(sandbox: Sandbox, known: dict[str, Any], name: str) -> None:
    settings: dict[str, Any] = {"secret_token": None, "operation": "create" if name == "event" else "upsert"}
    row = {"event": "e", "userEmail": "Ida@example.com", "accountId": "a", "id": 1}
    result = send(sandbox, name, row, **settings)
    assert "userEmail is looked up with the REST API key (secret_token), which is not entered" in result.log
