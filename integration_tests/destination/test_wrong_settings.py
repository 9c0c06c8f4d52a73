"""No wrong setting passes for success: what is rejected throughout stops or fails the sync, and its state stays."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from destination_vitally.outcomes.reasons import ALL_ALIKE
from integration_tests.harness import FORKED_DESTINATION, destination_config, record, run_process, state, stream, write
from integration_tests.sandbox import Sandbox

ACCOUNTS = [stream("accounts")]


def rows(count: int, **columns: Any) -> list[dict[str, Any]]:
    return [record("accounts", {**columns, "n": n}) for n in range(count)]


def good(count: int) -> list[dict[str, Any]]:
    return [record("accounts", {"externalId": f"a{n}", "name": "A"}) for n in range(count)]


def test_a_stream_that_is_rejected_for_one_reason_throughout_is_stopped(sandbox: Sandbox) -> None:
    messages = [*rows(200, name="A"), state("accounts", 1), *rows(500, name="A"), state("accounts", 2)]
    result = write(destination_config(sandbox), ACCOUNTS, messages)
    assert (
        f"the first {ALL_ALIKE} rows of stream accounts were all rejected for the same reason. {ALL_ALIKE} rejected: "
        in (str(result.error))
    )
    assert "externalId is required to upsert; map the column that holds your id to it" in str(result.error)
    assert result.states() == []
    assert len([line for line in result.logs("WARN") if line.startswith("Rejected, ")]) == 10


@pytest.mark.parametrize(
    ("messages", "stopped"),
    [
        ([*good(1), *rows(400)], False),
        ([*rows(200), *good(1), *rows(200)], False),
        ([*rows(200), *rows(200, externalId={"a": 1})], True),
    ],
    ids=["a good row first", "a good row among them", "two reasons"],
)
def test_what_does_not_stop_a_sync_at_once(sandbox: Sandbox, messages: list[Any], stopped: bool) -> None:
    result = write(destination_config(sandbox), ACCOUNTS, [*messages, state("accounts", 1)])
    assert (result.error is not None) is stopped
    assert bool(result.states()) is not stopped
    assert "Stopped" not in str(result.error)
    assert sum(result.counts("accounts").values()) == 2 * len(messages)


@pytest.mark.parametrize(
    ("bad", "fine", "limit", "problem"),
    [
        (1, 0, 100, "Stream accounts: none of its 1 rows could be written. 1 rejected: "),
        (10, 0, 100, "Stream accounts: none of its 10 rows could be written. 10 rejected: "),
        (9, 1, 100, ""),
        (2, 8, 20, ""),
        (
            3,
            7,
            20,
            "3 of 10 rows were rejected, which is more than the 20 % of Rejected rows at most "
            "(reject_limit_percent). 3 rejected: ",
        ),
        (1, 99, 0, "1 of 100 rows were rejected, which is more than the 0 % of Rejected rows at most (reject"),
        (0, 5, 0, ""),
        (0, 0, 0, ""),
    ],
)
def test_a_share_of_rejected_rows(sandbox: Sandbox, bad: int, fine: int, limit: int, problem: str) -> None:
    settings = destination_config(sandbox, reject_limit_percent=limit)
    result = write(settings, ACCOUNTS, [*rows(bad), *good(fine), state("accounts", 1)])
    assert problem in str(result.error or "")
    assert bool(result.error) is bool(problem)
    assert bool(result.states()) is (fine > 0 or bad < 10), "what is wholly rejected, and no accident, comes again"


def test_rejections_are_summed_up_by_reason_with_an_example(sandbox: Sandbox) -> None:
    messages = [*good(1), *rows(30), record("accounts", {"externalId": "x", "name": {"a": 1}}), *good(1)]
    result = write(destination_config(sandbox), ACCOUNTS, messages)
    said = [line for line in result.logs("INFO") if " rejected: " in line]
    assert said == [
        "Stream accounts: 30 rejected: externalId is required to upsert; map the column that holds your id to it "
        "(for example account)",
        "Stream accounts: 1 rejected: name must be a text; the value is an object (for example account 'x')",
    ]


def test_the_log_keeps_its_own_words_and_masks_whole_values_of_vitallys(sandbox: Sandbox) -> None:
    row = {"externalId": "name", "accountId": "required", "name": "upsert", "note": "text"}
    result = write(destination_config(sandbox), [stream("tasks")], [record("tasks", row)])
    [line] = [line for line in result.logs("WARN") if line.startswith("Rejected, ")]
    told = "Rejected, stream tasks, line 1: task 'name': accountId: Vitally has no account with this id"
    assert line.startswith(
        f"{told}; sync it along, or let Unknown accounts and organizations (unknown_parents) create it"
    )


@pytest.mark.parametrize("operation", ["delete", "upsert"])
def test_the_key_of_a_row_is_in_each_rejection(sandbox: Sandbox, operation: str) -> None:
    mapping = {
        "stream": "rows",
        "object": "account",
        "operation": operation,
        "fields": [{"field": "externalId", "column": "id"}],
    }
    messages = [record("rows", {"id": f"key-{n}", "name": {"bad": 1}}) for n in range(3)]
    result = write(destination_config(sandbox, mappings=[mapping]), [stream("rows")], messages)
    lines = [line for line in result.logs("WARN") if line.startswith("Rejected, ")]
    assert [f"account 'key-{n}': " in line for n, line in enumerate(lines)] == [True] * 3


# The process


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"lookback": 1}, "The configuration is not complete or not valid: lookback: there is no such setting"),
        ({"secret_token": "sk_live_wrong"}, "Vitally refused the key (HTTP 401"),
    ],
)
def test_a_mistake_prints_one_sentence_and_no_traceback(sandbox: Sandbox, changes: Any, sentence: str) -> None:
    settings = destination_config(sandbox, **changes)
    action = "discover" if "secret_token" in changes else "write"
    run = run_process(
        FORKED_DESTINATION, action, config=settings, catalog={"streams": ACCOUNTS} if action == "write" else None
    )
    assert run.exit_code == 1
    [trace] = run.of_type("TRACE")
    assert sentence in trace["trace"]["error"]["message"]
    assert trace["trace"]["error"]["failure_type"] == "config_error"
    assert "Traceback" not in run.raw + run.stderr
    assert not run.logs("FATAL")


@pytest.mark.parametrize("command", ["check", "discover"])
def test_check_and_discover_end_at_sigterm_as_any_process(tmp_path: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        place = {"region": "custom", "rest_url": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        config = tmp_path / "config.json"
        config.write_bytes(orjson.dumps({"data_center": place, "secret_token": "example"}))
        script = str(Path(sys.executable).parent / "destination-vitally")
        with subprocess.Popen([script, command, "--config", str(config)], stdout=subprocess.PIPE) as process:
            connection, _ = silent.accept()
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == -signal.SIGTERM
            connection.close()
