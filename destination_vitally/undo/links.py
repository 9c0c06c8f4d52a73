"""Users that a sync has put into accounts, or taken out of them: that is turned back."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator

from destination_vitally.api.http import Api
from destination_vitally.clock import Clock
from destination_vitally.compare.comparison import referred_to, refers_to
from destination_vitally.lines import dumps
from destination_vitally.mapping.values import VitallyId, moment_of
from destination_vitally.objects.model import BatchRoute, Field
from destination_vitally.objects.table import BY_NAME
from destination_vitally.send.batches import BATCH
from destination_vitally.undo.judging import Shown
from destination_vitally.undo.looking import change_of
from destination_vitally.undo.report import Kind
from destination_vitally.undo.restoring import Hands, Reported
from destination_vitally.undo.rows import Row, Tie

logger = logging.getLogger("airbyte")

FIRST_PAUSE, LONGEST_PAUSE, PATIENCE = 5.0, 60.0, 600.0
"""Seconds between two looks whether a message has taken effect, and in all."""

MEMBERSHIP = BY_NAME["membership"]
ENDS = frozenset(field.refers for field in MEMBERSHIP.references() if field.name != MEMBERSHIP.kept_in)
"""What a message can take a row out of."""


class Links:
    """Turns links back. Rows may be dealt with by several threads; `wait` is for one."""

    def __init__(self, hands: Hands, analytics: Api | None, clock: Clock) -> None:
        self._hands = hands
        self._report = hands.report
        self._analytics = analytics
        self._clock = clock
        self._lock = threading.Lock()
        self._sent: list[tuple[Row, Field, str]] = []

    def restore(self, row: Row) -> None:
        """Turn the links of a row back; what takes its time is waited for by `wait`."""
        try:
            now = self._hands.now(row)
            if now is None or now.get("archivedAt"):
                self._report.add(Kind.CHANGED, row.label, why="it is no longer there")
                return
            for tie in row.links.values():
                now = self._turn_back(row, tie, now)
        except Reported:
            pass

    def _turn_back(self, row: Row, tie: Tie, now: Shown) -> Shown:
        """Turn one link back; returns the row without it, if it is taken out."""
        field = next(one for one in row.entry.references() if one.name == tie.link.name)
        name = f"{field.name} '{tie.link.external_id or tie.link.id}'"
        other = (tie.link.id and VitallyId(tie.link.id)) or tie.link.external_id
        is_there = refers_to(field, other, now, self._hands.looking.id_of) if other else None
        if tie.was is None:
            self._report.add(Kind.UNKNOWN, row.label, [name])
        elif is_there is None:
            self._report.add(Kind.UNSEEN, row.label, [name])
        elif is_there is tie.was:
            self._report.add(Kind.LINK_AS_BEFORE, row.label, [name])
        elif is_there is not tie.is_linked:
            self._report.add(Kind.CHANGED, row.label, [name])
        elif tie.was:
            self._link(row, field, str(other), name, now)
        else:
            return self._take_out(row, field, str(other), name, now)
        return now

    def _link(self, row: Row, field: Field, other: str, name: str, now: Shown) -> None:
        own = self._hands.looking.id_of(str(field.refers), other)
        if own is None:
            self._report.add(Kind.REFUSED, row.label, [name], f"the {field.refers} is no longer there")
        elif self._hands.is_dry_run:
            self._report.add(Kind.LINKED, row.label, [name])
        elif reason := self._hands.make(row, change_of(row, "update", {field.name: [VitallyId(own)]}), now):
            self._report.add(Kind.REFUSED, row.label, [name], reason)
        else:
            is_there = refers_to(field, VitallyId(own), self._hands.now(row) or {}, self._hands.looking.id_of)
            self._report.add(Kind.LINKED if is_there else Kind.UNRESTORED, row.label, [name])

    def _take_out(self, row: Row, field: Field, other: str, name: str, now: Shown) -> Shown:
        others = referred_to(field, now) or []
        own = self._hands.looking.id_of(str(field.refers), other)
        linked = next((one for one in others if own and one.get("id") == own), {})
        yours = linked.get("externalId")
        if field.refers not in ENDS:
            self._report.add(Kind.UNWRITABLE, row.label, [name], f"nothing takes a row out of its {field.refers}")
        elif len(others) == 1:
            self._report.add(Kind.UNWRITABLE, row.label, [name], "it is the last one")
        elif self._analytics is None:
            self._report.add(Kind.UNWRITABLE, row.label, [name], "that needs the Analytics API key (analytics_token)")
        elif not yours or not now.get("externalId"):
            self._report.add(Kind.UNWRITABLE, row.label, [name], "the Analytics API needs the externalIds of both")
        elif self._hands.is_dry_run:
            self._report.add(Kind.UNLINKED, row.label, [name])
        else:
            self._unlink(row, field, str(own), self._message(str(now["externalId"]), str(yours)), name)
        left = [one for one in others if one is not linked]
        return {**now, str(field.inlined or field.name): left} if len(others) > 1 else now

    def _message(self, user: str, account: str) -> bytes:
        route = MEMBERSHIP.operations["delete"][0]
        assert isinstance(route, BatchRoute)
        ids = {"userId": user, "accountId": account}
        stamp = {"messageId": uuid.uuid4().hex, "timestamp": moment_of(self._clock.now() * 1000)}
        return dumps([{"type": route.type, **ids, **stamp}])

    def _unlink(self, row: Row, field: Field, own: str, message: bytes, name: str) -> None:
        assert self._analytics is not None
        seq = self._hands.recording.taken_out(row, field.name, own)
        reply = self._analytics.send("POST", BATCH, message)
        self._hands.recording.outcome(seq, row, None, "" if reply.ok else reply.reason)
        if reply.ok:
            with self._lock:
                self._sent.append((row, field, own))
        else:
            self._report.add(Kind.REFUSED, row.label, [name], f"HTTP {reply.status}")

    def wait(self, is_stopped: Callable[[], bool]) -> None:
        """Wait until the links that were taken out are seen to be out, as long as that may take."""
        ends, pause = self._clock.monotonic() + PATIENCE, FIRST_PAUSE
        while self._sent and self._clock.monotonic() < ends and not is_stopped():
            logger.info("Waiting %.0f s for %d links to be taken out.", pause, len(self._sent))
            self._clock.wait(pause)
            pause = min(LONGEST_PAUSE, 2 * pause)
            self._sent = [*self._left()]
        for row, field, own in self._sent:
            self._report.add(Kind.UNRESTORED, row.label, [f"{field.name} '{own}'"], "it has not been taken out yet")

    def _left(self) -> Iterator[tuple[Row, Field, str]]:
        for row, field, own in self._sent:
            try:
                now = self._hands.now(row)
            except Reported:
                continue
            if now is None or refers_to(field, VitallyId(own), now, self._hands.looking.id_of) is False:
                self._report.add(Kind.UNLINKED, row.label, [f"{field.name} '{own}'"])
            else:
                yield row, field, own
