"""Killed, cut off, limited, lied to: what a sync does, and what the next one makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.harness import FORKED_SOURCE, Json, Run, configured, run_process, run_source, source_config
from integration_tests.sandbox import Fault, Limits, Sandbox, Switches
from integration_tests.source.reference import LISTS, STREAMS, catalog, everything, merged
from source_vitally import retrievers


def config_of(sandbox: Sandbox, **fields: Any) -> Json:
    return source_config(
        sandbox.url, sandbox.rest_key, **{"lookback_minutes": 0, "inlined_objects": "full", "num_workers": 2, **fields}
    )


def read(sandbox: Sandbox, streams: list[str], state: Any = None, **fields: Any) -> Run:
    return run_source("read", config_of(sandbox, **fields), catalog(*streams), state)


@pytest.mark.parametrize("page", [0, 5, 7, 11])
def test_a_killed_first_sync_goes_on_from_its_last_checkpoint(make_sandbox: Any, page: int) -> None:
    sandbox = make_sandbox(seed=4, sizes={"users": 1150})
    config = config_of(sandbox)
    users = catalog("users")
    seen = 0

    def dies(message: Json) -> bool:
        nonlocal seen
        seen += message["type"] == "RECORD"
        return bool(seen > page * 100)

    killed = run_process(FORKED_SOURCE, "read", config=config, catalog=users, until=dies)
    assert killed.exit_code == -9
    sandbox.workspace.update("users", sandbox.workspace.rows("users")[1]["id"], {"name": "edited after the kill"})
    sandbox.journal.clear()
    second = run_source("read", config, users, killed.last_states())
    assert second.exit_code == 0
    checkpoints = len(killed.states("users"))
    assert checkpoints == max(0, (page * 100) // 500)
    assert sandbox.journal.count(path_regex="users") == 12 - 5 * checkpoints
    third = run_source("read", config, users, second.last_states())
    copy: dict[str, Json] = {}
    for run in (killed, second, third):
        merged(copy, run.records("users"))
    assert copy == everything(sandbox, "users")


def test_a_killed_sync_of_a_partitioned_stream_goes_on_in_each_partition(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=4, sizes={"notes": 1400}, switches=Switches(archived_true="only archived"))
    config = config_of(sandbox)
    notes = catalog("notes")
    killed = run_process(
        FORKED_SOURCE, "read", config=config, catalog=notes, until=lambda message: message["type"] == "STATE"
    )
    second = run_source("read", config, notes, killed.last_states())
    copy = merged(merged({}, killed.records("notes")), second.records("notes"))
    assert copy == everything(sandbox, "notes")
    assert len(second.records("notes")) < len(copy)


def test_a_killed_sync_of_a_child_stream_loses_no_child(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=4, sizes={"conversations": 620})
    config = config_of(sandbox, num_workers=8, requests_per_minute=100_000)
    messages = catalog("messages")
    killed = run_process(
        FORKED_SOURCE, "read", config=config, catalog=messages, until=lambda message: message["type"] == "STATE"
    )
    assert "resume" in killed.last_states()[0]["stream"]["stream_state"]
    edited = sandbox.workspace.rows("conversations")[0]["id"]
    sandbox.workspace.update("conversations", edited, {"subject": "edited after the kill"})
    second = run_source("read", config, messages, killed.last_states())
    third = run_source("read", config, messages, second.last_states())
    copy: dict[str, Json] = {}
    for run in (killed, second, third):
        merged(copy, run.records("messages"), "conversationUpdatedAt")
    assert copy == everything(sandbox, "messages")
    assert len(second.records("messages")) < len(copy)


@pytest.mark.parametrize("workers", [1, 20])
def test_any_number_of_workers_reads_everything(make_sandbox: Any, workers: int) -> None:
    sandbox = make_sandbox(seed=4, sizes={"users": 230})
    run = read(sandbox, ["users", "notes", "messages"], num_workers=workers)
    for stream in ("users", "notes", "messages"):
        assert {record["id"] for record in run.records(stream)} == everything(sandbox, stream).keys()


STORMS = {
    "429 with RateLimit-Reset": {"status": 429, "headers": {"RateLimit-Remaining": "0", "RateLimit-Reset": "1"}},
    "429 with an epoch": {"status": 429, "headers": {"X-RateLimit-Reset": "4102444800"}},
    "429 with Retry-After": {"status": 429, "headers": {"Retry-After": "3"}},
    "429 without a header": {"status": 429},
    "500": {"status": 500},
    "503 with a page of HTML": {"kind": "html", "status": 503},
    "dropped connections": {"kind": "drop"},
    "connections dropped after the server acted": {"kind": "drop_after"},
    "truncated bodies": {"kind": "truncate"},
    "bodies that are not JSON": {"kind": "not_json"},
    "pages without results": {"kind": "no_results"},
}


@pytest.mark.parametrize("storm", STORMS.values(), ids=STORMS.keys())
def test_ten_failures_in_a_row_cost_no_row_and_double_none(
    make_sandbox: Any, waits: list[float], storm: dict[str, Any]
) -> None:
    sandbox = make_sandbox(seed=6, sizes={"users": 330})
    # Where the page itself may be what fails, something else is asked for after five tries: four requests more.
    is_of_no_row = storm.get("status") in (429, 503)
    sandbox.faults.add(Fault(path="users", times=10 if is_of_no_row else 16, skip=2, **storm))
    run = read(sandbox, ["users"])
    assert run.exit_code == 0, run.errors
    assert sorted(record["id"] for record in run.records("users")) == sorted(everything(sandbox, "users"))
    assert sum(waits) > 100


@pytest.mark.parametrize(
    ("storm", "sentence"),
    [
        (STORMS["500"], "Vitally has a problem of its own"),
        (STORMS["429 without a header"], "request limit is used up"),
        (STORMS["dropped connections"], "No connection to"),
        (STORMS["bodies that are not JSON"], "a body that is not JSON"),
        (STORMS["pages without results"], "a body without 'results'"),
    ],
)
def test_a_lasting_failure_is_a_transient_error_in_plain_words(
    make_sandbox: Any, waits: list[float], storm: dict[str, Any], sentence: str
) -> None:
    sandbox = make_sandbox(seed=6, sizes={"users": 130})
    sandbox.faults.add(Fault(path="users", times=None, skip=1, **storm))
    run = read(sandbox, ["users", "organizations"])
    assert run.exit_code == 1
    assert any(sentence in error for error in run.errors), run.errors
    assert run.statuses == {"users": "INCOMPLETE", "organizations": "COMPLETE"}
    assert "transient_error" in run.failure_types
    assert "updatedAt" not in str(run.states("users"))


def test_a_key_revoked_half_way_is_a_config_error_and_the_state_stays(make_sandbox: Any, waits: list[float]) -> None:
    sandbox = make_sandbox(seed=6, sizes={"users": 330})
    first = read(sandbox, ["users"])
    for row in sandbox.workspace.rows("users")[:250]:
        sandbox.workspace.update("users", row["id"], {"name": "edited"})
    sandbox.faults.add(Fault(path="users", times=None, skip=1, status=401, body={"error": "Key revoked."}))
    run = read(sandbox, ["users"], first.last_states())
    assert run.exit_code == 1
    assert any("REST API key (secret_token)" in error and "Key revoked." in error for error in run.errors)
    assert "config_error" in run.failure_types
    assert len(waits) == 2, "amid requests that succeed a refusal is asked for twice more"
    assert [state["stream"] for state in run.last_states()] == [state["stream"] for state in first.last_states()]


@pytest.mark.parametrize("dialect", ["ratelimit", "x-ratelimit", "x-ratelimit-epoch", "retry-after", "none"])
def test_a_small_limit_of_the_server_is_followed(make_sandbox: Any, waits: list[float], dialect: Any) -> None:
    ticking = iter(range(0, 10**9, 7))
    sandbox = make_sandbox(seed=6, sizes={"users": 330})
    sandbox.limits = Limits(requests_per_minute=2, dialect=dialect, monotonic=lambda: float(next(ticking)))
    run = run_source("read", config_of(sandbox), configured({"streams": [USERS]}))
    sandbox.limits = None
    assert run.exit_code == 0, run.errors
    assert len(run.records("users")) == len(everything(sandbox, "users"))


USERS = {"name": "users", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}


FEW = {
    "users": 40,
    "tasks": 25,
    "projects": 8,
    "meetings": 10,
    "npsResponses": 15,
    "instances": 15,
    "conversations": 15,
}
"""Rows of a page or less."""


@pytest.mark.parametrize(
    "switches",
    [
        Switches(empty_page_with_next=True),
        Switches(short_pages=True),
        Switches(timestamp_ties=True),
        Switches(no_date_header=True),
        Switches(sort_ignored=True),
        Switches(undocumented_sort="refused"),
        Switches(undocumented_sort="honoured"),
        Switches(archived_omitted_means_all=True),
        Switches(archived_true="only archived"),
        Switches(archived_ignored=True),
        Switches(transcripts_in_list="null"),
        Switches(transcripts_in_list="whole"),
        Switches(next_after_end=True),
        Switches(null_error_in_pages=True),
        Switches(byte_order_mark=True),
        Switches(odd_rows=True),
        Switches(numeric_ids=True),
        Switches(not_found_status=200),
        Switches(at_end_absent=True),
        Switches(custom_field_ids=False),
        Switches(refusal_member="message"),
    ],
    ids=lambda switches: ", ".join(k for k, v in vars(switches).items() if v != vars(Switches())[k]),
)
def test_either_answer_to_what_is_undocumented_is_survived(make_sandbox: Any, switches: Switches) -> None:
    sandbox = make_sandbox(seed=8, sizes={**FEW, "notes": 130, "accounts": 130}, switches=switches)
    run = read(sandbox, STREAMS)
    assert run.exit_code == 0, run.errors
    switches.empty_page_with_next = switches.short_pages = False
    for stream in STREAMS:
        assert {record["id"] for record in run.records(stream)} == everything(sandbox, stream).keys(), stream
    row = sandbox.workspace.update("notes", sandbox.workspace.rows("notes")[0]["id"], {"subject": "changed"})
    second = read(sandbox, ["notes"], run.last_states())
    assert row["id"] in {record["id"] for record in second.records("notes")}


def test_expired_cursors_restart_the_scan_and_an_endless_refusal_ends_it(make_sandbox: Any, waits: list[float]) -> None:
    sandbox = make_sandbox(seed=8, sizes={"users": 430})
    sandbox.faults.add(Fault(path="users", skip=2, status=400, body={"error": "from has expired."}))
    run = read(sandbox, ["users"])
    assert run.exit_code == 0, run.errors
    assert {record["id"] for record in run.records("users")} == everything(sandbox, "users").keys()
    sandbox.switches.cursors_expire_after = 0
    sandbox.journal.clear()
    run = read(sandbox, ["users"])
    assert run.exit_code == 1
    assert any("rejected its own page cursors" in error for error in run.errors)
    assert sandbox.journal.count(path_regex="users") < 20


@pytest.mark.parametrize("answer", [400, 404, 410, 422, 500, "error", "empty page"])
@pytest.mark.parametrize("stream", ["users", "meetings"])
def test_a_resume_cursor_that_is_no_longer_known_begins_the_list_again(
    make_sandbox: Any, waits: list[float], monkeypatch: pytest.MonkeyPatch, stream: str, answer: Any
) -> None:
    monkeypatch.setattr(retrievers, "CHECKPOINT_PAGES", 2)
    sandbox = make_sandbox(seed=8, sizes={stream: 450})
    sandbox.faults.add(Fault(path=f"/{stream}$", times=None, skip=3, status=503))
    broken_off = read(sandbox, [stream], include_archived=False)
    assert "resume" in str(broken_off.states(stream)[-1])
    sandbox.faults.clear()
    sandbox.switches.expired_cursor = answer
    sandbox.expire_cursors()
    run = read(sandbox, [stream], broken_off.last_states(), include_archived=False)
    assert (run.exit_code, run.statuses) == (0, {stream: "COMPLETE"}), run.errors
    live = {key for key, row in everything(sandbox, stream).items() if "archivedAt" not in row}
    assert {record["id"] for record in run.records(stream)} == live
    assert "resume" not in str(run.states(stream)[-1])


@pytest.mark.parametrize(("stream", "answer"), [("users", 500), ("meetings", "error")])
def test_a_refused_resume_cursor_is_known_as_such_amid_an_outage(
    make_sandbox: Any, waits: list[float], stream: str, answer: Any
) -> None:
    """Given a sync that stopped before a broken row, when its cursor is refused, and the last try hits an outage."""
    sandbox = make_sandbox(seed=8, sizes={stream: 250})
    rows = [row for row in sandbox.workspace.rows(stream) if not row.get("archivedAt")]
    sandbox.switches.broken_rows = frozenset([sorted(rows, key=lambda row: str(row["createdAt"]))[40]["id"]])
    stopped = read(sandbox, [stream], include_archived=False)
    assert stopped.statuses == {stream: "INCOMPLETE"}
    sandbox.switches.broken_rows = frozenset()
    sandbox.switches.expired_cursor = answer
    sandbox.expire_cursors()
    sandbox.faults.add(Fault(path=f"/{stream}$", times=1, skip=6, status=502))
    run = read(sandbox, [stream], stopped.last_states(), include_archived=False)
    assert (run.exit_code, run.statuses) == (0, {stream: "COMPLETE"}), run.errors
    assert len(run.records(stream)) == len(rows)


@pytest.mark.parametrize("hiccup", [0, 1], ids=["", "after a 500"])
@pytest.mark.parametrize("fault", [{"status": 401}, {"status": 429}, {"status": 503}, {"kind": "drop"}], ids=str)
def test_an_outage_or_a_refusal_leaves_the_resume_point(
    make_sandbox: Any, waits: list[float], fault: dict[str, Any], hiccup: int
) -> None:
    sandbox = make_sandbox(seed=8, sizes={"users": 900})
    sandbox.faults.add(Fault(path="/users$", times=None, skip=7, status=503))
    broken_off = read(sandbox, ["users"])
    sandbox.faults.clear()
    sandbox.faults.add(Fault(path="/users$", times=hiccup, status=500))
    sandbox.faults.add(Fault(path="/users$", times=None, **fault))
    refused = run_source("read", config_of(sandbox), configured({"streams": [USERS]}), broken_off.last_states())
    assert refused.exit_code == 1
    assert refused.last_states()[0]["stream"] == broken_off.last_states()[0]["stream"]
    sandbox.faults.clear()
    sandbox.journal.clear()
    run = read(sandbox, ["users"], refused.last_states())
    assert len(run.records("users")) == 400


def test_a_repeating_cursor_ends_the_stream_with_an_error(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=8, sizes={"users": 430}, switches=Switches(repeat_cursor=True))
    run = read(sandbox, ["users"])
    assert run.exit_code == 1
    assert any("already given" in error for error in run.errors)


@pytest.mark.parametrize("status", [403, 404])
def test_an_optional_resource_that_vanishes_half_way_does_not_pass_for_complete(make_sandbox: Any, status: int) -> None:
    sandbox = make_sandbox(seed=8, sizes={"meetings": 250})
    sandbox.faults.add(Fault(path="meetings$", times=None, skip=2, status=status))
    run = read(sandbox, ["meetings", "users"])
    assert run.exit_code == 1
    assert run.statuses == {"meetings": "INCOMPLETE", "users": "COMPLETE"}
    assert any("in the middle of the list" in error for error in run.errors)


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("stream", ["meetings", "meeting_transcripts", "custom_objects"])
def test_a_missing_optional_resource_is_a_warning_and_an_empty_stream(
    make_sandbox: Any, stream: str, status: int
) -> None:
    sandbox = make_sandbox(seed=8)
    sandbox.faults.add(Fault(path=f"{LISTS[stream][0]}$", times=None, status=status, body={"error": "Not enabled."}))
    run = read(sandbox, [stream, "users"])
    assert run.exit_code == 0, run.errors
    assert run.records(stream) == []
    assert any(stream in warning and "Not enabled." in warning for warning in run.logs("WARN"))
    assert len(run.records("users")) == len(everything(sandbox, "users"))
