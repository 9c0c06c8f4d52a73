"""What Vitally refuses: bad rows stand alone, blocked types are named, keys are never blamed on records."""

from __future__ import annotations

from typing import Any

import pytest
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from integration_tests.harness import Json, destination_config, record, state, stream, write
from integration_tests.sandbox import Fault, Sandbox

ACCOUNTS = [stream("accounts")]


def accounts(count: int, bad: set[int]) -> list[dict[str, Any]]:
    """Accounts of which some name an organization that is not there."""
    return [
        record(
            "accounts",
            {
                "externalId": f"a{n}",
                "name": "secret-name",
                **({"organizationId": "nowhere"} if n in bad else {}),
            },
        )
        for n in range(count)
    ]


def batches_only(sandbox: Sandbox) -> Json:
    """Return settings with which nobody can know beforehand what Vitally will refuse."""
    settings = destination_config(sandbox)
    del settings["secret_token"]
    return settings


@pytest.mark.parametrize("bad", [0, 37, 99])
def test_one_bad_row_in_a_batch_stands_alone(sandbox: Sandbox, bad: int) -> None:
    sandbox.switches.orphans = "reject"

    result = write(batches_only(sandbox), ACCOUNTS, [*accounts(100, {bad}), state("accounts", 1)])

    assert len(sandbox.workspace.rows("accounts")) == 99
    assert sandbox.journal.count("batch") <= 1 + 14
    assert result.states()[0]["destinationStats"] == {"recordCount": 99.0, "rejectedRecordCount": 1.0}
    assert f"line {bad + 1}: account 'a{bad}': Vitally refused it: Message 0: organizationId: no such row" in result.log
    assert "secret-name" not in result.log


def test_ten_bad_rows_in_a_thousand(sandbox: Sandbox) -> None:
    sandbox.switches.orphans = "reject"
    bad = {3, 4, 5, 150, 251, 352, 453, 999, 800, 801}

    result = write(batches_only(sandbox), ACCOUNTS, accounts(1000, bad))

    assert result.error is None
    assert len(sandbox.workspace.rows("accounts")) == 990
    assert result.counts("accounts")["rejected"] == 10


def test_a_bad_later_row_does_not_take_the_good_earlier_one_with_it(sandbox: Sandbox) -> None:
    sandbox.switches.orphans = "reject"
    sandbox.workspace.insert("organizations", {"externalId": "o"})
    # By its id and without a REST key: nobody can know that Vitally has no such custom field.
    name = f"custom_object/{sandbox.workspace.rows('customObjects')[0]['id']}"
    sandbox.workspace.insert("accounts", {"externalId": "a"})
    good = {"externalId": "i", "name": "I", "accountId": "a", "vitally.custom.stage": "Won"}

    result = write(
        destination_config(sandbox, secret_token=None),
        [stream(name)],
        [record(name, good), record(name, {**good, "traits": {"unknown.trait": 1}})],
    )

    assert result.error is None
    assert sandbox.workspace.rows("instances")[0]["traits"] == {"vitally.custom.stage": "Won"}
    assert (result.counts(name)["accepted"], result.counts(name)["rejected"]) == (1, 1)


def test_a_blocked_type_is_named_and_nothing_of_it_is_accepted(sandbox: Sandbox) -> None:
    sandbox.switches.blocked_types = frozenset({"track"})
    sandbox.workspace.insert("accounts", {"externalId": "a"})
    events = [record("events", {"event": "e", "id": n, "accountId": "a"}) for n in range(250)]
    messages = [record("accounts", {"externalId": "a", "name": "A"}), *events, state("events", 1)]

    result = write(destination_config(sandbox), [*ACCOUNTS, stream("events")], messages)

    assert isinstance(result.error, AirbyteTracedException)
    assert "blocks 'track' messages" in str(result.error.message)
    assert result.error.failure_type.value == "config_error"
    assert result.counts("events")["accepted"] == 0
    assert result.states() == []


def test_a_type_refused_without_exception_ends_the_sync(sandbox: Sandbox) -> None:
    """Vitally's words for a blocked type are not published, so they need not hold the word."""
    sandbox.faults.add(Fault(path="batch", kind="status", status=400, body={"error": "No."}, times=None))

    result = write(destination_config(sandbox), ACCOUNTS, accounts(1000, set()))

    assert isinstance(result.error, AirbyteTracedException)
    assert "every one of 100 'account' messages" in str(result.error.message)
    assert result.counts("accounts")["accepted"] == 0


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(("path", "setting"), [("batch", "analytics_token"), ("resources", "secret_token")])
def test_a_refused_key_is_a_config_error_and_never_bisected(
    sandbox: Sandbox, status: int, path: str, setting: str
) -> None:
    sandbox.faults.add(Fault(path=path, kind="status", status=status, times=None))
    messages = [*accounts(100, set()), record("tasks", {"externalId": "t", "name": "T", "accountId": "a1"})]

    result = write(destination_config(sandbox, num_workers=1), [*ACCOUNTS, stream("tasks")], messages)

    assert isinstance(result.error, AirbyteTracedException)
    assert setting in str(result.error.message)
    assert sandbox.journal.count(path) == 1
    assert result.states() == []


@pytest.mark.parametrize("before", [0, 5])
def test_on_rejected_fail_stops_and_gives_no_state_past_the_bad_row(sandbox: Sandbox, before: int) -> None:
    messages = [
        *accounts(before, set()),
        state("accounts", 1),
        record("accounts", {"name": "no id"}),
        state("accounts", 2),
        *accounts(5, set()),
        state("accounts", 3),
    ]

    result = write(destination_config(sandbox, on_rejected="fail"), ACCOUNTS, messages)

    assert isinstance(result.error, AirbyteTracedException)
    assert "externalId is required" in str(result.error.message)
    assert result.state_ids == ([] if before else [1]), "what waits for a batch has no outcome"


def test_words_of_vitally_are_passed_on_without_values_of_the_record(sandbox: Sandbox) -> None:
    sandbox.workspace.insert("accounts", {"externalId": "a"})
    note = {"note": "N", "noteDate": "2026-01-01", "accountId": "a", "authorId": "private-author-id"}

    result = write(destination_config(sandbox), [stream("notes")], [record("notes", {**note, "externalId": "n"})])

    assert "authorId: no such row in admins: ***" in result.log
    assert "private-author-id" not in result.log


def test_a_refused_update_says_why(sandbox: Sandbox) -> None:
    sandbox.workspace.insert("meetings", {"externalId": "m", "title": "M", "archivedAt": "2026-01-01T00:00:00.000Z"})
    settings = destination_config(
        sandbox, mappings=[{"stream": "rows", "object": "meeting", "operation": "update", "other_columns": "traits"}]
    )

    result = write(settings, [stream("rows")], [record("rows", {"externalId": "m", "title": "X"})])

    assert result.counts("rows")["rejected"] == 1
    assert "An archived meeting cannot be updated." in result.log


def test_updates_and_deletes_of_what_is_not_there_are_skipped(sandbox: Sandbox) -> None:
    for status in (404, 200):
        sandbox.switches.not_found_status = status
        for operation in ("update", "delete"):
            settings = destination_config(
                sandbox,
                allow_deletes=True,
                mappings=[{"stream": "rows", "object": "account", "operation": operation, "other_columns": "traits"}],
            )
            result = write(settings, [stream("rows")], [record("rows", {"externalId": "x", "name": "X"})])
            assert result.counts("rows")["skipped"] == 1


@pytest.mark.parametrize("key", ["..", "a/../b", "%2e%2e", "a%2F..%2Fb"])
@pytest.mark.parametrize("field", ["id", "externalId"])
def test_a_delete_whose_id_could_lead_to_another_row_is_refused(sandbox: Sandbox, field: str, key: str) -> None:
    sandbox.workspace.insert("accounts", {"externalId": "b", "name": "B"})
    settings = destination_config(
        sandbox,
        allow_deletes=True,
        mappings=[{"stream": "gone", "object": "account", "operation": "delete", "other_columns": "traits"}],
    )
    result = write(settings, [stream("gone")], [record("gone", {field: key}), state("gone", 1)])
    assert result.counts("gone")["rejected"] == 1, result.log
    assert [request for request in sandbox.journal if request.method == "DELETE"] == []
    assert len(sandbox.workspace.rows("accounts")) == 1
