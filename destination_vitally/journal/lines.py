"""The lines of a journal, as they are written and read: one definition of what a file holds.

A file is gzipped JSON lines. Each line is an object with one member, that says which kind of line it is: first the
`header`, then `intent` and `outcome` in any number, the `trailer` last.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from destination_vitally.compare.comparison import TRAIT

VERSION = 1

LONGEST = 10_000_000
"""Bytes that a line may have."""

Operation = Literal["create", "upsert", "update", "delete"]


class Part(BaseModel):
    """Base of all parts: what the format does not have is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Header(Part):
    """Which sync a file is of. Times are ISO 8601 in UTC."""

    v: Literal[1] = Field(description="The version of the format")
    workspace: str = Field(description="Address of the REST API of the workspace that was written to")
    sync_id: int = Field(description="The platform's number of the sync, 0 where it gives none")
    attempt: int = Field(description="Which attempt of it, from 0")
    started_at: str = Field(description="When it began, by the clock of this machine")
    run: str = Field(default="", description="What no other run has, of those that began at the same moment")
    journal: Literal["none", "outcomes", "changes"] = Field(
        default="changes", description="What is in it, as it is set; always what a mirror deletes"
    )
    dry_run: bool = Field(default=False, description="Whether nothing was sent: then there are no outcomes")


class Value(Part):
    """One value of a row."""

    place: Literal["field", "trait"] = Field(description="field, or trait")
    name: str = Field(description="What Vitally calls it; of a trait its path")
    known: bool = Field(description="Whether it is known what was there before")
    before: Any = Field(description="What was there; null also where nothing was, or where it is not known")
    sent: Any = Field(description="What is sent; null removes the value")


class Link(Part):
    """One row that a row is linked to, by a field that may refer to several: the account of a user."""

    name: str = Field(description="The field, such as accountIds")
    id: str | None = Field(description="Vitally's id of the other row, null where it is not known")
    external_id: str | None = Field(default=None, description="Your id of the other row, null where it is not known")
    was: bool | None = Field(description="Whether it was linked before; null where it is not known")


class Origin(Part):
    """Where a line is from."""

    seq: int = Field(description="Numbers the intents of a sync; an outcome has that of its intent, if there is one")
    line: int | None = Field(default=None, description="The line of the input; null of what no record asks for")
    entry: int = Field(default=0, description="Which of the entries of its stream in Mappings, 0 where it has one")
    stream: str | None = Field(default=None, description="Null of a parent that is created since rows name it")
    namespace: str | None = Field(default=None, description="That of the stream")
    object: str = Field(default="", description="What mappings call the object, such as account")


class Intent(Origin):
    """What is about to be sent for one record and entry of its mapping; stored before it is."""

    operation: Operation = Field(description="create, upsert, update or delete")
    route: Literal["batch", "rest"] = Field(description="batch, by the Analytics API, or rest")
    key: dict[str, str] = Field(description="What the record says of the keys of its row")
    id: str | None = Field(description="Vitally's id of the row, null where it is not known")
    existed: bool | None = Field(description="Whether the row was there; null where it is not known")
    read_at: str | None = Field(description="When the values before were read, null where they were not")
    values: list[Value] = Field(description="What is sent, a value each; empty where only outcomes are kept")
    links: list[Link] = Field(description="The rows it is linked to, or taken out of by a delete")
    row: dict[str, Any] | None = Field(description="The whole row as Vitally showed it, of deletes")


class Outcome(Origin):
    """What became of a record. A later line of the same `seq` adds to an earlier one what was seen since."""

    label: str = Field(default="", description="What the log calls the row")
    outcome: str = Field(
        description="accepted, superseded, unchanged, skipped, rejected; or waiting: nothing was sent yet, and another "
        "intent of the same line follows"
    )
    reason: str | None = Field(default=None, description="Of a rejection")
    status: int | None = Field(default=None, description="Of a rejection, the HTTP status, if there was an answer")
    effect: str | None = Field(default=None, description="created, updated or deleted, where Vitally's answer tells")
    id: str | None = Field(default=None, description="Vitally's id of the row, where it is known by now")
    taken_at: str | None = Field(default=None, description="When Vitally took it, by its own clock")
    landed_at: str | None = Field(
        default=None, description="When the row was seen to show it, by the clock of this machine"
    )
    seen: dict[str, Any] | None = Field(
        default=None,
        description=f"What Vitally showed afterwards, by name, {TRAIT}<path> of a trait; null if unread",
    )
    record: Any = Field(default=None, description="The record as it arrived, if it was rejected")


class Trailer(Part):
    """The end of a file that is whole."""

    lines: int = Field(description="How many lines stand before it")
    hmac: str | None = Field(description="HMAC-SHA256 of the bytes before it, with the REST API key; null without one")


class Line(Part):
    """One line of a file: exactly one of its members."""

    header: Header | None = None
    intent: Intent | None = None
    outcome: Outcome | None = None
    trailer: Trailer | None = None


def signature(content: bytes, key: str | None) -> str | None:
    """Return the signature of what stands before a trailer; None without a key."""
    return hmac.new(key.encode(), content, hashlib.sha256).hexdigest() if key else None
