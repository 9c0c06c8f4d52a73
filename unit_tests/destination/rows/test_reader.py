"""Looking rows up: what is asked, what an answer or a list proves, and what need not be asked again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from destination_vitally.mapping.change import Change
from destination_vitally.objects.model import Object
from destination_vitally.rows.facts import Sending, Written
from destination_vitally.rows.lists import FRESH_SECONDS, SINGLES_FIRST
from unit_tests.destination.rows.asking import Asked, ids, instance, known, outcome, task, user
from unit_tests.destination.scripted import INSTANCES, Script, asks, page

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


CONVERSATION = asks("conversation", "update", {"externalId": "x", "subject": "S"})


def look(asked: Asked, wanted: Change) -> Any:
    """Vitally's ids of the rows that are found; else the words and the status of the rejection."""
    return outcome(lambda: ids(asked.reader.look(wanted, asked.paths(wanted))))


@pytest.mark.parametrize(
    ("wanted", "script", "expected"),
    [
        (asks("account", "create", {"externalId": "a", "name": "N"}), A, ["A"]),
        # Emails are the same in any case, whether Vitally thinks so or not; more is found by one than is meant.
        (user(IDA), {"GET /users/search?email=ida%40example.com": page({"id": "i", "email": IDA.title()})}, ["i"]),
        (
            user("Ida@Example.com"),
            {
                "GET /users/search?email=Ida%40Example.com": page({"id": "o", "email": "ida@example.com.au"}),
                "GET /users/search?email=ida%40example.com": page({"id": "i", "email": IDA}),
            },
            ["i"],
        ),
        (user(IDA), {"GET /users/search?email=ida%40example.com": page({"id": "o", "email": None})}, []),
        # An externalId is an address only along with the source; else each parent is searched.
        (note(source="zapier"), {"GET /notes/x?source=zapier": {"id": "n", "externalId": "x"}}, ["n"]),
        # The old id of a merged row leads to another, which is not the one that is meant.
        (note(source="zapier"), {"GET /notes/x?source=zapier": {"id": "n", "externalId": "y"}}, []),
        (
            asks("account", "create", {"externalId": "a", "name": "N"}),
            {"GET /accounts/a": {"id": "S", "externalId": "s"}}, [],
        ),
        (
            note(source="a/b", accountId="a"),
            {"GET /notes/x?source=a%2Fb": 404, **A, below("accounts/A", "notes"): page({"id": "n", "externalId": "x"})},
            ["n"],
        ),
        (note(), {}, []),
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
                ([{"id": "f", "externalId": "x"}, {"id": "o", "externalId": "y"}], ["f"]),
                ([{"id": "o", "externalId": "y"}, {"id": "f", "externalId": "x"}], ["f"]),
                ([{"id": "o", "externalId": "y"}, {"id": "p", "externalId": "z"}], []),
                ([{"id": "o", "externalId": "x", "archivedAt": WHEN}, {"id": "f", "externalId": "x"}], ["o", "f"]),
            )
        ),
        (
            note(accountId="a"), {**A, below("accounts/A", "notes"): 400},
            ("note 'x': Vitally does not list /accounts/A/notes to its end: No.", 400),
        ),
        (
            asks("message", "delete", {"externalId": "m/1"}),
            {"GET /messages/m%2F1": {"id": "m", "externalId": "m/1"}}, ["m"],
        ),
        (instance(), {SEARCH: [{"id": "y", "externalId": "y"}, {"id": "i", "externalId": "x"}]}, ["i"]),
        (instance(), {SEARCH: [{"id": "i", "externalId": "x", "archivedAt": WHEN}]}, ["i"]),
        *(
            (
                CONVERSATION,
                {
                    "GET /conversations/x": 404,
                    NEWEST: page(*({"id": f"c{n}", "externalId": "x" if n == place else "y"} for n in range(100))),
                },
                [f"c{place}"],
            )
            for place in (0, 1, 99)
        ),
        (
            CONVERSATION._replace(fields={"externalId": "None", "subject": "S"}),
            {"GET /conversations/None": 404, NEWEST: page({"id": "c", "externalId": None})}, [],
        ),
        # What several rows share says of none of them that it is meant.
        (
            user(IDA, id=None),
            {"GET /users/search?email=ida%40example.com": page(*({"id": n, "email": IDA} for n in "12"))}, ["1", "2"],
        ),
        (instance(), {SEARCH: [{"id": f"{n}", "externalId": "x"} for n in range(3)]}, ["0", "1", "2"]),
    ],
)  # fmt: skip
def test_each_way_to_find_a_row_is_tried_in_turn(wanted: Change, script: Script, expected: Any) -> None:
    asked = Asked(script)
    assert look(asked, wanted) == expected
    assert asked.asked == [*script]


@pytest.mark.parametrize(
    ("wanted", "request_", "answer"),
    [
        (
            asks("account", "create", {"externalId": "x", "name": "N"}),
            "GET /accounts/x",
            {"id": "1", "externalId": "x"},
        ),
        (user(IDA), "GET /users/search?email=ida%40example.com", page({"id": "1", "email": IDA})),
        (instance(), SEARCH, [{"id": "1", "externalId": "x"}]),
    ],
)
def test_an_answer_that_is_neither_rows_nor_a_miss_is_asked_for_again(
    wanted: Change, request_: str, answer: Any
) -> None:
    assert look(Asked({request_: ({"odd": 1}, answer)}), wanted) == ["1"]


@pytest.mark.parametrize(
    ("wanted", "script", "expected"),
    [
        (asks("task", "update", {"id": "t/1"}), {"GET /tasks/t%2F1": {"id": "t/1"}}, ["t/1"]),
        (asks("task", "update", {"id": "t"}), {"GET /tasks/t": ({"odd": 1}, {"id": "t"})}, ["t"]),
        (asks("task", "update", {"id": "t"}), {"GET /tasks/t": 404}, []),
        (
            asks("custom_object/*", "update", {"id": "i/1"}), {f"GET {INSTANCES}/search?id=i%2F1": [{"id": "i/1"}]},
            ["i/1"],
        ),
        (asks("custom_object/*", "update", {"id": "i"}), {f"GET {INSTANCES}/search?id=i": []}, []),
        # Participants are read nowhere.
        (asks("meeting_participant", "delete", {"id": "p", "meetingId": "m"}), {}, []),
    ],
)  # fmt: skip
def test_by_vitallys_id_a_row_is_read_where_its_object_is_read(wanted: Change, script: Script, expected: Any) -> None:
    asked = Asked(script)
    assert look(asked, wanted) == expected
    assert {*asked.asked} == {*script}


# What was found


@pytest.mark.parametrize(
    ("rows", "absent"),
    [([], 1000.0), ([{"id": "i", "externalId": "x", "archivedAt": WHEN}], 1000.0), ([{"id": "i"}], None)],
)
def test_what_is_looked_for_and_not_found_or_archived_is_absent_as_of_now(rows: Any, absent: float | None) -> None:
    rows = [{"externalId": "x", **row} for row in rows]
    asked = Asked({SEARCH: rows})
    answer = asked.reader.look(instance(), asked.paths(instance()))
    assert (ids(answer), answer.absent) == ([row["id"] for row in rows], absent)


def test_what_was_found_or_missed_is_known_to_all() -> None:
    asked = Asked({"GET /accounts/a": ({"id": "A", "externalId": "a"}, 404)})
    wanted = asks("account", "create", {"externalId": "a", "name": "N"})
    assert look(asked, wanted) == ["A"]
    assert asked.references.is_there("account", "a")
    assert look(asked, wanted) == []
    assert not asked.references.is_there("account", "a")
    assert asked.known("account", externalId="a").absent == 1000.0


def test_of_a_row_that_this_sync_has_written_its_own_values_count() -> None:
    """Given a search that shows a row as it was before this sync wrote it, then what was written is what is known."""
    asked = Asked({SEARCH: [{"id": "i", "externalId": "x", "customer": {"id": "OLD"}}]})
    asked.memory.note(Sending(instance()))
    from_before = asked.reader.look(instance(), asked.paths(instance()))
    assert [one.row["customer"] for one in from_before.rows] == [{"id": "OLD"}]
    asked.memory.note(Written(instance().entry, {"id": "i", "externalId": "x", "customerId": "NEW"}))
    answer = asked.reader.look(instance(), asked.paths(instance()))
    assert [(one.row["customer"], one.is_own) for one in answer.rows] == [([{"id": "NEW"}], True)]
    assert answer.was_sent


# What lists have shown

LISTS = {
    "note": "GET /notes?limit=100&sortBy=createdAt",
    "task": "GET /tasks?limit=100&sortBy=createdAt",
    "user": "GET /users?limit=100&sortBy=createdAt",
    "conversation": "GET /conversations?limit=100&sortBy=createdAt",
    "custom_object/*": f"GET {INSTANCES}?limit=100&sortBy=createdAt",
}
LATEST = "GET /tasks?limit=100&sortBy=updatedAt"


def with_list(wanted: Change, *rows: dict[str, Any]) -> Asked:
    """A workspace of which the list of an object has been read, and whose accounts `a` and `b` have been listed."""
    asked = Asked({LISTS[wanted.entry.name]: page(*({"createdAt": WHEN, **row} for row in rows))})
    listing = asked.lists.of(wanted.entry)
    assert listing
    listing.want(SINGLES_FIRST + 1)
    assert listing.as_of is not None
    asked.shown("account", *({"id": name.upper(), "externalId": name} for name in "ab"))
    asked.written("account", id="UNLISTED", externalId="unlisted")
    asked.asked.clear()
    return asked


OF_A = {"id": "1", "externalId": "x", "accountId": "A", "source": "Zapier", "archivedAt": None}


@pytest.mark.parametrize(
    ("wanted", "row", "expected"),
    [
        # Emails are not unique, and a list may lack some users.
        (user(IDA), {"id": "i", "email": IDA}, "unknown"),
        (user("eva@example.com"), {"id": "i", "email": IDA}, "unknown"),
        (asks("user", "create", {"externalId": "x", "accountIds": ["a"]}), {"id": "i", "externalId": "x"}, ["i"]),
        (asks("user", "create", {"externalId": "x", "accountIds": ["a"]}), {"id": "i", "externalId": "y"}, "absent"),
        # External ids identify rows only below the parent, or along with the source, that is meant.
        (note(accountId="a"), OF_A, ["1"]),
        (note(accountId="A"), OF_A, ["1"]),
        (note(accountId="b"), OF_A, "absent"),
        (note(organizationId="a"), OF_A, "unknown"),
        (note(accountId="a"), OF_A | {"archivedAt": WHEN}, ["1"]),
        (note(source="zapier"), OF_A, "unknown"),
        (note(source="ZAPIER", accountId="b"), OF_A, ["1"]),
        (note(source="other"), OF_A, "unknown"),
        (note(source="none"), OF_A | {"source": None}, "unknown"),
        (note(), OF_A, "unknown"),
        (note(accountId="unlisted"), OF_A, "unknown"),
        (instance(customerId="a"), {"id": "2", "externalId": "x"}, ["2"]),
        (instance(customerId="a"), {"id": "2", "externalId": "X"}, "absent"),
        (instance(externalId="X", customerId="a"), {"id": "2", "externalId": "X"}, ["2"]),
        (instance(customerId="unlisted"), {"id": "2", "externalId": "y"}, "unknown"),
        (instance(), {"id": "2", "externalId": "y"}, "unknown"),
        (CONVERSATION, {"id": "2", "externalId": "x"}, ["2"]),
        (CONVERSATION, {"id": "2", "externalId": "y"}, "absent"),
        # By Vitally's id it is the row itself.
        (asks("task", "update", {"id": "1"}), OF_A, ["1"]),
        (asks("task", "update", {"id": "2"}), OF_A, "unknown"),
    ],
)
def test_what_a_whole_list_proves(wanted: Change, row: Any, expected: Any) -> None:
    asked = with_list(wanted, row)
    assert known(asked, wanted) == expected
    assert asked.asked == []


def test_what_several_rows_share_is_all_known_where_the_list_is() -> None:
    rows = [{"id": n, "externalId": "x"} for n in "12"]
    assert known(with_list(CONVERSATION, *rows), CONVERSATION) == ["1", "2"]


def test_a_row_that_was_seen_once_is_known_if_its_key_is_its_address() -> None:
    wanted = asks("account", "create", {"externalId": "a", "name": "N"})
    asked = Asked(A)
    assert known(asked, wanted) == "unknown"
    assert [look(asked, wanted), known(asked, wanted)] == [["A"], ["A"]]
    assert asked.asked == [*A]


@pytest.mark.parametrize("wanted", [CONVERSATION, instance()])
def test_else_one_row_does_not_prove_that_it_is_the_only_one(wanted: Change) -> None:
    asked = Asked({"GET /conversations/x": {"id": "1", "externalId": "x"}, SEARCH: [{"id": "1", "externalId": "x"}]})
    assert [look(asked, wanted), known(asked, wanted)] == [["1"], "unknown"]


def test_an_absence_is_as_old_as_the_list() -> None:
    wanted = task(accountId="a")
    asked = with_list(wanted)
    asked.clock.wait(FRESH_SECONDS + 1)
    answer = asked.reader.ask(wanted, asked.paths(wanted))
    assert answer.absent == 1000.0
    asked.vitally.say(LATEST, page())
    asked.reader.refresh(wanted)
    answer = asked.reader.ask(wanted, asked.paths(wanted))
    assert answer.absent == 1000.0 + FRESH_SECONDS + 1
    assert asked.asked == [LATEST]


def test_what_was_sent_to_a_row_may_not_be_in_a_list_yet() -> None:
    """Given a list without the row, when this sync has sent something to it, then nobody knows that there is none."""
    wanted = instance(customerId="a")
    asked = with_list(wanted)
    assert known(asked, wanted) == "absent"
    asked.memory.note(Sending(wanted))
    assert known(asked, wanted) == "unknown"


def test_once_the_disk_was_full_a_list_proves_no_absence() -> None:
    wanted = task(accountId="a")
    asked = with_list(wanted, OF_A)
    asked.memory.store._move_to_memory()
    assert known(asked, wanted) == "unknown"


# What the lists below parents have shown


def test_lists_below_all_known_parents_prove_what_is_not_in_them_as_of_the_oldest() -> None:
    """Given a note of two parents whose lists were read at different times, then there was none as of the first; of a
    third parent nobody has read the list."""
    both = note(accountId="a", organizationId="o")
    asked = Asked({**A, **O, below("accounts/A", "notes"): page(), below("organizations/O", "notes"): page()})
    assert look(asked, note(accountId="a")) == []
    asked.clock.wait(3.0)
    assert look(asked, note(organizationId="o")) == []
    asked.asked.clear()
    assert asked.reader.ask(both, asked.paths(both)).absent == 1000.0
    assert known(asked, note(externalId="y", accountId="b")) == "unknown"
    assert known(asked, note(externalId="y", accountId="a")) == "absent"
    assert asked.asked == []


def read_meanwhile(asked: Asked, monkeypatch: pytest.MonkeyPatch, name: str, read: Callable[[], Any]) -> None:
    """Let somebody else read a list between what is asked of memory about an object and the use of its answer."""
    ask = asked.memory.ask

    def answer(entry: Object, *question: Any) -> Any:
        answered = ask(entry, *question)
        if entry.name == name:
            monkeypatch.setattr(asked.memory, "ask", ask)
            read()
        return answered

    monkeypatch.setattr(asked.memory, "ask", answer)


def test_a_list_that_is_read_while_memory_is_asked_proves_no_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a note that only a list shows, which another thread reads at this moment, then it is not absent."""
    wanted = note(accountId="a")
    asked = Asked({**A, below("accounts/A", "notes"): page({"id": "1", "externalId": "x", "accountId": "A"})})
    asked.shown("account", {"id": "A", "externalId": "a"})
    read_meanwhile(asked, monkeypatch, "note", lambda: look(asked, note(externalId="y", accountId="a")))
    assert known(asked, wanted) == "unknown"
    assert known(asked, wanted) == ["1"]


@pytest.mark.parametrize("other", [note(accountId="b"), note(source="zapier"), note()])
def test_what_is_missed_below_one_parent_may_be_below_another(other: Change) -> None:
    """Given a note that is not below its account, when a note of the same externalId is of another account, or of an
    integration, then nobody knows whether that is there."""
    asked = Asked({**A, below("accounts/A", "notes"): page()})
    asked.shown("account", {"id": "B", "externalId": "b"})
    assert look(asked, note(accountId="a")) == []
    assert known(asked, other) == "unknown"


def test_of_a_row_below_a_parent_it_is_known_where_it_is() -> None:
    rows = [{"id": "1", "externalId": "x", "accountId": "A"}, {"id": "2", "externalId": "y", "accountId": "A"}]
    asked = Asked({**A, below("accounts/A", "notes"): page(*rows)})
    assert look(asked, note(accountId="a")) == ["1"]
    assert known(asked, note(externalId="y", accountId="a")) == ["2"]
    assert known(asked, note(accountId="b")) == "unknown"
