"""A list as Vitally serves it, in memory: newest first, keyset cursors, rows that move while they are read."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from source_vitally.scan import Scan, ScanState, ServerClock
from source_vitally.times import parse_time

EPOCH = datetime(2026, 1, 1, tzinfo=timezone.utc)
NO_LOOK_BACK = timedelta()


class CursorRejectedError(Exception):
    """The server does not know this cursor."""


@dataclass
class FeedModel:
    """Rows `{id: (created, updated, version)}` in milliseconds of a clock that every call moves on."""

    limit: int = 3
    now: int = 1_000_000
    rows: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    rejections: int = 0
    """So many requests with a cursor are refused from now on."""
    requests: int = 0
    order: str = "as asked"
    """`as asked`, or an order in which the list is whatever is asked for: `created`, `updated`, `other`."""
    grain: int = 1
    """To so many milliseconds the times of rows are cut, so that rows of one moment tie."""
    made: int = 0

    def tick(self, by: int = 700) -> int:
        self.now += by
        return self.now

    def insert(self, tick: int = 700) -> int:
        self.made += 1
        now = self._cut(self.tick(tick))
        self.rows[self.made] = (now, now, 1)
        return self.made

    def edit(self, key: int, tick: int = 700) -> None:
        created, _, version = self.rows[key]
        self.rows[key] = (created, self._cut(self.tick(tick)), version + 1)

    def _cut(self, now: int) -> int:
        return now - now % self.grain

    def page(
        self, sort_by: str | None, token: str | None
    ) -> tuple[list[tuple[int, int, int]], str | None, ServerClock]:
        """Return rows as (id, updated, version), the next cursor and the clock around the request."""
        self.requests += 1
        order = self.order if self.order != "as asked" else "created" if sort_by == "createdAt" else "updated"
        asked = self.tick(100)
        ordered = sorted(((self._place(key, order), key) for key in self.rows), reverse=True)
        if token:
            if self.rejections:
                self.rejections -= 1
                raise CursorRejectedError
            position = json.loads(base64.b64decode(token))
            ordered = [entry for entry in ordered if list(entry) < position]
        page = ordered[: self.limit]
        answered = self.tick(100)
        more = len(ordered) > self.limit
        cursor = base64.b64encode(json.dumps(page[-1]).encode()).decode() if more else None
        rows = [(key, self.rows[key][1], self.rows[key][2]) for _, key in page]
        answered_at = time_of(self._cut(answered)).replace(microsecond=0)
        return rows, cursor, ServerClock(answered_at - timedelta(milliseconds=answered - asked), answered_at)

    def _place(self, key: int, order: str) -> int:
        created, updated, _ = self.rows[key]
        return {"created": created, "updated": updated}.get(order, key * 7919 % 31)


def time_of(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)


def read(model: FeedModel, state: ScanState, between: Any = None, **options: Any) -> tuple[list[Any], ScanState]:
    """Read a whole scan; `between(pages, scan)` is called after each page. Return rows and the state they leave."""
    scan = Scan(state, options.pop("lookback", NO_LOOK_BACK), **options)
    emitted: list[Any] = []
    pages = 0
    while not scan.finished:
        emitted += step(model, scan)
        pages += 1
        if between:
            between(pages, scan)
    return emitted, scan.result()


def step(model: FeedModel, scan: Scan, *, clock: bool = True) -> list[tuple[int, int, int]]:
    """Read a page, which `clock` says to tell the server's time; return the rows that the scan wants."""
    while True:
        try:
            rows, cursor, told = model.page(scan.sort_by, scan.token)
            break
        except CursorRejectedError:
            scan.restart()
    times: list[datetime | None] = [time_of(updated) for _, updated, _ in rows]
    wanted = [row for row, time in zip(rows, times, strict=True) if scan.wants(time)]
    scan.page(times, cursor, told if clock else None)
    return wanted


__all__ = ["CursorRejectedError", "FeedModel", "parse_time", "read", "step", "time_of"]
