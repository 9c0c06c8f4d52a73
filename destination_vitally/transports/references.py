"""Ids of other objects: yours, Vitally's, and how one is found from the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from destination_vitally.errors import ListError, RejectedError
from destination_vitally.mapping.mapper import Change
from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.table import BY_NAME, OBJECTS
from destination_vitally.transports.http import Api
from destination_vitally.transports.memory import Memory
from destination_vitally.transports.reply import Reply

Row = dict[str, Any]

REFERRED_TO = {field.refers for entry in OBJECTS for field in entry.references() if field.refers}
"""The objects that others refer to."""


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

    def known(self, target: str, value: str) -> str | None:
        """The id REST wants, if no look-up is needed to say it."""
        return self._vitallys.get((target, value)) or (value if isinstance(value, VitallyId) else None)

    def created(self, change: Change, row: Row) -> None:
        """Remember both ids of a row that was just made."""
        external_id = change.fields.get("externalId")
        if change.entry.name in self._yours and external_id and is_row(row):
            self._vitallys.put((change.entry.name, external_id), row["id"])

    def deleted(self, change: Change, address: str) -> None:
        """Forget a row: one that is made anew under its externalId has another id."""
        known = {str(value) for name in ("id", "externalId") if (value := change.fields.get(name))} | {address}
        for key in known:
            if found := self._vitallys.get((change.entry.name, key)):
                known = known | {found}
        for value in known:
            self._vitallys.forget((change.entry.name, value))
            self._vitallys.forget_value(value)

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
        found = self._look_up(change, target, value)
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
        found = self._look_up(change, target, wanted)
        if not found:
            raise change.rejected(f"{field_name}: Vitally has no {target} with this id")
        self._vitallys.put((target, wanted), str(found["id"]))
        return str(found["id"])

    def _look_up(self, change: Change, target: str, value: str) -> Row | None:
        if self._rest is None:
            return None
        entry = BY_NAME[target]
        return found_row(change, self._rest.send("GET", entry.item_path.format(key=quoted(value))))


def quoted(value: str) -> str:
    """An id as one segment of a path: external ids may hold slashes, spaces, `+` and `@`.

    Raises:
        RejectedError: it would be another place, since requests are not sent with it percent-encoded.
    """
    if str(value) in ("", ".", ".."):
        raise RejectedError("an id that is empty, . or .. cannot be sent")
    return quote(str(value), safe="")


def all_rows(rest: Api, path: str) -> Iterator[Row]:
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
        if not all(map(is_row, reply.body["results"])):
            raise ListError(path, "a row of it has no id")
        yield from reply.body["results"]
        seen.add(cursor)
        cursor = str(reply.body.get("next") or "")
        if not cursor:
            return
        if cursor in seen:
            raise ListError(path, "a page comes back again and again")


def rows_of(change: Change, reply: Reply) -> list[Row]:
    """The rows a look-up answered with; only a miss or an answer without rows says that there are none.

    Raises:
        RejectedError: the answer is another one, so that nobody knows.
    """
    body = reply.body
    if reply.is_miss:
        return []
    if reply.ok:
        rows = [body] if isinstance(body, dict) and "results" not in body else body
        rows = rows["results"] if isinstance(rows, dict) else rows
        if isinstance(rows, list) and all(map(is_row, rows)):
            return rows
    reason = reply.reason if not reply.ok else "an answer that is no row"
    raise change.rejected(f"Vitally does not say whether it is there: {reason}", reply.status)


def is_row(value: Any) -> bool:
    """Whether something is a row of Vitally's: it has an id."""
    return isinstance(value, dict) and isinstance(value.get("id"), str) and bool(value["id"])


def found_row(change: Change, reply: Reply) -> Row | None:
    """The row a GET by id answered with; None in each of the ways Vitally says that there is none.

    Raises:
        RejectedError: as `rows_of`.
    """
    rows = rows_of(change, reply)
    return rows[0] if rows else None
