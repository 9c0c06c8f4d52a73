"""The connector as a process: its output, its end, and being killed half-way."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from destination_vitally import destination
from integration_tests.harness import (
    FORKED_DESTINATION,
    Json,
    Run,
    as_files,
    destination_config,
    global_state,
    record,
    run_destination,
    run_process,
    state,
    stream,
    write,
)
from integration_tests.sandbox import Fault, Sandbox, Switches
from vitally_api.ends import OUTPUT_CLOSED

COMMAND = [sys.executable, "-m", "destination_vitally"]
ACCOUNTS = {"streams": [stream("accounts")]}
IN_TIME = 60.0
"""Seconds for a start, a request, and what is allowed after SIGTERM."""


def test_spec_is_one_message() -> None:
    run = run_process(COMMAND, "spec")
    assert run.exit_code == 0
    [message] = run.messages
    assert message["spec"]["supported_destination_sync_modes"]


def test_a_whole_sync(sandbox: Sandbox) -> None:
    rows = [record("accounts", {"externalId": f"a{n}", "name": "A"}) for n in range(250)]

    run = _write(sandbox, ACCOUNTS, [*rows, state("accounts", 5)])

    assert run.exit_code == 0, run.raw
    assert run.state_ids == [5]
    assert len(sandbox.workspace.rows("accounts")) == 250
    assert "250 records = 250 accepted" in run.log


def test_check(sandbox: Sandbox) -> None:
    run = run_process(COMMAND, "check", config=destination_config(sandbox))
    assert (run.exit_code, run.connection_status["status"]) == (0, "SUCCEEDED")

    run = run_process(
        FORKED_DESTINATION, "check", config=destination_config(sandbox, secret_token="sk_live_not_real_but_secret")
    )
    assert (run.exit_code, run.connection_status["status"]) == (0, "FAILED")
    assert "Check REST API key (secret_token)" in run.connection_status["message"]


def test_an_error_is_a_trace_without_secrets_or_values(sandbox: Sandbox) -> None:
    lines = [record("accounts", {"externalId": "a", "name": "private"}), "private"]

    run = _write(sandbox, ACCOUNTS, lines)

    assert run.exit_code == 1
    assert run.errors == ["Line 2 of the input is not an Airbyte message."]
    assert "private" not in run.raw + run.stderr


def test_a_wrong_configuration_is_said_before_anything_is_read(sandbox: Sandbox) -> None:
    run = run_destination("write", destination_config(sandbox, num_workers=99), ACCOUNTS)
    assert run.exit_code == 1
    assert run.failure_types == {"config_error"}
    assert "num_workers" in run.errors[0]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("config", "{secret", "The configuration is not valid JSON"),
        ("config", "[]", "The configuration is not a JSON object"),
        ("catalog", "", "The configured catalog is not valid JSON"),
        ("catalog", '{"streams": [{}]}', "The configured catalog is not as the protocol says"),
        ("catalog", Path("nowhere.json"), "The configured catalog cannot be read: No such file"),
    ],
)
def test_files_that_cannot_be_read(name: str, content: Any, problem: str) -> None:
    run = run_destination("write", **{"config": {}, "catalog": {"streams": []}, name: content})
    assert run.exit_code == 1
    assert run.errors[0].startswith(problem)
    assert "secret" not in (run.raw + run.stderr).replace("secrets", "")


def _write(sandbox: Sandbox, catalog: Json, lines: list[Any], **more: Any) -> Run:
    return run_process(
        FORKED_DESTINATION, "write", config=destination_config(sandbox), catalog=catalog, stdin=lines, **more
    )


# Being ended


def mixed(start: int) -> list[dict[str, Any]]:
    """Accounts, users, events and tasks that refer to each other, with a state now and then."""
    messages: list[dict[str, Any]] = []
    for n in range(start, 300):
        plan = {"plan": f"p{n % 7}"}
        account = f"a{n % 50}"
        messages.append(record("accounts", {"externalId": account, "name": "A", **plan}, emitted_at=n))
        if n % 3 == 0:
            messages.append(record("users", {"externalId": f"u{n % 20}", "accountId": account, **plan}))
        messages.append(record("events", {"event": "seen", "accountId": account, "timestamp": 1_780_000_000 + n}))
        messages.append(record("tasks", {"externalId": f"t{n % 60}", "name": f"T{n}", "accountId": account}))
        if n % 30 == 29:
            messages.append(global_state(n))
    return messages


def events(start: int) -> list[dict[str, Any]]:
    """Events only: states come back while the sync goes on."""
    messages: list[dict[str, Any]] = []
    for n in range(start, 4000):
        messages.append(record("events", {"event": "seen", "accountId": "a0", "timestamp": 1_780_000_000 + n}))
        if n % 250 == 249:
            messages.append(global_state(n))
    return messages


FEEDS = {"mixed": mixed, "events": events}
STREAMS = [stream(name) for name in ("accounts", "users", "events", "tasks")]


def contents(sandbox: Sandbox) -> Any:
    """What the workspace holds, by the ids that the records gave."""
    names = {row["id"]: row["externalId"] for name in ("accounts", "users") for row in sandbox.workspace.rows(name)}

    def named(value: Any) -> Any:
        if isinstance(value, list):
            return sorted(map(named, value))
        return names.get(value, value) if isinstance(value, str) else value

    def plain(row: dict[str, Any]) -> dict[str, Any]:
        return {k: named(v) for k, v in row.items() if k not in ("id", "createdAt", "updatedAt")}

    found = {
        name: sorted(map(plain, sandbox.workspace.rows(name)), key=lambda row: str(row["externalId"]))
        for name in ("accounts", "users", "tasks")
    }
    return found, sorted(event["timestamp"] for event in sandbox.workspace.events)


def workspace() -> Sandbox:
    # The connector waits by the machine's clock here.
    sandbox = Sandbox(empty=True, switches=Switches(effect_delay=1, latency=0.002))
    sandbox.workspace.insert("accounts", {"externalId": "a0", "name": "A"})
    return sandbox


@cache
def undisturbed(feed: str) -> Any:
    """What the workspace holds when nothing happens."""
    with workspace() as sandbox:
        streams = STREAMS if feed == "mixed" else [stream("events")]
        result = write(destination_config(sandbox), streams, FEEDS[feed](0))
        assert result.error is None
        return contents(sandbox)


@pytest.mark.parametrize(
    ("feed", "requests"), [("mixed", 1), ("mixed", 150), ("events", 3), ("events", 20), ("events", 36)]
)
def test_killed_and_replayed_from_the_last_state(feed: str, requests: int) -> None:
    with workspace() as sandbox:
        catalog = {"streams": STREAMS if feed == "mixed" else [stream("events")]}
        run = _write(sandbox, catalog, FEEDS[feed](0), when=lambda: len(sandbox.journal) >= requests)
        assert run.state_ids == sorted(run.state_ids)
        if (feed, requests) == ("events", 36):
            assert run.state_ids, "this case is about resuming half-way"

        since = run.state_ids[-1] + 1 if run.state_ids else 0
        again = write(destination_config(sandbox), catalog["streams"], FEEDS[feed](since))

        assert again.error is None
        assert contents(sandbox) == undisturbed(feed)


def terminated(sandbox: Sandbox) -> Run:
    """A sync that is asked to end after its first request, its input still open."""
    rows = [record("accounts", {"externalId": f"a{n}", "name": "A"}) for n in range(150)]
    lines = [*rows, state("accounts", 1)]
    ending = {"when": lambda: bool(sandbox.journal), "ending": signal.SIGTERM, "limit": IN_TIME}
    return _write(sandbox, ACCOUNTS, lines, stdin_stays_open=True, **ending)


def test_sigterm_writes_what_it_has_and_claims_nothing_else(sandbox: Sandbox) -> None:
    run = terminated(sandbox)

    assert run.exit_code == 143
    landed = len(sandbox.workspace.rows("accounts"))
    assert landed >= 100
    assert f"{landed} records = {landed} accepted" in run.log
    assert len(run.states()) <= (landed == 150)
    assert not run.of_type("TRACE")


def test_sigterm_during_an_outage_ends_in_time(sandbox: Sandbox) -> None:
    busy = {"Retry-After": "120"}
    sandbox.faults.add(Fault(path="batch", kind="status", status=429, headers=busy, times=None))

    run = terminated(sandbox)

    assert run.exit_code == 143
    assert not run.states()
    assert "without outcome" in run.log


@pytest.mark.parametrize(
    ("setting", "mode", "known"),
    [
        ("destination_sync_mode", "mirror", "append, overwrite, append_dedup"),
        ("sync_mode", "partial", "full_refresh, incremental"),
    ],
)
def test_a_sync_mode_that_nobody_knows_is_named_with_those_there_are(
    sandbox: Sandbox, setting: str, mode: str, known: str
) -> None:
    catalog = {"streams": [{**stream("accounts"), setting: mode}]}
    run = run_destination("write", destination_config(sandbox), catalog)
    assert run.failure_types == {"config_error"}
    assert f"stream 'accounts': there is no {setting} '{mode}'" in run.errors[0]
    assert known in run.errors[0]


# Ends that nobody waits for


@pytest.mark.parametrize("command", ["check", "write"])
def test_an_output_that_nobody_reads_ends_it_in_silence(sandbox: Sandbox, tmp_path: Path, command: str) -> None:
    catalog = ACCOUNTS if command == "write" else None
    files = as_files(tmp_path, config=destination_config(sandbox), catalog=catalog)
    pipe = subprocess.PIPE
    process = subprocess.Popen([*COMMAND, command, *files], stdin=pipe, stdout=pipe, stderr=pipe)
    assert process.stdout
    process.stdout.close()
    rows = [record("accounts", {"externalId": "a", "name": "A"}), state("accounts", 1)]
    _, said = process.communicate(b"".join(json.dumps(row).encode() + b"\n" for row in rows), timeout=IN_TIME)
    assert (process.returncode, said) == (OUTPUT_CLOSED, b"")


def test_a_check_ends_whatever_the_server_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes connections and never answers; the seconds are fewer here."""
    monkeypatch.setattr(destination, "LONGEST_CHECK", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        place = {"region": "custom", "rest_url": url}
        run = run_destination("check", {"data_center": place, "secret_token": "sk_live_example_not_real"})
    assert run.connection_status["status"] == "FAILED"
    assert "The check was broken off after 0 s: what it asked had not been answered" in run.connection_status["message"]
