"""Answers that are not as one would have them: JSON of a lenient server, pages of firewalls, features switched off."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from integration_tests.harness import Json, Run, run_source, source_config
from integration_tests.sandbox import CUT_EMOJI, LONG_INTEGER, NOT_A_NUMBER, TOO_LARGE, Fault, Sandbox, Switches
from integration_tests.source.reference import catalog, discovered, everything

PAGE_OF_A_FIREWALL: dict[str, Any] = {"kind": "html", "status": 403, "body": "<html>Blocked by policy.</html>"}


def config_of(sandbox: Sandbox, **fields: Any) -> Json:
    return source_config(sandbox.url, sandbox.rest_key, **{"lookback_minutes": 0, "inlined_objects": "full", **fields})


def read(sandbox: Sandbox, streams: list[str], state: Any = None, **fields: Any) -> Run:
    return run_source("read", config_of(sandbox, **fields), catalog(*streams, seed=3), state)


# JSON that strict parsers refuse


def test_what_the_standard_parser_reads_is_read(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3, sizes={"notes": 120}, switches=Switches(byte_order_mark=True))
    odd = {f"cut {CUT_EMOJI}": f"a {CUT_EMOJI}", "none": NOT_A_NUMBER, "huge": TOO_LARGE, "long": LONG_INTEGER}
    note = sandbox.workspace.update("notes", sandbox.workspace.rows("notes")[60]["id"], {"traits": odd})
    run = read(sandbox, ["notes"])
    assert run.exit_code == 0, run.errors
    assert {record["id"]: record for record in run.records("notes")} == everything(sandbox, "notes")
    [found] = [record["traits"] for record in run.records("notes") if record["id"] == note["id"]]
    assert found["cut \ufffd"] == "a \ufffd"
    assert found["long"] == 12345678901234567890123
    assert found["none"] is None
    assert found["huge"] is None
    for line in run.lines:
        line.encode()  # no half of an emoji is printed
        json.loads(line, parse_constant=pytest.fail)


def test_an_odd_label_of_a_custom_object_costs_no_stream(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3)
    whole = {stream["name"] for stream in run_source("discover", config_of(sandbox)).catalog["streams"]}
    definition = sandbox.workspace.rows("customObjects")[0]["id"]
    sandbox.workspace.update("customObjects", definition, {"label": f"Deal {CUT_EMOJI}"})
    assert {stream["name"] for stream in run_source("discover", config_of(sandbox)).catalog["streams"]} == whole


@pytest.mark.parametrize("inlined", ["full", "reference"])
def test_a_row_that_is_no_object_costs_only_itself_and_is_said_once(make_sandbox: Any, inlined: str) -> None:
    sandbox = make_sandbox(seed=3, sizes={"users": 120, "notes": 30}, switches=Switches(odd_rows=True))
    streams = ["users", "notes", "meetings", "messages", "meeting_transcripts", "admins"]
    run = read(sandbox, streams, inlined_objects=inlined)
    assert run.exit_code == 0, run.errors
    for stream in streams:
        assert {record["id"]: record for record in run.records(stream)} == everything(sandbox, stream, inlined), stream
        said = [line for line in run.logs("WARN") if f"Stream {stream}: among the rows" in line]
        assert len(said) == 1, said
        assert "a null where an object should be" in said[0]
        assert "Report it" in said[0]
    for stream, rows in (("messages", "the messages of"), ("users", "the 'accounts' of")):
        assert len([line for line in run.logs("WARN") if f"Stream {stream}: among {rows}" in line]) == 1


def test_streams_made_of_what_stands_inside_rows_do_without_what_is_no_object(make_sandbox: Any) -> None:
    streams = ["segments", "key_roles", "custom_fields", "user_ids", "custom_object_deal_room"]
    sandbox = make_sandbox(seed=3)
    clean = read(sandbox, streams)
    sandbox.switches.odd_rows = True
    odd = read(sandbox, streams)
    assert odd.statuses == clean.statuses == dict.fromkeys(streams, "COMPLETE")
    for stream in streams:
        assert sorted(map(str, odd.records(stream))) == sorted(map(str, clean.records(stream))), stream


def test_a_list_of_nothing_but_what_is_no_object_does_not_pass_for_empty(make_sandbox: Any, waits: list[float]) -> None:
    sandbox = make_sandbox(seed=3)
    sandbox.faults.add(Fault(path="/users$", times=None, status=200, body={"results": ["a", None], "next": None}))
    run = read(sandbox, ["users"])
    assert run.statuses == {"users": "INCOMPLETE"}
    assert any("not a page of rows" in error for error in run.errors), run.errors


# Absent, forbidden, blocked


@pytest.mark.parametrize("fault", [{"status": 404}, {"status": 403}, PAGE_OF_A_FIREWALL], ids=["404", "403", "html"])
@pytest.mark.parametrize("stream", ["meetings", "meeting_transcripts", "custom_object_deal_room"])
def test_a_list_that_was_read_before_is_incomplete_when_it_is_refused(
    make_sandbox: Any, waits: list[float], stream: str, fault: dict[str, Any]
) -> None:
    sandbox = make_sandbox(seed=3)
    first = read(sandbox, [stream, "users"])
    path = "/instances$" if stream.startswith("custom") else "/meeting"
    sandbox.faults.add(Fault(path=path, times=None, **fault))
    second = read(sandbox, [stream, "users"], first.last_states())
    assert second.exit_code == 1
    assert second.statuses == {stream: "INCOMPLETE", "users": "COMPLETE"}
    assert [state["stream"] for state in second.states(stream)] == [first.states(stream)[-1]["stream"]]
    sandbox.faults.clear()
    assert read(sandbox, [stream], second.last_states()).statuses == {stream: "COMPLETE"}


@pytest.mark.parametrize("stream", ["meetings", "users"])
def test_the_page_of_a_firewall_is_no_empty_list(make_sandbox: Any, stream: str) -> None:
    sandbox = make_sandbox(seed=3)
    sandbox.faults.add(Fault(path=f"/{stream}$", times=None, **PAGE_OF_A_FIREWALL))
    run = read(sandbox, [stream])
    assert run.exit_code == 1
    assert run.statuses == {stream: "INCOMPLETE"}
    assert any("a firewall or a proxy in between" in error for error in run.errors), run.errors


def test_instances_of_a_known_custom_object_are_never_taken_for_none(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3)
    sandbox.faults.add(Fault(path="/instances$", times=None, status=404, body={"error": "Gone."}))
    run = read(sandbox, ["custom_object_deal_room"])
    assert run.statuses == {"custom_object_deal_room": "INCOMPLETE"}


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_workspace_without_organizations_reads_everything_else(make_sandbox: Any, status: int) -> None:
    sandbox = make_sandbox(seed=3)
    sandbox.faults.add(Fault(path="/organizations$", times=None, status=status, body={"error": "Not enabled."}))
    run = read(sandbox, ["organizations", "accounts", "users"])
    assert run.exit_code == 0, run.errors
    assert run.statuses == dict.fromkeys(["organizations", "accounts", "users"], "COMPLETE")
    assert any("organizations is empty" in warning and "Not enabled." in warning for warning in run.logs("WARN"))


# /customObjects


def custom_streams() -> list[str]:
    return [stream["name"] for stream in discovered(seed=3)["streams"] if stream["name"].startswith("custom_object_")]


def test_an_outage_of_the_custom_objects_is_an_error_for_each_of_their_streams(
    make_sandbox: Any, waits: list[float]
) -> None:
    sandbox = make_sandbox(seed=3)
    streams = custom_streams()
    sandbox.faults.add(Fault(path="/customObjects$", times=None, status=503))
    run = read(sandbox, [*streams, "custom_fields", "users"])
    assert sum(waits) > 120, "it is not outlasted"
    assert run.exit_code == 1
    assert run.statuses == {**dict.fromkeys([*streams, "custom_fields"], "INCOMPLETE"), "users": "COMPLETE"}
    assert run.records("custom_fields"), "the fields of the models are read"
    assert "deselect" not in run.log
    assert "transient_error" in run.failure_types


def test_it_is_outlasted_when_it_is_short(make_sandbox: Any, waits: list[float]) -> None:
    sandbox = make_sandbox(seed=3)
    streams = custom_streams()
    sandbox.faults.add(Fault(path="/customObjects$", times=8, status=503))
    run = read(sandbox, streams)
    assert run.statuses == dict.fromkeys(streams, "COMPLETE")


@pytest.mark.parametrize("status", [403, 404, 503])
def test_each_missing_stream_is_incomplete_when_all_are_missing(
    make_sandbox: Any, waits: list[float], status: int
) -> None:
    sandbox = make_sandbox(seed=3)
    streams = custom_streams()
    sandbox.faults.add(Fault(path="/customObjects$", times=None, status=status, body={"error": "No."}))
    run = read(sandbox, streams)
    assert run.exit_code == 1
    assert run.statuses == dict.fromkeys(streams, "INCOMPLETE")
    errors = [message["trace"]["error"] for message in run.of_type("TRACE") if "error" in message["trace"]]
    assert {error["stream_descriptor"]["name"] for error in errors if "stream_descriptor" in error} == set(streams)


def test_a_deleted_custom_object_alone_is_incomplete(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3)
    [gone] = [row["id"] for row in sandbox.workspace.rows("customObjects") if row["name"] == "featureRequest"]
    sandbox.workspace.delete("customObjects", gone)
    run = read(sandbox, ["custom_object_feature_request"])
    assert (run.exit_code, run.statuses) == (0, {"custom_object_feature_request": "INCOMPLETE"})
    assert "no longer) in this workspace" in run.log


def test_nobody_asks_for_custom_objects_that_are_not_selected(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3)
    assert read(sandbox, ["users"]).exit_code == 0
    assert sandbox.journal.count("customObjects") == 0


@pytest.mark.parametrize("remembered", ["schema", "state"])
def test_a_namesakes_rows_do_not_flow_into_the_stream_of_a_deleted_object(make_sandbox: Any, remembered: str) -> None:
    sandbox = make_sandbox(seed=3)
    config = config_of(sandbox)
    selected = deepcopy(catalog(*custom_streams(), seed=3))
    first = run_source("read", config, selected)
    owners = {
        name: {
            part["partition"]["customObjectId"] for part in first.states(name)[-1]["stream"]["stream_state"]["states"]
        }
        for name in first.statuses
    }
    for stream in selected["streams"] if remembered == "state" else ():
        stream["stream"]["json_schema"].pop("x-vitally-custom-object")
    [other] = {name for name in owners if name.startswith("custom_object_deal_room_")}
    [gone] = owners["custom_object_deal_room"]
    [namesake] = owners[other]
    sandbox.workspace.delete("customObjects", gone)
    sandbox.clock.advance(3600)
    for row in sandbox.workspace.rows("instances"):
        if row["customObjectId"] == namesake:
            sandbox.workspace.update("instances", row["id"], {"name": "edited"})
    run = run_source("read", config, selected, first.last_states())
    assert run.records("custom_object_deal_room") == []
    assert run.statuses["custom_object_deal_room"] == "INCOMPLETE"
    assert run.statuses[other] == "COMPLETE", "its name stays, although the plain one has become free"
    assert {row["customObjectId"] for row in run.records(other)} <= {namesake}


# Smaller things


def test_a_custom_field_without_a_path_costs_itself(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3)
    fields = len(sandbox.workspace.rows("customFields"))
    sandbox.workspace.insert("customFields", {"model": "accounts", "label": "Lost", "path": None, "type": "string"})
    discovered = run_source("discover", config_of(sandbox))
    [accounts] = [stream for stream in discovered.catalog["streams"] if stream["name"] == "accounts"]
    assert accounts["json_schema"]["properties"]["traits"]["properties"]
    run = read(sandbox, ["custom_fields"])
    assert run.exit_code == 0, run.errors
    assert len(run.records("custom_fields")) == fields
    assert "has no path and is left out" in run.log


def test_survey_ids_are_taken_from_what_was_pasted(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3, sizes={"surveyResponses": 30})
    first, *others = [row["id"] for row in sandbox.workspace.rows("surveys")]
    pasted = [f" https://acme.vitally.io/settings/surveys/{first}/responses?page=2 ", first, *others, "wrong"]
    run = read(sandbox, ["survey_responses"], survey_ids=pasted)
    assert run.exit_code == 0, run.errors
    rows = sorted(row["id"] for row in sandbox.workspace.rows("surveyResponses"))
    assert sorted(record["id"] for record in run.records("survey_responses")) == rows
    assert any("surveyId wrong" in warning and "Surveys (survey_ids)" in warning for warning in run.logs("WARN"))


OLD_STATES: list[Any] = [
    {"next_page_token": "eyJ"},
    {"next_page_token": 3},
    {"__ab_full_refresh_sync_complete": True},
    {"__ab_full_refresh_state_message": True},
    {"__ab_no_cursor_state_message": True},
    {},
    {"states": [{"partition": {"archived": "false"}, "cursor": {"__ab_full_refresh_sync_complete": True}}]},
]


@pytest.mark.parametrize("blob", OLD_STATES, ids=str)
def test_a_state_of_an_older_version_is_read_as_none(make_sandbox: Any, blob: Any) -> None:
    sandbox = make_sandbox(seed=3)
    state = [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "notes"}, "stream_state": blob}}]
    run = read(sandbox, ["notes"], state)
    assert run.exit_code == 0, run.errors
    assert {record["id"] for record in run.records("notes")} == everything(sandbox, "notes").keys()


def test_a_state_that_cannot_be_read_stops_its_own_stream_only(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=3)
    state = [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}, "stream_state": {"page": {"a": 1}}}}]
    run = read(sandbox, ["users", "accounts"], state)
    assert run.exit_code == 1
    assert run.statuses == {"users": "INCOMPLETE", "accounts": "COMPLETE"}
    assert run.states("users") == [], "what is there stays as it is"
    assert any("'users' is not one this connector wrote" in error for error in run.errors)


@pytest.mark.parametrize(
    "time",
    ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59-05:00", "+275760-09-13T00:00:00Z"],
)
def test_dates_at_the_edge_of_the_calendar(make_sandbox: Any, waits: list[float], time: str) -> None:
    sandbox = make_sandbox(seed=3, sizes={"users": 3})
    row = sandbox.workspace.insert("users", {"externalId": "edge", "createdAt": time, "updatedAt": time})["id"]
    first = read(sandbox, ["users"], lookback_minutes=10)
    second = read(sandbox, ["users"], first.last_states(), lookback_minutes=10)
    assert (first.exit_code, second.exit_code) == (0, 0), [*first.errors, *second.errors]
    assert row in {record["id"] for record in first.records("users")}


def test_an_error_of_megabytes_is_cut(make_sandbox: Any, waits: list[float]) -> None:
    sandbox = make_sandbox(seed=3)
    body = {"error": "x" * 3_000_000}
    for status, stream in ((400, "users"), (503, "accounts"), (404, "meetings"), (422, "notes")):
        sandbox.faults.add(Fault(path=f"/{stream}$", times=None, status=status, body=body))
    sandbox.faults.add(Fault(path="/tasks$", times=None, status=500, kind="html", body="y" * 3_000_000))
    run = read(sandbox, ["users", "accounts", "meetings", "notes", "tasks"])
    assert run.exit_code == 1
    assert max(map(len, run.lines)) < 20_000
    assert len(run.raw) < 300_000
