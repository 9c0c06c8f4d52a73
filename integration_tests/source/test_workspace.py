"""What a workspace calls its own: custom objects and fields, surveys, health scores, and features it does not have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, FormatChecker

from integration_tests.harness import Json, Run, configured, run_source, source_config
from integration_tests.sandbox import Fault, Sandbox, Switches
from integration_tests.source.reference import everything, get, one_pass

OBJECTS = {
    "custom_object_deal_room",
    "custom_object_feature_request",
    "custom_object_feature_request_v2",
    "custom_object_legacy_asset",
}


def config_of(sandbox: Sandbox, **fields: Any) -> Json:
    return source_config(sandbox.url, sandbox.rest_key, lookback_minutes=0, **fields)


def discover(sandbox: Sandbox, **fields: Any) -> dict[str, Json]:
    run = run_source("discover", config_of(sandbox, **fields))
    assert run.exit_code == 0, run.errors
    return {stream["name"]: stream for stream in run.catalog["streams"]}


def read(sandbox: Sandbox, streams: list[Json], state: Any = None, **fields: Any) -> Run:
    return run_source("read", config_of(sandbox, **fields), configured({"streams": streams}), state)


@pytest.fixture(scope="module")
def workspace() -> Iterator[Sandbox]:
    """A workspace that is only read; `make_sandbox(seed=3)` makes one like it."""
    with Sandbox(seed=3) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def whole(workspace: Sandbox) -> dict[str, Json]:
    """All streams of it."""
    return discover(workspace)


@pytest.fixture(scope="module")
def expected(workspace: Sandbox, whole: dict[str, Json]) -> Run:
    """All it holds."""
    return read(workspace, list(whole.values()), survey_ids=surveys_of(workspace))


def surveys_of(sandbox: Sandbox) -> list[str]:
    return [row["id"] for row in sandbox.workspace.rows("surveys")]


def instances(sandbox: Sandbox, definition: str, **params: str) -> set[str]:
    path = f"customObjects/{definition}/instances"
    return {row["id"] for row in get(sandbox, path, limit=100, **params)["results"]}


def test_each_custom_object_is_a_typed_stream_with_its_own_state(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3, sizes={"instances": 90})
    found = {name: stream for name, stream in discover(sandbox).items() if name.startswith("custom_object_")}
    assert set(found) > OBJECTS
    assert len(found) == len(OBJECTS) + 1  # the two that collide once they are cleaned
    assert {name.rsplit("_", 1)[0] for name in set(found) - OBJECTS} == {"custom_object_deal_room"}
    traits = found["custom_object_deal_room"]["json_schema"]["properties"]["traits"]["properties"]
    assert traits["vitally.custom.dealValue"]["type"] == ["number", "null"]
    assert traits["vitally.custom.aura"]["type"] == ["string", "null"], "a field type that nobody knows"

    first = read(sandbox, list(found.values()))
    assert first.exit_code == 0, first.errors
    expected: dict[str, set[str]] = {}
    for row in get(sandbox, "customObjects", limit=100)["results"]:
        rows = instances(sandbox, row["id"], archived="false") | instances(sandbox, row["id"], archived="true")
        expected[row["id"]] = rows
    for name in found:
        [owner] = {
            part["partition"]["customObjectId"] for part in first.states(name)[-1]["stream"]["stream_state"]["states"]
        }
        assert {record["id"] for record in first.records(name)} == expected.pop(owner)
    assert first.records("custom_object_legacy_asset") == []

    sandbox.clock.advance(3600)
    edited = next(row for row in sandbox.workspace.rows("instances") if not row.get("archivedAt"))
    sandbox.workspace.update("instances", edited["id"], {"name": "renamed"})
    second = read(sandbox, list(found.values()), first.last_states())
    assert [
        m["record"]["data"]["id"] for m in second.of_type("RECORD") if m["record"]["data"]["name"] == "renamed"
    ] == [edited["id"]]
    assert len(second.of_type("RECORD")) <= 1 + 2 * len(found)


def test_a_definition_deleted_since_discover_is_a_warning_for_its_stream_only(
    workspace: Sandbox, whole: dict[str, Json]
) -> None:
    gone = {**whole["custom_object_deal_room"], "name": "custom_object_gone"}
    run = read(workspace, [gone, whole["users"]])
    assert run.exit_code == 0, run.errors
    assert run.statuses == {"custom_object_gone": "INCOMPLETE", "users": "COMPLETE"}
    assert "custom_object_gone is not read" in run.log


def test_custom_fields_of_every_model_and_custom_object_have_a_unique_key(workspace: Sandbox, expected: Run) -> None:
    records = expected.records("custom_fields")
    assert len({(row["model"], row["path"], row["customObjectId"]) for row in records}) == len(records)
    stored = workspace.workspace.rows("customFields")
    assert len(records) == len(stored)
    assert {row["model"] for row in records} == {row["model"] for row in stored}


@pytest.mark.parametrize("spelling", ["userID", "userId"])
def test_survey_responses_come_from_the_configured_surveys(
    make_sandbox: Any, whole: dict[str, Json], spelling: Any
) -> None:
    sandbox = make_sandbox(seed=3, sizes={"surveyResponses": 150}, switches=Switches(survey_user_id=spelling))
    surveys = surveys_of(sandbox)
    stream = whole["survey_responses"]
    assert read(sandbox, [stream]).records("survey_responses") == []
    first = read(sandbox, [stream], survey_ids=[*surveys, "no-such-survey"])
    assert first.exit_code == 0, first.errors
    rows = {row["id"]: row["userId"] for row in sandbox.workspace.rows("surveyResponses")}
    assert {record["id"]: record["userId"] for record in first.records("survey_responses")} == rows
    assert not any("userID" in record for record in first.records("survey_responses"))
    sandbox.clock.advance(3600)
    edited = sandbox.workspace.rows("surveyResponses")[0]["id"]
    sandbox.workspace.update("surveyResponses", edited, {"title": "again"})
    second = read(sandbox, [stream], first.last_states(), survey_ids=surveys)
    assert edited in {record["id"] for record in second.records("survey_responses")}
    assert len(second.records("survey_responses")) <= 1 + len(surveys)


@pytest.mark.parametrize("shape", ["object", "array", "results", "data"])
def test_health_scores_are_an_object_whatever_their_shape(
    make_sandbox: Any, whole: dict[str, Json], shape: Any
) -> None:
    sandbox = make_sandbox(seed=3, switches=Switches(health_scores_shape=shape))
    stream = whole["account_health_scores"]
    first = read(sandbox, [stream])
    assert first.exit_code == 0, first.errors
    records = first.records("account_health_scores")
    accounts = everything(sandbox, "accounts")
    assert {record["accountId"] for record in records} == set(accounts)
    for record in records[:3]:
        answer = get(sandbox, f"accounts/{record['accountId']}/healthScores")
        assert record["breakdown"] == ({"results": answer} if shape == "array" else answer)
    sandbox.clock.advance(3600)
    edited = next(iter(accounts))
    sandbox.workspace.update("accounts", edited, {"healthScore": 1})
    sandbox.journal.clear()
    second = read(sandbox, [stream], first.last_states())
    assert edited in {record["accountId"] for record in second.records("account_health_scores")}
    assert sandbox.journal.count(path_regex="healthScores") <= 2


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("stream", ["account_health_scores", "messages", "meeting_transcripts"])
def test_details_that_were_refused_are_read_once_they_can_be(
    make_sandbox: Any, whole: dict[str, Json], expected: Run, stream: str, status: int
) -> None:
    sandbox = make_sandbox(seed=3)
    found = whole[stream]
    path = {"messages": "/conversations/", "meeting_transcripts": "/meetingTranscripts/"}.get(stream, "/healthScores$")
    sandbox.faults.add(Fault(path=path, times=None, status=status))
    refused = read(sandbox, [found])
    assert refused.exit_code == 0, refused.errors
    assert refused.records(stream) == []
    sandbox.faults.clear()
    later = read(sandbox, [found], refused.last_states())
    assert len(later.records(stream)) == len(expected.records(stream)) > 0


OF_DISCOVER = [r"/customFields$", r"/customObjects$"]  # it asks for nothing else: see below
OPTIONAL = [*OF_DISCOVER, r"/instances$", r"/surveys/", r"/meetings$", r"/meetingTranscripts"]


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("status", [403, 404, 500])
@pytest.mark.parametrize("path", [*OPTIONAL, r"/healthScores$", r"/surveyQuestions/"])
def test_a_failing_optional_call_costs_only_what_it_fed(
    make_sandbox: Any, whole: dict[str, Json], expected: Run, path: str, status: int
) -> None:
    sandbox = make_sandbox(seed=3)
    sandbox.faults.add(Fault(path=path, times=None, status=status, body={"error": "Not for you."}))
    of_custom_objects = {name for name in whole if name.startswith("custom_object_")}
    if path in OF_DISCOVER:
        assert set(whole) - set(discover(sandbox)) <= of_custom_objects
    fed = {
        r"/customFields$": {"custom_fields"},
        r"/customObjects$": {"custom_objects", "custom_fields", "instance_ids"} | of_custom_objects,
        r"/instances$": {"instance_ids"} | of_custom_objects,
        r"/surveys/": {"survey_responses", "survey_questions"},
        r"/meetings$": {"meetings", "meeting_ids"},
        r"/meetingTranscripts": {"meeting_transcripts"},
        r"/healthScores$": {"account_health_scores", "account_health_score_components"},
        r"/surveyQuestions/": {"survey_questions"},
    }
    names = {"users", "messages", "segments"} | fed[path]
    run = read(sandbox, [whole[name] for name in names], survey_ids=surveys_of(sandbox))
    for name in names - fed[path]:
        assert len(run.records(name)) == len(expected.records(name)), name
        assert run.statuses[name] == "COMPLETE"
    problems = [message for message in [*run.logs(), *run.errors] if "Not for you." in message or "5xx" in message]
    assert problems


def test_discover_and_check_take_a_bounded_number_of_requests(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3, empty=True)
    workspace = sandbox.workspace
    for number in range(50 - len(workspace.rows("customObjects"))):
        workspace.insert("customObjects", {"name": f"object{number}", "label": "x", "writeMode": "writable"})
    for number in range(331 - len([f for f in workspace.rows("customFields") if f["model"] == "accounts"])):
        field = {"model": "accounts", "label": f"Field {number}", "path": f"vitally.custom.f{number}", "type": "string"}
        workspace.insert("customFields", field)
    sandbox.journal.clear()
    found = discover(sandbox)
    assert sum(name.startswith("custom_object_") for name in found) == 50
    assert len(found["accounts"]["json_schema"]["properties"]["traits"]["properties"]) == 331
    assert len(sandbox.journal) == 1 + 8 + 50
    assert {re.sub(r".*/", "", request.path) for request in sandbox.journal} == {"customObjects", "customFields"}
    sandbox.journal.clear()
    run_source("check", config_of(sandbox))
    assert [request.path for request in sandbox.journal] == ["/resources/accounts"]


VALUES = (
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4) | st.lists(st.text(max_size=3), max_size=2)
)
PATHS = st.text(min_size=1, max_size=9).filter(lambda text: json.dumps(text) and text.isprintable())


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(
    fields=st.dictionaries(
        PATHS, st.sampled_from(["string", "number", "datetime", "boolean", "aura", "ÄÖ.x"]), max_size=6
    ),
    traits=st.lists(st.dictionaries(PATHS, VALUES, max_size=5), max_size=4),
    full=st.booleans(),
    flat=st.booleans(),
)
def test_every_record_of_a_random_workspace_fulfils_its_schema_but_for_traits_of_another_type(
    fields: dict[str, str], traits: list[dict[str, Any]], full: bool, flat: bool
) -> None:
    with Sandbox(seed=9, empty=True) as sandbox:
        workspace = sandbox.workspace
        for path, kind in fields.items():
            workspace.insert("customFields", {"model": "accounts", "label": path, "path": path, "type": kind})
        for number, values in enumerate(traits):
            mistyped = dict.fromkeys(fields, number)
            row = {"externalId": f"a{number}", "name": None, "traits": {**mistyped, **values}}
            account = workspace.insert("accounts", row)
            workspace.insert("notes", {"accountId": account["id"], "note": "x", "traits": values})
        options = {"inlined_objects": "full" if full else "reference", "flatten_traits": flat}
        discovered = discover(sandbox, **options)
        found = {name: discovered[name] for name in ("accounts", "notes", "segments", "custom_fields", "note_ids")}
        run = read(sandbox, list(found.values()), **options)
        assert run.exit_code == 0, run.errors
        for name, stream in found.items():
            validator = Draft7Validator(stream["json_schema"], format_checker=FormatChecker())
            for record in run.records(name):
                assert [error.message for error in validator.iter_errors(record) if "traits" not in error.path] == []
        as_sent = {row["id"]: row["traits"] for row in one_pass(sandbox, "accounts", {})}
        assert {record["id"]: record["traits"] for record in run.records("accounts")} == as_sent


def test_custom_fields_become_columns_where_that_is_configured(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3)
    found = discover(sandbox, flatten_traits=True)
    names = ("accounts", "custom_object_deal_room", "admins")
    run = read(sandbox, [found[name] for name in names], flatten_traits=True)
    assert run.exit_code == 0, run.errors
    fields = {
        "trait_tier": "vitally.custom.tier",
        "trait_renewal_risk": "vitally.custom.renewalRisk",
        "trait_is_reference": "vitally.custom.isReference",
    }
    columns = found["accounts"]["json_schema"]["properties"]
    assert set(fields) < set(columns)
    for described in (columns["trait_renewal_risk"], columns["traits"]["properties"]["vitally.custom.renewalRisk"]):
        assert described["description"].startswith("Renewal risk."), "its label in Vitally"
    for record in run.records("accounts"):
        columns = {name: value for name, value in record.items() if name.startswith("trait_")}
        expected = {name: record["traits"].get(path) for name, path in fields.items()}
        assert columns == {name: value for name, value in expected.items() if value is not None}
    assert any("trait_tier" in record for record in run.records("accounts"))
    deal = next(record for record in run.records("custom_object_deal_room") if record["traits"])
    assert deal["trait_deal_value"] == deal["traits"]["vitally.custom.dealValue"]
    assert deal["trait_labels"] == deal["traits"]["vitally.custom.labels"]
    off = read(sandbox, [found["accounts"]])
    assert not any(name.startswith("trait_") for record in off.records("accounts") for name in record)


@pytest.mark.parametrize("status", [403, 404])
def test_columns_that_cannot_be_made_are_said_once(make_sandbox: Any, whole: dict[str, Json], status: int) -> None:
    sandbox = make_sandbox(seed=3)
    stream = whole["accounts"]
    for custom_object in sandbox.workspace.rows("customObjects"):
        sandbox.workspace.delete("customObjects", custom_object["id"])
    sandbox.faults.add(Fault(path="/customFields$", times=None, status=status, body={"error": "Not for this key."}))
    run = read(sandbox, [stream], flatten_traits=True)
    assert (run.exit_code, run.statuses) == (0, {"accounts": "COMPLETE"})
    [said] = [line for line in run.logs("WARN") if "makes none of custom fields" in line]
    assert f"HTTP {status}" in said
    assert "or switch the setting off" in said


def test_columns_of_custom_fields_are_not_emptied_when_the_fields_cannot_be_read(
    make_sandbox: Any, whole: dict[str, Json], waits: list[float]
) -> None:
    sandbox = make_sandbox(seed=3)
    stream = whole["accounts"]
    sandbox.faults.add(Fault(path="/customFields$", times=None, status=500))
    run = read(sandbox, [stream], flatten_traits=True)
    assert (run.exit_code, run.records("accounts")) == (1, [])
    assert run.failure_types == {"transient_error"}
    sandbox.journal.clear()
    assert read(sandbox, [stream]).exit_code == 0
    assert sandbox.journal.count(path_regex="customFields") == 0, "only what is switched on is asked for"
