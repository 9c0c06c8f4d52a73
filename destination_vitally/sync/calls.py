"""Changes that are made one by one, in the lanes' threads, and what becomes of their records."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import partial

from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from destination_vitally.api.pages import text_of
from destination_vitally.compare.equality import instant
from destination_vitally.errors import NotYetError, RejectedError, SkippedError, StoppedError
from destination_vitally.journal.intents import seen_of
from destination_vitally.journal.recorder import Recorder
from destination_vitally.outcomes.ledger import After, PendingRecord
from destination_vitally.rows.facts import LEFT_OUT, Elsewhere
from destination_vitally.rows.memory import Memory
from destination_vitally.send.forecast import Forecast
from destination_vitally.send.rest import Made, Rest
from destination_vitally.sync.lanes import Lanes
from destination_vitally.sync.report import Report
from destination_vitally.sync.waiting import Waiting
from destination_vitally.sync.window import Draft

OLD_SECONDS = 60
"""A row that is so much older than an answer, by Vitally's clock, was there before."""


class Calls:
    """Makes changes by REST, or foretells them."""

    def __init__(  # noqa: PLR0913 - all who hear what becomes of a record
        self,
        maker: Rest | Forecast | None,
        lanes: Lanes,
        report: Report,
        waiting: Waiting,
        *,
        memory: Memory,
        recorder: Recorder,
    ) -> None:
        self._maker = maker
        self._lanes = lanes
        self._report = report
        self._waiting = waiting
        self._memory = memory
        self._recorder = recorder
        self._calling: set[Hashable] = set()

    def wait_for(self, lanes: Iterable[Hashable]) -> None:
        """Wait until no change of one of the lanes is under way."""
        if not self._calling.isdisjoint(lanes):
            self._lanes.wait_until(lambda: self._calling.isdisjoint(lanes))

    def make(self, draft: Draft, counted_by: Hashable) -> None:
        """Make a change soon; `counted_by` is what Vitally counts an event by, which a forecast needs."""
        self._calling.update(draft.lanes)
        self._lanes.submit(draft.lanes, partial(self._make, draft, counted_by))

    def _make(self, draft: Draft, counted_by: Hashable) -> None:
        row, is_forecast = draft.row, isinstance(self._maker, Forecast)
        try:
            assert self._maker is not None  # a plan without the REST key has no calls
            if isinstance(self._maker, Forecast):
                made = self._maker.make(draft.change, counted_by)
            else:
                made = self._maker.make(draft.change)
        except Exception as error:
            self.put_off(draft, error)
        else:
            self._report.left_out(row.plan, draft.change)
            if made.remark:
                self._report.remark(row.plan, made.remark)
            if self._recorder.is_on:
                seen = seen_of(draft.change, made.row) if made.row else None
                row.after = After(_effect(made), text_of(made.row, "id"), made.time, seen=seen)
            if is_forecast:
                self._report.preview(row, made.effect, draft.names)
            outcome = made.effect if is_forecast or made.effect == "skipped" else "accepted"
            self._report.ledger.settle(row, outcome)
        finally:
            self._calling.difference_update(draft.lanes)

    def put_off(self, draft: Draft, error: Exception) -> None:
        """Let a row wait for what it depends on, or reject it."""
        if isinstance(error, NotYetError):
            self._recorder.waits(draft.row)
            self._waiting.hold(draft.row, error, draft.lanes)
        else:
            self.reject(draft.row, error)

    def reject(self, row: PendingRecord, error: Exception) -> None:
        """Take a failure for what becomes of one record; what is none of a record's is raised again."""
        if isinstance(error, (AirbyteTracedException, StoppedError, MemoryError)):
            raise error
        row.parts = 1
        if isinstance(error, SkippedError):
            if error.origin:
                self._memory.note(Elsewhere(row.plan.entry, error.origin, LEFT_OUT))
            self._report.remark(row.plan, str(error))
            self._report.ledger.settle(row, "skipped")
            return
        if not isinstance(error, RejectedError):
            label = row.label or row.plan.entry.name
            error = RejectedError(f"{label}: it cannot be written ({type(error).__name__})")
        self._report.ledger.settle(row, "rejected", str(error), error.status)


def _effect(made: Made) -> str:
    """Return what was done; a row that is older than the answer was not created by it."""
    created = instant(made.row.get("createdAt"))
    if made.effect not in ("created", "created or updated") or created is None or made.time is None:
        return made.effect
    return "updated" if made.time - created.timestamp() > OLD_SECONDS else "created"
