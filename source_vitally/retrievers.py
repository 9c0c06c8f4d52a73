"""How one of Vitally's changing lists is read, page by page."""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.extractors import RecordSelector
from airbyte_cdk.sources.declarative.partition_routers import PartitionRouter, SinglePartitionRouter
from airbyte_cdk.sources.declarative.requesters import Requester
from airbyte_cdk.sources.declarative.requesters.paginators import Paginator
from airbyte_cdk.sources.declarative.retrievers import Retriever
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor
from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import Config, Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_vitally.client import RequestFailed, patience
from source_vitally.feed_cursor import FeedCursor
from source_vitally.memory import SHARED, UNKNOWN_BYTES, Seen, Shared, weigh
from source_vitally.responses import body_of, clock_of, is_absent, reason_of, size_of
from source_vitally.scan import UPDATED_AT, Scan, ScanError, ScanState, ServerClock, format_time, parse_time

logger = logging.getLogger("airbyte")

CHECKPOINT_PAGES = 5
ARCHIVED = "archived"
_CURSOR_REJECTED = (400, 410, 422)
_REFUSED = (401, 403, 429)


@dataclass
class FeedRetriever(Retriever):
    """Reads one of Vitally's lists by the rules of `source_vitally.scan`.

    A stream whose manifest entry has no `incremental_sync` is read from its first to its last page, in the API's own
    order. Of a stream with several partitions that may hold the same row (`unique`), each version of it is given once.
    `sort_optional` tells that the order of the list is not documented, so that it may refuse `sortBy`.
    """

    requester: Requester
    paginator: Paginator
    record_selector: RecordSelector
    config: Config
    parameters: InitVar[Mapping[str, Any]]
    name: str
    cursor: Cursor | None = None
    partition_router: PartitionRouter = field(default_factory=lambda: SinglePartitionRouter(parameters={}))
    unique: bool = False
    sort_optional: bool = False
    _seen: Seen = field(init=False, repr=False, default_factory=Seen)
    _emitting: threading.Lock = field(init=False, repr=False, default_factory=threading.Lock)
    _page_size: int = field(init=False, repr=False, default=UNKNOWN_BYTES)
    _live_ended: dict[str, threading.Event] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Exist for the CDK, which hands over `parameters`."""

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[StreamData]:
        """Yield the wanted records of one partition; first scans are checkpointed every few pages."""
        stream_slice = stream_slice or StreamSlice(partition={}, cursor_slice={})
        try:
            with self._turn(stream_slice):
                yield from self._read(self._begin(stream_slice), records_schema, stream_slice)
        except ScanError as error:
            raise self._failure(f"cannot be read to its end: {error}. Try again later.") from error

    @contextmanager
    def _turn(self, stream_slice: StreamSlice) -> Iterator[None]:
        """Let the archived rows of a list be read after its live ones.

        Side by side, a row that is archived after the archived list has ended and before its live page comes would be
        in neither. The live pass is handed to a thread first, so that this waits for what runs.
        """
        partition = {key: value for key, value in stream_slice.partition.items() if key != ARCHIVED}
        ended = self._live_ended.setdefault(str(sorted(partition.items())), threading.Event())
        archived = stream_slice.partition.get(ARCHIVED)
        if archived == "true":
            ended.wait()
        try:
            yield
        finally:
            if archived == "false":
                ended.set()

    def _read(self, scan: Scan, records_schema: Mapping[str, Any], stream_slice: StreamSlice) -> Iterable[StreamData]:
        pages = 0
        while not scan.finished:
            with self._shared.room.place(self._page_size) as place:
                response = place.during(self._fetch, scan, stream_slice)
                if is_absent(response):
                    self._end_without(response, scan, stream_slice)
                    return
                clock = self._clock(response, scan, stream_slice)
                if scan.is_ahead(clock):
                    self._forget(scan)
                    continue
                place.weigh(size_of(response))
                self._page_size = place.size
                records = self.record_selector.select_records(response, {}, records_schema, stream_slice)
                rows = [(record, parse_time(record.data.get(UPDATED_AT))) for record in records]
                times = [time for _, time in rows]
                following = _next_cursor(response)
                del response, records  # they hold the whole page
                yield from self._emit(scan, rows, place.size, stream_slice)
            scan.page(times, following, clock)
            pages += 1
            if pages % CHECKPOINT_PAGES == 0 and scan.is_first and not scan.finished and self._feed:
                self._checkpoint(self._feed, scan, stream_slice)
        if scan.has_future and self._date_stands(stream_slice):
            scan.distrust()

    def _clock(self, response: requests.Response, scan: Scan, stream_slice: StreamSlice) -> ServerClock | None:
        """Return the server's clock around a request, or None where its answer has none that can be believed."""
        clock = clock_of(response)
        if clock is None or self._shared.dates.is_known_to_stand:
            return None
        self._shared.dates.take(clock.answered)
        return None if scan.is_ahead(clock) and self._date_stands(stream_slice) else clock

    def _date_stands(self, stream_slice: StreamSlice) -> bool:
        def ask() -> datetime | None:
            clock = clock_of(self._ask_for_one(stream_slice))
            return clock.answered if clock else None

        return self._shared.dates.stands(ask)

    def _ask_for_one(self, stream_slice: StreamSlice) -> requests.Response:
        """Ask for the first row of the list, which is known to be there."""
        response = self.requester.send_request(
            stream_slice=stream_slice, request_params={**self._partition(stream_slice), "limit": 1}
        )
        assert response is not None  # the client raises where it has no answer
        return response

    def _forget(self, scan: Scan) -> None:
        assert scan.state.watermark is not None
        logger.warning(
            f"Stream {self.name}: its saved state, {format_time(scan.state.watermark)}, lies in the future: what was "
            "changed before it would be missed. The list is read from its start once, and the state taken back."
        )
        scan.forget()

    @property
    def _feed(self) -> FeedCursor | None:
        return self.cursor if isinstance(self.cursor, FeedCursor) else None

    @property
    def _shared(self) -> Shared:
        shared: Shared = self.config[SHARED]
        return shared

    def _begin(self, stream_slice: StreamSlice) -> Scan:
        if self._feed:
            return self._feed.begin(stream_slice, self._query(stream_slice))
        scan = Scan(ScanState(), timedelta())
        scan.restart(sorted_by_server=False)
        return scan

    def _checkpoint(self, feed: FeedCursor, scan: Scan, stream_slice: StreamSlice) -> None:
        feed.checkpoint(stream_slice)

    def _query(self, stream_slice: StreamSlice) -> str:
        """Name the filters of the list, so that a changed config does not go on with another list's page cursor."""
        params = {
            **self.requester.get_request_params(stream_slice=stream_slice),
            **self._partition(stream_slice),
        }
        return "&".join(f"{key}={value}" for key, value in sorted(params.items()))

    def _partition(self, stream_slice: StreamSlice) -> Mapping[str, Any]:
        return self.partition_router.get_request_params(stream_slice=stream_slice)

    def _fetch(self, scan: Scan, stream_slice: StreamSlice) -> requests.Response:
        """Fetch the scan's next page, beginning again where the server no longer takes the cursor, or the order."""
        while True:
            token = {"next_page_token": scan.token} if scan.token else None
            params = {
                **self.paginator.get_request_params(stream_slice=stream_slice, next_page_token=token),
                **self._partition(stream_slice),
                **({"sortBy": scan.sort_by} if scan.sort_by else {}),
            }
            try:
                with patience(doubtful=scan.resumes):
                    response = self.requester.send_request(
                        stream_slice=stream_slice, next_page_token=token, request_params=params
                    )
                assert response is not None  # the client raises where it has no answer
                if not is_absent(response) or not self._may_begin_again(response.status_code, scan):
                    return response
            except RequestFailed as failure:
                if failure.is_outage or not self._may_begin_again(failure.status, scan):
                    raise
            rejected = "the page cursor" if scan.token else "sortBy"
            logger.info(f"Vitally rejected {rejected} of stream {self.name}: reading the list from its start.")
            scan.restart(sorted_by_server=scan.token is not None)

    def _may_begin_again(self, status: int | None, scan: Scan) -> bool:
        """Whether an answer with this status says that a page cursor, or `sortBy`, is not taken."""
        if scan.resumes:  # an old cursor may be answered with anything
            return status not in _REFUSED
        if scan.token is not None:
            return status in _CURSOR_REJECTED
        return self.sort_optional and scan.sort_by is not None and status == requests.codes.bad_request

    def _emit(
        self, scan: Scan, rows: list[tuple[Record, Any]], size: int, stream_slice: StreamSlice
    ) -> Iterable[Record]:
        """Yield the records of the wanted rows of a page of `size` bytes; here each row is one."""
        share = size // max(len(rows), 1)
        wanted = [row for row, time in rows if scan.wants(time)]
        for row in wanted:
            weigh(row, share)
        if not self.unique:
            yield from wanted
            return
        with self._emitting:  # so that what one partition leaves out, another has given before
            yield from (row for row in wanted if self._seen.add(_version(row.data)))

    def _end_without(self, response: requests.Response, scan: Scan, stream_slice: StreamSlice) -> None:
        """End the scan of a list that the workspace does not have.

        Raises:
            AirbyteTracedException: The list is known to exist, so that this must not pass for an empty one.
        """
        said = f"HTTP {response.status_code} ({reason_of(response)})"
        if scan.token:
            raise ScanError(f"Vitally answers {said} in the middle of the list")
        part = "".join(f", {key} {value}" for key, value in stream_slice.partition.items() if value)
        if not scan.is_new or stream_slice.partition.get("customObjectId"):
            raise self._failure(
                f"{part} is not read: Vitally answers {said} for a list that it is known to have. If the feature has "
                "been switched off there, deselect the stream."
            )
        survey = " There is no such survey: check 'survey_ids'." if stream_slice.partition.get("surveyId") else ""
        logger.warning(
            f"Stream {self.name}{part} is empty: Vitally answers {said}.{survey} "
            "The feature is switched off in this workspace, or the key may not read it."
        )

    def _failure(self, what: str) -> AirbyteTracedException:
        text = f"Stream {self.name}{'' if what.startswith(',') else ' '}{what}"
        return AirbyteTracedException(message=text, internal_message=text, failure_type=FailureType.transient_error)


def _version(row: Mapping[str, Any]) -> str:
    return f"{row.get('id')} {row.get(UPDATED_AT)} {row.get('archivedAt')}"


def _next_cursor(response: requests.Response) -> str | None:
    body = body_of(response)
    return body.get("next") if isinstance(body, Mapping) and body.get("atEnd") is not True else None
