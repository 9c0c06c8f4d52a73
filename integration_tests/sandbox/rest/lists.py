"""Lists of the REST API: newest first, by page, with a keyset cursor."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from zlib import crc32

import orjson

from integration_tests.sandbox.data.inline import among_odd, served_list
from integration_tests.sandbox.data.store import SORTS, Key, Scope
from integration_tests.sandbox.data.workspace import Workspace
from integration_tests.sandbox.resources.model import PARENTS, Resource
from integration_tests.sandbox.wire.messages import ApiError, Page, Reply, Request, Row

MAX_LIMIT = 100
PAGING = ("limit", "from", "sortBy")
STATUS = {"active": ("active",), "churned": ("churned",), "activeOrChurned": ("active", "churned")}
ARCHIVED = {"archived too": {"true": ("live", "archived"), "false": ("live",)}}
ARCHIVED["only archived"] = {"true": ("archived",), "false": ("live",)}
TARGET = {"accounts": ("accounts",), "organization": ("organization",)}


@dataclass(frozen=True)
class Cursor:
    """Where a scan stands. On the wire it is base64 JSON, opaque to clients."""

    position: Key | None
    number: int
    """The page this cursor leads to, from 0."""
    scan: int
    """A fingerprint of path, filters and sort: a cursor belongs to one scan."""
    issued: int
    epoch: int

    def encoded(self) -> str:
        value, identifier = self.position or (None, None)
        content = {
            "sortVal": value,
            "page": self.number,
            "scan": self.scan,
            "issued": self.issued,
            "epoch": self.epoch,
            "id": identifier,
        }
        return base64.b64encode(orjson.dumps(content)).decode()

    @classmethod
    def decoded(cls, text: str) -> Cursor:
        try:
            content = orjson.loads(base64.b64decode(text, validate=True))
            value, identifier = content["sortVal"], content["id"]
            position = None if value is None else (str(value), str(identifier))
            numbers = (int(content[name]) for name in ("page", "scan", "issued", "epoch"))
            return cls(position, *numbers)
        except (binascii.Error, ValueError, KeyError, TypeError) as error:
            raise ApiError(400, "from is not a valid cursor.") from error


class Lists:
    """Serves pages. Counts them, because cursors can be made to expire."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.epoch = 0
        """Cursors of an earlier epoch are refused."""
        self.served = 0

    def page(self, request: Request, resource: Resource, parent: tuple[str, str] | None = None) -> Reply:
        """Return one page of the resource, of one parent's rows when `parent` = (resource, id) is given."""
        switches = self.workspace.switches
        filters = resource.under_filters if parent else resource.filters
        check_parameters(self.workspace, request, (*PAGING, *filters))
        limit = _limit(request.query)
        sort = self._sort(request.query, resource)
        scan = _fingerprint(request, sort, None if switches.cursors_of_any_limit else limit)
        if switches.heaviest_page is not None and limit > switches.heaviest_page:
            raise ApiError(switches.too_heavy, "The page takes too long.")
        cursor = self._cursor(request.query, scan)
        if cursor is None:
            return self._answer_to_expired()
        self.served += 1
        rows: list[Row] = []
        more = True
        if not (switches.empty_page_with_next and cursor.number % 2 == 1):
            wanted = max(1, limit // 2) if switches.short_pages else limit
            matching = self._matching(request.query, resource, parent, sort, cursor.position)
            rows = list(islice(matching, wanted + 1))
            more = len(rows) > wanted
            rows = rows[:wanted]
            if any(row["id"] in switches.broken_rows for row in rows):
                raise ApiError(500, "A row cannot be serialised.")
        last = (rows[-1].get(sort) or "", rows[-1]["id"]) if rows else cursor.position
        following = Cursor(last, cursor.number + 1, scan, self.served, self.epoch).encoded() if more else None
        if switches.repeat_cursor and "from" in request.query:
            following = request.query["from"]
        shown = served_list(self.workspace, resource, rows)
        page = Page(resource.name, cursor.number, shown, request.query)
        shown = [*shown[:1], *shown] if switches.doubled_rows else shown
        shown = among_odd(self.workspace, shown, "a text")
        body: Row = {"error": None} if switches.null_error_in_pages else {}
        if resource.name == "surveyResponses":
            return Reply(200, {**body, "data": shown, "next": following}, page=page)
        at_end = following is None
        if at_end and switches.next_after_end:
            following = Cursor(last, cursor.number + 1, scan, self.served, self.epoch).encoded()
        ends = {} if switches.at_end_absent else {"atEnd": at_end}
        return Reply(200, {**body, "results": shown, "next": following, **ends}, page=page)

    def _answer_to_expired(self) -> Reply:
        kind = self.workspace.switches.expired_cursor
        if kind == "empty page":
            return Reply(200, {"results": [], "data": [], "next": None, "atEnd": True})
        raise ApiError(kind if isinstance(kind, int) else 200, "from has expired.")

    def _matching(
        self,
        query: Mapping[str, str],
        resource: Resource,
        parent: tuple[str, str] | None,
        sort: str,
        before: Key | None,
    ) -> Iterable[Row]:
        scope: Scope = (resource.under[parent[0]], parent[1]) if parent else None
        if "categoryId" in query and "categoryId" in resource.filters:
            scope = ("projectCategoryId", query["categoryId"])
        states = self._states(query, resource, parent is not None)
        rows = self.workspace.ordered(resource.name, sort, scope, states, before)
        if self.workspace.switches.below_untracked_hidden and (parent is None or parent[0] not in PARENTS):
            rows = (row for row in rows if not self._is_below_untracked(row))
        if "source" in query and "source" in resource.filters:
            source = source_of(query)
            return (row for row in rows if (row.get("source") or "").lower() == source)
        return rows

    def _is_below_untracked(self, row: Row) -> bool:
        account = row.get("accountId") or row.get("customerId")
        return bool(account and self.workspace.get("accounts", account).get("untracked"))

    def _states(self, query: Mapping[str, str], resource: Resource, under: bool) -> tuple[str, ...]:
        if "archived" in resource.filters:
            switches = self.workspace.switches
            omitted = ("live", "archived") if switches.archived_omitted_means_all else ("live",)
            chosen = _choice(query, "archived", ARCHIVED[switches.archived_true], omitted)
            return ("live", "archived") if switches.archived_ignored else chosen
        if "status" in resource.filters:
            below = self.workspace.switches.below_organization
            return _choice(query, "status", STATUS, STATUS[below if under else "active"])
        if "target" in resource.filters:
            return _choice(query, "target", TARGET, ("accounts", "organization") if under else ("accounts",))
        return ("live",)

    def _sort(self, query: Mapping[str, str], resource: Resource) -> str:
        sort, switches = query.get("sortBy"), self.workspace.switches
        undocumented = None if resource.sort_documented else switches.undocumented_sort
        if sort is not None and undocumented == "refused":
            raise ApiError(400, f"sortBy is not supported for {resource.name}.")
        if sort is not None and sort not in SORTS:
            raise ApiError(400, "sortBy must be one of createdAt, updatedAt.")
        if undocumented == "ignored" or switches.sort_ignored:
            return "createdAt"
        return sort or "updatedAt"

    def _cursor(self, query: Mapping[str, str], scan: int) -> Cursor | None:
        """Return where the scan stands; None for a cursor that is no longer known."""
        if "from" not in query:
            return Cursor(None, 0, scan, self.served, self.epoch)
        cursor = Cursor.decoded(query["from"])
        if cursor.scan != scan:
            raise ApiError(400, "from belongs to a list with another limit, another sort or other filters.")
        lifetime = self.workspace.switches.cursors_expire_after
        age = self.served - cursor.issued
        if cursor.epoch != self.epoch or (lifetime is not None and age >= lifetime):
            return None
        return cursor


def check_parameters(workspace: Workspace, request: Request, known: Iterable[str]) -> None:
    """Refuse query parameters no page of the docs names, unless the workspace is lenient."""
    unknown = set(request.query) - set(known)
    if unknown and workspace.switches.strict_parameters:
        raise ApiError(400, f"Unknown query parameter: {', '.join(sorted(unknown))}.")


def source_of(query: Mapping[str, str]) -> str:
    """Return the integration that a query names; rows that no integration made have none to name."""
    if not query["source"]:
        raise ApiError(400, "source must be the name of an integration.")
    return query["source"].lower()


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", str(MAX_LIMIT))
    if not text.isdecimal() or not 1 <= int(text) <= MAX_LIMIT:
        raise ApiError(400, f"limit must be a number from 1 to {MAX_LIMIT}.")
    return int(text)


def _fingerprint(request: Request, sort: str, limit: int | None) -> int:
    filters = sorted((name, value) for name, value in request.query.items() if name not in PAGING)
    return crc32(orjson.dumps([request.path, sort, filters, limit]))


def _choice(
    query: Mapping[str, str], name: str, values: Mapping[str, Any], omitted: tuple[str, ...]
) -> tuple[str, ...]:
    if name not in query:
        return omitted
    if query[name] not in values:
        raise ApiError(400, f"{name} must be one of {', '.join(values)}.")
    chosen: tuple[str, ...] = values[query[name]]
    return chosen
