"""The smallest bodies REST's POST requests take, for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from integration_tests.sandbox.server import Sandbox
from integration_tests.sandbox.testing.client import Client, stored, tracked
from integration_tests.sandbox.wire.messages import Row

MakeBody = Callable[[Sandbox], Row]
NOW = "2026-05-02T09:00:00.000Z"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def first(sandbox: Sandbox, resource: str) -> str:
    return str(sandbox.workspace.rows(resource)[0]["id"])


def conversation(sandbox: Sandbox) -> Row:
    user = next(row["id"] for row in sandbox.workspace.rows("users") if row["accountIds"])
    message = {
        "externalId": "ticket-new-1",
        "message": "<p>Hi</p>",
        "from": {"type": "user", "id": user},
        "to": [{"type": "admin", "id": first(sandbox, "admins")}],
    }
    return {"externalId": "ticket-new", "subject": "Export fails", "messages": [message]}


def meeting(sandbox: Sandbox) -> Row:
    user = next(row for row in sandbox.workspace.rows("users") if row["accountIds"])
    person = {"userId": user["externalId"], "type": "organizer", "responseStatus": "accepted"}
    return {"externalId": "cal-new", "title": "QBR", "participants": [person]}


def instances_path(sandbox: Sandbox) -> str:
    return f"customObjects/{stored(sandbox, 'customObjects', name='dealRoom')[0]['id']}/instances"


# The smallest body each POST takes.
BODIES: dict[str, MakeBody] = {
    "accounts": lambda _: {"externalId": "new", "name": "New"},
    "organizations": lambda _: {"externalId": "new", "name": "New"},
    "users": lambda sandbox: {"externalId": "new", "accountIds": [tracked(sandbox)]},
    "conversations": conversation,
    "notes": lambda sandbox: {"accountId": tracked(sandbox), "note": "Hi", "noteDate": NOW},
    "tasks": lambda sandbox: {"accountId": tracked(sandbox), "name": "Call"},
    "projects": lambda sandbox: {
        "templateId": first(sandbox, "projectTemplates"),
        "accountId": tracked(sandbox),
    },
    "npsResponses": lambda sandbox: {"userId": first(sandbox, "users"), "respondedAt": NOW, "score": 9},
    "instances": lambda sandbox: {"name": "Deal", "customerId": tracked(sandbox)},
    "meetings": meeting,
    "customObjects": lambda _: {"name": "asset", "label": "Asset", "writeMode": "writable"},
}


def path_of(sandbox: Sandbox, resource: str) -> str:
    return instances_path(sandbox) if resource == "instances" else resource


def post(client: Client, resource: str, **changes: Any) -> Row:
    """Return the answer to a POST of the smallest body with these changes, which must succeed."""
    body = {**BODIES[resource](client.sandbox), **changes}
    response = client.rest("POST", path_of(client.sandbox, resource), body)
    assert response.status_code == 200, response.text
    row: Row = response.json()
    return row
