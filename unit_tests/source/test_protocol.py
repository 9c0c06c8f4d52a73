"""Files as platforms write them, messages as they expect them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.models import AirbyteMessage, AirbyteStreamStatus, StreamDescriptor
from airbyte_cdk.models.airbyte_protocol_serializers import AirbyteMessageSerializer
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message

from source_vitally.protocol import in_order, read_json, states_of

STATE = {"updatedAt": "2026-01-01T00:00:00.000Z"}
MESSAGE: dict[str, Any] = {
    "type": "STREAM",
    "stream": {"stream_descriptor": {"name": "users"}, "stream_state": STATE},
}


@pytest.mark.parametrize(
    "content",
    [[MESSAGE], MESSAGE, {"type": "STATE", "state": MESSAGE}, [{"type": "STATE", "state": MESSAGE}], {"users": STATE}],
)
def test_a_state_is_read_in_every_shape(content: Any) -> None:
    [found] = states_of(content)
    assert found.stream is not None
    assert found.stream.stream_descriptor.name == "users"
    assert found.stream.stream_state is not None
    assert found.stream.stream_state.__dict__ == STATE


@pytest.mark.parametrize("content", [None, [], {}])
def test_no_state_is_none(content: Any) -> None:
    assert states_of(content) == []


@pytest.mark.parametrize("content", ["users", [1], {"users": 5}, [{"type": "STREAM", "stream": None}], [{"type": "X"}]])
def test_what_is_no_state_is_refused(content: Any) -> None:
    with pytest.raises(Exception):  # noqa: B017,PT011  whatever the parser of the CDK raises
        states_of(content)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({"a": "ü"}).encode())
    assert read_json(str(path)) == {"a": "ü"}


def status(name: str, what: AirbyteStreamStatus) -> AirbyteMessage:
    return as_airbyte_message(StreamDescriptor(name=name), what)


def state(name: str) -> AirbyteMessage:
    stream = {"stream_descriptor": {"name": name}, "stream_state": STATE}
    return AirbyteMessageSerializer.load({"type": "STATE", "state": {"type": "STREAM", "stream": stream}})


def shown(messages: list[AirbyteMessage]) -> list[str]:
    return [m.trace.stream_status.status.name if m.trace else "STATE" for m in in_order(messages)]


def test_an_empty_stream_runs_before_it_is_complete_and_its_state_comes_before() -> None:
    started, complete = status("a", AirbyteStreamStatus.STARTED), status("a", AirbyteStreamStatus.COMPLETE)
    assert shown([started, complete, state("a")]) == ["STARTED", "RUNNING", "STATE", "COMPLETE"]
    running = status("a", AirbyteStreamStatus.RUNNING)
    assert shown([started, running, state("a"), complete]) == ["STARTED", "RUNNING", "STATE", "COMPLETE"]
    assert shown([complete, state("b")]) == ["RUNNING", "RUNNING", "STATE", "COMPLETE"]
