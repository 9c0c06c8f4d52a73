"""The answer of discover, handed over as a configured catalog, is recognised in every form in which it comes."""

from __future__ import annotations

import json

import pytest

from vitally_api.catalogs import problem_of_catalog

STREAM = {"name": "accounts", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
CATALOG = {"streams": [STREAM]}
CONFIGURED = {"streams": [{"stream": STREAM, "sync_mode": "full_refresh", "destination_sync_mode": "append"}]}
LOG = json.dumps({"type": "LOG", "log": {"level": "INFO", "message": "hello"}})


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(CATALOG),
        json.dumps({"type": "CATALOG", "catalog": CATALOG}, indent=2),
        "\n".join([LOG, json.dumps({"type": "CATALOG", "catalog": CATALOG}), LOG, ""]),
        json.dumps({"type": "DESTINATION_CATALOG", "destination_catalog": {"operations": []}}),
    ],
)
def test_what_discover_prints_is_named_with_what_is_missing(text: str) -> None:
    problem = problem_of_catalog(text.encode()) or ""
    assert "what discover prints" in problem
    assert all(word in problem for word in ("sync_mode", "destination_sync_mode", "streams"))


@pytest.mark.parametrize(
    "text", [json.dumps(CONFIGURED), "", "no JSON", "[]", '{"streams": 5}', '{"streams": [5]}', "\xff"]
)
def test_anything_else_is_left_to_those_who_read_it(text: str) -> None:
    assert problem_of_catalog(text.encode("latin-1")) is None
