"""Names of columns: which are the same, which nobody means, and which say that a row was read from Vitally."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

_LOADERS = re.compile(r"_(fivetran|dlt|sdc|ab|airbyte)_.*|_loaded_at", re.IGNORECASE)
"""The columns in which tools that fill warehouses keep their own books."""

_DELETED = "_ab_cdc_deleted_at"

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NATIVE = tuple(
    tuple(map(spelled, ("id", "createdAt", "updatedAt", "externalId", "traits")))
    for spelled in (str, str.lower, str.upper)
)
"""How rows of Vitally spell what they have: as Vitally does, or as a cache or warehouse that has one case of names."""


class AmbiguousError(ValueError):
    """Several columns could be meant; the text names them."""


@lru_cache(maxsize=20_000)
def folded(name: str) -> str:
    """Return what spellings of one name have in common: `externalId`, `EXTERNAL_ID`, `external id` are `externalid`."""
    return "".join(c for c in name.casefold() if c.isalnum() or c == ".") or name


def is_loader_column(name: str) -> bool:
    """Tell whether a column is one that a loading tool made for itself."""
    return _LOADERS.fullmatch(name) is not None


def is_deletion(name: str) -> bool:
    """Tell whether a column is the one in which database sources say that a row was deleted.

    Warehouses that make names upper case spell it so.
    """
    return name.casefold() == _DELETED


class Columns:
    """Names of columns, found whatever their case and underscores."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._by_fold: dict[str, list[str]] = {}
        for name in self.names:
            self._by_fold.setdefault(folded(name), []).append(name)

    def find(self, wanted: str) -> str | None:
        """Return the column of that name, else the only one that spells it in another way, or None.

        Raises:
            AmbiguousError: several spell it in other ways.
        """
        found = self._by_fold.get(folded(wanted), [])
        if wanted in found:
            return wanted
        if len(found) > 1:
            raise AmbiguousError(f"columns {_listed(found)} could each be meant by '{wanted}': write the one you mean")
        return found[0] if found else None

    def locate(self, wanted: str) -> tuple[str, tuple[str, ...]] | None:
        """Return a column and the path below it that `wanted` names: a column, or `column.member.member`.

        Raises:
            AmbiguousError: as `find`.
        """
        if (column := self.find(wanted)) is not None:
            return column, ()
        first, *path = wanted.split(".")
        column = self.find(first) if path else None
        return None if column is None else (column, tuple(path))


def member(value: Any, path: tuple[str, ...]) -> Any:
    """Return what is at a path in an object; None where there is no such thing."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        try:
            found = Columns(value).find(name)
        except AmbiguousError:
            return None
        value = value[found] if found is not None else None
    return value


def is_native(row: Mapping[str, Any]) -> bool:
    """Tell whether a row was read from Vitally, so that its `id` and its references are Vitally's, not yours.

    It has a UUID as `id`, both times, and an object of traits or an `externalId`. A table of an application has the
    former as well, and lacks the latter.
    """
    own = row.get("id") or row.get("ID")
    if type(own) is not str or not _UUID.fullmatch(own):
        return False
    return any(
        row.get(id_) is own
        and created in row
        and updated in row
        and (yours in row or isinstance(row.get(traits), Mapping))
        for id_, created, updated, yours, traits in _NATIVE
    )


def _listed(names: Iterable[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)
