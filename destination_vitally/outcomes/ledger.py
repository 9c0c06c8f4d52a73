"""What became of every record, and which states may therefore be given back."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal, NamedTuple

from destination_vitally.lines import with_member
from destination_vitally.mapping.plan import StreamKey, StreamPlan

Outcome = Literal[
    "accepted", "superseded", "unchanged", "skipped", "rejected", "created", "updated", "created or updated", "deleted"
]
OUTCOMES: tuple[Outcome, ...] = ("accepted", "superseded", "unchanged", "skipped", "rejected")
FORECASTS: tuple[Outcome, ...] = (
    *("created", "updated", "created or updated", "deleted"),
    *("superseded", "unchanged", "skipped", "rejected"),
)
"""The outcomes of a dry run."""

COPIES = 10_000
"""More than a line can have."""

NO_ACCIDENT = 10
"""So many rejections without any other outcome are a mistake in the settings rather than in the rows."""


@dataclass
class Tally:
    """How many records of a stream were received, and what became of them."""

    received: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)

    @property
    def open(self) -> int:
        return self.received - sum(self.outcomes.values())

    @property
    def is_hopeless(self) -> bool:
        """Whether so many records were rejected, and nothing else has become of any, that it is no accident."""
        rejected = self.outcomes["rejected"]
        return rejected >= NO_ACCIDENT and rejected == sum(self.outcomes.values())


@dataclass(slots=True, eq=False)
class Segment:
    """The records of one stream between two states.

    `tallies` are those of the whole stream, one for each entry of `mappings`. A record is `received` once and
    `rejected` once, whichever of its entries reject it; `open` counts what has no outcome, a record and entry each.
    """

    tallies: list[Tally] = field(default_factory=list)
    received: int = 0
    open: int = 0
    rejected: int = 0
    _lines: set[int] = field(default_factory=set)

    def reject(self, line: int) -> None:
        """Count a rejected record, by the number of its line."""
        if len(self.tallies) > 1 and line in self._lines:
            return
        self.rejected += 1
        if len(self.tallies) > 1:
            self._lines.add(line)


class After(NamedTuple):
    """What Vitally has shown or said of a row after something was sent to it.

    Attributes:
        effect: what its answer says was done; empty where it says nothing.
        id: its id of the row, if it is known.
        taken: when it took what was sent, by its own clock in Unix seconds.
        landed: when the row was seen to show it, by the connector's clock in Unix seconds.
        seen: what it showed of what was sent, by name; None if nobody has looked.
    """

    effect: str = ""
    id: str = ""
    taken: float | None = None
    landed: float | None = None
    seen: dict[str, Any] | None = None


NOTHING = After()


@dataclass(slots=True, eq=False)
class PendingRecord:
    """One record on its way to an outcome; a copy of it for each entry of `mappings`, where its stream has several.

    `parts` counts the messages it became (a user of three accounts is three); the record is settled with its
    last part, and rejected when any part is. `line` is the record as it arrived, `number` its line number,
    `label` what it is called in reports, `place` its place in its stream, from 1. `is_sorted` says that it comes in the
    order of its stream's times. `seq` is the number of its intent in the journal, 0 where there is none, `after` what
    is known of the row since something was sent to it.
    """

    plan: StreamPlan
    segment: Segment
    line: bytes
    number: int
    parts: int = 1
    label: str = ""
    reason: str | None = None
    status: int | None = None
    place: int = 0
    is_sorted: bool = False
    seq: int = 0
    after: After = NOTHING

    @property
    def order(self) -> int:
        """Its place among all that arrived, the copies of a line one after the other."""
        return self.number * COPIES + self.plan.number


@dataclass(slots=True)
class Checkpoint:
    """A STATE that waits for the records before it; it covers no `segments` when its stream is unknown."""

    line: bytes
    segments: list[Segment]
    since: float

    def echo(self) -> bytes:
        """Return the line as it arrived, with what became of its records put in."""
        if not self.segments:
            return self.line
        rejected = sum(s.rejected for s in self.segments)
        received = sum(s.received for s in self.segments)
        stats = b'{"recordCount":%.1f,"rejectedRecordCount":%.1f}' % (received - rejected, rejected)
        return with_member(self.line, ("state", "destinationStats"), stats)


class Ledger:
    """The account of every record. Safe to use from several threads."""

    def __init__(
        self,
        on_rejected: Callable[[PendingRecord], None],
        on_settled: Callable[[PendingRecord, Outcome], None] = lambda record, outcome: None,
        *,
        hold_rejected: bool = False,
    ) -> None:
        """`on_rejected` is called once per rejected record, before any state that covers it is given back.

        So is `on_settled`, for every record.
        With `hold_rejected`, no state that covers a rejected record, and none after it, is given back at all.
        """
        self._hold_rejected = hold_rejected
        self._on_rejected = on_rejected
        self._on_settled = on_settled
        self._lock = Lock()
        self._segments: dict[StreamKey, Segment] = {}
        self._waiting: deque[Checkpoint] = deque()
        self.tallies: dict[StreamPlan, Tally] = {}

    def expect(self, plan: StreamPlan) -> None:
        """Open the account of a stream, or of an entry of it."""
        self.tallies[plan] = Tally()
        self._segments.setdefault(plan.key, Segment()).tallies.append(self.tallies[plan])

    def receive(self, plan: StreamPlan, line: bytes, number: int, *, is_copy: bool = False) -> PendingRecord:
        """Enter a record.

        Args:
            plan: what becomes of the records of its stream.
            line: the line it arrived in.
            number: the number of that line in the input.
            is_copy: whether the record was entered before, for another entry of its stream.

        Returns:
            The record, which waits for its outcome.
        """
        segment = self._segments[plan.key]
        segment.received += not is_copy
        with self._lock:
            segment.open += 1
        self.tallies[plan].received += 1
        return PendingRecord(plan, segment, line, number, place=self.tallies[plan].received)

    def settle(
        self, record: PendingRecord, outcome: Outcome, reason: str | None = None, status: int | None = None
    ) -> None:
        """Enter the outcome of a record, or of one of its parts.

        Args:
            record: the record.
            outcome: what became of it; a record of which one part was rejected is rejected.
            reason: of a rejection, why; it begins with the object and its key.
            status: of a rejection, the HTTP status, if there was an answer.
        """
        with self._lock:
            if outcome == "rejected" and record.reason is None:
                record.reason, record.status = reason or "rejected", status
            self._settle(record, outcome)

    def settle_all(self, records: Iterable[PendingRecord], outcome: Outcome) -> None:
        """Enter the same outcome, other than a rejection, of many records or parts."""
        with self._lock:
            for record in records:
                self._settle(record, outcome)

    def _settle(self, record: PendingRecord, outcome: Outcome) -> None:
        record.parts -= 1
        if record.parts:
            return
        if record.reason is not None:
            outcome = "rejected"
            # Before the segment counts as settled: a state must not overtake the report of a rejection.
            self._on_rejected(record)
            record.segment.reject(record.number)
        self._on_settled(record, outcome)
        self.tallies[record.plan].outcomes[outcome] += 1
        record.segment.open -= 1

    def checkpoint(self, line: bytes, covered: Iterable[StreamPlan], now: float) -> None:
        """Enter a STATE.

        Args:
            line: the line it arrived in, which is what is given back.
            covered: the streams it is of; none for a stream that is not in the catalog.
            now: the monotonic time.
        """
        keys = dict.fromkeys(plan.key for plan in covered)
        self._waiting.append(Checkpoint(line, [self._segments[key] for key in keys], now))
        for key in keys:
            self._segments[key] = Segment(self._segments[key].tallies)

    def ready(self) -> Iterator[bytes]:
        """Yield the states whose records, and those of every earlier state, have outcomes; each is given once.

        A state of a stream that looks hopeless waits: if it stays like that, the sync fails, and its rows come again.
        """
        while self._waiting:
            head = self._waiting[0]
            with self._lock:
                if any(self._holds(segment) for segment in head.segments):
                    return
            self._waiting.popleft()
            yield head.echo()

    def _holds(self, segment: Segment) -> bool:
        if segment.open:
            return True
        is_hopeless = any(tally.is_hopeless for tally in segment.tallies)
        return segment.rejected > 0 and (self._hold_rejected or is_hopeless)

    @property
    def waiting_since(self) -> float | None:
        """When the oldest state that still waits arrived."""
        return self._waiting[0].since if self._waiting else None
