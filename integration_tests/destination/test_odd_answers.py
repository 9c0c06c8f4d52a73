"""One odd answer: it costs the row it is about, never the sync, and never a second row."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from integration_tests.harness import QuickClock, Run, destination_config, record, state, stream, write
from integration_tests.sandbox import Fault, Reply, Request, Sandbox
from integration_tests.sandbox.wire.messages import ApiError

WHEN = "2026-01-01T00:00:00Z"
PAGE = "<html><body>Request blocked by Example Firewall</body></html>"


def poison(sandbox: Sandbox, mark: str, status: int = 500, error: Any = "Internal error.") -> None:
    """Answer each batch with a message that holds `mark` badly."""
    handle = sandbox.analytics.handle

    def handled(request: Request, path: str) -> Reply:
        if mark in json.dumps(request.body):
            raise ApiError(status, error)
        return handle(request, path)

    sandbox.analytics.handle = handled  # type: ignore[method-assign]


def accounts(*keys: str, **more: Any) -> list[dict[str, Any]]:
    return [record("accounts", {"externalId": key, "name": "N", **more}) for key in keys]


def keys_of(sandbox: Sandbox, resource: str = "accounts") -> list[str]:
    return sorted(row["externalId"] for row in sandbox.workspace.rows(resource))


GOOD = [f"a{number:03}" for number in range(250)]


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("status", [500, 503, 408, 409, 423, 425])
@pytest.mark.parametrize("place", [0, 50, 99, 249])
def test_a_row_that_alone_fails_is_rejected_and_the_others_land(
    sandbox: Sandbox, status: int, place: int, workers: int
) -> None:
    poison(sandbox, "unwelcome", status)
    keys = [*GOOD[:place], "unwelcome", *GOOD[place:]]

    result = write(
        destination_config(sandbox, num_workers=workers),
        [stream("accounts")],
        [*accounts(*keys), state("accounts", 1)],
    )

    assert result.error is None
    assert keys_of(sandbox) == GOOD
    assert result.counts("accounts")["rejected"] == 1
    assert f"account 'unwelcome': Vitally refused it: HTTP {status} (Internal error.), again and again" in result.log
    assert result.state_ids == [1]


def test_the_first_batch_of_all_is_taken_apart_when_some_of_it_is_taken(sandbox: Sandbox) -> None:
    poison(sandbox, "unwelcome")
    clock = QuickClock()
    result = write(
        destination_config(sandbox), [stream("accounts")], accounts(*GOOD[:60], "unwelcome", *GOOD[60:99]), clock=clock
    )
    assert result.error is None
    assert keys_of(sandbox) == GOOD[:99]
    assert clock.monotonic() < 500


def test_an_outage_that_begins_in_the_middle_is_none_of_the_rows_fault(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path="batch", status=503, times=None, skip=2))
    messages = [*accounts(*GOOD[:200]), state("accounts", 1), *accounts(*GOOD[200:]), state("accounts", 2)]
    result = write(destination_config(sandbox, num_workers=1), [stream("accounts")], messages)
    assert isinstance(result.error, AirbyteTracedException)
    assert result.error.failure_type.value == "transient_error"
    assert result.counts("accounts")["rejected"] == 0
    assert 2 not in result.state_ids


def rest(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    settings = destination_config(sandbox, num_workers=1, **more)
    del settings["analytics_token"]
    return settings


@pytest.mark.parametrize("kind", ["status", "drop"])
def test_a_row_that_rest_never_answers_well_is_rejected(sandbox: Sandbox, kind: Any) -> None:
    sandbox.faults.add(Fault(path="organizations/bad$", kind=kind, times=None))
    mappings = [{"stream": "rows", "object": "organization", "operation": "update", "other_columns": "traits"}]
    for key in ("a", "bad", "b"):
        sandbox.workspace.insert("organizations", {"externalId": key, "name": "Old"})
    rows = [record("rows", {"externalId": key, "name": "New"}) for key in ("a", "bad", "b")]
    result = write(rest(sandbox, mappings=mappings), [stream("rows")], [*rows, state("rows", 1)])
    assert result.error is None
    assert [row["name"] for row in sandbox.workspace.rows("organizations")] == ["New", "Old", "New"]
    assert (result.counts("rows")["accepted"], result.counts("rows")["rejected"]) == (2, 1)
    assert result.state_ids == [1]


def test_a_kind_of_request_that_never_succeeds_is_an_outage(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path="/tasks$", method="POST", status=503, times=None))
    sandbox.workspace.insert("accounts", {"externalId": "a"})
    rows = [record("tasks", {"externalId": f"t{n}", "name": "T", "accountId": "a"}) for n in range(20)]
    result = write(rest(sandbox), [stream("tasks")], [*rows, state("tasks", 1)])
    assert isinstance(result.error, AirbyteTracedException)
    assert result.error.failure_type.value == "transient_error"
    assert result.counts("tasks")["rejected"] <= 3
    assert result.state_ids == []


@pytest.mark.parametrize("status", [408, 409, 423, 425])
def test_what_passes_by_itself_is_waited_for(sandbox: Sandbox, status: int) -> None:
    sandbox.faults.add(Fault(status=status, times=4))
    rows = [record("organizations", {"externalId": "o", "name": "O"}), state("organizations", 1)]
    result = write(rest(sandbox), [stream("organizations")], rows)
    assert result.counts("organizations")["accepted"] == 1
    assert keys_of(sandbox, "organizations") == ["o"]


@pytest.mark.parametrize("place", [0, 1, 50, 99])
@pytest.mark.parametrize(
    "error", ["trait 'blocked_seats' must be a number", "trait 'blocked' must be a number", {"message": "ad block"}]
)
def test_the_word_block_about_a_row_blocks_no_type(sandbox: Sandbox, place: int, error: Any) -> None:
    poison(sandbox, "unwelcome", 400, error)
    keys = [*GOOD[:place], "unwelcome", *GOOD[place:99]]
    result = write(destination_config(sandbox), [stream("accounts")], accounts(*keys))
    assert result.error is None
    assert keys_of(sandbox) == GOOD[:99]


def test_a_word_with_block_in_it_blocks_no_type_even_of_the_only_row(sandbox: Sandbox) -> None:
    poison(sandbox, "unwelcome", 400, "trait 'blocked_seats' must be a number")
    result = write(destination_config(sandbox), [stream("accounts")], accounts("unwelcome"))
    assert result.unforeseen is None
    assert result.counts("accounts")["rejected"] == 1


def test_a_firewall_that_refuses_one_request_is_not_the_key(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path="organizations$", method="POST", kind="html", status=403, body=PAGE, skip=1))
    rows = [record("organizations", {"externalId": key, "name": "O"}) for key in "abc"]
    result = write(rest(sandbox), [stream("organizations")], [*rows, state("organizations", 1)])
    assert result.error is None
    assert keys_of(sandbox, "organizations") == ["a", "c"]
    assert "HTTP 403 with a page instead of an answer" in result.log


def test_a_firewall_that_refuses_everything_ends_the_sync(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path="organizations$", kind="html", status=403, body=PAGE, times=None, skip=1))
    rows = [record("organizations", {"externalId": f"o{n}", "name": "O"}) for n in range(100)]
    result = write(rest(sandbox), [stream("organizations")], [*rows, state("organizations", 1)])
    assert "config_error" in result.failure_types
    assert result.state_ids == []


UNTELLING: dict[str, Fault] = {
    **{f"{status}": Fault(status=status, body={"error": "No."}) for status in (400, 405, 410, 413, 422)},
    "404 page": Fault(kind="html", status=404, body=PAGE),
    "404 empty": Fault(status=404, body=""),
    "404 text": Fault(status=404, body="not here"),
    "403 page": Fault(kind="html", status=403, body=PAGE),
    "500": Fault(status=500),
    "200 errors": Fault(status=200, body={"errors": [{"message": "No."}]}),
    "200 success": Fault(status=200, body={"success": False}),
    "200 other": Fault(status=200, body={"results": [{"name": "without id"}]}),
    "200 text": Fault(status=200, body="OK"),
    "200 null": Fault(status=200, body="null"),
}
LOOKED_UP: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "account": ("create", "/accounts/known$", {"externalId": "known", "name": "N"}, "accounts"),
    "account by PUT": ("upsert", "/accounts/known$", {"externalId": "known", "name": "N"}, "accounts"),
    "user": ("create", "/users/known$", {"externalId": "known", "accountId": "known"}, "users"),
    "user by email": ("upsert", "/users/search", {"email": "ida@example.com", "accountId": "known"}, "users"),
    "instance": (
        "upsert", "/instances/search", {"externalId": "known", "name": "N", "accountId": "known"}, "instances",
    ),
    "note": ("upsert", "/accounts/[^/]+/notes", {"externalId": "known", "accountId": "known"}, "notes"),
    "task": ("upsert", "/accounts/[^/]+/tasks", {"externalId": "known", "accountId": "known", "name": "N"}, "tasks"),
    "meeting": ("create", "/meetings/known", {"externalId": "known", "title": "T", "participants": [{}]}, "meetings"),
    "conversation": ("create", "/conversations$", {"externalId": "known", "subject": "S"}, "conversations"),
}  # fmt: skip


def everything_known(sandbox: Sandbox) -> None:
    """A row of each kind that is known, in a workspace that makes doubles of everything."""
    switches = sandbox.switches
    for name in ("account", "note", "conversation", "meeting"):
        setattr(switches, f"{name}_post_existing", "duplicate")
    insert = sandbox.workspace.insert
    account = insert("accounts", {"externalId": "known", "name": "Old"})["id"]
    insert("users", {"externalId": "known", "email": "ida@example.com", "accountIds": [account]})
    definition = next(r["id"] for r in sandbox.workspace.rows("customObjects") if r["name"] == "featureRequest")
    insert("instances", {"externalId": "known", "customerId": account, "customObjectId": definition})
    insert("notes", {"externalId": "known", "accountId": account, "note": "Old", "noteDate": WHEN, "tags": ["t"]})
    insert("tasks", {"externalId": "known", "accountId": account, "name": "Old", "tags": ["t"]})
    insert("meetings", {"externalId": "known", "title": "Old"})
    insert("conversations", {"externalId": "known", "subject": "Old"})


@pytest.mark.parametrize(
    ("what", "answer"),
    [(what, answer) for what in LOOKED_UP for answer in UNTELLING if (what, answer) != ("account by PUT", "200 other")],
)
def test_an_answer_that_does_not_tell_whether_a_row_is_there_makes_no_second_one(
    sandbox: Sandbox, what: str, answer: str
) -> None:
    everything_known(sandbox)
    operation, path, row, resource = LOOKED_UP[what]
    name = "custom_object/featureRequest" if what == "instance" else what.partition(" ")[0]
    sandbox.faults.add(Fault(**{**vars(UNTELLING[answer]), "path": path, "times": None}))
    settings = rest(
        sandbox, mappings=[{"stream": "rows", "object": name, "operation": operation, "other_columns": "traits"}]
    )
    settings["mappings"].append(
        {"stream": "first", "object": "organization", "operation": "create", "other_columns": "traits"}
    )
    good = record("first", {"externalId": "o", "name": "O"})
    if what == "user by email":
        rows = stream("rows", destination_object_name="user", primary_key=[["email"]])
        settings["mappings"].pop(0)
    else:
        rows = stream("rows")

    result = write(settings, [stream("first"), rows], [good, record("rows", row), state("rows", 1)])

    assert result.unforeseen is None
    assert result.counts("rows")["rejected"] == 1, result.log
    assert len(sandbox.workspace.rows(resource)) == 1
    assert result.state_ids == [1]


@pytest.mark.parametrize("body", [{"success": False}, {"errors": ["No."]}, {"error": {"message": "No."}}])
def test_a_200_that_says_failure_is_none(sandbox: Sandbox, body: Any) -> None:
    sandbox.faults.add(Fault(path="batch", status=200, body=body, times=None))
    sandbox.faults.add(Fault(path="organizations$", status=200, body=body, times=None))
    mappings = [{"stream": "organizations", "object": "organization", "operation": "create", "other_columns": "traits"}]
    rows = [record("organizations", {"externalId": "o", "name": "O"}), *accounts("a")]
    result = write(destination_config(sandbox, mappings=mappings), [stream("organizations"), stream("accounts")], rows)
    assert result.unforeseen is None
    assert [result.counts(name)["rejected"] for name in ("organizations", "accounts")] == [1, 1]


@pytest.mark.parametrize(
    "error", [{"message": "name is required"}, [{"message": "name is required"}], {"errors": ["name is required"]}]
)
def test_the_reason_is_read_in_whichever_shape_it_comes(sandbox: Sandbox, error: Any) -> None:
    poison(sandbox, "unwelcome", 400, error)
    result: Run = write(destination_config(sandbox), [stream("accounts")], accounts("unwelcome"))
    assert "account 'unwelcome': Vitally refused it: name is required" in result.log
