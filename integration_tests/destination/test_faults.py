"""A network that fails: everything lands once, and what cannot be known is said."""

from __future__ import annotations

from typing import Any

import pytest
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from integration_tests.harness import QuickClock, destination_config, record, state, stream, write
from integration_tests.sandbox import Fault, Limits, Sandbox

WHEN = "2026-01-01T00:00:00Z"
FAULTS = {
    "busy": Fault(kind="status", status=429, headers={"Retry-After": "7"}),
    "busy by another clock": Fault(kind="status", status=429, headers={"X-RateLimit-Reset": "4102444800"}),
    "error": Fault(kind="status", status=500),
    "bad gateway": Fault(kind="html", status=502),
    "dropped before": Fault(kind="drop"),
    "dropped after": Fault(kind="drop_after"),
    "truncated": Fault(kind="truncate"),
    "not JSON": Fault(kind="not_json"),
    "a page of a proxy": Fault(kind="html", status=200),
    "a page without rows": Fault(kind="no_results"),
}


def fault(name: str, **changes: Any) -> Fault:
    return Fault(**{**vars(FAULTS[name]), **changes})


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("existing", ["update", "reject"])
def test_everything_lands_once_in_spite_of(sandbox: Sandbox, name: str, times: int, existing: Any) -> None:
    sandbox.switches.account_post_existing = existing
    sandbox.switches.note_post_existing = existing
    sandbox.switches.conversation_post_existing = existing
    paths = (
        "batch",
        "resources/accounts",
        "users",
        "notes",
        "tasks",
        "npsResponses",
        "conversations",
        "instances",
    )
    for path in paths:
        for method in ("POST", "PUT", "GET"):
            sandbox.faults.add(fault(name, path=path, method=method, times=times))
    creates = {"object": "account", "operation": "create", "other_columns": "traits"}
    settings = destination_config(sandbox, mappings=[{"stream": "new_accounts", **creates}])
    messages = [
        record("accounts", {"externalId": "a", "name": "A"}),
        record("new_accounts", {"externalId": "b", "name": "B"}),
        record("users", {"externalId": "u", "accountId": "a", "unsubscribedFromConversations": True}),
        record("notes", {"externalId": "n", "accountId": "a", "note": "N", "noteDate": WHEN}),
        record("tasks", {"externalId": "t", "accountId": "a", "name": "T"}),
        record("nps_responses", {"externalId": "r", "userId": "u", "score": 3, "respondedAt": WHEN}),
        record("conversations", {"externalId": "c", "subject": "C"}),
        record("events", {"event": "e", "id": 1, "accountId": "a"}),
        record("custom_object_feature_request", {"externalId": "i", "name": "I", "accountId": "a"}),
    ]
    names = [m["record"]["stream"] for m in messages]
    clock = QuickClock()

    result = write(settings, [stream(n) for n in names], [*messages, state("users", 1)], clock=clock)

    assert result.error is None
    assert result.state_ids == [1]
    for resource in ("users", "notes", "tasks", "npsResponses", "conversations", "instances"):
        assert len(sandbox.workspace.rows(resource)) == 1, resource
    assert len(sandbox.workspace.rows("accounts")) == 2
    assert len(sandbox.workspace.events) == 1
    assert [result.counts(n)["accepted"] for n in names] == [1] * len(names), result.log
    if name == "busy":
        assert max(clock.waits) >= 7


@pytest.mark.parametrize("name", ["dropped after", "error", "truncated", "not JSON"])
@pytest.mark.parametrize(
    ("object_name", "row"),
    [
        ("project", {"accountId": "a", "name": "P"}),
        ("note", {"accountId": "a", "note": "N", "noteDate": WHEN}),
        ("task", {"accountId": "a", "name": "T"}),
        ("nps_response", {"userId": "u", "score": 3, "respondedAt": WHEN}),
    ],
)
def test_a_create_that_cannot_be_repeated_is_reported_not_repeated(
    sandbox: Sandbox, object_name: str, row: dict[str, Any], name: str
) -> None:
    account = sandbox.workspace.insert("accounts", {"externalId": "a"})
    sandbox.workspace.insert("users", {"externalId": "u", "accountIds": [account["id"]]})
    template = sandbox.workspace.rows("projectTemplates")[0]["id"]
    sandbox.faults.add(fault(name, path="resources", method="POST"))
    settings = destination_config(
        sandbox, mappings=[{"stream": "rows", "object": object_name, "operation": "create", "other_columns": "traits"}]
    )
    if object_name == "project":
        row = {**row, "templateId": template}

    result = write(settings, [stream("rows")], [record("rows", row), state("rows", 1)])

    assert sandbox.journal.count(method="POST") == 1
    assert result.counts("rows")["rejected"] == 1
    assert "may or may not have created it" in result.log
    assert result.states()[0]["destinationStats"]["rejectedRecordCount"] == 1.0


def test_a_create_that_was_surely_not_made_is_made_again(sandbox: Sandbox) -> None:
    sandbox.workspace.insert("accounts", {"externalId": "a"})
    sandbox.faults.add(fault("busy", path="tasks"))
    settings = destination_config(
        sandbox, mappings=[{"stream": "tasks", "object": "task", "operation": "create", "other_columns": "traits"}]
    )

    row = record("tasks", {"name": "T", "accountId": "a"})

    result = write(settings, [stream("tasks")], [row])

    assert result.counts("tasks")["accepted"] == 1


def test_an_outage_of_two_minutes_is_outlasted(sandbox: Sandbox) -> None:
    clock = QuickClock()
    fault_ = sandbox.faults.add(fault("error", path="batch", times=None))

    def over(seconds: float) -> None:
        QuickClock.wait(clock, seconds)
        if clock.monotonic() > 120:
            fault_.times = 0

    clock.wait = over  # type: ignore[method-assign]

    result = write(
        destination_config(sandbox),
        [stream("accounts")],
        [record("accounts", {"externalId": "a", "name": "A"})],
        clock=clock,
    )

    assert result.error is None
    assert len(sandbox.workspace.rows("accounts")) == 1


def test_an_outage_without_end_is_a_transient_error_and_gives_no_state(sandbox: Sandbox) -> None:
    sandbox.faults.add(fault("error", path="batch", times=None))
    messages = [record("accounts", {"externalId": "a", "name": "A"}), state("accounts", 1)]

    result = write(destination_config(sandbox), [stream("accounts")], messages)

    assert isinstance(result.error, AirbyteTracedException)
    assert result.error.failure_type.value == "transient_error"
    assert "HTTP 500" in str(result.error.message)
    assert result.states() == []
    assert "1 without outcome" in result.summary["accounts"]


@pytest.mark.parametrize(
    "dialect", ["ratelimit", "x-ratelimit", "x-ratelimit-epoch", "retry-after", "retry-after-date", "none"]
)
@pytest.mark.parametrize("write_cost", [1, 5])
def test_the_budget_of_the_server_is_followed_in_every_dialect(dialect: Any, write_cost: int) -> None:
    clock = QuickClock()
    limits = Limits(requests_per_minute=60, write_cost=write_cost, dialect=dialect, monotonic=clock.monotonic)
    rows = [record("organizations", {"externalId": f"o{n}", "name": "O"}) for n in range(80)]
    with Sandbox(empty=True, limits=limits) as sandbox:
        settings = destination_config(sandbox, requests_per_minute=1000, num_workers=1)
        del settings["analytics_token"]

        result = write(settings, [stream("organizations")], rows, clock=clock)

        assert result.error is None
        assert result.counts("organizations")["accepted"] == 80
        refused = sum(request.status == 429 for request in sandbox.journal)
        if dialect in ("ratelimit", "x-ratelimit", "x-ratelimit-epoch"):
            assert refused <= 80 // 10


def test_a_wrong_address_is_a_config_error(sandbox: Sandbox) -> None:
    sandbox.faults.add(fault("error", path="batch", status=404, times=None))

    result = write(
        destination_config(sandbox), [stream("accounts")], [record("accounts", {"externalId": "a", "name": "A"})]
    )

    assert isinstance(result.error, AirbyteTracedException)
    assert "Check Data center (data_center)" in str(result.error.message)
