"""Which records wait, for which row, and when they go."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Hashable, Iterable

from destination_vitally.errors import NotYetError
from destination_vitally.mapping.checks import NAMED, lacking
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.objects.table import BY_NAME
from destination_vitally.outcomes.ledger import PendingRecord
from destination_vitally.rows.known import Rows
from destination_vitally.rows.memory import Memory
from destination_vitally.rows.poller import Arrival
from destination_vitally.sync.held import Held

logger = logging.getLogger("airbyte")

_CREATING = ("create", "upsert")

_WAITS = (
    "Stream %s: rows that name %ss which have not come yet wait on disk until those come or their stream ends, and so "
    "do the states that cover such rows. To avoid it, let the stream of the %ss come first."
)


class Waiting:
    """Keeps records until the row that they depend on is there, or is known not to come. Any thread may `hold`."""

    def __init__(self, plans: Iterable[StreamPlan], rows: Rows) -> None:
        self._plans = list(plans)
        self._memory = rows.memory
        self._people = rows.people
        self._lacks = [plan.lacks for plan in self._plans]
        """What is to be created by hand, which is said once all streams of names have ended."""
        self._poller = rows.asking.poller if rows.asking else None
        self.held = Held(rows.memory.store)
        self._open = Counter(plan.entry.name for plan in self._plans if _may_bring(plan))
        self._ended: set[StreamPlan] = set()
        self._cut_short: set[StreamPlan] = set()
        self._logged: set[tuple[StreamPlan, str]] = set()
        self._arrivals: set[tuple[str, str, bool]] = set()
        self._memory.wake = self.held.wake
        rows.references.may_come, rows.references.is_held = self._may_come, self._is_held
        rows.references.is_open = lambda target: self._open[target] > 0
        self._say_what_lacks()

    @property
    def is_waiting(self) -> bool:
        """Whether a row is looked for that a record waits for."""
        return bool(self._arrivals)

    def hold(self, row: PendingRecord, error: NotYetError, lanes: Iterable[Hashable]) -> None:
        """Keep a record until the row that an error names is there."""
        self.held.add(row, error.entry, error.external_id, lanes)
        answer = self._memory.ask(error.entry, (error.entry.name, "externalId", error.external_id))
        arrival = (error.entry.path, error.external_id, error.is_acted)
        if answer.coming and self._poller:
            if arrival not in self._arrivals:
                self._arrivals.add(arrival)
                self._poller.watch(
                    Arrival(error.entry, answer.coming, self._memory, self._arrived, is_acted=error.is_acted)
                )
        elif answer.rows or error.is_acted:
            self.held.wake(error.entry.path, [error.external_id])  # it has arrived meanwhile
        elif self._open[error.entry.name] and (row.plan, error.entry.name) not in self._logged:
            self._logged.add((row.plan, error.entry.name))
            logger.info(_WAITS, row.plan.title, error.entry.name, error.entry.name)

    def _arrived(self, one: Arrival) -> None:
        self._arrivals.discard((one.entry.path, one.external_id, one.is_acted))

    def _may_come(self, target: str, value: str, by: str = "externalId") -> bool:
        """Tell whether a row was not sent yet and may be: its stream has not ended, or its own record waits."""
        entry = BY_NAME[target]
        value = value.lower() if by == "email" else value
        if self._memory.ask(entry, (target, by, value)).was_sent:
            return False
        return self._open[target] > 0 or self._is_held(target, value, by)

    def _is_held(self, target: str, value: str, by: str) -> bool:
        return self.held.is_behind([(BY_NAME[target].path, by, value)])

    # Streams

    def end(self, plan: StreamPlan) -> None:
        """Take note that no more rows of a stream will arrive."""
        if not _may_bring(plan) or plan in self._ended:
            return
        if plan.directory and (names := self._people.missing(plan.directory)):
            fields = [(of.entry, field) for of in self._plans for field in of.entry.fields]
            needed = {f"{field.name} of {of.name}": None for of, field in fields if field.directory is plan.directory}
            self._lacks.append(f"{plan.title} (for {', '.join(needed) or 'nothing'}): {', '.join(names[:NAMED])}")
        self._ended.add(plan)
        self._say_what_lacks()
        self._open[plan.entry.name] -= 1
        if not self._open[plan.entry.name]:
            self.held.wake_all(plan.entry.name)

    def _say_what_lacks(self) -> None:
        is_all = {plan for plan in self._plans if plan.directory} <= self._ended | self._cut_short
        if is_all and (sentence := lacking(self._lacks)):
            self._lacks = []
            logger.warning("%s", sentence)

    def cut_short(self, plan: StreamPlan) -> None:
        """Take note that a stream was not read to its end: what waits for its rows has no outcome."""
        self._cut_short.add(plan)
        self._say_what_lacks()

    def end_all(self, plans: Iterable[StreamPlan]) -> None:
        """Take note that the input has ended."""
        for plan in plans:
            if plan not in self._cut_short:
                self.end(plan)


def _may_bring(plan: StreamPlan) -> bool:
    """Tell whether a stream brings rows that others may refer to, or says of such rows which they are."""
    return plan.operation in _CREATING or plan.only_ids


def expect(memory: Memory, plans: list[StreamPlan], *, compares: bool) -> None:
    """Say what may be asked for, of the messages of each stream.

    Args:
        memory: what is to keep it.
        plans: the streams.
        compares: whether rows that would change nothing need not be sent.
    """
    asked_for = {target for plan in plans for target in _asked_for(plan)}
    for plan in plans:
        holder = plan.entry.field(plan.entry.kept_in) if plan.entry.kept_in else None
        written = BY_NAME[str(holder.refers)] if holder else plan.entry
        by_rest = any(other.may_use_rest for other in plans if other.entry.path == written.path)
        memory.expect(written, sent=compares or written.name in asked_for, contents=by_rest)


def _asked_for(plan: StreamPlan) -> set[str]:
    """The objects whose rows a stream refers to, by an id, an email or a name."""
    fields = plan.entry.fields
    people = {"user"} if any(field.holds_people or field.stands_for for field in fields) else set()
    return people | {name for field in fields for name in (field.refers, field.mentions) if name}
