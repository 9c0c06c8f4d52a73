"""Syncs into a sandbox: messages in, what came out, and a clock that does not wait."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from airbyte_cdk.models.airbyte_protocol_serializers import ConfiguredAirbyteCatalogSerializer

from destination_vitally import DestinationVitally
from integration_tests.sandbox import Sandbox

Message = dict[str, Any]


class QuickClock:
    """Time that passes only by waiting, so that waits of minutes take no time."""

    def __init__(self, start: float = 1_790_000_000.0) -> None:
        self.waits: list[float] = []
        self._start = start
        self._passed = 0.0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        return self._passed

    def now(self) -> float:
        return self._start + self._passed

    def wait(self, seconds: float) -> None:
        with self._lock:
            self._passed += seconds
            self.waits.append(seconds)


def config(sandbox: Sandbox, **settings: Any) -> dict[str, Any]:
    """Settings that write into a sandbox with both keys."""
    return {
        "data_center": {"region": "custom", "rest_url": sandbox.url, "analytics_url": sandbox.url},
        "secret_token": sandbox.rest_key,
        "analytics_token": sandbox.analytics_token,
        "requests_per_minute": 100_000,
        **settings,
    }


def record(stream: str, data: dict[str, Any], emitted_at: int = 1_789_000_000_000) -> Message:
    return {"type": "RECORD", "record": {"stream": stream, "data": data, "emitted_at": emitted_at}}


def state(stream: str, identifier: int, **blob: Any) -> Message:
    """A STATE as the platform sends it: with an id the CDK knows nothing of."""
    return {
        "type": "STATE",
        "state": {
            "type": "STREAM",
            "stream": {"stream_descriptor": {"name": stream}, "stream_state": blob or {"cursor": identifier}},
            "id": identifier,
        },
    }


def stream(name: str, mode: str = "append_dedup", **more: Any) -> dict[str, Any]:
    """A configured stream."""
    return {
        "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
        "sync_mode": "full_refresh",
        "destination_sync_mode": mode,
        **more,
    }


@dataclass
class Result:
    """What a sync gave back."""

    states: list[Message] = field(default_factory=list)
    summary: dict[str, str] = field(default_factory=dict)
    error: BaseException | None = None

    @property
    def state_ids(self) -> list[int]:
        return [message["state"]["id"] for message in self.states]

    def counts(self, stream_name: str) -> dict[str, int]:
        """The numbers of a stream's summary line: `records`, `accepted`, ..."""
        line = self.summary[stream_name].replace(" = ", ", ").split(": ", 1)[1]
        return {
            word: int(number)
            for number, word, *_ in (part.split(" ") for part in line.split(", ") if part[0].isdigit())
        }


def write(
    settings: dict[str, Any],
    streams: Iterable[dict[str, Any]],
    messages: Iterable[Message | bytes],
    *,
    clock: Any = None,
    caplog: Any = None,
) -> Result:
    """Run one sync in this process; an error of the sync is in the result."""
    catalog = ConfiguredAirbyteCatalogSerializer.load({"streams": list(streams)})
    lines = [m if isinstance(m, bytes) else orjson.dumps(m) for m in messages]
    result = Result()
    destination = DestinationVitally(clock or QuickClock())
    if caplog is not None:
        caplog.set_level("INFO", logger="airbyte")
        caplog.clear()
    try:
        for message in destination.write_lines(settings, catalog, [lines]):
            result.states.append(message)
    except Exception as error:
        result.error = error
    for entry in caplog.records if caplog is not None else ():
        text = entry.getMessage()
        if text.startswith("Stream ") and " records = " in text:
            result.summary[text.removeprefix("Stream ").split(" ")[0]] = text
    return result
