"""Where rows are in the REST API, and how one is looked up where no path takes what it is told by."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from destination_vitally.errors import ListError, RejectedError
from destination_vitally.mapping.mapper import Change, identities_of, identity_of
from destination_vitally.objects.model import Lookup
from destination_vitally.objects.table import BY_NAME
from destination_vitally.transports.below import RowsBelow, Write
from destination_vitally.transports.http import Api
from destination_vitally.transports.memory import Memory
from destination_vitally.transports.references import References
from destination_vitally.transports.rows import Row, all_rows, found_row, quoted, rows_of

IDS_NAMED = 10
"""How many ids a rejection names."""


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

    def lists_of(self, *, creating: bool) -> list[str]:
        """The lists that hold the row after it was written, of parents that have been looked up; sends nothing."""
        if not self._change.entry.can_look_up(Lookup.IN_PARENT):
            return []
        found = []
        for field in self._change.entry.references():
            value = self._change.fields.get(field.name)
            if field.refers and value and (creating or not field.create_only):
                parent = self._references.known(field.refers, value)
                found += [f"{BY_NAME[field.refers].path}/{quoted(parent)}{self._change.entry.path}"] if parent else []
        return found

    def _filled(self, template: str) -> str:
        for field in self._change.entry.references():
            mark = f"{{{field.name}}}"
            if mark in template:
                template = template.replace(mark, quoted(self.parent(field.name)))
        return template


class SeveralError(RejectedError):
    """Several rows could be meant."""


class Finder:
    """Looks rows up by what they are told by: their externalId, or the email of a user."""

    def __init__(self, rest: Api) -> None:
        self._rest = rest
        self._below = RowsBelow()
        self._made: Memory[str] = Memory()
        """The ids of rows made in this sync, by what they are told by: a search may not know them yet."""

    def find(self, change: Change, paths: Paths) -> Row | None:
        """The row that a change means, or None; each way of the object is tried. What is archived is not there.

        Raises:
            SeveralError: several rows could be meant.
            RejectedError: an answer or a list does not tell whether the row is there.
        """
        key = next(key for key in change.entry.keys if all(change.fields.get(name) for name in key.fields))
        if not change.entry.can_look_up(Lookup.IN_PARENT) and (
            made := self._made.get(identity_of(change.entry, change.fields))
        ):
            return {"id": made}
        for lookup in key.lookups:
            rows = _LOOKUPS[lookup](self, change, paths, change.fields[key.fields[0]])
            found = {str(row["id"]): row for row in rows if not row.get("archivedAt")}
            if len(found) > 1:
                others = " or ".join(name for name in ("externalId", "id") if name not in key.fields)
                raise SeveralError(
                    f"{change.label}: {len(found)} rows in Vitally have this {key.fields[0]}; match by {others}, or "
                    f"merge them in Vitally: {', '.join([*found][:IDS_NAMED])}"
                )
            if found:
                return next(iter(found.values()))
        return None

    def forget(self, paths: Paths) -> None:
        """Look again next time: a row may have come into being."""
        for path in paths.lists_of(creating=True):
            self._below.forget(path)

    def written(
        self, change: Change, paths: Paths, identifier: str | None, row: Row | None, *, created: bool = False
    ) -> None:
        """Know of a row what was just written of it, or (None) that it is gone."""
        if row is None and identifier:
            self._made.forget_value(identifier)
        elif created and identifier:
            for identity in identities_of(change.entry, change.fields):
                self._made.put(identity, identifier)
        if not change.entry.can_look_up(Lookup.IN_PARENT):
            return
        if identifier is None:
            self.forget(paths)
            return
        known = _slim(change, row) | {"id": identifier} if row is not None else None
        lists = tuple(paths.lists_of(creating=created))
        self._below.learn(Write(change.entry.path, identifier, change.fields.get("externalId"), lists, known))

    def by_path(self, change: Change, paths: Paths, external_id: str) -> list[Row]:
        """`GET /things/{externalId}`; for notes and tasks only together with the `source` of the row."""
        source = change.fields.get("source")
        if change.entry.field("source") and not source:
            return []
        query = f"?source={quoted(source)}" if source else ""
        row = found_row(change, self._rest.send("GET", paths.item(external_id) + query))
        return [row] if row else []

    def by_search(self, change: Change, paths: Paths, external_id: str) -> list[Row]:
        """The search of custom object instances, whose answer is a bare array (observed live)."""
        return self._matching(change, f"{paths.collection()}/search?externalId={quoted(external_id)}", external_id)

    def by_email(self, change: Change, paths: Paths, email: str) -> list[Row]:
        """The search of users, which may answer with several; its case may count in Vitally, for people it does not."""
        for spelling in dict.fromkeys((email, email.lower())):
            reply = self._rest.send("GET", f"{paths.collection()}/search?email={quoted(spelling)}")
            found = [r for r in rows_of(change, reply) if str(r.get("email")).casefold() == email.casefold()]
            if found:
                return found
        return []

    def among_newest(self, change: Change, paths: Paths, external_id: str) -> list[Row]:
        """The newest page of the list: enough to see what was created a moment ago."""
        return self._matching(change, f"{paths.collection()}?sortBy=createdAt&limit=100", external_id)

    def in_parents(self, change: Change, paths: Paths, external_id: str) -> list[Row]:
        """The lists below the account or organization; read once and kept."""
        return [
            row
            for path in paths.below_parents()
            for row in self._below.find(path, external_id, partial(self._listed, change, path))
        ]

    def _matching(self, change: Change, path: str, external_id: str) -> list[Row]:
        rows = rows_of(change, self._rest.send("GET", path))
        return [row for row in rows if str(row.get("externalId")) == external_id]

    def _listed(self, change: Change, path: str) -> list[Row]:
        try:
            return [{"externalId": row.get("externalId"), **_slim(change, row)} for row in all_rows(self._rest, path)]
        except ListError as error:
            raise change.rejected(str(error), error.status) from None


_LOOKUPS = {
    Lookup.BY_PATH: Finder.by_path,
    Lookup.SEARCH: Finder.by_search,
    Lookup.NEWEST: Finder.among_newest,
    Lookup.IN_PARENT: Finder.in_parents,
    Lookup.BY_EMAIL: Finder.by_email,
}


def _slim(change: Change, row: Row) -> Row:
    """What an update has to know of a row."""
    return {name: row.get(name) for name in ("id", "archivedAt", *change.entry.resend_on_update)}
