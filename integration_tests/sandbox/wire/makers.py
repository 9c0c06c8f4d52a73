"""Others at work in the workspace between our requests: who acts, and before or after which of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Literal

from integration_tests.sandbox.wire.messages import Request


@dataclass
class Maker:
    """Somebody else, who acts next to the requests whose path (`/resources/accounts`) contains a match of `path`."""

    acts: Callable[[Request], object]
    """May write into the workspace, or send requests of its own."""
    path: str = ""
    method: str | None = None
    when: Literal["before", "after"] = "before"
    """Before the workspace has seen the request, or between what it did and its answer."""
    times: int | None = 1
    """Next to how many requests; None = all of them."""
    skip: int = 0
    """How many matching requests pass first."""


class Makers:
    """All who are at work, asked before and after each request."""

    def __init__(self) -> None:
        self._seen: list[tuple[Maker, list[int]]] = []
        self._lock = Lock()

    def add(self, maker: Maker) -> Maker:
        with self._lock:
            self._seen.append((maker, [0]))
        return maker

    def remove(self, maker: Maker) -> None:
        with self._lock:
            self._seen = [(one, seen) for one, seen in self._seen if one is not maker]

    def clear(self) -> None:
        with self._lock:
            self._seen.clear()

    def acting(self, request: Request, when: str) -> list[Maker]:
        """Return who acts next to this request now."""
        found = []
        with self._lock:
            for maker, seen in self._seen:
                if maker.when != when or maker.method not in (None, request.method):
                    continue
                if not re.search(maker.path, request.path):
                    continue
                seen[0] += 1
                order = seen[0] - maker.skip
                if order >= 1 and (maker.times is None or order <= maker.times):
                    found.append(maker)
        return found
