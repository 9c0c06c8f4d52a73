"""Streams that no list of Vitally is: ids for finding deleted rows, what stands inside rows, questions of surveys."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from integration_tests.harness import Json, Run, run_source, source_config
from integration_tests.sandbox import Fault, Sandbox, Switches
from integration_tests.source.reference import ID_FIELDS, LISTS, catalog, everything, get, one_pass
from unit_tests.pages import Page

IDS = [name for name in LISTS if name.endswith("_ids")]
SIZES = {"accounts": 230, "notes": 120, "users": 110, "npsResponses": 130}


def read(sandbox: Sandbox, streams: list[str], state: Any = None, **fields: Any) -> Run:
    config = source_config(sandbox.url, sandbox.rest_key, lookback_minutes=0, **fields)
    run = run_source("read", config, catalog(*streams), state)
    assert run.exit_code == 0, run.errors
    return run


def test_ids_are_those_of_every_row_whatever_the_start_date(make_sandbox: Any) -> None:
    """Also without one: test_streams.py."""
    sandbox = make_sandbox(seed=7, sizes=SIZES)
    run = read(sandbox, IDS, start_date="2999-01-01T00:00:00Z")
    assert len(IDS) == 9
    for name in IDS:
        assert {record["id"]: record for record in run.records(name)} == everything(sandbox, name)


def test_ids_of_instances_are_those_of_every_custom_object(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3, sizes={"instances": 90})
    records = read(sandbox, ["instance_ids"]).records("instance_ids")
    rows = {row["id"]: row["customObjectId"] for row in sandbox.workspace.rows("instances")}
    assert {record["id"]: record["customObjectId"] for record in records} == rows
    assert set().union(*records) == {*ID_FIELDS, "customObjectId"}


def test_ids_cost_a_request_per_hundred_rows_and_miss_none_that_is_edited_meanwhile(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3, sizes={"users": 450})
    oldest = [row["id"] for row in one_pass(sandbox, "users", {})][-40:]

    def edit(_: Any) -> None:
        sandbox.clock.advance(1)
        if oldest:
            sandbox.workspace.update("users", oldest.pop(), {"name": "edited"})

    sandbox.after_page = edit
    sandbox.journal.clear()
    records = read(sandbox, ["user_ids"]).records("user_ids")
    assert {record["id"] for record in records} == {row["id"] for row in sandbox.workspace.rows("users")}
    assert sandbox.journal.count(path_regex="/users$") == 5


def test_a_churned_account_is_no_deleted_one_whatever_status_is_read(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3)
    run = read(sandbox, ["accounts", "account_ids"], status="active")
    assert {record["id"] for record in run.records("account_ids")} == set(everything(sandbox, "accounts"))
    assert len(run.records("accounts")) < len(run.records("account_ids"))


def test_archived_rows_are_among_the_ids_as_configured(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3)
    records = read(sandbox, ["note_ids"], include_archived=False).records("note_ids")
    live = {row["id"] for row in one_pass(sandbox, "notes", {"archived": "false"})}
    assert {record["id"] for record in records} == live


def gone(sql: str, table: str, rows: list[Json], ids: list[Json]) -> set[str]:
    """Run a statement of the docs over tables as a destination makes them: name, rows as (id, when emitted)."""
    database = sqlite3.connect(":memory:")
    for name, content in ((table, rows), (f"{table[:-1]}_ids", ids)):
        database.execute(f"create table {name} (id text, _airbyte_extracted_at integer)")
        database.executemany(
            f"insert into {name} values (?, ?)",
            [(message["record"]["data"]["id"], message["record"]["emitted_at"]) for message in content],
        )
    return {row[0] for row in database.execute(sql)}


@pytest.mark.parametrize(("stream", "resource"), [("accounts", "accounts"), ("notes", "notes")])
def test_the_documented_statement_finds_what_was_deleted_and_nothing_else(
    make_sandbox: Any, stream: str, resource: str
) -> None:
    [sql] = [part.split("```")[0] for part in Page("source-vitally.md").section("Deleted rows").split("```sql\n")[1:]]
    sql = sql.replace("accounts", stream).replace("account_ids", f"{stream[:-1]}_ids")
    sandbox = make_sandbox(seed=3, sizes={"accounts": 130, "notes": 130})
    first = read(sandbox, [stream, f"{stream[:-1]}_ids"])

    def records(run: Run, name: str) -> list[Json]:
        return [message for message in run.of_type("RECORD") if message["record"]["stream"] == name]

    assert gone(sql, stream, records(first, stream), records(first, f"{stream[:-1]}_ids")) == set()
    deleted = {record["id"] for record in first.records(stream)[::30]}
    for identifier in deleted:
        sandbox.workspace.delete(resource, identifier)
    second = read(sandbox, [stream, f"{stream[:-1]}_ids"], first.last_states())
    table = [*records(first, stream), *records(second, stream)]
    ids = records(second, f"{stream[:-1]}_ids")
    assert gone(sql, stream, table, ids) == deleted
    late = {"record": {"data": {"id": "created-since"}, "emitted_at": ids[-1]["record"]["emitted_at"] + 1}}
    assert gone(sql, stream, [*table, late], ids) == deleted, "a row that came after the ids is not a deleted one"
    assert gone(sql, stream, table, []) == set(), "no ids at all are no proof"


def inside(sandbox: Sandbox, streams: list[str], *path: str) -> dict[str, Json]:
    found: list[Any] = [row for stream in streams for row in everything(sandbox, stream).values()]
    for position, name in enumerate(path):
        found = [part for row in found for part in (row.get(name, []) if position == 0 else [row[name]])]
    return {part["id"]: part for part in found}


def test_segments_and_key_roles_are_what_stands_inside_rows_each_once(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3, sizes={"accounts": 230})
    sandbox.workspace.update(
        "users", sandbox.workspace.rows("users")[0]["id"], {"segments": [{"id": "s", "name": "S"}]}
    )
    sandbox.journal.clear()
    run = read(sandbox, ["segments", "key_roles"])
    asked = [request.query.get("status") for request in sandbox.journal if request.path.endswith("/accounts")]
    assert set(asked) == {"activeOrChurned"}
    assert sandbox.journal.count(path_regex="/users$") == 2, "key roles are not looked for in users"
    expected = {
        "segments": inside(sandbox, ["accounts", "organizations", "users"], "segments"),
        "key_roles": inside(sandbox, ["accounts", "organizations"], "keyRoles", "keyRole"),
    }
    for stream, rows in expected.items():
        assert rows, stream
        assert sorted(run.records(stream), key=lambda row: row["id"]) == sorted(
            rows.values(), key=lambda row: row["id"]
        )
    assert len(expected["segments"]) == 2


def test_survey_questions_are_asked_for_once_each(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3, sizes={"surveyResponses": 150})
    surveys = [row["id"] for row in sandbox.workspace.rows("surveys")]
    sandbox.journal.clear()
    records = read(sandbox, ["survey_questions"], survey_ids=surveys).records("survey_questions")
    questions = sandbox.workspace.rows("surveyQuestions")
    expected = [
        {**get(sandbox, f"surveyQuestions/{row['id']}")["data"], "surveyId": row["surveyId"]} for row in questions
    ]
    as_sent = [{name: value for name, value in row.items() if value is not None} for row in expected]
    assert sorted(records, key=lambda row: row["id"]) == sorted(as_sent, key=lambda row: row["id"])
    assert sandbox.journal.count(path_regex="surveyQuestions") == 2 * len(questions)  # ours, and those of this test


def test_a_question_that_is_gone_costs_itself(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3)
    surveys = [row["id"] for row in sandbox.workspace.rows("surveys")]
    missing, *others = [row["id"] for row in sandbox.workspace.rows("surveyQuestions")]
    sandbox.faults.add(Fault(path=f"surveyQuestions/{missing}", times=None, status=404))
    records = read(sandbox, ["survey_questions"], survey_ids=surveys).records("survey_questions")
    assert {record["id"] for record in records} == set(others)


@pytest.mark.parametrize("shape", ["object", "array", "results", "data"])
def test_each_component_of_a_health_score_is_a_row(make_sandbox: Any, shape: Any) -> None:
    sandbox = make_sandbox(seed=3, switches=Switches(health_scores_shape=shape))
    run = read(sandbox, ["account_health_score_components"])
    expected = {}
    for identifier, account in everything(sandbox, "accounts").items():
        for position, (name, weight) in enumerate((("Product usage", 60), ("Sentiment", 40))):
            component = {"name": name, "score": account.get("healthScore"), "weight": weight}
            columns = {name: value for name, value in component.items() if value is not None}
            key = {"accountId": identifier, "position": position, "accountUpdatedAt": account["updatedAt"]}
            expected[identifier, position] = {**key, **columns, "component": component}
    records = run.records("account_health_score_components")
    assert {(record["accountId"], record["position"]): record for record in records} == expected
    assert len(records) == len(expected)


def test_what_is_no_object_among_components_or_segments_costs_only_itself_and_is_said_once(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3)
    account, other = (row["id"] for row in sandbox.workspace.newest("accounts", 2))
    component = {"name": "Usage", "score": 5}
    scores = {"components": [None, component, 7]}
    sandbox.faults.add(Fault(path=f"/accounts/{account}/healthScores$", times=None, status=200, body=scores))
    segment = {"id": "s", "name": "Large"}
    for key in (account, other):
        sandbox.workspace.update("accounts", key, {"segments": [None, segment, "a text"]})
    run = read(sandbox, ["account_health_score_components", "segments"])
    found = [row for row in run.records("account_health_score_components") if row["accountId"] == account]
    assert [(row["position"], row["component"]) for row in found] == [(0, component)]
    assert segment in run.records("segments")
    for what in (
        "Stream account_health_score_components: among the components",
        "Stream segments: among the 'segments'",
    ):
        assert len([line for line in run.logs("WARN") if what in line]) == 1
