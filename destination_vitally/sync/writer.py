"""The writer: from lines to outcomes; parents first, rows of a key in order, states after their records."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import orjson

from destination_vitally.clock import Clock
from destination_vitally.config import Config
from destination_vitally.errors import ConfigError, InputError, RejectedError
from destination_vitally.mapping.mapper import Change, identity_of
from destination_vitally.mapping.plan import StreamKey, StreamPlan
from destination_vitally.objects.model import BatchRoute
from destination_vitally.outcomes.ledger import FORECASTS, OUTCOMES, Ledger, PendingRecord
from destination_vitally.outcomes.rejected import RejectedRecords, masked
from destination_vitally.sync.dry_run import DryRun
from destination_vitally.sync.workers import Workers
from destination_vitally.transports.analytics import BYTES, Analytics, Batch, Batcher
from destination_vitally.transports.http import Apis
from destination_vitally.transports.messages import Emission, QueuedMessage, messages_of
from destination_vitally.transports.references import References
from destination_vitally.transports.rest import Rest

logger = logging.getLogger("airbyte")

HOLD = 20.0
"""Seconds a state waits for batches to fill. Sending them takes time as well, and a minute is the promise."""

WINDOW_ROWS = 10_000
WINDOW_BYTES = 16_000_000
"""How much is held back so that parents which arrive later are still written before their children."""

LATEST = 253_402_300_800_000
"""The first Unix time in milliseconds with a year of five digits."""

WINDOW_SECONDS = 15
"""Held back is no more than can be sent within this time."""


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
        self._plans = plans
        self._rejected = rejected
        self._workers = Workers(config.num_workers)
        self._clock = clock
        self._stop_at_rejected = config.on_rejected == "fail"
        self._started = int(clock.now() * 1000)
        self._references = References(apis.rest)
        self._ledger = Ledger(self._on_rejected, hold_rejected=self._stop_at_rejected)
        for plan in plans.values():
            self._ledger.expect(plan)
        self._dry_run = config.dry_run
        self._rest: Rest | DryRun | None = Rest(apis.rest, self._references) if apis.rest else None
        if self._dry_run:
            self._rest = DryRun(apis.rest, self._references)
            logger.warning(
                "dry_run is on: nothing is sent, and no state is given back: the records come again once it is off."
            )
        self._analytics = Analytics(apis.analytics, self._ledger) if apis.analytics else None
        self._batchers: dict[str, Batcher] = {}
        self._lowest = min((plan.rank for plan in plans.values()), default=0)
        self._window: dict[int, list[PendingRecord]] = {}
        self._window_rows, self._window_bytes, self._window_cost = 0, 0, 0.0
        self._affordable = config.requests_per_minute * WINDOW_SECONDS / 60
        self._closed_at = clock.monotonic()

    # What arrives

    def take(self, line: bytes, number: int) -> None:
        """Take one line of input, the `number`-th.

        Raises:
            InputError: it is no Airbyte message, or of a stream that is not in the catalog.
        """
        message = _parsed(line, number)
        kind = message.get("type")
        if kind == "RECORD":
            record = message.get("record")
            if not isinstance(record, dict) or not isinstance(record.get("data"), dict):
                raise InputError(f"Line {number} of the input is a RECORD without data.")
            plan = self._plan_of(record.get("namespace"), record.get("stream"), number)
            row = self._ledger.receive(plan, line, number)
            if plan.rank == self._lowest:
                self._process(row, record)
            else:
                self._hold(row)
        elif kind == "STATE":
            self._take_state(message, number)

    def _plan_of(self, namespace: Any, name: Any, number: int) -> StreamPlan:
        known = isinstance(name, str) and isinstance(namespace, str | None)
        plan = self._plans.get((namespace, name)) if known else None
        if plan is None:
            raise InputError(f"Line {number} of the input is of a stream that is not in the catalog.")
        return plan

    def _take_state(self, message: dict[str, Any], number: int) -> None:
        state = message.get("state")
        if not isinstance(state, dict):
            raise InputError(f"Line {number} of the input is a STATE without a state.")
        plan = None
        if state.get("stream"):
            described = _described(state["stream"], number)
            plan = self._plan_of(described.get("namespace"), described.get("name"), number)
        self._ledger.checkpoint(message, plan, self._clock.monotonic())

    def _hold(self, row: PendingRecord) -> None:
        """Keep a record back until the objects it may refer to are written."""
        self._window.setdefault(row.plan.rank, []).append(row)
        self._window_rows += 1
        self._window_bytes += len(row.line)
        self._window_cost += 0.01 if row.plan.batched else 1.0
        if (
            self._window_rows >= WINDOW_ROWS
            or self._window_bytes >= WINDOW_BYTES
            or self._window_cost >= self._affordable
        ):
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

    def states(self) -> Iterator[dict[str, Any]]:
        """The states that may be given back now, in the order they came; none in a dry run, which syncs nothing."""
        for message in self._ledger.ready():
            self._rejected.flush()
            if not self._dry_run:
                yield message

    def finish(self) -> None:
        """Send everything and wait for it."""
        self._close_window()
        self._flush_batches()
        self._workers.drain()

    def store(self) -> None:
        """Make the rejected records durable, whether a state covers them or not."""
        self._rejected.flush()

    def close(self) -> None:
        """Let the requests under way end and start no more."""
        self._workers.close()

    def _on_rejected(self, row: PendingRecord) -> None:
        self._rejected.keep(row)
        if self._stop_at_rejected:
            self._workers.fail(
                ConfigError(
                    f"Stopped at a rejected record of stream {row.plan.title}, as on_rejected asks for: "
                    f"{masked(row)}. Correct the record, or set on_rejected to skip."
                )
            )

    def summary(self) -> Iterator[str]:
        """One line per stream: how many records came, and what became of them (in a dry run: what would)."""
        outcomes, prefix = (FORECASTS, "Dry run, nothing was sent. ") if self._dry_run else (OUTCOMES, "")
        for plan, tally in self._ledger.tallies.items():
            parts = [f"{tally.outcomes[outcome]} {outcome}" for outcome in outcomes]
            if tally.open:
                parts.append(f"{tally.open} without outcome, they come again with the next sync")
            yield (
                f"{prefix}Stream {plan.title} ({plan.operation} {plan.entry.name}): {tally.received} records = "
                + ", ".join(parts)
            )

    # What is sent

    def _close_window(self) -> None:
        """Write what was held back, one generation of objects after the other."""
        self._closed_at = self._clock.monotonic()
        window, self._window = self._window, {}
        self._window_rows, self._window_bytes, self._window_cost = 0, 0, 0.0
        for rank in sorted(window):
            self._flush_batches()
            self._workers.drain()
            for row in window[rank]:
                self._process(row, orjson.loads(row.line)["record"])

    def _process(self, row: PendingRecord, record: dict[str, Any]) -> None:
        try:
            change = row.plan.mapper.change(record["data"])
            row.label = change.label
            self._references.learn(change)
            if isinstance(change.route, BatchRoute):
                messages = self._messages(change, row, record)
                if not self._dry_run:
                    self._batch(messages)
                    return
                row.parts = 1
            self._call(change, row)
        except RejectedError as rejected:
            self._ledger.settle(row, "rejected", str(rejected), rejected.status)

    def _messages(self, change: Change, row: PendingRecord, record: dict[str, Any]) -> list[QueuedMessage]:
        """The messages of a change that travels in batches."""
        emitted_at = record.get("emitted_at")
        if not isinstance(emitted_at, (int, float)) or not 0 < emitted_at < LATEST:
            emitted_at = self._started
        emission = Emission(self._started, emitted_at, row.number)
        messages = messages_of(change, row, emission, self._references)
        for message in messages:
            if len(message.encoded) + 2 > BYTES:
                row.parts = 1
                raise change.rejected(f"it is larger than the {BYTES} bytes that Vitally takes at once")
        return messages

    def _batch(self, messages: list[QueuedMessage]) -> None:
        kind = messages[0].body["type"]
        self._flush_other_batches(kind, messages[0].key)
        for message in messages:
            self._batcher(kind).add(message)

    def _call(self, change: Change, row: PendingRecord) -> None:
        key = identity_of(change.entry, change.fields)
        self._flush_other_batches(None, key)
        self._workers.submit([key] if key else [], partial(self._make, change, row))

    def _make(self, change: Change, row: PendingRecord) -> None:
        assert self._rest is not None
        try:
            effect = self._rest.make(change)
        except RejectedError as rejected:
            self._ledger.settle(row, "rejected", str(rejected), rejected.status)
        else:
            self._ledger.settle(row, effect if self._dry_run or effect == "skipped" else "accepted")

    def _batcher(self, kind: str) -> Batcher:
        if kind not in self._batchers:
            self._batchers[kind] = Batcher(self._dispatch)
        return self._batchers[kind]

    def _dispatch(self, batch: Batch) -> None:
        assert self._analytics is not None
        keys = [message.key for message in batch.messages if message.key is not None]
        self._workers.submit(keys, partial(self._analytics.send, batch.messages))

    def _flush_other_batches(self, kind: str | None, key: Any) -> None:
        """Keep the rows of a key in order when they take different ways."""
        for other, batcher in self._batchers.items():
            if other != kind and key is not None and batcher.holds(key):
                batcher.flush()

    def _flush_batches(self) -> None:
        for batcher in self._batchers.values():
            batcher.flush()


def _described(stream_state: Any, number: int) -> dict[str, Any]:
    described = stream_state.get("stream_descriptor") if isinstance(stream_state, dict) else None
    if not isinstance(described, dict):
        raise InputError(f"Line {number} of the input is a STATE without a state.")
    return described


def _parsed(line: bytes, number: int) -> dict[str, Any]:
    try:
        message = orjson.loads(line)
    except orjson.JSONDecodeError:
        message = None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        # Nothing of the line is quoted: it may hold anything.
        raise InputError(f"Line {number} of the input is not an Airbyte message.")
    return message
