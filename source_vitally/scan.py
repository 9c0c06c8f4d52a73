"""How a list that is newest-first, has no since-filter and changes while it is read is read without losing a row.

Pure rules, no HTTP and no CDK. Vitally's lists sort only descending, by `createdAt` or `updatedAt`, and page by a
keyset cursor: a row edited during a scan by `updatedAt` jumps ahead of the cursor, a scan by `createdAt` never loses
a live row. The order of a list is checked, not trusted; so are clocks: a watermark never lies beyond the server's, or,
where answers have no `Date`, beyond the connector's own and a day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from source_vitally.failures import MAX_FAILED, Failure
from source_vitally.page_size import LARGEST, PageSize
from source_vitally.times import earlier, format_time, parse_time

CREATED_AT = "createdAt"
UPDATED_AT = "updatedAt"
RESUME_KEY = "resume"
FAILED_KEY = "failed"

MAX_RESTARTS = 3

_ONE_SECOND = timedelta(seconds=1)
_ONE_MILLISECOND = timedelta(milliseconds=1)
_ONE_DAY = timedelta(days=1)
_FIRST = datetime.min.replace(tzinfo=timezone.utc)


class StateError(ValueError):
    """A saved state has a shape this source never wrote. The text names keys, never values."""


class ScanError(RuntimeError):
    """The API's answers cannot lead to the end of the list, for example a cursor that repeats."""


def own_time() -> datetime:
    """Return the time by the connector's own clock, in UTC."""
    return datetime.now(timezone.utc)


class ServerClock(NamedTuple):
    """The server's clock around a request: a time before the page was made, and when it was answered, to the second."""

    asked: datetime
    answered: datetime

    @property
    def ceiling(self) -> datetime:
        """The first time that lies in the future: `Date` is cut to the second."""
        return self.answered + _ONE_SECOND if self.answered.year < datetime.max.year else self.answered


@dataclass(frozen=True)
class Resume:
    """Where an unfinished first scan goes on.

    `token` is the page cursor of the next page, `query` the filters it belongs to, `started_at` the server's time
    when the first attempt began, `newest` the newest row seen so far. Where the next row cannot be had even alone,
    `known` is the cursor of the page before, which has worked, `after` names the row before it, and `behind` is up to
    when the list was read in its other order. `limit` is the size of the page that the cursor came with.
    """

    token: str
    query: str
    started_at: datetime | None
    newest: datetime | None
    known: str = ""
    after: str = ""
    behind: datetime | None = None
    limit: int = LARGEST

    def as_json(self) -> dict[str, Any]:
        """Return the value of the state's resume key."""
        times = {"startedAt": self.started_at, "newest": self.newest, "behind": self.behind}
        return {
            **({"known": self.known, "after": self.after} if self.known else {}),
            **({"limit": self.limit} if self.limit != LARGEST else {}),
            "from": self.token,
            "query": self.query,
            **{key: format_time(time) for key, time in times.items() if time is not None},
        }


@dataclass(frozen=True)
class ScanState:
    """What is remembered of one list between syncs: a watermark, or where the unfinished first scan stands.

    `failed` are the rows, by id, whose details could not be read: they alone are asked for again.
    """

    watermark: datetime | None = None
    resume: Resume | None = None
    failed: Mapping[str, Failure] = field(default_factory=dict)

    @classmethod
    def from_json(cls, blob: Mapping[str, Any], cursor_field: str) -> ScanState:
        """Read `{"<cursor_field>": "<time>"}`, `{"resume": {…}}` or `{}`; raise StateError for anything else."""
        if _is_of_another_source(blob):
            return cls()
        unknown = sorted(set(blob) - {cursor_field, RESUME_KEY, FAILED_KEY})
        if unknown:
            raise StateError(f"unknown keys {', '.join(unknown)}")
        given = blob.get(FAILED_KEY) or {}
        if not isinstance(given, Mapping):
            raise StateError(f"'{FAILED_KEY}' holds no ids")
        failed = {str(key): Failure.from_json(value) for key, value in given.items()}
        watermark = None
        if blob.get(cursor_field) is not None:
            watermark = parse_time(blob[cursor_field])
            if watermark is None:
                raise StateError(f"'{cursor_field}' is not an ISO 8601 time")
        resume = blob.get(RESUME_KEY)
        if resume is None or watermark is not None:
            return cls(watermark, failed=failed)
        if not isinstance(resume, Mapping) or not isinstance(resume.get("from"), str):
            raise StateError(f"'{RESUME_KEY}' holds no page cursor")
        return cls(
            resume=Resume(
                token=resume["from"],
                query=str(resume.get("query", "")),
                started_at=parse_time(resume.get("startedAt")),
                newest=parse_time(resume.get("newest")),
                known=str(resume.get("known") or ""),
                after=str(resume.get("after") or ""),
                behind=parse_time(resume.get("behind")),
                limit=limit if isinstance(limit := resume.get("limit"), int) and 0 < limit < LARGEST else LARGEST,
            ),
            failed=failed,
        )

    def as_json(self, cursor_field: str) -> dict[str, Any]:
        """Return the state as users see it."""
        failed = {FAILED_KEY: {key: found.as_json() for key, found in self.failed.items()}} if self.failed else {}
        if self.watermark is not None:
            return {cursor_field: format_time(self.watermark), **failed}
        return {**({RESUME_KEY: self.resume.as_json()} if self.resume else {}), **failed}


def _is_of_another_source(blob: Mapping[str, Any]) -> bool:
    """Tell whether a state is one that the published source 0.4 wrote for full refreshes: it says nothing here.

    The CDK of its time kept a page (`next_page_token`) or a mark (`__ab_…`).
    """
    return bool(blob) and all(str(key).startswith("__ab_") or key == "next_page_token" for key in blob)


@dataclass
class Scan:
    """One pass over one list, from the first page to the last.

    `state` is what the previous sync left; `start` the configured start date; `query` identifies the list and its
    filters. Ask `sort_by` and `token` for the next page, hand it to `page()`, and take `result()` once `finished`.

    A list whose order is not documented (`is_order_known` off) is read to its end each time. So is one whose pages do
    not go on in the order that was asked for: what was changed may stand anywhere in it.
    """

    state: ScanState
    lookback: timedelta
    start: datetime | None = None
    query: str = ""
    is_order_known: bool = True
    own_clock: Callable[[], datetime] = own_time
    token: str | None = field(init=False, default=None)
    sort_by: str | None = field(init=False)
    finished: bool = field(init=False, default=False)
    failed: dict[str, Failure] = field(init=False)
    in_order: bool = field(init=False, default=True)
    """Whether no row so far was updated after the one before it."""
    resumes: bool = field(init=False, default=False)
    """Whether the next page is the first after an earlier attempt was broken off."""
    was_resumed: bool = field(init=False, default=False)
    size: PageSize = field(init=False, default_factory=PageSize)
    stuck: bool = field(init=False, default=False)
    """Whether the next row cannot be had, even alone."""
    known: str = field(init=False, default="")
    """The cursor of the page that was read last."""
    after: str = field(init=False, default="")
    """The row that was read last."""
    behind: datetime | None = field(init=False, default=None)
    """Up to when the list has been read in its other order."""
    _has_rows: bool = field(init=False, default=False)
    _is_void: bool = field(init=False, default=False)
    _last: datetime | None = field(init=False, default=None)
    _newest: datetime | None = field(init=False, default=None)
    _started_at: datetime | None = field(init=False, default=None)
    _future: datetime | None = field(init=False, default=None)
    _near: datetime | None = field(init=False, default=None)
    _near_at_start: datetime | None = field(init=False, default=None)
    _was_read: bool = field(init=False, default=False)
    _has_begun: bool = field(init=False, default=False)
    _checkpoint: ScanState | None = field(init=False, default=None)
    _seen_tokens: set[int] = field(init=False, default_factory=set)
    _restarts: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.sort_by = CREATED_AT if self.is_first or not self.is_order_known else UPDATED_AT
        self.failed = dict(self.state.failed)
        resume = self.state.resume
        if resume and resume.query == self.query:
            self.token, self._newest, self._started_at = resume.token, resume.newest, resume.started_at
            near = [
                time and (time if time < self._own_ceiling else None) for time in (resume.newest, resume.started_at)
            ]
            self._near, self._near_at_start = near
            self.resumes = self.was_resumed = self._has_begun = True
            self.known, self.after, self.behind = resume.known, resume.after, resume.behind
            self.stuck = bool(resume.known)
            self.size.resume(resume.limit)

    @property
    def is_first(self) -> bool:
        """Whether this list has never been read to its end."""
        return self.state.watermark is None

    @property
    def is_new(self) -> bool:
        """Whether nothing of this list has ever been read."""
        return self.is_first and self.state.resume is None and not self._was_read

    @property
    def floor(self) -> datetime | None:
        """The time before which rows are not wanted: the state less the look-back, never before the start date."""
        if self.state.watermark is None:
            return self.start
        reread = earlier(self.state.watermark, self.lookback)
        return max(reread, self.start) if self.start else reread

    def wants(self, time: datetime | None) -> bool:
        """Whether a row last updated at `time` is emitted. A row without a time always is."""
        return time is None or self.floor is None or time >= self.floor

    def page(self, times: list[datetime | None], next_token: str | None, clock: ServerClock | None) -> None:
        """Take note of a page that was read.

        `times` are its rows' update times in order, `next_token` the cursor it named, `clock` what the answer told of
        the server's clock, if anything. Raises ScanError when the cursor repeats.
        """
        self.resumes = self.stuck = False
        self.known = self.token or ""
        self.size.went_well()
        self._has_rows = self._has_rows or bool(times)
        known = [time for time in times if time is not None]
        self._newest = max(filter(None, [*known, self._newest]), default=None)
        ceiling = self._own_ceiling
        self._near = max((time for time in [*known, self._newest, self._near] if time and time < ceiling), default=None)
        self._near_at_start = self._near_at_start or self._near
        if clock:
            self._future = self._future or clock.ceiling
            self._started_at = self._started_at if self._has_begun else clock.asked  # a later page's comes too late
        self._has_begun = True
        self._check_order(known)
        if not next_token and self.was_resumed and self.token and not self._has_rows:
            self.restart()  # a server that has forgotten a cursor may answer it with nothing
            return
        if not next_token or self._has_reached_floor(known):
            self.finished = True
            return
        if hash(next_token) in self._seen_tokens:
            raise ScanError("the API answered with a page cursor that it had already given")
        self._seen_tokens.add(hash(next_token))
        self.token = next_token

    def restart(self, *, sorted_by_server: bool = True) -> None:
        """Begin again at the first page, after the server rejected a cursor, or, unsorted, after it refused `sortBy`.

        The first attempt's start stays: it is the older one, so the watermark stays on the safe side. Raises
        ScanError when the list cannot be read through after a few restarts.
        """
        if self.token and self.size.has_changed:
            self.size.begin_again()
        else:
            self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            raise ScanError(f"the API rejected its own page cursors {self._restarts} times")
        self.token = self._last = None
        self.resumes = self.stuck = False
        self._seen_tokens.clear()
        if not sorted_by_server:
            self.sort_by = None

    def is_ahead(self, clock: ServerClock | None) -> bool:
        """Whether the state lies in the future of a clock: what was changed since would be taken for read."""
        mark = self.state.watermark
        return mark is not None and mark >= (clock.ceiling if clock else self._own_ceiling)

    def forget(self) -> None:
        """Begin again as a first scan, because the state says nothing."""
        self.state, self._was_read = ScanState(failed=self.state.failed), True
        self.token, self.sort_by = None, CREATED_AT

    @property
    def began(self) -> datetime | None:
        """When the scan began, by the server's clock, or by the newest row that its first page had."""
        return (self._started_at if self._future else None) or self._near_at_start

    @property
    def has_future(self) -> bool:
        """Whether rows are dated after the server's clock, by what it said with the first page."""
        return self._future is not None and self._newest is not None and self._newest >= self._future

    def distrust(self) -> None:
        """Do without the server's clock."""
        self._future = self._started_at = None

    def give_up(self) -> None:
        """Leave the state as it was, whatever has been read."""
        self._is_void = True

    def checkpoint(self) -> ScanState:
        """Return the state from which an interrupted first scan goes on at its next page."""
        if not self.is_first or self.token is None:
            return self.state
        if len(self.failed) <= MAX_FAILED:  # else the rest is read again from where they all were remembered
            newest = self._newest if self._future else self._near
            limit = self.size.of_cursor or LARGEST
            known = self.known if self.stuck else ""
            place = Resume(self.token, self.query, self.began, newest, known, self.after, self.behind, limit)
            self._checkpoint = replace(self.state, resume=place, failed=dict(self.failed))
        return self._checkpoint or self.state

    def result(self) -> ScanState:
        """Return the state after the last page.

        A scan in any order but newest-updated-first may have passed a row before its edit, so its watermark is the
        scan's start, or the newest row when that is older. A scan by `updatedAt` leaves the newest row it saw, unless
        that is dated after the server's own clock: then edits still to come would be older than it. Without a clock of
        the server's, the newest row of the first page stands for the start, and rows beyond our own clock and a day
        for nothing.
        """
        if not self.finished:
            raise ScanError("a watermark was asked for before the scan had finished")
        if self._is_void:
            return self.state
        reached = self._reached()
        if len(self.failed) <= MAX_FAILED:
            return ScanState(reached, failed=dict(self.failed))
        # Everything that was changed before the first row that finds no place is there, or remembered.
        by_time = sorted(self.failed.items(), key=lambda item: parse_time(item[1].time) or _FIRST)
        first = parse_time(by_time[MAX_FAILED][1].time)
        sure = min(reached, earlier(first, _ONE_MILLISECOND)) if reached and first else None
        return ScanState(sure, failed=dict(by_time[:MAX_FAILED]))

    def _reached(self) -> datetime | None:
        reached, start = self._newest if self._future else self._near, self.began
        if reached and start and (not self._is_by_update or self.has_future):
            reached = min(reached, start)
        return max(filter(None, [reached, self.state.watermark]), default=None)

    @property
    def _is_by_update(self) -> bool:
        return self.sort_by == UPDATED_AT and self.in_order

    def _check_order(self, known: list[datetime]) -> None:
        for time in known:
            self.in_order = self.in_order and (self._last is None or time <= self._last)
            self._last = time

    @property
    def _own_ceiling(self) -> datetime:
        return self.own_clock() + _ONE_DAY

    def _has_reached_floor(self, known: list[datetime]) -> bool:
        floor = self.floor
        return self._is_by_update and floor is not None and bool(known) and known[-1] < floor
