"""Create, update and delete of the REST API, by the rules each resource carries."""

from __future__ import annotations

from typing import Any

from integration_tests.sandbox.data.rules import (
    as_object,
    check_references,
    check_values,
    exists,
    fed_attributes,
    known_fields,
    known_traits,
    normalised,
    refuse_readonly,
    require,
    revived,
)
from integration_tests.sandbox.data.workspace import Workspace
from integration_tests.sandbox.resources.model import Resource, Writing
from integration_tests.sandbox.rest.children import CHILDREN, check_children, store_children
from integration_tests.sandbox.wire.messages import ApiError, Row


def create(workspace: Workspace, resource: Resource, body: Any, fixed: Row) -> Row:
    """Carry out a POST: a new row, or what the resource does with a known externalId. `fixed` comes from the path."""
    writing = _writing(resource)
    body = as_object(body)
    if resource.name == "projects":
        body = _with_account(workspace, body)
    if resource.name == "instances":
        refuse_readonly(workspace, workspace.get("customObjects", fixed["customObjectId"]))
    body = known_fields(workspace, body, writing.create)
    require(body, _required(workspace, resource))
    _check_parents(writing, body)
    values, children = _checked(workspace, resource, body, fixed)
    existing = _existing(workspace, resource, values)
    if existing is not None:
        # A meeting's participants have requests of their own.
        return _apply(workspace, resource, existing, values, None if resource.name == "meetings" else children)
    if resource.name == "projects":
        values = {**_from_template(workspace, values["templateId"]), **values}
    if resource.name == "customObjects":
        _refuse_taken_name(workspace, values["name"])
    if resource.name in ("notes", "tasks"):
        values["source"] = workspace.switches.api_source
    traits = values.get("traits") or {}
    if "traits" in resource.attributes:
        values["traits"] = {key: value for key, value in traits.items() if value is not None}
    row = workspace.insert(resource.name, {**values, **fed_attributes(workspace, resource.name, traits), **fixed})
    return store_children(workspace, resource.name, row, children)


def update(workspace: Workspace, resource: Resource, row: Row, body: Any) -> Row:
    """Carry out a PUT: what the body names is changed, the rest stays, but for the tags (see the switch)."""
    writing = _writing(resource)
    body = as_object(body)
    if resource.name == "meetings" and row["archivedAt"]:
        raise ApiError(400, "An archived meeting cannot be updated.")
    if resource.name == "instances":
        refuse_readonly(workspace, workspace.get("customObjects", row["customObjectId"]))
    body = known_fields(workspace, body, writing.update)
    if resource.name == "npsResponses" and not workspace.switches.nps_put_partial:
        require(body, writing.required)
    if resource.name == "accounts":
        _check_account(workspace, body)
    values, children = _checked(workspace, resource, body, row)
    return _apply(workspace, resource, row, values, children)


def delete(workspace: Workspace, resource: Resource, row: Row) -> None:
    """Carry out a DELETE: archived where the resource is, gone elsewhere."""
    if resource.name == "instances":
        refuse_readonly(workspace, workspace.get("customObjects", row["customObjectId"]))
    mode = workspace.switches.instance_delete if resource.delete == "switch" else resource.delete
    if mode == "soft":
        workspace.archive(resource.name, row["id"])
        return
    workspace.delete(resource.name, row["id"])
    if resource.name == "messages":
        bump = workspace.switches.children_bump_updated_at
        workspace.update("conversations", row["conversationId"], {}, bump=bump)


def _writing(resource: Resource) -> Writing:
    if resource.writing is None:
        raise ApiError(404, f"{resource.name} cannot be written.")
    return resource.writing


def _required(workspace: Workspace, resource: Resource) -> tuple[str, ...]:
    switches, required = workspace.switches, _writing(resource).required
    by_switch = {
        "conversations": switches.conversation_requires_external_id,
        "meetings": switches.meeting_requires_external_id,
    }
    return ("externalId", *required) if by_switch.get(resource.name) else required


def _check_parents(writing: Writing, body: Row) -> None:
    given = [name for name in writing.one_of if body.get(name)]
    if writing.one_of and not given:
        raise ApiError(400, f"{' or '.join(writing.one_of)} is required.")
    if writing.only_one and len(given) > 1:
        raise ApiError(400, f"Only one of {', '.join(writing.one_of)} may be given.")


def _checked(workspace: Workspace, resource: Resource, body: Row, row: Row) -> tuple[Row, list[Row] | None]:
    """Return the values as they will be stored, and the child rows the body holds, if it names them."""
    writing = _writing(resource)
    check_values(writing, body)
    check_references(workspace, writing, body)
    values = normalised(resource, body)
    if writing.traits_model and values.get("traits"):
        custom_object = row.get("customObjectId")
        values["traits"] = known_traits(workspace, writing.traits_model, values["traits"], custom_object)
    children = values.pop(CHILDREN.get(resource.name, ""), None)
    if children is not None:
        check_children(workspace, resource.name, children)
    return values, children


def _existing(workspace: Workspace, resource: Resource, values: Row) -> Row | None:
    """Return the row a POST updates; refuses or ignores a known externalId where the resource does."""
    external_id = values.get("externalId")
    known = workspace.tables[resource.name].by_external_id(external_id) if external_id else []
    if workspace.switches.archived_upsert == "is made anew":
        known = [row for row in known if not row.get("archivedAt")]
    rule = _writing(resource).post_existing
    rule = getattr(workspace.switches, rule, rule)
    if not known or rule == "duplicate":
        return None
    if rule == "reject":
        raise exists(workspace, external_id)
    if resource.name == "meetings" and known[0]["archivedAt"]:
        raise ApiError(400, "An archived meeting cannot be updated.")
    return known[0]


def _apply(workspace: Workspace, resource: Resource, row: Row, values: Row, children: list[Row] | None) -> Row:
    changes = {**values, **fed_attributes(workspace, resource.name, values.get("traits") or {})}
    if resource.name == "users":
        # Only an unlink through the Analytics API takes a user out of an account.
        for name in ("accountIds", "organizationIds"):
            if name in changes:
                changes[name] = list(dict.fromkeys((*row[name], *changes[name])))
    if "tags" in resource.attributes and "tags" not in changes and workspace.switches.put_without_tags_wipes:
        changes["tags"] = []
    changes |= revived(workspace, row)
    row = workspace.update(resource.name, row["id"], changes)
    return store_children(workspace, resource.name, row, children)


def _check_account(workspace: Workspace, body: Row) -> None:
    if body.get("accountOwnerId") is not None:
        raise ApiError(400, "accountOwnerId can only be set to null.")
    organization = body.get("organizationId")
    if isinstance(organization, str) and (found := workspace.find("organizations", organization)):
        body["organizationId"] = found["id"]


def _with_account(workspace: Workspace, body: Row) -> Row:
    """Return the body of a new project with the id of its account, whatever that is called, as `accountId`."""
    name = workspace.switches.project_account
    if name == "customerId" and "accountId" in body:
        raise ApiError(400, "accountId cannot be written.")
    if name != "accountId" and "customerId" in body:
        return {**{key: value for key, value in body.items() if key != "customerId"}, "accountId": body["customerId"]}
    return body


def _from_template(workspace: Workspace, template_id: str) -> Row:
    template = workspace.get("projectTemplates", template_id)
    return {"name": template["projectName"], "projectCategoryId": template["projectCategoryId"]}


def _refuse_taken_name(workspace: Workspace, name: str) -> None:
    if any(row["name"] == name for row in workspace.rows("customObjects")):
        raise exists(workspace, name, "name")
