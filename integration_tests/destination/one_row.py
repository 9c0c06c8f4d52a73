"""One row in several messages: what the tests of versions and of meanings share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from integration_tests.harness import Json, QuickClock, Run, destination_config, record, stream, write
from integration_tests.sandbox import Clock, Sandbox

START = 1_790_000_000

ACCOUNTS = [stream("accounts", cursor_field=["changed", "at"])]
MAPPED = [
    {
        "stream": "accounts",
        "object": "account",
        "operation": "upsert",
        "fields": [{"field": "externalId", "column": "externalId"}, {"field": "name", "column": "name"}],
        "traits": [{"trait": name, "column": name} for name in ("seats", "old")],
        "other_columns": "ignore",
    }
]
GONE = {"_ab_cdc_deleted_at": "2026-01-01T00:00:00Z"}


@contextmanager
def slow_workspace() -> Iterator[Sandbox]:
    """A workspace whose time passes only by waiting, and that applies messages two minutes after it took them."""
    clock = Clock(at=datetime.fromtimestamp(START, timezone.utc))
    with Sandbox(empty=True, clock=clock) as served:
        yield served


def sync(sandbox: Sandbox, streams: list[Json], messages: list[Json], **settings: Any) -> Run:
    """Run one sync and let everything take effect."""
    clock = QuickClock(START, passes=sandbox.clock.advance)
    run = write(destination_config(sandbox, **settings), streams, messages, clock=clock)
    sandbox.clock.advance(3600)
    return run


def version(at: Any, **more: Any) -> Json:
    return record("accounts", {"externalId": "a0", "name": "A", "changed": {"at": at}, **more})


def sent(sandbox: Sandbox, key: str = "a0") -> list[Json]:
    """The messages of an account in the order in which they were sent."""
    bodies = [request.body for request in sandbox.journal if request.path.endswith("/batch")]
    return [message for body in bodies for message in body if message.get("accountId") == key]


def traits(sandbox: Sandbox, key: str = "a0") -> Json:
    [row] = [row for row in sandbox.workspace.rows("accounts") if row["externalId"] == key]
    return dict(row["traits"])
