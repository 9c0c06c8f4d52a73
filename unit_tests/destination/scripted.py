"""Vitally's REST API as a script, and the parts of a destination that talk to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson
import requests
from requests_mock import ANY, Adapter

from destination_vitally.api.http import Api, Apis, Shared
from destination_vitally.api.limiter import Limiter
from destination_vitally.api.reply import Reply
from destination_vitally.mapping.change import Change
from destination_vitally.objects.model import Operation
from destination_vitally.objects.table import INSTANCE
from destination_vitally.rows.facts import Taken
from destination_vitally.rows.known import Rows
from destination_vitally.rows.paths import Paths
from destination_vitally.rows.references import UnknownParents
from destination_vitally.send.rest import Rest
from unit_tests.clock import QuickClock
from unit_tests.destination.builders import DEFINITION, change

INSTANCES = f"/customObjects/{DEFINITION}/instances"
BASE = "https://rest.example.com/resources"
BROKEN = requests.exceptions.ConnectionError("reset")
"""The connection breaks after the request was sent."""

Script = Mapping[str, Any]


class Vitally:
    """Answers requests as a script says, and remembers them.

    The script has the answers by request, as in `GET /accounts/a`. An answer is a body, a text that is no JSON, the
    number of an error, a status with a body, or an exception; of a tuple of them, the last is given again and again.
    What is not in the script is not there.
    """

    def __init__(self, script: Script) -> None:
        self._script: dict[str, list[Any]] = {}
        for request, said in script.items():
            self.say(request, said)
        self.asked: list[Any] = []
        """Each request, as in the script; together with its body if it has one."""
        self.date = ""
        """What its clock says, as in the header."""
        self.adapter = Adapter()
        self.adapter.register_uri(ANY, ANY, content=self._answer)

    def say(self, request: str, said: Any) -> None:
        """Answer a request from now on otherwise."""
        self._script[request] = [*said] if isinstance(said, tuple) else [said]

    def _answer(self, request: Any, context: Any) -> bytes:
        asked = f"{request.method} {request.url.removeprefix(BASE)}"
        self.asked.append((asked, orjson.loads(request.body)) if request.body else asked)
        context.headers = {"Date": self.date} if self.date else {}
        turns = self._script.get(asked, [404])
        said = turns.pop(0) if len(turns) > 1 else turns[0]
        if isinstance(said, Exception):
            raise said
        context.status_code = said if isinstance(said, int) else 200
        if isinstance(said, Reply):
            context.status_code, said = said.status, said.body
        if isinstance(said, str):
            return said.encode()
        return orjson.dumps({"error": "Not found" if said == 404 else "No."} if isinstance(said, int) else said)

    @property
    def written(self) -> list[Any]:
        """The requests that change something."""
        return [one for one in self.asked if not str(one).startswith("GET ")]


class Parts:
    """The parts of a destination that talk to a workspace as a script has it.

    Attributes:
        jobs: what was given to run in the background; `poll` runs it.
    """

    def __init__(
        self, script: Script | None = None, unknown_parents: UnknownParents = "reject", *, is_dry_run: bool = False
    ) -> None:
        self.vitally = Vitally(script or {})
        self.clock = QuickClock()
        session = requests.Session()
        session.mount(BASE, self.vitally.adapter)
        shared = Shared(session, Limiter(100_000, self.clock), self.clock)
        self.api = Api("secret_token", BASE, "Basic key", shared, "/users?limit=1")
        self.apis = Apis(self.api, Api("analytics_token", BASE, "Basic key", shared))
        self.jobs: list[Callable[[], float | None]] = []
        self.rows = Rows(self.api, self.clock, self.jobs.append, unknown_parents, is_dry_run=is_dry_run)
        assert self.rows.asking
        self.asking = self.rows.asking
        self.memory, self.references, self.people = self.rows.memory, self.rows.references, self.rows.people
        self.lists, self.reader, self.poller = self.asking.lists, self.asking.reader, self.asking.poller
        self.rest = Rest(self.rows, self.asking)

    def sent_in_a_batch(self, *changes: Change) -> None:
        """Let a batch have been accepted a moment ago, by Vitally's clock at the beginning of 2026."""
        for one in changes:
            self.memory.expect(one.entry, sent=True, contents=True)
        self.memory.note(Taken(changes, 1_767_225_600.0))

    def poll(self) -> None:
        """Run what is to run in the background until nothing is left of it; time passes meanwhile."""
        while self.jobs:
            job = self.jobs.pop(0)
            while (pause := job()) is not None:
                self.clock.wait(pause)

    def paths(self, change: Change) -> Paths:
        return Paths(change, self.references)


def page(*rows: dict[str, Any], following: str = "") -> dict[str, Any]:
    """A page of a list."""
    return {"results": [*rows], "next": following or None}


def asks(name: str, operation: Operation, data: dict[str, Any]) -> Change:
    """A change, as it is where there is only a REST key."""
    asked = change(name, operation, data, tokens=frozenset({"secret_token"}), allow_deletes=True)
    is_instance = asked.entry is INSTANCE
    return asked._replace(entry=replace(INSTANCE, path=INSTANCES)) if is_instance else asked
