"""Values are set back where they are as the sync has left them; what was deleted is brought back where it can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from destination_vitally.compare.equality import instant, is_empty
from destination_vitally.errors import NotYetError, RejectedError
from destination_vitally.journal.recorder import Recorder
from destination_vitally.mapping.change import Change
from destination_vitally.objects.table import MESSAGE_FIELDS
from destination_vitally.rows.poller import PATIENCE_SECONDS
from destination_vitally.send.rest import Rest
from destination_vitally.undo.judging import (
    ABSENT,
    Shown,
    is_as_before,
    is_ours,
    shown,
    why_not_writable,
)
from destination_vitally.undo.looking import Looking, MovedError, setting_back
from destination_vitally.undo.report import Kind, Report
from destination_vitally.undo.rows import Past, Row

NOT_UNDONE = {
    "event": "an event that was counted stays counted",
    "custom_object_definition": "a definition is changed in Vitally's settings",
    "meeting_transcript": "a transcript is replaced as a whole",
}
"""Objects of which nothing is undone, and why."""


class Hands:
    """What all parts of an undo work with."""

    def __init__(  # noqa: PLR0913 - all that the parts have in common
        self,
        looking: Looking,
        rest: Rest,
        report: Report,
        recorder: Recorder,
        *,
        now: Callable[[], float],
        is_dry_run: bool,
    ) -> None:
        """`now` returns the time in Unix seconds."""
        self._now = now
        self.looking = looking
        self.report = report
        self._recorder = recorder
        self.is_dry_run = is_dry_run
        self._rest = rest

    def make(self, row: Row, change: Change, now: Shown) -> str:
        """Make a change of a row that is as `now`; return why it was refused, empty if it was not."""
        done = self.announce(change, now)
        try:
            made = self._rest.make(change)
        except NotYetError as error:
            reason = str(error)
        except RejectedError as error:
            reason = why(error, row.label)
        else:
            reason = "Vitally has no such row any more" if made.effect == "skipped" else ""
        done(reason)
        return reason

    def announce(self, change: Change, now: Shown) -> Callable[[str], None]:
        """Store that a row that is as `now` is about to be changed; returns what says so, or why it was refused."""
        return self._recorder.changes(change, now, self._now())

    def is_pending(self, row: Row) -> bool:
        """Tell whether Vitally took a message to a row a moment ago, which it may have yet to apply."""
        taken = instant(row.unseen_since)
        return taken is not None and abs(self._now() - taken.timestamp()) < PATIENCE_SECONDS

    def now(self, row: Row) -> Shown | None:
        """Return a row as it is now; None if there is none.

        Raises:
            Reported: nobody can tell, or it is another row now.
        """
        try:
            return self.looking.now(row)
        except MovedError as error:
            self.report.add(Kind.ELSEWHERE, row.label, why=why(error, row.label))
        except RejectedError as error:
            self.report.add(Kind.REFUSED, row.label, why=why(error, row.label))
        raise Reported


class Reported(Exception):  # noqa: N818 - no failure
    """All that is to be said of a row was reported."""


def why(error: RejectedError, label: str) -> str:
    """Return why something was refused, but not Vitally's words, which may quote values, nor advice for syncs."""
    return f"HTTP {error.status}" if error.status else str(error).removeprefix(f"{label}: ").partition("; ")[0]


class Restoring:
    """Sets rows back that were there before. Safe to use from several threads."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._report = hands.report
        self._looking = hands.looking

    def restore(self, row: Row) -> dict[str, Any] | None:
        """Set a row back; return the row that would have to be created anew, if one has."""
        if reason := why_never(row):
            self._report.add(Kind.NEVER, row.label, why=reason)
            return self._anew(row) if row.last.row else None
        if row.first.is_unsure and not any(past.known for past in row.values.values()):
            self._report.add(Kind.UNKNOWN, row.label, why="nor whether it was there")
            return None
        try:
            now = self._hands.now(row)
            if row.last.is_deleted and (now is None or now.get("archivedAt")):
                now = self._brought_back(row, now)
                if now is None:
                    self._report.add(Kind.LOST, row.label)
                    return self._anew(row)
            elif row.last.is_deleted:
                self._report.add(Kind.THERE, row.label)
            if now is None:
                self._report.add(Kind.CHANGED, row.label, why="it is no longer there")
            elif now.get("archivedAt"):
                self._report.add(Kind.CHANGED, row.label, why="it is archived")
            else:
                self._set_back(row, now)
        except Reported:
            pass
        return None

    # Values

    def _set_back(self, row: Row, now: Shown) -> None:
        found = defaultdict[tuple[Kind, str], list[Past]](list)
        for past in row.values.values():
            found[self._judged(row, past, now)].append(past)
        wanted = found.pop((Kind.SET_BACK, ""), [])
        for (kind, reason), pasts in found.items():
            self._report.add(kind, row.label, [past.key for past in pasts], reason)
        if wanted and self._hands.is_dry_run:
            self._report.add(Kind.SET_BACK, row.label, [past.key for past in wanted])
        elif wanted:
            self._write(row, now, wanted)

    def _judged(self, row: Row, past: Past, now: Shown) -> tuple[Kind, str]:
        """Return what becomes of a value, and why."""
        entry, value = row.entry, shown(row.entry, past, now)
        if not past.known:
            return Kind.UNKNOWN, ""
        if value is ABSENT:
            return Kind.UNSEEN, ""
        if is_as_before(entry, past, value):
            is_pending = self._hands.is_pending(row) and not is_ours(entry, past, now, self._looking.id_of)
            return (Kind.PENDING if is_pending else Kind.AS_BEFORE), ""
        if not is_ours(entry, self._looking.translated(row, past), now, self._looking.id_of):
            return Kind.CHANGED, ""
        reason = why_not_writable(entry, past)
        return (Kind.UNWRITABLE if reason else Kind.SET_BACK), reason

    def _write(self, row: Row, now: Shown, pasts: list[Past]) -> None:
        """Write values, all of a row at once; where they are refused together, one by one."""
        reason = self._hands.make(row, setting_back(row, now, pasts), now)
        if reason and len(pasts) > 1:
            for past in pasts:
                self._write(row, now, [past])
        elif reason:
            self._report.add(Kind.REFUSED, row.label, [pasts[0].key], reason)
        else:
            then = self._hands.now(row) or {}
            for past in pasts:
                is_back = is_as_before(row.entry, past, shown(row.entry, past, then))
                self._report.add(Kind.SET_BACK if is_back else Kind.UNRESTORED, row.label, [past.key])

    # Rows that were deleted

    def _brought_back(self, row: Row, now: Shown | None) -> Shown | None:
        """Return a row that was archived as it is once Vitally has brought it back; None where it has not."""
        if now is None or "update" not in row.entry.operations:
            return None
        if self._hands.is_dry_run:
            self._report.add(Kind.BACK, row.label)
            raise Reported
        own = [past for name, value in now.items() if _is_own(row, past := Past.of(name, value))]
        if self._hands.make(row, setting_back(row, now, own), now):
            return None
        then = self._hands.now(row)
        if then is None or then.get("archivedAt"):
            return None
        self._report.add(Kind.BACK, row.label)
        return then

    def _anew(self, row: Row) -> dict[str, Any]:
        """Return what a record that creates a deleted row anew has to hold: its values, as they were before."""
        last = row.last.row or {}
        fields = (field for field in row.entry.fields if field.name != "id" and (field.in_body or field.analytics))
        values = {field.name: shown(row.entry, Past.of(field.name, None), last) for field in fields}
        traits = dict(last.get("traits") or {})
        for past in row.values.values():
            if past.known:
                (traits if past.is_trait else values)[past.name] = past.before
        said = {**row.key, **values, "traits": {name: one for name, one in traits.items() if not is_empty(one)}}
        return {name: value for name, value in said.items() if value is not ABSENT and not is_empty(value)}


def why_never(row: Row) -> str:
    """Return why nothing of a row is undone, whatever it is now; empty if something may be."""
    if row.entry.name in NOT_UNDONE:
        return NOT_UNDONE[row.entry.name]
    if any(name in MESSAGE_FIELDS and not row.entry.field(name) for name in row.values):
        return "what has a time of its own is history"
    is_shown = row.entry.path and row.entry.read_path is not None
    return "" if is_shown else "no request shows it"


def _is_own(row: Row, past: Past) -> bool:
    """Whether a value that an archived row shows may be sent to it."""
    field = row.entry.field(past.name)
    is_kept = field is None or field.refers or past.before is None or past.name == "id"
    return not is_kept and not why_not_writable(row.entry, past)
