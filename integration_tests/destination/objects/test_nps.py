"""NPS responses: what each operation sends, and what it leaves in Vitally."""

from __future__ import annotations

import pytest

from integration_tests.destination.cases import NPS, STORED_TIME, TIME, USR, Case, check_case, every_case, rest
from integration_tests.destination.ways import Way, check_way, every_way
from integration_tests.sandbox import Sandbox

GET_USR = rest("GET", "/users/user-1")
NPS_BODY = {"userId": USR, "score": 9, "respondedAt": TIME}
CASES = [
    Case(
        "nps_response", "create", "rest",
        {"userId": "user-1", "score": 9, "respondedAt": TIME},
        [GET_USR, rest("POST", "/npsResponses", NPS_BODY)], None,
    ),
    Case(
        "nps_response", "upsert", "rest",
        {"externalId": "nps-1", "userId": "user-1", "score": "9", "responded_at": "2026-03-04 06:06:07+01"},
        [GET_USR, rest("POST", "/npsResponses", {"externalId": "nps-1", **NPS_BODY})],
        ("npsResponses", "nps-1", {"id": NPS, "score": 9, "respondedAt": STORED_TIME}),
    ),
    Case(
        "nps_response", "update", "rest", {"id": NPS, "userId": "user-1", "score": 9, "respondedAt": TIME},
        [GET_USR, rest("PUT", f"/npsResponses/{NPS}", NPS_BODY)],
        ("npsResponses", "nps-1", {"score": 9}),
    ),
    Case(
        "nps_response", "delete", "rest", {"id": NPS}, [rest("DELETE", f"/npsResponses/{NPS}")],
        ("npsResponses", "nps-1", None),
    ),
]  # fmt: skip


@every_case(CASES)
def test_each_operation_sends_exactly_this(
    case: Case, region: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_case(case, region, sandbox, monkeypatch)


@every_way("nps_response")
def test_every_field_and_key_arrives(way: Way, sandbox: Sandbox) -> None:
    check_way(way, sandbox)
