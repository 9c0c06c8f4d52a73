"""(a) How fast does the source read, beside a bare loop and beside the CDK's own declarative path?"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from benchmarks import bare
from benchmarks.processes import SOURCE, STOCK, Measured, read
from benchmarks.report import Answer, Target, axes, save, spread
from benchmarks.rows import STREAMS
from benchmarks.server import serving

LIMIT = 1000
"""Requests a minute that Vitally grants by default; a page has a hundred records."""

CEILING_CLIENTS = 3
READERS: dict[str, Callable[[str, tuple[str, ...]], Measured]] = {
    "bare loop": bare.read,
    "stock CDK": lambda url, streams: read(STOCK, url, streams),
    "source-vitally": lambda url, streams: read(SOURCE, url, streams),
}


def answer(*, rows: int, latency_rows: int, long_rows: int, runs: int) -> tuple[Answer, Measured]:
    """Measure; the run over the long list is given back as well, for its memory."""
    found = Answer(
        "a",
        "Reading: source-vitally, the stock declarative path, a bare loop",
        f"Full refresh of lists of {rows:,} rows of 2 KB (with latency {latency_rows:,}), all readers in turn over the "
        "same server. Records per second count after the first page, so start-up is left out; CPU is that "
        "of the whole process, start-up included.",
        ("latency", "streams", "rows", "reader", "records/s", "of the bare loop", "CPU ms per 1,000 records"),
    )
    ceiling = _ceiling(rows)
    rates: dict[tuple[int, int, str], float] = {}
    for latency, count, repeat in ((0, rows, runs), (100, latency_rows, 1), (300, latency_rows, 1)):
        with serving(count, latency=latency / 1000) as server:
            bare.read(server.url, STREAMS)
            for streams in (STREAMS[:1], STREAMS):
                measured = _in_turn(server.url, streams, repeat)
                for name, rate in _enter(found, (latency, len(streams), count * len(streams)), measured).items():
                    rates[latency, len(streams), name] = rate
    long = _long(found, long_rows)
    _judge(found, rates, ceiling)
    _plot(rates)
    return found, long


def _in_turn(url: str, streams: tuple[str, ...], runs: int) -> dict[str, list[Measured]]:
    measured: dict[str, list[Measured]] = {name: [] for name in READERS}
    for _ in range(runs):
        for name, reader in READERS.items():
            measured[name].append(reader(url, streams))
    return measured


def _enter(found: Answer, case: tuple[int, int, int], measured: dict[str, list[Measured]]) -> dict[str, float]:
    """Add the rows of one case (latency in ms, streams, records in all); the median rate of each reader."""
    latency, streams, rows = case
    assert all(run.records == rows for each in measured.values() for run in each)
    rates = {name: statistics.median(run.rate for run in each) for name, each in measured.items()}
    for name, each in measured.items():
        speed, share = spread([run.rate for run in each]), f"{rates[name] / rates['bare loop']:.0%}"
        cpu = spread([run.cpu * 1e6 / rows for run in each]) if each[0].cpu else ""
        found.rows.append((f"{latency} ms", str(streams), f"{rows:,}", name, speed, share, cpu))
    return rates


def _long(found: Answer, rows: int) -> Measured:
    with serving(rows, lists=1) as server:
        measured = {name: [reader(server.url, STREAMS[:1])] for name, reader in READERS.items()}
    _enter(found, (0, 1, rows), measured)
    return measured["source-vitally"][0]


def _ceiling(rows: int) -> float:
    """Records per second that the server gives to several bare loops at once, over lists it has already served."""
    with serving(rows) as server:
        streams = STREAMS[:CEILING_CLIENTS]
        bare.read(server.url, streams)
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(bare.read, server.url, streams).result().rate


def _judge(found: Answer, rates: dict[tuple[int, int, str], float], ceiling: float) -> None:
    ours, stock, loop = (rates[0, 1, name] for name in ("source-vitally", "stock CDK", "bare loop"))
    found.targets += [
        Target("at least twice the stock declarative path, one stream", f"{ours / stock:.2f} times", ours >= 2 * stock),
        Target("aim: 40 % of the bare loop, one stream", f"{ours / loop:.0%}", ours >= 0.4 * loop),
        _at_the_limit(),
    ]
    found.remarks.append(
        f"The server's own ceiling, with {CEILING_CLIENTS} bare loops at once: {ceiling:,.0f} records/s. It keeps the "
        "first pages it has computed as bytes; over the longest list it computes nearly all of them anew, which every "
        "reader waits for."
    )


def _at_the_limit() -> Target:
    """Two streams at 100 ms against a server that grants 1,000 requests a minute and has nothing saved up."""
    streams = STREAMS[:2]
    with serving(LIMIT * 100 // len(streams), latency=0.1, per_minute=LIMIT) as server:
        run = read(SOURCE, server.url, streams, requests_per_minute=LIMIT)
    share = run.rate / (LIMIT * 100 / 60)
    return Target(
        "at least 95 % of the API's 1,667 records/s at 100 ms with two streams",
        f"{run.rate:,.0f} records/s, {share:.1%}",
        share >= 0.95,
    )


def _plot(rates: dict[tuple[int, int, str], float]) -> None:
    figure, drawn = axes("Reading: records per second", "", "records/s")
    cases = sorted({(latency, streams) for latency, streams, _ in rates})
    for number, name in enumerate(READERS):
        places = [at + (number - 1) * 0.27 for at in range(len(cases))]
        drawn.bar(places, [rates[latency, streams, name] for latency, streams in cases], width=0.25, label=name)
    drawn.axhline(LIMIT * 100 / 60, color="black", linestyle="--", linewidth=0.8, label="what the API grants")
    drawn.set_xticks(range(len(cases)), [f"{latency} ms\n{streams} stream(s)" for latency, streams in cases])
    drawn.set_yscale("log")
    drawn.legend()
    save(figure, "a")
