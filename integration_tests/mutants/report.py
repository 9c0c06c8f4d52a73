"""What became of the mutants of each module: `survivors.yaml`, and the page for people that is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
MODULES = Path(__file__).with_name("modules.yaml")
SURVIVORS = Path(__file__).with_name("survivors.yaml")
PAGE = ROOT / "docs/mutants.md"

INTRODUCTION = """\
# Mutants

`make mutants` plants bugs, one at a time, in the modules whose rules are promises: a comparison turned round, an
argument left out, a number one larger. Then it runs the tests that are meant for the module until one fails;
`integration_tests/mutants/modules.yaml` names them. `make mutants ONLY="scan budget"` does so for some modules.

[mutmut](https://mutmut.readthedocs.io) plants them, but not in what has a decorator, in what is outside of functions,
or in the texts that are raised. A mutant is found by a test, by the types that `make lint` checks, or as it never ends.

This page is written by `make mutants`. What nothing finds is listed with the reason.
"""


@dataclass(frozen=True)
class Survivor:
    """A mutant that nothing finds: the function, the line as it is and as it was made, and why that is no bug."""

    where: str
    line: str
    mutant: str
    why: str = ""


@dataclass(frozen=True)
class Run:
    """What became of the mutants of a module, when its file was the git object `blob`."""

    blob: str
    mutants: int
    found: dict[str, int]
    left: list[Survivor] = field(default_factory=list)

    @property
    def share(self) -> float:
        """How many of a hundred mutants were found."""
        return 100 * sum(self.found.values()) / self.mutants


def load_modules() -> dict[str, dict[str, Any]]:
    """Return `{name: {"file": …, "tests": […]}}`."""
    modules: dict[str, dict[str, Any]] = yaml.safe_load(MODULES.read_text())
    return modules


def load_runs() -> dict[str, Run]:
    """Return the last run of each module that was tried."""
    saved = yaml.safe_load(SURVIVORS.read_text()) if SURVIVORS.exists() else {}
    return {name: Run(**{**run, "left": [Survivor(**one) for one in run["left"]]}) for name, run in saved.items()}


def save(runs: Mapping[str, Run]) -> None:
    """Keep the runs, in the order of the modules, and write the page."""
    ordered = {name: runs[name] for name in load_modules() if name in runs}
    SURVIVORS.write_text(
        yaml.safe_dump(
            {name: asdict(run) for name, run in ordered.items()}, sort_keys=False, allow_unicode=True, width=120
        )
    )
    PAGE.write_text(page(ordered))


def page(runs: Mapping[str, Run]) -> str:
    """Return the page: a table of the modules, then what was left in each."""
    lines = [
        INTRODUCTION,
        "| module | as of git object | mutants | found by tests | by types | by time | left | found |",
        "|---|---|---|---|---|---|---|---|",
    ]
    modules = load_modules()
    files = {name: module["file"] for name, module in modules.items()}
    for name, run in runs.items():
        found = " | ".join(str(run.found.get(by, 0)) for by in ("tests", "types", "time"))
        share = f"{run.share:.1f} %"
        lines.append(f"| `{files[name]}` | `{run.blob}` | {run.mutants} | {found} | {len(run.left)} | {share} |")
    for name, run in runs.items():
        if run.left and not modules[name].get("unfinished"):
            lines += ["", f"## `{files[name]}`", ""]
            lines += [f"- {_told(one)}" for one in run.left]
    unfinished = [f"`{files[name]}`" for name, module in modules.items() if module.get("unfinished")]
    if unfinished:
        lines += ["", f"Not finished, what is left in them has not been judged: {', '.join(unfinished)}."]
    return "\n".join(lines) + "\n"


def _told(one: Survivor) -> str:
    return f"`{one.where}`: `{one.line}` → `{one.mutant}`. {one.why or '**Not explained.**'}"
