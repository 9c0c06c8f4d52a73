"""Streams whose records need a request per row of a list: messages, transcripts, health scores.

A row whose details are missing or broken never ends a scan, and neither do many such rows: what decides is whether
something that is known to work still does. Broken ones are kept in the state, and alone asked for again.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters import Requester
from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import Record, StreamSlice

from source_vitally.client import FEW_RETRIES, RETRIES, RequestFailed, patience
from source_vitally.failures import LASTING, Failure
from source_vitally.feed_cursor import FeedCursor
from source_vitally.memory import weigh
from source_vitally.records import Sieve, ids_of, version_of, with_text_ids
from source_vitally.responses import body_of, is_absent, is_empty, reason_of, size_of
from source_vitally.retrievers import FeedRetriever
from source_vitally.scan import UPDATED_AT, Scan
from source_vitally.sharing import Reading

logger = logging.getLogger("airbyte")

_PARTICIPANTS = {"accountIds": "accounts", "organizationIds": "organizations", "userIds": "users", "adminIds": "admins"}
"""Fields of a message for what the conversation that it is in has inlined."""

_PEOPLE = ("from", "to", "cc", "bcc")

OUTAGE = 10
"""So many failures, one after the other, may be an outage: then something that is known to work is asked for."""

NAMED = 10
_LONGEST_REASON = 100
_GONE = 410
_REFUSED = (401, 429)

Row = Mapping[str, Any]


class BrokenDetails(Exception):  # noqa: N818
    """What came is not what the details of a row look like. The text says what is wrong."""


@dataclass
class Tally:
    """What became of the rows of one scan whose details were asked for."""

    found: int = 0
    missing: int = 0
    in_a_row: int = 0
    known: Row | None = None
    """A row whose details came a moment ago."""
    reasons: dict[str, str] = field(default_factory=dict)
    first_problem: Exception | None = None
    asked: set[str] = field(default_factory=set)
    """Of the rows that are remembered from the sync before, those that this scan has come across."""
    others: list[Row] = field(default_factory=list)
    """A few rows that were not wanted."""


@dataclass
class Details:
    """What an answer has of a row: its records, or none where it is gone or has none, or why it could not be read."""

    records: list[Row] | None = None
    problem: Exception | None = None
    size: int = 0


@dataclass
class DetailRetriever(FeedRetriever, ABC):
    """Asks for the details of each wanted row, several at a time, and lets a subclass make records of them."""

    detail_requester: Requester = field(kw_only=True)
    _tallies: dict[int, Tally] = field(init=False, repr=False, default_factory=dict)
    _retries: int = field(init=False, repr=False, default=RETRIES)
    _has_said: bool = field(init=False, repr=False, default=False)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        super().__post_init__(parameters)
        self._sieve = Sieve(self.name)

    def _tally(self, scan: Scan) -> Tally:
        return self._tallies[id(scan)]

    def _read(self, scan: Scan, records_schema: Mapping[str, Any], stream_slice: StreamSlice) -> Iterable[StreamData]:
        self._tallies[id(scan)] = Tally()
        yield from super()._read(scan, records_schema, stream_slice)
        if not scan.finished:
            return
        before = [row for row in _remembered(scan) if row["id"] not in self._tally(scan).asked]
        yield from self._expand(scan, before, stream_slice)
        self._conclude(scan, stream_slice)

    def _emit(
        self, scan: Scan, rows: list[tuple[Record, Any]], size: int, stream_slice: StreamSlice
    ) -> Iterable[Record]:
        wanted = [self._needed(row.data) for row in self._new(scan, rows)]
        tally = self._tally(scan)
        tally.others = [self._needed(row.data) for row, time in rows if not scan.wants(time)][:NAMED]
        tally.asked.update(str(row.get("id")) for row in wanted if row.get("id") in scan.failed)
        rows.clear()  # what is needed of a page is mostly little
        return self._expand(scan, wanted, stream_slice)

    def _checkpoint(self, feed: FeedCursor, scan: Scan, stream_slice: StreamSlice) -> None:
        if self._tally(scan).found or scan.was_resumed:  # until then the feature may be switched off
            feed.checkpoint(stream_slice)

    def _needed(self, row: Row) -> Row:
        """Return what records need of a list row."""
        return {"id": row.get("id"), UPDATED_AT: row.get(UPDATED_AT)}

    def _expand(self, scan: Scan, rows: list[Row], stream_slice: StreamSlice) -> Iterator[Record]:
        ask = partial(self._details, reading=self._readings[str(stream_slice.partition)])
        with closing(self._shared.in_order(ask, rows, lambda found: found.size)) as answers:
            for row, details in answers:
                self._take_note(scan, row, details, stream_slice)
                records, details.records = details.records or [], None
                for data in records:
                    if self._was_given(data, row):
                        continue
                    record = Record(data=data, stream_name=self.name, associated_slice=stream_slice)
                    weigh(record, details.size // len(records))
                    yield record

    def _was_given(self, data: Row, row: Row) -> bool:
        """Whether details are a version of their row, later than the list has shown, that has been given already."""
        is_later = data.get("id") == row.get("id") and data.get(UPDATED_AT) != row.get(UPDATED_AT)
        with self._emitting:
            return is_later and not self._seen.add(version_of(data))

    def _take_note(self, scan: Scan, row: Row, details: Details, stream_slice: StreamSlice) -> None:
        """Count a row; raise what ends the scan."""
        tally, problem, key = self._tally(scan), details.problem, str(row.get("id"))
        if problem is None:
            scan.failed.pop(key, None)
            tally.in_a_row, self._retries = 0, RETRIES
            if details.records is None:
                tally.missing += 1
            else:
                tally.found, tally.known = tally.found + 1, row
            return
        if not isinstance(problem, RequestFailed | BrokenDetails) or _is_refused(problem):
            raise problem
        tally.in_a_row += 1
        self._retries = FEW_RETRIES if tally.in_a_row < OUTAGE else 1
        tally.first_problem = tally.first_problem or problem
        tally.reasons[key] = _why(problem)
        logger.warning(f"Stream {self.name}: the details of {key} cannot be read: {tally.reasons[key]}")
        before = scan.failed.get(key, Failure(syncs=0))
        scan.failed[key] = before.again(row.get(UPDATED_AT), _in_short(problem), scan.own_clock())
        if tally.in_a_row % OUTAGE == 0:
            known = tally.known  # a row that was read a moment ago, or else the list itself
            if not (self._details(known, FEW_RETRIES).problem is None if known else self._works(scan, stream_slice)):
                raise problem

    def _reading(self, scan: Scan, stream_slice: StreamSlice) -> Reading:
        path = self.detail_requester.get_path(stream_slice=_slice_of("*"), stream_state=None, next_page_token=None)
        reading = super()._reading(scan, stream_slice)
        reading.details = (path, *reading.topic)
        return reading

    def _details(self, row: Row, retries: int | None = None, reading: Reading | None = None) -> Details:
        """Return a row's details, by way of `reading` those that another stream has asked for.

        What goes wrong is part of the result.
        """

        def ask() -> requests.Response:
            response = self.detail_requester.send_request(stream_slice=_slice_of(key))
            assert response is not None  # the client raises where it has no answer
            return response

        try:
            key = _in_address(row.get("id"))
            with patience(retries=self._retries if retries is None else retries, one_of_many=True):
                response = reading.detail(key, ask) if reading else ask()
            if is_absent(response):
                self._say_missing(response, row)
                return Details()
            if is_empty(response):  # a meeting without a transcript, an account without a score
                return Details([])
            body = body_of(response)
            detail = with_text_ids(body) if isinstance(body, Mapping) else body
            return Details(list(self._records(row, detail)), size=size_of(response))
        except RequestFailed as failure:
            return Details() if failure.status == _GONE else Details(problem=failure)
        except Exception as error:
            return Details(problem=error)

    def _say_missing(self, response: requests.Response, row: Row) -> None:
        if not self._has_said:
            self._has_said = True
            logger.warning(
                f"Stream {self.name}: Vitally answers HTTP {response.status_code} ({reason_of(response)}) for the "
                f"details of {row.get('id')}. Such rows are left out; this is said once."
            )

    def _conclude(self, scan: Scan, stream_slice: StreamSlice) -> None:
        """Say how the scan ends; raise where rows are missing that a state must not pass."""
        tally = self._tally(scan)
        if tally.missing and not tally.found and not scan.was_resumed and not self._is_switched_on(scan):
            scan.give_up()
            if scan.is_new and not scan.failed:
                logger.warning(f"Stream {self.name} is empty: the feature is switched off, or the key may not read it.")
                return
            raise self._failure(
                f"found no details for any of {tally.missing + len(scan.failed)} rows, as if the feature had been "
                "switched off in Vitally. If it has, deselect the stream."
            )
        lasting = [key for key, failure in scan.failed.items() if failure.lasts]
        if lasting:
            logger.warning(
                f"Stream {self.name} goes on without the details of {_named(lasting)}: they have failed in the same "
                f"way in {LASTING} syncs ({scan.failed[lasting[0]].reason}), and are asked for again once a week. Look "
                "at them in Vitally, or report them to its support."
            )
        failed = [key for key, failure in scan.failed.items() if not failure.lasts]
        if not failed:
            return
        if scan.is_new and not tally.found and tally.in_a_row >= OUTAGE and _is_of_config(tally.first_problem):
            raise tally.first_problem  # type: ignore[misc]
        if self._feed:
            self._feed.finish(stream_slice)
        why = next((tally.reasons[key] for key in failed if key in tally.reasons), scan.failed[failed[0]].reason)
        raise self._failure(
            f"lacks the details of {len(failed)} rows, {_named(failed)}: {why} All others have been read; the next "
            "sync asks for these again."
        )

    def _is_switched_on(self, scan: Scan) -> bool:
        """Ask for a few rows that were not wanted: those that were may have no details of their own."""
        return not scan.is_new and any(self._details(row).records is not None for row in self._tally(scan).others)

    @abstractmethod
    def _records(self, row: Row, detail: Any) -> Iterable[Row]:
        """Yield the records that a list row and its details make.

        Raises:
            BrokenDetails: They are not what they should be.
        """


def _remembered(scan: Scan) -> list[Row]:
    """Return the rows that failed in earlier syncs and are to be asked for again in this one."""
    now = scan.own_clock()
    return [{"id": key, UPDATED_AT: failure.time} for key, failure in scan.state.failed.items() if failure.is_due(now)]


def _named(keys: list[str]) -> str:
    more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
    return f"{', '.join(keys[:NAMED])}{more}"


def _is_refused(problem: Exception) -> bool:
    return isinstance(problem, RequestFailed) and problem.status in _REFUSED


def _is_of_config(problem: Exception | None) -> bool:
    return isinstance(problem, RequestFailed) and problem.failure_type == FailureType.config_error


def _in_short(problem: Exception) -> str:
    if not isinstance(problem, RequestFailed):
        return str(problem)[:_LONGEST_REASON]
    return f"HTTP {problem.status}" if problem.status else problem.reason


def _why(problem: Exception) -> str:
    """Return what to say of one row; that a firewall blocks the address is nothing that one row could show."""
    forbidden = isinstance(problem, RequestFailed) and problem.status == requests.codes.forbidden
    return "this row is forbidden (HTTP 403)." if forbidden else str(problem)


def _in_address(key: Any) -> str:
    """Return an id as one part of an address, whatever stands in it."""
    if str(key) in ("", ".", ".."):
        raise BrokenDetails("its id cannot be a part of an address.")
    return quote(str(key), safe="")


def _slice_of(key: str) -> StreamSlice:
    return StreamSlice(partition={}, cursor_slice={}, extra_fields={"key": key})


def _require_same(row: Row, detail: Row) -> None:
    if str(detail["id"]) != str(row["id"]):
        raise BrokenDetails("the answer is about another row.")


@dataclass
class ConversationMessagesRetriever(DetailRetriever):
    """Yields the messages of each conversation that changed: lists carry none, only the conversation by id does."""

    def _records(self, row: Row, detail: Any) -> Iterable[Row]:
        _require_same(row, detail)
        messages = detail.get("messages") or []
        objects = self._sieve.objects(messages, "the messages of a conversation") if isinstance(messages, list) else []
        if messages and not objects:
            raise BrokenDetails("its 'messages' are not a list of messages.")
        participants = {name: ids_of(detail.get(rows)) for name, rows in _PARTICIPANTS.items()}
        conversation = {"conversationId": row["id"], "conversationUpdatedAt": row.get(UPDATED_AT), **participants}
        people = {
            (kind, person["id"]): {name: person[name] for name in ("externalId", "email") if person.get(name)}
            for kind, rows in (("user", detail.get("users")), ("admin", detail.get("admins")))
            for person in (rows if isinstance(rows, list) else ())
            if isinstance(person, Mapping) and isinstance(person.get("id"), str)
        }
        for message in objects:
            named = {name: _with_names(message[name], people) for name in _PEOPLE if name in message}
            yield {**message, **named, **conversation}


def _with_names(value: Any, people: Mapping[tuple[Any, Any], Row]) -> Any:
    """Return participants with what says who they are outside of this workspace, as far as the conversation does."""
    if isinstance(value, list):
        return [_with_names(item, people) for item in value]
    if not isinstance(value, Mapping) or not isinstance(value.get("id"), str):
        return value
    return {**value, **people.get((value.get("type"), value["id"]), {})}


@dataclass
class TranscriptRetriever(DetailRetriever):
    """Yields transcripts whole: list rows may come without the text (it is undocumented), then it is fetched."""

    def _needed(self, row: Row) -> Row:
        return row

    def _details(self, row: Row, retries: int | None = None, reading: Reading | None = None) -> Details:
        return Details([row]) if row.get("transcript") is not None else super()._details(row, retries, reading)

    def _records(self, row: Row, detail: Any) -> Iterable[Row]:
        _require_same(row, detail)
        yield {**row, **detail}


@dataclass
class HealthScoresRetriever(DetailRetriever):
    """Yields what makes up the health score of each changed account, as it comes: its shape is not published.

    A list becomes the `results` of an object, as Vitally's lists are: a column has one type.
    """

    def _records(self, row: Row, detail: Any) -> Iterable[Row]:
        breakdown = detail if isinstance(detail, Mapping) else {"results": detail}
        yield {"accountId": row["id"], "accountUpdatedAt": row.get(UPDATED_AT), "breakdown": breakdown}
