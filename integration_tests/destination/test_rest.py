"""What is particular to REST: ids to look up, tags that would be lost, rows that may be overlooked."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.destination.cases import ACC, CONV, NOTE, NPS, ORG, TASK, TIME, prepare
from integration_tests.harness import Run, destination_config, record, stream, write
from integration_tests.sandbox import Fault, Sandbox


@pytest.fixture
def prepared(sandbox: Sandbox) -> Sandbox:
    prepare(sandbox)
    return sandbox


def send(sandbox: Sandbox, name: str, operation: str, *rows: dict[str, Any], **settings: Any) -> Run:
    mapping = {"stream": "rows", "object": name, "operation": operation, "other_columns": "traits"}
    chosen = destination_config(sandbox, mappings=[mapping], allow_deletes=True, **settings)
    result = write(chosen, [stream("rows")], [record("rows", row) for row in rows])
    assert result.unforeseen is None
    return result


def test_a_parent_is_looked_up_once(prepared: Sandbox) -> None:
    tasks = [{"externalId": f"t{n}", "name": "T", "accountId": "acct/1"} for n in range(20)]
    send(prepared, "task", "upsert", *tasks, num_workers=1)
    assert prepared.journal.count(r"/accounts/acct%2F1$", method="GET") == 1


def test_a_parent_may_be_given_by_either_id(prepared: Sandbox) -> None:
    send(prepared, "task", "upsert", *({"externalId": k, "name": "T", "accountId": k} for k in ("acct/1", ACC)))
    assert [t["accountId"] for t in prepared.workspace.rows("tasks")][-2:] == [ACC, ACC]


def test_a_parent_that_is_not_there_is_a_rejection(prepared: Sandbox) -> None:
    result = send(prepared, "task", "create", {"name": "T", "accountId": "nobody"})
    assert result.counts("rows")["rejected"] == 1
    assert "task: accountId: Vitally has no account with this id" in result.log
    assert prepared.journal.count("tasks") == 0


@pytest.mark.parametrize("wipes", [True, False])
@pytest.mark.parametrize(("name", "identifier"), [("note", NOTE), ("task", TASK)])
def test_tags_survive_an_update_that_does_not_mention_them(
    prepared: Sandbox, name: str, identifier: str, wipes: bool
) -> None:
    prepared.switches.put_without_tags_wipes = wipes
    send(prepared, name, "update", {"id": identifier, "traits": {}})
    assert prepared.workspace.get(f"{name}s", identifier)["tags"] == ["a", "b"]
    send(prepared, name, "update", {"id": identifier, "tags": ["c"]})
    assert prepared.workspace.get(f"{name}s", identifier)["tags"] == ["c"]


@pytest.mark.parametrize("wipes", [True, False])
@pytest.mark.parametrize("name", ["note", "task"])
def test_tags_survive_an_upsert_that_does_not_mention_them(prepared: Sandbox, name: str, wipes: bool) -> None:
    prepared.switches.put_without_tags_wipes = wipes
    row = {"externalId": f"{name}-1", "accountId": "acct/1", "subject" if name == "note" else "name": "New"}
    send(prepared, name, "upsert", row)
    assert prepared.workspace.get(f"{name}s", {"note": NOTE, "task": TASK}[name])["tags"] == ["a", "b"]


@pytest.mark.parametrize("name", ["note", "task"])
def test_an_external_id_addresses_a_note_or_task_only_with_its_source(prepared: Sandbox, name: str) -> None:
    identifier = {"note": NOTE, "task": TASK}[name]
    prepared.workspace.update(f"{name}s", identifier, {"source": "hubspot"})
    row = {"externalId": f"{name}-1", "tags": ["new"]}

    result = send(prepared, name, "update", row)
    assert result.counts("rows")["rejected"] == 1
    assert "map Vitally's id to id, or accountId or organizationId along with externalId" in result.log
    assert send(prepared, name, "update", {**row, "source": "hubspot"}).counts("rows")["accepted"] == 1
    assert prepared.workspace.get(f"{name}s", identifier)["tags"] == ["new"]
    by_parent = {**row, "accountId": "acct/1", "tags": ["newer"]}
    assert send(prepared, name, "update", by_parent).counts("rows")["accepted"] == 1
    nobody = {**by_parent, "externalId": "nobody"}
    assert send(prepared, name, "update", nobody).counts("rows")["skipped"] == 1


@pytest.mark.parametrize(
    ("name", "resource", "row"),
    [
        ("conversation", "conversations", {"externalId": "conv-1"}),
        ("nps_response", "npsResponses", {"externalId": "nps-1"}),
    ],
)
def test_a_miss_by_an_unproven_address_is_not_taken_for_an_absence(
    prepared: Sandbox, name: str, resource: str, row: dict[str, str]
) -> None:
    result = send(prepared, name, "delete", row)
    assert result.counts("rows")["rejected"] == 1
    assert "not found by externalId; to delete it, map Vitally's id to id" in result.log
    prepared.switches.also_by_external_id = frozenset({resource})
    assert send(prepared, name, "delete", row).counts("rows")["accepted"] == 1
    gone = {"id": {"conversation": CONV, "nps_response": NPS}[name]}
    assert send(prepared, name, "delete", gone).counts("rows")["skipped"] == 1


def test_nulls_are_left_or_removed_as_asked(prepared: Sandbox) -> None:
    row = {"externalId": "acct/1", "organizationId": None, "plan": None, "kept": 1}
    send(prepared, "account", "update", row)
    account = prepared.workspace.get("accounts", ACC)
    assert (account["organizationId"], account["traits"]) == (ORG, {"kept": 1, "plan": "a"})
    send(prepared, "account", "update", row, null_values="clear")
    account = prepared.workspace.get("accounts", ACC)
    assert (account["organizationId"], account["traits"]) == (None, {"kept": 1})


def test_nulls_are_removed_by_the_analytics_api_too(prepared: Sandbox) -> None:
    row = {"externalId": "acct/1", "name": "Acme", "plan": None}
    write(destination_config(prepared, null_values="clear"), [stream("accounts")], [record("accounts", row)])
    assert prepared.workspace.get("accounts", ACC)["traits"] == {"kept": 1}


def test_many_notes_below_one_account_are_looked_up_once(prepared: Sandbox) -> None:
    notes = [{"externalId": f"n{n}", "note": "N", "noteDate": TIME, "accountId": "acct/1"} for n in [*range(30), 5, 6]]
    send(prepared, "note", "upsert", *notes, num_workers=1)
    assert len(prepared.workspace.rows("notes")) == 31
    assert prepared.journal.count("/notes$", method="GET") == 1
    assert prepared.journal.count("/notes", method="PUT") == 2


def test_long_lists_are_read_to_their_end(prepared: Sandbox) -> None:
    for n in range(250):
        prepared.workspace.insert("notes", {"externalId": f"old {n}", "accountId": ACC, "note": "N"})
    for n in range(0, 250, 50):
        send(prepared, "note", "upsert", {"externalId": f"old {n}", "accountId": "acct/1", "note": "new"})
    assert len(prepared.workspace.rows("notes")) == 251


@pytest.mark.parametrize("way", ["refused", "repeated"])
def test_a_list_that_does_not_end_proves_no_absence(prepared: Sandbox, way: str) -> None:
    for n in range(150):
        prepared.workspace.insert("notes", {"externalId": f"old {n}", "accountId": ACC, "note": "N"})
    if way == "refused":
        prepared.faults.add(Fault(path="/notes$", method="GET", kind="status", status=400, skip=1, times=None))
    prepared.switches.repeat_cursor = way == "repeated"
    row = {"externalId": "old 0", "accountId": "acct/1", "note": "new", "noteDate": TIME}
    result = send(prepared, "note", "upsert", row)
    assert result.counts("rows")["rejected"] == 1
    assert "Vitally does not list " in result.log
    assert prepared.journal.count("/notes", method="POST") == 0
