"""What batches have brought and may not be there yet: how long it is waited for, and what shows that it is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from destination_vitally.transports.landing import PATIENCE, Landing, Sent

from destination_vitally.api.reply import Reply
from destination_vitally.errors import NotYetError, RejectedError
from destination_vitally.mapping.mapper import Change
from destination_vitally.objects.table import BY_NAME
from integration_tests.harness import QuickClock
from unit_tests.destination.builders import change

ACCOUNT = BY_NAME["account"]
AN_ID = "11111111-1111-4111-8111-111111111111"
TAKEN = 1_790_000_000.0
"""2026-09-21T14:13:20Z."""
TAKEN_AT = Reply(200, {}, "", time=TAKEN)


def account(external_id: str = "a", **more: Any) -> Change:
    return change("account", "upsert", {"externalId": external_id, "plan": "new", **more})


def row_of(name: str = "a", plan: str = "new", updated: str = "2026-09-21T14:13:21Z") -> dict[str, Any]:
    return {"id": AN_ID, "externalId": name, "updatedAt": updated, "traits": {"plan": plan}}


class Rest:
    """The REST API with rows by their paths."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}
        self.asked: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None
        """What happens while it answers."""

    def send(self, method: str, path: str) -> Reply:
        assert method == "GET"
        self.asked.append(path)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        found = self.rows.get(path)
        return Reply(404, {"error": "Not found"}, "") if found is None else Reply(200, found, "")


class Sync:
    """A sync that has sent accounts in batches, at some second of its clock."""

    def __init__(self, *names: str, start: float = 1000.0) -> None:
        self.clock = QuickClock(passes=lambda _: None)
        self.clock.wait(start)
        self.rest = Rest()
        self.landing = Landing(self.rest, self.clock)  # type: ignore[arg-type]
        self.landing.accepted(map(account, names), TAKEN_AT)

    def sent(self, name: str = "a") -> Sent | None:
        return self.landing.sent(("account", "externalId", name))

    def see(self, name: str = "a") -> Any:
        """The plan of the account or None, or the seconds after which to look again."""
        sent = self.sent(name) or Sent(name, TAKEN, 1000.0)
        try:
            row = self.landing.see(account(name), ACCOUNT, sent)
        except NotYetError as error:
            return error.seconds
        return row and row["traits"]["plan"]

    def apply(self, name: str = "a", **more: str) -> None:
        self.rest.rows[f"/accounts/{name}"] = row_of(name, **more)


# What is remembered


@pytest.mark.parametrize(
    ("sent", "identities", "name"),
    [
        (account(id=AN_ID), [("account", "externalId", "a"), ("account", "id", AN_ID)], "account"),
        (
            change("user", "upsert", {"externalId": "a", "accountId": "b", "email": "Ada@X.example"}),
            [("user", "externalId", "a"), ("user", "email", "ada@x.example")],
            "user",
        ),
        (change("membership", "upsert", {"userId": "a", "accountId": "b"}), [("user", "externalId", "a")], "user"),
    ],
)
def test_a_row_is_known_by_each_of_its_keys(sent: Change, identities: list[tuple[str, ...]], name: str) -> None:
    landing = Sync("other").landing
    landing.accepted([sent], TAKEN_AT)
    for identity in identities:
        assert landing.sent(identity) == Sent("a", TAKEN, 1000.0)
        assert landing.was_sent(identity)
    assert landing.count(name) == (2 if name == "account" else 1)
    entry = BY_NAME[name]
    landing.seen(entry, {"externalId": "a", "id": AN_ID, "email": "ada@x.example"})
    for identity in identities:
        assert landing.sent(identity) is None
        assert not landing.was_sent(identity)
    assert landing.sent(("account", "externalId", "other")) is not None


@pytest.mark.parametrize(
    "sent",
    [
        change("event", "create", {"event": "e", "userId": "a", "id": 1}),
        change("account", "update", {"id": AN_ID, "plan": "new"}),
    ],
)
def test_what_no_row_of_yours_shows_is_not_waited_for(sent: Change) -> None:
    landing = Sync().landing
    landing.accepted([sent], TAKEN_AT)
    assert landing.count(sent.entry.name) == 0
    assert not landing.was_sent(("account", "id", AN_ID))


def test_what_was_not_sent_is_not_waited_for() -> None:
    landing = Sync("a").landing
    assert landing.sent(None) is None
    assert landing.sent(("account", "externalId", "b")) is None
    assert landing.count("account") == 1


def test_without_a_rest_key_it_is_remembered_that_rows_were_sent() -> None:
    landing = Landing(None, QuickClock(passes=lambda _: None))
    landing.accepted([account()], TAKEN_AT)
    assert landing.was_sent(("account", "externalId", "a"))


# How long it is waited for


def test_what_is_there_is_seen_at_once_and_waited_for_no_longer() -> None:
    sync = Sync("a")
    sync.apply()
    assert sync.see() == "new"
    assert sync.sent() is None
    assert sync.rest.asked == ["/accounts/a"]


def test_what_was_seen_lets_the_others_be_asked_for_at_once() -> None:
    sync = Sync("a", "b", start=0.0)
    for name in "ab":
        sync.apply(name)
    assert [sync.see("a"), sync.see("b")] == ["new", "new"]


def test_waits_grow_and_what_comes_meanwhile_is_asked_for_after_them() -> None:
    sync = Sync("a", "b")
    waits = []
    for _ in range(8):
        waits.append(sync.see())
        sync.clock.wait(waits[-1])
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
    assert sync.see("b") == 30
    asked = len(sync.rest.asked)
    sync.clock.wait(29.75)
    assert [sync.see("a"), sync.see("b")] == [0.25, 0.25]
    assert len(sync.rest.asked) == asked, "all rows share one wait"

    sync.clock.wait(0.25)
    sync.apply("b")
    assert [sync.see("b"), sync.see("a")] == ["new", 1], "it begins anew when one has come"


def test_a_wait_begins_when_the_answer_came() -> None:
    sync = Sync("a")
    sync.rest.meanwhile = lambda: sync.clock.wait(5.0)
    assert sync.see() == 1
    sync.clock.wait(0.75)
    assert sync.see() == 0.25


@pytest.mark.parametrize(("lasts", "left"), [(0.0, 1.0), (0.25, 0.75), (5.0, 0.0)])
def test_of_two_that_ask_at_once_one_makes_the_wait_longer(lasts: float, left: float) -> None:
    sync = Sync("a", "b")
    seen = []

    def meanwhile() -> None:
        seen.append(sync.see("b"))
        sync.clock.wait(lasts)

    sync.rest.meanwhile = meanwhile
    assert sync.see("a") == left
    assert seen == [1]
    sync.clock.wait(1.0)
    assert sync.see("a") == 2


@pytest.mark.parametrize(
    ("passed", "seen"), [(PATIENCE - 1, 1), (PATIENCE - 0.5, 0.5), (PATIENCE, None), (PATIENCE + 1, None)]
)
def test_the_patience_ends(passed: float, seen: float | None) -> None:
    sync = Sync("a")
    sync.clock.wait(passed)
    assert sync.see() == seen


def test_what_has_no_time_left_is_asked_for_although_others_wait() -> None:
    sync = Sync("a")
    sync.clock.wait(PATIENCE - 0.25)
    sync.landing.accepted([account("b")], TAKEN_AT)
    assert sync.see("b") == 1
    assert sync.see("a") == 0.25, "no longer than the patience"
    assert sync.rest.asked == ["/accounts/b"]
    sync.clock.wait(0.25)
    sync.apply(plan="old")
    assert sync.see("a") == "old", "what there is when the patience ends"
    assert sync.see("b") == 0.75


@pytest.mark.parametrize(("passed", "is_over"), [(PATIENCE - 1, False), (PATIENCE, False), (PATIENCE + 0.25, True)])
def test_after_its_patience_a_message_is_over(passed: float, is_over: bool) -> None:
    sync = Sync("a")
    sent = sync.sent()
    assert sent
    sync.clock.wait(passed)
    assert sync.landing.is_over(sent) is is_over
    assert (sync.sent() is None) is is_over
    assert sync.landing.was_sent(("account", "externalId", "a"))
    assert sync.landing.missing(sent) == (
        f"Vitally took the row with externalId 'a' {passed:.0f} s ago and has not applied it. "
        "Look in Vitally why; the next sync that has this record writes it"
    )


# What shows that it is there


@pytest.mark.parametrize(
    ("row", "taken", "is_there"),
    [
        ({"plan": "old"}, TAKEN, False),
        ({"plan": "new", "updated": "2026-09-21T14:13:21.000Z"}, TAKEN, True),
        ({"plan": "new", "updated": "2026-09-21T14:13:20.999Z"}, TAKEN, True),
        ({"plan": "new", "updated": "2026-09-21T14:13:20.000Z"}, TAKEN + 0.9, True),
        ({"plan": "new", "updated": "2026-09-21T14:13:19.999Z"}, TAKEN, False),
        ({"plan": "new", "updated": "2026-09-21T14:13:19.999Z"}, None, True),
        ({"plan": "old", "updated": "2026-09-21T14:13:19.999Z"}, None, False),
        ({"plan": "new", "updated": "yesterday"}, TAKEN, True),
    ],
)
def test_a_row_shows_a_message_when_it_says_the_same_and_is_not_older(
    row: dict[str, str], taken: float | None, is_there: bool
) -> None:
    sync = Sync()
    sync.landing.accepted([account()], Reply(200, {}, "", time=taken))
    sync.apply(**row)
    assert sync.see() == ("new" if is_there else 1)


def test_fields_tell_as_well_as_traits() -> None:
    sync = Sync()
    sync.landing.accepted([account(name="Acme")], TAKEN_AT)
    sync.rest.rows["/accounts/a"] = {**row_of(), "name": "Other"}
    assert sync.see() == 1


def test_of_messages_long_ago_it_is_not_remembered_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("destination_vitally.transports.landing.SAID", 1)
    sync = Sync()
    for name in "abc":
        sync.landing.accepted([account(name)], TAKEN_AT)
        sync.apply(name, plan="old")
    assert sync.see("a") == "old"
    assert sync.see("c") == 1


def instance(name: str) -> Change:
    return change("custom_object/*", "upsert", {"externalId": name, "customerId": "a", "plan": "new"})


@pytest.mark.parametrize("named", ["a b/c", "a"])
def test_rows_are_found_by_the_path_or_the_search_of_their_object(named: str) -> None:
    quoted = named.replace(" ", "%20").replace("/", "%2F")
    sync = Sync(named)
    sync.rest.rows[f"/accounts/{quoted}"] = row_of(named)
    assert sync.see(named) == "new"

    sent, entry = instance(named), instance(named).entry
    sync.landing.accepted([sent], TAKEN_AT)
    sync.rest.rows[f"/search?externalId={quoted}"] = [row_of("other", "old"), row_of(named)]
    row = sync.landing.see(sent, entry, Sent(named, TAKEN, 1000.0))
    assert row == row_of(named)
    sync.rest.rows[f"/search?externalId={quoted}"] = [row_of("other")]
    with pytest.raises(NotYetError):
        sync.landing.see(sent, entry, Sent(named, TAKEN, 1000.0))


@pytest.mark.parametrize(("asked", "path"), [(account(), "/accounts/a"), (instance("a"), "/search?externalId=a")])
def test_an_answer_that_tells_nothing_rejects_the_record_that_depends_on_it(asked: Change, path: str) -> None:
    sync = Sync()
    sync.rest.rows[path] = "what"
    with pytest.raises(RejectedError, match=rf"{re.escape(asked.label)}: Vitally does not say whether it is there"):
        sync.landing.see(asked, asked.entry, Sent("a", TAKEN, 1000.0))
