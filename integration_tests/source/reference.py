"""The workspace as a plain client reads it when nothing moves: what every sync is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import requests

from integration_tests.sandbox import Sandbox

Json = dict[str, Any]

# stream: path and the filters of each pass
LISTS: Mapping[str, tuple[str, list[dict[str, str]]]] = {
    "accounts": ("accounts", [{"status": "activeOrChurned"}]),
    "organizations": ("organizations", [{}]),
    "users": ("users", [{}]),
    "admins": ("admins", [{}]),
    "conversations": ("conversations", [{}]),
    "notes": ("notes", [{"archived": "false"}, {"archived": "true"}]),
    "note_categories": ("noteCategories", [{}]),
    "tasks": ("tasks", [{"archived": "false"}, {"archived": "true"}]),
    "task_categories": ("taskCategories", [{}]),
    "projects": ("projects", [{"archived": "false"}, {"archived": "true"}]),
    "project_templates": ("projectTemplates", [{}]),
    "project_categories": ("projectCategories", [{}]),
    "nps_responses": ("npsResponses", [{"target": "accounts"}, {"target": "organization"}]),
    "custom_objects": ("customObjects", [{}]),
    "meetings": ("meetings", [{"archived": "false"}, {"archived": "true"}]),
    "meeting_transcripts": ("meetingTranscripts", [{}]),
}
STREAMS = [*LISTS, "messages"]
INCREMENTAL = [stream for stream in STREAMS if stream != "admins"]


def get(sandbox: Sandbox, path: str, **params: Any) -> Any:
    """Return the body of one GET."""
    answer = requests.get(f"{sandbox.url}/resources/{path}", params=params, auth=(sandbox.rest_key, ""), timeout=10)
    answer.raise_for_status()
    return answer.json()


def everything(sandbox: Sandbox, stream: str, inlined: str = "full") -> dict[str, Json]:
    """Return a stream's rows by id, as they must come: without null columns, which the CDK's messages do not have."""
    rows = _messages(sandbox) if stream == "messages" else _rows(sandbox, stream)
    return {
        row["id"]: {
            name: value if inlined == "full" else _as_reference(name, value)
            for name, value in row.items()
            if value is not None
        }
        for row in rows
    }


def _as_reference(name: str, value: Any) -> Any:
    """Return a field as `inlined_objects: reference` has it: a row inlined whole is one with traits of its own."""
    if isinstance(value, list):
        return [_as_reference(name, item) for item in value]
    if isinstance(value, dict) and name != "traits" and "createdAt" in value and "traits" in value:
        return {key: value[key] for key in ("id", "externalId", "name") if key in value}
    return value


def _rows(sandbox: Sandbox, stream: str) -> Iterator[Json]:
    for filters in LISTS[stream][1]:
        yield from one_pass(sandbox, stream, filters)


def one_pass(sandbox: Sandbox, stream: str, filters: dict[str, str]) -> Iterator[Json]:
    """Yield the rows of one of a stream's passes, a plain walk from page to page."""
    path = LISTS[stream][0]
    cursor: dict[str, str] = {}
    while True:
        page = get(sandbox, path, limit=100, **filters, **cursor)
        for row in page["results"]:
            yield {**row, **get(sandbox, f"{path}/{row['id']}")} if stream == "meeting_transcripts" else _linked(row)
        if not page["next"]:
            break
        cursor = {"from": page["next"]}


def _messages(sandbox: Sandbox) -> Iterator[Json]:
    for conversation in _rows(sandbox, "conversations"):
        whole = get(sandbox, f"conversations/{conversation['id']}")
        for message in whole["messages"]:
            yield {
                **message,
                "conversationId": conversation["id"],
                "conversationUpdatedAt": conversation["updatedAt"],
                **{f"{name}Ids": [row["id"] for row in whole[f"{name}s"]] for name in ("account", "user", "admin")},
            }


def _linked(row: Json) -> Json:
    """Return a row with the ids of the accounts and organizations that are inlined in it."""
    rows = {name: row.get(f"{name}s") for name in ("account", "organization")}
    return {**{f"{name}Ids": [one["id"] for one in found] for name, found in rows.items() if found is not None}, **row}


def merged(copy: dict[str, Json], records: list[Json], cursor: str = "updatedAt") -> dict[str, Json]:
    """Bring records into a copy as a destination that de-duplicates does: the newest version of each id stays."""
    for record in records:
        known = copy.get(record["id"])
        if known is None or (record.get(cursor) or "") >= (known.get(cursor) or ""):
            copy[record["id"]] = record
    return copy
