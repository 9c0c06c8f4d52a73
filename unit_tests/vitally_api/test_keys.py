"""The keys in every spelling that people have."""

from __future__ import annotations

import base64

import pytest

from vitally_api.keys import (
    analytics_authorization,
    header,
    is_header,
    problem_of_key,
    rest_authorization,
)

KEY = "sk_live_example_not_real"
ENCODED = "c2tfbGl2ZV9leGFtcGxlX25vdF9yZWFsOg=="


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


WITH_PASSWORD = base64.b64encode(f"{KEY}:pass".encode()).decode()


@pytest.mark.parametrize(
    "given",
    [
        *(KEY, f" {KEY}\n", ENCODED, f"Basic {ENCODED}", f"basic {ENCODED}", f"BASIC  {ENCODED} "),
        *(
            f'"{KEY}"',
            f"'Basic {ENCODED}'",
            f"\u201c{ENCODED}\u201d",
            f"Bearer {KEY}",
            f"bearer {ENCODED}",
            f"Token {KEY}",
        ),
        *(ENCODED.rstrip("="), f"Basic {ENCODED.rstrip(chr(61))}"),
        *(f"Authorization: Basic {ENCODED}", f"authorization: {KEY}", f"\ufeff{KEY}", f"{KEY[:9]}\u200b{KEY[9:]}"),
        *(f"{ENCODED[:20]}\n{ENCODED[20:]}", f"Basic {ENCODED[:20]}\r\n {ENCODED[20:]}\n", f"Basic\t{ENCODED}"),
    ],
)
def test_a_rest_key_works_raw_as_header_and_as_base64(given: str) -> None:
    assert rest_authorization(given) == f"Basic {ENCODED}"


@pytest.mark.parametrize(
    "given",
    [
        "c2tsaXZl",  # base64, but of no "…:"
        base64.b64encode(b"\x00\x01:").decode(),  # of nothing that could be a key
        "schlüssel",
    ],
)
def test_a_raw_key_that_looks_like_base64_is_encoded(given: str) -> None:
    assert not is_header(given)
    assert rest_authorization(given) == header(given)


def test_a_header_with_a_password_is_sent_as_it_is() -> None:
    assert rest_authorization(header(KEY, "pass")) == f"Basic {WITH_PASSWORD}"


@pytest.mark.parametrize("given", ["tok:en", " tok:en ", "Basic tok:en", "basic tok:en"])
def test_an_analytics_token_is_sent_as_displayed(given: str) -> None:
    assert analytics_authorization(given) == "Basic tok:en"


@pytest.mark.parametrize("given", ["schl\u00fcssel", "sk_live_\u0430bc", "Basic \u4e2d", "sk\x00key"])
def test_letters_that_no_key_has_are_a_problem_that_is_said_without_the_key(given: str) -> None:
    problem = problem_of_key(given)
    assert problem is not None
    assert "outside ASCII" in problem
    assert given not in problem


@pytest.mark.parametrize("given", ["  ", '""', " ' ' "])
def test_nothing_but_white_space_and_quotes_is_no_key(given: str) -> None:
    assert "empty" in (problem_of_key(given) or "")


@pytest.mark.parametrize("given", [KEY, ENCODED, f"Basic {ENCODED}", f"{ENCODED[:20]}\n{ENCODED[20:]}"])
def test_a_key_is_no_problem(given: str) -> None:
    assert problem_of_key(given) is None


@pytest.mark.parametrize(
    ("key", "is_short"),
    [
        ("abcde", True),
        (" abcde \n", True),
        ("abcdef", False),
        ("Basic abcde", True),
        (b64("abcde:"), True),
        (f"Basic {b64('abcde:long password')}", True),
        (b64("abcdef:"), False),
    ],
)
def test_a_key_that_would_star_the_log_is_told(key: str, is_short: bool) -> None:
    assert ("shorter than 6 letters" in (problem_of_key(key) or "")) is is_short
