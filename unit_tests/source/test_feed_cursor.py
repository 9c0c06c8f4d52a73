"""The state of a stream: when it is emitted, what of a saved one is taken, and that it leaves in order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from airbyte_cdk.models import AirbyteMessage
from airbyte_cdk.sources.connector_state_manager import ConnectorStateManager
from airbyte_cdk.sources.message import InMemoryMessageRepository
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_vitally.feed_cursor import FeedCursor
from source_vitally.scan import ServerClock
from unit_tests.source.feed_model import EPOCH

WHOLE = StreamSlice(partition={}, cursor_slice={})
PARTS = [StreamSlice(partition={"archived": archived}, cursor_slice={}) for archived in ("false", "true")]
MARK = {"updatedAt": "2026-01-01T00:00:00.000Z"}


class Messages(InMemoryMessageRepository):
    """What a cursor emits, and whether it held its lock meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.states: list[Any] = []
        self.under_lock: list[bool] = []
        self.cursor: FeedCursor

    def emit_message(self, message: AirbyteMessage) -> None:
        assert message.state
        assert message.state.stream
        assert message.state.stream.stream_state
        self.states.append(message.state.stream.stream_state.__dict__)
        self.under_lock.append(self.cursor._lock.locked())


def cursor(slices: list[StreamSlice], state: Mapping[str, Any]) -> tuple[FeedCursor, Messages]:
    messages = Messages()
    messages.cursor = FeedCursor(
        stream_name="notes",
        cursor_field="updatedAt",
        start=None,
        lookback=timedelta(),
        is_order_known=True,
        slices=slices,
        stream_state=state,
        state_manager=ConnectorStateManager(),
        message_repository=messages,
    )
    return messages.cursor, messages


def read_page(feed: FeedCursor, part: StreamSlice, following: str | None) -> None:
    feed.begin(part, "").page([EPOCH], following, ServerClock(EPOCH, EPOCH))


def test_a_partition_is_checkpointed_and_finished_by_itself() -> None:
    feed, messages = cursor(PARTS, {})
    read_page(feed, PARTS[0], "here")
    feed.checkpoint(PARTS[0])
    read_page(feed, PARTS[1], None)
    feed.finish(PARTS[1])
    resume = {"from": "here", "query": "", "startedAt": MARK["updatedAt"], "newest": MARK["updatedAt"]}
    unfinished = {"partition": {"archived": "false"}, "cursor": {"resume": resume}}
    finished = {"partition": {"archived": "true"}, "cursor": MARK}
    assert messages.states == [{"states": [unfinished]}, {"states": [unfinished, finished]}]


def test_a_state_is_moved_and_emitted_under_a_lock_so_that_none_overtakes_another() -> None:
    feed, messages = cursor(PARTS, {})
    read_page(feed, PARTS[0], "here")
    feed.checkpoint(PARTS[0])
    read_page(feed, PARTS[1], None)
    feed.finish(PARTS[1])
    feed.ensure_at_least_one_state_emitted()
    assert messages.under_lock == [True, True]


@pytest.mark.parametrize("state", [{}, MARK])
def test_a_sync_that_gave_no_reason_to_ends_with_the_state_it_began_with(state: dict[str, Any]) -> None:
    feed, messages = cursor([WHOLE], state)
    for _ in range(2):
        feed.ensure_at_least_one_state_emitted()
    assert (messages.states, messages.under_lock) == ([state], [True])


def test_a_scan_that_has_not_come_to_its_end_moves_no_state() -> None:
    feed, messages = cursor([WHOLE], MARK)
    read_page(feed, WHOLE, "more")
    feed.finish(WHOLE)
    assert messages.states == []


def test_a_state_that_cannot_be_read_is_not_overwritten() -> None:
    feed, messages = cursor([WHOLE], {"page": 3})
    feed.ensure_at_least_one_state_emitted()
    assert messages.states == []
    with pytest.raises(AirbyteTracedException, match="not one this connector wrote"):
        list(feed.stream_slices())


def test_a_state_from_before_a_stream_had_partitions_is_that_of_each() -> None:
    feed, _ = cursor(PARTS, MARK)
    assert feed.state == {"states": [{"partition": dict(part.partition), "cursor": MARK} for part in PARTS]}


@pytest.mark.parametrize("slices", [[WHOLE], PARTS], ids=["whole", "parts"])
@pytest.mark.parametrize("state", [{"__ab_full_refresh_sync_complete": True}, {"next_page_token": "x"}], ids=str)
def test_a_full_refresh_of_version_0_4_left_no_state(slices: list[StreamSlice], state: dict[str, Any]) -> None:
    feed, _ = cursor(slices, state)
    assert list(feed.stream_slices()) == slices
    assert feed.begin(slices[0], "").is_new
