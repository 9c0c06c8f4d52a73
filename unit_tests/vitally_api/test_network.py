"""The way out of the machine: what the environment says of certificates and proxies, in words for people."""

from __future__ import annotations

import socket
import ssl
import threading
import warnings
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import certifi
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from vitally_api.network import CA_VARIABLES, ca_bundle, distrust, proxy_of, refused_tls


def test_without_a_word_the_usual_certificates_are_trusted() -> None:
    assert ca_bundle({}) is None
    assert ca_bundle({"SSL_CERT_FILE": ""}) is None


@pytest.mark.parametrize("variable", CA_VARIABLES)
def test_each_variable_counts(variable: str, tmp_path: Path) -> None:
    assert ca_bundle({variable: certifi.where()}) == certifi.where()
    assert ca_bundle({variable: str(tmp_path)}) == str(tmp_path)


@pytest.mark.parametrize("variable", CA_VARIABLES)
def test_what_is_not_there_or_holds_none_is_said(variable: str, tmp_path: Path) -> None:
    missing, other = tmp_path / "missing.pem", tmp_path / "other.pem"
    other.write_text("not a certificate")
    with pytest.raises(ValueError, match=f"{variable} names certificates that do not exist: {missing}"):
        ca_bundle({variable: str(missing)})
    with pytest.raises(ValueError, match=f"{variable} names a file without certificates"):
        ca_bundle({variable: str(other)})


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("HTTPS_PROXY", "http://user:secret@proxy.example:3128", "proxy.example:3128"),
        ("https_proxy", "proxy.example:3128", "proxy.example:3128"),
        ("ALL_PROXY", "http://proxy.example", "proxy.example"),
        ("HTTP_PROXY", "http://proxy.example", None),
    ],
)
def test_a_proxy_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, named: str | None
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv(variable, value)
    assert proxy_of("https://rest.vitally.io") == named
    monkeypatch.setenv("NO_PROXY", "rest.vitally.io")
    assert proxy_of("https://rest.vitally.io") is None


def test_why_a_certificate_is_not_trusted_is_found_however_deep() -> None:
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_message = "self-signed certificate in certificate chain"
    wrapped = OSError(OSError("outer", cause))
    assert distrust(wrapped) == "self-signed certificate in certificate chain"
    assert distrust(ssl.SSLEOFError("broken off")) is None


# Encryption


def certificate(folder: Path, *, days: int) -> tuple[Path, Path]:
    """Write a certificate for localhost that is good until so many days from now, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    shown, secret = folder / "certificate.pem", folder / "key.pem"
    shown.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return shown, secret


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("expired", "The certificate of localhost has expired: whoever runs localhost has to renew it"),
        ("unknown", "The certificate of localhost is not trusted (self"),
        ("old", "localhost offers only versions of TLS that are no longer safe (older than 1.2)"),
    ],
)
def test_what_is_wrong_with_an_encryption_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, said: str
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", *CA_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    shown, secret = certificate(tmp_path, days=-1 if kind == "expired" else 1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(shown, secret)
    if kind == "old":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                context.wrap_socket(listening.accept()[0], server_side=True)

        threading.Thread(target=serve, daemon=True).start()
        address = f"https://localhost:{listening.getsockname()[1]}/"
        with pytest.raises(requests.exceptions.SSLError) as caught:
            requests.get(address, verify=kind == "unknown" or str(shown), timeout=20)
    assert (refused_tls(caught.value, "localhost") or "").startswith(said)
