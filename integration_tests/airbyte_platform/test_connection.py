"""The configured catalogs of jobs: modes, generations, columns."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer

from integration_tests.airbyte_platform import (
    CLEAR,
    FULL_REFRESH_APPEND,
    FULL_REFRESH_OVERWRITE,
    FULL_REFRESH_OVERWRITE_DEDUP,
    INCREMENTAL_APPEND,
    INCREMENTAL_APPEND_DEDUP,
    MERGE,
    SYNC,
    TRUNCATE,
    Connection,
    Destination,
    Mode,
    NotOffered,
    Selected,
    SourceStream,
)
from integration_tests.harness import stream

ALL = ("append", "overwrite", "append_dedup", "update", "soft_delete")
TEXT = {"type": "string"}
STREAM = SourceStream(
    "accounts",
    {"id": TEXT, "name": TEXT, "updated_at": TEXT},
    source_defined_primary_key=[["id"]],
    source_defined_cursor=True,
    default_cursor_field=["updated_at"],
)
REGISTRY, CUSTOM = Destination.from_registry(ALL), Destination.custom_docker(ALL)


class Sent(NamedTuple):
    """What a destination gets of the mode: the two modes, and the generations of the second job."""

    sync_mode: str
    destination_sync_mode: str
    generation_id: int | None
    minimum_generation_id: int | None


def sent(entry: dict[str, Any]) -> Sent:
    return Sent(*(entry.get(name) for name in Sent._fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mode", "kind", "expected"),
    [
        (FULL_REFRESH_APPEND, SYNC, Sent("full_refresh", "append", 2, 0)),
        (FULL_REFRESH_OVERWRITE, SYNC, Sent("full_refresh", "append", 2, 2)),
        (FULL_REFRESH_OVERWRITE_DEDUP, SYNC, Sent("full_refresh", "append_dedup", 2, 2)),
        (INCREMENTAL_APPEND, SYNC, Sent("incremental", "append", 0, 0)),
        (INCREMENTAL_APPEND_DEDUP, SYNC, Sent("incremental", "append_dedup", 0, 0)),
        (FULL_REFRESH_APPEND, MERGE, Sent("full_refresh", "append", 2, 0)),
        (FULL_REFRESH_OVERWRITE, MERGE, Sent("full_refresh", "append", 2, 2)),
        (INCREMENTAL_APPEND_DEDUP, MERGE, Sent("incremental", "append_dedup", 1, 0)),
        (FULL_REFRESH_APPEND, TRUNCATE, Sent("full_refresh", "append", 2, 2)),
        (INCREMENTAL_APPEND, TRUNCATE, Sent("incremental", "append", 1, 1)),
        (INCREMENTAL_APPEND_DEDUP, TRUNCATE, Sent("incremental", "append_dedup", 1, 1)),
        (FULL_REFRESH_APPEND, CLEAR, Sent("full_refresh", "append", 2, 2)),
        (INCREMENTAL_APPEND_DEDUP, CLEAR, Sent("full_refresh", "append", 1, 1)),
    ],
    ids=str,
)
def test_the_second_job_of_a_destination_that_supports_refreshes(mode: Mode, kind: str, expected: Sent) -> None:
    connection = Connection(REGISTRY, Selected(STREAM, mode))
    connection.job()
    [entry] = connection.job(kind).catalog["streams"]
    assert sent(entry) == expected
    assert entry["sync_id"] == 2


@pytest.mark.parametrize(
    ("mode", "kind", "expected"),
    [
        (FULL_REFRESH_OVERWRITE, SYNC, ("full_refresh", "overwrite")),
        (FULL_REFRESH_APPEND, SYNC, ("full_refresh", "append")),
        (INCREMENTAL_APPEND_DEDUP, SYNC, ("incremental", "append_dedup")),
        (INCREMENTAL_APPEND_DEDUP, CLEAR, ("full_refresh", "overwrite")),
    ],
)
def test_a_custom_docker_destination_gets_the_word_and_no_ids(mode: Mode, kind: str, expected: tuple[str, str]) -> None:
    connection = Connection(CUSTOM, Selected(STREAM, mode))
    [entry] = connection.job(kind).catalog["streams"]
    assert sent(entry) == Sent(*expected, None, None)
    assert "sync_id" not in entry
    for refresh in (MERGE, TRUNCATE):
        with pytest.raises(NotOffered):
            connection.job(refresh)


@pytest.mark.parametrize(
    ("mode", "by_api"),
    [
        (INCREMENTAL_APPEND, False),
        (INCREMENTAL_APPEND_DEDUP, False),
        (FULL_REFRESH_OVERWRITE, False),
        (Mode("incremental", "update"), True),
        (Mode("incremental", "soft_delete"), True),
    ],
    ids=str,
)
def test_the_streams_of_other_tests_are_what_a_custom_docker_destination_gets(mode: Mode, by_api: bool) -> None:
    [entry] = Connection(CUSTOM, Selected(STREAM, mode), by_api=by_api).job(SYNC).catalog["streams"]
    assert sent(stream("rows", mode.destination_sync_mode)) == sent(entry)


@pytest.mark.parametrize("is_resumable", [False, True])
@pytest.mark.parametrize("flag", [False, True])
@pytest.mark.parametrize("kind", [SYNC, TRUNCATE])
def test_a_retry_begins_a_full_refresh_again_unless_it_can_go_on(kind: str, flag: bool, is_resumable: bool) -> None:
    stream = SourceStream("accounts", {"id": TEXT}, supported_sync_modes=["full_refresh"], is_resumable=is_resumable)
    connection = Connection(REGISTRY, Selected(stream, FULL_REFRESH_OVERWRITE), resumes_full_refreshes=flag)
    retry = connection.job(kind, attempt=2)
    [entry] = retry.catalog["streams"]
    goes_on = flag and is_resumable
    assert retry.from_start == (set() if goes_on else {"accounts"})
    generation = 1 if goes_on else 2
    assert (entry["generation_id"], entry["minimum_generation_id"], entry["sync_id"]) == (generation, generation, 1)


def test_the_retry_of_an_incremental_refresh_goes_on_in_the_same_generation() -> None:
    job = Connection(REGISTRY, Selected(STREAM, INCREMENTAL_APPEND)).job(TRUNCATE)
    retry = job.retried()
    assert job.from_start == {"accounts"}
    assert not retry.from_start
    assert sent(retry.catalog["streams"][0]) == sent(job.catalog["streams"][0]) == Sent("incremental", "append", 1, 1)


def test_a_job_touches_the_streams_that_it_names() -> None:
    users = SourceStream("users", {"id": TEXT})
    connection = Connection(REGISTRY, Selected(STREAM, INCREMENTAL_APPEND), Selected(users, FULL_REFRESH_OVERWRITE))
    refresh = {
        entry["stream"]["name"]: sent(entry) for entry in connection.job(MERGE, streams=["accounts"]).catalog["streams"]
    }
    assert refresh == {
        "accounts": Sent("incremental", "append", 1, 0),
        "users": Sent("full_refresh", "append", 1, 1),
    }
    [cleared] = connection.job(CLEAR, streams=["users"]).catalog["streams"]
    assert (cleared["stream"]["name"], sent(cleared)) == ("users", Sent("full_refresh", "append", 2, 2))


def test_data_activation_sends_the_fields_of_the_object() -> None:
    destination = Destination.data_activation(ALL, {"account": ["append_dedup"]})
    mode = Mode("incremental", "append_dedup")
    fields = {"id": "externalId", "name": "name"}
    one = Selected(STREAM, mode, object_name="account", fields=fields)
    job = Connection(destination, one).job()
    [entry] = job.catalog["streams"]
    assert entry["destination_object_name"] == "account"
    assert list(entry["stream"]["json_schema"]["properties"]) == ["externalId", "name"]
    assert entry["primary_key"] == [["externalId"]]
    assert entry["cursor_field"] == [], "a cursor that no field is made of is taken out"
    assert sent(entry) == Sent("incremental", "append_dedup", 0, 0)
    [of_source] = job.source_catalog["streams"]
    assert list(of_source["stream"]["json_schema"]["properties"]) == ["id", "name", "updated_at"]
    assert (of_source["primary_key"], of_source["cursor_field"]) == ([["id"]], ["updated_at"])


@pytest.mark.parametrize(
    ("mode", "by_api", "word"),
    [
        (FULL_REFRESH_OVERWRITE_DEDUP, False, "overwrite"),
        (FULL_REFRESH_OVERWRITE, False, "overwrite"),
        (Mode("full_refresh", "update"), True, "append"),
    ],
)
def test_a_source_never_gets_a_mode_that_it_may_not_know(mode: Mode, by_api: bool, word: str) -> None:
    job = Connection(REGISTRY, Selected(STREAM, mode), by_api=by_api).job()
    assert [entry["destination_sync_mode"] for entry in job.source_catalog["streams"]] == [word]


def test_a_catalog_is_one_of_the_protocol() -> None:
    job = Connection(REGISTRY, Selected(STREAM, INCREMENTAL_APPEND_DEDUP)).job()
    for catalog in (job.catalog, job.source_catalog):
        [loaded] = ConfiguredAirbyteCatalogSerializer.load(catalog).streams
        assert (loaded.stream.name, loaded.primary_key, loaded.cursor_field) == ("accounts", [["id"]], ["updated_at"])
