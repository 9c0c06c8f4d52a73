"""What goes wrong on the way: a list of faults, each hitting the requests it matches."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal

Kind = Literal["status", "html", "drop", "latency", "drop_after", "truncate", "not_json", "no_results", "status_after"]


@dataclass
class Fault:
    """Hits requests whose path (`/resources/accounts`) contains a match of `path`.

    `status`, `html` and `drop` hit before the workspace acts; `drop_after`, `truncate`, `not_json`, `no_results`
    and `status_after` after it acted; `latency` delays by `seconds` and combines with the others.
    """

    path: str = ""
    method: str | None = None
    kind: Kind = "status"
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    times: int | None = 1
    """How many requests are hit; None = all of them."""
    skip: int = 0
    """How many matching requests pass first."""
    seconds: float = 0.0


class Faults:
    """The faults in force, asked once per request."""

    def __init__(self) -> None:
        self._seen: list[tuple[Fault, list[int]]] = []
        self._lock = Lock()

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._seen.append((fault, [0]))
        return fault

    def clear(self) -> None:
        with self._lock:
            self._seen.clear()

    def hitting(self, method: str, path: str) -> tuple[float, Fault | None]:
        """Return the delay in seconds and the one fault that hit this request, the oldest first."""
        delay, chosen = 0.0, None
        with self._lock:
            for fault, seen in self._seen:
                if fault.method not in (None, method) or not re.search(fault.path, path):
                    continue
                if fault.kind != "latency" and chosen is not None:
                    continue
                seen[0] += 1
                order = seen[0] - fault.skip
                if order < 1 or (fault.times is not None and order > fault.times):
                    continue
                if fault.kind == "latency":
                    delay += fault.seconds
                else:
                    chosen = fault
        return delay, chosen
