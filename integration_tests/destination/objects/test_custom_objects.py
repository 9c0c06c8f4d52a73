"""Custom objects: their definitions and instances: what each operation sends, and what it leaves in Vitally."""

from __future__ import annotations

import pytest

from integration_tests.destination.cases import ACC, INST, Case, batch, check_case, every_case, rest
from integration_tests.destination.ways import Way, check_way, every_way
from integration_tests.destination.world import Samples
from integration_tests.sandbox import Sandbox

GET_ACC = rest("GET", "/accounts/acct%2F1")
INSTANCES = "/customObjects/<definition>/instances"
SEARCH = rest("GET", INSTANCES + "/search")
STAGE = {"vitally.custom.stage": "Won"}
SAMPLES: Samples = {
    ("custom_object_definition", "writeMode"): "readonly",
    ("custom_object_definition", "customFields"): [{"label": "Size", "type": "number"}],
}
CASES = [
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
            SEARCH,
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
            GET_ACC,
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


@every_case(CASES)
def test_each_operation_sends_exactly_this(
    case: Case, region: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_case(case, region, sandbox, monkeypatch)


@every_way("custom_object_definition", "custom_object/*")
def test_every_field_and_key_arrives(way: Way, sandbox: Sandbox) -> None:
    check_way(way, sandbox, SAMPLES)
