"""Names of columns: which are the same, which nobody means, and which show that a row was read from Vitally."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from destination_vitally.config import StreamMapping
from destination_vitally.mapping.values.lists import structure
from destination_vitally.objects.model import Object
from vitally_api.names import STREAM_PREFIX

_LOADERS = re.compile(
    r"_(fivetran|dlt|sdc|ab|airbyte|rivery)_.*|_loaded_at|__(hevo|debezium|dbz)_.*"
    r"|__(deleted|op|lsn|table|db|ts_ms|source_(ts_ms|lsn|table|db|schema|name|connector))",
    re.IGNORECASE,
)
"""The columns in which tools that fill warehouses keep their own books."""

UNAVAILABLE = "__debezium_unavailable_value"
"""What change data capture sends for a large value that has not changed; Airbyte's own Postgres source as well."""

_UNAVAILABLE = (UNAVAILABLE, b64encode(UNAVAILABLE.encode()).decode())


class Lost(str):
    """Stands for a value that did not survive its way; the text says what became of it."""

    __slots__ = ()


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
    """Tell whether a column is one that a loading tool keeps for itself."""
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


def is_unavailable(value: Any) -> bool:
    """Tell whether a pipeline says by a value that it does not have it: the field is to stay as it is."""
    if isinstance(value, Lost):
        return True
    if isinstance(value, str):
        if value in _UNAVAILABLE or UNAVAILABLE not in value:
            return value in _UNAVAILABLE
        value = structure(value)
    if isinstance(value, list):
        return bool(value) and all(map(is_unavailable, value))
    return isinstance(value, Mapping) and UNAVAILABLE in value


def data_of(record: Mapping[str, Any], merged: str | None = None) -> dict[str, Any]:
    """Return the columns of a record, with `Lost` where its `meta.changes` say that a value was nulled or truncated.

    Args:
        record: as it arrived; its data is changed.
        merged: the column whose members are columns of their own: of that one member is lost, of others all.
    """
    data: dict[str, Any] = record["data"]
    meta = record.get("meta")
    changes = meta.get("changes") if isinstance(meta, Mapping) else None
    for change in changes if isinstance(changes, list) else ():
        if not isinstance(change, Mapping) or not isinstance(name := change.get("field"), str):
            continue
        what, why = (str(change.get(said) or "for no reason given") for said in ("change", "reason"))
        lost = Lost(f"was {what.lower()} on its way here ({why}), so what it is in the source is not known")
        column, path = below(data, tuple(name.split("."))) or (name, ())
        members = data.get(column)
        if path and folded(column) == merged and isinstance(members, dict):
            members[".".join(path)] = lost
        else:
            data[column] = lost
    return data


def member(value: Any, path: tuple[str, ...]) -> Any:
    """Return what is at a path in an object, or by a number in a list; None where there is no such thing.

    Names of members may have dots: the longest that fits goes first.
    """
    if not path or is_unavailable(value):
        return value
    value = structure(value)
    if isinstance(value, list):
        place = int(path[0]) if path[0].isdecimal() else len(value)
        return member(value[place], path[1:]) if place < len(value) else None
    found = below(value, path) if isinstance(value, Mapping) else None
    return member(value[found[0]], found[1]) if found else None


def below(members: Iterable[str], path: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    """Return the name among members that a path begins with, and the rest of the path; None where there is none."""
    columns = Columns(members)
    for end in range(len(path), 0, -1):
        try:
            if (found := columns.find(".".join(path[:end]))) is not None:
                return found, path[end:]
        except AmbiguousError:
            return None
    return None


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


def are_vitallys(entry: Object, mapping: StreamMapping | None, stream: str, columns: Iterable[str]) -> bool | None:
    """Tell whether rows of a stream were read from Vitally, so that their ids are Vitally's; None: each row shows it.

    So they are where a mapping says it or makes your ids of theirs, and not where it says of ids that they are yours.
    Else they are if the stream has the name of one of the source, an `id`, and no column that those do not have, in
    whatever case.
    """
    if mapping and (mapping.rows_are or mapping.external_id):
        return mapping.rows_are != "yours"
    for line in mapping.fields if mapping else []:
        if folded(line.column) == "id" or (line.field == "externalId" and folded(line.column) != "externalid"):
            return False
    names = {"id", *entry.read_only, *(f.name for f in entry.fields), *(f.inlined or "" for f in entry.fields)}
    names.add(entry.open_member or "")
    found = {name for name in columns if not is_loader_column(name) and not is_deletion(name)}
    spellings = ({*map(spelled, names)} for spelled in (str, str.lower, str.upper))
    has_name = folded(stream) in map(folded, (*entry.streams, f"{entry.name}_ids")) or (
        entry.model == "customObjects" and folded(stream).startswith(folded(STREAM_PREFIX))
    )
    is_whole = any(found <= known and found & {"id", "ID"} for known in spellings)
    return True if has_name and is_whole else None


def _listed(names: Iterable[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)
