"""Proves that what the Analytics API accepted is in Vitally: rows are read back until they show what was sent.

Vitally confirms no single message, drops some without a word, and applies the others seconds to minutes later. What is
looked for, and what becomes of the records meanwhile, is the matter of `Sampling` and `Proof`.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from random import Random

from destination_vitally.api.http import Api
from destination_vitally.api.pages import Row, text_of
from destination_vitally.api.reply import Reply
from destination_vitally.clock import Clock
from destination_vitally.mapping.comparison import Known
from destination_vitally.mapping.mapper import Change
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.outcomes.ledger import Ledger, Outcome, PendingRecord
from destination_vitally.transports.causes import Causes
from destination_vitally.transports.expected import Expected, expected_of
from destination_vitally.transports.landing import FIRST_WAIT
from destination_vitally.transports.messages import QueuedMessage
from destination_vitally.transports.sampling import Sample
from destination_vitally.transports.watching import Watch

logger = logging.getLogger("airbyte")

Job = Callable[[], float | None]
"""Returns the seconds after which it has to run again; None when it is done."""

Send = Callable[[list[QueuedMessage]], None]

PENDING = 10_000
PENDING_BYTES = 8_000_000
"""How many rows, and bytes of records, may be waited for at once when all are; more would only hold memory."""


@dataclass
class Found:
    """What verification found out about a stream."""

    accepted: int = 0
    landed: int = 0
    times: Counter[int] = field(default_factory=Counter)
    """How many landed after so many seconds."""
    missing: int = 0
    example: str = ""


class Verification:
    """Takes note of nothing and looks for nothing, as the settings may ask for; what looks says it otherwise."""

    def delivery(self, messages: list[QueuedMessage], send: Send) -> Job:
        """Return the job that sends messages by `send`, and is done when it is known what has become of them."""
        return partial(send, messages)

    def has_room(self) -> bool:
        """Whether more may be sent while so much is waited for."""
        return True

    def deliveries(self) -> int:
        """Return how many jobs have sent what they are to send and only look for it."""
        return 0

    def accepted(self, messages: list[QueuedMessage], reply: Reply) -> list[QueuedMessage]:
        """Take note of messages that Vitally has just accepted; returns those whose records have their outcome now."""
        return messages

    def written(self, change: Change) -> None:
        """Take note that a row was written or deleted by REST, after its messages have landed."""

    def finish(self) -> None:
        """Look until everything that is looked for has landed, or the patience is over."""

    def sentences(self) -> Iterator[tuple[str, bool]]:
        """Yield what was found out about each stream, in a sentence, and whether something has not landed."""
        return iter(())


class _Looking(Verification, ABC):
    """Looks for accepted messages. Safe to use from several threads."""

    def __init__(self, rest: Api, known: Known, clock: Clock) -> None:
        """Prepare to look.

        Args:
            rest: the way to Vitally.
            known: what is known of Vitally's ids.
            clock: what the waits go by.
        """
        self._rest = rest
        self._known = known
        self._clock = clock
        self._causes = Causes(rest)
        self._lock = threading.RLock()
        self._watches: dict[str, Watch] = {}
        self._landed_kinds: Counter[str] = Counter()
        self._found: defaultdict[StreamPlan, Found] = defaultdict(Found)

    def accepted(self, messages: list[QueuedMessage], reply: Reply) -> list[QueuedMessage]:
        settled, changes = [], set[int]()
        now = self._clock.monotonic()
        with self._lock:
            for message in messages:
                # The messages of one change, a user of several accounts, are looked for as one.
                is_new = id(message.change) not in changes
                changes.add(id(message.change))
                one = expected_of(message, reply.time, now) if is_new else None
                if one is not None:
                    self._of(one).accepted += 1
                    self._watch(one).passed(1)
                if one is None or self._is_settled(one):
                    settled.append(message)
        return settled

    @abstractmethod
    def _is_settled(self, one: Expected) -> bool:
        """Look for a message, or not; returns whether its record has its outcome before that."""

    @abstractmethod
    def _drop(self, one: Expected) -> None:
        """Look for a message no longer."""

    def written(self, change: Change) -> None:
        external_id = text_of(change.fields, "externalId")
        for path, watch in list(self._watches.items()):
            for one in watch.of_row(external_id) if path == change.entry.path else ():
                self._drop(one)
            for one in watch.all() if change.operation == "delete" else ():
                one.forget_parent(change.entry.name, external_id)

    def finish(self) -> None:
        while pauses := [pause for watch in self._watches.values() if (pause := watch.look()) is not None]:
            self._clock.wait(min(pauses))

    def sentences(self) -> Iterator[tuple[str, bool]]:
        for plan, found in self._found.items():
            checked = found.landed + found.missing
            if not checked:
                continue
            text = f"Stream {plan.title}: of {found.accepted} rows sent in batches {checked} were looked for, "
            text += f"{found.landed} are in Vitally{_times(found.times)}"
            is_not = "is not" if found.missing == 1 else "are not"
            text += f", {found.missing} {is_not}, for example {found.example}" if found.missing else ""
            yield f"{text}.", bool(found.missing)

    def _watch(self, one: Expected) -> Watch:
        path = one.entry.path
        if path not in self._watches:
            self._watches[path] = Watch(self._rest, one.entry, self._clock, self._known, self)
        return self._watches[path]

    def _of(self, one: Expected) -> Found:
        return self._found[one.record.plan]

    def landed(self, one: Expected) -> None:
        """Take note that a row shows a message."""
        with self._lock:
            found = self._of(one)
            found.landed += 1
            if one.after is not None:
                found.times[round(one.after)] += 1
            self._landed_kinds[one.kind] += 1

    def missing(self, one: Expected, row: Row | None, problem: str) -> None:
        """Take note that no row shows a message though it was waited for."""
        differs = one.differs(row, self._known) if row else []
        reason = problem or self._causes.of(one, row, differs, self._landed_kinds)
        with self._lock:
            found = self._of(one)
            found.missing += 1
            found.example = found.example or f"{one.change.label}: {reason}"
        self._give_up(one, reason)

    @abstractmethod
    def _give_up(self, one: Expected, reason: str) -> None:
        """Do what is to be done about a message that has not landed."""


class Sampling(_Looking):
    """Looks for some messages of each stream at the end of a sync, whose records count as accepted meanwhile."""

    def __init__(self, rest: Api, known: Known, clock: Clock, choose: Random) -> None:
        """`choose` decides which messages are looked for; the rest is as for any verification."""
        super().__init__(rest, known, clock)
        self._choose = choose
        self._samples: dict[StreamPlan, Sample] = {}

    def _is_settled(self, one: Expected) -> bool:
        self._take(one)
        return True

    def _take(self, one: Expected) -> None:
        watch, plan = self._watch(one), one.record.plan
        for earlier in watch.of_row(one.external_id):
            if earlier.record.plan is plan:
                earlier.followed_by(one)
                return
            earlier.written_over(one)
            if earlier.is_empty:
                self._drop(earlier)
        if plan not in self._samples:
            self._samples[plan] = Sample(self._choose)
        left_out = self._samples[plan].offer(one)
        if left_out is not one:
            watch.add(one)
            if left_out:
                self._watch(left_out).drop(left_out)

    def _give_up(self, one: Expected, reason: str) -> None:
        """Its record has its outcome already."""

    def _drop(self, one: Expected) -> None:
        with self._lock:
            self._samples[one.record.plan].remove(one)
            self._watch(one).drop(one)


class Proof(_Looking):
    """Looks for every message; its record has an outcome only then, and what does not land is rejected."""

    def __init__(self, rest: Api, known: Known, clock: Clock, ledger: Ledger) -> None:
        """`ledger` is told what becomes of the records; the rest is as for any verification."""
        super().__init__(rest, known, clock)
        self._ledger = ledger
        self._open: dict[PendingRecord, Expected] = {}
        self._bytes = 0
        self._deliveries: set[Job] = set()

    def has_room(self) -> bool:
        return len(self._open) < PENDING and self._bytes < PENDING_BYTES

    def delivery(self, messages: list[QueuedMessage], send: Send) -> Job:
        records = [record for message in messages for record in message.records]
        unsent = [messages]

        def deliver() -> float | None:
            pause = FIRST_WAIT
            if unsent:
                send(unsent.pop())
            else:
                pause = min((watch.look() or 0.0 for watch in self._watches_of(records)), default=0.0)
            goes_on = bool(self._waited(records))
            with self._lock:
                (self._deliveries.add if goes_on else self._deliveries.discard)(deliver)
            return pause if goes_on else None

        return deliver

    def deliveries(self) -> int:
        return len(self._deliveries)

    def _watches_of(self, records: list[PendingRecord]) -> Iterable[Watch]:
        return {one.entry.path: self._watch(one) for one in self._waited(records)}.values()

    def _waited(self, records: list[PendingRecord]) -> list[Expected]:
        return [one for record in records if (one := self._open.get(record))]

    def _is_settled(self, one: Expected) -> bool:
        watch = self._watch(one)
        for earlier in watch.of_row(one.external_id):
            earlier.written_over(one)
        self._open[one.record] = one
        self._bytes += len(one.record.line)
        watch.add(one)
        return False

    def _drop(self, one: Expected) -> None:
        self._watch(one).drop(one)
        self._settle(one, "accepted")

    def landed(self, one: Expected) -> None:
        """Take note that a row shows a message: its record is accepted."""
        super().landed(one)
        self._settle(one, "accepted")

    def _give_up(self, one: Expected, reason: str) -> None:
        self._settle(one, "rejected", f"{one.change.label}: {reason}")

    def _settle(self, one: Expected, outcome: Outcome, reason: str | None = None) -> None:
        with self._lock:
            was_open = self._open.pop(one.record, None)
            self._bytes -= len(one.record.line) if was_open else 0
        if was_open:
            self._ledger.settle(one.record, outcome, reason)


def _times(times: Counter[int]) -> str:
    if not times:
        return ""
    passed = accumulate(times[seconds] for seconds in sorted(times))
    middle = next(seconds for seconds, count in zip(sorted(times), passed, strict=True) if 2 * count >= times.total())
    return f" (after {middle} s in the median, {max(times)} s at the longest)"
