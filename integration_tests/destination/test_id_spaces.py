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
from integration_tests.destination.between import accounts, sync
from integration_tests.destination.objects import test_conversations, test_custom_objects, test_meetings
from integration_tests.destination.ways import Way, holds, record_of, ways_of
from integration_tests.destination.world import World, resource_of
from integration_tests.harness import Json, QuickClock, Run, destination_config, record, stream, write
from integration_tests.sandbox import Row, Sandbox, Switches, merge
from integration_tests.sandbox.testing.client import stored

DELAY = 5
LONGEST = DELAY + 60
"""Seconds within which it must be known what a reference means, the application of messages included."""

SAMPLES = {**test_conversations.SAMPLES, **test_custom_objects.SAMPLES, **test_meetings.SAMPLES}


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


class Timed(QuickClock):
    """A clock that says how much time has been waited for."""

    @property
    def waited(self) -> float:
        return sum(self.waits)


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


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("reference", [*references()], ids=str)
def test_a_reference_leads_to_the_row_it_means(sandbox: Sandbox, reference: Reference, space: str) -> None:
    """Given a reference in an id space, when its row is written, it leads to the row that is meant, or is rejected."""
    way, name = reference.way, reference.field
    world = World(sandbox, way.entry, way.is_there, SAMPLES)
    given, expected = record_of(way, world)
    value = given_in(sandbox, reference.target, space)
    given[name] = [value] if isinstance(given[name], list) else value
    sandbox.clock.advance(60)
    settings = destination_config(sandbox)
    if isinstance(way.route, RestRoute):
        del settings["analytics_token"]
    if way.key and not way.key.documented:
        sandbox.switches.also_by_external_id = frozenset({world.resource})
    settings["mappings"] = [
        {"stream": "rows", "object": world.name, "operation": way.operation, "other_columns": "traits"}
    ]
    clock = Timed()

    run = write(settings, [stream("rows")], [record("rows", given)], clock=clock)

    counts = run.counts("rows")
    assert clock.waited <= LONGEST, run.log
    if counts["rejected"] and space in may_be_rejected(reference.target):
        assert name in run.log, "the reason names the field"
        return
    assert counts["accepted"] == 1, run.log
    found = landed(world)
    assert found is not None, "it was accepted, and nothing has landed"
    if name in expected:
        assert holds(stored_reference(found, name), expected[name]), f"{name} leads to {stored_reference(found, name)}"


def may_be_rejected(target: str) -> tuple[str, ...]:
    """Return the id spaces in which a reference need not be understood: old ids, and yours where no path takes it."""
    resource = resource_of(BY_NAME[target])
    return SPACES[2:] if resource and resource.ids != "id" else (SPACES[0], *SPACES[2:])


def landed(world: World) -> Row | None:
    try:
        return world.row_after()
    except ValueError:
        return None


def stored_reference(row: Row, name: str) -> Any:
    return row.get(name)


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


# Many rows, as a warehouse has them that joins what the source has read


def warehouse(sandbox: Sandbox, name: str, count: int) -> list[Json]:
    """Return rows whose parents are named by Vitally's ids."""
    insert = sandbox.workspace.insert
    parents = [insert("accounts", {"externalId": f"a{n}", "name": "A"})["id"] for n in range(3)]
    user = insert("users", {"externalId": "u", "accountIds": [parents[0]]})["id"]
    sandbox.clock.advance(60)
    shapes: dict[str, Json] = {
        "users": {"name": "Ida"},
        "events": {"event": "seen", "timestamp": "2026-01-01T00:00:00Z"},
        "membership": {"userId": user},
        "custom_object_feature_request": {"name": "Dark mode"},
        "notes": {"note": "N", "noteDate": "2026-01-01T00:00:00Z"},
    }
    key = "messageId" if name == "events" else "externalId"
    rows = [{key: f"r{n}", **shapes[name], "accountId": parents[n % 3]} for n in range(count)]
    return [record(name, row if name != "membership" else {k: row[k] for k in ("userId", "accountId")}) for row in rows]


@pytest.mark.parametrize("mode", ["none", "sample", "all"])
@pytest.mark.parametrize("name", ["users", "events", "membership", "custom_object_feature_request", "notes"])
def test_thirty_rows_that_name_accounts_by_vitallys_ids_land(sandbox: Sandbox, name: str, mode: str) -> None:
    messages = warehouse(sandbox, name, 30)
    before = sandbox.clock.now()
    run = sync(sandbox, mode, messages)
    assert (sandbox.clock.now() - before).total_seconds() <= DELAY + 10
    assert run.error is None
    counts = run.counts(name)
    assert counts["accepted"] + counts["superseded"] == 30, run.log
    places = {"custom_object_feature_request": "instances", "membership": "users"}
    if name == "events":
        assert sorted(event["accountId"] for event in sandbox.workspace.events) == sorted(
            f"a{n % 3}" for n in range(30)
        )
    elif name == "membership":
        assert len((sandbox.workspace.find("users", "u") or {})["accountIds"]) == 3
    else:
        rows = [row for row in sandbox.workspace.rows(places.get(name, name)) if row["externalId"].startswith("r")]
        assert len(rows) == 30


def test_both_id_spaces_in_one_stream(sandbox: Sandbox) -> None:
    """Given an account whose externalId looks like Vitally's ids, it is found by it, and others by theirs."""
    insert = sandbox.workspace.insert
    uuid = "11111111-2222-4333-8444-555555555555"
    insert("accounts", {"externalId": uuid, "name": "Yours looks like Vitally's"})
    theirs = insert("accounts", {"externalId": "plain", "name": "Plain"})["id"]
    sandbox.clock.advance(60)
    rows = [record("users", {"externalId": f"u{n}", "accountId": key}) for n, key in enumerate((uuid, theirs, "plain"))]
    run = sync(sandbox, "all", rows)
    assert run.counts("users")["accepted"] == 3, run.log
    users = {row["externalId"]: row["accountIds"] for row in sandbox.workspace.rows("users")}
    other = (sandbox.workspace.find("accounts", uuid) or {})["id"]
    assert users == {"u0": [other], "u1": [theirs], "u2": [theirs]}


def test_a_parent_that_comes_in_the_same_sync_is_named_by_vitallys_id(sandbox: Sandbox) -> None:
    row = sandbox.workspace.insert("accounts", {"externalId": "a0", "name": "Old"})
    sandbox.clock.advance(60)
    user = record("users", {"externalId": "u", "accountId": row["id"]})
    run = sync(sandbox, "all", [user, *accounts(3)])
    assert run.counts("users")["accepted"] == 1, run.log
    assert [one["accountIds"] for one in sandbox.workspace.rows("users")] == [[row["id"]]]


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


@pytest.mark.parametrize("by", ["externalId", "id"])
@pytest.mark.parametrize("name", ["account", "organization", "user"])
def test_a_delete_by_an_old_id_leaves_the_row_that_it_was_merged_into(sandbox: Sandbox, name: str, by: str) -> None:
    """Given that an old id answers with another row, when the old one is deleted, the living one stays."""
    old, new = merged(sandbox, f"{name}s")
    run = by_rest(sandbox, name, "delete", {by: old[by]})
    assert sandbox.workspace.find(f"{name}s", new["id"]) is not None, "a living row is gone"
    assert run.counts("rows")["accepted"] == 0, run.log


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
