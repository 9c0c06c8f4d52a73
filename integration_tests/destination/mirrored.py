"""Workspaces that a table is mirrored to: what is in the table, what is only in Vitally, and what a platform sends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pytest

from destination_vitally.destination import SYNC_MODES
from destination_vitally.mirror.missing import Missing
from integration_tests.airbyte_platform import (
    FULL_REFRESH_OVERWRITE_DEDUP,
    Connection,
    Destination,
    Selected,
    SourceStream,
)
from integration_tests.harness import Json, Run, destination_config, record, write
from integration_tests.sandbox import Row, Sandbox

WHEN = "2026-01-01T00:00:00.000Z"
REGISTRY = Destination.from_registry(SYNC_MODES)
IDS = ("generation_id", "minimum_generation_id", "sync_id")
"""By what a catalog says whether the whole table is read to replace what was there."""


class Mirrored(NamedTuple):
    """An object: its rows' place in the sandbox, a record of it, and the row that the record leaves."""

    object: str
    resource: str
    data: Json
    row: Row
    word: str = "delete"
    operation: str = "upsert"


def objects(sandbox: Sandbox) -> dict[str, Mirrored]:
    """Insert the parents that rows need; return the objects that can be mirrored."""
    insert = sandbox.workspace.insert
    account = insert("accounts", {"externalId": "acme", "name": "Acme"})["id"]
    user = insert("users", {"externalId": "ida", "name": "Ida", "accountIds": [account]})["id"]
    [definition] = [row["id"] for row in sandbox.workspace.rows("customObjects") if row["name"] == "featureRequest"]
    of_acme, nobody = {"accountId": "acme"}, "delete_with_everything_below"
    answer = {"score": 9, "respondedAt": WHEN}
    people = [{"type": "organizer", "userId": "ida"}]
    return {
        one.object: one
        for one in (
            Mirrored("organization", "organizations", {"name": "O"}, {"name": "O"}, nobody),
            Mirrored("account", "accounts", {"name": "A"}, {"name": "A"}, nobody),
            Mirrored("user", "users", of_acme, {"accountIds": [account]}),
            Mirrored(
                "custom_object/featureRequest",
                "instances",
                {"name": "I", **of_acme},
                {"name": "I", "customerId": account, "customObjectId": definition},
            ),
            Mirrored("note", "notes", {"note": "N", "noteDate": WHEN, **of_acme}, {"note": "N", "accountId": account}),
            Mirrored("task", "tasks", {"name": "T", **of_acme}, {"name": "T", "accountId": account}),
            Mirrored("nps_response", "npsResponses", {"userId": "ida", **answer}, {"userId": user, **answer}),
            Mirrored(
                "conversation", "conversations", {"subject": "C", "messages": []}, {"subject": "C"}, operation="create"
            ),
            Mirrored("meeting", "meetings", {"title": "M", "participants": people}, {"title": "M"}),
        )
    }


NOTES = "note"


class Scene:
    """A sandbox with rows of one object, and a table of them."""

    def __init__(self, sandbox: Sandbox, name: str = NOTES, there: Iterable[str] = ()) -> None:
        """`there` are the externalIds of the rows in Vitally, made before the sync begins."""
        self.sandbox = sandbox
        self.one = objects(sandbox)[name]
        self.account = sandbox.workspace.rows("accounts")[0]["id"]
        self.others = {row["id"] for row in sandbox.workspace.rows(self.one.resource)}
        self.ids = {key: self.insert(key)["id"] for key in there}
        self.pass_time()

    def insert(self, key: str | None, **more: Any) -> Row:
        """Make a row in Vitally."""
        return self.sandbox.workspace.insert(self.one.resource, {**self.one.row, "externalId": key, **more})

    def pass_time(self) -> None:
        """Let a minute pass: what is there was made before what comes."""
        self.sandbox.clock.advance(60)

    def mapping(self, name: str = "table", **more: Any) -> Json:
        """Return the mapping of a stream."""
        one = self.one
        said: Json = {
            "object": one.object,
            "operation": one.operation,
            "other_columns": "ignore",
            "missing_rows": one.word,
        }
        said |= {"missing_rows_grace_hours": 0}
        return {"stream": name, **said, **more}

    def record(self, key: str | None, name: str = "table", **more: Any) -> Json:
        """Return a row of the table."""
        return record(name, {"externalId": key, **self.one.data, **more})

    def sync(
        self,
        keys: Iterable[str] = (),
        *,
        messages: list[Json] | None = None,
        streams: list[Json] | None = None,
        **settings: Any,
    ) -> Run:
        """Read the table to its end, as a platform does that replaces what was there."""
        config = destination_config(
            self.sandbox,
            **{"allow_deletes": True, "max_deletes_percent": 50, "mappings": [self.mapping()], **settings},
        )
        if messages is None:
            messages = [*map(self.record, keys), complete("table")]
        return write(config, streams or [full("table")], messages)

    def left(self) -> set[str | None]:
        """Return the externalIds of the rows that are in Vitally and not archived, but for those others need."""
        rows = self.sandbox.workspace.rows(self.one.resource)
        return {row["externalId"] for row in rows if not row.get("archivedAt") and row["id"] not in self.others}

    @property
    def deletes(self) -> int:
        """How many rows were asked to be deleted."""
        return self.sandbox.journal.count("resources/", "DELETE")


def full(name: str, **more: Any) -> Json:
    """Return a stream that is read whole, as Airbyte's platform has it in the seventh job of its connection."""
    of = SourceStream(name, {}, source_defined_primary_key=[["externalId"]])
    connection = Connection(REGISTRY, Selected(of, FULL_REFRESH_OVERWRITE_DEDUP))
    jobs = [connection.job() for _ in range(7)]
    return {**jobs[-1].catalog["streams"][0], **more}


def complete(name: str, status: str = "COMPLETE") -> Json:
    """Return what a platform says when a stream has been read to its end."""
    told = {"stream_descriptor": {"name": name}, "status": status}
    return {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 0, "stream_status": told}}


def said(run: Run) -> str:
    """Return what a sync said of its mirrors at the end."""
    return "\n".join(line for line in run.logs() if "Mirror of " in line)


def around_the_list(
    monkeypatch: pytest.MonkeyPatch,
    before: Callable[[], object] = lambda: None,
    after: Callable[[], object] = lambda: None,
) -> None:
    """Do something right before a mirror reads the list of all rows, or right after it."""
    original = Missing.read

    def read(missing: Missing, beat: Callable[[], None]) -> None:
        before()
        original(missing, beat)
        after()

    monkeypatch.setattr(Missing, "read", read)
