"""Vitally may store a value otherwise than it was sent: nothing waits for what will never be equal.

Being there, showing a message's effect, and being equal are three questions. A value that is equal but for blanks,
case, decimals, a day's midnight, HTML or the order of a list has landed; one that is missing or still the old one has
not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, NamedTuple

import pytest

from integration_tests.destination.between import START, found, sync
from integration_tests.destination.cases import definition
from integration_tests.harness import Json, Run, record
from integration_tests.sandbox import Clock, Row, Sandbox, Switches

DELAYS = [0, 5, 60]
MARGIN = 5
"""Seconds that a look may take longer than Vitally does."""

INSTANCES = "custom_object_feature_request"
MODES = ["sample", "all"]
each_mode = pytest.mark.parametrize("mode", MODES)
each_delay = pytest.mark.parametrize("delay", DELAYS)


class Habit(NamedTuple):
    """Something that Vitally may do to values: the switches, and a value that it touches, by field."""

    switches: dict[str, Any]
    name: str = "Acme"
    trait: Any = "x"
    email: str = "ida@example.com"


HABITS = {
    "trimmed texts": Habit({"texts_trimmed": True}, name=" Acme ", trait="x  "),
    "emails in lower case": Habit({"emails_lowered": True}, email="Ida@Example.com"),
    "two decimals": Habit({"decimals": 2}, trait=1.23456),
    "no decimals": Habit({"decimals": 0}, trait=1234.56),
    "days as times": Habit({"days_as_times": True}, trait="2026-03-04"),
    "times as days": Habit({"times_as_days": True}, trait="2026-03-04T00:00:00.000Z"),
    "cleaned HTML": Habit({"html": "cleaned everywhere"}, trait='<p class="x">A</p><h1>B</h1>'),
    "no HTML": Habit({"html": "no tags"}, name="<b>Acme</b>", trait="<p>A</p>"),
    "sorted lists": Habit({"lists_sorted": True}, trait=["b", "a", "c"]),
    "all at once": Habit(
        {
            "texts_trimmed": True,
            "emails_lowered": True,
            "decimals": 1,
            "lists_sorted": True,
            "html": "cleaned everywhere",
        },
        name=" Acme",
        trait=["b ", "a"],
        email="Ida@Example.com",
    ),
}
CLOSED = {
    "trimmed texts": ("vitally.custom.stage", "Planned "),
    "two decimals": ("vitally.custom.dealValue", 1.23456),
    "no decimals": ("vitally.custom.dealValue", 1234.56),
    "days as times": ("vitally.custom.dueOn", "2026-03-04"),
    "times as days": ("vitally.custom.dueOn", "2026-03-04T00:00:00.000Z"),
    "cleaned HTML": ("vitally.custom.stage", "<h1>Planned</h1>"),
    "sorted lists": ("vitally.custom.labels", ["b", "a"]),
}
"""Of habits that touch the custom fields of an instance, one of these and a value."""

OBJECTS = ["organizations", "accounts", "users", INSTANCES]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An empty workspace but for two accounts, whose time passes only by waiting."""
    clock = Clock(at=datetime.fromtimestamp(START, timezone.utc))
    with Sandbox(empty=True, clock=clock) as served:
        served.workspace.insert("accounts", {"externalId": "parent", "name": "Parent"})
        served.clock.advance(60)
        yield served


def sent(name: str, habit: str, count: int) -> list[Json]:
    """Return records of a stream with values that a habit touches."""
    told = HABITS[habit]
    data: Json = {"name": told.name}
    if name == INSTANCES:
        field, value = CLOSED.get(habit, ("vitally.custom.stage", "Planned"))
        data |= {"accountId": "parent", field: value}
    else:
        data |= {"touched": told.trait}
    if name == "users":
        data |= {"accountId": "parent", "email": told.email}
    numbers = [{} if name == INSTANCES else {"count": n} for n in range(count)]
    return [record(name, {"externalId": f"r{n}", **data, **number}) for n, number in enumerate(numbers)]


def insert_old(sandbox: Sandbox, name: str, count: int) -> None:
    """Insert the rows as they were before."""
    [parent] = sandbox.workspace.rows("accounts")
    more: Row = {}
    if name == INSTANCES:
        more = {"customObjectId": definition(sandbox), "customerId": parent["id"]}
    elif name == "users":
        more = {"accountIds": [parent["id"]]}
    for n in range(count):
        row = {"externalId": f"r{n}", "name": "Old", **more}
        sandbox.workspace.insert("instances" if name == INSTANCES else name, row)
    sandbox.clock.advance(60)


def timed(sandbox: Sandbox, mode: str, messages: list[Json], **settings: Any) -> tuple[Run, float]:
    """Run a sync; return it and the seconds that it has waited."""
    before = sandbox.clock.now()
    run = sync(sandbox, mode, messages, **settings)
    assert run.error is None, run.log
    return run, (sandbox.clock.now() - before).total_seconds()


@each_mode
@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("habit", HABITS)
def test_nothing_waits_for_what_will_never_be_equal(
    sandbox: Sandbox, habit: str, name: str, is_there: bool, mode: str
) -> None:
    """Given a habit of Vitally's, when rows are sent and looked for, they have landed as soon as they are there."""
    if is_there:
        insert_old(sandbox, name, 20)
    sandbox.switches = Switches(effect_delay=5, **HABITS[habit].switches)
    run, waited = timed(sandbox, mode, sent(name, habit, 20))
    assert run.counts(name)["accepted"] == 20, run.log
    assert waited <= 5 + MARGIN, run.log
    assert "20 were looked for, 20 are in Vitally" in found(run, name)


@each_mode
@each_delay
@pytest.mark.parametrize("habit", ["trimmed texts", "two decimals"])
def test_it_takes_as_long_as_vitally_does(sandbox: Sandbox, habit: str, delay: float, mode: str) -> None:
    sandbox.switches = Switches(effect_delay=delay, **HABITS[habit].switches)
    _, plain = timed(sandbox, mode, sent("organizations", habit, 300))
    _, waited = timed(sandbox, mode, sent("accounts", habit, 300))
    assert max(plain, waited) <= delay + MARGIN


@each_mode
@pytest.mark.parametrize(("habit", "field"), [("trimmed texts", "touched"), ("two decimals", "touched")])
def test_what_is_stored_otherwise_is_named_once(sandbox: Sandbox, habit: str, field: str, mode: str) -> None:
    sandbox.switches = Switches(effect_delay=5, **HABITS[habit].switches)
    run, _ = timed(sandbox, mode, sent("accounts", habit, 20))
    lines = [line for line in run.logs() if "stored otherwise" in line]
    assert len([line for line in lines if field in line]) == 1, run.log
    assert not any("Acme" in line for line in lines), "no value is logged"


@each_mode
def test_what_is_stored_as_sent_is_not_called_otherwise(sandbox: Sandbox, mode: str) -> None:
    sandbox.switches = Switches(effect_delay=5, texts_trimmed=False)
    run, _ = timed(sandbox, mode, sent("accounts", "trimmed texts", 20))
    assert "otherwise" not in run.log


# updatedAt is a hint, never a proof

MOVES: list[Any] = ["moves", "a minute later", "to its timestamp", "stays"]


@each_mode
@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("moves", MOVES)
def test_nothing_waits_for_a_stamp(sandbox: Sandbox, moves: Any, name: str, is_there: bool, mode: str) -> None:
    """Given an updatedAt that does not tell when a message acted, rows have landed as soon as they show its values."""
    if is_there:
        insert_old(sandbox, name, 20)
    sandbox.switches = Switches(effect_delay=5, updated_at_by_message=moves)
    run, waited = timed(sandbox, mode, sent(name, "trimmed texts", 20))
    assert run.counts(name)["accepted"] == 20, run.log
    assert waited <= 5 + MARGIN, run.log


@each_mode
@pytest.mark.parametrize("moves", MOVES)
def test_a_row_that_was_equal_before_is_not_waited_for_long(sandbox: Sandbox, moves: Any, mode: str) -> None:
    """Given rows that already were as they are sent, no value can prove the message: it is waited a minute at most."""
    for n in range(10):
        sandbox.workspace.insert("accounts", {"externalId": f"r{n}", "name": "Acme", "traits": {"seats": n}})
    sandbox.clock.advance(60)
    sandbox.switches = Switches(effect_delay=5, updated_at_by_message=moves)
    messages = [record("accounts", {"externalId": f"r{n}", "name": "Acme", "seats": n}) for n in range(10)]
    run, waited = timed(sandbox, mode, messages)
    assert run.counts("accounts")["accepted"] == 10, run.log
    assert waited <= 5 + MARGIN + 60


@pytest.mark.parametrize("moves", MOVES)
@pytest.mark.parametrize("habit", ["trimmed texts", "two decimals", "sorted lists"])
@pytest.mark.parametrize("mode", ["none", *MODES])
@pytest.mark.parametrize("is_there", [False, True])
def test_children_by_rest_wait_only_until_their_parent_is_there(
    sandbox: Sandbox, habit: str, moves: Any, mode: str, is_there: bool
) -> None:
    """Given a parent that is stored otherwise, its children by REST go out as soon as it can be found."""
    if is_there:
        insert_old(sandbox, "accounts", 5)
    sandbox.switches = Switches(effect_delay=5, updated_at_by_message=moves, **HABITS[habit].switches)
    messages = sent("accounts", habit, 5)
    note = {"note": "N", "noteDate": "2026-01-01T00:00:00Z"}
    messages += [record("notes", {"externalId": f"n{n}", "accountId": f"r{n % 5}", **note}) for n in range(10)]
    messages += [record("tasks", {"externalId": f"t{n}", "accountId": f"r{n % 5}", "name": "T"}) for n in range(10)]
    run, waited = timed(sandbox, mode, messages)
    assert run.counts("notes")["accepted"] == 10, run.log
    assert run.counts("tasks")["accepted"] == 10
    assert len(sandbox.workspace.rows("notes")) == 10
    assert waited <= 5 + 2 * MARGIN


# What has not landed is still found


@each_mode
@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize("habit", ["", *HABITS])
def test_one_value_in_ten_that_is_dropped_is_found(sandbox: Sandbox, habit: str, is_there: bool, mode: str) -> None:
    """Given messages of which one trait in ten comes to nothing, whatever else is stored otherwise, those are named."""
    if is_there:
        for n in range(20):
            sandbox.workspace.insert("accounts", {"externalId": f"r{n}", "name": "Old", "traits": {"count": -1}})
        sandbox.clock.advance(60)

    def drops(message: Row, trait: str) -> bool:
        return trait == "count" and int(message["accountId"][1:]) % 10 == 3

    sandbox.switches = Switches(effect_delay=5, drops_value=drops, **(HABITS[habit].switches if habit else {}))
    run, _ = timed(sandbox, mode, sent("accounts", habit or "trimmed texts", 20))
    assert "20 were looked for, 18 are in Vitally" in found(run)
    assert "count" in found(run)
    assert run.counts("accounts")["accepted"] == (18 if mode == "all" else 20)


@each_mode
def test_a_message_that_is_dropped_is_not_taken_for_a_habit(sandbox: Sandbox, mode: str) -> None:
    """Given values that differ from the old ones by case or blanks alone, a message that never acts has not landed."""
    for n in range(4):
        sandbox.workspace.insert("accounts", {"externalId": f"r{n}", "name": "acme", "traits": {"plan": "x"}})
    sandbox.clock.advance(60)
    sandbox.switches = Switches(effect_delay=5, drops=lambda message: message["accountId"] == "r1")
    messages = [record("accounts", {"externalId": f"r{n}", "name": "Other", "plan": "X "}) for n in range(4)]
    run, _ = timed(sandbox, mode, messages)
    assert "4 were looked for, 3 are in Vitally" in found(run)


@each_mode
@pytest.mark.parametrize("trait", ["y" * 300, "z" * 256])
def test_another_value_that_stays_is_waited_for_a_minute_longer_than_others(
    sandbox: Sandbox, trait: str, mode: str
) -> None:
    """Given a habit that nobody foresees, rows that show another value are unverified after a minute more."""
    sandbox.switches = Switches(effect_delay=5, longest_text=255)
    messages = [record("accounts", {"externalId": f"r{n}", "name": "Acme", "plan": "x"}) for n in range(10)]
    messages += [record("accounts", {"externalId": f"s{n}", "name": "Acme", "long": trait}) for n in range(10)]
    run, waited = timed(sandbox, mode, messages)
    assert waited <= 5 + 60 + MARGIN, run.log
    assert "long" in found(run)
    assert "20 are in Vitally" not in found(run)


@each_mode
def test_traits_that_are_dropped_everywhere_are_named(sandbox: Sandbox, mode: str) -> None:
    """Given a workspace that keeps no trait without a custom field, rows lack it, and that is said of each stream."""
    sandbox.switches = Switches(effect_delay=5, undefined_traits_dropped=True)
    whole = record("accounts", {"externalId": "whole", "name": "Acme"})
    run, _ = timed(sandbox, mode, [*sent("accounts", "trimmed texts", 5), whole])
    assert "touched" in found(run)
    assert "1 are in Vitally" in found(run)


# What else is found by a value that is stored otherwise


@pytest.mark.parametrize("mode", ["none", *MODES])
def test_a_user_is_found_by_the_email_that_was_sent(sandbox: Sandbox, mode: str) -> None:
    sandbox.switches = Switches(effect_delay=5, emails_lowered=True)
    user = {"externalId": "u", "accountId": "parent", "email": "Ida@Example.com"}
    event = {"messageId": "e", "event": "seen", "timestamp": "2026-01-01T00:00:00Z", "userEmail": "Ida@Example.com"}
    run, waited = timed(sandbox, mode, [record("users", user), record("events", event)])
    assert run.counts("events")["accepted"] == 1, run.log
    assert [one["userId"] for one in sandbox.workspace.events] == ["u"]
    assert waited <= 5 + 2 * MARGIN


@pytest.mark.parametrize("mode", ["none", *MODES])
@pytest.mark.parametrize("is_there", [False, True])
def test_a_row_of_another_workspace_is_compared_as_it_was_translated(
    sandbox: Sandbox, mode: str, is_there: bool
) -> None:
    """Given rows that the source has read elsewhere, whose parents go by the ids of that workspace, all land."""
    sandbox.switches = Switches(effect_delay=5)
    there = "11111111-2222-4333-8444-{:012}".format
    read = {"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}
    if is_there:
        for n in range(3):
            sandbox.workspace.insert("accounts", {"externalId": f"a{n}", "name": "A"})
        sandbox.clock.advance(60)
    messages = [
        record("accounts", {**read, "id": there(n), "externalId": f"a{n}", "name": "A", "traits": {}}) for n in range(3)
    ]
    for n in range(6):
        parents = {"accounts": [{"id": there(n % 3)}], "traits": {}}
        messages.append(record("users", {**read, "id": there(9 + n), "externalId": f"u{n}", "name": "U", **parents}))
    run, waited = timed(sandbox, mode, messages)
    assert run.counts("users")["accepted"] == 6, run.log
    users = [row for row in sandbox.workspace.rows("users") if row["accountIds"]]
    assert len(users) == 6
    assert waited <= 5 + 2 * MARGIN
