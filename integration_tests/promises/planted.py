"""The promises and their bugs, as the files of this folder have them, and a copy of the code to plant the bugs in."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PARTS = ("source", "destination", "waiting")
COPIED = ("destination_vitally", "source_vitally", "vitally_api", "integration_tests", "unit_tests", "docs", "shipping")
FILES = ("conftest.py", "pyproject.toml", "metadata.yaml")
SLOW = ("airbyte_cdk.sources.declarative.concurrent_declarative_source", "hypothesis", "jsonschema", "pydantic")
"""What takes long to import."""

LONGEST_SECONDS = 300


class Bug(NamedTuple):
    """A bug: what it is, the module, what is written there and what instead, and the test that finds it.

    `was_missed` tells that no test found it when it was first planted.
    """

    name: str
    path: str
    now: str
    planted: str
    found_by: str
    was_missed: bool

    @contextmanager
    def planted_in(self, root: Path) -> Iterator[None]:
        """Write the bug into the code below a folder, and take it back.

        Raises:
            ValueError: the module no longer has, or has several times, what is to be replaced.
        """
        module = root / self.path
        text = module.read_text()
        if text.count(self.now) != 1:
            raise ValueError(f"{self.path} has {text.count(self.now)} times what '{self.name}' replaces")
        _write(module, text.replace(self.now, self.planted))
        try:
            yield
        finally:
            _write(module, text)


class Promise(NamedTuple):
    """A promise, the tests that protect it, each `path::name`, and its bugs."""

    text: str
    tests: list[str]
    bugs: list[Bug]

    def found(self, root: Path) -> list[Bug]:
        """Plant each bug in the copy of the code below a folder; return those that their tests find.

        Raises:
            ValueError: the tests fail without a bug, or a bug cannot be planted.
        """
        if _code(root, {bug.found_by for bug in self.bugs}) != 0:
            raise ValueError(f"without a bug, tests fail that protect: {self.text}")
        found = []
        for bug in self.bugs:
            with bug.planted_in(root):
                found += [bug] if _code(root, {bug.found_by}) == 1 else []
        return found


def promises(*parts: str) -> list[Promise]:
    """Return the promises of some parts of the page, or of all, in its order."""
    return [
        Promise(one["promise"], one["tests"], [_bug(bug, one["tests"]) for bug in one["bugs"]])
        for part in parts or PARTS
        for one in yaml.safe_load((Path(__file__).parent / f"{part}.yaml").read_text())
    ]


@contextmanager
def copy_of_the_code() -> Iterator[Path]:
    """Copy the code and its tests into a folder that is there for a while."""
    with tempfile.TemporaryDirectory() as name:
        for folder in COPIED:
            shutil.copytree(ROOT / folder, Path(name) / folder, ignore=shutil.ignore_patterns("node_modules"))
        for file in FILES:
            shutil.copy(ROOT / file, name)
        yield Path(name)


def _bug(one: dict[str, str], tests: list[str]) -> Bug:
    name, bracket, case = one["found_by"].partition("[")
    (test,) = (test for test in tests if test.split("::")[1] == name)
    return Bug(one["bug"], one["in"], one["is"], one["becomes"], test + bracket + case, "at_first" in one)


def _write(module: Path, text: str) -> None:
    """Write a module so that what was compiled of it is stale, even within one second and with as many letters."""
    time = module.stat().st_mtime + 1
    module.write_text(text)
    os.utime(module, (time, time))


def _code(root: Path, tests: Iterable[str]) -> int:
    """Run tests below a folder until one fails; return what pytest does: 0 if all pass, 1 if one fails.

    What takes long to import is there already in the process that is forked; what may have a bug is not.
    """
    for module in SLOW:
        import_module(module)
    child = os.fork()
    if not child:
        try:
            os._exit(_in_a_process_of_its_own(root, tests))
        finally:
            os._exit(-1)
    _, status = os.waitpid(child, 0)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what a test has started and not ended
    return os.waitstatus_to_exitcode(status)


def _in_a_process_of_its_own(root: Path, tests: Iterable[str]) -> int:
    os.setsid()
    signal.alarm(LONGEST_SECONDS)
    for number in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    os.chdir(root)
    os.environ["PYTHONPATH"] = str(root)
    sys.path.insert(0, str(root))
    for name in [name for name in sys.modules if name.partition(".")[0] in COPIED]:
        del sys.modules[name]
    return int(pytest.main(["-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *tests]))
