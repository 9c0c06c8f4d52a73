"""The workspace of the facts: few rows, each with a name by which facts speak of its id."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from integration_tests.sandbox import Row, Workspace

CLOCK_AT = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def fill(workspace: Workspace) -> dict[str, str]:
    """Insert the rows; return their ids, and those of the definitions, by name."""
    known = {"unknown": UNKNOWN}
    for name, resource in (
        ("admin", "admins"),
        ("template", "projectTemplates"),
        ("status", "projectStatuses"),
        ("note_category", "noteCategories"),
        ("task_category", "taskCategories"),
        ("project_category", "projectCategories"),
        ("object", "customObjects"),
    ):
        known[name] = workspace.rows(resource)[0]["id"]
    fields = workspace.scoped("customFields", "customObjectId", known["object"])
    known["stage"] = next(row["id"] for row in fields if row["path"] == "vitally.custom.stage")
    known["template_category"] = workspace.rows("projectTemplates")[0]["projectCategoryId"]

    def insert(known_as: str, resource: str, /, **values: Any) -> None:
        known[known_as] = workspace.insert(resource, {key: _filled(value, known) for key, value in values.items()})[
            "id"
        ]

    _customers(insert)
    _work(insert)
    for name, resource in (("conversation", "conversations"), ("meeting", "meetings")):
        workspace.update(resource, known[name], {}, bump=False)  # what follows from those who take part
    return known


def _filled(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, str):
        return known.get(value.strip("{}"), value) if value.startswith("{") else value
    if isinstance(value, dict):
        return {key: _filled(part, known) for key, part in value.items()}
    return [_filled(part, known) for part in value] if isinstance(value, list) else value


def _customers(insert: Any) -> None:
    insert("organization", "organizations", externalId="org-1", name="Group", traits={"a": 1})
    insert("ignored_organization", "organizations", externalId="org-2", name="Ignored", untracked=True)
    insert(
        "account", "accounts", externalId="cust/1", name="Northwind", organizationId="{organization}", traits={"a": 1}
    )
    insert("other", "accounts", externalId="cust-2", name="Other")
    insert(
        "churned",
        "accounts",
        externalId="cust-3",
        name="Gone",
        organizationId="{organization}",
        churnedAt="2026-01-01T00:00:00.000Z",
    )
    insert("ignored", "accounts", externalId="cust-4", name="Ignored", untracked=True)
    insert("user", "users", externalId="u+1", name="Ida", email="ida+1@example.com", accountIds=["{account}"])
    insert("member", "users", externalId="u-2", name="Ole", email="ole@example.org", organizationIds=["{organization}"])


def _work(insert: Any) -> None:
    user, admin = {"type": "user", "id": "{user}"}, {"type": "admin", "id": "{admin}"}
    insert("conversation", "conversations", externalId="ticket-1", subject="Export fails")
    message: Row = {"conversationId": "{conversation}", "type": "inbound", "message": "Hi", "from": user, "to": [admin]}
    insert("message", "messages", externalId="ticket-1-1", **message)
    insert("own_note", "notes", externalId="note-1", accountId="{account}", note="Own", tags=["a", "b"])
    insert("hub_note", "notes", externalId="note-2", accountId="{account}", note="Theirs", source="hubspot")
    insert("old_note", "notes", accountId="{account}", note="Old", archivedAt="2026-10-01T00:00:00.000Z")
    insert("project", "projects", accountId="{account}", name="Onboarding", templateId="{template}")
    insert("meeting", "meetings", externalId="cal-1", title="QBR")
    insert("participant", "meetingParticipants", meetingId="{meeting}", userId="u+1", type="attendee")
    insert("transcript", "meetingTranscripts", meetingId="{meeting}", transcript=[{"speaker": {"externalId": "s"}}])
    insert("task", "tasks", externalId="task-1", accountId="{account}", name="Call", tags=["a"], source="salesforce")
    insert("nps", "npsResponses", externalId="nps-1", userId="{user}", score=9, respondedAt="2026-10-01T00:00:00.000Z")
    insert("member_nps", "npsResponses", externalId="nps-2", userId="{member}", score=3)
    insert(
        "instance", "instances", externalId="fr-1", name="Dark mode", customObjectId="{object}", customerId="{account}"
    )
    insert("survey", "surveys", title="CSAT")
    insert("question", "surveyQuestions", surveyId="{survey}", title="Why?", type="string")
    answered = [{"id": "qr", "questionId": "{question}", "data": {"type": "string", "value": "So"}}]
    insert("response", "surveyResponses", surveyId="{survey}", userId="{user}", questionResponses=answered)
