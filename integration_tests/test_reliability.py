"""`docs/reliability.md` is held against the code: each promise names a test, and the tests it names exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from integration_tests.promises.planted import Bug, bugs

ROOT = Path(__file__).parents[1]
PACKAGES, CODE = ("destination_vitally", "source_vitally", "vitally_api"), (".py", ".yaml")
PAGE = (ROOT / "docs" / "reliability.md").read_text()
NAMED = re.findall(r"`([\w/.]+\.py)::(\w+)`", PAGE)


def rows(heads: str) -> list[list[str]]:
    """The rows of every table with these heads."""
    tables = re.findall(rf"^{re.escape(heads)}\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.M)
    lines = [line for table in tables for line in table.splitlines()]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)))
def test_each_named_test_exists(path: str, name: str) -> None:
    assert name in functions(path)


def test_each_promise_names_a_test() -> None:
    promises = rows("| promise | protected by | a bug that it finds |")
    assert len(promises) > 20
    for promise, protected, _ in promises:
        assert "::test_" in protected, promise


def test_each_bug_is_in_a_module_that_is_there() -> None:
    modules = {path.name for package in PACKAGES for path in (ROOT / package).rglob("*") if path.suffix in CODE}
    for promise, _, bug in rows("| promise | protected by | a bug that it finds |"):
        named = set(re.findall(r"`(?:\w+/)*(\w+\.(?:py|yaml))`:", bug))
        assert named, promise
        assert named <= modules, promise


@pytest.mark.parametrize("bug", bugs(), ids=lambda bug: bug.name)
def test_each_bug_that_is_planted_can_be(bug: Bug, tmp_path: Path) -> None:
    module = tmp_path / bug.path
    module.parent.mkdir(parents=True)
    module.write_text((ROOT / bug.path).read_text())
    bug.plant(tmp_path)
    path, name = bug.found_by.split("::")
    assert name in functions(path)
    assert f"`{Path(bug.path).name}`" in PAGE
    assert bug.name in PAGE


@cache
def functions(path: str) -> set[str]:
    """The functions a module defines."""
    return {node.name for node in ast.parse((ROOT / path).read_text()).body if isinstance(node, ast.FunctionDef)}


def test_the_test_that_found_a_bug_protects_the_promise() -> None:
    for promise, protected, bug in rows("| promise | protected by | a bug that it finds |"):
        found_by = re.search(r"\(`(test_\w+)`\)$", bug)
        assert found_by, promise
        assert f"::{found_by[1]}`" in protected, promise
