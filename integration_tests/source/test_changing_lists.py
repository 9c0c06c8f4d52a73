"""Lists that change while they are read: at every page boundary, in both scan orders, by any server clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration_tests.harness import Run, run_source, source_config
from integration_tests.sandbox import Clock, Page, Sandbox, Switches
from integration_tests.source.reference import catalog, everything, merged

# (page of the sync, what happens there, to which row)
CHANGES = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from(["edit", "insert", "archive", "delete"]), st.integers(0, 10_000)),
    max_size=30,
)


OWN = {"id", "externalId", "createdAt", "updatedAt", "archivedAt"}


class Changes:
    """Applies a plan of changes between the pages of a sync, and remembers which rows were alive throughout."""

    def __init__(self, sandbox: Sandbox, resource: str, archivable: bool) -> None:
        self.sandbox, self.resource, self.archivable = sandbox, resource, archivable
        self.plan: list[tuple[int, str, int]] = []
        self.pages = 0
        sandbox.after_page = self.after_page

    def after_page(self, page: Page) -> None:
        if page.resource == self.resource:
            for at, what, index in self.plan:
                if at == self.pages:
                    self.apply(what, index)
            self.pages += 1

    def apply(self, what: str, index: int) -> None:
        workspace = self.sandbox.workspace
        alive = [row for row in workspace.rows(self.resource) if not row.get("archivedAt")]
        row = alive[index % len(alive)] if alive else None
        if what == "insert" or row is None:
            template = {key: value for key, value in (row or {}).items() if key not in OWN}
            workspace.insert(self.resource, {**template, "externalId": f"new {self.pages} {index}"})
        elif what == "edit":
            workspace.update(self.resource, row["id"], {"traits": {"edited": f"{self.pages} {index}"}})
        elif what == "archive" and self.archivable:
            workspace.archive(self.resource, row["id"])
        else:
            workspace.delete(self.resource, row["id"])

    def apply_all(self) -> None:
        for _, what, index in self.plan:
            self.apply(what, index)

    def during(self, plan: list[tuple[int, str, int]]) -> None:
        self.plan, self.pages = plan, 0


def read(sandbox: Sandbox, stream: str, state: Any = None, *, beside: tuple[str, ...] = (), **fields: Any) -> Run:
    config = source_config(sandbox.url, sandbox.rest_key, lookback_minutes=0, inlined_objects="full", **fields)
    run = run_source("read", config, catalog(stream, *beside), state)
    assert run.exit_code == 0, run.errors
    return run


@pytest.mark.parametrize(("stream", "archivable"), [("accounts", False), ("notes", True)])
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(skew=st.sampled_from([-1, 0, 1]).map(timedelta), syncs=st.lists(CHANGES, min_size=1, max_size=3))
def test_no_live_row_and_no_edit_is_missing(
    stream: str, archivable: bool, skew: timedelta, syncs: list[list[tuple[int, str, int]]]
) -> None:
    """Neither of the stream nor of that of the ids beside it, with which it shares the pages of a first sync."""
    ids = f"{stream[:-1]}_ids"
    with Sandbox(seed=1, sizes={stream: 210}, switches=Switches(short_pages=True), clock=Clock(offset=skew)) as sandbox:
        changes = Changes(sandbox, stream, archivable)
        alive = {row["id"] for row in everything(sandbox, stream).values() if not row.get("archivedAt")}
        copy: dict[str, Any] = {}
        state = None
        for number, plan in enumerate(syncs):
            changes.during([(0, "edit", index) for index in range(120)] if number else [])
            changes.apply_all()  # so that later syncs, too, take several pages
            changes.during(plan)
            before = everything(sandbox, stream)
            run = read(sandbox, stream, state, beside=(ids,))
            state = run.last_states()
            merged(copy, run.records(stream))
            now = everything(sandbox, stream)
            assert before.keys() & now.keys() <= {record["id"] for record in run.records(ids)}
            if number == 0:
                still_alive = {key for key in alive if key in now and not now[key].get("archivedAt")}
                assert still_alive <= copy.keys()
        changes.during([])
        merged(copy, read(sandbox, stream, state).records(stream))
        expected = everything(sandbox, stream)
        assert {key: copy.get(key) for key in expected} == expected


def test_a_full_refresh_equals_a_first_sync_and_its_incrementals(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=2, sizes={"tasks": 260})
    changes = Changes(sandbox, "tasks", archivable=True)
    changes.during([(page, what, page * 7) for page in range(4) for what in ("edit", "insert", "archive")])
    copy: dict[str, Any] = {}
    state = None
    for _ in range(3):
        run = read(sandbox, "tasks", state)
        state = run.last_states()
        merged(copy, run.records("tasks"))
        changes.during([(0, "edit", 3), (0, "insert", 5)])
    changes.during([])
    merged(copy, read(sandbox, "tasks", state).records("tasks"))
    assert copy == {record["id"]: record for record in read(sandbox, "tasks").records("tasks")}


def test_the_state_follows_the_servers_clock(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=2, sizes={"users": 30}, clock=Clock(offset=timedelta(days=400)))
    first = read(sandbox, "users")
    newest = max(row["updatedAt"] for row in everything(sandbox, "users").values())
    assert first.states("users")[-1]["stream"]["stream_state"] == {"updatedAt": newest}
    row = sandbox.workspace.update("users", sandbox.workspace.rows("users")[0]["id"], {"name": "new"})
    second = read(sandbox, "users", first.last_states())
    assert [record["name"] for record in second.records("users") if record["id"] == row["id"]] == ["new"]
    assert second.states("users")[-1]["stream"]["stream_state"] == {"updatedAt": row["updatedAt"]}


def test_a_message_of_a_conversation_edited_during_the_scan_arrives(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=5, sizes={"conversations": 120})
    changes = Changes(sandbox, "conversations", archivable=False)
    changes.during([(page, "edit", page * 31) for page in range(2)])
    first = read(sandbox, "messages")
    changes.during([])
    second = read(sandbox, "messages", first.last_states())
    copy = merged({}, [*first.records("messages"), *second.records("messages")], "conversationUpdatedAt")
    assert copy == everything(sandbox, "messages")
    assert sandbox.journal.count(path_regex="/conversations/") >= 120


def test_only_changed_conversations_are_asked_for_their_messages(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=5, sizes={"conversations": 80})
    first = read(sandbox, "messages")
    sandbox.clock.advance(3600)
    edited = [row["id"] for row in sandbox.workspace.rows("conversations")[:4]]
    for key in edited:
        sandbox.workspace.update("conversations", key, {"subject": "changed"})
    sandbox.journal.clear()
    second = read(sandbox, "messages", first.last_states())
    asked = [request.path.rsplit("/", 1)[1] for request in sandbox.journal if "/conversations/" in request.path]
    assert set(asked) >= set(edited)
    assert len(asked) <= len(edited) + 1
    assert {record["conversationId"] for record in second.records("messages")} <= set(asked)


def test_nps_responses_of_both_targets_come_once(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=5, sizes={"npsResponses": 90})
    records = read(sandbox, "nps_responses").records("nps_responses")
    assert len(records) == len({record["id"] for record in records}) == len(everything(sandbox, "nps_responses"))


def test_a_start_date_bounds_what_is_read(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=5, sizes={"users": 150})
    rows = everything(sandbox, "users")
    middle = sorted(row["updatedAt"] for row in rows.values())[75]
    records = read(sandbox, "users", start_date=middle).records("users")
    assert {record["id"] for record in records} == {key for key, row in rows.items() if row["updatedAt"] >= middle}


@pytest.mark.parametrize("include", [True, False])
def test_archived_rows_come_when_asked_for(make_sandbox: Any, include: bool) -> None:
    sandbox = make_sandbox(seed=5, sizes={"notes": 60})
    first = read(sandbox, "notes", include_archived=include)
    archived = {record["id"] for record in first.records("notes") if record.get("archivedAt")}
    assert bool(archived) is include
    live = next(row["id"] for row in sandbox.workspace.rows("notes") if not row.get("archivedAt"))
    sandbox.workspace.archive("notes", live)
    second = read(sandbox, "notes", first.last_states(), include_archived=include)
    again = {record["id"] for record in second.records("notes") if record.get("archivedAt")}
    assert (live in again) is include
    assert again <= {*archived, live}


# An order that is not kept


@pytest.mark.parametrize("switches", [Switches(), Switches(sort_ignored=True), Switches(undocumented_sort="refused")])
@pytest.mark.parametrize("stream", ["survey_responses", "task_categories", "meeting_transcripts", "users", "notes"])
def test_an_edit_deep_in_a_list_is_found_whatever_order_it_has(
    make_sandbox: Any, stream: str, switches: Switches
) -> None:
    sizes = {"surveyResponses": 250, "users": 250, "notes": 250, "meetings": 250}
    sandbox = make_sandbox(seed=2, sizes=sizes, switches=switches)
    surveys = [row["id"] for row in sandbox.workspace.rows("surveys")]
    resource = {"survey_responses": "surveyResponses", "task_categories": "taskCategories"}.get(stream, stream)
    resource = "meetingTranscripts" if stream == "meeting_transcripts" else resource
    first = read(sandbox, stream, survey_ids=surveys)
    sandbox.clock.advance(3600)
    oldest = min(sandbox.workspace.rows(resource), key=lambda row: str(row["createdAt"]))["id"]
    sandbox.workspace.update(resource, oldest, {})
    second = read(sandbox, stream, first.last_states(), survey_ids=surveys)
    assert oldest in {record["id"] for record in second.records(stream)}
    assert len(second.records(stream)) < len(first.records(stream)) or stream == "task_categories"


# Rows in two passes


@pytest.mark.parametrize(
    "switches",
    [Switches(), Switches(archived_true="only archived"), Switches(archived_ignored=True)],
    ids=["archived too", "only archived", "ignored"],
)
@pytest.mark.parametrize("stream", ["notes", "custom_object_deal_room"])
def test_a_row_comes_once_whichever_pass_has_it(make_sandbox: Any, stream: str, switches: Switches) -> None:
    sandbox = make_sandbox(sizes={"notes": 260, "instances": 120}, switches=switches)
    resource = "notes" if stream == "notes" else "instances"
    first = read(sandbox, stream)
    ids = [record["id"] for record in first.records(stream)]
    assert len(ids) == len(set(ids)) > 0
    states = first.states(stream)[-1]["stream"]["stream_state"]["states"]
    assert {part["partition"]["archived"] for part in states} == {"false", "true"}
    sandbox.clock.advance(3600)
    edited, archived = ids[3], ids[4]
    sandbox.workspace.update(resource, edited, {"name": "edited"})
    sandbox.workspace.archive(resource, archived)
    second = read(sandbox, stream, first.last_states())
    again = [record["id"] for record in second.records(stream)]
    assert sorted(set(again) & {edited, archived}) == sorted([edited, archived])
    assert len(again) == len(set(again)) <= 4
    third = read(sandbox, stream, second.last_states())
    assert len(third.records(stream)) <= 2


@pytest.mark.parametrize("stream", ["notes", "note_ids", "custom_object_deal_room", "instance_ids"])
@pytest.mark.parametrize("bumps", [True, False], ids=["a change", "no change"])
def test_a_row_that_is_archived_while_it_is_read_is_in_one_of_both_lists(
    make_sandbox: Any, stream: str, bumps: bool
) -> None:
    switches = Switches(archived_true="only archived", archive_bumps_updated_at=bumps)
    sandbox = make_sandbox(sizes={"notes": 350, "instances": 700}, switches=switches)
    resource = "notes" if "note" in stream else "instances"
    of_each: dict[str, list[str]] = {}

    def archive_what_comes_later(page: Page) -> None:
        if page.resource == resource and page.rows and page.number == 0 and page.query["archived"] == "false":
            live = [row for row in sandbox.workspace.rows(resource) if not row.get("archivedAt")]
            shown = {row["id"] for row in page.rows}
            last = min(row["createdAt"] for row in page.rows)
            for row in [row for row in live if row["id"] not in shown and row["createdAt"] < last][:3]:
                sandbox.workspace.archive(resource, row["id"])

    sandbox.after_page = archive_what_comes_later
    run = read(sandbox, stream)
    for request in sandbox.journal:
        if "archived" in request.query:
            of_each.setdefault(request.path, []).append(request.query["archived"])
    assert all(passes == sorted(passes) for passes in of_each.values()), "the archived list is read after the live one"
    read_now = {record["id"] for record in run.records(stream)}
    lists = {path.split("/")[3] for path in of_each if resource == "instances"}
    there = [row for row in sandbox.workspace.rows(resource) if not lists or row["customObjectId"] in lists]
    assert read_now == {row["id"] for row in there}
