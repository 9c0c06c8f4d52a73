"""What several lines, files and syncs say of one row is joined, whatever order they come in."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from destination_vitally.errors import ConfigError
from destination_vitally.journal.lines import Intent, Outcome
from destination_vitally.objects.table import BY_NAME
from destination_vitally.undo.reading import Entry, Place
from destination_vitally.undo.rows import Past, Row, rows_of
from unit_tests.destination.undo.journals import intent, link, outcome, value

Lines = list[tuple[int, Intent | Outcome]]
"""Each with the number of its sync; a later one began later."""


def joined(lines: Lines) -> list[Row]:
    entries = [Entry(Place(f"2026-01-0{sync}", 1, 0, said.seq), said, "a file") for sync, said in lines]
    return rows_of(lambda: iter(entries), BY_NAME.__getitem__)


def every_order(lines: Lines) -> list[Row]:
    """Return the rows, which are the same whatever order the lines come in, and if they come twice."""
    found = joined(lines)
    for others in permutations(lines):
        assert joined([*others]) == found
    assert joined(lines * 2) == found
    return found


def the_row(lines: Lines) -> Row:
    [row] = every_order(lines)
    return row


def said_of(past: Past) -> tuple[Any, ...]:
    return past.known, past.before, past.sent, past.seen


def test_the_first_before_and_the_last_sent_count() -> None:
    row = the_row(
        [
            (1, intent(1, value("name", "a", "b"), value("traits.x", 1, 2))),
            (1, intent(2, value("name", "b", "c"))),
            (2, intent(1, value("name", "c", "d"), value("traits.y", None, 3, known=False))),
            (2, outcome(1, seen={"name": "D", "other": 1})),
        ]
    )
    assert {name: said_of(past) for name, past in row.values.items()} == {
        "name": (True, "a", "d", ["D"]),
        "traits.x": (True, 1, 2, []),
        "traits.y": (False, None, 3, []),
    }


def test_what_was_seen_of_an_earlier_value_says_nothing_of_a_later_one() -> None:
    lines: Lines = [
        (1, intent(1, value("name", "a", "b"))),
        (1, outcome(1, seen={"name": "B"})),
        (1, intent(2, value("name", "b", "c"))),
    ]
    assert the_row(lines).values["name"].seen == []


def test_an_outcome_is_added_to() -> None:
    """Given two outcomes of an intent, when they are joined, what each of them says is known."""
    lines: Lines = [
        (1, intent(1, value())),
        (1, outcome(1, id="A")),
        (1, outcome(1, landed_at="2026-01-01", seen={"name": None})),
    ]
    row = the_row(lines)
    assert (row.id, row.values["name"].seen) == ("A", [None])


SENT = [
    ({"said": "accepted"}, True),
    ({"said": "superseded"}, True),
    ({"said": "waiting"}, False),
    ({"said": "unchanged"}, False),
    ({"said": "skipped"}, False),
    ({"said": "rejected", "status": 400}, False),
    ({"said": "rejected", "status": 499}, False),
    ({"said": "rejected", "status": 500}, True),
    ({"said": "rejected", "status": 0}, True),
    ({"said": "rejected"}, True),
    ({"said": "of another version"}, True),
]


@pytest.mark.parametrize(("end", "is_sent"), SENT)
def test_which_intents_count_as_sent(end: dict[str, Any], is_sent: bool) -> None:
    assert bool(joined([(1, intent(1, value())), (1, outcome(1, **end))])) is is_sent
    in_batch = (1, intent(1, value(), route="batch"))
    assert bool(joined([in_batch, (1, outcome(1, **end))])) is (is_sent or end["said"] == "rejected")


@pytest.mark.parametrize("other", [{"said": "waiting"}, {"said": "rejected", "status": 400}])
def test_what_was_sent_by_any_outcome_is_sent(other: dict[str, Any]) -> None:
    lines: Lines = [(1, intent(1, value())), (1, outcome(1, **other)), (1, outcome(1, "accepted"))]
    assert len(every_order(lines)) == 1


def test_outcomes_are_of_their_own_sync() -> None:
    assert [row.first.place.seq for row in joined([(1, outcome(1, "skipped")), (2, intent(1))])] == [1]


@pytest.mark.parametrize(
    ("operation", "existed", "effect", "is_created"),
    [
        ("create", False, None, True),
        ("upsert", False, None, True),
        ("upsert", False, "created", True),
        ("upsert", None, "created", True),
        ("upsert", False, "updated", False),
        ("upsert", None, None, False),
        ("create", None, None, False),
        ("upsert", True, None, False),
        ("upsert", None, "created or updated", False),
        ("update", False, None, False),
        ("delete", False, None, False),
    ],
)
def test_which_rows_were_created(operation: str, existed: bool | None, effect: str | None, is_created: bool) -> None:
    lines: Lines = [(1, intent(1, operation=operation, existed=existed)), (1, outcome(1, effect=effect))]
    assert the_row(lines).first.is_created is is_created


def test_a_row_that_was_there_first_was_not_created() -> None:
    lines: Lines = [
        (1, intent(1, operation="update", id="A")),
        (2, intent(1, operation="delete", id="A", row={"id": "A"})),
        (3, intent(1, operation="upsert", id="A", existed=False)),
    ]
    row = the_row(lines)
    assert (row.first.is_created, row.last.is_deleted) == (False, False)
    row = the_row(lines[:2])
    assert (row.last.is_deleted, row.last.row) == (True, {"id": "A"})
    assert the_row(lines[1:]).first.is_created is False


def test_a_row_of_which_one_line_knows_the_key_alone_is_the_same() -> None:
    lines: Lines = [
        (1, intent(1, value("name", "a", "b"))),
        (2, intent(1, value("name", "b", "c"))),
        (2, outcome(1, id="A")),
    ]
    row = the_row(lines)
    assert (row.id, row.key, said_of(row.values["name"])) == ("A", {"externalId": "acme"}, (True, "a", "c", []))


def test_a_key_that_two_rows_had_is_neither_of_them() -> None:
    """Given a row that was deleted, and made anew under another id, a line that knows the key alone joins neither."""
    lines: Lines = [(1, intent(1, id="A")), (2, intent(1, id="B")), (3, intent(1))]
    assert [row.id for row in every_order(lines)] == ["A", "B", None]


@pytest.mark.parametrize("key", [{}, {"externalId": ""}, {"else": "x"}])
def test_rows_of_which_nothing_is_known_are_each_its_own(key: dict[str, str]) -> None:
    assert len(every_order([(1, intent(1, key=key)), (1, intent(2, key=key))])) == 2


def test_rows_of_other_objects_are_others() -> None:
    assert len(every_order([(1, intent(1, id="A")), (1, intent(2, id="A", object="organization"))])) == 2


def test_a_membership_is_a_link_of_its_user() -> None:
    key = {"userId": "u", "accountId": "a"}
    lines: Lines = [
        (1, intent(1, object="user", key={"externalId": "u"}, id="U", links=[link("A", was=False)])),
        (2, intent(1, object="membership", operation="delete", key=key, links=[link("A", was=True)])),
    ]
    row = the_row(lines)
    [tie] = row.links.values()
    assert (row.entry.name, row.id, tie.was, tie.is_linked) == ("user", "U", False, False)
    assert not row.last.is_deleted


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"values": [value("../name")]}, "../name"),
        ({"values": [value("x" * 1000)]}, "x" * 100),
        ({"links": [link()]}, "accountIds"),
        ({"object": "user", "links": [link().model_copy(update={"name": "email"})]}, "email"),
    ],
)
def test_a_name_that_the_object_has_not_is_refused(more: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match="a file names a field") as caught:
        joined([(1, intent(1, **more))])
    assert named in str(caught.value.message)
    assert len(str(caught.value.message)) < 400


def test_a_trait_may_have_any_name() -> None:
    assert [*the_row([(1, intent(1, value("traits.../a b")))]).values] == ["traits.../a b"]


OF_USER: dict[str, Any] = {"object": "user", "key": {"externalId": "u"}, "id": "U"}


@pytest.mark.parametrize("known", [("A", "a"), ("A", None)])
def test_a_link_is_one_whether_vitallys_id_of_it_is_known_or_not(known: tuple[str, str | None]) -> None:
    """Given a link that was made by an id, and one that was ended by both or by yours alone."""
    lines: Lines = [
        (1, intent(1, **OF_USER, links=[link("A", "a", was=False)])),
        (2, intent(1, **OF_USER, operation="delete", links=[link(None, "a", was=True)])),
        (3, intent(1, **OF_USER, links=[link(*known, was=False), link("B", "b", was=True)])),
    ]
    row = the_row(lines)
    assert {name: (tie.was, tie.is_linked) for name, tie in row.links.items()} == {
        ("accountIds", "A"): (False, True),
        ("accountIds", "B"): (True, True),
    }


def test_rows_with_the_same_id_of_yours_and_other_ids_of_vitallys_are_two_links() -> None:
    lines: Lines = [(1, intent(1, **OF_USER, links=[link("A", "a"), link("B", "a"), link(None, None)]))]
    assert {name for name in the_row(lines).links} == {("accountIds", "A"), ("accountIds", "B"), ("accountIds", None)}


@pytest.mark.parametrize(
    ("route", "taken_at", "landed_at", "since"),
    [
        ("batch", "2026-01-01T00:00:00Z", None, "2026-01-01T00:00:00Z"),
        ("batch", "2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z", ""),
        ("rest", "2026-01-01T00:00:00Z", None, ""),
        ("batch", None, None, ""),
    ],
)
def test_a_message_that_nobody_has_seen_to_land(
    route: str, taken_at: str | None, landed_at: str | None, since: str
) -> None:
    lines: Lines = [
        (1, intent(1, value(), route=route)),
        (1, outcome(1, taken_at=taken_at)),
        (1, outcome(1, landed_at=landed_at)),
    ]
    assert the_row(lines).unseen_since == since


@pytest.mark.parametrize(
    ("existed", "before", "after", "is_created"),
    [
        (True, "A", "B", True),  # a sync has deleted A, and then created B of the same key
        (True, "A", "A", False),
        (True, None, "B", False),
        (None, None, "B", True),
        (False, None, None, True),
    ],
)
def test_a_row_is_created_where_vitally_says_so(
    existed: bool | None, before: str | None, after: str | None, is_created: bool
) -> None:
    lines: Lines = [
        (1, intent(1, value(), operation="upsert", existed=existed, id=before)),
        (1, outcome(1, effect="created", id=after)),
    ]
    assert the_row(lines).first.is_created is is_created
