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
from destination_vitally.mapping.change import Change
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
            # Those that are made again go first, so that none of the others is the last one.
            for tie in sorted(row.links.values(), key=lambda tie: not tie.was):
                now = self._turn_back(row, tie, now)
        except Reported:
            pass

    def _turn_back(self, row: Row, tie: Tie, now: Shown) -> Shown:
        """Turn one link back; returns the row as it is then."""
        field = next(one for one in row.entry.references() if one.name == tie.link.name)
        other = VitallyId(tie.link.id) if tie.link.id else tie.link.external_id or ""
        own = self._hands.looking.id_of(str(field.refers), other)
        kind, why = self._turned_back(row, field, tie, now, own)
        if kind:
            self._report.add(kind, row.label, [f"{field.name} '{tie.link.external_id or other}'"], why)
        if kind not in (None, Kind.LINKED, Kind.UNLINKED):
            return now
        others = [one for one in referred_to(field, now) or [] if one.get("id") != own]
        return {**now, str(field.inlined or field.name): [*others, {"id": own}] if tie.was else others}

    def _turned_back(self, row: Row, field: Field, tie: Tie, now: Shown, own: str | None) -> tuple[Kind | None, str]:
        """Turn one link to a row of Vitally's id back, unless it must stay; returns what became of it, and why."""
        is_there = refers_to(field, VitallyId(own), now, self._hands.looking.id_of) if own else False
        kinds = {
            Kind.UNKNOWN: tie.was is None,
            Kind.UNSEEN: is_there is None,
            Kind.LINK_AS_BEFORE: is_there is tie.was,
            Kind.CHANGED: is_there is not tie.is_linked,
        }
        kind = next((kind for kind, is_so in kinds.items() if is_so), None)
        if kind:
            return kind, ""
        if own is None:
            return Kind.REFUSED, f"the {field.refers} is no longer there"
        return self._linked(row, field, own, now) if tie.was else self._taken_out(row, field, own, now)

    def _linked(self, row: Row, field: Field, own: str, now: Shown) -> tuple[Kind, str]:
        if self._hands.is_dry_run:
            return Kind.LINKED, ""
        if reason := self._hands.make(row, change_of(row, "update", {field.name: [VitallyId(own)]}), now):
            return Kind.REFUSED, reason
        is_there = refers_to(field, VitallyId(own), self._hands.now(row) or {}, self._hands.looking.id_of)
        return (Kind.LINKED if is_there else Kind.UNRESTORED), ""

    def _taken_out(self, row: Row, field: Field, own: str, now: Shown) -> tuple[Kind | None, str]:
        others = referred_to(field, now) or []
        yours = next((one.get("externalId") for one in others if one.get("id") == own), None)
        if reason := self._why_not_taken_out(field, len(others), bool(yours and now.get("externalId"))):
            return Kind.UNWRITABLE, reason
        assert self._analytics is not None
        if self._hands.is_dry_run:
            return Kind.UNLINKED, ""
        route, ids = MEMBERSHIP.operations["delete"][0], {"userId": str(now["externalId"]), "accountId": str(yours)}
        done = self._hands.announce(Change(MEMBERSHIP, "delete", route, row.label, ids, {}), now)
        reply = self._analytics.send("POST", BATCH, self._message(str(now["externalId"]), str(yours)))
        done("" if reply.ok else reply.reason)
        if not reply.ok:
            return Kind.REFUSED, f"HTTP {reply.status}"
        with self._lock:
            self._sent.append((row, field, own))
        return None, ""

    def _why_not_taken_out(self, field: Field, count: int, has_keys: bool) -> str:
        if field.refers not in ENDS:
            return f"nothing takes a row out of its {field.refers}"
        if count == 1:
            return f"it is the last {field.refers}"
        if self._analytics is None:
            return "that needs the Analytics API key (analytics_token)"
        return "" if has_keys else "the Analytics API needs the externalIds of both"

    def _message(self, user: str, account: str) -> bytes:
        route = MEMBERSHIP.operations["delete"][0]
        assert isinstance(route, BatchRoute)
        ids = {"userId": user, "accountId": account}
        stamp = {"messageId": uuid.uuid4().hex, "timestamp": moment_of(self._clock.now() * 1000)}
        return dumps([{"type": route.type, **ids, **stamp}])

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
