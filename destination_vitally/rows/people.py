"""What people call team members, users and categories, and their ids in another workspace, translated into ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from destination_vitally.api.http import Api
from destination_vitally.api.pages import Row, all_rows, rows_of, text_of
from destination_vitally.errors import ListError, NotYetError, RejectedError
from destination_vitally.mapping.change import Change, identities_of, identity_of, lacking
from destination_vitally.mapping.columns import Columns
from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.model import Directory, Object
from destination_vitally.objects.table import BY_NAME, DIRECTORIES
from destination_vitally.rows.facts import Elsewhere, Shown
from destination_vitally.rows.lists import Lists
from destination_vitally.rows.memory import Memory
from destination_vitally.rows.paths import Paths
from destination_vitally.rows.reader import by_email
from destination_vitally.rows.references import UUID, References
from destination_vitally.rows.store import Recent

_NAMED = 50
"""How many entries of a list an error names."""


class People:
    """Looks names and emails up, once each. Without a REST key they are left as they are."""

    def __init__(self, lists: Lists | None, memory: Memory, references: References) -> None:
        self._rest = lists.rest if lists else None
        self._all = lists
        self._memory = memory
        self._references = references
        self._found: Recent[list[Row]] = Recent()
        self._lists: dict[Directory, dict[str, dict[str, str]]] = {}
        self._called: dict[tuple[Directory, str], str] = {}
        """What is called how in the workspace that records were read from, by Vitally's id there."""

    def learn(self, entry: Object, directory: Directory | None, data: Mapping[str, Any]) -> None:
        """Take note of a row that says how a thing is called where records were read, or which id of yours it has."""
        columns = Columns(data)
        found = columns.find("id"), columns.find(directory.other_name if directory else "externalId")
        own, called = (str(data[name] or "") if name else "" for name in found)
        if directory and own and called:
            self._called[directory, own] = called
            self._memory.wake(directory.path, [own])
        elif own and called:
            self._memory.note(Elsewhere(entry, own, called))

    def missing(self, directory: Directory) -> list[str]:
        """Return what was learned of and is not in this workspace, by the names that it has there."""
        names = {called for (of, _), called in self._called.items() if of is directory}
        entry = DIRECTORIES[directory]
        subject = Change(entry, "update", entry.operations["upsert"][0], directory.title, {}, {})
        with suppress(RejectedError):
            return sorted(one for one in names if self._rest and not self._ids_of(self._rest, subject, directory, one))
        return []

    def concern(self, change: Change) -> bool:
        """Tell whether there are emails or names in the fields of a change, or ids of another workspace."""
        return change.is_unsure or any(change.fields.get(field.name) for field in change.entry.people)

    def translated(self, change: Change) -> Change:
        """Return a change with ids in the place of emails and names; what another workspace lacks is left out.

        Raises:
            RejectedError: Vitally does not know one.
            NotYetError: one was sent in a batch and is not there yet, or is still to arrive.
            ConfigError, OutageError, StoppedError: as `Api.send`.
        """
        if not self.concern(change):
            return change
        change = change._replace(fields=dict(change.fields), left_out=dict(change.left_out))
        fields = change.fields
        for field in change.entry.people:
            value = fields.get(field.name)
            if not value:
                continue
            if field.stands_for:
                del fields[field.name]
                if not fields.get(field.stands_for):
                    fields[field.stands_for] = self._stand_in(change, field.name, value)
            elif not self._rest:
                continue
            elif field.directory:
                found = self._id_of(self._rest, change, field.name, field.directory, value)
                if found:
                    fields[field.name] = found
                else:
                    del fields[field.name]
            else:
                fields[field.name] = self._with_ids(self._rest, change, field.name, value)
        lost = lacking(fields, change.route.requires)
        if lost in change.left_out:
            raise change.rejected(f"{lost}: {change.left_out[lost]}")
        return self._as_what_it_is(change) if change.is_unsure else change

    def _as_what_it_is(self, change: Change) -> Change:
        """Return the copy of a row that has no id of yours as a change of the row of the same id, where there is one.

        A workspace that was filled from another has its rows under the ids that they have there.
        """
        own = change.origin
        is_here = bool(self._rest) and self._is_here(self._rest, change)  # type: ignore[arg-type]
        fields = {name: value for name, value in change.fields.items() if name not in ("id", "externalId")}
        if is_here:
            left_out = {**change.left_out, "externalId": "this workspace has a row of the same id, which is that row"}
            update = change.entry.operations["update"][0]
            fields = {"id": own, **fields}
            return change._replace(operation="update", route=update, fields=fields, left_out=left_out, is_unsure=False)
        if change.fields.get("externalId"):
            fields["externalId"] = change.fields["externalId"]
            self._memory.note(Elsewhere(change.entry, own, fields["externalId"]))
        return change._replace(fields=fields, is_unsure=False)

    def _is_here(self, rest: Api, change: Change) -> bool:
        own, entry = change.origin, change.entry
        listing = self._all.of(entry) if self._all else None
        is_listed = listing is not None and listing.as_of is not None  # before memory is asked: `Reader.ask`
        if self._memory.ask(entry, (entry.name, "id", own)).rows:
            return True
        if entry.read_path is None or is_listed:
            return False
        rows = rows_of(change, rest.send("GET", Paths(change, self._references).reading(own)))
        self._memory.note(Shown(entry, rows))
        return any(row["id"] == own for row in rows)

    def mentioned(self, change: Change) -> Iterator[tuple[Object, list[tuple[str, ...]]]]:
        """Yield what may identify each row that a change names by your id or an email, with its object."""
        for field in change.entry.fields:
            value = change.fields.get(field.name) if field.mentions else None
            for one in value if isinstance(value, list) else [value] if value else []:
                named = one if isinstance(one, dict) else {f"{field.mentions}Id": one, "email": one}
                keys = {"externalId": named.get(f"{field.mentions}Id"), "email": named.get("email")}
                entry = BY_NAME[field.mentions]
                yield entry, list(identities_of(entry, keys))

    def _stand_in(self, change: Change, name: str, email: str) -> str:
        """Return an id of the user of an email, who may be on the way."""
        if not self._rest:
            raise change.rejected(f"{name} is looked up with the REST API key (secret_token), which is not entered")
        user = BY_NAME["user"]
        if coming := self._memory.ask(user, identity_of(user, {"email": email})).coming:
            return coming.external_id
        row = _only(change, name, Directory.USER, self._with_email(self._rest, change, Directory.USER, email))
        # Your id where there is one, as other records call the same user.
        return text_of(row, "externalId") or VitallyId(row["id"])

    def _id_of(self, rest: Api, change: Change, name: str, directory: Directory, value: str) -> str | None:
        """Return Vitally's id of what is called `value`; None for what another workspace has and this one has not."""
        if isinstance(value, VitallyId):
            return self._id_here(rest, change, name, directory, value)
        if UUID.fullmatch(value) or (directory.is_searched and "@" not in value):
            return value
        if directory.is_searched:
            return str(_only(change, name, directory, self._with_email(rest, change, directory, value))["id"])
        found = self._ids_of(rest, change, directory, value)
        if len(found) > 1:
            raise change.rejected(
                f"{name}: more than one {directory.title} in Vitally has this name: {', '.join(found)}. Give the id"
            )
        if not found:
            names = ", ".join(sorted(self._listed(rest, change, directory))[:_NAMED]) or "none"
            raise change.rejected(f"{name}: Vitally has no {directory.title} of this name. There are: {names}")
        return found[0]

    def _id_here(self, rest: Api, change: Change, name: str, directory: Directory, there: VitallyId) -> str | None:
        """Return the id that goes with an id of the workspace that a row was read from; the same if it is this one."""
        called = there.called or self._called.get((directory, there), "")
        if not called and self._references.is_open(directory.title):
            raise NotYetError(DIRECTORIES[directory], there)
        if not (called and directory.is_searched):
            try:
                if any(there in alike for alike in self._listed(rest, change, directory).values()):
                    return str(there)
            except RejectedError:
                if not called:
                    return str(there)
        found = self._ids_of(rest, change, directory, called) if called else []
        if len(found) == 1:
            return found[0]
        how_many = f"{len(found)} of this {directory.other_name}" if found else "not in this workspace"
        by = f"stream {directory.stream} would say" if directory.stream else "row does not say"
        change.left_out[name] = (
            f"the {directory.title} is {how_many}{'' if called else f'; the {by} what it is called'}"
        )
        return None

    def _ids_of(self, rest: Api, change: Change, directory: Directory, called: str) -> list[str]:
        """Return Vitally's ids of what is called so."""
        if directory.is_searched:
            return [str(row["id"]) for row in self._with_email(rest, change, directory, called)]
        alike = self._listed(rest, change, directory).get(called.strip().lower(), {})
        return [identifier for identifier, written in alike.items() if written == called] or [*alike]

    def _with_email(self, rest: Api, change: Change, directory: Directory, email: str) -> list[Row]:
        user = BY_NAME["user"]
        if directory is Directory.USER:
            answer = self._memory.ask(user, identity_of(user, {"email": email}))
            coming = answer.coming.external_id if answer.coming else None
            if known_rows := [one.row for one in answer.rows if one.is_own or one.external_id == coming]:
                return known_rows[:1]
            if coming:
                # The row may be there with another email until the message has acted.
                raise NotYetError(user, coming, is_acted=True)
        found = self._found.get((directory, email.lower()))
        if found is None:
            found = by_email(rest, change, f"{directory.path}/search", email)
            if directory is Directory.USER and not found and self._references.may_come("user", email, "email"):
                raise NotYetError(user, email.lower())
            if directory is Directory.USER and found:
                self._memory.note(Shown(user, found))
            self._found.put((directory, email.lower()), found)
        return found

    def _listed(self, rest: Api, change: Change, directory: Directory) -> dict[str, dict[str, str]]:
        """Return, by name in lower case and without blanks at its ends, ids and how the name is written."""
        if directory not in self._lists:
            try:
                rows = list(all_rows(rest, directory.path, order=None))
            except ListError as error:
                raise change.rejected(str(error), error.status) from None
            if directory is Directory.PROJECT_STATUS:
                rows = [
                    {"name": "", **(row.get("projectStatus") or {}), "id": row.get("projectStatusId")} for row in rows
                ]
            known: dict[str, dict[str, str]] = {}
            for row in rows:
                written = text_of(row, directory.other_name)
                known.setdefault(written.strip().lower(), {})[str(row["id"])] = written
            self._lists[directory] = known
        return self._lists[directory]

    def _with_ids(self, rest: Api, change: Change, name: str, value: Any) -> Any:
        """Return a value with the ids of the people in it, each `{"type": "user" or "admin", "id" or "email": …}`.

        Whoever is not in this workspace is left out of a list.
        """
        if isinstance(value, list):
            found = [self._with_ids(rest, change, name, entry) for entry in value]
            return [entry for entry in found if entry is not None]
        if not isinstance(value, dict):
            return value
        directory = _OF_PERSON.get(str(value.get("type")))
        if not directory:
            return self._with_people(rest, change, name, value)
        given = value.get("id") or value.get("email")
        if not isinstance(given, str):
            return value
        others = {key: entry for key, entry in value.items() if key not in ("email", "externalId")}
        own = self._person(rest, change, name, {**value, "id": given})
        return {**others, "id": own} if own else None

    def _with_people(self, rest: Api, change: Change, name: str, value: dict[str, Any]) -> dict[str, Any] | None:
        """Return an object with the ids of the people in it, in its members and in theirs."""
        if not change.origin or "vitallyUserId" not in value:
            return {key: self._with_ids(rest, change, name, entry) for key, entry in value.items()}
        if not value["vitallyUserId"]:
            return value
        there = VitallyId(value["vitallyUserId"], value.get("email") or "")
        own = self._id_of(rest, change, name, Directory.ADMIN, there)
        return {**value, "vitallyUserId": own, "email": None} if own else None

    def _person(self, rest: Api, change: Change, name: str, person: dict[str, Any]) -> str | None:
        directory, given, email = _OF_PERSON[person["type"]], person["id"], person.get("email") or ""
        if not change.origin or not UUID.fullmatch(given):
            if directory is Directory.USER and "@" not in given:
                known = self._references.id_of("user", VitallyId(given)) if UUID.fullmatch(given) else None
                return known or self._references.get(change, name, "user", given).id
            return self._id_of(rest, change, name, directory, given)
        if directory is Directory.ADMIN:
            return self._id_of(rest, change, name, directory, VitallyId(given, email))
        try:
            wanted = person.get("externalId") or self._references.here("user", VitallyId(given))
            return self._references.get(change, name, "user", wanted).id
        except RejectedError:
            found = self._with_email(rest, change, directory, email) if email else []
        if len(found) != 1:
            change.left_out[name] = "the user is not in this workspace"
        return str(found[0]["id"]) if len(found) == 1 else None


def _only(change: Change, name: str, directory: Directory, rows: list[Row]) -> Row:
    if len(rows) != 1:
        how_many = "no" if not rows else "more than one"
        raise change.rejected(f"{name}: Vitally has {how_many} {directory.title} with this email")
    return rows[0]


_OF_PERSON = {"user": Directory.USER, "admin": Directory.ADMIN}
