"""A way out of the machine that does not work: at once where waiting does not help, and named."""

from __future__ import annotations

import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests
import requests_mock
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from urllib3.exceptions import MaxRetryError, SSLError

from destination_vitally.api.http import Api, connect
from destination_vitally.errors import ConfigError, OutageError
from unit_tests.destination.api.test_http_pace import URL, Clock
from unit_tests.destination.builders import settings

DISTRUST = ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")
DISTRUST.verify_message = "self-signed certificate"


def rest(clock: Clock):  # type: ignore[no-untyped-def]
    return connect(settings(), clock).rest


def test_a_certificate_that_is_not_trusted_is_a_config_error_at_once() -> None:
    clock = Clock()
    error = requests.exceptions.SSLError(MaxRetryError(None, "/", SSLError(DISTRUST)))  # type: ignore[arg-type]
    with requests_mock.Mocker() as mock:
        mock.get(URL, exc=error)
        with pytest.raises(ConfigError, match=r"rest.vitally-eu.io is not trusted \(self-signed.*SSL_CERT_FILE"):
            rest(clock).send("GET", "/accounts")
    assert clock.waits == []


def test_a_handshake_that_breaks_is_tried_again() -> None:
    clock = Clock()
    error = requests.exceptions.SSLError(MaxRetryError(None, "/", SSLError(ssl.SSLEOFError("EOF"))))  # type: ignore[arg-type]
    with requests_mock.Mocker() as mock:
        mock.get(URL, [{"exc": error}, {"json": {"id": "x"}}])
        assert rest(clock).send("GET", "/accounts").ok
    assert len(clock.waits) == 1


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_that_are_not_there_are_said_before_the_first_request(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "missing.pem"))
    with pytest.raises(ConfigError, match=f"{variable} names certificates that do not exist"):
        connect(settings(), Clock())


class OneRow(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"id":"1"}')


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Api]]:
    """Makes an API behind TLS whose certificate is trusted; `days` is how long it is valid from now on."""
    servers: list[ThreadingHTTPServer] = []

    def serve(days: int = 1, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> Api:
        file = certificate(tmp_path / "server.pem", days)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, newest
        server = ThreadingHTTPServer(("127.0.0.1", 0), OneRow)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
        place = {"region": "custom", "rest_url": f"https://127.0.0.1:{server.server_port}"}
        api = connect(settings(data_center=place, analytics_token=None), Clock()).rest
        assert api
        return api

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def certificate(file: Path, days: int) -> Path:
    """Write a certificate of 127.0.0.1 that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    until = datetime.now(timezone.utc) + timedelta(days=days)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(until - timedelta(days=30))
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    kind = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *kind) + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


def test_a_server_that_is_trusted_is_reached(secure: Callable[..., Api]) -> None:
    assert secure().send("GET", "/users/1").body == {"id": "1"}


def test_a_certificate_that_has_expired_is_said_to_have(secure: Callable[..., Api]) -> None:
    with pytest.raises(ConfigError, match=r"The certificate of 127.0.0.1:\d+ has expired: whoever runs"):
        secure(days=-1).send("GET", "/users")


def test_old_tls_is_said_to_be_old(secure: Callable[..., Api]) -> None:
    with pytest.raises(ConfigError, match=r"127.0.0.1:\d+ offers only versions of TLS that are no longer safe"):
        secure(newest=ssl.TLSVersion.TLSv1).send("GET", "/users")


def test_a_dead_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@127.0.0.1:9")
    clock = Clock()
    with pytest.raises(OutageError, match=r"through the proxy 127.0.0.1:9 .*check HTTPS_PROXY") as caught:
        rest(clock).send("POST", "/accounts", b"{}", repeatable=False)
    assert "secret" not in str(caught.value)


def test_each_wait_is_said_once_with_reason_and_length(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    with requests_mock.Mocker() as mock:
        mock.get(
            URL, [{"status_code": 503}, {"status_code": 429, "headers": {"Retry-After": "7"}}, {"json": {"id": "x"}}]
        )
        rest(clock).send("GET", "/accounts")
    said = [entry.getMessage() for entry in caplog.records]
    assert len(said) == 2
    assert "rest.vitally-eu.io answered with HTTP 503" in said[0]
    assert said[1] == "Waiting 7 s, then trying again: rest.vitally-eu.io answered with HTTP 429 (too many requests)."


def test_a_budget_that_is_spent_is_said(caplog: pytest.LogCaptureFixture) -> None:
    headers = {"RateLimit-Limit": "4", "RateLimit-Remaining": "0"}
    clock = Clock()
    with requests_mock.Mocker() as mock:
        mock.get(URL, json={"id": "x"}, headers=headers)
        rest(clock).send("GET", "/accounts")
        rest(clock).send("GET", "/accounts")
    assert caplog.text.count("nothing is sent for 15 s") == 2, caplog.text


def test_each_worker_keeps_its_connection() -> None:
    workers = 12
    all_at_once = threading.Barrier(workers, timeout=30)
    connections: set[object] = set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            connections.add(self.client_address)
            all_at_once.wait()
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = workers

    with Server(("127.0.0.1", 0), Handler) as server, ThreadPoolExecutor(workers) as pool:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        place = {"region": "custom", "rest_url": f"http://127.0.0.1:{server.server_port}"}
        api = connect(settings(data_center=place, analytics_token=None, num_workers=workers), Clock()).rest
        assert api
        for _ in range(2):
            assert all(reply.ok for reply in pool.map(lambda _: api.send("GET", "/users"), range(workers)))
        assert len(connections) == workers
        server.shutdown()
