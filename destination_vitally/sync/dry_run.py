"""A dry run: every rule and every read of a sync, and instead of each write a forecast of what it would do."""

from __future__ import annotations

from destination_vitally.mapping.mapper import Change, identity_of
from destination_vitally.objects.model import BatchRoute, RestRoute, Verb
from destination_vitally.transports.http import Api, Reply
from destination_vitally.transports.lookups import Paths
from destination_vitally.transports.references import Memory, References, found_row
from destination_vitally.transports.rest import Effect, Rest

_BY_MESSAGE: dict[str, Effect] = {"create": "created", "upsert": "created or updated", "delete": "deleted"}
_OK = Reply(200, {}, "")
_MISS = Reply(404, None, "")


class DryRun:
    """Foretells what changes would do. Rows that would have been created count as there from then on.

    Without a REST key nothing can be read, so of an upsert it cannot tell whether it would create or update.
    """

    def __init__(self, api: Api | None, references: References) -> None:
        self._references = references
        self._made: Memory[bool] = Memory()
        self._rest = _Unsent(api, references, self._made) if api else None

    def make(self, change: Change) -> Effect:
        """Foretell one change; returns and raises what `Rest.make` does."""
        if change.operation == "upsert" and _was_made(change, self._made):
            return "updated"
        there = self._rest.exists(change) if self._rest and _leaves_open(change) else None
        effect: Effect
        if isinstance(change.route, BatchRoute):
            effect = _BY_MESSAGE[change.operation]
        else:
            assert self._rest is not None  # a plan without the REST key has no calls
            effect = self._rest.make(change)
        if effect == "created or updated" and there is not None:
            effect = "updated" if there else "created"
        if effect in ("created", "created or updated"):
            self._remember(change)
        return effect

    def _remember(self, change: Change) -> None:
        identity = identity_of(change.entry, change.fields)
        if identity:
            self._made.put(identity, True)
        if external_id := change.fields.get("externalId"):
            self._references.expect(change.entry.name, external_id)


class _Unsent(Rest):
    """REST whose writes are answered from reads."""

    def __init__(self, api: Api, references: References, made: Memory[bool]) -> None:
        super().__init__(api, references)
        self._made = made

    def exists(self, change: Change) -> bool | None:
        """Whether Vitally has the row of an upsert; None when there is no way to look."""
        if not change.entry.path or not change.entry.can_look_up():
            return None
        return self._finder.find(change, Paths(change, self._references)) is not None

    def _write(
        self, change: Change, method: str, path: str, body: bytes | None = None, *, repeatable: bool = True
    ) -> Reply:
        if method == "POST" or change.entry.read_path is None or _was_made(change, self._made):
            return _OK
        collection, _, key = path.rpartition("/")
        reading = change.entry.read_path.format(collection=collection, key=key) or path
        reply = self._api.send("GET", reading)
        rows = reply.body if isinstance(reply.body, list) else [found_row(reply)]
        return _OK if reply.ok and any(rows) else _MISS


def _leaves_open(change: Change) -> bool:
    """Whether an upsert goes out without anybody looking whether the row is there."""
    route = change.route
    return change.operation == "upsert" and (isinstance(route, BatchRoute) or _is_post(route))


def _is_post(route: RestRoute) -> bool:
    return route.verb is Verb.POST


def _was_made(change: Change, made: Memory[bool]) -> bool:
    identity = identity_of(change.entry, change.fields)
    return identity is not None and made.get(identity) is not None
