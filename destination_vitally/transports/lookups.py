"""Where rows are in the REST API, and how one is looked up where no path takes what it is told by."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from destination_vitally.api.http import Api
from destination_vitally.api.pages import Row, all_rows, found_row, quoted, rows_of, text_of
from destination_vitally.errors import ListError, RejectedError
from destination_vitally.mapping.comparison import refers_to
from destination_vitally.mapping.mapper import Change, identities_of, identity_of
from destination_vitally.objects.model import Field, Key, Lookup, RestRoute
from destination_vitally.objects.table import BY_NAME
from destination_vitally.transports.below import RowsBelow, Write
from destination_vitally.transports.listing import Lists
from destination_vitally.transports.memory import Memory
from destination_vitally.transports.references import References

IDS_NAMED = 10
"""How many ids a rejection names."""


class Paths:
    """The paths of one change; ids of parents in them are translated when a path is asked for."""

    def __init__(self, change: Change, references: References) -> None:
        self._change = change
        self._references = references

    def _parent(self, field: Field) -> str:
        """Vitally's id of the object that a field refers to; RejectedError when there is none."""
        value = self._change.fields[field.name]
        return self._references.vitallys(self._change, field.name, str(field.refers), value)

    def collection(self) -> str:
        """Where rows of the object are listed and created."""
        return self._filled(self._change.entry.path)

    def item(self, key: str) -> str:
        """One row of the object."""
        return self._filled(self._change.entry.item_path.replace("{key}", quoted(key)))

    def below_parents(self) -> Iterator[str]:
        """The lists that hold the row of the change, one per parent it names."""
        for field in self._change.entry.references():
            if field.refers and self._change.fields.get(field.name):
                parent = quoted(self._parent(field))
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

    def reading(self, key: str) -> str:
        """Where one row is read by Vitally's id."""
        path = self._change.entry.read_path or ""
        return path.format(collection=self.collection(), key=quoted(key)) or self.item(key)

    def lead_to(self, row: Row) -> bool:
        """Tell whether a row belongs to one of the parents, or comes from the source, that the change names."""
        fields = self._change.fields
        if fields.get("source") and str(fields["source"]).lower() == text_of(row, "source").lower():
            return True
        named = [f for f in self._change.entry.references() if fields.get(f.name)]
        return any(refers_to(field, fields[field.name], row, self._references.known) for field in named)

    def are_listed(self, *, needed: bool) -> bool:
        """Tell whether Vitally shows all that the change refers to in lists, of which there must be one if `needed`.

        What belongs to an account that Vitally ignores may be in no list, as the account itself is in none.
        """
        named = named_parents(self._change)
        return bool(named or not needed) and all(self._references.is_listed(*parent) for parent in named)

    def known_parents(self, *, creating: bool) -> dict[str, list[str | None]]:
        """Vitally's ids of what a write of the change makes the row refer to, as far as they are known."""
        return {
            field.name: [self._references.known(str(field.refers), value) for value in _ids(self._change, field)]
            for field in self._change.entry.references()
            if field.name in self._change.fields and (creating or not field.create_only)
        }

    def _filled(self, template: str) -> str:
        for field in self._change.entry.references():
            mark = f"{{{field.name}}}"
            if mark in template:
                template = template.replace(mark, quoted(self._parent(field)))
        return template


def named_parents(change: Change) -> tuple[tuple[str, str], ...]:
    """Return what a row refers to: each the name of an object and an id of it."""
    return tuple((str(field.refers), one) for field in change.entry.references() for one in _ids(change, field))


def _ids(change: Change, field: Field) -> list[str]:
    value = change.fields.get(field.name)
    return value if isinstance(value, list) else [value] if value else []


class SeveralError(RejectedError):
    """Several rows could be meant."""


class Finder:
    """Looks rows up by what they are told by: their externalId, or the email of a user."""

    def __init__(self, rest: Api, lists: Lists | None = None) -> None:
        """`lists` are those that are read where many rows are looked for."""
        self._rest = rest
        self._lists = lists
        self._below = RowsBelow()
        self._made: Memory[str] = Memory()
        """The ids of rows made in this sync, by what they are told by: a search may not know them yet."""
        self._asked: Memory[tuple[Row | None]] = Memory()
        """The rows that were just looked up, for the one who writes them."""

    def find(self, change: Change, paths: Paths) -> Row | None:
        """The row that a change means, or None; each way of the object is tried. What is archived is not there.

        Raises:
            SeveralError: several rows could be meant.
            RejectedError: an answer or a list does not tell whether the row is there.
        """
        identity = identity_of(change.entry, change.fields)
        if asked := self._asked.take(identity):
            return asked[0]
        if not change.entry.can_look_up(Lookup.IN_PARENT) and (made := self._made.get(identity)):
            return {"id": made}
        key = _key_of(change)
        listed = self._in_list(change, paths, key)
        return self._look(change, paths, key) if listed is None else _only(change, key, listed)

    def _look(self, change: Change, paths: Paths, key: Key) -> Row | None:
        for lookup in key.lookups:
            if row := _only(change, key, _LOOKUPS[lookup](self, change, paths, change.fields[key.fields[0]])):
                return row
        return None

    def ask(self, change: Change, paths: Paths) -> Row | None:
        """Look a row up whatever a list says, also by Vitally's id; whoever writes it next need not look again."""
        identity = identity_of(change.entry, change.fields)
        if identity and identity[1] == "id" and change.entry.read_path is not None:
            path = paths.reading(str(change.fields["id"]))
            found = self._seen(change, rows_of(change, self._rest.send("GET", path)))
            row = found[0] if found else None
        else:
            row = self._look(change, paths, _key_of(change))
        if isinstance(change.route, RestRoute):
            self._asked.put(identity, (row,))
        return row

    def forget_asked(self, change: Change) -> None:
        """Look again when the next change of the row is made."""
        self._asked.forget(identity_of(change.entry, change.fields))

    def misses(self, change: Change) -> bool:
        """Tell whether the row of a change has just been looked up and is not there."""
        return self._asked.take(identity_of(change.entry, change.fields)) == (None,)

    def shown(self, change: Change) -> Row | None:
        """Return the row of a change as its list has shown it a moment ago, if it has."""
        listing = self._lists.of(change.entry) if self._lists else None
        if not listing or not listing.is_complete:
            return None
        identity = identity_of(change.entry, change.fields)
        return next((shown.row for shown in listing.index.find(identity)), None) if identity else None

    def _in_list(self, change: Change, paths: Paths, key: Key) -> list[Row] | None:
        """What the list of the object tells of the rows that a change means; None when it does not tell.

        One row proves enough where no two can share the key, as where it is part of a path. Else all must be known.
        That a row is nowhere is only taken from a list where Vitally lists what the row belongs to.
        """
        listing = self._lists.of(change.entry) if self._lists else None
        if not listing:
            return None
        found = [shown.row for shown in listing.index.find((change.entry.name, *key.fields, *_told(change, key)))]
        if key.in_path and key.documented:
            return found or None
        if not listing.is_complete:
            return None
        if Lookup.IN_PARENT in key.lookups:
            found = [row for row in found if paths.lead_to(row)]
        is_proof = Lookup.BY_EMAIL not in key.lookups and paths.are_listed(needed=key.documented)
        return found if found or is_proof else None

    def forget(self, paths: Paths) -> None:
        """Look again next time: a row may have come into being."""
        for path in paths.lists_of(creating=True):
            self._below.forget(path)

    def written(
        self, change: Change, paths: Paths, identifier: str | None, row: Row | None, *, created: bool = False
    ) -> None:
        """Know of a row what was just written of it, or (None) that it is gone."""
        self._tell_list(change, paths, identifier, row, created=created)
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

    def _tell_list(
        self, change: Change, paths: Paths, identifier: str | None, row: Row | None, *, created: bool
    ) -> None:
        listing = self._lists.of(change.entry) if self._lists else None
        if listing and identifier and row is None:
            listing.index.forget(identifier)
        elif listing and identifier and row is not None:
            keys = {n: change.fields[n] for key in change.entry.keys for n in key.fields if change.fields.get(n)}
            listing.wrote(identifier, {**keys, **paths.known_parents(creating=created), **row})

    def by_path(self, change: Change, paths: Paths, external_id: str) -> list[Row]:
        """`GET /things/{externalId}`; for notes and tasks only together with the `source` of the row."""
        source = change.fields.get("source")
        if change.entry.field("source") and not source:
            return []
        query = f"?source={quoted(source)}" if source else ""
        row = found_row(change, self._rest.send("GET", paths.item(external_id) + query))
        return self._seen(change, [row] if row else [])

    def by_search(self, change: Change, paths: Paths, external_id: str) -> list[Row]:
        """The search of custom object instances, whose answer is a bare array (observed live)."""
        return self._matching(change, f"{paths.collection()}/search?externalId={quoted(external_id)}", external_id)

    def by_email(self, change: Change, paths: Paths, email: str) -> list[Row]:
        """The search of users, which may answer with several; its case may count in Vitally, for people it does not."""
        for spelling in dict.fromkeys((email, email.lower())):
            reply = self._rest.send("GET", f"{paths.collection()}/search?email={quoted(spelling)}")
            found = [r for r in rows_of(change, reply) if text_of(r, "email").casefold() == email.casefold()]
            if found:
                return self._seen(change, found)
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
        rows = self._seen(change, rows_of(change, self._rest.send("GET", path)))
        return [row for row in rows if text_of(row, "externalId") == external_id]

    def _listed(self, change: Change, path: str) -> list[Row]:
        try:
            rows = self._seen(change, list(all_rows(self._rest, path)))
        except ListError as error:
            raise change.rejected(str(error), error.status) from None
        return [{"externalId": row.get("externalId"), **_slim(change, row)} for row in rows]

    def _seen(self, change: Change, rows: list[Row]) -> list[Row]:
        """Remember rows as the list would show them."""
        if rows and self._lists and (listing := self._lists.of(change.entry)):
            listing.index.put_all(rows)
        return rows


_LOOKUPS = {
    Lookup.BY_PATH: Finder.by_path,
    Lookup.SEARCH: Finder.by_search,
    Lookup.NEWEST: Finder.among_newest,
    Lookup.IN_PARENT: Finder.in_parents,
    Lookup.BY_EMAIL: Finder.by_email,
}


def _only(change: Change, key: Key, rows: list[Row]) -> Row | None:
    """Return the row that is not archived, None when there is none; SeveralError when there are several."""
    found = {str(row["id"]): row for row in rows if not row.get("archivedAt")}
    if len(found) > 1:
        others = " or ".join(name for name in ("externalId", "id") if name not in key.fields)
        raise SeveralError(
            f"{change.label}: {len(found)} rows in Vitally have this {key.fields[0]}; match by {others}, or "
            f"merge them in Vitally: {', '.join([*found][:IDS_NAMED])}"
        )
    return next(iter(found.values()), None)


def _key_of(change: Change) -> Key:
    """Return the key that tells the row of a change."""
    return next(key for key in change.entry.keys if all(change.fields.get(name) for name in key.fields))


def _told(change: Change, key: Key) -> Iterator[str]:
    """Yield the values of a key, as `identities_of` spells them."""
    texts = (str(change.fields[name]) for name in key.fields)
    return map(str.casefold, texts) if key.any_case else texts


def _slim(change: Change, row: Row) -> Row:
    """What an update has to know of a row."""
    return {name: row.get(name) for name in ("id", "archivedAt", *change.entry.resend_on_update)}
