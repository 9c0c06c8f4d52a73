"""Where rows are in the REST API, and how one is looked up where no path takes what it is told by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from destination_vitally.errors import ListError
from destination_vitally.mapping.mapper import Change
from destination_vitally.objects.model import Lookup
from destination_vitally.objects.table import BY_NAME
from destination_vitally.transports.http import Api, Reply
from destination_vitally.transports.references import Memory, References, all_rows, found_row, quoted

Row = dict[str, Any]

PARENTS_REMEMBERED = 500
"""Of how many accounts and organizations the rows below them are kept."""


class Paths:
    """The paths of one change; ids of parents in them are translated when a path is asked for."""

    def __init__(self, change: Change, references: References) -> None:
        self._change = change
        self._references = references

    def parent(self, name: str) -> str:
        """Vitally's id of the object that the field `name` refers to; RejectedError when there is none."""
        field, value = self._change.entry.field(name), self._change.fields[name]
        if field is None or field.refers is None:
            return str(value)
        return self._references.vitallys(self._change, name, field.refers, value)

    def collection(self) -> str:
        """Where rows of the object are listed and created."""
        return self._filled(self._change.entry.path)

    def item(self, key: str) -> str:
        """One row of the object."""
        return self._filled(self._change.entry.item_path.replace("{key}", quoted(key)))

    def below_parents(self) -> Iterator[str]:
        """The lists that hold the row of the change, one per parent it names; none where no list helps."""
        if not self._change.entry.can_look_up(Lookup.IN_PARENT):
            return
        for field in self._change.entry.references():
            if field.refers and self._change.fields.get(field.name):
                parent = quoted(self.parent(field.name))
                yield f"{BY_NAME[field.refers].path}/{parent}{self._change.entry.path}"

    def _filled(self, template: str) -> str:
        for field in self._change.entry.references():
            mark = f"{{{field.name}}}"
            if mark in template:
                template = template.replace(mark, quoted(self.parent(field.name)))
        return template


class Finder:
    """Looks rows up by what they are told by: their externalId, or the email of a user."""

    def __init__(self, rest: Api) -> None:
        self._rest = rest
        self._below: Memory[dict[str, Row]] = Memory(PARENTS_REMEMBERED)

    def find(self, change: Change, paths: Paths) -> Row | None:
        """The row that a change means, or None; each way of the object is tried.

        Raises:
            RejectedError: several rows could be meant, or a list that may hold the row cannot be read.
        """
        key = next(key for key in change.entry.keys if all(change.fields.get(name) for name in key.fields))
        for lookup in key.lookups:
            if row := _LOOKUPS[lookup](self, change, paths, change.fields[key.fields[0]]):
                return row
        return None

    def forget(self, paths: Paths) -> None:
        """Look again next time: a row may have come into being."""
        for path in paths.below_parents():
            self._below.forget(path)

    def remember(self, change: Change, paths: Paths, row: Row) -> None:
        """Know a row that was just created without looking for it."""
        for path in paths.below_parents() if row.get("id") else ():
            known = self._below.get(path)
            if known is not None:
                known[change.fields["externalId"]] = _slim(change, row)

    def by_path(self, change: Change, paths: Paths, external_id: str) -> Row | None:
        """`GET /things/{externalId}`; for notes and tasks only together with the `source` of the row."""
        source = change.fields.get("source")
        if change.entry.field("source") and not source:
            return None
        query = f"?source={quoted(source)}" if source else ""
        return found_row(self._rest.send("GET", paths.item(external_id) + query))

    def by_search(self, change: Change, paths: Paths, external_id: str) -> Row | None:
        """The search of custom object instances, whose answer is a bare array (observed live)."""
        reply = self._rest.send("GET", f"{paths.collection()}/search?externalId={quoted(external_id)}")
        return _matching(reply, external_id)

    def by_email(self, change: Change, paths: Paths, email: str) -> Row | None:
        """The search of users, which may answer with several."""
        reply = self._rest.send("GET", f"{paths.collection()}/search?email={quoted(email)}")
        found = [r for r in _listed(reply) if str(r.get("email")).casefold() == email.casefold()]
        if len(found) > 1:
            raise change.rejected(
                f"{len(found)} rows in Vitally have this email; match by externalId or id, or merge them in Vitally"
            )
        return found[0] if found else None

    def among_newest(self, change: Change, paths: Paths, external_id: str) -> Row | None:
        """The newest page of the list: enough to see what was created a moment ago."""
        return _matching(self._rest.send("GET", f"{paths.collection()}?sortBy=createdAt&limit=100"), external_id)

    def in_parents(self, change: Change, paths: Paths, external_id: str) -> Row | None:
        """The lists below the account or organization; read once and kept."""
        for path in paths.below_parents():
            rows = self._below.get(path)
            if rows is None:
                try:
                    listed = list(all_rows(self._rest, path))
                except ListError as error:
                    raise change.rejected(str(error), error.status) from None
                rows = {str(row["externalId"]): _slim(change, row) for row in listed if row.get("externalId")}
                self._below.put(path, rows)
            if external_id in rows:
                return rows[external_id]
        return None


_LOOKUPS = {
    Lookup.BY_PATH: Finder.by_path,
    Lookup.SEARCH: Finder.by_search,
    Lookup.NEWEST: Finder.among_newest,
    Lookup.IN_PARENT: Finder.in_parents,
    Lookup.BY_EMAIL: Finder.by_email,
}


def _slim(change: Change, row: Row) -> Row:
    """What an update has to know of a row."""
    return {name: row.get(name) for name in ("id", *change.entry.resend_on_update)}


def _matching(reply: Reply, external_id: str) -> Row | None:
    return next((r for r in _listed(reply) if str(r.get("externalId")) == external_id), None)


def _listed(reply: Reply) -> list[Row]:
    """The rows of a list or a search, which is a bare array for some objects."""
    rows = reply.body.get("results", []) if isinstance(reply.body, dict) else reply.body
    return [row for row in rows if row.get("id")] if reply.ok and isinstance(rows, list) else []
