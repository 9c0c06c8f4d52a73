"""Tables to upsert, one for each object that can be: their rows, and what must be in Vitally before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import Any

from integration_tests.harness import QuickClock, Run, destination_config, record, stream, write
from integration_tests.sandbox import Clock, Row, Sandbox

START = 1_790_000_000
TIME = "2026-03-04T05:06:07Z"
PER_PARENT = 2
"""Rows below each parent."""

BOTH, REST = "both keys", "REST alone"


@dataclass(frozen=True)
class Table:
    """A table of an object.

    Attributes:
        object: as a mapping names it.
        keys: with which keys it is written; both only where that is another way than REST.
        row: a row by its number, that of its version and how many parents there are.
        parents: what rows refer to, and how many rows refer to the same.
    """

    object: str
    keys: tuple[str, ...]
    row: Callable[[int, int, int], Row]
    parents: tuple[tuple[str, int], ...] = ()

    def rows(self, versions: list[int]) -> list[Row]:
        """The whole table; of each row the version is given."""
        return [self.row(number, version, len(versions) // PER_PARENT) for number, version in enumerate(versions)]

    def prepare(self, sandbox: Sandbox, rows: int) -> None:
        """Put what the rows refer to into a workspace."""
        for resource, each in self.parents:
            insert(sandbox, resource, rows // each)


def insert(sandbox: Sandbox, resource: str, count: int) -> None:
    """Put companies, meetings, or users of a company into a workspace, as the tables name them."""
    of = {"accountIds": [sandbox.workspace.insert("accounts", {"name": "Of all"})["id"]]} if resource == "users" else {}
    for number in range(count):
        sandbox.workspace.insert(resource, {"externalId": f"{resource[0]}{number}", "name": f"Row {number}", **of})


class Workspace(Sandbox):
    """An empty workspace whose time passes by the waits of the connector alone."""

    def __init__(self) -> None:
        own = Clock(at=datetime.fromtimestamp(START, timezone.utc))
        super().__init__(empty=True, clock=own)
        self.journal.keep_bodies = False
        self._passing = QuickClock(START, passes=own.advance)

    def upsert(self, table: Table, rows: list[Row], keys: str, **settings: Any) -> Run:
        """Run one sync of a table within 1,000 requests a minute; the journal then holds its requests alone."""
        mapping = {"stream": "rows", "object": table.object, "operation": "upsert", "other_columns": "traits"}
        alone = {"analytics_token": None} if keys == REST else {}
        config = destination_config(self, requests_per_minute=1000, mappings=[mapping], **alone, **settings)
        self.journal.clear()
        run = write(config, [stream("rows")], [record("rows", row) for row in rows], clock=self._passing)
        assert run.error is None, run.error
        assert not run.counts("rows").get("rejected"), run.log
        return run


def _company(letter: str, parent: str, number: int, version: int, parents: int) -> Row:
    above = {"organizationId": f"{parent}{number % parents}"} if parent else {}
    return {"externalId": f"{letter}{number}", "name": f"Name {number} {version}", **above}


def _user(number: int, version: int, parents: int) -> Row:
    of = {"email": f"u{number}@example.com", "accountId": f"a{number % parents}"}
    return {"externalId": f"u{number}", "name": f"Name {number} {version}", **of}


def _membership(number: int, version: int, parents: int) -> Row:
    return {"userId": f"u{number}", "accountId": f"a{(number + version) % parents}"}


def _instance(number: int, version: int, parents: int) -> Row:
    return {"externalId": f"i{number}", "name": f"Name {number} {version}", "customerId": f"a{number % parents}"}


def _note(number: int, version: int, parents: int) -> Row:
    text = {"note": f"Text {number} {version}", "noteDate": TIME}
    return {"externalId": f"n{number}", **text, "accountId": f"a{number % parents}"}


def _task(number: int, version: int, parents: int) -> Row:
    return {"externalId": f"t{number}", "name": f"Name {number} {version}", "accountId": f"a{number % parents}"}


def _nps_response(number: int, version: int, parents: int) -> Row:
    score = (number + version) % 11
    return {"externalId": f"r{number}", "userId": f"u{number % parents}", "score": score, "respondedAt": TIME}


def _meeting(number: int, version: int, parents: int) -> Row:
    guests = [{"userId": f"u{number % parents}", "type": "organizer"}]
    return {"externalId": f"m{number}", "title": f"Title {number} {version}", "participants": guests}


def _transcript(number: int, version: int, _: int) -> Row:
    said = {"text": f"Text {number} {version}", "startTime": 0, "endTime": 1}
    return {"meetingId": f"m{number}", "transcript": [{"speaker": {"externalId": "u0"}, "sentences": [said]}]}


INSTANCES = Table("custom_object/featureRequest", (BOTH, REST), _instance, (("accounts", PER_PARENT),))
ACCOUNTS = Table("account", (BOTH, REST), partial(_company, "a", "o"), (("organizations", PER_PARENT),))
TASKS = Table("task", (REST,), _task, (("accounts", PER_PARENT),))
TABLES = (
    Table("organization", (BOTH, REST), partial(_company, "o", "")),
    ACCOUNTS,
    Table("user", (BOTH, REST), _user, (("accounts", PER_PARENT),)),
    Table("membership", (BOTH,), _membership, (("accounts", PER_PARENT), ("users", 1))),
    INSTANCES,
    Table("note", (REST,), _note, (("accounts", PER_PARENT),)),
    TASKS,
    Table("nps_response", (REST,), _nps_response, (("users", PER_PARENT),)),
    Table("meeting", (REST,), _meeting, (("users", PER_PARENT),)),
    Table("meeting_transcript", (REST,), _transcript, (("meetings", 1), ("users", PER_PARENT))),
)
