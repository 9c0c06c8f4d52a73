"""A sandbox in a process of its own, with as many rows as asked for, fast enough not to be what is measured.

`python -m benchmarks.server --rows 10000`. Pages are computed by the sandbox like any other; as nothing changes here,
the first few are kept as bytes, so that a second reader of the same list waits only for the network.
"""

from __future__ import annotations

import argparse
import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from subprocess import PIPE, Popen
from sys import executable
from threading import Event
from typing import Any

import orjson

from benchmarks.rows import LARGE_ROW, LARGE_STREAMS, ROW, STREAMS, fill, fill_conversations
from integration_tests.sandbox import Limits, Reply, Request, Sandbox, Switches

REMEMBERED = 500
"""How many pages are kept, of some 200 KB each."""


_ONE = re.compile(r"(/resources/(\w+)/)row-(\d+)")


class Served(Sandbox):
    """A sandbox that remembers its first pages, counts its requests, and finds the rows of a bulk by externalId."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.requests: Counter[str] = Counter()
        self._pages: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[Reply, bytes]] = {}

    def _reply(self, request: Request, authorization: str | None) -> tuple[Reply, bytes]:
        self.requests[f"{request.method} {request.path.split('/')[2]}"] += 1
        if request.method != "GET" or self.limits is not None:
            return super()._reply(request, authorization)
        if one := _ONE.fullmatch(request.path):
            [newest] = self.workspace.newest(one[2])
            return super()._reply(
                replace(request, path=f"{one[1]}{newest['id'][:-12]}{int(one[3]):012x}"), authorization
            )
        key = request.path, tuple(sorted(request.query.items()))
        known = self._pages.get(key)
        if known is None:
            known = super()._reply(request, authorization)
            if len(self._pages) < REMEMBERED:
                self._pages[key] = known
        return known


@dataclass
class Address:
    """Where a server is, with how many rows in each of its lists, and, once it has ended, what it has seen."""

    url: str
    rows: int
    most_under_way: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    """By method and resource."""


@contextmanager
def serving(
    rows: int,
    *,
    latency: float = 0.0,
    per_minute: int | None = None,
    lists: int = len(STREAMS),
    size: int = ROW,
    what: str = "lists",
) -> Iterator[Address]:
    """A server in a process of its own; `per_minute` is its limit, with nothing saved up at the start."""
    command = [executable, "-m", "benchmarks.server", "--rows", str(rows), "--lists", str(lists), "--what", what]
    command += ["--size", str(size)]
    command += ["--latency", str(latency), *(["--requests-per-minute", str(per_minute)] if per_minute else [])]
    with Popen(command, stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = Address(process.stdout.readline().strip(), rows)
            yield address
        finally:
            process.terminate()
            address.most_under_way, requests = orjson.loads(process.stdout.readline() or b"[0, {}]")
            address.requests = Counter(requests)


def main() -> None:
    """Serve until SIGTERM; the address is the first line of output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--lists", type=int, default=len(STREAMS))
    parser.add_argument("--size", type=int, default=ROW, help="bytes of a row")
    parser.add_argument("--what", choices=("lists", "large pages", "messages"), default="lists")
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--requests-per-minute", type=int)
    asked = parser.parse_args()
    limits = None
    if asked.requests_per_minute:
        limits = Limits(asked.requests_per_minute)
        limits.take("/resources", "GET")
        limits.take("/analytics/v1", "POST")
        for bucket in limits.buckets.values():
            bucket.tokens = 0.0
    sandbox = Served(
        empty=True, switches=Switches(latency=asked.latency, discard_messages=True, unknown_traits_rejected=False)
    )
    sandbox.limits = limits
    sandbox.journal.keep_bodies = False
    sandbox.journal.limit = 10_000
    if asked.what == "messages":
        fill_conversations(sandbox, asked.rows)
    elif asked.what == "large pages":
        for resource in LARGE_STREAMS:
            fill(sandbox, resource, asked.rows, LARGE_ROW)
    else:
        for resource in STREAMS[: asked.lists]:
            fill(sandbox, resource, asked.rows, asked.size)
    stopped = Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    with sandbox:
        print(sandbox.url, flush=True)
        stopped.wait()
        print(orjson.dumps([sandbox.most_under_way, sandbox.requests]).decode(), flush=True)


if __name__ == "__main__":
    main()
