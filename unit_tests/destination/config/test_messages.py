"""Messages speak the language of the form: a setting is named by its title, with its key in brackets."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import destination_vitally
from destination_vitally.commands.spec import connection_specification

FILES = sorted(Path(str(destination_vitally.__file__)).parent.rglob("*.py"))


def titles(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield key and title of each setting whose key is no word."""
    for key, entry in schema.get("properties", {}).items():
        if "_" in key and "const" not in entry:
            yield key, entry["title"].removesuffix(" (%)")
        for part in (entry, entry.get("items", {}), *entry.get("oneOf", ())):
            yield from titles(part)


TITLES = {key: title for key, title in titles(connection_specification()) if key != "null_values"}


def sentences(path: Path) -> Iterator[str]:
    """Yield the texts of a module that hold a space, without its docstrings; `…` stands for what is filled in."""
    tree = ast.parse(path.read_text())
    silent = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    inner = {id(part) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for part in n.values}
    for node in ast.walk(tree):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)
        is_text = isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
        if is_text and " " in text and id(node) not in silent | inner:
            yield text


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-2:]))
def test_a_setting_is_named_by_its_title(path: Path) -> None:
    for text in sentences(path):
        for found in re.finditer(rf"\b({'|'.join(TITLES)})\b", text):
            assert text[: found.start()].endswith(f"{TITLES[found[1]]} ("), f"{found[1]}: {text}"
