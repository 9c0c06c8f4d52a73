"""Conversations and their messages: what each operation sends, and what it leaves in Vitally."""

from __future__ import annotations

import pytest

from integration_tests.destination.cases import CONV, MSG, USR, Case, check_case, every_case, rest
from integration_tests.destination.ways import Way, check_way, every_way
from integration_tests.destination.world import Samples
from integration_tests.sandbox import Sandbox

PERSON = {"type": "user", "id": USR}
MESSAGE_BODY = {"externalId": "m2", "message": "<p>New</p>", "from": PERSON, "to": [PERSON]}
SAMPLES: Samples = {
    ("conversation", "messages"): [MESSAGE_BODY],
    ("message", "from"): PERSON,
    **{("message", name): [PERSON] for name in ("to", "cc", "bcc")},
}
CASES = [
    Case(
        "conversation", "create", "rest", {"externalId": "c2", "subject": "New", "severity": None},
        [
            rest("GET", "/conversations/c2"),
            rest("GET", "/conversations"),
            rest("POST", "/conversations", {"externalId": "c2", "subject": "New", "messages": []}),
        ],
        ("conversations", "c2", {"subject": "New"}),
    ),
    Case(
        "conversation", "update", "rest", {"id": CONV, "messages": [MESSAGE_BODY]},
        [rest("PUT", f"/conversations/{CONV}", {"messages": [MESSAGE_BODY]})],
        ("messages", "m2", {"conversationId": CONV, "message": "<p>New</p>"}),
    ),
    Case(
        "conversation", "delete", "rest", {"id": CONV}, [rest("DELETE", f"/conversations/{CONV}")],
        ("conversations", "conv-1", None),
    ),
    Case(
        "message", "create", "rest", {"conversationId": CONV, **MESSAGE_BODY},
        [
            rest("GET", "/messages/m2"),
            rest("GET", f"/conversations/{CONV}"),
            rest("POST", f"/conversations/{CONV}/messages", MESSAGE_BODY),
        ],
        ("messages", "m2", {"conversationId": CONV}),
    ),
    Case(
        "message", "delete", "rest", {"externalId": "msg-1"},
        [rest("GET", "/messages/msg-1"), rest("DELETE", f"/messages/{MSG}")],
        ("messages", "msg-1", None),
    ),
]  # fmt: skip


@every_case(CASES)
def test_each_operation_sends_exactly_this(
    case: Case, region: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_case(case, region, sandbox, monkeypatch)


@every_way("conversation", "message")
def test_every_field_and_key_arrives(way: Way, sandbox: Sandbox) -> None:
    check_way(way, sandbox, SAMPLES)
