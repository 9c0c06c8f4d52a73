"""What a mirror keeps although no row of the table has its key, and what it leaves behind of what it deletes."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from integration_tests.airbyte_platform import FULL_REFRESH_OVERWRITE, Connection, Selected, SourceStream
from integration_tests.destination.jobs import source_stream, sync
from integration_tests.destination.mirrored import REGISTRY, Scene, complete, full, said
from integration_tests.destination.stores import NAME, Store, served_store
from integration_tests.harness import Json, record, stream
from integration_tests.sandbox import Fault, Sandbox

UUID = "0b5c7a52-6f0e-4f5c-9c57-3b4f6e0a9d11"


@pytest.mark.parametrize(
    ("in_vitally", "in_table"),
    [
        ("Acme", "acme"),
        ("Stra\N{LATIN SMALL LETTER SHARP S}e", "STRASSE"),
        ("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "cafe\N{COMBINING ACUTE ACCENT}"),
        ("\N{FULLWIDTH DIGIT ONE}2", "12"),
        ("o\N{LATIN SMALL LIGATURE FI}x", "ofix"),
        (UUID.upper(), UUID),
        (UUID, UUID.replace("-", "")),
        ("{" + UUID + "}", UUID),
        ("a\N{ZERO WIDTH SPACE}b", "ab"),
        ("007", 7),
        ("7", "0007"),
        ("0", "00"),
    ],
)
def test_a_key_that_looks_like_one_of_the_table(sandbox: Sandbox, in_vitally: str, in_table: Any) -> None:
    scene = Scene(sandbox, there=[in_vitally, "missing"])
    run = sync(scene, keys=[in_table])
    assert run.error is None, run.errors
    assert "missing" not in scene.left()
    assert in_vitally in scene.left()
    assert "kept: 1 only spelled otherwise in the sync." in said(run)


@pytest.mark.parametrize("pair", [("a1", "a2"), ("7", "70"), ("a b", "ab"), ("a-b", "ab"), (UUID, UUID[:-1] + "2")])
def test_keys_that_are_two(sandbox: Sandbox, pair: tuple[str, str]) -> None:
    scene = Scene(sandbox, there=pair)
    run = sync(scene, keys=pair[1:])
    assert run.error is None, run.errors
    assert scene.left() == {pair[1]}


@pytest.mark.parametrize(
    ("hours", "grace", "is_kept"), [(23, None, True), (25, None, False), (1, 2, True), (3, 2, False), (1, 0, False)]
)
def test_rows_that_are_new_in_vitally(sandbox: Sandbox, hours: int, grace: int | None, is_kept: bool) -> None:
    scene = Scene(sandbox, there=["a", "new"])
    sandbox.clock.advance(3600 * hours)
    mapping = scene.mapping(missing_rows_grace_hours=grace)
    if grace is None:
        del mapping["missing_rows_grace_hours"]
    run = sync(scene, keys=["a"], mappings=[mapping])
    assert run.error is None, run.errors
    assert ("new" in scene.left()) == is_kept
    assert ("kept: 1 younger than the grace period." in said(run)) == is_kept


@pytest.mark.parametrize("verify", ["none", "sample"])
@pytest.mark.parametrize("is_lost", [False, True])
def test_children_are_moved_before_what_they_were_in_is_destroyed(sandbox: Sandbox, verify: str, is_lost: bool) -> None:
    """Given a user who moves to another account, when that is not to be seen yet, then the old one is not destroyed."""
    scene = Scene(sandbox, "account", there=["old"])
    user = sandbox.workspace.insert("users", {"externalId": "u", "accountIds": [scene.ids["old"]]})
    scene.pass_time()
    people = SourceStream("users", {"externalId": {}, "accountId": {}}, source_defined_primary_key=[["externalId"]])
    streams = [Selected(source_stream(scene), FULL_REFRESH_OVERWRITE), Selected(people, FULL_REFRESH_OVERWRITE)]
    connection = Connection(REGISTRY, *streams)
    connection.job()
    job = connection.job()
    users = [record("users", {"externalId": key, "accountId": "acme"}) for key in ("u", "other")]
    messages = job.delivered([scene.record("acme"), *users])
    sandbox.switches.drops = lambda message: is_lost and message.get("userId") == "u"

    run = scene.sync(messages=messages, streams=job.catalog["streams"], max_deletes_percent=100, verify=verify)

    assert run.error is None, run.errors
    assert ("old" in scene.left()) == is_lost, said(run)
    if is_lost:
        assert "1 rows of stream users are not written, and one of its rows may have to move away" in said(run)
    else:
        moved = sandbox.workspace.get("users", user["id"])
        assert moved
        assert moved["accountIds"] == [scene.account]


TASK: Json = {"externalId": "t", "name": "T", "accountId": "acme"}
STAYS: dict[str, tuple[list[Json], str]] = {
    "rejected": ([{**TASK, "dueDate": "never"}], "1 rows of stream tasks are not written"),
    "without a key": ([{**TASK, "externalId": None}], "1 rows of stream tasks are not written"),
    "of an account that is nowhere": ([{**TASK, "accountId": "else"}], "1 rows of stream tasks are not written"),
    "never arrived": ([], "stream tasks was cut short"),
    "moved": ([TASK], ""),
}
"""What arrives of a task that the table has under another account than Vitally."""


@pytest.mark.parametrize(("tasks", "doubt"), STAYS.values(), ids=STAYS)
def test_nothing_is_destroyed_while_what_is_below_it_may_have_to_move(
    sandbox: Sandbox, tasks: list[Json], doubt: str
) -> None:
    """Given a task whose account has left the table, when the task has not moved, then the account stays with it."""
    scene = Scene(sandbox, "account", there=["old"])
    sandbox.workspace.insert("tasks", {"externalId": "t", "name": "T", "accountId": scene.ids["old"]})
    scene.pass_time()
    rows = [record("tasks", {**TASK, "externalId": "other"}), *(record("tasks", task) for task in tasks)]
    ends = [complete("table"), complete("tasks", "COMPLETE" if tasks else "INCOMPLETE")]
    streams = [full("table"), stream("tasks")]

    run = scene.sync(messages=[scene.record("acme"), *rows, *ends], streams=streams, max_deletes_percent=100)

    assert run.error is None, run.errors
    assert ("old" in scene.left()) == bool(doubt), said(run)
    assert doubt in said(run)
    assert sandbox.workspace.find("tasks", "t")


def test_each_delete_is_in_the_log_before_it_is_sent(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, there=["a", "gone"])
    sandbox.faults.add(Fault(path=scene.ids["gone"], method="DELETE", status=400, body={"error": "Locked."}))
    run = sync(scene, keys=["a", "b"])
    line = f"Mirror: note 'gone' is going to be deleted; Vitally's id of it is {scene.ids['gone']}."
    assert line in run.logs()
    assert run.logs().index(line) < run.logs().index("Mirror: note 'gone': not deleted")


# With a bucket


@pytest.fixture(scope="module")
def bucket() -> Iterator[Store]:
    with served_store() as found:
        yield found


def kept(bucket: Store) -> list[Json]:
    """Return what is in the files of deleted rows, and take the files away."""
    lines: list[Json] = []
    for one in bucket.client.list_objects_v2(Bucket=NAME).get("Contents", []):
        body = bucket.client.get_object(Bucket=NAME, Key=one["Key"])["Body"].read()
        bucket.client.delete_object(Bucket=NAME, Key=one["Key"])
        if "/journal/" in one["Key"]:
            lines += map(orjson.loads, gzip.decompress(body).splitlines())
    return lines


@pytest.mark.parametrize("is_refused", [False, True])
def test_with_a_bucket_the_whole_row_is_kept(sandbox: Sandbox, bucket: Store, is_refused: bool) -> None:
    scene = Scene(sandbox, there=["a", "gone"])
    if is_refused:
        sandbox.faults.add(Fault(path=scene.ids["gone"], method="DELETE", status=400))
    row = sandbox.workspace.get("notes", scene.ids["gone"])
    assert row

    run = sync(scene, keys=["a"], object_storage_config=bucket.settings())

    assert run.error is None, run.errors
    intents = [line["intent"] for line in kept(bucket) if "intent" in line]
    [intent] = intents
    assert intent["row"]["id"] == intent["id"] == row["id"]
    assert intent["row"]["note"] == row["note"]
    assert (intent["object"], intent["operation"], intent["key"]) == (
        "note",
        "delete",
        {"externalId": "gone", "id": row["id"]},
    )


def test_what_cannot_be_kept_is_not_deleted(sandbox: Sandbox, bucket: Store) -> None:
    scene = Scene(sandbox, there=["a", "gone"])
    settings = bucket.settings(s3_bucket_name="no-such-bucket")
    run = sync(scene, keys=["a"], object_storage_config=settings)
    assert run.failure_types == {"config_error"}
    assert "no-such-bucket" in run.errors[0]
    assert scene.deletes == 0
    assert "gone" in scene.left()
