"""Secrets in every spelling: what is given in one must not be readable in another."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from vitally_api.secrets import masks, spellings

KEY = "sk_live_example_not_real"
ODD = "ex/amp+le\"no\\t=re<al>&'x"
S3 = "ExampleExample/EXAMPLEKEY+notreal"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def urlsafe(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


GIVEN: dict[str, Callable[[str], str]] = {
    "raw": str,
    "blanks": lambda key: f" {key}\n",
    "header": lambda key: f"Basic {b64(key + ':')}",
    "lower header": lambda key: f"basic  {b64(key + ':')} ",
    "bearer": lambda key: f"Bearer {key}",
    "quoted": lambda key: f'"{key}"',
    "base64": lambda key: b64(key + ":"),
    "unpadded": lambda key: b64(key + ":").rstrip("="),
    "invisible letters": lambda key: f"\ufeff{key[:9]}\u200b{key[9:]}",
    "typographic quotes": lambda key: f"\u201c{key}\u201d",
    "name of the header": lambda key: f"Authorization: Bearer {key}",
    "broken lines": lambda key: b64(key + ":")[:20] + "\n" + b64(key + ":")[20:],
}
SHOWN: dict[str, Callable[[str], str]] = {
    "raw": str,
    "user": lambda key: f"{key}:",
    "header": lambda key: f"Basic {b64(key + ':')}",
    "base64": b64,
    "base64 of user": lambda key: b64(key + ":"),
    "unpadded": lambda key: b64(key + ":").rstrip("="),
    "urlsafe": lambda key: urlsafe(key + ":"),
    "urlsafe alone": lambda key: urlsafe(key).rstrip("="),
    "hex": lambda key: key.encode().hex(),
    "percent": lambda key: quote(key, safe=""),
    "percent, lower": lambda key: re.sub("%..", lambda found: found[0].lower(), quote(key, safe="")),
    "percent of base64": lambda key: quote(b64(key + ":"), safe=""),
    "percent twice": lambda key: quote(quote(key, safe=""), safe=""),
    "path": quote,
    "form": quote_plus,
    "json": json.dumps,
    "json twice": lambda key: json.dumps(json.dumps(key)),
    "json, slashes": lambda key: json.dumps(key).replace("/", "\\/"),
    "json for pages": lambda key: key.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
    "repr": repr,
    "html": html.escape,
    "HEX": lambda key: key.encode().hex().upper(),
    "utf-16": lambda key: base64.b64encode(key.encode("utf-16-le")).decode(),
    "percent, all": lambda key: "".join(f"%{ord(letter):02x}" for letter in key),
    "percent, all, in an address": lambda key: "".join(f"%25{ord(letter):02X}" for letter in key),
    "entities": lambda key: "".join(f"&#{ord(letter)};" for letter in key),
    "escapes": lambda key: "".join(f"\\u{ord(letter):04x}" for letter in key),
    "first half": lambda key: key[: len(key) // 2 + 1],
    "last half": lambda key: key[-len(key) // 2 - 1 :],
}


@pytest.mark.parametrize("key", [KEY, S3])
@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("given", GIVEN)
def test_a_key_that_is_given_in_one_spelling_is_masked_in_every_other(given: str, shown: str, key: str) -> None:
    found = masks({"secret_token": GIVEN[given](key)}, {})
    left = found.applied(f"refused {SHOWN[shown](key)} {key[:-1]}")
    assert set(re.sub("Basic|[^a-zA-Z]", " ", left).split()) == {"refused"}


@pytest.mark.parametrize("key", [KEY, S3])
@pytest.mark.parametrize("before", ["me:", "user:", "Authorization: Bearer ", '{"n": 1, "key": "'])
@pytest.mark.parametrize("after", ["", "@", '"}', "\r\nAccept: */*\r\n"])
@pytest.mark.parametrize("encode", [b64, urlsafe, lambda text: base64.b64encode(text.encode("utf-16-le")).decode()])
@pytest.mark.parametrize(("given", "sent"), [("base64", str), ("raw", GIVEN["base64"])], ids=["raw", "as it is sent"])
def test_a_key_within_what_was_encoded_is_masked(
    *, given: str, sent: Callable[[str], str], encode: Callable[[str], str], after: str, before: str, key: str
) -> None:
    whole = encode(before + sent(key) + after)
    left = masks({"secret_token": GIVEN[given](key)}, {}).applied(whole)
    beside = len(encode(before)) + len(encode(after))
    assert len(left.replace("****", "")) <= beside + 4, left


@pytest.mark.parametrize("shown", sorted(set(SHOWN) - {"first half", "last half", "json for pages"}))
def test_letters_that_every_language_escapes_are_masked(shown: str) -> None:
    left = masks({"secret_access_key": ODD}, {}).applied(SHOWN[shown](ODD))
    assert left.strip("\"'\\").removeprefix("Basic ").rstrip(":") == "****"


@pytest.mark.parametrize(
    ("config", "environ", "secrets"),
    [
        ({"secret_token": KEY, "analytics_token": "other_example"}, {}, [KEY, "other_example"]),
        ({"store": {"access_key_id": "EXAMPLEKEYID", "secret_access_key": S3}}, {}, ["EXAMPLEKEYID", S3]),
        ({"secret_token": [KEY], "secret_tokn": {"a": "typo_example"}}, {}, [KEY, "typo_example"]),
        ({"basic_auth_header": b64(KEY + ":"), "api_key": "old_example"}, {}, [KEY, "old_example"]),
        ({"secret_token": 1234567890}, {}, ["1234567890"]),
        ({"data_center": {"rest_url": "https://user:pass%2Fword@example.com"}}, {}, ["pass%2Fword", "pass/word"]),
        ({}, {"HTTPS_PROXY": "http://me:pass@word@proxy:1"}, ["pass@word", b64("me:pass@word")]),
        ({}, {"all_proxy": "me:pass/word@proxy:1"}, ["pass/word", b64("me:pass/word")]),
        ("no object", {"HTTP_PROXY": "http://proxy:1", "PATH": "//a:b_is_no_proxy@c"}, []),
        ({"subdomain": "acme", "rest_url": "https://host:443/a@b", "secret_token": True}, {}, []),
    ],
)  # fmt: skip
def test_secrets_are_found_wherever_they_are_set(config: Any, environ: Mapping[str, str], secrets: list[str]) -> None:
    found = masks(config, environ)
    assert found.applied(" ".join(secrets)) == " ".join(["****"] * len(secrets))
    assert found.applied("acme host b_is_no_proxy True") == "acme host b_is_no_proxy True"


def test_a_short_password_is_masked_where_it_is_a_word() -> None:
    found = masks({}, {"HTTPS_PROXY": "http://me:log@proxy:1"})
    assert found.applied("the log of login: 'log', me:log@proxy, catalog") == (
        "the **** of login: '****', ****@proxy, catalog"
    )
    assert all(len(text) >= 6 for text in found.texts)


def test_what_is_too_long_for_a_key_is_masked_as_a_whole() -> None:
    found = masks({"secret_token": "example" * 10_000}, {})
    assert found.applied("example" * 10_000) == "****"
    assert len(found.texts) < 100


def test_the_longest_goes_first() -> None:
    texts = masks({"secret_token": KEY}, {}).texts
    assert texts == sorted(texts, key=len, reverse=True), "a part that is masked first would leave the rest readable"
    assert spellings("") == spellings("  \n") == set()


def test_every_line_of_a_key_that_was_broken_into_lines_is_masked() -> None:
    lines = [b64(KEY + ":")[:20], b64(KEY + ":")[20:]]
    assert masks({"secret_token": "\n".join(lines)}, {}).applied(lines[0]) == "****"
