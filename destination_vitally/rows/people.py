"""What people call team members, users and categories, translated into Vitally's ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from destination_vitally.api.http import Api
from destination_vitally.api.pages import Row, all_rows, text_of
from destination_vitally.errors import ListError, NotYetError, RejectedError
from destination_vitally.mapping.change import Change, identities_of, identity_of
from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.model import Directory, Object
from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.facts import Shown
from destination_vitally.rows.memory import Memory
from destination_vitally.rows.reader import by_email
from destination_vitally.rows.references import UUID, References
from destination_vitally.rows.store import Recent

_NAMED = 50
"""How many entries of a list an error names."""


class People:
    """Looks names and emails up, once each. Without a REST key they are left as they are."""

    def __init__(self, rest: Api | None, memory: Memory, references: References) -> None:
        self._rest = rest
        self._memory = memory
        self._references = references
        self._found: Recent[Row | RejectedError] = Recent()
        self._lists: dict[Directory, dict[str, dict[str, str]]] = {}

    def concern(self, change: Change) -> bool:
        """Tell whether there are emails or names in the fields of a change, or ids of people."""
        return any(change.fields.get(field.name) for field in change.entry.people)

    def translated(self, change: Change) -> Change:
        """Return a change with ids in the place of emails and names.

        Raises:
            RejectedError: Vitally does not know one.
            NotYetError: one was sent in a batch and is not there yet.
            ConfigError, OutageError, StoppedError: as `Api.send`.
        """
        if not self.concern(change):
            return change
        fields = dict(change.fields)
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
                fields[field.name] = self._id_of(self._rest, change, field.name, field.directory, value)
            elif field.holds_people:
                fields[field.name] = self._with_ids(self._rest, change, field.name, value)
        return change._replace(fields=fields)

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
        row = self._by_email(self._rest, change, name, Directory.USER, email)
        # Your id where there is one, as other records call the same user.
        return text_of(row, "externalId") or VitallyId(row["id"])

    def _id_of(self, rest: Api, change: Change, name: str, directory: Directory, value: str) -> str:
        """Return Vitally's id of what is called `value`; an id is returned as it is."""
        if UUID.fullmatch(value):
            return value
        if directory.is_searched:
            return str(self._by_email(rest, change, name, directory, value)["id"]) if "@" in value else value
        known = self._listed(rest, change, directory)
        alike = known.get(value.strip().lower(), {})
        found = [identifier for identifier, written in alike.items() if written == value] or [*alike]
        if len(found) > 1:
            raise change.rejected(
                f"{name}: more than one {directory.title} in Vitally has this name: {', '.join(found)}. Give the id"
            )
        if not found:
            names = ", ".join(sorted(known)[:_NAMED]) or "none"
            raise change.rejected(f"{name}: Vitally has no {directory.title} of this name. There are: {names}")
        return found[0]

    def _by_email(self, rest: Api, change: Change, name: str, directory: Directory, email: str) -> Row:
        if directory is Directory.USER:
            user = BY_NAME["user"]
            answer = self._memory.ask(user, identity_of(user, {"email": email}))
            coming = answer.coming.external_id if answer.coming else None
            if known_rows := [one.row for one in answer.rows if one.is_own or one.external_id == coming]:
                return known_rows[0]
            if coming:
                # The row may be there with another email until the message has acted.
                raise NotYetError(user, coming, is_acted=True)
        known = self._found.get((directory, email.lower()))
        if known is None:
            rows = by_email(rest, change, directory.path, email)
            if directory is Directory.USER and not rows and self._references.may_come("user", email, "email"):
                raise NotYetError(BY_NAME["user"], email.lower())
            if directory is Directory.USER and rows:
                self._memory.note(Shown(BY_NAME["user"], rows))
            how_many = "no" if not rows else "more than one"
            problem = RejectedError(f"Vitally has {how_many} {directory.title} with this email")
            known = rows[0] if len(rows) == 1 else problem
            self._found.put((directory, email.lower()), known)
        if isinstance(known, RejectedError):
            raise change.rejected(f"{name}: {known}")
        return known

    def _listed(self, rest: Api, change: Change, directory: Directory) -> dict[str, dict[str, str]]:
        """Return, by name in lower case and without blanks at its ends, ids and how the name is written."""
        if directory not in self._lists:
            try:
                rows = list(all_rows(rest, directory.path, order=None))
            except ListError as error:
                raise change.rejected(str(error), error.status) from None
            known: dict[str, dict[str, str]] = {}
            for row in rows:
                written = text_of(row, "name")
                known.setdefault(written.strip().lower(), {})[str(row["id"])] = written
            self._lists[directory] = known
        return self._lists[directory]

    def _with_ids(self, rest: Api, change: Change, name: str, value: Any) -> Any:
        """Return a value with the ids of the people in it, each `{"type": "user" or "admin", "id" or "email": …}`."""
        if isinstance(value, list):
            return [self._with_ids(rest, change, name, entry) for entry in value]
        if not isinstance(value, dict):
            return value
        directory = _OF_PERSON.get(str(value.get("type")))
        given = value.get("id") or value.get("email")
        if directory and isinstance(given, str):
            others = {key: entry for key, entry in value.items() if key != "email"}
            return {**others, "id": self._person(rest, change, name, directory, given)}
        return {key: self._with_ids(rest, change, name, entry) for key, entry in value.items()}

    def _person(self, rest: Api, change: Change, name: str, directory: Directory, given: str) -> str:
        if directory is Directory.USER and "@" not in given:
            known = self._references.id_of("user", VitallyId(given)) if UUID.fullmatch(given) else None
            return known or self._references.get(change, name, "user", given).id
        return self._id_of(rest, change, name, directory, given)


_OF_PERSON = {"user": Directory.USER, "admin": Directory.ADMIN}
