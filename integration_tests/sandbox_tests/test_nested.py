"""Rows written inside another: messages, meeting participants, transcripts, custom fields."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.sandbox import Sandbox
from integration_tests.sandbox.testing.client import Client, ids
from integration_tests.sandbox.testing.examples import (
    UNKNOWN,
    conversation,
    meeting,
    post,
)


class TestConversations:
    def test_messages_link_a_conversation(self, sandbox: Sandbox, client: Client) -> None:
        row = post(client, "conversations")
        assert row["messages"][0]["type"] == "inbound"
        account = row["accounts"][0]["id"]
        assert row["id"] in ids(client.scan(f"accounts/{account}/conversations"))

    def test_messages_are_updated_by_external_id(self, sandbox: Sandbox, client: Client) -> None:
        row = post(client, "conversations")
        message = conversation(sandbox)["messages"][0]
        changed = [{**message, "message": "Changed"}, {**message, "externalId": "second"}]
        body = client.rest("PUT", f"conversations/{row['id']}", {"messages": changed}).json()
        assert {m["externalId"]: m["message"] for m in body["messages"]} == {
            "ticket-new-1": "Changed",
            "second": "<p>Hi</p>",
        }

    def test_single_messages(self, sandbox: Sandbox, client: Client) -> None:
        row = post(client, "conversations")
        message = {**conversation(sandbox)["messages"][0], "externalId": "third"}
        path = f"conversations/{row['id']}/messages"
        created = client.rest("POST", path, message).json()
        assert client.get("messages/third")["id"] == created["id"]
        assert client.get(f"conversations/{row['id']}")["updatedAt"] > row["updatedAt"]
        assert client.rest("DELETE", "messages/third").status_code == 404
        assert client.rest("DELETE", f"messages/{created['id']}").status_code == 204
        for broken in (
            {"externalId": None},
            {"to": [{"type": "robot", "id": "1"}]},
            {"from": {"type": "user", "id": UNKNOWN}},
        ):
            assert client.rest("POST", path, {**message, **broken}).status_code == 400
        assert client.rest("POST", f"conversations/{UNKNOWN}/messages", message).status_code == 404


class TestMeetings:
    def test_an_archived_meeting_cannot_be_updated(self, client: Client) -> None:
        row = post(client, "meetings")
        assert client.rest("PUT", f"meetings/{row['externalId']}", {"title": "New"}).json()["title"] == "New"
        client.rest("DELETE", f"meetings/{row['id']}")
        assert client.rest("PUT", f"meetings/{row['id']}", {"title": "Newer"}).status_code == 400

    @pytest.mark.parametrize(("form", "accepted"), [("externalId", False), ("id", True), ("either", True)])
    def test_the_form_of_a_participants_user_id(
        self, sandbox: Sandbox, client: Client, form: Any, accepted: bool
    ) -> None:
        sandbox.switches.participant_user_id = form
        user = next(row["id"] for row in sandbox.workspace.rows("users") if row["accountIds"])
        body = {**meeting(sandbox), "participants": [{"userId": user, "type": "attendee"}]}
        assert client.rest("POST", "meetings", body).status_code == (200 if accepted else 400)

    def test_participants(self, sandbox: Sandbox, client: Client) -> None:
        row = post(client, "meetings")
        path = f"meetings/{row['id']}/participants"
        person = {"email": "ida@example.com", "type": "attendee"}
        added = client.rest("POST", path, person).json()
        assert len(client.get(f"meetings/{row['id']}")["participants"]) == 2
        for broken in ({"type": "guest"}, {"userId": "x"}, {"email": None}, {"responseStatus": "maybe"}):
            assert client.rest("POST", path, {**person, **broken}).status_code == 400
        assert client.rest("DELETE", f"{path}/{added['id']}").status_code == 204
        assert client.rest("DELETE", f"{path}/{added['id']}").status_code == 404

    def test_a_transcript_is_replaced(self, client: Client) -> None:
        path = f"meetings/{post(client, 'meetings')['id']}/transcript"
        assert client.rest("GET", path).status_code == 404
        part = {"speaker": {"externalId": "s"}, "sentences": [{"text": "Hi", "startTime": 0, "endTime": 1}]}
        one = client.rest("POST", path, {"transcript": [part, part]}).json()
        two = client.rest("POST", path, {"transcript": [part]}).json()
        assert (two["id"], len(two["transcript"])) == (one["id"], 1)
        assert client.rest("POST", path, {"transcript": [{"speaker": {}, "sentences": []}]}).status_code == 400


def test_custom_object_definitions(client: Client) -> None:
    fields = [{"label": "Serial no.", "type": "string", "model": "CustomObject"}]
    row = post(client, "customObjects", customFields=fields)
    assert [field["path"] for field in row["customFields"]] == ["vitally.custom.serialNo"]
    body = client.rest("PUT", f"customObjects/{row['id']}", {"label": "Assets"}).json()
    assert (body["label"], body["name"]) == ("Assets", "asset")
