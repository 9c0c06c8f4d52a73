"""What became of the records of a sync, in words; and when it has to stop because of it."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

from destination_vitally.config import Config
from destination_vitally.errors import ConfigError
from destination_vitally.lines import dumps
from destination_vitally.mapping.change import Change, RepeatedKeys, identity_of
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.outcomes.ledger import FORECASTS, OUTCOMES, Ledger, PendingRecord
from destination_vitally.outcomes.reasons import Rejections, masked
from destination_vitally.outcomes.rejected import RejectedRecords


class Report:
    """Keeps the account of the records, and says at the end what is in it.

    Attributes:
        ledger: the account.
    """

    def __init__(self, config: Config, rejected: RejectedRecords, fail: Callable[[ConfigError], None]) -> None:
        """`rejected` takes rejected records, `fail` ends the sync."""
        self._rejected = rejected
        self._fail = fail
        self._rejections = Rejections(config.reject_limit_percent)
        self._stop_at_rejected = config.on_rejected == "fail"
        self._is_dry_run = config.dry_run
        self._compares = config.skip_unchanged
        self._lock = threading.Lock()
        self._remarks: Counter[tuple[StreamPlan, str]] = Counter()
        self._keys: dict[StreamPlan, RepeatedKeys] = {}
        self._counted: dict[StreamPlan, int] = {}
        self.ledger = Ledger(self._on_rejected, hold_rejected=self._stop_at_rejected)

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
