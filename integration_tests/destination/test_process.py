"""The connector as a process: its output, its end, and being killed half-way."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Event, Thread
from typing import IO, Any

import pytest

from integration_tests.destination.helpers import config, record, state, stream, write
from integration_tests.sandbox import Fault, Sandbox

COMMAND = [sys.executable, "-m", "destination_vitally"]
TIMEOUT = 60


class Files:
    """The files a command is given."""

    def __init__(self, folder: Path, settings: dict[str, Any], streams: list[dict[str, Any]]) -> None:
        self.config = folder / "config.json"
        self.catalog = folder / "catalog.json"
        self.config.write_text(json.dumps(settings))
        self.catalog.write_text(json.dumps({"streams": streams}))

    @property
    def write(self) -> list[str]:
        return [*COMMAND, "write", "--config", str(self.config), "--catalog", str(self.catalog)]

    @property
    def check(self) -> list[str]:
        return [*COMMAND, "check", "--config", str(self.config)]


def run(command: list[str], messages: list[Any] | None = None) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, the messages on stdout, and stdout and stderr as text."""
    text = "".join((m if isinstance(m, str) else json.dumps(m)) + "\n" for m in messages or [])
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stdout + done.stderr


def of_type(messages: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [message for message in messages if message["type"] == kind]


def test_spec_is_one_message() -> None:
    code, messages, _ = run([*COMMAND, "spec"])
    assert code == 0
    assert [m["type"] for m in messages] == ["SPEC"]
    assert messages[0]["spec"]["supported_destination_sync_modes"]


def test_a_whole_sync(sandbox: Sandbox, tmp_path: Path) -> None:
    files = Files(tmp_path, config(sandbox), [stream("accounts")])
    rows = [record("accounts", {"externalId": f"a{n}", "name": "A"}) for n in range(250)]

    code, messages, text = run(files.write, [*rows, state("accounts", 5)])

    assert code == 0, text
    assert [m["state"]["id"] for m in of_type(messages, "STATE")] == [5]
    assert len(sandbox.workspace.rows("accounts")) == 250
    assert "250 records = 250 accepted" in text


def test_check(sandbox: Sandbox, tmp_path: Path) -> None:
    code, messages, _ = run(Files(tmp_path, config(sandbox), []).check)
    assert (code, messages[-1]["connectionStatus"]["status"]) == (0, "SUCCEEDED")

    secret = "sk_live_not_real_but_secret"
    code, messages, text = run(Files(tmp_path, config(sandbox, secret_token=secret), []).check)
    assert (code, messages[-1]["connectionStatus"]["status"]) == (0, "FAILED")
    assert "Check secret_token" in messages[-1]["connectionStatus"]["message"]
    assert secret not in text


def test_an_error_is_a_trace_without_secrets_or_values(sandbox: Sandbox, tmp_path: Path) -> None:
    files = Files(tmp_path, config(sandbox), [stream("accounts")])

    code, messages, text = run(files.write, [record("accounts", {"externalId": "a", "name": "private"}), "private"])

    assert code == 1
    trace = of_type(messages, "TRACE")[0]["trace"]["error"]
    assert trace["message"] == "Line 2 of the input is not an Airbyte message."
    assert "private" not in text
    assert sandbox.rest_key not in text
    assert sandbox.analytics_token not in text


def test_a_wrong_configuration_is_said_before_anything_is_read(sandbox: Sandbox, tmp_path: Path) -> None:
    files = Files(tmp_path, {**config(sandbox), "num_workers": 99}, [stream("accounts")])
    code, messages, _ = run(files.write, [])
    assert code == 1
    assert of_type(messages, "TRACE")[0]["trace"]["error"]["failure_type"] == "config_error"
    assert "num_workers" in of_type(messages, "TRACE")[0]["trace"]["error"]["message"]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("config", "{secret", "The configuration is not valid JSON"),
        ("config", "[]", "The configuration is not a JSON object"),
        ("catalog", "", "The configured catalog is not valid JSON"),
        ("catalog", '{"streams": [{}]}', "The configured catalog is not as the protocol says"),
        ("catalog", None, "The configured catalog cannot be read: No such file"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: str | None, problem: str) -> None:
    files = Files(tmp_path, {}, [])
    files.catalog.write_text('{"streams": []}')
    broken = tmp_path / f"{name}.json"
    broken.write_text(content) if content is not None else broken.unlink()
    code, messages, text = run(files.write, [])
    assert code == 1
    assert of_type(messages, "TRACE")[0]["trace"]["error"]["message"].startswith(problem)
    assert "secret" not in text.replace("secrets", "")


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


def global_state(number: int) -> dict[str, Any]:
    return {"type": "STATE", "state": {"type": "GLOBAL", "global": {"stream_states": []}, "id": number}}


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
    sandbox = Sandbox(empty=True)
    sandbox.workspace.insert("accounts", {"externalId": "a0", "name": "A"})
    sandbox.switches.latency = 0.002
    return sandbox


@cache
def undisturbed(feed: str) -> Any:
    """What the workspace holds when nothing happens."""
    with workspace() as sandbox:
        streams = STREAMS if feed == "mixed" else [stream("events")]
        result = write(config(sandbox), streams, FEEDS[feed](0))
        assert result.error is None
        return contents(sandbox)


@pytest.mark.parametrize(
    ("feed", "requests"), [("mixed", 1), ("mixed", 150), ("events", 3), ("events", 20), ("events", 36)]
)
def test_killed_and_replayed_from_the_last_state(tmp_path: Path, feed: str, requests: int) -> None:
    with workspace() as sandbox:
        files = Files(tmp_path, config(sandbox), STREAMS if feed == "mixed" else [stream("events")])
        with subprocess.Popen(files.write, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            feeding = Thread(target=pour, args=(process.stdin, FEEDS[feed](0)))
            feeding.start()
            while len(sandbox.journal) < requests and process.poll() is None:
                Event().wait(0.001)
            process.kill()
            given = [json.loads(line) for line in process.stdout.read().splitlines() if line.endswith(b"}")]
            feeding.join()
        states = [m["state"]["id"] for m in of_type(given, "STATE")]
        assert states == sorted(states)
        if (feed, requests) == ("events", 36):
            assert states, "this case is about resuming half-way"

        code, _, text = run(files.write, FEEDS[feed](states[-1] + 1 if states else 0))

        assert code == 0, text
        assert contents(sandbox) == undisturbed(feed)


def pour(target: IO[bytes], messages: list[dict[str, Any]]) -> None:
    """Write messages into a pipe whose reader may vanish."""
    with suppress(BrokenPipeError), target:
        for message in messages:
            target.write(json.dumps(message).encode() + b"\n")


def terminated(sandbox: Sandbox, folder: Path) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and messages of a sync that is asked to end after its first request, its input still open."""
    files = Files(folder, config(sandbox), [stream("accounts")])
    rows = [record("accounts", {"externalId": f"a{n}", "name": "A"}) for n in range(150)]
    with subprocess.Popen(files.write, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"".join(json.dumps(m).encode() + b"\n" for m in [*rows, state("accounts", 1)]))
        process.stdin.flush()
        while not sandbox.journal and process.poll() is None:
            Event().wait(0.002)
        process.send_signal(signal.SIGTERM)
        messages = [json.loads(line) for line in process.stdout.read().splitlines()]
        return process.wait(30), messages


def test_sigterm_writes_what_it_has_and_claims_nothing_else(sandbox: Sandbox, tmp_path: Path) -> None:
    code, messages = terminated(sandbox, tmp_path)

    assert code == 143
    landed = len(sandbox.workspace.rows("accounts"))
    assert landed >= 100
    assert any(f"{landed} records = {landed} accepted" in m["log"]["message"] for m in of_type(messages, "LOG"))
    assert len(of_type(messages, "STATE")) <= (landed == 150)
    assert not of_type(messages, "TRACE")


def test_sigterm_during_an_outage_ends_in_time(sandbox: Sandbox, tmp_path: Path) -> None:
    busy = {"Retry-After": "120"}
    sandbox.faults.add(Fault(path="batch", kind="status", status=429, headers=busy, times=None))

    code, messages = terminated(sandbox, tmp_path)

    assert code == 143
    assert not of_type(messages, "STATE")
    assert any("without outcome" in m["log"]["message"] for m in of_type(messages, "LOG"))
