"""On Airbyte Cloud the destination reaches nobody's home, whatever a name leads to when it is looked up again."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from destination_vitally import config as configuration
from destination_vitally.api.http import connect
from destination_vitally.errors import ConfigError
from unit_tests.destination.api.test_http_pace import Clock
from unit_tests.destination.builders import settings

PUBLIC = "93.184.215.14"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOYMENT_MODE", "CLOUD")
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def config(rest_url: str = "https://93.184.215.14", **storage: Any) -> dict[str, Any]:
    kept = {"storage_type": "S3", "s3_bucket_name": "bucket", "s3_bucket_region": "r", "bucket_path": "p", **storage}
    return {
        "data_center": {"region": "custom", "rest_url": rest_url},
        "secret_token": "sk_live_example_not_real",
        "object_storage_config": kept if storage else {"storage_type": "None"},
    }


KEYS = {"access_key_id": "EXAMPLEKEYID", "secret_access_key": "example/secret"}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            config("http://vitally.example"),
            "Data center (data_center): Address of the REST API (rest_url) must be an https address on Airbyte Cloud",
        ),
        (
            config("https://10.0.0.1"),
            "Data center (data_center): Address of the REST API (rest_url) must be a public address on Airbyte Cloud",
        ),
        (
            config(s3_endpoint=None),
            "on Airbyte Cloud, enter an Access key ID (access_key_id) with its secret, or a Role ARN (role_arn)",
        ),
        (config(s3_endpoint="http://93.184.215.14", **KEYS), "Endpoint (s3_endpoint) must be an https address"),
        (config(s3_endpoint="https://169.254.169.254", **KEYS), "Endpoint (s3_endpoint) must be a public address"),
    ],
)
def test_what_is_not_for_the_cloud_is_named(
    cloud: None, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigError, match="The configuration is not complete") as caught:
        configuration.read(given)
    assert problem in str(caught.value.message)
    monkeypatch.setenv("DEPLOYMENT_MODE", "OSS")
    assert configuration.read(given)


def test_what_is_for_the_cloud_is_taken(cloud: None) -> None:
    role = "arn:aws:iam::123456789012:role/rejected-records"
    for storage in ({**KEYS, "s3_endpoint": f"https://{PUBLIC}"}, KEYS, {"role_arn": role}):
        assert configuration.read(config(**storage))


@pytest.mark.parametrize("looked_up", [["127.0.0.1"], [PUBLIC, "127.0.0.1"]])
def test_a_name_that_leads_into_a_private_network_gets_no_request(
    cloud: None, monkeypatch: pytest.MonkeyPatch, looked_up: list[str]
) -> None:
    """The second looks harmless when it is looked up first, and leads elsewhere when it is connected to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        answers = list(looked_up)

        def look_up(*_: Any, **__: Any) -> list[Any]:
            found = answers.pop(0) if len(answers) > 1 else answers[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, server.getsockname()[1]))]

        with monkeypatch.context() as patched:
            patched.setattr(socket, "getaddrinfo", look_up)
            api = connect(settings(analytics_token=None), Clock()).rest
            assert api
            with pytest.raises(ConfigError, match=r"rest.vitally-eu.io is in a private network"):
                api.send("GET", "/users")
        if len(looked_up) > 1:
            connection = server.accept()[0]
            connection.settimeout(10)
            assert connection.recv(100) == b"", "a connection is made, and nothing is sent"


def test_elsewhere_any_address_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = {"region": "custom", "rest_url": f"http://127.0.0.1:{server.getsockname()[1]}"}
        rest = connect(settings(data_center=place, analytics_token=None), Clock()).rest
        assert rest
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(rest.takes, "GET", "/users")
            connection = server.accept()[0]
            assert connection.recv(100).startswith(b"GET /resources/users")
            connection.close()
            assert asked.result() is False
