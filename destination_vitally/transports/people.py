"""What people call team members, users and categories, translated into Vitally's ids."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from destination_vitally.api.http import Api
from destination_vitally.api.pages import Row, all_rows, quoted, rows_of, text_of
from destination_vitally.errors import ListError
from destination_vitally.mapping.mapper import Change, identity_of
from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.model import Directory, Field
from destination_vitally.objects.table import BY_NAME
from destination_vitally.transports.landing import Landing
from destination_vitally.transports.memory import Memory

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAMED = 50
"""How many entries of a list an error names."""


class People:
    """Looks names and emails up, once each. Without a REST key they are left as they are."""

    def __init__(self, rest: Api | None, landing: Landing, learn: Callable[[str, Row], None]) -> None:
        """Prepare to look up.

        Args:
            rest: the way to Vitally, if there is one.
            landing: knows the users that batches have brought and that may not be there yet.
            learn: is told of each user that was found: the object's name, and the row.
        """
        self._rest = rest
        self._landing = landing
        self._learn = learn
        self._found: Memory[Row] = Memory()
        self._lists: dict[Directory, dict[str, str]] = {}

    def concern(self, change: Change) -> bool:
        """Tell whether there are emails or names in the fields of a change, or ids of people."""
        return any(change.fields.get(field.name) for field in change.entry.people)

    def translate(self, change: Change) -> None:
        """Put ids in the place of emails and names in the fields of a change.

        Raises:
            RejectedError: Vitally does not know one.
            NotYetError: one was sent in a batch and is not there yet.
            ConfigError, OutageError, StoppedError: as `Api.send`.
        """
        for field in change.entry.people:
            value = change.fields.get(field.name)
            if not value:
                continue
            if field.stands_for:
                self._stand_in(change, field, change.fields.pop(field.name))
            elif not self._rest:
                continue
            elif field.directory:
                change.fields[field.name] = self._id_of(self._rest, change, field.name, field.directory, value)
            elif field.holds_people:
                change.fields[field.name] = self._with_ids(self._rest, change, field.name, value)

    def _stand_in(self, change: Change, field: Field, email: str) -> None:
        """Put the user of an email into the field in whose place the email was given, unless that has a value."""
        if change.fields.get(field.stands_for):
            return
        if not self._rest:
            raise change.rejected(
                f"{field.name} is looked up with the REST key (secret_token), which is not configured"
            )
        if sent := self._landing.sent(_user_by("email", email)):
            change.fields[field.stands_for] = sent.external_id
            return
        row = self._by_email(self._rest, change, field.name, Directory.USER, email)
        self._learn("user", row)
        yours = row.get("externalId")
        # Your id where there is one, as other records call the same user.
        change.fields[field.stands_for] = str(yours) if yours else VitallyId(row["id"])

    def _id_of(self, rest: Api, change: Change, name: str, directory: Directory, value: str) -> str:
        """Return Vitally's id of what is called `value`; an id is returned as it is."""
        if _UUID.fullmatch(value):
            return value
        if directory.is_searched:
            return str(self._by_email(rest, change, name, directory, value)["id"]) if "@" in value else value
        known = self._listed(rest, change, directory)
        found = known.get(value.casefold())
        if not found:
            names = ", ".join(sorted(known)[:_NAMED]) or "none"
            raise change.rejected(f"{name}: Vitally has no {directory.title} of this name. There are: {names}")
        return found

    def _by_email(self, rest: Api, change: Change, name: str, directory: Directory, email: str) -> Row:
        key = (directory, email.casefold())
        known = self._found.get(key)
        if known:
            return known
        if directory is Directory.USER and (row := self._arrived(change, "email", email)):
            return row
        rows = rows_of(change, rest.send("GET", f"{directory.path}?email={quoted(email)}"))
        rows = [row for row in rows if text_of(row, "email").casefold() == email.casefold()]
        if len(rows) != 1:
            how_many = "no" if not rows else "more than one"
            raise change.rejected(f"{name}: Vitally has {how_many} {directory.title} with this email")
        self._found.put(key, rows[0])
        return rows[0]

    def _arrived(self, change: Change, name: str, value: str) -> Row | None:
        """Return the row of a user that a batch has brought; NotYetError when it is not there yet."""
        sent = self._landing.sent(_user_by(name, value))
        return self._landing.see(change, BY_NAME["user"], sent) if sent else None

    def _listed(self, rest: Api, change: Change, directory: Directory) -> dict[str, str]:
        if directory not in self._lists:
            try:
                rows = list(all_rows(rest, directory.path, order=None))
            except ListError as error:
                raise change.rejected(str(error), error.status) from None
            self._lists[directory] = {text_of(row, "name").casefold(): row["id"] for row in rows}
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
        if directory is Directory.USER and not _UUID.fullmatch(given) and "@" not in given:
            if row := self._arrived(change, "externalId", given):
                return str(row["id"])
            rows = rows_of(change, rest.send("GET", f"/users/{quoted(given)}"))
            if not rows:
                raise change.rejected(f"{name}: Vitally has no user with this id")
            return str(rows[0]["id"])
        return self._id_of(rest, change, name, directory, given)


def _user_by(name: str, value: str) -> tuple[str, ...] | None:
    return identity_of(BY_NAME["user"], {name: value})


_OF_PERSON = {"user": Directory.USER, "admin": Directory.ADMIN}
