"""Pace, retries and what an answer means, on a clock that only waiting moves."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import requests
import requests_mock

from destination_vitally.api.http import PATIENCE, Api, connect
from destination_vitally.api.limiter import Limiter
from destination_vitally.clock import SystemClock
from destination_vitally.errors import AmbiguousError, ConfigError, OutageError, StoppedError
from unit_tests.destination.builders import settings

URL = "https://rest.vitally-eu.io/resources/accounts"


class Clock:
    def __init__(self) -> None:
        self.passed = 1000.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.passed

    def now(self) -> float:
        return 1_790_000_000 + self.passed

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.passed += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(clock: Clock) -> Api:
    rest = connect(settings(), clock).rest
    assert rest is not None
    return rest


@pytest.mark.parametrize("per_minute", [1, 7, 60, 1000, 100_000])
def test_never_more_than_the_budget_in_any_minute_and_nearly_all_of_it(clock: Clock, per_minute: int) -> None:
    limiter = Limiter(per_minute, clock)
    sent: list[float] = []
    while len(sent) < min(3 * per_minute + 2, 5000):
        limiter.acquire()
        sent.append(clock.monotonic())
        clock.passed += 0.0001
    for n, start in enumerate(sent[:: max(1, len(sent) // 50)]):
        within = sum(start <= moment < start + 60 for moment in sent)
        assert within <= per_minute, n
    if len(sent) > 2 * per_minute:
        assert len(sent) / (sent[-1] - sent[0]) >= 0.95 * per_minute / 60


def test_no_stall_of_a_minute_follows_a_burst(clock: Clock) -> None:
    limiter = Limiter(1000, clock)
    for _ in range(2000):
        limiter.acquire()
    assert max(clock.waits) <= 0.25


@pytest.mark.parametrize("prefix", ["", "X-"])
def test_an_empty_budget_of_the_server_slows_down(clock: Clock, prefix: str) -> None:
    limiter = Limiter(100_000, clock)
    limiter.observe({f"{prefix}RateLimit-Limit": "1000, 1000;window=60", f"{prefix}RateLimit-Remaining": "0"})
    limiter.acquire()
    assert clock.waits == [pytest.approx(0.6)]


@pytest.mark.parametrize(
    "headers", [{}, {"RateLimit-Limit": "x"}, {"RateLimit-Limit": "0", "RateLimit-Remaining": "0"}]
)
def test_headers_that_say_nothing_change_nothing(clock: Clock, headers: dict[str, str]) -> None:
    limiter = Limiter(100_000, clock)
    limiter.observe(headers)
    limiter.acquire()
    assert clock.waits == []


def test_waits_grow_and_end_in_an_outage(api: Api, clock: Clock) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, status_code=503)
        with pytest.raises(OutageError, match="HTTP 503") as caught:
            api.send("GET", "/accounts")
    assert caught.value.failure_type.value == "transient_error"
    assert 120 < sum(clock.waits) <= PATIENCE
    assert all(wait <= 60 for wait in clock.waits)
    assert clock.waits[-1] > clock.waits[0]


@pytest.mark.parametrize(
    "failure",
    [
        {"status_code": 500},
        {"status_code": 200, "text": "<html>"},
        {"exc": requests.exceptions.ReadTimeout},
        {"exc": requests.exceptions.ConnectionError},
        {"exc": requests.exceptions.ChunkedEncodingError},
    ],
)
def test_what_must_not_be_repeated_is_not(api: Api, failure: dict[str, Any]) -> None:
    with requests_mock.Mocker() as mock:
        mock.post(URL, **failure)
        with pytest.raises(AmbiguousError):
            api.send("POST", "/accounts", b"{}", repeatable=False)
        assert mock.call_count == 1


@pytest.mark.parametrize("failure", [{"status_code": 429}, {"exc": requests.exceptions.ConnectTimeout}])
def test_what_cannot_have_been_acted_on_is_repeated(api: Api, failure: dict[str, Any]) -> None:
    with requests_mock.Mocker() as mock:
        mock.post(URL, [failure, {"json": {"id": "1"}}])
        assert api.send("POST", "/accounts", b"{}", repeatable=False).ok


@pytest.mark.parametrize(
    ("status", "problem"), [(401, "secret_token"), (403, "secret_token"), (302, "redirects to elsewhere.example")]
)
def test_keys_and_addresses_are_config_errors(api: Api, status: int, problem: str) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(URL, status_code=status, headers={"Location": "https://elsewhere.example"}, json={"error": "No."})
        with pytest.raises(ConfigError, match=problem) as caught:
            api.send("GET", "/accounts")
        assert mock.call_count == 1
    assert "sk_live_example" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "ok", "miss", "reason"),
    [
        ({"json": {"id": "1"}}, True, False, None),
        ({"status_code": 201, "json": {"id": "1", "error": None}}, True, False, None),
        ({"status_code": 204}, True, False, None),
        ({"status_code": 404, "json": {"error": "Not found"}}, False, True, "Not found"),
        ({"status_code": 200, "json": {"error": "Not found"}}, False, True, "Not found"),
        ({"status_code": 400, "json": {"message": "name is\nrequired"}}, False, False, "name is required"),
        ({"status_code": 413, "text": "too large"}, False, False, "too large"),
        ({"status_code": 422}, False, False, "HTTP 422 without a reason"),
    ],
)
def test_what_an_answer_means(api: Api, answer: Any, ok: bool, miss: bool, reason: str | None) -> None:
    with requests_mock.Mocker() as mock:
        mock.put(URL, **answer)
        reply = api.send("PUT", "/accounts", b"{}")
    assert (reply.ok, reply.is_miss) == (ok, miss)
    assert reason is None or reply.reason == reason


KEY = "sk_live_example"
HEADER = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()


@pytest.mark.parametrize("token", [KEY, f" {KEY}\n", HEADER, HEADER.removeprefix("Basic ")])
def test_a_rest_key_works_in_each_form_vitally_shows_it(token: str, clock: Clock) -> None:
    rest = connect(settings(secret_token=token), clock).rest
    assert rest is not None
    with requests_mock.Mocker() as mock:
        mock.get(URL, json={"id": "1"})
        rest.send("GET", "/accounts")
        assert mock.request_history[0].headers["Authorization"] == HEADER


@pytest.mark.parametrize("token", ["abcde=", "Basic abcde="])
def test_an_analytics_key_is_sent_as_displayed(token: str, clock: Clock) -> None:
    analytics = connect(settings(analytics_token=token), clock).analytics
    assert analytics is not None
    with requests_mock.Mocker() as mock:
        mock.post("https://api.vitally-eu.io/analytics/v1/batch", json={"message": "Success."})
        analytics.send("POST", "/batch", b"[]")
        assert mock.request_history[0].headers["Authorization"] == "Basic abcde="


def test_an_address_may_hold_the_end_it_is_given() -> None:
    place = {
        "region": "custom",
        "rest_url": "http://r.example/resources/",
        "analytics_url": "http://a.example/v",
    }
    apis = connect(settings(data_center=place), Clock())
    assert apis.rest is not None
    assert apis.analytics is not None
    with requests_mock.Mocker() as mock:
        mock.get("http://r.example/resources/x", json={"id": "x"})
        mock.get("http://a.example/v/analytics/v1/x", json={"id": "x"})
        apis.rest.send("GET", "/x")
        apis.analytics.send("GET", "/x")


def test_an_address_that_cannot_be_used_is_a_config_error() -> None:
    place = {"region": "custom", "rest_url": "http://.example", "analytics_url": "http://a.example"}
    rest = connect(settings(data_center=place), Clock()).rest
    assert rest is not None
    with pytest.raises(ConfigError, match=r"Check Data center \(data_center\)"):
        rest.send("GET", "/x")


def test_nobody_waits_beyond_the_end() -> None:
    clock = SystemClock()
    clock.stop_within(0.01)
    clock.wait(0.001)
    with pytest.raises(StoppedError):
        clock.wait(60)
