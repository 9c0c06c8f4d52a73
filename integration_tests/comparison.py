"""What can be equal in two workspaces when one was written from the other."""

from __future__ import annotations

from typing import Any

from integration_tests.sandbox import Sandbox

NOT_TAKEN_ALONG = {
    "id": "given by Vitally", "createdAt": "given by Vitally", "updatedAt": "given by Vitally",
}  # fmt: skip
COMPUTED = {
    "accountOwnerId", "organizationOwnerId", "healthScore", "csmId", "accountExecutiveId", "keyRoles",
    "segments", "lastSeenTimestamp", "usersCount", "npsLastScore", "deactivatedAt", "mrr", "churnedAt",
    "nextRenewalDate", "source", "projectIds", "meetingId", "accountIds", "organizationIds", "targets",
    "users",
}  # fmt: skip
"""What no API can write (or derives by itself). Links of users are compared by the ids of their accounts."""


def comparable(sandbox: Sandbox, table: str) -> dict[str, Any]:
    """Return rows by externalId, references as externalIds."""
    names = {
        row["id"]: row.get("externalId") or row.get("name")
        for parent in (
            "organizations",
            "accounts",
            "users",
            "admins",
            "noteCategories",
            "taskCategories",
            "customObjects",
        )
        for row in sandbox.workspace.rows(parent)
    }

    def plain(row: dict[str, Any]) -> dict[str, Any]:
        kept = {k: v for k, v in row.items() if k not in NOT_TAKEN_ALONG and k not in COMPUTED}
        kept = {k: names.get(v, v) if isinstance(v, str) else v for k, v in kept.items()}
        kept["traits"] = {k: v for k, v in row.get("traits", {}).items() if v is not None}
        if table == "users":
            kept["links"] = sorted(str(names[i]) for i in [*row["accountIds"], *row["organizationIds"]])
        return kept

    return {str(row["externalId"]): plain(row) for row in sandbox.workspace.rows(table) if row["externalId"]}
