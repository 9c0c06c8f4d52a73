"""The keys in every spelling that people have."""

from __future__ import annotations

import base64

import pytest

from vitally_api.keys import analytics_authorization, header, is_header, rest_authorization, secrets_of

KEY = "sk_live_example_not_real"
ENCODED = "c2tfbGl2ZV9leGFtcGxlX25vdF9yZWFsOg=="
WITH_PASSWORD = base64.b64encode(f"{KEY}:pass".encode()).decode()


@pytest.mark.parametrize(
    "given", [KEY, f" {KEY}\n", ENCODED, f"Basic {ENCODED}", f"basic {ENCODED}", f"BASIC  {ENCODED} "]
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


@pytest.mark.parametrize(
    ("given", "masked"),
    [
        (KEY, {KEY, ENCODED}),
        (f" {KEY}", {f" {KEY}", KEY, ENCODED}),
        (ENCODED, {ENCODED, f"{KEY}:", KEY}),
        (f"basic {ENCODED}", {f"basic {ENCODED}", ENCODED, f"{KEY}:", KEY}),
        (f"Basic {WITH_PASSWORD}", {f"Basic {WITH_PASSWORD}", WITH_PASSWORD, f"{KEY}:pass", KEY, "pass"}),
        ("", set()),
        ("  ", set()),
    ],
)
def test_every_spelling_of_a_key_is_masked(given: str, masked: set[str]) -> None:
    found = secrets_of(given)
    assert set(found) == masked
    assert found == sorted(found, key=len, reverse=True), "a part that is masked first would leave the rest readable"
