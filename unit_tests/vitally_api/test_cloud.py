"""Airbyte Cloud: which addresses may be used there, and that all may elsewhere."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from vitally_api.cloud import NotPublicError, is_cloud, problem_of_address, prove_public

CLOUD = {"DEPLOYMENT_MODE": "Cloud"}
PUBLIC = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"]
PRIVATE = [
    *("10.0.0.1", "172.16.3.4", "192.168.1.1", "127.0.0.1", "127.9.9.9", "0.0.0.0", "169.254.169.254", "100.64.0.1"),
    *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:10.0.0.1"),
    *("2002:7f00:1::", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "::10.0.0.1", "::ffff:0:10.0.0.1"),
]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names lead to; an address leads to itself."""
    known: dict[str, list[str]] = {}

    def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        if host == "nowhere.example":
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, port)) for found in known.get(host, [host])]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    return known


@pytest.mark.parametrize(
    ("mode", "found"), [("CLOUD", True), ("cloud", True), (" Cloud ", True), ("OSS", False), ("", False), (None, False)]
)
def test_the_platform_says_where_it_runs(mode: str | None, found: bool) -> None:
    assert is_cloud({"DEPLOYMENT_MODE": mode} if mode is not None else {}) is found


@pytest.mark.parametrize("address", PRIVATE)
@pytest.mark.parametrize("others", [[], PUBLIC])
def test_no_name_may_lead_into_a_private_network(names: dict[str, list[str]], address: str, others: list[str]) -> None:
    names["inside.example"] = [*others, address]
    with pytest.raises(NotPublicError):
        prove_public("inside.example", 443)
    said = "must be a public address on Airbyte Cloud, and inside.example is one of a private network"
    assert problem_of_address("https://inside.example/x", CLOUD) == said
    assert problem_of_address("https://inside.example/x", {}) == ""


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("https://outside.example", ""),
        ("https://nowhere.example", ""),
        ("", ""),
        ("https://[::1", "is no address (Invalid IPv6 URL)"),
        ("http://outside.example", "must be an https address on Airbyte Cloud"),
        ("ftp://outside.example", "must be an https address on Airbyte Cloud"),
        ("https://[::1]:8443/", "must be a public address on Airbyte Cloud, and ::1 is one of a private network"),
    ],
)
def test_only_https_is_spoken_with_whoever_is_public(names: dict[str, list[str]], address: str, problem: str) -> None:
    names["outside.example"] = PUBLIC
    assert problem_of_address(address, CLOUD) == problem
    assert problem_of_address(address, {"DEPLOYMENT_MODE": "OSS"}) == ""


def test_what_a_proxy_looks_up_is_its_matter(names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    names["inside.example"] = ["10.0.0.1"]
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert problem_of_address("https://inside.example", CLOUD) == ""
    assert problem_of_address("http://inside.example", CLOUD) == "must be an https address on Airbyte Cloud"
    monkeypatch.setenv("NO_PROXY", "inside.example")
    assert "private network" in problem_of_address("https://inside.example", CLOUD)
