"""Rows whose details are missing or broken: the others are read, and what could not be read is asked for again."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from integration_tests.harness import Json, Run, configured, run_source, source_config
from integration_tests.sandbox import Fault, Sandbox, Switches
from integration_tests.source.reference import catalog, everything, merged
from source_vitally import client, scan
from source_vitally.client import FEW_RETRIES

BROKEN: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "400": {"status": 400, "body": {"error": "Bad id."}},
    "405": {"status": 405},
    "html": {"kind": "html", "status": 502},
    "firewall": {"kind": "html", "status": 403},
    "not json": {"kind": "not_json"},
    "no id": {"status": 200, "body": {"subject": "x"}},
    "an object for messages": {"status": 200, "body": {"id": "x", "messages": {"a": 1}}},
    "another conversation": {"status": 200, "body": {"id": "another"}},
    "texts for messages": {"status": 200, "body": {"id": "x", "messages": ["a"]}},
    "dropped": {"kind": "drop"},
}
PATHS = {
    "messages": "/conversations/{}$",
    "account_health_scores": "/accounts/{}/healthScores$",
    "meeting_transcripts": "/meetingTranscripts/{}$",
}
LISTS = {
    "messages": "conversations",
    "account_health_scores": "accounts",
    "meeting_transcripts": "meetingTranscripts",
}
KEYS = {"messages": "conversationId", "account_health_scores": "accountId", "meeting_transcripts": "id"}


def config_of(sandbox: Sandbox, **fields: Any) -> Json:
    return source_config(
        sandbox.url,
        sandbox.rest_key,
        **{"lookback_minutes": 0, "inlined_objects": "full", "requests_per_minute": 100_000, **fields},
    )


def read(sandbox: Sandbox, stream: str, state: Any = None, **fields: Any) -> Run:
    description = {"name": stream, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}
    return run_source("read", config_of(sandbox, **fields), configured({"streams": [description]}), state)


def state_of(run: Run, stream: str) -> Any:
    return run.states(stream)[-1]["stream"]["stream_state"]


def break_details(sandbox: Sandbox, stream: str, ids: Any, **fault: Any) -> None:
    for key in ids:
        sandbox.faults.add(Fault(path=PATHS[stream].format(key), times=None, **fault))


@pytest.mark.parametrize("kind", BROKEN)
def test_one_broken_conversation_costs_its_own_messages_only(make_sandbox: Any, waits: list[float], kind: str) -> None:
    sandbox = make_sandbox(seed=5, sizes={"conversations": 130})
    bad = talkative(sandbox)[40]
    fault = dict(BROKEN[kind])
    if "messages" in fault.get("body", {}):
        fault["body"] = {**fault["body"], "id": bad}
    break_details(sandbox, "messages", [bad], **fault)
    first = read(sandbox, "messages")
    assert (first.exit_code, first.statuses) == (1, {"messages": "INCOMPLETE"})
    assert any(bad in error for error in first.errors), first.errors
    whole = everything_but_faults(sandbox, "messages")
    assert {row["id"] for row in first.records("messages")} == {
        key for key, row in whole.items() if row["conversationId"] != bad
    }
    assert list(state_of(first, "messages")["failed"]) == [bad]
    sandbox.journal.clear()
    second = read(sandbox, "messages", first.last_states())
    assert second.statuses == {"messages": "INCOMPLETE"}
    asked = {request.path.rsplit("/", 1)[1] for request in sandbox.journal if "/conversations/" in request.path}
    assert bad in asked
    assert len(asked) <= 2, "what was read is not read again"
    sandbox.faults.clear()
    third = read(sandbox, "messages", second.last_states())
    assert (third.exit_code, third.statuses) == (0, {"messages": "COMPLETE"})
    assert {row["conversationId"] for row in third.records("messages")} >= {bad}
    assert "failed" not in state_of(third, "messages")
    copy: dict[str, Json] = {}
    for run in (first, second, third):
        merged(copy, run.records("messages"), "conversationUpdatedAt")
    assert copy == whole


def talkative(sandbox: Sandbox) -> list[str]:
    """Return the conversations that have messages."""
    rows = {row["conversationId"] for row in sandbox.workspace.rows("messages")}
    return [row["id"] for row in sandbox.workspace.rows("conversations") if row["id"] in rows]


def everything_but_faults(sandbox: Sandbox, stream: str) -> dict[str, Json]:
    faults, sandbox.faults._seen = sandbox.faults._seen, []
    rows = everything(sandbox, stream)
    sandbox.faults._seen = faults
    return rows


@pytest.mark.parametrize("stream", PATHS)
def test_five_broken_rows_in_a_row_are_no_outage(make_sandbox: Any, waits: list[float], stream: str) -> None:
    sandbox = make_sandbox(seed=5, sizes={"conversations": 30, "accounts": 30, "meetings": 60})
    whole = {record[KEYS[stream]] for record in read(sandbox, stream).records(stream)}
    bad = {row["id"] for row in sandbox.workspace.newest(LISTS[stream], 8)} & whole
    assert len(bad) >= 5
    break_details(sandbox, stream, bad, status=500)
    run = read(sandbox, stream)
    assert run.statuses == {stream: "INCOMPLETE"}
    assert {record[KEYS[stream]] for record in run.records(stream)} == whole - bad
    assert set(state_of(run, stream)["failed"]) == bad


def test_an_outage_ends_the_stream_and_the_state_stays(make_sandbox: Any, waits: list[float]) -> None:
    sandbox = make_sandbox(seed=5, sizes={"conversations": 60})
    sandbox.faults.add(Fault(path="/conversations/", times=None, skip=20, status=503))
    run = read(sandbox, "messages")
    assert (run.exit_code, run.statuses) == (1, {"messages": "INCOMPLETE"})
    assert state_of(run, "messages") == {}
    sandbox.faults.clear()
    again = read(sandbox, "messages", run.last_states())
    assert {row["id"] for row in again.records("messages")} == everything(sandbox, "messages").keys()


def test_two_minutes_without_details_are_outlasted(make_sandbox: Any, waits: list[float]) -> None:
    sandbox = make_sandbox(seed=5, sizes={"conversations": 20})
    sandbox.faults.add(Fault(times=9, skip=5, status=503))
    run = read(sandbox, "messages", num_workers=1)
    assert run.exit_code == 0, run.errors
    assert sum(waits) > 120
    assert {row["id"] for row in run.records("messages")} == everything(sandbox, "messages").keys()


@pytest.mark.parametrize("status", [500, 400, 503])
@pytest.mark.parametrize("place", [0, 200, 388], ids=["the newest", "in the middle", "the oldest"])
def test_twelve_broken_neighbours_are_no_outage(make_sandbox: Any, waits: list[float], place: int, status: int) -> None:
    sandbox = make_sandbox(seed=5, sizes={"conversations": 400})
    by_age = sorted(sandbox.workspace.rows("conversations"), key=lambda row: str(row["createdAt"]), reverse=True)
    bad = {row["id"] for row in by_age[place : place + 12]}
    break_details(sandbox, "messages", bad, status=status)
    run = read(sandbox, "messages")
    assert run.statuses == {"messages": "INCOMPLETE"}
    whole = everything_but_faults(sandbox, "messages")
    assert {row["id"] for row in run.records("messages")} == {
        key for key, row in whole.items() if row["conversationId"] not in bad
    }
    assert set(state_of(run, "messages")["failed"]) == bad


def test_more_broken_rows_than_a_state_holds_bound_no_reading(
    make_sandbox: Any, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "MAX_FAILED", 20)
    sandbox = make_sandbox(seed=5, sizes={"conversations": 150})
    bad = set(talkative(sandbox)[::2][:60])
    break_details(sandbox, "messages", bad, status=400)
    run = read(sandbox, "messages")
    whole = everything_but_faults(sandbox, "messages")
    assert {row["conversationId"] for row in run.records("messages")} == set(talkative(sandbox)) - bad
    state = state_of(run, "messages")
    assert len(state["failed"]) == 20
    for row in whole.values():
        read_or_known = row["conversationId"] not in bad or row["conversationId"] in state["failed"]
        assert read_or_known or row["conversationUpdatedAt"] > state["conversationUpdatedAt"]
    sandbox.faults.clear()
    again = read(sandbox, "messages", run.last_states())
    assert again.exit_code == 0
    copy = merged({}, [*run.records("messages"), *again.records("messages")], "conversationUpdatedAt")
    assert copy == whole


def test_what_fails_in_three_syncs_in_the_same_way_no_longer_keeps_a_stream_incomplete(
    make_sandbox: Any, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = make_sandbox(seed=5, sizes={"conversations": 30})
    bad, other = talkative(sandbox)[3:5]
    sandbox.faults.add(Fault(path=PATHS["messages"].format(other), status=400, times=1))
    sandbox.faults.add(Fault(path=PATHS["messages"].format(other), status=500, times=1 + FEW_RETRIES))
    break_details(sandbox, "messages", [bad], status=500)
    state: Any = None
    statuses = []
    for _ in range(4):
        sandbox.journal.clear()
        run = read(sandbox, "messages", state)
        statuses.append(run.statuses["messages"])
        state = run.last_states()
    assert statuses == ["INCOMPLETE", "INCOMPLETE", "COMPLETE", "COMPLETE"]
    assert any(bad in line and "once a week" in line for line in run.logs("WARN"))
    assert other not in state_of(run, "messages")["failed"], "another reason begins to count anew"
    assert sandbox.journal.count(path_regex=f"conversations/{bad}$") == 0, "it is not asked for in each sync"
    later = scan.own_time() + timedelta(days=8)
    monkeypatch.setattr(scan.Scan.__init__, "__defaults__", _with_clock(lambda: later))
    sandbox.faults.clear()
    healed = read(sandbox, "messages", state)
    assert bad in {row["conversationId"] for row in healed.records("messages")}
    assert "failed" not in state_of(healed, "messages")


def _with_clock(clock: Any) -> tuple[Any, ...]:
    """Return the defaults of a scan with another clock of our own."""
    return tuple(clock if value is scan.own_time else value for value in scan.Scan.__init__.__defaults__ or ())


EMPTY: dict[str, dict[str, Any]] = {
    "204": {"status": 204, "body": ""},
    "an empty 200": {"status": 200, "body": ""},
    "null": {"status": 200, "body": "null"},
    "[]": {"status": 200, "body": []},
}


@pytest.mark.parametrize("kind", EMPTY)
@pytest.mark.parametrize("stream", PATHS)
def test_a_detail_without_content_is_one_that_is_not_there(
    make_sandbox: Any, waits: list[float], stream: str, kind: str
) -> None:
    sandbox = make_sandbox(seed=5, sizes={"conversations": 60, "accounts": 60, "meetings": 120})
    whole = {record[KEYS[stream]] for record in read(sandbox, stream).records(stream)}
    without = {row["id"] for row in sandbox.workspace.newest(LISTS[stream], 15)}
    break_details(sandbox, stream, without, **EMPTY[kind])
    run = read(sandbox, stream)
    assert run.statuses == {stream: "COMPLETE"}, run.errors
    assert waits == []
    assert {record[KEYS[stream]] for record in run.records(stream)} == whole - without


def test_a_conversation_that_is_forbidden_is_no_firewall(make_sandbox: Any, waits: list[float]) -> None:
    sandbox = make_sandbox(seed=5, sizes={"conversations": 60})
    bad = talkative(sandbox)[5:9]
    break_details(sandbox, "messages", bad, **BROKEN["firewall"])
    run = read(sandbox, "messages")
    assert set(state_of(run, "messages")["failed"]) == set(bad)
    assert "firewall" not in run.log
    assert "transient_error" in run.failure_types


def test_details_that_are_all_forbidden_are_a_firewalls(make_sandbox: Any, waits: list[float]) -> None:
    sandbox = make_sandbox(seed=5, sizes={"conversations": 60})
    sandbox.faults.add(Fault(path="/conversations/", times=None, **BROKEN["firewall"]))
    run = read(sandbox, "messages")
    assert any("firewall" in error for error in run.errors)


# Missing


@pytest.mark.parametrize("status", [404, 403, 410])
def test_a_first_page_without_details_does_not_end_the_scan(make_sandbox: Any, status: int) -> None:
    sandbox = make_sandbox(seed=5, sizes={"accounts": 250})
    newest = [row["id"] for row in sandbox.workspace.newest("accounts", 150) if not row.get("untracked")]
    break_details(sandbox, "account_health_scores", newest, status=status, body={"error": "None."})
    run = read(sandbox, "account_health_scores")
    assert (run.exit_code, run.statuses) == (0, {"account_health_scores": "COMPLETE"})
    wanted = everything_but_faults(sandbox, "accounts").keys() - set(newest)
    assert {record["accountId"] for record in run.records("account_health_scores")} == wanted
    assert "updatedAt" in str(state_of(run, "account_health_scores")).replace("accountUpdatedAt", "updatedAt")


def test_a_deleted_conversation_does_not_end_the_scan(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=5, sizes={"conversations": 250}, switches=Switches(short_pages=True))
    known = talkative(sandbox)
    rows = sorted(sandbox.workspace.rows("conversations"), key=lambda row: str(row["createdAt"]))
    wanted = [next(row["id"] for row in rows[place:] if row["id"] in known) for place in (10, 120, 220)]
    sandbox.clock.advance(3600)
    edited = [sandbox.workspace.update("conversations", key, {"subject": "x"})["updatedAt"] for key in wanted]
    break_details(sandbox, "messages", wanted[2:], status=404, body={"error": "Gone."})
    run = read(sandbox, "messages", start_date=edited[0])
    assert run.exit_code == 0, run.errors
    assert {row["conversationId"] for row in run.records("messages")} == set(wanted[:2])


@pytest.mark.parametrize("status", [404, 403])
@pytest.mark.parametrize("stream", PATHS)
def test_switched_off_after_it_was_on_is_incomplete(make_sandbox: Any, stream: str, status: int) -> None:
    sandbox = make_sandbox(seed=5)
    first = read(sandbox, stream)
    sandbox.clock.advance(3600)
    edited = [row["id"] for row in sandbox.workspace.rows(LISTS[stream])[:4]]
    for key in edited:
        sandbox.workspace.update(LISTS[stream], key, {})
    sandbox.faults.add(Fault(path=PATHS[stream].format(".*"), times=None, status=status, body={"error": "Off."}))
    off = read(sandbox, stream, first.last_states())
    assert (off.exit_code, off.statuses) == (1, {stream: "INCOMPLETE"})
    assert state_of(off, stream) == state_of(first, stream)
    sandbox.faults.clear()
    on = read(sandbox, stream, off.last_states())
    found = {row[KEYS[stream]] for row in on.records(stream)}
    assert found & set(edited) == {row[KEYS[stream]] for row in read(sandbox, stream).records(stream)} & set(edited)


def test_one_account_without_a_score_is_not_a_feature_switched_off(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=5, sizes={"accounts": 40})
    first = read(sandbox, "account_health_scores")
    sandbox.clock.advance(3600)
    edited = first.records("account_health_scores")[5]["accountId"]
    sandbox.workspace.update("accounts", edited, {"name": "edited"})
    break_details(sandbox, "account_health_scores", [edited], status=404, body={"error": "No score."})
    newest = first.records("account_health_scores")
    run = read(sandbox, "account_health_scores", first.last_states())
    assert (run.exit_code, run.statuses) == (0, {"account_health_scores": "COMPLETE"})
    assert state_of(run, "account_health_scores") != state_of(first, "account_health_scores")
    assert newest


def test_a_transcript_that_is_null_in_the_list_is_fetched(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=5, switches=Switches(transcripts_in_list="null"))
    run = read(sandbox, "meeting_transcripts")
    assert {row["id"]: row for row in run.records("meeting_transcripts")} == everything(sandbox, "meeting_transcripts")


# Requests under way


def test_a_detail_that_waits_to_try_again_stops_nobody_else(make_sandbox: Any, monkeypatch: Any) -> None:
    sandbox = make_sandbox(seed=5, sizes={"conversations": 20, "accounts": 20})
    scores = len(read(sandbox, "account_health_scores").records("account_health_scores"))
    sandbox.faults.add(Fault(path=PATHS["messages"].format(talkative(sandbox)[3]), times=1, status=503))
    all_have_come, came_meanwhile = threading.Event(), []
    record = sandbox.journal.record

    def recorded(request: Any) -> None:
        record(request)
        if sandbox.journal.count(path_regex="healthScores") >= scores:
            all_have_come.set()

    sandbox.journal.clear()
    monkeypatch.setattr(sandbox.journal, "record", recorded)
    monkeypatch.setattr(client, "sleep", lambda _: came_meanwhile.append(all_have_come.wait(20)))
    config = config_of(sandbox, num_workers=1)
    run = run_source("read", config, catalog("messages", "account_health_scores"))
    assert run.exit_code == 0, run.errors
    assert came_meanwhile == [True]
    assert {row["id"] for row in run.records("messages")} == everything(sandbox, "messages").keys()
    assert len(run.records("account_health_scores")) == scores


def test_requests_under_way_never_exceed_the_workers(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=5, sizes={"conversations": 40, "accounts": 40}, switches=Switches(latency=0.02))
    names = ["accounts", "users", "notes", "tasks", *PATHS]
    config = config_of(sandbox, num_workers=3)
    run = run_source("read", config, catalog(*names))
    assert run.exit_code == 0, run.errors
    assert sandbox.most_under_way == 3


def test_a_transcript_that_was_edited_before_its_details_came_is_not_given_again(make_sandbox: Any) -> None:
    """Given a list that begins again, and by then shows the version that was read already."""
    sandbox = make_sandbox(seed=8, sizes={"meetings": 400})
    [edited, *_] = sandbox.workspace.rows("meetingTranscripts")[-1:]

    def edits(page: Any) -> None:
        if page.resource == "meetingTranscripts":
            sandbox.after_page = None
            sandbox.workspace.update("meetingTranscripts", edited["id"], {"traits": {"edited": 1}})

    sandbox.after_page = edits
    sandbox.faults.add(Fault(path="meetingTranscripts$", skip=1, status=400, body={"error": "from has expired."}))
    run = run_source("read", source_config(sandbox.url, sandbox.rest_key), catalog("meeting_transcripts"))
    assert run.exit_code == 0, run.errors
    ids = [record["id"] for record in run.records("meeting_transcripts")]
    assert edited["id"] in ids
    assert len(ids) == len({*ids})
