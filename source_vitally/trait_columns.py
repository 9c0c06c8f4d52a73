"""Custom fields as columns of their own (`flatten_traits`), for tools that cannot look into `traits`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

from source_vitally.scan import parse_time
from vitally_api.names import snake_case
from vitally_api.traits import Kind, kind_of

PREFIX = "trait_"
OWN_PATHS = "vitally.custom."
LONGEST_NAME = 60
"""What the shortest limit of the usual warehouses (63) leaves, with room for a prefix of theirs."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class TraitColumn:
    """A custom field as a column: `path` is its key in `traits`, `kind` what its values are."""

    name: str
    path: str
    kind: Kind

    def value(self, traits: Mapping[str, Any]) -> Any:
        """Return the trait's value as this column's type, or None where there is none or it does not fit."""
        found = traits.get(self.path)
        return None if found is None else _CASTS[self.kind](found)


def trait_columns(types: Mapping[str, str]) -> list[TraitColumn]:
    """Return a column per custom field; no two names are the same, whatever the case.

    Args:
        types: The field type of each path, oldest first: where two paths make one name, the older has it plain and
            the later one with a part of its path's hash, so that a new field never renames an older column.
    """
    columns: dict[str, TraitColumn] = {}
    for path, field_type in types.items():
        name = PREFIX + snake_case(path.removeprefix(OWN_PATHS))
        if name in columns or len(name) > LONGEST_NAME:
            suffix = sha256(path.encode()).hexdigest()[:8]
            name = f"{name[: LONGEST_NAME - len(suffix) - 1]}_{suffix}"
        columns[name] = TraitColumn(name, path, kind_of(field_type) or Kind.TEXT)
    return list(columns.values())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number(value: Any) -> int | float | None:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _flag(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _time(value: Any) -> datetime | None:
    """Return a time: ISO 8601, or milliseconds since 1970, which is how HubSpot's dates arrive."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _EPOCH + timedelta(milliseconds=value)
        return parse_time(value)
    except (OverflowError, ValueError):
        return None


def _moment(value: Any) -> str | None:
    time = _time(value)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z") if time else None


def _day(value: Any) -> str | None:
    time = _time(value)
    return time.date().isoformat() if time else None


def _list(value: Any) -> list[str]:
    return [_text(item) for item in (value if isinstance(value, list) else [value]) if item is not None]


_CASTS: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _flag,
    Kind.DATETIME: _moment,
    Kind.DATE: _day,
    Kind.LIST: _list,
}
