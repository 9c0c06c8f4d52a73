"""What an answer of Vitally says, answer by answer: done, no such thing, refused with a reason, or try again."""

from __future__ import annotations

import io
import json
from contextlib import nullcontext
from typing import Any

import pytest
import requests
from urllib3 import HTTPResponse

from destination_vitally.api.reply import Reply, read, retryable_problem
from destination_vitally.masking import make_known
from vitally_api import bounds
from vitally_api.answers import LONGEST_REASON

PAGE = "\ufeff \n<!doctype html><title>Blocked</title>"
OF_A_PAGE = "a page instead of an answer, as a firewall or a gateway sends it"


def answer(status: int, body: Any, **headers: str) -> Reply:
    """An answer as the HTTP library gives it; what is no text is sent as JSON."""
    response = requests.Response()
    response.status_code = status
    content = (body if isinstance(body, str) else json.dumps(body)).encode()
    response.raw = HTTPResponse(io.BytesIO(content), preload_content=False)
    response.request = requests.Request("GET", "http://v.example").prepare()
    response.encoding = "utf-8"
    response.headers.update(headers)
    return read(response, bounds.LARGEST_ROW, nullcontext())


@pytest.mark.parametrize(
    ("status", "body", "ok", "is_miss", "reason"),
    [
        (200, {"id": "x"}, True, False, "HTTP 200 without a reason"),
        (204, "", True, False, "HTTP 204 without a reason"),
        (200, {"results": [], "error": None}, True, False, "HTTP 200 without a reason"),
        (200, {"error": "Not found"}, False, True, "Not found"),
        (200, {"id": "x", "error": "an old one"}, True, False, "an old one"),
        (200, {"success": False, "message": "no"}, False, False, "no"),
        (200, {"errors": ["a", {"message": "b"}]}, False, False, "a; b"),
        (299, {"id": "x"}, True, False, "HTTP 299 without a reason"),
        (300, {"id": "x"}, False, False, "HTTP 300 without a reason"),
        (199, {"id": "x"}, False, False, "HTTP 199 without a reason"),
        (404, {"error": "Not\n found"}, False, True, "Not found"),
        (404, {}, False, True, "HTTP 404 without a reason"),
        (404, "", False, False, "HTTP 404 without a reason"),
        (404, "no such route", False, False, "no such route"),
        (403, PAGE, False, False, f"HTTP 403 with {OF_A_PAGE}"),
        (422, {"error": {"message": "name is required"}}, False, False, "name is required"),
    ],
)  # fmt: skip
def test_what_an_answer_says(status: int, body: Any, ok: bool, is_miss: bool, reason: str) -> None:
    said = answer(status, body)
    assert (said.ok, said.is_miss, said.reason, said.problem) == (ok, is_miss, reason, "")


@pytest.mark.parametrize(
    ("status", "words", "is_conflict"),
    [
        (409, "", True),
        (409, "The row is being changed", True),
        (400, "externalId already exists: 7.", True),
        (400, "Duplicate value for name", True),
        (400, "email has been taken", True),
        (400, "externalId must be unique", True),
        (400, "There is an existing account", True),
        (400, "Not allowed: externalId exists. Use PUT", True),
        (400, "accountId does not exist", False),
        (400, "The account doesn't exist", False),
        (400, "No account exists with that id", False),
        (400, "nonexistent template", False),
        (400, "the account must exist", False),
        (400, "name is required", False),
        (400, "", False),
        (422, "name is required", False),
        (404, "already deleted", False),
        (422, "already exists", True),
        (200, "already exists", False),
    ],
)
def test_a_conflict_is_said_by_its_status_or_in_words(status: int, words: str, is_conflict: bool) -> None:
    said = answer(status, {"error": words})
    assert said.is_conflict is is_conflict
    assert not said.given_up("HTTP 409").is_conflict
    assert bool(retryable_problem("POST", said, proven=True)) is (status == 409)


@pytest.mark.parametrize("body", [{"error": "no"}, {"id": "x"}])
@pytest.mark.parametrize("status", [200, 404, 500])
def test_what_was_given_up_is_neither_done_nor_missing(status: int, body: Any) -> None:
    last = answer(status, body).given_up("HTTP 500")
    assert not last.ok
    assert not last.is_miss
    assert (
        last.reason == f"HTTP 500{' (no)' if 'error' in body else ''}, again and again, while it answers other requests"
    )


def test_a_page_that_is_given_up_is_said_to_be_one() -> None:
    assert answer(502, PAGE).given_up("HTTP 502").reason.startswith(f"HTTP 502 ({OF_A_PAGE}), again and again")


@pytest.mark.parametrize("wrap", [lambda text: {"error": text}, lambda text: text], ids=["json", "text"])
def test_a_reason_has_no_key_in_it_and_no_half_of_one(wrap: Any) -> None:
    make_known({"secret_token": "sk_live_example_not_real"})
    said = "x" * (LONGEST_REASON - 9) + " sk_live_example_not_real"
    assert answer(401, wrap(said)).reason.endswith("x ****")


@pytest.mark.parametrize(
    ("method", "status", "body", "proven", "problem"),
    [
        ("POST", 200, {"id": "x"}, True, ""),
        ("POST", 200, {}, True, ""),
        ("POST", 200, "", True, ""),
        ("POST", 200, "OK", True, "something that is not JSON"),
        ("POST", 200, PAGE, True, "something that is not JSON"),
        ("DELETE", 200, "OK", True, ""),
        ("POST", 300, "OK", True, ""),
        ("POST", 400, "no", True, ""),
        ("POST", 408, {}, True, "HTTP 408"),
        ("POST", 409, {}, True, "HTTP 409"),
        ("POST", 423, {}, True, "HTTP 423"),
        ("POST", 425, {}, True, "HTTP 425"),
        ("POST", 429, {}, True, "HTTP 429 (too many requests)"),
        ("POST", 499, {}, True, ""),
        ("POST", 500, {}, True, "HTTP 500"),
        ("GET", 100, {}, True, "HTTP 100"),
        ("GET", 404, "", True, "HTTP 404 without a word from Vitally"),
        ("GET", 404, "", False, ""),
        ("GET", 404, {"error": "Not found"}, True, ""),
        ("GET", 200, {"error": "Not found"}, True, ""),
        ("GET", 200, {"results": []}, True, ""),
        ("GET", 200, {"results": [{}]}, True, ""),
        ("GET", 200, {"results": [{}, None]}, True, "neither a row nor a page of rows"),
        ("GET", 200, {"results": None}, True, "neither a row nor a page of rows"),
        ("GET", 200, {"rows": []}, True, "neither a row nor a page of rows"),
        ("GET", 200, {"id": "x", "results": 1}, True, ""),
        ("GET", 200, [{"id": "x"}], True, ""),
        ("GET", 200, [1], True, "neither a row nor a page of rows"),
        ("GET", 200, 7, True, "neither a row nor a page of rows"),
        ("GET", 200, "", True, "neither a row nor a page of rows"),
    ],
)  # fmt: skip
def test_what_a_later_attempt_may_get_right(method: str, status: int, body: Any, proven: bool, problem: str) -> None:
    assert retryable_problem(method, answer(status, body), proven=proven) == problem


def test_the_time_of_an_answer_is_the_servers() -> None:
    assert answer(200, {}, Date="Wed, 21 Oct 2026 07:28:00 GMT").time == 1792567680.0
    assert answer(200, {}).time is None
