"""`make bench`: how fast both connectors are, beside what is possible; tables and plots into `benchmarks/results`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import TypeVar

from benchmarks import asking, increments, journaling, memory, reading, report, sharing, starting, verifying, writing
from benchmarks.report import Answer

Found = TypeVar("Found")


def main() -> None:
    """Answer every question and print which targets are met. The sizes are options; the defaults take half an hour."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000, help="of each list that is read")
    parser.add_argument("--latency-rows", type=int, default=5_000, help="the same, with latency")
    parser.add_argument("--long-rows", type=int, default=1_000_000, help="of the long list")
    parser.add_argument("--changed-rows", type=int, default=1_000_000, help="of the list that is read incrementally")
    parser.add_argument("--records", type=int, default=100_000, help="written by batches")
    parser.add_argument("--single", type=int, default=1_000, help="written one by one")
    parser.add_argument("--limited", type=int, default=700, help="requests under the limiter")
    parser.add_argument("--verified", type=int, nargs="+", default=[1_000, 10_000], help="written and looked for")
    parser.add_argument("--upserted", type=int, default=1_000, help="of each object, to see what a row costs")
    parser.add_argument("--many", type=int, default=10_000, help="of the objects whose cost has a target")
    parser.add_argument(
        "--unchanged", type=int, nargs="+", default=[100_000, 1_000_000], help="of tables that have not changed"
    )
    parser.add_argument("--accounts", type=int, default=10_000, help="of the workspace whose requests are counted")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--only", choices="abcdefghi", action="append", help="answer this question; the report keeps the others"
    )
    asked = parser.parse_args()
    start, machine = time.monotonic(), report.machine()
    print(machine, flush=True)
    answers: list[Answer] = []

    def done(answer: Answer) -> None:
        answers.append(answer)
        print(f"\n{answer.markdown()}", flush=True)

    longest = None
    questions = asked.only or "abcdefghi"
    if "a" in questions:
        first, longest = timed(
            lambda: reading.answer(
                rows=asked.rows, latency_rows=asked.latency_rows, long_rows=asked.long_rows, runs=asked.runs
            )
        )
        done(first)
    sizes = asked.rows, asked.long_rows // 10
    others: dict[str, Callable[[], Answer]] = {
        "b": lambda: increments.answer(rows=asked.changed_rows),
        "c": lambda: writing.answer(records=asked.records, limited=asked.limited, single=asked.single, runs=asked.runs),
        "d": lambda: memory.answer(sizes=sizes, longest=longest or memory.long_list(asked.long_rows)),
        "e": lambda: starting.answer(runs=asked.runs + 2),
        "f": lambda: verifying.answer(rows=tuple(asked.verified)),
        "g": lambda: asking.answer(rows=asked.upserted, many=asked.many, unchanged=tuple(asked.unchanged)),
        "h": lambda: sharing.answer(accounts=asked.accounts),
        "i": lambda: journaling.answer(rows=asked.upserted),
    }
    for key, question in others.items():
        if key in questions:
            done(timed(question))
    if asked.only:
        report.replace(answers, machine)
    else:
        report.write(answers, machine, time.monotonic() - start)


def timed(question: Callable[[], Found]) -> Found:
    """Answer a question and say how long it took."""
    start = time.monotonic()
    found = question()
    print(f"\n({time.monotonic() - start:.0f} s)", flush=True)
    return found


if __name__ == "__main__":
    main()
