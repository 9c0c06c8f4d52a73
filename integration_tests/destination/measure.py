"""How fast the destination writes, with how much memory: `python -m integration_tests.destination.measure`.

A sandbox that accepts messages unread, the connector as a process, records of a given size on its stdin.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from integration_tests.harness import destination_config, record, state, stream
from integration_tests.sandbox import Sandbox, Switches

STATE_EVERY = 10_000
STREAMS = {
    "accounts": {"name": "Acme", "organizationId": "o"},
    "users": {"accountId": "a1", "email": "ida@example.com"},
    "events": {"event": "seen", "accountId": "a1", "timestamp": "2026-01-01T00:00:00Z"},
}


@dataclass(frozen=True)
class Measured:
    """One run: seconds without the start of the process, peak memory in MB, requests, the last log line."""

    seconds: float
    memory: float
    batches: int
    states: int
    summary: str


def lines(count: int, size: int, names: tuple[str, ...]) -> Iterator[bytes]:
    """Yield records of about `size` bytes, taking turns between streams, and a state now and then."""
    filling = {f"column_{n}": "x" * 40 for n in range(max(1, (size - 150) // 55))}
    templates = {}
    for name in names:
        data = {"externalId": "@@@", **STREAMS[name], **filling}
        if name == "events":
            data["messageId"] = data.pop("externalId")
        templates[name] = orjson.dumps(record(name, data)).split(b"@@@")
    for number in range(count):
        before, after = templates[names[number % len(names)]]
        yield b"%s%d%s\n" % (before, number, after)
        if number % STATE_EVERY == STATE_EVERY - 1:
            yield orjson.dumps(state(names[0], number)) + b"\n"


def measure(count: int, size: int, names: tuple[str, ...] = ("accounts",)) -> Measured:
    """Write `count` records of `size` bytes and see what it takes."""
    with (
        Sandbox(empty=True, switches=Switches(discard_messages=True)) as sandbox,
        tempfile.TemporaryDirectory() as at,
    ):
        sandbox.journal.keep_bodies = False
        sandbox.workspace.insert("organizations", {"externalId": "o", "name": "O"})
        sandbox.workspace.insert("accounts", {"externalId": "a1", "name": "A"})
        folder = Path(at)
        (folder / "config.json").write_text(json.dumps(destination_config(sandbox)))
        (folder / "catalog.json").write_text(json.dumps({"streams": [stream(name) for name in names]}))
        (folder / "input").write_bytes(b"")
        with (folder / "input").open("wb") as file:
            file.writelines(lines(count, size, names))
        command = [sys.executable, "-m", "destination_vitally", "write"]
        command += ["--config", str(folder / "config.json"), "--catalog", str(folder / "catalog.json")]
        with (folder / "input").open("rb") as file, (folder / "output").open("wb") as output:
            process = subprocess.Popen(command, stdin=file, stdout=output)
            while not sandbox.journal and process.poll() is None:
                time.sleep(0.005)
            start = time.monotonic()
            memory = 0.0
            while process.poll() is None:
                memory = max(memory, peak_memory(process.pid))
                time.sleep(0.02)
            seconds = time.monotonic() - start
        given = [json.loads(line) for line in (folder / "output").read_bytes().splitlines()]
        assert process.returncode == 0, given[-3:]
        summary = next(m["log"]["message"] for m in reversed(given) if m["type"] == "LOG")
        states = sum(m["type"] == "STATE" for m in given)
        return Measured(seconds, memory, len(sandbox.journal), states, summary)


def peak_memory(pid: int) -> float:
    """Return the most memory a running process has had, in MB; what it was forked from does not count."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--bytes", type=int, default=1_000)
    parser.add_argument("--streams", nargs="+", choices=STREAMS, default=["accounts"])
    asked = parser.parse_args()
    found = measure(asked.records, asked.bytes, tuple(asked.streams))
    print(
        f"{asked.records} records of {asked.bytes} bytes: {asked.records / found.seconds:,.0f} records/s, "
        f"{found.memory:.0f} MB at the most, {found.batches} batches "
        f"({asked.records / found.batches:.1f} messages each), {found.states} states\n{found.summary}"
    )


if __name__ == "__main__":
    main()
