"""A bucket that keeps what is stored in it, and the requests that had been answered by then; what its journal lacks."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import orjson

from destination_vitally.journal.lines import Intent, Line, Outcome
from integration_tests.harness import Json
from integration_tests.sandbox import Sandbox

STORAGE: Json = {
    "storage_type": "S3",
    "s3_bucket_name": "acme-rejected",
    "s3_bucket_region": "eu-central-1",
    "bucket_path": "vitally",
    "access_key_id": "EXAMPLEKEYID",
    "secret_access_key": "example/secret",
}
"""The settings of a bucket that is not there; `open_bucket` is to be patched."""


class KeptBucket:
    """Stands in for a bucket; `answered` is how many requests a sandbox had answered when each file was stored."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.files: dict[str, bytes] = {}
        self.answered: dict[str, int] = {}
        self.fails: Exception | None = None

    def put(self, key: str, body: bytes) -> None:
        """Store a file."""
        if self.fails:
            raise self.fails
        assert key not in self.files
        self.files[key] = body
        self.answered[key] = len(self._sandbox.journal)

    def prove(self) -> None:
        """It can be written to."""

    def lines(self, key: str) -> list[Line]:
        """Return the lines of a file of the journal, each as the format has it."""
        return [Line.model_validate_json(line) for line in gzip.decompress(self.files[key]).splitlines()]

    def journals(self) -> Iterator[str]:
        """Yield the names of the files of the journal."""
        yield from (key for key in self.files if key.startswith("journal/"))

    def intents(self) -> list[Intent]:
        """Return the intents of all files, in their order."""
        found = [line.intent for key in self.journals() for line in self.lines(key) if line.intent]
        return sorted(found, key=lambda one: one.seq)

    def outcomes(self) -> list[Outcome]:
        """Return the outcomes of all files."""
        return [line.outcome for key in self.journals() for line in self.lines(key) if line.outcome]

    def unannounced(self) -> list[str]:
        """Return each request that changed something without an intent that was stored before."""
        stored = sorted(
            (self.answered[key], _texts(line.intent.model_dump()))
            for key in self.journals()
            for line in self.lines(key)
            if line.intent
        )
        workspace = self._sandbox.workspace
        yours = {
            str(row["id"]): str(row.get("externalId")) for name in workspace.tables for row in workspace.rows(name)
        }
        ids = {one.id: one.label for one in self.outcomes() if one.id}
        has_values = any(one.values for one in self.intents())
        found = []
        for place, request in enumerate(self._sandbox.journal):
            known = set().union(*(texts for answered, texts in stored if answered <= place))
            for name in _written(request.method, request.path, request.body, has_values=has_values):
                is_known = any(f"'{text}'" in ids.get(name, "") for text in known)
                if name not in known and yours.get(name) not in known and not is_known:
                    found.append(f"{request.method} {request.path} of {name}")
        return found


def _texts(value: Any) -> list[str]:
    """Return all texts in a value."""
    if isinstance(value, dict):
        return [text for entry in value.values() for text in _texts(entry)]
    if isinstance(value, list):
        return [text for entry in value for text in _texts(entry)]
    return [str(value)]


def _written(method: str, path: str, body: Any, *, has_values: bool) -> Iterator[str]:
    """Yield what tells each row that a request writes."""
    if path.endswith("/batch"):
        for message in body:
            own = next(message[n] for n in ("externalId", "userId", "accountId", "organizationId") if message.get(n))
            if has_values or not message.get("event"):
                yield str(message.get("event") or own)
    elif method == "POST":
        # Without values nothing tells a row that has no id of yours.
        names = ("externalId", "name", "subject", "note", "label", "vitallyUserId", "userId", "email", "type")
        yield from [str(body[name]) for name in (names if has_values else names[:1]) if body.get(name)][:1]
    elif method in ("PUT", "DELETE"):
        yield unquote(path.rsplit("/", 1)[-1])


def parsed(content: bytes) -> list[Json]:
    """Return the lines of a gzipped file."""
    return [orjson.loads(line) for line in gzip.decompress(content).splitlines()]
