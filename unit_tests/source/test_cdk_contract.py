"""What this source leans on inside airbyte-cdk: a failure here means an upgrade of the CDK changed it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from queue import Queue
from typing import Any

import pytest
from airbyte_cdk.logger import PRINT_BUFFER, init_logger
from airbyte_cdk.models import AirbyteMessage, ConfiguredAirbyteCatalogSerializer, Type
from airbyte_cdk.sources.concurrent_source.stream_thread_exception import StreamThreadException
from airbyte_cdk.sources.declarative.parsers.model_to_component_factory import ModelToComponentFactory
from airbyte_cdk.sources.streams.call_rate import CallRateLimitHit
from airbyte_cdk.sources.streams.concurrent.default_stream import DefaultStream
from airbyte_cdk.sources.streams.concurrent.partition_reader import PartitionReader
from airbyte_cdk.sources.streams.concurrent.partitions.types import PartitionCompleteSentinel
from airbyte_cdk.sources.streams.http import HttpClient
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils.print_buffer import PrintBuffer
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_vitally import SourceVitally, cdk
from source_vitally.budget import RequestBudget
from source_vitally.client import PatientClient
from source_vitally.details import DetailRetriever
from source_vitally.feed_cursor import FeedCursor
from source_vitally.manifest import manifest
from source_vitally.memory import QUEUED_BYTES, WeighedQueue
from source_vitally.retrievers import FeedRetriever
from source_vitally.run import run
from source_vitally.workspace import DEFINITIONS

CONFIG = {"data_center": {"region": "eu"}, "secret_token": "sk_live_example_not_real"}


@pytest.fixture
def source() -> SourceVitally:
    return SourceVitally(config=CONFIG)


@pytest.fixture
def streams(source: SourceVitally) -> dict[str, DefaultStream]:
    names = {stream["name"] for stream in source.resolved_manifest["streams"]}
    return {stream.name: stream for stream in cdk.streams_of(source, names) if isinstance(stream, DefaultStream)}


def retriever(stream: DefaultStream) -> FeedRetriever:
    found = stream._stream_partition_generator._partition_factory._retriever  # type: ignore[attr-defined]
    assert isinstance(found, FeedRetriever)
    return found


def test_the_version_is_in_the_range_these_tests_were_written_for() -> None:
    assert version("airbyte-cdk").startswith("7.39.")


def test_the_factory_still_asks_for_a_cursor_where_this_source_answers(source: SourceVitally) -> None:
    assert list(inspect.signature(ModelToComponentFactory._build_concurrent_cursor).parameters) == [
        "self",
        "model",
        "stream_slicer",
        "config",
    ]
    factory = source._constructor
    for attribute in ("_connector_state_manager", "_message_repository"):
        assert hasattr(factory, attribute), attribute


def test_every_incremental_stream_shares_one_feed_cursor_with_its_retriever(streams: dict[str, DefaultStream]) -> None:
    assert list(streams) == [stream["name"] for stream in manifest()["streams"]]
    for name, stream in streams.items():
        assert retriever(stream).cursor is stream.cursor, name
        assert isinstance(stream.cursor, FeedCursor) is (stream.cursor_field is not None), name
        if isinstance(stream.cursor, FeedCursor):
            assert stream.cursor._stream_name == name
    assert streams["messages"].cursor_field == "conversationUpdatedAt"
    assert streams["admins"].cursor_field is None


def test_one_budget_is_shared_by_every_request(streams: dict[str, DefaultStream]) -> None:
    requesters = [retriever(stream).requester for stream in streams.values()]
    requesters += [
        found.detail_requester for found in map(retriever, streams.values()) if isinstance(found, DetailRetriever)
    ]
    budgets = {id(requester._http_client._api_budget): requester for requester in requesters}  # type: ignore[attr-defined]
    assert len(budgets) == 1
    [requester] = budgets.values()
    assert isinstance(requester._http_client._api_budget, RequestBudget)  # type: ignore[attr-defined]
    assert requester._http_client._session._api_budget is requester._http_client._api_budget  # type: ignore[attr-defined]


def test_the_settings_of_pace_and_look_back_are_those_of_the_config() -> None:
    settings = {"requests_per_minute": 3, "lookback_minutes": 7, "num_workers": 2, "start_date": "2026-01-01T00:00:00Z"}
    source = SourceVitally(config={**CONFIG, **settings})
    [accounts] = cdk.streams_of(source, {"accounts"})
    assert isinstance(accounts, DefaultStream)
    assert isinstance(accounts.cursor, FeedCursor)
    [part] = accounts.cursor.stream_slices()
    scan = accounts.cursor.begin(part, "")
    assert (scan.lookback, scan.start) == (timedelta(minutes=7), datetime(2026, 1, 1, tzinfo=timezone.utc))
    budget = retriever(accounts).requester._http_client._api_budget  # type: ignore[attr-defined]
    for _ in range(3):
        budget.acquire_call(None, block=False)
    with pytest.raises(CallRateLimitHit):
        budget.acquire_call(None, block=False)
    with budget.under_way(), budget.under_way():
        assert not budget._slots.acquire(blocking=False)


def test_the_order_of_a_list_is_known_unless_the_manifest_says_otherwise(streams: dict[str, DefaultStream]) -> None:
    for described in manifest()["streams"]:
        cursor = streams[described["name"]].cursor
        if isinstance(cursor, FeedCursor):
            scan = cursor.begin(StreamSlice(partition={}, cursor_slice={}), "")
            assert scan.is_order_known is not bool(described.get("$parameters", {}).get("sort_optional")), described[
                "name"
            ]


def test_no_answer_is_kept_in_a_cache_which_no_retry_would_get_past(streams: dict[str, DefaultStream]) -> None:
    assert not [name for name, stream in streams.items() if retriever(stream).requester.use_cache]  # type: ignore[attr-defined]


def test_a_retriever_that_belongs_to_no_stream_is_built_as_the_others_are(source: SourceVitally) -> None:
    source._prepare_for_stream_build()
    found = cdk.custom_retriever(source, DEFINITIONS, source._config)
    assert isinstance(found, FeedRetriever)
    assert isinstance(found.requester._http_client, PatientClient)  # type: ignore[attr-defined]
    assert found.requester.get_path(stream_state=None, stream_slice=None, next_page_token=None) == "customObjects"
    assert found.name == DEFINITIONS


def test_a_sync_builds_the_streams_that_are_selected_and_no_other(
    source: SourceVitally, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []

    def build(configs: list[dict[str, Any]], _: Any) -> list[Any]:
        built.extend(config["name"] for config in configs)
        return []

    monkeypatch.setattr(source, "_create_streams", build)
    modes = {"sync_mode": "full_refresh", "destination_sync_mode": "append"}
    selected = [
        {"stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]}, **modes}
        for name in ("users", "notes")
    ]
    catalog = ConfiguredAirbyteCatalogSerializer.load({"streams": selected})
    list(source.read(logging.getLogger("airbyte"), CONFIG, catalog))
    assert sorted(built) == ["notes", "users"]


class RecordingCursor:
    def __init__(self) -> None:
        self.closed = False

    def observe(self, record: Any) -> None:
        pass

    def close_partition(self, partition: Any) -> None:
        self.closed = True


class FakePartition:
    def __init__(self, *items: Any) -> None:
        self.items = items

    def read(self) -> Iterator[Any]:
        for item in self.items:
            if isinstance(item, Exception):
                raise item
            yield item

    def stream_name(self) -> str:
        return "accounts"


@pytest.mark.parametrize("failure", [None, RuntimeError("boom")])
def test_a_partition_is_closed_only_after_it_was_read_to_its_end(failure: Exception | None) -> None:
    queue: Queue[Any] = Queue()
    cursor = RecordingCursor()
    partition = FakePartition("row", failure) if failure else FakePartition("row")
    PartitionReader(queue).process_partition(partition, cursor)  # type: ignore[arg-type]
    items = [queue.get_nowait() for _ in range(queue.qsize())]
    assert cursor.closed is (failure is None)
    assert items[0] == "row"
    assert any(isinstance(item, StreamThreadException) for item in items) is (failure is not None)
    assert isinstance(items[-1], PartitionCompleteSentinel)


def test_a_state_emitted_by_a_cursor_queues_behind_the_records_before_it(source: SourceVitally) -> None:
    repository = source._constructor._message_repository
    state = source._constructor._connector_state_manager.create_state_message("accounts", None)
    repository.emit_message(state)
    queued = repository._queue.get_nowait()  # type: ignore[attr-defined]
    assert isinstance(queued, AirbyteMessage)
    assert queued.type == Type.STATE


def test_records_states_and_logs_wait_in_one_queue_bounded_in_bytes(source: SourceVitally) -> None:
    queue = source._concurrent_source._queue
    assert isinstance(queue, WeighedQueue)
    assert queue.maxsize == QUEUED_BYTES <= 50_000_000
    assert source._constructor._message_repository._queue is queue  # type: ignore[attr-defined]


def test_every_request_goes_through_the_patient_client(streams: dict[str, DefaultStream]) -> None:
    for name, stream in streams.items():
        found = retriever(stream)
        assert isinstance(found.requester._http_client, PatientClient), name  # type: ignore[attr-defined]
        if isinstance(found, DetailRetriever):
            assert isinstance(found.detail_requester._http_client, PatientClient), name  # type: ignore[attr-defined]
    assert list(inspect.signature(HttpClient._send_with_retry).parameters)[:3] == ["self", "request", "request_kwargs"]


def test_an_error_that_says_what_is_wrong_is_logged_without_its_stack(source: SourceVitally) -> None:
    error = AirbyteTracedException(message="Check 'secret_token'.")
    entry = source.logger.makeRecord("airbyte", logging.ERROR, "x", 1, "Exception", (), (type(error), error, None))
    assert source.logger.filter(entry)
    for _ in range(2):
        assert (entry.exc_info, entry.getMessage()) == (None, "Exception: Check 'secret_token'.")
        entry.exc_info = (type(error), error, None)
        assert source.logger.filter(entry), "it says so already"


def test_messages_and_log_lines_share_one_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log line of a worker thread that goes past the buffer can land inside a record, which is then lost."""
    entered: list[PrintBuffer] = []
    enter = PrintBuffer.__enter__

    def entering(self: PrintBuffer) -> PrintBuffer:
        entered.append(self)
        return enter(self)

    monkeypatch.setattr(PrintBuffer, "__enter__", entering)
    run(["spec"])
    assert [buffer is PRINT_BUFFER for buffer in entered] == [True]
    init_logger("airbyte")
    handlers = [found for found in logging.getLogger().handlers if type(found) is logging.StreamHandler]
    assert [handler.stream is PRINT_BUFFER for handler in handlers] == [True]
