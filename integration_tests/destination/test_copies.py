"""Rows of one workspace in another that lacks something, or that was filled from it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from integration_tests.comparison import comparable
from integration_tests.harness import (
    Json,
    Run,
    configured,
    destination_config,
    record,
    run_source,
    source_config,
    stream,
    write,
)
from integration_tests.round_trip import lines_of, read_workspace, write_workspace
from integration_tests.sandbox import Sandbox
from integration_tests.sandbox.testing.client import Client

THERE = "aaaaaaaa-0000-4000-8000-00000000000{}"
WHEN = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def account(sandbox: Sandbox) -> Json:
    return sandbox.workspace.insert("accounts", {"externalId": "acme", "name": "Acme"})


def native(name: str, *rows: Json, mappings: Any = (), sandbox: Sandbox, **more: list[Json]) -> Run:
    """Write rows of a workspace that shares no id with the sandbox; `more`, of other streams, come after them."""
    streams = {name: list(rows), **more}
    catalog = [stream(one) for one in streams]
    for one, wanted in zip(streams, catalog, strict=True):
        wanted["stream"]["json_schema"] = {"properties": {column: {} for row in streams[one] for column in row}}
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


MOODS: Json = {"traits": {"properties": {"vitally.custom.sentiment": {}, "vitally.custom.mood": {}}}}
LACKS = "The rows come from a workspace that has what this one lacks. "


@pytest.mark.parametrize("names", [[], ["note_categories", "project_templates"]])
def test_what_is_to_be_created_by_hand_is_one_report_before_anything_is_left_out(
    sandbox: Sandbox, account: Json, names: list[str]
) -> None:
    """As soon as all is known: before the first record, or with the end of the last stream of names."""
    catalog = [stream(name) for name in ("notes", *names)]
    catalog[0]["stream"]["json_schema"] = {"properties": {**{column: {} for column in note(1)}, **MOODS}}
    called = [{"id": THERE.format(2), "name": "Rare"}, {"id": THERE.format(3), "name": "Upsell template"}]
    messages = [record(name, row) for name in names for row in called]
    run = write(destination_config(sandbox), catalog, [record("notes", note(1)), *messages])
    [report] = [line for line in run.logs("WARN") if LACKS in line]
    lacking = ["custom fields of note: vitally.custom.mood"]
    if names:
        lacking += [
            "note_categories (for categoryId of note): Rare, Upsell template",
            "project_templates (for nothing): Rare",
        ]
    assert report.endswith(f"until then rows are written without it: {'; '.join(lacking)}.")


def test_custom_objects_that_are_lacking_end_the_sync_with_all_that_is_lacking(sandbox: Sandbox) -> None:
    catalog = [stream("notes"), stream("custom_object_unknown"), stream("custom_object_other")]
    catalog[0]["stream"]["json_schema"] = {"properties": {**{column: {} for column in note(1)}, **MOODS}}
    run = write(destination_config(sandbox), catalog, [])
    for text in ("no custom object 'unknown'", "no custom object 'other'", "The stream custom_objects creates", LACKS):
        assert text in str(run.error)


def test_custom_objects_are_created_by_their_stream_and_then_take_their_rows(make_sandbox: Any) -> None:
    """With their custom fields, by what a POST takes of these; those that are there keep theirs."""
    origin, target = make_sandbox(seed=1, empty=True), make_sandbox(seed=2, empty=True)
    size = {"label": "Size", "type": "number", "model": "CustomObject"}
    wish = {"name": "roadmapItem", "label": "Roadmap item", "writeMode": "writableByAll", "customFields": [size]}
    own = Client(origin).rest("POST", "customObjects", wish)
    for sandbox in (origin, target):
        sandbox.workspace.insert("accounts", {"externalId": "acme", "name": "Acme"})
    row = {"customObjectId": own.json()["id"], "externalId": "r1", "name": "R", "traits": {"vitally.custom.size": 7}}
    origin.workspace.insert("instances", {**row, "customerId": origin.workspace.rows("accounts")[0]["id"]})
    discovered = run_source("discover", source_config(origin.url, origin.rest_key)).catalog
    definitions, rows = (configured(discovered, [name]) for name in ("custom_objects", "custom_object_roadmap_item"))
    defined = lines_of(read_workspace(origin, definitions))
    for catalog, lines in (
        (definitions, defined),
        (definitions, defined),
        (rows, lines_of(read_workspace(origin, rows))),
    ):
        written = write_workspace(target, catalog, lines)
        assert written.error is None
        assert LACKS not in written.log
    assert not [request for request in target.journal if request.method == "PUT" and "customObjects" in request.path]
    assert comparable(target, "instances") == comparable(origin, "instances")


MINTED = {"stream": "notes", "object": "note", "external_id": "from_vitally_id"}


def test_rows_without_an_external_id_get_one_where_the_mapping_says_so(sandbox: Sandbox, account: Json) -> None:
    row = note(1, externalId=None)
    for name, one in (("notes", row), ("conversations", conversation(1))):
        refused = native(name, one, sandbox=sandbox)
        assert refused.counts(name)["rejected"] == 1
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


def conversation(n: int, **more: Any) -> Json:
    return {"id": f"aaaaaaaa-0000-4000-8000-0000000001{n:02}", "externalId": None, "subject": "S", **more}


CONVERSATIONS = {"stream": "conversations", "object": "conversation", "external_id": "from_vitally_id"}


def test_of_many_copies_that_are_there_those_that_changed_are_written(sandbox: Sandbox) -> None:
    """As many as make the destination read the list, of which it keeps what is compared."""
    rows = [conversation(n) for n in range(12)]
    for subjects in ("", "Edited"):
        rows[3]["subject"] = subjects or "S"
        sandbox.journal.clear()
        run = native("conversations", *rows, sandbox=sandbox, mappings=[CONVERSATIONS])
        assert run.error is None
    assert [row["subject"] for row in sandbox.workspace.rows("conversations")].count("Edited") == 1
    assert len([request for request in sandbox.journal if request.method == "PUT"]) == 1


def test_what_no_copy_can_have_is_skipped_with_what_belongs_to_it(sandbox: Sandbox) -> None:
    """Given nothing but such rows, as on a day when nothing else changed, then the sync is green and says it."""
    admin = sandbox.workspace.rows("admins")[0]["id"]
    message = {"id": THERE.format(2), "externalId": "m", "conversationId": conversation(1)["id"], "message": "Hi",
        "from": {"type": "admin", "id": admin}, "to": [{"type": "admin", "id": admin}]}  # fmt: skip
    score = {"id": THERE.format(4), "externalId": "r", "userId": THERE.format(5), "score": None, "respondedAt": None}
    rows = {"messages": [message], "nps_responses": [score]}
    run = native("conversations", conversation(1, subject=None), sandbox=sandbox, mappings=[CONVERSATIONS], **rows)
    assert run.error is None
    for text in (
        "Stream conversations: 1 rows have no subject, without which Vitally takes none.",
        "Stream messages: 1 rows belong to a conversation that is left out.",
        "Stream nps_responses: 1 rows have no score, without which Vitally takes none.",
    ):
        assert text in run.log
    lost = native("messages", {**message, "id": THERE.format(6), "externalId": "n"}, sandbox=sandbox)
    assert "conversationId: Vitally has no conversation with this id" in lost.log, "which is no reason to skip it"


FOUR = {"id": THERE.format(1), "note": "N", "noteDate": WHEN, "accountId": THERE.format(9)}
YOURS = {**FOUR, "externalId": "n17", "accountId": "acme", "archivedAt": WHEN}
COPY, NONE = f"vitally:{FOUR['id']}", None
IDS_ARE_YOURS = {"fields": [{"field": "externalId", "column": "id"}], "other_columns": "traits"}


@pytest.mark.parametrize(
    ("name", "row", "mapping", "written"),
    [
        pytest.param("notes", FOUR, {"external_id": "from_vitally_id"}, COPY, id="four columns"),
        pytest.param("crm", FOUR, {"external_id": "from_vitally_id"}, COPY, id="renamed"),
        pytest.param("crm", FOUR, {"rows_are": "vitally's"}, NONE, id="renamed and said to be Vitally's"),
        pytest.param("notes", YOURS, {"other_columns": "traits"}, NONE, id="yours taken for archived there"),
        pytest.param("notes", YOURS, {"rows_are": "yours", "other_columns": "traits"}, "n17", id="said to be yours"),
        pytest.param("notes", FOUR | {"accountId": "acme"}, IDS_ARE_YOURS, FOUR["id"], id="with ids of yours"),
    ],
)
def test_whose_rows_are_says_the_mapping_or_else_the_stream(
    sandbox: Sandbox, name: str, row: Json, mapping: Json, written: str | None
) -> None:
    """By the four columns of a note, none of which shows whose it is."""
    account = sandbox.workspace.insert("accounts", {"externalId": "acme", "name": "Acme"})
    before = len(sandbox.workspace.rows("notes"))
    ids = [{"id": THERE.format(9), "externalId": "acme", "updatedAt": WHEN}]
    run = native(name, row, sandbox=sandbox, mappings=[{"stream": name, "object": "note", **mapping}], account_ids=ids)
    new = sandbox.workspace.rows("notes")[before:]
    assert [(one["externalId"], one["accountId"]) for one in new] == ([(written, account["id"])] if written else [])
    assert run.counts(name)["accepted"] == len(new)


@pytest.mark.parametrize("is_shown", [True, False])
def test_project_statuses_are_known_by_name_where_projects_show_them(
    sandbox: Sandbox, account: Json, is_shown: bool
) -> None:
    """Vitally's pages describe a status and no place that shows it: without one there is no name to know it by."""
    sandbox.switches.project_status_inlined = is_shown
    for row in sandbox.workspace.rows("projects"):
        sandbox.workspace.delete("projects", row["id"])
    template = sandbox.workspace.rows("projectTemplates")[0]["id"]
    here = {row["name"]: row["id"] for row in sandbox.workspace.rows("projectStatuses")}
    sandbox.workspace.insert("projects", {"templateId": template, "accountId": account["id"], "name": "Old",
        "projectStatusId": here["Done"]})  # fmt: skip
    rows = [
        {"id": THERE.format(n), "name": name, "templateId": template, "account": note(1)["account"],
         "projectStatusId": THERE.format(n + 5),
         **({"projectStatus": {"id": THERE.format(n + 5), "name": name}} if is_shown else {})}
        for n, name in enumerate(["Done", "In progress"])
    ]  # fmt: skip
    run = native("projects", *rows, sandbox=sandbox)
    written = {row["name"]: row["projectStatusId"] for row in sandbox.workspace.rows("projects")}
    assert written == {"Old": here["Done"], "Done": here["Done"] if is_shown else None, "In progress": None}
    lost = "1 rows are" if is_shown else "2 rows are"
    why = "" if is_shown else "; the row does not say what it is called"
    assert f"{lost} without projectStatusId: the project status is not in this workspace{why}." in run.log


@pytest.mark.parametrize("count", [1, 12])
@pytest.mark.parametrize("existing", ["duplicate", "reject", "update", "tasks"])
def test_a_copy_that_somebody_archived_is_not_made_again(sandbox: Sandbox, existing: Any, count: int) -> None:
    """Given what Vitally may do about a POST of a note that is there, or tasks, of which it is known."""
    sandbox.workspace.insert("accounts", {"externalId": "acme", "name": "Acme"})
    table, name = ("tasks", "name") if existing == "tasks" else ("notes", "note")
    if table == "notes":
        sandbox.switches.note_post_existing = existing
    mapping = {"stream": table, "object": name if table == "notes" else "task", "external_id": "from_vitally_id"}
    rows = [{"id": f"aaaaaaaa-0000-4000-8000-0000000001{n:02}", name: "Old", "account": note(1)["account"],
        **({"noteDate": WHEN} if table == "notes" else {})} for n in range(count)]  # fmt: skip
    native(table, *rows, sandbox=sandbox, mappings=[mapping])
    for row in sandbox.workspace.rows(table)[-count:]:
        sandbox.workspace.archive(table, row["id"])
    before = sandbox.workspace.rows(table)
    run = native(table, *({**row, name: "Edited"} for row in rows), sandbox=sandbox, mappings=[mapping])
    assert sandbox.workspace.rows(table) == before
    assert f"{count} rows are archived in Vitally and were left so." in run.log
