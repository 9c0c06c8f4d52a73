"""Rejected records in a bucket, kept by a server that speaks the S3 protocol."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from destination_vitally import DestinationVitally
from destination_vitally.commands.replay import replay
from destination_vitally.errors import ConfigError, OutageError
from integration_tests.destination.stores import NAME, Store, served_address
from integration_tests.harness import (
    FORKED_DESTINATION,
    Json,
    QuickClock,
    destination_config,
    record,
    run_process,
    state,
    stream,
    write,
    write_chunks,
)
from integration_tests.sandbox import Sandbox


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with served_address() as found:
        yield found


@pytest.fixture
def store(endpoint: str) -> Store:
    return Store(endpoint)


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    """A workspace that has the user of the events."""
    sandbox.workspace.insert("users", {"externalId": "u-1", "name": "Ada"})
    return sandbox


def events(count: int, bad: set[int]) -> Iterator[Json]:
    for n in range(count):
        data = {"id": f"e{n}", "event": "opened", "userId": "u-1", "secret": f"value-{n}"}
        yield record("opened", {k: v for k, v in data.items() if not (n in bad and k == "userId")})
        if n % 1000 == 999:
            yield state("opened", n)


def test_37_bad_rows_among_5000(sandbox: Sandbox, store: Store) -> None:
    bad = set(range(3, 5000, 137))
    assert len(bad) == 37
    settings = destination_config(
        sandbox,
        mappings=[{"stream": "opened", "object": "event", "other_columns": "traits"}],
        object_storage_config=store.settings(),
    )
    streams = [stream("opened", sync_id=4711, generation_id=1, minimum_generation_id=0)]
    result = write(settings, streams, events(5000, bad))

    assert result.error is None
    [(folder, lines)] = store.lines().items()
    assert folder == "airbyte/vitally/4711/opened"
    assert {line["record"]["data"]["id"] for line in lines} == {f"e{n}" for n in bad}
    assert len(lines) == 37 == result.counts("opened")["rejected"]
    stats = [state["destinationStats"] for state in result.states()]
    assert sum(numbers["rejectedRecordCount"] for numbers in stats) == 37
    assert sum(numbers["recordCount"] for numbers in stats) == 5000 - 37
    for line in lines:
        assert "userId or accountId or organizationId or userEmail is required" in line["reason"]
        assert line["status"] is None
        assert line["rejected_at"].endswith("Z")
    assert sum("Rejected, stream opened" in line for line in result.logs()) == 10
    assert "Stream opened: 37 rejected: userId or accountId" in result.log
    assert "value-" not in result.log

    mended = [{"type": "RECORD", "record": line["record"]} for line in lines]
    for message in mended:
        message["record"]["data"]["userId"] = "u-1"
    assert write(settings, streams, mended).counts("opened")["accepted"] == 37


def test_the_words_and_the_status_of_vitally_are_kept(sandbox: Sandbox, store: Store) -> None:
    namespaced = stream("notes")
    namespaced["stream"]["namespace"] = "public"
    message = record("notes", {"externalId": "n", "note": "x", "noteDate": "2026-01-01", "accountId": "nobody"})
    message["record"]["namespace"] = "public"
    write(destination_config(sandbox, object_storage_config=store.settings()), [namespaced], [message])
    [(folder, [line])] = store.lines().items()
    assert folder == "airbyte/vitally/0/public/notes"
    assert line["record"] == message["record"]
    assert line["reason"].startswith("note 'n': accountId: Vitally has no account with this id; sync it along, or let ")


def test_a_record_is_kept_before_the_state_that_covers_it(sandbox: Sandbox, store: Store) -> None:
    settings = destination_config(
        sandbox,
        mappings=[{"stream": "opened", "object": "event", "other_columns": "traits"}],
        object_storage_config=store.settings(),
    )
    kept: list[int] = []
    lines = [orjson.dumps(m) for m in events(3000, {5, 1500, 2500})]
    for _ in write_chunks(settings, [stream("opened")], [lines]):
        kept.append(sum(map(len, store.lines().values())))
    assert len(kept) == 3
    assert [count >= least for count, least in zip(kept, (1, 2, 3), strict=True)] == [True] * 3


def test_after_a_bucket_has_failed_no_state_covers_what_it_did_not_take(sandbox: Sandbox, store: Store) -> None:
    settings = destination_config(
        sandbox,
        mappings=[{"stream": "opened", "object": "event", "other_columns": "traits"}],
        object_storage_config=store.settings(),
    )
    del settings["secret_token"]  # without it rows are sent as they come
    given: list[int] = []

    def chunks() -> Iterator[list[bytes]]:
        messages = list(events(4000, {*range(100), 1500}))  # the first 900 good ones fill nine batches
        yield [orjson.dumps(m) for m in messages[:1001]]
        while not given:
            yield []
        for entry in store.client.list_objects_v2(Bucket=NAME)["Contents"]:
            store.client.delete_object(Bucket=NAME, Key=entry["Key"])
        store.client.delete_bucket(Bucket=NAME)
        yield [orjson.dumps(m) for m in messages[1001:]]

    written = write_chunks(settings, [stream("opened")], chunks())
    with pytest.raises(ConfigError, match="NoSuchBucket"):
        given.extend(message["state"]["id"] for message in written)
    assert given == [999]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"s3_bucket_name": "no-such-bucket"}, "cannot be kept in bucket 'no-such-bucket' (NoSuchBucket)"),
        (
            {"s3_endpoint": "http://127.0.0.1:9"},
            "cannot be reached (EndpointConnectionError). Check Endpoint (s3_endpoint)",
        ),
        ({"s3_bucket_name": "No Bucket"}, "(ParamValidationError). In Rejected records (object_storage_config), check"),
        (
            {"s3_bucket_region": "eu central 1"},
            "(InvalidRegionError). In Rejected records (object_storage_config), check",
        ),
        ({"s3_endpoint": "http://[::1"}, "In Rejected records (object_storage_config), check"),
    ],
)
def test_a_bucket_that_cannot_be_used_fails_check_and_sync(
    sandbox: Sandbox, store: Store, changes: Json, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("destination_vitally.outcomes.bucket.ATTEMPTS", 1)
    settings = destination_config(
        sandbox,
        mappings=[{"stream": "opened", "object": "event", "other_columns": "traits"}],
        object_storage_config=store.settings(**changes),
    )
    status = DestinationVitally(QuickClock()).check(logging.getLogger("airbyte"), settings)
    assert status.status.value == "FAILED"
    assert problem in str(status.message)
    result = write(settings, [stream("opened")], events(1000, {7}))
    assert isinstance(result.error, ConfigError | OutageError)
    assert problem in str(result.error)
    assert result.states() == []


def test_a_good_bucket_passes_check_and_is_left_as_it_was(sandbox: Sandbox, store: Store) -> None:
    run = run_process(
        FORKED_DESTINATION, "check", config=destination_config(sandbox, object_storage_config=store.settings())
    )
    assert run.connection_status["status"] == "SUCCEEDED"
    assert "example/secret" not in run.raw + run.stderr
    assert store.lines() == {}


def test_a_flood_of_rejections_does_not_wait_for_a_state(
    sandbox: Sandbox, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("destination_vitally.outcomes.files.FULL_BYTES", 10_000)
    settings = destination_config(
        sandbox,
        mappings=[{"stream": "opened", "object": "event", "other_columns": "traits"}],
        object_storage_config=store.settings(),
    )
    messages = [m for m in events(999, set(range(1, 999))) if m["type"] == "RECORD"]
    chunks = ([orjson.dumps(m) for m in messages[n : n + 100]] for n in range(0, 999, 100))
    assert list(write_chunks(settings, [stream("opened")], chunks)) == []
    assert sum(map(len, store.lines().values())) == 998
    assert len(store.client.list_objects_v2(Bucket=NAME)["Contents"]) >= 5


@pytest.mark.parametrize("command", ["check", "write"])
def test_without_the_client_of_s3_a_bucket_is_a_config_error(
    sandbox: Sandbox, store: Store, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.delitem(sys.modules, "destination_vitally.outcomes.bucket", raising=False)
    monkeypatch.setitem(sys.modules, "boto3", None)
    mappings = [{"stream": "opened", "object": "event", "other_columns": "traits"}]
    settings = destination_config(sandbox, mappings=mappings, object_storage_config=store.settings())
    if command == "check":
        message = str(DestinationVitally().check(logging.getLogger("airbyte"), settings).message)
    else:
        message = str(write(settings, [stream("opened")], events(1, set())).error)
    assert "pip install 'airbyte-vitally[s3]'" in message


@pytest.mark.parametrize(("format_type", "suffix"), [("JSONL", ".jsonl.gz"), ("CSV", ".csv.gz")])
def test_what_was_rejected_is_replayed(
    sandbox: Sandbox, store: Store, tmp_path: Path, format_type: str, suffix: str
) -> None:
    """From the bucket through the command into a sync whose mapping has been corrected."""
    mapping = {"stream": "opened", "object": "event", "other_columns": "traits"}
    settings = destination_config(
        sandbox, mappings=[mapping], object_storage_config=store.settings(format={"format_type": format_type})
    )
    write(settings, [stream("opened")], events(1000, {7, 8}))
    [listed] = store.client.list_objects_v2(Bucket=NAME)["Contents"]
    assert listed["Key"].endswith(suffix)
    path = tmp_path / f"rejected{suffix}"
    path.write_bytes(store.client.get_object(Bucket=NAME, Key=listed["Key"])["Body"].read())
    replayed = list(replay([str(path)]))
    assert [message["record"]["data"]["id"] for message in replayed] == ["e7", "e8"]

    corrected = {**mapping, "constants": [{"field": "userId", "value": "u-1"}]}
    result = write(destination_config(sandbox, mappings=[corrected]), [stream("opened")], replayed)
    assert result.error is None
    assert result.counts("opened")["accepted"] == result.counts("opened")["records"] == 2


@pytest.mark.parametrize("format_type", ["JSONL", "CSV"])
def test_what_one_entry_rejected_is_replayed_to_it_alone(
    sandbox: Sandbox, store: Store, tmp_path: Path, format_type: str
) -> None:
    """Given a stream of two entries, one of which rejects a row, when that is replayed, then the other gets nothing."""
    fields = [{"field": "externalId", "column": "id"}]
    account = {"stream": "opened", "object": "account", "fields": fields, "other_columns": "ignore"}
    event = {"stream": "opened", "object": "event", "other_columns": "traits"}
    bucket = store.settings(format={"format_type": format_type})
    settings = destination_config(sandbox, mappings=[account, event], object_storage_config=bucket)
    first = write(settings, [stream("opened")], events(100, {7}))
    assert (first.counts("opened, entry 1")["rejected"], first.counts("opened, entry 2")["rejected"]) == (0, 1)
    [listed] = store.client.list_objects_v2(Bucket=NAME)["Contents"]
    path = tmp_path / "rejected"
    path.write_bytes(store.client.get_object(Bucket=NAME, Key=listed["Key"])["Body"].read())
    settings["mappings"][1]["constants"] = [{"field": "userId", "value": "u-1"}]
    again = write(settings, [stream("opened")], list(replay([str(path)])))
    assert [again.counts(f"opened, entry {number}")["records"] for number in (1, 2)] == [0, 1]
    assert again.counts("opened, entry 2")["accepted"] == 1


def test_a_role_is_assumed_to_reach_the_bucket(sandbox: Sandbox, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Json] = []

    def assume(fetcher: Any, *_: Any) -> Json:
        asked.append(fetcher._assume_kwargs)
        expiry = "2999-01-01T00:00:00Z"
        return {"Credentials": {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c", "Expiration": expiry}}

    monkeypatch.setattr("botocore.credentials.AssumeRoleCredentialFetcher._get_credentials", assume)
    monkeypatch.setenv("AWS_ASSUME_ROLE_EXTERNAL_ID", "workspace-1")
    role = "arn:aws:iam::123456789012:role/rejected-records"
    settings = destination_config(sandbox, object_storage_config=store.settings(role_arn=role))
    status = DestinationVitally(QuickClock()).check(logging.getLogger("airbyte"), settings)
    assert status.status.value == "SUCCEEDED", status.message
    [one] = asked
    assert (one["RoleArn"], one["ExternalId"]) == (role, "workspace-1")


def test_a_role_is_asked_for_where_the_bucket_is(sandbox: Sandbox, store: Store) -> None:
    """The server of the test grants every role that exists or not, as Amazon's does only where that is allowed."""
    role = "arn:aws:iam::123456789012:role/rejected-records"
    settings = destination_config(sandbox, object_storage_config=store.settings(role_arn=role))
    status = DestinationVitally(QuickClock()).check(logging.getLogger("airbyte"), settings)
    assert status.status.value == "SUCCEEDED", status.message
