"""(c) How fast does the destination write, how full are its batches, how much of the budget does it use?"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.processes import Measured, run
from benchmarks.report import Answer, Target, axes, save, spread
from integration_tests.destination.measure import lines
from integration_tests.harness import destination_config, record, stream
from integration_tests.sandbox import Journal, Limits, Request, Sandbox, Switches

DESTINATION = [sys.executable, "-m", "destination_vitally", "write"]
LIMIT = 1000
BATCH = 100


HEADS = (
    *("way", "bytes", "latency", "limiter", "records", "records/s", "µs of CPU per record", "records per CPU second"),
    *("messages per request", "budget use", "MB at the most"),
)


class Timed(Journal):
    """A journal that knows when the first and the last request came."""

    first = last = 0.0

    def record(self, request: Request) -> None:
        self.last = time.perf_counter()
        self.first = self.first or self.last
        super().record(request)


@dataclass
class Written:
    """One run: its process, its requests, and the seconds from the first request to the last."""

    process: Measured
    requests: int
    seconds: float
    records: int

    @property
    def rate(self) -> float:
        return self.records / self.seconds

    def cpu(self, start: float) -> float:
        """Microseconds of the client's CPU, user and system, per record, without the seconds of its `start`."""
        return (self.process.cpu - start) / self.records * 1e6


@dataclass
class Case:
    """One way of writing, measured one or several times."""

    way: str
    size: str
    each: list[Written]
    latency: int = 0
    paced: bool = False

    @property
    def use(self) -> float:
        """How much of the limiter's budget was used."""
        return self.each[0].requests / (self.each[0].seconds * LIMIT / 60)

    def per_second(self, start: float) -> float:
        """How many records a second of the client's CPU is enough for."""
        return 1e6 / statistics.median(one.cpu(start) for one in self.each)

    def cells(self, start: float) -> tuple[str, ...]:
        """The row of the table."""
        one, each = self.each[0], self.each
        return (
            self.way,
            self.size,
            f"{self.latency} ms",
            "yes" if self.paced else "no",
            f"{one.records:,}",
            spread([one.rate for one in each]),
            spread([one.cpu(start) for one in each], 1),
            f"{self.per_second(start):,.0f}",
            f"{one.records / one.requests:.2f}",
            f"{self.use:.1%}" if self.paced else "",
            f"{max(one.process.peak for one in each):.0f}",
        )


def batches(
    count: int, *, latency: float = 0.0, limited: bool = False, size: int = 1000, alone: bool = False
) -> Written:
    """Upsert accounts through the Analytics API, which accepts them unread; `alone` is without the REST key."""
    return _written(("accounts", "batch"), count, _lines(count, size), latency, limited=limited, alone=alone)


def rows(count: int, *, latency: float = 0.0, limited: bool = False) -> Written:
    """Create tasks one by one through REST."""
    when = "2026-01-01T00:00:00Z"

    def pour(path: Path) -> None:
        with path.open("wb") as file:
            for number in range(count):
                task = {"externalId": f"t{number}", "name": "T", "accountId": "a", "completedAt": when, "tags": ["x"]}
                file.write(orjson.dumps(record("tasks", task)) + b"\n")

    return _written(("tasks", "tasks"), count, pour, latency, limited=limited)


def _lines(count: int, size: int) -> Callable[[Path], None]:
    def pour(path: Path) -> None:
        with path.open("wb") as file:
            file.writelines(lines(count, size, ("accounts",)))

    return pour


def _written(
    what: tuple[str, str],
    count: int,
    pour: Callable[[Path], None],
    latency: float,
    *,
    limited: bool,
    alone: bool = False,
) -> Written:
    """Write the lines that `pour` puts into a file; `what` is the stream and the path its records go to."""
    switches = Switches(discard_messages=True, latency=latency)
    with Sandbox(empty=True, switches=switches) as sandbox, tempfile.TemporaryDirectory() as folder:
        sandbox.workspace.insert("accounts", {"externalId": "a"})
        sandbox.workspace.insert("organizations", {"externalId": "o", "name": "O"})
        sandbox.journal = journal = Timed()
        journal.keep_bodies = False
        if limited:
            sandbox.limits = _nothing_saved_up()
        given = Path(folder, "input")
        pour(given)
        settings = destination_config(sandbox, requests_per_minute=LIMIT if limited else 100_000)
        if alone:
            del settings["secret_token"]
        name, path = what
        files = {"config": settings, "catalog": {"streams": [stream(name)]}}
        process = run(DESTINATION, files, given)
        return Written(process, journal.count(path), journal.last - journal.first, count)


def _nothing_saved_up() -> Limits:
    limits = Limits(LIMIT)
    for half in ("/resources", "/analytics/v1"):
        limits.take(half, "POST")
        limits.buckets[half].tokens = 0.0
    return limits


def answer(*, records: int, limited: int, single: int, runs: int) -> Answer:
    """Measure each way of writing."""
    found = Answer(
        "c",
        "Writing: by batches and row by row",
        "Accounts by Analytics batches, accepted unread; tasks by REST, created in the workspace. Rates count from the "
        "first request to the last; client and server share the cores, and the server is in Python too. *CPU* is the "
        "time of the client's process alone, user and system, without its start: what it would need against a server "
        f"that costs nothing. *limiter*: both sides keep to {LIMIT:,} requests a minute, the server with nothing saved "
        "up; budget use is requests against what it then grants.",
        HEADS,
    )
    start = statistics.median(batches(BATCH).process.cpu for _ in range(runs))
    cases = [
        Case("batches", "500", [batches(records, size=500) for _ in range(runs)]),
        Case("batches, Analytics key alone", "500", [batches(records, size=500, alone=True) for _ in range(runs)]),
        Case("batches", "1,000", [batches(records) for _ in range(runs)]),
        Case("batches", "1,000", [batches(records, latency=0.1)], 100),
        Case("batches", "1,000", [batches(limited * BATCH, latency=0.1, limited=True)], 100, paced=True),
        Case("REST", "", [rows(single) for _ in range(runs)]),
        Case("REST", "", [rows(single, latency=0.1)], 100),
        Case("REST", "", [rows(limited, latency=0.1, limited=True)], 100, paced=True),
    ]
    found.rows += [case.cells(start) for case in cases]
    found.remarks.append(f"The start of the client took {start:.2f} s of CPU.")
    _judge(found, cases, start)
    figure, drawn = axes("Writing: records per second", "", "records/s")
    labels = [f"{case.way}\n{case.size}\n{case.latency} ms{', limiter' * case.paced}" for case in cases]
    drawn.bar(labels, [max(one.rate for one in case.each) for case in cases])
    drawn.tick_params(axis="x", labelsize=6)
    drawn.set_yscale("log")
    save(figure, "c")
    return found


def _judge(found: Answer, cases: list[Case], start: float) -> None:
    full, alone = cases[:2]
    by_cpu = full.per_second(start)
    wall = statistics.median(one.rate for one in full.each)
    fill = min(one.records / one.requests for case in cases if case.way != "REST" for one in case.each)
    paced = [case for case in cases if case.paced]
    found.targets += [
        Target(
            "at least 30,000 records/s of 500 bytes by the client's CPU",
            f"{by_cpu:,.0f} with both keys ({wall:,.0f} by the clock), {alone.per_second(start):,.0f} with the "
            "Analytics key alone",
            by_cpu >= 30_000,
        ),
        Target("batches at least 99 of 100 full", f"{fill:.2f}", fill >= 99),
        Target(
            "at least 95 % of the limiter's budget at 100 ms",
            ", ".join(f"{case.way} {case.use:.1%}" for case in paced),
            all(case.use >= 0.95 for case in paced),
        ),
    ]
