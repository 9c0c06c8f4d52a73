"""Lists and objects, also in a text: JSON, JSON in JSON, arrays of Postgres, lists of Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

from destination_vitally.mapping.values.numbers import sent_exactly
from destination_vitally.mapping.values.texts import identifier, text
from vitally_api.answers import parse

_UUID = re.compile(r"\{[0-9a-fA-F-]{36}\}")
_ENTRY = r'"(?:[^"\\]|\\.)*"|[^",{}\\]+'
_ARRAY = re.compile(rf"\{{(?:{_ENTRY})(?:,(?:{_ENTRY}))*\}}", re.DOTALL)
_ENTRIES = re.compile(_ENTRY, re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_BRACKETS = {"[": "]", "{": "}"}
_LONGEST = 100_000
"""So many characters of a text that is no JSON are looked at for a list."""


def structure(value: Any) -> Any:
    """Return what a text that is a JSON list or object stands for, also one encoded twice; else the value as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{", '"'):
        try:
            found = parse(value.encode(errors="surrogatepass"))
        except ValueError:
            return value
        found = structure(found) if isinstance(found, str) else found
        return found if isinstance(found, (list, dict)) else value
    return value


def as_list(value: Any) -> list[Any] | None:
    """Return the list that a value is, or that a text of it stands for; None where it is none.

    Raises:
        ValueError: a text looks like a list, and could be read in several ways.
    """
    found = structure(value)
    if isinstance(found, list):
        inner = structure(found[0]) if len(found) == 1 and isinstance(found[0], str) else None
        return inner if isinstance(inner, list) else found
    written = value.strip() if isinstance(value, str) else ""
    if written.startswith("{") and found in ({}, value):
        return [] if found == {} else _array(written)
    return _python_list(written) if written.startswith("[") else None


def _array(written: str) -> list[Any] | None:
    """Return the entries of an array as Postgres writes it."""
    if _UUID.fullmatch(written):
        return None
    if len(written) > _LONGEST or not _ARRAY.fullmatch(written):
        _refuse_if_doubtful(written)
        return None
    entries = _ENTRIES.findall(written[1:-1])
    return [
        _ESCAPED.sub(r"\1", entry[1:-1]) if entry[0] == '"' else None if entry == "NULL" else entry for entry in entries
    ]


def _python_list(written: str) -> list[Any] | None:
    if "'" in written and len(written) <= _LONGEST:
        try:
            found = ast.literal_eval(written)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            found = None
        if isinstance(found, list):
            return found
    _refuse_if_doubtful(written)
    return None


def _refuse_if_doubtful(written: str) -> None:
    """Raise ValueError for a text with the brackets of a list and a comma between them; else it is one value."""
    if written.endswith(_BRACKETS[written[0]]) and "," in written:
        raise ValueError("must be a list, and this text looks like one that is not written in JSON")


def listed(value: Any) -> list[Any]:
    """Return a list: as it is, from a text, or of the one value there is."""
    found = as_list(value)
    if found is None and isinstance(structure(value), Mapping):
        raise ValueError("must be a list")
    return [sent_exactly(entry) for entry in (found if found is not None else [value]) if entry is not None]


def texts(value: Any) -> list[str]:
    """Return a list of texts; a single value is a list of one."""
    return [text(entry) for entry in _entries(value) if entry not in (None, "")]


def identifiers(value: Any, one: Callable[[Any], str] = identifier) -> list[str]:
    """Return a list of ids, each read by `one`; a single one is a list of one."""
    return [found for entry in _entries(value) if entry is not None and (found := one(entry))]


def _entries(value: Any) -> list[Any]:
    found = as_list(value)
    return [value] if found is None else found


def only(value: Any, read: Callable[[Any], str]) -> str | None:
    """Return the one id that a value is, or that is alone in a list; None of an empty list.

    Raises:
        ValueError: there are several, or it is no id.
    """
    found = structure(value)
    if not isinstance(found, list):
        return read(value)
    ids = identifiers(found, read)
    if len(ids) > 1:
        raise ValueError("must be one id, and there are several: map the column with .0 behind it for the first")
    return ids[0] if ids else None
