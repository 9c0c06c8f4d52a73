"""States: the original JSON, in order, with exact numbers, never early and never much too late."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from airbyte_cdk.models.airbyte_protocol_serializers import (
    AirbyteMessageSerializer,
    ConfiguredAirbyteCatalogSerializer,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from destination_vitally import DestinationVitally
from integration_tests.harness import (
    QuickClock,
    destination_config,
    global_state,
    record,
    state,
    stream,
    write,
    write_chunks,
)
from integration_tests.sandbox import Sandbox

ACCOUNTS = [stream("accounts")]


def account(number: int) -> dict[str, Any]:
    return record("accounts", {"externalId": f"a{number}", "name": "A"})


def test_a_state_is_given_back_as_it_came(sandbox: Sandbox) -> None:
    original = state("accounts", 7, cursor="ü", nested={"__private": [1, None]})
    original["state"]["sourceStats"] = {"recordCount": 2.0}
    original["state"]["unknown"] = {"kept": True}

    result = write(destination_config(sandbox), ACCOUNTS, [account(1), account(2), orjson.dumps(original)])

    stats = result.states()[0].pop("destinationStats")
    assert stats == {"recordCount": 2.0, "rejectedRecordCount": 0.0}
    assert result.of_type("STATE") == [original]


def test_numbers_are_per_state_and_per_stream(sandbox: Sandbox) -> None:
    bad = record("accounts", {"name": "no id"})
    messages = [
        account(1), record("users", {"externalId": "u", "accountId": "a1"}), state("accounts", 1),
        bad, account(2), bad, state("accounts", 2), state("users", 3), state("accounts", 4),
    ]  # fmt: skip

    result = write(destination_config(sandbox), [*ACCOUNTS, stream("users")], messages)

    stats = [list(state["destinationStats"].values()) for state in result.states()]
    assert result.state_ids == [1, 2, 3, 4]
    assert stats == [[1.0, 0.0], [1.0, 2.0], [1.0, 0.0], [0.0, 0.0]]


def test_global_and_legacy_states_cover_every_stream(sandbox: Sandbox) -> None:
    shared = global_state(1)
    legacy = {"type": "STATE", "state": {"data": {"cursor": 1}, "id": 2}}
    messages = [
        account(1),
        record("users", {"externalId": "u", "accountId": "a1"}),
        shared,
        account(2),
        legacy,
    ]

    result = write(destination_config(sandbox), [*ACCOUNTS, stream("users")], messages)

    assert result.state_ids == [1, 2]
    assert [state["destinationStats"]["recordCount"] for state in result.states()] == [2.0, 1.0]


def test_namespaces_keep_streams_apart(sandbox: Sandbox) -> None:
    def named(namespace: str | None) -> dict[str, Any]:
        configured = stream("accounts")
        configured["stream"]["namespace"] = namespace
        return configured

    def within(message: dict[str, Any], namespace: str) -> dict[str, Any]:
        if message["type"] == "RECORD":
            message["record"]["namespace"] = namespace
        else:
            message["state"]["stream"]["stream_descriptor"]["namespace"] = namespace
        return message

    messages = [
        account(1), within(account(2), "crm"), within(account(3), "crm"), within(state("accounts", 1), "crm"),
        state("accounts", 2),
    ]  # fmt: skip

    result = write(destination_config(sandbox), [named(None), named("crm")], messages)

    assert [state["destinationStats"]["recordCount"] for state in result.states()] == [2.0, 1.0]


def test_a_state_waits_for_a_full_batch_but_less_than_a_minute(sandbox: Sandbox) -> None:
    clock = QuickClock()
    arriving: queue.Queue[list[bytes] | None] = queue.Queue()

    def chunks() -> Iterator[list[bytes]]:
        while chunk := arriving.get():
            yield chunk

    arriving.put([orjson.dumps(m) for m in (account(1), state("accounts", 1))])
    given: list[Any] = []
    seen = threading.Event()

    def run() -> None:
        for message in write_chunks(destination_config(sandbox), ACCOUNTS, chunks(), clock):
            given.append(message)
            seen.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert not seen.wait(1.5)
        assert sandbox.journal.count("batch") == 0
        clock.wait(30)
        assert seen.wait(5)
        assert sandbox.journal.count("batch") == 1
    finally:
        arriving.put(None)
        thread.join()


@pytest.mark.parametrize("keys", ["analytics_token", "secret_token"])
def test_no_state_comes_before_its_records(sandbox: Sandbox, keys: str) -> None:
    sandbox.switches.latency = 0.005
    settings = destination_config(sandbox)
    del settings["secret_token" if keys == "analytics_token" else "analytics_token"]
    lines = []
    for n in range(300):
        lines += [orjson.dumps(account(n)), orjson.dumps(state("accounts", n + 1))]

    for message in write_chunks(settings, ACCOUNTS, [lines]):
        assert len(sandbox.workspace.rows("accounts")) >= message["state"]["id"]


def test_full_batches_do_not_wait_for_a_state(sandbox: Sandbox) -> None:
    messages: list[Any] = []
    for n in range(1000):
        messages += [account(n), state("accounts", n)]

    result = write(destination_config(sandbox), ACCOUNTS, messages)

    assert result.state_ids == list(range(1000))
    assert sandbox.journal.count("batch") == 10


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"this is not JSON and holds a secret", "not an Airbyte message"),
        (b"[1, 2]", "not an Airbyte message"),
        (b'{"no": "type"}', "not an Airbyte message"),
        (b'{"type": "RECORD", "record": {"stream": "accounts"}}', "RECORD without data"),
        (
            b'{"type": "RECORD", "record": {"stream": "elsewhere", "data": {}}}',
            "stream 'elsewhere', which is not in the",
        ),
        (b'{"type": "RECORD"}', "RECORD without data"),
        (b'{"type": "STATE"}', "STATE without a state"),
        (b'{"type": "STATE", "state": {"stream": {"stream_descriptor": {"name": 5}}}}', "STATE without a state"),
        (b'{"type": "STATE", "state": {"stream": "secret"}}', "STATE without a state"),
        (b'{"type": "\xff"}', "not an Airbyte message"),
    ],
)
def test_a_line_that_is_no_message_ends_the_sync_with_its_number(sandbox: Sandbox, line: bytes, problem: str) -> None:
    messages: list[Any] = [account(1), state("accounts", 1), b"", line, account(2), state("accounts", 2)]

    result = write(destination_config(sandbox), ACCOUNTS, messages)

    assert isinstance(result.error, AirbyteTracedException)
    assert "Line 4 " in str(result.error.message)
    assert problem in str(result.error.message)
    assert "secret" not in str(result.error.message) + str(result.error.internal_message) + result.log
    assert 2 not in result.state_ids


def test_other_messages_are_passed_over(sandbox: Sandbox) -> None:
    done = {"stream_descriptor": {"name": "accounts"}, "status": "COMPLETE"}
    others: list[dict[str, Any]] = [
        {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": done}},
        {"type": "LOG", "log": {"level": "INFO", "message": "hello"}},
        {"type": "CONTROL", "control": {}},
    ]

    result = write(destination_config(sandbox), ACCOUNTS, [account(1), *others, state("accounts", 1)])

    assert result.error is None
    assert result.state_ids == [1]


def test_messages_can_be_handed_over_as_objects(sandbox: Sandbox) -> None:
    catalog = ConfiguredAirbyteCatalogSerializer.load({"streams": ACCOUNTS})
    messages = [AirbyteMessageSerializer.load(m) for m in (account(1), account(2), state("accounts", 1))]

    given = list(DestinationVitally(QuickClock()).write(destination_config(sandbox), catalog, messages))

    assert [m.type.value for m in given] == ["STATE"]
    assert AirbyteMessageSerializer.dump(given[0])["state"]["destinationStats"] == {"recordCount": 2.0}
    assert len(sandbox.workspace.rows("accounts")) == 2
