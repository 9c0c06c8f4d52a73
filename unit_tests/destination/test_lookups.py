"""Looking rows up: what is asked, what an answer or a list proves, and what need not be asked again."""

from __future__ import annotations

from typing import Any

import pytest
from destination_vitally.transports.listing import SINGLES_FIRST

from destination_vitally.errors import RejectedError
from destination_vitally.mapping.mapper import Change
from unit_tests.destination.builders import change
from unit_tests.destination.scripted import INSTANCES, Parts, Script, asks, page

IDA = "ida@example.com"
SEARCH = f"GET {INSTANCES}/search?externalId=x"
NEWEST = "GET /conversations?sortBy=createdAt&limit=100"
A = {"GET /accounts/a": {"id": "A", "externalId": "a"}}
O = {"GET /organizations/o": {"id": "O", "externalId": "o"}}  # noqa: E741
WHEN = "2026-01-01T00:00:00.000Z"


def below(parent: str, what: str) -> str:
    return f"GET /{parent}/{what}?limit=100&sortBy=createdAt"


def note(**fields: Any) -> Change:
    return asks("note", "update", {"externalId": "x", **fields})


def task(**fields: Any) -> Change:
    return asks("task", "update", {"externalId": "x", **fields})


def user(email: str, **fields: Any) -> Change:
    return asks("user", "update", {"email": email, "name": "Ida", **fields})


def instance(**fields: Any) -> Change:
    return asks("custom_object/*", "update", {"externalId": "x", **fields})


CONVERSATION = asks("conversation", "update", {"externalId": "x", "subject": "S"})


def found(parts: Parts, wanted: Change) -> Any:
    """The id of the row that is found, or the words and the status of the rejection."""
    try:
        row = parts.finder.find(wanted, parts.paths(wanted))
    except RejectedError as error:
        return str(error), error.status
    return row and row["id"]


@pytest.mark.parametrize(
    ("wanted", "script", "expected"),
    [
        (asks("account", "create", {"externalId": "a", "name": "N"}), A, "A"),
        # Emails are the same in any case, whether Vitally thinks so or not; more is found by one than is meant.
        (user(IDA), {"GET /users/search?email=ida%40example.com": page({"id": "i", "email": "Ida@Example.com"})}, "i"),
        (
            user("Ida@Example.com"),
            {
                "GET /users/search?email=Ida%40Example.com": page({"id": "o", "email": "ida@example.com.au"}),
                "GET /users/search?email=ida%40example.com": page({"id": "i", "email": IDA}),
            },
            "i",
        ),
        (user(IDA), {"GET /users/search?email=ida%40example.com": page({"id": "o", "email": None})}, None),
        # An externalId is an address only along with the source; else each parent is searched.
        (note(source="zapier"), {"GET /notes/x?source=zapier": {"id": "n"}}, "n"),
        (
            note(source="a/b", accountId="a"),
            {"GET /notes/x?source=a%2Fb": 404, **A, below("accounts/A", "notes"): page({"id": "n", "externalId": "x"})},
            "n",
        ),
        (note(), {}, None),
        *(
            (
                wanted(accountId="a", organizationId="o"),
                {
                    **A, below("accounts/A", f"{what}s"): page(*rows[:1]),
                    **O, below("organizations/O", f"{what}s"): page(*rows[1:]),
                },
                expected,
            )
            for what, wanted in (("note", note), ("task", task))
            for rows, expected in (
                ([{"id": "f", "externalId": "x"}, {"id": "o", "externalId": "y"}], "f"),
                ([{"id": "o", "externalId": "y"}, {"id": "f", "externalId": "x"}], "f"),
                ([{"id": "o", "externalId": "y"}, {"id": "p", "externalId": "z"}], None),
                ([{"id": "o", "externalId": "x", "archivedAt": WHEN}, {"id": "f", "externalId": "x"}], "f"),
            )
        ),
        (
            note(accountId="a"), {**A, below("accounts/A", "notes"): 400},
            ("note 'x': Vitally does not list /accounts/A/notes to its end: No.", 400),
        ),
        (
            asks("message", "delete", {"externalId": "m/1"}),
            {"GET /messages/m%2F1": {"id": "m"}}, "m",
        ),
        (instance(), {SEARCH: [{"id": "y", "externalId": "y"}, {"id": "i", "externalId": "x"}]}, "i"),
        (instance(), {SEARCH: [{"id": "i", "externalId": "x", "archivedAt": WHEN}]}, None),
        *(
            (
                CONVERSATION,
                {
                    "GET /conversations/x": 404,
                    NEWEST: page(*({"id": f"c{n}", "externalId": "x" if n == place else "y"} for n in range(100))),
                },
                f"c{place}",
            )
            for place in (0, 1, 99)
        ),
        (
            CONVERSATION._replace(fields={"externalId": "None", "subject": "S"}),
            {"GET /conversations/None": 404, NEWEST: page({"id": "c", "externalId": None})}, None,
        ),
        # What several rows share tells none of them.
        (
            user(IDA, id=None),
            {"GET /users/search?email=ida%40example.com": page(*({"id": n, "email": IDA} for n in "12"))},
            (
                f"user '{IDA}': 2 rows in Vitally have this email; match by externalId or id, or merge them in "
                "Vitally: 1, 2", None,
            ),
        ),
        (
            instance(), {SEARCH: [{"id": f"{n:02}", "externalId": "x"} for n in range(12)]},
            (
                "custom_object/* 'x': 12 rows in Vitally have this externalId; match by id, or merge them in Vitally: "
                "00, 01, 02, 03, 04, 05, 06, 07, 08, 09", None,
            ),
        ),
    ],
)  # fmt: skip
def test_each_way_to_find_a_row_is_tried_in_turn(wanted: Change, script: Script, expected: Any) -> None:
    parts = Parts(script)
    assert found(parts, wanted) == expected
    assert parts.vitally.asked == [*script]


@pytest.mark.parametrize(
    ("wanted", "request_", "answer"),
    [
        (asks("account", "create", {"externalId": "x", "name": "N"}), "GET /accounts/x", {"id": "1"}),
        (user(IDA), "GET /users/search?email=ida%40example.com", page({"id": "1", "email": IDA})),
        (instance(), SEARCH, [{"id": "1", "externalId": "x"}]),
    ],
)
def test_an_answer_that_is_neither_rows_nor_a_miss_is_asked_for_again(
    wanted: Change, request_: str, answer: Any
) -> None:
    assert found(Parts({request_: ({"odd": 1}, answer)}), wanted) == "1"


# What lists have shown

LISTS = {
    "note": "GET /notes?limit=100&sortBy=createdAt",
    "task": "GET /tasks?limit=100&sortBy=createdAt",
    "user": "GET /users?limit=100&sortBy=createdAt",
    "conversation": "GET /conversations?limit=100&sortBy=createdAt",
    "custom_object/*": f"GET {INSTANCES}?limit=100&sortBy=createdAt",
}


def with_list(wanted: Change, *rows: dict[str, Any]) -> Parts:
    """A workspace of which the list of an object has been read, and whose accounts `a` and `b` have been listed."""
    path = LISTS[wanted.entry.name]
    parts = Parts({path: page(*({"createdAt": WHEN, **row} for row in rows))})
    assert parts.references.lists
    listing = parts.references.lists.of(wanted.entry)
    assert listing
    listing.want(SINGLES_FIRST + 1)
    assert listing.is_complete
    parts.references.saw("account", [{"id": name.upper(), "externalId": name} for name in "ab"])
    parts.references.expect("account", "unlisted")
    parts.vitally.asked.clear()
    return parts


OF_A = {"id": "1", "externalId": "x", "accountId": "A", "source": "Zapier", "archivedAt": None}


@pytest.mark.parametrize(
    ("wanted", "row", "expected", "asked"),
    [
        (user("IDA@Example.com"), {"id": "i", "email": IDA}, "i", []),
        (user("eva@example.com"), {"id": "i", "email": IDA}, None, ["GET /users/search?email=eva%40example.com"]),
        (asks("user", "create", {"externalId": "x", "accountIds": ["a"]}), {"id": "i", "externalId": "x"}, "i", []),
        # External ids tell rows only below the parent, or along with the source, that is meant.
        (note(accountId="a"), OF_A, "1", []),
        (note(accountId="A"), OF_A, "1", []),
        (note(accountId="b"), OF_A, None, []),
        (note(organizationId="a"), OF_A, None, ["GET /organizations/a"]),
        (note(accountId="a"), OF_A | {"archivedAt": WHEN}, None, []),
        (note(source="zapier"), OF_A, "1", []),
        (note(source="ZAPIER", accountId="b"), OF_A, "1", []),
        (note(source="other"), OF_A, None, ["GET /notes/x?source=other"]),
        (note(source="none"), OF_A | {"source": None}, None, ["GET /notes/x?source=none"]),
        (note(), OF_A, None, []),
        (note(accountId="unlisted"), OF_A, None, [below("accounts/unlisted", "notes")]),
        (instance(customerId="a"), {"id": "2", "externalId": "x"}, "2", []),
        (instance(customerId="a"), {"id": "2", "externalId": "X"}, None, []),
        (instance(externalId="X", customerId="a"), {"id": "2", "externalId": "X"}, "2", []),
        (instance(customerId="unlisted"), {"id": "2", "externalId": "y"}, None, [SEARCH]),
        (instance(), {"id": "2", "externalId": "y"}, None, [SEARCH]),
        (CONVERSATION, {"id": "2", "externalId": "x"}, "2", []),
        (CONVERSATION, {"id": "2", "externalId": "y"}, None, []),
    ],
)  # fmt: skip
def test_what_a_whole_list_proves_is_not_asked_for(wanted: Change, row: Any, expected: Any, asked: list[str]) -> None:
    parts = with_list(wanted, row)
    outcome = found(parts, wanted)
    assert (outcome if isinstance(outcome, str) else None) == expected
    assert parts.vitally.asked == asked


def test_a_row_that_was_seen_once_is_known_if_its_key_is_its_address() -> None:
    wanted = asks("account", "create", {"externalId": "a", "name": "N"})
    parts = Parts(A)
    assert [found(parts, wanted) for _ in range(3)] == ["A"] * 3
    assert parts.vitally.asked == [*A]


@pytest.mark.parametrize("wanted", [CONVERSATION, instance()])
def test_else_one_row_does_not_prove_that_it_is_the_only_one(wanted: Change) -> None:
    parts = Parts({"GET /conversations/x": {"id": "1", "externalId": "x"}, SEARCH: [{"id": "1", "externalId": "x"}]})
    assert [found(parts, wanted) for _ in range(2)] == ["1"] * 2
    assert len(parts.vitally.asked) == 2


def test_what_an_update_needs_of_a_row_its_list_may_have_shown() -> None:
    wanted, other = (asks("task", "update", {"id": one, "name": "N"}) for one in ("1", "2"))
    parts = with_list(wanted, OF_A | {"tags": ["t"]})
    shown = parts.finder.shown(wanted)
    assert shown
    assert shown["tags"] == ["t"]
    assert parts.finder.shown(other) is None
    assert Parts().finder.shown(wanted) is None


# What this sync has written


def test_a_row_that_was_made_is_known_by_each_of_its_keys_until_it_is_gone() -> None:
    made = asks("user", "upsert", {"externalId": "u", "email": IDA, "accountIds": ["a"]})
    parts = Parts()
    parts.finder.written(made, parts.paths(made), "new", {"id": "new"}, created=True)
    for wanted in (made, user(IDA.upper())):
        assert parts.finder.find(wanted, parts.paths(wanted)) == {"id": "new"}
    assert parts.vitally.asked == []
    parts.finder.written(made, parts.paths(made), "new", None)
    assert [found(parts, one) for one in (made, user(IDA))] == [None, None]


def test_a_row_that_was_changed_is_looked_for_by_the_same_ways_as_before() -> None:
    parts = Parts()
    parts.finder.written(user(IDA), parts.paths(user(IDA)), "1", {"id": "1"})
    assert found(parts, user(IDA)) is None


@pytest.mark.parametrize("is_listed", [True, False])
@pytest.mark.parametrize(
    ("written", "created", "places"),
    [
        (task(accountId="b"), True, ["b"]),
        (task(accountId="b"), False, ["b"]),
        (note(accountId="b"), True, ["b"]),
        # A note stays where it was made.
        (note(accountId="b"), False, ["a"]),
        (task(), False, ["a"]),
        (task(accountId="a", organizationId="o"), True, ["a", "o"]),
    ],
)
def test_what_is_written_is_found_where_it_is(
    written: Change, created: bool, places: list[str], is_listed: bool
) -> None:
    """By the list of all rows, or by those below the parents."""
    ask = {"task": task, "note": note}[written.entry.name]
    old = [] if created else [OF_A]
    parts = with_list(written, *old) if is_listed else Parts()
    parts.references.saw("account", [{"id": name.upper(), "externalId": name} for name in "ab"])
    parts.references.saw("organization", [{"id": "O", "externalId": "o"}])
    wanted = {"a": ask(accountId="a"), "b": ask(accountId="b"), "o": ask(organizationId="o")}
    if not is_listed:
        parts.vitally.say(below("accounts/A", f"{written.entry.name}s"), page(*old))
        assert [found(parts, one) for one in wanted.values()] == ["1" if old else None, None, None]
    parts.vitally.asked.clear()
    parts.finder.written(written, parts.paths(written), "1", {}, created=created)
    assert [name for name, one in wanted.items() if found(parts, one) == "1"] == places
    parts.finder.written(written, parts.paths(written), "1", None)
    assert not any(found(parts, one) for one in wanted.values())
    assert parts.vitally.asked == []


@pytest.mark.parametrize("how", ["no id", "unclear"])
def test_a_list_is_read_again_when_nobody_knows_what_was_written(how: str) -> None:
    path = below("accounts/A", "notes")
    wanted = note(accountId="a")
    parts = Parts({**A, path: (page(), page({"id": "1", "externalId": "x"}))})
    assert found(parts, wanted) is None
    assert found(parts, wanted) is None
    if how == "no id":
        parts.finder.written(wanted, parts.paths(wanted), None, {}, created=True)
    else:
        parts.finder.forget(parts.paths(wanted))
    assert found(parts, wanted) == "1"
    assert parts.vitally.asked.count(path) == 2


def test_the_parents_of_a_row_that_is_written_are_those_that_it_has_then() -> None:
    made = asks("user", "upsert", {"externalId": "u", "email": IDA, "accountIds": ["a", "b"]})
    parts = with_list(made)
    parts.finder.written(made, parts.paths(made), "1", {}, created=True)
    shown = parts.finder.shown(made)
    assert shown
    assert shown["accounts"] == [{"id": "A"}, {"id": "B"}]


# Rows that are asked for whatever is known


@pytest.mark.parametrize(
    ("wanted", "script", "expected"),
    [
        (task(), {}, None),
        (asks("task", "update", {"id": "t/1"}), {"GET /tasks/t%2F1": {"id": "t/1"}}, "t/1"),
        (asks("task", "update", {"id": "t"}), {"GET /tasks/t": ({"odd": 1}, {"id": "t"})}, "t"),
        (asks("task", "update", {"id": "t"}), {"GET /tasks/t": 404}, None),
        (
            asks("custom_object/*", "update", {"id": "i/1"}), {f"GET {INSTANCES}/search?id=i%2F1": [{"id": "i/1"}]},
            "i/1",
        ),
        (asks("custom_object/*", "update", {"id": "i"}), {f"GET {INSTANCES}/search?id=i": []}, None),
        (instance(), {SEARCH: [{"id": "i", "externalId": "x"}]}, "i"),
        (asks("meeting_participant", "delete", {"id": "p", "meetingId": "m"}), {}, None),
    ],
)  # fmt: skip
def test_a_row_that_was_asked_for_is_known_to_the_next_who_writes_it(
    wanted: Change, script: Script, expected: Any
) -> None:
    parts = Parts(script)
    row = parts.finder.ask(wanted, parts.paths(wanted))
    assert (row and row["id"]) == expected
    asked = len(parts.vitally.asked)
    assert {*parts.vitally.asked} == {*script}
    assert found(parts, wanted) == expected
    assert len(parts.vitally.asked) == asked
    parts.finder.ask(wanted, parts.paths(wanted))
    parts.finder.forget_asked(wanted)
    assert not parts.finder.misses(wanted)


def test_whether_a_row_was_just_missed_is_told_once() -> None:
    wanted = asks("account", "upsert", {"externalId": "a", "name": "N"})
    parts = Parts({"GET /accounts/a": (404, {"id": "A", "externalId": "a"})})
    assert not parts.finder.misses(wanted)
    parts.finder.ask(wanted, parts.paths(wanted))
    assert [parts.finder.misses(wanted) for _ in range(2)] == [True, False]
    parts.finder.ask(wanted, parts.paths(wanted))
    assert not parts.finder.misses(wanted)


def test_for_a_batch_nothing_is_kept_of_what_was_asked() -> None:
    wanted = change("account", "upsert", {"externalId": "a"})
    parts = Parts()
    parts.finder.ask(wanted, parts.paths(wanted))
    assert not parts.finder.misses(wanted)
