"""`docs/reliability.md` is held against the code: the tests it names exist, its table is the destination's."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from destination_vitally.objects.model import Object
from destination_vitally.objects.table import OBJECTS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "reliability.md").read_text()
OPERATIONS = ("create", "upsert", "update", "delete")
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
    promises = rows("| promise | protected by |")
    assert len(promises) > 20
    for promise, protected in promises:
        assert "::test_" in protected, promise


def test_the_table_of_repetition_is_the_destinations() -> None:
    table = {cells[0].strip("`"): cells[1:] for cells in rows("| object | create | upsert | update | delete |")}
    expected = {entry.name: [repetition(entry, operation) for operation in OPERATIONS] for entry in OBJECTS}
    assert table == expected, "Correct the table of what a repetition does in docs/reliability.md."


def repetition(entry: Object, operation: str) -> str:
    """What a record does the second time."""
    routes = {str(name): routes for name, routes in entry.operations.items()}
    if operation not in routes:
        return ""
    if operation != "create":
        return "same"
    if entry.counts_once:
        return "once"
    return "skipped" if entry.field("externalId") and entry.can_look_up() else "reported"


@cache
def functions(path: str) -> set[str]:
    """The functions a module defines."""
    return {node.name for node in ast.parse((ROOT / path).read_text()).body if isinstance(node, ast.FunctionDef)}
