"""A dry run: every rule and every read of a sync, and instead of each write a forecast of what it would do."""

from __future__ import annotations

import logging
from collections.abc import Hashable
from dataclasses import replace
from itertools import count
from typing import Any
from urllib.parse import unquote

from destination_vitally.api.pages import rows_of
from destination_vitally.api.reply import Reply
from destination_vitally.mapping.change import Change, identity_of
from destination_vitally.objects.model import BatchRoute, Lookup, Verb
from destination_vitally.rows.facts import Deleted, Shown, Written
from destination_vitally.rows.known import Rows
from destination_vitally.rows.paths import Paths
from destination_vitally.rows.store import Recent
from destination_vitally.send.decide import Effect
from destination_vitally.send.rest import Made, Rest, keys_of

logger = logging.getLogger("airbyte")

_BY_MESSAGE: dict[str, Effect] = {"create": "created", "upsert": "created or updated", "delete": "deleted"}
_OK = Reply(200, {}, "")
_MISS = Reply(404, {"error": "There is no such row."}, "")


class Forecast:
    """Foretells what changes would do, and notes it as if it was done: what follows is foretold upon it.

    Without a REST key nothing can be read, so of an upsert it cannot tell whether it would create or update.
    """

    def __init__(self, rows: Rows) -> None:
        logger.warning(
            "Dry run (dry_run) is on: nothing is sent, and no state is given back: the records come again once it "
            "is off."
        )
        self._memory = rows.memory
        self._references = rows.references
        self._reader = rows.asking.reader if rows.asking else None
        self._counted: Recent[bool] = Recent()
        self._numbers = count(1)
        self._rest = _Unsent(rows, rows.asking) if rows.asking else None

    def make(self, change: Change, counted_by: Hashable = None) -> Made:
        """Foretell one change; returns and raises what `Rest.make` does.

        `counted_by` is what Vitally counts an event by: of several equal ones the later are superseded.
        """
        if counted_by is not None:
            return Made("superseded" if self._counted.put(counted_by, True) else "created")
        there = self._is_there(change)
        if not isinstance(change.route, BatchRoute):
            assert self._rest is not None  # a plan without the REST key has no calls
            made = self._rest.make(change)
        elif change.operation == "delete" and there is False:
            made = Made("skipped")
        else:
            made = Made(_BY_MESSAGE[change.operation])
        if made.effect == "created or updated" and there is not None:
            made = replace(made, effect="updated" if there else "created")
        if isinstance(change.route, BatchRoute):
            self._note(change, made.effect)
        return made

    def _is_there(self, change: Change) -> bool | None:
        """Whether the row of a change that goes out without a look is there; None when that is not known."""
        is_batch = isinstance(change.route, BatchRoute)
        is_post = not isinstance(change.route, BatchRoute) and change.route.verb is Verb.POST
        if not (is_batch or (is_post and change.operation == "upsert")):
            return None
        answer = self._memory.ask(change.entry, identity_of(change.entry, change.fields))
        if answer.rows or answer.was_deleted:
            return bool(answer.rows)
        entry = change.entry
        can_look = bool(entry.path) and entry.can_look_up() and not entry.can_look_up(Lookup.NEWEST)
        if not self._reader or change.operation != "upsert" or not can_look:
            return None
        paths = Paths(change, self._references)
        answer = self._reader.ask(change, paths)
        if not answer.rows and answer.absent is None:
            answer = self._reader.look(change, paths)
        return bool(answer.live)

    def _note(self, change: Change, effect: Effect) -> None:
        keys = keys_of(change)
        if effect == "deleted":
            self._memory.note(Deleted(change.entry, keys))
        elif not self._memory.ask(change.entry, identity_of(change.entry, change.fields)).rows:
            row = {**keys, "id": keys.get("id") or f"to be created, {next(self._numbers)}"}
            self._memory.note(Written(change.entry, row, is_new=True))


class _Unsent(Rest):
    """REST whose writes are answered from reads."""

    _numbers = count(1)

    def _write(self, change: Change, method: str, path: str, body: bytes | None = None, **how: Any) -> Reply:
        if method == "POST":
            return Reply(200, {"id": f"to be created by REST, {next(self._numbers)}"}, "")
        path = path.partition("?")[0]
        collection, _, key = path.rpartition("/")
        answers = [self._memory.ask(change.entry, ("", name, unquote(key))) for name in ("id", "externalId")]
        if any(answer.rows for answer in answers):
            return _OK
        if any(answer.was_deleted for answer in answers):
            return _MISS
        if change.entry.read_path is None:
            return _OK
        reading = change.entry.read_path.format(collection=collection, key=key) or path
        rows = rows_of(change, self._api.send("GET", reading))
        self._memory.note(Shown(change.entry, rows))
        return _OK if rows else _MISS
