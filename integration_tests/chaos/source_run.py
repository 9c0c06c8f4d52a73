"""One chaos run of the source: a stream is read again and again while everything that can go wrong does.

Every other run reads a second stream beside it that is made of the same list, and so shares its pages.

Checked after each sync: what the state claims to have is there, nothing is there that never was, nothing came twice
without a reason, no watermark moves back; in the end, once all is quiet, the copy is the workspace, row by row.
"""

from __future__ import annotations

import signal
from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

from integration_tests.chaos import faults
from integration_tests.chaos.editor import Editor
from integration_tests.chaos.warehouse import Warehouse
from integration_tests.harness import (
    FORKED_SOURCE,
    Json,
    Run,
    run_process,
    run_source,
    source_config,
    without_waiting,
)
from integration_tests.sandbox import Clock, Fault, Sandbox, Switches
from integration_tests.source.reference import LISTS, catalog, everything, one_pass
from vitally_api.ends import OUTPUT_CLOSED, TERMINATED

# stream: resource of the sandbox, whether its rows can be archived
STREAMS = {
    "accounts": ("accounts", False),
    "organizations": ("organizations", False),
    "users": ("users", False),
    "notes": ("notes", True),
    "tasks": ("tasks", True),
    "projects": ("projects", True),
    "meetings": ("meetings", True),
    "nps_responses": ("npsResponses", False),
    "conversations": ("conversations", False),
    "messages": ("conversations", False),
    "meeting_transcripts": ("meetingTranscripts", False),
    "task_categories": ("taskCategories", False),
}
SIZES = {"meetingTranscripts": "meetings"}
"""What a seed is told to make more of, where it makes up the rows of a resource for others."""

ONLY_FOR_OLD_CURSORS: tuple[Any, ...] = (404, 500, "error", "empty page")
"""Answers to a rejected cursor that are understood of one from an earlier sync; in the middle of a list none could."""

BROKEN_DETAILS: tuple[dict[str, Any], ...] = (
    {"status": 500},
    {"status": 400},
    {"kind": "html", "status": 403},
    {"kind": "not_json"},
    {"kind": "drop"},
    {"status": 200, "body": {"id": "x", "messages": {"none": 1}}},
)
FAR = "2099-01-01T00:00:00.000Z"
"""What somebody has put into a state for a watermark, or a clock that was wrong."""

MOST_CHANGES = 200
"""While one sync reads."""

PROCESS_EVERY = 10
"""Every so many seeds the connector runs as a process, and is killed by a signal."""


def run(seed: int) -> None:
    """Make the chaos run of a seed; AssertionError where a promise is broken."""
    dice = Random(f"source {seed}")
    stream = dice.choice(list(STREAMS))
    skew = timedelta(hours=dice.choice([0, 0, -30, 30]))
    switches = Switches(
        short_pages=dice.random() < 0.5,
        empty_page_with_next=dice.random() < 0.2,
        timestamp_ties=dice.random() < 0.2,
        no_date_header=dice.random() < 0.1,
        date_stands_still=dice.random() < 0.1,
        doubled_rows=dice.random() < 0.1,
        heaviest_page=dice.choice([None, None, None, 60, 20]),
        too_heavy=dice.choice([500, 502, 504]),
        cursors_of_any_limit=dice.random() < 0.5,
        archived_true=dice.choice(["archived too", "archived too", "only archived"]),
        archived_ignored=dice.random() < 0.1,
        undocumented_sort=dice.choice(["ignored", "ignored", "refused", "honoured"]),
        expired_cursor=dice.choice([400, 410, 422, *ONLY_FOR_OLD_CURSORS]),
        next_after_end=dice.random() < 0.2,
        null_error_in_pages=dice.random() < 0.2,
        byte_order_mark=dice.random() < 0.1,
        odd_rows=dice.random() < 0.1,
        numeric_ids=dice.random() < 0.1,
        transcripts_in_list=dice.choice(["absent", "null", "whole"]),
    )
    resource = STREAMS[stream][0]
    has_small_pages = switches.short_pages or switches.empty_page_with_next  # a broken row makes them tiny
    size = dice.randint(0, 200 if has_small_pages or stream in ("messages", "meeting_transcripts") else 700)
    sizes = {SIZES.get(resource, resource): size} if stream != "task_categories" else {}
    clock = Clock(offset=skew)
    with without_waiting(), Sandbox(seed=seed, sizes=sizes, switches=switches, clock=clock) as sandbox:
        ChaosRun(sandbox, stream, dice, as_process=seed % PROCESS_EVERY == PROCESS_EVERY - 1).make()


class ChaosRun:
    """A sandbox, one stream of it, and a warehouse."""

    def __init__(self, sandbox: Sandbox, stream: str, dice: Random, *, as_process: bool) -> None:
        self.sandbox = sandbox
        self.stream = stream
        self.dice = dice
        self.as_process = as_process
        self.cursor = "conversationUpdatedAt" if stream == "messages" else "updatedAt"
        self.key = "conversationId" if stream == "messages" else "id"
        resource, archivable = STREAMS[stream]
        # Without a clock of the server there is no telling what lies in its future.
        foresight = not (sandbox.switches.no_date_header or sandbox.switches.date_stands_still)
        self.editor = Editor(sandbox, resource, dice, archivable=archivable, foresight=foresight)
        self.warehouse = Warehouse(stream, self.cursor)
        beside = "conversations" if stream == "messages" else f"{stream[:-1]}_ids"
        self.streams = (stream, beside) if beside in LISTS and dice.random() < 0.5 else (stream,)
        self.lookback = dice.choice([0, 0, 10])
        self.workers = dice.randint(1, 4)
        sandbox.after_page = self.editor.after_page

    def make(self) -> None:
        """Make sync after sync with faults, then one without that must make everything good."""
        for _ in range(self.dice.randint(1, 4)):
            self._bad_sync()
            self._check_state()
            self._let_time_pass()
        resumed = self.warehouse.is_under_way
        self._good_sync()
        if resumed:  # what was edited behind a resumed first scan comes with the sync after it
            self._good_sync()
        expected = everything(self.sandbox, self.stream)
        expected = {key: row for key, row in expected.items() if row[self.key] not in self.warehouse.lasting}
        extra = self.warehouse.copy.keys() - everything(self.sandbox, self.stream).keys()
        assert {key: self.warehouse.copy.get(key) for key in expected} == expected, "the copy is not the workspace"
        gone = {key for key in extra if self.warehouse.copy[key][self.key] in self.editor.deleted}
        assert extra == gone, "rows that the workspace never deleted are not in it"

    def _bad_sync(self) -> None:
        dice, before = self.dice, self.warehouse.watermarks()
        self.editor.haste, self.editor.expiring = dice.choice([0.0, 0.5, 0.85]), dice.choice([0.0, 0.15])
        if self.sandbox.switches.expired_cursor in ONLY_FOR_OLD_CURSORS:
            self.editor.expiring = 0.0
        self.editor.left, self.editor.expired = MOST_CHANGES, 0
        if self.as_process:
            run = self._killed()
        else:
            ends_badly = self._add_faults()
            run = self._read()
            assert (run.exit_code == 0) or ends_badly, run.errors
            assert run.exit_code == 0 or "transient_error" in run.failure_types, run.errors
        faults.clear(self.sandbox)
        self.editor.haste = self.editor.expiring = 0.0
        self._check_records(run)
        self.warehouse.take(run.messages, dice if dice.random() < 0.6 else None)
        self._check_no_step_back(before)

    def _add_faults(self) -> bool:
        """Return whether no sync can outlast what was drawn."""
        kind = self.dice.choice(["faults", "faults", "faults", "no budget", "outage", "broken details", "broken rows"])
        if kind == "faults":
            faults.add_some(self.dice, self.sandbox, ["resources/", LISTS.get(self.stream, ("conversations",))[0]])
        elif kind == "no budget":
            faults.use_up_budget(self.dice, self.sandbox)
        elif kind == "outage":
            faults.add_outage(self.sandbox, self.dice)
        if kind == "broken details":
            for row in self._some(self._parents(), self.dice.randint(1, 30)):
                path = f"/{LISTS.get(self.stream, ('conversations',))[0]}/{row}$"
                self.sandbox.faults.add(Fault(path=path, times=None, **self.dice.choice(BROKEN_DETAILS)))
        if kind == "broken rows":
            rows = self.sandbox.workspace.rows(STREAMS[self.stream][0])
            self.sandbox.switches.broken_rows = frozenset(self._some(rows, 2))
        return kind in ("outage", "broken details", "broken rows")

    def _parents(self) -> list[Json]:
        """Return the rows whose details are asked for, in a stream that has such."""
        resource = STREAMS[self.stream][0]
        has_details = self.stream in ("messages", "meeting_transcripts")
        return self.sandbox.workspace.rows(resource) if has_details else []

    def _some(self, rows: list[Json], number: int) -> list[str]:
        """Return the ids of so many of some rows, from anywhere in a list or neighbours in it."""
        number = min(number, len(rows))
        if self.dice.random() < 0.5:
            return [row["id"] for row in self.dice.sample(rows, number)]
        first = self.dice.randint(0, len(rows) - number)
        return [row["id"] for row in sorted(rows, key=lambda row: str(row["createdAt"]))[first : first + number]]

    def _good_sync(self) -> None:
        run = self._read()
        assert run.exit_code == 0, run.errors
        self._check_records(run)
        before = self.warehouse.watermarks()
        self.warehouse.take(run.messages)
        self._check_no_step_back(before)
        assert FAR not in str(self.warehouse.states), "a state of the future has stayed"
        for name in self.streams[1:]:
            assert {row["id"] for row in run.records(name)} == everything(self.sandbox, name).keys(), name
        self._check_state()

    def _let_time_pass(self) -> None:
        self.sandbox.clock.advance(self.dice.choice([1, 60, 3600, 90_000]))
        for _ in range(self.dice.choice([0, 3, 150])):
            self.editor.change()
        if self.dice.random() < 0.2:
            self.sandbox.expire_cursors()
        if self.dice.random() < 0.15:
            self.warehouse.leap(FAR)

    # How it is read

    def _config(self) -> Json:
        return source_config(
            self.sandbox.url,
            self.sandbox.rest_key,
            lookback_minutes=self.lookback,
            inlined_objects="full",
            num_workers=self.workers,
            requests_per_minute=100_000,
        )

    def _read(self) -> Run:
        return run_source("read", self._config(), catalog(*self.streams), self.warehouse.states)

    def _killed(self) -> Run:
        """Run a sync in a process of its own that gets a signal after some message."""
        last, seen = self.dice.randint(1, 900), 0

        def until(_: Json) -> bool:
            nonlocal seen
            seen += 1
            return seen >= last

        ending = self.dice.choice([signal.SIGKILL, signal.SIGTERM])
        run = run_process(
            FORKED_SOURCE,
            "read",
            config=self._config(),
            catalog=catalog(*self.streams),
            state=self.warehouse.states,
            until=until,
            ending=ending,
        )
        assert run.exit_code in (0, -ending, TERMINATED, OUTPUT_CLOSED), run.errors
        return run

    # What must hold

    def _check_state(self) -> None:
        """Assert that every row older than a committed watermark is in the warehouse, as it is in the workspace."""
        for partition, watermark in self.warehouse.watermarks():
            for row in self._rows(partition) if watermark != FAR else ():
                if row[self.cursor] < watermark and row[self.key] not in self.warehouse.failed:
                    held = self.warehouse.copy.get(row["id"])
                    assert held == row, f"the state claims {watermark}, but a row of {row[self.cursor]} is missing"

    def _check_records(self, run: Run) -> None:
        """Assert that every record was in the workspace, and none came twice."""
        rows = run.records(self.stream)
        for row in rows:
            assert (row[self.key], row[self.cursor]) in self.editor.versions, "a record that never was"
        ties = self.sandbox.switches.timestamp_ties  # then there are several versions of one time
        times = Counter((row["id"], row[self.cursor], row.get("archivedAt"), str(row) if ties else "") for row in rows)
        assert max(times.values(), default=1) == 1, "a record came twice"

    def _check_no_step_back(self, before: list[tuple[dict[str, Any], str]]) -> None:
        now = {str(partition): watermark for partition, watermark in self.warehouse.watermarks()}
        # Once it is seen that the server's date stands still, what it said before is not believed either.
        for partition, watermark in [] if self.sandbox.switches.date_stands_still else before:
            assert watermark == FAR or now[str(partition)] >= watermark, "a watermark has moved back"

    def _rows(self, partition: dict[str, Any]) -> list[Json]:
        if self.stream == "messages":
            return list(everything(self.sandbox, "messages").values())
        [filters] = [f for f in LISTS[self.stream][1] if f.items() >= partition.items()]
        found = one_pass(self.sandbox, self.stream, filters)
        return [{name: value for name, value in row.items() if value is not None} for row in found]
