"""Configs that a spec allows, made up by hypothesis."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
"""Texts that a person may type, of any script; with spaces at their ends now and then."""


def configs(schema: Mapping[str, Any], *, tidy: bool = True) -> st.SearchStrategy[Any]:
    """Return a strategy for the values that a schema allows.

    Args:
        tidy: Whether texts have no spaces at their ends, which mean nothing and do not survive the form.
    """
    if "oneOf" in schema:
        return st.one_of([configs(branch, tidy=tidy) for branch in schema["oneOf"]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return _OF_TYPE[schema["type"]](schema, tidy)


def _objects(schema: Mapping[str, Any], tidy: bool) -> st.SearchStrategy[Any]:
    required = schema.get("required", ())
    parts = {name: configs(part, tidy=tidy) for name, part in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: part for name, part in parts.items() if name in required},
        optional={name: part for name, part in parts.items() if name not in required},
    )


def _lists(schema: Mapping[str, Any], tidy: bool) -> st.SearchStrategy[Any]:
    return st.lists(configs(schema["items"], tidy=tidy), max_size=2)


def _texts(schema: Mapping[str, Any], tidy: bool) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        texts = st.from_regex(re.compile(schema["pattern"], re.ASCII), fullmatch=True)
        return texts.filter(lambda text: text.isascii() and text.isprintable() and text == text.strip() != "")
    shortest = schema.get("minLength", 0)
    tidied = TEXTS.map(str.strip).filter(lambda text: len(text) >= max(shortest, 1))
    return (
        tidied
        if tidy
        else tidied | tidied.map(lambda text: f" {text} ") | st.just("" if not shortest else "x" * shortest)
    )


_OF_TYPE: Mapping[str, Callable[[Mapping[str, Any], bool], st.SearchStrategy[Any]]] = {
    "object": _objects,
    "array": _lists,
    "string": _texts,
    "boolean": lambda *_: st.booleans(),
    "integer": lambda schema, _: st.integers(schema.get("minimum"), schema.get("maximum")),
}
