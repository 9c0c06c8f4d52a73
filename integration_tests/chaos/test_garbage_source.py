"""Whatever comes in, the source ends well or with an error in words of its own, and gives no secret away."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration_tests.chaos.garbage import EXAMPLES, JSON, SECRET, in_time, mutated
from integration_tests.harness import Json, Run, run_source, source_config, without_waiting
from integration_tests.sandbox import Fault, Sandbox
from integration_tests.source.reference import catalog

STREAMS = ("users", "notes", "messages", "custom_object_feature_request")
PAGE = {
    "results": [{"id": "x", "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-02T00:00:00Z", "traits": {}}],
    "next": "more",
}
CONVERSATION = {"id": "x", "messages": [{"id": "m", "message": "Hi"}]}
ODD_JSON = [
    '{"results": [{"id": "\\ud83d", "name": NaN, "score": 1e400, "mrr": -Infinity}], "next": null}',
    '\ufeff{"results": [], "next": null, "error": null}',
    '{"results": [{"id": "x", "updatedAt": "9999-12-31T23:59:59-05:00"}], "next": "more", "atEnd": true}',
    '{"results": [{"id": 12345678901234567890123, "updatedAt": "0001-01-01T00:00:00+02:00"}], "next": null}',
    '{"results": [' + "[" * 3_000 + "]" * 3_000 + "]}",
    '{"results": [{"id": "x", "traits": ' + '{"a":' * 600 + "1" + "}" * 600 + "}]}",
    '{"results": [{"id": 5, "accounts": [{"id": 6}], "updatedAt": 1767225600000}, {"name": "no id"}], "next": false}',
    '{"results": [{"id": "../x", "updatedAt": "2099-01-01T00:00:00Z"}], "next": null, "atEnd": false}',
    "x" * 2_000_000,
]
PATHS = ["resources/", "conversations/", "customObjects"]
FAULTS = st.builds(
    Fault,
    path=st.sampled_from(PATHS),
    status=st.sampled_from([200, 200, 200, 204, 206, 301, 400, 404, 429, 500]),
    body=st.one_of(
        JSON,
        mutated(PAGE),
        mutated(CONVERSATION),
        st.sampled_from(ODD_JSON),
        mutated({"error": f"Unknown key {SECRET}"}),
        st.text(max_size=30),
        st.just({"results": [1]}),
    ),
    headers=st.dictionaries(
        st.sampled_from(["Date", "Retry-After", "RateLimit-Remaining", "RateLimit-Limit", "X-RateLimit-Reset"]),
        st.sampled_from(["0", "5", "-1", "1e9", "nan", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"]),
        max_size=3,
    ),
    times=st.sampled_from([1, 1, 3, None]),
    skip=st.integers(0, 1),
)
WATERMARK = {"updatedAt": "2026-01-01T00:00:00.000Z"}
RESUME = {"resume": {"from": "x", "query": "y", "startedAt": "2026-01-01T00:00:00.000Z"}}
STUCK = {"resume": {**RESUME["resume"], "known": "y", "after": "z", "behind": "2026-01-01T00:00:00.000Z", "limit": 1}}
FUTURE = {"updatedAt": "2099-01-01T00:00:00.000Z"}
PARTITIONED = {"states": [{"partition": {"archived": "false"}, "cursor": WATERMARK}]}
TIMES = {
    "updatedAt": "2026-01-01T00:00:00.000Z",
    "reason": "HTTP 500",
    "syncs": 3,
    "asked": "2026-01-01T00:00:00+00:00",
}
FAILED = {"conversationUpdatedAt": "2026-01-01T00:00:00.000Z", "failed": {"x": "2026-01-01T00:00:00.000Z", "y": TIMES}}
STATES = st.tuples(
    st.sampled_from(STREAMS), st.sampled_from([WATERMARK, RESUME, STUCK, FUTURE, PARTITIONED, FAILED])
).map(lambda pair: [{"type": "STREAM", "stream": {"stream_descriptor": {"name": pair[0]}, "stream_state": pair[1]}}])
UNKNOWN = "Something went wrong in the connector"

quick = settings(deadline=None, suppress_health_check=list(HealthCheck))


def read(
    stream: str, fault: Fault | None = None, fields: Json | None = None, given_catalog: Any = None, state: Any = None
) -> Run:
    """Run one sync against a small sandbox and hold what it printed to the rules."""
    sizes = {"users": 110, "notes": 5, "conversations": 5, "instances": 5}
    with without_waiting(), Sandbox(seed=1, sizes=sizes) as sandbox:
        if fault is not None:
            sandbox.faults.add(fault)
        config = source_config(sandbox.url, SECRET, requests_per_minute=100_000) | (fields or {})
        run = in_time(lambda: run_source("read", config, given_catalog or catalog(stream), state))
    # A CONTROL message gives the platform its own config back, rewritten.
    assert not [line for line in run.raw.splitlines() if SECRET in line and '"type":"CONTROL"' not in line[:30]]
    assert run.exit_code in (0, 1)
    if run.exit_code:
        assert run.errors
        assert not any(UNKNOWN in error for error in run.errors), run.raw[-4000:]
    return run


@settings(quick, max_examples=EXAMPLES or 6)
@given(stream=st.sampled_from(STREAMS), fault=FAULTS)
def test_any_answer_of_the_server(stream: str, fault: Fault) -> None:
    read(stream, fault)


@settings(quick, max_examples=EXAMPLES or 3)
@given(stream=st.sampled_from(STREAMS), state=STATES.flatmap(mutated))
def test_any_state(stream: str, state: Any) -> None:
    read(stream, state=state)


@settings(quick, max_examples=EXAMPLES or 3)
@given(
    given_catalog=mutated(
        {
            "streams": [
                {
                    "stream": {"name": "users", "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
                    "sync_mode": "full_refresh",
                    "destination_sync_mode": "append",
                }
            ]
        }
    )
)
def test_any_catalog(given_catalog: Any) -> None:
    read("users", given_catalog=given_catalog)


FIELDS = {
    "start_date": "2026-01-01T00:00:00Z",
    "status": "active",
    "lookback_minutes": 10,
    "include_archived": True,
    "inlined_objects": "full",
    "survey_ids": ["s"],
    "num_workers": 3,
    "domain": "acme",
    "basic_auth_header": "Basic eDo=",
}


@settings(quick, max_examples=EXAMPLES or 3)
@given(fields=mutated(FIELDS))
def test_any_configuration(fields: Any) -> None:
    if isinstance(fields, dict):
        read(
            "users",
            fields={
                name: value for name, value in fields.items() if name not in ("data_center", "rest_url", "api_url")
            },
        )
