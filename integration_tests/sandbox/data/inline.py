"""A stored row as the API serves it: hidden attributes out, related rows in, as they are at that moment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from integration_tests.sandbox.data.workspace import Workspace
from integration_tests.sandbox.resources import RESOURCES
from integration_tests.sandbox.resources.model import Inline, Resource
from integration_tests.sandbox.wire.messages import Row

# "List rows hold exactly" these, as a public client observed live: no message, no account, no user.
CONVERSATION_LIST = (
    "id",
    "createdAt",
    "updatedAt",
    "externalId",
    "subject",
    "status",
    "rating",
    "source",
    "traits",
)


def served(workspace: Workspace, resource: Resource, row: Row, detail: bool = False) -> Row:
    """Return the row with its related rows; `detail` adds what only GET of one row shows."""
    out = visible(resource, row)
    for inline in resource.inlines + (resource.detail_inlines if detail else ()):
        out[inline.name] = _related(workspace, inline, row)
    if resource.name == "surveyResponses":
        out[workspace.switches.survey_user_id] = out.pop("userId")
    if resource.name == "projects" and workspace.switches.project_status_inlined:
        out["projectStatus"] = _related(workspace, Inline("projectStatus", "projectStatuses", "projectStatusId"), row)
    return out


def served_list(workspace: Workspace, resource: Resource, rows: Iterable[Row]) -> list[Row]:
    out = [served(workspace, resource, row) for row in rows]
    if resource.name == "conversations":
        return [{name: row[name] for name in CONVERSATION_LIST} for row in out]
    if resource.name == "meetingTranscripts" and workspace.switches.transcripts_in_list != "whole":
        without = [{name: value for name, value in row.items() if name != "transcript"} for row in out]
        is_null = workspace.switches.transcripts_in_list == "null"
        return [{**row, "transcript": None} for row in without] if is_null else without
    return out


def among_odd(workspace: Workspace, rows: list[Row], *more: Any) -> list[Any]:
    """Return rows, if there are any, among things that are none, where the workspace is that way."""
    return [None, rows[0], 7, *rows[1:], True, [], *more] if rows and workspace.switches.odd_rows else rows


def visible(resource: Resource, row: Row) -> Row:
    """Return a copy of the row without its hidden attributes."""
    if not resource.hidden:
        return dict(row)
    return {name: value for name, value in row.items() if name not in resource.hidden}


def _related(workspace: Workspace, inline: Inline, row: Row) -> Row | list[Row] | None:
    table, resource = workspace.tables[inline.table], RESOURCES[inline.table]
    if inline.child:
        children = [visible(resource, child) for child in table.scoped(inline.source, row["id"])]
        if inline.table == "customFields":
            children = [{name: value for name, value in child.items() if name != "model"} for child in children]
        return among_odd(workspace, children) if inline.name == "messages" else children
    value = row.get(inline.source)
    ids = [value] if isinstance(value, str) else value or []
    found = [visible(resource, other) for i in ids if (other := table.get(i)) is not None]
    if inline.many:
        return among_odd(workspace, found)
    return found[0] if found else None
