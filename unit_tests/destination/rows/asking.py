"""All that knows of rows, in a workspace as a script has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from destination_vitally.errors import NotYetError, RejectedError
from destination_vitally.mapping.change import Change
from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.facts import Answer, Identity, Shown, Taken, Written
from unit_tests.destination.scripted import Parts

DAY = "2026-01-01T00:00:"
START = 1_767_225_600.0
"""The beginning of that day as a Unix time."""

WHEN = {"createdAt": f"{DAY}00.000Z"}
ARCHIVED = {"archivedAt": f"{DAY}00.000Z"}


class Asked(Parts):
    """Those who know of rows and ask for them, at second 1000 of the connector's clock."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.clock.wait(1000.0)

    @property
    def asked(self) -> list[Any]:
        """The requests until now."""
        return self.vitally.asked

    def sent_in_a_batch(self, *changes: Change, time: float | None = START) -> None:
        """Let Vitally have taken changes, of which all is kept, at a time by its clock."""
        for change in changes:
            keeper = change.entry.field(change.entry.kept_in) if change.entry.kept_in else None
            self.memory.expect(BY_NAME[str(keeper.refers)] if keeper else change.entry, sent=True, contents=True)
        self.memory.note(Taken(changes, time))

    def shown(self, name: str, *rows: dict[str, Any], is_listed: bool = True) -> None:
        """Let Vitally have shown rows."""
        self.memory.note(Shown(BY_NAME[name], rows, is_listed))

    def written(self, name: str, *, is_new: bool = False, **row: Any) -> None:
        """Let this sync have written a row by REST."""
        self.memory.note(Written(BY_NAME[name], row, is_new))

    def known(self, name: str, **key: str) -> Answer:
        """What is known of the row of one key."""
        return self.memory.ask(BY_NAME[name], (name, *key, *key.values()))


def identity(name: str, **key: str) -> Identity:
    return (name, *key, *key.values())


def ids(answer: Answer) -> list[str]:
    """Vitally's ids of the rows that an answer has."""
    return [one.id for one in answer.rows]


def outcome(call: Callable[[], Any]) -> Any:
    """What is returned; else the words and the status of the rejection, or what has to be waited for."""
    try:
        return call()
    except RejectedError as error:
        return str(error), error.status
    except NotYetError as error:
        return "waits for", error.entry.name, error.external_id


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [entry.getMessage() for entry in caplog.records if entry.name == "airbyte"]


def woken(asked: Asked) -> list[tuple[str, list[str]]]:
    """A list that fills with what is let go from now on: the path of an object, and your ids."""
    calls: list[tuple[str, list[str]]] = []

    def wake(path: str, external_ids: Iterable[str]) -> None:
        calls.append((path, [one for one in external_ids if one]))

    asked.memory.wake = wake
    return calls
