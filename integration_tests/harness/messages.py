"""Messages and configured catalogs, as a platform makes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from integration_tests.harness.runs import Json


def record(stream: str, data: Json, emitted_at: int = 1_789_000_000_000) -> Json:
    """Return a RECORD."""
    return {"type": "RECORD", "record": {"stream": stream, "data": data, "emitted_at": emitted_at}}


def state(stream: str, identifier: int, **blob: Any) -> Json:
    """Return a STATE as the platform sends it: with an id the CDK knows nothing of."""
    return {
        "type": "STATE",
        "state": {
            "type": "STREAM",
            "stream": {"stream_descriptor": {"name": stream}, "stream_state": blob or {"cursor": identifier}},
            "id": identifier,
        },
    }


def global_state(identifier: int) -> Json:
    """Return a STATE that covers every stream."""
    return {"type": "STATE", "state": {"type": "GLOBAL", "global": {"stream_states": []}, "id": identifier}}


def stream(name: str, mode: str = "append_dedup", **more: Any) -> Json:
    """Return a configured stream as a destination gets it that is a custom Docker image; its columns are not named.

    `integration_tests/airbyte_platform` says what others get: generations, keys, a cursor.
    """
    return {
        "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
        "sync_mode": "full_refresh" if mode == "overwrite" else "incremental",
        "destination_sync_mode": mode,
        **more,
    }


def configured(catalog: Mapping[str, Any], streams: Iterable[str] = (), sync_mode: str = "incremental") -> Json:
    """Return a discovered catalog with the named streams (all by default) selected."""
    wanted = set(streams) or {stream["name"] for stream in catalog["streams"]}
    return {
        "streams": [
            {
                "stream": stream,
                "sync_mode": sync_mode if sync_mode in stream["supported_sync_modes"] else "full_refresh",
                "destination_sync_mode": "append",
            }
            for stream in catalog["streams"]
            if stream["name"] in wanted
        ]
    }
