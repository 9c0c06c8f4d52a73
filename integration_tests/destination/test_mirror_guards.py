"""Whatever leaves a doubt whether a row is missing leaves the row, and is said."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from destination_vitally import DestinationVitally
from integration_tests.destination.mirrored import IDS, WHEN, Scene, around_the_list, complete, full, said
from integration_tests.harness import Json, QuickClock, destination_config, record, state, stream
from integration_tests.sandbox import Fault, Sandbox, Switches


class Doubt(NamedTuple):
    """What a platform sends instead, and what the sync says of it."""

    words: str
    stream: Json
    messages: Callable[[Scene], list[Json]] | None = None


DOUBTS = {
    "incremental": Doubt("of stream table, it is read incrementally", {"sync_mode": "incremental"}),
    "no ids": Doubt("the platform gives no generation ids", dict.fromkeys(IDS)),
    "no sync id": Doubt("the platform gives no generation ids", {"sync_id": None}),
    "all 1": Doubt("as PyAirbyte fills them in", dict.fromkeys(IDS, 1)),
    "appends": Doubt("choose Full refresh and Overwrite", {"minimum_generation_id": 0}),
    "appends at first": Doubt("choose Full", {"generation_id": 0, "minimum_generation_id": 0}),
    "older generations": Doubt("choose Full refresh and Overwrite", {"minimum_generation_id": 6}),
    "no status": Doubt("does not say that stream table was read to its end", {}, lambda s: [s.record("a")]),
    "cut short": Doubt(
        "stream table was cut short", {}, lambda s: [s.record("a"), complete("table", "INCOMPLETE"), complete("table")]
    ),
    "rows after the end": Doubt(
        "does not say that stream table was read to its end", {}, lambda s: [complete("table"), s.record("a")]
    ),
    "empty": Doubt("stream table is empty", {}, lambda _: [complete("table")]),
    "tombstones only": Doubt(
        "stream table is empty", {}, lambda s: [s.record("a", _ab_cdc_deleted_at=WHEN), complete("table")]
    ),
    "no key": Doubt(
        "a row of stream table has no key", {}, lambda s: [s.record("a"), s.record(None), complete("table")]
    ),
    "key of no sense": Doubt(
        "a row of stream table has no key", {}, lambda s: [s.record("a"), s.record(".."), complete("table")]
    ),
}


@pytest.mark.parametrize("doubt", DOUBTS.values(), ids=DOUBTS)
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_doubt_deletes_nothing(sandbox: Sandbox, doubt: Doubt, dry_run: bool) -> None:
    scene = Scene(sandbox, there=["a", "b", "missing"])
    configured = {**full("table"), **doubt.stream}
    messages = doubt.messages(scene) if doubt.messages else [scene.record("a"), complete("table")]

    run = scene.sync(messages=messages, streams=[configured], max_deletes_percent=100, dry_run=dry_run)

    assert run.error is None, run.errors
    assert "missing" in scene.left()
    assert "Mirror of note (stream table): nothing is deleted: " in said(run)
    assert doubt.words in said(run)
    assert said(run).count("\n") == 0, "it is said once"
    [line] = [line for line in run.logs("WARN") if "Mirror of" in line]
    assert doubt.words in line


@pytest.mark.parametrize(("attempt", "is_deleted"), [("0", True), ("", True), ("1", False), ("2", False)])
def test_a_later_attempt_may_go_on_in_the_middle_of_the_table(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, attempt: str, is_deleted: bool
) -> None:
    scene = Scene(sandbox, there=["a", "missing"])
    monkeypatch.setenv("WORKER_JOB_ATTEMPT", attempt)

    run = scene.sync(["a"])

    assert run.error is None
    assert ("missing" not in scene.left()) == is_deleted
    assert (f"this is attempt {int(attempt or 0) + 1} of the sync" in said(run)) != is_deleted


def test_without_a_clock_of_vitallys_nothing_is_deleted(make_sandbox: Any) -> None:
    scene = Scene(make_sandbox(empty=True, switches=Switches(no_date_header=True)), there=["a", "missing"])

    run = scene.sync(["a"])

    assert run.error is None
    assert scene.left() == {"a", "missing"}
    assert "Vitally does not say what time it is" in said(run)


@pytest.mark.parametrize("status", [400, 404])
def test_a_list_that_is_not_read_to_its_end_deletes_nothing(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    scene = Scene(sandbox, there=["a", *(f"missing{n}" for n in range(150))])
    second = Fault(path="resources/notes$", method="GET", status=status, skip=1)
    around_the_list(monkeypatch, before=lambda: sandbox.faults.add(second))

    run = scene.sync(["a"], max_deletes_percent=100)

    assert run.error is None
    assert scene.deletes == 0
    assert "nothing is deleted: Vitally does not list /notes to its end" in said(run)


def test_a_row_without_an_outcome_leaves_a_doubt(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "user", there=["a", "missing"])
    waiting = record("table", {"externalId": "b", "accountId": "to come"})
    messages = [scene.record("a"), scene.record("ida"), waiting, complete("table"), complete("accounts", "INCOMPLETE")]

    run = scene.sync(messages=messages, streams=[full("table"), stream("accounts")], max_deletes_percent=100)

    assert run.error is None
    assert "missing" in scene.left()
    assert "1 rows of stream table have no outcome" in said(run)


def test_of_two_tables_both_must_be_whole(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, there=["a", "b", "missing"])
    mappings = [scene.mapping("one"), scene.mapping("two")]
    messages = [scene.record("a", "one"), complete("one"), scene.record("b", "two")]

    run = scene.sync(messages=messages, streams=[full("one"), full("two")], mappings=mappings, max_deletes_percent=100)

    assert scene.left() == {"a", "b", "missing"}
    assert "does not say that stream two was read to its end" in said(run)

    run = scene.sync(
        messages=[*messages, complete("two")],
        streams=[full("one"), {**full("two"), "sync_mode": "incremental"}],
        mappings=mappings,
        max_deletes_percent=100,
    )

    assert scene.left() == {"a", "b", "missing"}
    assert "of stream two, it is read incrementally" in said(run)


# The limit


@pytest.mark.parametrize(
    ("there", "missing", "percent", "is_deleted"),
    [
        (20, 1, 5, True),
        (19, 1, 5, False),
        (21, 1, 5, True),
        (39, 2, 5, False),
        (2, 1, 50, True),
        (2, 1, 49, False),
        (3, 2, 100, True),
        (100, 1, 0, False),
        (100, 0, 0, True),
    ],
)
def test_the_limit(sandbox: Sandbox, there: int, missing: int, percent: int, is_deleted: bool) -> None:
    scene = Scene(sandbox, there=[f"k{n}" for n in range(there)])
    # What could not be missing does not count as there.
    scene.insert(None)
    scene.insert("archived", archivedAt=WHEN)
    scene.insert("of hubspot", source="hubspot")
    scene.pass_time()
    messages = [*(scene.record(f"k{n}") for n in range(missing, there)), state("table", 1), complete("table")]

    run = scene.sync(messages=messages, max_deletes_percent=percent)

    assert run.counts("table")["accepted"] == there - missing
    assert len(run.states()) == 1, "what is written is written"
    assert scene.deletes == (missing if is_deleted else 0)
    if is_deleted:
        assert run.error is None
    else:
        assert run.failure_types == {"config_error"}
        assert f"{missing} of {there} rows in Vitally are not in the sync" in run.errors[0]
        assert f"more than the {percent} % of Missing rows deleted at most (max_deletes_percent)" in run.errors[0]


def test_an_object_beyond_the_limit_does_not_keep_the_others(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, there=["a", "missing"])
    scene.sandbox.workspace.insert("conversations", {"externalId": "c", "subject": "C"})
    scene.pass_time()
    talks = {**scene.mapping("talks"), "object": "conversation", "operation": "create"}
    talk = record("talks", {"externalId": "d", "subject": "D"})
    messages = [scene.record("a"), talk, complete("table"), complete("talks")]

    run = scene.sync(messages=messages, streams=[full("table"), full("talks")], mappings=[scene.mapping(), talks])

    assert run.error is None
    assert scene.left() == {"a"}

    scene = Scene(sandbox, there=["missing", "missing too"])
    run = scene.sync(messages=messages, streams=[full("table"), full("talks")], mappings=[scene.mapping(), talks])
    assert run.failure_types == {"config_error"}
    assert "Mirror of note" in run.errors[0]
    assert "Mirror of conversation (stream talks): 0 deleted of 0" in said(run)


# The settings

REFUSED: dict[str, tuple[Json, Json, str]] = {
    "no allow_deletes": ({}, {"allow_deletes": False}, "Switch Allow deletes (allow_deletes) on if you mean it"),
    "no REST key": (
        {"object": "user"},
        {"secret_token": None},
        "to delete user, the REST API key (secret_token) is needed",
    ),
    "account": ({"object": "account"}, {}, "Set it to delete_with_everything_below if that is what you want"),
    "organization": ({"object": "organization"}, {}, "permanently destroys the organization and everything that"),
    "nothing below": ({"missing_rows": "delete_with_everything_below"}, {}, "nothing else is below note"),
    "project": ({"object": "project", "operation": "create"}, {}, "which rows of project are missing cannot be known"),
    "event": ({"object": "event", "operation": "create"}, {}, "which rows of event are missing cannot be known"),
    "message": ({"object": "message", "operation": "create"}, {}, "which rows of message are missing cannot"),
    "membership": ({"object": "membership"}, {}, "Possible for: organization, account, user, custom_object/<name>, n"),
    "deletes": ({"operation": "delete"}, {}, "the rows of the stream are deleted themselves"),
    "parents that are made": (
        {"object": "account", "missing_rows": "delete_with_everything_below"},
        {"unknown_parents": "create"},
        "and Unknown accounts and organizations (unknown_parents) is create",
    ),
}


@pytest.mark.parametrize(("mapping", "settings", "words"), REFUSED.values(), ids=REFUSED)
def test_settings_that_are_refused(sandbox: Sandbox, mapping: Json, settings: Json, words: str) -> None:
    scene = Scene(sandbox, there=["a", "missing"])
    mapped = scene.mapping(**{"missing_rows": "delete", "operation": "upsert", **mapping})

    run = scene.sync(["a"], mappings=[mapped], **settings)

    assert run.failure_types == {"config_error"}
    assert words in run.errors[0]
    assert "stream 'table'" in run.errors[0]
    assert scene.deletes == 0


def test_the_check_finds_what_is_wrong_with_the_settings(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    for allowed, status in ((False, "FAILED"), (True, "SUCCEEDED")):
        config = destination_config(sandbox, mappings=[scene.mapping()], allow_deletes=allowed)
        answer = DestinationVitally(QuickClock()).check(logging.getLogger("airbyte"), config)
        assert answer.status.value == status
        assert ("Switch Allow deletes (allow_deletes) on if you mean it" in (answer.message or "")) == (not allowed)


def test_streams_that_write_one_object_must_agree(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, there=["a", "missing"])
    for other in (
        [scene.mapping("notes", missing_rows="keep", operation="update")],
        [],  # by its name
    ):
        run = scene.sync(
            messages=[], streams=[full("table"), stream("notes")], mappings=[scene.mapping("table"), *other]
        )
        assert run.failure_types == {"config_error"}
        assert "stream 'notes' writes note too and does not say so" in run.errors[0]


def test_overwrite_without_the_setting_deletes_nothing(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, there=["a", "missing"])

    run = scene.sync(["a"], mappings=[scene.mapping(missing_rows="keep")])

    assert run.error is None
    assert scene.left() == {"a", "missing"}
    assert said(run) == ""
    assert "nothing is deleted" in run.log
