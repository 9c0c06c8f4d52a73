"""Odd rows and odd answers: each is read as a person would read it, and costs at most its own row."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from integration_tests.harness import FORKED_SOURCE, Json, Run, configured, run_process, run_source, source_config
from integration_tests.sandbox import Fault, Page, Sandbox, Switches
from integration_tests.source.reference import catalog, everything

NO_IDS: tuple[Any, ...] = (None, {}, True, "", " ")
STAMPS = {"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-02T00:00:00.000Z"}


def read(sandbox: Sandbox, *streams: str, **fields: Any) -> Run:
    config = source_config(
        sandbox.url, sandbox.rest_key, **{"lookback_minutes": 0, "inlined_objects": "full", **fields}
    )
    return run_source("read", config, catalog(*streams))


def page(*rows: Json, **more: Any) -> str:
    return json.dumps({"results": [{**STAMPS, **row} for row in rows], "next": None, "atEnd": True, **more})


def answered(sandbox: Sandbox, path: str, body: str | bytes, **fault: Any) -> None:
    fault = {"status": 200, "times": 1, **fault}
    sandbox.faults.add(Fault(path=path, body=body, **fault))


def ids(run: Run, stream: str) -> list[str]:
    return [record["id"] for record in run.records(stream)]


@pytest.mark.parametrize("levels", [100, 1_000, 100_000])
def test_a_row_that_is_nested_deeply_costs_itself(make_sandbox: Any, waits: list[float], levels: int) -> None:
    sandbox = make_sandbox(sizes={"accounts": 5})
    deep = '{"a":' * levels + "1" + "}" * levels
    answered(
        sandbox, "/users$", page({"id": "x"}, {"id": "deep", "traits": "DEEP"}, {"id": "y"}).replace('"DEEP"', deep)
    )
    run = read(sandbox, "users", "accounts")
    assert (run.exit_code, run.statuses) == (0, {"users": "COMPLETE", "accounts": "COMPLETE"}), run.errors
    assert ids(run, "users") == (["x", "deep", "y"] if levels < 200 else ["x", "y"])
    said = [line for line in run.logs("WARN") if "the row deep is nested deeper than" in line]
    assert len(said) == (levels >= 200)


def test_rows_without_an_id_are_left_out_and_said(make_sandbox: Any) -> None:
    sandbox = make_sandbox()
    answered(sandbox, "/users$", page({"id": "x"}, *({"id": odd} for odd in NO_IDS), {"name": "a"}))
    run = read(sandbox, "users")
    assert ids(run, "users") == ["x"]
    assert len([line for line in run.logs("WARN") if "has no id" in line]) == 1


def test_ids_that_are_numbers_become_texts_wherever_they_stand(make_sandbox: Any) -> None:
    sandbox = make_sandbox()
    account = {"id": 7, "organizationId": 8, "segments": [{"id": 9, "name": "Big"}], "traits": {"id": 5}}
    user = {"id": 3, "accounts": [{"id": 7}], "organizationIds": [8]}
    for _ in range(2):
        answered(sandbox, "/accounts$", page(account))
        answered(sandbox, "/users$", page(user))
    run = read(sandbox, "users", "accounts", "segments")
    assert run.exit_code == 0, run.errors
    [found] = run.records("accounts")
    assert (found["id"], found["organizationId"], found["traits"]) == ("7", "8", {"id": 5})
    [found] = run.records("users")
    assert (found["id"], found["accountIds"], found["organizationIds"]) == ("3", ["7"], ["8"])
    assert "9" in ids(run, "segments")


def test_no_stream_has_an_id_that_is_a_number(make_sandbox: Any) -> None:
    """Nor has what the details of a row bring with them; what has no form of ours stays as it comes."""
    sandbox = make_sandbox(switches=Switches(numeric_ids=True))
    surveys = [row["id"] for row in sandbox.workspace.rows("surveys")]
    config = source_config(sandbox.url, sandbox.rest_key, survey_ids=surveys)
    run = run_source("read", config, configured(run_source("discover", config).catalog))
    assert run.exit_code == 0, run.errors
    found = {name: ids_that_are_numbers(run.records(name)) for name in run.statuses}
    assert {name: paths for name, paths in found.items() if paths} == {}
    assert {row["id"]: row for row in run.records("messages")} == everything(sandbox, "messages")


def ids_that_are_numbers(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        inside = [(inner, f"{path}.{key}") for key, inner in value.items() if key not in ("traits", "breakdown")]
    elif isinstance(value, list):
        inside = [(inner, path) for inner in value]
    else:
        return {path} if isinstance(value, int) and len(str(value)) == 15 else set()
    return {found for inner, name in inside for found in ids_that_are_numbers(inner, name)}


@pytest.mark.parametrize("odd", ["../accounts", "..", "a/b?c#d", "%2e%2e", "ü"])
def test_an_id_is_one_part_of_an_address_whatever_stands_in_it(make_sandbox: Any, waits: list[float], odd: str) -> None:
    sandbox = make_sandbox()
    answered(sandbox, "/conversations$", page({"id": odd}, {"id": "fine"}))
    answered(sandbox, "/conversations/fine$", json.dumps({"id": "fine", "messages": [{"id": "m", **STAMPS}]}))
    run = read(sandbox, "messages")
    assert ids(run, "messages") == ["m"]
    assert all(request.path.startswith("/resources/conversations") for request in sandbox.journal)
    assert all(request.path.count("/") <= 3 for request in sandbox.journal)


def test_a_trait_of_brackets_costs_its_column_only(make_sandbox: Any) -> None:
    sandbox = make_sandbox(sizes={"accounts": 3})
    field = next(
        f for f in sandbox.workspace.rows("customFields") if f["model"] == "accounts" and f["type"] == "number"
    )
    row = sandbox.workspace.rows("accounts")[0]["id"]
    sandbox.workspace.update("accounts", row, {"traits": {field["path"]: "[" * 200_000}})
    run = read(sandbox, "accounts", flatten_traits=True)
    assert run.exit_code == 0, run.errors
    assert row in ids(run, "accounts")


def test_a_body_in_another_encoding_is_read_where_the_header_says_so(make_sandbox: Any, waits: list[float]) -> None:
    sandbox = make_sandbox()
    sandbox.faults.add(
        Fault(
            path="/users$",
            kind="html",
            status=200,
            body=page({"id": "x", "name": "NAME"}).replace("NAME", "Müller").encode("latin-1"),
            headers={"Content-Type": "application/json; charset=iso-8859-1"},
        )
    )
    run = read(sandbox, "users")
    assert [record["name"] for record in run.records("users")] == ["Müller"]
    assert waits == []


@pytest.mark.parametrize("following", [False, None, "", 0])
def test_whatever_stands_for_no_cursor_ends_the_list(make_sandbox: Any, following: Any) -> None:
    sandbox = make_sandbox()
    answered(sandbox, "/users$", page({"id": "x"}, next=following))
    assert read(sandbox, "users").statuses == {"users": "COMPLETE"}


def test_a_list_that_says_there_is_more_and_not_where_is_not_complete(make_sandbox: Any) -> None:
    sandbox = make_sandbox()
    answered(sandbox, "/users$", page({"id": "x"}, next=None, atEnd=False))
    run = read(sandbox, "users")
    assert ids(run, "users") == ["x"]
    assert run.statuses == {"users": "INCOMPLETE"}
    assert any("there is more of the list" in error for error in run.errors)


@pytest.mark.parametrize("fault", [{"kind": "html", "status": 403}, {"status": 401}, {"status": 403}], ids=str)
def test_one_refusal_in_the_middle_is_asked_for_again(
    make_sandbox: Any, waits: list[float], fault: dict[str, Any]
) -> None:
    sandbox = make_sandbox(sizes={"users": 330})
    sandbox.faults.add(Fault(path="/users$", skip=2, times=1, **fault))
    run = read(sandbox, "users")
    assert run.exit_code == 0, run.errors
    assert sorted(ids(run, "users")) == sorted(everything(sandbox, "users"))


def test_a_redirect_is_refused_at_once(make_sandbox: Any, waits: list[float]) -> None:
    sandbox = make_sandbox()
    sandbox.faults.add(Fault(path="/users$", times=None, status=302, headers={"Location": "/resources/users"}))
    run = read(sandbox, "users")
    assert any("redirects to 127.0.0.1 (HTTP 302), which is not https" in error for error in run.errors), run.errors
    assert run.failure_types == {"config_error"}
    assert len(list(sandbox.journal)) == 1


@pytest.mark.parametrize(
    ("headers", "longest"),
    [
        ({"RateLimit-Reset": "59", "RateLimit-Remaining": "900"}, 3),
        ({"RateLimit-Limit": "1000", "RateLimit-Remaining": "-100000"}, 3),
    ],
)
def test_a_500_is_waited_for_as_every_500(
    make_sandbox: Any, waits: list[float], headers: dict[str, str], longest: float
) -> None:
    sandbox = make_sandbox()
    sandbox.faults.add(Fault(path="/users$", times=2, status=500, headers=headers))
    assert read(sandbox, "users").exit_code == 0
    assert len(waits) >= 2
    assert max(waits) < longest


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (1767225600000, "2026-01-01T00:00:00.000Z"),
        (1767225600, "2026-01-01T00:00:00.000Z"),
        ("1767225600000", "2026-01-01T00:00:00.000Z"),
        ("Thu, 01 Jan 2026 00:00:00 GMT", "2026-01-01T00:00:00.000Z"),
        ("a moment ago", None),
    ],
)
def test_an_update_time_in_another_form_is_understood_or_said(make_sandbox: Any, given: Any, meant: str | None) -> None:
    sandbox = make_sandbox()
    answered(sandbox, "/users$", page({"id": "x", "updatedAt": given}))
    run = read(sandbox, "users")
    assert [record["updatedAt"] for record in run.records("users")] == [meant or given]
    assert run.states("users")[-1]["stream"]["stream_state"] == ({"updatedAt": meant} if meant else {})
    assert bool([line for line in run.logs("WARN") if "cannot be read as a time" in line]) is (meant is None)


# Once


def test_a_row_that_a_list_shows_again_comes_once(make_sandbox: Any) -> None:
    sandbox = make_sandbox()
    first = [{"id": str(number)} for number in range(60)]
    second = [{"id": str(number)} for number in range(50, 120)]
    answered(sandbox, "/users$", page(*first, *first[:2], next="more", atEnd=False))
    answered(sandbox, "/users$", page(*second))
    assert sorted(ids(read(sandbox, "users"), "users"), key=int) == [str(number) for number in range(120)]


@pytest.mark.parametrize("stream", ["accounts", "custom_fields", "account_ids", "messages"])
def test_a_cursor_that_is_refused_once_doubles_no_row(make_sandbox: Any, waits: list[float], stream: str) -> None:
    sandbox = make_sandbox(sizes={"accounts": 350, "conversations": 350})
    path = "/conversations$" if stream == "messages" else "/accounts$"
    sandbox.faults.add(Fault(path=path, skip=2, times=1, status=400, body={"error": "from has expired."}))
    run = read(sandbox, stream)
    assert run.exit_code == 0, run.errors
    rows = [str(sorted(record.items(), key=str)) for record in run.records(stream)]
    assert len(rows) == len(set(rows)) > 0


# Setting it up


def test_null_in_an_optional_setting_is_its_default(make_sandbox: Any) -> None:
    sandbox = make_sandbox(sizes={"users": 3})
    nulls = dict.fromkeys(("start_date", "status", "num_workers", "survey_ids", "flatten_traits", "include_archived"))
    run = read(sandbox, "users", **nulls)
    assert run.exit_code == 0, run.errors
    assert len(ids(run, "users")) == len(everything(sandbox, "users"))


@pytest.mark.parametrize("status", [429, 502])
@pytest.mark.parametrize("command", ["check", "discover"])
def test_check_and_discover_survive_an_answer_that_passes(
    make_sandbox: Any, waits: list[float], command: str, status: int
) -> None:
    sandbox = make_sandbox()
    sandbox.faults.add(Fault(times=1, status=status, headers={"Retry-After": "60"} if status == 429 else {}))
    run = run_source(command, source_config(sandbox.url, sandbox.rest_key))
    assert run.exit_code == 0, run.errors
    assert command == "discover" or run.connection_status["status"] == "SUCCEEDED"
    assert command == "discover" or max(waits) <= 5


@pytest.mark.parametrize("key", ["schlüssel", "“”", "sk_live_абв"])
def test_a_key_that_can_be_none_is_refused_and_never_shown(make_sandbox: Any, key: str) -> None:
    sandbox = make_sandbox()
    run = run_source("read", source_config(sandbox.url, key), catalog("users"))
    assert run.exit_code == 1
    assert any("REST API key (secret_token)" in error for error in run.errors)
    assert "Traceback" not in run.log


def test_a_renamed_custom_object_names_its_new_stream(make_sandbox: Any) -> None:
    sandbox = make_sandbox()
    selected = catalog("custom_object_feature_request")
    [found] = [row["id"] for row in sandbox.workspace.rows("customObjects") if row["name"] == "featureRequest"]
    sandbox.workspace.update("customObjects", found, {"name": "wish"})
    run = run_source("read", source_config(sandbox.url, sandbox.rest_key), selected)
    assert run.statuses == {"custom_object_feature_request": "INCOMPLETE"}
    assert any("the stream custom_object_wish now" in line for line in run.logs("WARN"))


@pytest.mark.parametrize("stream", ["users", "admins"])
def test_an_empty_stream_runs_too_and_its_state_comes_before_it_is_complete(make_sandbox: Any, stream: str) -> None:
    sandbox = make_sandbox()
    answered(sandbox, f"/{stream}$", page())
    run = read(sandbox, stream)
    order = [
        message["trace"]["stream_status"]["status"] if message["type"] == "TRACE" else message["type"]
        for message in run.messages
        if message["type"] in ("TRACE", "STATE")
    ]
    assert order == ["STARTED", "RUNNING", "STATE", "COMPLETE"]


def test_the_rows_of_a_page_are_printed_before_the_next_is_waited_for(make_sandbox: Any) -> None:
    sandbox = make_sandbox(sizes={"users": 150})
    all_printed, came_meanwhile, printed = threading.Event(), [], 0

    def after_page(page: Page) -> None:
        if page.resource == "users" and page.number == 1:
            came_meanwhile.append(all_printed.wait(30))

    def count(message: Json) -> bool:
        nonlocal printed
        printed += message["type"] == "RECORD"
        if printed == 100:
            all_printed.set()
        return False

    sandbox.after_page = after_page
    config = source_config(sandbox.url, sandbox.rest_key)
    run = run_process(FORKED_SOURCE, "read", config=config, catalog=catalog("users"), until=count)
    assert run.exit_code == 0
    assert came_meanwhile == [True]
