"""Syncs into a workspace whose time passes only by waiting, and what may happen there in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from integration_tests.harness import Json, QuickClock, Run, destination_config, record, stream, write
from integration_tests.sandbox import Sandbox

START = 1_790_000_000


def sync(sandbox: Sandbox, mode: str, messages: list[Json], **settings: Any) -> Run:
    """Run one sync of whatever streams the messages are of; its waits let the time of the workspace pass."""
    names = dict.fromkeys(m["record"]["stream"] for m in messages if m["type"] == "RECORD")
    clock = QuickClock(START, passes=sandbox.clock.advance)
    config = destination_config(sandbox, verify=mode, **settings)
    deletes: Json = {"properties": {"_ab_cdc_deleted_at": {}}} if settings.get("allow_deletes") else {}
    streams = [stream(name) for name in names]
    for one in streams:
        one["stream"]["json_schema"] = deletes
    return write(config, streams, messages, clock=clock)


def accounts(count: int, **more: Any) -> list[Json]:
    return [record("accounts", {"externalId": f"a{n}", "name": f"Acme {n}", "seats": n, **more}) for n in range(count)]


def found(run: Run, name: str = "accounts") -> str:
    """Return what was said of a stream."""
    [line] = [line for line in run.logs() if line.startswith(f"Stream {name}: of ")]
    return line.removeprefix(f"Stream {name}: ").removesuffix(".")


def soon(sandbox: Sandbox, seconds: float, change: Callable[[], Any]) -> None:
    """Let something happen in the workspace some time from now."""

    def happen() -> None:
        change()

    sandbox.workspace.later(sandbox.clock.now() + timedelta(seconds=seconds), happen)


def without_custom_objects(sandbox: Sandbox) -> None:
    for row in sandbox.workspace.rows("customObjects"):
        soon(sandbox, 1, partial(sandbox.workspace.tables["customObjects"].remove, row["id"]))


def without_custom_fields(sandbox: Sandbox) -> None:
    sandbox.switches.unknown_traits_rejected = False
    for row in sandbox.workspace.rows("customFields"):
        soon(sandbox, 1, partial(sandbox.workspace.tables["customFields"].remove, row["id"]))


def changed(sandbox: Sandbox) -> None:
    """Let somebody change an account in the moment in which the message to it takes effect."""
    workspace = sandbox.workspace

    def change() -> None:
        workspace.update("accounts", (workspace.find("accounts", "new") or {})["id"], {"name": "Otherwise"})

    soon(sandbox, 5, lambda: soon(sandbox, 0, change))


def deleting(resource: str, external_id: str) -> Callable[[Sandbox], None]:
    """Let a row be deleted between the acceptance of a message and its effect."""

    def delete(sandbox: Sandbox) -> None:
        row = sandbox.workspace.find(resource, external_id)
        assert row
        soon(sandbox, 1, partial(sandbox.workspace.delete, resource, row["id"]))

    return delete


def dropping(name: str, value: str) -> Callable[[Sandbox], None]:
    def drop(sandbox: Sandbox) -> None:
        sandbox.switches.drops = lambda message: message.get(name) == value

    return drop


def as_it_is(_: Sandbox) -> None:
    pass
