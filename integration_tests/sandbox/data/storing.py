"""What Vitally may make of a value before it stores it; no page says that a value is kept as it was sent."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

from integration_tests.sandbox.data.markup import cleaned, without_tags
from integration_tests.sandbox.resources.model import Resource
from integration_tests.sandbox.wire.messages import Row
from integration_tests.sandbox.wire.switches import Switches

DAY = re.compile(r"\d{4}-\d\d-\d\d")
TIME = re.compile(DAY.pattern + r"T\d\d:\d\d:\d\d.*")
NEVER = frozenset({"externalId", "source", "traits", "messages", "participants", "customFields"})
"""What is written and has no value of its own, or is what rows are told apart by."""


def otherwise(switches: Switches, resource: Resource, row: Row, defined: Container[str]) -> Row:
    """Return the values of a row that are stored otherwise than they are in it.

    Only what the APIs take is changed. To do it again changes nothing.

    Args:
        switches: say what is changed.
        resource: what the row is of.
        row: with the values as they were sent.
        defined: the paths of the custom fields of the resource.
    """
    writing = resource.writing
    if writing is None or not _any(switches):
        return {}
    names = {*writing.create, *writing.update} - NEVER - writing.references.keys()
    out: Row = {name: _value(switches, row[name], name) for name in names if row.get(name) is not None}
    if traits := row.get("traits"):
        is_open = writing.traits_model is None and switches.undefined_traits_dropped
        kept = {path: value for path, value in traits.items() if not is_open or path in defined}
        out["traits"] = {path: _value(switches, value) for path, value in kept.items()}
    return {name: value for name, value in out.items() if value != row[name]}


def _any(switches: Switches) -> bool:
    return bool(
        switches.texts_trimmed
        or switches.emails_lowered
        or switches.decimals is not None
        or switches.days_as_times
        or switches.times_as_days
        or switches.html != "as documented"
        or switches.lists_sorted
        or switches.longest_text is not None
        or switches.undefined_traits_dropped
    )


def _value(switches: Switches, value: Any, name: str = "") -> Any:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        items = [_text(switches, item) for item in value]
        return sorted(items) if switches.lists_sorted else items
    if isinstance(value, float) and switches.decimals is not None:
        return round(value, switches.decimals)
    if not isinstance(value, str):
        return value
    return value.lower() if name == "email" and switches.emails_lowered else _text(switches, value)


def _text(switches: Switches, text: str) -> str:
    if switches.html != "as documented":
        text = cleaned(text) if switches.html == "cleaned everywhere" else without_tags(text)
    if switches.texts_trimmed:
        text = text.strip()
    if switches.days_as_times and DAY.fullmatch(text):
        return f"{text}T00:00:00.000Z"
    if switches.times_as_days and TIME.fullmatch(text):
        return text[:10]
    return text[: switches.longest_text]
