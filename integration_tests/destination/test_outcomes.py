"""Whatever arrives and whatever fails: every record has one outcome, every state tells the truth."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration_tests.harness import Run, destination_config, global_state, record, state, stream, write
from integration_tests.sandbox import Fault, Sandbox

STREAMS = (
    "organizations",
    "accounts",
    "users",
    "events",
    "tasks",
    "notes",
    "account_updates",
    "account_deletes",
)
KEYS = st.sampled_from(["k1", "k2", "k3", "k4/ä b"])
WHEN = "2026-01-01T00:00:00Z"
FIELDS: dict[str, dict[str, Any]] = {
    "organizations": {"name": "O"},
    "accounts": {"name": "A", "organizationId": "k1"},
    "users": {"accountId": "k1"},
    "events": {"event": "e", "accountId": "k1", "timestamp": WHEN},
    "tasks": {"name": "T", "accountId": "k2"},
    "notes": {"note": "N", "noteDate": WHEN, "accountId": "k2"},
    "account_updates": {"name": "U"},
    "account_deletes": {},
}
MAPPINGS = [
    {"stream": "account_updates", "object": "account", "operation": "update", "other_columns": "traits"},
    {"stream": "account_deletes", "object": "account", "operation": "delete", "other_columns": "traits"},
]


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """A record: mostly good, sometimes without a key, sometimes to be refused, sometimes a delete."""
    name = draw(st.sampled_from(STREAMS))
    data = {**FIELDS[name], "n": draw(st.integers(0, 2))}
    if name == "tasks":
        del data["n"]  # tasks take only traits that exist
    if name == "notes":
        del data["n"]
    if draw(st.integers(0, 9)):
        data["externalId"] = draw(KEYS)
    flaw = draw(st.sampled_from([None, None, None, "parent", "type", "deleted"]))
    if flaw == "parent" and "accountId" in data:
        data["accountId"] = "nobody"
    if flaw == "type":
        data["timestamp" if name == "events" else "name"] = {"an": "object"}
    if flaw == "deleted":
        data["_ab_cdc_deleted_at"] = WHEN
    return record(name, data)


FAULTS = st.builds(
    Fault,
    path=st.sampled_from(["batch", "accounts", "tasks", "notes", "resources"]),
    method=st.sampled_from([None, "POST", "PUT", "GET", "DELETE"]),
    kind=st.sampled_from(["status", "drop", "drop_after", "truncate", "not_json"]),
    status=st.sampled_from([429, 500, 503]),
    times=st.integers(1, 3),
    skip=st.integers(0, 4),
)
MESSAGES = st.lists(st.one_of(rows(), st.sampled_from(STREAMS), st.just("global")), max_size=40)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=MESSAGES,
    faults=st.lists(FAULTS, max_size=4),
    orphans=st.sampled_from(["drop", "reject", "create"]),
    keys=st.sampled_from(["both", "rest"]),
    workers=st.integers(1, 4),
)
def test_outcomes_add_up(
    *,
    parts: list[Any],
    faults: list[Fault],
    orphans: Any,
    keys: str,
    workers: int,
) -> None:
    messages = [_state(part, n) if isinstance(part, str) else part for n, part in enumerate(parts)]
    if keys == "rest":
        messages = [m for m in messages if "events" not in str(m.get("record", m))]
    names = [name for name in STREAMS if keys == "both" or name != "events"]
    with Sandbox(empty=True) as sandbox:
        sandbox.switches.orphans = orphans
        for fault in faults:
            sandbox.faults.add(fault)
        chosen = destination_config(sandbox, mappings=MAPPINGS, allow_deletes=True, num_workers=workers)
        if keys == "rest":
            del chosen["analytics_token"]

        result = write(chosen, [stream(name) for name in names], messages)

        assert result.unforeseen is None
        _check_outcomes(messages, names, result)
        _check_states(messages, names, result)


def _state(name: str, number: int) -> dict[str, Any]:
    if name == "global":
        return global_state(number)
    return state(name, number)


def _check_outcomes(messages: list[Any], names: list[str], result: Run) -> None:
    for name in names:
        received = sum(m["type"] == "RECORD" and m["record"]["stream"] == name for m in messages)
        counts = result.counts(name)
        assert counts.pop("records") == received
        assert set(counts) == {"accepted", "superseded", "skipped", "rejected"}
        assert sum(counts.values()) == received


def _check_states(messages: list[Any], names: list[str], result: Run) -> None:
    since = dict.fromkeys(names, 0)
    expected = []
    for message in messages:
        if message["type"] == "RECORD":
            since[message["record"]["stream"]] += 1
            continue
        described = message["state"].get("stream")
        covered = [described["stream_descriptor"]["name"]] if described else names
        expected.append((message["state"]["id"], sum(since[name] for name in covered)))
        since.update(dict.fromkeys(covered, 0))
    told = [(state["id"], sum(state["destinationStats"].values())) for state in result.states()]
    assert told == expected
    rejected = sum(state["destinationStats"]["rejectedRecordCount"] for state in result.states())
    assert rejected <= sum(result.counts(name)["rejected"] for name in names)
