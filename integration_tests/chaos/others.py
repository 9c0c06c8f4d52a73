"""What nobody outside knows or can help, drawn by dice: how values are stored, who else writes, how small a disk is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from integration_tests.destination.disks import LIMITS, limited
from integration_tests.sandbox import Maker, Request, Row, Sandbox, Switches

EXISTS_WORDS = ("{name} already exists: {key}.", "A row with this externalId already exists.", "Conflict: {key} exists")
TOUCHED: dict[str, Any] = {
    "blanks": " two words ",
    "rate": 0.123456,
    "day": "2026-01-31",
    "time": "2026-01-31T00:00:00.000Z",
    "html": '<p class="x">text</p>',
    "labels": ["b", "a"],
}
"""Traits with values that some habit of storing touches."""


def draw_habits(dice: Random, switches: Switches) -> None:
    """Let a workspace store values otherwise than they are sent, refuse what exists, and date rows as it likes."""
    switches.exists_status = dice.choice([400, 409])
    switches.exists_words = dice.choice(EXISTS_WORDS)
    switches.merged_ids = dice.choice(["followed", "unknown"])
    switches.archived_upsert = dice.choice(["stays archived", "comes back", "is made anew"])
    if dice.random() < 0.5:
        switches.updated_at_by_message = dice.choice(["moves", "a minute later", "to its timestamp", "stays"])
    if dice.random() < 0.5:
        switches.texts_trimmed = dice.random() < 0.5
        switches.emails_lowered = dice.random() < 0.5
        switches.decimals = dice.choice([None, 0, 2])
        switches.days_as_times = dice.random() < 0.5
        switches.times_as_days = not switches.days_as_times and dice.random() < 0.5
        switches.html = dice.choice(["as documented", "cleaned everywhere", "no tags"])
        switches.lists_sorted = dice.random() < 0.5


class Others:
    """People who write into the workspace between our requests."""

    def __init__(self, sandbox: Sandbox, dice: Random, haste: float) -> None:
        """`haste` is how likely they act next to a request."""
        self._sandbox = sandbox
        self._dice = dice
        self._haste = haste
        self.made: set[str] = set()
        """The externalIds of the rows that they have made."""

    def begin(self) -> None:
        """Be at work from now on."""
        for table in ("notes", "tasks", "users", "accounts", "instances"):
            for method in ("POST", "PUT"):
                maker = Maker(self._act, f"/resources/.*{table}", method, self._dice.choice(["before", "after"]), None)
                self._sandbox.makers.add(maker)

    def end(self) -> None:
        self._sandbox.makers.clear()

    def _act(self, request: Request) -> None:
        if self._dice.random() >= self._haste:
            return
        with self._sandbox.workspace.settled():
            if request.method == "POST":
                self._create(request)
            else:
                self._edit()

    def _create(self, request: Request) -> None:
        """Make the row that is about to be made, unless it is there."""
        workspace, table = self._sandbox.workspace, request.path.split("/")[2]
        body: Row = request.body if isinstance(request.body, dict) else {}
        key = body.get("externalId")
        if table not in ("notes", "tasks", "users", "accounts") or not key or workspace.find(table, key):
            return
        parents: Row = {name: body[name] for name in ("accountId", "accountIds") if name in body}
        if all(
            self._is_account(i) for value in parents.values() for i in (value if isinstance(value, list) else [value])
        ):
            workspace.insert(table, {"externalId": key, "name" if table != "notes" else "subject": "v0", **parents})
            self.made.add(key)

    def _is_account(self, identifier: str) -> bool:
        return self._sandbox.workspace.tables["accounts"].get(identifier) is not None

    def _edit(self) -> None:
        """Give some customer a trait that no table has."""
        workspace = self._sandbox.workspace
        table = self._dice.choice(["accounts", "users"])
        rows = workspace.rows(table)
        if rows:
            row = self._dice.choice(rows)
            workspace.update(table, row["id"], {"traits": {"theirs": self._dice.random()}})


@contextmanager
def on_some_disk(dice: Random, sandbox: Sandbox) -> Iterator[None]:
    """Let the temporary files of this process be on a small disk, now and then."""
    if dice.random() >= 0.2:
        yield
        return
    with tempfile.TemporaryDirectory() as folder, limited(sandbox, Path(folder), dice.choice([*LIMITS])):
        yield


def is_told(failure: Exception) -> bool:
    """Tell whether a sync has ended since a disk was too small, and has said so."""
    return "TMPDIR" in str(failure)
