"""(d) How much memory do they take, however much there is?"""

from __future__ import annotations

from benchmarks.processes import SOURCE, Measured, read
from benchmarks.report import Answer, Target, axes, save
from benchmarks.rows import LARGE_STREAMS, MESSAGES, STREAMS
from benchmarks.server import serving
from benchmarks.writing import batches

MOST = 150
WORKERS, LATENCY = 8, 0.05
FLAT = 1.15
SHORT_LINE = 500


def answer(*, sizes: tuple[int, ...], longest: Measured) -> Answer:
    """Read and write lists of each size; `longest` is a run of the source over one longer still."""
    found = Answer(
        "d",
        "Memory over time",
        "Resident memory of the process, five times a second. The source reads one list of 2 KB rows, the destination "
        f"writes accounts of {SHORT_LINE} bytes by batches.",
        ("connector", "records", "MB at the most", "MB at the end", "seconds"),
    )
    reading = [long_list(size) for size in sizes] + [longest]
    writing = [batches(run.records, size=SHORT_LINE).process for run in reading]
    for run, original in zip(writing, reading, strict=True):
        run.records = original.records
    figure, drawn = axes("Memory over time", "seconds", "MB")
    for name, runs, style in (("source", reading, "-"), ("destination", writing, "--")):
        for run in runs:
            cells = (f"{run.peak:.0f}", f"{run.memory[-1][1]:.0f}", f"{run.seconds:.0f}")
            found.rows.append((name, f"{run.records:,}", *cells))
            drawn.plot(*zip(*run.memory, strict=True), style, label=f"{name}, {run.records:,}")
        growth = runs[-1].peak / runs[1].peak
        found.targets.append(
            Target(
                f"memory of the {name} flat from {runs[1].records:,} to {runs[-1].records:,} records",
                f"{growth:.2f} times",
                growth <= FLAT,
            )
        )
    peak = max(run.peak for run in reading)
    found.targets.append(Target(f"source at most {MOST} MB, whatever the size", f"{peak:.0f} MB", peak <= MOST))
    for what, run, under_way in (large_pages(), long_messages()):
        cells = (f"{run.peak:.0f}", f"{run.memory[-1][1]:.0f}", f"{run.seconds:.0f}")
        found.rows.append((f"source, {what}", f"{run.records:,}", *cells))
        drawn.plot(*zip(*run.memory, strict=True), ":", label=f"source, {what}")
        found.targets += [
            Target(f"source at most {MOST} MB with {what}", f"{run.peak:.0f} MB", run.peak <= MOST),
            Target(f"at most {WORKERS} requests under way, {what}", str(under_way), under_way <= WORKERS),
        ]
    drawn.set_xscale("symlog")
    drawn.set_ylim(bottom=0)
    drawn.legend(fontsize=7)
    save(figure, "d")
    return found


def long_list(size: int) -> Measured:
    """Read one list of so many rows."""
    with serving(size, lists=1) as server:
        return read(SOURCE, server.url, STREAMS[:1])


def large_pages(rows: int = 1_000) -> tuple[str, Measured, int]:
    """Read eight lists with pages of 1.7 MB side by side; what it was, what was measured, requests under way."""
    with serving(rows, latency=LATENCY, what="large pages") as server:
        run = read(SOURCE, server.url, LARGE_STREAMS, num_workers=WORKERS, inlined_objects="full")
    return f"{len(LARGE_STREAMS)} streams of pages of 1.7 MB", run, server.most_under_way


def long_messages(conversations: int = 100) -> tuple[str, Measured, int]:
    """Read conversations with many messages of 50 kB each."""
    with serving(conversations, latency=LATENCY, what="messages") as server:
        run = read(SOURCE, server.url, ("messages",), num_workers=WORKERS)
    assert run.records == conversations * MESSAGES
    return f"{conversations} conversations of {MESSAGES} messages of 50 kB", run, server.most_under_way
