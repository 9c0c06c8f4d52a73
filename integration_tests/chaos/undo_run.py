"""One chaos run of the journal and the undo: syncs change a workspace, people edit it in between, all is taken back.

Checked after each sync: every change has an intent that was stored before. Checked in the end: the workspace is as it
was, with what people have changed and no sync has written over, apart from what the undo lists; and a second undo
changes nothing.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import orjson
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from destination_vitally import destination
from integration_tests.chaos import faults, others
from integration_tests.destination.cases import definition
from integration_tests.destination.journaled import STORAGE, KeptBucket
from integration_tests.destination.undone import rows_of, undone, unlisted
from integration_tests.harness import Json, QuickClock, Run, destination_config, logged, record, stream, write_chunks
from integration_tests.sandbox import Row, Sandbox
from integration_tests.sandbox.data.storing import otherwise
from integration_tests.sandbox.resources import RESOURCES

INSTANCES = "custom_object_feature_request"
TABLES = {"accounts": "accounts", "users": "users", "tasks": "tasks", "notes": "notes", INSTANCES: "instances"}
OPEN = ("accounts", "users")
"""The streams whose objects take any trait."""

Rows = dict[tuple[str, str], Row]
"""Rows by table and id."""

MAPPINGS = [
    {"stream": "members", "object": "membership"},
    {"stream": "renamed", "object": "account", "operation": "update"},
]
DISTURBANCES = ("none", "none", "none", "faults", "abandoned")
MARK = {"_ab_cdc_deleted_at": "2026-09-20T00:00:00Z"}


def run(seed: int) -> None:
    """Make the chaos run of a seed; AssertionError where a promise is broken."""
    dice = Random(f"undo {seed}")
    with Sandbox(seed=seed, empty=True) as sandbox, tempfile.TemporaryDirectory() as folder:
        sandbox.switches.effect_delay = dice.choice([0, 5, 60])
        sandbox.switches.note_post_existing = dice.choice(["update", "reject"])
        others.draw_habits(dice, sandbox.switches)
        UndoRun(sandbox, dice, Path(folder)).make()


class UndoRun:
    """A workspace, what syncs write into it, and what people have changed."""

    def __init__(self, sandbox: Sandbox, dice: Random, folder: Path) -> None:
        self.sandbox, self.dice, self.folder = sandbox, dice, folder
        self.workspace = sandbox.workspace
        self.bucket = KeptBucket(sandbox)
        self.edits: dict[tuple[tuple[str, str], str], Any] = {}
        """What people have written, by row and name."""
        self.made: dict[tuple[str, str], Row] = {}
        """The rows that people have made."""
        self.count = 0
        self.settings = destination_config(
            sandbox,
            mappings=MAPPINGS,
            journal="changes",
            object_storage_config=STORAGE,
            allow_deletes=True,
            max_deletes_percent=100,
            num_workers=dice.randint(1, 4),
            verify=dice.choice(["none", "sample", "all"]),
            skip_unchanged=dice.random() < 0.3,
            unknown_parents=dice.choice(["reject", "create"]),
        )
        if dice.random() < 0.4:
            del self.settings["analytics_token"]

    def make(self) -> None:
        """Let there be rows, syncs and people, and take the syncs back."""
        for name in TABLES:
            for number in range(self.dice.randint(1, 4)):
                self._insert(name, f"{name} {number}")
        self._pass_time()
        before = rows_of(self.sandbox)
        for _ in range(self.dice.randint(1, 3)):
            self._sync(self.dice.choice(DISTURBANCES))
            self._pass_time()
            if self.dice.random() < 0.6:
                self._people()
            self._pass_time()
        left = rows_of(self.sandbox)
        run = undone(self.settings, self.bucket, self.folder)
        assert run.error is None, run.log
        after = rows_of(self.sandbox)
        expected = self._expected(before, left, after)
        assert unlisted(expected, after, run) == [], f"not as it was, and not listed. {run.log}"
        self._pass_time()
        again = undone(self.settings, self.bucket, self.folder)
        assert again.error is None, again.log
        assert rows_of(self.sandbox) == after, f"a second undo changes something. {again.log}"

    def _pass_time(self) -> None:
        self.workspace.settle()
        self.sandbox.clock.advance(3600)

    # What is there

    def _values(self, name: str, *, sent: bool = False) -> Row:
        """Return values for a row that are not those of any other."""
        self.count += 1
        text = f"{name} value {self.count}"
        values: Row = {
            "accounts": {"name": text},
            "users": {"name": text, "email": f"Person{self.count}@example.com"},
            "tasks": {"name": text, "dueDate": f"2026-{self.count % 12 + 1:02}-{self.count % 28 + 1:02}"},
            "notes": {"subject": text, "note": f"<p>{text}</p>", "noteDate": "2026-01-01T00:00:00.000Z"},
            INSTANCES: {"name": text},
        }[name]
        if name in OPEN:
            traits = {"plan": text, "seats": self.count, **{k: v for k, v in others.TOUCHED.items() if sent}}
            chosen = {key: value for key, value in traits.items() if self.dice.random() < 0.6}
            values = {**values, **chosen} if sent else {**values, "traits": chosen}
        return values

    def _insert(self, name: str, key: str | None) -> Row:
        parent = self._some("accounts")
        links: Row = {"externalId": key, **self._values(name)}
        if name == "users":
            links["accountIds"] = [parent["id"]]
        elif name == INSTANCES:
            links |= {"customerId": parent["id"], "customObjectId": definition(self.sandbox)}
        elif name != "accounts":
            links["accountId"] = parent["id"]
        resource = RESOURCES[TABLES[name]]
        links |= otherwise(self.sandbox.switches, resource, links, ())
        return self.workspace.insert(TABLES[name], links)

    def _some(self, table: str) -> Row:
        rows = [row for row in self.workspace.rows(table) if not row.get("archivedAt")]
        return self.dice.choice(rows) if rows else {}

    # One sync

    def _sync(self, disturbance: str) -> None:
        possible = [*TABLES, "renamed", *(["members"] if "analytics_token" in self.settings else [])]
        names = self.dice.sample(possible, self.dice.randint(1, 5))
        lines = [orjson.dumps(one) for name in names for one in self._records(name)]
        self.dice.shuffle(lines)
        if disturbance == "faults":
            faults.add_some(self.dice, self.sandbox, ["", "batch", "accounts", "tasks", "users"])
        bucket = patch.object(destination, "open_bucket", lambda storage: self.bucket)
        clock = QuickClock(self.sandbox.clock.now().timestamp())
        with logged(Run()), bucket:
            given = write_chunks(self.settings, [stream(name) for name in names], ([line] for line in lines), clock)
            with suppress(AirbyteTracedException):  # faults, or a stream of which nothing could be written
                if disturbance != "abandoned":
                    list(given)
                next(given, None)
            given.close()  # type: ignore[attr-defined]
        self.sandbox.faults.clear()
        lacking = self.bucket.unannounced()
        assert lacking == [], f"{lacking}: a change without an intent that was stored before"

    def _records(self, name: str) -> list[Json]:
        return [record(name, data) for _ in range(self.dice.randint(1, 4)) if (data := self._data(name))]

    def _data(self, name: str) -> Row:
        account = self._some("accounts").get("externalId") or "nobody"
        user = self._some("users").get("externalId") or "nobody"
        if name == "members":
            return {"userId": user, "accountId": account, **(MARK if self.dice.random() < 0.4 else {})}
        if name == "renamed":
            return {"externalId": account, **self._values("accounts", sent=True)}
        key = self._some(TABLES[name]).get("externalId") if self.dice.random() < 0.7 else None
        is_deleted = bool(key) and self.dice.random() < 0.15
        data = {"externalId": key or f"{name} new {self.dice.randint(0, 5)}", **self._values(name, sent=True)}
        if name == "users":
            data["accountIds"] = self.dice.sample([account, "accounts 0"], self.dice.randint(1, 2))
        elif name == INSTANCES:
            data["customerId"] = account
        elif name != "accounts":
            data["accountId"] = account if self.dice.random() < 0.9 else f"unknown {self.dice.randint(0, 2)}"
        return {**data, **(MARK if is_deleted else {})}

    # What people do

    def _people(self) -> None:
        for _ in range(self.dice.randint(1, 4)):
            name = self.dice.choice([*TABLES])
            row, table = self._some(TABLES[name]), TABLES[name]
            if not row:
                continue
            values = self._values(name)
            values |= otherwise(self.sandbox.switches, RESOURCES[table], values, ())
            changed = dict(self.dice.sample(sorted(values.items()), self.dice.randint(1, len(values))))
            if self.dice.random() < 0.3:
                new = self._insert(name, None if self.dice.random() < 0.5 else f"theirs {self.count}")
                self.made[table, str(new["id"])] = new
                continue
            self.workspace.update(table, row["id"], changed)
            for field, value in changed.items():
                if field == "traits":
                    self.edits |= {((table, row["id"]), f"traits.{one}"): shown for one, shown in value.items()}
                else:
                    self.edits[(table, row["id"]), field] = value

    def _expected(self, before: Rows, left: Rows, after: Rows) -> Rows:
        """Return what there should be: as it was, and what people have written that is `left` before the undo.

        What they have written before the first sync that wrote over it is there `after` the undo as well.
        """
        there = {place: {**row, "traits": dict(row.get("traits") or {})} for place, row in before.items()}
        # What went with a row that a sync has destroyed is in no journal.
        known = {one.id for one in self.bucket.intents()} | {place[1] for place in left}
        made = {place: row for place, row in self.made.items() if place[1] in known}
        there |= {place: {k: v for k, v in row.items() if k != "updatedAt"} for place, row in made.items()}
        for (place, named), value in self.edits.items():
            row, shown = there.get(place), [left.get(place, {}), after.get(place, {})]
            if row is None:
                continue
            name = named.removeprefix("traits.")
            if name != named:
                row, shown = row["traits"], [one.get("traits") or {} for one in shown]
            if any(one.get(name) == value for one in shown):
                row[name] = value
        for place, row in there.items():
            if "traits" not in {**before, **self.made}.get(place, row):
                del row["traits"]
        return there
