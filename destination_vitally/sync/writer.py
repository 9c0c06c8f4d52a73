"""The writer: from lines to outcomes; parents first, rows of a key in order, states after their records."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterator
from functools import partial
from typing import Any

from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from destination_vitally.api.http import Apis
from destination_vitally.clock import Clock
from destination_vitally.config import Config
from destination_vitally.errors import ConfigError, InputError, NotYetError, RejectedError, StoppedError
from destination_vitally.lines import parse
from destination_vitally.mapping.mapper import Change, identity_of
from destination_vitally.mapping.plan import StreamKey, StreamPlan
from destination_vitally.objects.model import BatchRoute
from destination_vitally.outcomes.ledger import FORECASTS, OUTCOMES, Ledger, PendingRecord
from destination_vitally.outcomes.reasons import Rejections, masked
from destination_vitally.outcomes.rejected import RejectedRecords
from destination_vitally.sync import window
from destination_vitally.sync.ahead import Ahead
from destination_vitally.sync.dry_run import DryRun
from destination_vitally.sync.mirror import Mirrors
from destination_vitally.sync.parents import Parents
from destination_vitally.sync.streams import Streams, named, parsed
from destination_vitally.sync.unchanged import Unchanged
from destination_vitally.sync.verifying import look_to_the_end, verification_for
from destination_vitally.sync.workers import Workers
from destination_vitally.transports.analytics import BYTES, Analytics, Batch, Batcher
from destination_vitally.transports.landing import Landing
from destination_vitally.transports.lookups import Finder
from destination_vitally.transports.messages import Emission, QueuedMessage, messages_of
from destination_vitally.transports.references import References
from destination_vitally.transports.rest import Rest

logger = logging.getLogger("airbyte")

HOLD = 20.0
"""Seconds a state waits for batches to fill. Sending them takes time as well, and a minute is the promise."""

UNSURE = 100
"""So many rows whose parents are not known wait for one look-up of them all, where no parents come in this sync."""

SLICE = 1_000
"""So many rows are mapped before their parents are looked up."""

LATEST = 253_402_300_800_000
"""The first Unix time in milliseconds with a year of five digits."""


class Writer:
    """Takes the lines of one sync. Used by one thread; the requests are made by the workers'."""

    def __init__(
        self,
        plans: dict[StreamKey, StreamPlan],
        config: Config,
        apis: Apis,
        rejected: RejectedRecords,
        clock: Clock,
    ) -> None:
        self._streams = Streams(plans)
        self._rejected = rejected
        self._clock = clock
        self._rejections = Rejections(config.reject_limit_percent)
        self._stop_at_rejected = config.on_rejected == "fail"
        self._started = int(clock.now() * 1000)
        landing = Landing(apis.rest, clock)
        self._references = References(apis.rest, landing, config.unknown_parents, is_dry_run=config.dry_run)
        self._ledger = Ledger(self._on_rejected, hold_rejected=self._stop_at_rejected)
        self._verification = verification_for(config, apis, self._references.known, clock, self._ledger)
        self._fails_unverified = config.on_unverified == "fail"
        self._workers = Workers(config.num_workers, clock, self._verification.deliveries)
        self._parents = Parents(plans.values(), apis.rest, self._references, landing, self._workers)
        for plan in plans.values():
            self._ledger.expect(plan)
        finder = Finder(apis.rest, self._references.lists) if apis.rest else None
        self._rest = Rest(apis.rest, self._references, landing, finder) if apis.rest and finder else None
        self._unchanged = (
            Unchanged(self._references, finder, self._workers) if config.skip_unchanged and finder else None
        )
        self._ahead = Ahead(self._references, self._parents, self._unchanged, self._workers, foretells=config.dry_run)
        self._dry_run = DryRun(apis.rest, self._references, landing) if config.dry_run else None
        if self._dry_run:
            logger.warning(
                "dry_run is on: nothing is sent, and no state is given back: the records come again once it is off."
            )
        self._analytics = (
            Analytics(apis.analytics, self._ledger, landing, self._verification) if apis.analytics else None
        )
        self._batchers: dict[str, Batcher] = {}
        self._lowest = min((plan.rank for plan in plans.values()), default=0)
        self._window = window.Window(config.requests_per_minute)
        self._cut_short: set[StreamPlan] = set()
        self.mirrors = Mirrors(config, apis.rest, self._rest, self._ledger, self._workers)
        self._unsure: list[PendingRecord] = []
        self._unsure_places: set[str] = set()
        self._closed_at = clock.monotonic()

    # What arrives

    def take(self, line: bytes, number: int) -> None:
        """Take one line of input, the `number`-th.

        Raises:
            InputError: it is no Airbyte message, or of a stream that is not in the catalog.
        """
        message = parsed(line, number)
        kind = message.get("type")
        if kind == "RECORD":
            record = message.get("record")
            if not isinstance(record, dict) or not isinstance(record.get("data"), dict):
                raise InputError(f"Line {number} of the input is a RECORD without data.")
            plan = self._streams.find(record.get("namespace"), record.get("stream"))
            if plan is None:
                raise InputError(f"Line {number} of the input is of {named(record)}, which is not in the catalog.")
            row = self._ledger.receive(plan, line, number)
            # What is compared is held back too: of many rows together the list is read instead of each row.
            if plan.rank == self._lowest and not self._unchanged:
                self._process(row, record)
            else:
                self._hold(row)
        elif kind == "STATE":
            covered = self._streams.covered(message.get("state"))
            if covered is None:
                raise InputError(f"Line {number} of the input is a STATE without a state.")
            self._ledger.checkpoint(line, covered, self._clock.monotonic())
        elif kind == "TRACE" and (plan := self._streams.with_status(message, "COMPLETE")):
            self._parents.ended(plan)
            self.mirrors.ended(plan)
        elif kind == "TRACE" and (plan := self._streams.with_status(message, "INCOMPLETE")):
            self._cut_short.add(plan)
            self.mirrors.cut_short(plan)

    def _hold(self, row: PendingRecord) -> None:
        """Keep a record back until the objects it may refer to are written."""
        self._window.add(row)
        if self._window.is_full:
            self._close_window()

    def tick(self) -> None:
        """Let time pass: a state that has waited long enough gets its records sent. Call it often."""
        self._workers.check()
        if self._rejected.is_full:
            self._rejected.flush()
        since = self._ledger.waiting_since
        if since is None:
            return
        if self._clock.monotonic() - max(since, self._closed_at) >= HOLD:
            self._close_window()
            self._flush_batches()

    @property
    def has_states(self) -> bool:
        """Whether a state waits to be given back."""
        return self._ledger.waiting_since is not None

    def states(self) -> Iterator[bytes]:
        """The states that may be given back now, in the order they came; none in a dry run, which syncs nothing."""
        for line in self._ledger.ready():
            self._rejected.flush()
            if not self._dry_run:
                yield line

    def finish(self, *, is_all: bool = True) -> None:
        """Send everything and wait for it; what waits for rows that may still come only when the input `is_all`.

        What waits for a stream that was cut short has no outcome: its parent may come with the next sync.

        Raises:
            ConfigError: too many rows of a stream were rejected.
        """
        if is_all:
            for plan in self._streams.plans:
                if plan not in self._cut_short:
                    self._parents.ended(plan)
        self._close_window()
        before: int = 0
        while is_all and len(self._parents.held) not in (0, before):
            before = len(self._parents.held)
            self._parents.held.release_all()
            self._close_window()
        self._flush_batches()
        self._workers.finish()
        failures = (self._rejections.failure(plan, tally) for plan, tally in self._ledger.tallies.items())
        if failed := " ".join(filter(None, failures)):
            raise ConfigError(failed)

    def verify(self) -> None:
        """Look whether what was sent in batches has landed, as the settings ask for.

        Raises:
            ConfigError: something has not, and on_unverified says that this is a failure.
            OutageError: Vitally cannot be reached.
        """
        look_to_the_end(self._verification, fails=self._fails_unverified)

    def store(self) -> None:
        """Make the rejected records durable, whether a state covers them or not."""
        self._rejected.flush()

    def close(self) -> None:
        """Let the requests under way end and start no more."""
        self._workers.close()

    def _on_rejected(self, row: PendingRecord) -> None:
        self._rejected.keep(row)
        if problem := self._rejections.note(row):
            self._workers.fail(ConfigError(problem))
        if self._stop_at_rejected:
            self._workers.fail(
                ConfigError(
                    f"Stopped at a rejected record of stream {row.plan.title}, as on_rejected asks for: "
                    f"{masked(row)}. Correct the record, or set on_rejected to skip."
                )
            )

    def summary(self) -> Iterator[tuple[int, str]]:
        """Per stream, how many records came and what became of them (in a dry run: what would); then each reason.

        Then per stream what was found when it was looked for. Each with the level of the log that it belongs to.
        """
        possible, prefix = (FORECASTS, "Dry run, nothing was sent. ") if self._dry_run else (OUTCOMES, "")
        outcomes = [outcome for outcome in possible if outcome != "unchanged" or self._unchanged]
        for plan, tally in self._ledger.tallies.items():
            parts = [f"{tally.outcomes[outcome]} {outcome}" for outcome in outcomes]
            if tally.open:
                parts.append(f"{tally.open} without outcome, they come again with the next sync")
            yield (
                logging.INFO,
                f"{prefix}Stream {plan.title} ({plan.operation} {plan.entry.name}): {tally.received} records = "
                + ", ".join(parts),
            )
            yield from ((logging.INFO, reason) for reason in self._rejections.summary(plan))
        for text, is_missing in self._verification.sentences():
            yield logging.WARNING if is_missing else logging.INFO, text
        yield from self.mirrors.sentences()

    # What is sent

    def _close_window(self) -> None:
        """Write what was held back, one generation of objects after the other."""
        self._closed_at = self._clock.monotonic()
        self._write_unsure()
        for row in self._parents.held.take(window.ROWS):
            self._window.add(row)
        for rank, rows in self._window.empty():
            if rank > self._lowest:
                self._flush_batches()
                self._workers.drain()
            for start in range(0, len(rows), SLICE):
                self._write_slice(rows[start : start + SLICE], more=max(0, len(rows) - start - SLICE))

    def _write_slice(self, rows: list[PendingRecord], more: int = 0) -> None:
        """Write rows of one generation, of which there are so many `more`, once their parents are there."""
        drafts = [(row, record, self._change(row, record)) for row in rows for record in [parse(row.line)["record"]]]
        self._ahead.look_up((change for _, _, change in drafts if change), more)
        for row, record, change in drafts:
            if change:
                self._send(row, record, change)

    def _process(self, row: PendingRecord, record: dict[str, Any]) -> None:
        """Write a row at once if its parents are known to be there, else with others for which they are looked up."""
        change = self._change(row, record)
        if change is None:
            return
        # Two rows of an object may be one row of Vitally's, told by different keys: they keep their order.
        if change.entry.path not in self._unsure_places and not self._ahead.concerns(change):
            self._send(row, record, change)
            return
        self._unsure.append(row)
        self._unsure_places.add(change.entry.path)
        if len(self._unsure) >= UNSURE:
            self._write_unsure()

    def _write_unsure(self) -> None:
        rows, self._unsure, self._unsure_places = self._unsure, [], set()
        if rows:
            self._write_slice(rows)

    def _change(self, row: PendingRecord, record: dict[str, Any]) -> Change | None:
        """Return what a row asks for; None when it was rejected."""
        try:
            change = row.plan.mapper.change(record["data"])
            row.label = change.label
            self._references.learn(change)
        except Exception as error:
            self.mirrors.saw_flawed(row.plan, record["data"])
            self._reject(row, error)
            return None
        self.mirrors.saw(row.plan, change)
        return change

    def _send(self, row: PendingRecord, record: dict[str, Any], change: Change) -> None:
        """Send a row, unless it has to wait for one that may still come."""
        messages: list[QueuedMessage] = []
        if self._changes_nothing(row, change):
            self._parents.came(change)
            self._ledger.settle(row, "unchanged")
            return
        try:
            if self._parents.wait(row, change):
                return
            if isinstance(change.route, BatchRoute):
                messages = self._messages(change, row, record)
        except Exception as error:
            self._reject(row, error)
            return
        self._parents.came(change)
        if self._unchanged:
            self._unchanged.sends(change)
        if messages and not self._dry_run:
            self._batch(messages)
        else:
            row.parts = 1
            self._call(change, row, messages[0].key if messages and change.entry.counts_once else None)

    def _changes_nothing(self, row: PendingRecord, change: Change) -> bool:
        if not self._unchanged or self._parents.is_behind(row, change):
            return False
        return self._unchanged.is_so(change)

    def _reject(self, row: PendingRecord, error: Exception) -> None:
        """Take a failure for what becomes of one record; what is none of a record's is raised again."""
        if isinstance(error, (AirbyteTracedException, StoppedError, MemoryError)):
            raise error
        row.parts = 1
        if not isinstance(error, RejectedError):
            label = row.label or row.plan.entry.name
            error = RejectedError(f"{label}: it cannot be written ({type(error).__name__})")
        self._ledger.settle(row, "rejected", str(error), error.status)

    def _messages(self, change: Change, row: PendingRecord, record: dict[str, Any]) -> list[QueuedMessage]:
        """The messages of a change that travels in batches."""
        emitted_at = record.get("emitted_at")
        if not isinstance(emitted_at, (int, float)) or not 0 < emitted_at < LATEST:
            emitted_at = self._started
        emission = Emission(self._started, emitted_at, row.number)
        messages = messages_of(change, row, emission, self._references)
        for message in messages:
            if not Batch().has_room(len(message.encoded)):
                raise change.rejected(f"it is larger than the {BYTES} bytes that Vitally takes at once")
        return messages

    def _batch(self, messages: list[QueuedMessage]) -> None:
        kind = messages[0].body["type"]
        self._flush_other_batches(kind, messages[0].key)
        for message in messages:
            self._batcher(kind).add(message)

    def _call(self, change: Change, row: PendingRecord, counted_by: Hashable = None) -> None:
        key = identity_of(change.entry, change.fields)
        self._flush_other_batches(None, key)
        self._workers.submit([key] if key else [], partial(self._make, change, row, counted_by))

    def _make(self, change: Change, row: PendingRecord, counted_by: Hashable) -> float | None:
        """Make a change; returns the seconds after which to try again when it depends on what is not there yet."""
        try:
            if self._dry_run:
                effect = self._dry_run.make(change, counted_by)
            else:
                assert self._rest is not None  # a plan without the REST key has no calls
                effect = self._rest.make(change)
        except NotYetError as error:
            return error.seconds
        except Exception as error:
            self._reject(row, error)
        else:
            self._verification.written(change)
            self._ledger.settle(row, effect if self._dry_run or effect == "skipped" else "accepted")
        return None

    def _batcher(self, kind: str) -> Batcher:
        if kind not in self._batchers:
            self._batchers[kind] = Batcher(self._dispatch)
        return self._batchers[kind]

    def _dispatch(self, batch: Batch) -> None:
        assert self._analytics is not None
        keys = [message.key for message in batch.messages if message.key is not None]
        job = self._verification.delivery(batch.messages, self._analytics.send)
        self._workers.submit(keys, job, self._verification.has_room)

    def _flush_other_batches(self, kind: str | None, key: Any) -> None:
        """Keep the rows of a key in order when they take different ways."""
        for other, batcher in self._batchers.items():
            if other != kind and key is not None and batcher.holds(key):
                batcher.flush()

    def _flush_batches(self) -> None:
        for batcher in self._batchers.values():
            batcher.flush()
