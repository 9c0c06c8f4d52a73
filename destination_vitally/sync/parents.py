"""Sees that what a row refers to is in Vitally before the row is sent: the Analytics API drops orphans in silence."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from destination_vitally.api.http import Api
from destination_vitally.errors import RejectedError
from destination_vitally.mapping.mapper import Change, identity_of
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.objects.model import BatchRoute, Kind
from destination_vitally.outcomes.ledger import PendingRecord
from destination_vitally.sync.held import HeldRows
from destination_vitally.sync.workers import Workers
from destination_vitally.transports.arrivals import Arrivals
from destination_vitally.transports.landing import Landing
from destination_vitally.transports.references import REFERRED_TO, References

logger = logging.getLogger("airbyte")

_MAKING = ("create", "upsert")

_WAITS = (
    "Stream %s: rows that name %ss which have not come yet wait on disk until those come or their stream ends, and so "
    "do the states that cover such rows. To avoid it, let the stream of the %ss come first."
)


class Parent(NamedTuple):
    """What a row refers to: the field, the object, either id."""

    field: str
    target: str
    value: str


class Parents:
    """Decides which rows may go, which wait and which name what is nowhere. Used by one thread.

    Without a REST key nobody can ask what is in Vitally: then rows wait for parents that may still come, and else go.
    """

    def __init__(
        self, plans: Iterable[StreamPlan], rest: Api | None, references: References, landing: Landing, workers: Workers
    ) -> None:
        self._rest = rest
        self._references = references
        self._landing = landing
        self._workers = workers
        self.held = HeldRows()
        self._open = Counter(plan.entry.name for plan in plans if plan.operation in _MAKING)
        self._ended: set[StreamPlan] = set()
        self._said: set[tuple[StreamPlan, str]] = set()

    def concern(self, change: Change) -> bool:
        """Tell whether parents of a row have to be looked up before it is sent."""
        return self._rest is not None and next(self._unknown(change), None) is not None

    # What becomes of a row

    def look_up(self, changes: Iterable[Change]) -> None:
        """Find out which parents of rows are there, and wait for those that a batch has just brought."""
        changes = list(changes)
        self._read_lists(changes)
        single: dict[tuple[str, str], Change] = {}
        on_their_way: dict[str, dict[str, Change]] = {}
        for change in changes:
            for parent in self._unknown(change):
                if self._landing.sent(_identity(parent)):
                    if isinstance(change.route, BatchRoute):
                        on_their_way.setdefault(parent.target, {})[parent.value] = change
                elif isinstance(change.route, BatchRoute) or self._may_come(parent):
                    single[parent.target, parent.value] = change
        if not self._rest or not (single or on_their_way):
            return
        for target, waited in on_their_way.items():
            arrivals = Arrivals(self._rest, self._references, self._landing, target, waited)
            self._workers.submit([], _unless_unclear(arrivals.look))
        for (target, value), change in single.items():
            may_come = self._may_come(Parent("", target, value))
            self._workers.submit([], _unless_unclear(partial(self._find, change, target, value, may_come=may_come)))
        self._workers.drain()

    def _read_lists(self, changes: list[Change]) -> None:
        """Look for all parents together, where their lists are cheaper than one request each."""
        wanted: dict[str, set[str]] = {}
        for parent in (parent for change in changes for parent in self._unknown(change)):
            if self._rest and not self._landing.sent(_identity(parent)):
                wanted.setdefault(parent.target, set()).add(parent.value)
        for target, values in wanted.items():
            self._workers.submit([], partial(self._references.read_list, target, values))
        if wanted:
            self._workers.drain()

    def _find(self, change: Change, target: str, value: str, *, may_come: bool) -> None:
        # Whether a row that may come is there already is worth no more than its list costs.
        if not (may_come and self._references.is_list_known(target)):
            self._references.find(change, target, value, creates=not may_come)

    def is_behind(self, row: PendingRecord, change: Change) -> bool:
        """Tell whether an earlier row of the same key waits."""
        return bool(self.held) and self._earlier(row, change) is not None

    def _earlier(self, row: PendingRecord, change: Change) -> tuple[str, str] | None:
        """Return what an earlier row of the same key waits for."""
        return self.held.waits_for(identity_of(change.entry, change.fields), before=row.number)

    def wait(self, row: PendingRecord, change: Change) -> bool:
        """Keep a row on disk if it has to wait, and tell whether it does.

        Raises:
            RejectedError: it names something that is nowhere, or Vitally does not say.
        """
        if self.held and (earlier := self._earlier(row, change)):
            self.held.add(row, earlier, identity_of(change.entry, change.fields))
            return True
        for parent in self._unknown(change):
            if self._may_come(parent):
                self.held.add(row, (parent.target, parent.value), identity_of(change.entry, change.fields))
                self._say_once(row.plan, parent.target)
                return True
            if self._rest and isinstance(change.route, BatchRoute):
                self._check(change, parent)
        return False

    def _check(self, change: Change, parent: Parent) -> None:
        sent = self._landing.sent(_identity(parent))
        if sent:
            raise change.rejected(f"{parent.field}: {self._landing.missing(sent)}")
        if self._references.find(change, parent.target, parent.value) is None:
            raise change.rejected(
                f"{parent.field}: Vitally has no {parent.target} with this id, and none came in this sync"
            )

    def _unknown(self, change: Change) -> Iterator[Parent]:
        """Yield the parents of a row that are not known to be there."""
        if change.operation == "delete":
            return
        for field in change.entry.references():
            value = change.fields.get(field.name)
            if not value or not field.refers or field.name == change.entry.kept_in:
                continue
            for one in value if field.kind is Kind.TEXTS else [value]:
                if self._references.is_there(field.refers, one):
                    continue
                parent = Parent(field.name, field.refers, self._references.here(field.refers, one))
                if self._rest is not None or not self._landing.was_sent(_identity(parent)):
                    yield parent

    def _may_come(self, parent: Parent) -> bool:
        """Tell whether a parent was not sent yet and may be: its stream has not ended, or its own row waits."""
        if self._landing.was_sent(_identity(parent)):
            return False
        return self._open[parent.target] > 0 or self.held.waits_for(_identity(parent)) is not None

    # What has come

    def came(self, change: Change) -> None:
        """Let the rows go that wait for a row, which is about to be sent."""
        if change.entry.name not in REFERRED_TO:
            return
        for value in (change.fields.get("externalId"), change.fields.get("id")):
            if value:
                self._references.comes(change.entry.name, value)
                self.held.release((change.entry.name, value))

    def ended(self, plan: StreamPlan) -> None:
        """Take note that no more rows of a stream will come."""
        if plan.operation not in _MAKING or plan in self._ended:
            return
        self._ended.add(plan)
        self._open[plan.entry.name] -= 1
        if not self._open[plan.entry.name]:
            self.held.release_all(plan.entry.name)

    def _say_once(self, plan: StreamPlan, target: str) -> None:
        if (plan, target) not in self._said:
            self._said.add((plan, target))
            logger.info(_WAITS, plan.title, target, target)


def _identity(parent: Parent) -> tuple[str, str, str]:
    return (parent.target, "externalId", parent.value)


def _unless_unclear(job: Callable[[], float | None]) -> Callable[[], float | None]:
    """Return a job that leaves it to the rows to be rejected when Vitally does not say."""

    def run() -> float | None:
        try:
            return job()
        except RejectedError:
            return None

    return run
