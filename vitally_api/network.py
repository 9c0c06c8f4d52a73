"""The way out of the machine: trusted certificates and proxies, as the environment says, in words for people."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""Where a company's own certificate authorities are said to be; the first that is set counts."""


def ca_bundle(environ: Mapping[str, str]) -> str | None:
    """Return the path of the certificates to trust; None to trust those that are usually trusted.

    Raises:
        ValueError: There is nothing at the path, or no certificates; the text names the variable and the path.
    """
    found = [(variable, path) for variable in CA_VARIABLES if (path := environ.get(variable))]
    for variable, path in found:
        if not Path(path).exists():
            raise ValueError(f"{variable} names certificates that do not exist: {path}. Correct it, or unset it.")
        if Path(path).is_file():
            try:
                ssl.create_default_context(cafile=path)
            except (OSError, ValueError):
                raise ValueError(f"{variable} names a file without certificates (PEM): {path}.") from None
    return found[0][1] if found else None


def proxy_of(url: str) -> str | None:
    """Return host and port of the proxy that the environment names for an address, without its password; or None."""
    place = urlsplit(url)
    proxy = getproxies().get(place.scheme) or getproxies().get("all")
    if not proxy or proxy_bypass(place.hostname or ""):
        return None
    return urlsplit(proxy if "//" in proxy else f"//{proxy}").netloc.rpartition("@")[2]


def distrust(error: BaseException) -> str | None:
    """Return why a certificate is not trusted, in the words of the TLS library; None when an error is about no such."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop()
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, ssl.SSLCertVerificationError):
            return found.verify_message or str(found.reason)
        waiting += [getattr(found, "reason", None), found.__cause__, found.__context__, *found.args]
    return None
