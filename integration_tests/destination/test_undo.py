"""What a sync has changed is undone by its journal: what is as the sync left it is set back, what is not stays."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from destination_vitally import destination
from destination_vitally.api.pages import pages
from destination_vitally.errors import ConfigError, ListError
from destination_vitally.undo import deleting
from destination_vitally.undo.looking import Looking
from integration_tests.destination import cases
from integration_tests.destination.cases import ACC, CONV, INST, MEET, NOTE, NPS, ORG, PROJ, TASK, USR, prepare
from integration_tests.destination.journals import Folder, Synced, said, undo, value
from integration_tests.harness import Json, QuickClock, Run, destination_config, run_process, stream, write
from integration_tests.sandbox import Row, Sandbox, Switches
from integration_tests.sandbox.data.inline import served
from integration_tests.sandbox.resources import RESOURCES

WHEN = "2026-01-01T00:00:00.000Z"


class Kind(NamedTuple):
    """An object: its rows' place in the sandbox, the row that is there, a field of it, and a row like it."""

    object: str
    resource: str
    id: str
    field: str
    row: Row
    is_archived: bool = False
    sent: tuple[str, ...] = ()

    def named(self, sandbox: Sandbox, text: str) -> None:
        """Let the row have a value."""
        sandbox.workspace.update(self.resource, self.id, {self.field: text})

    def shows(self, sandbox: Sandbox) -> Any:
        """Return the value that the row has."""
        return sandbox.workspace.get(self.resource, self.id)[self.field]


INSTANCES = "custom_object/featureRequest"
OF_ACCOUNT = {"accountId": ACC}
KINDS = {
    kind.object: kind
    for kind in (
        Kind("organization", "organizations", ORG, "name", {}),
        Kind("account", "accounts", ACC, "name", {}),
        Kind("user", "users", USR, "name", {"accountIds": [ACC]}),
        Kind("note", "notes", NOTE, "subject", {**OF_ACCOUNT, "note": "N", "noteDate": WHEN}, is_archived=True),
        Kind("task", "tasks", TASK, "name", OF_ACCOUNT, is_archived=True),
        Kind("project", "projects", PROJ, "name", OF_ACCOUNT, is_archived=True),
        Kind("nps_response", "npsResponses", NPS, "feedback", {"userId": USR, "score": 9, "respondedAt": WHEN}),
        Kind("conversation", "conversations", CONV, "subject", {}),
        Kind("meeting", "meetings", MEET, "title", {}, is_archived=True),
        Kind(INSTANCES, "instances", INST, "name", {"customerId": ACC}),
    )
}
each_kind = pytest.mark.parametrize("name", KINDS)
OLD, NEW, THEIRS = "Was there", "Was sent", "By hand"


class Scene:
    """A workspace with a row of each object, and the configuration and journals of one test."""

    def __init__(self, sandbox: Sandbox, folder: Path, **settings: Any) -> None:
        self.sandbox = sandbox
        self.workspace = sandbox.workspace
        self.folder = folder
        self.settings = destination_config(sandbox, num_workers=1, **settings)
        self.journals: list[Synced] = []
        prepare(sandbox)

    def sync(self, number: int = 1, **changes: Any) -> Synced:
        """Return the journal of one more sync."""
        self.journals.append(Synced(self.folder, self.settings, number, **changes))
        return self.journals[-1]

    def undo(self, *flags: str, clock: Any = None, **settings: Any) -> Run:
        """Undo all of them."""
        files = [file for journal in self.journals for file in journal.files]
        run = undo({**self.settings, **settings}, self.folder, files, *flags, clock=clock)
        assert run.error is None, (run.error, run.log)
        return run

    @property
    def writes(self) -> int:
        """How many requests have changed something."""
        return sum(request.method != "GET" for request in self.sandbox.journal)


@pytest.fixture
def scene(sandbox: Sandbox, tmp_path: Path) -> Scene:
    return Scene(sandbox, tmp_path, allow_deletes=True, max_deletes_percent=100)


# Rows that were there


@each_kind
@pytest.mark.parametrize("operation", ["update", "upsert"])
def test_a_value_is_set_back(scene: Scene, name: str, operation: str) -> None:
    """Given a value as a sync has left it, when that is undone, it is as before, and nothing is left to be undone."""
    kind = KINDS[name]
    kind.named(scene.sandbox, NEW)
    scene.sync().written(name, operation, [value(kind.field, OLD, NEW)], id=kind.id, existed=True)

    assert said(scene.undo("--dry-run")) == "Dry run, nothing was sent. Undo: 1 values would be set back."
    assert (scene.writes, kind.shows(scene.sandbox)) == (0, NEW)
    assert said(scene.undo()) == "Undo: 1 values set back."
    assert kind.shows(scene.sandbox) == OLD
    writes = scene.writes
    assert said(scene.undo()) == "Undo: 1 values are as before."
    assert scene.writes == writes == 1


@pytest.mark.parametrize(
    ("ago", "landed_at", "kind"),
    [
        (60, None, "2 cannot be undone yet, Vitally took it a moment ago: run this again in ten minutes"),
        (60, WHEN, "1 values are as before; 1 rows that were created are gone"),
        (700, None, "1 values are as before; 1 rows that were created are gone"),
    ],
)
def test_what_may_have_yet_to_be_applied_is_not_taken_for_undone(
    scene: Scene, ago: int, landed_at: str | None, kind: str
) -> None:
    """Given messages that Vitally took so many seconds ago, and rows that do not show them."""
    KINDS["account"].named(scene.sandbox, OLD)
    journal, clock = scene.sync(), QuickClock()
    taken_at = datetime.fromtimestamp(clock.now() - ago, timezone.utc).isoformat()
    for key, there in ((None, {"id": ACC, "existed": True}), ({"externalId": "new"}, {"existed": False})):
        sent = journal.intend("account", "upsert", [value("name", OLD, NEW)], key=key or {}, route="batch", **there)
        journal.outcome(sent, taken_at=taken_at, landed_at=landed_at)
    assert said(scene.undo(clock=clock)) == f"Undo: {kind}."
    assert scene.writes == 0


@pytest.mark.parametrize("was_there", [True, False])
def test_a_row_that_was_deleted_and_created_anew(scene: Scene, was_there: bool) -> None:
    """Given a row that a sync has deleted and then created anew, with another id."""
    new = scene.workspace.insert("accounts", {"externalId": "a", "name": NEW})["id"]
    journal, key = scene.sync(), {"externalId": "a"}
    gone = "00000000-0000-4000-8000-00000000dead"
    first: Json = {"existed": True} if was_there else {"existed": False, "effect": "created"}
    journal.written("account", "upsert", [value("name", None, OLD)], key=key, id=gone, **first)
    journal.written("account", "delete", key=key, id=gone, existed=True, row={"id": gone, "externalId": "a"})
    journal.written("account", "upsert", [value("name", OLD, NEW)], key=key, id=gone, existed=True, route="batch")
    run = scene.undo()
    is_there = new in {row["id"] for row in scene.workspace.rows("accounts")}
    assert is_there is was_there
    assert ("1 rows deleted" in said(run)) is not was_there
    assert ("it is no longer there" in run.log) is was_there


@each_kind
def test_what_was_changed_since_stays(scene: Scene, name: str) -> None:
    kind = KINDS[name]
    kind.named(scene.sandbox, THEIRS)
    scene.sync().written(name, "update", [value(kind.field, OLD, NEW)], id=kind.id, existed=True)

    run = scene.undo()

    assert f"{name} '{kind.id}': left alone, changed since: {kind.field}" in run.log
    assert (scene.writes, kind.shows(scene.sandbox)) == (0, THEIRS)


@pytest.mark.parametrize(("name", "key"), [("account", "acct/1"), ("organization", "org-1"), (INSTANCES, "inst-1")])
def test_a_row_is_found_by_its_key(scene: Scene, name: str, key: str) -> None:
    kind = KINDS[name]
    kind.named(scene.sandbox, NEW)
    journal = scene.sync()
    journal.written(name, "upsert", [value(kind.field, OLD, NEW)], key={"externalId": key}, route="batch", existed=True)
    journal.written(
        name, "upsert", [value("name", OLD, NEW)], key={"externalId": "nobody"}, route="batch", existed=True
    )

    run = scene.undo()

    assert kind.shows(scene.sandbox) == OLD
    assert f"{name} 'nobody': left alone, changed since (it is no longer there)" in run.log


def test_values_that_others_have_not_touched_are_set_back_beside_those_they_have(scene: Scene) -> None:
    """Given a row of which others have changed a value, when it is undone, all its other values are set back."""
    scene.workspace.update("accounts", ACC, {"name": NEW, "traits": {"plan": "mine", "x": 1, "kept": 1}})
    values = [value("name", OLD, NEW), value("traits.plan", "a", "b"), value("traits.x", None, 1)]
    scene.sync().written("account", "update", values, id=ACC, existed=True)

    run = scene.undo()

    row = scene.workspace.get("accounts", ACC)
    assert (row["name"], row["traits"]) == (OLD, {"plan": "mine", "kept": 1})
    assert "changed since: traits.plan" in run.log
    assert scene.writes == 1


def test_what_was_not_known_before_is_listed(scene: Scene) -> None:
    scene.workspace.update("accounts", ACC, {"name": NEW})
    scene.sync().written("account", "update", [value("name", None, NEW, known=False)], id=ACC, existed=True)
    assert "cannot be undone, not known what was there before: name" in scene.undo().log
    assert scene.workspace.get("accounts", ACC)["name"] == NEW


def test_an_exact_value_that_was_seen_counts_more_than_any_form_of_it(scene: Scene) -> None:
    """Given a value that was seen after it was sent, when somebody has spelled it otherwise, it stays."""
    scene.workspace.update("accounts", ACC, {"name": "was SENT"})
    intent = {"id": ACC, "existed": True}
    scene.sync().written("account", "update", [value("name", OLD, NEW)], seen={"name": NEW}, **intent)
    assert "changed since: name" in scene.undo().log
    scene.journals.clear()
    scene.sync(2).written("account", "update", [value("name", OLD, NEW)], **intent)
    assert said(scene.undo()) == "Undo: 1 values set back."


def test_tags_and_what_a_write_requires_stay(scene: Scene) -> None:
    scene.workspace.update("npsResponses", NPS, {"feedback": NEW})
    scene.workspace.update("notes", NOTE, {"subject": NEW})
    journal = scene.sync()
    journal.written("nps_response", "update", [value("feedback", None, NEW)], id=NPS, existed=True)
    journal.written("note", "update", [value("subject", None, NEW)], id=NOTE, existed=True)
    assert said(scene.undo()) == "Undo: 2 values set back."
    note, answer = scene.workspace.get("notes", NOTE), scene.workspace.get("npsResponses", NPS)
    assert (note["subject"], note["tags"]) == (None, ["a", "b"])
    assert (answer["feedback"], answer["score"], answer["userId"]) == (None, 1, USR)


def test_a_reference_is_set_back(scene: Scene) -> None:
    """Given an account that was moved to another organization by your id, when that is undone, it moves back."""
    other = scene.workspace.insert("organizations", {"externalId": "org-2", "name": "Two"})["id"]
    scene.workspace.update("accounts", ACC, {"organizationId": other})
    values = [value("organizationId", ORG, "org-2")]
    scene.sync().written("account", "update", values, id=ACC, existed=True)
    assert said(scene.undo()) == "Undo: 1 values set back."
    assert scene.workspace.get("accounts", ACC)["organizationId"] == ORG


def test_a_reference_to_what_is_gone_is_listed(scene: Scene) -> None:
    scene.workspace.update("accounts", ACC, {"organizationId": ORG})
    scene.sync().written("account", "update", [value("organizationId", "gone", ORG)], id=ACC, existed=True)
    words = "refused: organizationId (organizationId: Vitally has no organization with this id)"
    assert f"account '{ACC}': cannot be undone, {words}" in scene.undo().logs()


def test_what_is_refused_holds_nothing_else_back(scene: Scene) -> None:
    scene.workspace.update("tasks", TASK, {"name": NEW, "description": NEW})
    values = [value("name", None, NEW), value("description", "Old", NEW)]
    scene.sync().written("task", "update", values, id=TASK, existed=True)
    run = scene.undo()
    assert f"task '{TASK}': cannot be undone, refused: name (HTTP 400)" in run.log
    row = scene.workspace.get("tasks", TASK)
    assert (row["name"], row["description"]) == (NEW, "Old")


def test_what_rest_cannot_write_is_listed(scene: Scene) -> None:
    scene.workspace.update("notes", NOTE, {"externalId": NEW})
    scene.sync().written("note", "update", [value("externalId", OLD, NEW)], id=NOTE, existed=True)
    assert "Vitally does not let it be written: externalId (no request changes it)" in scene.undo().log


def test_a_value_that_is_not_as_it_was_afterwards_is_listed(scene: Scene) -> None:
    scene.sandbox.switches.decimals = 0
    scene.workspace.update("accounts", ACC, {"traits": {"plan": 2}})
    scene.sync().written("account", "update", [value("traits.plan", 1.5, 2)], id=ACC, existed=True)
    assert "the value of before was sent and Vitally shows another: traits.plan" in scene.undo().log


def test_an_id_that_leads_to_another_row_is_left_alone(scene: Scene) -> None:
    scene.workspace.merged["accounts", "old id"] = ACC
    scene.workspace.update("accounts", ACC, {"name": NEW})
    scene.sync().written("account", "update", [value("name", OLD, NEW)], id="old id", existed=True)
    assert "left alone, no longer the row that was written" in scene.undo().log
    assert scene.workspace.get("accounts", ACC)["name"] == NEW


# Rows that were created


def created(scene: Scene, name: str, **more: Any) -> tuple[Row, Json]:
    """Insert a row as if a sync had created it; return it, and what the journal says of it."""
    kind = KINDS[name]
    fields = {kind.field: NEW, **kind.row, **more}
    row = {**fields, "customObjectId": cases.definition(scene.sandbox)} if name == INSTANCES else fields
    key = {} if name == "project" else {"externalId": "new"}
    made = scene.workspace.insert(kind.resource, {**row, **key})
    links = [
        {"name": "accountIds", "id": one, "external_id": None, "was": False} for one in kind.row.get("accountIds", [])
    ]
    values = [value(field, None, sent) for field, sent in {**key, **fields}.items() if field != "accountIds"]
    intent = {"values": values, "links": links, "key": key, "id": made["id"], "existed": False}
    return made, intent


def is_alive(row: Row) -> bool:
    return not row.get("archivedAt")


def is_gone(scene: Scene, kind: Kind, own: str) -> bool:
    rows = {row["id"]: row for row in scene.workspace.rows(kind.resource)}
    return own not in rows or bool(rows[own].get("archivedAt"))


@each_kind
def test_a_row_that_was_created_is_deleted(scene: Scene, name: str) -> None:
    kind = KINDS[name]
    row, intent = created(scene, name)
    scene.sync().written(name, "create", **intent)

    assert said(scene.undo("--dry-run")) == "Dry run, nothing was sent. Undo: 1 rows would be deleted."
    assert not is_gone(scene, kind, row["id"])
    assert said(scene.undo()) == "Undo: 1 rows deleted."
    assert is_gone(scene, kind, row["id"])
    writes = scene.writes
    assert said(scene.undo()) == "Undo: 1 rows that were created are gone."
    assert scene.writes == writes == 1


@each_kind
def test_a_row_that_was_extended_since_is_kept(scene: Scene, name: str) -> None:
    kind = KINDS[name]
    row, intent = created(scene, name)
    scene.workspace.update(kind.resource, row["id"], {kind.field: THEIRS})
    scene.sync().written(name, "upsert", **intent)
    assert f"left alone, created by the sync and extended since ({kind.field})" in scene.undo().log
    assert scene.writes == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"allow_deletes": False}, "Allow deletes (allow_deletes) is off"),
        ({"max_deletes_percent": 49}, "1 of 2 rows would be deleted, more than Missing rows deleted at most"),
    ],
)
def test_no_row_is_deleted_without_a_word(scene: Scene, settings: Json, words: str) -> None:
    row, intent = created(scene, "account")
    scene.sync().written("account", "create", **intent)
    assert words in scene.undo(**settings).log
    assert scene.workspace.get("accounts", row["id"])
    assert said(scene.undo(max_deletes_percent=50)) == "Undo: 1 rows deleted."


@pytest.mark.parametrize(
    ("existed", "words"), [(None, "(nor whether it was there)"), (True, "changed since: externalId")]
)
def test_what_may_have_been_there_is_not_deleted(scene: Scene, existed: bool | None, words: str) -> None:
    row, intent = created(scene, "account")
    scene.workspace.update("accounts", row["id"], {"externalId": "else"})
    intent["values"] = [{**one, "known": bool(existed)} for one in intent["values"]]
    scene.sync().written("account", "upsert", **{**intent, "existed": existed})
    assert words in scene.undo().log
    assert scene.workspace.get("accounts", row["id"])


def test_vitallys_answer_says_whether_a_row_was_created(scene: Scene) -> None:
    row, intent = created(scene, "account")
    journal = scene.sync()
    journal.written("account", "upsert", **intent, effect="updated")
    scene.undo()
    assert scene.workspace.get("accounts", row["id"])
    scene.journals.clear()
    scene.sync(2).written("account", "upsert", **{**intent, "existed": None}, effect="created")
    assert said(scene.undo()) == "Undo: 1 rows deleted."


def test_a_row_that_was_there_before_it_was_looked_for_is_kept(scene: Scene) -> None:
    _, intent = created(scene, "account", createdAt="2026-01-01T00:00:00.000Z")
    intent["values"] = [one for one in intent["values"] if one["name"] != "createdAt"]
    scene.sync().written("account", "create", **intent, read_at="2026-01-01T00:00:01.000Z")
    assert "it was created before the sync looked for it" in scene.undo().log


BELOW = ["user", "note", "task", "project", INSTANCES]


@pytest.mark.parametrize(("name", "is_ours"), [*product(BELOW, [True, False]), ("nps_response", False)])
def test_rows_below_one_that_was_created(scene: Scene, name: str, is_ours: bool) -> None:
    """Given a row below a new account, when that is undone, both are deleted, or neither if somebody else made it."""
    account, intent = created(scene, "account")
    kind = KINDS[name]
    row = {**kind.row, kind.field: NEW}
    row |= {field: account["id"] for field in ("accountId", "customerId") if field in row}
    if name == INSTANCES:
        row["customObjectId"] = cases.definition(scene.sandbox)
    if name == "user":
        row["accountIds"] = [account["id"]]
    if name == "nps_response":  # it belongs to what its user belongs to, who is below it as well
        scene.workspace.update("users", USR, {"accountIds": [ACC, account["id"]]})
    made = scene.workspace.insert(kind.resource, row)
    journal = scene.sync()
    journal.written("account", "create", **intent)
    if is_ours:
        values = [
            value(field, None, sent) for field, sent in row.items() if field not in ("customObjectId", "accountIds")
        ]
        links = [{"name": "accountIds", "id": account["id"], "external_id": None, "was": False}] * (name == "user")
        journal.written(name, "create", values, links=links, id=made["id"], existed=False)

    dry, run = scene.undo("--dry-run"), scene.undo()

    if is_ours:
        assert said(dry).endswith("Undo: 2 rows would be deleted.")
        assert said(run) == "Undo: 2 rows deleted."
        assert is_gone(scene, KINDS["account"], account["id"])
    else:
        assert "extended since (there is a" in run.log
        assert scene.workspace.get("accounts", account["id"])


def test_a_list_below_a_row_that_is_not_read_keeps_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    row, intent = created(scene, "account")
    scene.sync().written("account", "create", **intent)

    def some_pages(rest: Any, path: str, **how: Any) -> Any:
        if row["id"] in path:
            raise ListError(path, "no")
        return pages(rest, path, **how)

    monkeypatch.setattr(deleting, "pages", some_pages)
    assert f"extended since (Vitally does not list /accounts/{row['id']}/users to its end: no)" in scene.undo().log
    assert scene.writes == 0


def test_a_row_that_is_still_there_is_listed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a delete that Vitally takes and does not make, when rows are undone, the row is listed."""
    _, intent = created(scene, "account")
    scene.sync().written("account", "create", **intent)
    monkeypatch.setattr(scene.workspace, "delete", lambda resource, identifier: None)
    run = scene.undo()
    assert "(it was deleted, and Vitally still shows it)" in run.log
    assert "rows deleted" not in said(run)


def test_answers_of_a_user_keep_it(scene: Scene) -> None:
    row, intent = created(scene, "user")
    scene.workspace.insert("npsResponses", {"userId": row["id"], "score": 3, "respondedAt": WHEN})
    scene.sync().written("user", "create", **intent)
    assert "there is a nps_response below it" in scene.undo().log
    assert scene.workspace.get("users", row["id"])


# Rows that were deleted


@each_kind
def test_a_row_that_was_deleted_can_be_created_anew(scene: Scene, name: str) -> None:
    kind = KINDS[name]
    before = scene.workspace.get(kind.resource, kind.id)
    row = served(scene.workspace, RESOURCES[kind.resource], before, detail=True)
    journal = scene.sync()
    journal.written(name, "update", [value(kind.field, "Old", NEW)], id=kind.id, existed=True)
    key = {"externalId": before.get("externalId") or ""}
    journal.written(name, "delete", id=kind.id, key=key, row={**row, kind.field: NEW})
    if kind.is_archived:
        scene.workspace.archive(kind.resource, kind.id)
    else:
        scene.workspace.delete(kind.resource, kind.id)

    ids = {row["id"] for row in scene.workspace.rows(kind.resource)}

    dry, run = scene.undo("--dry-run"), scene.undo()

    assert scene.writes == int(kind.is_archived)
    [message] = run.of_type("RECORD")
    assert message["record"]["data"][kind.field] == "Old"
    assert "deleted for good: a message that creates it anew is in the output" in run.log
    assert "Old" not in run.log
    if not kind.is_archived:
        assert dry.of_type("RECORD") == [message]
    if not kind.is_archived:  # an upsert leaves what is archived as it is
        streams = [stream(message["record"]["stream"])]
        again = write(scene.settings, streams, [{**message, "record": {**message["record"], "emitted_at": 1}}])
        assert again.error is None, again.log
        [found] = [row for row in scene.workspace.rows(kind.resource) if is_alive(row) and row["id"] not in ids]
        news = {
            "id",
            "createdAt",
            "updatedAt",
            kind.field,
            *(("accountIds", "userIds") if name == "conversation" else ()),
        }
        assert found[kind.field] == "Old"
        assert {n: v for n, v in found.items() if n not in news} == {n: v for n, v in before.items() if n not in news}


@pytest.mark.parametrize("name", ["note", "task", "project"])
def test_a_row_that_was_archived_is_brought_back(scene: Scene, name: str) -> None:
    scene.sandbox.switches = Switches(archived_upsert="comes back", unknown_fields_rejected=True)
    kind = KINDS[name]
    before = scene.workspace.get(kind.resource, kind.id)
    scene.sync().written(name, "delete", id=kind.id, row=before)
    scene.workspace.archive(kind.resource, kind.id)

    assert "would be brought back, if Vitally does that" in scene.undo("--dry-run").log
    assert said(scene.undo()) == "Undo: 1 rows brought back."
    stamps = {"updatedAt": ""}
    assert {**scene.workspace.get(kind.resource, kind.id), **stamps} == {**before, **stamps}
    assert said(scene.undo()) == "Undo: 1 rows that were deleted are there."


# Links


def link(account: str, was: bool | None, **more: Any) -> Json:
    return {"links": [{"name": "accountIds", "id": account, "external_id": None, "was": was}], "existed": True, **more}


def both(scene: Scene) -> str:
    other = scene.workspace.insert("accounts", {"externalId": "b", "name": "B"})["id"]
    scene.workspace.update("users", USR, {"accountIds": [ACC, other]})
    return str(other)


def test_a_link_is_taken_out(scene: Scene) -> None:
    other = both(scene)
    scene.sync().written("user", "upsert", id=USR, **link(other, was=False))

    assert said(scene.undo("--dry-run")).endswith("1 links would be taken out.")
    assert scene.writes == 0
    assert said(scene.undo(clock=QuickClock())) == "Undo: 1 links taken out."
    assert scene.workspace.get("users", USR)["accountIds"] == [ACC]
    assert said(scene.undo()) == "Undo: 1 links are as before."


@pytest.mark.parametrize(
    ("change", "settings", "words"),
    [
        ({"accountIds": [ACC]}, {}, "links are as before"),
        ({}, {"analytics_token": None}, "that needs the Analytics API key (analytics_token)"),
        ({"externalId": None}, {}, "the Analytics API needs the externalIds of both"),
        ({"account": {"externalId": None}}, {}, "the Analytics API needs the externalIds of both"),
    ],
)
def test_a_link_that_is_not_taken_out(scene: Scene, change: Json, settings: Json, words: str) -> None:
    other = both(scene)
    scene.workspace.update("users", USR, {name: one for name, one in change.items() if name != "account"})
    scene.workspace.update("accounts", other, change.get("account", {}))
    scene.sync().written("user", "upsert", id=USR, **link(other, was=False))
    assert words in scene.undo(**settings).log
    assert scene.writes == 0


def test_a_link_that_vitally_does_not_show_is_listed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    other = both(scene)
    scene.sync().written("user", "upsert", id=USR, **link(other, was=False))
    read = Looking.now

    def now(looking: Looking, row: Any) -> Any:
        return {name: value for name, value in (read(looking, row) or {}).items() if name != "accounts"}

    monkeypatch.setattr(Looking, "now", now)
    assert f"cannot be undone, Vitally does not show it: accountIds '{other}'" in scene.undo().log
    assert scene.writes == 0


def test_the_last_account_stays(scene: Scene) -> None:
    scene.sync().written("user", "upsert", id=USR, **link(ACC, was=False))
    assert "it is the last account" in scene.undo().log
    assert scene.workspace.get("users", USR)["accountIds"] == [ACC]


def test_of_two_links_one_stays(scene: Scene) -> None:
    other = both(scene)
    journal = scene.sync()
    for account in (ACC, other):
        journal.written("user", "upsert", id=USR, **link(account, was=False))
    run = scene.undo()
    assert "it is the last account" in run.log
    assert len(scene.workspace.get("users", USR)["accountIds"]) == 1


def test_what_was_taken_out_is_linked_again(scene: Scene) -> None:
    other = both(scene)
    scene.workspace.update("users", USR, {"accountIds": [ACC]})
    key = {"userId": "user-1", "accountId": "b"}
    scene.sync().written("membership", "delete", key=key, **link(other, was=True))
    assert said(scene.undo()) == "Undo: 1 links made again."
    assert scene.workspace.get("users", USR)["accountIds"] == [ACC, other]
    assert said(scene.undo()) == "Undo: 1 links are as before."


def test_a_user_who_was_moved_is_moved_back(scene: Scene) -> None:
    """Given a user who was put into one account and taken out of the only other, when that is undone, it moves back."""
    other = both(scene)
    scene.workspace.update("users", USR, {"accountIds": [other]})
    journal = scene.sync()
    journal.written("user", "upsert", id=USR, key={"externalId": "user-1"}, **link(other, was=False))
    key = {"userId": "user-1", "accountId": "acct/1"}
    journal.written("membership", "delete", key=key, **link(ACC, was=True))
    assert said(scene.undo("--dry-run")).endswith("1 links would be taken out; 1 links would be made again.")
    assert said(scene.undo()) == "Undo: 1 links taken out; 1 links made again."
    assert scene.workspace.get("users", USR)["accountIds"] == [ACC]


def test_a_link_that_never_goes_is_listed(scene: Scene) -> None:
    other = both(scene)
    scene.sandbox.switches.drops = lambda message: True
    scene.sync().written("user", "upsert", id=USR, **link(other, was=False))
    assert "it has not been taken out yet" in scene.undo().log


# What is never undone


@pytest.mark.parametrize(
    ("name", "operation", "values"),
    [
        ("event", "create", [value("event", None, "opened", known=False)]),
        ("custom_object_definition", "update", [value("label", "Old", "New")]),
        ("meeting_transcript", "upsert", [value("transcript", None, [])]),
        ("meeting_participant", "create", [value("type", None, "attendee")]),
        ("account", "upsert", [value("timestamp", None, WHEN), value("name", OLD, "Old")]),
    ],
)
def test_what_is_never_undone(scene: Scene, name: str, operation: str, values: list[Json]) -> None:
    existed = operation != "create"
    scene.sync().written(name, operation, values, id=ACC, existed=existed)
    run = scene.undo()
    assert f"{name} '{ACC}': cannot be undone (" in run.log
    assert said(run) == "Undo: 1 cannot be undone."
    assert scene.writes == 0


# Several syncs, and rows that were not sent


def test_of_several_syncs_the_first_before_and_the_last_sent_count(scene: Scene) -> None:
    scene.workspace.update("accounts", ACC, {"name": "third"})
    for number, (before, sent) in enumerate([("second", "third"), ("first", "second")]):
        scene.sync(2 - number).written("account", "update", [value("name", before, sent)], id=ACC, existed=True)
    scene.journals.append(scene.journals[0])
    assert said(scene.undo()) == "Undo: 1 values set back."
    assert scene.workspace.get("accounts", ACC)["name"] == "first"


@pytest.mark.parametrize("outcome", ["waiting", "unchanged", "skipped"])
def test_what_was_not_sent_is_not_undone(scene: Scene, outcome: str) -> None:
    scene.workspace.update("accounts", ACC, {"name": NEW})
    journal = scene.sync()
    journal.outcome(journal.intend("account", "update", [value("name", OLD, NEW)], id=ACC), outcome)
    assert said(scene.undo()) == "Undo: there is nothing to undo."


def test_an_intent_without_an_outcome_counts_as_sent(scene: Scene) -> None:
    scene.workspace.update("accounts", ACC, {"name": NEW})
    scene.sync().intend("account", "update", [value("name", OLD, NEW)], id=ACC, existed=True)
    assert said(scene.undo()) == "Undo: 1 values set back."


def test_a_file_that_is_refused_undoes_nothing(scene: Scene) -> None:
    scene.workspace.update("accounts", ACC, {"name": NEW})
    good, other = scene.sync(), scene.sync(2, dry_run=True)
    for journal in (good, other):
        journal.written("account", "update", [value("name", OLD, NEW)], id=ACC, existed=True)
    run = undo(scene.settings, scene.folder, [*good.files, *other.files])
    assert "is of a dry run, which sent nothing: leave it out." in str(run.error)
    assert len(scene.sandbox.journal) == 0


def test_a_configuration_that_is_a_dry_run_sends_nothing(scene: Scene) -> None:
    scene.workspace.update("accounts", ACC, {"name": NEW})
    scene.sync().written("account", "update", [value("name", OLD, NEW)], id=ACC, existed=True)
    assert "would be set back" in said(scene.undo(dry_run=True))
    assert scene.writes == 0


# Rows that are not what they were


def test_a_row_that_somebody_archived_stays_so(scene: Scene) -> None:
    scene.workspace.update("notes", NOTE, {"subject": NEW})
    scene.workspace.archive("notes", NOTE)
    scene.sync().written("note", "update", [value("subject", OLD, NEW)], id=NOTE, existed=True)
    assert "left alone, changed since (it is archived)" in scene.undo().log
    assert scene.writes == 0


def test_a_row_that_goes_while_it_is_undone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.workspace.update("accounts", ACC, {"name": NEW})
    scene.sync().written("account", "update", [value("name", OLD, NEW)], id=ACC, existed=True)
    read = Looking.now

    def now(looking: Looking, row: Any) -> Any:
        found = read(looking, row)
        scene.workspace.delete("accounts", ACC)
        return found

    monkeypatch.setattr(Looking, "now", now)
    assert "cannot be undone, refused: name (Vitally has no such row any more)" in scene.undo().log


def test_a_key_is_not_taken_for_an_id(scene: Scene) -> None:
    """Given a row whose externalId is the id of another one, when it is no longer there, the other one stays."""
    scene.workspace.update("accounts", ACC, {"name": NEW})
    by_key = {"key": {"externalId": ACC}, "route": "batch", "existed": True}
    scene.sync().written("account", "upsert", [value("name", OLD, NEW)], **by_key)
    assert "it is no longer there" in scene.undo().log
    assert scene.workspace.get("accounts", ACC)["name"] == NEW


def test_of_several_rows_of_a_key_none_is_undone(scene: Scene) -> None:
    for _ in range(2):
        scene.workspace.insert("users", {"email": "two@example.com", "name": NEW, "accountIds": [ACC]})
    by_key = {"key": {"email": "Two@example.com"}, "existed": True}
    scene.sync().written("user", "upsert", [value("name", OLD, NEW)], **by_key)
    assert "left alone, no longer the row that was written (several rows have its key)" in scene.undo().log
    assert scene.writes == 0


def test_a_row_that_nothing_leads_to_is_listed(scene: Scene) -> None:
    scene.sync().written("project", "update", [value("name", OLD, NEW)], existed=True)
    assert (
        "project: cannot be undone, refused (the journal has no id and no key by which it can be found)"
        in scene.undo().log
    )


def test_a_team_member_may_have_been_sent_by_email(scene: Scene) -> None:
    first, second = scene.workspace.rows("admins")[:2]
    scene.workspace.update("tasks", TASK, {"assignedToId": second["id"]})
    values = [value("assignedToId", first["id"], second["email"])]
    scene.sync().written("task", "update", values, id=TASK, existed=True)
    assert said(scene.undo()) == "Undo: 1 values set back."
    assert scene.workspace.get("tasks", TASK)["assignedToId"] == first["id"]


def test_what_a_row_does_not_show_is_listed(scene: Scene) -> None:
    scene.sync().written("account", "update", [value("avatar", None, NEW)], id=ACC, existed=True)
    assert "cannot be undone, Vitally does not show it: avatar" in scene.undo().log


def test_what_was_not_known_is_as_it_was_deleted(scene: Scene) -> None:
    """Given a row that was deleted, a value whose past is not known comes back as it was at the end."""
    before = scene.workspace.get("accounts", ACC)
    journal = scene.sync()
    journal.written("account", "update", [value("traits.plan", None, "b", known=False)], id=ACC, existed=True)
    journal.written("account", "delete", id=ACC, row={**before, "traits": {"plan": "b"}})
    scene.workspace.delete("accounts", ACC)
    [message] = scene.undo().of_type("RECORD")
    assert message["record"]["data"]["traits"] == {"plan": "b"}


def test_rows_that_are_in_no_list_are_not_deleted(scene: Scene) -> None:
    """Given a message that a sync has created, nobody knows which share of all it is: it stays."""
    scene.sync().written("message", "create", [], id=cases.MSG, key={"externalId": "msg-1"}, existed=False)
    assert "Vitally does not list such rows" in scene.undo().log
    assert scene.workspace.get("messages", cases.MSG)


def test_a_list_that_is_not_read_to_its_end_keeps_its_rows(scene: Scene) -> None:
    _, intent = created(scene, "account")
    scene.sync().written("account", "create", **intent)
    scene.sandbox.switches.repeat_cursor = scene.sandbox.switches.short_pages = True
    scene.workspace.bulk("accounts", 200, lambda n: {"externalId": f"bulk {n}"})
    assert "does not list /accounts to its end" in scene.undo().log
    assert scene.writes == 0


def test_a_created_row_that_is_known_by_its_key_is_counted(scene: Scene) -> None:
    _, intent = created(scene, "account")
    scene.sync().written("account", "upsert", **{**intent, "id": None})
    assert "1 of 2 rows would be deleted, more than" in scene.undo(max_deletes_percent=49).log
    assert said(scene.undo()) == "Undo: 1 rows deleted."


def test_a_row_that_is_in_two_lists_counts_once(scene: Scene) -> None:
    scene.workspace.update("users", USR, {"organizationIds": [ORG]})
    _, intent = created(scene, "nps_response")
    scene.sync().written("nps_response", "create", **intent)
    assert "1 of 2 rows would be deleted, more than" in scene.undo(max_deletes_percent=49).log


def test_links_to_what_is_gone_or_unknown_are_listed(scene: Scene) -> None:
    journal = scene.sync()
    journal.written("user", "upsert", id=USR, **link(ACC, was=None))
    key = {"userId": "user-1", "accountId": "gone"}
    gone = {"name": "accountIds", "id": None, "external_id": "gone", "was": True}
    journal.written("membership", "delete", key=key, links=[gone], existed=True)
    run = scene.undo()
    assert f"not known what was there before: accountIds '{ACC}'" in run.log
    assert "cannot be undone, refused: accountIds 'gone' (the account is no longer there)" in run.log


@pytest.mark.parametrize(("was", "there"), [(False, True), (True, False)])
def test_links_that_others_have_made_since_stay(scene: Scene, was: bool, there: bool) -> None:
    """Given a link whose state the journal says otherwise than it is now, and than it was, it stays."""
    other = both(scene)
    scene.workspace.update("users", USR, {"accountIds": [ACC, other] if there else [ACC]})
    operation = "delete" if there else "upsert"
    key = {"userId": "user-1", "accountId": "b"}
    scene.sync().written("membership", operation, key=key, **link(other, was=was))
    assert f"left alone, changed since: accountIds '{other}'" in scene.undo().log
    assert scene.writes == 0


def test_an_organization_is_not_taken_out(scene: Scene) -> None:
    scene.workspace.update("users", USR, {"organizationIds": [ORG]})
    links = [{"name": "organizationIds", "id": ORG, "external_id": "org-1", "was": False}]
    scene.sync().written("user", "upsert", id=USR, links=links, existed=True)
    assert "(nothing takes a row out of its organization)" in scene.undo().log


def test_a_message_that_is_refused_is_listed(scene: Scene) -> None:
    other = both(scene)
    scene.sandbox.switches.blocked_types = frozenset({"unlink"})
    scene.sync().written("user", "upsert", id=USR, **link(other, was=False))
    assert f"cannot be undone, refused: accountIds '{other}' (HTTP 400)" in scene.undo().log


def test_a_user_who_goes_while_it_is_waited_for_has_no_links(scene: Scene) -> None:
    other = both(scene)
    scene.sync().written("user", "upsert", id=USR, **link(other, was=False))

    def passes(seconds: float) -> None:
        scene.workspace.tables["users"].remove(USR)

    assert said(scene.undo(clock=QuickClock(passes=passes))) == "Undo: 1 links taken out."


def test_a_user_who_is_gone_has_no_links(scene: Scene) -> None:
    scene.sync().written("user", "upsert", id="gone", **link(ACC, was=False))
    assert "user 'gone': left alone, changed since (it is no longer there)" in scene.undo().log


# The command


def test_the_rest_key_is_needed(scene: Scene) -> None:
    scene.sync().written("account", "update", id=ACC)
    del scene.settings["secret_token"]
    run = undo(scene.settings, scene.folder, scene.journals[0].files)
    assert "To undo, the REST API key (secret_token) is needed" in str(run.error)


@pytest.mark.parametrize(
    "name", ["admins", "custom_object/*", "custom_object/nothing", "team member", "custom_field", ".."]
)
def test_an_object_that_vitally_does_not_have_is_refused(scene: Scene, name: str) -> None:
    scene.sync().written(name, "update", id=ACC)
    run = undo(scene.settings, scene.folder, scene.journals[0].files)
    assert "object" in str(run.error)
    assert scene.writes == 0


def test_an_id_is_never_a_way_to_elsewhere(scene: Scene) -> None:
    for number, own in enumerate(("..", "../users", f"{ACC}/users", "%2e%2e", "a?b#c")):
        scene.sync(number).written("account", "update", [value("name", OLD, "Old")], id=own, existed=True)
    scene.undo()
    assert {request.path.rsplit("/", 1)[0] for request in scene.sandbox.journal} == {"/resources/accounts"}
    assert scene.writes == 0


def test_no_more_than_a_thousand_rows_are_named(scene: Scene) -> None:
    journal = scene.sync()
    for number in range(1_003):
        journal.written("event", "create", id=str(number))
    run = scene.undo()
    assert "3 more are not named." in run.logs()
    assert said(run) == "Undo: 1003 cannot be undone."
    assert len(run.logs()) == 1_002


def test_stopped(scene: Scene) -> None:
    """Given a command that is to end, what is under way is finished, and nothing more is begun."""
    scene.workspace.update("accounts", ACC, {"name": NEW})
    scene.sync().written("account", "update", [value("name", OLD, NEW)], id=ACC, existed=True)
    files = scene.journals[0].files
    assert "Stopped after SIGTERM" in undo(scene.settings, scene.folder, files, is_stopped=True).log
    assert scene.writes == 0
    assert "Stopped" not in scene.undo().log


def test_as_a_process(scene: Scene) -> None:
    scene.workspace.update("accounts", ACC, {"name": NEW})
    scene.sync().written("account", "update", [value("name", OLD, NEW)], id=ACC, existed=True)
    for path, code in ((scene.journals[0].files[0], 0), ("nowhere", 1)):
        command = [sys.executable, "-m", "destination_vitally", "undo", path]
        run = run_process(command, "--dry-run", config=scene.settings)
        assert run.exit_code == code
    assert "The journal cannot be read: No such file or directory: nowhere" in run.errors


# An undo is a sync like any other


def recorded(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Let undos keep their journals in a folder."""
    storage = {"storage_type": "S3", "s3_bucket_name": "acme", "s3_bucket_region": "eu-central-1", "bucket_path": "p"}
    scene.settings |= {"journal": "changes", "object_storage_config": storage}
    kept = Folder(scene.folder / "of the undo")
    monkeypatch.setattr(destination, "open_bucket", lambda storage: kept)
    return kept


def test_an_undo_can_be_undone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given an undo that has set back, deleted, linked and taken out, when that is undone, all is as synced."""
    third = scene.workspace.insert("accounts", {"externalId": "c", "name": "C"})["id"]
    other = both(scene)
    scene.workspace.update("accounts", ACC, {"name": NEW, "traits": {"plan": None, "x": 1}})
    row, intent = created(scene, "note")
    journal = scene.sync()
    values = [value("name", OLD, NEW), value("traits.plan", "a", None), value("traits.x", None, 1)]
    journal.written("account", "update", values, id=ACC, key={"externalId": "acct/1"}, existed=True)
    journal.written("note", "create", **intent)
    taken_out = {"name": "accountIds", "id": third, "external_id": "c", "was": True}
    journal.written("user", "upsert", id=USR, key={"externalId": "user-1"}, **link(other, was=False))
    journal.written("membership", "delete", key={"userId": "user-1", "accountId": "c"}, links=[taken_out])
    synced = scene.workspace.get("accounts", ACC), {**scene.workspace.get("users", USR), "updatedAt": ""}
    kept = recorded(scene, monkeypatch)
    ids = scene.workspace.get("users", USR)["accountIds"]

    done = "Undo: 3 values set back; 1 rows deleted; 1 links taken out; 1 links made again."
    assert said(scene.undo("--dry-run")).startswith("Dry run")
    assert kept.files == []
    assert said(scene.undo()) == done
    assert scene.workspace.get("users", USR)["accountIds"] == [ACC, third]

    run = undo(scene.settings, scene.folder, [*kept.files])

    assert said(run).startswith("Undo: 3 values set back; 1 links taken out; 1 links made again; 1 links are as")
    account = scene.workspace.get("accounts", ACC)
    assert (account["name"], account["traits"]) == (synced[0]["name"], synced[0]["traits"])
    assert scene.workspace.get("users", USR)["accountIds"] == ids
    [message] = run.of_type("RECORD")
    assert message["record"]["data"]["note"] == row["note"]


def test_what_is_about_to_be_sent_is_stored_before_it_is(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.workspace.update("accounts", ACC, {"name": NEW})
    scene.sync().written("account", "update", [value("name", OLD, NEW)], id=ACC, existed=True)
    kept = recorded(scene, monkeypatch)

    def put(key: str, body: bytes) -> None:
        raise ConfigError("The bucket is full.")

    monkeypatch.setattr(kept, "put", put)
    run = undo(scene.settings, scene.folder, scene.journals[0].files)
    assert str(run.error) == "The bucket is full."
    assert scene.writes == 0
