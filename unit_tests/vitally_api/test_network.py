"""The way out of the machine: what the environment says of certificates and proxies, in words for people."""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi
import pytest

from vitally_api.network import CA_VARIABLES, ca_bundle, distrust, proxy_of


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
