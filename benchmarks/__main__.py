"""`make bench`: how fast the source reads one stream, beside a bare loop of requests and orjson over the same pages.

Both read the same sandbox in the same run, three times in turn; start-up is measured apart and taken off.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import orjson
import requests

from integration_tests.platform import configured, run_process, source_config

ROWS = 30_000
RUNS = 3
CATALOG = configured(
    {"streams": [{"name": "accounts", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}]}
)


def main() -> None:
    """Print the median and the spread of each reader and the ratio of their medians."""
    server = subprocess.Popen(
        [sys.executable, "-m", "integration_tests.sandbox", "--port", "0", "--accounts", str(ROWS)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        rest = server.stdout.readline().split()[1].removesuffix("/resources")
        start_up = _seconds(lambda: run_process("source-vitally", "spec"))
        bare = [ROWS / _seconds(lambda: _bare_loop(rest)) for _ in range(RUNS)]
        source = [ROWS / (_seconds(lambda: _read(rest)) - start_up) for _ in range(RUNS)]
    finally:
        server.terminate()
        server.wait()
    print(f"start-up (spec)        {start_up:8.2f} s")
    for name, rates in (("bare loop", bare), ("source-vitally", source)):
        print(f"{name:22} {statistics.median(rates):8.0f} records/s   ({min(rates):.0f} to {max(rates):.0f})")
    print(f"ratio                  {statistics.median(source) / statistics.median(bare):8.2f}")


def _seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def _bare_loop(rest: str) -> None:
    session = requests.Session()
    session.auth = ("sk_live_example_not_real", "")
    params = {"limit": "100", "sortBy": "createdAt", "status": "activeOrChurned"}
    while True:
        page = orjson.loads(session.get(f"{rest}/resources/accounts", params=params, timeout=30).content)
        if not page["next"]:
            return
        params["from"] = page["next"]


def _read(rest: str) -> None:
    run = run_process(
        "source-vitally", "read", config=source_config(rest, requests_per_minute=100_000), catalog=CATALOG
    )
    assert run.exit_code == 0, run.errors


if __name__ == "__main__":
    main()
