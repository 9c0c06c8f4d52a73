"""The cells about companies, people, events and custom objects."""

from __future__ import annotations

from integration_tests.destination.cases import ACC, INST, ORG, TIME, USR, Case, Row, batch, rest

COMPANY: Row = {"name": "New", "plan": "b"}
GET_ACC, GET_ORG = rest("GET", "/accounts/acct%2F1"), rest("GET", "/organizations/org-1")
SAME_ACC = {"id": ACC, "name": "New", "organizationId": ORG, "traits": {"plan": "b", "kept": 1}}

COMPANIES = [
    Case(
        "organization", "create", "rest", {"externalId": "org-2", **COMPANY},
        [rest("POST", "/organizations", {"externalId": "org-2", "name": "New", "traits": {"plan": "b"}})],
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
        "organization", "update", "rest", {"externalId": "none", **COMPANY},
        [rest("PUT", "/organizations/none", {"name": "New", "traits": {"plan": "b"}})],
        ("organizations", "none", None), "skipped", name="missing",
    ),
    Case(
        "organization", "delete", "rest", {"externalId": "org-1"}, [rest("DELETE", "/organizations/org-1")],
        ("organizations", "org-1", None),
    ),
    Case(
        "account", "create", "rest", {"externalId": "acct 2", "organizationId": "org-1", **COMPANY},
        [
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
        "account", "delete", "rest", {"externalId": "acct/1"}, [rest("DELETE", "/accounts/acct%2F1")],
        ("accounts", "acct/1", None),
    ),
    Case(
        "user", "create", "rest",
        {"externalId": "u2", "email": "n@example.com", "accountIds": ["acct/1"], "plan": "b"},
        [
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
        ("users", "user-1", {"id": USR, "name": "New", "joinDate": TIME, "accountIds": [ACC],
                             "organizationIds": [ORG]}),
    ),
    Case(
        "user", "update", "rest", {"externalId": "user-1", "unsubscribedFromConversations": True},
        [rest("PUT", "/users/user-1", {"unsubscribedFromConversations": True})],
        ("users", "user-1", {"unsubscribedFromConversations": True, "name": "Old"}),
    ),
    Case(
        "user", "delete", "rest", {"externalId": "user-1"}, [rest("DELETE", "/users/user-1")],
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

INSTANCES = "/customObjects/<definition>/instances"
SEARCH = rest("GET", INSTANCES + "/search")
STAGE = {"vitally.custom.stage": "Won"}
CUSTOM_OBJECTS = [
    Case(
        "custom_object_definition", "create", "rest",
        {"name": "deal", "label": "Deal", "writeMode": "writable"},
        [rest("POST", "/customObjects", {"name": "deal", "label": "Deal", "writeMode": "writable"})],
        None,
    ),
    Case(
        "custom_object_definition", "update", "rest", {"id": "<definition>", "label": "Wish"},
        [rest("PUT", "/customObjects/<definition>", {"label": "Wish"})],
        ("customObjects", "<definition>", {"label": "Wish", "name": "featureRequest"}),
    ),
    Case(
        "custom_object/featureRequest", "create", "rest",
        {"externalId": "i2", "name": "New", "accountId": "acct/1", **STAGE},
        [
            GET_ACC,
            rest("POST", INSTANCES, {"externalId": "i2", "name": "New", "customerId": ACC, "traits": STAGE}),
        ],
        ("instances", "i2", {"name": "New", "customerId": ACC, "traits": STAGE}),
    ),
    Case(
        "custom_object/featureRequest", "upsert", "rest", {"externalId": "inst-1", "name": "New", **STAGE},
        [
            SEARCH,
            rest("PUT", f"{INSTANCES}/{INST}", {"externalId": "inst-1", "name": "New", "traits": STAGE}),
        ],
        ("instances", "inst-1", {"id": INST, "name": "New", "customerId": ACC, "traits": STAGE}),
    ),
    Case(
        "custom_object/featureRequest", "upsert", "rest",
        {"externalId": "i2", "name": "New", "customerId": "acct/1"},
        [SEARCH, GET_ACC, rest("POST", INSTANCES, {"externalId": "i2", "name": "New", "customerId": ACC})],
        ("instances", "i2", {"name": "New", "customerId": ACC}), name="new",
    ),
    Case(
        "custom_object/featureRequest", "upsert", "analytics",
        {"externalId": "inst-1", "name": "New", "accountId": "acct/1", **STAGE},
        [
            batch(type="customobjectinstance", customObjectId="<definition>", externalId="inst-1", name="New",
                  accountId="acct/1", traits=STAGE),
        ],
        ("instances", "inst-1", {"id": INST, "name": "New", "customerId": ACC, "traits": STAGE}),
    ),
    Case(
        "custom_object/featureRequest", "update", "rest", {"id": INST, "name": "New"},
        [rest("PUT", f"{INSTANCES}/{INST}", {"name": "New"})],
        ("instances", "inst-1", {"name": "New"}),
    ),
    Case(
        "custom_object/featureRequest", "delete", "rest", {"externalId": "inst-1"},
        [SEARCH, rest("DELETE", f"{INSTANCES}/{INST}")],
        ("instances", "inst-1", None),
    ),
]  # fmt: skip
