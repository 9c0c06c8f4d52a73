"""The writer: from lines to outcomes; parents first, rows of a lane in order, states after their records."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterator
from math import inf
from typing import Any

from destination_vitally.api.http import Apis
from destination_vitally.clock import Clock
from destination_vitally.config import Config
from destination_vitally.errors import ConfigError, InputError, StoppedError
from destination_vitally.journal.intents import Before, names_of
from destination_vitally.journal.recorder import Recorder
from destination_vitally.lines import parse
from destination_vitally.mapping.columns import data_of
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.mapping.values.cursors import cursor_of
from destination_vitally.mapping.values.times import emitted
from destination_vitally.mirror.mirrors import Mirrors
from destination_vitally.objects.model import BatchRoute
from destination_vitally.outcomes.ledger import PendingRecord
from destination_vitally.outcomes.rejected import RejectedRecords
from destination_vitally.rows.facts import Sending
from destination_vitally.rows.known import Rows
from destination_vitally.rows.reader import lanes_of
from destination_vitally.send.batches import BYTES, Analytics, Batch, Batchers
from destination_vitally.send.forecast import Forecast
from destination_vitally.send.messages import Emission, QueuedMessage, messages_of
from destination_vitally.send.rest import Rest
from destination_vitally.sync.calls import Calls
from destination_vitally.sync.held import LAST
from destination_vitally.sync.lanes import KeyKinds, Lanes
from destination_vitally.sync.prefetch import Prefetch
from destination_vitally.sync.report import Progress, Report
from destination_vitally.sync.streams import LOST, Counts, Streams, parsed
from destination_vitally.sync.versions import Versions
from destination_vitally.sync.waiting import Waiting, expect
from destination_vitally.sync.window import ROWS, SLICE_BYTES, Draft, Window, slices
from destination_vitally.verify.proof import verification_for

logger = logging.getLogger("airbyte")

HOLD_SECONDS = 20.0
"""So long a state waits for batches to fill. Sending them takes time as well, and a minute is the promise."""

AT_ONCE = 100
"""So many rows that need not wait for parents are written together."""


class Writer:
    """Takes the lines of one sync. Used by one thread; the requests are made by the lanes'."""

    def __init__(  # noqa: PLR0913 - all that a sync is made of
        self,
        plans: list[StreamPlan],
        config: Config,
        apis: Apis,
        rejected: RejectedRecords,
        clock: Clock,
        *,
        recorder: Recorder | None = None,
    ) -> None:
        self._streams = Streams(plans)
        self._counts = Counts(self._streams)
        self._rejected = rejected
        self._clock = clock
        self._started = int(clock.now() * 1000)
        self._lanes = Lanes(config.num_workers, clock)
        self._recorder = recorder = recorder or Recorder()
        self._report = Report(config, rejected, self._lanes.fail, recorder.settled)
        self._ledger = self._report.ledger
        for plan in plans:
            self._ledger.expect(plan)
        self._rows = rows = Rows(apis.rest, clock, self._lanes.again, config.unknown_parents, is_dry_run=config.dry_run)
        expect(rows.memory, plans, compares=config.skip_unchanged)
        rest = Rest(rows, rows.asking) if rows.asking else None
        self._forecast = Forecast(rows) if config.dry_run else None
        how = {
            "compares": config.skip_unchanged,
            "foretells": config.dry_run,
            "reads_before": recorder.reads_before,
        }
        rows.references.creates_row = lambda entry, own: recorder.creates(entry, own, clock.now())
        self._prefetch = Prefetch(rows, rows.asking, self._lanes, **how) if rows.asking else None
        self._waiting = Waiting(plans, rows)
        self._held = self._waiting.held
        made_by = self._forecast or rest
        self._calls = Calls(made_by, self._lanes, self._report, self._waiting, memory=rows.memory, recorder=recorder)
        self._versions = Versions(rows.memory.store)
        self._verification = verification_for(config, rows, self._ledger, recorder)
        self._fails_unverified = config.on_unverified == "fail"
        self._compares = config.skip_unchanged
        self._keeps_back = self._compares or recorder.is_on
        proof = self._verification.accepted
        self._analytics = Analytics(apis.analytics, self._ledger, rows.memory, proof) if apis.analytics else None
        self._batches = Batchers(self._dispatch)
        self._kinds = KeyKinds()
        """Objects whose rows are identified by keys of which none is common to all."""
        self._lowest = min((plan.rank for plan in plans), default=0)
        self._window = Window(config.requests_per_minute)
        self._at_once: list[PendingRecord] = []
        self.mirrors = Mirrors(config, rows, rest, self._ledger, self._lanes.together)
        self._closed_at = clock.monotonic()
        self._progress = Progress(self._ledger, rows, apis, config.requests_per_minute, self.mirrors)
        self._progress.held, self._progress.has_ended = self._held.waiting, self._versions.has_ended
        self._lanes.beat = self.mirrors.beat = self._progress.tick

    # What arrives

    def take(self, line: bytes, number: int) -> None:
        """Take one line of input, the `number`-th.

        Raises:
            InputError: it is no Airbyte message, or of a stream that is not in the catalog.
        """
        message = parsed(line, number)
        kind = message["type"]
        if kind == "RECORD":
            self._take_record(message.get("record"), line, number)
        elif kind == "STATE":
            covered = self._streams.covered(message.get("state"))
            if covered is None:
                raise InputError(f"Line {number} of the input is a STATE without a state.")
            self._counts.state(message["state"])
            self._ledger.checkpoint(line, covered, self._clock.monotonic())
        elif kind == "TRACE":
            for plan in self._streams.with_status(message, "COMPLETE"):
                self._waiting.end(plan)
                self._versions.end(plan)
                self.mirrors.ended(plan)
            for plan in self._streams.with_status(message, "INCOMPLETE"):
                self._waiting.cut_short(plan)
                self.mirrors.cut_short(plan)

    def _take_record(self, record: Any, line: bytes, number: int) -> None:
        if not isinstance(record, dict) or not isinstance(record.get("data"), dict):
            raise InputError(f"Line {number} of the input is a RECORD without data.")
        plans = self._streams.of_record(record, number)
        self._counts.record(plans[0])
        for copy, plan in enumerate(plans):
            self._keep_back(self._ledger.receive(plan, line, number, is_copy=copy > 0))
        if self._versions.is_full:
            self._close_window()

    def _keep_back(self, row: PendingRecord) -> None:
        """Keep a row until enough of them are decided together.

        What is compared is kept back too: of many rows together the list is read instead of each row. So is what goes
        into the journal, a file for many.
        """
        if row.plan.directory is not None or row.plan.only_ids:
            data = parse(row.line)["record"]["data"]
            self._rows.people.learn(row.plan.entry, row.plan.directory, data)
            self.mirrors.saw_flawed(row.plan, data)
            self._ledger.settle(row, "skipped")
        elif row.plan.rank == self._lowest and not self._keeps_back:
            self._at_once.append(row)
            if len(self._at_once) >= AT_ONCE:
                self._write_at_once()
        else:
            self._window.add(row)
            if self._window.is_full:
                self._close_window()

    def tick(self) -> None:
        """Let time pass: a state that has waited long enough gets its records sent. Call it often."""
        self._lanes.check()
        self._progress.tick()
        if self._rejected.is_full or self._recorder.is_full:
            self.store()
        since = self._ledger.waiting_since
        if since is not None and self._clock.monotonic() - max(since, self._closed_at) >= HOLD_SECONDS:
            self._close_window()
            self._batches.flush()

    @property
    def has_states(self) -> bool:
        """Whether a state waits to be given back."""
        return self._ledger.waiting_since is not None

    def states(self) -> Iterator[bytes]:
        """The states that may be given back now, in their order; none in a dry run, which syncs nothing."""
        for line in self._ledger.ready():
            self.store()
            if not self._forecast:
                yield line

    # The end

    def finish(self, *, is_all: bool = True) -> None:
        """Send everything and wait for it; what waits for rows that may still arrive only when the input `is_all`.

        What waits for a stream that was cut short has no outcome: its parent may come with the next sync.

        Raises:
            ConfigError: too many rows of a stream were rejected.
        """
        if is_all:
            self._waiting.end_all(self._streams.plans)
            for plan in self._streams.plans:
                self._versions.end(plan)
        before = -1
        while True:
            self._close_window()
            self._batches.flush()
            self._lanes.drain()
            if not is_all or not self._held:
                break
            self._lanes.wait_until(lambda: self._held.has_ready or not self._waiting.is_waiting)
            if not self._held.has_ready:
                if len(self._held) == before:
                    break
                before = len(self._held)
                self._held.wake_all()
        self._lanes.finish()
        if failed := self._report.failure:
            raise ConfigError(failed)

    def verify(self) -> None:
        """Look whether what was sent in batches has landed, as the settings ask for.

        Raises:
            ConfigError: something has not, and on_unverified says that this is a failure.
            OutageError: Vitally cannot be reached.
        """
        self._verification.begin_end()
        try:
            self._lanes.finish(background=True)
        except StoppedError:
            logger.warning("Out of time after SIGTERM: whether all rows have landed was not looked at to the end.")
        missing = " ".join(text for text, is_missing in self._verification.sentences() if is_missing)
        if missing and self._fails_unverified:
            remedy = "Correct what is named and sync again, or set When a row has not landed (on_unverified) to warn."
            raise ConfigError(f"{missing} {remedy}")

    def mirror(self, is_stopped: Callable[[], bool]) -> None:
        """Delete what is missing, unless what is known of the whole sync leaves a doubt; raises as `Mirrors.run`."""
        lost = LOST if self._counts.has_gaps else ""
        self.mirrors.run(is_stopped, self._recorder.deletes, lost)

    def store(self) -> None:
        """Make the rejected records and the journal durable, whether a state covers them or not."""
        self._rejected.flush()
        self._recorder.flush()

    def close(self) -> None:
        """Let the requests under way end and start no more."""
        self._lanes.close()

    def summary(self) -> Iterator[tuple[int, str]]:
        """What became of the records, and what was found when it was looked for, each with its level of the log."""
        yield from self._report.sentences()
        yield from ((logging.WARNING, text) for text in self._counts.sentences())
        for text, is_missing in self._verification.sentences():
            yield logging.WARNING if is_missing else logging.INFO, text
        yield from self.mirrors.sentences

    # From records to changes

    def _close_window(self) -> None:
        """Write what was kept back, one generation of objects after the other."""
        self._closed_at = self._clock.monotonic()
        self._write_at_once()
        for row in self._held.take(ROWS, SLICE_BYTES):
            self._window.add(row)
        for rank, rows in self._window.empty():
            self._write_dated(rank)
            if rank > self._lowest:
                self._batches.flush()
                self._lanes.drain()
            left = len(rows)
            for few in slices(rows):
                left -= len(few)
                self._write_slice(few, more=left)
        self._write_dated()

    def _write_dated(self, below: float = inf) -> None:
        """Write the dated rows of streams that have ended, those of objects below a rank."""
        for few in slices(self._versions.take(below)):
            self._batches.flush()
            self._lanes.drain()
            self._write_slice(few)

    def _write_at_once(self) -> None:
        rows, self._at_once = self._at_once, []
        self._write_slice(rows)

    def _write_slice(self, rows: list[PendingRecord], more: int = 0) -> None:
        """Write rows of one generation, of which there are so many `more`, once what they need is looked up."""
        drafts = [draft for row in rows if (draft := self._draft(row))]
        if self._prefetch:
            self._prefetch.run((draft.change for draft in drafts), more)
        for draft in self._recorded(drafts):
            self._write(draft)

    def _recorded(self, drafts: list[Draft]) -> list[Draft]:
        """Put into the journal what is about to be sent, with what is there before."""
        if not (self._recorder.is_on or self._forecast):
            return drafts
        is_unchanged = self._prefetch.is_unchanged if self._prefetch else lambda change: False
        reads = self._prefetch.before if self._prefetch and self._recorder.reads_before else lambda change: None
        deleted, before = set[Hashable](), dict[int, Before | None]()
        for draft in drafts:
            if not is_unchanged(draft.change):
                # What a row of this slice deletes is another one, if any, for the rows after it.
                before[id(draft)] = reads(draft.change) if deleted.isdisjoint(draft.lanes) else Before(draft.change)
            if draft.change.operation == "delete":
                deleted.update(draft.lanes)
        sent, id_of = [draft for draft in drafts if id(draft) in before], self._rows.references.id_of
        self._recorder.intend(((draft.row, draft.change, before[id(draft)]) for draft in sent), id_of)
        if not self._forecast:
            return drafts
        return [draft._replace(names=tuple(names_of(draft.change, before.get(id(draft)), id_of))) for draft in drafts]

    def _draft(self, row: PendingRecord) -> Draft | None:
        """Return what a row asks for; None when it was rejected."""
        record = parse(row.line)["record"]
        cursor = cursor_of(record["data"], row.plan.cursor_field)
        data = data_of(record, row.plan.entry.open_member)
        try:
            change = row.plan.mapper.change(data)
            row.label = change.label
            change = self._rows.references.learned(change)
        except Exception as error:
            self.mirrors.saw_flawed(row.plan, data)
            self._calls.reject(row, error)
            return None
        self.mirrors.saw(row.plan, change)
        if self._versions.keeps(row, change):
            return None
        self._report.note_key(row, change)
        change = change._replace(cursor=cursor)
        if self._versions.is_superseded(row.plan, change):
            row.parts = 1
            self._ledger.settle(row, "superseded")
            return None
        lanes = tuple(lanes_of(change))
        if self._kinds.differ_first(change.entry.path, lanes):
            self._batches.flush()
            self._lanes.drain()
        return Draft(row, record.get("emitted_at"), change, lanes)

    # From changes to requests

    def _write(self, draft: Draft) -> None:
        """Send a row by its way, unless that changes nothing or it has to wait."""
        if draft.change.entry.path in self._kinds.differ:
            draft = draft._replace(lanes=(*draft.lanes, (draft.change.entry.path,)))
        self._calls.wait_for(draft.lanes)
        if self._held.is_behind(draft.lanes, draft.row.order if not draft.row.is_sorted else LAST):
            self._recorder.waits(draft.row)
            self._held.add_behind(draft.row, draft.lanes)
            return
        if self._prefetch and self._prefetch.is_unchanged(draft.change):
            self._ledger.settle(draft.row, "unchanged")
            return
        if self._recorder.is_on and not draft.row.seq:
            self._recorded([draft])  # an earlier row of the slice changes what this one would have left as it is
        try:
            draft = draft._replace(change=self._rows.people.translated(draft.change))
            messages = self._messages(draft) if isinstance(draft.change.route, BatchRoute) else []
        except Exception as error:
            self._calls.put_off(draft, error)
            return
        if self._compares:
            self._rows.memory.note(Sending(draft.change))
        if messages and not self._forecast:
            self._report.left_out(draft.row.plan, draft.change)
            self._batches.add(messages)
        else:
            draft.row.parts = 1
            self._batches.flush_lanes(draft.lanes)
            self._calls.make(draft, messages[0].key if messages and draft.change.entry.counts_once else None)

    def _messages(self, draft: Draft) -> list[QueuedMessage]:
        """The messages of a change that travels in batches."""
        self._versions.check_own_id(draft.row.plan, draft.change)
        emission = Emission(self._started, emitted(draft.emitted_at) or self._started, draft.row.number)
        messages = messages_of(draft.change, draft.row, emission, self._rows.references)
        for message in messages:
            message.lanes = message.lanes if message.counts_once else tuple({*message.lanes, *draft.lanes})
            if not Batch().has_room(len(message.encoded)):
                raise draft.change.rejected(f"it is larger than the {BYTES} bytes that Vitally takes at once")
        return messages

    def _dispatch(self, batch: Batch) -> None:
        assert self._analytics is not None
        lanes = {lane for message in batch.messages for lane in message.lanes}
        job = self._verification.delivery(batch.messages, self._analytics.send)
        self._lanes.submit(lanes, job, self._verification.has_room)
