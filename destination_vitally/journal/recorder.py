"""Keeps the journal of a sync: intents before a slice is sent, outcomes when they are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from destination_vitally.api.pages import Row, text_of
from destination_vitally.journal.intents import Before, IdOf, intent_of, seen_of
from destination_vitally.journal.journal import Journal
from destination_vitally.lines import parse
from destination_vitally.mapping.change import Change
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.mapping.values import moment_of
from destination_vitally.masking import without_secrets
from destination_vitally.objects.model import Object
from destination_vitally.outcomes.ledger import After, PendingRecord
from destination_vitally.rows.facts import Known


class Recorder:
    """Keeps a journal as far as the settings ask for it, and by itself none. Safe to use from several threads."""

    def __init__(self, journal: Journal | None = None) -> None:
        self._journal = journal

    @property
    def is_on(self) -> bool:
        """Whether what becomes of records is kept; what a mirror deletes is whenever there is a bucket."""
        return self._journal is not None and self._journal.how != "none"

    @property
    def reads_before(self) -> bool:
        """Whether the values before are kept as well."""
        return self._journal is not None and self._journal.how == "changes"

    @property
    def is_full(self) -> bool:
        """Whether so much was taken that it should be stored without waiting."""
        return self._journal is not None and self._journal.is_full

    def flush(self) -> None:
        """Make durable what was taken; called before a state that covers it is given back."""
        if self._journal:
            self._journal.flush()

    def intend(self, drafts: Iterable[tuple[PendingRecord, Change, Before | None]], id_of: IdOf) -> None:
        """Store what is about to be sent; raises as `Bucket.put`, and then nothing may be sent."""
        if self._journal and self.is_on:
            for record, change, before in drafts:
                where = origin_of(record.plan, record.plan.entry, record.number)
                record.seq = self._journal.intend({**where, **intent_of(change, before, id_of)})
            self._journal.flush()

    def settled(self, record: PendingRecord, outcome: str) -> None:
        """Take what has become of a record."""
        if self._journal and self.is_on and not self._journal.is_dry_run:
            record.seq = record.seq or self._journal.number()
            self._journal.outcome(_outcome(record, outcome))

    def waits(self, record: PendingRecord) -> None:
        """Take note that nothing was sent for a record yet: there will be another intent."""
        if record.seq:
            self.settled(record, "waiting")
            record.seq = 0

    def landed(self, record: PendingRecord, change: Change, row: Row | None, now: float) -> None:
        """Take note that a row was seen to show what was sent; `now` in Unix seconds."""
        if self.is_on and row is not None:
            record.after = record.after._replace(landed=now, id=text_of(row, "id"), seen=seen_of(change, row))
            if not record.parts:
                self.settled(record, "accepted")

    def deletes(self, plan: StreamPlan, change: Change, row: Row, now: float) -> Callable[[], None]:
        """Store the row that is about to be deleted because a stream lacks it; returns what says that it is."""
        if self._journal is None:
            return lambda: None
        subject = change._replace(fields={**change.fields, "externalId": text_of(row, "externalId")})
        done = self._alone(Before(subject, existed=True, read_at=now, row=row), plan)
        return lambda: done("deleted", text_of(row, "id"))

    def creates(self, entry: Object, external_id: str, now: float) -> Callable[[str], None]:
        """Store that a row is about to be created because others name it; returns what says that it is, with its id."""
        if self._journal is None or not self.is_on:
            return lambda created: None
        fields = {"externalId": external_id, "name": external_id}
        change = Change(entry, "create", entry.operations["create"][0], f"{entry.name} '{external_id}'", fields, {})
        done = self._alone(Before(change, existed=False, read_at=now))
        return lambda created: done("created", created)

    def changes(self, change: Change, row: Row, now: float) -> Callable[[str], None]:
        """Store a change of a `row` that no record asks for; returns what says that it was made, or refused and why."""
        if not self.reads_before:
            return lambda reason: None
        whole = row if change.operation == "delete" else None
        done = self._alone(Before(change, True, Known(row), True, now, whole))
        return lambda reason: done(f"{change.operation}d", text_of(row, "id"), reason)

    def _alone(self, before: Before, plan: StreamPlan | None = None) -> Callable[..., None]:
        """Store an intent that no record asks for; returns what takes its effect, Vitally's id, or a refusal."""
        assert self._journal is not None
        journal, change = self._journal, before.subject
        where = origin_of(plan, change.entry)
        seq = journal.intend({**where, **intent_of(change, before, lambda target, value: None)})
        journal.flush()

        def done(effect: str, own: str, reason: str = "") -> None:
            result = _result("rejected", After(id=own)) if reason else _result("accepted", After(effect, own))
            journal.outcome(
                {"seq": seq, **where, "label": change.label, **result, "reason": without_secrets(reason) or None}
            )

        return done


def origin_of(plan: StreamPlan | None, entry: Object, line: int | None = None) -> dict[str, Any]:
    """Return where a line of the journal is from: line, stream and entry of the mapping, and the object."""
    return {
        "line": line,
        "entry": plan.number if plan else 0,
        "stream": plan.name if plan else None,
        "namespace": plan.namespace if plan else None,
        "object": entry.name,
    }


def _outcome(record: PendingRecord, outcome: str) -> dict[str, Any]:
    found = {
        "seq": record.seq,
        **origin_of(record.plan, record.plan.entry, record.number),
        "label": record.label or record.plan.entry.name,
        **_result(outcome, record.after),
    }
    if outcome == "rejected":
        found |= {"reason": without_secrets(record.reason or ""), "status": record.status}
        found["record"] = parse(record.line).get("record")
    return found


def _result(outcome: str, after: After) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "reason": None,
        "status": None,
        "effect": after.effect or None,
        "id": after.id or None,
        "taken_at": _moment(after.taken),
        "landed_at": _moment(after.landed),
        "seen": after.seen,
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else moment_of(seconds * 1000)
