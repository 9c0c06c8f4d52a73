"""Users, their memberships, and events: what each operation sends, and what it leaves in Vitally."""

from __future__ import annotations

import pytest

from integration_tests.destination.cases import (
    ACC,
    ORG,
    STORED_TIME,
    TIME,
    USR,
    Case,
    batch,
    check_case,
    every_case,
    rest,
)
from integration_tests.destination.ways import Way, check_way, every_way
from integration_tests.sandbox import Sandbox

GET_ACC = rest("GET", "/accounts/acct%2F1")
CASES = [
    Case(
        "user", "create", "rest",
        {"externalId": "u2", "email": "n@example.com", "accountIds": ["acct/1"], "plan": "b"},
        [
            rest("GET", "/users/u2"),
            GET_ACC,
            rest(
                "POST", "/users",
                {"externalId": "u2", "email": "n@example.com", "accountIds": [ACC], "traits": {"plan": "b"}},
            ),
        ],
        ("users", "u2", {"email": "n@example.com", "accountIds": [ACC]}),
    ),
    Case(
        "user", "upsert", "rest", {"externalId": "user-1", "name": "New", "accountId": "acct/1"},
        [GET_ACC, rest("PUT", "/users/user-1", {"name": "New", "accountIds": [ACC]})],
        ("users", "user-1", {"id": USR, "name": "New", "accountIds": [ACC], "traits": {"kept": 1}}),
    ),
    Case(
        "user", "upsert", "analytics",
        {"externalId": "user-1", "name": "New", "joinDate": TIME, "accountIds": ["acct/1"],
         "organizationIds": ["org-1"]},
        [
            batch(type="user", userId="user-1", accountId="acct/1", organizationId="org-1",
                  traits={"name": "New", "createdAt": TIME}),
        ],
        ("users", "user-1", {"id": USR, "name": "New", "joinDate": STORED_TIME, "accountIds": [ACC],
                             "organizationIds": [ORG]}),
    ),
    Case(
        "user", "update", "rest", {"externalId": "user-1", "unsubscribedFromConversations": True},
        [rest("PUT", "/users/user-1", {"unsubscribedFromConversations": True})],
        ("users", "user-1", {"unsubscribedFromConversations": True, "name": "Old"}),
    ),
    Case(
        "user", "delete", "rest", {"externalId": "user-1"},
        [rest("GET", "/users/user-1"), rest("DELETE", "/users/user-1")],
        ("users", "user-1", None),
    ),
    Case(
        "membership", "upsert", "analytics", {"userId": "user-1", "accountId": "acct/1"},
        [batch(type="user", userId="user-1", accountId="acct/1", traits={})],
        ("users", "user-1", {"accountIds": [ACC], "name": "Old"}),
    ),
    Case(
        "membership", "delete", "analytics", {"userId": "user-1", "accountId": "acct/1"},
        [batch(type="unlink", userId="user-1", accountId="acct/1")],
        ("users", "user-1", {"accountIds": []}),
    ),
    Case(
        "event", "create", "analytics",
        {"event": "order placed", "userId": "user-1", "accountId": "acct/1", "timestamp": TIME, "total": 12},
        [
            batch(type="track", event="order placed", userId="user-1", accountId="acct/1", timestamp=TIME,
                  properties={"total": 12}),
        ],
        None,
    ),
]  # fmt: skip


@every_case(CASES)
def test_each_operation_sends_exactly_this(
    case: Case, region: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_case(case, region, sandbox, monkeypatch)


@every_way("user", "membership", "event")
def test_every_field_and_key_arrives(way: Way, sandbox: Sandbox) -> None:
    check_way(way, sandbox)
