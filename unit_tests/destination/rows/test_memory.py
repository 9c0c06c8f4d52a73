"""The one memory: each fact that is noted, and what is known by each key afterwards."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

from destination_vitally.errors import RejectedError
from destination_vitally.mapping.change import Change
from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows import memory as module
from destination_vitally.rows.facts import (
    Answer,
    Deleted,
    Elsewhere,
    Fact,
    Missed,
    Seen,
    Sending,
    Shown,
    Taken,
    Written,
)
from unit_tests.destination.builders import change
from unit_tests.destination.rows.asking import ARCHIVED, START, Asked, identity, ids, woken
from unit_tests.destination.scripted import asks

USER, ACCOUNT = BY_NAME["user"], BY_NAME["account"]
IDA = "ida@example.com"
ROW = {"id": "1", "externalId": "u", "email": "Ida@Example.com"}
KEYS = {"externalId": "u", "id": "1", "email": IDA}
WHY = RejectedError("Vitally does not say whether it is there: No.", 400)


def user(**fields: Any) -> Change:
    return asks("user", "update", {"externalId": "u", **fields})


def in_words(answer: Answer) -> str:
    """An answer as the words that are true of it."""
    words = {
        "there": bool(answer.rows),
        "archived": any(one.is_archived for one in answer.rows),
        "listed": any(one.is_listed for one in answer.rows),
        "own": any(one.is_own for one in answer.rows),
        "coming": answer.coming is not None,
        "sent": answer.was_sent,
        "absent": answer.absent is not None,
        "deleted": answer.was_deleted,
        "unknown": answer.why_not is not None,
    }
    return " ".join(word for word, is_so in words.items() if is_so)


SHOWN, LISTED = Shown(USER, [ROW]), Shown(USER, [ROW], is_listed=True)
SENDING, TAKEN = Sending(user(email=IDA)), Taken([user(email=IDA)], START)
SEEN = Seen(USER, ROW)
WRITTEN, CREATED = Written(USER, ROW), Written(USER, ROW, is_new=True)
MISSED, NOT_SAID = (Missed(USER, identity("user", externalId="u"), why) for why in (None, WHY))
GONE = MISSED._replace(is_gone=True)
DELETED, BY_ID = (Deleted(USER, keys) for keys in ({"externalId": "u"}, {"id": "1"}))


@pytest.mark.parametrize(
    ("facts", "by_external_id", "by_id", "by_email"),
    [
        ([], "", "", ""),
        ([SHOWN], "there", "there", "there"),
        ([LISTED], "there listed", "there listed", "there listed"),
        ([LISTED, SHOWN], "there listed", "there listed", "there listed"),
        ([SHOWN, LISTED], "there listed", "there listed", "there listed"),
        ([Shown(USER, [ROW | ARCHIVED])], "there archived", "there archived", "there archived"),
        ([Shown(USER, [ROW | ARCHIVED]), SHOWN], "there", "there", "there"),
        # What is not there, or not said
        ([MISSED], "absent", "", ""),
        ([NOT_SAID], "unknown", "", ""),
        ([MISSED, NOT_SAID], "unknown", "", ""),
        ([NOT_SAID, MISSED], "absent", "", ""),
        ([SHOWN, MISSED], "absent", "", ""),
        ([SHOWN, NOT_SAID], "there unknown", "there", "there"),
        ([MISSED, SHOWN], "there", "there", "there"),
        ([NOT_SAID, SHOWN], "there", "there", "there"),
        # What is on its way
        ([SENDING], "sent", "", "sent"),
        ([TAKEN], "coming sent", "", "coming sent"),
        ([SENDING, TAKEN], "coming sent", "", "coming sent"),
        ([TAKEN, SENDING], "coming sent", "", "coming sent"),
        ([MISSED, SENDING], "sent", "", "sent"),
        ([MISSED, TAKEN], "coming sent", "", "coming sent"),
        ([SHOWN, TAKEN], "there coming sent", "there", "there coming sent"),
        ([TAKEN, SHOWN], "there coming sent", "there", "there coming sent"),
        ([TAKEN, SEEN], "sent", "", "sent"),
        ([TAKEN, NOT_SAID, SEEN], "sent unknown", "", "sent"),
        ([TAKEN, SEEN, TAKEN], "coming sent", "", "coming sent"),
        ([SEEN], "", "", ""),
        # What this sync has written
        ([WRITTEN], "there own", "there own", "there own"),
        ([CREATED], "there listed own", "there listed own", "there listed own"),
        ([LISTED, WRITTEN], "there listed own", "there listed own", "there listed own"),
        ([WRITTEN, LISTED], "there listed own", "there listed own", "there listed own"),
        ([MISSED, WRITTEN], "there own", "there own", "there own"),
        # A search may not know yet what was created; a request to the row itself does.
        ([CREATED, MISSED], "there listed own absent", "there listed own", "there listed own"),
        ([CREATED, GONE], "absent", "", ""),
        # What this sync has deleted stays so, whatever a list shows that is older.
        ([DELETED], "deleted", "", ""),
        ([BY_ID], "", "deleted", ""),
        ([SHOWN, DELETED], "deleted", "deleted", "deleted"),
        ([SHOWN, BY_ID], "deleted", "deleted", "deleted"),
        ([CREATED, DELETED], "deleted", "deleted", "deleted"),
        ([SHOWN, DELETED, LISTED], "deleted", "deleted", "deleted"),
        ([TAKEN, DELETED], "sent deleted", "", "sent"),
        ([SHOWN, DELETED, WRITTEN], "there own", "there own", "there own"),
        ([SHOWN, DELETED, TAKEN], "coming sent deleted", "deleted", "coming sent deleted"),
    ],
)
def test_what_is_known_by_each_key_after_each_fact(
    facts: list[Fact], by_external_id: str, by_id: str, by_email: str
) -> None:
    asked = Asked()
    asked.memory.expect(USER, sent=True, contents=True)
    for fact in facts:
        # Each is asked for before as well: an answer that was given once is no reason to give it again.
        before = [asked.known("user", **{name: value}) for name, value in KEYS.items()]
        assert len(before) == len(KEYS)
        asked.memory.note(fact)
    answers = [in_words(asked.known("user", **{name: value})) for name, value in KEYS.items()]
    assert answers == [by_external_id, by_id, by_email]
    assert in_words(asked.known("user", externalId="other")) == ""
    assert in_words(asked.known("account", externalId="u")) == ""


def test_of_what_has_no_key_nothing_is_known() -> None:
    asked = Asked()
    asked.shown("user", {"id": "1", "externalId": None, "email": ""})
    assert asked.memory.ask(USER, None) == Answer()
    assert in_words(asked.known("user", externalId="None")) == in_words(asked.known("user", email="")) == ""


def test_all_rows_of_a_key_are_known_and_each_keeps_what_it_is() -> None:
    asked = Asked()
    asked.shown("user", ROW, {"id": "2", "email": IDA, **ARCHIVED}, {"id": "3", "email": "eva@example.com"})
    asked.written("user", id="4", email=IDA.upper())
    answer = asked.known("user", email=IDA)
    assert ids(answer) == ["1", "2", "4"]
    assert list(answer.live) == ["1", "4"]
    assert [one.written for one in answer.rows] == [None, None, 1000.0]


@pytest.mark.parametrize("is_asked_before", [False, True])
@pytest.mark.parametrize("how", ["shown", "written"])
def test_a_row_that_has_another_key_by_now_is_not_found_by_the_old_one(how: str, is_asked_before: bool) -> None:
    """Given a row that was found by its email, when it is shown or written with another, then the old one is free."""
    asked = Asked()
    asked.shown("user", {"id": "1", "email": "old@example.com"})
    if is_asked_before:
        assert ids(asked.known("user", email="old@example.com")) == ["1"]
    if how == "shown":
        asked.shown("user", {"id": "1", "email": IDA})
    else:
        asked.written("user", id="1", email=IDA)
    assert ids(asked.known("user", email=IDA)) == ["1"]
    assert ids(asked.known("user", email="old@example.com")) == []


def test_a_stream_that_matches_by_one_key_alone_knows_what_others_know_by_another() -> None:
    asked = Asked()
    asked.memory.note(Shown(USER.matched_by(USER.keys[-1]), [ROW]))
    assert ids(asked.known("user", externalId="u")) == ["1"]


def test_an_absence_has_its_time() -> None:
    asked = Asked()
    asked.memory.note(MISSED)
    asked.clock.wait(7.0)
    assert asked.known("user", externalId="u").absent == 1000.0
    asked.memory.note(MISSED)
    assert asked.known("user", externalId="u").absent == 1007.0


# Ids


@pytest.mark.parametrize(
    ("value", "found", "vitallys"),
    [("a", ["A"], "A"), ("A", ["A"], "A"), ("old", ["A"], "A"), ("b", ["B"], None), ("x", [], None)],
)
def test_a_row_that_is_referred_to_is_found_by_your_id_by_vitallys_and_by_one_that_it_had(
    value: str, found: list[str], vitallys: str | None
) -> None:
    """Given rows of which one answers to the id of another that was merged into it, and one is archived, when they are
    looked for, then an archived one is found and has no id to be sent."""
    asked = Asked()
    asked.memory.note(Shown(ACCOUNT, [{"id": "A", "externalId": "a"}], asked="old"))
    asked.shown("account", {"id": "B", "externalId": "b", **ARCHIVED})
    assert ids(asked.memory.find("account", value)) == found
    assert asked.memory.id_of("account", value) == vitallys


def test_your_id_goes_before_vitallys() -> None:
    asked = Asked()
    asked.shown("account", {"id": "A", "externalId": "a"}, {"id": "B", "externalId": "A"})
    assert ids(asked.memory.find("account", "A")) == ["B"]
    asked.sent_in_a_batch(change("account", "upsert", {"externalId": "C"}))
    asked.shown("account", {"id": "C", "externalId": "c"})
    coming = asked.memory.find("account", "C")
    assert coming.coming
    assert coming.rows == ()


def test_an_old_id_is_no_key_of_the_row() -> None:
    asked = Asked()
    asked.memory.note(Shown(ACCOUNT, [{"id": "A", "externalId": "a"}], asked="old"))
    assert asked.known("account", externalId="old") == asked.known("account", id="old") == Answer()


def test_ids_of_another_workspace_are_kept_apart() -> None:
    asked = Asked()
    asked.memory.note(Elsewhere(ACCOUNT, "A", "theirs"), Elsewhere(ACCOUNT, "A", "latest"))
    asked.shown("account", {"id": "A", "externalId": "a"})
    assert asked.memory.yours_elsewhere(ACCOUNT, "A") == "latest"
    assert asked.memory.yours_elsewhere(ACCOUNT, "a") is None
    assert asked.memory.yours_elsewhere(BY_NAME["organization"], "A") is None
    assert ids(asked.memory.find("account", "theirs")) == []


# Who is let go


@pytest.mark.parametrize(
    ("fact", "names"),
    [
        (SHOWN, ["u", IDA]),
        (WRITTEN, ["u", IDA]),
        (TAKEN, ["u", IDA]),
        (SEEN, ["u", IDA]),
        (NOT_SAID, ["u"]),
        (MISSED, []),
        (DELETED, ["u"]),
        (Elsewhere(USER, "A", "a"), ["A"]),
    ],
)
def test_what_is_known_now_lets_go_what_waits_for_it(fact: Fact, names: list[str]) -> None:
    asked = Asked()
    asked.memory.expect(USER, sent=True, contents=False)
    calls = woken(asked)
    asked.memory.note(fact)
    assert calls == [("/users", names)]


def test_what_says_nothing_new_of_a_row_lets_nobody_go() -> None:
    asked = Asked()
    calls = woken(asked)
    asked.memory.note(SENDING)
    assert calls == []


# What is forgotten


@pytest.fixture
def forgetful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """One whose folder had no room for what it was shown."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    asked = Asked()
    asked.memory.store.one("PRAGMA max_page_count=80")
    asked.memory.expect(USER, sent=True, contents=True)
    asked.written("user", id="W", externalId="w")
    asked.memory.note(Deleted(USER, {"externalId": "d"}), Elsewhere(ACCOUNT, "A", "a"))
    asked.memory.note(Taken([asks("user", "update", {"externalId": "t", "plan": "p"})], START))
    number = 0
    while not asked.memory.is_forgetful:
        assert number < 10_000
        asked.shown("user", {"id": f"r{number}", "externalId": f"x{number}", "email": f"{number}@example.com"})
        number += 1
    return asked


def test_a_full_disk_forgets_what_can_be_asked_for_again_and_nothing_else(forgetful: Asked) -> None:
    """Given a disk that is full of rows that were shown, then these are forgotten, but not what this sync has written,
    deleted or sent, nor the ids of another workspace."""
    assert ids(forgetful.known("user", externalId="x0")) == []
    assert in_words(forgetful.known("user", externalId="w")) == "there own"
    assert in_words(forgetful.known("user", externalId="d")) == "deleted"
    assert in_words(forgetful.known("user", externalId="t")) == "coming sent"
    assert forgetful.memory.content(USER, "t") is None
    assert forgetful.memory.yours_elsewhere(ACCOUNT, "A") == "a"


def test_what_is_shown_afterwards_is_known_for_as_long_as_memory_has_room(
    forgetful: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetful.memory._recent, "_size", 6)
    before = forgetful.memory.store.one("SELECT count(*) FROM known")
    for number in range(4):
        forgetful.shown("user", {"id": f"n{number}", "externalId": f"y{number}"})
    found = {name: ids(forgetful.known("user", externalId=name)) for name in ("y0", "y1", "y3")}
    assert found == {"y0": [], "y1": ["n1"], "y3": ["n3"]}
    assert forgetful.memory.store.one("SELECT count(*) FROM known") == before


def test_what_this_sync_does_is_remembered_after_that_as_well(forgetful: Asked) -> None:
    forgetful.written("user", id="V", externalId="v")
    forgetful.memory.note(Deleted(USER, {"externalId": "e"}))
    forgetful.sent_in_a_batch(asks("user", "update", {"externalId": "s", "plan": "p"}))
    answers = [in_words(forgetful.known("user", externalId=name)) for name in "ves"]
    assert answers == ["there own", "deleted", "coming sent"]


@pytest.mark.parametrize(("fact", "words"), [(DELETED, "deleted"), (MISSED, "absent")])
def test_what_is_gone_is_not_there_after_that_either(forgetful: Asked, fact: Fact, words: str) -> None:
    """Given a disk that was full, when a row that was shown since is deleted or missed, then it is not there."""
    forgetful.memory.note(SHOWN, fact)
    assert in_words(forgetful.known("user", externalId="u")) == words


def test_no_more_answers_are_at_hand_than_there_should_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWERS", 10)
    asked = Asked()
    asked.shown("user", *({"id": str(n), "externalId": f"u{n}"} for n in range(25)))
    found = [ids(asked.known("user", externalId=f"u{n}")) for n in range(25)]
    assert found == [[str(n)] for n in range(25)]
    assert len(asked.memory._answers) <= 10
