"""What a record says of its values that did not survive their way to the destination (`meta.changes`)."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.destination.jobs import appended, sync
from integration_tests.destination.mirrored import Scene, said
from integration_tests.harness import Json, destination_config, record, state, write
from integration_tests.sandbox import Sandbox

NULLED, TRUNCATED = ("NULLED", "PLATFORM_SERIALIZATION_ERROR"), ("TRUNCATED", "SOURCE_FIELD_SIZE_LIMITATION")


def changed(row: Json, **changes: tuple[str, str]) -> Json:
    """Return a record in which some fields were changed on the way."""
    said = [{"field": name, "change": change, "reason": why} for name, (change, why) in changes.items()]
    row["record"]["meta"] = {"changes": said}
    return row


@pytest.mark.parametrize("keys", ["analytics_token", "secret_token"])
@pytest.mark.parametrize("policy", ["omit", "clear"])
@pytest.mark.parametrize(
    ("values", "changes"),
    [
        ({"name": None, "plan": None}, {"name": NULLED, "plan": NULLED}),
        ({}, {"name": NULLED, "plan": NULLED}),
        ({"name": "Ac", "plan": "pr"}, {"name": TRUNCATED, "plan": TRUNCATED}),
        ({"name": "Ac", "traits": {"plan": None}}, {"name": TRUNCATED, "traits.plan": NULLED}),
        ({"NAME": "Ac", "traits": {"plan": "p"}}, {"name": TRUNCATED, "traits": TRUNCATED}),
    ],
    ids=["null", "absent", "truncated", "of a member", "of them all"],
)
def test_a_value_that_was_changed_on_the_way_is_left_alone(
    sandbox: Sandbox, keys: str, policy: str, values: Json, changes: Any
) -> None:
    there = {"externalId": "a", "name": "Acme", "traits": {"plan": "pro"}}
    row = sandbox.workspace.insert("accounts", there)
    config = destination_config(sandbox, null_values=policy)
    del config["secret_token" if keys == "analytics_token" else "analytics_token"]
    sent = changed(record("accounts", {"externalId": "a", "size": 7, **values}), **changes)

    run = write(config, appended("accounts", "externalId", "name", "plan", "size"), [sent, state("accounts", 1)])

    assert run.counts("accounts")["accepted"] == 1, run.log
    left = sandbox.workspace.get("accounts", row["id"])
    assert (left["name"], left["traits"]) == ("Acme", {"plan": "pro", "size": 7})


@pytest.mark.parametrize("more", [{}, {"_ab_cdc_deleted_at": "2026-01-01T00:00:00Z"}], ids=["upsert", "delete"])
@pytest.mark.parametrize("field", ["externalId", "accountId"])
def test_a_key_or_a_reference_that_was_changed_is_a_rejection(sandbox: Sandbox, field: str, more: Json) -> None:
    account = sandbox.workspace.insert("accounts", {"externalId": "acme"})["id"]
    row = sandbox.workspace.insert("users", {"externalId": "u", "email": "u@example.com", "accountIds": [account]})
    data = {"externalId": "u", "email": "u@example.com", "accountId": "acme", "name": "New", **more}
    if field == "accountId" and more:
        return  # a delete needs no reference

    sent = changed(record("users", data), **{field: TRUNCATED})
    run = write(
        destination_config(sandbox, allow_deletes=True), appended("users", "externalId"), [sent, state("users", 1)]
    )

    assert run.states()[0]["destinationStats"] == {"recordCount": 0.0, "rejectedRecordCount": 1.0}
    name = "accountIds" if field == "accountId" else field
    assert f"{name} was truncated on its way here (SOURCE_FIELD_SIZE_LIMITATION)" in run.log
    assert sandbox.workspace.get("users", row["id"]) == row


def test_a_second_key_that_was_changed_is_left_alone(sandbox: Sandbox) -> None:
    account = sandbox.workspace.insert("accounts", {"externalId": "acme"})["id"]
    row = sandbox.workspace.insert("users", {"externalId": "u", "email": "u@example.com", "accountIds": [account]})
    sent = changed(record("users", {"externalId": "u", "email": "u@ex", "name": "New"}), email=TRUNCATED)

    run = write(destination_config(sandbox), appended("users", "externalId"), [sent, state("users", 1)])

    assert run.counts("users")["accepted"] == 1, run.log
    left = sandbox.workspace.get("users", row["id"])
    assert (left["email"], left["name"]) == ("u@example.com", "New")


@pytest.mark.parametrize("meta", [None, [], {"changes": None}, {"changes": ["name", {}, {"field": 7}]}], ids=str)
def test_what_is_no_change_changes_nothing(sandbox: Sandbox, meta: Any) -> None:
    sent = record("accounts", {"externalId": "a", "name": "Acme"})
    sent["record"]["meta"] = meta
    run = write(destination_config(sandbox), appended("accounts", "externalId"), [sent])
    assert run.counts("accounts")["accepted"] == 1, run.log
    [row] = sandbox.workspace.rows("accounts")
    assert row["name"] == "Acme"


def test_a_truncated_key_could_be_that_of_any_row(sandbox: Sandbox) -> None:
    """Given `k60`, which arrives as `k6`, when it is missing, then nothing is deleted."""
    scene = Scene(sandbox, there=["a", "k6", "k60"])
    run = sync(scene, messages=[scene.record("a"), changed(scene.record("k6"), externalId=TRUNCATED)])
    assert run.error is None, run.errors
    assert scene.left() == {"a", "k6", "k60"}
    assert "a row of stream table has no key, so it could be any" in said(run)
