"""The way of the destination's requests."""

from __future__ import annotations

from requests.adapters import HTTPAdapter

from vitally_api.connections import BoundedAdapter


class Adapter(BoundedAdapter, HTTPAdapter):
    """Opens bounded connections, with and without a proxy."""
