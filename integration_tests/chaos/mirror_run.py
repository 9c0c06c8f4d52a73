"""One chaos run of a mirror: a table is read whole, again and again, while requests fail and people edit the rows.

Checked at each delete: the row was missing from a table that was whole, and nothing else speaks for it. Checked after
each undisturbed sync: nothing is left that was missing and that nobody has touched.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random
from typing import Any
from unittest.mock import patch

import orjson
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from integration_tests.chaos import faults, others
from integration_tests.chaos.kills import Killed, killed_process
from integration_tests.destination.mirrored import Scene, complete, full, objects
from integration_tests.harness import Json, QuickClock, Run, destination_config, logged, record, state, write_chunks
from integration_tests.sandbox import Page, Row, Sandbox, iso, merge
from integration_tests.sandbox.resources import RESOURCES
from integration_tests.sandbox.rest.api import HANDLERS, Rest

PROCESS_EVERY = 10
NEEDED = {"account": "acme", "user": "ida"}
"""What other rows of a scene need is in the table as well."""

DOUBTS: tuple[tuple[str, Json], ...] = (
    ("incremental", {"sync_mode": "incremental"}),
    ("appends", {"minimum_generation_id": 0}),
    ("no ids", {"generation_id": None, "minimum_generation_id": None}),
    ("no status", {}),
    ("cut short", {}),
    ("no key", {}),
    ("attempt", {}),
)


def run(seed: int) -> None:
    """Make the chaos run of a seed; AssertionError where a promise is broken."""
    dice = Random(f"mirror {seed}")
    with Sandbox(seed=seed, empty=True) as sandbox:
        switches = sandbox.switches
        switches.effect_delay = dice.choice([0, 5, 60])
        switches.archived_ignored = dice.random() < 0.3
        switches.archived_omitted_means_all = dice.random() < 0.3
        switches.instance_delete = dice.choice(["hard", "soft"])
        switches.not_found_status = dice.choice([404, 200])
        switches.delete_status = dice.choice([200, 204])
        switches.short_pages = dice.random() < 0.3
        switches.sort_ignored = dice.random() < 0.2
        others.draw_habits(dice, switches)
        MirrorRun(sandbox, dice, as_process=seed % PROCESS_EVERY == PROCESS_EVERY - 1).make()


class MirrorRun:
    """A workspace, a table, and what may be deleted in the sync that is under way."""

    def __init__(self, sandbox: Sandbox, dice: Random, *, as_process: bool) -> None:
        self.sandbox = sandbox
        self.dice = dice
        self.as_process = as_process
        keys = [f"k{n}" for n in range(dice.choice([1, 5, 30, 130]))]
        self.scene = Scene(sandbox, dice.choice([*objects(Sandbox(empty=True))]), there=keys)
        self.resource = self.scene.one.resource
        self.table = dice.sample(keys, dice.randint(1, len(keys))) + [f"new{n}" for n in range(dice.randint(0, 3))]
        self.table += filter(None, [NEEDED.get(self.scene.one.object)])
        self.tombstones = {key for key in keys if key not in self.table and dice.random() < 0.1}
        self.made = 0
        for _ in range(dice.randint(0, 5)):
            self._insert()
        self.haste = 0.0
        self.began = ""
        self.whole = False
        self.touched: set[str] = set()
        self.deleted: set[str] = set()
        self.violations: list[str] = []

    def make(self) -> None:
        """Make sync after sync, then one without disturbance that must end well."""
        self.sandbox.after_page = self._after_page
        with patch.dict(HANDLERS, {"delete": self._checked(HANDLERS["delete"])}):
            for _ in range(self.dice.randint(0, 3)):
                self._sync(self.dice.choice(["faults", "no budget", "outage", "killed", "doubt", "doubt", "none"]))
            if self.as_process:
                self._sync("process")
            self._sync("none", percent=100)
        assert {row["externalId"] for row in self._live()} >= {*self.table}, "a row of the table is gone"

    # One sync

    def _sync(self, disturbance: str, percent: int | None = None) -> None:
        if percent is None:
            percent = 100 if disturbance in ("doubt", "process") else self.dice.choice([0, 5, 50, 100])
        self.sandbox.clock.advance(self.sandbox.switches.effect_delay + 60)
        doubt, said = self.dice.choice(DOUBTS) if disturbance == "doubt" else ("", {})
        self.whole, self.touched, self.deleted = not doubt, set(), set()
        self.began = iso(self.sandbox.clock.now())
        self.haste = self.dice.choice([0, 0.5])
        there = len(self._live())
        lines = [orjson.dumps(message) for message in self._messages(doubt)]
        config = destination_config(
            self.sandbox,
            allow_deletes=True,
            max_deletes_percent=percent,
            mappings=[self.scene.mapping()],
            num_workers=self.dice.randint(1, 4),
        )
        if disturbance == "process":
            killed_process(self.sandbox, config, [full("table")], lines, self.dice)
            self._check(Run())
            return
        self._disturb(disturbance)
        environment = {"WORKER_JOB_ATTEMPT": "1" if doubt == "attempt" else "0"}
        result, failure = Run(), None
        with patch.dict(os.environ, environment), logged(result), others.on_some_disk(self.dice, self.sandbox):
            try:
                for given in write_chunks(config, [full("table", **said)], _chunks(lines, disturbance), QuickClock()):
                    records = sum(b'"RECORD"' in line for line in lines)
                    assert sum(given["state"]["destinationStats"].values()) == records, "a delete is no record"
            except Killed:
                pass
            except AirbyteTracedException as error:
                failure = error
        faults.clear(self.sandbox)
        if failure is not None:
            is_outage = disturbance == "outage" and failure.failure_type.value == "transient_error"
            is_beyond = percent < 100 and "max_deletes_percent" in str(failure.message)
            is_said = "rows could be written" in str(failure.message) or others.is_told(failure)
            assert is_outage or is_beyond or is_said, failure.message
        at_most = there + self.made + len(self.table)
        assert len(self.deleted) * 100 <= percent * at_most, "more was deleted than is allowed"
        self._check(result)
        if disturbance == "none" and percent == 100 and failure is None:
            self._check_nothing_is_left()

    def _disturb(self, disturbance: str) -> None:
        paths = ["", self.resource, "resources/", "instances"]
        if disturbance == "faults":
            faults.add_some(self.dice, self.sandbox, paths)
            faults.add_odd(self.dice, self.sandbox, paths)
        elif disturbance == "no budget":
            faults.use_up_budget(self.dice, self.sandbox)
        elif disturbance == "outage":
            faults.add_outage(self.sandbox, self.dice)

    def _messages(self, doubt: str) -> Iterator[Json]:
        there = [key for key in self.table if key in self.scene.ids]
        flawed = self.dice.sample(there, 1) if len(self.table) > 1 else []
        rows = [self.scene.record(key) for key in self.table if key not in flawed]
        rows += [self.scene.record(key, _ab_cdc_deleted_at="2026-01-01T00:00:00Z") for key in self.tombstones]
        # What cannot be written, since it has nothing but a key, is in the table nevertheless.
        rows += [record("table", {"externalId": key}) for key in flawed]
        rows += [record("table", {"externalId": None})] if doubt == "no key" else []
        self.dice.shuffle(rows)
        yield from rows
        yield state("table", 1)
        if doubt != "no status":
            yield complete("table", "INCOMPLETE" if doubt == "cut short" else "COMPLETE")

    # People at work

    def _after_page(self, page: Page) -> None:
        if page.resource != self.resource:
            return
        while self.dice.random() < self.haste:
            rows = [row for row in self._live() if row["externalId"] not in {*self.table, *self.tombstones}]
            if not rows or self.dice.random() < 0.3:
                self._insert()
                continue
            row = self.dice.choice(rows)
            self.touched.add(row["id"])
            self._edit(row)

    def _edit(self, row: Row) -> None:
        workspace, identifier = self.sandbox.workspace, row["id"]
        kind = self.dice.choice(["key", "no key", "archive", "source", "delete", "merge"])
        attributes = RESOURCES[self.resource].attributes
        if kind == "archive" and "archivedAt" in attributes:
            workspace.archive(self.resource, identifier)
        elif kind == "source" and "source" in attributes:
            workspace.update(self.resource, identifier, {"source": "hubspot"})
        elif kind == "merge" and self.resource in ("accounts", "organizations", "users"):
            kept = [one for one in self._live() if one["externalId"] in self.table]
            if kept:
                merge(workspace, self.resource, identifier, self.dice.choice(kept)["id"])
        elif kind == "delete":
            workspace.delete(self.resource, identifier)
        else:
            self.made += 1
            workspace.update(
                self.resource, identifier, {"externalId": None if kind == "no key" else f"renamed{self.made}"}
            )

    def _insert(self) -> None:
        self.made += 1
        key = self.dice.choice([None, f"by hand {self.made}"])
        more = {"source": "zendesk"} if self.dice.random() < 0.3 else {}
        known = {name: value for name, value in more.items() if name in RESOURCES[self.resource].attributes}
        self.scene.insert(key, **known)

    # What must hold

    def _live(self) -> list[Row]:
        rows = self.sandbox.workspace.rows(self.resource)
        return [row for row in rows if row["externalId"] is not None and not row.get("archivedAt")]

    def _checked(self, delete: Any) -> Any:
        """Return the deletes of the sandbox with a look at each row before it is deleted."""

        def handler(rest: Rest, request: Any, route: Any, ids: list[str]) -> Any:
            row = rest.workspace.tables[self.resource].get(ids[-1])
            if row is not None and row["externalId"] not in self.tombstones and row["id"] not in self.deleted:
                self.deleted.add(row["id"])
                self.violations += [f"{why}: {row}" for why, is_so in self._objections(row).items() if is_so]
            return delete(rest, request, route, ids)

        return handler

    def _objections(self, row: Row) -> dict[str, bool]:
        return {
            "the table was not whole": not self.whole,
            "it is in the table": row["externalId"] in self.table,
            "it has no key": row["externalId"] is None,
            "it is archived": bool(row.get("archivedAt")),
            "it is of an integration": bool(row.get("source")),
            "it is newer than the sync": row["createdAt"] >= self.began,
        }

    def _check(self, result: Run) -> None:
        assert not self.violations, "a row was deleted that must not be: " + "; ".join(self.violations)
        for line in result.summary.values():
            counts = result.counts("table")
            assert sum(counts.values()) == 2 * counts["records"], f"outcomes do not add up: {line}"

    def _check_nothing_is_left(self) -> None:
        for row in self._live():
            is_missing = row["externalId"] not in self.table and row["externalId"] not in self.tombstones
            excused = row["id"] in self.touched or row.get("source") or row["createdAt"] >= self.began
            assert excused or not is_missing, f"a row is left that the table lacks: {row}"


def _chunks(lines: list[bytes], disturbance: str) -> Iterator[list[bytes]]:
    for line in lines if disturbance != "killed" else lines[: len(lines) // 2]:
        yield [line]
    if disturbance == "killed":
        raise Killed
