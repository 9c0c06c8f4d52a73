"""Where Vitally's two APIs are. A region is one entry of the table; forms, hints and tests are made from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any
from urllib.parse import urlsplit

SUBDOMAIN = "^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"
SUBDOMAIN_DESCRIPTOR = "a single name such as acme, without https:// and without .vitally.io"
ADDRESS = r"^https?://[^\s/?#@\\]+(/[^\s?#]*)?$"
ADDRESS_DESCRIPTOR = "an address such as {example}, without a user name, a password, a ? or a #"

REST_PATH = "/resources"
ANALYTICS_PATH = "/analytics/v1"


@dataclass(frozen=True)
class Region:
    """One place where workspaces live.

    Attributes:
        name: What the setting `data_center.region` says.
        title: What the form shows.
        rest: Address of the REST API; what stands in braces is asked for in `data_center`.
        analytics: The same of the Analytics API.
        domain: The end of the address at which people log in; empty where there is no such thing.
        shared_rest: An address of the REST API that needs no subdomain, where `rest` does.
        analytics_is_assumed: Vitally does not publish `analytics`, so that `analytics_url` may replace it.
    """

    name: str
    title: str
    rest: str
    analytics: str
    domain: str = ""
    shared_rest: str = ""
    analytics_is_assumed: bool = False

    def fields(self, *, analytics: bool) -> dict[str, bool]:
        """Return what `data_center` holds beside `region`, and whether it must.

        Args:
            analytics: Whether the connector uses the Analytics API beside the REST API.
        """
        for_rest = _blanks(self.rest)
        if not analytics:
            return dict.fromkeys(for_rest, True)
        for_analytics = _blanks(self.analytics)
        assumed = ("analytics_url",) if self.analytics_is_assumed else ()
        return {name: name in for_rest for name in dict.fromkeys((*for_rest, *for_analytics, *assumed))}

    def hosts(self, *, analytics: bool) -> list[str]:
        """Return the hosts of the region with `*` for a subdomain; none where any address may be given."""
        addresses = [self.rest, self.analytics] if analytics else [self.rest]
        return [urlsplit(address.replace("{subdomain}", "*")).netloc for address in addresses if "_url}" not in address]


REGIONS: dict[str, Region] = {
    region.name: region
    for region in (
        Region(
            "us",
            "US",
            rest="https://{subdomain}.rest.vitally.io",
            analytics="https://{subdomain}.api.vitally.io",
            domain="vitally.io",
            shared_rest="https://rest.vitally.io",  # the legacy host, which still answered a client in July 2026
        ),
        Region(
            "eu",
            "EU",
            rest="https://rest.vitally-eu.io",
            analytics="https://api.vitally-eu.io",
            domain="vitally-eu.io",
            analytics_is_assumed=True,  # made like the REST address
        ),
        Region("custom", "Another address", rest="{rest_url}", analytics="{analytics_url}"),
    )
}


def rest_url(data_center: Any) -> str:
    """Return the address of the REST API, without `/resources`; "" where `data_center` does not say it."""
    region = _region(data_center)
    return _filled(region.rest, data_center, REST_PATH) if region else ""


def analytics_url(data_center: Any) -> str:
    """Return the address of the Analytics API, without `/analytics/v1`; "" where `data_center` does not say it."""
    region = _region(data_center)
    if not region:
        return ""
    replaced = _filled("{analytics_url}", data_center, ANALYTICS_PATH) if region.analytics_is_assumed else ""
    return replaced or _filled(region.analytics, data_center, ANALYTICS_PATH)


def other_regions(data_center: Any) -> list[tuple[str, str]]:
    """Return title and REST address of the regions that a config did not choose, to ask whether its key works there.

    None for an address that is not Vitally's own.
    """
    chosen = _region(data_center)
    if not chosen or not chosen.domain:
        return []
    others = (region for region in REGIONS.values() if region.domain and region is not chosen)
    found = ((other.title, other.shared_rest or _filled(other.rest, data_center, REST_PATH)) for other in others)
    return [(title, address) for title, address in found if address]


def data_center_at(host: str) -> dict[str, str] | None:
    """Return the `data_center` of a host of Vitally's own: of a REST API, or the one at which people log in.

    None for any other host, and for one of Vitally's that does not say which workspace is meant.
    """
    labels = host.lower().split(".")
    for region in REGIONS.values():
        domain = region.domain.split(".")
        before = labels[: -len(domain)]
        if (
            not region.domain
            or labels[-len(domain) :] != domain
            or not all(re.match(SUBDOMAIN, name) for name in before)
        ):
            continue
        if "subdomain" not in _blanks(region.rest):
            return {"region": region.name}
        subdomain = before[0] if before and before[1:] in ([], ["rest"]) else ""
        return {"region": region.name, "subdomain": subdomain} if subdomain not in ("", "rest", "www") else None
    return None


def _region(data_center: Any) -> Region | None:
    name = data_center.get("region") if isinstance(data_center, Mapping) else None
    return REGIONS.get(name) if isinstance(name, str) else None


def _blanks(template: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(template) if name]


def _filled(template: str, data_center: Mapping[str, Any], path: str) -> str:
    """Return a template with its blanks filled in, without slash and path at its end; "" where one stays empty."""
    values = {name: data_center.get(name) for name in _blanks(template)}
    if not all(isinstance(value, str) and value for value in values.values()):
        return ""
    return template.format(**values).strip().rstrip("/").removesuffix(path).rstrip("/")
