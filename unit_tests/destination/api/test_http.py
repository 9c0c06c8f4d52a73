"""One way to Vitally: what is sent, how long it is tried again, and when it is given up while others are answered."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate

import certifi
import pytest
import requests
import requests_mock
from urllib3.exceptions import MaxRetryError, NewConnectionError

from destination_vitally.api.http import (
    GIVEN_UP_IN_A_ROW,
    TIMEOUT,
    Api,
    Backoff,
    Patience,
    Shared,
    connect,
    kind_of,
)
from destination_vitally.api.limiter import Limiter
from destination_vitally.errors import AmbiguousError, OutageError
from unit_tests.destination.api.served import GOOD, URL, Answer, Vitally
from unit_tests.destination.api.test_http_pace import Clock
from unit_tests.destination.builders import settings

LONG = [1, 2, 4, 8, 16, 32, 60, 60, 60]
"""The waits of a request that gets no good answer for as long as one may take."""
SHORT = [1, 2, 4, 8, 16]
"""The same once it is known that there are such requests."""

PAGE: Answer = {"status_code": 403, "text": "\ufeff <html>No.</html>"}
NOT_MADE = requests.exceptions.ConnectionError(MaxRetryError(None, "/", NewConnectionError(None, "")))  # type: ignore[arg-type]


# What is sent


def test_a_body_is_sent_as_json(vitally: Vitally) -> None:
    assert vitally.api.send("PUT", "/things/1", b'{"a":1}').ok
    assert vitally.api.takes("PUT", "/things/1", b'{"a":1}')
    for request in vitally.mock.request_history:
        assert (request.method, request.body) == ("PUT", b'{"a":1}')
        assert request.headers["Content-Type"] == "application/json"
        assert request.headers["Authorization"] == "Basic example"
        assert str(request.timeout) == str(TIMEOUT)


def test_what_has_no_body_says_nothing_of_one(vitally: Vitally) -> None:
    vitally.api.send("GET", "/things/1")
    [request] = vitally.mock.request_history
    assert request.body is None
    assert "Content-Type" not in request.headers


@pytest.mark.parametrize("bundle", [None, certifi.where()])
def test_certificates_are_those_of_the_environment_or_the_usual_ones(
    monkeypatch: pytest.MonkeyPatch, bundle: str | None
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    if bundle:
        monkeypatch.setenv("SSL_CERT_FILE", bundle)
    rest = connect(settings(), Clock()).rest
    assert rest
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, **GOOD)
        rest.send("GET", "/accounts")
    [request] = mock.request_history
    assert request.verify == (bundle or True)
    assert request.headers["User-Agent"] == "airbyte-destination-vitally"


# How long it is tried again


def test_waits_double_up_to_a_minute_until_the_patience_ends(vitally: Vitally) -> None:
    vitally.answers({"status_code": 503}, path="/probe")
    vitally.answers({"status_code": 503})
    with pytest.raises(OutageError) as caught:
        vitally.api.send("GET", "/things/1")
    assert vitally.clock.waits == LONG
    said = "Gave up after waiting 243 s: v.example answered with HTTP 503. Try again later."
    assert str(caught.value.message) == said


@pytest.mark.parametrize("patience", [15.0, 300.0])
def test_a_check_is_less_patient(patience: float) -> None:
    clock = Clock()
    rest = connect(settings(), clock, patience).rest
    assert rest
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, status_code=503)
        with pytest.raises(OutageError):
            rest.send("GET", "/accounts")
    assert patience / 4 < sum(clock.waits) <= patience


def asking(seconds: str) -> Answer:
    return {"status_code": 503, "headers": {"Retry-After": seconds}}


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        ({"status_code": 503}, 0.5),
        ({"exc": requests.exceptions.ReadTimeout}, 0.5),
        (asking("0"), 0.5),
        (asking("2"), 2),
        (asking("300"), 300),
        (asking("301"), 0.5),
        (asking(formatdate(1_790_001_005, usegmt=True)), 5),
    ],
)
def test_a_wait_that_is_asked_for_is_kept_if_it_can_be_meant(answer: Answer, wait: float) -> None:
    with requests_mock.Mocker() as mock:
        vitally = Vitally(mock, jitter=0.5)
        vitally.answers(answer, GOOD)
        assert vitally.api.send("GET", "/things/1").ok
    assert vitally.clock.waits == [wait]


@pytest.mark.parametrize(
    ("answer", "others_wait"), [({"status_code": 429}, True), ({"status_code": 503}, False), (None, False)]
)
def test_who_is_told_that_it_is_too_much_makes_the_others_wait(answer: Answer | None, others_wait: bool) -> None:
    is_free: list[bool] = []

    class Watched(Clock):
        def wait(self, seconds: float) -> None:
            is_free.append(watched.limiter.is_free(seconds))
            super().wait(seconds)

    clock = Watched()
    watched = Shared(requests.Session(), Limiter(100_000, clock), clock, jitter=lambda: 0.5)
    with requests_mock.Mocker() as mock:
        if answer:
            mock.get(f"{URL}/things", [answer, GOOD])
            Api("some_token", URL, "Basic example", watched).send("GET", "/things")
        else:
            Backoff(watched).wait("by itself")
    assert is_free == [not others_wait]
    assert clock.waits == [0.5]


def test_a_refusal_tells_what_a_request_costs(vitally: Vitally) -> None:
    left = {"headers": {"RateLimit-Limit": "60", "RateLimit-Remaining": "5"}}
    vitally.answers({**GOOD, **left}, {"status_code": 429, **left}, {**GOOD, **left})
    waits = []
    for _ in range(3):
        vitally.api.send("GET", "/things/1")
        waits.append(sum(vitally.clock.waits))
    assert waits == [0, 1, 2]


@pytest.mark.parametrize(("proven", "tries"), [(True, 2), (False, 1)])
def test_a_404_without_a_word_is_doubted_where_there_is_an_api(vitally: Vitally, proven: bool, tries: int) -> None:
    if proven:
        vitally.answers(GOOD, path="/before")
        vitally.answers({"status_code": 404, "json": {"error": "Not found"}}, path="/between")
        vitally.api.send("GET", "/before")
        vitally.api.send("GET", "/between")
    vitally.answers({"status_code": 404}, GOOD)
    assert vitally.api.send("GET", "/things/1").ok is proven
    assert vitally.sent().count("GET /resources/things/1") == tries


@pytest.mark.parametrize(("conflict", "waits"), [(True, []), (False, [1])])
def test_a_conflict_is_an_answer_where_it_is_asked_for(vitally: Vitally, conflict: bool, waits: list[float]) -> None:
    vitally.answers({"status_code": 409}, GOOD)
    reply = vitally.api.send("POST", "/things/1", b"{}", conflict=conflict)
    assert (reply.is_conflict, reply.ok) == (conflict, not conflict)
    assert vitally.clock.waits == waits


# What is given up while others are answered


@pytest.mark.parametrize(("seconds", "waits"), [(0.0, []), (6.9, [1, 2]), (7.0, [1, 2, 4]), (300.0, LONG)])
def test_a_request_is_given_up_when_its_patience_ends(vitally: Vitally, seconds: float, waits: list[float]) -> None:
    vitally.answers({"status_code": 500})
    reply = vitally.api.send("PUT", "/things/1", b"{}", patience=Patience(seconds, lambda: True))
    assert not reply.ok
    assert reply.reason == "HTTP 500, again and again, while it answers other requests"
    assert vitally.clock.waits == waits


def test_after_one_was_given_up_the_others_are_given_less_time(vitally: Vitally) -> None:
    vitally.answers({"exc": requests.exceptions.ReadTimeout})
    for waits in (LONG, SHORT, SHORT):
        reply = vitally.api.send("GET", "/things/1")
        assert (reply.ok, reply.status) == (False, 0)
        assert reply.reason == "no answer, again and again, while it answers other requests"
        assert vitally.clock.waits == waits
        vitally.clock.waits.clear()
    vitally.api.send("GET", "/things/1", patience=Patience(2, lambda: True))
    assert vitally.clock.waits == [1]


@pytest.mark.parametrize(
    ("failure", "probe", "is_alive", "given_up"),
    [
        ({"status_code": 500}, GOOD, None, True),
        ({"status_code": 500}, {"status_code": 503}, None, False),
        ({"status_code": 500}, {"json": {"results": "no rows"}}, None, False),
        ({"status_code": 500}, {"exc": requests.exceptions.ConnectionError}, None, False),
        ({"exc": requests.exceptions.ReadTimeout}, GOOD, None, True),
        ({"status_code": 500}, {"status_code": 503}, True, True),
        ({"status_code": 500}, GOOD, False, False),
        ({"status_code": 409}, {"status_code": 503}, None, True),
        ({"status_code": 409}, {"status_code": 503}, False, True),
        ({"status_code": 429}, GOOD, True, False),
    ],
)
def test_a_request_is_given_up_only_if_vitally_answers_others(
    vitally: Vitally, failure: Answer, probe: Answer, is_alive: bool | None, given_up: bool
) -> None:
    vitally.answers(failure)
    vitally.answers(probe, path="/probe")
    tells: Callable[[], bool] | None = None if is_alive is None else lambda: bool(is_alive)

    def send() -> bool:
        return vitally.api.send("GET", "/things/1", patience=Patience(300, tells)).ok

    if given_up:
        assert send() is False
    else:
        with pytest.raises(OutageError):
            send()
    assert vitally.clock.waits == LONG


def test_so_many_of_a_kind_in_a_row_are_an_outage_of_this_kind(vitally: Vitally) -> None:
    vitally.answers({"status_code": 500}, path="/other/1")
    for _ in range(2):
        for number in range(GIVEN_UP_IN_A_ROW):
            path = f"/things/{number}" if number else "/things?limit=1"
            vitally.answers({"status_code": 500}, path=path)
            assert not vitally.api.send("GET", path).ok
        vitally.answers(GOOD, path="/things/good")
        assert vitally.api.send("GET", "/things/good").ok
    for _ in range(GIVEN_UP_IN_A_ROW):
        vitally.api.send("GET", "/things/1")
    assert not vitally.api.send("GET", "/other/1").ok
    assert not vitally.api.send("PUT", "/things/1", b"{}").ok
    with pytest.raises(OutageError):
        vitally.api.send("GET", "/things/1")


def test_the_probe_of_rest_is_a_list_with_one_row() -> None:
    rest = connect(settings(), Clock()).rest
    assert rest
    with requests_mock.Mocker() as mock:
        mock.get("https://rest.vitally-eu.io/resources/accounts/1", status_code=500)
        mock.get("https://rest.vitally-eu.io/resources/users?limit=1", json={"results": []})
        assert not rest.send("GET", "/accounts/1").ok
    assert mock.request_history[-1].url == "https://rest.vitally-eu.io/resources/users?limit=1"


@pytest.mark.parametrize("path", ["/users", "/users?limit=1", "/users/1", "/users/1/x?limit=1/2"])
def test_requests_of_a_kind_have_the_method_and_the_resource_in_common(path: str) -> None:
    assert kind_of("GET", path) == "GET users"


# What no answer means


@pytest.mark.parametrize(
    ("failure", "repeatable"),
    [
        (NOT_MADE, False),
        (requests.exceptions.ConnectTimeout(), False),
        (requests.exceptions.ReadTimeout(), True),
    ],
)
def test_what_never_left_or_may_come_twice_is_sent_again(
    vitally: Vitally, failure: Exception, repeatable: bool
) -> None:
    vitally.answers({"exc": failure}, GOOD)
    assert vitally.api.send("POST", "/things/1", b"{}", repeatable=repeatable).ok
    assert vitally.clock.waits == [1]


@pytest.mark.parametrize("failure", [requests.exceptions.ReadTimeout(), requests.exceptions.ConnectionError("reset")])
def test_what_may_have_left_is_not_sent_again(vitally: Vitally, failure: Exception) -> None:
    vitally.answers({"exc": failure}, GOOD)
    with pytest.raises(AmbiguousError, match="the connection broke before") as caught:
        vitally.api.send("POST", "/things/1", b"{}", repeatable=False)
    assert str(caught.value) == "the connection broke before Vitally's answer arrived"
    assert caught.value.reply.reason.startswith("no answer")


@pytest.mark.parametrize(
    ("failure", "said"),
    [(NOT_MADE, "NewConnectionError"), (requests.exceptions.ReadTimeout(), "ReadTimeout")],
)
def test_a_network_error_is_told_by_its_kind(
    vitally: Vitally, caplog: pytest.LogCaptureFixture, failure: Exception, said: str
) -> None:
    vitally.answers({"exc": failure}, GOOD)
    vitally.api.send("GET", "/things/1")
    assert [entry.getMessage() for entry in caplog.records] == [
        f"Waiting 1 s, then trying again: no answer from v.example ({said}); check Data center (data_center) and "
        "the network."
    ]
