"""Where the APIs of each region are, and what the forms of both connectors ask for."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft7Validator

from vitally_api import regions, settings
from vitally_api.regions import (
    ADDRESS,
    REGIONS,
    SUBDOMAIN,
    Region,
    analytics_url,
    data_center_at,
    other_regions,
    rest_url,
)

US = {"region": "us", "subdomain": "acme"}
EU = {"region": "eu"}


def custom(**addresses: str) -> dict[str, str]:
    return {"region": "custom", **addresses}


@pytest.mark.parametrize(
    ("data_center", "rest", "analytics"),
    [
        (US, "https://acme.rest.vitally.io", "https://acme.api.vitally.io"),
        (EU, "https://rest.vitally-eu.io", "https://api.vitally-eu.io"),
        (
            {**EU, "analytics_url": "https://in.vitally-eu.io/"},
            "https://rest.vitally-eu.io",
            "https://in.vitally-eu.io",
        ),
        (custom(rest_url="http://127.0.0.1:8080"), "http://127.0.0.1:8080", ""),
        (custom(rest_url=" http://127.0.0.1:8080/ "), "http://127.0.0.1:8080", ""),
        (custom(rest_url="https://rest.vitally.io/resources/"), "https://rest.vitally.io", ""),
        (custom(analytics_url="https://x.example/a/analytics/v1/"), "", "https://x.example/a"),
        ({"region": "us"}, "", ""),
        ({"region": "us", "subdomain": ""}, "", ""),
        ({"region": "us", "subdomain": 5}, "", ""),
        ({"region": "mars"}, "", ""),
        ({"region": ["us"]}, "", ""),
        ({}, "", ""),
        (None, "", ""),
        ("us", "", ""),
    ],
)
def test_the_addresses_that_a_data_center_means(data_center: Any, rest: str, analytics: str) -> None:
    assert rest_url(data_center) == rest
    assert analytics_url(data_center) == analytics


@pytest.mark.parametrize(
    ("data_center", "others"),
    [
        (US, [("EU", "https://rest.vitally-eu.io")]),
        (EU, [("US", "https://rest.vitally.io")]),
        (custom(rest_url="http://127.0.0.1:8080"), []),
        ({}, []),
        ("eu", []),
    ],
)
def test_the_other_regions_to_try_a_key_in(data_center: Any, others: list[tuple[str, str]]) -> None:
    assert other_regions(data_center) == others


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("https://rest.vitally.io", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080/", True),
        ("https://proxy.example/vitally/resources", True),
        ("https://proxy.example/@team", True),
        ("https://name:98765@proxy.example", False),
        ("https://name@proxy.example/x", False),
        ("https://proxy.example?key=98765", False),
        ("https://proxy.example/#x", False),
        ("https://proxy.example\\@other.example", False),
        ("https:// proxy.example", False),
        ("proxy.example", False),
        ("ftp://proxy.example", False),
        ("https://", False),
    ],
)
def test_an_address_has_no_password_query_or_fragment(address: str, is_one: bool) -> None:
    assert bool(re.search(ADDRESS, address)) is is_one


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("acme", True),
        ("Acme-2", True),
        ("a" * 64, False),
        ("-acme", False),
        ("acme.eu", False),
        ("https://acme", False),
    ],
)
def test_a_subdomain_is_one_name(text: str, is_one: bool) -> None:
    assert bool(re.search(SUBDOMAIN, text)) is is_one


@pytest.mark.parametrize(
    ("host", "data_center"),
    [
        ("acme.vitally.io", US),
        ("ACME.rest.vitally.io", US),
        ("rest.vitally.io", None),
        ("www.vitally.io", None),
        ("vitally.io", None),
        ("a.b.vitally.io", None),
        ("-.vitally.io", None),
        ("rest.vitally-eu.io", EU),
        ("acme.vitally-eu.io", EU),
        ("vitally-eu.io", EU),
        ("notvitally-eu.io", None),
        ("proxy.example", None),
        ("", None),
    ],
)
def test_the_data_center_that_a_host_belongs_to(host: str, data_center: dict[str, str] | None) -> None:
    assert data_center_at(host) == data_center


def branches(**apis: bool) -> dict[str, Any]:
    setting = settings.data_center(**apis)
    return {branch["properties"]["region"]["const"]: branch for branch in setting["oneOf"]}


@pytest.mark.parametrize(
    ("analytics", "asked"),
    [
        (False, {"us": {"subdomain": True}, "eu": {}, "custom": {"rest_url": True}}),
        (
            True,
            {
                "us": {"subdomain": True},
                "eu": {"analytics_url": False},
                "custom": {"rest_url": True, "analytics_url": False},
            },
        ),
    ],
)
def test_each_region_asks_for_what_its_addresses_need(analytics: bool, asked: dict[str, dict[str, bool]]) -> None:
    found = {
        name: {field: field in branch["required"] for field in branch["properties"] if field != "region"}
        for name, branch in branches(analytics=analytics).items()
    }
    assert found == asked


@pytest.mark.parametrize(
    "data_center", [US, EU, custom(rest_url="https://a.example"), custom(rest_url="https://n:p@a")]
)
def test_exactly_one_branch_takes_a_data_center(data_center: dict[str, str]) -> None:
    takes = [Draft7Validator(branch).is_valid(data_center) for branch in branches(analytics=False).values()]
    assert takes.count(True) == (0 if "n:p" in str(data_center) else 1)


@pytest.mark.parametrize("analytics", [True, False])
def test_a_new_region_is_one_entry(monkeypatch: pytest.MonkeyPatch, analytics: bool) -> None:
    asia = Region("ap", "Asia", "https://{subdomain}.rest.vitally-ap.io", "https://api.vitally-ap.io", "vitally-ap.io")
    monkeypatch.setattr(regions, "REGIONS", {**REGIONS, "ap": asia})
    monkeypatch.setattr(settings, "REGIONS", regions.REGIONS)
    assert branches(analytics=analytics)["ap"]["title"] == "Asia"
    assert "vitally-ap.io (Asia)" in settings.data_center(analytics=analytics)["description"]
    assert rest_url({"region": "ap", "subdomain": "acme"}) == "https://acme.rest.vitally-ap.io"
    assert ("Asia", "https://acme.rest.vitally-ap.io") in other_regions(US)
    assert "Asia" not in dict(other_regions(EU)), "its address needs a subdomain, which this config does not have"
    assert data_center_at("acme.vitally-ap.io") == {"region": "ap", "subdomain": "acme"}
    assert asia.hosts(analytics=False) == ["*.rest.vitally-ap.io"]
    assert asia.hosts(analytics=True) == ["*.rest.vitally-ap.io", "api.vitally-ap.io"]


def test_any_other_address_is_no_host_to_allow() -> None:
    assert REGIONS["custom"].hosts(analytics=True) == []
