"""Others at work: rows that are made between two requests, rows that are merged, answers that are lost afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.sandbox import Fault, Maker, Sandbox, merge
from integration_tests.sandbox.testing.client import Client, stored

ACCOUNT = {"externalId": "new", "name": "New"}


def creates(sandbox: Sandbox) -> Any:
    return lambda _: sandbox.workspace.insert("accounts", {"externalId": "new", "name": "Another's"})


@pytest.mark.parametrize(("when", "status", "count"), [("before", 400, 1), ("after", 200, 2)])
def test_another_maker_acts_next_to_a_request(
    sandbox: Sandbox, client: Client, when: Any, status: int, count: int
) -> None:
    sandbox.makers.add(Maker(creates(sandbox), path="accounts$", method="POST", when=when))
    assert client.rest("GET", "accounts").status_code == 200
    assert client.rest("POST", "accounts", ACCOUNT).status_code == status
    assert len(stored(sandbox, "accounts", externalId="new")) == count


def test_another_maker_passes_some_requests_and_stops(sandbox: Sandbox, client: Client) -> None:
    seen: list[str] = []
    sandbox.makers.add(Maker(lambda request: seen.append(request.path), skip=1, times=2))
    for path in ("accounts", "users", "notes", "tasks"):
        client.get(path)
    assert seen == ["/resources/users", "/resources/notes"]
    sandbox.makers.clear()
    client.get("accounts")
    assert len(seen) == 2


def test_another_maker_may_send_requests(sandbox: Sandbox, client: Client) -> None:
    other = Client(sandbox)
    sandbox.makers.add(Maker(lambda _: other.rest("POST", "accounts", ACCOUNT), path="notes"))
    client.get("notes")
    assert len(stored(sandbox, "accounts", externalId="new")) == 1


@pytest.mark.parametrize(("kind", "names"), [("status", ["Another's"]), ("status_after", ["New", "Another's"])])
def test_an_answer_is_lost_while_another_makes_the_row(
    sandbox: Sandbox, client: Client, kind: Any, names: list[str]
) -> None:
    sandbox.faults.add(Fault(path="accounts$", method="POST", kind=kind, status=502))
    sandbox.makers.add(Maker(creates(sandbox), path="accounts$", method="POST", when="after"))
    assert client.rest("POST", "accounts", ACCOUNT).status_code == 502
    assert [row["name"] for row in stored(sandbox, "accounts", externalId="new")] == names
    assert [(request.status, request.fault) for request in sandbox.journal] == [(502, kind)]


@pytest.fixture
def merged(sandbox: Sandbox) -> dict[str, str]:
    """An account `old` that was merged into `new`, with a note and a user; their ids."""
    insert = sandbox.workspace.insert
    ids = {key: insert("accounts", {"externalId": key, "name": key})["id"] for key in ("old", "new")}
    insert("notes", {"externalId": "note", "accountId": ids["old"]})
    insert("users", {"externalId": "user", "accountIds": [ids["old"], ids["new"]]})
    merge(sandbox.workspace, "accounts", ids["old"], ids["new"])
    return ids


def test_by_its_old_ids_rest_shows_what_a_row_was_merged_into(
    sandbox: Sandbox, client: Client, merged: dict[str, str]
) -> None:
    for key in ("old", merged["old"]):
        assert client.get(f"accounts/{key}")["id"] == merged["new"]
    assert client.rest("PUT", "accounts/old", {"name": "written"}).json()["externalId"] == "new"
    sandbox.switches.merged_ids = "unknown"
    assert client.rest("GET", "accounts/old").status_code == 404


def test_an_old_id_is_no_reference_and_no_id_of_messages(
    sandbox: Sandbox, client: Client, merged: dict[str, str]
) -> None:
    note = {"note": "N", "noteDate": "2026-01-01T00:00:00Z"}
    assert client.rest("POST", "notes", {**note, "accountId": merged["old"]}).status_code == 400
    message = {"userId": "u", "accountId": "old", "traits": {}, "timestamp": "2026-01-01T00:00:00Z"}
    assert client.analytics("user", message).status_code == 200
    assert sandbox.workspace.find("users", "u") is None


def test_what_belonged_to_a_merged_row_belongs_to_the_other(sandbox: Sandbox, merged: dict[str, str]) -> None:
    assert [row["accountId"] for row in stored(sandbox, "notes", externalId="note")] == [merged["new"]]
    assert [row["accountIds"] for row in stored(sandbox, "users", externalId="user")] == [[merged["new"]]]


def test_one_trait_of_a_message_may_come_to_nothing(sandbox: Sandbox, client: Client) -> None:
    sandbox.switches.drops_value = lambda message, path: path == "b"
    message = {"accountId": "new", "traits": {"a": 1, "b": 2}, "timestamp": "2026-01-01T00:00:00Z"}
    assert client.analytics("account", message).status_code == 200
    [row] = stored(sandbox, "accounts", externalId="new")
    assert row["traits"] == {"a": 1}
