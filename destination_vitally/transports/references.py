"""Ids of other objects: yours, Vitally's, and how one is found from the other."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from destination_vitally.errors import ListError
from destination_vitally.mapping.mapper import Change
from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.table import BY_NAME, OBJECTS
from destination_vitally.transports.http import Api, Reply

Value = TypeVar("Value")

REMEMBERED = 50_000
"""How many ids of each sort are kept; the memory of a sync does not grow with its length."""

REFERRED_TO = {field.refers for entry in OBJECTS for field in entry.references() if field.refers}
"""The objects that others refer to."""


class Memory(Generic[Value]):
    """The most recently used entries of a mapping. Safe to use from several threads."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._entries: OrderedDict[Any, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Any) -> Value | None:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
        return None

    def put(self, key: Any, value: Value) -> None:
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def forget(self, key: Any) -> None:
        with self._lock:
            self._entries.pop(key, None)


class References:
    """Translates the ids in the reference fields of changes."""

    def __init__(self, rest: Api | None) -> None:
        self._rest = rest
        self._yours: dict[str, Memory[str]] = {name: Memory() for name in REFERRED_TO}
        self._vitallys: Memory[str] = Memory()

    def learn(self, change: Change) -> None:
        """Remember both ids of a row read from Vitally, for the rows that refer to it."""
        memory = self._yours.get(change.entry.name)
        own, yours = change.fields.get("id"), change.fields.get("externalId")
        if memory is not None and own and yours:
            memory.put(own, yours)

    def expect(self, target: str, external_id: str) -> None:
        """Take a row that would have been created (in a dry run) for one that is there."""
        self._vitallys.put((target, external_id), external_id)

    def yours(self, change: Change, field_name: str, target: str, value: str) -> str:
        """The id the Analytics API wants: your id of the object `target` (account, organization, user).

        Raises:
            RejectedError: the value is Vitally's id, and nothing tells which of yours belongs to it.
        """
        if not isinstance(value, VitallyId):
            return value
        known = self._yours[target].get(value)
        if known:
            return known
        found = self._look_up(target, value)
        if found and found.get("externalId"):
            self._yours[target].put(value, str(found["externalId"]))
            return str(found["externalId"])
        raise change.rejected(
            f"{field_name} is Vitally's id of a row that "
            + ("this workspace does not have" if self._rest else "only a REST key (secret_token) could look up")
            + f"; sync the {target}s along, or map your own id to {field_name}"
        )

    def vitallys(self, change: Change, field_name: str, target: str, value: str) -> str:
        """The id REST wants: Vitally's id of the object `target`, found by either id.

        Raises:
            RejectedError: Vitally has no such row.
        """
        wanted = self._yours[target].get(value) if isinstance(value, VitallyId) else None
        wanted = wanted or value
        known = self._vitallys.get((target, wanted))
        if known:
            return known
        found = self._look_up(target, wanted)
        if not found:
            raise change.rejected(f"{field_name}: Vitally has no {target} with this id")
        self._vitallys.put((target, wanted), str(found["id"]))
        return str(found["id"])

    def _look_up(self, target: str, value: str) -> dict[str, Any] | None:
        if self._rest is None:
            return None
        entry = BY_NAME[target]
        return found_row(self._rest.send("GET", entry.item_path.format(key=quoted(value))))


def quoted(value: str) -> str:
    """An id as one segment of a path: external ids may hold slashes, spaces, `+` and `@`."""
    return quote(str(value), safe="")


def all_rows(rest: Api, path: str) -> Iterator[dict[str, Any]]:
    """The rows of a list, page by page; none when there is no such list.

    Raises:
        ListError: a page is refused, or its cursor was there before.
    """
    cursor, seen = "", set[str]()
    while True:
        more = f"&from={quoted(cursor)}" if cursor else ""
        reply = rest.send("GET", f"{path}?limit=100&sortBy=createdAt{more}")
        if reply.is_miss and not cursor:
            return
        if not reply.ok or not isinstance(reply.body, dict) or "results" not in reply.body:
            raise ListError(path, reply.reason, reply.status)
        yield from reply.body["results"]
        seen.add(cursor)
        cursor = reply.body.get("next") or ""
        if not cursor:
            return
        if cursor in seen:
            raise ListError(path, "a page comes back again and again")


def found_row(reply: Reply) -> dict[str, Any] | None:
    """The row a GET by id answered with; None in each of the ways Vitally says that there is none."""
    if reply.ok and isinstance(reply.body, dict) and reply.body.get("id"):
        return reply.body
    return None
