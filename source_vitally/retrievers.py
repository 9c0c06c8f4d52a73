"""How one of Vitally's changing lists is read, page by page."""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar

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

from source_vitally.client import RequestFailed, is_check, may_be_too_much, patience
from source_vitally.feed_cursor import FeedCursor
from source_vitally.memory import SHARED, UNKNOWN_BYTES, Shared, weigh
from source_vitally.records import place_of, version_of
from source_vitally.responses import body_of, clock_of, is_absent, next_cursor, reason_of, size_of
from source_vitally.scan import CREATED_AT, UPDATED_AT, Scan, ScanError, ScanState, ServerClock
from source_vitally.seen import Seen
from source_vitally.sharing import ANSWERS, Answers, LivePass, Reading, Topic
from source_vitally.times import format_time, parse_time, read_time

logger = logging.getLogger("airbyte")

CHECKPOINT_PAGES = 5
ARCHIVED = "archived"
_LIMIT = "limit"
_CURSOR_REJECTED = (400, 410, 422)
_REFUSED = (401, 403, 429)


class RowUnavailable(Exception):  # noqa: N818
    """The next row of a list cannot be had, even alone, and what lies behind it neither: its answer has the cursor."""

    def __init__(self, failure: RequestFailed) -> None:
        self.failure = failure
        super().__init__(failure.message)


@dataclass
class FeedRetriever(Retriever):
    """Reads one of Vitally's lists by the rules of `source_vitally.scan`.

    A stream whose manifest entry has no `incremental_sync` is read from its first to its last page, in the API's own
    order. Each version of a row is given once, however often the list shows it, and whichever partition has it first.
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
    sort_optional: bool = False
    _seen: Seen = field(init=False, repr=False, default_factory=Seen)
    _emitting: threading.Lock = field(init=False, repr=False, default_factory=threading.Lock)
    _page_size: int = field(init=False, repr=False, default=UNKNOWN_BYTES)
    _live: dict[str, LivePass] = field(init=False, repr=False, default_factory=dict)
    _readings: dict[str, Reading] = field(init=False, repr=False, default_factory=dict)
    shows_what_is_gone: ClassVar[bool] = False
    """Whether a row that was read of the list before, and is not in this stream, is taken to be gone."""

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Exist for the CDK, which hands over `parameters`."""

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[StreamData]:
        """Yield the wanted records of one partition; first scans are checkpointed every few pages."""
        stream_slice = stream_slice or StreamSlice(partition={}, cursor_slice={})
        live, is_archived = self._live_pass(stream_slice)
        if is_archived:
            live.has_ended.wait()
        try:
            scan = self._begin(stream_slice)
            reading = self._reading(scan, stream_slice)
            reading.since = max(reading.since, live.newest)
            self._readings[str(stream_slice.partition)] = reading
            yield from self._read(scan, records_schema, stream_slice)
        except ScanError as error:
            raise self._failure(f"cannot be read to its end: {error}. Try again later.") from error
        finally:
            if read := self._readings.get(str(stream_slice.partition)):
                read.end()
                live.newest = read.latest
            live.has_ended.set()

    def expect(self, parts: Iterable[StreamSlice] | None = None) -> Topic | None:
        """Take note of the lists that this is going to read, for streams that read the same; return the first.

        Args:
            parts: The partitions that are read, by default all.
        """
        known: list[StreamSlice] = []
        with suppress(AirbyteTracedException):  # which is raised again when the stream is read
            known += (self._feed or self.partition_router).stream_slices() if parts is None else parts
        readings = [self._reading(self._begin(part), part) for part in known]
        for reading in readings:
            reading.expect()
        return readings[0].topic if readings else None

    def _live_pass(self, stream_slice: StreamSlice) -> tuple[LivePass, bool]:
        """Return the pass over the live rows of a list, and whether a partition is the one over its archived rows.

        These are read after the live ones, and no page of them was made before. Side by side, a row that is archived
        after the archived list has ended and before its live page comes would be in neither. The live pass is handed
        to a thread first, so that this waits for what runs.
        """
        partition = {key: value for key, value in stream_slice.partition.items() if key != ARCHIVED}
        live = self._live.setdefault(str(sorted(partition.items())), LivePass())
        return live, stream_slice.partition.get(ARCHIVED) == "true"

    def _reading(self, scan: Scan, stream_slice: StreamSlice) -> Reading:
        """Return what this is for others that read the same list in the same order."""
        path = self.requester.get_path(stream_slice=stream_slice, stream_state=None, next_page_token=None)
        topic = path, self._query(stream_slice), scan.sort_by
        since = self._answers.seen_otherwise(topic) if self.shows_what_is_gone else 0.0
        return Reading(self._answers, topic, since=since)

    def _read(self, scan: Scan, records_schema: Mapping[str, Any], stream_slice: StreamSlice) -> Iterable[StreamData]:
        try:
            yield from self._pages(scan, scan, records_schema, stream_slice)
        except RowUnavailable as problem:
            yield from self._stop(problem, scan, records_schema, stream_slice)
        if scan.has_future and self._date_stands(stream_slice):
            scan.distrust()

    def _pages(
        self, pages: Scan, scan: Scan, records_schema: Mapping[str, Any], stream_slice: StreamSlice
    ) -> Iterable[Record]:
        """Yield the records that `scan` wants of the pages to which `pages` leads; mostly these are the same."""
        count = 0
        while not pages.finished:
            with self._shared.room.place(self._page_size) as place:
                response = place.during(self._fetch, pages, stream_slice)
                if is_absent(response):
                    self._end_without(response, pages, stream_slice)
                    return
                clock = self._clock(response, pages, stream_slice)
                if pages.is_ahead(clock):
                    self._forget(pages)
                    continue
                place.weigh(size_of(response))
                self._page_size = place.size
                records = self.record_selector.select_records(response, {}, records_schema, stream_slice)
                rows = [(record, self._time(record)) for record in records]
                times, body = [time for _, time in rows], body_of(response)
                ends = {name: body.get(name) for name in ("next", "atEnd")} if isinstance(body, Mapping) else {}
                after = place_of(rows[-1][0].data) if rows else pages.after
                del response, records, body  # they hold the whole page
                rows = rows if pages is scan else [(row, time) for row, time in rows if pages.wants(time)]
                yield from self._emit(scan, rows, place.size, stream_slice)
            pages.after = after
            pages.page(times, next_cursor(ends), clock)
            count += 1
            if count % CHECKPOINT_PAGES == 0 and pages is scan and scan.is_first and not scan.finished and self._feed:
                self._checkpoint(self._feed, scan, stream_slice)

    def _time(self, record: Record) -> datetime | None:
        """Return when a row was last updated; the cursor of a record is an ISO 8601 text, whatever the API writes."""
        value = record.data.get(UPDATED_AT)
        if (time := parse_time(value)) is not None or value is None:
            return time
        if (time := read_time(value)) is not None:
            record.data[UPDATED_AT] = format_time(time)  # type: ignore[index]
        elif self._shared.is_new(f"times of {self.name}"):
            logger.warning(
                f"Stream {self.name}: '{UPDATED_AT}' of the row {record.data.get('id')} cannot be read as a "
                "time. Such rows come again with every sync that reaches them. This is said once."
            )
        return time

    def _stop(
        self, problem: RowUnavailable, scan: Scan, records_schema: Mapping[str, Any], stream_slice: StreamSlice
    ) -> Iterable[Record]:
        """Yield what the list shows from its other side, then raise. A first scan keeps its place in the state.

        Raises:
            AirbyteTracedException: Always: what lies behind the row has not been read.
        """
        if scan.is_first and scan.sort_by and not self.sort_optional:
            other = Scan(ScanState(scan.behind), timedelta())
            other.sort_by = CREATED_AT if scan.sort_by == UPDATED_AT else UPDATED_AT
            with suppress(RowUnavailable, RequestFailed, ScanError):
                yield from self._pages(other, scan, records_schema, stream_slice)
            scan.behind = other.began or scan.behind
        scan.stuck = True
        if self._feed and scan.is_first:
            self._checkpoint(self._feed, scan, stream_slice)
        where = f"behind {scan.after}" if scan.after else "at its beginning"
        raise self._failure(
            f"has a row {where} that Vitally does not give, even alone: {problem} Everything before it has been "
            "read. What lies behind it cannot be had until Vitally gives that row: look at it there, or report it to "
            "Vitally's support. The next sync goes on from there."
        )

    def _clock(self, response: requests.Response, scan: Scan, stream_slice: StreamSlice) -> ServerClock | None:
        """Return the server's clock around a request, or None where its answer has none that can be believed."""
        clock = clock_of(response)
        if clock is None or self._shared.dates.is_known_to_stand:
            return None
        self._shared.dates.take(clock.answered)
        return None if scan.is_ahead(clock) and self._date_stands(stream_slice) else clock

    def _date_stands(self, stream_slice: StreamSlice) -> bool:
        def ask() -> datetime | None:
            clock = clock_of(self._ask_for_one(stream_slice, None))
            return clock.answered if clock else None

        return self._shared.dates.stands(ask)

    def _ask_for_one(self, stream_slice: StreamSlice, sort_by: str | None) -> requests.Response:
        """Ask for the first row of the list."""
        params = self.paginator.get_request_params(stream_slice=stream_slice, next_page_token=None)
        params = {**params, **self._partition(stream_slice), **({"sortBy": sort_by} if sort_by else {})}
        params |= {_LIMIT: 1} if _LIMIT in params else {}
        response = self.requester.send_request(stream_slice=stream_slice, request_params=params)
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

    @property
    def _answers(self) -> Answers:
        answers: Answers = self.config[ANSWERS]
        return answers

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
        params = {**self.requester.get_request_params(stream_slice=stream_slice), **self._partition(stream_slice)}
        return "&".join(f"{key}={value}" for key, value in sorted(params.items()))

    def _partition(self, stream_slice: StreamSlice) -> Mapping[str, Any]:
        return self.partition_router.get_request_params(stream_slice=stream_slice)

    def _fetch(self, scan: Scan, stream_slice: StreamSlice) -> requests.Response:
        """Fetch the scan's next page.

        It is asked for in halves where it does not come, and the list begun again where cursor or order is refused.

        Raises:
            RowUnavailable: The next row cannot be had, even alone.
        """
        is_divisible, reading = True, self._readings[str(stream_slice.partition)]
        while True:
            try:
                with patience(doubtful=scan.resumes, divisible=scan.size.retries if is_divisible else None):
                    key = scan.sort_by, scan.size.limit, scan.token
                    response = reading.page(key, partial(self._page, scan, stream_slice, scan.token))
                if not is_absent(response) or not self._may_begin_again(response.status_code, scan, stream_slice):
                    return response
            except RequestFailed as failure:
                if failure.is_outage or not self._may_begin_again(failure.status, scan, stream_slice):
                    try:
                        is_divisible = self._divide(scan, failure, stream_slice, is_divisible)
                        continue
                    except RowUnavailable:  # though Vitally is up: so it may be the cursor
                        if not self._may_begin_again(None, scan, stream_slice):
                            raise
            rejected = "the page cursor" if scan.token else "sortBy"
            logger.info(f"Vitally rejected {rejected} of stream {self.name}: reading the list from its start.")
            if not scan.resumes:
                reading.begin_again()
            scan.restart(sorted_by_server=scan.token is not None)

    def _page(self, scan: Scan, stream_slice: StreamSlice, cursor: str | None) -> requests.Response:
        token = {"next_page_token": cursor} if cursor else None
        params = {
            **self.paginator.get_request_params(stream_slice=stream_slice, next_page_token=token),
            **self._partition(stream_slice),
            **({"sortBy": scan.sort_by} if scan.sort_by else {}),
        }
        if _LIMIT in params:
            params[_LIMIT] = scan.size.limit
        response = self.requester.send_request(stream_slice=stream_slice, next_page_token=token, request_params=params)
        assert response is not None  # the client raises where it has no answer
        return response

    def _divide(self, scan: Scan, failure: RequestFailed, stream_slice: StreamSlice, is_divisible: bool) -> bool:
        """Let a page that has failed be asked for again; return whether less of it may help.

        Where the list's first row comes, less of the page is asked for; else it is waited for, then this asked again.
        """
        if (is_check() and not failure.is_too_large) or not failure.may_pass or not may_be_too_much(failure.status):
            raise failure
        if not self._works(scan, stream_slice):
            if is_divisible:
                return False
            raise failure
        if scan.size.halve():
            logger.info(f"Stream {self.name}: larger pages do not come; {scan.size.limit} rows are asked for at once.")
            return True
        raise RowUnavailable(failure)

    def _works(self, scan: Scan, stream_slice: StreamSlice) -> bool:
        """Ask for what is known to work: the list's first row, in either order, as one may be the broken one."""
        for order in dict.fromkeys((scan.sort_by, CREATED_AT, UPDATED_AT)):
            try:
                with patience(retries=1):
                    self._ask_for_one(stream_slice, order)
                return True
            except RequestFailed as failure:
                if failure.is_too_large:
                    return True
        return False

    def _may_begin_again(self, status: int | None, scan: Scan, stream_slice: StreamSlice) -> bool:
        """Whether an answer with this status says that a page cursor, or `sortBy`, is not taken."""
        if scan.resumes:  # an old cursor may be answered with anything
            return status not in _REFUSED and not (scan.stuck and self._takes_cursors(scan, stream_slice))
        if scan.token is not None:
            return status in _CURSOR_REJECTED
        return self.sort_optional and scan.sort_by is not None and status == requests.codes.bad_request

    def _emit(
        self, scan: Scan, rows: list[tuple[Record, Any]], size: int, stream_slice: StreamSlice
    ) -> Iterable[Record]:
        """Yield the records of the wanted rows of a page of `size` bytes; here each row is one."""
        share = size // max(len(rows), 1)
        for row in self._new(scan, rows):
            weigh(row, share)
            yield row

    def _new(self, scan: Scan, rows: list[tuple[Record, Any]]) -> Iterator[Record]:
        """Yield the wanted rows of a page that have not been given yet."""
        with self._emitting:  # so that what one partition leaves out, another has given before
            yield from (row for row, time in rows if scan.wants(time) and self._seen.add(version_of(row.data)))

    def _takes_cursors(self, scan: Scan, stream_slice: StreamSlice) -> bool:
        """Whether a cursor as old as that of the scan is taken: the one of the page before, which had rows."""
        try:
            with patience(retries=1):
                response = self._page(scan, stream_slice, scan.known)
            return not is_absent(response) and any(self.record_selector.extractor.extract_records(response))
        except RequestFailed:
            return False

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
        survey = " There is no such survey: check Surveys (survey_ids)." * ("surveyId" in stream_slice.partition)
        logger.warning(
            f"Stream {self.name}{part} is empty: Vitally answers {said}.{survey} "
            "The feature is switched off in this workspace, or the key may not read it."
        )

    def _failure(self, what: str) -> AirbyteTracedException:
        text = f"Stream {self.name}{'' if what.startswith(',') else ' '}{what}"
        return AirbyteTracedException(message=text, internal_message=text, failure_type=FailureType.transient_error)
