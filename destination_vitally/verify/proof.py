"""Proves that what the Analytics API accepted is in Vitally: rows are looked at until they show what was sent.

Vitally confirms no single message, drops some without a word, and applies the others seconds to minutes later. What is
looked for, and what becomes of the records meanwhile, is the matter of `Sampling` and `Proof`.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from random import Random

from destination_vitally.api.pages import Row
from destination_vitally.api.reply import Reply
from destination_vitally.config import Config
from destination_vitally.journal.recorder import Recorder
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.outcomes.ledger import Ledger, Outcome, PendingRecord
from destination_vitally.rows.known import Asking, Rows
from destination_vitally.rows.poller import SHORTEST_PAUSE
from destination_vitally.send.messages import QueuedMessage
from destination_vitally.verify.causes import Causes
from destination_vitally.verify.expected import Expected, Seeing, expected_of
from destination_vitally.verify.sampling import Sample

logger = logging.getLogger("airbyte")

Job = Callable[[], float | None]
"""Returns the seconds after which it has to run again; None when it is done."""

Send = Callable[[list[QueuedMessage]], None]

PENDING = 10_000
PENDING_BYTES = 8_000_000
"""How many rows, and bytes of records, may be waited for at once when all are; more would only hold memory."""

NAMED = 5
"""So many fields are named that Vitally stores otherwise."""


@dataclass
class Found:
    """What verification found out about a stream."""

    accepted: int = 0
    landed: int = 0
    times: Counter[int] = field(default_factory=Counter)
    """How many landed after so many seconds."""
    missing: int = 0
    example: str = ""
    otherwise: Counter[str] = field(default_factory=Counter)
    """How many rows show a field in another form than it was sent in."""


class Verification:
    """Looks for nothing, as the settings may ask for; what looks says it otherwise."""

    def delivery(self, messages: list[QueuedMessage], send: Send) -> Job:
        """Return the job that sends messages by `send`, and is done when what follows them may be sent."""
        return partial(send, messages)

    def has_room(self) -> bool:
        """Whether more may be sent while so much is waited for."""
        return True

    def accepted(self, messages: list[QueuedMessage], reply: Reply) -> list[QueuedMessage]:
        """Look for messages that Vitally has just accepted; returns those whose records have their outcome now."""
        return messages

    def begin_end(self) -> None:
        """Look for what is left: nothing more is accepted."""

    def sentences(self) -> Iterator[tuple[str, bool]]:
        """Yield what was found out about each stream, in a sentence, and whether something has not landed."""
        return iter(())


class _Looking(Verification, ABC):
    """Looks for accepted messages. Safe to use from several threads."""

    def __init__(self, rows: Rows, asking: Asking, recorder: Recorder) -> None:
        self._recorder = recorder
        self._poller = asking.poller
        self._memory = rows.memory
        self._known = rows.references.id_of
        self._causes = Causes(asking.api)
        self._lock = threading.RLock()
        self._rows: dict[tuple[str, str], list[Expected]] = {}
        self._landed_kinds: Counter[str] = Counter()
        self._found: defaultdict[StreamPlan, Found] = defaultdict(Found)

    def accepted(self, messages: list[QueuedMessage], reply: Reply) -> list[QueuedMessage]:
        settled, changes = [], set[int]()
        now = self._memory.clock.monotonic()
        with self._lock:
            for message in messages:
                # The messages of one change, a user of several accounts, are looked for as one.
                is_new = id(message.change) not in changes
                changes.add(id(message.change))
                one = expected_of(message, Seeing(self._known, self._memory), reply.time, now) if is_new else None
                if one is not None:
                    one.on_landed, one.on_missing = self._landed, self._missing
                    self._found[one.record.plan].accepted += 1
                if one is None or self._is_settled(one):
                    settled.append(message)
        return settled

    @abstractmethod
    def _is_settled(self, one: Expected) -> bool:
        """Look for a message, or not; returns whether its record has its outcome before that."""

    def _keep(self, one: Expected) -> None:
        self._rows.setdefault(one.place, []).append(one)

    def _of_row(self, one: Expected) -> list[Expected]:
        return list(self._rows.get(one.place, ()))

    def _drop(self, one: Expected) -> None:
        left = [other for other in self._of_row(one) if other is not one]
        if left:
            self._rows[one.place] = left
        else:
            self._rows.pop(one.place, None)
        self._poller.drop(one)

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
            if found.otherwise:
                named = ", ".join(f"{name} ({rows} rows)" for name, rows in found.otherwise.most_common(NAMED))
                yield (
                    f"Stream {plan.title}: some values are stored otherwise than they were sent: {named}. They count "
                    "as landed.",
                    False,
                )

    def _landed(self, one: Expected) -> None:
        with self._lock:
            self._drop(one)
            found = self._found[one.record.plan]
            found.landed += 1
            found.otherwise.update(one.otherwise)
            if one.after is not None:
                found.times[round(one.after)] += 1
            self._landed_kinds[one.kind] += 1
        self._recorder.landed(one.record, one.change, one.shown, self._memory.clock.now())
        self._settle(one, "accepted")

    def _missing(self, one: Expected, row: Row | None, problem: str) -> None:
        differs = one.differs(row) if row else []
        waited = self._memory.clock.monotonic() - one.since
        reason = problem or self._causes.of(one, row, differs, self._landed_kinds, waited)
        with self._lock:
            self._drop(one)
            found = self._found[one.record.plan]
            found.missing += 1
            found.example = found.example or f"{one.change.label}: {reason}"
        self._settle(one, "rejected", f"{one.change.label}: {reason}")

    def _settle(self, one: Expected, outcome: Outcome, reason: str | None = None) -> None:
        """Enter the outcome of the record, where it has none yet."""


class Sampling(_Looking):
    """Looks for some messages of each stream, whose records count as accepted meanwhile."""

    def __init__(self, rows: Rows, asking: Asking, recorder: Recorder, choose: Random) -> None:
        """`choose` decides which messages are looked for; `recorder` keeps what has landed."""
        super().__init__(rows, asking, recorder)
        self._choose = choose
        self._samples: dict[StreamPlan, Sample] = {}

    def _is_settled(self, one: Expected) -> bool:
        plan = one.record.plan
        for earlier in self._of_row(one):
            if earlier.record.plan is plan:
                earlier.followed_by(one)
                return True
            earlier.written_over(one)
            one.is_first = False
            if earlier.is_empty:
                self._samples[earlier.record.plan].remove(earlier)
                self._drop(earlier)
        sample = self._samples.setdefault(plan, Sample(self._choose))
        self._keep(one)
        for left_out in sample.offer(one):
            self._drop(left_out)
        if sample.is_first(one):
            self._poller.watch(one)
        return True

    def begin_end(self) -> None:
        with self._lock:
            waiting = {id(one) for one in self._poller.all()}
            left = [one for row in self._rows.values() for one in row if id(one) not in waiting]
        for one in left:
            self._poller.watch(one)


class Proof(_Looking):
    """Looks for every message; its record has an outcome only then, and what does not land is rejected."""

    def __init__(self, rows: Rows, asking: Asking, recorder: Recorder, ledger: Ledger) -> None:
        """`ledger` has the outcomes of the records."""
        super().__init__(rows, asking, recorder)
        self._ledger = ledger
        self._open: dict[PendingRecord, Expected] = {}
        self._bytes = 0

    def has_room(self) -> bool:
        return len(self._open) < PENDING and self._bytes < PENDING_BYTES

    def delivery(self, messages: list[QueuedMessage], send: Send) -> Job:
        records = [record for message in messages for record in message.records]
        unsent = [messages]

        def deliver() -> float | None:
            # What follows of the same rows is sent once these have landed: messages may overtake each other.
            if unsent:
                send(unsent.pop())
            return SHORTEST_PAUSE if any(record in self._open for record in records) else None

        return deliver

    def _is_settled(self, one: Expected) -> bool:
        for earlier in self._of_row(one):
            earlier.written_over(one)
            one.is_first = False
        self._open[one.record] = one
        self._bytes += len(one.record.line)
        self._keep(one)
        self._poller.watch(one)
        return False

    def _settle(self, one: Expected, outcome: Outcome, reason: str | None = None) -> None:
        with self._lock:
            was_open = self._open.pop(one.record, None)
            self._bytes -= len(one.record.line) if was_open else 0
        if was_open:
            self._ledger.settle(one.record, outcome, reason)


def verification_for(config: Config, rows: Rows, ledger: Ledger, recorder: Recorder | None = None) -> Verification:
    """Return what proves that rows sent in batches land, if they are sent at all and it is asked for.

    Args:
        config: the settings.
        rows: what is known of rows.
        ledger: the account of the records.
        recorder: keeps the journal.
    """
    # What a delete destroys must not be what a message under way moves elsewhere.
    destroys = any(plan.mirror and not plan.mirror.doubt and plan.entry.destroys_below for plan in ledger.tallies)
    how = "all" if destroys else config.verify
    if how == "none" or config.dry_run or not config.analytics_token:
        return Verification()
    if not rows.asking:
        logger.info("Whether rows have landed in Vitally is not looked at: that needs the REST API key (secret_token).")
        return Verification()
    if how != config.verify:
        logger.info(
            "Every row sent in batches is looked for: Missing rows (missing_rows) may destroy what is below one."
        )
    if how == "all":
        return Proof(rows, rows.asking, recorder or Recorder(), ledger)
    choose = Random(int(rows.memory.clock.now() * 1000))  # noqa: S311 - a sample is no secret
    return Sampling(rows, rows.asking, recorder or Recorder(), choose)


def _times(times: Counter[int]) -> str:
    if not times:
        return ""
    passed = accumulate(times[seconds] for seconds in sorted(times))
    middle = next(seconds for seconds, count in zip(sorted(times), passed, strict=True) if 2 * count >= times.total())
    return f" (after {middle} s in the median, {max(times)} s at the longest)"
