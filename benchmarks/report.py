"""What a benchmark found: tables in Markdown, a plot per question, targets met or missed."""

from __future__ import annotations

import os
import platform
import re
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

mpl.use("Agg")

RESULTS = Path(__file__).with_name("results")
REPORT = RESULTS / "README.md"


@dataclass
class Target:
    """A number of the design and what was measured."""

    text: str
    found: str
    met: bool

    def __str__(self) -> str:
        return f"{'met   ' if self.met else 'MISSED'}  {self.text}: {self.found}"


@dataclass
class Further:
    """One more table below the first, and what it shows."""

    text: str
    heads: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)

    def lines(self) -> list[str]:
        return ["", self.text, "", *_table(self.heads, self.rows)]


@dataclass
class Answer:
    """The answer to one question: `key` names the plot's file, `rows` have a cell per head."""

    key: str
    question: str
    method: str
    heads: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    further: list[Further] = field(default_factory=list)

    def markdown(self) -> str:
        """The section of the report."""
        lines = [f"## {self.key}. {self.question}", "", self.method, "", *_table(self.heads, self.rows)]
        lines += [line for table in self.further for line in table.lines()]
        lines += ["", *(f"- **{'met' if t.met else 'missed'}**: {t.text}: {t.found}" for t in self.targets)]
        lines += ["", *(f"{remark}" for remark in self.remarks)]
        return "\n".join([*lines, "", f"![{self.question}]({self.key}.svg)", ""])


def spread(values: Sequence[float], digits: int = 0) -> str:
    """The median of some runs, and the lowest and highest where there are several."""
    middle = f"{statistics.median(values):,.{digits}f}"
    return middle if len(values) < 2 else f"{middle} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def axes(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    """An empty plot."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    drawn = figure.add_subplot()
    drawn.set_title(title)
    drawn.set_xlabel(x)
    drawn.set_ylabel(y)
    drawn.grid(alpha=0.3)
    return figure, drawn


def save(figure: Figure, key: str) -> None:
    """Write a plot into the results."""
    RESULTS.mkdir(exist_ok=True)
    figure.savefig(RESULTS / f"{key}.svg", metadata={"Date": None})


def machine() -> str:
    """The machine, as far as it matters."""
    cpu = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor() or "unknown",
    )
    memory = next((int(line.split()[1]) / 2**20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{os.cpu_count()} x {cpu}, {memory:.0f} GB of memory, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, airbyte-cdk {version('airbyte-cdk')}. "
        f"Load over 1, 5 and 15 minutes before the run: {load}."
    )


def write(answers: list[Answer], described: str, seconds: float) -> None:
    """Write the report and print the targets."""
    RESULTS.mkdir(exist_ok=True)
    head = (
        f"# Benchmarks\n\nThe last run of `make bench`: {_now()}, {seconds / 60:.0f} minutes, "
        f"options `{' '.join(sys.argv[1:]) or 'none'}`.\n\n"
        f"{described}\n\nClient and sandbox run on the same machine and share its cores, so absolute numbers are low "
        "and only ratios within one run mean something. A number with a range is the median, lowest and highest of "
        "several runs taken in turn; a number without is one run.\n"
    )
    REPORT.write_text("\n".join([head, *(answer.markdown() for answer in answers)]))
    _print_targets(answers)


def replace(answers: list[Answer], described: str) -> None:
    """Put answers into the report in the place of those to the same questions, and print their targets."""
    text = REPORT.read_text()
    for answer in answers:
        answer.remarks.append(f"Measured by itself: {_now()}, options `{' '.join(sys.argv[1:])}`. {described}")
        section = re.compile(rf"^## {answer.key}\. .*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
        made = answer.markdown().replace("\\", "\\\\")
        text = section.sub(f"{made}\n", text) if section.search(text) else f"{text.rstrip()}\n\n{answer.markdown()}"
    REPORT.write_text(f"{text.rstrip()}\n")
    _print_targets(answers)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    marks = ["| " + " | ".join(row) + " |" for row in (heads, *rows)]
    return [marks[0], "|---" * len(heads) + "|", *marks[1:]]


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _print_targets(answers: list[Answer]) -> None:
    print(f"\n{REPORT}")
    for answer in answers:
        for target in answer.targets:
            print(target)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
