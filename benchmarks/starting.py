"""(e) How long does it take until a connector does something?"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.report import Answer, Target, axes, save, spread

BIN = Path(sys.executable).parent
COMMANDS = {
    "import of the CDK": [sys.executable, "-c", "import airbyte_cdk"],
    "source-vitally spec": [str(BIN / "source-vitally"), "spec"],
    "destination-vitally spec": [str(BIN / "destination-vitally"), "spec"],
}
MOST = 1.5


def answer(*, runs: int) -> Answer:
    """Start each command several times, in turn."""
    found = Answer(
        "e",
        "Start-up",
        "Each command as a process, in turn, files already in the system's cache; wall time.",
        ("command", "seconds", "of the import"),
    )
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(runs + 1):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if number:  # the first round fills the caches
                seconds[name].append(time.perf_counter() - start)
    base = statistics.median(seconds["import of the CDK"])
    for name, each in seconds.items():
        ratio = statistics.median(each) / base
        found.rows.append((name, spread(each, 2), f"{ratio:.2f}"))
        if "spec" in name:
            found.targets.append(
                Target(f"{name} under {MOST} times the import of the CDK", f"{ratio:.2f} times", ratio < MOST)
            )
    figure, drawn = axes("Start-up", "", "seconds")
    drawn.boxplot(list(seconds.values()), tick_labels=list(seconds))
    drawn.set_ylim(bottom=0)
    save(figure, "e")
    return found
