"""Waits, certificates and proxies: each is said once, with its reason, and names what to do."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integration_tests.harness import FORKED_SOURCE, Json, configured, run_process, run_source, source_config
from integration_tests.sandbox import Fault, Page
from source_vitally import client, memory

USERS: Json = {"name": "users", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}
CATALOG = configured({"streams": [USERS]})


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 503, "body": {"error": "Deploying."}}, "HTTP 503 (Deploying.)"),
        ({"status": 429}, "HTTP 429"),
        ({"kind": "drop"}, "no answer (ConnectionError)"),
        ({"kind": "not_json"}, "answered with a body that is not JSON"),
    ],
)
def test_each_wait_is_said_once_with_its_reason_and_length(
    make_sandbox: Any, waits: list[float], fault: dict[str, Any], reason: str
) -> None:
    sandbox = make_sandbox(seed=6)
    sandbox.faults.add(Fault(path="users", times=3, **fault))
    run = run_source("read", source_config(sandbox.url), CATALOG)
    assert run.exit_code == 0, run.errors
    said = [line for line in run.logs("WARN") if "Trying again in" in line]
    assert len(said) == len(waits) == 3
    for number, (line, wait) in enumerate(zip(said, waits, strict=True), 1):
        assert reason in line
        assert f"in {wait:.0f} seconds (retry {number} of 10)" in line
    assert not [line for line in run.logs() if "Retrying in" in line or "Backing off" in line]
    limited = [m for m in run.of_type("TRACE") if "RATE_LIMITED" in str(m)]
    assert len(limited) == (3 if fault.get("status") == 429 else 0)


def test_a_page_that_waits_to_be_asked_for_again_leaves_its_room_to_others(
    make_sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = make_sandbox(seed=6)
    sandbox.faults.add(Fault(path="/users$", times=1, status=503))
    others_are_read, came_meanwhile = threading.Event(), []

    def after_page(page: Page) -> None:
        if page.resource == "accounts":
            others_are_read.set()

    sandbox.after_page = after_page
    monkeypatch.setattr(client, "sleep", lambda _: came_meanwhile.append(others_are_read.wait(20)))
    monkeypatch.setattr(memory.Room.__init__, "__defaults__", (1,))  # one answer at a time
    accounts = {**USERS, "name": "accounts"}
    run = run_source("read", source_config(sandbox.url), configured({"streams": [USERS, accounts]}))
    assert run.exit_code == 0, run.errors
    assert came_meanwhile == [True]


def test_what_says_what_is_wrong_has_no_stack_above_it(make_sandbox: Any, waits: list[float]) -> None:
    sandbox = make_sandbox(seed=6)
    sandbox.faults.add(Fault(path="users", times=None, status=401, body={"error": "Revoked."}))
    run = run_source("read", source_config(sandbox.url), CATALOG)
    assert run.exit_code == 1
    assert "Traceback" not in run.log
    assert [line for line in run.logs("ERROR") if "REST API key (secret_token)" in line]


def test_a_wrong_setting_is_said_in_one_sentence() -> None:
    run = run_process(FORKED_SOURCE, "read", config={"secret_token": "sk_live_example_not_real"}, catalog=CATALOG)
    assert run.exit_code == 1
    assert "Data center (data_center) is missing" in run.errors[0]
    assert not [line for line in run.logs() if "Traceback" in line]


# Certificates


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate that nobody trusts, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


class OnePage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"results": [], "next": null}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address(certificate: Path) -> Iterator[str]:
    """Serve one page by HTTPS."""
    server = HTTPServer(("127.0.0.1", 0), OnePage)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"https://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def no_variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Take what this machine's environment says of certificates and proxies away."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NO_PROXY", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def test_a_certificate_that_is_not_trusted_is_said_at_once(
    no_variables: pytest.MonkeyPatch, address: str, waits: list[float]
) -> None:
    run = run_source("read", source_config(address), CATALOG)
    assert run.exit_code == 1
    assert "config_error" in run.failure_types
    assert any("is not trusted" in error and "SSL_CERT_FILE" in error for error in run.errors), run.errors
    assert waits == []
    assert run_source("check", source_config(address)).connection_status["status"] == "FAILED"


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_certificates_of_the_environment_are_trusted(
    no_variables: pytest.MonkeyPatch, address: str, certificate: Path, variable: str
) -> None:
    no_variables.setenv(variable, str(certificate))
    assert run_source("check", source_config(address)).connection_status["status"] == "SUCCEEDED"
    no_variables.setenv(variable, "/no/such/file.pem")
    said = run_source("check", source_config(address)).connection_status["message"]
    assert variable in said
    assert "/no/such/file.pem" in said
    assert "exist" in said


# Proxies


def test_a_dead_proxy_is_named_without_its_password(no_variables: pytest.MonkeyPatch, make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=6)
    no_variables.setenv("HTTP_PROXY", "http://somebody:something@127.0.0.1:9")
    run = run_source("check", source_config(sandbox.url))
    said = run.connection_status["message"]
    assert "127.0.0.1:9" in said
    assert "proxy" in said
    assert "something@" not in run.raw
