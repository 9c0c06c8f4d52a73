"""The least a client can do: requests and orjson in a loop, one thread per list, records only counted."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import orjson
import requests

from benchmarks.processes import Measured


def read(url: str, streams: tuple[str, ...]) -> Measured:
    """Read lists side by side; the time counts from the first page on, as for the connectors."""
    start = time.perf_counter()
    with ThreadPoolExecutor(len(streams)) as pool:
        results = list(pool.map(lambda stream: _list(url, stream), streams))
    end = time.perf_counter()
    first = min(first for first, _ in results)
    return Measured(end - start, end - first, sum(count for _, count in results), len(streams))


def _list(url: str, stream: str) -> tuple[float, int]:
    """When the first page was there, and how many rows came."""
    session = requests.Session()
    session.auth = ("sk_live_example_not_real", "")
    params = {"limit": "100", "sortBy": "createdAt"}
    count, first = 0, 0.0
    while True:
        page = orjson.loads(session.get(f"{url}/resources/{stream}", params=params, timeout=60).content)
        first = first or time.perf_counter()
        count += len(page["results"])
        if not page["next"]:
            return first, count
        params["from"] = page["next"]
