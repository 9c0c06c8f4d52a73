"""One cell of the matrix of objects, operations and transports, the workspace it starts from, and its test."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
import pytest

from integration_tests.destination.regions import HOSTS, SETTINGS, lead_to
from integration_tests.harness import destination_config, record, stream, write
from integration_tests.sandbox import Row, Sandbox

Request = tuple[str, str, Any]


def identifier(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


ORG, ACC, USR, CONV, MEET, NOTE, TASK, PROJ, NPS, INST, MSG, PART = (identifier(n) for n in range(1, 13))
DELETED = {"_ab_cdc_deleted_at": "2026-01-01T00:00:00Z"}


def prepare(sandbox: Sandbox) -> None:
    """Insert one row of each kind."""
    insert = sandbox.workspace.insert
    insert("organizations", {"id": ORG, "externalId": "org-1", "name": "Old", "traits": {"kept": 1, "plan": "a"}})
    insert(
        "accounts",
        {
            "id": ACC,
            "externalId": "acct/1",
            "name": "Old",
            "organizationId": ORG,
            "traits": {"kept": 1, "plan": "a"},
        },
    )
    insert(
        "users",
        {
            "id": USR,
            "externalId": "user-1",
            "name": "Old",
            "email": "old@example.com",
            "accountIds": [ACC],
            "traits": {"kept": 1},
        },
    )
    insert("conversations", {"id": CONV, "externalId": "conv-1", "subject": "Old"})
    insert("meetings", {"id": MEET, "externalId": "meet-1", "title": "Old"})
    insert(
        "notes",
        {
            "id": NOTE,
            "externalId": "note-1",
            "accountId": ACC,
            "note": "Old",
            "tags": ["a", "b"],
            "noteDate": "2026-01-01T00:00:00.000Z",
        },
    )
    insert("tasks", {"id": TASK, "externalId": "task-1", "accountId": ACC, "name": "Old", "tags": ["a", "b"]})
    insert("projects", {"id": PROJ, "accountId": ACC, "name": "Old"})
    insert(
        "npsResponses",
        {
            "id": NPS,
            "externalId": "nps-1",
            "userId": USR,
            "score": 1,
            "respondedAt": "2026-01-01T00:00:00.000Z",
        },
    )
    insert(
        "instances",
        {
            "id": INST,
            "externalId": "inst-1",
            "name": "Old",
            "customerId": ACC,
            "customObjectId": definition(sandbox),
        },
    )
    person = {"type": "user", "id": USR}
    insert(
        "messages",
        {
            "id": MSG,
            "externalId": "msg-1",
            "conversationId": CONV,
            "message": "Old",
            "from": person,
            "to": [person],
        },
    )
    insert("meetingParticipants", {"id": PART, "meetingId": MEET, "email": "old@example.com", "type": "attendee"})


def definition(sandbox: Sandbox) -> str:
    """Return the id of the custom object `featureRequest`."""
    return next(str(r["id"]) for r in sandbox.workspace.rows("customObjects") if r["name"] == "featureRequest")


def template(sandbox: Sandbox) -> str:
    return str(sandbox.workspace.rows("projectTemplates")[0]["id"])


@dataclass(frozen=True)
class Case:
    """One cell of the matrix.

    In `requests` and `after`, `<definition>` and `<template>` stand for ids of the sandbox. Messages are
    compared without messageId and timestamp. `after` is (resource, externalId or id, what the row holds).
    """

    object: str
    operation: str
    transport: Literal["rest", "analytics"]
    record: Row
    requests: list[Request]
    after: tuple[str, str, Row | None] | None
    outcome: str = "accepted"
    constants: Row = field(default_factory=dict)
    name: str = ""

    @property
    def title(self) -> str:
        return "-".join(filter(None, (self.object, self.operation, self.transport, self.name)))


def batch(**message: Any) -> Request:
    return ("POST", "/analytics/v1/batch", [message])


def rest(method: str, path: str, body: Any = None) -> Request:
    return (method, "/resources" + path, body)


TIME = "2026-03-04T05:06:07Z"
STORED_TIME = "2026-03-04T05:06:07.000Z"
"""The same as Vitally shows it."""


def filled(value: Any, sandbox: Sandbox) -> Any:
    """Return the placeholders replaced by ids of the sandbox; tuples become what the journal gives."""
    text = orjson.dumps(value).decode()
    found = orjson.loads(text.replace("<definition>", definition(sandbox)).replace("<template>", template(sandbox)))
    return [tuple(entry) for entry in found] if isinstance(value, list) else found


def check_after(case: Case, sandbox: Sandbox) -> None:
    """Assert that the workspace is as the case says."""
    if case.after is None:
        return
    resource, key, expected = case.after
    row = sandbox.workspace.find(resource, filled({"key": key}, sandbox)["key"])
    if expected is None:
        assert row is None
        return
    assert row is not None
    for name, value in expected.items():
        assert bool(row[name]) if value is True and name == "archivedAt" else row[name] == value, name


DEFINITIONS = (("GET", "/resources/customFields"), ("GET", "/resources/customObjects"))
"""What is read once per sync, to know the custom objects and the types of traits."""


def every_case(cases: Iterable[Case]) -> Callable[[Any], Any]:
    """Run a test with each case, in each region."""

    def decorate(test: Any) -> Any:
        regions = pytest.mark.parametrize("region", SETTINGS)
        return regions(pytest.mark.parametrize("case", cases, ids=lambda case: case.title)(test))

    return decorate


def check_case(case: Case, region: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Assert that the record of a case becomes exactly its requests, and leaves what the case says."""
    prepare(sandbox)
    sandbox.switches.create_status = 201 if region == "eu" else 200
    sandbox.switches.delete_status = 204 if region == "eu" else 200
    sandbox.switches.not_found_status = 200 if region == "us" else 404
    sandbox.switches.refusal_member = "message" if region == "custom" else "error"
    addresses = lead_to(sandbox.url, monkeypatch)
    needs_definitions = case.object.startswith("custom_object/")
    settings = destination_config(sandbox, data_center=SETTINGS[region], allow_deletes=True)
    if case.transport == "rest":
        del settings["analytics_token"]
    elif not needs_definitions:
        del settings["secret_token"]
    settings["mappings"] = [
        {"stream": "rows", "object": case.object, "operation": case.operation, "other_columns": "traits"}
    ]

    result = write(settings, [stream("rows")], [record("rows", filled(case.record, sandbox))])

    assert result.error is None
    assert result.counts("rows")[case.outcome] == 1, result.log
    sent = [_plain(request) for request in sandbox.journal if (request.method, request.path) not in DEFINITIONS]
    assert sent == filled(case.requests, sandbox)
    rest_host, analytics_host = HOSTS[region]
    expected = {f"https://{analytics_host if path.startswith('/analytics') else rest_host}" for _, path, _ in sent}
    assert set(addresses[len(sandbox.journal) - len(sent) :]) == expected
    check_after(case, sandbox)


def _plain(request: Any) -> tuple[str, str, Any]:
    body = request.body
    if isinstance(body, list):
        body = [{k: v for k, v in message.items() if k != "messageId"} for message in body]
        body = [m if m["type"] == "track" else {k: v for k, v in m.items() if k != "timestamp"} for m in body]
    return (request.method, request.path, body)
