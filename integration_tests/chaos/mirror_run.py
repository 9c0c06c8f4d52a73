"""One chaos run of a mirror: a table is read whole, again and again, while requests fail and people edit the rows.

Checked at each delete: the row was missing from a table that was whole, it is old enough, nothing else speaks for it,
nothing below it belongs elsewhere, and it is in the log with the whole row. Checked after each undisturbed sync:
nothing is left that was missing and that nobody has touched, and children are where their tables have them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from typing import Any
from unittest.mock import patch
from zlib import crc32

import orjson
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from destination_vitally.journal.recorder import Recorder
from integration_tests.chaos import faults, others
from integration_tests.chaos.kills import Killed, killed_process
from integration_tests.chaos.mirror_table import MirrorTable
from integration_tests.destination.mirrored import full
from integration_tests.harness import Json, QuickClock, Run, destination_config, logged, stream, write_chunks
from integration_tests.sandbox import Page, Row, Sandbox, iso, merge
from integration_tests.sandbox.resources import RESOURCES
from integration_tests.sandbox.rest.api import HANDLERS, Rest

PROCESS_EVERY = 10
DISTURBANCES = ("faults", "no budget", "outage", "killed", "doubt", "doubt", "doubt", "dropped", "none")


def run(seed: int) -> None:
    """Make the chaos run of a seed; AssertionError where a promise is broken."""
    dice = Random(f"mirror {seed}")
    with Sandbox(seed=seed, empty=True) as sandbox:
        switches = sandbox.switches
        switches.effect_delays = dice.choice(["fixed", "random", "growing"])
        # What lands a minute later than others is taken for dropped, where the row shows something else.
        switches.effect_delay = dice.choice([0, 5, 60, 300 if switches.effect_delays == "fixed" else 60])
        switches.effects_overtake = dice.random() < 0.3
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
        self.table = MirrorTable(sandbox, dice)
        self.scene = self.table.scene
        self.resource = self.scene.one.resource
        self.made = self.syncs = 0
        for _ in range(dice.randint(0, 5)):
            self._insert()
        self.haste = 0.0
        self.began = self.grown_up = ""
        self.whole = False
        self.touched: set[str] = set()
        self.deleted: set[str] = set()
        self.kept: dict[str, Row] = {}
        """Of each delete that was about to be sent, the row that was kept."""
        self.result = Run()
        self.is_heard = True
        """Whether the log of the sync arrives here line by line, as that of a process does not."""
        self.violations: list[str] = []

    def make(self) -> None:
        """Make sync after sync, then one without disturbance that must end well."""
        self.sandbox.after_page = self._after_page
        keep = patch.object(Recorder, "deletes", lambda _, __, ___, row, now: self._keep(row))
        with patch.dict(HANDLERS, {"delete": self._checked(HANDLERS["delete"])}), keep:
            for _ in range(self.dice.randint(1, 3)):
                self._sync(self.dice.choice(DISTURBANCES))
                self._between()
            if self.as_process:
                self._sync("process")
            self._sync("none", percent=100)
        there = {row["externalId"].strip() for row in self._live()}
        gone = {key.strip() for key in self.table.rows} - there
        assert not gone, f"rows of the table are gone: {gone}"

    # One sync

    def _sync(self, disturbance: str, percent: int | None = None) -> None:
        if percent is None:
            percent = 100 if disturbance in ("doubt", "dropped", "process") else self.dice.choice([0, 5, 50, 100])
        # What an earlier sync has sent nobody can know of: nobody begins before that has taken effect.
        self.sandbox.clock.advance(60)
        self.sandbox.workspace.settle()
        doubt, catalog = self.dice.choice(self.table.doubts()) if disturbance == "doubt" else ("", {})
        self.whole, self.touched, self.deleted, self.kept = not doubt, set(), set(), {}
        self.began, self.grown_up = "", ""
        self.haste = self.dice.choice([0, 0.5])
        there = len(self._live())
        self.syncs += 1
        lines = [orjson.dumps(self._dated(message)) for message in self.table.messages(doubt)]
        streams = [full("table", **catalog), *map(stream, self.table.streams)]
        mapping = self.scene.mapping(missing_rows_grace_hours=self.table.grace)
        config = destination_config(
            self.sandbox,
            allow_deletes=True,
            max_deletes_percent=percent,
            mappings=[mapping],
            num_workers=self.dice.randint(1, 4),
        )
        self.result, self.is_heard = Run(), disturbance != "process"
        if disturbance == "process":
            self.result = killed_process(self.sandbox, config, streams, lines, self.dice)
            self._check(is_done=False)
            return
        self._disturb(disturbance)
        failure = self._write(config, streams, lines, disturbance, doubt)
        faults.clear(self.sandbox)
        self.sandbox.switches.drops = None
        if failure is not None:
            is_outage = disturbance == "outage" and failure.failure_type.value == "transient_error"
            is_beyond = percent < 100 and "max_deletes_percent" in str(failure.message)
            is_told = "rows could be written" in str(failure.message) or others.is_told(failure)
            assert is_outage or is_beyond or is_told, failure.message
        at_most = there + self.made + len(self.table.rows)
        assert len(self.deleted) * 100 <= percent * at_most, "more was deleted than is allowed"
        self._check()
        if disturbance == "none" and percent == 100 and failure is None:
            self._check_nothing_is_left()

    def _dated(self, message: Json) -> Json:
        """Let a record be read in this sync: what is read again says so, else it would be a repetition."""
        if "record" in message:
            message["record"]["emitted_at"] += 3_600_000 * self.syncs
        return message

    def _write(
        self, config: Json, streams: list[Json], lines: list[bytes], disturbance: str, doubt: str
    ) -> AirbyteTracedException | None:
        """Run a sync in this process; returns what it failed with."""
        arrived = Counter(orjson.loads(line)["record"]["stream"] for line in lines if b'"RECORD"' in line)
        clock = QuickClock(1_790_000_000 + 3600 * self.syncs)
        environment = {"WORKER_JOB_ATTEMPT": "1" if doubt == "attempt" else "0"}
        with patch.dict(os.environ, environment), logged(self.result), others.on_some_disk(self.dice, self.sandbox):
            try:
                for given in write_chunks(config, streams, _chunks(lines, disturbance), clock):
                    records = arrived[given["state"]["stream"]["stream_descriptor"]["name"]]
                    assert sum(given["state"]["destinationStats"].values()) == records, "a delete is no record"
            except Killed:
                pass
            except AirbyteTracedException as error:
                return error
        return None

    def _disturb(self, disturbance: str) -> None:
        paths = ["", self.resource, "resources/", "instances", "tasks"]
        if disturbance == "faults":
            faults.add_some(self.dice, self.sandbox, paths)
            faults.add_odd(self.dice, self.sandbox, paths)
        elif disturbance == "no budget":
            faults.use_up_budget(self.dice, self.sandbox)
        elif disturbance == "outage":
            faults.add_outage(self.sandbox, self.dice)
        elif disturbance == "dropped":
            # Of this nobody is told, whatever is looked for: what was moved by such a message has not moved.
            self.sandbox.switches.drops = lambda message: crc32(message["messageId"].encode()) % 3 == 0

    # People at work

    def _after_page(self, page: Page) -> None:
        if page.resource != self.resource:
            return
        if page.query.get("limit") == "1":
            # The sync asks for the time; what is made from now on is newer than it.
            now = self.sandbox.clock.now()
            self.began, self.grown_up = iso(now), iso(now - timedelta(hours=self.table.grace))
            return
        while self.dice.random() < self.haste:
            rows = [row for row in self._live() if self._is_missing(row)]
            if not rows or self.dice.random() < 0.3:
                self._insert()
                continue
            row = self.dice.choice(rows)
            self.touched.add(row["id"])
            self._edit(row, self.dice.choice(["key", "alike", "no key", "archive", "source", "delete", "merge"]))

    def _between(self) -> None:
        """Let the table change between two syncs, and people rename and delete what it has and has not."""
        rows = [row for row in self._live() if row["externalId"] not in self.table.needed]
        for row in self.dice.sample(rows, min(len(rows), self.dice.randint(0, 3))):
            self._edit(row, self.dice.choice(["key", "alike", "no key", "delete"]))
        self.table.change([row["externalId"] for row in self._live() if self._is_missing(row)])

    def _edit(self, row: Row, kind: str) -> None:
        workspace, identifier = self.sandbox.workspace, row["id"]
        attributes = RESOURCES[self.resource].attributes
        if kind == "archive" and "archivedAt" in attributes:
            workspace.archive(self.resource, identifier)
        elif kind == "source" and "source" in attributes:
            workspace.update(self.resource, identifier, {"source": "hubspot"})
        elif kind == "merge" and self.resource in ("accounts", "organizations", "users"):
            kept = [one for one in self._live() if self.table.has(one["externalId"])]
            if kept:
                merge(workspace, self.resource, identifier, self.dice.choice(kept)["id"])
        elif kind == "delete":
            workspace.delete(self.resource, identifier)
        else:
            self.made += 1
            key = self.table.keys.again(self.dice.choice(self.table.rows)) if kind == "alike" else ""
            key = key if key and not self.table.has(key) else f"renamed{self.made}"
            workspace.update(self.resource, identifier, {"externalId": None if kind == "no key" else key})

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

    def _is_missing(self, row: Row) -> bool:
        return not self.table.has(row["externalId"]) and not self.table.is_marked(row["externalId"])

    def _keep(self, row: Row) -> Callable[[], None]:
        self.kept[row["id"]] = row
        return lambda: None

    def _checked(self, delete: Any) -> Any:
        """Return the deletes of the sandbox with a look at each row before it is deleted."""

        def handler(rest: Rest, request: Any, route: Any, ids: list[str]) -> Any:
            row = rest.workspace.tables[self.resource].get(ids[-1])
            is_marked = row is not None and row["externalId"] and self.table.is_marked(row["externalId"])
            if row is not None and not is_marked and row["id"] not in self.deleted:
                self.deleted.add(row["id"])
                self.violations += [f"{why}: {row}" for why, is_so in self._objections(row).items() if is_so]
            return delete(rest, request, route, ids)

        return handler

    def _objections(self, row: Row) -> dict[str, bool]:
        key = row["externalId"] or ""
        return {
            "the table was not whole": not self.whole,
            "it is in the table": self.table.has(key),
            "it looks like a row of the table": self.table.shows_alike(key),
            "it has no key": not key,
            "it is archived": bool(row.get("archivedAt")),
            "it is of an integration": bool(row.get("source")),
            "it is newer than the sync": row["createdAt"] >= self.began,
            "it is younger than the grace period": row["createdAt"] >= self.grown_up,
            "something below it belongs elsewhere": bool(self.table.children_of(row["id"])),
            "it was not in the log before": self.is_heard and not self._is_logged(row["id"]),
            "it was not kept before": self.is_heard and self.kept.get(row["id"], {}).get("externalId") != key,
        }

    def _is_logged(self, identifier: str) -> bool:
        return any(f"is going to be deleted; Vitally's id of it is {identifier}" in line for line in self.result.lines)

    def _check(self, *, is_done: bool = True) -> None:
        assert not self.violations, "a row was deleted that must not be: " + "; ".join(self.violations)
        assert all(map(self._is_logged, self.deleted)), "a row was deleted that is not in the log"
        for name in self.result.summary if is_done else ():
            counts = self.result.counts(name)
            assert sum(counts.values()) == 2 * counts["records"], f"outcomes of {name} do not add up: {counts}"

    def _check_nothing_is_left(self) -> None:
        for row in self._live():
            excused = row["id"] in self.touched or row.get("source") or row["createdAt"] >= self.grown_up
            alike = self.table.shows_alike(row["externalId"]) or self.table.marks_alike(row["externalId"])
            is_missing = self._is_missing(row) and not alike
            assert excused or not is_missing, f"a row is left that the table lacks: {row}"
        misplaced = [] if self.touched else self.table.misplaced()
        assert not misplaced, f"a child is not where its table has it: {'; '.join(misplaced)}"


def _chunks(lines: list[bytes], disturbance: str) -> Iterator[list[bytes]]:
    for line in lines if disturbance != "killed" else lines[: len(lines) // 2]:
        yield [line]
    if disturbance == "killed":
        raise Killed
