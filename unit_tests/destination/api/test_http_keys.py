"""Keys and addresses: what is refused, redirected, or stopped by a firewall."""

from __future__ import annotations

from itertools import pairwise
from urllib.parse import urljoin

import pytest
import requests
import requests_mock

from destination_vitally.api.http import (
    PAGES_IN_A_ROW,
    Api,
    Shared,
    connect,
)
from destination_vitally.api.limiter import Limiter
from destination_vitally.config import setting
from destination_vitally.errors import ConfigError, RejectedError
from unit_tests.destination.api.served import GOOD, URL, Answer, Vitally
from unit_tests.destination.api.test_http_pace import Clock
from unit_tests.destination.builders import settings

PAGE: Answer = {"status_code": 403, "text": "\ufeff <html>No.</html>"}


# Keys and addresses


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("proven", [True, False])
def test_a_refused_key_is_a_config_error_that_says_which(status: int, proven: bool) -> None:
    apis = connect(settings(), Clock())
    for api, name in ((apis.rest, "secret_token"), (apis.analytics, "analytics_token")):
        assert api
        with requests_mock.Mocker() as mock:
            refusal: Answer = {"status_code": status, "json": {"error": "No key."}}
            mock.post(requests_mock.ANY, [GOOD, refusal] if proven else [refusal])
            if proven:
                api.send("POST", "/batch", b"[]")
            with pytest.raises(ConfigError) as caught:
                api.send("POST", "/batch", b"[]")
        assert caught.value.message == (
            f"Vitally refused the key (HTTP {status}: No key.). Check {setting(name)}, "
            "and that Data center (data_center) is the one of this workspace."
        )


@pytest.mark.parametrize("status", [300, 304, 399])
def test_a_redirect_to_nowhere_is_a_config_error(vitally: Vitally, status: int) -> None:
    vitally.answers({"status_code": status})
    with pytest.raises(
        ConfigError, match=rf"v.example redirects to nowhere \(HTTP {status}\). Check Data center \(data_center\)"
    ):
        vitally.api.send("GET", "/things/1")


US, EU = "https://acme.rest.vitally.io/resources/users", "https://rest.vitally-eu.io/resources/users"


def redirecting(mock: requests_mock.Mocker, *targets: str) -> Api:
    """An API at the first address that redirects from each to the next; the last answers with a row."""
    for address, target in pairwise(targets):
        mock.register_uri(requests_mock.ANY, address, status_code=308, headers={"Location": target})
    if targets[-1] not in targets[:-1]:
        mock.register_uri(requests_mock.ANY, targets[-1], **GOOD)
    base = targets[0].removesuffix("/users")
    shared = Shared(requests.Session(), Limiter(100_000, clock := Clock()), clock)
    return Api("some_token", base, "Basic example", shared)


@pytest.mark.parametrize(
    "targets",
    [
        [US, "https://rest.vitally.io/resources/users"],
        ["http://acme.rest.vitally.io/resources/users", US],
        [US, "/resources/people", "https://vitally.io/a", "https://a.b.vitally.io:443/b?limit=1"],
        [EU, "https://x.vitally-eu.io/resources/users"],
    ],
)
def test_a_read_follows_redirects_within_vitally(targets: list[str]) -> None:
    whole = [urljoin(US, target) for target in targets]
    with requests_mock.Mocker() as mock:
        assert redirecting(mock, *whole).send("GET", "/users").ok
        assert [request.url for request in mock.request_history] == whole
        assert {request.headers["Authorization"] for request in mock.request_history} == {"Basic example"}


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ([US, "https://vitally.io.example.com/x"], "acme.rest.vitally.io redirects to vitally.io.example.com"),
        ([US, "https://notvitally.io/x"], "redirects to notvitally.io (HTTP 308), which is outside of Vitally's"),
        ([US, EU], "redirects to rest.vitally-eu.io (HTTP 308), which is outside of Vitally's domain"),
        ([US, "http://rest.vitally.io/x"], "redirects to rest.vitally.io (HTTP 308), which is not https"),
        ([US, "https://rest.vitally.io:8443/x"], "redirects to rest.vitally.io (HTTP 308), which is no address"),
        ([US, "https://me@rest.vitally.io/x"], "redirects to rest.vitally.io (HTTP 308), which is no address"),
        ([US, "https://127.0.0.1/x"], "redirects to 127.0.0.1 (HTTP 308)"),
        ([US, "https://rest.vitally.io:port/x"], "redirects to rest.vitally.io (HTTP 308), which is no address"),
        ([URL + "/users", URL + "/probe"], "v.example redirects to v.example (HTTP 308), which is not https"),
        ([URL + "/users", "https://v.example/x"], "redirects to v.example (HTTP 308), which is outside"),
        ([US, "https://rest.vitally.io/x", "https://evil.example/x"], "redirects to evil.example (HTTP 308)"),
        ([US, US], "redirects to acme.rest.vitally.io (HTTP 308), after 3 other redirects"),
    ],
)  # fmt: skip
def test_a_redirect_to_elsewhere_is_refused_and_the_key_goes_nowhere(targets: list[str], said: str) -> None:
    with requests_mock.Mocker() as mock:
        api = redirecting(mock, *targets)
        with pytest.raises(ConfigError) as caught:
            api.send("GET", "/users")
        assert said in str(caught.value.message)
        asked = [request.url for request in mock.request_history]
    assert asked == (targets[:-1] if targets[0] != targets[-1] else [US] * 4)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_what_writes_is_redirected_nowhere(method: str) -> None:
    with requests_mock.Mocker() as mock:
        api = redirecting(mock, US, "https://rest.vitally.io/resources/users")
        with pytest.raises(ConfigError, match=r"redirects to rest.vitally.io .* sent nowhere else"):
            api.send(method, "/users", b"{}", repeatable=False)
        assert mock.call_count == 1


@pytest.mark.parametrize(
    "path", ["/users/..", "/users/%2e%2E", "/users/a%2F..%2Fb", "/users/%252e%252e", "/users/a%5C..%5Cb"]
)
def test_a_delete_that_could_lead_to_another_row_is_refused(vitally: Vitally, path: str) -> None:
    with pytest.raises(RejectedError, match="could lead to another row"):
        vitally.api.send("DELETE", path)
    assert vitally.sent() == []


@pytest.mark.parametrize("path", ["/things/a..b", "/things/...", "/things/%2e"])
def test_a_delete_of_an_id_with_dots_is_sent(vitally: Vitally, path: str) -> None:
    vitally.answers({"status_code": 204}, path=path)
    assert vitally.api.send("DELETE", path).ok


def test_the_pages_of_a_firewall_are_about_single_rows_up_to_a_point(vitally: Vitally) -> None:
    vitally.answers(PAGE, path="/disliked")
    vitally.answers({"status_code": 404, "json": {"error": "Not found"}}, path="/missing")
    for _ in range(2):
        vitally.api.send("GET", "/things/1")
        for number in range(PAGES_IN_A_ROW):
            assert vitally.api.send("PUT", "/disliked", b"{}").status == 403
            assert number or vitally.api.send("GET", "/missing").is_miss
    with pytest.raises(ConfigError, match="HTTP 403"):
        vitally.api.send("PUT", "/disliked", b"{}")
    assert vitally.clock.waits == []


def test_a_page_before_anything_was_answered_is_about_the_key(vitally: Vitally) -> None:
    vitally.answers(PAGE)
    with pytest.raises(ConfigError, match="Check some_token"):
        vitally.api.send("GET", "/things/1")
