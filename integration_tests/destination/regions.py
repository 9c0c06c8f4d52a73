"""Vitally's own addresses, led to a sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from destination_vitally.api import http
from destination_vitally.api.wire import Adapter

SETTINGS: dict[str, dict[str, str]] = {
    "us": {"region": "us", "subdomain": "acme"},
    "eu": {"region": "eu"},
    "custom": {
        "region": "custom",
        "rest_url": "https://rest.example",
        "analytics_url": "https://api.example",
    },
}
HOSTS = {
    "us": ("acme.rest.vitally.io", "acme.api.vitally.io"),
    "eu": ("rest.vitally-eu.io", "api.vitally-eu.io"),
    "custom": ("rest.example", "api.example"),
}


def lead_to(url: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Send every request to `url` instead; gives the list of the addresses they were meant for."""
    addresses: list[str] = []

    class Detour(Adapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            address = urlsplit(str(request.url))
            addresses.append(f"{address.scheme}://{address.netloc}")
            request.url = url + str(request.url).removeprefix(addresses[-1])
            return super().send(request, *args, **kwargs)

        def get_connection_with_tls_context(
            self,
            request: requests.PreparedRequest,
            verify: Any,
            proxies: Mapping[str, str] | None = None,
            cert: Any = None,
        ) -> Any:
            return super().get_connection_with_tls_context(request, verify, {}, cert)

    monkeypatch.setattr(http, "Adapter", Detour)
    return addresses
