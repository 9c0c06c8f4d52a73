"""Runs a connector as a process whose output is read but not kept, and measures time, memory and what came."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import IO, Any

from integration_tests.harness import as_files, configured

PAGE = 100
SAMPLES_PER_SECOND = 5
CATALOG_STREAM = {"json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}


@dataclass
class Measured:
    """One run: seconds from the start of the process, seconds since the first record, and the memory over time."""

    seconds: float = 0.0
    since_first: float = 0.0
    records: int = 0
    streams: int = 1
    cpu: float = 0.0
    states: list[Any] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    """(seconds since the start, MB of memory)"""

    @property
    def peak(self) -> float:
        """The most memory in MB."""
        return max((megabytes for _, megabytes in self.memory), default=0.0)

    @property
    def rate(self) -> float:
        """Records per second after the first page of each stream, so that start-up does not count."""
        return (self.records - PAGE * self.streams) / self.since_first if self.since_first else 0.0


def run(command: list[str], files: dict[str, Any], stdin: Path | None = None) -> Measured:
    """Run a command with JSON files as `--name path`; its output is counted line by line."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = as_files(Path(folder), **files)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("COV")}
        given = stdin.open("rb") if stdin else None
        start = time.perf_counter()
        process = subprocess.Popen([*command, *arguments], stdin=given, stdout=subprocess.PIPE, env=environment)
        assert process.stdout is not None
        found = Measured()
        reading = Thread(target=_count, args=(process.stdout, found, start))
        reading.start()
        while reading.is_alive():
            reading.join(1 / SAMPLES_PER_SECOND)
            found.memory += [(time.perf_counter() - start, m) for m in _memory(process.pid)]
        _, status, usage = os.wait4(process.pid, 0)
        found.seconds = time.perf_counter() - start
        found.cpu = usage.ru_utime + usage.ru_stime
        assert status == 0, f"{command} ended with {status}"
        return found


def read(command: list[str], url: str, streams: tuple[str, ...], state: Any = None, **config: Any) -> Measured:
    """Run `read` of a source against a sandbox."""
    catalog = {"streams": [{"name": name, **CATALOG_STREAM} for name in streams]}
    fields = {
        "data_center": {"region": "custom", "rest_url": url},
        "secret_token": "sk_live_example_not_real",
        "requests_per_minute": 100_000,
        **config,
    }
    files = {"config": fields, "catalog": configured(catalog), **({"state": state} if state else {})}
    found = run([*command, "read"], files)
    found.streams = len(streams)
    return found


SOURCE = [str(Path(sys.executable).parent / "source-vitally")]
STOCK = [sys.executable, "-m", "benchmarks.stock"]


def _count(output: IO[bytes], found: Measured, start: float) -> None:
    first = last = 0.0
    for line in output:
        if b'"type":"RECORD"' in line[:40] or b'"type": "RECORD"' in line[:40]:
            last = time.perf_counter()
            first = first or last
            found.records += 1
        elif b'"type":"STATE"' in line[:40]:
            found.states.append(json.loads(line)["state"])
    found.since_first = last - first
    found.seconds = time.perf_counter() - start


def _memory(pid: int) -> list[float]:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return []
    return [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")]
