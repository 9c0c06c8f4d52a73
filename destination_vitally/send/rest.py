"""Changes by REST: one change, one to a few requests, one effect. What to do next says `decide`."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections import Counter
from functools import partial
from typing import Any

from destination_vitally.api.bodies import encoded
from destination_vitally.api.http import ELSEWHERE, leads_elsewhere
from destination_vitally.api.pages import Row, found_row, is_row, text_of
from destination_vitally.api.reply import Reply
from destination_vitally.compare.comparison import How, differing
from destination_vitally.compare.loosened import alike
from destination_vitally.errors import AmbiguousError, LateError, NotYetError, OutageError
from destination_vitally.mapping.change import Change, identities_of, lacking, listed
from destination_vitally.objects.model import Kind, RestRoute, Verb
from destination_vitally.rows.facts import Answer, Deleted, Elsewhere, Known, Missed, Sending, Written
from destination_vitally.rows.known import Asking, Rows
from destination_vitally.rows.paths import Paths
from destination_vitally.send.decide import (
    Attempt,
    Case,
    Delete,
    Done,
    Effect,
    Look,
    Put,
    Reject,
    Result,
    Step,
    cannot_look,
    decide,
)

logger = logging.getLogger("airbyte")

LOST_SECONDS = (1.0, 15.0, 60.0)
"""So long is waited before a row is decided again whose answer was lost: the first time, the second, the third."""

LOST_IN_A_ROW = 3
"""So many rows may be rejected one after the other because no answer arrived when they were created."""

ARCHIVED = "are archived in Vitally and were left so"
SCHEDULED = "are there until the day for which Vitally has scheduled their delete"


@dataclasses.dataclass(frozen=True)
class Made:
    """What was done, and what is logged about it at the end, once per stream and with a count.

    `row` is what the answer shows of the row, `time` when that was by Vitally's clock in Unix seconds.
    """

    effect: Effect
    remark: str = ""
    row: Row = dataclasses.field(default_factory=dict, compare=False)
    time: float | None = dataclasses.field(default=None, compare=False)


class Rest:
    """Makes changes through REST."""

    def __init__(self, rows: Rows, asking: Asking) -> None:
        self._api = asking.api
        self._reader = asking.reader
        self._memory = rows.memory
        self._references = rows.references
        self._people = rows.people
        self._lock = threading.Lock()
        self._lost: Counter[str] = Counter()
        """How many new rows of an object were rejected in a row since their answers were lost."""
        self._otherwise: set[str] = set()
        """Objects whose new rows Vitally has taken with the other names of their fields."""

    def make(self, change: Change) -> Made:
        """Make one change.

        Returns:
            What was done; `skipped` when the row to update or delete is not there.

        Raises:
            RejectedError: Vitally, or a rule of its docs, refuses the change.
            NotYetError: it depends on a row that was sent in a batch and is not there yet.
            ConfigError, OutageError, StoppedError: as `Api.send`.
        """
        change = self._people.translated(change)
        if change.operation == "delete" and any(leads_elsewhere(str(key)) for key in keys_of(change).values()):
            raise change.rejected(ELSEWHERE)
        self._wait_for_batches(change)
        paths, attempts = Paths(change, self._references), list[Attempt]()
        looked: Answer | None = None
        while True:
            answer = self._of_same_row(change, looked or self._reader.ask(change, paths))
            now = self._memory.clock.monotonic()
            case = Case(change, answer, attempts, now, partial(self._shows, change))
            step = decide(case)
            if isinstance(step, Done):
                return Made(step.effect, ARCHIVED if step.is_archived else "")
            if isinstance(step, Reject):
                self._count_lost(change, attempts)
                raise change.rejected(step.reason, step.status)
            looked = None
            if isinstance(step, Look):
                looked = self._look(change, paths, attempts, is_stale=step.is_stale)
                continue
            try:
                reply, made = self._send(change, paths, step, case.until(self._api.gap))
            except LateError:
                attempts.append(Attempt("POST", Result.LATE))
                continue
            except AmbiguousError as doubt:
                attempts.append(Attempt("POST", Result.LOST, str(doubt), doubt.reply.status))
                self._wait_after_loss(change, attempts)
                continue
            if made:
                return made
            result = Result.MISSED if reply.is_miss else Result.ARCHIVED if _says_archived(reply) else Result.EXISTS
            attempts.append(Attempt(type(step).__name__, result, reply.reason, reply.status))

    def _shows(self, change: Change, known: Known) -> bool:
        fields = _of_row_there(change).fields
        is_equal = not differing(change.entry, fields, change.open_values, known.row, How(equal=alike))
        return is_equal and self._memory.has_values(known, change)

    def _of_same_row(self, change: Change, answer: Answer) -> Answer:
        """Leave out what this sync has made for other rows that have the same name."""
        if not change.origin or change.fields.get("externalId"):
            return answer
        made = self._memory.yours_elsewhere(change.entry, change.origin)
        return answer._replace(rows=tuple(one for one in answer.rows if not one.is_own or one.id == made))

    def _wait_after_loss(self, change: Change, attempts: list[Attempt]) -> None:
        lost = sum(one.result is Result.LOST for one in attempts)
        if lost <= len(LOST_SECONDS) and not cannot_look(change):
            seconds = LOST_SECONDS[lost - 1]
            logger.warning("Waiting %.0f s, then looking whether it is there: %s.", seconds, attempts[-1].reason)
            self._memory.clock.wait(seconds)

    def _count_lost(self, change: Change, attempts: list[Attempt]) -> None:
        """See whether rows are rejected one after the other because Vitally never says that it created them.

        Raises:
            OutageError: so many, that it is more than a matter of single rows.
        """
        if sum(one.result is Result.LOST for one in attempts) <= len(LOST_SECONDS):
            return
        with self._lock:
            self._lost[change.entry.path] += 1
            lost = self._lost[change.entry.path]
        if lost > LOST_IN_A_ROW:
            raise OutageError(
                f"Gave up: Vitally creates no {change.entry.name} while it answers other requests "
                f"({attempts[-1].reason}). Try again later."
            )

    def _wait_for_batches(self, change: Change) -> None:
        """See that what a batch wrote of the row is there, so that it does not come after this change."""
        for identity in identities_of(change.entry, change.fields):
            answer = self._memory.ask(change.entry, identity)
            if answer.coming:
                raise NotYetError(change.entry, answer.coming.external_id, is_acted=True)
            if answer.why_not and answer.was_sent and not answer.rows:
                raise change.rejected(str(answer.why_not))
        for entry, identities in self._people.mentioned(change):
            answers = [self._memory.ask(entry, identity) for identity in identities]
            if any(answer.rows for answer in answers):
                continue
            for identity, answer in zip(identities, answers, strict=True):
                if answer.coming:
                    raise NotYetError(entry, answer.coming.external_id, is_acted=identity[1] == "email")
                if self._references.is_held(entry.name, identity[2], identity[1]):
                    raise NotYetError(entry, identity[2])
                if answer.why_not:
                    raise change.rejected(str(answer.why_not))

    def _look(self, change: Change, paths: Paths, attempts: list[Attempt], *, is_stale: bool) -> Answer | None:
        """Look for the row; None when the list that was read tells it, once it is fresh again."""
        if is_stale:
            self._reader.refresh(change)
            answer = self._reader.ask(change, paths)
            now = self._memory.clock.monotonic()
            if Case(change, answer, attempts, now, lambda known: False).is_fresh or answer.rows:
                return answer
        answer = self._reader.look(change, paths, archived=any(one.result is Result.EXISTS for one in attempts))
        attempts.append(Attempt("look", Result.LOOKED))
        return answer

    # Requests

    def _send(self, change: Change, paths: Paths, step: Step, until: float) -> tuple[Reply, Made | None]:
        """Take a step that changes something; without what was made it is to be decided again."""
        if isinstance(step, Put):
            return self._put(change, paths, step)
        if isinstance(step, Delete):
            return self._delete(change, paths, step.address)
        return self._post(change, paths, until)

    def _write(self, change: Change, method: str, path: str, body: bytes | None = None, **how: Any) -> Reply:
        """Send a request that changes something; all of them go through here. `how` is as for `Api.send`."""
        return self._api.send(method, path, body, **how)

    def _put(self, change: Change, paths: Paths, step: Put) -> tuple[Reply, Made | None]:
        path = paths.item(step.address)
        known = step.known
        lost = self._lost_unless_sent(change, path, known)
        body = self._body(_of_row_there(change), creating=False, also=lost)
        self._memory.note(Sending(change))
        reply = self._write(change, "PUT", path, body)
        if reply.is_miss:
            self._forget(change, step.address)
            return reply, None
        if _says_archived(reply):
            return reply, None
        return reply, self._made(change, paths, reply, "updated", {**lost, "id": known.id} if known else lost)

    def _post(self, change: Change, paths: Paths, until: float) -> tuple[Reply, Made | None]:
        route = change.route
        assert isinstance(route, RestRoute)
        missing = lacking(change.fields, route.to_create or route.requires)
        if missing:
            why = f": {change.left_out[missing]}" if missing in change.left_out else ""
            raise change.rejected(f"it does not exist yet, and {missing} is required to create it{why}")
        external_id = change.fields.get("externalId")
        repeatable = route.repeatable and bool(external_id or not change.entry.field("externalId"))
        how = {"repeatable": repeatable, "conflict": bool(external_id), "until": until}
        reply = self._first_or_other(change, paths.collection(), **how)
        if reply.is_conflict and external_id and change.entry.can_look_up():
            return reply, None
        is_certain = change.operation == "create" or route.verb is not Verb.POST
        made = self._made(change, paths, reply, "created" if is_certain else "created or updated")
        self._lost.pop(change.entry.path, None)
        return reply, made

    def _delete(self, change: Change, paths: Paths, address: str) -> tuple[Reply, Made | None]:
        path = paths.item(address) + (f"?{change.query}" if change.query else "")
        self._memory.note(Sending(change))
        reply = self._write(change, "DELETE", path)
        if reply.is_miss:
            self._forget(change, address)
            return reply, None
        _raise_refused(change, reply)
        if change.query:
            return reply, Made("deleted", SCHEDULED, time=reply.time)  # it is there until then
        keys = keys_of(change)
        self._memory.note(Deleted(change.entry, keys if address in keys.values() else {**keys, "id": address}))
        return reply, Made("deleted", time=reply.time)

    def _first_or_other(self, change: Change, path: str, **how: Any) -> Reply:
        """POST; where Vitally's pages have two names for a field and one is refused, once more with the other."""
        name = change.entry.name
        otherwise = name in self._otherwise
        body = self._body(change, creating=True, otherwise=otherwise)
        self._memory.note(Sending(change))
        reply = self._write(change, "POST", path, body, **how)
        if reply.status != 400 or not any(field.otherwise for field in change.entry.fields):
            return reply
        other = self._body(change, creating=True, otherwise=not otherwise)
        if other == body:
            return reply
        second = self._write(change, "POST", path, other, repeatable=how["repeatable"])
        if not second.ok:
            return reply
        (self._otherwise.discard if otherwise else self._otherwise.add)(name)
        return second

    # What is known afterwards

    def _made(self, change: Change, paths: Paths, reply: Reply, effect: Effect, before: Row | None = None) -> Made:
        """Note what was written of a row, of which `before` is what stays; return what the answer says of it."""
        _raise_refused(change, reply)
        was_deleted = self._reader.ask(change, paths).was_deleted
        answered: Row = reply.body if is_row(reply.body) else {}
        sent = {name: value for name, value in change.fields.items() if name in change.entry.resend_on_update}
        keys = keys_of(change)
        row = {**keys, **paths.known_parents(creating=before is None), **(before or {}), **sent, **answered}
        if row.get("id"):
            self._memory.note(Written(change.entry, row, is_new=before is None))
            if change.origin and not change.fields.get("externalId"):
                self._memory.note(Elsewhere(change.entry, change.origin, row["id"]))
        is_archived = bool(answered.get("archivedAt"))
        if is_archived and was_deleted:
            raise change.rejected("this sync has archived it, and Vitally does not bring it back")
        if is_archived and change.operation in ("create", "upsert"):
            return Made("skipped", ARCHIVED)
        made = Made(effect, row={**answered, **({"id": row["id"]} if row.get("id") else {})}, time=reply.time)
        for name in ("externalId", "id"):
            meant = change.fields.get(name)
            if meant and answered.get(name) and text_of(answered, name) != str(meant):
                remark = f"were written to a row with another {name} than the one given, as after a merge"
                return dataclasses.replace(made, remark=remark)
        return made

    def _forget(self, change: Change, address: str) -> None:
        for name in ("id", "externalId"):
            self._memory.note(Missed(change.entry, (change.entry.name, name, address), is_gone=True))

    # Bodies

    def _lost_unless_sent(self, change: Change, path: str, known: Known | None) -> Row:
        """The values REST would empty unless they are sent along: those of the row as it is."""
        lost = [name for name in change.entry.resend_on_update if name not in change.fields]
        if not lost:
            return {}
        current = known.row if known and all(name in known.row for name in lost) else None
        if current is None:
            current = found_row(change, self._api.send("GET", path)) or {}
        return {name: current[name] for name in lost if current.get(name)}

    def _body(self, change: Change, *, creating: bool, also: Row | None = None, otherwise: bool = False) -> bytes:
        body: dict[str, Any] = dict(also or {})
        for field in change.entry.fields:
            value = change.fields.get(field.name, field.default if creating else None)
            if not field.in_body or (field.create_only and not creating):
                continue
            if value is None and (field.name not in change.fields or change.operation == "create"):
                continue
            if field.clear_only and creating:
                continue
            if field.refers and value:
                ids = [self._references.get(change, field.name, field.refers, one).id for one in listed(value)]
                value = ids if field.kind is Kind.TEXTS else ids[0]
            body[field.otherwise if otherwise and field.otherwise else field.name] = value
        if change.open_values:
            body["traits"] = change.open_values
        return encoded(change, body)


def _of_row_there(change: Change) -> Change:
    """Return what a copy writes to a row that is there: rows that are listed inside are given to new rows alone."""
    inside = {field.name for field in change.entry.fields if field.entries and change.operation == "create"}
    return change._replace(fields={name: value for name, value in change.fields.items() if name not in inside})


def keys_of(change: Change) -> Row:
    """Return what a change says of the keys of its row."""
    return {name: change.fields[name] for key in change.entry.keys for name in key.fields if change.fields.get(name)}


def _says_archived(reply: Reply) -> bool:
    return not reply.ok and 400 <= reply.status < 500 and "archived" in reply.reason.lower()


def _raise_refused(change: Change, reply: Reply) -> None:
    if not reply.ok:
        raise change.rejected(f"Vitally refused it: {reply.reason}", reply.status)
