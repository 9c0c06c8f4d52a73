"""Odd rows and odd answers: one outcome per record, good rows land, nothing is doubled, states cover outcomes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration_tests.chaos.garbage import EXAMPLES, in_time
from integration_tests.harness import Json, Run, destination_config, record, state, stream, write
from integration_tests.sandbox import Fault, Sandbox
from vitally_api import answers

WHEN = "2026-01-01T00:00:00Z"
UUID = "00000000-0000-4000-8000-{:012}"
SLIP = "it cannot be written ("
"""What is said when the connector's own code has failed at a row, which is to be refused in words instead."""

quick = settings(deadline=None, suppress_health_check=list(HealthCheck))

# Rows

TEMPLATES: dict[str, tuple[str, Json]] = {
    "accounts": ("accounts", {"name": "A", "plan": "x"}),
    "users": ("users", {"accountId": "home", "email": "ida@example.com", "joinDate": WHEN, "name": "U"}),
    "notes": ("notes", {"accountId": "home", "note": "N", "noteDate": WHEN, "tags": ["t"]}),
    "tasks": ("tasks", {"accountId": "home", "name": "T", "dueDate": "2026-01-01"}),
    "nps_responses": ("npsResponses", {"userId": "home", "score": 3, "respondedAt": WHEN}),
    "custom_object_feature_request": ("instances", {"accountId": "home", "name": "I"}),
    "events": ("events", {"event": "e", "accountId": "home", "timestamp": WHEN}),
}
DATES = [
    *("9999-12-31T23:59:59-08:00", "0001-01-01T00:00:00+01:00", "0000-00-00", "2026-02-30T00:00:00Z", "infinity"),
    *("2026-01-01T24:00:00Z", "-0001-01-01", "10000-01-01T00:00:00Z", "2026-01-01T00:00:00+99:99", "0001-01-01"),
]
TEXTS = [
    *(
        "",
        " ",
        "\t\n",
        ".",
        "..",
        " .. ",
        "../..",
        "%2e%2e",
        "a/b",
        "x?y=1#z",
        "\0",
        "\ud83d",
        "\udc00\ud83d",
        "\ufeff",
    ),
    *("[1, 2]", '{"a": 1}', "[" * 400, "NaN", "null", "true", "1e999", "007", "Ida@Example.com", "{{account.name}}"),
]
NUMBERS = [
    *(2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**400, 123456789012345678901234, 1234567890123456789.0, 1e308, -0.0),
    *(float("nan"), float("inf"), float("-inf"), 0.1 + 0.2, 123.0, 1e22, -1, 0),
]
SHAPES: list[Any] = [
    *(None, True, False, [], {}, [None], [[]], {"": {}}, {"id": None}, [{"id": ".."}], {"externalId": 2**70}),
    *([{"externalId": [1]}], {"type": "user", "id": 5}, ["a", 1, None, {}], 3, [3], "3"),
]


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


VALUES = st.one_of(
    st.sampled_from(DATES),
    st.sampled_from(TEXTS),
    st.sampled_from(NUMBERS),
    st.sampled_from(SHAPES),
    st.sampled_from([150, 198, 205, 260, 400]).map(nested),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=6),
)
FOREIGN: list[Json] = [
    {"id": UUID.format(1), "updatedAt": WHEN, "createdAt": WHEN, "accounts": 3},
    {
        "id": UUID.format(2),
        "createdAt": WHEN,
        "updatedAt": WHEN,
        "accounts": [{"id": ".."}],
        "organization": "x",
        "traits": [1],
    },
    {"id": 7, "created_at": WHEN, "updated_at": WHEN, "_fivetran_synced": WHEN, "_dlt_id": "x"},
    {"ID": 1, "externalid": "y", "EXTERNAL_ID": "z", "traits": {"a": float("nan")}},
    {"_ab_cdc_deleted_at": WHEN, "_ab_cdc_lsn": 2**70},
    {"_ab_cdc_deleted_at": float("nan")},
]
COLUMNS = [
    *("externalId", "id", "name", "accountId", "accountIds", "accounts", "userId", "email", "joinDate", "noteDate"),
    *("tags", "score", "respondedAt", "timestamp", "event", "traits", "plan", "properties", "dueDate", "source"),
    *("organizationId", "updatedAt", "_ab_cdc_deleted_at", "", "\ud83d", "a" * 300),
]


@dataclass
class Odd:
    """A record with something odd about it."""

    stream: str
    changes: Json
    emitted_at: Any = 1
    deep: int = 0

    def line(self, number: int) -> bytes:
        data = {"externalId": f"odd {number}", **TEMPLATES[self.stream][1], **self.changes}
        if self.stream == "events":
            data = {"id": f"odd {number}", **data}
        if self.deep:
            data["deep"] = "DEEP"
        text = json.dumps(record(self.stream, data, self.emitted_at))
        return text.replace('"DEEP"', "[" * self.deep + "]" * self.deep).encode()


ODDS = st.builds(
    Odd,
    st.sampled_from(sorted(TEMPLATES)),
    st.one_of(st.dictionaries(st.sampled_from(COLUMNS), VALUES, max_size=3), st.sampled_from(FOREIGN)),
    st.sampled_from([1, 0, -1, 2**70, float("nan"), 1e300, "1", None, True]),
    st.sampled_from([0, 0, 0, 0, 300, 1100, 30_000]),
)


def home(sandbox: Sandbox) -> None:
    """What the rows refer to."""
    account = sandbox.workspace.insert("accounts", {"externalId": "home"})
    sandbox.workspace.insert("users", {"externalId": "home", "accountIds": [account["id"]]})


def good(name: str, key: str) -> Json:
    """A record with nothing odd about it."""
    data = {"externalId": key, **TEMPLATES[name][1]}
    return record(name, {"id": key, **TEMPLATES[name][1]} if name == "events" else data)


def doubles(sandbox: Sandbox, *, but: str = "") -> list[tuple[str, str]]:
    """The externalIds that two rows share."""
    found = []
    for name, (resource, _) in TEMPLATES.items():
        rows = [] if name == "events" else sandbox.workspace.rows(resource)
        keys = [row["externalId"] for row in rows if row["externalId"] and not row.get("archivedAt")]
        found += [(resource, key) for key in set(keys) if keys.count(key) > 1 and key != but]
    return found


def check_outcomes(run: Run, sent: dict[str, int]) -> None:
    """Each record of each stream has one outcome."""
    for name, count in sent.items():
        counts = run.counts(name)
        assert counts.pop("records") == count
        assert sum(counts.values()) == count, f"{name}: {counts}"


@settings(quick, max_examples=EXAMPLES or 25)
@given(odds=st.lists(ODDS, min_size=1, max_size=6), keys=st.sampled_from(["both", "rest"]), clears=st.booleans())
def test_any_value_in_any_column(odds: list[Odd], keys: str, clears: bool) -> None:
    names = sorted(TEMPLATES)
    with Sandbox(empty=True) as sandbox:
        home(sandbox)
        chosen = destination_config(
            sandbox, num_workers=2, allow_deletes=True, null_values="clear" if clears else "omit"
        )
        if keys == "rest":
            del chosen["analytics_token"]
            names.remove("events")
            odds = [odd for odd in odds if odd.stream != "events"]
        lines: list[Any] = [good(name, "before") for name in names]
        lines += [odd.line(number) for number, odd in enumerate(odds)]
        lines += [good(name, "after") for name in names]
        lines += [state(name, number) for number, name in enumerate(names)]

        run = in_time(lambda: write(chosen, [stream(name) for name in names], lines))

        assert run.error is None, repr(run.error)
        assert SLIP not in run.log, run.log
        check_outcomes(run, {name: 2 + sum(odd.stream == name for odd in odds) for name in names})
        assert run.state_ids == list(range(len(names)))
        for name in names:
            if name == "events":
                assert len(sandbox.workspace.events) >= 2
                continue
            found = {row["externalId"] for row in sandbox.workspace.rows(TEMPLATES[name][0])}
            assert {"before", "after"} <= found, f"{name}: a good row is missing"
        assert doubles(sandbox) == []
        paths = [request.path for request in sandbox.journal]
        assert not [path for path in paths if path.endswith(("/resources", "/resources/")) or "/../" in path]


# Answers

KNOWN: dict[str, tuple[str, str, str, Json]] = {
    "accounts": ("account", "upsert", "accounts", {"externalId": "known", "name": "New"}),
    "made": ("account", "create", "accounts", {"externalId": "made", "name": "New"}),
    "users": ("user", "upsert", "users", {"externalId": "known", "accountId": "home", "name": "New"}),
    "notes": ("note", "upsert", "notes", {"externalId": "known", "accountId": "home", "note": "New", "noteDate": WHEN}),
    "tasks": ("task", "upsert", "tasks", {"externalId": "known", "accountId": "home", "name": "New"}),
    "meetings": ("meeting", "create", "meetings", {"externalId": "known", "title": "New", "participants": [{}]}),
    "instances": (
        "custom_object/featureRequest", "upsert", "instances",
        {"externalId": "known", "accountId": "home", "name": "New"},
    ),
    "gone": ("conversation", "delete", "conversations", {"externalId": "known"}),
    "updated": ("organization", "update", "organizations", {"externalId": "known", "name": "New"}),
}  # fmt: skip
PAGE = "<!DOCTYPE html><html><body>blocked</body></html>"
BODIES: list[Any] = [
    *(PAGE, "", "null", "[]", "{}", "no", '{"results": []}', '{"results": null}', '{"results": [{}]}', '{"id": ".."}'),
    *('{"error": "No."}', '{"error": {"message": "blocked_seats"}}', '{"errors": [{"message": "No."}]}', "[{}]"),
    *('{"success": false}', '{"message": "Success."}', '{"id": 5}', '{"results": [{"id": "x"}], "next": 5}', "NaN"),
]
STATUSES = [
    *(200, 201, 204, 301, 400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 422, 423, 425, 429, 500, 502, 503, 504, 520)
]
REQUESTS: list[tuple[str, str | None]] = [
    *[("batch", "POST"), ("customObjects$", "GET"), ("resources/", None), ("", None)],
    *[("accounts/home$", "GET"), ("accounts/made$", "GET"), ("accounts$", "POST"), ("accounts/known$", "PUT")],
    *[("accounts/[^/]+/notes$", "GET"), ("/notes/", "PUT"), ("/notes$", "POST"), ("users/known$", "PUT")],
    *[("accounts/[^/]+/tasks$", "GET"), ("/tasks/", "PUT"), ("/tasks$", "POST"), ("users$", "POST")],
    *[("meetings/known$", "GET"), ("meetings$", "POST"), ("instances/search$", "GET"), ("instances/", "PUT")],
    *[("instances$", "POST"), ("conversations/known$", "DELETE"), ("organizations/known$", "PUT")],
]
"""Each request that a sync of these records makes, or would make by mistake."""

FAULTS = st.builds(
    lambda request, **more: Fault(path=request[0], method=request[1], **more),
    st.sampled_from(REQUESTS),
    kind=st.sampled_from(["status"] * 8 + ["drop", "drop_after", "truncate", "not_json", "no_results"]),
    status=st.sampled_from(STATUSES),
    body=st.sampled_from(BODIES),
    times=st.sampled_from([1, 2, None]),
    skip=st.sampled_from([0, 0, 1, 2]),
)


def lies(fault: Fault) -> bool:
    """Whether an answer says what is not so: that something was done, or is not there, or is another row."""
    if fault.kind != "status":
        return False
    try:
        body = answers.parse(str(fault.body).encode())
    except ValueError:
        body = None
    is_yes = 200 <= fault.status < 300 and (fault.status == 204 or not answers.says_failure(body))
    return is_yes or (body is not None and answers.is_miss(fault.status, body))


def may_end(fault: Fault) -> bool:
    """Whether an answer is about more than one row: the key, the address, every request, or those of one way."""
    is_general = fault.path in ("", "resources/", "batch", "customObjects$")
    return is_general or (fault.kind == "status" and fault.status in (301, 401, 403, 429))


ALONE = {
    "made": ("accounts/made$", "accounts$"),
    "meetings": ("meetings/known$", "meetings$"),
    "gone": ("conversations/known$",),
    "updated": ("organizations/known$",),
}
"""The requests of records that need no other row's."""


@settings(quick, max_examples=EXAMPLES or 25)
@given(
    faults=st.lists(FAULTS, min_size=1, max_size=4),
    keys=st.sampled_from(["both", "rest"]),
    workers=st.sampled_from([1, 3]),
)
def test_any_answer_to_any_request(faults: list[Fault], keys: str, workers: int) -> None:
    with Sandbox(empty=True) as sandbox:
        home(sandbox)
        insert_known(sandbox)
        for fault in faults:
            sandbox.faults.add(fault)
        chosen = destination_config(sandbox, num_workers=workers, allow_deletes=True)
        if keys == "rest":
            del chosen["analytics_token"]
        chosen["mappings"] = [
            {"stream": name, "object": entry, "operation": operation, "other_columns": "traits"}
            for name, (entry, operation, _, _) in KNOWN.items()
        ]
        lines = [record(name, row) for name, (_, _, _, row) in KNOWN.items()]
        lines += [state(name, number) for number, name in enumerate(KNOWN)]

        run = in_time(lambda: write(chosen, [stream(name) for name in KNOWN], lines))

        assert run.error is None or isinstance(run.error, AirbyteTracedException), repr(run.error)
        assert SLIP not in run.log, run.log
        _check_states(run)
        if not any(map(may_end, faults)):
            assert run.unforeseen is None, repr(run.error)
            _check_bystanders(run, {fault.path for fault in faults})
        if not any(map(lies, faults)):
            assert doubles(sandbox) == []
            for name, (_, operation, resource, row) in KNOWN.items():
                if name in run.summary and run.counts(name)["accepted"]:
                    _check_landed(sandbox.workspace.rows(resource), operation, row)


def insert_known(sandbox: Sandbox) -> None:
    """Insert the rows that are there before, into a workspace that makes doubles wherever Vitally might."""
    for name in ("account", "note", "conversation", "meeting"):
        setattr(sandbox.switches, f"{name}_post_existing", "duplicate")
    sandbox.switches.also_by_external_id = frozenset({"conversations"})
    account = sandbox.workspace.rows("accounts")[0]["id"]
    definition = next(r["id"] for r in sandbox.workspace.rows("customObjects") if r["name"] == "featureRequest")
    parents = {"accountId": account, "accountIds": [account], "customerId": account, "customObjectId": definition}
    for resource in sorted({resource for _, _, resource, _ in KNOWN.values()}):
        old = {"externalId": "known", "name": "Old", "note": "Old", "title": "Old", "noteDate": WHEN, **parents}
        sandbox.workspace.insert(resource, {k: v for k, v in old.items() if k in _attributes(sandbox, resource)})


def _check_states(run: Run) -> None:
    """States come in order and cover an outcome each; all of them and all outcomes are there if the sync ended well."""
    assert run.state_ids == sorted(run.state_ids)
    for given_back in run.states():
        assert sum(given_back["destinationStats"].values()) == 1.0
    if run.error is None:
        check_outcomes(run, dict.fromkeys(KNOWN, 1))
        assert run.state_ids == list(range(len(KNOWN)))


def _check_bystanders(run: Run, hit: set[str]) -> None:
    """A record whose own requests were answered well is not rejected."""
    for name, paths in ALONE.items():
        if not hit & set(paths):
            assert run.counts(name)["rejected"] == 0, f"{name} was not hit: {run.log}"


def _attributes(sandbox: Sandbox, resource: str) -> set[str]:
    return {"externalId", *sandbox.workspace.tables[resource].resource.attributes}


def _check_landed(rows: list[Json], operation: str, row: Json) -> None:
    """What was accepted is as it was sent."""
    rows = [one for one in rows if one["externalId"] == row["externalId"]]
    if operation == "delete":
        assert rows == [], "a deleted row is still there"
        return
    [found] = rows
    for field in ("name", "note", "title"):
        assert field not in row or field not in found or found[field] == row[field], field
