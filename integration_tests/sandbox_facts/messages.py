"""The smallest message of each type that the Analytics API takes, and the requests that carry them."""

from __future__ import annotations

from typing import Any

from integration_tests.sandbox_facts.pages import ACCOUNT, INSTANCE, ORGANIZATION, TRACK, UNLINK, USER
from integration_tests.sandbox_facts.telling import Passes, Step

SUCCESS = {"message": "Success."}
TIME = "2026-10-31T08:00:00Z"
EARLIER = "2026-10-30T08:00:00Z"
LATER = Passes(121)
"""Enough for any message to take effect."""

MESSAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "organization": (ORGANIZATION, {"organizationId": "n"}),
    "account": (ACCOUNT, {"accountId": "n"}),
    "user": (USER, {"userId": "n", "accountId": "cust-2", "traits": {}}),
    "track": (TRACK, {"userId": "u-2", "event": "exported", "properties": {}}),
    "customobjectinstance": (
        INSTANCE,
        {"externalId": "n", "customObjectId": "{object}", "accountId": "cust-2", "traits": {}},
    ),
    "unlink": (UNLINK, {"userId": "u+1", "accountId": "cust/1"}),
}


def say(kind: str, **changes: Any) -> dict[str, Any]:
    """Return the smallest message of a type, with changes; a None leaves a member out."""
    body = {"type": kind, "timestamp": TIME, **MESSAGES[kind][1], **changes}
    return {name: value for name, value in body.items() if value is not None}


def single(kind: str, status: int = 200, shows: Any = ..., **changes: Any) -> Step:
    return Step(f"POST analytics/{kind}", say(kind, **changes), status, SUCCESS if status == 200 else shows)


def batch(*messages: Any, status: int = 200, shows: Any = ...) -> Step:
    return Step("POST analytics/batch", list(messages), status, SUCCESS if status == 200 else shows)
