"""Data activation: rows matched by the key that was chosen, and by nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.destination.cases import ACC, INST, NOTE, USR, prepare
from integration_tests.harness import Run, destination_config, record, stream, write
from integration_tests.sandbox import Row, Sandbox


@pytest.fixture
def prepared(make_sandbox: Any) -> Sandbox:
    sandbox: Sandbox = make_sandbox(empty=True)
    prepare(sandbox)
    sandbox.workspace.update("users", USR, {"email": "ida@example.com"})
    return sandbox


def activate(sandbox: Sandbox, choice: tuple[str, str, list[str]], rows: list[Row], **settings: Any) -> Run:
    """Write rows as a person chose it: object, sync mode, matching key."""
    name, mode, key = choice
    activated = stream("rows", mode, destination_object_name=name, primary_key=[[part] for part in key])
    chosen = destination_config(sandbox, allow_deletes=True, **settings)
    return write(chosen, [activated], [record("rows", row) for row in rows])


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("account", {"externalId": "acct/1"}),
        ("account", {"id": ACC}),
        ("user", {"externalId": "user-1"}),
        ("user", {"id": USR}),
        ("user", {"email": "ida@example.com"}),
        ("custom_object/featureRequest", {"externalId": "inst-1"}),
        ("custom_object/featureRequest", {"id": INST}),
    ],
)
@pytest.mark.parametrize("mode", ["append_dedup", "update", "soft_delete"])
def test_a_row_is_matched_by_the_chosen_key(prepared: Sandbox, name: str, told: Row, mode: str) -> None:
    table, identifier, parent = {
        "account": ("accounts", ACC, {}),
        "user": ("users", USR, {"accountIds": "acct/1"}),
    }.get(name, ("instances", INST, {"customerId": "acct/1"}))
    row = told if mode == "soft_delete" else {**told, "name": "New", **parent}
    result = activate(prepared, (name, mode, list(told)), [row])
    assert result.error is None
    assert result.counts("rows")["accepted"] == 1, result.log
    assert [r["name"] for r in prepared.workspace.rows(table)] == ([] if mode == "soft_delete" else ["New"])
    assert (prepared.workspace.tables[table].get(identifier) is None) == (mode == "soft_delete")


@pytest.mark.parametrize(
    ("key", "row"),
    [
        ("id", {"id": USR, "externalId": "user-2", "name": "New"}),
        ("email", {"email": "ida@example.com", "externalId": "user-2", "name": "New"}),
    ],
)
def test_other_ids_in_the_row_do_not_match(prepared: Sandbox, key: str, row: Row) -> None:
    other = prepared.workspace.insert("users", {"externalId": "user-2", "name": "Other", "email": "other@example.com"})
    assert activate(prepared, ("user", "append_dedup", [key]), [row]).error is None
    assert prepared.workspace.get("users", USR)["name"] == "New"
    assert prepared.workspace.get("users", other["id"])["name"] == "Other"


def test_an_email_that_is_not_there_makes_a_user_once(prepared: Sandbox) -> None:
    row = {"email": "new@example.com", "externalId": "user-9", "accountIds": "acct/1", "name": "N"}
    result = activate(prepared, ("user", "append_dedup", ["email"]), [row, {**row, "name": "M"}])
    assert result.counts("rows")["accepted"] == 2, result.log
    [user] = [user for user in prepared.workspace.rows("users") if user["externalId"] == "user-9"]
    assert (user["name"], user["email"], user["accountIds"]) == ("M", "new@example.com", [ACC])


@pytest.mark.parametrize("mode", ["append_dedup", "update", "soft_delete"])
def test_an_email_of_several_users_is_a_rejection_with_a_remedy(prepared: Sandbox, mode: str) -> None:
    prepared.workspace.insert("users", {"externalId": "user-2", "email": "Ida@example.com"})
    prepared.workspace.update("users", USR, {"email": "Ida@example.com"})
    prepared.journal.clear()
    result = activate(prepared, ("user", mode, ["email"]), [{"email": "Ida@example.com", "name": "New"}])
    assert result.counts("rows")["rejected"] == 1
    assert "2 rows in Vitally have this email; match by externalId or id, or merge them in Vitally" in result.log
    assert {request.method for request in prepared.journal} == {"GET"}


def test_a_row_without_the_chosen_key_is_a_rejection(prepared: Sandbox) -> None:
    result = activate(prepared, ("user", "update", ["email"]), [{"id": USR, "name": "New"}])
    assert result.counts("rows")["rejected"] == 1
    assert "email is required to update" in result.log


@pytest.mark.parametrize(
    ("name", "row"),
    [("account", {"id": "00000000-0000-4000-8000-00000000ffff", "externalId": "acct-9", "name": "N"})],
)
def test_nothing_is_made_from_a_vitally_id_that_is_not_there(prepared: Sandbox, name: str, row: Row) -> None:
    result = activate(prepared, (name, "append_dedup", ["id"]), [row])
    assert result.counts("rows")["rejected"] == 1
    assert "Vitally has no row with this id" in result.log
    assert prepared.workspace.find("accounts", "acct-9") is None


def test_a_note_is_matched_by_externalid_below_its_account(prepared: Sandbox) -> None:
    row = {"externalId": "note-1", "accountId": "acct/1", "note": "New"}
    result = activate(prepared, ("note", "update", ["externalId"]), [row])
    assert result.counts("rows")["accepted"] == 1, result.log
    note = prepared.workspace.get("notes", NOTE)
    assert (note["note"], note["tags"]) == ("New", ["a", "b"])


@pytest.mark.parametrize("user", [{"userId": "user-1"}, {"userEmail": "ida@example.com"}])
def test_a_membership_is_matched_by_the_id_or_the_email_of_its_user(prepared: Sandbox, user: Row) -> None:
    row, key = {**user, "accountId": "acct/1"}, [*user, "accountId"]
    prepared.workspace.update("users", USR, {"accountIds": []})
    for mode, accounts in (("append_dedup", [ACC]), ("soft_delete", [])):
        result = activate(prepared, ("membership", mode, key), [row])
        assert result.counts("rows")["accepted"] == 1, result.log
        assert prepared.workspace.get("users", USR)["accountIds"] == accounts


@pytest.mark.parametrize(
    ("name", "mode", "key", "problem"),
    [
        ("acount", "append", [], "there is no object 'acount' in Vitally. Objects: organization, account"),
        ("account", "append_dedup", ["name"], "cannot be matched by name. Choose as matching key: externalId; or id"),
        ("account", "overwrite", ["id"], "sync mode overwrite is not possible"),
        ("project", "append_dedup", ["id"], "project has no upsert; possible: create, update, delete"),
        ("membership", "append_dedup", ["userId"], "Choose as matching key: userId and accountId"),
    ],
)
def test_a_wrong_choice_is_named_before_the_first_record(
    prepared: Sandbox, name: str, mode: str, key: list[str], problem: str
) -> None:
    result = activate(prepared, (name, mode, key), [{"name": "New"}])
    assert problem in str(result.error)
    assert len(prepared.journal) == 0


def test_matching_by_vitallys_ids_needs_the_rest_key(prepared: Sandbox) -> None:
    result = activate(prepared, ("account", "append_dedup", ["id"]), [{"id": ACC}], secret_token=None)
    assert "to upsert account, the REST API key (secret_token) is needed" in str(result.error)


def test_a_mapped_column_that_the_stream_does_not_have_is_named(prepared: Sandbox) -> None:
    mapping = {
        "stream": "dim",
        "object": "account",
        "fields": [{"field": "externalId", "column": "customer_id"}, {"field": "name", "column": "compny"}],
    }
    rows = stream("dim")
    rows["stream"]["json_schema"] = {"properties": {"customer_id": {}, "company": {}}}
    result = write(destination_config(prepared, mappings=[mapping]), [rows], [record("dim", {"customer_id": "x"})])
    assert "the mapping names column 'compny', which the stream does not have" in str(result.error)
    assert "Columns: company, customer_id" in str(result.error)
