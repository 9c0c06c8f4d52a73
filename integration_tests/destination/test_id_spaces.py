"""An id means something in one id space: yours, Vitally's, or that of a row which has been merged into another.

Every reference of the table of objects is given in each of them, by each route, and must lead to the row it means.
What cannot be told which row it means is rejected; it is never accepted and lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from destination_vitally.objects.model import BatchRoute, Kind, RestRoute
from destination_vitally.objects.table import BY_NAME, OBJECTS
from integration_tests.destination.between import sync
from integration_tests.destination.ways import Way, ways_of
from integration_tests.destination.world import resource_of
from integration_tests.harness import Json, Run, destination_config, record, stream, write
from integration_tests.sandbox import Row, Sandbox, Switches, merge
from integration_tests.sandbox.testing.client import stored

DELAY = 5


class Reference(NamedTuple):
    """One field that refers to another object, and a way to write it."""

    way: Way
    field: str
    target: str

    def __str__(self) -> str:
        return f"{self.way}-{self.field}"


def references() -> Iterator[Reference]:
    """Yield each reference field with each route that writes it, into a new row and into one that is there."""
    seen = set()
    for entry in OBJECTS:
        for way in ways_of(entry):
            for field in way.fields:
                told = (entry.name, way.operation, way.route, way.is_there, field.name)
                if field.refers and not way.nothing and way.only in ("", field.name) and told not in seen:
                    seen.add(told)
                    yield Reference(way, field.name, field.refers)


SPACES = ("yours", "Vitally's", "yours of a merged row", "Vitally's of a merged row")


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    """An empty workspace that applies messages after a few seconds."""
    sandbox.switches = Switches(effect_delay=DELAY)
    return sandbox


def given_in(sandbox: Sandbox, target: str, space: str) -> str:
    """Return an id of the row `other <resource>`, after an `old` one has been merged into it."""
    resource = resource_of(BY_NAME[target])
    assert resource
    workspace = sandbox.workspace
    other = workspace.find(resource.name, f"other {resource.name}")
    assert other
    if not space.endswith("merged row"):
        return str(other["externalId" if space == "yours" else "id"])
    old = workspace.insert(resource.name, {"externalId": f"old {resource.name}", "name": "Old"})
    merge(workspace, resource.name, old["id"], other["id"])
    return str(old["externalId" if space.startswith("yours") else "id"])


# People inside of lists and objects


def person(space: str, sandbox: Sandbox) -> tuple[str, str]:
    """Return an id of a user in an id space, and Vitally's id of whom it means."""
    account = sandbox.workspace.insert("accounts", {"externalId": "a"})["id"]
    sandbox.workspace.insert("users", {"externalId": "other users", "accountIds": [account]})
    value = given_in(sandbox, "user", space)
    sandbox.clock.advance(60)
    return value, str((sandbox.workspace.find("users", "other users") or {})["id"])


def talk(user: str) -> Json:
    someone = {"type": "user", "id": user}
    return {"externalId": "m", "message": "Hi", "from": someone, "to": [someone]}


INSIDE: dict[str, Callable[[str], tuple[str, Json]]] = {
    "conversation": lambda user: ("conversations", {"externalId": "c", "subject": "S", "messages": [talk(user)]}),
    "meeting": lambda user: (
        "meetings",
        {"externalId": "m", "title": "T", "participants": [{"type": "organizer", "userId": user}]},
    ),
}


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("name", INSIDE)
def test_people_inside_a_row_are_those_who_are_meant(sandbox: Sandbox, name: str, space: str) -> None:
    value, user = person(space, sandbox)
    table, data = INSIDE[name](value)
    run = sync(sandbox, "none", [record(table, data)])
    if run.counts(table)["rejected"] and space in (SPACES[2:] if name == "conversation" else SPACES[1:]):
        return  # that userId of a participant is yours is documented as assumed
    assert run.counts(table)["accepted"] == 1, run.log
    [row] = sandbox.workspace.rows(table)
    people = row["userIds"] if name == "conversation" else people_of(sandbox)
    assert people == [user]


def people_of(sandbox: Sandbox) -> list[str]:
    """Return Vitally's ids of the users who take part in meetings."""
    given = [row["userId"] for row in sandbox.workspace.rows("meetingParticipants")]
    return [str(row["id"]) for key in given for row in stored(sandbox, "users", externalId=key)]


# A row's own key


def merged(sandbox: Sandbox, resource: str = "accounts") -> tuple[Row, Row]:
    """Return a row that has been merged into another, and the other."""
    insert = sandbox.workspace.insert
    account = insert("accounts", {"externalId": "parent", "name": "P"})["id"]
    more = {"accountIds": [account]} if resource == "users" else {}
    old, new = (insert(resource, {"externalId": key, "name": key, **more}) for key in ("old", "new"))
    merge(sandbox.workspace, resource, old["id"], new["id"])
    sandbox.clock.advance(60)
    return old, new


def by_rest(sandbox: Sandbox, name: str, operation: str, data: Json, **more: Any) -> Run:
    settings = destination_config(sandbox, allow_deletes=True, analytics_token=None, **more)
    settings["mappings"] = [{"stream": "rows", "object": name, "operation": operation, "other_columns": "traits"}]
    return write(settings, [stream("rows")], [record("rows", data)])


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("by", ["externalId", "id"])
@pytest.mark.parametrize("operation", ["update", "upsert"])
@pytest.mark.parametrize("name", ["account", "organization", "user"])
def test_what_is_written_by_an_old_id_is_not_lost(
    sandbox: Sandbox, name: str, operation: str, by: str, skip: bool
) -> None:
    old, new = merged(sandbox, f"{name}s")
    more = {"accountIds": ["parent"]} if name == "user" and operation == "upsert" else {}
    run = by_rest(sandbox, name, operation, {by: old[by], "name": "Written", **more}, skip_unchanged=skip)
    counts = run.counts("rows")
    rows = sandbox.workspace.rows(f"{name}s")
    names = {row["externalId"]: row["name"] for row in rows if row["externalId"] != "parent"}
    if counts["accepted"]:
        assert "Written" in names.values()
        assert len(names) == 1 or names == {"new": "new", "old": "Written"}
    else:
        assert counts["rejected"] + counts["skipped"] == 1
        assert names == {"new": new["name"]}


@pytest.mark.parametrize("name", ["account", "organization", "user"])
def test_a_vitally_id_in_the_place_of_yours_makes_no_second_row(sandbox: Sandbox, name: str) -> None:
    """Given a table whose externalId is Vitally's id, when it is upserted by REST, there is still one row."""
    account = sandbox.workspace.insert("accounts", {"externalId": "parent", "name": "P"})["id"]
    more = {"accountIds": [account]} if name == "user" else {}
    row = sandbox.workspace.insert(f"{name}s", {"externalId": "mine", "name": "Mine", **more})
    parents = {"accountIds": ["parent"]} if name == "user" else {}
    run = by_rest(sandbox, name, "upsert", {"externalId": row["id"], "name": "Written", **parents})
    rows = [one for one in sandbox.workspace.rows(f"{name}s") if one["externalId"] != "parent"]
    assert len(rows) == 1 or run.counts("rows")["accepted"] == 1
    if run.counts("rows")["accepted"]:
        assert "Written" in [one["name"] for one in rows]


def test_kinds_of_references_are_known() -> None:
    """Given the table, its references are texts or lists of texts, by batch and by REST, and each has a target."""
    found = [*references()]
    assert {type(one.way.route) for one in found} == {BatchRoute, RestRoute}
    for one in found:
        field = one.way.entry.field(one.field)
        assert field is not None
        assert field.kind in (Kind.TEXT, Kind.TEXTS)
        assert resource_of(BY_NAME[one.target]) is not None
