"""A server that repeats whatever it is sent, in every spelling, in every kind of answer: no output shows a secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import pytest

from integration_tests.echo import KINDS, Echo, b64, echoing, unreadable
from integration_tests.harness import FORKED_SOURCE, Run, configured, run_process, run_source, source_config
from vitally_api import masking
from vitally_api.secrets import Masks

KEY, PROXY = "sk_live_example/not+real", "proxy_example_not_real"
SECRETS = unreadable(KEY) | unreadable(PROXY)
FORMS = [f"Basic {b64(KEY + ':')}", b64(KEY + ":"), f" {KEY}\n", f"Bearer {KEY}"]
NAMES = ("users", "messages", "custom_fields", "instance_ids")
CATALOG = configured(
    {"streams": [{"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]} for name in NAMES]}
)


def cursor(text: str) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, json.dumps({"results": [{"id": "a"}], "next": text}).encode()


def fields(text: str) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, json.dumps([{"path": text, "label": text, "type": text}]).encode()


ANSWERS = {**KINDS, "cursor": cursor, "fields": fields}


@pytest.fixture
def server() -> Iterator[str]:
    with echoing(KEY) as url:
        yield url


def assert_silent(run: Run) -> None:
    lines = [line for line, message in zip(run.lines, run.messages, strict=True) if message["type"] != "RECORD"]
    said = "\n".join([*lines, run.stderr])
    for text in (said, unquote(said), said.replace("\\\\", "\\").replace('\\"', '"')):
        assert not [secret for secret in SECRETS if secret in text], said


@pytest.mark.parametrize(("number", "kind"), [*enumerate(ANSWERS)])
@pytest.mark.parametrize("command", ["check", "discover", "read"])
def test_no_answer_makes_a_command_show_a_secret(
    server: str, waits: list[float], command: str, number: int, kind: str
) -> None:
    Echo.kinds = [ANSWERS[kind]]
    config = source_config(server, FORMS[(number + len(command)) % len(FORMS)])
    run = run_source(command, config, CATALOG if command == "read" else None, level=logging.DEBUG)
    assert_silent(run)
    assert run.messages


@pytest.mark.parametrize(
    ("command", "level", "kind"),
    [("check", "info", "refused key"), ("discover", "debug", "failure"), ("read", "debug", "refused row")],
)
def test_no_process_shows_a_secret(
    server: str, monkeypatch: pytest.MonkeyPatch, command: str, level: str, kind: str
) -> None:
    Echo.kinds = [ANSWERS[kind]]
    monkeypatch.setenv("LOG_LEVEL", level)
    config = source_config(server, f"Basic {b64(KEY + ':')}")
    run = run_process(FORKED_SOURCE, command, config=config, catalog=CATALOG if command == "read" else None)
    assert_silent(run)
    assert "****" in run.raw


def test_a_registration_that_goes_is_noticed(server: str, waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests above find nothing by themselves: they do find a key that nobody has made known."""
    monkeypatch.setattr(masking, "make_known", lambda _, register: register([]))
    monkeypatch.setattr(masking, "_known", [Masks([], None)])
    Echo.kinds = [ANSWERS["refused key"]]
    with pytest.raises(AssertionError):
        assert_silent(run_source("check", source_config(server, FORMS[0])))


@pytest.mark.parametrize("password", [PROXY, "log", quote(PROXY + "@/:")])
def test_a_proxy_that_repeats_its_password_is_masked(
    server: str, waits: list[float], monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    place = server.removeprefix("http://")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://me:{password}@{place}")
    Echo.kinds = [lambda text: (407, {}, json.dumps({"error": f"{text} {unquote(password)}"}).encode())]
    run = run_source("check", source_config("http://vitally.example", KEY))
    said = run.connection_status["message"]
    assert run.connection_status["status"] == "FAILED"
    assert unquote(password) not in said.split()
    assert b64("me:" + unquote(password)).rstrip("=") not in run.raw
    assert_silent(run)


def test_the_log_masks_what_it_quotes_of_files(server: str) -> None:
    catalog: Any = {"streams": [{**CATALOG["streams"][0], "sync_mode": KEY}]}
    run = run_source("read", source_config(server, KEY), catalog)
    assert run.errors
    assert_silent(run)
