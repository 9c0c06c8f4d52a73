"""The workspace that rows of an object are written to, and what is in it afterwards.

Where a row is found and what it must hold come from the sandbox, which is written from Vitally's pages, and not from
the table of objects: a wrong name or type in the table fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from destination_vitally.objects.model import Field, Kind, Object
from destination_vitally.objects.table import BY_NAME
from integration_tests.destination.cases import STORED_TIME, TIME, prepare
from integration_tests.sandbox import Row, Sandbox
from integration_tests.sandbox.data.inline import served
from integration_tests.sandbox.resources import RESOURCES
from integration_tests.sandbox.resources.model import Resource
from integration_tests.sandbox.rest.routes import find

Samples = Mapping[tuple[str, str], Any]
"""Values of the fields whose inside Vitally looks at, by object and field."""

EVENTS, MEMBERSHIPS = "events", "memberships"
"""What no resource of the REST API holds."""


def resource_of(entry: Object) -> Resource | None:
    """Return what the sandbox calls the rows of an object; None for what only the Analytics API has."""
    is_instance = entry.name == "custom_object/*"
    route = find("POST", "/customObjects/{id}/instances" if is_instance else entry.path)
    return RESOURCES[route[0].resource] if route else None


class World:
    """A workspace with one row of each kind, and a second one of each kind that others refer to."""

    def __init__(self, sandbox: Sandbox, entry: Object, is_there: bool, samples: Samples) -> None:
        """`is_there` says whether the row to be written is in Vitally before."""
        resource = resource_of(entry)
        self.name = entry.name.replace("*", "featureRequest")
        self.resource = resource.name if resource else {"event": EVENTS}.get(entry.name, MEMBERSHIPS)
        self._entry = entry
        self._writing = resource.writing if resource else None
        self._samples = samples
        self._workspace = sandbox.workspace
        prepare(sandbox)
        for name in ("organizations", "accounts", "users", "conversations", "meetings"):
            self._workspace.insert(name, {"externalId": f"other {name}", "name": "Other"})
        if self.resource == "meetingTranscripts" and is_there:
            self._workspace.insert(self.resource, {"meetingId": self._workspace.rows("meetings")[0]["id"]})
        self._before = self._rows()
        assert self._before or not is_there, (
            f"Insert a row of {self.resource} in prepare() of integration_tests/destination/cases.py."
        )
        self._old = self._before[0] if is_there else {}

    def sample(self, field: Field, *, nothing: bool = False) -> tuple[Any, Any]:
        """Return a value of a field, and what the row must hold then; `nothing` is 0 or false."""
        name = field.name
        if (self._entry.name, name) in self._samples:
            value = self._samples[self._entry.name, name]
        elif field.refers:
            target = resource_of(BY_NAME[field.refers])
            other = (target and self._workspace.find(target.name, f"other {target.name}")) or {}
            # Which paths take your id is up to the sandbox.
            given = other["id"] if target and target.ids == "id" else other["externalId"]
            stored = other["id"] if self._writing else other["externalId"]
            return ([given], [stored]) if field.kind is Kind.TEXTS else (given, stored)
        elif self._writing and name in self._writing.references:
            value = self._workspace.rows(self._writing.references[name])[-1]["id"]
        else:
            value = _samples(name, nothing)[field.kind]
        if field.kind is Kind.DATETIME:
            return value, STORED_TIME
        return value, value.lower() if name == "email" else value

    def current(self, name: str) -> Any:
        """Return what the record must say of the row as it is: its keys and parents, under your ids."""
        field = self._entry.field(name)
        if not self._old:
            return f"new {name}"
        if name == "source" or (name == "organizationId" and not self._old[name]):
            organization = self._workspace.rows("organizations")[0]
            self.preset({"source": "zapier"} if name == "source" else {name: organization["id"]})
        elif self._old.get(name) is None:
            self.preset({name: f"old {name}"})
        target = resource_of(BY_NAME[field.refers]) if field and field.refers else None
        parent = self._workspace.find(target.name, self._old[name]) if target else None
        return parent["externalId"] if parent else self._old[name]

    def preset(self, changes: Row) -> None:
        """Change the row that is there, before it is written."""
        self._old = self._workspace.update(self.resource, self._old["id"], changes)

    def row_after(self) -> Row:
        """Return the row as it is now, and what GET shows of it."""
        before = {row["id"] for row in self._before}
        own = self._old.get("id")
        [row] = [row for row in self._rows() if (row["id"] == own if own else row["id"] not in before)]
        if self.resource not in RESOURCES:
            return row
        return {**row, **served(self._workspace, RESOURCES[self.resource], row, detail=True)}

    def is_gone(self) -> bool:
        """Tell whether the row is no longer there, or archived."""
        return all(row["id"] != self._old["id"] or row.get("archivedAt") for row in self._rows())

    def _rows(self) -> list[Row]:
        if self.resource == EVENTS:
            return [{"id": event["messageId"], **event} for event in self._workspace.events]
        if self.resource == MEMBERSHIPS:
            accounts = {row["id"]: row["externalId"] for row in self._workspace.rows("accounts")}
            links = [(u["externalId"], accounts[i]) for u in self._workspace.rows("users") for i in u["accountIds"]]
            return [{"id": link, "userId": link[0], "accountId": link[1]} for link in links]
        return self._workspace.rows(self.resource)


def _samples(name: str, nothing: bool) -> dict[Kind, Any]:
    """A value of each kind."""
    return {
        Kind.TEXT: f"New {name}",
        Kind.NUMBER: 0 if nothing else 4,
        Kind.SCORE: 0 if nothing else 4,
        Kind.BOOLEAN: not nothing,
        Kind.DATETIME: TIME,
        Kind.DATE: TIME[:10],
        Kind.TEXTS: ["one", "two"],
        Kind.LIST: ["one"],
        Kind.OBJECT: {"one": 1},
    }
