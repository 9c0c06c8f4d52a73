"""Each operation of each object, over each transport, in each region: the requests, and what they leave."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.objects.model import BatchRoute
from destination_vitally.objects.table import OBJECTS
from integration_tests.destination.cases import Case, check_after, filled, prepare
from integration_tests.destination.cases_activities import ACTIVITIES
from integration_tests.destination.cases_companies import COMPANIES, CUSTOM_OBJECTS
from integration_tests.destination.regions import HOSTS, SETTINGS, lead_to
from integration_tests.harness import destination_config, record, stream, write
from integration_tests.sandbox import Sandbox

CASES = COMPANIES + CUSTOM_OBJECTS + ACTIVITIES


@pytest.mark.parametrize("region", SETTINGS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_record_becomes_exactly_these_requests(case: Case, region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(empty=True) as sandbox:
        prepare(sandbox)
        sandbox.switches.create_status = 201 if region == "eu" else 200
        sandbox.switches.delete_status = 204 if region == "eu" else 200
        sandbox.switches.not_found_status = 200 if region == "us" else 404
        addresses = lead_to(sandbox.url, monkeypatch)
        needs_definitions = case.object.startswith("custom_object/")
        settings = destination_config(sandbox, data_center=SETTINGS[region], allow_deletes=True)
        if case.transport == "rest":
            del settings["analytics_token"]
        elif not needs_definitions:
            del settings["secret_token"]
        settings["mappings"] = [{"stream": "rows", "object": case.object, "operation": case.operation}]

        result = write(settings, [stream("rows")], [record("rows", filled(case.record, sandbox))])

        assert result.error is None
        assert result.counts("rows")[case.outcome] == 1, result.log
        sent = [_plain(request) for request in sandbox.journal][1 if needs_definitions else 0 :]
        assert sent == filled(case.requests, sandbox)
        rest_host, analytics_host = HOSTS[region]
        expected = {f"https://{analytics_host if case.transport == 'analytics' else rest_host}"}
        assert set(addresses[1 if needs_definitions else 0 :]) == expected
        check_after(case, sandbox)


def _plain(request: Any) -> tuple[str, str, Any]:
    body = request.body
    if isinstance(body, list):
        body = [{k: v for k, v in message.items() if k != "messageId"} for message in body]
        body = [m if m["type"] == "track" else {k: v for k, v in m.items() if k != "timestamp"} for m in body]
    return (request.method, request.path, body)


def test_the_matrix_holds_every_operation_of_the_table() -> None:
    wanted = {
        (
            entry.name.replace("*", "featureRequest"),
            operation,
            "analytics" if isinstance(route, BatchRoute) else "rest",
        )
        for entry in OBJECTS
        for operation, routes in entry.operations.items()
        for route in routes
    }
    assert wanted == {(case.object, case.operation, case.transport) for case in CASES}
