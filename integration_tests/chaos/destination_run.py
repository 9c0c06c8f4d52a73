"""One chaos run of the destination: a feed is sent, and sent again from the last state, while it fails and is killed.

Checked at each state given back: its numbers are exact and what it covers is in the workspace. Checked in the end:
every row is there once, as its last record says, every event is counted once, nothing is there that was never sent.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any
from unittest.mock import patch

from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from destination_vitally import destination
from destination_vitally.sync import window
from integration_tests.chaos import faults, others
from integration_tests.chaos.feed import (
    ACCOUNTS,
    COPIED,
    MAPPINGS,
    TABLES,
    TWICE,
    Sent,
    copy_of,
    feed,
    message,
    streams,
    version_of,
)
from integration_tests.chaos.kills import Killed, killed_process
from integration_tests.destination.journaled import STORAGE, KeptBucket
from integration_tests.harness import QuickClock, Run, destination_config, global_state, logged, state, write_chunks
from integration_tests.sandbox import Sandbox, merge

PROCESS_EVERY = 10
KEYS = {
    "organizations": ("organization", "organizationId"),
    "accounts": ("account", "accountId"),
    "users": ("user", "userId"),
    "custom_object_feature_request": ("customobjectinstance", "externalId"),
}
"""The type of the messages of the streams whose rows travel in batches, and what tells the row of one."""

PATHS = ["", "batch", "resources/", "tasks", "notes", "instances", "accounts"]


def run(seed: int) -> None:
    """Make the chaos run of a seed; AssertionError where a promise is broken."""
    dice = Random(f"destination {seed}")
    with Sandbox(seed=seed, empty=True) as sandbox:
        switches = sandbox.switches
        switches.orphans = dice.choice(["drop", "drop", "create", "reject"])
        switches.batch_invalid = dice.choice(["reject_all", "reject_after_the_rest"])
        switches.effect_delay = dice.choice([0, 5, 60])
        switches.effect_delays = dice.choice(["fixed", "random", "growing"])
        switches.older_timestamp_overwrites = dice.random() < 0.5
        switches.note_post_existing = dice.choice(["update", "reject"])
        switches.account_post_existing = dice.choice(["update", "reject"])
        others.draw_habits(dice, switches)
        narrow = dice.choice([window.ROWS, 40, 5])
        ids = {key: sandbox.workspace.insert("accounts", {"externalId": key, "name": key})["id"] for key in ACCOUNTS}
        old = {key: _merged_into(sandbox, own) for key, own in ids.items()}
        named = dice.choice([{}, {}, ids, old if switches.merged_ids == "followed" else ids])
        with patch.object(window, "ROWS", narrow):
            ChaosRun(sandbox, dice, named, as_process=seed % PROCESS_EVERY == PROCESS_EVERY - 1).make()


def _merged_into(sandbox: Sandbox, own: str) -> str:
    """Return the id of an account that was merged into another."""
    old = str(sandbox.workspace.insert("accounts", {"externalId": f"old {own}", "name": "Old"})["id"])
    merge(sandbox.workspace, "accounts", old, own)
    return old


class ChaosRun:
    """A workspace, a feed, and how far the states have come."""

    def __init__(self, sandbox: Sandbox, dice: Random, ids: dict[str, str], *, as_process: bool) -> None:
        """`ids` are Vitally's ids by which some accounts are named instead of by yours, of merged rows perhaps."""
        self.ids = ids
        self.others = others.Others(sandbox, dice, dice.choice([0, 0.2, 0.6]))
        self.sandbox = sandbox
        self.dice = dice
        self.as_process = as_process
        self.feed = feed(dice)
        self.names = list(dict.fromkeys(sent.stream for sent in self.feed))
        self.is_global = dice.random() < 0.3
        mappings = [*MAPPINGS, *dice.choice([[], [], TWICE])]
        self.is_twice = mappings[-1] in TWICE and "accounts" in self.names
        self.done = dict.fromkeys(self.names, -1)
        """Of each stream the place in the feed of the last state that was given back."""
        self.settings = destination_config(
            sandbox,
            mappings=[mapping for mapping in mappings if mapping["stream"] in self.names],
            num_workers=dice.randint(1, 4),
            verify=dice.choice(["none", "sample", "all"]),
        )
        self.bucket = KeptBucket(sandbox)
        self.journal = {"journal": dice.choice(["outcomes", "changes"]), "object_storage_config": STORAGE}
        if as_process or dice.random() < 0.5:
            self.journal = {}  # a process has no bucket
        # Only who waits for each message to land can keep two of the same row in order where Vitally does not.
        sandbox.switches.effects_overtake = self.settings["verify"] == "all" and dice.random() < 0.5
        self.attempts = 0
        self.ambiguous = 0
        """Calls of which a sync said that they may or may not have been made."""

    def make(self) -> None:
        """Make attempt after attempt with faults, then one without that must end well."""
        for _ in range(self.dice.randint(0, 3)):
            if self.as_process:
                self._process()
            else:
                self._attempt(self.dice.choice(["faults", "faults", "no budget", "outage", "killed", "abandoned"]))
        self._attempt("none")
        self._check_workspace()

    # One attempt

    def _attempt(self, disturbance: str) -> None:
        self._let_pass()
        sent = self._remaining()
        self._add_faults(disturbance)
        run, failure = Run(), None
        self.others.begin()
        bucket = patch.object(destination, "open_bucket", lambda storage: self.bucket)
        with logged(run), others.on_some_disk(self.dice, self.sandbox), bucket:
            try:
                for place, given in self._states(sent, disturbance):
                    self._check_state(sent, place, given)
            except Killed:
                disturbance = "killed"
            except AirbyteTracedException as error:
                failure = error
        self.others.end()
        faults.clear(self.sandbox)
        if self.journal:
            lacking = self.bucket.unannounced()
            assert lacking == [], f"{lacking}: a change without an intent that was stored before"
        if failure is not None and others.is_told(failure):
            return
        if failure is not None and "rows could be written" not in str(failure.message):
            assert disturbance == "outage", failure.message
            assert failure.failure_type.value == "transient_error"
        if disturbance in ("faults", "no budget", "none"):
            self._check_summary(sent, run)

    def _let_pass(self) -> None:
        """Begin as a platform does that tries again.

        What an earlier process has sent nobody can know of: nobody begins before that has taken effect. What is sent
        again the rows may show already, so that nobody can see when it is applied: only Vitally's order helps.
        """
        self.sandbox.clock.advance(self.sandbox.switches.effect_delay)
        if self.attempts:
            self.sandbox.switches.effects_overtake = False

    def _add_faults(self, disturbance: str) -> None:
        if disturbance in ("faults", "killed", "abandoned"):
            faults.add_some(self.dice, self.sandbox, PATHS)
            faults.add_odd(self.dice, self.sandbox, PATHS)
        elif disturbance == "no budget":
            faults.use_up_budget(self.dice, self.sandbox)
        elif disturbance == "outage":
            faults.add_outage(self.sandbox, self.dice)

    def _states(self, sent: list[tuple[int, Sent]], disturbance: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the states given back, each with its place in the feed; the consumer may leave, the input may break."""
        lines = self._lines(sent)
        end = self.dice.randint(0, len(lines)) if disturbance == "killed" else None
        last = self.dice.randint(0, 3) if disturbance == "abandoned" else None
        clock = QuickClock(1_790_000_000 + 3600 * self.attempts)
        given = write_chunks({**self.settings, **self.journal}, streams(self.names), _chunks(lines, end), clock)
        for number, back in enumerate(given):
            if number == last:
                given.close()  # type: ignore[attr-defined]
                return
            yield back["state"]["id"], back

    def _lines(self, sent: list[tuple[int, Sent]]) -> list[bytes]:
        self.attempts += 1
        emitted_at = 1_789_000_000_000 + self.attempts * 3_600_000
        return [
            json.dumps(
                self._state(place, one) if one.key is None else message(one, emitted_at + place, self.ids)
            ).encode()
            for place, one in sent
        ]

    def _state(self, place: int, one: Sent) -> dict[str, Any]:
        if self.is_global:
            return global_state(place)
        return state(one.stream, place)

    def _remaining(self) -> list[tuple[int, Sent]]:
        """Return what a platform sends after the states so far: everything behind the last one of each stream."""
        return [(place, one) for place, one in enumerate(self.feed) if place > self.done[one.stream]]

    def _process(self) -> None:
        """Make an attempt in a process of its own that gets a signal at some request."""
        self._let_pass()
        sent = self._remaining()
        run = killed_process(self.sandbox, self.settings, streams(self.names), self._lines(sent), self.dice)
        for given in run.of_type("STATE"):
            self._check_state(sent, given["state"]["id"], given)

    # What must hold

    def _check_state(self, sent: list[tuple[int, Sent]], place: int, given: dict[str, Any]) -> None:
        """Assert that a state has the numbers of the records it covers, and that what could be written is there."""
        covered = self.names if self.is_global else [self.feed[place].stream]
        records = [
            one
            for at, one in sent
            if one.stream in covered and self.done[one.stream] < at < place and one.key is not None
        ]
        stats = given["state"]["destinationStats"]
        assert sum(stats.values()) == len(records), "the numbers of a state are not those of its records"
        refused = stats["rejectedRecordCount"]
        flawed = sum(one.flaw is not None for one in records)
        doubtful = sum(one.flaw is None and one.stream == "calls" for one in records)
        assert flawed <= refused <= flawed + doubtful, f"{refused} counted as rejected, {flawed} are"
        for one in records:
            if one.flaw is None and one.stream != "calls":
                with self.sandbox.workspace.settled():
                    is_there = self._has_landed(one) or self._is_on_its_way(one)
                assert is_there, f"a state covers a record of {one.stream} that is not in the workspace"
        self.done.update(dict.fromkeys(covered, place))

    def _has_landed(self, one: Sent) -> bool:
        workspace = self.sandbox.workspace
        if one.stream == "events":
            return any(event["properties"]["number"] == one.key for event in workspace.events)
        row = workspace.find(TABLES[one.stream], one.key or "")
        return row is not None and version_of(TABLES[one.stream], row) >= one.version

    def _is_on_its_way(self, one: Sent) -> bool:
        """Tell whether a message was taken that will say at least as much as a record."""
        kind, name = KEYS.get(one.stream, ("track", ""))
        for sent in self.sandbox.analytics.pending():
            if sent["type"] != kind:
                continue
            if kind == "track" and sent["properties"]["number"] == one.key:
                return True
            if sent.get(name) == one.key:
                row = {"name": sent.get("name") or sent["traits"].get("name")}
                if version_of(TABLES[one.stream], row) >= one.version:
                    return True
        return False

    def _check_summary(self, sent: list[tuple[int, Sent]], run: Run) -> None:
        """Assert that every record has one outcome at the end of a sync, and that nothing good was refused."""
        for name in self.names:
            records = [one for _, one in sent if one.stream == name and one.key is not None]
            counts = run.counts(self._title(name))
            assert counts.pop("records") == len(records)
            assert sum(counts.values()) == len(records), f"outcomes of {name} do not add up: {counts}"
            flawed = sum(one.flaw is not None for one in records)
            if name == "calls":
                assert counts["rejected"] >= flawed
                self.ambiguous += counts["rejected"] - flawed
            else:
                assert counts["rejected"] == flawed, f"{name}: {counts}, but {flawed} are flawed"

    def _title(self, name: str) -> str:
        """What the summary calls the entry of a stream that must take whatever is not flawed."""
        return f"accounts, entry {1 + ('calls' in self.names)}" if self.is_twice and name == "accounts" else name

    def _check_workspace(self) -> None:
        workspace = self.sandbox.workspace
        good = [one for one in self.feed if one.key is not None and one.flaw is None]
        for name, table in TABLES.items():
            expected = {one.key: one.version for one in good if one.stream == name}
            rows = workspace.rows(table)
            always = set(ACCOUNTS) if name == "accounts" else set()
            found = [row["externalId"] for row in rows if row["externalId"] is not None]
            assert sorted(found) == sorted(str(key) for key in expected.keys() | always), (
                f"{table}: doubled, missing or made up"
            )
            for row in rows:
                if row["externalId"] in expected:
                    version = expected[row["externalId"]]
                    assert version_of(table, row) == version, f"{table}: an older record has won"
                    assert row["traits"].get("plan", version % 2) == version % 2
        events = Counter(event["properties"]["number"] for event in workspace.events if event["event"] != COPIED)
        assert events == Counter(one.key for one in good if one.stream == "events"), "events lost, doubled or made up"
        copies = Counter(event["properties"]["number"] for event in workspace.events if event["event"] == COPIED)
        assert max(copies.values(), default=1) == 1, "a copy was doubled"
        wanted = {copy_of(one) for one in good if one.stream == "accounts" and self.is_twice}
        assert wanted <= copies.keys(), "a record reached one of its entries only"
        self._check_calls([one.key for one in good if one.stream == "calls"])

    def _check_calls(self, keys: list[Any]) -> None:
        """Assert that what cannot be repeated safely, though it may come again after a kill, is not within a sync."""
        made = Counter(row["subject"] for row in self.sandbox.workspace.rows("notes") if row["externalId"] is None)
        assert made.keys() <= set(keys), "a call that was never sent"
        assert max(made.values(), default=0) <= self.attempts, "a call was repeated within a sync"
        if self.attempts == 1:
            assert len(keys) - self.ambiguous <= sum(made.values()) <= len(keys)


def _chunks(lines: list[bytes], end: int | None) -> Iterator[list[bytes]]:
    for line in lines[:end]:
        yield [line]
    if end is not None:
        raise Killed
