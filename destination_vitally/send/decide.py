"""What to do next about one change by REST: pure rules over what is known of its row and the results so far.

Each rule looks at one thing and says a step, or nothing; the first that says one counts. A step is a request, a look
at the row, or what has become of the change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from math import inf
from typing import Literal, NamedTuple

from destination_vitally.mapping.change import Change
from destination_vitally.objects.model import Key, Lookup, RestRoute, Verb
from destination_vitally.rows.facts import Answer, Known
from destination_vitally.rows.lists import FRESH_SECONDS

Effect = Literal["created", "updated", "created or updated", "deleted", "superseded", "skipped"]
"""What was done; Vitally does not say whether a POST with a known externalId created or updated."""

MOST_ROUNDS = 3
"""So often is a change decided again for the same cause, before it is rejected."""

MOST_LATE = 5
"""So often a row is looked for again because its creation had to wait for the pace of requests."""

IDS_NAMED = 10
"""How many ids a rejection names."""


class Result(Enum):
    """The result of a step."""

    WRITTEN = "Vitally took it"
    MISSED = "there is no such row"
    EXISTS = "there is such a row already"
    ARCHIVED = "the row is archived"
    LOST = "no answer that tells whether Vitally acted"
    LOOKED = "the row was looked for"
    LATE = "by the time at which it could be sent, nobody knew any more that the row is not there"


class Attempt(NamedTuple):
    """A step that was taken, its result, and of a refusal Vitally's words and the HTTP status."""

    step: str
    result: Result
    reason: str = ""
    status: int | None = None


class Put(NamedTuple):
    """Update a row at an address; `known` is what is known of it."""

    address: str
    known: Known | None = None


class Post(NamedTuple):
    """Create a row."""


class Delete(NamedTuple):
    """Delete a row at an address."""

    address: str


class Look(NamedTuple):
    """Look for the row; a refresh of a list that has been read may do, where `is_stale` alone is the matter."""

    is_stale: bool = False


class Done(NamedTuple):
    """The end: what was done; `is_archived` says that the row was found archived."""

    effect: Effect
    is_archived: bool = False


class Reject(NamedTuple):
    """The end: why it cannot be done."""

    reason: str
    status: int | None = None


Step = Put | Post | Delete | Look | Done | Reject


class Case(NamedTuple):
    """What a decision is made of.

    Attributes:
        change: what is to be made.
        answer: what is known of its row at this moment.
        attempts: what was done about it before, the last one last.
        now: the time by the connector's clock.
        shows: whether a row has all values of the change.
    """

    change: Change
    answer: Answer
    attempts: Sequence[Attempt]
    now: float
    shows: Callable[[Known], bool]

    @property
    def verb(self) -> Verb:
        """What the route does."""
        assert isinstance(self.change.route, RestRoute)
        return self.change.route.verb

    @property
    def last(self) -> Attempt | None:
        """The last attempt."""
        return self.attempts[-1] if self.attempts else None

    def has(self, result: Result) -> bool:
        """Tell whether an attempt had this result."""
        return any(one.result is result for one in self.attempts)

    @property
    def can_look(self) -> bool:
        """Whether there is a way to look for the row by what the change says of it."""
        return not cannot_look(self.change)

    @property
    def is_fresh(self) -> bool:
        """Whether it is known of this moment that there is no such row."""
        return self.answer.absent is not None and self.now - self.answer.absent <= FRESH_SECONDS

    def until(self, gap: float) -> float:
        """Up to when the row may be created on what is known of this moment, with so many seconds between requests."""
        is_often_late = sum(one.result is Result.LATE for one in self.attempts) >= MOST_LATE
        absent = self.answer.absent if self.is_fresh and not is_often_late else None
        return inf if absent is None else absent + max(FRESH_SECONDS, 2 * gap)


def decide(case: Case) -> Step:
    """Return the next step."""
    return next(step for rule in _RULES if (step := rule(case)) is not None)


# Ends, whatever is to be done


def _too_often(case: Case) -> Step | None:
    last = case.last
    # A row that is missed is what one finds each time its creation was lost.
    most = {Result.EXISTS: MOST_ROUNDS, Result.LOST: MOST_ROUNDS, Result.MISSED: 2 * MOST_ROUNDS}
    if last is None or all(sum(one.result is result for one in case.attempts) <= n for result, n in most.items()):
        return None
    return Reject(f"Vitally refused it: {last.reason}", last.status)


def _refused_as_archived(case: Case) -> Step | None:
    """Vitally refuses the row because it is archived: an upsert leaves it so, unless this sync itself archived it."""
    last = case.last
    if last is None or last.result is not Result.ARCHIVED:
        return None
    if case.change.operation == "upsert" and not case.answer.was_deleted:
        return Done("skipped", is_archived=True)
    return Reject(f"Vitally refused it: {last.reason}", last.status)


def _several(case: Case) -> Step | None:
    live = case.answer.live
    if len(live) <= 1 or _address(case.change):
        return None
    if case.change.operation == "create" and not case.change.origin:
        return Done("skipped")
    key = next(key for key in case.change.entry.keys if all(case.change.fields.get(name) for name in key.fields))
    others = " or ".join(name for name in ("externalId", "id") if name not in key.fields)
    return Reject(
        f"{len(live)} rows in Vitally have this {key.fields[0]}; match by {others}, or merge them in Vitally: "
        f"{', '.join([*live][:IDS_NAMED])}"
    )


def _lost_create(case: Case) -> Step | None:
    """A new row whose answer was lost is looked for; it is not sent again blindly."""
    last = case.last
    if last is None or last.result is not Result.LOST:
        return None
    if case.can_look or case.verb is Verb.PUT_OR_POST:
        return Look() if case.verb is not Verb.PUT_OR_POST else Put(_address(case.change) or "")
    return Reject(
        f"Vitally may or may not have created it ({last.reason}). It was not sent again, because that could create it "
        "twice: look it up in Vitally"
    )


# Per operation


def _delete(case: Case) -> Step | None:
    if case.verb is not Verb.DELETE:
        return None
    if case.has(Result.MISSED):
        return _missed(case)
    address = _address(case.change)
    if not address:
        return _of_known(case, lambda known: Delete(known.id))
    # An old id of a merged row leads to the row that it was merged into, and a delete cannot be undone.
    if case.change.entry.can_merge and not case.answer.rows:
        return _missed(case) if case.has(Result.LOOKED) else Look()
    return Delete(address)


def _put(case: Case) -> Step | None:
    if case.verb is not Verb.PUT:
        return None
    if case.has(Result.MISSED):
        return _missed(case)
    if address := _address(case.change):
        return Put(address)
    return _of_known(case, lambda known: Put(known.id, known))


def _of_known(case: Case, step: Callable[[Known], Step]) -> Step:
    live = list(case.answer.live.values())
    if live:
        return step(live[0])
    return _missed(case) if case.answer.absent is not None or not case.can_look else Look()


def _archived(case: Case) -> Step | None:
    """What somebody has archived stays archived; what this sync has archived is created anew."""
    answer = case.answer
    if case.change.operation != "upsert" or answer.live or answer.was_deleted:
        return None
    return Done("skipped", is_archived=True) if answer.rows else None


def _put_or_post(case: Case) -> Step | None:
    if case.verb is not Verb.PUT_OR_POST:
        return None
    last = case.last
    is_absent = last.result is Result.MISSED if last else case.is_fresh and not case.answer.was_deleted
    return Post() if is_absent else Put(_address(case.change) or "")


def _find_or_post(case: Case) -> Step | None:
    if case.verb is not Verb.FIND_OR_POST:
        return None
    last = case.last
    live = list(case.answer.live.values())
    # What Vitally still shows after it was twice not there is a list that lags.
    lags = sum(one.result is Result.MISSED for one in case.attempts) > 1 and last and last.result is Result.LOOKED
    if live and not lags and not (last and last.result in (Result.EXISTS, Result.MISSED)):
        return Put(live[0].id, live[0])
    return Post() if lags and not case.has(Result.EXISTS) else _post_when_absent(case)


def _create(case: Case) -> Step | None:
    """Create is insert: what exists is skipped, unless it is what an attempt whose answer was lost has created.

    The copy of a row of another workspace is kept as that row is.
    """
    if case.change.operation != "create" or case.verb is not Verb.POST:
        return None
    live = list(case.answer.live.values())
    if live and case.has(Result.LOST):
        if any(case.shows(known) for known in live):
            return Done("created")
        return Reject(
            "Vitally did not answer when it was created, and now has a row with this externalId and other values, "
            "which somebody else may have created. Nothing more was sent: look it up in Vitally"
        )
    if live:
        is_copy = case.change.origin and "update" in case.change.entry.operations
        return Put(live[0].id, live[0]) if is_copy and not case.shows(live[0]) else Done("skipped")
    if not (case.change.fields.get("externalId") or case.change.origin) or not case.can_look:
        return _refused(case) or Post()
    return _post_when_absent(case)


def _post_when_absent(case: Case) -> Step:
    """Create a row if it is known of this moment that there is none."""
    last = case.last
    if last and last.result in (Result.EXISTS, Result.MISSED):
        return Look()
    if last and last.result is Result.LOOKED:
        looks = sum(one.result is Result.LOOKED for one in case.attempts)
        return _refused(case) or (Post() if case.is_fresh or looks > MOST_ROUNDS else Look())
    if case.is_fresh:
        return Post()
    return Look(is_stale=case.answer.absent is not None)


def _upsert_by_post(case: Case) -> Step | None:
    """Vitally creates or updates by itself; only where it says that the row exists, it is looked for."""
    if case.verb is not Verb.POST:
        return None
    live = list(case.answer.live.values())
    if case.attempts and live and case.last and case.last.result is Result.LOOKED:
        return Put(live[0].id, live[0])
    if case.last and case.last.result is Result.EXISTS and case.can_look:
        return Look()
    return _refused(case) or Post()


def _refused(case: Case) -> Step | None:
    """A row that Vitally says exists, and that is nowhere to be found, is not sent again and again."""
    last = next((one for one in reversed(case.attempts) if one.result is Result.EXISTS), None)
    if last is None or (case.can_look and sum(one.result is Result.EXISTS for one in case.attempts) < MOST_ROUNDS):
        return None
    return Reject(f"Vitally refused it: {last.reason}", last.status)


_NO_ROW = (
    "Vitally has no row with this id; only rows matched by externalId can be created. If the id is yours, map it to "
    "externalId; for rows of another workspace set External id of rows that have none (external_id) to from_vitally_id"
)

_RULES: tuple[Callable[[Case], Step | None], ...] = (
    _too_often,
    _refused_as_archived,
    _several,
    _lost_create,
    _delete,
    _put,
    _archived,
    _put_or_post,
    _find_or_post,
    _create,
    _upsert_by_post,
)


def addressed_by(change: Change) -> Key | None:
    """Return the key whose value is an id by which the path of the row can be written down at once."""
    keys = sorted((key for key in change.entry.keys if key.in_path), key=lambda key: not key.documented)
    return next((key for key in keys for name in key.fields if change.fields.get(name)), None)


def _address(change: Change) -> str | None:
    key = addressed_by(change)
    return next(str(change.fields[name]) for name in key.fields if change.fields.get(name)) if key else None


def _missed(case: Case) -> Step:
    """What it means that the row is not there: nothing to do, unless it could have been overlooked."""
    change = case.change
    fields, entry = change.fields, change.entry
    if change.operation == "upsert":
        return Reject(_NO_ROW)
    if any(fields.get(name) for key in entry.keys if key.in_path and key.documented for name in key.fields):
        return Done("skipped")
    parents = [f.name for f in entry.references() if entry.can_look_up(Lookup.IN_PARENT)]
    if not all(key.documented for key in entry.keys) or (parents and not any(fields.get(name) for name in parents)):
        also = f", or {' or '.join(parents)} along with externalId" if parents else ""
        return Reject(f"not found by externalId; to {change.operation} it, map Vitally's id to id{also}")
    return Done("skipped")


def cannot_look(change: Change) -> bool:
    """Tell whether nothing that a change says of its row leads to it."""
    fields = change.fields
    return not any(key.lookups and all(fields.get(name) for name in key.fields) for key in change.entry.keys)


def looks_up(change: Change) -> bool:
    """Tell whether making a change by REST means to look its row up."""
    route, entry = change.route, change.entry
    if not isinstance(route, RestRoute):
        return False
    if route.verb is Verb.POST:
        return change.operation == "create" and bool(change.fields.get("externalId")) and entry.can_look_up()
    if route.verb in (Verb.PUT, Verb.DELETE) and _address(change) is None:
        return True
    loses = any(name not in change.fields for name in entry.resend_on_update)
    return route.verb is Verb.FIND_OR_POST or (route.verb is Verb.PUT and loses)
