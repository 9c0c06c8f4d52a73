"""Attributes that follow from other rows: the accounts of a conversation, a meeting, an answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from integration_tests.sandbox.data.store import Table
from integration_tests.sandbox.wire.messages import Row

Tables = Mapping[str, Table]
UserIdForm = Literal["externalId", "id", "either"]


def derived(tables: Tables, resource: str, row: Row, user_ids: UserIdForm) -> Row:
    """Return the derived attributes of a row, from the rows it refers to as they are now."""
    if resource == "npsResponses":
        return _nps(tables, row)
    if resource == "conversations":
        return _conversation(tables, row)
    if resource == "meetings":
        people = tables["meetingParticipants"].scoped("meetingId", row["id"])
        return meeting_parents(tables, people, user_ids)
    return {}


def meeting_parents(tables: Tables, participants: Iterable[Row], user_ids: UserIdForm) -> Row:
    """Return the accounts and organizations of the customers among these participants."""
    return _parents(user for person in participants for user in _users_of(tables, person, user_ids))


def _nps(tables: Tables, row: Row) -> Row:
    user = tables["users"].get(row["userId"]) if row["userId"] else None
    parents = _parents([user] if user else [])
    targets = []
    if parents["accountIds"]:
        targets.append("accounts")
    if parents["organizationIds"]:
        targets.append("organization")
    return {**parents, "targets": targets}


def _conversation(tables: Tables, row: Row) -> Row:
    people: dict[tuple[str, str], None] = {}
    for message in tables["messages"].scoped("conversationId", row["id"]):
        for person in (message["from"], *message["to"], *message["cc"], *message["bcc"]):
            people[person["type"], person["id"]] = None
    users = [user for kind, i in people if kind == "user" and (user := tables["users"].get(i))]
    return {
        **_parents(users),
        "userIds": [user["id"] for user in users],
        "adminIds": [i for kind, i in people if kind == "admin"],
    }


def _users_of(tables: Tables, participant: Row, user_ids: UserIdForm) -> list[Row]:
    users = tables["users"]
    if user_id := participant.get("userId"):
        by_id = users.get(user_id) if user_ids != "externalId" else None
        if by_id is not None or user_ids == "id":
            return [by_id] if by_id else []
        return users.by_external_id(user_id)
    if email := participant.get("email"):
        return users.scoped("email", email)
    return []


def _parents(users: Iterable[Row]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {"accountIds": {}, "organizationIds": {}}
    for user in users:
        for name, ids in found.items():
            ids.update(dict.fromkeys(user[name]))
    return {name: list(ids) for name, ids in found.items()}
