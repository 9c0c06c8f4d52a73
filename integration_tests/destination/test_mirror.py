"""A mirror of a table: rows in Vitally that are not in it are deleted, those and no others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from destination_vitally import DestinationVitally
from integration_tests.destination.mirrored import WHEN, Scene, around_the_list, complete, full, objects, said
from integration_tests.harness import Json, destination_config, record, state, write_chunks
from integration_tests.sandbox import Fault, Page, Sandbox, Switches
from integration_tests.sandbox.rest.api import HANDLERS, Rest

NAMES = list(objects(Sandbox(empty=True)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("keys", ["both", "rest"])
def test_each_object(sandbox: Sandbox, name: str, keys: str) -> None:
    scene = Scene(sandbox, name, there=["a", "b", "gone"])
    scene.insert(None)
    table = ["a", "b", "new"]
    if name in ("account", "user"):  # what the other rows need is in the table too
        table += ["acme"] if name == "account" else ["ida"]

    run = scene.sync(table, **({"analytics_token": None} if keys == "rest" else {}))

    assert run.error is None, run.errors
    assert scene.left() == {"a", "b", "new", None}
    assert f"Mirror of {name} (stream table): 1 deleted of 1 that are not in the sync, of " in said(run)
    assert scene.deletes == 1
    counts = run.counts("table")
    assert counts["records"] == counts["accepted"] + counts["skipped"] == len(table)


def test_rows_that_the_plain_list_hides_are_seen(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "account", there=["acme", "churned"])
    sandbox.workspace.update("accounts", scene.ids["churned"], {"churnedAt": WHEN})

    assert scene.sync(["acme"]).error is None
    assert scene.left() == {"acme"}


def test_rows_that_are_in_two_lists_count_once(sandbox: Sandbox) -> None:
    organization = sandbox.workspace.insert("organizations", {"externalId": "o"})["id"]
    scene = Scene(sandbox, "nps_response", there=["a", "of an account"])
    user = sandbox.workspace.insert("users", {"externalId": "o", "organizationIds": [organization]})
    both = sandbox.workspace.insert("users", {**user, "id": "both", "accountIds": [scene.account]})
    scene.insert("of an organization", userId=user["id"])
    scene.insert("of both", userId=both["id"])
    scene.pass_time()

    run = scene.sync(["a"], max_deletes_percent=75)

    assert run.error is None, run.errors
    assert scene.left() == {"a"}
    assert "3 deleted of 3 that are not in the sync, of 4 rows in Vitally." in said(run)


# What is kept


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"externalId": None}, "of 1 rows in Vitally."),
        ({"archivedAt": WHEN}, "of 1 rows in Vitally."),
        ({"source": "hubspot"}, "of 1 rows in Vitally; kept: 1 of an integration."),
        ({"createdAt": "2999-01-01T00:00:00.000Z"}, "of 2 rows in Vitally; kept: 1 newer than the sync."),
        ({"createdAt": "soon"}, "of 2 rows in Vitally; kept: 1 newer than the sync."),
    ],
    ids=str,
)
@pytest.mark.parametrize("omitted_means_all", [False, True])
def test_what_is_never_deleted(make_sandbox: Any, more: Json, words: str, omitted_means_all: bool) -> None:
    sandbox = make_sandbox(empty=True, switches=Switches(archived_ignored=omitted_means_all))
    scene = Scene(sandbox, there=["a"])
    kept = scene.insert(**{"key": "other", **more} if "externalId" not in more else {"key": None})
    scene.pass_time()

    run = scene.sync(["a"], max_deletes_percent=100)

    assert run.error is None
    assert sandbox.workspace.get("notes", kept["id"])["updatedAt"] == kept["updatedAt"]
    assert scene.deletes == 0
    assert f"0 deleted of 0 that are not in the sync, {words}" in said(run)


def test_a_row_made_while_the_sync_runs_is_kept(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, there=["a", "gone"])

    def insert(page: Page) -> None:
        if not sandbox.workspace.find("notes", "by hand"):
            scene.insert("by hand")

    sandbox.after_page = insert
    run = scene.sync(["a"])

    assert run.error is None
    assert scene.left() == {"a", "by hand"}


def give_its_key(scene: Scene) -> None:
    scene.sandbox.workspace.update("notes", scene.ids["gone"], {"externalId": "b"})


def give_another_key(scene: Scene) -> None:
    scene.sandbox.workspace.update("notes", scene.ids["gone"], {"externalId": "else"})


def archive(scene: Scene) -> None:
    scene.sandbox.workspace.archive("notes", scene.ids["gone"])


def take_over(scene: Scene) -> None:
    scene.sandbox.workspace.update("notes", scene.ids["gone"], {"source": "hubspot"})


def delete(scene: Scene) -> None:
    scene.sandbox.workspace.delete("notes", scene.ids["gone"])


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (give_its_key, "0 deleted of 1 that are not in the sync, of 3 rows in Vitally; kept: 1 changed meanwhile"),
        (give_another_key, "1 changed meanwhile"),
        (take_over, "1 changed meanwhile"),
        (archive, "1 gone meanwhile"),
        (delete, "1 gone meanwhile"),
    ],
)
def test_what_changes_after_the_list_was_read_is_not_deleted(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, edit: Callable[[Scene], None], words: str
) -> None:
    scene = Scene(sandbox, there=["a", "b", "gone"])
    around_the_list(monkeypatch, after=lambda: edit(scene))

    run = scene.sync(["a", "b"])

    assert run.error is None
    assert scene.deletes == 0
    assert words in said(run)


# What counts as being in the table


@pytest.mark.parametrize(
    ("in_vitally", "in_table"),
    [("7", 7), ("7", 7.0), ("a", " a "), (" a", "a"), ("a/\N{LATIN SMALL LETTER A WITH DIAERESIS} b", "a/\xe4 b")],
)
def test_keys_are_compared_as_they_are_written(sandbox: Sandbox, in_vitally: str, in_table: Any) -> None:
    scene = Scene(sandbox, "task", there=["x", in_vitally, in_vitally.upper() + "!"])

    run = scene.sync(["x", in_table])

    assert run.error is None, run.errors
    assert in_vitally in scene.left() or in_vitally.strip() in scene.left()
    assert scene.deletes == 1


def test_rows_matched_by_vitallys_id_or_email_are_in_the_table(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(sandbox, "user", there=["a", "gone", "later"])
    emailed = scene.insert("emailed", email="ida@example.com")
    scene.pass_time()
    email = {"email": "IDA@example.com"}
    around_the_list(monkeypatch, after=lambda: sandbox.workspace.update("users", scene.ids["later"], email))
    table = [
        record("table", {"id": scene.ids["a"], "name": "New"}),
        record("table", {"email": "Ida@Example.com", "name": "New"}),
        scene.record("ida"),
    ]

    run = scene.sync(messages=[*table, complete("table")])

    assert run.error is None, run.errors
    assert scene.left() == {"a", "emailed", "later"}
    assert sandbox.workspace.get("users", emailed["id"])["name"] == "New"


def test_rejected_rows_are_in_the_table(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, there=["a", "flawed", "refused", "tombstone", "gone"])
    sandbox.faults.add(Fault(path=scene.ids["refused"], method="PUT", status=400))
    sandbox.faults.add(Fault(path=scene.ids["tombstone"], method="DELETE", status=400))
    messages = [
        scene.record("a"),
        scene.record("flawed", noteDate="no date"),
        scene.record("refused"),
        scene.record("tombstone", _ab_cdc_deleted_at=WHEN),
        complete("table"),
    ]

    run = scene.sync(messages=messages)

    assert run.error is None, run.errors
    assert run.counts("table")["rejected"] == 3, run.log
    assert scene.left() == {"a", "flawed", "refused", "tombstone"}


@pytest.mark.parametrize("name", ["organization", "user"])
def test_rows_that_are_not_sent_because_nothing_changed_are_in_the_table(sandbox: Sandbox, name: str) -> None:
    scene = Scene(sandbox, name)
    keys = ["a", "b", "ida"]
    scene.sync(keys)
    scene.insert("gone")
    scene.pass_time()

    run = scene.sync(keys, skip_unchanged=True)

    assert run.error is None, run.errors
    assert run.counts("table")["unchanged"] == 3, run.log
    assert scene.left() | {"ida"} == {*keys}


def test_of_two_tables_a_row_is_missing_only_if_it_is_in_neither(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, there=["a", "b", "gone"])
    mappings = [scene.mapping("one"), scene.mapping("two")]
    messages = [scene.record("a", "one"), complete("one"), scene.record("b", "two"), complete("two")]

    run = scene.sync(messages=messages, streams=[full("one"), full("two")], mappings=mappings)

    assert run.error is None
    assert scene.left() == {"a", "b"}
    assert "Mirror of note (stream one, two): 1 deleted of 1" in said(run)

    # Two spellings are one custom object.
    scene = Scene(sandbox, "custom_object/featureRequest", there=["a", "b", "gone"])
    mappings = [scene.mapping("one"), scene.mapping("two", object="custom_object/feature_request")]
    run = scene.sync(messages=messages_of(scene), streams=[full("one"), full("two")], mappings=mappings)
    assert run.error is None, run.errors
    assert scene.left() == {"a", "b"}


def messages_of(scene: Scene) -> list[Json]:
    return [scene.record("a", "one"), complete("one"), scene.record("b", "two"), complete("two")]


def test_children_go_before_their_parents(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "account", there=["kept", "gone"])
    insert = sandbox.workspace.insert
    kept, gone = scene.ids["kept"], scene.ids["gone"]
    insert("notes", {"externalId": "n", "note": "N", "accountId": kept})
    insert("notes", {"externalId": "of gone", "note": "N", "accountId": gone})
    scene.pass_time()
    notes: Json = {"stream": "notes", "object": "note", "other_columns": "ignore", "missing_rows": "delete"}
    notes["missing_rows_grace_hours"] = 0
    messages = [
        *(scene.record(key) for key in ("kept", "acme")),
        record("notes", {"externalId": "n", "note": "N", "noteDate": WHEN, "accountId": "kept"}),
        *(complete(name) for name in ("table", "notes")),
    ]

    run = scene.sync(messages=messages, streams=[full("table"), full("notes")], mappings=[scene.mapping(), notes])

    assert run.error is None, run.errors
    deleted = [request.path for request in sandbox.journal.matching("", "DELETE")]
    assert [path.split("/")[2] for path in deleted] == ["notes", "accounts"]


# How it goes


def test_states_do_not_wait_for_deletes(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, there=["a", "gone"])
    config = destination_config(sandbox, allow_deletes=True, max_deletes_percent=50, mappings=[scene.mapping()])
    lines = [scene.record("a"), state("table", 1), complete("table")]

    given = write_chunks(config, [full("table")], [[as_line(line)] for line in lines])

    assert next(given)["state"]["destinationStats"] == {"recordCount": 1.0, "rejectedRecordCount": 0.0}
    assert scene.deletes == 0
    assert list(given) == []
    assert scene.left() == {"a"}


def as_line(message: Json) -> bytes:
    return orjson.dumps(message)


def test_what_a_sync_that_was_stopped_has_left_the_next_one_deletes(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = {f"gone{n}" for n in range(30)}
    scene = Scene(sandbox, there=["a", *gone])
    destinations: list[DestinationVitally] = []
    monkeypatch.setattr(DestinationVitally, "_feed", _remembering(destinations))
    _on_delete(sandbox, monkeypatch, lambda: destinations[-1]._stop.set())  # noqa: PLW0108 - there is none yet

    run = scene.sync(["a"], max_deletes_percent=100, num_workers=1)

    assert run.error is None
    assert 0 < scene.deletes < 10
    assert f"{scene.deletes} deleted of 30" in said(run)

    monkeypatch.undo()
    run = scene.sync(["a"], max_deletes_percent=100)
    assert run.error is None
    assert scene.left() == {"a"}


def _remembering(destinations: list[DestinationVitally]) -> Any:
    original = DestinationVitally._feed

    def feed(self: DestinationVitally, *given: Any) -> Any:
        destinations.append(self)
        return original(self, *given)

    return feed


def _on_delete(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    original = HANDLERS["delete"]

    def handler(self: Rest, *given: Any) -> Any:
        act()
        return original(self, *given)

    monkeypatch.setitem(HANDLERS, "delete", handler)


def test_an_outage_half_way_ends_the_sync_and_says_what_was_done(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, there=["a", *(f"gone{n}" for n in range(20))])
    sandbox.faults.add(Fault(method="DELETE", times=None, skip=5, status=503))
    sandbox.faults.add(Fault(path="users", times=None, status=503))

    run = scene.sync(["a"], max_deletes_percent=100, num_workers=1)

    assert run.failure_types == {"transient_error"}
    assert "5 deleted of 20" in said(run)

    sandbox.faults.clear()
    assert scene.sync(["a"], max_deletes_percent=100).error is None
    assert scene.left() == {"a"}


@pytest.mark.parametrize("kind", ["drop", "drop_after", "truncate"])
def test_a_delete_whose_answer_is_lost_is_counted_once(sandbox: Sandbox, kind: Any) -> None:
    scene = Scene(sandbox, there=["a", "gone"])
    sandbox.faults.add(Fault(method="DELETE", kind=kind))

    run = scene.sync(["a"])

    assert scene.left() == {"a"}
    assert "1 deleted of 1" in said(run)


def test_a_delete_that_vitally_refuses_is_said_and_does_not_fail_the_sync(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, there=["a", "b", "gone", "locked"])
    sandbox.faults.add(Fault(path=scene.ids["locked"], method="DELETE", status=400, body={"error": "Locked."}))

    run = scene.sync(["a", "b"])

    assert run.error is None
    assert scene.left() == {"a", "b", "locked"}
    assert "1 deleted of 2 that are not in the sync, of 4 rows in Vitally; kept: 1 not deleted." in said(run)
    assert "note 'locked': Vitally refused it: Locked." in said(run)


def test_what_it_costs(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, there=[f"k{n}" for n in range(250)])

    scene.sync([f"k{n}" for n in range(240)])

    first, *others = sandbox.journal
    assert first.query == {"limit": "1"}, "the time"
    at_the_end = others[max(n for n, request in enumerate(others) if request.method == "PUT") + 1 :]
    assert [request.path for request in at_the_end[:3]] == ["/resources/notes"] * 3, "a request for 100 rows"
    assert len(at_the_end) == 3 + 2 * 10, "two for a row that is deleted"
