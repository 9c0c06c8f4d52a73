"""The REST half: finds the route, answers it from the workspace."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from integration_tests.sandbox.data.inline import served, visible
from integration_tests.sandbox.data.rules import is_datetime, moment
from integration_tests.sandbox.data.workspace import Workspace
from integration_tests.sandbox.resources import CUSTOM_FIELD_MODELS, RESOURCES
from integration_tests.sandbox.rest import children, writes
from integration_tests.sandbox.rest.lists import Lists, check_parameters, source_of
from integration_tests.sandbox.rest.routes import Route, find
from integration_tests.sandbox.wire.clock import iso
from integration_tests.sandbox.wire.messages import NO_BODY, ApiError, Reply, Request, Row
from integration_tests.sandbox.wire.switches import Switches

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Handler = Callable[["Rest", Request, Route, list[str]], Reply]


class Rest:
    """Answers requests below `/resources`. Hold the workspace's lock while it does."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.lists = Lists(workspace)

    @property
    def switches(self) -> Switches:
        return self.workspace.switches

    def handle(self, request: Request, path: str) -> Reply:
        """Answer a request; `path` is relative to the base. A refusal is raised."""
        found = find(request.method, path)
        if found is None:
            raise ApiError(404, f"Not found: {request.method} {path}")
        route, ids = found
        return HANDLERS[route.operation](self, request, route, ids)

    # One row per request

    def list_rows(self, request: Request, route: Route, ids: list[str]) -> Reply:
        parent = (route.parent, ids[0]) if route.parent else None
        if parent and self.workspace.tables[parent[0]].get(parent[1]) is None:
            raise self._not_found(parent[0])
        return self.lists.page(request, RESOURCES[route.resource], parent)

    def get(self, request: Request, route: Route, ids: list[str]) -> Reply:
        row = self._addressed(request, route.resource, ids[0], RESOURCES[route.resource].ids)
        return self._row(route.resource, row, data=route.resource in ("surveyResponses", "surveyQuestions"))

    def create(self, request: Request, route: Route, ids: list[str]) -> Reply:
        check_parameters(self.workspace, request, ())
        fixed = {}
        if route.parent:
            fixed = {RESOURCES[route.resource].under[route.parent]: self._parent(request, route, ids)["id"]}
        row = writes.create(self.workspace, RESOURCES[route.resource], request.body, fixed)
        return self._row(route.resource, row, status=self.switches.create_status)

    def update(self, request: Request, route: Route, ids: list[str]) -> Reply:
        row = self._below_parent(request, route, ids, RESOURCES[route.resource].ids, ())
        row = writes.update(self.workspace, RESOURCES[route.resource], row, request.body)
        return self._row(route.resource, row)

    def delete(self, request: Request, route: Route, ids: list[str]) -> Reply:
        resource = RESOURCES[route.resource]
        known = ("deleteOn",) if route.resource == "users" else ()
        row = self._below_parent(request, route, ids, resource.delete_ids, known)
        when = request.query.get("deleteOn") if known else None
        if when is None:
            writes.delete(self.workspace, resource, row)
        elif is_datetime(when):
            self.workspace.schedule_deletion(row["id"], iso(moment(when)))
        else:
            raise ApiError(400, "deleteOn must be an ISO 8601 date.")
        return self._deleted()

    # Special requests

    def search_users(self, request: Request, route: Route, ids: list[str]) -> Reply:
        name, value = self._criterion(request, ("externalId", "email", "emailSubdomain"))
        users = self.workspace.tables["users"]
        if name == "externalId":
            rows = users.by_external_id(value)
        elif name == "email":
            rows = users.scoped("email", value)
        else:
            rows = [row for row in users.rows() if (row.get("email") or "").endswith(f"@{value}")]
        return Reply(200, {"results": [self._served("users", row) for row in rows]})

    def search_admins(self, request: Request, route: Route, ids: list[str]) -> Reply:
        _, email = self._criterion(request, ("email",))
        for row in self.workspace.tables["admins"].rows():
            if row["email"] == email:
                return self._row("admins", row)
        misses: dict[str, Any] = {"empty_object": {}, "null": None, "empty_array": []}
        if self.switches.admin_search_miss == "error":
            raise self._not_found("admins")
        return Reply(200, misses[self.switches.admin_search_miss])

    def search_instances(self, request: Request, route: Route, ids: list[str]) -> Reply:
        query = dict(request.query)
        pair = {name: query.pop(name, None) for name in ("customFieldId", "customFieldValue")}
        names = ("id", "externalId", "customerId", "organizationId")
        custom_object = self._parent(request, route, ids, known=(*names, *pair))
        given = [(name, query[name]) for name in names if name in query]
        if None not in pair.values():
            field = self.workspace.tables["customFields"].get(str(pair["customFieldId"]))
            given.append(("trait", field["path"] if field else ""))
        if len(given) != 1 or len({value is None for value in pair.values()}) != 1:
            raise ApiError(400, "Exactly one search criterion is required.")
        name, value = given[0]
        rows = []
        for row in self.workspace.tables["instances"].scoped("customObjectId", custom_object["id"]):
            traits = row["traits"]
            if name == "trait":
                hit = value in traits and str(traits[value]) == pair["customFieldValue"]
            else:
                hit = row[name] == value
            if hit and not row["archivedAt"]:
                rows.append(self._served("instances", row))
        return Reply(200, rows)

    def custom_fields(self, request: Request, route: Route, ids: list[str]) -> Reply:
        check_parameters(self.workspace, request, ("model", "customObjectId"))
        model, custom_object = request.query.get("model"), request.query.get("customObjectId")
        if model not in CUSTOM_FIELD_MODELS:
            raise ApiError(400, f"model is required, one of {', '.join(CUSTOM_FIELD_MODELS)}.")
        table = self.workspace.tables["customFields"]
        if model == "customObjects":
            if custom_object is None:
                raise ApiError(400, "customObjectId is required for the model customObjects.")
            if self.workspace.tables["customObjects"].get(custom_object) is None:
                raise self._not_found("customObjects")
            rows = table.scoped("customObjectId", custom_object)
        else:
            rows = table.scoped("model", model)
        rows.sort(key=lambda row: str(row["label"]))
        shown = [visible(RESOURCES["customFields"], row) for row in rows]
        if not self.switches.custom_field_ids:
            shown = [{name: value for name, value in row.items() if name != "id"} for row in shown]
        return Reply(200, shown)

    def health_scores(self, request: Request, route: Route, ids: list[str]) -> Reply:
        row = self._addressed(request, "accounts", ids[0], "either")
        scores = [
            {"name": name, "score": row["healthScore"], "weight": weight}
            for name, weight in (("Product usage", 60), ("Sentiment", 40))
        ]
        shapes: dict[str, Any] = {
            "object": {"accountId": row["id"], "healthScore": row["healthScore"], "scores": scores},
            "array": scores,
            "results": {"results": scores},
            "data": {"data": scores},
        }
        return Reply(200, shapes[self.switches.health_scores_shape])

    def create_message(self, request: Request, route: Route, ids: list[str]) -> Reply:
        conversation = self._parent(request, route, ids)
        row = children.post_message(self.workspace, conversation["id"], request.body)
        self.workspace.update("conversations", conversation["id"], {}, bump=self.switches.children_bump_updated_at)
        return self._row("messages", row, status=self.switches.create_status)

    def add_participant(self, request: Request, route: Route, ids: list[str]) -> Reply:
        meeting = self._parent(request, route, ids)
        row = children.add_participant(self.workspace, meeting["id"], request.body)
        self.workspace.update("meetings", meeting["id"], {}, bump=self.switches.children_bump_updated_at)
        return self._row("meetingParticipants", row, status=self.switches.create_status)

    def remove_participant(self, request: Request, route: Route, ids: list[str]) -> Reply:
        meeting = self._parent(request, route, ids)
        row = self.workspace.tables["meetingParticipants"].get(ids[1])
        if row is None or row["meetingId"] != meeting["id"]:
            raise self._not_found("meetingParticipants")
        self.workspace.delete("meetingParticipants", row["id"])
        self.workspace.update("meetings", meeting["id"], {}, bump=self.switches.children_bump_updated_at)
        return self._deleted()

    def transcript(self, request: Request, route: Route, ids: list[str]) -> Reply:
        meeting = self._parent(request, route, ids)
        rows = self.workspace.tables["meetingTranscripts"].scoped("meetingId", meeting["id"])
        if not rows:
            raise self._not_found("meetingTranscripts")
        return self._row("meetingTranscripts", rows[0])

    def put_transcript(self, request: Request, route: Route, ids: list[str]) -> Reply:
        meeting = self._parent(request, route, ids)
        row = children.put_transcript(self.workspace, meeting["id"], request.body)
        return self._row("meetingTranscripts", row, status=self.switches.create_status)

    # Helpers

    def _parent(self, request: Request, route: Route, ids: list[str], known: tuple[str, ...] = ()) -> Row:
        check_parameters(self.workspace, request, known)
        assert route.parent is not None
        row = self.workspace.tables[route.parent].get(ids[0])
        if row is None:
            raise self._not_found(route.parent)
        return row

    def _below_parent(self, request: Request, route: Route, ids: list[str], form: str, known: tuple[str, ...]) -> Row:
        """Return the row the last id names; of the parent the first one names, if there is one."""
        row = self._addressed(request, route.resource, ids[-1], form, known)
        if route.parent and row[RESOURCES[route.resource].under[route.parent]] != ids[0]:
            raise self._not_found(route.resource)
        return row

    def _addressed(
        self, request: Request, resource: str, identifier: str, form: str, known: tuple[str, ...] = ()
    ) -> Row:
        """Return the row `:id` names, as a Vitally id or where `form` allows it as an externalId."""
        check_parameters(self.workspace, request, ("source",) if form == "source" else known)
        table = self.workspace.tables[resource]
        row = table.get(identifier) or self.workspace.followed(resource, identifier)
        if row is not None:
            return row
        rows = table.by_external_id(identifier)
        if form == "either" or resource in self.switches.also_by_external_id:
            pass
        elif form != "source":
            rows = []
        elif "source" in request.query:
            source = source_of(request.query)
            rows = [row for row in rows if (row["source"] or "").lower() == source]
        elif UUID.fullmatch(identifier):
            rows = []
        else:
            raise ApiError(400, "source is required when the id is an externalId.")
        if not rows:
            raise self._not_found(resource)
        return rows[0]

    def _criterion(self, request: Request, names: tuple[str, ...]) -> tuple[str, str]:
        check_parameters(self.workspace, request, names)
        given = [(name, request.query[name]) for name in names if request.query.get(name)]
        if len(given) != 1:
            raise ApiError(400, f"Exactly one of {', '.join(names)} is required.")
        return given[0]

    def _not_found(self, resource: str) -> ApiError:
        return ApiError(self.switches.not_found_status, f"No such row in {resource}.")

    def _served(self, resource: str, row: Row) -> Row:
        return served(self.workspace, RESOURCES[resource], row, detail=True)

    def _row(self, resource: str, row: Row, status: int = 200, data: bool = False) -> Reply:
        body = self._served(resource, row)
        return Reply(status, {"data": body} if data else body)

    def _deleted(self) -> Reply:
        if self.switches.delete_status == 204:
            return Reply(204, NO_BODY)
        return Reply(200, {})


HANDLERS: dict[str, Handler] = {
    name: getattr(Rest, name)
    for name in (
        *("list_rows", "get", "create", "update", "delete"),
        *("search_users", "search_admins", "search_instances", "custom_fields", "health_scores"),
        *("create_message", "add_participant", "remove_participant", "transcript", "put_transcript"),
    )
}
