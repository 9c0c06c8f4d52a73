"""A dry run: every rule and every read of a sync, and instead of each write a forecast of what it would do."""

from __future__ import annotations

from collections.abc import Hashable

from destination_vitally.api.http import Api
from destination_vitally.api.pages import Row, rows_of
from destination_vitally.api.reply import Reply
from destination_vitally.mapping.mapper import Change, identities_of
from destination_vitally.objects.model import BatchRoute, Lookup, Verb
from destination_vitally.transports.landing import Landing
from destination_vitally.transports.listing import Lists
from destination_vitally.transports.lookups import Finder, Paths
from destination_vitally.transports.memory import Memory
from destination_vitally.transports.references import References
from destination_vitally.transports.rest import Effect, Rest

_BY_MESSAGE: dict[str, Effect] = {"create": "created", "upsert": "created or updated", "delete": "deleted"}
_OK = Reply(200, {}, "")
_MISS = Reply(404, {"error": "There is no such row."}, "")


class DryRun:
    """Foretells what changes would do. Rows that would have been created count as there from then on.

    Without a REST key nothing can be read, so of an upsert it cannot tell whether it would create or update.
    """

    def __init__(self, api: Api | None, references: References, landing: Landing) -> None:
        """Prepare a dry run; as nothing is sent, nothing of it is in `landing`."""
        self._references = references
        self._forecast = _Forecast()
        self._counted: Memory[bool] = Memory()
        self._rest = _Unsent(api, references, landing, self._forecast) if api else None

    def make(self, change: Change, counted_by: Hashable = None) -> Effect:
        """Foretell one change; returns and raises what `Rest.make` does.

        `counted_by` is what Vitally counts an event by: of several equal ones the later are superseded.
        """
        if counted_by is not None:
            if self._counted.get(counted_by):
                return "superseded"
            self._counted.put(counted_by, True)
            return "created"
        there = self._is_there(change)
        effect: Effect
        if not isinstance(change.route, BatchRoute):
            assert self._rest is not None  # a plan without the REST key has no calls
            effect = self._rest.make(change)
        elif change.operation == "delete" and there is False:
            effect = "skipped"
        else:
            effect = _BY_MESSAGE[change.operation]
        if effect == "created or updated" and there is not None:
            effect = "updated" if there else "created"
        self._remember(change, effect)
        return effect

    def _is_there(self, change: Change) -> bool | None:
        """Whether the row of a change that goes out without a look-up is there; None when that is not known."""
        is_post = not isinstance(change.route, BatchRoute) and change.route.verb is Verb.POST
        if isinstance(change.route, BatchRoute) or (is_post and change.operation == "upsert"):
            expected = self._forecast.of(change)
            looks = expected is None and self._rest is not None and change.operation == "upsert"
            return self._rest.exists(change) if looks and self._rest else expected
        return None

    def _remember(self, change: Change, effect: Effect) -> None:
        if effect in ("created", "created or updated"):
            self._forecast.expect(change, there=True)
            if external_id := change.fields.get("externalId"):
                self._references.expect(change.entry.name, external_id)
        elif effect == "deleted":
            self._forecast.expect(change, there=False)


class _Forecast:
    """Which rows would be there by now, as far as changes would have made or deleted them."""

    def __init__(self) -> None:
        self._there: Memory[bool] = Memory()

    def of(self, change: Change) -> bool | None:
        """Whether the row of a change would be there; None when no change before it says so."""
        known = map(self._there.get, identities_of(change.entry, change.fields))
        return next((found for found in known if found is not None), None)

    def expect(self, change: Change, *, there: bool) -> None:
        """Take a change for made."""
        for identity in identities_of(change.entry, change.fields):
            self._there.put(identity, there)

    def is_gone(self, row: Row) -> bool:
        """Whether a row that Vitally has would have been deleted."""
        return self._there.get(row["id"]) is False

    def expect_gone(self, row: Row) -> None:
        """Take a row that Vitally has for deleted."""
        self._there.put(row["id"], False)


class _Foreseen(Finder):
    """Finds the rows that would be there."""

    def __init__(self, rest: Api, lists: Lists | None, forecast: _Forecast) -> None:
        super().__init__(rest, lists)
        self._forecast = forecast

    def find(self, change: Change, paths: Paths) -> Row | None:
        expected = self._forecast.of(change)
        if expected is not None:
            return {"id": "to be made"} if expected else None
        row = super().find(change, paths)
        return row if row and not self._forecast.is_gone(row) else None


class _Unsent(Rest):
    """REST whose writes are answered from reads."""

    def __init__(self, api: Api, references: References, landing: Landing, forecast: _Forecast) -> None:
        super().__init__(api, references, landing, _Foreseen(api, references.lists, forecast))
        self._forecast = forecast

    def exists(self, change: Change) -> bool | None:
        """Whether Vitally has the row of an upsert; None when there is no way to look."""
        if not change.entry.path or not change.entry.can_look_up() or change.entry.can_look_up(Lookup.NEWEST):
            return None
        return self._finder.find(change, Paths(change, self._references)) is not None

    def _write(
        self, change: Change, method: str, path: str, body: bytes | None = None, *, repeatable: bool = True
    ) -> Reply:
        expected = self._forecast.of(change)
        if method == "POST" or expected is not None:
            return _OK if method == "POST" or expected else _MISS
        if change.entry.read_path is None:
            return _OK
        collection, _, key = path.rpartition("/")
        reading = change.entry.read_path.format(collection=collection, key=key) or path
        rows = [row for row in rows_of(change, self._api.send("GET", reading)) if not self._forecast.is_gone(row)]
        if rows and method == "DELETE":
            self._forecast.expect_gone(rows[0])
        return _OK if rows else _MISS
