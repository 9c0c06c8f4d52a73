"""The smallest body that each POST takes by Vitally's pages, and which of its members are required."""

from __future__ import annotations

from typing import Any, NamedTuple

from integration_tests.sandbox_facts import pages


class Post(NamedTuple):
    page: str
    path: str
    body: dict[str, Any]


TIME = "2026-05-02T09:00:00.000Z"
MESSAGE = {
    "externalId": "n-1",
    "message": "<p>Hi</p>",
    "from": {"type": "user", "id": "{user}"},
    "to": [{"type": "admin", "id": "{admin}"}],
}
PERSON = {"userId": "u+1", "type": "organizer"}
SPOKEN = {"speaker": {"externalId": "s"}, "sentences": [{"text": "Hi", "startTime": 0, "endTime": 9}]}
INSTANCES = "customObjects/{object}/instances"

POSTS = {
    "account": Post(pages.ACCOUNTS, "accounts", {"externalId": "n", "name": "N"}),
    "organization": Post(pages.TRANSCRIBED, "organizations", {"externalId": "n", "name": "N"}),
    "user": Post(pages.TRANSCRIBED, "users", {"externalId": "n", "accountIds": ["{account}"]}),
    "member": Post(pages.TRANSCRIBED, "users", {"externalId": "n", "organizationIds": ["{organization}"]}),
    "conversation": Post(
        pages.TRANSCRIBED, "conversations", {"externalId": "n", "subject": "N", "messages": [MESSAGE]}
    ),
    "message": Post(pages.MESSAGES, "conversations/{conversation}/messages", MESSAGE),
    "note": Post(pages.TRANSCRIBED, "notes", {"accountId": "{account}", "note": "N", "noteDate": TIME}),
    "task": Post(pages.TRANSCRIBED, "tasks", {"organizationId": "{organization}", "name": "N"}),
    "project": Post(pages.TRANSCRIBED, "projects", {"templateId": "{template}", "accountId": "{account}"}),
    "NPS response": Post(pages.NPS, "npsResponses", {"userId": "{user}", "respondedAt": TIME, "score": 9}),
    "custom object": Post(pages.TRANSCRIBED, "customObjects", {"name": "n", "label": "N", "writeMode": "writable"}),
    "instance": Post(pages.TRANSCRIBED, INSTANCES, {"name": "N", "customerId": "{account}"}),
    "meeting": Post(pages.MEETINGS, "meetings", {"externalId": "n", "title": "N", "participants": [PERSON]}),
    "participant": Post(
        pages.MEETINGS, "meetings/{meeting}/participants", {"email": "ole@example.org", "type": "attendee"}
    ),
    "transcript": Post(pages.MEETINGS, "meetings/{meeting}/transcript", {"transcript": [SPOKEN]}),
}


def post(name: str, **changes: Any) -> dict[str, Any]:
    """Return the smallest body of that kind, with changes."""
    return {**POSTS[name].body, **changes}


def without(name: str, member: str) -> dict[str, Any]:
    return {key: value for key, value in POSTS[name].body.items() if key != member}
