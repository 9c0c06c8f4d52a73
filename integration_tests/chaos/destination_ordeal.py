"""One ordeal of the destination: a feed is sent, and sent again from the last state, while it fails and dies.

Checked at each state given back: its numbers are exact and what it covers is in the workspace. Checked in the end:
every row is there once, as its last record says, every event is counted once, nothing is there that was never sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import orjson
from airbyte_cdk.models.airbyte_protocol_serializers import ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from destination_vitally import DestinationVitally
from integration_tests.chaos import weather
from integration_tests.chaos.deaths import Killed, killed_process, summaries
from integration_tests.chaos.feed import ACCOUNTS, MAPPINGS, TABLES, Sent, feed, message, streams, version_of
from integration_tests.destination.helpers import QuickClock, Result, config, state
from integration_tests.sandbox import Sandbox

PROCESS_EVERY = 10
PATHS = ["", "batch", "resources/", "tasks", "notes", "instances", "accounts"]


def run(seed: int) -> None:
    """Go through the ordeal of a seed; AssertionError where a promise is broken."""
    dice = Random(f"destination {seed}")
    with Sandbox(seed=seed, empty=True) as sandbox:
        switches = sandbox.switches
        switches.orphans = "reject"
        switches.older_timestamp_overwrites = dice.random() < 0.5
        switches.note_post_existing = dice.choice(["update", "reject"])
        switches.account_post_existing = dice.choice(["update", "reject"])
        for key in ACCOUNTS:
            sandbox.workspace.insert("accounts", {"externalId": key, "name": key})
        Ordeal(sandbox, dice, as_process=seed % PROCESS_EVERY == PROCESS_EVERY - 1).go_through()


class Ordeal:
    """A workspace, a feed, and how far the states have come."""

    def __init__(self, sandbox: Sandbox, dice: Random, *, as_process: bool) -> None:
        self.sandbox = sandbox
        self.dice = dice
        self.as_process = as_process
        self.feed = feed(dice)
        self.names = list(dict.fromkeys(sent.stream for sent in self.feed))
        self.is_global = dice.random() < 0.3
        self.done = dict.fromkeys(self.names, -1)
        """Of each stream the place in the feed of the last state that was given back."""
        self.settings = config(
            sandbox,
            mappings=[mapping for mapping in MAPPINGS if mapping["stream"] in self.names],
            num_workers=dice.randint(1, 4),
        )
        self.attempts = 0
        self.ambiguous = 0
        """Calls of which a sync said that they may or may not have been made."""

    def go_through(self) -> None:
        """Attempt after attempt in bad weather, then one in good weather that must end well."""
        for _ in range(self.dice.randint(0, 3)):
            if self.as_process:
                self._process()
            else:
                self._attempt(self.dice.choice(["storm", "storm", "drought", "outage", "killed", "abandoned"]))
        self._attempt("fine")
        self._check_workspace()

    # One attempt

    def _attempt(self, fate: str) -> None:
        sent = self._remaining()
        self._worsen_weather(fate)
        result, failure = Result(), None
        with summaries(result):
            try:
                for place, given in self._states(sent, fate):
                    self._check_state(sent, place, given)
                    result.states.append(given)
            except Killed:
                fate = "killed"
            except AirbyteTracedException as error:
                failure = error
        weather.clear(self.sandbox)
        if failure is not None:
            assert fate == "outage", failure.message
            assert failure.failure_type.value == "transient_error"
        if fate in ("storm", "drought", "fine"):
            self._check_summary(sent, result)

    def _worsen_weather(self, fate: str) -> None:
        if fate in ("storm", "killed", "abandoned"):
            weather.storm(self.dice, self.sandbox, PATHS)
        elif fate == "drought":
            weather.drought(self.dice, self.sandbox)
        elif fate == "outage":
            weather.outage(self.sandbox, self.dice)

    def _states(self, sent: list[tuple[int, Sent]], fate: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """The states given back, each with its place in the feed; the consumer may leave, the input may break."""
        lines = self._lines(sent)
        end = self.dice.randint(0, len(lines)) if fate == "killed" else None
        patience = self.dice.randint(0, 3) if fate == "abandoned" else None
        catalog = ConfiguredAirbyteCatalogSerializer.load({"streams": streams(self.names)})
        clock = QuickClock(1_790_000_000 + 3600 * self.attempts)
        given = DestinationVitally(clock).write_lines(self.settings, catalog, _chunks(lines, end))
        for number, back in enumerate(given):
            if number == patience:
                given.close()  # type: ignore[attr-defined]
                return
            yield back["state"]["id"], back

    def _lines(self, sent: list[tuple[int, Sent]]) -> list[bytes]:
        self.attempts += 1
        emitted_at = 1_789_000_000_000 + self.attempts * 3_600_000
        return [
            orjson.dumps(self._state(place, one) if one.key is None else message(one, emitted_at + place))
            for place, one in sent
        ]

    def _state(self, place: int, one: Sent) -> dict[str, Any]:
        if self.is_global:
            return {"type": "STATE", "state": {"type": "GLOBAL", "global": {"stream_states": []}, "id": place}}
        return state(one.stream, place)

    def _remaining(self) -> list[tuple[int, Sent]]:
        """What a platform sends after the states so far: everything behind the last one of each stream."""
        return [(place, one) for place, one in enumerate(self.feed) if place > self.done[one.stream]]

    def _process(self) -> None:
        """An attempt in a process of its own that gets a signal at some request."""
        sent = self._remaining()
        for given in killed_process(self.sandbox, self.settings, streams(self.names), self._lines(sent), self.dice):
            self._check_state(sent, given["state"]["id"], given)

    # What must hold

    def _check_state(self, sent: list[tuple[int, Sent]], place: int, given: dict[str, Any]) -> None:
        """The numbers of a state are those of the records it covers, and what could be written is there."""
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
                assert self._has_landed(one), f"a state covers a record of {one.stream} that is not in the workspace"
        self.done.update(dict.fromkeys(covered, place))

    def _has_landed(self, one: Sent) -> bool:
        workspace = self.sandbox.workspace
        if one.stream == "events":
            return any(event["properties"]["number"] == one.key for event in workspace.events)
        row = workspace.find(TABLES[one.stream], one.key or "")
        return row is not None and version_of(TABLES[one.stream], row) >= one.version

    def _check_summary(self, sent: list[tuple[int, Sent]], result: Result) -> None:
        """At the end of a sync every record has one outcome, and nothing good was refused."""
        for name in self.names:
            records = [one for _, one in sent if one.stream == name and one.key is not None]
            counts = result.counts(name)
            assert counts.pop("records") == len(records)
            assert sum(counts.values()) == len(records), f"outcomes of {name} do not add up: {counts}"
            flawed = sum(one.flaw is not None for one in records)
            if name == "calls":
                assert counts["rejected"] >= flawed
                self.ambiguous += counts["rejected"] - flawed
            else:
                assert counts["rejected"] == flawed, f"{name}: {counts}, but {flawed} are flawed"

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
        events = Counter(event["properties"]["number"] for event in workspace.events)
        assert events == Counter(one.key for one in good if one.stream == "events"), "events lost, doubled or made up"
        self._check_calls([one.key for one in good if one.stream == "calls"])

    def _check_calls(self, keys: list[Any]) -> None:
        """What cannot be repeated safely may come again after a death, but is never repeated within a sync."""
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
