"""A server that repeats whatever it is sent, in every spelling, in every kind of answer: no output shows a secret."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import quote, unquote

import pytest

from integration_tests.harness import Run, record, run_destination, run_process, stream, write

COMMAND = [sys.executable, "-m", "destination_vitally"]
REST, ANALYTICS = "sk_live_example/not+real", "analytics_example_not_real"
S3, PROXY = "example/secret+not/real", "proxy_example_not_real"
STREAMS = [stream("notes"), stream("accounts")]
ROWS = [
    record("notes", {"externalId": "n", "note": "N", "accountId": "a"}),
    record("accounts", {"externalId": "a", "name": "A"}),
]


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def spelled(secret: str) -> set[str]:
    """What nobody may read: a secret as it is used, by hand rather than by the code that is judged."""
    user, coded, bare = f"{secret}:", b64(f"{secret}:"), b64(secret)
    plain = {secret, user, coded, coded.rstrip("="), bare, bare.rstrip("="), coded.replace("+", "-").replace("/", "_")}
    return {*plain, *map(quote, plain), *(quote(text, safe="") for text in plain), secret.replace("/", "\\/")}


SECRETS = {text for secret in (REST, ANALYTICS, S3, PROXY) for text in spelled(secret)}

Answer = tuple[int, dict[str, str], bytes]
Kind = Callable[[str], Answer]


def error(status: int, **headers: str) -> Kind:
    return lambda text: (status, headers, json.dumps({"error": text}).encode())


KINDS: dict[str, Kind] = {
    "refused key": error(401),
    "blocked": lambda text: (403, {}, f"<html>{text}</html>".encode()),
    "refused row": error(400),
    "refused row in pieces": lambda text: (422, {}, json.dumps({"errors": text.split(), "message": text}).encode()),
    "refused row as text": lambda text: (400, {}, text.encode()),
    "missing": error(404),
    "conflict": error(409),
    "busy": error(429, **{"Retry-After": "1"}),
    "down": error(500),
    "page": lambda text: (502, {}, f"<html>{text}</html>".encode()),
    "failure": lambda text: (200, {}, json.dumps({"success": False, "error": text}).encode()),
    "no rows": lambda text: (200, {}, json.dumps({"results": text}).encode()),
    "no JSON": lambda text: (200, {}, text.encode()),
    "redirect": lambda text: (302, {"Location": f"https://{quote(text, safe='').lower()}.example.com/{text}"}, b""),
    "a row": lambda text: (200, {}, json.dumps({"results": [labelled(text)], "next": None}).encode()),
}


def error_of_store(body: bytes) -> Answer:
    return (403 if body else 200, {}, body)


def labelled(text: str) -> dict[str, Any]:
    return {"id": text, "externalId": text, "name": text, "label": text, "path": "traits.x", "type": text}


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent, by one kind of answer after the other; keeps what is put into a bucket."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # in one piece: the second of two would wait for the first to be acknowledged
    kinds: ClassVar[list[Kind]] = []
    stored: ClassVar[list[bytes]] = []
    bucket: ClassVar[bytes] = b""

    def answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/acme-rejected"):
            self.stored.append(sent)
            status, headers, body = error_of_store(self.bucket)
        else:
            kind = self.kinds.pop(0)
            self.kinds.append(kind)
            status, headers, body = kind(self.echo())
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value.replace("\n", " "))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

    def echo(self) -> str:
        given = [self.headers.get(name) or "" for name in ("Authorization", "Proxy-Authorization")]
        secrets = {text.removeprefix("Basic ") for text in given}
        secrets |= {base64.b64decode(text + "==").decode(errors="ignore").partition(":")[0] for text in secrets}
        password = base64.b64decode(given[1].removeprefix("Basic ")).decode().partition(":")[2]
        secrets |= {S3, ANALYTICS, REST, password}
        return "; ".join(sorted({text for secret in secrets if secret for text in spelled(secret)}))

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    Echo.kinds, Echo.stored, Echo.bucket = [], [], b""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_address[1]}"
        served.shutdown()


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
    for line in [*run.lines, run.stderr, *stored]:
        for text in (line, unquote(line), line.replace("\\\\", "\\").replace('\\"', '"')):
            assert not [secret for secret in SECRETS if secret in text], line


FORMS = [f"Basic {b64(REST + ':')}", b64(REST + ":"), f" {REST}\n"]


@pytest.mark.parametrize(("number", "kind"), [*enumerate(KINDS)])
@pytest.mark.parametrize("command", ["check", "discover", "write"])
def test_no_answer_makes_a_command_show_a_secret(server: str, command: str, number: int, kind: str) -> None:
    Echo.kinds = [KINDS[kind]]
    settings = config(server, FORMS[(number + len(command)) % 3], f" {ANALYTICS} ")
    run = write(settings, STREAMS, ROWS, level=logging.DEBUG) if command == "write" else None
    run = run or run_destination(command, settings)
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
    run = run_process(COMMAND, command, config=config(server), **more)
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
