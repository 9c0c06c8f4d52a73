"""Which records wait, for which row, and what lets them go."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.errors import NotYetError, RejectedError
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.objects.table import BY_NAME
from destination_vitally.outcomes.ledger import PendingRecord, Segment
from destination_vitally.rows.facts import Missed, Shown, Taken, Written
from destination_vitally.rows.poller import PATIENCE_SECONDS
from destination_vitally.sync.waiting import Waiting
from unit_tests.destination.builders import change, configured, plans, settings
from unit_tests.destination.scripted import Parts

ACCOUNT = BY_NAME["account"]
ROW = {"id": "A", "externalId": "a", "name": "N", "createdAt": "2026-01-01T00:00:05.000Z"}
ALL = 1_000_000


class Sync:
    """The streams of a sync, and what waits in it."""

    def __init__(self, script: dict[str, Any] | None = None, **chosen: Any) -> None:
        """`chosen` are settings; each stream of a mapping in them is one of the sync."""
        self.parts = Parts(script)
        names = dict.fromkeys(["accounts", "users", *(one["stream"] for one in chosen.get("mappings", []))])
        streams = plans(settings(**chosen), *map(configured, names)).values()
        self.plans: dict[str, StreamPlan] = {plan.name: plan for plan in streams}
        self.waiting = Waiting(self.plans.values(), self.parts.rows)
        self._numbers = 0

    def hold(self, key: str = "a", *, is_acted: bool = False) -> None:
        """Let a user wait for an account."""
        self._numbers += 1
        row = PendingRecord(self.plans["users"], Segment(), b"", self._numbers)
        self.waiting.hold(row, NotYetError(ACCOUNT, key, is_acted=is_acted), [("/users", "externalId", f"u{key}")])

    def send(self) -> None:
        """Let an account have been sent in a batch."""
        self.parts.sent_in_a_batch(change("account", "upsert", {"externalId": "a", "name": "N"}))

    def ready(self) -> list[int]:
        """The numbers of those that may go."""
        return [row.number for row in self.waiting.held.take(ALL, ALL)]


@pytest.mark.parametrize(
    ("fact", "goes"),
    [
        (Shown(ACCOUNT, [ROW]), True),
        (Shown(ACCOUNT, [ROW | {"externalId": "b"}]), False),
        (Written(ACCOUNT, ROW, is_new=True), True),
        (Taken([change("account", "upsert", {"externalId": "a", "name": "N"})], None), True),
        (Missed(ACCOUNT, ("account", "externalId", "a"), RejectedError("why")), True),
        (Missed(ACCOUNT, ("account", "externalId", "a")), False),
    ],
)
def test_whatever_is_known_of_the_row_lets_go_what_waits_for_it(fact: Any, goes: bool) -> None:
    """Given a record that waits for a row, when a fact is noted that answers for it, then it is decided anew."""
    sync = Sync()
    sync.parts.memory.expect(ACCOUNT, sent=True, contents=False)
    sync.hold()
    assert sync.ready() == []
    sync.parts.memory.note(fact)
    assert sync.ready() == ([1] if goes else [])


def test_what_has_become_known_meanwhile_does_not_hold_a_record() -> None:
    """Given a row that was shown after a record was decided and before it is held, then the record goes at once."""
    sync = Sync()
    sync.parts.memory.note(Shown(ACCOUNT, [ROW]))
    sync.hold()
    sync.hold("b")
    assert sync.ready() == [1]


def test_all_that_wait_for_a_row_share_one_look_at_it() -> None:
    sync = Sync(script={"GET /accounts/a": (404, 404, ROW)})
    sync.send()
    for _ in range(5):
        sync.hold()
    assert sync.waiting.is_waiting
    assert sync.ready() == []
    sync.parts.poll()
    assert sync.ready() == [1, 2, 3, 4, 5]
    assert sync.parts.vitally.asked == ["GET /accounts/a"] * 3
    assert not sync.waiting.is_waiting


def test_who_needs_the_message_to_have_acted_waits_longer_than_who_needs_the_row() -> None:
    """Given a row that was there before the message, then who needs the row goes at once. The other waits for the new
    value: a row that is shown lets both go, but the message is still on its way, so this one waits again."""
    old = ROW | {"name": "Old", "createdAt": "2025-01-01T00:00:00.000Z"}
    sync = Sync(script={"GET /accounts/a": (old, old, ROW)})
    sync.send()
    sync.hold()
    sync.hold(is_acted=True)
    [job] = sync.parts.jobs
    looks: list[list[str]] = []
    pause: float | None = 0.0
    while pause is not None:
        sync.parts.clock.wait(pause)
        pause = job()
        is_coming = bool(sync.parts.memory.ask(ACCOUNT, ("account", "externalId", "a")).coming)
        ready = ["row" if number == 1 else "value" for number in sync.ready()]
        looks.append([one for one in ready if one == "row" or not is_coming])
        if is_coming and "value" in ready:
            sync.hold(is_acted=True)
    assert [one for one in looks if one] == [["row"], ["value"]]
    assert not sync.waiting.is_waiting


@pytest.mark.parametrize("is_acted", [False, True])
def test_what_never_lands_lets_go_what_waits_for_it_when_the_patience_ends(is_acted: bool) -> None:
    sync = Sync()
    sync.send()
    sync.hold(is_acted=is_acted)
    sync.parts.poll()
    assert sync.parts.clock.monotonic() >= PATIENCE_SECONDS
    assert sync.ready() == [1]
    answer = sync.parts.memory.ask(ACCOUNT, ("account", "externalId", "a"))
    assert "has not applied it" in str(answer.why_not)


# Streams


@pytest.mark.parametrize(
    ("ended", "goes"),
    [(["accounts"], False), (["accounts", "accounts"], False), (["accounts", "more"], True), (["users"], False)],
)
def test_what_waits_for_rows_that_may_come_waits_until_their_streams_have_ended(ended: list[str], goes: bool) -> None:
    """Given two streams of an object, then both must have ended; each may be told to have ended more than once."""
    sync = Sync(mappings=[{"stream": "more", "object": "account", "other_columns": "traits"}])
    sync.hold()
    for name in ended:
        sync.waiting.end(sync.plans[name])
    assert sync.ready() == ([1] if goes else [])


def test_what_waits_for_a_stream_that_was_cut_short_stays() -> None:
    sync = Sync()
    sync.hold()
    sync.waiting.cut_short(sync.plans["accounts"])
    sync.waiting.end_all(sync.plans.values())
    assert sync.ready() == []


def test_a_stream_that_only_updates_or_deletes_brings_no_rows() -> None:
    mappings = [{"stream": "accounts", "object": "account", "operation": "update", "other_columns": "traits"}]
    may_come = Sync(mappings=mappings).parts.references.may_come
    assert not may_come("account", "a")
    assert may_come("user", "u")


def test_a_row_may_come_until_it_was_sent_or_its_stream_has_ended() -> None:
    sync = Sync()
    may_come = sync.parts.references.may_come
    assert may_come("account", "a")
    sync.send()
    assert not may_come("account", "a")
    assert may_come("account", "b")
    sync.waiting.end(sync.plans["accounts"])
    assert not may_come("account", "b")


def test_a_row_whose_record_waits_may_come_after_its_stream_has_ended() -> None:
    """By the lanes of the record: an email in any case is one of them."""
    sync = Sync()
    lanes = [("/users", "externalId", "u"), ("/users", "email", "ida@example.com")]
    row = PendingRecord(sync.plans["users"], Segment(), b"", 1)
    sync.waiting.hold(row, NotYetError(ACCOUNT, "a"), lanes)
    sync.waiting.end(sync.plans["users"])
    may_come = sync.parts.references.may_come
    assert may_come("user", "u")
    assert may_come("user", "Ida@Example.com", "email")
    assert not may_come("user", "other")


def test_that_rows_wait_on_disk_is_logged_once_per_stream_and_object(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "airbyte")
    sync = Sync()
    for key in "abc":
        sync.hold(key)
    assert [entry.getMessage() for entry in caplog.records if "wait on disk" in entry.getMessage()] == [
        "Stream users: rows that name accounts which have not come yet wait on disk until those come or their stream "
        "ends, and so do the states that cover such rows. To avoid it, let the stream of the accounts come first."
    ]
