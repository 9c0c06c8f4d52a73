"""Which rows of a page are given, and from where their fields come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import Record, StreamSlice

from source_vitally.details import ConversationMessagesRetriever
from source_vitally.retrievers import FeedRetriever
from source_vitally.scan import Scan, ScanState
from source_vitally.sharing import Answers, Reading

PARTS: dict[str, Any] = {"requester": None, "paginator": None, "record_selector": None, "config": {}, "parameters": {}}


def given(retriever: FeedRetriever, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    scan, part = Scan(ScanState(), timedelta()), StreamSlice(partition={}, cursor_slice={})
    page = [(Record(data=row, stream_name=retriever.name), None) for row in rows]
    return [dict(record.data) for record in retriever._emit(scan, page, 100, part)]


def test_of_a_row_in_two_passes_each_version_comes_once() -> None:
    passes = FeedRetriever(**PARTS, name="nps_responses")
    before = {"id": "r", "updatedAt": "2026-01-01", "score": 1}
    edited = {**before, "updatedAt": "2026-01-02", "score": 2}
    in_the_same_second = {**edited, "score": 3}
    archived = {**edited, "archivedAt": "2026-01-03"}
    assert given(passes, before) == [before]
    assert given(passes, before, edited, in_the_same_second, archived) == [edited, in_the_same_second, archived]
    assert given(passes, before, edited, in_the_same_second, archived) == []


class Passes(FeedRetriever):
    """Reads of each list two pages, of which the last is the older one, as another stream may have left it."""

    def _begin(self, stream_slice: StreamSlice) -> Scan:
        return Scan(ScanState(), timedelta())

    def _reading(self, scan: Scan, stream_slice: StreamSlice) -> Reading:
        return Reading(Answers(), (stream_slice["archived"],))

    def _read(self, scan: Scan, records_schema: Any, stream_slice: StreamSlice) -> Iterator[StreamData]:
        reading = self._readings[str(stream_slice.partition)]
        reading.latest, reading.made = 7.0, 3.0
        yield {"since": reading.since}


def test_what_is_taken_of_the_archived_list_is_no_older_than_the_newest_live_page() -> None:
    passes = Passes(**PARTS, name="notes")
    parts = [StreamSlice(partition={"archived": value}, cursor_slice={}) for value in ("false", "true")]
    assert [list(passes.read_records({}, part)) for part in parts] == [[{"since": 0.0}], [{"since": 7.0}]]


def test_the_cursor_of_a_message_is_from_the_list_which_the_state_is_about() -> None:
    """A conversation edited after its page was read comes again; dated by its details, it would seem to have come."""
    messages = ConversationMessagesRetriever(**PARTS, name="messages", detail_requester=None)  # type: ignore[arg-type]
    detail = {"id": "c", "updatedAt": "2026-01-09", "messages": [{"id": "m"}]}
    [message] = messages._records({"id": "c", "updatedAt": "2026-01-01"}, detail)
    assert message["conversationUpdatedAt"] == "2026-01-01"
