"""What arrives at a destination of what a source prints."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.airbyte_platform import (
    CLEAR,
    FULL_REFRESH_APPEND,
    FULL_REFRESH_OVERWRITE,
    INCREMENTAL_APPEND,
    Connection,
    Destination,
    Job,
    Mode,
    Selected,
    SourceStream,
)
from integration_tests.airbyte_platform.replication import Renaming

DECLARED = ("append", "overwrite", "append_dedup")
TEXT = {"type": "string"}
STREAM = SourceStream("accounts", {"id": TEXT, "name": TEXT}, namespace="public")
REGISTRY, CUSTOM = Destination.from_registry(DECLARED), Destination.custom_docker(DECLARED)


def job(destination: Destination = REGISTRY, **choices: Any) -> Job:
    return Connection(destination, Selected(STREAM, FULL_REFRESH_OVERWRITE, **choices)).job()


def record(key: str, **more: Any) -> Any:
    data = {"id": key, **more}
    return {"type": "RECORD", "record": {"stream": "accounts", "namespace": "public", "emitted_at": 1, "data": data}}


def state(**more: Any) -> Any:
    of_stream = {"stream_descriptor": {"name": "accounts", "namespace": "public"}, "stream_state": {"n": 1}}
    return {"type": "STATE", "state": {"type": "STREAM", "stream": of_stream, **more}}


def status(name: str) -> Any:
    of_stream = {"stream_descriptor": {"name": "accounts", "namespace": "public"}, "status": name}
    return {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1.0, "stream_status": of_stream}}


def kinds(messages: list[Any]) -> list[str]:
    return [message["type"] for message in messages]


def counts(messages: list[Any]) -> list[float]:
    return [message["state"]["sourceStats"]["recordCount"] for message in messages if message["type"] == "STATE"]


@pytest.mark.parametrize(
    ("destination", "succeeds", "ends"),
    [(REGISTRY, True, ["TRACE"]), (REGISTRY, False, []), (CUSTOM, True, []), (CUSTOM, False, [])],
)
def test_no_status_of_a_source_arrives_but_one_that_the_platform_makes(
    destination: Destination, succeeds: bool, ends: list[str]
) -> None:
    """Given a source that says STARTED and INCOMPLETE, then only COMPLETE arrives, and only where it succeeded."""
    log = {"type": "LOG", "log": {"level": "INFO", "message": "hello"}}
    messages = [status("STARTED"), log, record("a"), state(), status("INCOMPLETE")]
    arrived = job(destination).delivered(messages, succeeds)
    assert kinds(arrived) == ["RECORD", "STATE", *ends]
    said = [message["trace"]["stream_status"] for message in arrived if message["type"] == "TRACE"]
    assert said == [{"stream_descriptor": {"name": "accounts"}, "status": "COMPLETE"} for _ in ends]


def test_states_have_ids_and_counts() -> None:
    messages = [record("a"), record("b"), state(), record("c"), state(sourceStats={"recordCount": 2.0}), state()]
    arrived = job().delivered(messages)
    assert counts(arrived) == [2.0, 2.0, 0.0], "a count of the source's own is left as it is, and shows what was lost"
    assert [message["state"]["id"] for message in arrived if message["type"] == "STATE"] == [1, 2, 3]


@pytest.mark.parametrize("own", [{}, {"sourceStats": {"recordCount": 3.0}}])
def test_a_row_filter_leaves_no_gap(own: Any) -> None:
    messages = [record("a"), record("b"), record("c"), state(**own)]
    arrived = job(keeps=lambda data: data["id"] != "b").delivered(messages)
    assert [message["record"]["data"]["id"] for message in arrived if message["type"] == "RECORD"] == ["a", "c"]
    assert counts(arrived) == [2.0]


def test_a_record_without_data_is_lost_and_the_sources_count_shows_it() -> None:
    empty = record("a")
    empty["record"]["data"] = {}
    arrived = job().delivered([empty, record("b"), state(sourceStats={"recordCount": 2.0}), state()])
    assert kinds(arrived)[:2] == ["RECORD", "STATE"]
    assert counts(arrived) == [2.0, 0.0]


def test_a_global_state_counts_the_streams_that_it_lists() -> None:
    users = SourceStream("users", {"id": TEXT})
    connection = Connection(REGISTRY, Selected(STREAM, FULL_REFRESH_APPEND), Selected(users, FULL_REFRESH_APPEND))
    of_users = {"type": "RECORD", "record": {"stream": "users", "emitted_at": 1, "data": {"id": "u"}}}
    of_accounts = {"stream_descriptor": {"name": "accounts", "namespace": "public"}}

    def given(*streams: Any) -> Any:
        return {"type": "STATE", "state": {"type": "GLOBAL", "global": {"stream_states": list(streams)}}}

    both = given(of_accounts, {"stream_descriptor": {"name": "users"}})
    arrived = connection.job().delivered([record("a"), of_users, both, record("b"), of_users, given(of_accounts)])
    assert counts(arrived) == [2.0, 1.0]
    assert kinds(arrived)[-2:] == ["TRACE", "TRACE"]


def test_a_full_refresh_without_a_state_gets_an_empty_one_if_the_source_succeeds() -> None:
    arrived = job(CUSTOM).delivered([record("a"), record("b")])
    assert [message["state"]["stream"]["stream_state"] for message in arrived[2:]] == [{}]
    assert counts(arrived) == [2.0]
    assert kinds(job(CUSTOM).delivered([record("a")], source_succeeds=False)) == ["RECORD"]


@pytest.mark.parametrize(
    ("mode", "is_resumable"),
    [(INCREMENTAL_APPEND, False), (FULL_REFRESH_OVERWRITE, True)],
    ids=["incremental", "resumable"],
)
def test_other_streams_get_no_state_that_the_source_did_not_give(mode: Mode, is_resumable: bool) -> None:
    stream = SourceStream("accounts", {"id": TEXT}, source_defined_cursor=True, is_resumable=is_resumable)
    connection = Connection(CUSTOM, Selected(stream, mode))
    assert kinds(connection.job().delivered([record("a")])) == ["RECORD"]


@pytest.mark.parametrize(
    ("destination", "saved", "expected"),
    [
        (REGISTRY, "STREAM", ["STATE", "TRACE"]),
        (REGISTRY, "GLOBAL", ["STATE", "TRACE"]),
        (REGISTRY, None, ["STATE", "TRACE"]),
        (CUSTOM, "STREAM", ["STATE"]),
    ],
)
def test_a_clear_job_brings_empty_states_and_no_record(
    destination: Destination, saved: str | None, expected: list[str]
) -> None:
    connection = Connection(destination, Selected(STREAM, FULL_REFRESH_OVERWRITE))
    arrived = connection.job(CLEAR).delivered(saved_state=saved)
    assert kinds(arrived) == expected
    assert counts(arrived) == [0.0]
    assert not (arrived[0]["state"].get("stream") or {}).get("stream_state")


@pytest.mark.parametrize(
    ("renaming", "descriptor"),
    [
        (Renaming(), {"name": "accounts"}),
        (Renaming("crm_", "${SOURCE_NAMESPACE}"), {"name": "crm_accounts", "namespace": "public"}),
        (Renaming(namespace_format="raw_${SOURCE_NAMESPACE}"), {"name": "accounts", "namespace": "raw_public"}),
    ],
)
def test_names_are_those_of_the_destination(renaming: Renaming, descriptor: dict[str, str]) -> None:
    one = Selected(STREAM, FULL_REFRESH_OVERWRITE)
    found = Connection(REGISTRY, one, renaming=renaming).job()
    arrived = found.delivered([record("a"), state()])
    [entry] = found.catalog["streams"]
    taken = [
        {name: entry["stream"][name] for name in ("name", "namespace") if name in entry["stream"]},
        arrived[1]["state"]["stream"]["stream_descriptor"],
        arrived[2]["trace"]["stream_status"]["stream_descriptor"],
    ]
    assert taken == [descriptor] * 3
    received = arrived[0]["record"]
    assert (received["stream"], received.get("namespace")) == (descriptor["name"], descriptor.get("namespace"))


def test_columns_are_the_selected_ones_by_their_new_names() -> None:
    [arrived, *_] = job(fields={"id": "externalId"}).delivered([record("a", name="Acme", unknown=1)])
    assert arrived["record"]["data"] == {"externalId": "a"}
    [arrived, *_] = job().delivered([record("a", name="Acme", unknown=1)])
    assert arrived["record"]["data"] == {"id": "a", "name": "Acme"}
