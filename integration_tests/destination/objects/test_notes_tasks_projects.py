"""Notes, tasks and projects: what each operation sends, and what it leaves in Vitally."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.destination.cases import (
    ACC,
    NOTE,
    ORG,
    PROJ,
    STORED_TIME,
    TASK,
    TIME,
    Case,
    check_case,
    every_case,
    prepare,
    rest,
    template,
)
from integration_tests.destination.ways import Way, check_way, every_way
from integration_tests.harness import destination_config, record, stream, write
from integration_tests.sandbox import Sandbox

GET_ACC, GET_ORG = rest("GET", "/accounts/acct%2F1"), rest("GET", "/organizations/org-1")
PROJECT_BODY = {"templateId": "<template>", "accountId": ACC, "name": "New", "targetStartDate": "2026-03-04"}
CASES = [
    Case(
        "note", "create", "rest",
        {"externalId": "n2", "accountId": "acct/1", "note": "New", "noteDate": TIME, "tags": ["x"]},
        [
            GET_ACC,
            rest("GET", f"/accounts/{ACC}/notes"),
            rest("POST", "/notes", {"externalId": "n2", "accountId": ACC, "note": "New", "noteDate": TIME,
                                    "tags": ["x"]}),
        ],
        ("notes", "n2", {"accountId": ACC, "note": "New", "noteDate": STORED_TIME, "tags": ["x"]}),
    ),
    Case(
        "note", "upsert", "rest", {"externalId": "note-1", "accountId": "acct/1", "note": "New"},
        [
            GET_ACC,
            rest("GET", f"/accounts/{ACC}/notes"),
            rest("PUT", f"/notes/{NOTE}", {"note": "New", "tags": ["a", "b"]}),
        ],
        ("notes", "note-1", {"id": NOTE, "note": "New", "tags": ["a", "b"]}),
    ),
    Case(
        "note", "upsert", "rest",
        {"externalId": "n2", "organizationId": "org-1", "note": "New", "noteDate": TIME},
        [
            GET_ORG,
            rest("GET", f"/organizations/{ORG}/notes"),
            rest("POST", "/notes", {"externalId": "n2", "organizationId": ORG, "note": "New",
                                    "noteDate": TIME}),
        ],
        ("notes", "n2", {"organizationId": ORG, "note": "New"}), name="new",
    ),
    Case(
        "note", "update", "rest", {"id": NOTE, "subject": "New"},
        [
            rest("GET", f"/notes/{NOTE}"),
            rest("PUT", f"/notes/{NOTE}", {"subject": "New", "tags": ["a", "b"]}),
        ],
        ("notes", "note-1", {"subject": "New", "note": "Old", "tags": ["a", "b"]}),
    ),
    Case(
        "note", "delete", "rest", {"externalId": "note-1", "accountId": "acct/1"},
        [GET_ACC, rest("GET", f"/accounts/{ACC}/notes"), rest("DELETE", f"/notes/{NOTE}")],
        ("notes", "note-1", {"archivedAt": True}),
    ),
    Case(
        "task", "create", "rest", {"name": "New", "accountId": "acct/1", "dueDate": "2026-03-04T05:06:07Z"},
        [GET_ACC, rest("POST", "/tasks", {"name": "New", "accountId": ACC, "dueDate": "2026-03-04"})],
        None,
    ),
    Case(
        "task", "upsert", "rest",
        {"externalId": "task-1", "name": "New", "accountId": "acct/1", "tags": ["x"]},
        [
            GET_ACC,
            rest("POST", "/tasks", {"externalId": "task-1", "name": "New", "accountId": ACC, "tags": ["x"]}),
        ],
        ("tasks", "task-1", {"id": TASK, "name": "New", "tags": ["x"]}),
    ),
    Case(
        "task", "update", "rest", {"id": TASK, "completedAt": TIME},
        [
            rest("GET", f"/tasks/{TASK}"),
            rest("PUT", f"/tasks/{TASK}", {"completedAt": TIME, "tags": ["a", "b"]}),
        ],
        ("tasks", "task-1", {"completedAt": STORED_TIME, "tags": ["a", "b"]}),
    ),
    Case(
        "task", "delete", "rest", {"id": TASK}, [rest("DELETE", f"/tasks/{TASK}")],
        ("tasks", "task-1", {"archivedAt": True}),
    ),
    Case(
        "project", "create", "rest",
        {"templateId": "<template>", "accountId": "acct/1", "name": "New", "targetStartDate": "2026-03-04"},
        [GET_ACC, rest("POST", "/projects", PROJECT_BODY)], None,
    ),
    Case(
        "project", "update", "rest", {"id": PROJ, "name": "New"},
        [rest("PUT", f"/projects/{PROJ}", {"name": "New"})],
        ("projects", PROJ, {"name": "New"}),
    ),
    Case(
        "project", "delete", "rest", {"id": PROJ}, [rest("DELETE", f"/projects/{PROJ}")],
        ("projects", PROJ, {"archivedAt": True}),
    ),
]  # fmt: skip


@every_case(CASES)
def test_each_operation_sends_exactly_this(
    case: Case, region: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_case(case, region, sandbox, monkeypatch)


@every_way("note", "task", "project")
def test_every_field_and_key_arrives(way: Way, sandbox: Sandbox) -> None:
    check_way(way, sandbox)


@pytest.mark.parametrize("name", ["accountId", "customerId"])
def test_the_account_of_a_project_is_called_as_vitally_takes_it(sandbox: Sandbox, name: Any) -> None:
    prepare(sandbox)
    sandbox.switches.project_account = name
    settings = destination_config(sandbox, num_workers=1)
    settings["mappings"] = [{"stream": "rows", "object": "project", "operation": "create", "other_columns": "traits"}]
    project = {"templateId": template(sandbox), "accountId": "acct/1"}
    rows = [{**project, "name": f"New {n}"} for n in range(3)] + [{**project, "ownedByVitallyUserId": ACC}]

    result = write(settings, [stream("rows")], [record("rows", row) for row in rows])

    made = [row for row in sandbox.workspace.rows("projects") if row["name"].startswith("New")]
    assert [row["accountId"] for row in made] == [ACC] * 3
    assert "ownedByVitallyUserId: no such row" in result.log, "what is wrong under either name is said under the first"
    asked = [
        next(iter({"accountId", "customerId"} & set(sent.body))) for sent in sandbox.journal.matching(method="POST")
    ]
    other = {"accountId": "customerId", "customerId": "accountId"}[name]
    assert asked == [*([] if name == "accountId" else [other]), name, name, name, name, other]
