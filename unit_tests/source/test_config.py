"""Where a config leads, and what is said of one that is wrong."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import requests
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets, update_secrets
from requests_mock import Mocker

from source_vitally import SourceVitally
from source_vitally.config import REST_URL, complete, problems
from source_vitally.run import Entrypoint

KEY = "sk_live_example_not_real"
ENCODED = "c2tfbGl2ZV9leGFtcGxlX25vdF9yZWFsOg=="
US = {"region": "us", "subdomain": "acme"}
VALID = {"data_center": US, "secret_token": KEY}


@pytest.fixture(scope="module")
def specification() -> Any:
    return SourceVitally().spec(logging.getLogger("test")).connectionSpecification


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"data_center": {"region": "mars"}}, "Data center (data_center), region must be one of us, eu, custom"),
        ({"data_center": {}}, "Data center (data_center), region must be one of us, eu, custom"),
        ({"data_center": {"region": "us"}}, "Data center (data_center), Subdomain is missing"),
        ({"data_center": {"region": "us", "subdomain": "https://acme.vitally.io"}}, "a single name such as acme"),
        ({"data_center": {"region": "custom", "rest_url": "acme"}}, "an address such as https://rest.vitally.io"),
        (
            {"data_center": {"region": "custom", "rest_url": "https://name:98765@127.0.0.1"}},
            "without a user name, a password",
        ),
        ({"data_center": None}, "Data center (data_center) is missing"),
        ({"secret_token": ""}, "REST API key (secret_token) must not be empty"),
        ({"secret_token": 98765}, "REST API key (secret_token) must be of type string"),
        ({"start_date": "yesterday"}, "Start date (start_date) must be YYYY-MM-DDTHH:mm:ssZ"),
        ({"start_date": "2024-13-01T00:00:00Z"}, "Start date (start_date) must be a date that exists"),
        ({"status": "all"}, "Account status (status) must be one of active, churned, activeOrChurned"),
        ({"lookback_minutes": 1441}, "Look-back (minutes) (lookback_minutes) must be at most 1440"),
        ({"num_workers": 0}, "Parallel requests (num_workers) must be at least 1"),
        ({"include_archived": "yes"}, "Include archived rows (include_archived) must be of type boolean"),
        ({"lookback_minute": 98765}, "lookback_minute: there is no such setting; did you mean lookback_minutes?"),
        ({"98": 98765}, "98: there is no such setting"),
        ({"rest_url": "http://127.0.0.1:98765"}, "rest_url: there is no such setting"),
        (
            {"data_center": {**US, "sub_domain": "98765"}},
            "data_center.sub_domain: there is no such setting; did you mean",
        ),
    ],
)
def test_each_problem_is_named_with_its_field_and_without_its_value(
    specification: Any, change: dict[str, Any], sentence: str
) -> None:
    found = problems({**VALID, **change}, specification)
    assert any(sentence in problem for problem in found), found
    assert "98765" not in " ".join(found)


@pytest.mark.parametrize("start_date", ["", "2024-01-01", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.000Z"])
def test_a_valid_config_has_no_problems(specification: Any, start_date: str) -> None:
    assert problems({**VALID, "start_date": start_date}, specification) == []


@pytest.mark.parametrize(
    "more",
    [
        {"__injected_by_the_platform": 1},
        {"_limit": 5},
        {"data_center": {**US, "rest_url": "http://127.0.0.1:1"}},
        {"data_center": {"region": "eu", "analytics_url": "https://api.vitally-eu.io"}},
        {"domain": "acme", "basic_auth_header": ""},
    ],
)
def test_what_is_not_a_typo_is_let_pass(specification: Any, more: dict[str, Any]) -> None:
    assert problems({**VALID, **more}, specification) == []


def test_a_completed_config_is_valid_and_knows_its_address(specification: Any) -> None:
    config = complete(VALID, specification)
    assert config[REST_URL] == "https://acme.rest.vitally.io"
    assert config["lookback_minutes"] == 10
    assert problems(config, specification) == []


def test_a_config_of_the_wrong_shape_reaches_the_validation(specification: Any) -> None:
    config = complete({"data_center": "us", "secret_token": KEY}, specification)
    assert "Data center (data_center) must be of type object" in problems(config, specification)


def test_missing_fields_are_each_named(specification: Any) -> None:
    assert problems({}, specification) == [
        "Data center (data_center) is missing",
        "REST API key (secret_token) is missing",
    ]


@pytest.mark.parametrize("given", [KEY, f"basic {ENCODED}"])
def test_a_source_that_has_a_config_masks_every_spelling_of_its_key(given: str) -> None:
    update_secrets([])
    SourceVitally(config={**VALID, "secret_token": given})
    assert (filter_secrets(KEY), filter_secrets(ENCODED)) == ("****", "****")


def check(config: dict[str, Any]) -> Any:
    source = SourceVitally(config=config)
    return source.check(logging.getLogger("test"), config)


PAGE: dict[str, Any] = {"results": [], "next": None}


def test_check_accepts_a_workspace_even_when_it_is_empty(requests_mock: Mocker) -> None:
    requests_mock.get("https://acme.rest.vitally.io/resources/accounts", json=PAGE)
    assert check(VALID).status.value == "SUCCEEDED"
    assert requests_mock.call_count == 1


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"status_code": 401, "json": {"error": "Invalid credentials."}}, "Vitally says: Invalid credentials."),
        ({"status_code": 403, "json": {}}, "Check REST API key (secret_token)"),
        ({"status_code": 404, "text": "<html>no such host</html>"}, "Check the subdomain and the region"),
        ({"status_code": 200, "text": "<html>welcome</html>"}, "answered with a body that is not JSON"),
        ({"status_code": 200, "json": {"hello": "world"}}, "answered with a body without 'results'"),
        ({"status_code": 500, "text": "oops"}, "Vitally has a problem of its own"),
        ({"status_code": 429, "json": {}}, "request limit is used up"),
        (
            {"exc": requests.ConnectionError("Failed to resolve 'x' ([Errno -2] Name or service not known)")},
            "is not known. Check the subdomain",
        ),
        ({"exc": requests.ConnectionError("refused")}, "No connection to https://acme.rest.vitally.io"),
        ({"exc": requests.ConnectTimeout("slow")}, "did not answer in time"),
        ({"exc": requests.exceptions.SSLError("bad certificate")}, "No trusted TLS connection"),
    ],
)
def test_check_tells_apart_what_can_be_wrong(
    requests_mock: Mocker, waits: list[float], answer: dict[str, Any], message: str
) -> None:
    requests_mock.get("https://acme.rest.vitally.io/resources/accounts", **answer)
    requests_mock.get("https://rest.vitally-eu.io/resources/accounts", status_code=401)
    status = check(VALID)
    assert status.status.value == "FAILED"
    assert message in status.message
    assert KEY not in status.message
    assert ENCODED not in status.message


@pytest.mark.parametrize(
    ("data_center", "asked", "other", "name"),
    [
        (US, "https://acme.rest.vitally.io", "https://rest.vitally-eu.io", "EU"),
        ({"region": "eu"}, "https://rest.vitally-eu.io", "https://rest.vitally.io", "US"),
    ],
)
def test_check_recognises_a_key_of_the_other_region(
    requests_mock: Mocker, data_center: dict[str, str], asked: str, other: str, name: str
) -> None:
    requests_mock.get(f"{asked}/resources/accounts", status_code=401, json={})
    requests_mock.get(f"{other}/resources/accounts", json=PAGE)
    message = check({**VALID, "data_center": data_center}).message
    assert f"This key does work in the {name} region" in message


@pytest.mark.parametrize("mode", ["CLOUD", "Cloud"])
@pytest.mark.parametrize(
    ("address", "problem"),
    [
        (
            "http://vitally.example",
            "Data center (data_center), Address of the REST API (rest_url) must be an https address on Airbyte Cloud",
        ),
        (
            "https://10.0.0.1",
            "Data center (data_center), Address of the REST API (rest_url) must be a public address",
        ),
    ],
)
def test_on_airbyte_cloud_no_private_address_is_taken(
    monkeypatch: pytest.MonkeyPatch, specification: Any, mode: str, address: str, problem: str
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    config = {**VALID, "data_center": {"region": "custom", "rest_url": address}}
    assert problems(config, specification) == []
    monkeypatch.setenv("DEPLOYMENT_MODE", mode)
    sent = requests.Session.send
    [said] = problems(config, specification)
    assert said.startswith(problem)
    Entrypoint(SourceVitally())
    assert requests.Session.send is sent, "the CDK's own filter does without the proxy that looks names up"
