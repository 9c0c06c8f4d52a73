"""Rows in the answers of the REST API, and ids in its paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from destination_vitally.api.http import Api
from destination_vitally.api.reply import Reply
from destination_vitally.errors import ListError, RejectedError
from destination_vitally.mapping.change import Change

Row = dict[str, Any]

MOST_ROWS = 100
"""Rows of a page. Where so many are too many bytes, half as many are asked for, until as many have been read so."""


def quoted(value: str) -> str:
    """Return an id as one segment of a path: external ids may hold slashes, spaces, `+` and `@`.

    Raises:
        RejectedError: it would be another place, since requests are not sent with it percent-encoded.
    """
    if str(value) in ("", ".", ".."):
        raise RejectedError("an id that is empty, . or .. cannot be sent")
    return quote(str(value), safe="")


def text_of(row: Row, name: str) -> str:
    """Return what a row has by a name, as text; empty where it has nothing, which is not the text `None`."""
    value = row.get(name)
    return "" if value is None else str(value)


def all_rows(rest: Api, path: str, *, order: str | None = "createdAt") -> Iterator[Row]:
    """Yield the rows of a list; arguments and errors are those of `pages`."""
    for page in pages(rest, path, order=order):
        yield from page


def pages(rest: Api, path: str, *, order: str | None = "createdAt", query: str = "") -> Iterator[list[Row]]:
    """Yield the rows of each page of a list; arguments and errors are those of `answers`."""
    for reply in answers(rest, path, order=order, query=query):
        yield reply.body["results"]


def answers(rest: Api, path: str, *, order: str | None = "createdAt", query: str = "") -> Iterator[Reply]:
    """Yield the pages of a list, as they were answered; none when there is no such list.

    A page that is too large is asked for in halves, down to one row.

    Args:
        order: what the list is asked to be sorted by, newest first; None for one that knows no order, as of categories.
        query: what else it is asked for.

    Raises:
        ListError: a page is refused, or its cursor was there before.
    """
    cursor, seen = "", set[str]()
    limit, read = MOST_ROWS, 0
    while True:
        more = f"&from={quoted(cursor)}" if cursor else ""
        sort = f"&sortBy={order}" if order else ""
        asked = f"&{query}" if query else ""
        reply = rest.send("GET", f"{path}?limit={limit}{asked}{sort}{more}")
        if reply.bound and limit > 1:
            limit, read = limit // 2, 0
            continue
        if reply.is_miss and not cursor:
            return
        if not reply.ok or not isinstance(reply.body, dict) or "results" not in reply.body:
            raise ListError(path, reply.reason, reply.status)
        if not all(map(is_row, reply.body["results"])):
            raise ListError(path, "one of its rows has no id")
        yield reply
        read += len(reply.body["results"])
        if read >= MOST_ROWS:
            limit, read = min(MOST_ROWS, 2 * limit), 0
        seen.add(cursor)
        cursor = str(reply.body.get("next") or "")
        if not cursor:
            return
        if cursor in seen:
            raise ListError(path, "a page comes back again and again")


def rows_of(change: Change, reply: Reply) -> list[Row]:
    """Return the rows a look-up answered with; only a miss or an answer without rows says that there are none.

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
    """Tell whether something is a row of Vitally's: it has an id."""
    return isinstance(value, dict) and isinstance(value.get("id"), str) and bool(value["id"])


def found_row(change: Change, reply: Reply) -> Row | None:
    """Return the row a GET by id answered with; None in each of the ways Vitally says that there is none.

    Raises:
        RejectedError: as `rows_of`.
    """
    rows = rows_of(change, reply)
    return rows[0] if rows else None
