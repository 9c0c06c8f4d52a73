"""What the memory keeps of the rows that it is shown, and of the messages that were taken."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.mapping.change import Change
from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.facts import Answer, Coming, Deleted, Taken
from unit_tests.destination.builders import change
from unit_tests.destination.rows.asking import START, Asked
from unit_tests.destination.scripted import asks

USER = BY_NAME["user"]


def user(**fields: Any) -> Change:
    return asks("user", "update", {"externalId": "u", **fields})


# What is kept of a row

FULL = {
    "id": "1", "externalId": "u", "email": None, "name": "Ida", "joinDate": "2026-01-01", "archivedAt": None,
    "accounts": [{"id": "A", "externalId": "a", "name": "Acme"}, {"id": "B", "name": "B"}], "accountIds": ["A"],
    "traits": {"role": "x", "plan": "y"},
}  # fmt: skip
ALWAYS = {
    "id": "1", "externalId": "u", "email": None, "archivedAt": None,
    "accounts": [{"id": "A", "externalId": "a"}, {"id": "B"}],
}  # fmt: skip


def kept(asked: Asked, name: str = "user", **key: str) -> dict[str, Any]:
    [one] = asked.known(name, **(key or {"externalId": "u"})).rows
    return one.row


@pytest.mark.parametrize(
    ("values", "more"),
    [
        ({}, {"traits": {}}),
        ({"name": "N"}, {"name": "Ida", "traits": {}}),
        ({"role": "z"}, {"traits": {"role": "x"}}),
        ({"name": "N", "plan": "z", "seats": 1}, {"name": "Ida", "traits": {"plan": "y"}}),
        ({"joinDate": "2026-01-01"}, {"joinDate": "2026-01-01", "traits": {}}),
    ],
)
def test_of_a_row_is_kept_what_identifies_it_what_it_belongs_to_and_what_was_asked_for(values: Any, more: Any) -> None:
    asked = Asked()
    asked.memory.keep_values(user(**values))
    asked.shown("user", FULL)
    assert kept(asked) == ALWAYS | more


def test_what_an_update_would_lose_is_kept_and_parents_by_their_ids_where_a_row_has_no_more() -> None:
    asked = Asked()
    asked.shown(
        "task", {"id": "1", "externalId": "t", "tags": ["x"], "source": "zapier", "accountId": "A", "name": "N"}
    )
    assert kept(asked, "task", externalId="t") == {
        "id": "1", "externalId": "t", "tags": ["x"], "source": "zapier", "account": [{"id": "A"}],
    }  # fmt: skip


def test_a_field_that_travels_as_a_trait_is_kept_by_that_name() -> None:
    asked = Asked()
    asked.memory.keep_values(user(joinDate="2026-01-01"))
    asked.shown("user", {"id": "1", "externalId": "u", "traits": {"createdAt": "2026-01-01", "joinDate": "x"}})
    assert kept(asked)["traits"] == {"createdAt": "2026-01-01"}


def test_only_what_was_asked_for_before_a_row_was_shown_can_be_compared() -> None:
    """Given a row that was shown when only some values were to be kept, when others are asked for, then it does not
    have them until it is shown again."""
    asked = Asked()
    first, other, both = user(name="N", role="x"), user(name="N", plan="y"), user(name="N", role="x", plan="y")

    def has() -> list[bool]:
        [one] = asked.known("user", externalId="u").rows
        return [asked.memory.has_values(one, change) for change in (first, other, both)]

    asked.memory.keep_values(first)
    asked.shown("user", FULL)
    assert has() == [True, False, False]
    asked.memory.keep_values(other)
    asked.memory.keep_values(first)
    assert has() == [True, False, False]
    asked.shown("user", FULL)
    assert has() == [True, True, True]


def test_what_was_written_counts_whatever_a_list_shows_afterwards() -> None:
    asked = Asked()
    asked.shown("task", {"id": "1", "externalId": "t", "tags": ["old"], "source": "zapier"})
    asked.written("task", id="1", tags=["new"])
    asked.shown("task", {"id": "1", "externalId": "t", "tags": ["old"]})
    [one] = asked.known("task", externalId="t").rows
    assert one.row == {"id": "1", "externalId": "t", "tags": ["new"], "source": "zapier"}
    assert not asked.memory.has_values(one, asks("task", "update", {"id": "1", "name": "N"}))


def test_what_was_written_over_a_deleted_row_does_not_bring_its_values_back() -> None:
    asked = Asked()
    asked.shown("task", {"id": "1", "externalId": "t", "tags": ["old"], "source": "zapier"})
    asked.memory.note(Deleted(BY_NAME["task"], {"id": "1"}))
    asked.written("task", id="1", externalId="t")
    assert kept(asked, "task", externalId="t") == {"id": "1", "externalId": "t"}


# What is kept of a message


@pytest.mark.parametrize(
    ("sent", "keys", "name"),
    [
        (change("account", "upsert", {"externalId": "a", "id": "A"}), [{"externalId": "a"}, {"id": "A"}], "account"),
        (
            change("user", "upsert", {"externalId": "a", "accountId": "b", "email": "Ada@X.example"}),
            [{"externalId": "a"}, {"email": "ada@x.example"}],
            "user",
        ),
        # A membership is kept in its user.
        (change("membership", "upsert", {"userId": "a", "accountId": "b"}), [{"externalId": "a"}], "user"),
    ],
)
def test_a_message_is_known_by_each_key_of_its_row(sent: Change, keys: list[dict[str, str]], name: str) -> None:
    asked = Asked()
    asked.sent_in_a_batch(sent)
    for key in keys:
        answer = asked.known(name, **key)
        assert answer.coming == Coming("a", START, 1000.0)
        assert answer.was_sent
        assert asked.memory.is_sent(BY_NAME[name], key)
    assert asked.memory.count(BY_NAME[name]) == 1
    assert not asked.memory.is_sent(BY_NAME[name], {"externalId": "other"})


@pytest.mark.parametrize(
    "sent",
    [
        change("event", "create", {"event": "e", "userId": "a", "id": 1}),
        change("account", "update", {"id": "A", "plan": "new"}),
    ],
)
def test_what_no_row_of_yours_shows_is_not_waited_for(sent: Change) -> None:
    asked = Asked()
    asked.sent_in_a_batch(sent)
    assert asked.memory.count(sent.entry) == 0
    assert asked.known(sent.entry.name, id="A") == Answer()


@pytest.mark.parametrize(
    ("sent", "contents", "is_coming", "content"),
    [
        (False, False, False, None),
        (True, False, True, None),
        (True, True, True, ({"externalId": "u", "name": "N"}, {"plan": "p"})),
        (False, True, True, ({"externalId": "u", "name": "N"}, {"plan": "p"})),
    ],
)
def test_of_messages_only_that_is_kept_which_somebody_may_ask_for(
    sent: bool, contents: bool, is_coming: bool, content: Any
) -> None:
    """Given what was said of an object before, when a message is taken, then nothing else of it is on disk; how many
    there were is known in any case."""
    asked = Asked()
    asked.memory.expect(USER, sent=sent, contents=contents)
    asked.memory.note(Taken([user(name="N", plan="p")], START))
    assert bool(asked.known("user", externalId="u").coming) is is_coming
    assert asked.memory.content(USER, "u") == content
    assert asked.memory.count(USER) == 1
    tables = [asked.memory.store.one(f"SELECT count(*) FROM {table}")[0] for table in ("sent", "contents")]
    assert tables == [int(is_coming), int(content is not None)]


def test_what_somebody_asked_for_once_is_not_taken_back_by_another_who_does_not() -> None:
    asked = Asked()
    asked.memory.expect(USER, sent=True, contents=True)
    asked.memory.expect(USER, sent=False, contents=False)
    asked.memory.note(Taken([user(plan="p")], START))
    assert asked.memory.content(USER, "u") == ({"externalId": "u"}, {"plan": "p"})


def test_of_several_messages_to_a_row_the_last_counts() -> None:
    asked = Asked()
    asked.sent_in_a_batch(user(plan="old"))
    asked.clock.wait(3.0)
    asked.sent_in_a_batch(user(plan="new"), time=None)
    assert asked.known("user", externalId="u").coming == Coming("u", None, 1003.0)
    assert asked.memory.content(USER, "u") == ({"externalId": "u"}, {"plan": "new"})
    assert asked.memory.count(USER) == 2
