"""What became of the mutants of each module: a file each in `results`, and the page for people that is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
MODULES = Path(__file__).with_name("modules.yaml")
RESULTS = Path(__file__).with_name("results")
PAGE = ROOT / "docs/mutants.md"

INTRODUCTION = """\
# Mutants

`make mutants` plants bugs, one at a time, in the modules whose rules are promises: a comparison turned round, an
argument left out, a number one larger. Then it runs the tests that are meant for the module until one fails;
`integration_tests/mutants/modules.yaml` names them. `make mutants ONLY="scan budget"` does so for some modules.

[mutmut](https://mutmut.readthedocs.io) plants them, but not in what has a decorator, in what is outside of functions,
or in the texts that are raised. A mutant is found by a test, by the types that `make lint` checks, or as it never ends.

This page is written by `make mutants`. What nothing finds is listed with the reason. The last column is the share that
tests find of those mutants that the types do not.
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

    @property
    def by_tests(self) -> float:
        """How many of a hundred mutants that the types do not find were found by tests, or as they never end."""
        others = self.mutants - self.found.get("types", 0)
        return 100 * (others - len(self.left)) / others if others else 100.0


def load_modules() -> dict[str, dict[str, Any]]:
    """Return `{name: {"file": …, "tests": […]}}`."""
    modules: dict[str, dict[str, Any]] = yaml.safe_load(MODULES.read_text())
    return modules


def load_runs() -> dict[str, Run]:
    """Return the last run of each module that was tried, in the order of the modules."""
    return {name: _load(file) for name in load_modules() if (file := RESULTS / f"{name}.yaml").exists()}


def _load(file: Path) -> Run:
    run = yaml.safe_load(file.read_text())
    return Run(**{**run, "left": [Survivor(**one) for one in run["left"]]})


def save(name: str, run: Run) -> None:
    """Keep the run of a module."""
    RESULTS.mkdir(exist_ok=True)
    kept = yaml.safe_dump(asdict(run), sort_keys=False, allow_unicode=True, width=120)
    (RESULTS / f"{name}.yaml").write_text(kept)


def write_page() -> None:
    """Write the page anew of what is kept."""
    PAGE.write_text(page(load_runs()))


def page(runs: Mapping[str, Run]) -> str:
    """Return the page: a table of the modules, then what was left in each."""
    lines = [
        INTRODUCTION,
        "| module | as of git object | mutants | found by tests | by types | by time | left | found | without types |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    modules = load_modules()
    files = {name: module["file"] for name, module in modules.items()}
    for name, run in runs.items():
        found = " | ".join(str(run.found.get(by, 0)) for by in ("tests", "types", "time"))
        share = f"{run.share:.1f} % | {run.by_tests:.1f} %"
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
