"""What Vitally answers to those who read: lists page by page as they are written down, or those of some rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from destination_vitally.api.reply import Reply
from destination_vitally.objects.model import PARENT

DAY = "2026-01-01T00:00:"
START = 1_767_225_600
"""The beginning of that day as a Unix time."""

Page = list[dict[str, Any]] | int


def row(second: int, updated: int | None = None, **more: Any) -> dict[str, Any]:
    """A row that was made in one second of a minute and changed in another."""
    times = {"createdAt": f"{DAY}{second:02}.500Z", "updatedAt": f"{DAY}{updated or second:02}.500Z"}
    return {"id": f"r{second}", "externalId": f"x{second}", **times, **more}


class Lists:
    """Answers each list with its pages, one after another; the pages of what no list is given are no such place.

    A list is called as in `createdAt`, or `createdAt status=active` for a part of it. A page is its rows, or the
    number of an error. `asked` says which pages were asked for; `time` is what each answer says it is.
    """

    def __init__(self, **lists: Any) -> None:
        self.lists: dict[str, Sequence[Page]] = lists
        self.time: float | None = None
        self.asked: list[str] = []

    def send(self, method: str, path: str) -> Reply:
        assert method == "GET"
        query = dict(parse_qsl(urlsplit(path).query))
        assert query.pop("limit") == "100"
        order, place = query.pop("sortBy"), int(query.pop("from", "0"))
        name = " ".join([order, *(f"{key}={value}" for key, value in query.items())])
        self.asked.append(f"{name} {place}")
        pages = self.lists.get(name, [404])
        page = pages[place]
        if isinstance(page, int):
            return Reply(page, {"error": "Not found" if page == 404 else "No."}, "")
        following = str(place + 1) if place + 1 < len(pages) else None
        return Reply(200, {"results": page, "next": following}, "", time=self.time)


class Workspace:
    """Answers what is read of some rows: `{"accounts": [...]}`.

    A row is in the list of its collection unless it is `hidden`, and in those below the account or organization whose
    id it has. `refused` are the paths that are answered with an error, each with its number. `asked` are the paths.
    """

    def __init__(self, size: int = 100, **rows: list[dict[str, Any]]) -> None:
        """`size` is the number of rows of a page."""
        self.size = size
        self.rows = rows
        self.refused: dict[str, int] = {}
        self.asked: list[str] = []

    def send(self, method: str, path: str) -> Reply:
        assert method == "GET"
        address = urlsplit(path)
        query = dict(parse_qsl(address.query))
        self.asked.append(address.path)
        if address.path in self.refused:
            return Reply(self.refused[address.path], {"error": "No."}, "")
        match address.path.removeprefix("/").split("/"):
            case [collection]:
                return self._page([one for one in self.rows.get(collection, []) if not one.get("hidden")], query)
            case [collection, "search"]:
                asked_for = query.items()
                return Reply(200, [one for one in self.rows.get(collection, []) if asked_for <= one.items()], "")
            case [collection, key]:
                ids = ("id", "externalId")
                found = [one for one in self.rows.get(collection, []) if unquote(key) in map(one.get, ids)]
                return Reply(200, found[0], "") if found else Reply(404, {"error": "Not found"}, "")
            case [_, parent, collection]:
                below = [one for one in self.rows[collection] if parent in (one.get(field) for field in PARENT)]
                return self._page(below, query)
        raise AssertionError(path)

    def _page(self, rows: list[dict[str, Any]], query: dict[str, str]) -> Reply:
        begin = int(query.get("from", "0"))
        end = begin + self.size
        page = [{"createdAt": f"{DAY}00.000Z", **one} for one in rows[begin:end]]
        return Reply(200, {"results": page, "next": str(end) if end < len(rows) else None}, "")
