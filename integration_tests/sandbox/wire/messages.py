"""What passes between the HTTP server and the workspace's rules, free of any HTTP library."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

Row = dict[str, Any]


class ApiError(Exception):
    """An answer other than success: the status and the text of the error envelope."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


@dataclass
class Request:
    """One request as received. `path` is the raw path on the wire (`/resources/accounts/a%2Fb`)."""

    index: int
    method: str
    path: str
    query: dict[str, str]
    body: Any = None
    status: int = 0
    """Of the answer; 0 when the connection was dropped before one existed."""
    fault: str | None = None
    """The kind of the fault that hit this request."""
    size: int = field(default=0, repr=False)
    """Bytes of the body."""


@dataclass
class Page:
    """A page of a REST list that has been computed and not yet sent."""

    resource: str
    number: int
    rows: list[Row]
    query: Mapping[str, str]


@dataclass
class Reply:
    """An answer: `body` is sent as JSON, or nothing when it is `NO_BODY`."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    page: Page | None = None

    def encoded(self, *, numeric_ids: bool = False) -> bytes:
        body = b"" if self.body is NO_BODY else _with_oddities(orjson.dumps(self.body))
        return _NUMERIC_ID.sub(rb"\1", body) if numeric_ids else body


NO_BODY = object()
_NUMERIC_ID = re.compile(rb'"(9\d{14})"')


def numeric_id(bits: int) -> str:
    """Return a text that is an id where ids are numbers: no other text looks like it."""
    return str(9 * 10**14 + bits % 10**14)


CUT_EMOJI, NOT_A_NUMBER, TOO_LARGE, LONG_INTEGER = "\ue000", "\ue001", "\ue002", "\ue003"
"""Texts in rows that are sent as what strict parsers of JSON refuse: the first anywhere in a text, the others alone."""
ODDITIES = {
    CUT_EMOJI.encode(): b"\\ud83d",
    f'"{NOT_A_NUMBER}"'.encode(): b"NaN",
    f'"{TOO_LARGE}"'.encode(): b"1e400",
    f'"{LONG_INTEGER}"'.encode(): b"12345678901234567890123",
}


def _with_oddities(body: bytes) -> bytes:
    if b"\xee\x80" in body:
        for mark, sent in ODDITIES.items():
            body = body.replace(mark, sent)
    return body


Hook = Callable[[Page], None]


class Journal(list[Request]):
    """Every request in the order it was answered, those hit by a fault included."""

    keep_bodies = True
    limit: int | None = None
    """Keep at most this many requests, dropping the oldest half when it is passed."""

    def record(self, request: Request) -> None:
        if not self.keep_bodies:
            request.body = None
        self.append(request)
        if self.limit is not None and len(self) > self.limit:
            del self[: self.limit // 2]

    def matching(self, path_regex: str = "", method: str | None = None) -> list[Request]:
        """Return the requests whose path contains a match of `path_regex`."""
        pattern = re.compile(path_regex)
        return [r for r in list(self) if pattern.search(r.path) and method in (None, r.method)]

    def count(self, path_regex: str = "", method: str | None = None) -> int:  # type: ignore[override]
        return len(self.matching(path_regex, method))
