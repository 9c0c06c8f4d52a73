"""The mirror of one sync: what leaves a doubt, what is deleted in which order, what is said of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from destination_vitally.errors import ConfigError
from destination_vitally.journal.journal import ATTEMPT
from destination_vitally.journal.recorder import Recorder
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.mirror.mirrors import KEYS_AT_ONCE, Mirrors
from destination_vitally.outcomes.ledger import Ledger
from unit_tests.destination.builders import configured, plans, settings
from unit_tests.destination.rows.asking import WHEN, Asked
from unit_tests.destination.scripted import Script, page

WHOLE: dict[str, Any] = {"generation_id": 3, "minimum_generation_id": 3, "sync_id": 8}
EVERYTHING = "delete_with_everything_below"
DATE = "Thu, 01 Jan 2026 01:00:00 GMT"


def one_by_one(jobs: Iterable[Callable[[], object]]) -> None:
    """Run each job at once."""
    for job in jobs:
        job()


def note(key: str, **more: Any) -> dict[str, Any]:
    return {"id": key.upper(), "externalId": key, **WHEN, **more}


def script_of(*keys: str) -> Script:
    """Notes that are in Vitally, each by itself and in the list."""
    return {
        "GET /notes?limit=1": page(),
        "GET /notes?limit=100&sortBy=createdAt": page(*map(note, keys)),
        **{f"GET /notes/{key.upper()}": note(key) for key in keys},
        **{f"DELETE /notes/{key.upper()}": {"success": True} for key in keys},
    }


class Mirroring:
    """A sync of notes, or of notes and accounts, whose tables are mirrored."""

    def __init__(self, script: Script, *names: str, date: str = DATE, **chosen: Any) -> None:
        self.asked = Asked(script)
        self.asked.vitally.date = date
        mappings = [
            {
                "stream": name,
                "object": name,
                "other_columns": "ignore",
                "missing_rows": EVERYTHING if name == "account" else "delete",
                "missing_rows_grace_hours": 0,
            }
            for name in names or ("note",)
        ]
        config = settings(**{"mappings": mappings, "allow_deletes": True, "max_deletes_percent": 100, **chosen})
        found = plans(config, *(configured(name, **WHOLE) for name in names or ("note",)))
        self.plans: list[StreamPlan] = [*found.values()]
        self.ledger = Ledger(lambda record: None)
        for plan in self.plans:
            self.ledger.expect(plan)
        self.mirrors = Mirrors(config, self.asked.rows, self.asked.rest, self.ledger, one_by_one)

    def take(self, *keys: str, plan: StreamPlan | None = None) -> None:
        """Let rows of a stream have come, and be written."""
        plan = plan or self.plans[0]
        for key in keys:
            record = self.ledger.receive(plan, b"", 1)
            data = {"externalId": key, "accountId": "a", "note": "x", "noteDate": "2026-01-01T00:00:00Z", "name": "N"}
            self.mirrors.saw(plan, plan.mapper.change(data))
            self.ledger.settle(record, "accepted")

    def end(self, *, is_stopped: bool = False) -> list[tuple[int, str]]:
        """End all streams and run; returns what is said."""
        for plan in self.plans:
            self.mirrors.ended(plan)
        self.mirrors.run(lambda: is_stopped, Recorder().deletes)
        return self.mirrors.sentences

    @property
    def deleted(self) -> list[Any]:
        return [one for one in self.asked.vitally.written if str(one).startswith("DELETE")]


TITLE = "Mirror of note (stream note): "


def test_rows_that_the_table_lacks_are_deleted_each_in_its_own_lane() -> None:
    sync = Mirroring(script_of("a", "b", "c"))
    sync.take("b", "d")
    assert sync.end() == [
        (logging.INFO, f"{TITLE}2 deleted of 2 that are not in the sync, of 3 rows in Vitally."),
    ]
    assert sync.deleted == ["DELETE /notes/A", "DELETE /notes/C"]


def test_a_mirror_says_where_it_is_while_it_reads_and_deletes() -> None:
    sync = Mirroring(script_of("a", "b", "c"))
    said = [sync.mirrors.so_far()]
    sync.mirrors.beat = lambda: said.append(sync.mirrors.so_far())
    sync.take("b")
    sync.end()
    where = f"{TITLE}so far 3 rows read, 2 of them not in the sync, "
    assert [*said, sync.mirrors.so_far()] == ["", f"{where}0 deleted.", f"{where}2 deleted."]


@pytest.mark.parametrize("count", [KEYS_AT_ONCE - 1, KEYS_AT_ONCE, KEYS_AT_ONCE + 1])
def test_keys_are_known_whether_they_are_on_disk_already_or_not(count: int) -> None:
    sync = Mirroring(script_of("a", "k0", f"k{count - 1}"))
    [plan] = sync.plans
    sync.take("k0")
    for number in range(1, count):
        sync.mirrors.saw_flawed(plan, {"externalId": f"k{number}"})
    sync.end()
    assert sync.deleted == ["DELETE /notes/A"]


def test_a_row_that_cannot_be_written_is_in_the_table_all_the_same() -> None:
    sync = Mirroring(script_of("a", "b"))
    sync.take("b")
    sync.mirrors.saw_flawed(sync.plans[0], {"externalId": "a", "noteDate": "never"})
    sync.end()
    assert sync.deleted == []


DOUBTS: dict[str, str] = {
    "cut short": "stream note was cut short",
    "not ended": "the platform does not say that stream note was read to its end",
    "more after the end": "the platform does not say that stream note was read to its end",
    "empty": "stream note is empty",
    "only deletes": "stream note is empty",
    "open": "1 rows of stream note have no outcome yet",
    "no key": "a row of stream note has no key, so it could be any",
    "later attempt": "this is attempt 2 of the sync, which may have gone on in the middle of the table. The next sync "
    "makes up for it",
    "no clock": "Vitally does not say what time it is, so what was made during the sync cannot be told from the rest",
    "list": "Vitally does not list /notes to its end: No.",
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_whatever_leaves_a_doubt_leaves_the_rows(doubt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script = {**script_of("a", "b"), **({"GET /notes?limit=100&sortBy=createdAt": 400} if doubt == "list" else {})}
    sync = Mirroring(script, date="" if doubt == "no clock" else DATE)
    [plan] = sync.plans
    if doubt == "only deletes":
        change = plan.mapper.change({"externalId": "b", "_ab_cdc_deleted_at": "2026-01-01T00:00:00Z"})
        sync.mirrors.saw(plan, change)
    elif doubt != "empty":
        sync.take("b")
    if doubt == "cut short":
        sync.mirrors.cut_short(plan)
    elif doubt == "open":
        sync.ledger.receive(plan, b"", 1)
    elif doubt == "no key":
        sync.mirrors.saw_flawed(plan, {"note": "x"})
    elif doubt == "later attempt":
        monkeypatch.setenv(ATTEMPT, "1")
    if doubt == "more after the end":
        sync.mirrors.ended(plan)
        sync.take("c")
    if doubt in ("more after the end", "not ended"):
        sync.mirrors.run(lambda: False, Recorder().deletes)
        said = sync.mirrors.sentences
    else:
        said = sync.end()
    assert said == [(logging.WARNING, f"{TITLE}nothing is deleted: {DOUBTS[doubt]}.")]
    assert sync.deleted == []


def test_more_than_may_be_deleted_ends_the_sync_and_leaves_the_rows() -> None:
    sync = Mirroring(script_of("a", "b", "c", "d"), max_deletes_percent=49)
    sync.take("a", "b")
    with pytest.raises(ConfigError) as caught:
        sync.end()
    assert caught.value.message == (
        f"{TITLE}2 of 4 rows in Vitally are not in the sync, which is more than the 49 % of Missing rows deleted at "
        "most (max_deletes_percent), so "
        "nothing is deleted: 'c', 'd'. If they are to go, raise the limit for one sync; else find out why "
        "the table lacks them."
    )
    assert sync.deleted == []


@pytest.mark.parametrize(
    ("limit", "level", "text"),
    [
        (50, logging.INFO, "2 of 4 rows in Vitally are not in the sync and would be deleted: 'c', 'd'."),
        (
            49,
            logging.WARNING,
            "2 of 4 rows in Vitally are not in the sync, which is more than the 49 % of Missing rows deleted at "
            "most (max_deletes_percent), so "
            "nothing is deleted: 'c', 'd'. If they are to go, raise the limit for one sync; else find out "
            "why the table lacks them. A sync would fail.",
        ),
    ],
)
def test_a_dry_run_says_what_would_be_deleted(limit: int, level: int, text: str) -> None:
    sync = Mirroring(script_of("a", "b", "c", "d"), dry_run=True, max_deletes_percent=limit)
    sync.take("a", "b")
    assert sync.end() == [(level, f"Dry run, nothing was deleted. {TITLE}{text}")]
    assert sync.deleted == []


def test_children_go_before_their_parents() -> None:
    accounts = "GET /accounts?limit=100&status=activeOrChurned&sortBy=createdAt"
    script = {
        **script_of("a", "b"),
        "GET /accounts?limit=1": page(),
        accounts: page(note("x"), note("y")),
        "GET /accounts/X": note("x"),
        "DELETE /accounts/X": {"success": True},
    }
    sync = Mirroring(script, "account", "note")
    by_name = {plan.entry.name: plan for plan in sync.plans}
    sync.take("b", plan=by_name["note"])
    sync.take("y", plan=by_name["account"])
    sync.end()
    assert sync.deleted == ["DELETE /notes/A", "DELETE /accounts/X"]


def test_a_sync_that_has_to_end_deletes_no_more() -> None:
    sync = Mirroring(script_of("a", "b", "c"))
    sync.take("b")
    assert sync.end(is_stopped=True) == [
        (logging.INFO, f"{TITLE}0 deleted of 2 that are not in the sync, of 3 rows in Vitally."),
    ]


def test_what_could_not_be_deleted_is_said_with_the_first_reason() -> None:
    sync = Mirroring({**script_of("a", "b", "c"), "DELETE /notes/A": 400})
    sync.take("b")
    [(level, text)] = sync.end()
    assert level == logging.WARNING
    assert text.startswith(
        f"{TITLE}1 deleted of 2 that are not in the sync, of 3 rows in Vitally; kept: 1 not deleted. The first reason: "
        "note 'a': "
    )


def test_where_nothing_is_mirrored_nobody_asks_for_the_time() -> None:
    asked, ledger = Asked(), Ledger(lambda record: None)
    config = settings()
    [plan] = plans(config, configured("accounts")).values()
    ledger.expect(plan)
    mirrors = Mirrors(config, asked.rows, asked.rest, ledger, one_by_one)
    mirrors.ended(plan)
    mirrors.run(lambda: False, Recorder().deletes)
    assert (mirrors.sentences, asked.asked) == ([], [])
