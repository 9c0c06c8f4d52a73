"""Each error in full: what the client does next, whose fault it is, and what a person is told to do."""

from __future__ import annotations

import random
from typing import Any

import pytest
import requests

from source_vitally.auth import make_known
from source_vitally.config import REST_URL
from source_vitally.errors import GrowingBackoff, VitallyErrorHandler
from unit_tests.source.test_responses import answer, distrusted
from vitally_api.answers import LONGEST_REASON

REST = "https://rest.example"
FOR_A_PERSON, TRY_AGAIN = ("FAIL", "config_error"), ("RETRY", "transient_error")
CHECK_ADDRESS = (
    "If this stays, it is not where Vitally's REST API is: check the subdomain and the region in Data center "
    "(data_center)."
)
REFUSED = f"The proxy proxy.example:3128 does not let requests to {REST} through"
CHECK_PROXY = "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the connector, and that the proxy runs."


def handler(**options: Any) -> VitallyErrorHandler:
    return VitallyErrorHandler(parameters={}, config={REST_URL: REST}, **options)


def refused_by_proxy(why: str) -> requests.exceptions.ProxyError:
    return requests.exceptions.ProxyError(f"Max retries (Caused by ProxyError('Unable to connect', OSError('{why}')))")


@pytest.mark.parametrize(
    ("came", "next_step", "text"),
    [
        (
            answer(403, b"<html>"),
            FOR_A_PERSON,
            f"A request to {REST} was forbidden (HTTP 403) by something that is not Vitally's API: a firewall or a "
            "proxy in between. Let it allow this address.",
        ),
        (
            answer(200, b"<html>"),
            TRY_AGAIN,
            f"{REST} answered with a body that is not JSON. {CHECK_ADDRESS}",
        ),
        (
            answer(200, b"{}"),
            TRY_AGAIN,
            f"{REST} answered with a body without 'results'. {CHECK_ADDRESS}",
        ),
        (
            answer(200, b'{"results": 5}'),
            TRY_AGAIN,
            f"{REST} answered with a body that is not a page of rows. {CHECK_ADDRESS}",
        ),
        (
            distrusted(),
            FOR_A_PERSON,
            "The certificate of rest.example is not trusted (self-signed certificate). If a proxy or firewall of your "
            "company signs it, let SSL_CERT_FILE name a file with the certificate of its authority.",
        ),
        (
            refused_by_proxy("Tunnel connection failed: 407 Who are you?"),
            TRY_AGAIN,
            f"{REFUSED} (407 Who are you?). {CHECK_PROXY}",
        ),
        (
            refused_by_proxy("[Errno -2] Name or service not known"),
            TRY_AGAIN,
            f"{REFUSED} (its host is not known). {CHECK_PROXY}",
        ),
        (
            refused_by_proxy("[Errno 111] Connection refused"),
            TRY_AGAIN,
            f"{REFUSED} (it does not answer). {CHECK_PROXY}",
        ),
        (
            requests.ConnectionError("[Errno -2] Name or service not known"),
            TRY_AGAIN,
            f"The host of {REST} is not known. Check the subdomain in Data center (data_center), then the network's "
            "DNS.",
        ),
        (
            requests.exceptions.SSLError("EOF occurred in violation of protocol"),
            TRY_AGAIN,
            f"No trusted TLS connection to {REST}. Check Data center (data_center) and any proxy in between.",
        ),
        (
            requests.Timeout(),
            TRY_AGAIN,
            f"{REST} did not answer in time. Check the network from this machine to Vitally.",
        ),
        (
            requests.ConnectionError("gone"),
            TRY_AGAIN,
            f"No connection to {REST}, or it broke. Check the network from this machine to Vitally.",
        ),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else None,
)
def test_what_is_done_next_whose_fault_it_is_and_what_a_person_is_told(
    monkeypatch: pytest.MonkeyPatch, came: Any, next_step: tuple[str, str], text: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    resolution = handler().interpret_response(came)
    assert resolution.response_action
    assert resolution.failure_type
    assert (resolution.response_action.name, resolution.failure_type.value) == next_step
    assert resolution.error_message == text


def test_no_half_of_a_key_is_left_where_the_reason_of_an_answer_is_cut() -> None:
    make_known({"secret_token": "sk_live_example_not_real"})
    said = "x" * (LONGEST_REASON - 9) + " sk_live_example_not_real"
    text = handler().interpret_response(answer(500, f'{{"error": "{said}"}}'.encode())).error_message or ""
    assert text.endswith("x ****")


@pytest.mark.parametrize(("jitter", "factor"), [(lambda low, _: low, 0.75), (lambda _, high: high, 1.25)])
def test_each_wait_is_twice_the_last_until_a_minute(
    monkeypatch: pytest.MonkeyPatch, jitter: Any, factor: float
) -> None:
    monkeypatch.setattr(random, "uniform", jitter)
    waits = [GrowingBackoff().backoff_time(answer(500), attempt) for attempt in range(1, 9)]
    assert waits == [seconds * factor for seconds in (1, 2, 4, 8, 16, 32, 60, 60)]
