"""One chaos run of `skip_unchanged`: a table goes to Vitally again and again while requests fail and people edit rows.

Checked after each sync: every row that nobody else has touched since is as the table says, whether it was sent or not,
and there is no row twice. Checked in the end: a sync that finds nothing changed sends nothing.
"""

from __future__ import annotations

from contextlib import nullcontext
from random import Random
from typing import Any

import orjson
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from integration_tests.chaos import faults, others
from integration_tests.chaos.kills import Killed
from integration_tests.destination.cases import STORED_TIME, TIME, definition
from integration_tests.harness import Json, QuickClock, Run, destination_config, logged, record, stream, write_chunks
from integration_tests.sandbox import Page, Row, Sandbox
from integration_tests.sandbox.data.storing import otherwise
from integration_tests.sandbox.resources import RESOURCES as SANDBOX_RESOURCES

INSTANCES = "custom_object_feature_request"
RESOURCES = {"accounts": "accounts", "users": "users", "tasks": "tasks", "notes": "notes", INSTANCES: "instances"}
MADE_TWICE = ("instances",)
"""What a POST makes a second time, so that nobody can help it where another makes it at the same moment."""

OPEN = ("accounts", "users")
"""The streams whose objects take any trait."""

DISTURBANCES = ("none", "none", "faults", "faults", "no budget", "outage", "killed")


def run(seed: int) -> None:
    """Make the chaos run of a seed; AssertionError where a promise is broken."""
    dice = Random(f"unchanged {seed}")
    with Sandbox(seed=seed, empty=True) as sandbox:
        switches = sandbox.switches
        switches.effect_delay = dice.choice([0, 5, 60])
        switches.archived_omitted_means_all = dice.random() < 0.3
        switches.not_found_status = dice.choice([404, 200])
        switches.short_pages = dice.random() < 0.3
        switches.sort_ignored = dice.random() < 0.2
        switches.below_untracked_hidden = dice.random() < 0.5
        switches.note_post_existing = dice.choice(["update", "reject", "duplicate"])
        others.draw_habits(dice, switches)
        UnchangedRun(sandbox, dice).make()


class UnchangedRun:
    """A workspace, a table of one stream, and who has touched which row."""

    def __init__(self, sandbox: Sandbox, dice: Random) -> None:
        self.sandbox = sandbox
        self.dice = dice
        self.name = dice.choice([*RESOURCES])
        self.resource = RESOURCES[self.name]
        self.by_rest = dice.random() < 0.5
        self.parents = [self._insert_parent(f"p{n}") for n in range(dice.choice([1, 4, 30]))]
        keys = [f"k{n}" for n in range(dice.choice([1, 8, 40, 230]))]
        self.table = {key: self._values() for key in keys}
        self.parent_of = {key: dice.choice(self.parents) for key in keys}
        self.touched: set[str] = set()
        self.doubled: set[str] = set()
        self.haste = 0.0
        self.syncs = 0
        for key in keys:
            if dice.random() < 0.8:
                self._insert(key, self.table[key] if dice.random() < 0.7 else self._values())

    def make(self) -> None:
        """Make sync after sync while the table and the workspace change, then two that must end well."""
        self.sandbox.after_page = self._after_page
        for _ in range(self.dice.randint(1, 4)):
            self.haste = self.dice.choice([0, 0.5])
            self._sync(self.dice.choice(DISTURBANCES))
            for key in self.dice.sample([*self.table], len(self.table) // 5):
                self.table[key] = self._values()
        self.haste = 0.0
        self._sync("none", is_last=True)
        sent = self._sync("none", is_last=True)
        assert sent == [] or self._touches(), (
            f"nothing has changed, and yet {len(sent)} requests have written something"
        )

    # The table and the workspace

    def _values(self) -> Row:
        return {"name": f"N{self.dice.randint(0, 3)}", "plan": self.dice.choice(["a", " b ", 1, 1.25, None])}

    def _touches(self) -> bool:
        """Tell whether Vitally stores a value of the table otherwise, so that it is never equal."""
        return any(self._otherwise(self._stored(key, values)) for key, values in self.table.items())

    def _otherwise(self, row: Row) -> Row:
        return otherwise(self.sandbox.switches, SANDBOX_RESOURCES[self.resource], row, ())

    def _row(self, key: str) -> Json:
        """What the table has of a row; what takes no undefined trait has a plan that is none."""
        values = self.table[key]
        row: Json = {"externalId": key, "name": values["name"]}
        parent = self.parent_of[key]
        if self.name in OPEN:
            row["plan"] = values["plan"]
        if self.name == "notes":
            row = {"externalId": key, "note": f"<p>{values['name']}</p><h1>!</h1>", "noteDate": TIME}
        if self.name != "accounts":
            names = {"users": "accountIds", INSTANCES: "customerId"}
            row[names.get(self.name, "accountId")] = [parent] if self.name == "users" else parent
        return row

    def _stored(self, key: str, values: Row) -> Row:
        """The same as the workspace has it."""
        account = self.sandbox.workspace.find("accounts", self.parent_of[key]) or {}
        row: Row = {"externalId": key, "name": values["name"]}
        if self.name in OPEN:
            row["traits"] = {} if values["plan"] is None else {"plan": values["plan"]}
        if self.name == "notes":
            row = {"externalId": key, "note": f"<p>{values['name']}</p>!", "noteDate": STORED_TIME}
        if self.name == INSTANCES:
            row["customObjectId"] = definition(self.sandbox)
        if self.name != "accounts":
            names = {"users": "accountIds", INSTANCES: "customerId"}
            row[names.get(self.name, "accountId")] = [account["id"]] if self.name == "users" else account["id"]
        return row

    def _insert(self, key: str, values: Row) -> None:
        more = {"untracked": True} if self.name == "accounts" and self.dice.random() < 0.1 else {}
        self.sandbox.workspace.insert(self.resource, {**self._stored(key, values), **more})

    def _insert_parent(self, key: str) -> str:
        is_hidden = self.dice.random() < 0.2
        self.sandbox.workspace.insert("accounts", {"externalId": key, "name": "Parent", "untracked": is_hidden})
        return key

    def _after_page(self, page: Page) -> None:
        """Let people edit rows of the table while it is written."""
        while page.resource == self.resource and self.dice.random() < self.haste:
            key = self.dice.choice([*self.table])
            self.touched.add(key)
            with self.sandbox.workspace.settled():
                row = self.sandbox.workspace.find(self.resource, key)
                if row is not None:
                    self.sandbox.workspace.update(self.resource, row["id"], self._stored(key, self._values()))
                elif self.resource not in MADE_TWICE:
                    self._insert(key, self._values())

    # One sync

    def _sync(self, disturbance: str, *, is_last: bool = False) -> list[Any]:
        """Write the table; returns the requests that have written something. The last ones have to end well."""
        self.sandbox.clock.advance(self.sandbox.switches.effect_delay + 60)
        self.touched = set()
        settings = destination_config(
            self.sandbox,
            skip_unchanged=True,
            null_values="clear",
            num_workers=self.dice.randint(1, 4),
            mappings=[{"stream": "rows", "object": self._object(), "other_columns": "traits"}],
            **({"analytics_token": None} if self.by_rest else {}),
        )
        self.syncs += 1  # what is read again says so: with the time of another sync it would be a repetition
        hours = 3600 * self.syncs
        lines = [orjson.dumps(record("rows", self._row(key), 1_789_000_000_000 + 1000 * hours)) for key in self.table]
        self.dice.shuffle(lines)
        end = self.dice.randint(0, len(lines)) if disturbance == "killed" else len(lines)
        self._disturb(disturbance)
        before, result, failure = len(self.sandbox.journal), Run(), None
        disk = nullcontext() if is_last else others.on_some_disk(self.dice, self.sandbox)
        with logged(result), disk:
            try:
                list(write_chunks(settings, [stream("rows")], _chunks(lines, end), QuickClock(1_790_000_000 + hours)))
            except Killed:
                pass
            except AirbyteTracedException as error:
                failure = error
        faults.clear(self.sandbox)
        assert failure is None or disturbance == "outage" or (others.is_told(failure) and not is_last), (
            failure and failure.message
        )
        if failure is None and disturbance != "killed":
            self._check(result)
        return [request for request in self.sandbox.journal[before:] if request.method != "GET"]

    def _object(self) -> str:
        return "custom_object/featureRequest" if self.name == INSTANCES else self.name.removesuffix("s")

    def _disturb(self, disturbance: str) -> None:
        if disturbance == "faults":
            faults.add_some(self.dice, self.sandbox, ["", "resources/", "/batch"])
            faults.add_odd(self.dice, self.sandbox, ["", "resources/", "/batch"])
        elif disturbance == "no budget":
            faults.use_up_budget(self.dice, self.sandbox)
        elif disturbance == "outage":
            faults.add_outage(self.sandbox, self.dice)

    # What must hold

    def _check(self, result: Run) -> None:
        counts = result.counts("rows")
        assert sum(counts.values()) == 2 * counts["records"], f"outcomes do not add up: {counts}"
        rows: dict[str, list[Row]] = {}
        for row in self.sandbox.workspace.rows(self.resource):
            if not row.get("archivedAt"):
                rows.setdefault(str(row["externalId"]), []).append(row)
        # Where Vitally refuses no second note, what somebody makes next to our POST is there twice from then on.
        doubled = {key for key in self.touched if len(rows.get(key, [])) > 1}
        assert not doubled or self.sandbox.switches.note_post_existing == "duplicate", f"{self.name}: doubled {doubled}"
        self.doubled |= doubled
        assert counts["rejected"] <= len(self.doubled), result.log
        for key in self.table.keys() - self.touched - self.doubled:
            assert len(rows.get(key, [])) == 1, f"{self.name} {key} is there {len(rows.get(key, []))} times"
            expected, [found] = self._stored(key, self.table[key]), rows[key]
            expected |= self._otherwise(expected)
            wrong = [name for name, value in expected.items() if not _is(found[name], value)]
            assert not wrong, f"{self.name} {key}: {wrong} differ, and nobody else has touched it"


def _is(stored: Any, value: Any) -> bool:
    if isinstance(value, dict):
        return {name: one for name, one in stored.items() if one is not None} == value
    return bool(set(value) <= set(stored) if isinstance(value, list) else stored == value)


def _chunks(lines: list[bytes], end: int) -> Any:
    for start in range(0, end, 7):
        yield lines[start : min(end, start + 7)]
    if end < len(lines):
        raise Killed
