"""Reading answers: bodies, reasons, clocks, limits and waits, in every dialect that has been seen or guessed."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitally_api import answers
from vitally_api.answers import is_miss, parse, reason, says_failure, server_time, wait_asked_for

DATE = {"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}
NOON = 1767225600  # the epoch of DATE


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": "ü"}'.encode("utf-16"), {"a": "ü"}),
        (b"[NaN, Infinity, -Infinity, 1e400, -1e400, 1e308]", [None, None, None, None, None, 1e308]),
        (b'{"\\ud800": ["\\udfff", "\\ud83d\\ude00"]}', {"�": ["�", "😀"]}),
        (b"[18446744073709551616, -9223372036854775809]", [2**64, -(2**63) - 1]),
        (b'{"id": 123456789012345678901234567890}', {"id": 123456789012345678901234567890}),
        (b"[0.1234567890123456789]", [0.1234567890123456789]),
        (b"null", None),
    ],
)
def test_what_the_standard_parser_reads_is_read(content: bytes, value: Any) -> None:
    assert parse(content) == value


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"a": ', b"\xff\xfe\xfd", b"[1] 2", b"[" * 100_000])
def test_what_is_not_json_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(content)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(ANY, st.booleans())
def test_parsing_undoes_writing(value: Any, ascii_only: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, None, True),
        (404, {"id": "a"}, True),
        (200, {"error": "Account not found"}, True),
        (200, {"error": "x", "id": "a"}, False),
        (200, {"error": None}, False),
        (200, {"results": [], "error": "x"}, False),
        (200, [], False),
        (200, None, False),
        (400, {"error": "not found"}, False),
        (410, None, False),
        (500, {"error": "boom"}, False),
    ],
)
def test_both_known_forms_of_a_miss(status: int, body: Any, expected: bool) -> None:
    assert is_miss(status, body) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"message": "Success."}, False),
        ({"id": "a", "error": "old"}, False),
        ({"error": None}, False),
        ({"errors": []}, False),
        ({"success": True}, False),
        ([], False),
        (None, False),
        ({"error": "no"}, True),
        ({"errors": ["no"]}, True),
        ({"id": "a", "errors": [{"message": "no"}]}, True),
        ({"id": "a", "success": False}, True),
    ],
)
def test_a_success_that_says_it_failed(body: Any, expected: bool) -> None:
    assert says_failure(body) is expected


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "no"}, "no"),
        ({"message": "why"}, "why"),
        ({"error": "no", "message": "why"}, "no"),
        ({"error": "", "message": "why"}, "why"),
        ({"error": True, "message": "why"}, "why"),
        ({"error": {"message": "why"}}, "why"),
        ({"error": {"error": "deep"}}, "deep"),
        ({"errors": ["one", {"message": "two"}, None]}, "one; two"),
        ({"errors": [{"error": {"message": "deep"}}]}, "deep"),
        ({"error": 5}, "5"),
        ({"error": "a\n  b\tc"}, "a b c"),
        ({"error": {"code": 5}}, "the text"),
        ({"message": ["one", "two"]}, "one; two"),
        ([], "the text"),
        (None, "the text"),
    ],
)
def test_the_reason_an_answer_gives(body: Any, said: str) -> None:
    assert reason(body, "the\n text") == said


def test_a_reason_is_no_page() -> None:
    assert reason(None, "x" * 1000) == "x" * answers.LONGEST_REASON


def test_no_half_of_a_key_is_left_where_a_reason_is_cut() -> None:
    key = "sk_live_example_not_real"
    text = "x" * (answers.LONGEST_REASON - len(key) // 2) + key
    assert "sk_live" not in reason(None, text, lambda said: said.replace(key, "****"))
    assert "sk_live" not in reason({"error": text}, "", lambda said: said.replace(key, "****"))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "3, 5"}, 3),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "-4"}, 0),
        ({"Retry-After": "Thu, 01 Jan 2026 00:00:30 GMT", **DATE}, 30),
        ({"Retry-After": "Thu, 01 Jan 2026 00:00:30 -0000", **DATE}, 30),
        ({"Retry-After": "Wed, 31 Dec 2025 00:00:30 GMT", **DATE}, 0),
        ({"Retry-After": "Thu, 01 Jan 2026 00:00:30 GMT"}, None),
        ({"Retry-After": "01 Jan 2026 00:00:30 GMT", **DATE}, 30),
        ({"Retry-After": "soon", **DATE}, None),
        ({"Retry-After": "soon", "RateLimit-Reset": "4"}, 4),
        ({"Retry-After": str(NOON + 9), **DATE}, 9),
        ({"Retry-After": "86400"}, 86400),
        ({"RateLimit-Reset": "1"}, 1),
        ({"X-RateLimit-Reset": "42"}, 42),
        ({"X-RateLimit-Reset": str(NOON + 12), **DATE}, 12),
        ({"X-RateLimit-Reset": str(NOON + 12)}, None),
        ({"X-RateLimit-Reset": str(NOON - 12), **DATE}, 0),
        ({"RateLimit-Reset": "60;w=60"}, 60),
        ({"RateLimit-Reset": "1500"}, 1.5),
        ({"X-RateLimit-Reset": str((NOON + 12) * 1000), **DATE}, 12),
        ({"Retry-After": "600"}, 600),
        ({"RateLimit-Reset": "later"}, None),
    ],
)
def test_the_wait_an_answer_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert wait_asked_for(headers, None) == seconds


def test_a_clock_of_ones_own_is_asked_only_where_the_answer_has_no_date() -> None:
    reset = {"X-RateLimit-Reset": str(NOON + 12)}
    assert wait_asked_for(reset, NOON + 2) == 10
    assert wait_asked_for({**reset, **DATE}, NOON + 2) == 12


@pytest.mark.parametrize(
    ("headers", "limit", "remaining"),
    [
        ({}, None, None),
        ({"RateLimit-Limit": "1000, 1000;window=60", "RateLimit-Remaining": "990"}, 1000, 990),
        ({"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0"}, 600, 0),
        ({"RateLimit-Limit": "many", "X-RateLimit-Limit": "600", "RateLimit-Remaining": ""}, 600, None),
        ({"RateLimit-Remaining": "5 of 9"}, None, None),
    ],
)
def test_the_limits_an_answer_names(headers: dict[str, str], limit: float | None, remaining: float | None) -> None:
    assert answers.limit(headers) == limit
    assert answers.remaining(headers) == remaining


@pytest.mark.parametrize("date", [None, "", "once upon a time", "5", "Thu, 99 Jan 2026 00:00:00 GMT"])
def test_no_date_is_no_clock(date: str | None) -> None:
    assert server_time({"Date": date} if date is not None else {}) is None
    assert server_time(DATE) == datetime(2026, 1, 1, tzinfo=timezone.utc)


def test_what_is_nested_too_deeply_costs_itself_only() -> None:
    deep = b'{"a":[' * 50_000 + b"1" + b"]}" * 50_000
    found = answers.parse(
        b'{"results": [{"id": "x", "text": "]}\\"[{", "deep": ' + deep + b'}, {"id": "y"}], "next": null}'
    )
    assert [row["id"] for row in found["results"]] == ["x", "y"]
    assert found["results"][0]["text"] == ']}"[{'
    with pytest.raises(ValueError, match="Expecting"):
        answers.parse(b"[" * 100_000)
