"""`docs/reliability.md` is held against the code: each promise names tests that exist, and bugs that can be planted."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from integration_tests.promises.planted import Promise, promises

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "reliability.md").read_text()


@pytest.mark.parametrize("promise", promises(), ids=lambda promise: promise.text)
def test_each_promise_has_tests_and_two_bugs_that_they_find(promise: Promise, tmp_path: Path) -> None:
    for test in promise.tests:
        path, name = test.split("::")
        assert name in defined_in(path)
    assert len(promise.bugs) >= 2
    for bug in promise.bugs:
        module = tmp_path / bug.path
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(now := (ROOT / bug.path).read_text())
        with bug.planted_in(tmp_path):
            compile(planted := module.read_text(), bug.path, "exec")
        assert planted != now == module.read_text()


def test_no_bug_is_planted_twice() -> None:
    bugs = Counter((bug.path, bug.now, bug.planted) for promise in promises() for bug in promise.bugs)
    assert [bug for bug, count in bugs.items() if count > 1] == []


def test_the_page_has_a_row_for_each_promise() -> None:
    assert re.findall(r"^\| (.*?) \| `", PAGE, re.M) == [promise.text for promise in promises()]


@cache
def defined_in(path: str) -> set[str]:
    """The tests of a module: functions, and what is made of a state machine."""
    found = set[str]()
    for node in ast.parse((ROOT / path).read_text()).body:
        found |= {node.name} if isinstance(node, ast.FunctionDef) else set()
        found |= {str(ast.unparse(one)) for one in node.targets} if isinstance(node, ast.Assign) else set()
    return found
