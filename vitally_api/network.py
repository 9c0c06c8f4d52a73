"""The way out of the machine: trusted certificates and proxies, as the environment says, in words for people."""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from vitally_api import bounds
from vitally_api.regions import REGIONS

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""Where a company's own certificate authorities are said to be; the first that is set counts."""

MOST_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)

_HOST = re.compile(r"[a-z0-9.-]+")
"""A name in which nobody sees an end: for who sends the request a backslash is one."""

_OLD_TLS = ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "WRONG_SSL_VERSION", "NO_PROTOCOLS_AVAILABLE")


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
                _load_certificates(path, Path(path).stat().st_mtime_ns)
            except (OSError, ValueError):
                raise ValueError(f"{variable} names a file without certificates (PEM): {path}.") from None
    return found[0][1] if found else None


@cache
def _load_certificates(path: str, _changed: int) -> None:
    """Raise an error unless a file has certificates; some have hundreds, which takes a while."""
    ssl.create_default_context(cafile=path)


def proxy_of(url: str) -> str | None:
    """Return host and port of the proxy that the environment names for an address, without its password; or None."""
    place = urlsplit(url)
    proxy = getproxies().get(place.scheme) or getproxies().get("all")
    if not proxy or proxy_bypass(place.hostname or ""):
        return None
    return urlsplit(proxy if "//" in proxy else f"//{proxy}").netloc.rpartition("@")[2]


def redirected(address: str, location: str) -> tuple[str, str]:
    """Return where a redirect leads, and why it is not followed: "" if it may be.

    Old addresses of Vitally's may redirect to new ones: by https, within the same domain of Vitally's. The key goes
    nowhere else.
    """
    try:
        target = urljoin(address, location)
        place, port = urlsplit(target), urlsplit(target).port
    except ValueError:
        return location, "which is no address"
    domains = [region.domain for region in REGIONS.values() if region.domain]
    if place.scheme != "https":
        return target, "which is not https"
    if not any(_is_within(address, domain) and _is_within(target, domain) for domain in domains):
        return target, "which is outside of Vitally's domain"
    if port not in (None, 443) or "@" in place.netloc:
        return target, "which is no address of Vitally's"
    return target, ""


class RedirectError(Exception):
    """A redirect is not followed. The text is a sentence that names where it leads, and says what to do."""


def followed(address: str, status: int, location: str | None, hop: int, *, is_read: bool = True) -> str | None:
    """Return where an answer leads that is the `hop`th redirect of a request, from 0; None where it is no redirect.

    Raises:
        RedirectError: it leads nowhere, or where no request is sent, or there have been too many.
    """
    if not 300 <= status < 400:
        return None
    target, why_not = redirected(address, location) if status in REDIRECTS and location else ("", "")
    if target and not is_read:
        why_not = "and what writes is sent nowhere else"
    elif target and hop == MOST_REDIRECTS:
        why_not = why_not or f"after {hop} other redirects"
    if target and not why_not:
        return target
    place = f"{urlsplit(address).netloc} redirects to {_host_of(target) or 'nowhere'} (HTTP {status})"
    raise RedirectError(f"{place}{why_not and f', {why_not}'}. Check Data center (data_center).")


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _is_within(address: str, domain: str) -> bool:
    host = urlsplit(address).hostname or ""
    return bool(_HOST.fullmatch(host)) and (host == domain or host.endswith(f".{domain}"))


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and everything that it was caused by or wraps."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop()
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            yield found
            waiting += [getattr(found, "reason", None), found.__cause__, found.__context__, *found.args]


def distrust(error: BaseException) -> str | None:
    """Return why a certificate is not trusted, in the words of the TLS library; None when an error is about no such."""
    for found in causes(error):
        if isinstance(found, ssl.SSLCertVerificationError):
            return found.verify_message or str(found.reason)
    return None


def refused_tls(error: BaseException, host: str) -> str | None:
    """Return what is wrong with the encryption of a host, and what to do; None when an error is about no such thing."""
    why = distrust(error)
    if why and "expired" in why:
        return (
            f"The certificate of {host} has expired: whoever runs {host} has to renew it. If others can reach it, "
            "check the clock of this machine."
        )
    if why:
        return (
            f"The certificate of {host} is not trusted ({why}). If a proxy or firewall of your company signs it, "
            f"let {CA_VARIABLES[-1]} name a file with the certificate of its authority."
        )
    if any(isinstance(found, ssl.SSLError) and getattr(found, "reason", "") in _OLD_TLS for found in causes(error)):
        return (
            f"{host} offers only versions of TLS that are no longer safe (older than 1.2). Check Data center "
            "(data_center), or ask whoever runs the server or the proxy in between to allow TLS 1.2."
        )
    return None


def broken_answer(error: BaseException) -> str:
    """Say which bound an answer broke, so that it was not read to its end; "" when there was no answer."""
    for found in causes(error):
        if isinstance(found, bounds.TooLargeError):
            return str(found)
        if isinstance(found, bounds.TooSlowError):
            return f"an answer that had not ended after {bounds.LONGEST_ANSWER:.0f} s"
        if isinstance(found, http.client.HTTPException) and "got more than" in str(found):
            return f"an answer with headers that are too many or too long ({found})"
    return ""
