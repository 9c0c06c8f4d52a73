"""Rows of one workspace in another that lacks something, or that was filled from it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from integration_tests.harness import Json, Run, destination_config, record, stream, write
from integration_tests.sandbox import Sandbox

THERE = "aaaaaaaa-0000-4000-8000-00000000000{}"
WHEN = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def account(sandbox: Sandbox) -> Json:
    return sandbox.workspace.insert("accounts", {"externalId": "acme", "name": "Acme"})


def native(name: str, *rows: Json, mappings: Any = (), sandbox: Sandbox, **more: list[Json]) -> Run:
    """Write rows of a workspace that shares no id with the sandbox; `more`, of other streams, come after them."""
    streams = {name: list(rows), **more}
    catalog = [stream(one) for one in streams]
    for one, configured in zip(streams, catalog, strict=True):
        configured["stream"]["json_schema"] = {"properties": {column: {} for row in streams[one] for column in row}}
    messages = [record(one, row) for one, found in streams.items() for row in found]
    return write(destination_config(sandbox, mappings=list(mappings)), catalog, messages)


def note(n: int, **more: Any) -> Json:
    of_acme = {"account": {"id": THERE.format(9), "externalId": "acme"}}
    return {"id": THERE.format(n), "externalId": f"n{n}", "note": "N", "noteDate": WHEN, **of_acme, **more}


def test_team_members_are_known_by_email_and_categories_by_name(sandbox: Sandbox, account: Json) -> None:
    """Given four columns of a note, none of which shows by itself that the row is Vitally's."""
    workspace = sandbox.workspace
    zoe = next(row for row in workspace.rows("admins") if row["email"] == "zoe@vendor.example")
    call = next(row for row in workspace.rows("noteCategories") if row["name"] == "Call")
    known = note(
        1,
        author={"id": THERE.format(5), "name": "Zoë", "email": "zoe@vendor.example"},
        category={"id": THERE.format(6), "name": "Call"},
    )
    assert native("notes", known, sandbox=sandbox).error is None
    row = workspace.find("notes", "n1") or {}
    assert (row["authorId"], row["categoryId"], row["accountId"]) == (zoe["id"], call["id"], account["id"])


def test_streams_that_say_what_is_called_how_are_waited_for(sandbox: Sandbox, account: Json) -> None:
    template = next(row for row in sandbox.workspace.rows("projectTemplates") if row["name"] == "Upsell template")
    zoe = next(row for row in sandbox.workspace.rows("admins") if row["email"] == "zoe@vendor.example")
    project = {
        "id": THERE.format(1),
        "name": "P",
        "accountId": THERE.format(9),
        "templateId": THERE.format(2),
        "ownedByVitallyUserId": THERE.format(3),
    }
    run = native(
        "projects",
        project,
        sandbox=sandbox,
        admins=[{"id": THERE.format(3), "email": "zoe@vendor.example"}],
        project_templates=[{"id": THERE.format(2), "name": "Upsell template"}, {"id": THERE.format(4), "name": "Rare"}],
        account_ids=[{"id": THERE.format(9), "externalId": "acme", "updatedAt": WHEN}],
    )
    assert run.error is None
    [row] = [row for row in sandbox.workspace.rows("projects") if row["name"] == "P"]
    assert (row["templateId"], row["ownedByVitallyUserId"], row["accountId"]) == (
        template["id"],
        zoe["id"],
        account["id"],
    )
    assert "until then it is left out: 1 rows of project_templates: Rare." in run.log
    assert run.counts("project_templates")["skipped"] == 2


def test_what_this_workspace_lacks_is_left_out_and_counted_unless_it_is_required(
    sandbox: Sandbox, account: Json
) -> None:
    lost = {"author": {"id": THERE.format(5), "email": "gone@vendor.example"}}
    run = native("notes", *(note(n, **lost) for n in (1, 2)), sandbox=sandbox)
    assert run.counts("notes")["accepted"] == 2
    assert "Stream notes: 2 rows are without authorId: the team member is not in this workspace." in run.log
    assert (sandbox.workspace.find("notes", "n1") or {})["authorId"] is None

    project = {"id": THERE.format(1), "name": "P", "account": note(1)["account"], "templateId": THERE.format(2)}
    rejected = native("projects", project, sandbox=sandbox, project_templates=[{"id": THERE.format(2), "name": "Rare"}])
    assert "templateId: the project template is not in this workspace" in rejected.log


def test_custom_fields_and_objects_that_are_lacking_are_reported_at_the_start(sandbox: Sandbox, account: Json) -> None:
    catalog = [stream("notes"), stream("custom_object_unknown"), stream("custom_object_other")]
    traits: Json = {"vitally.custom.sentiment": {}, "vitally.custom.mood": {}}
    catalog[0]["stream"]["json_schema"] = {"properties": {"id": {}, "externalId": {}, "note": {}, "noteDate": {},
        "account": {}, "traits": {"properties": traits}}}  # fmt: skip
    run = write(destination_config(sandbox), catalog, [])
    assert "until then it is left out: custom fields of note: vitally.custom.mood." in run.log
    assert "no custom object 'unknown'" in str(run.error)
    assert "no custom object 'other'" in str(run.error)


MINTED = {"stream": "notes", "object": "note", "external_id": "from_vitally_id"}


def test_rows_without_an_external_id_get_one_where_the_mapping_says_so(sandbox: Sandbox, account: Json) -> None:
    row = note(1, externalId=None)
    refused = native("notes", row, sandbox=sandbox)
    assert "(external_id) to from_vitally_id" in refused.log
    for subject in ("first", "second"):
        native("notes", {**row, "subject": subject}, sandbox=sandbox, mappings=[MINTED])
    [copied] = [one for one in sandbox.workspace.rows("notes") if one["externalId"] == f"vitally:{row['id']}"]
    assert copied["subject"] == "second"


def test_where_the_same_id_is_here_it_is_the_same_row(sandbox: Sandbox, account: Json) -> None:
    """Given a sandbox workspace that was filled from production, when rows are copied into it, then none is doubled."""
    here = sandbox.workspace.insert("notes", {"note": "N", "noteDate": WHEN, "accountId": account["id"]})
    run = native(
        "notes", {**note(1, externalId=None, subject="new"), "id": here["id"]}, sandbox=sandbox, mappings=[MINTED]
    )
    assert sandbox.workspace.get("notes", here["id"])["subject"] == "new"
    assert not sandbox.workspace.find("notes", f"vitally:{here['id']}")
    assert re.search(r"1 rows are without externalId: this workspace has a row of the same id", run.log)


def test_archived_rows_are_not_brought_back(sandbox: Sandbox, account: Json) -> None:
    run = native("notes", note(1, archivedAt=WHEN), sandbox=sandbox)
    assert run.counts("notes")["skipped"] == 1
    assert "1 rows are archived where they were read" in run.log
    assert not sandbox.workspace.find("notes", "n1")
