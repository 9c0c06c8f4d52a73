"""What an answer makes the source do: go on, try again, wait, give up. Reading it is tested with `vitally_api`."""

from __future__ import annotations

import ssl
import weakref
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests
from airbyte_cdk.sources.declarative.models.declarative_component_schema import (
    DefaultErrorHandler as DefaultErrorHandlerModel,
)
from airbyte_cdk.sources.declarative.parsers.model_to_component_factory import ModelToComponentFactory
from airbyte_cdk.sources.streams import call_rate

from source_vitally.auth import make_known
from source_vitally.budget import RequestBudget
from source_vitally.client import RETRIES
from source_vitally.errors import GrowingBackoff, VitallyErrorHandler
from source_vitally.manifest import manifest
from source_vitally.responses import body_of, clock_of, in_short, is_absent, reason_of, size_of
from vitally_api.answers import LONGEST_WAIT

DATE: dict[str, Any] = {"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}
NOON = 1767225600  # the epoch of DATE
HTTP_ERRORS = manifest()["definitions"]["requester"]["error_handler"]


def answer(status: int = 200, body: bytes = b"{}", url: str = "http://127.0.0.1/x", **headers: str) -> Any:
    response = requests.Response()
    response.status_code = status
    response._content = body
    response.headers.update({key.replace("_", "-"): value for key, value in headers.items()})
    response.elapsed = timedelta(seconds=0.25)
    response.request = requests.Request("GET", url).prepare()
    return response


def test_waits_grow_jitter_and_outlast_two_minutes() -> None:
    backoff = GrowingBackoff()
    waits = [backoff.backoff_time(answer(500), attempt) or 0 for attempt in range(1, RETRIES + 1)]
    assert sum(waits) > 120
    assert max(waits) <= 75
    assert waits[3] > waits[0]
    assert len({backoff.backoff_time(None, 1) for _ in range(9)}) > 1
    assert backoff.backoff_time(answer(429, Retry_After="90"), 1) == 90
    assert backoff.backoff_time(answer(429, Retry_After="86400"), 1) == LONGEST_WAIT
    assert (backoff.backoff_time(answer(429, X_RateLimit_Reset=str(NOON + 12)), 1) or 0) < 2, "no clock to measure by"


@pytest.mark.parametrize(
    ("status", "body", "options", "absent"),
    [
        (404, b"", {}, True),
        (200, b'{"error": "Account not found"}', {}, True),
        (200, b'{"error": "Account not found"}', {"envelope": "anything"}, True),
        (200, b'{"results": [], "error": "x"}', {}, False),
        (200, b'{"data": [], "error": null}', {"envelope": "data"}, False),
        (200, b'{"data": [], "error": "x"}', {"envelope": "data"}, False),
        (200, b"<html>", {}, False),
        (403, b'{"error": "Not in your plan."}', {}, True),
        (403, b"<html>blocked</html>", {}, False),
        (400, b'{"error": "No organizations."}', {}, False),
        (400, b'{"error": "No organizations."}', {"absent_if_rejected": True}, True),
        (400, b"<html>", {"absent_if_rejected": True}, False),
        (500, b'{"error": "boom"}', {}, False),
    ],
)
def test_what_says_that_a_workspace_has_no_such_thing(
    status: int, body: bytes, options: dict[str, Any], absent: bool
) -> None:
    response = answer(status, body)
    handler(optional=True, **options).interpret_response(response)
    assert is_absent(response) is absent
    handler(**options).interpret_response(again := answer(status, body))
    assert not is_absent(again), "what is not optional is never absent"


def test_the_reason_of_an_answer_has_no_key_in_it() -> None:
    make_known({"secret_token": "sk_live_example_not_real"})
    refused = answer(400, b'{"error": {"message": "no such key: sk_live_example_not_real"}}')
    assert reason_of(refused) == "no such key: ****"
    assert in_short(refused) == "HTTP 400 (no such key: ****)"
    assert (handler().interpret_response(refused).error_message or "").endswith("Vitally says: no such key: ****")
    assert reason_of(answer(400, b"plain\ntext \xff")) == "plain text \ufffd"


@pytest.mark.parametrize(
    ("came", "otherwise", "words"),
    [
        (requests.ConnectionError("gone"), None, "no answer (ConnectionError)"),
        (answer(200, b"<html>"), None, "a broken answer"),
        (answer(200, b"<html>"), "It has no rows. Try later.", "It has no rows"),
        (answer(503, b"<html>down</html>"), None, "HTTP 503"),
        (answer(503, b'{"error": "down"}'), "It has no rows.", "HTTP 503 (down)"),
    ],
    ids=str,
)
def test_what_came_instead_of_a_good_answer_in_a_few_words(came: Any, otherwise: str | None, words: str) -> None:
    assert in_short(came, otherwise) == words


@pytest.mark.parametrize(
    ("status", "text", "body", "kept"),
    [
        (200, b'{"results": []}', {"results": []}, b""),
        (200, b"<html>", None, b"<html>"),
        (400, b'{"error": "x"}', {"error": "x"}, b'{"error": "x"}'),
    ],
)
def test_of_a_page_that_was_read_its_size_is_kept_but_not_its_bytes(
    status: int, text: bytes, body: Any, kept: bytes
) -> None:
    response = answer(status, text)
    assert size_of(response) == len(text)
    assert body_of(response) == body
    assert (size_of(response), response.content) == (len(text), kept)


def test_the_servers_clock_is_a_time_before_the_page_was_made() -> None:
    clock = clock_of(answer(**DATE))
    assert clock is not None
    assert clock.answered == datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert clock.answered - clock.asked == timedelta(seconds=1), "0.25 s, and no later than a stamp of whole seconds"
    assert clock_of(answer()) is None
    assert clock_of(answer(Date="once upon a time")) is None


def distrusted() -> requests.exceptions.SSLError:
    cause = ssl.SSLCertVerificationError("certificate verify failed")
    cause.verify_message = "self-signed certificate"
    return requests.exceptions.SSLError(cause)


def handler(**options: Any) -> VitallyErrorHandler:
    return VitallyErrorHandler(parameters={}, config={}, **options)


@pytest.mark.parametrize(
    ("response", "options", "action"),
    [
        (answer(body=b'{"results": []}'), {}, "SUCCESS"),
        (answer(body=b'{"results": []'), {}, "RETRY"),
        (answer(body=b'\xef\xbb\xbf{"results": [{"name": "\\ud800", "mrr": NaN}]}'), {}, "SUCCESS"),
        (answer(body=b"[]"), {}, "RETRY"),
        (answer(body=b"{}"), {}, "RETRY"),
        (answer(body=b'{"results": null}'), {}, "RETRY"),
        (answer(body=b'{"results": [1]}'), {}, "RETRY"),
        (answer(body=b'{"results": [1, {}]}'), {}, "SUCCESS"),
        (answer(body=b'{"results": [1]}', url="http://127.0.0.1/x?limit=100&from=abc"), {}, "SUCCESS"),
        (answer(body=b'[null, {"path": "p"}]'), {"envelope": "list"}, "SUCCESS"),
        (answer(body=b'{"results": [], "next": {"a": 1}}'), {}, "RETRY"),
        (answer(body=b'{"id": "x"}'), {"envelope": "id"}, "SUCCESS"),
        (answer(body=b'{"x": 1}'), {"envelope": "anything"}, "SUCCESS"),
        (answer(404), {}, "FAIL"),
        (answer(404), {"optional": True}, "IGNORE"),
        (answer(403, b'{"error": "no"}'), {"optional": True}, "IGNORE"),
        (answer(403, b"<html>"), {"optional": True}, "FAIL"),
        (answer(500), {"optional": True}, "RETRY"),
        (answer(400, url="http://127.0.0.1/x?from=abc&limit=100"), {}, "FAIL"),
        (distrusted(), {}, "FAIL"),
        (requests.exceptions.SSLError("EOF occurred in violation of protocol"), {}, "RETRY"),
        (requests.ConnectionError("gone"), {}, "RETRY"),
    ],
)
def test_what_the_client_does_next(response: Any, options: dict[str, Any], action: str) -> None:
    resolution = handler(**options).interpret_response(response)
    assert resolution.response_action is not None
    assert resolution.response_action.name == action


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (401, b'{"error": "Invalid credentials."}', "does not work in another. Vitally says: Invalid credentials."),
        (404, b'{"error": {"message": "no route"}}', "the region. Vitally says: no route"),
        (422, b'{"errors": ["one", "two"]}', "rejected a request as invalid. Vitally says: one; two"),
        (503, b'{"message": "down"}', "Try again later. Vitally says: down"),
        (503, b"<html>down</html>", "Try again later."),
    ],
)
def test_an_error_ends_with_vitallys_own_words(status: int, body: bytes, text: str) -> None:
    filters = HTTP_ERRORS["response_filters"]
    model = {"type": "DefaultErrorHandler", "response_filters": filters}
    built = ModelToComponentFactory().create_component(DefaultErrorHandlerModel, model, {})
    resolution = handler(response_filters=built.response_filters).interpret_response(answer(status, body))
    assert (resolution.error_message or "").endswith(text)


class Clock:
    def __init__(self) -> None:
        self.now, self.slept = 0.0, 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({"RateLimit_Remaining": "990", "RateLimit_Limit": "1000, 1000;window=60"}, 0.0),
        ({"RateLimit_Remaining": "4", "RateLimit_Limit": "600, 600;window=60"}, 0.2),
        ({"X_RateLimit_Remaining": "0", "X_RateLimit_Limit": "600"}, 0.6),
        ({"X_RateLimit_Remaining": "0", "X_RateLimit_Limit": "2"}, 30.0),
        ({"RateLimit_Remaining": "10"}, 0.0),
        ({"RateLimit_Remaining": "0", "RateLimit_Reset": str(NOON)}, 0.6),
        ({"RateLimit_Remaining": "unknown"}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_budget_waits_for_the_servers_bucket_to_refill(headers: dict[str, Any], waits: float) -> None:
    clock = Clock()
    budget = RequestBudget(1000, clock=clock, sleep=clock.sleep)
    budget.acquire_call(object())
    budget.update_from_response(object(), answer(**headers))
    budget.acquire_call(object())
    assert clock.slept == pytest.approx(waits)


def test_an_answer_that_says_nothing_of_the_bucket_ends_no_wait() -> None:
    clock = Clock()
    budget = RequestBudget(1000, clock=clock, sleep=clock.sleep)
    budget.update_from_response(object(), answer(RateLimit_Remaining="0", RateLimit_Limit="600"))
    budget.update_from_response(object(), answer())
    budget.acquire_call(object())
    assert clock.slept == pytest.approx(0.1 * 6)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [entry.getMessage() for entry in caplog.records if entry.name == "airbyte"]


@pytest.mark.parametrize(("limit", "seconds"), [("12", 5), ("13", None), ("2", 30)])
def test_a_wait_that_is_worth_it_is_said_once_for_all_who_wait(
    caplog: pytest.LogCaptureFixture, limit: str, seconds: int | None
) -> None:
    clock = Clock()
    budget = RequestBudget(1000, clock=clock, sleep=lambda _: None)
    wait = f"Waiting {seconds} seconds: Vitally says that little of the key's request limit is left."
    with caplog.at_level("INFO"):
        for waits in (1, 2):
            budget.update_from_response(object(), answer(RateLimit_Remaining="0", RateLimit_Limit=limit))
            for _ in range(3):
                budget.acquire_call(object())
            assert said(caplog) == ([wait] * waits if seconds else [])
            clock.now += seconds or 0


@pytest.mark.parametrize(("timeout", "seconds"), [(None, 60), (7, 7)])
def test_a_full_window_is_waited_for_and_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, timeout: float | None, seconds: int
) -> None:
    budget, waits = RequestBudget(1), list[float]()

    def sleep(wait: float) -> None:
        waits.append(round(wait))
        budget._policies[0]._bucket.flush()  # type: ignore[attr-defined]

    monkeypatch.setattr(call_rate.time, "sleep", sleep)
    with caplog.at_level("INFO"):
        for _ in range(2):
            budget.acquire_call(object(), timeout=timeout)
    assert waits == [seconds]
    assert said(caplog) == [
        "Waiting 60 seconds: as many requests as Requests per minute (requests_per_minute) allows are sent."
    ]


def test_one_request_is_under_way_unless_more_may_be_and_successes_are_counted() -> None:
    budget = RequestBudget(3)
    with budget.under_way():
        assert not budget._slots.acquire(blocking=False)
    for _ in range(3):
        budget.succeeded()
    assert budget.successes == 3


def test_what_requests_share_of_the_budget_is_read_and_changed_under_its_lock() -> None:
    under_lock: list[bool] = []

    class Watched(RequestBudget):
        @property
        def successes(self) -> int:
            return 0

        @successes.setter
        def successes(self, value: int) -> None:
            under_lock.append(not value or self._lock.locked())

    def clock() -> float:
        under_lock.append(budget._lock.locked())
        return 0.0

    budget = Watched(1000, clock=clock, sleep=lambda _: None)
    budget.update_from_response(object(), answer(RateLimit_Remaining="0", RateLimit_Limit="2"))
    budget.acquire_call(object())
    budget.succeeded()
    assert under_lock == [True] * 5, "made, answered, waited for, said, succeeded"


def test_the_budget_keeps_no_request() -> None:
    budget = RequestBudget(3)
    request = requests.Request("GET", "https://rest.example").prepare()
    kept = weakref.ref(request)
    budget.acquire_call(request)
    del request
    assert kept() is None


def test_the_budget_is_a_moving_window() -> None:
    budget = RequestBudget(3)
    for _ in range(3):
        budget.acquire_call(object(), block=False)
    with pytest.raises(Exception, match="3/"):
        budget.acquire_call(object(), block=False)
