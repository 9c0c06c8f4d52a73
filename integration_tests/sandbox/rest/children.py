"""Rows that are written inside another: messages, meeting participants, custom fields."""

from __future__ import annotations

import re
from typing import Any

from integration_tests.sandbox.data.links import meeting_parents
from integration_tests.sandbox.data.rules import as_object, check_values, exists, known_fields, normalised, require
from integration_tests.sandbox.data.workspace import Workspace
from integration_tests.sandbox.resources import RESOURCES
from integration_tests.sandbox.wire.clock import iso
from integration_tests.sandbox.wire.messages import ApiError, Row

# The attribute of the parent's body that holds them.
CHILDREN = {"conversations": "messages", "meetings": "participants", "customObjects": "customFields"}
PARTICIPANT_IDS = ("userId", "vitallyUserId", "email")
RESPONSE_STATUSES = ("needsAction", "accepted", "tentative", "declined")
PEOPLE = {"user": "users", "admin": "admins"}


def check_children(workspace: Workspace, resource: str, children: list[Any]) -> None:
    """Refuse what cannot be stored, before anything is."""
    for child in children:
        if resource == "conversations":
            checked_message(workspace, child)
        elif resource == "meetings":
            checked_participant(workspace, child)
        else:
            field = known_fields(workspace, as_object(child), ("label", "type", "model"))
            require(field, ("label", "type", "model"))
            if child["model"] != "CustomObject":
                raise ApiError(400, "model of a custom field must be CustomObject.")
    if resource == "meetings":
        parents = meeting_parents(workspace.tables, children, workspace.switches.participant_user_id)
        if not (parents["accountIds"] or parents["organizationIds"]):
            raise ApiError(400, "participants: none belongs to an account or organization.")


def store_children(workspace: Workspace, resource: str, row: Row, children: list[Row] | None) -> Row:
    """Store checked child rows below their parent; the parent as it is then."""
    if children is None:
        return row
    for child in children:
        if resource == "conversations":
            put_message(workspace, row["id"], child)
        elif resource == "meetings":
            add_participant(workspace, row["id"], child)
        else:
            put_custom_field(workspace, row["id"], child)
    return workspace.update(resource, row["id"], {}, bump=False)


def checked_message(workspace: Workspace, body: Any) -> Row:
    """Return the message as it is stored."""
    resource = RESOURCES["messages"]
    assert resource.writing is not None
    body = known_fields(workspace, as_object(body), (*resource.writing.create, "id", "type"))
    require(body, resource.writing.required)
    check_values(resource.writing, body)
    if not body["to"]:
        raise ApiError(400, "to is required.")
    for person in (body["from"], *body["to"], *(body.get("cc") or ()), *(body.get("bcc") or ())):
        kind = PEOPLE.get(as_object(person).get("type", ""))
        if kind is None:
            raise ApiError(400, "A participant's type must be one of admin, user.")
        if workspace.tables[kind].get(str(person.get("id"))) is None:
            raise ApiError(400, f"id: no such row in {kind}: {person.get('id')}.")
    message: Row = normalised(resource, body)
    message.pop("id", None)
    message["type"] = "inbound" if body["from"]["type"] == "user" else "outbound"
    return message


def post_message(workspace: Workspace, conversation_id: str, body: Any) -> Row:
    """Insert a message; what becomes of one whose externalId the conversation has is up to a switch."""
    message, rule = checked_message(workspace, body), workspace.switches.message_post_existing
    if rule == "reject" and _known_message(workspace, conversation_id, message):
        raise exists(workspace, message["externalId"])
    return put_message(workspace, conversation_id, body, is_new=rule == "duplicate")


def put_message(workspace: Workspace, conversation_id: str, body: Any, is_new: bool = False) -> Row:
    """Insert a message, or update the one of the conversation with its externalId, unless it is to be a new one."""
    message = checked_message(workspace, body)
    known = None if is_new else _known_message(workspace, conversation_id, message)
    if known is not None:
        return workspace.update("messages", known["id"], message)
    message.setdefault("timestamp", iso(workspace.clock.now()))
    return workspace.insert("messages", {**message, "conversationId": conversation_id})


def _known_message(workspace: Workspace, conversation_id: str, message: Row) -> Row | None:
    known = workspace.tables["messages"].by_external_id(message["externalId"])
    return next((row for row in known if row["conversationId"] == conversation_id), None)


def checked_participant(workspace: Workspace, body: Any) -> Row:
    """Return the participant as it is stored."""
    writing = RESOURCES["meetingParticipants"].writing
    assert writing is not None
    person: Row = known_fields(workspace, as_object(body), writing.create)
    check_values(writing, person)
    given = [name for name in PARTICIPANT_IDS if person.get(name)]
    if len(given) != 1:
        raise ApiError(400, f"Exactly one of {', '.join(PARTICIPANT_IDS)} is required for a participant.")
    if person.get("type") not in ("organizer", "attendee"):
        raise ApiError(400, "type must be one of organizer, attendee.")
    if person.get("responseStatus") not in (None, *RESPONSE_STATUSES):
        raise ApiError(400, f"responseStatus must be one of {', '.join(RESPONSE_STATUSES)}.")
    if given == ["vitallyUserId"] and workspace.tables["admins"].get(person["vitallyUserId"]) is None:
        raise ApiError(400, f"vitallyUserId: no such row in admins: {person['vitallyUserId']}.")
    return person


def add_participant(workspace: Workspace, meeting_id: str, body: Any) -> Row:
    return workspace.insert("meetingParticipants", {**checked_participant(workspace, body), "meetingId": meeting_id})


def put_custom_field(workspace: Workspace, custom_object_id: str, body: Row) -> Row:
    """Define a field of a custom object; its path comes from the label, as in the app."""
    words = re.findall(r"[A-Za-z0-9]+", body["label"])
    name = "".join(word[:1].upper() + word[1:] for word in words)
    path = f"vitally.custom.{name[:1].lower()}{name[1:]}"
    values = {
        "label": body["label"],
        "type": body["type"],
        "path": path,
        "options": [],
    }
    for known in workspace.tables["customFields"].scoped("customObjectId", custom_object_id):
        if path == known["path"]:
            return workspace.update("customFields", known["id"], values)
    return workspace.insert("customFields", {**values, "model": "customObjects", "customObjectId": custom_object_id})


def put_transcript(workspace: Workspace, meeting_id: str, body: Any) -> Row:
    """Create the transcript of a meeting, or replace it entirely."""
    transcript = as_object(body).get("transcript")
    if not isinstance(transcript, list):
        raise ApiError(400, "transcript is required.")
    for part in transcript:
        speaker = as_object(part).get("speaker")
        if not isinstance(speaker, dict) or not speaker.get("externalId"):
            raise ApiError(400, "speaker.externalId is required.")
        if not isinstance(part.get("sentences"), list):
            raise ApiError(400, "sentences must be an array.")
    known = workspace.scoped("meetingTranscripts", "meetingId", meeting_id)
    if known:
        return workspace.update("meetingTranscripts", known[0]["id"], {"transcript": transcript})
    return workspace.insert("meetingTranscripts", {"meetingId": meeting_id, "transcript": transcript})
