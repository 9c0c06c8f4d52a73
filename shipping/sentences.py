"""Every sentence that a person can meet, as it stands in the code: to be read from start to end."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from airbyte_cdk.utils.yaml_loader import safe_load_yaml

from shipping.names import ROOT

VALUE = "…"
"""Stands for what is put in, as in the table of troubleshooting."""

_WORDS = re.compile(r"\S+ +\S+ +\S+")
_PUT_IN = re.compile(r"\{[^{}\"]*\}|%%|%[sd]|%\.\df")
_SQL_OR_PATTERN = re.compile(
    r"[ (]*(CREATE|SELECT|INSERT|REPLACE|UPDATE|DELETE|PRAGMA|BEGIN|WHERE|JOIN) |.*(\(\?|<>|\.\*)"
)
_SAID = ("title", "description", "pattern_descriptor", "error_message", "on_delete")
_ON_OTHER_PAGES = ("schemas.yaml", "objects.yaml")
"""Whose descriptions of fields and columns are tables of the docs."""


def of(package: str) -> str:
    """Return the sentences of a package, file by file; three words or more make one."""
    parts = []
    for path in sorted((ROOT / package).rglob("*")):
        found = [" ".join(text.split()) for text in _texts(path) if _WORDS.search(text) and text.isprintable()]
        if found:
            lines = "\n".join(dict.fromkeys(found))
            parts.append(f"### {path.relative_to(ROOT)}\n\n```text\n{lines}\n```")
    return "\n\n".join(parts)


def _texts(path: Path) -> Iterator[str]:
    if path.suffix == ".py":
        yield from (text for text in _of_code(ast.parse(path.read_text())) if not _SQL_OR_PATTERN.match(text))
    elif path.suffix == ".yaml" and path.name != "metadata.yaml":
        said = ("on_delete",) if path.name in _ON_OTHER_PAGES else _SAID
        yield from _of_data(safe_load_yaml(path.read_text()), said)


def _of_data(part: Any, said: tuple[str, ...]) -> Iterator[str]:
    for name, value in part.items() if isinstance(part, dict) else enumerate(part if isinstance(part, list) else ()):
        if name in said and isinstance(value, str):
            yield _PUT_IN.sub(VALUE, value)
        yield from _of_data(value, said)


def _of_code(tree: ast.AST) -> Iterator[str]:
    """Yield the texts below a node in the order of the code, without docstrings."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        text = _text(node)
        if text is None:
            yield from _of_code(node)
        else:
            yield text


def _text(node: ast.AST) -> str | None:
    """Return the text that an expression makes, with VALUE where it puts something in; None where it makes none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _PUT_IN.sub(lambda found: "%" if found[0] == "%%" else VALUE, node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or VALUE for part in node.values)
    return None
