"""Others write into the same workspace while a sync does: between a look and a write, and while an answer is lost.

After a refusal that says "exists", and after an answer that was lost, the row is asked for again and written as what it
is. A row is created only on an absence that is a few seconds old.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from integration_tests.destination.between import START
from integration_tests.destination.cases import definition
from integration_tests.harness import Json, QuickClock, Run, destination_config, record, stream, write
from integration_tests.sandbox import Fault, Maker, Request, Row, Sandbox

WHEN = "2026-01-01T00:00:00.000Z"
OURS, ANOTHERS = "Ours", "Another's"
PATIENCE = 60
"""Seconds of waiting that no answer here can need: of what was refused or lost, an answer is to be had at once."""


class Made(NamedTuple):
    """An object: where its rows are, what one is called, a record of it, and the row that somebody else makes."""

    object: str
    table: str
    name: str
    data: Json
    row: Row
    posts: str
    """The paths of its creating requests."""


def objects(sandbox: Sandbox) -> dict[str, Made]:
    """Insert the parents that rows need; return the objects that are made by REST under a key of yours."""
    insert = sandbox.workspace.insert
    account = insert("accounts", {"externalId": "acme", "name": "Acme"})["id"]
    user = insert("users", {"externalId": "ida", "accountIds": [account]})["id"]
    of_acme, below = {"accountId": "acme"}, {"accountId": account}
    answer = {"score": 9, "respondedAt": WHEN}
    people = [{"type": "organizer", "userId": "ida"}]
    instance = {"customerId": account, "customObjectId": definition(sandbox)}
    found = (
        Made("organization", "organizations", "name", {}, {}, "/organizations$"),
        Made("account", "accounts", "name", {}, {}, "/accounts$"),
        Made("user", "users", "name", of_acme, {"accountIds": [account]}, "/users$"),
        Made("custom_object/featureRequest", "instances", "name", of_acme, instance, "/instances$"),
        Made("note", "notes", "note", {"noteDate": WHEN, **of_acme}, {"noteDate": WHEN, **below}, "/notes$"),
        Made("task", "tasks", "name", of_acme, below, "/tasks$"),
        Made(
            "nps_response", "npsResponses", "feedback", {"userId": "ida", **answer}, {"userId": user, **answer}, "/npsR"
        ),
        Made("meeting", "meetings", "title", {"participants": people}, {}, "/meetings$"),
    )
    sandbox.clock.advance(60)
    return {one.object: one for one in found}


NAMES = [*objects(Sandbox(empty=True))]
PUT_FIRST = ["account", "user", "meeting"]
"""What is written by PUT, and by POST where that says 404."""

UNIQUE = [*PUT_FIRST, "note"]
"""What Vitally may refuse where the key exists."""


class Scene:
    """A workspace, an object, and one sync by REST whose waits are counted."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        self.sandbox = sandbox
        self.made = objects(sandbox)[name]
        self.clock = QuickClock(START)

    def anothers(self, key: str = "k") -> Callable[[Request], object]:
        """Return what somebody does who makes a row of this key."""

        def create(_: Request) -> object:
            row = {"externalId": key, self.made.name: ANOTHERS, **self.made.row}
            with self.sandbox.workspace.settled():
                return self.sandbox.workspace.insert(self.made.table, row)

        return create

    def change(self, how: str) -> Callable[[Request], object]:
        """Return what somebody does who edits or deletes the row."""

        def act(_: Request) -> object:
            workspace = self.sandbox.workspace
            with workspace.settled():
                for row in self.rows():
                    if how == "edits":
                        workspace.update(self.made.table, row["id"], {self.made.name: ANOTHERS})
                    else:
                        workspace.delete(self.made.table, row["id"])
            return None

        return act

    def sync(self, count: int = 1, operation: str = "upsert", **settings: Any) -> Run:
        rows = [
            {"externalId": "k" if count == 1 else f"k{n}", self.made.name: OURS, **self.made.data} for n in range(count)
        ]
        chosen = destination_config(self.sandbox, analytics_token=None, **settings)
        mapping = {"stream": "rows", "object": self.made.object, "operation": operation, "other_columns": "traits"}
        run = write(
            {**chosen, "mappings": [mapping]}, [stream("rows")], [record("rows", row) for row in rows], clock=self.clock
        )
        assert run.unforeseen is None, run.log
        return run

    def rows(self, key: str = "k") -> list[Row]:
        return [row for row in self.sandbox.workspace.rows(self.made.table) if row["externalId"] == key]

    @property
    def names(self) -> list[str]:
        return [row[self.made.name] for row in self.rows()]

    @property
    def waited(self) -> float:
        return sum(self.clock.waits)


# Refusals that say "exists"

REFUSALS = [
    (400, "{name} already exists: {key}."),
    (400, "A row with this external ID already exists"),
    (400, "EXISTING ROW: the {name} {key} exists"),
    (409, "Conflict"),
    (409, "duplicate key value violates unique constraint"),
    (409, "{name} {key} is taken"),
    (409, ""),
]
each_refusal = pytest.mark.parametrize(("status", "words"), REFUSALS, ids=lambda value: str(value) or "no words")


def refusing(sandbox: Sandbox, status: Any, words: str) -> None:
    """Let Vitally refuse each row whose key exists."""
    for name in ("account", "note", "conversation", "meeting"):
        setattr(sandbox.switches, f"{name}_post_existing", "reject")
    sandbox.switches.exists_status, sandbox.switches.exists_words = status, words


@each_refusal
@pytest.mark.parametrize("name", UNIQUE)
def test_what_another_made_before_the_post_is_written_as_what_it_is(
    sandbox: Sandbox, name: str, status: int, words: str
) -> None:
    """Given a row that somebody makes between our look and our POST, when that is refused, our values are written."""
    refusing(sandbox, status, words)
    scene = Scene(sandbox, name)
    sandbox.makers.add(Maker(scene.anothers(), path=scene.made.posts, method="POST"))
    run = scene.sync()
    assert run.counts("rows")["accepted"] == 1, run.log
    assert scene.names == [OURS]
    assert scene.waited <= PATIENCE


@each_refusal
@pytest.mark.parametrize("name", UNIQUE)
def test_a_create_of_what_another_made_before_is_skipped(sandbox: Sandbox, name: str, status: int, words: str) -> None:
    refusing(sandbox, status, words)
    scene = Scene(sandbox, name)
    sandbox.makers.add(Maker(scene.anothers(), path=scene.made.posts, method="POST"))
    run = scene.sync(operation="create")
    assert run.counts("rows")["skipped"] == 1, run.log
    assert scene.names == [ANOTHERS]
    assert scene.waited <= PATIENCE


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize("name", UNIQUE)
def test_many_rows_that_others_make_meanwhile(sandbox: Sandbox, name: str, status: int) -> None:
    refusing(sandbox, status, "{name} already exists: {key}.")
    scene = Scene(sandbox, name)

    def create(request: Request) -> None:
        scene.anothers(request.body["externalId"])(request)

    sandbox.makers.add(Maker(create, path=scene.made.posts, method="POST", times=None))
    before = len(sandbox.journal)
    run = scene.sync(24)
    assert run.counts("rows")["accepted"] == 24, run.log
    names = [row[scene.made.name] for n in range(24) for row in scene.rows(f"k{n}")]
    assert names == [OURS] * 24
    assert scene.waited <= PATIENCE
    assert len(sandbox.journal) - before <= 24 * 4 + 10


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize("name", PUT_FIRST)
def test_what_is_refused_for_ever_is_rejected_soon(sandbox: Sandbox, name: str, status: int) -> None:
    """Given a Vitally that shows no row and says it exists, when it is written, it is asked for three times at most."""
    scene = Scene(sandbox, name)
    body = {"error": "externalId already exists"}
    sandbox.faults.add(Fault(scene.made.posts, "POST", status=status, body=body, times=None))
    run = scene.sync()
    assert run.counts("rows")["rejected"] == 1, run.log
    assert "exists" in run.log
    assert sandbox.journal.count(scene.made.posts, "POST") <= 4
    assert scene.waited <= PATIENCE


@pytest.mark.parametrize("name", [*UNIQUE, "task"])
def test_a_refusal_that_passes_costs_no_row(sandbox: Sandbox, name: str) -> None:
    """Given a 409 that says nothing of the row, when it is nowhere to be found, it is made."""
    scene = Scene(sandbox, name)
    sandbox.faults.add(Fault(scene.made.posts, "POST", status=409, body=""))
    run = scene.sync()
    assert run.counts("rows")["accepted"] == 1, run.log
    assert scene.names == [OURS]


@pytest.mark.parametrize("status", [400, 409])
def test_a_refusal_that_names_another_key_is_no_sign_of_the_row(sandbox: Sandbox, status: int) -> None:
    """Given that the email exists, not the externalId, when a user is made, the words of the refusal are passed on."""
    scene = Scene(sandbox, "user")
    body = {"error": "email already exists"}
    sandbox.faults.add(Fault(scene.made.posts, "POST", status=status, body=body, times=None))
    run = scene.sync()
    assert run.counts("rows")["rejected"] == 1
    assert "email already exists" in run.log
    assert scene.waited <= PATIENCE


# Answers that are lost, and who has acted

NOT_ACTED: list[Any] = ["status", "drop"]
ACTED: list[Any] = ["status_after", "truncate"]


def lose(scene: Scene, kind: Any, method: str = "POST", path: str = "") -> None:
    scene.sandbox.faults.add(Fault(path or scene.made.posts, method, kind=kind, status=502))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", NOT_ACTED)
@pytest.mark.parametrize("name", NAMES)
def test_a_lost_create_beside_anothers_writes_our_values(sandbox: Sandbox, name: str, kind: str, when: Any) -> None:
    """Given a POST that did nothing and whose answer is lost, and another's row, our values are in it in the end."""
    scene = Scene(sandbox, name)
    lose(scene, kind)
    sandbox.makers.add(Maker(scene.anothers(), path=scene.made.posts, method="POST", when=when))
    run = scene.sync()
    assert run.counts("rows")["accepted"] == 1, run.log
    assert scene.names == [OURS]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", NOT_ACTED)
@pytest.mark.parametrize("name", NAMES)
def test_a_lost_create_beside_anothers_is_not_called_ours(sandbox: Sandbox, name: str, kind: str, when: Any) -> None:
    """Given the operation create, when another's row is found after a lost answer, it is left, and not accepted."""
    if name in ("organization", "task", "nps_response"):
        sandbox.switches.also_by_external_id = frozenset({"npsResponses"})
    scene = Scene(sandbox, name)
    lose(scene, kind)
    sandbox.makers.add(Maker(scene.anothers(), path=scene.made.posts, method="POST", when=when))
    run = scene.sync(operation="create")
    assert len(scene.names) == 1
    accepted = run.counts("rows")["accepted"]
    assert scene.names == [OURS if accepted else ANOTHERS], run.log


@pytest.mark.parametrize("operation", ["upsert", "create"])
@pytest.mark.parametrize("kind", [*NOT_ACTED, *ACTED])
@pytest.mark.parametrize("name", NAMES)
def test_a_lost_create_alone_makes_one_row(sandbox: Sandbox, name: str, kind: str, operation: str) -> None:
    """Given a POST whose answer is lost, when nobody else is there, there is one row: accepted, not skipped."""
    scene = Scene(sandbox, name)
    lose(scene, kind)
    run = scene.sync(operation=operation)
    assert run.counts("rows")["accepted"] == 1, run.log
    assert scene.names == [OURS]


@pytest.mark.parametrize("kind", ACTED)
@pytest.mark.parametrize("name", NAMES)
def test_a_lost_create_that_another_edits_is_one_row(sandbox: Sandbox, name: str, kind: str) -> None:
    scene = Scene(sandbox, name)
    lose(scene, kind)
    sandbox.makers.add(Maker(scene.change("edits"), path=scene.made.posts, method="POST", when="after"))
    run = scene.sync()
    assert run.counts("rows")["accepted"] == 1, run.log
    assert len(scene.names) == 1


@pytest.mark.parametrize("kind", ACTED)
@pytest.mark.parametrize("name", NAMES)
def test_a_lost_create_that_another_deletes_is_not_accepted_and_gone(sandbox: Sandbox, name: str, kind: str) -> None:
    scene = Scene(sandbox, name)
    lose(scene, kind)
    sandbox.makers.add(Maker(scene.change("deletes"), path=scene.made.posts, method="POST", when="after"))
    run = scene.sync()
    assert scene.names == [OURS] * run.counts("rows")["accepted"], run.log


@pytest.mark.parametrize("act", ["edits", "deletes"])
@pytest.mark.parametrize("kind", [*NOT_ACTED, *ACTED])
@pytest.mark.parametrize("name", NAMES)
def test_a_lost_update_beside_another_is_written_in_the_end(sandbox: Sandbox, name: str, kind: str, act: str) -> None:
    """Given a row that is there and a write whose answer is lost, whatever another does meanwhile, ours is there."""
    scene = Scene(sandbox, name)
    scene.anothers()(Request(0, "", "", {}))
    sandbox.clock.advance(60)
    for method in ("PUT", "POST"):
        lose(scene, kind, method, f"/resources/.*{scene.made.table}")
    maker = Maker(scene.change(act), path=f"/resources/.*{scene.made.table}", when="after")
    first = [Maker(maker.acts, maker.path, method, maker.when) for method in ("PUT", "POST")]
    for one in first:
        sandbox.makers.add(one)
    run = scene.sync()
    assert run.counts("rows")["accepted"] == 1, run.log
    assert scene.names == [OURS]


# Absence has an age


@pytest.mark.parametrize("age", [6, 30, 59])
@pytest.mark.parametrize("operation", ["upsert", "create"])
@pytest.mark.parametrize("name", ["note", "custom_object/featureRequest", "task", "nps_response", "account", "user"])
def test_a_row_younger_than_the_list_that_was_read_is_not_made_twice(
    sandbox: Sandbox, name: str, operation: str, age: float
) -> None:
    """Given another's row made after a list was read, when we write it some seconds later, there is one row."""
    for rule in ("account", "note", "meeting"):
        setattr(sandbox.switches, f"{rule}_post_existing", "duplicate")
    scene = Scene(sandbox, name)
    for n in range(30):
        scene.anothers(f"there{n}")(Request(0, "", "", {}))
    sandbox.clock.advance(60)

    def create(request: Request) -> None:
        for key in ("k3", "k41"):
            scene.anothers(key)(request)
        scene.clock.wait(age)

    listed = scene.made.table if name != "custom_object/featureRequest" else "instances"
    sandbox.makers.add(Maker(create, path=rf"/{listed}(/search)?$", method="GET", when="after"))
    run = scene.sync(60, operation=operation)
    doubles = [key for key in ("k3", "k41") if len(scene.rows(key)) != 1]
    assert doubles == [], run.log
    if operation == "upsert":
        assert run.counts("rows")["accepted"] == 60, run.log
        assert [row[scene.made.name] for key in ("k3", "k41") for row in scene.rows(key)] == [OURS] * 2


@pytest.mark.parametrize("age", [6, 30, 59])
def test_a_parent_younger_than_the_list_that_was_read_is_there(sandbox: Sandbox, age: float) -> None:
    """Given accounts that another makes after the list of accounts was read, when notes name them, they are found."""
    for n in range(50):
        sandbox.workspace.insert("accounts", {"externalId": f"there{n}", "name": "There"})
    sandbox.clock.advance(60)
    clock = QuickClock(START)

    def create(_: Request) -> None:
        with sandbox.workspace.settled():
            sandbox.workspace.insert("accounts", {"externalId": "late", "name": ANOTHERS})
        clock.wait(age)

    sandbox.makers.add(Maker(create, path="/accounts$", method="GET", when="after"))
    parents = [f"there{n}" for n in range(50)] + ["late"]
    rows = [record("notes", {"externalId": key, "accountId": key, "note": "N", "noteDate": WHEN}) for key in parents]
    run = write(destination_config(sandbox), [stream("notes")], rows, clock=clock)
    assert run.counts("notes")["accepted"] == 51, run.log


@pytest.mark.parametrize("age", [6, 30, 59])
def test_a_parent_younger_than_the_list_is_not_created_twice(sandbox: Sandbox, age: float) -> None:
    sandbox.switches.account_post_existing = "duplicate"
    clock = QuickClock(START)
    for n in range(50):
        sandbox.workspace.insert("accounts", {"externalId": f"there{n}", "name": "There"})
    sandbox.clock.advance(60)

    def create(_: Request) -> None:
        with sandbox.workspace.settled():
            sandbox.workspace.insert("accounts", {"externalId": "late", "name": ANOTHERS})
        clock.wait(age)

    sandbox.makers.add(Maker(create, path="/accounts$", method="GET", when="after"))
    parents = [f"there{n}" for n in range(50)] + ["late"]
    rows = [record("notes", {"externalId": key, "accountId": key, "note": "N", "noteDate": WHEN}) for key in parents]
    run = write(destination_config(sandbox, unknown_parents="create"), [stream("notes")], rows, clock=clock)
    assert run.counts("notes")["accepted"] == 51, run.log
    late = [row["name"] for row in sandbox.workspace.rows("accounts") if row["externalId"] == "late"]
    assert late == [ANOTHERS]
