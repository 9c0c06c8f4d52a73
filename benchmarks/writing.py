"""(c) How fast does the destination write, how full are its batches, how much of the budget does it use?"""

from __future__ import annotations

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


def batches(count: int, *, latency: float = 0.0, limited: bool = False, size: int = 1000) -> Written:
    """Upsert accounts through the Analytics API, which accepts them unread."""
    return _written(("accounts", "batch"), count, _lines(count, size), latency, limited)


def rows(count: int, *, latency: float = 0.0, limited: bool = False) -> Written:
    """Create tasks one by one through REST."""
    when = "2026-01-01T00:00:00Z"

    def pour(path: Path) -> None:
        with path.open("wb") as file:
            for number in range(count):
                task = {"externalId": f"t{number}", "name": "T", "accountId": "a", "completedAt": when, "tags": ["x"]}
                file.write(orjson.dumps(record("tasks", task)) + b"\n")

    return _written(("tasks", "tasks"), count, pour, latency, limited)


def _lines(count: int, size: int) -> Callable[[Path], None]:
    def pour(path: Path) -> None:
        with path.open("wb") as file:
            file.writelines(lines(count, size, ("accounts",)))

    return pour


def _written(what: tuple[str, str], count: int, pour: Callable[[Path], None], latency: float, limited: bool) -> Written:
    """Write the lines that `pour` puts into a file; `what` is the stream and the path its records go to."""
    switches = Switches(discard_messages=True, latency=latency)
    with Sandbox(empty=True, switches=switches) as sandbox, tempfile.TemporaryDirectory() as folder:
        sandbox.workspace.insert("accounts", {"externalId": "a"})
        sandbox.journal = journal = Timed()
        journal.keep_bodies = False
        if limited:
            sandbox.limits = _nothing_saved_up()
        given = Path(folder, "input")
        pour(given)
        settings = destination_config(sandbox, requests_per_minute=LIMIT if limited else 100_000)
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
        "Accounts of 1 KB by Analytics batches, accepted unread; tasks by REST, created in the workspace. Rates count "
        f"from the first request to the last. *limiter*: both sides keep to {LIMIT:,} requests a minute, the server "
        "with nothing saved up; budget use is requests against what it then grants.",
        ("way", "latency", "limiter", "records", "records/s", "messages per request", "budget use", "MB at the most"),
    )
    cases: list[tuple[str, int, bool, list[Written]]] = [
        ("batches", 0, False, [batches(records) for _ in range(runs)]),
        ("batches", 100, False, [batches(records, latency=0.1)]),
        ("batches", 100, True, [batches(limited * BATCH, latency=0.1, limited=True)]),
        ("REST", 0, False, [rows(single) for _ in range(runs)]),
        ("REST", 100, False, [rows(single, latency=0.1)]),
        ("REST", 100, True, [rows(limited, latency=0.1, limited=True)]),
    ]
    for way, latency, paced, each in cases:
        fill = each[0].records / each[0].requests
        use = f"{_use(each[0]):.1%}" if paced else ""
        rate, peak = spread([one.rate for one in each]), max(one.process.peak for one in each)
        cells = (f"{each[0].records:,}", rate, f"{fill:.2f}", use, f"{peak:.0f}")
        found.rows.append((way, f"{latency} ms", "yes" if paced else "no", *cells))
    _judge(found, cases)
    figure, drawn = axes("Writing: records per second", "", "records/s")
    labels = [f"{way}\n{latency} ms{', limiter' * paced}" for way, latency, paced, _ in cases]
    drawn.bar(labels, [max(one.rate for one in each) for *_, each in cases])
    drawn.tick_params(axis="x", labelsize=7)
    drawn.set_yscale("log")
    save(figure, "c")
    return found


def _use(one: Written) -> float:
    return one.requests / (one.seconds * LIMIT / 60)


def _judge(found: Answer, cases: list[tuple[str, int, bool, list[Written]]]) -> None:
    at_once = cases[0][3]
    rate = sorted(one.rate for one in at_once)[len(at_once) // 2]
    fill = min(one.records / one.requests for way, _, _, each in cases if way == "batches" for one in each)
    used = [(way, _use(each[0])) for way, _, paced, each in cases if paced]
    found.targets += [
        Target("at least 30,000 records/s against a sandbox that answers at once", f"{rate:,.0f}", rate >= 30_000),
        Target("batches at least 99 of 100 full", f"{fill:.2f}", fill >= 99),
        Target(
            "at least 95 % of the limiter's budget at 100 ms",
            ", ".join(f"{way} {use:.1%}" for way, use in used),
            all(use >= 0.95 for _, use in used),
        ),
    ]
