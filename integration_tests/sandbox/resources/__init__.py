"""Every resource of the REST API, by name."""

from __future__ import annotations

from integration_tests.sandbox.resources import people, work
from integration_tests.sandbox.resources.model import Resource

RESOURCES: dict[str, Resource] = {
    resource.name: resource
    for module in (people, work)
    for resource in vars(module).values()
    if isinstance(resource, Resource)
}

CUSTOM_FIELD_MODELS = (
    "users",
    "accounts",
    "organizations",
    "customObjects",
    "tasks",
    "notes",
    "projects",
    "conversations",
    "team",
)
