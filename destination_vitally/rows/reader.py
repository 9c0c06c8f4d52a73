"""How the row that a change writes is found out: what memory and lists say of it, and what is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from sys import maxsize

from destination_vitally.api.http import Api
from destination_vitally.api.pages import Row, found_row, pages, quoted, rows_of, text_of
from destination_vitally.errors import ListError
from destination_vitally.mapping.change import Change, identities_of, identity_of
from destination_vitally.objects.model import Key, Lookup
from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.facts import Answer, Known, Missed, Shown
from destination_vitally.rows.lists import ARCHIVED, Lists, RowList
from destination_vitally.rows.memory import Memory
from destination_vitally.rows.paths import Paths
from destination_vitally.rows.store import Recent


class Reader:
    """Finds rows by what they are identified by. Safe to use from several threads."""

    def __init__(self, rest: Api, memory: Memory, lists: Lists) -> None:
        self._rest = rest
        self._memory = memory
        self._lists = lists
        self._below: Recent[float] = Recent()
        """As of when the lists below parents were read."""
        self._looked: Recent[Answer] = Recent()
        """What was found of rows that were just looked for, for the one who writes them."""

    # What is known

    def ask(self, change: Change, paths: Paths, *, is_writing: bool = True) -> Answer:
        """Return what is known for sure of the row that a change writes; sends nothing.

        What was just looked for is believed once, by the one that `is_writing`.

        A row that memory has is all there is where no two can share the key, as where it is part of a path. Else all
        must be known. That there is none is only believed where Vitally lists what the row belongs to.
        """
        identity = identity_of(change.entry, change.fields)
        # Rows that somebody else lists meanwhile are noted before their list counts as read: the list is asked first.
        absent = self._absent_since(change, paths) if identity and identity[1] != "id" else None
        answer = self._memory.ask(change.entry, identity)
        if looked := self._looked.get(identity):
            if is_writing:
                self._looked.forget(identity)
            if not any(one.is_own for one in answer.rows):
                return looked
        if identity is None or identity[1] == "id":
            return answer
        key = key_of(change)
        rows = self._among(change, key, paths, answer.rows)
        if any(one.is_own for one in rows) or (rows and key.in_path and key.documented):
            return answer._replace(rows=rows)
        if absent is None:
            return answer._replace(rows=())
        if answer.was_sent and not rows:
            return answer  # what this sync has sent there may not be in the list yet
        return answer._replace(rows=rows, absent=None if rows else absent)

    def _absent_since(self, change: Change, paths: Paths) -> float | None:
        """As of when all rows of the key of a change are known, archived ones of a copy too; None if they are not."""
        key = key_of(change)
        if change.origin and (archived := self._archived(change)):
            live = self._absent_since(change._replace(origin=""), paths)
            return None if live is None or archived.as_of is None else min(live, archived.as_of)
        listing = self._lists.of(change.entry)
        is_proof = Lookup.BY_EMAIL not in key.lookups and paths.are_listed(needed=key.documented)
        if listing and is_proof and (as_of := listing.as_of) is not None:
            return as_of
        if Lookup.IN_PARENT in key.lookups and (below := list(paths.below_parents(known=True))):
            times = [self._below.get(path) for path in below]
            return min((time for time in times if time is not None), default=None) if None not in times else None
        return None

    def _among(self, change: Change, key: Key, paths: Paths, rows: tuple[Known, ...]) -> tuple[Known, ...]:
        return tuple(one for one in rows if paths.lead_to(one.row)) if Lookup.IN_PARENT in key.lookups else rows

    def refresh(self, change: Change) -> None:
        """Look at what was written last, where the list of an object has been read."""
        for listing in (self._lists.of(change.entry), self._archived(change)):
            if listing:
                listing.refresh()

    # What is looked up

    def look(self, change: Change, paths: Paths, *, archived: bool = False) -> Answer:
        """Look for the row that a change writes, whatever is known of it; among `archived` ones too if it is asked for.

        Raises:
            RejectedError: an answer or a list does not tell whether the row is there.
            ConfigError, OutageError, StoppedError: as `Api.send`.
        """
        identity = identity_of(change.entry, change.fields)
        before = self._memory.ask(change.entry, identity)
        now = self._memory.clock.monotonic()
        found = tuple(Known(row, inf) for row in self._found(change, paths, identity, archived=archived))
        is_unique = identity is not None and (identity[1] == "id" or Lookup.IN_PARENT not in key_of(change).lookups)
        if not found and identity and is_unique:
            self._memory.note(Missed(change.entry, identity))
        own = {one.id: one for one in before.rows if one.is_own}
        found = tuple(own.get(one.id, one) for one in found)
        is_live = any(not one.is_archived for one in found)
        return before._replace(rows=found, absent=None if is_live else now, why_not=None)

    def prefetch(self, change: Change, paths: Paths) -> bool:
        """Look for a row, for the change that is made next to it; returns whether it is there."""
        answer = self.look(change, paths)
        self._looked.put(identity_of(change.entry, change.fields), answer)
        return bool(answer.rows)

    def _found(self, change: Change, paths: Paths, identity: tuple[str, ...] | None, *, archived: bool) -> list[Row]:
        if identity and identity[1] == "id":
            if change.entry.read_path is None:
                return []
            asked = str(change.fields["id"])
            rows = self._shown(change, rows_of(change, self._rest.send("GET", paths.reading(asked))))
            return [row for row in rows if row["id"] == asked]
        key, others = key_of(change), list[Row]()
        for lookup in key.lookups:
            rows = _LOOKUPS[lookup](self, change, paths, str(change.fields[key.fields[0]]))
            if any(not row.get("archivedAt") for row in rows):
                return rows
            others += rows
        if not others and (archived or change.origin) and (listing := self._archived(change)):
            listing.want(maxsize)
            others += [
                one.row for one in self._among(change, key, paths, self._memory.ask(change.entry, identity).rows)
            ]
        return others

    def _archived(self, change: Change) -> RowList | None:
        """Return the list of archived rows, which those below a parent do not show; None where rows have no such."""
        is_hidden = change.fields.get("externalId") and Lookup.IN_PARENT in key_of(change).lookups
        return self._lists.of(change.entry, ARCHIVED) if is_hidden else None

    def by_path(self, change: Change, paths: Paths, external_id: str) -> list[Row]:
        """`GET /things/{externalId}`; for notes and tasks only together with the `source` of the row."""
        source = change.fields.get("source")
        if change.entry.field("source") and not source:
            return []
        query = f"?source={quoted(source)}" if source else ""
        row = found_row(change, self._rest.send("GET", paths.item(external_id) + query))
        rows = self._shown(change, [row] if row else [])
        # An old id of a merged row leads to another, which is not the one that is meant.
        return [row for row in rows if external_id in (text_of(row, "externalId"), row["id"])]

    def by_search(self, change: Change, paths: Paths, external_id: str) -> list[Row]:
        """The search of custom object instances, whose answer is a bare array (observed live)."""
        return self._matching(change, f"{paths.collection()}/search?externalId={quoted(external_id)}", external_id)

    def by_email(self, change: Change, paths: Paths, email: str) -> list[Row]:
        """The search of users, which may answer with several; its case may count in Vitally, for people it does not."""
        return self._shown(change, by_email(self._rest, change, f"{paths.collection()}/search", email))

    def among_newest(self, change: Change, paths: Paths, external_id: str) -> list[Row]:
        """The newest page of the list: enough to see what was created a moment ago."""
        return self._matching(change, f"{paths.collection()}?sortBy=createdAt&limit=100", external_id)

    def in_parents(self, change: Change, paths: Paths, external_id: str) -> list[Row]:
        """The lists below the account or organization."""
        found: dict[str, Row] = {}
        for path in paths.below_parents():
            asked = self._memory.clock.monotonic()
            try:
                rows = self._shown(change, [row for page in pages(self._rest, path) for row in page])
            except ListError as error:
                raise change.rejected(str(error), error.status) from None
            self._below.put(path, asked)
            name = key_of(change).fields[0]
            found |= {str(row["id"]): row for row in rows if text_of(row, name) == external_id}
        return list(found.values())

    def _matching(self, change: Change, path: str, external_id: str) -> list[Row]:
        rows = self._shown(change, rows_of(change, self._rest.send("GET", path)))
        name = key_of(change).fields[0]
        return [row for row in rows if text_of(row, name) == external_id]

    def _shown(self, change: Change, rows: list[Row]) -> list[Row]:
        if rows:
            self._memory.note(Shown(change.entry, rows))
        return rows


def by_email(rest: Api, change: Change, path: str, email: str) -> list[Row]:
    """Return the rows that a search by email finds, whatever their case: each spelling is asked for."""
    found: dict[str, Row] = {}
    for spelling in dict.fromkeys((email, email.lower())):
        rows = rows_of(change, rest.send("GET", f"{path}?email={quoted(spelling)}"))
        found |= {str(row["id"]): row for row in rows if text_of(row, "email").lower() == email.lower()}
    return list(found.values())


def key_of(change: Change) -> Key:
    """Return the key that identifies the row of a change."""
    return next(key for key in change.entry.keys if all(change.fields.get(name) for name in key.fields))


def lanes_of(change: Change) -> Iterator[tuple[str, ...]]:
    """Yield all keys of the row that a change writes, and of the one it is kept in.

    Changes that share one are made one after the other, whatever way they take.
    """
    entry = change.entry
    for identity in identities_of(BY_NAME.get(entry.name, entry), change.fields):
        yield (entry.path or entry.name, *identity[1:])
    holder = entry.field(entry.kept_in) if entry.kept_in else None
    if holder and holder.refers and change.fields.get(holder.name):
        yield (BY_NAME[holder.refers].path, "externalId", change.fields[holder.name])


_LOOKUPS = {
    Lookup.BY_PATH: Reader.by_path,
    Lookup.SEARCH: Reader.by_search,
    Lookup.NEWEST: Reader.among_newest,
    Lookup.IN_PARENT: Reader.in_parents,
    Lookup.BY_EMAIL: Reader.by_email,
}
