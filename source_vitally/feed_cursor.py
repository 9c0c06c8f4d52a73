"""The state of one stream as the CDK and the platform see it; what a state means is in `source_vitally.scan`."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, MutableMapping
from datetime import timedelta
from typing import Any

from airbyte_cdk.models import FailureType, StreamDescriptor
from airbyte_cdk.sources.connector_state_manager import ConnectorStateManager
from airbyte_cdk.sources.message import MessageRepository
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor, CursorField
from airbyte_cdk.sources.streams.concurrent.partitions.partition import Partition
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_vitally.scan import Scan, ScanState, StateError
from source_vitally.times import parse_time

PartitionKey = tuple[tuple[str, Any], ...]


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
        is_order_known: bool,
        slices: Iterable[StreamSlice],
        stream_state: Mapping[str, Any],
        state_manager: ConnectorStateManager,
        message_repository: MessageRepository,
    ) -> None:
        self.cursor_field = CursorField(cursor_field)
        self._stream_name = stream_name
        self._start = parse_time(start)
        self._lookback = lookback
        self._is_order_known = is_order_known
        self._slices = list(slices)
        self._state_manager = state_manager
        self._message_repository = message_repository
        self._problem: AirbyteTracedException | None = None
        self._states = self._load(stream_state)
        self._scans: dict[PartitionKey, Scan] = {}
        self._lock = threading.Lock()
        self._has_emitted = False

    def stream_slices(self) -> Iterable[StreamSlice]:
        """Yield one slice per partition of the stream; raise the config error of a state that cannot be read.

        It is raised here and not earlier, so that it ends this stream and no other.
        """
        if self._problem:
            raise self._problem
        yield from self._slices

    def begin(self, stream_slice: StreamSlice, query: str) -> Scan:
        """Start reading a partition from where its state says."""
        key = _key(stream_slice)
        state = self._states.get(key, ScanState())
        self._scans[key] = Scan(state, self._lookback, self._start, query, self._is_order_known)
        return self._scans[key]

    def checkpoint(self, stream_slice: StreamSlice) -> None:
        """Emit a state from which an interrupted first scan goes on; the rows before it must have been emitted."""
        key = _key(stream_slice)
        self._move(key, self._scans[key].checkpoint())

    def finish(self, stream_slice: StreamSlice) -> None:
        """Emit the state after a scan that came to its end; the rows before it must have been emitted."""
        key = _key(stream_slice)
        if self._scans[key].finished:
            self._move(key, self._scans[key].result())

    def close_partition(self, partition: Partition) -> None:
        """Move the partition's watermark: the CDK calls this once its reader has ended without an error."""
        self.finish(partition.to_slice())  # type: ignore[arg-type]

    def ensure_at_least_one_state_emitted(self) -> None:
        """Emit the state when the sync has given no reason to, as the platform expects one per stream."""
        with self._lock:
            if not self._has_emitted and not self._problem:
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
        """Read a saved state; keep a config error that says what to do about one this source cannot have written."""
        try:
            return self._read(blob)
        except (StateError, AttributeError, KeyError, TypeError) as error:
            self._problem = AirbyteTracedException(
                message=(
                    f"The saved state of stream '{self._stream_name}' is not one this connector wrote. "
                    "Clear the data of this stream (or edit the connection's state), then sync again."
                ),
                internal_message=f"Unreadable state of stream {self._stream_name}: {error}",
                failure_type=FailureType.config_error,
                stream_descriptor=StreamDescriptor(name=self._stream_name),
            )
            return {}

    def _read(self, blob: Mapping[str, Any]) -> dict[PartitionKey, ScanState]:
        field = self.cursor_field.cursor_field_key
        if not blob:
            return {}
        if not self._is_partitioned:
            return {(): ScanState.from_json(blob, field)}
        if "states" not in blob:
            whole = ScanState.from_json(blob, field)
            return {_key(part): whole for part in self._slices} if whole.watermark else {}
        return {
            tuple(sorted(entry["partition"].items())): ScanState.from_json(entry["cursor"], field)
            for entry in blob["states"]
        }


def _key(stream_slice: Any) -> PartitionKey:
    return tuple(sorted(stream_slice.partition.items())) if stream_slice else ()
