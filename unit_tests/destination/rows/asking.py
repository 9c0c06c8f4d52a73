"""All that knows of rows, in a workspace as a script has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from destination_vitally.errors import NotYetError, RejectedError
from destination_vitally.mapping.change import Change
from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.facts import Answer, Identity, Shown, Taken, Written
from unit_tests.destination.builders import change
from unit_tests.destination.scripted import Parts, asks

DAY = "2026-01-01T00:00:"
START = 1_767_225_600.0
"""The beginning of that day as a Unix time."""

WHEN = {"createdAt": f"{DAY}00.000Z"}
ARCHIVED = {"archivedAt": f"{DAY}00.000Z"}

TASK = asks("task", "upsert", {"externalId": "t", "accountId": "a", "name": "N", "tags": ["t"]})
"""What refers to something, by REST."""

OURS = "aaaaaaaa-0000-4000-8000-000000000001"
"""Vitally's id of account `a`."""

A: dict[str, Any] = {"id": OURS, "externalId": "a"}


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
        for one in changes:
            keeper = one.entry.field(one.entry.kept_in) if one.entry.kept_in else None
            self.memory.expect(BY_NAME[str(keeper.refers)] if keeper else one.entry, sent=True, contents=True)
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


def row(key: str, created: int = 0, updated: int | None = None, **more: Any) -> dict[str, Any]:
    times = {"createdAt": created, "updatedAt": created if updated is None else updated}
    said = {name: f"2026-01-01T00:{minute // 60:02}:{minute % 60:02}.500Z" for name, minute in times.items()}
    return {"id": key.upper(), "externalId": key, **said, **more}


def vitallys(asked: Asked, value: str, target: str = "account") -> Any:
    """The id that REST gets."""
    return outcome(lambda: asked.references.get(TASK, f"{target}Id", target, value).id)


def yours(asked: Asked, value: str, target: str = "account", subject: Change = TASK) -> Any:
    """The id that the Analytics API gets."""
    return outcome(lambda: asked.references.yours(subject, f"{target}Id", target, value))


def instance(**fields: Any) -> Change:
    return asks("custom_object/*", "update", {"externalId": "x", **fields})


def known(asked: Asked, wanted: Change) -> Any:
    """What is known for sure: Vitally's ids, that there is none, or nothing."""
    answer = asked.reader.ask(wanted, asked.paths(wanted))
    return ids(answer) if answer.rows else "absent" if answer.absent is not None else "unknown"


def task(**fields: Any) -> Change:
    return asks("task", "update", {"externalId": "x", **fields})


def user(email: str, **fields: Any) -> Change:
    return asks("user", "update", {"email": email, "name": "Ida", **fields})


def elsewhere(own: str, yours: str) -> Change:
    """A row that was read from another workspace."""
    return change("account", "upsert", {"externalId": yours, "name": "N"})._replace(origin=own)
