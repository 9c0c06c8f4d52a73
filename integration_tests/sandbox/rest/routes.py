"""Which path and method is which operation: generated from the resources, plus the few special requests."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from integration_tests.sandbox.resources import RESOURCES


@dataclass(frozen=True)
class Route:
    """`operation` names the function, `parent` the resource of the first `:id` if that is not the row's."""

    operation: str
    resource: str
    parent: str | None = None


SPECIAL = {
    ("GET", "users/search"): Route("search_users", "users"),
    ("GET", "admins/search"): Route("search_admins", "admins"),
    ("GET", "customFields"): Route("custom_fields", "customFields"),
    ("GET", "accounts/:id/healthScores"): Route("health_scores", "accounts"),
    ("GET", "customObjects/:id/instances"): Route("list_rows", "instances", "customObjects"),
    ("GET", "customObjects/:id/instances/search"): Route("search_instances", "instances", "customObjects"),
    ("POST", "customObjects/:id/instances"): Route("create", "instances", "customObjects"),
    ("PUT", "customObjects/:id/instances/:id"): Route("update", "instances", "customObjects"),
    ("DELETE", "customObjects/:id/instances/:id"): Route("delete", "instances", "customObjects"),
    ("GET", "surveys/:id/responses"): Route("list_rows", "surveyResponses", "surveys"),
    ("POST", "conversations/:id/messages"): Route("create_message", "messages", "conversations"),
    ("POST", "meetings/:id/participants"): Route("add_participant", "meetingParticipants", "meetings"),
    ("DELETE", "meetings/:id/participants/:id"): Route("remove_participant", "meetingParticipants", "meetings"),
    ("GET", "meetings/:id/transcript"): Route("transcript", "meetingTranscripts", "meetings"),
    ("POST", "meetings/:id/transcript"): Route("put_transcript", "meetingTranscripts", "meetings"),
}
PATHS = {
    "list": ("GET", "{}"),
    "get": ("GET", "{}/:id"),
    "create": ("POST", "{}"),
    "update": ("PUT", "{}/:id"),
    "delete": ("DELETE", "{}/:id"),
}


def _generated() -> dict[tuple[str, str], Route]:
    routes = {}
    for resource in RESOURCES.values():
        nested = resource.name in ("instances", "surveyResponses")
        for operation in resource.operations:
            if resource.name == "instances":
                continue
            method, path = PATHS[operation]
            name = "list_rows" if operation == "list" else operation
            routes[method, path.format(resource.name)] = Route(name, resource.name)
        for parent in () if nested else resource.under:
            routes["GET", f"{parent}/:id/{resource.name}"] = Route("list_rows", resource.name, parent)
    return {**routes, **SPECIAL}


ROUTES = _generated()


def find(method: str, path: str) -> tuple[Route, list[str]] | None:
    """Return the route of a raw path below the base, and the decoded ids in it; None for an unknown path."""
    segments = path.strip("/").split("/")
    # /users/search is a path of its own, and so cannot be the GET of a user whose id is "search".
    for literal in ("search", None):
        template = [name if n % 2 == 0 or name == literal else ":id" for n, name in enumerate(segments)]
        if route := ROUTES.get((method, "/".join(template))):
            return route, [unquote(name) for name, part in zip(segments, template, strict=True) if part == ":id"]
    return None
