"""The rows that are read: lists of equal rows of a given size, as a workspace with traits has them, and messages."""

from __future__ import annotations

from functools import cache
from typing import Any

from integration_tests.sandbox import Sandbox

STREAMS = ("accounts", "organizations", "conversations", "users")
"""Streams that are read side by side; the sandbox's resources have the same names."""

LARGE_STREAMS = (*STREAMS, "notes", "tasks", "projects", "meetings")
ROW = 2000
LARGE_ROW = 17_000
"""Bytes of a row in a page of 1.7 MB, the largest that has been reported."""

MESSAGES, MESSAGE = 60, 50_000
"""Messages of a conversation, and the bytes of each."""

_OTHER = 620
"""What a row has besides its traits, in bytes."""


def row(number: int, size: int, resource: str = "accounts") -> dict[str, Any]:
    """A row of a list, of about `size` bytes of JSON as REST shows it."""
    named = {"subject": "Hello"} if resource == "conversations" else {"name": f"Row {number}"}
    return {"externalId": f"row-{number}", **named, "traits": {**_traits(size), "number": number}}


@cache
def _traits(size: int) -> dict[str, str]:
    per_trait = 60
    return {f"custom_trait_{n}": "x" * 35 for n in range(max(1, (size - _OTHER) // per_trait))}


def fill(sandbox: Sandbox, resource: str, count: int, size: int = ROW) -> None:
    """Put `count` rows of about `size` bytes of JSON into a list."""
    sandbox.workspace.bulk(resource, count, lambda number: row(number, size, resource))


def fill_conversations(sandbox: Sandbox, count: int) -> None:
    """Put conversations with many long messages into a workspace."""
    text = "<p>Kind regards \U0001f642</p>" + "x" * MESSAGE

    def message(number: int) -> dict[str, Any]:
        return {"externalId": f"message-{number}", "message": text, "timestamp": "2026-05-02T09:00:00.000Z"}

    for number in range(count):
        conversation = sandbox.workspace.insert("conversations", {"externalId": f"c{number}", "subject": "Hello"})["id"]
        sandbox.workspace.bulk("messages", MESSAGES, message, conversationId=conversation)
