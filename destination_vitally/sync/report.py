"""What became of the records of a sync, in words; and when it has to stop because of it."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from math import ceil

from destination_vitally.api.http import Apis
from destination_vitally.config import Config
from destination_vitally.errors import ConfigError
from destination_vitally.lines import dumps
from destination_vitally.mapping.change import Change, RepeatedKeys, identity_of
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.mirror.mirrors import Mirrors
from destination_vitally.outcomes.ledger import FORECASTS, OUTCOMES, Ledger, Outcome, PendingRecord
from destination_vitally.outcomes.reasons import Rejections, masked
from destination_vitally.outcomes.rejected import RejectedRecords
from destination_vitally.rows.known import Rows
from destination_vitally.send.decide import Effect

logger = logging.getLogger("airbyte")

MINUTE = 60.0
"""So many seconds are between two looks at where a sync is."""


PREVIEWED = 5
"""So many rows of each stream and kind are shown in a dry run."""


class Report:
    """Keeps the account of the records, and says at the end what is in it.

    Attributes:
        ledger: the account.
    """

    def __init__(
        self,
        config: Config,
        rejected: RejectedRecords,
        fail: Callable[[ConfigError], None],
        settled: Callable[[PendingRecord, Outcome], None] = lambda record, outcome: None,
    ) -> None:
        """`rejected` takes rejected records, `settled` all that have an outcome; `fail` ends the sync."""
        self._rejected = rejected
        self._fail = fail
        self._rejections = Rejections(config.reject_limit_percent)
        self._stop_at_rejected = config.on_rejected == "fail"
        self._is_dry_run = config.dry_run
        self._compares = config.skip_unchanged
        self._lock = threading.Lock()
        self._remarks: Counter[tuple[StreamPlan, str]] = Counter()
        self._previewed: Counter[tuple[StreamPlan, Effect]] = Counter()
        self._keys: dict[StreamPlan, RepeatedKeys] = {}
        self._counted: dict[StreamPlan, int] = {}
        self.ledger = Ledger(self._on_rejected, settled, hold_rejected=self._stop_at_rejected)

    def left_out(self, plan: StreamPlan, change: Change) -> None:
        """Count the fields that a row was written without."""
        for name, reason in change.left_out.items():
            self.remark(plan, f"are without {name}: {reason}")

    def remark(self, plan: StreamPlan, text: str) -> None:
        """Count a row of a stream of which something is to be said at the end."""
        with self._lock:
            self._remarks[plan, text] += 1

    def note_key(self, row: PendingRecord, change: Change) -> None:
        """Count a row by its key, the first time it is seen: many that differ and have one key are one by mistake."""
        if row.number <= self._counted.get(row.plan, 0):
            return  # it has waited
        self._counted[row.plan] = row.number
        identity = identity_of(change.entry, change.fields)
        if identity is None or change.sent_at or change.operation not in ("upsert", "update"):
            return
        with suppress(ValueError):
            content = dumps([change.fields, change.open_values])
            self._keys.setdefault(row.plan, RepeatedKeys()).add(identity, content)

    def _on_rejected(self, row: PendingRecord) -> None:
        self._rejected.keep(row)
        if problem := self._rejections.note(row):
            self._fail(ConfigError(problem))
        if self._stop_at_rejected:
            self._fail(
                ConfigError(
                    f"Stopped at a rejected record of stream {row.plan.title}, as it is set: "
                    f"{masked(row)}. Correct the record, or set When a row is rejected (on_rejected) to skip."
                )
            )

    def preview(self, row: PendingRecord, effect: Effect, names: Iterable[str]) -> None:
        """Show one of the first rows of each kind in a dry run: its key, and the names of what would be written."""
        with self._lock:
            self._previewed[row.plan, effect] += 1
            if self._previewed[row.plan, effect] > PREVIEWED:
                return
        values = f": {', '.join(names)}" if names and effect != "deleted" else ""
        logger.info("Dry run, stream %s: %s would be %s%s.", row.plan.title, row.label, effect, values)

    @property
    def failure(self) -> str:
        """Why the sync has failed because of what was rejected; empty if it has not."""
        failures = (self._rejections.failure(plan, tally) for plan, tally in self.ledger.tallies.items())
        return " ".join(filter(None, failures))

    def sentences(self) -> Iterator[tuple[int, str]]:
        """Yield per stream how many records arrived and what became of them (in a dry run: what would).

        Then each reason, and what else there is to say of rows. Each with the level of the log that it belongs to.
        """
        possible, prefix = (FORECASTS, "Dry run, nothing was sent. ") if self._is_dry_run else (OUTCOMES, "")
        outcomes = [outcome for outcome in possible if outcome != "unchanged" or self._compares]
        for plan, tally in self.ledger.tallies.items():
            parts = [f"{tally.outcomes[outcome]} {outcome}" for outcome in outcomes]
            if tally.open:
                parts.append(f"{tally.open} without outcome, they come again with the next sync")
            yield (
                logging.INFO,
                f"{prefix}Stream {plan.title} ({plan.operation} {plan.entry.name}): {tally.received} records = "
                + ", ".join(parts),
            )
            yield from ((logging.INFO, reason) for reason in self._rejections.summary(plan))
            if keys := self._keys.get(plan):
                yield from ((logging.WARNING, sentence) for sentence in keys.sentences(plan.title))
            for (of, remark), count in self._remarks.items():
                if of is plan:
                    yield logging.WARNING, f"Stream {plan.title}: {count} rows {remark}."


class Progress:
    """Says once a minute where a sync is, so that no long work is silent. Used by one thread; reads what others write.

    A sync that takes less than a minute has nothing to say.
    """

    def __init__(self, ledger: Ledger, rows: Rows, apis: Apis, per_minute: int, mirrors: Mirrors) -> None:
        """`per_minute` is how many requests there may be in a minute, to all `apis`."""
        self._ledger = ledger
        self._mirrors = mirrors
        self._asking = rows.asking
        self._limiter = next(api for api in (apis.rest, apis.analytics) if api).limiter
        self._per_minute = per_minute
        self._clock = rows.memory.clock
        self._last = self._arrived = self._clock.monotonic()
        self._before: dict[StreamPlan, tuple[int, int]] = {}
        self._sent = self._limiter.sent
        self.held: Callable[[], Iterable[tuple[StreamPlan, str, int]]] = lambda: ()
        """How many records of each stream wait for a row of which object."""
        self.has_ended: Callable[[StreamPlan], bool] = lambda plan: False
        """Whether all rows of a stream have arrived."""

    def tick(self) -> None:
        """Log where the sync is, if a minute has passed since that was last said."""
        now = self._clock.monotonic()
        if now - self._last < MINUTE:
            return
        minutes, self._last = (now - self._last) / MINUTE, now
        for sentence in self._sentences(now, minutes):
            logger.info("%s", sentence)

    def _sentences(self, now: float, minutes: float) -> Iterator[str]:
        waiting = list(self.held())
        is_idle = True
        for plan, tally in self._ledger.tallies.items():
            received, open_ = tally.received, tally.open
            before, self._before[plan] = self._before.get(plan, (0, 0)), (received, received - open_)
            if received > before[0]:
                self._arrived = now
            if not open_ and self._before[plan] == before:
                continue
            is_idle = is_idle and not open_
            done = [
                f"{count} {outcome}" for outcome in (*OUTCOMES, *FORECASTS[:4]) if (count := tally.outcomes[outcome])
            ]
            text = ", ".join([f"{received} rows received", *done, f"{open_} under way"])
            for of, target, count in waiting:
                text += f", {count} of them waiting for a row of {target}" if of is plan else ""
            pace = (self._before[plan][1] - before[1]) / minutes
            if self.has_ended(plan) and open_:
                text += "; all have arrived" + (f", about {ceil(open_ / pace)} min left at this pace" if pace else "")
            yield f"Stream {plan.title}, so far: {text}."
        yield from self._of_all(now, minutes, is_idle=is_idle)

    def _of_all(self, now: float, minutes: float, *, is_idle: bool) -> Iterator[str]:
        """Yield what is waited for, whatever the stream."""
        sent, self._sent = self._sent, self._limiter.sent
        share = min(100, 100 * (self._sent - sent) / minutes / self._per_minute)  # a burst may be in two minutes
        budget = f"{share:.0f} % of Requests per minute (requests_per_minute)"
        waiting = f"; {self._limiter.waiting} wait for their turn" if self._limiter.waiting else ""
        yield f"{self._sent - sent} requests since the last such line, {budget}{waiting}."
        looked_for: dict[str, list[float]] = {}
        for one in self._asking.poller.all() if self._asking else ():
            looked_for.setdefault(one.entry.name, []).append(now - one.since)
        for name, ages in looked_for.items():
            yield f"Vitally has yet to show {len(ages)} rows of {name} that it took, the oldest for {max(ages):.0f} s."
        for path, pages in self._asking.lists.reading() if self._asking else ():
            yield f"The list of {path} is being read, page {pages} of it."
        if is_idle:
            yield (
                self._mirrors.so_far()
                or f"Nothing is under way, and no row has arrived for {now - self._arrived:.0f} s."
            )
