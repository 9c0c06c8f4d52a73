"""Rows that others depend on: when those wait, and for what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.poller import (
    PATIENCE_SECONDS,
    Arrival,
)
from unit_tests.destination.builders import change
from unit_tests.destination.rows.asking import START, Asked

# A row that others depend on


def arrival(asked: Asked, name: str = "account", *, is_acted: bool = False, **data: Any) -> tuple[Arrival, list[Any]]:
    """What waits for account `a` or for user `a`, to which a message was taken; and a list of when it is done."""
    coming = asked.known(name, externalId="a").coming
    assert coming
    calls: list[Arrival] = []
    return Arrival(BY_NAME[name], coming, asked.memory, calls.append, is_acted=is_acted), calls


def sent(asked: Asked, time: float | None = START, **more: Any) -> None:
    asked.sent_in_a_batch(change("account", "upsert", {"externalId": "a", "plan": "new", **more}), time=time)


def shown(plan: str = "new", updated: str = "2026-01-01T00:00:01Z", **more: Any) -> dict[str, Any]:
    return {"id": "A", "externalId": "a", "updatedAt": updated, "traits": {"plan": plan}, **more}


BEFORE = "2025-12-31T23:59:59.999Z"


@pytest.mark.parametrize("row", [shown(), shown("old"), shown("old", BEFORE), {"id": "A"}])
def test_who_only_needs_a_row_to_be_there_waits_for_nothing_more(row: dict[str, Any]) -> None:
    """Given a row that is there, whatever it shows, then who needs no more goes; that says nothing of the message, for
    which others may wait."""
    asked = Asked()
    sent(asked)
    one, calls = arrival(asked)
    assert one.sees(row, 1001.0)
    assert calls == [one]
    answer = asked.known("account", externalId="a")
    assert (bool(answer.coming), answer.was_sent) == (True, True)


@pytest.mark.parametrize(
    ("rows", "taken", "has_acted"),
    [
        # Equal at once: only a time that is not older than the message speaks for it.
        ([shown()], START, True),
        ([shown(updated="2026-01-01T00:00:00.000Z")], START + 0.9, True),
        ([shown(updated=BEFORE)], START, False),
        ([shown(updated=BEFORE, createdAt="2026-01-01T00:00:00Z")], START, True),
        ([shown(updated="yesterday")], START, False),
        ([shown(updated=BEFORE)], None, True),
        # Something else
        ([shown("old")], START, False),
        ([shown("old", BEFORE)], None, False),
        ([shown(), shown("old")], START, True),
        # Another value before, or no row: then it has acted, whatever the times say.
        ([shown("old", BEFORE), shown("new", BEFORE)], START, True),
        ([None, shown("new", BEFORE)], START, True),
        ([None, shown("old")], START, False),
        # Stored otherwise
        ([shown("old", BEFORE), shown(" NEW", BEFORE)], START, True),
        ([shown("NEW ")], START, True),
    ],
)
def test_who_needs_a_message_to_have_acted_waits_for_what_only_it_can_have_done(
    rows: list[dict[str, Any] | None], taken: float | None, has_acted: bool
) -> None:
    """Given a write by REST that must not be overtaken by a message to the same row, when the row is looked at again
    and again, then equal values alone prove nothing: they may have been equal before."""
    asked = Asked()
    sent(asked, taken)
    one, calls = arrival(asked, is_acted=True)
    found = False
    for row in rows:
        if row is None:
            one.misses()
        else:
            found = found or one.sees(row, 1001.0)
    assert found is has_acted
    assert bool(calls) is has_acted
    assert (asked.known("account", externalId="a").coming is None) is has_acted


def test_fields_show_a_message_as_well_as_traits() -> None:
    asked = Asked()
    sent(asked, name="Acme")
    one, _ = arrival(asked, is_acted=True)
    assert not one.sees(shown(name="Other"), 1001.0)
    assert one.sees(shown(name="Acme"), 1002.0)


def test_of_a_message_whose_contents_were_forgotten_the_time_alone_speaks() -> None:
    asked = Asked()
    sent(asked)
    asked.memory.store._move_to_memory()
    one, _ = arrival(asked, is_acted=True)
    assert not one.sees(shown("old", BEFORE), 1001.0)
    assert one.sees(shown("old"), 1002.0)


@pytest.mark.parametrize(
    ("row", "problem", "why_not"),
    [
        (
            None,
            "",
            "Vitally took the row with externalId 'a' 600 s ago and has not applied it. Look in Vitally why; the next "
            "sync that has this record writes it",
        ),
        (None, "Vitally does not say", "Vitally does not say"),
        (shown("old"), "", None),
    ],
)
def test_at_the_end_of_the_patience_nobody_waits_any_longer(row: Any, problem: str, why_not: str | None) -> None:
    """Given a row that never arrived, then whoever depends on it gets the reason; one that is there and shows something
    else can be depended on."""
    asked = Asked()
    sent(asked)
    one, calls = arrival(asked)
    asked.clock.wait(PATIENCE_SECONDS)
    one.ends(row, problem)
    answer = asked.known("account", externalId="a")
    assert calls == [one]
    assert answer.coming is None
    assert (str(answer.why_not) if answer.why_not else None) == why_not


EMAIL = "ida@example.com"


@pytest.mark.parametrize(
    "how",
    [
        lambda one: one.ends(None, ""),
        lambda one: one.ends({"id": "A", "externalId": "a", "email": EMAIL}, ""),
        lambda one: one.sees(
            {"id": "A", "externalId": "a", "email": EMAIL.title(), "accounts": [{"id": "X", "externalId": "x"}]}, 1001.0
        ),
    ],
    ids=["it never arrives", "it shows something else", "it was applied, and the email is spelled otherwise"],
)
def test_who_waits_for_a_row_by_another_key_is_let_go_as_well(how: Callable[[Arrival], object]) -> None:
    """Given a message to a user, when it is waited for no longer, then neither is it by their email: a record that
    names them so would wait without end."""
    asked = Asked()
    asked.sent_in_a_batch(change("user", "upsert", {"externalId": "a", "accountId": "x", "email": EMAIL}), time=None)
    one, _ = arrival(asked, "user", is_acted=True)
    how(one)
    assert asked.known("user", externalId="a").coming is None
    assert asked.known("user", email=EMAIL).coming is None


def test_a_list_that_is_read_ends_the_wait_of_a_record() -> None:
    """Given an arrival that the poller looks for, when the row is there, then it is known by all of its keys, and the
    job ends."""
    asked = Asked({"GET /accounts/a": (404, 404, shown())})
    sent(asked)
    one, calls = arrival(asked)
    asked.poller.watch(one)
    asked.poll()
    assert calls == [one]
    assert asked.references.id_of("account", "a") == "A"
