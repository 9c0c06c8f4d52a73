"""The mirror: rows of an object in Vitally that a whole table does not have are deleted, if the settings ask for it.

Whatever leaves a doubt leaves the rows: a stream that may not be the whole table, a row of it whose key or outcome is
not known, a list that is not read to its end, and more missing rows than max_deletes_percent allows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from itertools import takewhile
from typing import Any

from destination_vitally.api.pages import Row
from destination_vitally.config import Config
from destination_vitally.errors import ConfigError, ListError
from destination_vitally.journal.journal import attempt
from destination_vitally.mapping.change import Change, identity_of
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.mirror.missing import Care, Identity, Missing, folded
from destination_vitally.outcomes.ledger import Ledger, Tally
from destination_vitally.rows.known import Rows
from destination_vitally.rows.store import Store, Table, joined
from destination_vitally.send.rest import Rest

logger = logging.getLogger("airbyte")

ALIKE = "\x1e"
"""Before what keys have in common that are spelled in several ways."""

Keep = Callable[[StreamPlan, Change, Row, float], Callable[[], None]]
"""Stores a row that is about to be deleted, at a time in Unix seconds; returns what says that it is deleted."""

Together = Callable[[Iterable[Callable[[], object]]], None]

KEYS_AT_ONCE = 1_000
"""So many keys are written to disk at once."""


class Mirrors:
    """The mirrors of one sync. Used by one thread; deletes are made by the workers'."""

    def __init__(self, config: Config, rows: Rows, rest: Rest | None, ledger: Ledger, together: Together) -> None:
        """Ask Vitally for the time, if there is anything to mirror.

        Args:
            config: the settings.
            rows: what is known of rows.
            rest: makes the deletes.
            ledger: the account of the records, which has the streams by now.
            together: runs jobs, here the deletes, side by side.
        """
        self._api = api = rows.asking.api if rows.asking else None
        self._rest = rest
        self._ledger = ledger
        self._together = together
        self._store = store = rows.memory.store
        self._limit = config.max_deletes_percent
        self._is_dry_run = config.dry_run
        self._objects: dict[str, _Mirrored] = {}
        for plan in ledger.tallies:
            if plan.mirror:
                self._objects.setdefault(plan.entry.path, _Mirrored(store)).plans.append(plan)
        self._of = {plan: mirrored for mirrored in self._objects.values() for plan in mirrored.plans}
        self._cut_short: set[StreamPlan] = set()
        self.sentences: list[tuple[int, str]] = []
        """What to say at the end, each with the level of the log that it belongs to."""
        self._clock = rows.memory.clock
        self.so_far: Callable[[], str] = str
        """Where the mirror is that is under way; empty while there is none."""
        self.beat: Callable[[], None] = lambda: None
        """Called again and again while a list is read."""
        self._began: float | None = None
        if self._objects and api:
            self._began = api.send("GET", f"{next(iter(self._objects))}?limit=1").time

    # What is in the streams

    def saw(self, plan: StreamPlan, change: Change) -> None:
        """Take note of a row of a stream, whatever becomes of it."""
        if mirrored := self._of.get(plan):
            mirrored.add(plan, identity_of(change.entry, change.fields), is_live=change.operation != "delete")

    def saw_flawed(self, plan: StreamPlan, data: dict[str, Any]) -> None:
        """Take note of a row of a stream that cannot be written."""
        if mirrored := self._of.get(plan):
            mirrored.add(plan, plan.mapper.identity(data))

    def ended(self, plan: StreamPlan) -> None:
        """Take note that a stream was read to its end."""
        if mirrored := self._of.get(plan):
            mirrored.complete[plan] = self._ledger.tallies[plan].received

    def cut_short(self, plan: StreamPlan) -> None:
        """Take note that a stream was not read to its end."""
        self._cut_short.add(plan)

    # What is deleted

    def run(self, is_stopped: Callable[[], bool], keep: Keep, doubt_of_input: str = "") -> None:
        """Delete what is missing, children before parents; call it when every record has been dealt with.

        Args:
            is_stopped: whether the sync has to end.
            keep: stores what is about to be deleted, before it is.
            doubt_of_input: why what arrived may not be all; empty where nothing says so.

        Raises:
            ConfigError: more rows are missing than may be deleted.
        """
        problems = []
        for mirrored in sorted(self._objects.values(), key=lambda one: -one.plans[0].rank):
            doubt = self._doubt_of_sync() or doubt_of_input or mirrored.doubt(self._ledger.tallies, self._cut_short)
            if doubt:
                self._say(mirrored, f"nothing is deleted: {doubt}.", logging.WARNING)
                continue
            try:
                problem = self._mirror(mirrored, is_stopped, keep)
            except ListError as error:
                self._say(mirrored, f"nothing is deleted: {error}.", logging.WARNING)
            else:
                problems += [problem] if problem else []
        if problems:
            raise ConfigError(" ".join(problems))

    def _doubt_of_sync(self) -> str:
        if number := attempt():
            return (
                f"this is attempt {number + 1} of the sync, which may have gone on in the middle of the table. "
                "The next sync makes up for it"
            )
        if self._began is None:
            return "Vitally does not say what time it is, so what was made during the sync cannot be told from the rest"
        return ""

    def _mirror(self, mirrored: _Mirrored, is_stopped: Callable[[], bool], keep: Keep) -> str:
        """Delete what one object has and its streams have not; return why nothing is if the limit forbids it."""
        assert self._api is not None  # a plan that mirrors has the REST key
        assert self._began is not None  # else there is a doubt
        about_to_delete = partial(self._about_to_delete, mirrored.plans[0], keep)
        care = Care(mirrored.grace, mirrored.looks_like, about_to_delete)
        missing = Missing(self._api, mirrored.plans[0].entry, mirrored.has, self._began, self._store, care=care)
        self.so_far = lambda: self._titled(mirrored, missing.so_far)
        missing.read(self.beat)
        if missing.missing * 100 > self._limit * missing.there:
            text = (
                f"{missing.missing} of {missing.there} rows in Vitally are not in the sync, which is more than the "
                f"{self._limit} % of Missing rows deleted at most (max_deletes_percent), so nothing is deleted: "
                f"{missing.named}. If they are to go, raise the limit for one sync; else find out why the table lacks "
                "them."
            )
            if not self._is_dry_run:
                return self._titled(mirrored, text)
            self._say(mirrored, f"{text} A sync would fail.", logging.WARNING)
        elif self._is_dry_run:
            self._say(mirrored, _forecast(missing))
        else:
            try:
                self._delete(missing, is_stopped)
            finally:
                self._say(mirrored, _result(missing), logging.WARNING if missing.problem else logging.INFO)
        return ""

    def _delete(self, missing: Missing, is_stopped: Callable[[], bool]) -> None:
        wanted = takewhile(lambda _: not is_stopped(), missing)
        self._together(partial(self._delete_one, missing, own, external_id) for own, external_id in wanted)

    def _about_to_delete(self, plan: StreamPlan, keep: Keep, change: Change, row: Row) -> Callable[[], None]:
        logger.info("Mirror: %s is going to be deleted; Vitally's id of it is %s.", change.label, row["id"])
        return keep(plan, change, row, self._clock.now())

    def _delete_one(self, missing: Missing, own: str, external_id: str) -> None:
        assert self._rest is not None  # as above
        logger.info("Mirror: %s", missing.delete(own, external_id, self._rest.make))

    # What is said

    def _say(self, mirrored: _Mirrored, text: str, level: int = logging.INFO) -> None:
        prefix = "Dry run, nothing was deleted. " if self._is_dry_run else ""
        self.sentences.append((level, prefix + self._titled(mirrored, text)))

    def _titled(self, mirrored: _Mirrored, text: str) -> str:
        titles = ", ".join(plan.title for plan in mirrored.plans)
        return f"Mirror of {mirrored.plans[0].entry.name} (stream {titles}): {text}"


class _Mirrored:
    """One object that is mirrored: its streams, and the keys of their rows."""

    def __init__(self, store: Store) -> None:
        self.plans: list[StreamPlan] = []
        self.complete: dict[StreamPlan, int] = {}
        """How many records of each stream had come when it was said to be complete."""
        self._keys = Table(store)
        self._unwritten: list[tuple[str, str]] = []
        self._live: set[StreamPlan] = set()
        self._unknown: set[StreamPlan] = set()

    def add(self, plan: StreamPlan, identity: Identity | None, *, is_live: bool = True) -> None:
        """Take note of a row; `identity` is what tells it, `is_live` whether it says that the row is there."""
        if is_live:
            self._live.add(plan)
        if identity is None:
            self._unknown.add(plan)
            return
        # Without the name of the object, which may be spelled in several ways.
        self._unwritten.append((joined(identity), ""))
        if (alike := _folded(identity)) != joined(identity):
            self._unwritten.append((ALIKE + alike, ""))
        if len(self._unwritten) >= KEYS_AT_ONCE:
            self._write()

    def _write(self) -> None:
        self._keys.put_all(self._unwritten)
        self._unwritten = []

    def has(self, identity: Identity) -> bool:
        """Tell whether a row was in one of the streams."""
        if self._unwritten:
            self._write()
        return self._keys.has(joined(identity))

    def looks_like(self, identity: Identity) -> bool:
        """Tell whether a row whose key looks like this one was in one of the streams."""
        if self._unwritten:
            self._write()
        alike = _folded(identity)
        return self._keys.has(alike) or self._keys.has(ALIKE + alike)

    @property
    def grace(self) -> float:
        """How many seconds before the sync a row must have been made to be deleted."""
        return 3600.0 * max(plan.mirror.grace_hours for plan in self.plans if plan.mirror)

    def doubt(self, tallies: Mapping[StreamPlan, Tally], cut_short: Collection[StreamPlan]) -> str:
        """Say why what is in no stream may be in the table nevertheless; nothing if it cannot.

        Of an object with children also why these may not be where the sync has put them.
        """
        doubts = [self._doubt_of(plan, tallies[plan], cut_short) for plan in self.plans]
        if self.plans[0].entry.destroys_below:
            doubts += [_doubt_of_children(*one, cut_short) for one in tallies.items() if self._may_be_below(one[0])]
        return next(filter(None, doubts), "")

    def _may_be_below(self, plan: StreamPlan) -> bool:
        return plan.rank > self.plans[0].rank and plan.operation in ("upsert", "update")

    def _doubt_of(self, plan: StreamPlan, tally: Tally, cut_short: Collection[StreamPlan]) -> str:
        assert plan.mirror is not None  # only such streams are here
        doubts = (
            (plan.mirror.doubt, f"of stream {plan.title}, {plan.mirror.doubt}"),
            (plan in cut_short, f"stream {plan.title} was cut short"),
            (
                self.complete.get(plan) != tally.received,
                f"the platform does not say that stream {plan.title} was read to its end",
            ),
            (plan not in self._live, f"stream {plan.title} is empty"),
            (tally.open, f"{tally.open} rows of stream {plan.title} have no outcome yet"),
            (plan in self._unknown, f"a row of stream {plan.title} has no key, so it could be any"),
        )
        return next((text for is_so, text in doubts if is_so), "")


def _doubt_of_children(plan: StreamPlan, tally: Tally, cut_short: Collection[StreamPlan]) -> str:
    lost = tally.outcomes["rejected"] + tally.open
    if not lost and plan not in cut_short:
        return ""
    why = f"{lost} rows of stream {plan.title} are not written" if lost else f"stream {plan.title} was cut short"
    return f"{why}, and one of its rows may have to move away from what would be destroyed"


def _folded(identity: Identity) -> str:
    half = (len(identity) + 1) // 2
    return joined((*identity[:half], *map(folded, identity[half:])))


def _forecast(missing: Missing) -> str:
    if not missing.missing:
        return f"none of {missing.there} rows in Vitally is missing from the sync{_kept(missing)}."
    return (
        f"{missing.missing} of {missing.there} rows in Vitally are not in the sync and would be deleted: "
        f"{missing.named}{_kept(missing)}."
    )


def _result(missing: Missing) -> str:
    problem = f" The first reason: {missing.problem}." if missing.problem else ""
    return (
        f"{missing.deleted} deleted of {missing.missing} that are not in the sync, of {missing.there} rows in Vitally"
        f"{_kept(missing)}.{problem}"
    )


def _kept(missing: Missing) -> str:
    kept = [f"{count} {why}" for why, count in sorted(missing.kept.items()) if count]
    return f"; kept: {', '.join(kept)}" if kept else ""
