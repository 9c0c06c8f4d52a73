"""How one of Vitally's changing lists is read, page by page."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field
from datetime import timedelta
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
from airbyte_cdk.sources.streams.http.pagination_reset_exception import PaginationResetRequiredException
from airbyte_cdk.sources.types import Config, Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_vitally.cdk import in_plain_words
from source_vitally.feed_cursor import FeedCursor
from source_vitally.responses import body_of, clock_of, is_missing, reason_of
from source_vitally.scan import Scan, ScanError, ScanState, parse_time

logger = logging.getLogger("airbyte")

CHECKPOINT_PAGES = 5


class DetailsMissing(Exception):  # noqa: N818
    """No row of a page has details: the feature is switched off, or the key may not read it."""


@dataclass
class FeedRetriever(Retriever):
    """Reads one of Vitally's lists by the rules of `source_vitally.scan`.

    A stream whose manifest entry has no `incremental_sync` is read from its first to its last page, in the API's own
    order. `unique` drops a row that another partition of the same sync has already given in the same version.
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
    _seen: dict[Any, Any] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Exist for the CDK, which hands over `parameters`."""

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[StreamData]:
        """Yield the wanted records of one partition; first scans are checkpointed every few pages."""
        stream_slice = stream_slice or StreamSlice(partition={}, cursor_slice={})
        try:
            yield from self._read(self._begin(stream_slice), records_schema, stream_slice)
        except DetailsMissing:
            return  # the scan has not finished, so the state stays before the rows that had none
        except ScanError as error:
            raise AirbyteTracedException(
                message=f"Stream '{self.name}' cannot be read to its end: {error}. Try again later.",
                internal_message=f"Stream {self.name}: {error}",
                failure_type=FailureType.transient_error,
            ) from error
        except AirbyteTracedException as error:
            raise in_plain_words(error) from error

    def _read(self, scan: Scan, records_schema: Mapping[str, Any], stream_slice: StreamSlice) -> Iterable[StreamData]:
        pages = 0
        while not scan.finished:
            response = self._fetch(scan, stream_slice)
            if is_missing(response) or not response.ok:
                if scan.token:  # what has begun to be read must not pass for complete
                    raise ScanError(f"Vitally answers HTTP {response.status_code} in the middle of the list")
                self._warn_of_missing(response, stream_slice)
                return
            rows = list(self.record_selector.select_records(response, {}, records_schema, stream_slice))
            times = [parse_time(row.data.get(self._order_field)) for row in rows]
            wanted = [row for row, time in zip(rows, times, strict=True) if scan.wants(time)]
            yield from self._expand([row for row in wanted if self._is_new(row)], stream_slice)
            scan.page(times, _next_cursor(response), clock_of(response))
            pages += 1
            if pages % CHECKPOINT_PAGES == 0 and scan.is_first and not scan.finished and self._feed:
                self._feed.checkpoint(stream_slice)

    @property
    def _feed(self) -> FeedCursor | None:
        return self.cursor if isinstance(self.cursor, FeedCursor) else None

    @property
    def _order_field(self) -> str:
        """The field of a row by which the list is ordered and the state is kept."""
        return "updatedAt"

    def _begin(self, stream_slice: StreamSlice) -> Scan:
        if self._feed:
            return self._feed.begin(stream_slice, self._query(stream_slice))
        scan = Scan(ScanState(), timedelta())
        scan.restart(sorted_by_server=False)
        return scan

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
        """Fetch the scan's next page, beginning again where the server rejects the cursor or the order."""
        while True:
            token = {"next_page_token": scan.token} if scan.token else None
            params = {
                **self.paginator.get_request_params(stream_slice=stream_slice, next_page_token=token),
                **self._partition(stream_slice),
                **({"sortBy": scan.sort_by} if scan.sort_by else {}),
            }
            try:
                response = self.requester.send_request(
                    stream_slice=stream_slice, next_page_token=token, request_params=params
                )
            except PaginationResetRequiredException:
                rejected = "the page cursor" if scan.token else "sortBy"
                logger.info(f"Vitally rejected {rejected} of stream {self.name}: reading the list from its start.")
                scan.restart(sorted_by_server=scan.token is not None)
                continue
            assert response is not None  # the client raises where it has no answer
            return response

    def _is_new(self, row: Record) -> bool:
        if not self.unique:
            return True
        version = (row.data.get(self._order_field),)
        if self._seen.get(row.data["id"]) == version:
            return False
        self._seen[row.data["id"]] = version
        return True

    def _expand(self, rows: list[Record], stream_slice: StreamSlice) -> Iterable[Record]:
        """Turn list rows into records; here each row is one."""
        return rows

    def _warn_of_missing(self, response: requests.Response, stream_slice: StreamSlice) -> None:
        part = "".join(f", {key} {value}" for key, value in stream_slice.partition.items() if value)
        logger.warning(
            f"Stream {self.name}{part} is empty: Vitally answers HTTP {response.status_code} ({reason_of(response)}). "
            "The feature is switched off in this workspace, or the key may not read it."
        )


def _next_cursor(response: requests.Response) -> str | None:
    body = body_of(response)
    return body.get("next") if isinstance(body, Mapping) else None
