"""Syncs of a table as Airbyte's platform makes them, by its model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from destination_vitally.destination import SYNC_MODES
from integration_tests.airbyte_platform import (
    FULL_REFRESH_OVERWRITE,
    INCREMENTAL_APPEND,
    SYNC,
    Connection,
    Destination,
    Mode,
    Selected,
    SourceStream,
)
from integration_tests.destination.mirrored import REGISTRY, Scene
from integration_tests.harness import Json, Run

CUSTOM = Destination.custom_docker(SYNC_MODES)


def appended(name: str, *columns: str) -> list[Json]:
    """Return the configured streams of an incremental connection."""
    stream = SourceStream(name, {key: {} for key in columns}, source_defined_cursor=True)
    streams: list[Json] = Connection(REGISTRY, Selected(stream, INCREMENTAL_APPEND)).job().catalog["streams"]
    return streams


def source_stream(scene: Scene, name: str = "table") -> SourceStream:
    columns: dict[str, Json] = {column: {} for column in ("externalId", *scene.one.data)}
    return SourceStream(name, columns, source_defined_primary_key=[["externalId"]], default_cursor_field=["externalId"])


def sync(
    scene: Scene,
    destination: Destination = REGISTRY,
    mode: Mode = FULL_REFRESH_OVERWRITE,
    kind: str = SYNC,
    *,
    keys: Iterable[str] = ("a", "ida"),
    messages: Iterable[Json] | None = None,
    source_succeeds: bool = True,
    monkeypatch: pytest.MonkeyPatch | None = None,
    **settings: Any,
) -> Run:
    """Make a connection of one stream, and a job of it in which the source has some rows."""
    connection = Connection(destination, Selected(source_stream(scene), mode))
    connection.job()  # the very first job of an installation looks like PyAirbyte, which fills in 1
    job = connection.job(SYNC, attempt=2) if kind == "retry" else connection.job(kind)
    if monkeypatch:
        monkeypatch.setenv("WORKER_JOB_ATTEMPT", str(job.attempt - 1))
    messages = job.delivered(map(scene.record, keys) if messages is None else messages, source_succeeds)
    return scene.sync(messages=messages, streams=job.catalog["streams"], **{"max_deletes_percent": 100, **settings})
