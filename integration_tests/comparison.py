"""What can be equal in two workspaces when one was written from the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from integration_tests.sandbox import Sandbox

NOT_TAKEN_ALONG = {
    "id": "given by Vitally", "createdAt": "given by Vitally", "updatedAt": "given by Vitally",
    "externalId": "what rows are compared by",
}  # fmt: skip
COMPUTED = {
    "accountOwnerId", "organizationOwnerId", "healthScore", "csmId", "accountExecutiveId", "keyRoles",
    "segments", "lastSeenTimestamp", "usersCount", "npsLastScore", "deactivatedAt", "mrr", "churnedAt",
    "nextRenewalDate", "source", "projectIds", "meetingId", "targets", "users", "deleteOn", "untracked",
    "status", "projectStatusId", "durationInDays", "startTimeZone", "accountIds", "organizationIds", "userIds",
    "adminIds",
}  # fmt: skip
"""What no API can write (or derives by itself). Links of users are compared as `links`."""

COPIED = "vitally:"
_CHILDREN = {"messages": "conversationId", "meetingParticipants": "meetingId", "meetingTranscripts": "meetingId"}
_NAMED = (
    "organizations", "accounts", "users", "admins", "noteCategories", "taskCategories", "projectCategories",
    "projectTemplates", "customObjects", "conversations", "meetings",
)  # fmt: skip


def comparable(
    sandbox: Sandbox, table: str, is_wanted: Callable[[dict[str, Any]], bool] = lambda row: True
) -> dict[str, Any]:
    """Return rows by externalId, those without one as a copy of them would have it; references in the same way."""
    keys = {row["id"]: _key(sandbox, parent, row) for parent in _NAMED for row in sandbox.workspace.rows(parent)}

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(entry) for entry in value]
        if isinstance(value, dict):
            return {name: plain(entry) for name, entry in value.items()}
        return keys.get(value, value) if isinstance(value, str) else value

    def compared(row: dict[str, Any]) -> dict[str, Any]:
        kept = {name: plain(value) for name, value in row.items() if name not in {*NOT_TAKEN_ALONG, *COMPUTED}}
        if "traits" in row:
            kept["traits"] = {name: value for name, value in row["traits"].items() if value is not None}
        if table == "users":
            kept["links"] = sorted(keys[one] for one in [*row["accountIds"], *row["organizationIds"]])
        return kept

    return {_key(sandbox, table, row): compared(row) for row in sandbox.workspace.rows(table) if is_wanted(row)}


def _key(sandbox: Sandbox, table: str, row: dict[str, Any]) -> str:
    """What the copy of a row is found by."""
    if table in ("meetingParticipants", "meetingTranscripts"):
        meeting = sandbox.workspace.get("meetings", row["meetingId"])
        return f"{meeting['externalId']}: {row.get('userId') or row.get('email') or 'of the team'}"
    if table in ("projects", "customObjects", "admins") or table.endswith(("Categories", "Templates")):
        return str(row["email"] if table == "admins" else row["name"])
    return str(row.get("externalId") or COPIED + row["id"])
