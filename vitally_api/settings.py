"""The settings that the forms of both connectors share, as properties of a JSON schema, and what is said of a typo.

A form shows plain text: no description here is Markdown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from vitally_api.regions import (
    ADDRESS,
    ADDRESS_DESCRIPTOR,
    ANALYTICS_PATH,
    REGIONS,
    REST_PATH,
    SUBDOMAIN,
    SUBDOMAIN_DESCRIPTOR,
    Region,
    analytics_url,
)

Property = dict[str, Any]

SECRET_TOKEN: Property = {
    "title": "REST API key",
    "description": (
        "In Vitally: Settings, Integrations, Vitally REST API. The secret token or the ready-made Basic Auth header, "
        "either works."
    ),
    "type": "string",
    "minLength": 1,
    "airbyte_secret": True,
}

NUM_WORKERS: Property = {
    "title": "Parallel requests",
    "description": "How many requests may run at the same time.",
    "type": "integer",
    "multipleOf": 1,
    "minimum": 1,
    "maximum": 20,
    "default": 8,
}

REQUESTS_PER_MINUTE: Property = {
    "title": "Requests per minute",
    "description": (
        "Vitally allows 1,000 per key unless your contract says otherwise. Lower it when other tools use the same key."
    ),
    "type": "integer",
    "multipleOf": 1,
    "minimum": 1,
    "maximum": 100_000,
    "default": 1000,
}

FIELDS: Mapping[str, Property] = {
    "subdomain": {
        "title": "Subdomain",
        "description": "The first part of the address you log in at: acme for https://acme.vitally.io.",
        "type": "string",
        "pattern": SUBDOMAIN,
        "pattern_descriptor": SUBDOMAIN_DESCRIPTOR,
        "examples": ["acme"],
    },
    "rest_url": {
        "title": "Address of the REST API",
        "description": f"Without {REST_PATH}, which is added. For a proxy or a test server.",
        "type": "string",
        "pattern": ADDRESS,
        "pattern_descriptor": ADDRESS_DESCRIPTOR.format(example="https://rest.vitally.io"),
        "examples": ["https://rest.vitally.io"],
    },
    "analytics_url": {
        "title": "Address of the Analytics API",
        "description": f"Without {ANALYTICS_PATH}, which is added. For a proxy or a test server.",
        "type": "string",
        "pattern": ADDRESS,
        "pattern_descriptor": ADDRESS_DESCRIPTOR.format(example="https://api.vitally.io"),
        "examples": ["https://api.vitally.io"],
    },
}
"""What a data center may ask for besides its region."""


def data_center(*, analytics: bool) -> Property:
    """Return the setting that says where a workspace is, with a branch per region.

    Args:
        analytics: Whether the connector uses the Analytics API beside the REST API.
    """
    ends = [f"{region.domain} ({region.title})" for region in REGIONS.values() if region.domain]
    return {
        "title": "Data center",
        "description": f"Where your Vitally workspace lives. The address you log in at ends in {' or '.join(ends)}.",
        "type": "object",
        "oneOf": [_branch(region, analytics) for region in REGIONS.values()],
    }


def may_be_empty(field: Property) -> Property:
    """Return a text of a form that its pattern lets be emptied: the form holds it to the pattern even then."""
    return {**field, "pattern": f"^$|{field['pattern']}"} if "pattern" in field else field


def problem_of_unknown(name: str, known: Iterable[str]) -> str:
    """Return what is said of a setting that does not exist, with the nearest one that does: a predicate, no name."""
    near = get_close_matches(name.lower(), list(known), n=1)
    return "there is no such setting" + (f"; did you mean {near[0]}?" if near else "")


def _branch(region: Region, analytics: bool) -> Property:
    fields = region.fields(analytics=analytics)
    constant = {"title": "Region", "type": "string", "const": region.name, "default": region.name, "order": 0}
    return {
        "title": region.title,
        "type": "object",
        "required": ["region", *(name for name, is_required in fields.items() if is_required)],
        "properties": {
            "region": constant,
            **{
                name: {**(field if is_required else may_be_empty(field)), "order": order}
                for order, (name, is_required) in enumerate(fields.items(), start=1)
                for field in (_field(name, region),)
            },
        },
    }


def _field(name: str, region: Region) -> Property:
    if name == "analytics_url" and region.analytics_is_assumed:
        usual = analytics_url({"region": region.name})
        return {**FIELDS[name], "description": f"Only needed when Vitally told you another address than {usual}."}
    return dict(FIELDS[name])
