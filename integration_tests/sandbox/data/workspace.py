"""A workspace's data: the rows of every resource, and what a write does to them."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count as numbers
from itertools import islice
from threading import RLock
from typing import Any
from uuid import UUID

import orjson

from integration_tests.sandbox.data.links import derived
from integration_tests.sandbox.data.store import Key, Scope, Table
from integration_tests.sandbox.data.storing import otherwise
from integration_tests.sandbox.resources import RESOURCES
from integration_tests.sandbox.resources.model import STATES
from integration_tests.sandbox.wire.clock import EPOCH, MILLISECOND, Clock, iso, iso_milliseconds
from integration_tests.sandbox.wire.messages import Row, numeric_id
from integration_tests.sandbox.wire.switches import Switches

# What belongs only to an account or organization goes with it; users stay, without the link.
OWNED = {"notes": "accountId", "tasks": "accountId", "projects": "accountId", "instances": "customerId"}
CHILDREN = {
    "conversations": (("messages", "conversationId"),),
    "meetings": (("meetingParticipants", "meetingId"), ("meetingTranscripts", "meetingId")),
    "users": (("npsResponses", "userId"),),
}


def _copy(row: Row) -> Row:
    """Return a copy, independent of the caller's lists and objects; rows are JSON, so JSON is the fast way."""
    copied: Row = orjson.loads(orjson.dumps(row))
    return copied


class Workspace:
    """Rows by resource name (`accounts`, `instances`, …). Thread-safe; what it returns are copies."""

    def __init__(self, clock: Clock, switches: Switches, ids: str = "") -> None:
        self.clock = clock
        self.switches = switches
        self.lock = RLock()
        self._events: list[Row] = []
        self.tables = {name: Table(resource) for name, resource in RESOURCES.items()}
        self.likeness = (ids, clock.likeness, switches.storing)
        """Workspaces that are alike in this make the same of the same rows."""
        self._random = random.Random(f"ids {ids}")
        self._deletions: dict[str, str] = {}
        self.merged: dict[tuple[str, str], str] = {}
        """By resource and an id or externalId that was merged into another row, that row's id."""
        self._later: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = numbers()
        self._is_settled = False

    # Reading, as one who waits until everything has taken effect

    def rows(self, resource: str) -> list[Row]:
        """Return every row as stored, archived ones included."""
        with self.at_rest():
            return [dict(row) for row in self.tables[resource].rows()]

    def get(self, resource: str, identifier: str) -> Row:
        """Return the row with this Vitally id; KeyError when there is none."""
        with self.at_rest():
            row = self.tables[resource].get(identifier)
        if row is None:
            raise KeyError(f"{resource}: {identifier}")
        return dict(row)

    def find(self, resource: str, identifier: str) -> Row | None:
        """Return the row with this Vitally id, else the oldest with this externalId, else None."""
        with self.at_rest():
            row = self.tables[resource].get(identifier)
            if row is None:
                row = next(iter(self.tables[resource].by_external_id(identifier)), None)
        return row and dict(row)

    def followed(self, resource: str, identifier: str) -> Row | None:
        """Return the row that the row of this id or externalId was merged into, where old ids live on."""
        while self.switches.merged_ids == "followed" and (resource, identifier) in self.merged:
            identifier = self.merged[resource, identifier]
            if (row := self.tables[resource].get(identifier)) is not None:
                return row
        return None

    def scoped(self, resource: str, field: str, value: str) -> list[Row]:
        """Return the rows whose id attribute `field` is or contains `value`, oldest first."""
        with self.at_rest():
            return [dict(row) for row in self.tables[resource].scoped(field, value)]

    @property
    def events(self) -> list[Row]:
        """The product events received, each messageId once."""
        with self.at_rest():
            return self._events

    def ordered(
        self, resource: str, sort: str, scope: Scope, states: tuple[str, ...], before: Key | None
    ) -> Iterator[Row]:
        """Yield stored rows, newest first; hold the lock while consuming it."""
        return self.tables[resource].ordered(sort, scope, states, before)

    # Writing

    def new_id(self) -> str:
        with self.lock:
            bits = self._random.getrandbits(128)
            return numeric_id(bits) if self.switches.numeric_ids else str(UUID(int=bits, version=4))

    def insert(self, resource: str, row: Row) -> Row:
        """Store a new row: attributes not given are empty, `id` and the stamps are made up unless given."""
        with self.lock:
            new = {"id": row["id"] if "id" in row else self.new_id()}
            new["createdAt"] = row.get("createdAt") or row.get("updatedAt") or self._stamp()
            new["updatedAt"] = new["createdAt"]
            new.update(_copy({**RESOURCES[resource].attributes, **row}))
            return self._store(resource, new)

    def update(self, resource: str, identifier: str, changes: Row, bump: bool = True) -> Row:
        """Merge `changes` into a row: traits key by key, a null trait removed; all else replaced.

        `updatedAt` is stamped, unless given or `bump` is off (as for the values Vitally computes by itself).
        """
        with self.lock:
            old = self.get(resource, identifier)
            new = {**old, **_copy(changes)}
            if "traits" in changes:
                merged = {**(old.get("traits") or {}), **(changes["traits"] or {})}
                new["traits"] = {key: value for key, value in merged.items() if value is not None}
            if bump and "updatedAt" not in changes:
                new["updatedAt"] = self._stamp()
            return self._store(resource, new)

    def archive(self, resource: str, identifier: str) -> Row:
        """Delete softly: the row stays, with `archivedAt`."""
        with self.lock:
            return self.update(
                resource,
                identifier,
                {"archivedAt": iso(self.clock.now())},
                bump=self.switches.archive_bumps_updated_at,
            )

    def delete(self, resource: str, identifier: str) -> None:
        """Delete for good, with everything that belongs only to this row."""
        with self.lock:
            self.get(resource, identifier)
            for child, field in CHILDREN.get(resource, ()):
                for row in self.tables[child].scoped(field, identifier):
                    self.tables[child].remove(row["id"])
            if resource in ("accounts", "organizations"):
                self._delete_owned(resource, identifier)
            self.tables[resource].remove(identifier)

    def schedule_deletion(self, identifier: str, when: str) -> Row:
        """Delete a user at this time (ISO 8601 text) of the workspace's clock."""
        with self.lock:
            self._deletions[identifier] = when
            return self.update("users", identifier, {"deleteOn": when}, bump=False)

    def saved(self) -> bytes:
        """Return all rows as they are now, for `restore`."""
        with self.lock:
            return pickle.dumps(({name: [*table.rows()] for name, table in self.tables.items()}, self._random))

    def restore(self, saved: bytes) -> None:
        """Store, in a workspace without rows, those that were saved from one that is alike."""
        with self.lock:
            rows, self._random = pickle.loads(saved)
            for name, table in self.tables.items():
                for row in rows[name]:
                    table.put(row)

    def later(self, when: datetime, effect: Callable[[], None]) -> None:
        """Let something happen at a time of the workspace's clock; of one time, in the order of the calls."""
        with self.lock:
            heappush(self._later, (when, next(self._numbers), effect))

    def to_come(self) -> list[Callable[[], None]]:
        """Return what will happen later, in no order."""
        with self.lock:
            return [effect for _, _, effect in self._later]

    def settle(self) -> None:
        """Let everything take effect at once that would do so later."""
        with self.at_rest():
            pass

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Hold the lock; what is due by now has happened, and nothing else does meanwhile."""
        with self._quiet(self.clock.now()):
            yield

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Hold the lock; everything has taken effect, unless it is held as `settled` already."""
        with self._quiet(None):
            yield

    @contextmanager
    def _quiet(self, until: datetime | None) -> Iterator[None]:
        with self.lock:
            if self._is_settled:
                yield
                return
            self._is_settled = True
            try:
                self._run_due(until)
                yield
            finally:
                self._is_settled = False

    def _run_due(self, until: datetime | None) -> None:
        now = self.clock.now()
        while self._later and (until is None or self._later[0][0] <= until):
            heappop(self._later)[2]()
        for identifier in [i for i, when in self._deletions.items() if when <= iso(now)]:
            del self._deletions[identifier]
            if self.tables["users"].get(identifier) is not None:
                self.delete("users", identifier)

    def bulk(
        self,
        resource: str,
        count: int,
        factory: Callable[[int], Row],
        span: timedelta = timedelta(days=730),
        **fixed: Any,
    ) -> None:
        """Add `count` rows cheaply: row i is `factory(i)`, made up whenever it is read.

        Created (and last updated) evenly over `span` until an hour ago, oldest first. What decides which list
        a row is in (parent ids, archivedAt, churnedAt) must be in `fixed`, equal for all. By its externalId
        a bulk row is found only after an `update`.
        """
        with self.lock:
            end = (self.clock.now() - timedelta(hours=1) - EPOCH) // MILLISECOND
            length = span // MILLISECOND
            stamps = (iso_milliseconds(end - length * (count - 1 - i) // max(count, 1)) for i in range(count))
            defaults = {**RESOURCES[resource].attributes, **fixed}
            self.tables[resource].add_bulk(stamps, factory, defaults)

    def newest(self, resource: str, count: int = 1) -> list[Row]:
        """Return the rows created last, newest first; of a large bulk without looking at the rest."""
        with self.at_rest():
            return [dict(row) for row in islice(self.tables[resource].ordered("createdAt", None, STATES, None), count)]

    def _stamp(self) -> str:
        return self.clock.stamp(ties=self.switches.timestamp_ties)

    def _store(self, resource: str, row: Row) -> Row:
        row.update(otherwise(self.switches, RESOURCES[resource], row, self._defined(resource)))
        row.update(derived(self.tables, resource, row, self.switches.participant_user_id))
        self.tables[resource].put(row)
        return dict(row)

    def _defined(self, resource: str) -> set[str]:
        """Return the paths of the custom fields of a resource, where that matters."""
        if not self.switches.undefined_traits_dropped:
            return set()
        return {field["path"] for field in self.tables["customFields"].scoped("model", resource)}

    def _delete_owned(self, resource: str, identifier: str) -> None:
        for child, account_field in OWNED.items():
            fields = (account_field, "organizationId")
            mine, other = fields if resource == "accounts" else fields[::-1]
            for row in self.tables[child].scoped(mine, identifier):
                if row.get(other) is None:
                    self.delete(child, row["id"])
                else:
                    self.update(child, row["id"], {mine: None}, bump=False)
        links = "accountIds" if resource == "accounts" else "organizationIds"
        for row in self.tables["conversations"].scoped(links, identifier):
            if row["accountIds"] + row["organizationIds"] == [identifier]:
                self.delete("conversations", row["id"])
        for row in self.tables["users"].scoped(links, identifier):
            remaining = [i for i in row[links] if i != identifier]
            self.update("users", row["id"], {links: remaining}, bump=False)
        if resource == "organizations":
            for row in self.tables["accounts"].scoped("organizationId", identifier):
                self.update("accounts", row["id"], {"organizationId": None}, bump=False)
