"""Custom fields as columns of their own (`flatten_traits`), for tools that cannot look into `traits`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from source_vitally.times import parse_time
from vitally_api.names import cut, snake_case, with_hash
from vitally_api.traits import Kind, kind_of

PREFIX = "trait_"
OWN_PATHS = "vitally.custom."
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
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
        types: The field type of each path.
    """
    columns: dict[str, TraitColumn] = {}
    for path in sorted(types, key=_rank):
        name = _name(path)
        if name in columns:  # spelled usually as well, in another way
            name = with_hash(name, path)
        columns[name] = TraitColumn(name, path, kind_of(types[path]) or Kind.TEXT)
    by_path = {column.path: column for column in columns.values()}
    return [by_path[path] for path in types]


def _name(path: str) -> str:
    """Return the name of a path's column: plain for a path in the usual form of its name, else with a hash.

    A name is thus that of one path, whatever other fields there are, and no column carries the values of another field
    once its own is deleted. Usual are camelCase and snake_case, below `vitally.custom.` or not.
    """
    own = path.removeprefix(OWN_PATHS)
    name = snake_case(own)
    is_usual = own in (name, _camel_case(name))
    return cut(PREFIX + name, path) if is_usual else with_hash(PREFIX + name, path)


def _rank(path: str) -> tuple[bool, bool, str]:
    """Return which of several usual paths of a name has it plain: by their form, so that it stays."""
    own = path.removeprefix(OWN_PATHS)
    return own == path, own != _camel_case(snake_case(own)), path


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number(value: Any) -> int | float | None:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
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
    if isinstance(value, str) and parse_time(value) and _DAY.match(value):
        return value[:10]  # the day that was meant, whatever day it was in Greenwich
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
