"""An undo against a script of Vitally: what is asked and sent for each kind of change, and what is said of it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from destination_vitally.journal.lines import Intent, Link, Outcome
from destination_vitally.journal.recorder import Recorder
from destination_vitally.undo.undo import Options, Undo
from unit_tests.destination.builders import settings
from unit_tests.destination.scripted import Parts, Script, page
from unit_tests.destination.undo.journals import file_of, intent, link, outcome, value

ACCOUNT = {"id": "A", "externalId": "acme", "name": "b", "traits": {"x": 2}, "createdAt": "2026-01-02T00:00:00Z"}
THERE: Script = {"GET /accounts/A": ACCOUNT, "GET /accounts/acme": ACCOUNT}
USER = {"id": "U", "externalId": "u", "accounts": [{"id": "A", "externalId": "acme"}, {"id": "B", "externalId": "b"}]}


class Run:
    """One undo: what it gave back, sent and said."""

    def __init__(self, folder: Path, script: Script, *lines: Intent | Outcome | bytes, **chosen: Any) -> None:
        self.parts = Parts(script)
        options = Options(chosen.pop("is_dry_run", False), any_workspace=True)
        config = settings(**{"allow_deletes": True, "max_deletes_percent": 100, "num_workers": 1, **chosen})
        file = file_of(folder / "journal.jsonl.gz", *lines, key=config.secret_token)
        started = Undo(config, self.parts.apis, self.parts.clock, options, Recorder())
        self.anew = list(started.run([file], lambda: False))

    @property
    def sent(self) -> list[Any]:
        return self.parts.vitally.written


def said(caplog: pytest.LogCaptureFixture) -> str:
    return caplog.messages[-1]


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "airbyte")


CASES: dict[str, tuple[list[Intent | Outcome | bytes], Script, list[Any], str]] = {
    "set back, and seen to be": (
        [intent(1, value(), value("traits.x", 1, 2), id="A")],
        {"GET /accounts/A": (ACCOUNT, {**ACCOUNT, "name": "a", "traits": {"x": 1}}), "PUT /accounts/A": {"id": "A"}},
        [("PUT /accounts/A", {"name": "a", "traits": {"x": 1}})],
        "Undo: 2 values set back.",
    ),
    "set back, and not seen to be": (
        [intent(1, value(), id="A")],
        {**THERE, "PUT /accounts/A": {"id": "A"}},
        [("PUT /accounts/A", {"name": "a"})],
        "Undo: 1 cannot be undone, the value of before was sent and Vitally shows another.",
    ),
    "refused together, taken one by one": (
        [intent(1, value(), value("traits.x", 1, 2), id="A")],
        {
            "GET /accounts/A": (ACCOUNT, {**ACCOUNT, "name": "a"}),
            "PUT /accounts/A": (400, {"id": "A"}, 400),
        },
        [
            ("PUT /accounts/A", {"name": "a", "traits": {"x": 1}}),
            ("PUT /accounts/A", {"name": "a"}),
            ("PUT /accounts/A", {"traits": {"x": 1}}),
        ],
        "Undo: 1 values set back; 1 cannot be undone, refused.",
    ),
    "changed since": ([intent(1, value(sent="c"), id="A")], THERE, [], "Undo: 1 left alone, changed since."),
    "as before": ([intent(1, value(before="b"), id="A")], THERE, [], "Undo: 1 values are as before."),
    "not known": (
        [intent(1, value(known=False), id="A")],
        THERE,
        [],
        "Undo: 1 cannot be undone, not known what was there before.",
    ),
    "not shown": (
        [intent(1, value("organizationId", "O", "P"), id="A")],
        THERE,
        [],
        "Undo: 1 cannot be undone, Vitally does not show it.",
    ),
    "not writable": (
        [intent(1, value("traits.x", 1, 2), value("avatar", "y", "z"), id="A")],
        {"GET /accounts/A": {**ACCOUNT, "avatar": "z", "traits": {"x": 1}}},
        [],
        "Undo: 1 values are as before; 1 cannot be undone, Vitally does not let it be written.",
    ),
    "no longer there": ([intent(1, value(), id="A")], {}, [], "Undo: 1 left alone, changed since."),
    "another row by now": (
        [intent(1, value(), id="A")],
        {"GET /accounts/A": {**ACCOUNT, "id": "B"}},
        [],
        "Undo: 1 left alone, no longer the row that was written.",
    ),
    "nobody says": (
        [intent(1, value(), id="A")],
        {"GET /accounts/A": 400},
        [],
        "Undo: 1 cannot be undone, refused.",
    ),
    "found by its key": (
        [intent(1, value())],
        {"GET /accounts/acme": ACCOUNT, "GET /accounts/A": (ACCOUNT, {**ACCOUNT, "name": "a"}), "PUT /accounts/A": {}},
        [("PUT /accounts/A", {"name": "a"})],
        "Undo: 1 values set back.",
    ),
    "created": (
        [intent(1, value(), value("traits.x", None, 2), operation="upsert", existed=False, id="A")],
        {
            "GET /accounts/A": (ACCOUNT, 404),
            "GET /accounts?limit=100&status=activeOrChurned&sortBy=createdAt": page(ACCOUNT),
            "GET /customObjects?limit=100&sortBy=createdAt": page(),
            **{
                f"GET /accounts/A/{name}?limit=100": page()
                for name in ("users", "notes", "tasks", "projects", "npsResponses", "conversations", "meetings")
            },
            "DELETE /accounts/A": {"deleted": True},
        },
        ["DELETE /accounts/A"],
        "Undo: 1 rows deleted.",
    ),
    "created, and extended": (
        [intent(1, value(), operation="upsert", existed=False, id="A")],
        {**THERE, "GET /accounts?limit=100&status=activeOrChurned&sortBy=createdAt": page(ACCOUNT)},
        [],
        "Undo: 1 left alone, created by the sync and extended since.",
    ),
    "created, and gone": (
        [intent(1, value(), operation="upsert", existed=False, id="A")],
        {"GET /accounts?limit=100&status=activeOrChurned&sortBy=createdAt": page()},
        [],
        "Undo: 1 rows that were created are gone.",
    ),
    "an event": (
        [intent(1, value("event", None, "x"), object="event", operation="create", existed=False, key={})],
        {},
        [],
        "Undo: 1 cannot be undone.",
    ),
    "a history": (
        [intent(1, value(), value("timestamp", None, "2026-01-01"), id="A")],
        THERE,
        [],
        "Undo: 1 cannot be undone.",
    ),
}


@pytest.mark.parametrize(("lines", "script", "sent", "last"), CASES.values(), ids=CASES.keys())
def test_each_kind_of_change(  # noqa: PLR0917
    lines: Any, script: Script, sent: Any, last: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = Run(tmp_path, script, *lines)
    assert run.sent == sent
    assert said(caplog) == last


@pytest.mark.parametrize("case", ["set back, and seen to be", "created"])
def test_a_dry_run_sends_nothing(case: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines, script, _, last = CASES[case]
    run = Run(tmp_path, script, *lines, is_dry_run=True)
    assert run.sent == []
    would = last.replace("values set back", "values would be set back").replace("rows deleted", "rows would be deleted")
    assert said(caplog) == f"Dry run, nothing was sent. {would}"


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ({"allow_deletes": False}, "Allow deletes (allow_deletes) is off"),
        (
            {"max_deletes_percent": 99},
            "1 of 1 rows would be deleted, more than Missing rows deleted at most (%) (max_",
        ),
    ],
)
def test_what_must_not_be_deleted(
    chosen: dict[str, Any], why: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines, script, _, _ = CASES["created"]
    assert Run(tmp_path, script, *lines, **chosen).sent == []
    assert any(why in message for message in caplog.messages)


DELETED = {**ACCOUNT, "name": "a", "traits": {"x": 1}, "archivedAt": None}


def test_a_row_that_is_destroyed_is_given_back_as_a_record(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = Run(tmp_path, {}, intent(1, operation="delete", id="A", row=DELETED))
    [message] = run.anew
    assert message["record"] == {
        "stream": "accounts",
        "data": {"externalId": "acme", "name": "a", "traits": {"x": 1}},
    }
    assert said(caplog).startswith("Undo: 1 cannot be undone, deleted for good")


@pytest.mark.parametrize("comes_back", [True, False])
def test_an_archived_row_is_brought_back_if_vitally_does_that(
    comes_back: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    note = {"id": "N", "externalId": "n", "note": "x", "noteDate": "2026-01-01", "tags": ["t"], "archivedAt": "2026"}
    after = {**note, "archivedAt": None} if comes_back else note
    script = {"GET /notes/N": (note, after), "PUT /notes/N": {"id": "N"}}
    run = Run(tmp_path, script, intent(1, object="note", key={"externalId": "n"}, operation="delete", id="N", row=note))
    [(request, body)] = run.sent
    assert (request, body["tags"]) == ("PUT /notes/N", ["t"])
    assert bool(run.anew) is not comes_back
    assert said(caplog).startswith("Undo: 1 rows brought back" if comes_back else "Undo: 1 cannot be undone, deleted")


def linked(seq: int, *links: Link) -> Intent:
    return intent(seq, object="user", key={"externalId": "u"}, id="U", operation="upsert", links=[*links])


def test_a_link_is_taken_out_and_seen_to_be(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    alone = {**USER, "accounts": USER["accounts"][:1]}
    other = {"id": "B", "externalId": "b"}
    script = {"GET /users/U": (USER, USER, alone), "GET /accounts/B": other, "POST /batch": {"success": True}}
    run = Run(tmp_path, script, linked(1, link("B", "b", was=False)))
    [(request, [message])] = run.sent
    assert request == "POST /batch"
    assert {name: message[name] for name in ("type", "userId", "accountId")} == {
        **{"type": "unlink", "userId": "u", "accountId": "b"},
    }
    assert sum(run.parts.clock.waits) == 15
    assert said(caplog) == "Undo: 1 links taken out."


@pytest.mark.parametrize(
    ("accounts", "tie", "script", "last"),
    [
        (["A"], link("A", "a", was=False), {}, "1 cannot be undone, Vitally does not let it be written"),
        (["A"], link("A", "a", was=True), {}, "1 links are as before"),
        (["A"], link("A", "a", was=None), {}, "1 cannot be undone, not known what was there before"),
        (["A"], link("B", "b", was=False), {"GET /accounts/B": {"id": "B"}}, "1 links are as before"),
        (["A", "C"], link("A", "a", was=False), {"POST /batch": 400}, "1 cannot be undone, refused"),
    ],
)
def test_a_link_that_stays(  # noqa: PLR0917
    accounts: list[str], tie: Link, script: Script, last: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    user = {"id": "U", "externalId": "u", "accounts": [{"id": one, "externalId": one.lower()} for one in accounts]}
    known = {"GET /users/U": user, "GET /accounts/A": {"id": "A", "externalId": "a"}}
    Run(tmp_path, {**known, **script}, linked(1, tie))
    assert said(caplog) == f"Undo: {last}."


def test_a_link_that_was_ended_is_made_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    alone = {**USER, "accounts": USER["accounts"][:1]}
    script = {"GET /users/U": (alone, USER), "GET /accounts/B": {"id": "B", "externalId": "b"}, "PUT /users/U": {}}
    key, ended = {"userId": "u", "accountId": "b"}, [link("B", "b", was=True)]
    unlinked = intent(1, object="membership", operation="delete", route="batch", key=key, id="U", links=ended)
    run = Run(tmp_path, script, unlinked, outcome(1))
    assert run.sent == [("PUT /users/U", {"accountIds": ["B"]})]
    assert said(caplog) == "Undo: 1 links made again."
