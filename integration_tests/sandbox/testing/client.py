"""A plain client of the sandbox, for tests that look at a workspace from outside."""

from __future__ import annotations

from typing import Any

import requests

from integration_tests.sandbox.server import Sandbox
from integration_tests.sandbox.wire.messages import Row

TIMEOUT = 30


class Client:
    """Sends requests with the sandbox's own credentials; paths are relative to each API's base."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()

    def rest(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        return self.session.request(
            method,
            f"{self.sandbox.url}/resources/{path}",
            params=query,
            json=body,
            auth=(self.sandbox.rest_key, ""),
            timeout=TIMEOUT,
        )

    def get(self, path: str, **query: Any) -> Any:
        """Return the body of a GET that must succeed."""
        response = self.rest("GET", path, **query)
        assert response.status_code == 200, response.text
        return response.json()

    def scan(self, path: str, **query: Any) -> list[Row]:
        """Return every row of a list, page by page."""
        rows: list[Row] = []
        page = self.get(path, **query)
        while True:
            rows += page["results"]
            if page["next"] is None:
                return rows
            page = self.get(path, **{**query, "from": page["next"]})

    def analytics(self, path: str, body: Any) -> requests.Response:
        return self.session.post(
            f"{self.sandbox.url}/analytics/v1/{path}",
            json=body,
            headers={"Authorization": f"Basic {self.sandbox.analytics_token}"},
            timeout=TIMEOUT,
        )


def stored(sandbox: Sandbox, resource: str, **wanted: Any) -> list[Row]:
    """Return the stored rows with these values."""
    rows = sandbox.workspace.rows(resource)
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def ids(rows: list[Row]) -> set[str]:
    return {row["id"] for row in rows}


def tracked(sandbox: Sandbox) -> str:
    """Return the id of an account that every list shows."""
    return str(stored(sandbox, "accounts", untracked=False, churnedAt=None)[0]["id"])
