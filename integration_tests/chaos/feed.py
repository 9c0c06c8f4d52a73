"""What a platform sends to the destination, drawn by dice, with what must become of each record known beforehand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from integration_tests.chaos.others import TOUCHED
from integration_tests.harness import record, stream

WHEN = "2026-01-01T00:00:00Z"
ACCOUNTS = ("k0", "k1", "k2")
"""Accounts that are there from the start."""

STREAMS = ("organizations", "accounts", "users", "custom_object_feature_request", "tasks", "notes", "events", "calls")
TABLES = {
    "organizations": "organizations",
    "accounts": "accounts",
    "users": "users",
    "custom_object_feature_request": "instances",
    "tasks": "tasks",
    "notes": "notes",
}
"""Streams whose rows have an externalId, and the workspace's table of each."""

MAPPINGS: list[dict[str, Any]] = [
    {
        "stream": "calls",
        "object": "note",
        "operation": "create",
        "fields": [{"field": "subject", "column": "externalId"}],
    }
]
"""`calls` are notes without an externalId: the one kind of row here that cannot be sent twice without harm."""

COPIED = "copied"
TWICE: list[dict[str, Any]] = [
    {"stream": "accounts", "object": "account", "operation": "upsert", "other_columns": "traits"},
    {
        "stream": "accounts",
        "object": "event",
        "constants": [{"field": "event", "value": COPIED}],
        "fields": [{"field": "accountId", "column": "externalId"}, {"field": "messageId", "column": "copy"}],
        "traits": [{"trait": "number", "column": "copy"}],
        "other_columns": "ignore",
    },
]
"""Two entries for one stream: each account is an event as well, named `COPIED`."""

NO_KEYS: tuple[Any, ...] = (None, "..", "  ", 1e30, float("nan"), 0.12345678901234567)
WRONG: tuple[Any, ...] = ({"an": "object"}, json.loads("[" * 300 + "]" * 300), True)
EDGES: tuple[Any, ...] = (WRONG[1], "9999-12-31T23:59:59-08:00", "0001-01-01T00:00:00+01:00")
"""Values that make no sense, each in a way of its own."""

FLAWS = ("no key", "wrong type", "delete", "orphan")
"""Each makes a record one that must be rejected. An organization has no parent that could be unknown."""


@dataclass(frozen=True)
class Sent:
    """A record or (`key` None) a state of the feed. `version` counts the records of a key; a flaw rules writing out."""

    stream: str
    key: str | None = None
    version: int = 0
    flaw: str | None = None
    parent: str = ACCOUNTS[0]


def feed(dice: Random) -> list[Sent]:
    """Return a few hundred records and states.

    References lead to accounts that were always there or come earlier; in some feeds also to ones that come later.
    """
    names = dice.sample(STREAMS, dice.randint(1, len(STREAMS)))
    keys = dice.choice([3, 20, 200])
    versions: dict[tuple[str, str], int] = {}
    accounts = list(ACCOUNTS)
    parents: dict[tuple[str, str], str] = {}
    found: list[Sent] = []
    for number in range(dice.randint(1, 300)):
        name = dice.choice(names)
        if dice.random() < 0.06:
            found.append(Sent(name))
            continue
        # What is made, not changed, has a key of its own.
        key = f"{name} {number}" if name in ("events", "calls") else f"k{dice.randrange(keys)}"
        flaw = dice.choice(FLAWS[: 3 if name == "organizations" else 4]) if dice.random() < 0.08 else None
        if flaw is None:
            versions[name, key] = versions.get((name, key), 0) + 1
        # A note stays where it was made: its account cannot be changed.
        parent = parents.setdefault((name, key), dice.choice(accounts))
        found.append(Sent(name, key, versions.get((name, key), 0), flaw, parent))
        if name == "accounts" and flaw is None:
            accounts.append(key)
    if dice.random() < 0.3:
        found = _before_their_parents(dice, found)
    return [*found, *(Sent(name) for name in names)]


def _before_their_parents(dice: Random, sent: list[Sent]) -> list[Sent]:
    """Return the same records with other accounts as parents, wherever in the feed these come."""
    accounts = [*ACCOUNTS, *(str(one.key) for one in sent if one.stream == "accounts" and one.key and one.flaw is None)]
    parents: dict[tuple[str, str | None], str] = {}
    return [replace(one, parent=parents.setdefault((one.stream, one.key), dice.choice(accounts))) for one in sent]


def message(sent: Sent, emitted_at: int, ids: Mapping[str, str]) -> dict[str, Any]:
    """Return the RECORD; what is flawed is so in a way that its object knows.

    `ids` are the ids by which some parents are named instead of by their keys.
    """
    data = _data(sent)
    if "accountId" in data:
        data["accountId"] = ids.get(data["accountId"], data["accountId"])
    if sent.flaw == "no key":
        name = "noteDate" if sent.stream == "calls" else "event" if sent.stream == "events" else "externalId"
        data[name] = NO_KEYS[emitted_at % len(NO_KEYS)] if name == "externalId" else None
    elif sent.flaw == "wrong type":
        name = {"events": "timestamp", "notes": "noteDate", "calls": "noteDate"}.get(sent.stream, "name")
        data[name] = (EDGES if name != "name" else WRONG)[emitted_at % len(WRONG)]
    elif sent.flaw == "delete":
        data["_ab_cdc_deleted_at"] = WHEN
    elif sent.flaw == "orphan":
        data["organizationId" if sent.stream == "accounts" else "accountId"] = "nobody"
    return record(sent.stream, data, emitted_at)


def _data(sent: Sent) -> dict[str, Any]:
    data: dict[str, Any] = {"externalId": sent.key}
    version, parent = sent.version, {"accountId": sent.parent}
    if sent.stream in ("organizations", "accounts"):
        copy = {"copy": copy_of(sent)} if sent.stream == "accounts" else {}
        return data | TOUCHED | copy | {"name": f"v{version}", "n": version, "plan": version % 2}
    if sent.stream == "users":
        by_rest = {"unsubscribedFromConversations": True} if version % 5 == 0 else {}
        return data | parent | by_rest | TOUCHED | {"name": f"v{version}", "n": version, "plan": version % 2}
    if sent.stream in ("tasks", "custom_object_feature_request"):
        return data | parent | {"name": f"v{version}"}
    if sent.stream == "events":
        return parent | {"event": "seen", "id": sent.key, "timestamp": WHEN, "number": sent.key}
    note = parent | {"note": "said", "noteDate": WHEN}
    return data | note | ({"subject": f"v{version}"} if sent.stream == "notes" else {})


def copy_of(sent: Sent) -> str:
    """Return what tells the event that a record of accounts becomes."""
    return f"{sent.key} {sent.version}"


def version_of(table: str, row: dict[str, Any]) -> int:
    """Return the version of a record that a row of the workspace comes from; 0 when from none."""
    text = str(row.get("subject" if table == "notes" else "name"))
    return int(text[1:]) if text[:1] == "v" else 0


def streams(names: list[str]) -> list[dict[str, Any]]:
    """Return the configured streams."""
    return [stream(name) for name in names]
