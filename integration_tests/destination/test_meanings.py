"""What a row says is one thing: the day of a delete, one content in several spellings, what people call things."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integration_tests.destination.one_row import (
    GONE,
    MAPPED,
    sent,
    slow_workspace,
    sync,
    traits,
    version,
)
from integration_tests.harness import Json, Run, record, stream
from integration_tests.sandbox import Sandbox


@pytest.fixture
def vitally() -> Iterator[Sandbox]:
    with slow_workspace() as served:
        yield served


# Deletes that are scheduled


def leaving(**more: Any) -> Json:
    return record("users", {"externalId": "u", **GONE, **more})


@pytest.mark.parametrize("when", ["2026-12-01", "2026-12-01T09:30:00+01:00", "20261201"])
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_user_is_there_until_the_day_of_his_delete(vitally: Sandbox, when: str, dry_run: bool) -> None:
    vitally.workspace.insert("users", {"externalId": "u", "name": "U"})

    run = sync(vitally, [stream("users")], [leaving(deleteOn=when)], allow_deletes=True, dry_run=dry_run)

    assert run.error is None
    assert "1 rows are there until the day for which Vitally has scheduled their delete" in run.log, run.log
    assert ("1 deleted" if dry_run else "1 accepted") in run.log
    [user] = vitally.workspace.rows("users")
    assert user["deleteOn"] == (
        None if dry_run else "2026-12-01T08:30:00.000Z" if "T" in when else "2026-12-01T00:00:00.000Z"
    )
    vitally.clock.advance(90 * 86_400)
    assert len(vitally.workspace.rows("users")) == int(dry_run)


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("there", [False, True])
def test_a_scheduled_delete_of_nobody_is_skipped(vitally: Sandbox, dry_run: bool, there: bool) -> None:
    run = sync(vitally, [stream("users")], [leaving(deleteOn="2026-12-01")], allow_deletes=True, dry_run=dry_run)
    assert "1 skipped" in run.log, run.log


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(
    ("name", "when", "reason"),
    [
        ("users", "2026-01-01", "deleteOn must be in the future"),
        ("users", "soon", "deleteOn must be a"),
        ("users", 0, "deleteOn must be a day or a time"),
        ("accounts", "2026-12-01", "Vitally can delete nothing but users later"),
    ],
)
def test_a_delete_that_cannot_be_scheduled_destroys_nothing(
    vitally: Sandbox, name: str, when: Any, reason: str, dry_run: bool
) -> None:
    vitally.workspace.insert(name, {"externalId": "u", "name": "U"})
    row = record(name, {"externalId": "u", "deleteOn": when, **GONE})

    run = sync(vitally, [stream(name)], [row], allow_deletes=True, dry_run=dry_run)

    assert run.counts(name)["rejected"] == 1 if not dry_run else "1 rejected" in run.log, run.log
    assert reason in run.log
    assert len(vitally.workspace.rows(name)) == 1


# The time of a message


@pytest.mark.parametrize(
    ("emitted_at", "written"),
    [(1_789_000_000, "2026-09-10"), (1_789_000_000_000, "2026-09-10"), (0, "2026-09-21"), (46_053, "2026-09-21")],
)
def test_a_message_is_dated_in_our_days(vitally: Sandbox, emitted_at: int, written: str) -> None:
    sync(vitally, [stream("accounts")], [record("accounts", {"externalId": "a0", "name": "A"}, emitted_at)])

    assert [message["timestamp"][:10] for message in sent(vitally)] == [written]


# One content in several spellings


def test_an_event_counts_once_however_it_is_spelled(vitally: Sandbox) -> None:
    vitally.workspace.insert("accounts", {"externalId": "a0", "name": "A"})
    spellings = [
        {"timestamp": "2026-01-01T00:00:00Z", "total": 10, "due": "2026-02-01T00:00:00Z"},
        {"timestamp": "2026-01-01T00:00:00.000Z", "total": 10.0, "due": "2026-02-01T01:00:00.000+01:00"},
        {"timestamp": "2026-01-01T00:00:00+00:00", "total": 10, "due": "2026-02-01T00:00:00.000Z"},
    ]
    for spelling in [*spellings, {**spellings[0], "total": 11}]:
        row = {"event": "ordered", "accountId": "a0", **spelling}
        run = sync(vitally, [stream("events")], [record("events", row)])
        assert run.counts("events")["accepted"] == 1, run.log

    assert [event["properties"]["total"] for event in vitally.workspace.events] == [10, 11]


# What people call things


def category_of_note(sandbox: Sandbox, category: str) -> tuple[Run, Any]:
    sandbox.workspace.insert("accounts", {"externalId": "a0", "name": "A"})
    row = {
        "accountId": "a0",
        "externalId": "n",
        "note": "N",
        "noteDate": "2026-01-01T00:00:00Z",
        "categoryId": category,
    }
    run = sync(sandbox, [stream("notes")], [record("notes", row)])
    notes = sandbox.workspace.rows("notes")
    return run, notes[0]["categoryId"] if notes else None


def test_two_categories_of_one_name_are_named(vitally: Sandbox) -> None:
    ids = [vitally.workspace.insert("noteCategories", {"name": name})["id"] for name in ("Review", "review ")]
    run, found = category_of_note(vitally, "REVIEW")
    assert found is None
    assert "more than one note category in Vitally has this name: " in run.log, run.log
    assert all(identifier in run.log for identifier in ids)


@pytest.mark.parametrize("given", ["Review", "review ", " review"])
def test_a_category_whose_name_ends_in_a_blank_is_found(vitally: Sandbox, given: str) -> None:
    identifier = vitally.workspace.insert("noteCategories", {"name": "Review "})["id"]
    assert category_of_note(vitally, given)[1] == identifier


@pytest.mark.parametrize("given", ["Review", "Review "])
def test_of_names_that_differ_in_a_blank_the_one_without_is_meant(vitally: Sandbox, given: str) -> None:
    ids = {name: vitally.workspace.insert("noteCategories", {"name": name})["id"] for name in ("Review", "Review ")}
    run, found = category_of_note(vitally, given)
    assert found == ids["Review"], run.log


@pytest.mark.parametrize(
    ("companies", "column", "reason"),
    [
        (["10001"], "companies", None),
        ('["10001"]', "companies", None),
        ("{10001}", "companies", "Vitally has no account with this id"),
        ([10001.0, None], "companies", None),
        (["10001", "10002"], "companies.0", None),
        (["10001", "10002"], "companies", "must be one id, and there are several"),
        ('["10001", "10002"]', "companies", "must be one id, and there are several"),
        ("10001,10002", "companies", "Vitally has no account with this id"),
    ],
)
def test_one_account_may_be_in_a_list_of_one(vitally: Sandbox, companies: Any, column: str, reason: str | None) -> None:
    account = vitally.workspace.insert("accounts", {"externalId": "10001", "name": "A"})["id"]
    columns = {"externalId": "id", "name": "title", "accountId": column}
    fields = [{"field": field, "column": column} for field, column in columns.items()]
    mapping = {"stream": "deals", "object": "task", "fields": fields, "other_columns": "ignore"}
    row = record("deals", {"id": 1, "title": "Call", "companies": companies})

    run = sync(vitally, [stream("deals")], [row], mappings=[mapping])

    assert [task["accountId"] for task in vitally.workspace.rows("tasks")] == ([] if reason else [account]), run.log
    assert (reason or "1 accepted") in run.log, run.log


# Rows that would change nothing


@pytest.mark.parametrize(
    ("there", "given"),
    [
        (1767225600, "2026-01-01T00:00:00Z"),
        ("true", True),
        ('["a", "b"]', '["b", "a"]'),
    ],
)
def test_what_differs_is_sent(vitally: Sandbox, there: Any, given: Any) -> None:
    vitally.workspace.insert("accounts", {"externalId": "a0", "name": "A", "traits": {"seats": there}})

    run = sync(vitally, [stream("accounts")], [version(1, seats=given)], mappings=MAPPED, skip_unchanged=True)

    assert run.counts("accounts")["accepted"] == 1, run.log
    assert (traits(vitally)["seats"], type(traits(vitally)["seats"])) == (given, type(given))


@pytest.mark.parametrize(
    ("trait", "stored"),
    [
        ("Renewal risk", {"vitally.custom.renewalRisk": 3}),
        ("vitally.custom.renewalRisk", {"vitally.custom.renewalRisk": 3}),
        ("Tier", {"Tier": "3"}),
        ("renewal_risk", {"renewal_risk": "3"}),
        ("traits.renewal_risk", {"renewal_risk": "3"}),
    ],
)
def test_a_custom_field_is_written_by_its_label(vitally: Sandbox, trait: str, stored: dict[str, Any]) -> None:
    """Beside an account with a plain trait `Tier`, which goes before the label of a custom field."""
    vitally.workspace.insert("accounts", {"externalId": "other", "traits": {"Tier": "A"}})
    mapping = {**MAPPED[0], "traits": [{"trait": trait, "column": "risk"}]}

    run = sync(
        vitally, [stream("accounts")], [record("accounts", {"externalId": "a0", "risk": "3"})], mappings=[mapping]
    )

    assert run.error is None
    assert traits(vitally) == stored
