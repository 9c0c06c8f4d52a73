"""The rows of one resource, indexed so that a page costs O(log rows + page), at a million rows too."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import chain
from zlib import crc32

from sortedcontainers import SortedList

from integration_tests.sandbox.resources.model import STATES, Resource
from integration_tests.sandbox.wire.messages import Row

Key = tuple[str, str]
"""(sort value, id): what lists are ordered by and what a page cursor holds."""
Scope = tuple[str, str] | None
"""(attribute, id): the rows that name this parent; None = all rows."""
SORTS = ("createdAt", "updatedAt")
IndexKey = tuple[str, Scope, str]
"""(sort, scope, state)"""
Index = dict[IndexKey, "SortedList[Key]"]
HEX = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True)
class Bulk:
    """Many rows kept as a recipe: row i is `factory(i)` plus the stamps the index needs."""

    first: int
    keys: list[Key]
    factory: Callable[[int], Row]
    fixed: Row

    def row(self, position: int) -> Row:
        return {**self.fixed, **self.factory(position), **self.stamps(position)}

    def indexed(self, position: int) -> Row:
        """Return the part of the row its place in the indices comes from."""
        return {**self.fixed, **self.stamps(position)}

    def stamps(self, position: int) -> Row:
        stamp, identifier = self.keys[position]
        return {"id": identifier, "createdAt": stamp, "updatedAt": stamp}


class Table:
    """Rows by id, by externalId, and by (sort, scope, state) in order. Not thread-safe by itself."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self._rows: dict[str, Row | None] = {}
        """None: a row of a bulk that has been deleted."""
        self._bulks: list[Bulk] = []
        self._bulk_prefix = f"b01c{crc32(resource.name.encode()) & 0xFFFF:04x}-0000-4000-8000-"
        self._bulk_size = 0
        self._external: dict[str, dict[str, None]] = {}
        self._fields = (None, *resource.scope_fields)
        self._indices: dict[str | None, Index] = {}
        """By the attribute of the scope; made when somebody asks for it, as most rows are never listed."""

    def get(self, identifier: str) -> Row | None:
        if identifier in self._rows:
            return self._rows[identifier]
        place = self._bulk_place(identifier)
        return place[0].row(place[1]) if place else None

    def by_external_id(self, external_id: str) -> list[Row]:
        """Return the rows with this externalId, oldest first."""
        return [row for i in self._external.get(external_id, ()) if (row := self.get(i)) is not None]

    def rows(self) -> Iterator[Row]:
        """Yield every row in order of insertion, bulks last."""
        yield from (row for row in self._rows.values() if row is not None)
        for bulk in self._bulks:
            for position, (_, identifier) in enumerate(bulk.keys):
                if identifier not in self._rows:
                    yield bulk.row(position)

    def put(self, row: Row) -> None:
        """Insert the row, or replace the one with its id."""
        self._unindex(row["id"])
        self._rows[row["id"]] = row
        for field, index in self._indices.items():
            for key in self._index_keys(row, field):
                index.setdefault(key, SortedList()).add((row.get(key[0]) or "", row["id"]))
        if row.get("externalId") is not None:
            self._external.setdefault(row["externalId"], {})[row["id"]] = None

    def remove(self, identifier: str) -> None:
        self._unindex(identifier)
        if self._bulk_place(identifier):
            self._rows[identifier] = None
        else:
            del self._rows[identifier]

    def add_bulk(self, stamps: Iterable[str], factory: Callable[[int], Row], fixed: Row) -> None:
        """Add one row per stamp; `fixed` and the stamp alone decide scopes, states and order."""
        first = self._bulk_size
        keys = [(stamp, f"{self._bulk_prefix}{first + n:012x}") for n, stamp in enumerate(stamps)]
        self._bulks.append(Bulk(first, keys, factory, fixed))
        self._bulk_size += len(keys)
        for field in self._fields:
            index = self._index(field)
            for key in self._index_keys(fixed, field):
                index.setdefault(key, SortedList()).update(keys)

    def ordered(self, sort: str, scope: Scope, states: Iterable[str], before: Key | None) -> Iterator[Row]:
        """Yield the rows of a scope in these states, newest first, from the row after `before` on."""
        index = self._index(scope and scope[0])
        found = [keys for s in states if (keys := index.get((sort, scope, s)))]
        streams = [keys.irange(maximum=before, inclusive=(True, before is None), reverse=True) for keys in found]
        keys = streams[0] if len(streams) == 1 else merge(*streams, reverse=True)
        last: Key | None = None
        for key in keys:
            if key != last and (row := self.get(key[1])) is not None:
                yield row
            last = key

    def scoped(self, field: str, value: str) -> list[Row]:
        """Return the rows whose attribute `field` is or contains this id, oldest first, archived ones included."""
        index = self._index(field)
        keys = ((SORTS[0], (field, value), state) for state in STATES)
        ids = dict.fromkeys(i for _, i in sorted(chain(*(index.get(key, ()) for key in keys))))
        return [row for i in ids if (row := self.get(i)) is not None]

    def _index(self, field: str | None) -> Index:
        if field not in self._indices and field in self._fields:
            found: dict[IndexKey, list[Key]] = {}
            for row in filter(None, self._rows.values()):
                for key in self._index_keys(row, field):
                    found.setdefault(key, []).append((row.get(key[0]) or "", row["id"]))
            self._indices[field] = {key: SortedList(keys) for key, keys in found.items()}
        return self._indices.get(field, {})

    def _index_keys(self, row: Row, field: str | None) -> Iterator[IndexKey]:
        scopes: list[Scope] = [None]
        if field is not None:
            value = row.get(field)
            items = [value] if isinstance(value, str) else dict.fromkeys(value or ())
            scopes = [(field, item) for item in items]
        for state in self.resource.state(row) if scopes else ():
            for scope in scopes:
                for sort in SORTS:
                    yield sort, scope, state

    def _unindex(self, identifier: str) -> None:
        row = self._rows.get(identifier)
        if identifier not in self._rows and (place := self._bulk_place(identifier)):
            row = place[0].indexed(place[1])
        if row is None:
            return
        for field, index in self._indices.items():
            for key in self._index_keys(row, field):
                keys = index[key]
                keys.remove((row.get(key[0]) or "", row["id"]))
                if not keys and field is not None:
                    del index[key]
        if row.get("externalId") in self._external:
            self._external[row["externalId"]].pop(row["id"], None)

    def _bulk_place(self, identifier: str) -> tuple[Bulk, int] | None:
        """Return the bulk that made this id up, and the row's position in it."""
        number = identifier[len(self._bulk_prefix) :]
        if not self._bulks or not identifier.startswith(self._bulk_prefix) or not HEX.fullmatch(number):
            return None
        bulk = self._bulks[bisect_right([b.first for b in self._bulks], int(number, 16)) - 1]
        position = int(number, 16) - bulk.first
        return (bulk, position) if position < len(bulk.keys) else None
