"""Everything this source knows about the inside of airbyte-cdk, in one place.

The CDK's own data-feed cursor cannot resume a first scan, caps its window at the connector's clock and lets a scan by
`createdAt` move the state past edits it missed. So the manifest's `DatetimeBasedCursor` is built as a `FeedCursor`,
and its `HTTPAPIBudget` as a `RequestBudget`. `unit_tests/source/test_cdk_contract.py` fails when an upgrade changes
what this leans on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, MutableMapping
from datetime import timedelta
from typing import Any

from airbyte_cdk.models import FailureType, StreamDescriptor
from airbyte_cdk.sources.connector_state_manager import ConnectorStateManager
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.sources.declarative.interpolation import InterpolatedString
from airbyte_cdk.sources.declarative.models.declarative_component_schema import (
    DatetimeBasedCursor,
    DeclarativeStream,
    HTTPAPIBudget,
)
from airbyte_cdk.sources.declarative.parsers.model_to_component_factory import ModelToComponentFactory
from airbyte_cdk.sources.declarative.partition_routers import PartitionRouter
from airbyte_cdk.sources.message import MessageRepository
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor, CursorField
from airbyte_cdk.sources.streams.concurrent.partitions.partition import Partition
from airbyte_cdk.sources.streams.http.exceptions import BaseBackoffException
from airbyte_cdk.sources.types import Config, Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from isodate import parse_duration

from source_vitally.budget import RequestBudget
from source_vitally.scan import Scan, ScanState, StateError, parse_time

PartitionKey = tuple[tuple[str, Any], ...]

QUEUED_RECORDS = 1_000
_NO_CURSOR_STATES = {"__ab_no_cursor_state_message", "__ab_full_refresh_sync_complete"}


class FeedCursor(Cursor):
    """The state of one stream: a `ScanState` per partition, moved only by finished scans and first scans' checkpoints.

    A stream without partitions has the state `{"<cursor_field>": "<time>"}`, one with partitions
    `{"states": [{"partition": {…}, "cursor": {"<cursor_field>": "<time>"}}, …]}`.
    """

    def __init__(  # noqa: PLR0913
        self,
        *,
        stream_name: str,
        cursor_field: str,
        start: str | None,
        lookback: timedelta,
        slices: Iterable[StreamSlice],
        stream_state: Mapping[str, Any],
        state_manager: ConnectorStateManager,
        message_repository: MessageRepository,
    ) -> None:
        self.cursor_field = CursorField(cursor_field)
        self._stream_name = stream_name
        self._start = parse_time(start)
        self._lookback = lookback
        self._slices = list(slices)
        self._state_manager = state_manager
        self._message_repository = message_repository
        self._states = self._load(stream_state)
        self._scans: dict[PartitionKey, Scan] = {}
        self._lock = threading.Lock()
        self._has_emitted = False

    def stream_slices(self) -> Iterable[StreamSlice]:
        """Yield one slice per partition of the stream."""
        yield from self._slices

    def begin(self, stream_slice: StreamSlice, query: str) -> Scan:
        """Start reading a partition from where its state says."""
        key = _key(stream_slice)
        self._scans[key] = Scan(self._states.get(key, ScanState()), self._lookback, self._start, query)
        return self._scans[key]

    def checkpoint(self, stream_slice: StreamSlice) -> None:
        """Emit a state from which an interrupted first scan goes on; the rows before it must have been emitted."""
        key = _key(stream_slice)
        self._move(key, self._scans[key].checkpoint())

    def close_partition(self, partition: Partition) -> None:
        """Move the partition's watermark: the CDK calls this once its reader has ended without an error."""
        key = _key(partition.to_slice())
        if self._scans[key].finished:
            self._move(key, self._scans[key].result())

    def ensure_at_least_one_state_emitted(self) -> None:
        """Emit the state when the sync has given no reason to, as the platform expects one per stream."""
        with self._lock:
            if not self._has_emitted:
                self._emit()

    @property
    def state(self) -> MutableMapping[str, Any]:
        """The stream's state as it is written into a STATE message."""
        field = self.cursor_field.cursor_field_key
        if not self._is_partitioned:
            return self._states.get((), ScanState()).as_json(field)
        return {
            "states": [
                {"partition": dict(key), "cursor": state.as_json(field)}
                for key, state in sorted(self._states.items(), key=str)
            ]
        }

    def observe(self, record: Record) -> None:
        """Do nothing: the scan takes note of whole pages."""

    def should_be_synced(self, record: Record) -> bool:
        """Return True: the retriever yields only what the scan wants."""
        return True

    @property
    def _is_partitioned(self) -> bool:
        return not self._slices or any(stream_slice.partition for stream_slice in self._slices)

    def _move(self, key: PartitionKey, state: ScanState) -> None:
        # The lock is held while emitting, so that states leave in the order in which they were made.
        with self._lock:
            self._states[key] = state
            self._emit()

    def _emit(self) -> None:
        self._has_emitted = True
        self._state_manager.update_state_for_stream(self._stream_name, None, self.state)
        self._message_repository.emit_message(self._state_manager.create_state_message(self._stream_name, None))

    def _load(self, blob: Mapping[str, Any]) -> dict[PartitionKey, ScanState]:
        """Read a saved state; raise a config error that says what to do about one this source cannot have written."""
        if _NO_CURSOR_STATES & set(blob):
            return {}
        field = self.cursor_field.cursor_field_key
        try:
            if not self._is_partitioned:
                return {(): ScanState.from_json(blob, field)} if blob else {}
            if "states" not in blob:
                whole = ScanState.from_json(blob, field)
                return {_key(part): whole for part in self._slices} if whole.watermark else {}
            return {
                tuple(sorted(entry["partition"].items())): ScanState.from_json(entry["cursor"], field)
                for entry in blob["states"]
            }
        except (StateError, AttributeError, KeyError, TypeError) as error:
            raise AirbyteTracedException(
                message=(
                    f"The saved state of stream '{self._stream_name}' is not one this connector wrote. "
                    "Clear the data of this stream (or edit the connection's state), then sync again."
                ),
                internal_message=f"Unreadable state of stream {self._stream_name}: {error}",
                failure_type=FailureType.config_error,
                stream_descriptor=StreamDescriptor(name=self._stream_name),
            ) from error


def extend(factory: ModelToComponentFactory) -> None:
    """Make a factory build this source's cursor and request budget from the manifest's standard components."""
    build_stock_cursor = factory._build_concurrent_cursor

    def build_cursor(model: DeclarativeStream, router: PartitionRouter, config: Config) -> Cursor:
        if not isinstance(model.incremental_sync, DatetimeBasedCursor):
            return build_stock_cursor(model, router, config)
        return _build_feed_cursor(factory, model, model.incremental_sync, router, config)

    def build_budget(model: HTTPAPIBudget, config: Config, **kwargs: Any) -> RequestBudget:
        [policy] = model.policies
        [rate] = policy.rates  # type: ignore[union-attr]
        per_minute = InterpolatedString.create(str(rate.limit), parameters={}).eval(config)
        return RequestBudget(requests_per_minute=int(per_minute))

    factory._build_concurrent_cursor = build_cursor  # type: ignore[assignment,method-assign]
    factory.PYDANTIC_MODEL_TO_CONSTRUCTOR[HTTPAPIBudget] = build_budget  # type: ignore[index]


def shorten_queue(source: ConcurrentDeclarativeSource) -> None:
    """Let few records wait to be printed: the CDK's ten thousand hold tens of megabytes when reading is the faster."""
    source._concurrent_source._queue.maxsize = QUEUED_RECORDS


def disable_retries(factory: ModelToComponentFactory) -> None:
    """Make the streams that the factory builds from now on ask once: a check must not wait for minutes."""
    factory._disable_retries = True


def static_streams(source: ConcurrentDeclarativeSource, names: list[str]) -> list[AbstractStream]:
    """Build the named streams of the manifest without asking the workspace for its custom objects."""
    return source._streams_by_name(names) or []


def in_plain_words(error: AirbyteTracedException) -> AirbyteTracedException:
    """Return the error after the last retry with the error handler's own text instead of the CDK's wrapping of it."""
    cause = error._exception
    if not isinstance(cause, BaseBackoffException):
        return error
    return AirbyteTracedException(
        message=str(cause),
        internal_message=error.internal_message,
        failure_type=cause.failure_type or FailureType.transient_error,
        exception=cause,
    )


def _build_feed_cursor(
    factory: ModelToComponentFactory,
    stream: DeclarativeStream,
    model: DatetimeBasedCursor,
    router: PartitionRouter,
    config: Config,
) -> FeedCursor:
    def evaluate(text: Any) -> str:
        return str(InterpolatedString.create(text or "", parameters=model.parameters or {}).eval(config) or "")

    name = stream.name or ""
    return FeedCursor(
        stream_name=name,
        cursor_field=evaluate(model.cursor_field),
        start=evaluate(model.start_datetime),
        lookback=parse_duration(evaluate(model.lookback_window) or "PT0S"),
        slices=router.stream_slices(),
        stream_state=factory._connector_state_manager.get_stream_state(name, None),
        state_manager=factory._connector_state_manager,
        message_repository=factory._message_repository,
    )


def _key(stream_slice: Any) -> PartitionKey:
    return tuple(sorted(stream_slice.partition.items())) if stream_slice else ()
