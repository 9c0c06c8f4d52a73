"""A server that repeats whatever it is sent, in every spelling, in every kind of answer: no output shows a secret."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import pytest

from integration_tests.echo import KINDS, Echo, b64, echoing, unreadable
from integration_tests.harness import FORKED_DESTINATION, Run, record, run_destination, run_process, stream, write

REST, ANALYTICS = "sk_live_example/not+real", "analytics_example_not_real"
S3, PROXY = "example/secret+not/real", "proxy_example_not_real"
STREAMS = [stream("notes"), stream("accounts")]
ROWS = [
    record("notes", {"externalId": "n", "note": "N", "accountId": "a"}),
    record("accounts", {"externalId": "a", "name": "A"}),
]


SECRETS = {text for secret in (REST, ANALYTICS, S3, PROXY) for text in unreadable(secret)}


@pytest.fixture
def server() -> Iterator[str]:
    with echoing(S3, ANALYTICS, REST) as url:
        yield url


def config(url: str, rest: str = f"Basic {b64(REST + ':')}", analytics: str = ANALYTICS) -> dict[str, Any]:
    return {
        "data_center": {"region": "custom", "rest_url": url, "analytics_url": url},
        "secret_token": rest,
        "analytics_token": analytics,
        "verify": "none",
        "object_storage_config": {
            "storage_type": "S3",
            "s3_bucket_name": "acme-rejected",
            "s3_bucket_region": "eu-central-1",
            "bucket_path": "rejected",
            "access_key_id": "EXAMPLEKEYID",
            "secret_access_key": S3,
            "s3_endpoint": url,
        },
    }


def assert_silent(run: Run) -> None:
    stored = [gzip.decompress(body).decode() for body in Echo.stored if body[:2] == b"\x1f\x8b"]
    said = "\n".join([*run.lines, run.stderr, *stored])
    for text in (said, unquote(said), said.replace("\\\\", "\\").replace('\\"', '"')):
        assert not [secret for secret in SECRETS if secret in text], said


FORMS = [f"Basic {b64(REST + ':')}", b64(REST + ":"), f" {REST}\n"]


@pytest.mark.parametrize(("number", "kind"), [*enumerate(KINDS)])
@pytest.mark.parametrize("command", ["check", "discover", "write"])
def test_no_answer_makes_a_command_show_a_secret(server: str, command: str, number: int, kind: str) -> None:
    Echo.kinds = [KINDS[kind]]
    settings = config(server, FORMS[(number + len(command)) % 3], f" {ANALYTICS} ")
    run = write(settings, STREAMS, ROWS, level=logging.DEBUG) if command == "write" else None
    run = run or run_destination(command, settings, level=logging.DEBUG)
    assert_silent(run)
    assert run.messages


@pytest.mark.parametrize(("command", "level"), [("check", "info"), ("discover", "debug"), ("write", "debug")])
def test_no_process_shows_a_secret(server: str, monkeypatch: pytest.MonkeyPatch, command: str, level: str) -> None:
    refused = [KINDS[name] for name in ("refused row", "refused row in pieces", "refused row as text", "failure")]
    Echo.kinds = {"check": [KINDS["refused key"]], "discover": [KINDS["a row"]], "write": refused}[command]
    if command == "check":
        Echo.bucket = f"<Error><Code>{S3}</Code><Message>{S3}</Message></Error>".encode()
    monkeypatch.setenv("LOG_LEVEL", level)
    more: dict[str, Any] = {"catalog": {"streams": STREAMS}, "stdin": ROWS * 5} if command == "write" else {}
    run = run_process(FORKED_DESTINATION, command, config=config(server), **more)
    assert_silent(run)
    assert "****" in run.raw
    assert command != "write" or b"****" in b"".join(map(gzip.decompress, Echo.stored))


def test_the_store_of_rejected_records_shows_no_secret(server: str) -> None:
    Echo.kinds = [KINDS["a row"]]
    Echo.bucket = f"<Error><Code>{S3} {b64(REST)}</Code></Error>".encode()
    run = run_destination("check", config(server))
    assert "in bucket 'acme-rejected' (**** ****)" in run.connection_status["message"]
    assert_silent(run)


@pytest.mark.parametrize("password", [PROXY, "log", quote(PROXY + "@/:")])
def test_a_proxy_that_repeats_its_password_is_masked(
    server: str, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    place = server.removeprefix("http://")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://me:{password}@{place}")
    Echo.kinds = [lambda text: (407, {}, f"{text} {unquote(password)} {b64('me:' + unquote(password))}".encode())]
    run = run_destination("check", config("http://vitally.example"))
    assert run.connection_status["status"] == "FAILED"
    said = run.connection_status["message"]
    assert unquote(password) not in said.split()
    assert b64("me:" + unquote(password)).rstrip("=") not in run.raw
    assert_silent(run)


def test_what_a_wrong_catalog_quotes_is_masked(server: str) -> None:
    catalog = {"streams": [{**stream("notes"), "destination_sync_mode": REST}]}
    run = run_destination("write", config(server), catalog)
    assert "there is no destination_sync_mode '****'" in run.errors[0]
