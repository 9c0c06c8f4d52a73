"""What Airbyte Cloud asks of a connector: it runs many people's connections, and none may reach the others' home."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from vitally_api.network import causes, proxy_of

_INTERNET = ip_network("2000::/3")
"""What of version 6 is given out."""

_TRANSLATED = ip_network("64:ff9b::/96")
"""Behind it a network that knows only version 6 reaches those of version 4."""


class NotPublicError(OSError):
    """A host is, or its name leads to, an address within somebody's network."""


def is_cloud(environ: Mapping[str, str]) -> bool:
    """Tell whether the platform says that it is Airbyte Cloud."""
    return environ.get("DEPLOYMENT_MODE", "").strip().upper() == "CLOUD"


def problem_of_address(address: str, environ: Mapping[str, str]) -> str:
    """Return why an address cannot be used where the connector runs, as a predicate; "" if it can.

    Its name is looked up unless a proxy of the environment does that.
    """
    if not address or not is_cloud(environ):
        return ""
    try:
        place, port = urlsplit(address), urlsplit(address).port or 443
    except ValueError as error:
        return f"is no address ({error})"
    if place.scheme != "https":
        return "must be an https address on Airbyte Cloud"
    if proxy_of(address):
        return ""
    try:
        prove_public(place.hostname or "", port)
    except NotPublicError:
        return f"must be a public address on Airbyte Cloud, and {place.hostname} is one of a private network"
    except OSError:  # there is no such host, as the first request will say
        pass
    return ""


def refused(error: BaseException, host: str) -> str:
    """Return that a host is within somebody's network, where a request failed for that, and what to do; else ""."""
    if not any(isinstance(cause, NotPublicError) for cause in causes(error)):
        return ""
    return f"{host} is in a private network, which Airbyte Cloud does not allow. Check Data center (data_center)."


def prove_public(host: str, port: int) -> None:
    """Look a host up.

    Raises:
        NotPublicError: one of its addresses is private, loopback, link-local or otherwise not of the internet.
        OSError: it is not found.
    """
    for *_, found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        address = _reached_by(ip_address(str(found[0]).partition("%")[0]))
        is_known = address.version == 4 or address in _INTERNET
        if not (is_known and address.is_global) or address.is_multicast:
            raise NotPublicError(host)


def _reached_by(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the address of version 4 that one of version 6 stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address
