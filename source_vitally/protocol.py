"""Files and messages of the Airbyte protocol, as platforms write and expect them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from airbyte_cdk.models import AirbyteMessage, AirbyteStateMessage, AirbyteStreamStatus, StreamDescriptor
from airbyte_cdk.models.airbyte_protocol_serializers import AirbyteStateMessageSerializer
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message


def read_json(path: str) -> Any:
    """Return what is in a file, with a byte order mark or without; ValueError where it is not JSON."""
    return json.loads(Path(path).read_bytes().decode("utf-8-sig"))


def states_of(content: Any) -> list[AirbyteStateMessage]:
    """Return the states that a file holds: messages, or an object with the state of each stream; raise for others."""
    if isinstance(content, Mapping):
        content = [content] if "type" in content else [_message(name, state) for name, state in content.items()]
    messages = [item["state"] if item.get("type") == "STATE" else item for item in content or []]
    states = [AirbyteStateMessageSerializer.load(message) for message in messages]
    if not all(state.stream or state.global_ or state.data for state in states):
        raise ValueError("a state is about a stream, or about all")
    return states


def _message(stream: str, state: Any) -> dict[str, Any]:
    if not isinstance(state, Mapping):
        raise ValueError(f"the state of {stream} is not an object")
    return {"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": state}}


def in_order(messages: Iterable[AirbyteMessage]) -> Iterator[AirbyteMessage]:
    """Yield messages in the order that platforms expect.

    Each stream that is complete has been running before, empty ones as well, and a state comes before the word that
    its stream is complete.
    """
    running: set[str] = set()  # or over
    with_state: set[str] = set()
    held: dict[str, AirbyteMessage] = {}
    for message in messages:
        name = _stream_of(message)
        status = _status_of(message)
        if status in (AirbyteStreamStatus.RUNNING, AirbyteStreamStatus.INCOMPLETE):
            running.add(name)
        elif name not in running and (message.state or status == AirbyteStreamStatus.COMPLETE):
            running.add(name)
            yield as_airbyte_message(StreamDescriptor(name=name), AirbyteStreamStatus.RUNNING)
        if message.state:
            with_state.add(name)
        elif status == AirbyteStreamStatus.COMPLETE and name not in with_state:
            held[name] = message
            continue
        yield message
        if name in with_state and name in held:
            yield held.pop(name)
    yield from held.values()


def _status_of(message: AirbyteMessage) -> AirbyteStreamStatus | None:
    status = message.trace.stream_status if message.trace else None
    return status.status if status else None


def _stream_of(message: AirbyteMessage) -> str:
    if message.state and message.state.stream:
        return str(message.state.stream.stream_descriptor.name)
    status = message.trace.stream_status if message.trace else None
    return str(status.stream_descriptor.name) if status else ""
