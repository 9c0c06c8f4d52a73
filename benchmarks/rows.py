"""The rows that are read: four lists of equal rows of a given size, as a workspace with traits has them."""

from __future__ import annotations

from typing import Any

from integration_tests.sandbox import Sandbox

STREAMS = ("accounts", "organizations", "conversations", "users")
"""Streams that are read side by side; the sandbox's resources have the same names."""

_OTHER = 620
"""What a row has besides its traits, in bytes."""


def fill(sandbox: Sandbox, resource: str, count: int, size: int = 2000) -> None:
    """Put `count` rows of about `size` bytes of JSON into a list."""
    per_trait = 60
    traits = {f"custom_trait_{n}": "x" * 35 for n in range(max(1, (size - _OTHER) // per_trait))}

    def row(number: int) -> dict[str, Any]:
        named = {"subject": "Hello"} if resource == "conversations" else {"name": f"Row {number}"}
        return {"externalId": f"row-{number}", **named, "traits": {**traits, "number": number}}

    sandbox.workspace.bulk(resource, count, row)
