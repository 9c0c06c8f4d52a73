"""What a platform with a de-duplicating destination holds after syncs that break off anywhere."""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import Any

from integration_tests.harness import Json


class Warehouse:
    """The newest version of each row of one stream, and the last state that was committed."""

    def __init__(self, stream: str, cursor: str) -> None:
        self._stream = stream
        self._cursor = cursor
        self.copy: dict[str, Json] = {}
        self.states: list[Json] | None = None

    def take(self, messages: list[Json], dice: Random | None = None) -> None:
        """Take in the messages of a sync.

        With `dice` the platform breaks off somewhere: it has seen only a part of them, and of the records after the
        last state, which nobody promised to keep, it has committed only a part.
        """
        if dice is not None:
            messages = messages[: dice.randint(0, len(messages))]
        known = [number for number, message in enumerate(messages) if message["type"] == "STATE"]
        sure = known[-1] + 1 if known else 0
        committed = sure + dice.randint(0, len(messages) - sure) if dice is not None else len(messages)
        for message in messages[:committed]:
            if message["type"] == "RECORD" and message["record"]["stream"] == self._stream:
                self._merge(message["record"]["data"])
            elif message["type"] == "STATE" and _stream_of(message) == self._stream:
                self.states = [message["state"]]

    def _merge(self, row: Json) -> None:
        known = self.copy.get(row["id"])
        if known is None or (row.get(self._cursor) or "") >= (known.get(self._cursor) or ""):
            self.copy[row["id"]] = row

    def watermarks(self) -> list[tuple[dict[str, Any], str]]:
        """Return of each partition (`{}` where there is one) the time up to which the state claims everything."""
        return [(part, cursor[self._cursor]) for part, cursor in self._cursors() if self._cursor in cursor]

    def leap(self, time: str) -> None:
        """Let the state claim everything up to another time."""
        self.states = deepcopy(self.states)
        for _, cursor in self._cursors():
            if self._cursor in cursor:
                cursor[self._cursor] = time

    @property
    def failed(self) -> set[str]:
        """The rows of which the state says that their details are missing."""
        return {key for _, cursor in self._cursors() for key in cursor.get("failed", {})}

    @property
    def lasting(self) -> set[str]:
        """Those of them that have failed so often that they are asked for once a week."""
        found = [(key, row) for _, cursor in self._cursors() for key, row in cursor.get("failed", {}).items()]
        return {key for key, row in found if row["syncs"] >= 3}

    @property
    def is_under_way(self) -> bool:
        """Whether some partition's first scan has been broken off and will be resumed."""
        return any("resume" in cursor for _, cursor in self._cursors())

    def _cursors(self) -> list[tuple[dict[str, Any], Json]]:
        if not self.states:
            return []
        blob = self.states[0]["stream"]["stream_state"]
        return [(e["partition"], e["cursor"]) for e in blob["states"]] if "states" in blob else [({}, blob)]


def _stream_of(message: Json) -> str:
    return str(message["state"]["stream"]["stream_descriptor"]["name"])
