"""`make mutants`: plant bugs in each module of `modules.yaml`, and say in docs/mutants.md which nothing finds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from integration_tests.mutants.report import ROOT, Run, Survivor, load_modules, load_runs, save, write_page

WORK = ROOT / "build/mutants"
BIN = Path(sys.executable).parent
FOUND = {"killed": "tests", "caught by type check": "types", "timeout": "time"}
"""What mutmut says of a mutant that was found, and what the report says of it."""


def main(only: list[str]) -> int:
    """Try the modules that are named, or all; return how many mutants are left that nobody has explained."""
    modules = load_modules()
    if unknown := sorted(set(only) - modules.keys()):
        raise SystemExit(f"{', '.join(unknown)}: there are {', '.join(modules)}")
    unexplained = 0
    for name in only or modules:
        file = modules[name]["file"]
        here = _lay_out(WORK / name, file, modules[name]["tests"])
        _mutmut(here, "run", "--max-children", os.environ.get("JOBS", "1"))
        before = load_runs().get(name)
        known = {_change(one): one.why for one in before.left} if before else {}
        run = _read(here, file, known)
        save(name, run)
        write_page()
        unexplained += sum(not one.why for one in run.left)
        print(f"{name}: {run.share:.1f} % of {run.mutants} found", flush=True)
    return unexplained


def _lay_out(here: Path, file: str, tests: list[str]) -> Path:
    """Copy the project into an empty folder, once to be read and once to be tested, with mutmut's settings."""
    shutil.rmtree(here, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        for copy in (here, here / "mutants"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    package = file.split("/", maxsplit=1)[0]
    settings: dict[str, Any] = {
        "source_paths": [package],
        "only_mutate": [file],
        "do_not_mutate_patterns": [r"^\s*raise \w+\(f?\""],
        "pytest_add_cli_args": ["-p", "integration_tests.mutants.plugin", "--hypothesis-profile=mutants"],
        "pytest_add_cli_args_test_selection": tests,
        "type_check_command": ["mypy", package, "--output", "json", "--disable-error-code", "unused-ignore"],
        "timeout_multiplier": 5.0,
    }
    with (here / "pyproject.toml").open("a") as project:
        project.write(
            "\n[tool.mutmut]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
        )
    return here


def _mutmut(here: Path, *command: str) -> str:
    """Run mutmut; return what it printed, unless it is `run`, which shows how far it is."""
    shown = None if command[0] == "run" else subprocess.PIPE
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["PATH"] = f"{BIN}{os.pathsep}{environment['PATH']}"
    done = subprocess.run([BIN / "mutmut", *command], cwd=here, env=environment, stdout=shown, text=True, check=True)
    return done.stdout or ""


def _read(here: Path, file: str, known: dict[tuple[str, str, str], str]) -> Run:
    """Return what mutmut found, with the reasons that are known already."""
    found: Counter[str] = Counter()
    left: list[Survivor] = []
    for line in _mutmut(here, "results", "--all", "True").splitlines():
        mutant, status = line.strip().split(": ")
        if status in FOUND:
            found[FOUND[status]] += 1
            continue
        one = _shown(mutant, _mutmut(here, "show", mutant))
        left.append(Survivor(one.where, one.line, one.mutant, known.get(_change(one), "")))
    blob = subprocess.run(["git", "hash-object", file], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return Run(blob[:12], found.total() + len(left), dict(found), left)


def _shown(mutant: str, shown: str) -> Survivor:
    """Read what `mutmut show` says: a diff of the function."""
    function = mutant.rsplit(".", 1)[1].rpartition("__mutmut_")[0]
    where = function.removeprefix("x").strip("ǁ").replace("ǁ", ".") if "ǁ" in function else function.removeprefix("x_")
    changed = [line for line in shown.splitlines() if not line.startswith(("---", "+++"))]
    was, now = (" ".join(line[1:].strip() for line in changed if line.startswith(sign)) for sign in "-+")
    return Survivor(where, was, now)


def _change(one: Survivor) -> tuple[str, str, str]:
    return one.where, one.line, one.mutant


if __name__ == "__main__":
    if left := main(sys.argv[1:]):
        raise SystemExit(
            f"{left} mutants are neither found nor explained: see docs/mutants.md and integration_tests/mutants/results"
        )
