"""Configs of the published source-vitally 0.4 and older, in all the ways people filled them in."""

from __future__ import annotations

import base64
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests_mock import Mocker

from source_vitally import SourceVitally
from source_vitally.config import REST_URL, problems
from source_vitally.config_migration import _DEFAULTS, migrated
from vitally_api.keys import header, rest_authorization
from vitally_api.regions import rest_url

KEY = "sk_live_example_not_real"
ENCODED = base64.b64encode(f"{KEY}:".encode()).decode()
WITH_PASSWORD = "Basic " + base64.b64encode(f"{KEY}:example-password".encode()).decode()
OLD = {"domain": "acme", "status": "churned", "secret_token": KEY}
AS_BEFORE = {"status": "churned", "include_archived": False, "inlined_objects": "full", "column_types": "0.4"}
ACME = {"region": "us", "subdomain": "acme"}
EU = {"region": "eu"}
DEFAULT = {"region": "custom", "rest_url": "https://rest.vitally.io"}
DOMAIN_PROBLEM = "'domain' must be a single name such as acme, or an address such as https://acme.rest.vitally.io"
API_URL_PROBLEM = "'api_url' must be an address such as https://rest.vitally.io"


def custom(address: str) -> dict[str, str]:
    return {"region": "custom", "rest_url": address}


@pytest.fixture(scope="module")
def specification() -> Any:
    return SourceVitally().spec(logging.getLogger("test")).connectionSpecification


@pytest.mark.parametrize(
    ("domain", "data_center", "address"),
    [
        ("acme", ACME, "https://acme.rest.vitally.io"),
        (" Acme\n", ACME, "https://acme.rest.vitally.io"),
        ("my-company-2", {"region": "us", "subdomain": "my-company-2"}, "https://my-company-2.rest.vitally.io"),
        ("https://acme.rest.vitally.io", ACME, "https://acme.rest.vitally.io"),
        ("acme.rest.vitally.io/", ACME, "https://acme.rest.vitally.io"),
        ("HTTPS://ACME.rest.vitally.io/resources/", ACME, "https://acme.rest.vitally.io"),
        ("http://acme.rest.vitally.io:443/resources", ACME, "https://acme.rest.vitally.io"),
        ("https://https://acme.rest.vitally.io", ACME, "https://acme.rest.vitally.io"),
        ("acme.vitally.io", ACME, "https://acme.rest.vitally.io"),
        ("https://acme.vitally.io/hubs/1234?tab=all#top", ACME, "https://acme.rest.vitally.io"),
        ("", DEFAULT, "https://rest.vitally.io"),
        ("  ", DEFAULT, "https://rest.vitally.io"),
        (None, DEFAULT, "https://rest.vitally.io"),
        ("rest.vitally.io", DEFAULT, "https://rest.vitally.io"),
        ("https://rest.vitally.io/resources", DEFAULT, "https://rest.vitally.io"),
        ("https://rest.vitally-eu.io", EU, "https://rest.vitally-eu.io"),
        ("acme.vitally-eu.io", EU, "https://rest.vitally-eu.io"),
        ("https://acme.rest.vitally-eu.io/resources/", EU, "https://rest.vitally-eu.io"),
    ],
)
def test_a_domain_becomes_a_data_center(specification: Any, domain: Any, data_center: Any, address: str) -> None:
    new, obstacles = migrated({**OLD, "domain": domain})
    assert obstacles == []
    assert new == {"data_center": data_center, "secret_token": KEY, **AS_BEFORE}
    assert rest_url(new["data_center"]) == address
    assert problems(new, specification) == []


@pytest.mark.parametrize(
    ("api_url", "data_center"),
    [
        ("https://rest.vitally.io/", DEFAULT),
        ("https://rest.vitally.io/resources/", DEFAULT),
        ("rest.vitally.io", DEFAULT),
        ("", DEFAULT),
        ("https://acme.rest.vitally.io/", ACME),
        ("https://rest.vitally-eu.io", EU),
        ("http://127.0.0.1:8080/", custom("http://127.0.0.1:8080")),
        (" http://localhost:8080/resources/ ", custom("http://localhost:8080")),
        ("http://[::1]:8080", custom("http://[::1]:8080")),
        ("https://proxy.example.com/vitally/resources", custom("https://proxy.example.com/vitally")),
        ("proxy.example.com", custom("https://proxy.example.com")),
    ],
)
def test_an_api_url_becomes_a_data_center(specification: Any, api_url: str, data_center: Any) -> None:
    new, obstacles = migrated({"api_url": api_url, "status": "churned", "secret_token": KEY})
    assert obstacles == []
    assert new == {"data_center": data_center, "secret_token": KEY, **AS_BEFORE}
    assert problems(new, specification) == []


@pytest.mark.parametrize(
    ("fields", "key", "sent"),
    [
        ({"secret_token": KEY}, KEY, ENCODED),
        ({"secret_token": f" {KEY}\n"}, KEY, ENCODED),
        ({"secret_token": KEY, "basic_auth_header": ""}, KEY, ENCODED),
        ({"secret_token": KEY, "basic_auth_header": None}, KEY, ENCODED),
        ({"secret_token": KEY, "basic_auth_header": f"Basic {ENCODED}"}, KEY, ENCODED),
        ({"secret_token": KEY, "basic_auth_header": ENCODED}, KEY, ENCODED),
        ({"secret_token": KEY, "basic_auth_header": "example-password"}, WITH_PASSWORD, WITH_PASSWORD[6:]),
        ({"secret_token": f"Basic {ENCODED}", "basic_auth_header": "example-password"}, f"Basic {ENCODED}", ENCODED),
        ({"secret_token": "", "basic_auth_header": f"Basic {ENCODED}"}, f"Basic {ENCODED}", ENCODED),
        ({"basic_auth_header": ENCODED}, ENCODED, ENCODED),
        ({"basic_auth_header": KEY}, KEY, ENCODED),
        ({"api_key": KEY}, KEY, ENCODED),
        ({"api_key": KEY, "secret_token": ""}, KEY, ENCODED),
        ({"api_key": "sk_live_leftover_example", "secret_token": KEY}, KEY, ENCODED),
    ],
)
def test_vitally_is_sent_the_key_it_was_sent(fields: dict[str, Any], key: str, sent: str) -> None:
    new, obstacles = migrated({"domain": "acme", "status": "churned", **fields})
    assert obstacles == []
    assert new == {"data_center": ACME, "secret_token": key, **AS_BEFORE}
    assert rest_authorization(new["secret_token"]) == f"Basic {sent}"


@pytest.mark.parametrize("status", ["active", "churned", "activeOrChurned"])
def test_the_status_is_never_widened(status: str) -> None:
    assert migrated({**OLD, "status": status})[0]["status"] == status
    assert migrated({"domain": "acme", "secret_token": KEY})[0]["status"] == "active"


def test_a_config_of_the_first_versions_leads_to_the_host_they_asked() -> None:
    new, _ = migrated({"api_key": KEY, "status": "active"})
    assert new["data_center"] == DEFAULT


@pytest.mark.parametrize(
    "more",
    [
        {"data_center": ACME},
        {"data_center": {"region": "us", "subdomain": "ACME"}},
        {"data_center": custom("https://acme.rest.vitally.io/resources")},
        {"data_center": {}},
        {"api_url": "https://acme.rest.vitally.io/"},
        {"api_url": "https://rest.vitally.io/"},
        {"api_key": "sk_live_leftover_example"},
    ],
)
def test_old_and_new_fields_that_agree_are_one_config(specification: Any, more: dict[str, Any]) -> None:
    new, obstacles = migrated({**OLD, **more})
    assert obstacles == []
    assert rest_url(new["data_center"]).lower() == "https://acme.rest.vitally.io"
    assert set(new) == {"data_center", "secret_token", *AS_BEFORE}
    assert problems({**OLD, **more}, specification) == []


def test_fields_of_today_that_a_config_has_already_stay() -> None:
    more = {"data_center": EU, "include_archived": True, "inlined_objects": "reference", "num_workers": 2}
    new, obstacles = migrated({**OLD, "domain": "", **more})
    assert obstacles == []
    assert new == {**more, "status": "churned", "secret_token": KEY, "column_types": "0.4"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"domain": "https://"}, [DOMAIN_PROBLEM]),
        ({"domain": "my company"}, [DOMAIN_PROBLEM]),
        ({"domain": "proxy.example.com"}, [DOMAIN_PROBLEM]),
        ({"domain": "https://www.vitally.io"}, [DOMAIN_PROBLEM]),
        ({"domain": "vitally.io"}, [DOMAIN_PROBLEM]),
        ({"domain": "a.b.vitally.io"}, [DOMAIN_PROBLEM]),
        ({"domain": "acme.vitally.io.evil.example"}, [DOMAIN_PROBLEM]),
        ({"domain": "https://[acme"}, [DOMAIN_PROBLEM]),
        ({"domain": "acme:port.vitally.io"}, [DOMAIN_PROBLEM]),
        ({"domain": "-acme"}, [DOMAIN_PROBLEM]),
        ({"domain": "a" * 64}, [DOMAIN_PROBLEM]),
        ({"domain": 98765}, [DOMAIN_PROBLEM]),
        ({"domain": ["acme"]}, [DOMAIN_PROBLEM]),
        ({"domain": "", "api_url": "acme"}, [API_URL_PROBLEM]),
        ({"domain": "", "api_url": "ftp://acme.example"}, [API_URL_PROBLEM]),
        ({"domain": "", "api_url": "https://my proxy.example"}, [API_URL_PROBLEM]),
        (
            {"data_center": EU},
            ["'data_center' and 'domain' name different addresses: remove what is wrong"],
        ),
        (
            {"data_center": {"region": "us", "subdomain": "other"}},
            ["'data_center' and 'domain' name different addresses: remove what is wrong"],
        ),
        (
            {"api_url": "https://rest.vitally-eu.io"},
            ["'domain' and 'api_url' name different addresses: remove what is wrong"],
        ),
        ({"secret_token": ""}, ["REST API key (secret_token) must not be empty"]),
        ({"secret_token": 98765}, ["REST API key (secret_token) must be of type string"]),
        ({"status": "all"}, ["Account status (status) must be one of active, churned, activeOrChurned"]),
    ],
    ids=lambda value: json.dumps(value)[:50] if isinstance(value, dict) else "",
)
def test_what_cannot_be_migrated_is_named(specification: Any, changes: Any, expected: list[str]) -> None:
    found = problems({**OLD, **changes}, specification)
    assert found == expected
    assert "98765" not in " ".join(found)


def test_missing_fields_are_named_in_todays_terms(specification: Any) -> None:
    assert problems({"domain": "acme", "status": "active"}, specification) == ["REST API key (secret_token) is missing"]
    assert problems({"status": "active", "secret_token": KEY}, specification) == [
        "Data center (data_center) is missing"
    ]
    assert problems({**OLD, "data_center": {"region": "us"}, "domain": ""}, specification) == [
        "Data center (data_center), Subdomain is missing"
    ]


NEW = [
    {"data_center": ACME, "secret_token": KEY},
    {"data_center": DEFAULT, "secret_token": KEY, **AS_BEFORE},
    {"data_center": {"region": "mars"}, "secret_token": 5},
    {"status": "active", "secret_token": KEY},
    {},
]
STUCK = [
    {**OLD, "domain": "my company"},
    {**OLD, "secret_token": " "},
    {**OLD, "secret_token": 5},
    {**OLD, "data_center": EU},
]


@pytest.mark.parametrize("config", [*NEW, *STUCK], ids=str)
def test_a_new_config_or_one_that_cannot_be_migrated_is_left_alone(
    config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    SourceVitally(config=dict(config), config_path=str(path))
    assert json.loads(path.read_text()) == config
    assert capsys.readouterr().out == ""


def test_the_cdk_saves_and_announces_a_migrated_config_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(OLD))
    source = SourceVitally(config=OLD, config_path=str(path))
    new = {"data_center": ACME, "secret_token": KEY, **AS_BEFORE}
    assert json.loads(path.read_text()) == new
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line)["control"]["connectorConfig"]["config"] == new
    assert source._config[REST_URL] == "https://acme.rest.vitally.io"
    SourceVitally(config=new, config_path=str(path))
    assert capsys.readouterr().out == ""


def test_a_migrated_domain_is_asked_with_what_0_4_sent(requests_mock: Mocker) -> None:
    requests_mock.get("https://acme.rest.vitally.io/resources/accounts", json={"results": [], "next": None})
    config = {**OLD, "domain": "https://acme.vitally.io/", "basic_auth_header": "example-password"}
    status = SourceVitally(config=config).check(logging.getLogger("test"), config)
    assert status.status.value == "SUCCEEDED"
    [request] = requests_mock.request_history
    assert request.qs["status"] == ["churned"]
    assert request.headers["Authorization"] == WITH_PASSWORD


ANYTHING = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.text()), st.just(KEY))
NAMES = ["domain", "api_url", "api_key", "basic_auth_header", "secret_token", "status", "data_center", "other"]
HOSTS = st.sampled_from(["acme", "https://acme.vitally.io", "rest.vitally-eu.io", "http://127.0.0.1:1/resources"])


@given(st.dictionaries(st.sampled_from(NAMES), st.one_of(ANYTHING, HOSTS)))
def test_whatever_stands_in_a_config_migrating_it_is_idempotent(config: dict[str, Any]) -> None:
    before = dict(config)
    new, obstacles = migrated(config)
    assert config == before
    assert not {"domain", "api_url", "api_key", "basic_auth_header"} & set(new)
    if not obstacles:
        assert migrated(new) == (new, [])


def test_a_config_that_the_form_has_saved_before_its_first_run_reads_what_it_read(specification: Any) -> None:
    """The form fills its defaults in, keeps what it knows of, hidden or not, and asks for a data center."""
    properties = specification["properties"]
    form = {name: field["default"] for name, field in properties.items() if "default" in field}
    old = {"domain": "acme", "secret_token": KEY, "basic_auth_header": "pass", "status": "churned"}
    assert old.keys() <= properties.keys()
    untouched, problems = migrated({**form, **old})
    assert problems == []
    assert {name: untouched[name] for name in AS_BEFORE} == AS_BEFORE
    assert untouched["data_center"] == ACME
    assert untouched["secret_token"] == header(KEY, "pass")
    moved, problems = migrated({**form, **old, "data_center": EU, "num_workers": 2})
    assert problems == [], "what is hidden cannot be corrected"
    assert {name: moved[name] for name in AS_BEFORE} == AS_BEFORE
    assert (moved["data_center"], moved["num_workers"]) == (EU, 2)
    assert not old.keys() & moved.keys() - {"secret_token", "status"}


def test_what_the_form_fills_in_is_known(specification: Any) -> None:
    assert {name: specification["properties"][name]["default"] for name in _DEFAULTS} == _DEFAULTS
