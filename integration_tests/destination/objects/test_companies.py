"""Organizations and accounts: what each operation sends, and what it leaves in Vitally."""

from __future__ import annotations

import pytest

from integration_tests.destination.cases import ACC, ORG, Case, batch, check_case, every_case, rest
from integration_tests.destination.ways import Way, check_way, every_way
from integration_tests.harness import destination_config, record, stream, write
from integration_tests.sandbox import Row, Sandbox

COMPANY: Row = {"name": "New", "plan": "b"}
GET_ORG = rest("GET", "/organizations/org-1")
SAME_ACC = {"id": ACC, "name": "New", "organizationId": ORG, "traits": {"plan": "b", "kept": 1}}
CASES = [
    Case(
        "organization", "create", "rest", {"externalId": "org-2", **COMPANY},
        [
            rest("GET", "/organizations/org-2"),
            rest("POST", "/organizations", {"externalId": "org-2", "name": "New", "traits": {"plan": "b"}}),
        ],
        ("organizations", "org-2", {"name": "New", "traits": {"plan": "b"}}),
    ),
    Case(
        "organization", "upsert", "rest", {"externalId": "org-1", **COMPANY},
        [rest("POST", "/organizations", {"externalId": "org-1", "name": "New", "traits": {"plan": "b"}})],
        ("organizations", "org-1", {"id": ORG, "name": "New", "traits": {"plan": "b", "kept": 1}}),
    ),
    Case(
        "organization", "upsert", "analytics", {"externalId": "org-1", **COMPANY},
        [batch(type="organization", organizationId="org-1", traits={"name": "New", "plan": "b"})],
        ("organizations", "org-1", {"id": ORG, "name": "New", "traits": {"plan": "b", "kept": 1}}),
    ),
    Case(
        "organization", "update", "rest", {"externalId": "org-1", **COMPANY},
        [rest("PUT", "/organizations/org-1", {"name": "New", "traits": {"plan": "b"}})],
        ("organizations", "org-1", {"name": "New", "traits": {"plan": "b", "kept": 1}}),
    ),
    Case(
        "organization", "update", "rest", {"externalId": "nobody", **COMPANY},
        [rest("PUT", "/organizations/nobody", {"name": "New", "traits": {"plan": "b"}})],
        ("organizations", "nobody", None), "skipped", name="missing",
    ),
    Case(
        "organization", "delete", "rest", {"externalId": "org-1"},
        [rest("GET", "/organizations/org-1"), rest("DELETE", "/organizations/org-1")],
        ("organizations", "org-1", None),
    ),
    Case(
        "account", "create", "rest", {"externalId": "acct 2", "organizationId": "org-1", **COMPANY},
        [
            rest("GET", "/accounts/acct%202"),
            GET_ORG,
            rest(
                "POST", "/accounts",
                {"externalId": "acct 2", "name": "New", "organizationId": ORG, "traits": {"plan": "b"}},
            ),
        ],
        ("accounts", "acct 2", {"name": "New", "organizationId": ORG}),
    ),
    Case(
        "account", "upsert", "rest", {"externalId": "acct/1", **COMPANY},
        [rest("PUT", "/accounts/acct%2F1", {"name": "New", "traits": {"plan": "b"}})],
        ("accounts", "acct/1", SAME_ACC),
    ),
    Case(
        "account", "upsert", "rest", {"externalId": "acct 2", **COMPANY},
        [
            rest("PUT", "/accounts/acct%202", {"name": "New", "traits": {"plan": "b"}}),
            rest("POST", "/accounts", {"externalId": "acct 2", "name": "New", "traits": {"plan": "b"}}),
        ],
        ("accounts", "acct 2", {"name": "New", "traits": {"plan": "b"}}), name="new",
    ),
    Case(
        "account", "upsert", "analytics", {"externalId": "acct/1", "organization_id": "org-1", **COMPANY},
        [
            batch(type="account", accountId="acct/1", organizationId="org-1",
                  traits={"name": "New", "plan": "b"}),
        ],
        ("accounts", "acct/1", SAME_ACC),
    ),
    Case(
        "account", "update", "rest", {"id": ACC, **COMPANY},
        [rest("PUT", f"/accounts/{ACC}", {"name": "New", "traits": {"plan": "b"}})],
        ("accounts", "acct/1", {"name": "New"}),
    ),
    Case(
        "account", "delete", "rest", {"externalId": "acct/1"},
        [rest("GET", "/accounts/acct%2F1"), rest("DELETE", "/accounts/acct%2F1")],
        ("accounts", "acct/1", None),
    ),
]  # fmt: skip


@every_case(CASES)
def test_each_operation_sends_exactly_this(
    case: Case, region: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_case(case, region, sandbox, monkeypatch)


@every_way("organization", "account")
def test_every_field_and_key_arrives(way: Way, sandbox: Sandbox) -> None:
    check_way(way, sandbox)


@pytest.mark.parametrize("operation", ["update", "upsert"])
def test_the_owner_of_an_account_is_emptied_where_a_mapping_says_so(sandbox: Sandbox, operation: str) -> None:
    account = sandbox.workspace.insert("accounts", {"externalId": "a", "name": "A", "accountOwnerId": "someone"})
    fields = [
        {"field": "externalId", "column": "id"},
        {"field": "accountOwnerId", "column": "owner", "null_values": "clear"},
    ]
    mapping = {"stream": "owners", "object": "account", "operation": operation, "fields": fields}
    rows = [record("owners", {"id": key, "owner": owner}) for key, owner in (("a", None), ("b", "someone else"))]

    result = write(destination_config(sandbox, mappings=[mapping]), [stream("owners")], rows)

    assert (result.counts("owners")["accepted"], result.counts("owners")["rejected"]) == (1, 1)
    assert sandbox.workspace.get("accounts", account["id"])["accountOwnerId"] is None
