"""Rows have the shapes of Vitally's REST docs, are found the documented ways, carry the clock's time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import pytest
import requests

from integration_tests.sandbox import Clock, Row, Sandbox
from integration_tests.sandbox.testing.client import Client, ids, stored, tracked
from integration_tests.sandbox.testing.fixtures import MakeSandbox


class TestShapes:
    def test_parents_are_whole_and_current(self, sandbox: Sandbox, client: Client) -> None:
        note = next(r for r in stored(sandbox, "notes", archivedAt=None) if r["accountId"] and r["authorId"])
        before = client.get(f"notes/{note['id']}")
        assert before["account"] == client.get(f"accounts/{note['accountId']}")
        assert before["author"]["email"]
        sandbox.workspace.update("accounts", note["accountId"], {"name": "Renamed"})
        after = next(row for row in client.scan("notes") if row["id"] == note["id"])
        assert after["account"]["name"] == "Renamed"
        assert after["updatedAt"] == before["updatedAt"]

    def test_user_rows_hold_their_accounts(self, sandbox: Sandbox, client: Client) -> None:
        user = next(row for row in sandbox.workspace.rows("users") if len(row["accountIds"]) > 1)
        body = client.get(f"users/{user['id']}")
        assert [account["id"] for account in body["accounts"]] == user["accountIds"]
        assert "accountIds" not in body

    def test_a_conversation_by_id_has_its_messages(self, sandbox: Sandbox, client: Client) -> None:
        message = sandbox.workspace.rows("messages")[0]
        body = client.get(f"conversations/{message['conversationId']}")
        assert message["id"] in ids(body["messages"])
        assert body["users"]
        assert body["admins"]
        assert not {"createdAt", "updatedAt"} & set(body["messages"][0])

    def test_custom_fields(self, sandbox: Sandbox, client: Client) -> None:
        fields = client.get("customFields", model="accounts")
        assert [field["label"] for field in fields] == sorted(field["label"] for field in fields)
        definition = sandbox.workspace.rows("customObjects")[0]["id"]
        assert client.get("customFields", model="customObjects", customObjectId=definition)
        inlined = next(row for row in client.scan("customObjects") if row["id"] == definition)["customFields"]
        assert {field["path"] for field in inlined} >= {"vitally.custom.stage"}

    @pytest.mark.parametrize("query", [{}, {"model": "meetings"}, {"model": "customObjects"}])
    def test_custom_fields_need_a_model(self, client: Client, query: Row) -> None:
        assert client.rest("GET", "customFields", **query).status_code == 400

    def test_surveys(self, sandbox: Sandbox, client: Client) -> None:
        response = sandbox.workspace.rows("surveyResponses")[0]
        page = client.get(f"surveys/{response['surveyId']}/responses", limit=2)
        assert set(page) == {"data", "next"}
        assert len(page["data"]) == 2
        more = client.get(f"surveys/{response['surveyId']}/responses", **{"limit": 2, "from": page["next"]})
        assert not ids(page["data"]) & ids(more["data"])
        assert client.get(f"surveyResponses/{response['id']}")["data"]["surveyId"] == response["surveyId"]
        question = response["questionResponses"][0]["questionId"]
        assert client.get(f"surveyQuestions/{question}")["data"]["id"] == question

    @pytest.mark.parametrize(
        ("shape", "kind", "key"),
        [
            ("object", dict, "accountId"),
            ("array", list, None),
            ("results", dict, "results"),
            ("data", dict, "data"),
        ],
    )
    def test_health_scores(self, sandbox: Sandbox, client: Client, shape: Any, kind: Any, key: Any) -> None:
        sandbox.switches.health_scores_shape = shape
        body = client.get(f"accounts/{tracked(sandbox)}/healthScores")
        assert isinstance(body, kind)
        assert key is None or key in body

    def test_meetings(self, sandbox: Sandbox, client: Client) -> None:
        transcript = sandbox.workspace.rows("meetingTranscripts")[0]
        meeting = client.get(f"meetings/{transcript['meetingId']}")
        assert meeting["participants"]
        assert meeting["accounts"] or meeting["organizations"]
        assert client.get(f"meetings/{meeting['externalId']}") == meeting
        assert client.get(f"meetings/{meeting['id']}/transcript")["id"] == transcript["id"]
        assert client.get(f"meetingTranscripts/{transcript['id']}")["transcript"] == transcript["transcript"]
        assert "transcript" not in client.scan("meetingTranscripts")[0]
        sandbox.switches.transcripts_in_list = "null"
        assert client.scan("meetingTranscripts")[0]["transcript"] is None
        sandbox.switches.transcripts_in_list = "whole"
        assert client.scan("meetingTranscripts")[0]["transcript"]

    def test_ids_of_the_customers_own(self, sandbox: Sandbox, client: Client) -> None:
        for account in sandbox.workspace.rows("accounts")[:10]:
            path = f"accounts/{quote(account['externalId'], safe='')}"
            assert client.get(path)["id"] == account["id"]


class TestSearch:
    def test_users(self, sandbox: Sandbox, client: Client) -> None:
        user = next(row for row in sandbox.workspace.rows("users") if row["email"])
        for name, value in (("externalId", user["externalId"]), ("email", user["email"])):
            assert ids(client.get("users/search", **{name: value})["results"]) == {user["id"]}
        domain = user["email"].split("@")[1]
        assert user["id"] in ids(client.get("users/search", emailSubdomain=domain)["results"])
        assert client.get("users/search", email="nobody@example.com") == {"results": []}

    @pytest.mark.parametrize("query", [{}, {"email": "a@b.c", "externalId": "x"}, {"query": "a"}])
    def test_users_by_exactly_one_criterion(self, client: Client, query: Row) -> None:
        assert client.rest("GET", "users/search", **query).status_code == 400

    @pytest.mark.parametrize(
        ("miss", "status", "body"),
        [("empty_object", 200, {}), ("null", 200, None), ("empty_array", 200, []), ("error", 404, None)],
    )
    def test_admins(self, sandbox: Sandbox, client: Client, miss: Any, status: int, body: Any) -> None:
        sandbox.switches.admin_search_miss = miss
        assert client.get("admins/search", email="sam@vendor.example")["name"] == "Sam Ode"
        response = client.rest("GET", "admins/search", email="nobody@vendor.example")
        assert response.status_code == status
        assert response.json() == body if status == 200 else "error" in response.json()

    def test_instances(self, sandbox: Sandbox, client: Client) -> None:
        rows = stored(sandbox, "instances", archivedAt=None)
        row = next(r for r in rows if r["externalId"] and r["customerId"])
        field = next(
            f
            for f in sandbox.workspace.scoped("customFields", "customObjectId", row["customObjectId"])
            if f["path"] == "vitally.custom.stage"
        )
        path = f"customObjects/{row['customObjectId']}/instances/search"
        for query in (
            {"id": row["id"]},
            {"externalId": row["externalId"]},
            {"customerId": row["customerId"]},
            {"customFieldId": field["id"], "customFieldValue": "Planned"},
        ):
            assert row["id"] in ids(client.get(path, **query))
        assert client.get(path, externalId="nothing") == []
        for refused in ({}, {"id": "1", "limit": 1}, {"id": "1", "externalId": "2"}, {"customFieldId": "1"}):
            assert client.rest("GET", path, **refused).status_code == 400


class TestMisses:
    @pytest.mark.parametrize("status", [404, 200])
    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    @pytest.mark.parametrize("resource", ["accounts", "conversations", "projects"])
    def test_a_miss_has_an_error(
        self, sandbox: Sandbox, client: Client, resource: str, method: str, status: Any
    ) -> None:
        sandbox.switches.not_found_status = status
        response = client.rest(method, f"{resource}/nobody", {"name": "x"} if method == "PUT" else None)
        assert response.status_code == status
        assert set(response.json()) == {"error"}


class TestTime:
    def test_the_date_header_follows_the_clock(self, make_sandbox: MakeSandbox) -> None:
        clock = Clock(at=datetime(2030, 1, 1, tzinfo=timezone.utc))
        sandbox = make_sandbox(clock=clock)
        clock.advance(3600)
        header = Client(sandbox).rest("GET", "users").headers["Date"]
        assert parsedate_to_datetime(header) == datetime(2030, 1, 1, 1, tzinfo=timezone.utc)
        assert "Date" in requests.get(f"{sandbox.url}/nothing", timeout=30).headers
        sandbox.switches.no_date_header = True
        assert "Date" not in Client(sandbox).rest("GET", "users").headers

    def test_an_offset_shifts_stamps_and_seed(self, make_sandbox: MakeSandbox) -> None:
        sandbox = make_sandbox(clock=Clock(offset=timedelta(days=400)))
        newest = Client(sandbox).get("users", limit=1)["results"][0]["updatedAt"]
        assert newest > datetime.now(timezone.utc).isoformat()

    def test_stamps_increase_unless_they_tie(self, sandbox: Sandbox) -> None:
        user = sandbox.workspace.rows("users")[0]["id"]
        stamps = [sandbox.workspace.update("users", user, {})["updatedAt"] for _ in range(50)]
        assert stamps == sorted(set(stamps))
        sandbox.switches.timestamp_ties = True
        sandbox.clock.advance(10)
        frozen = Clock(at=datetime(2030, 1, 1, 0, 0, 0, 900000, tzinfo=timezone.utc))
        assert {frozen.stamp(ties=True) for _ in range(3)} == {"2030-01-01T00:00:00.000Z"}


def test_the_same_seed_makes_the_same_workspace() -> None:
    def made(**options: Any) -> dict[str, list[Row]]:
        clock = Clock(at=datetime(2026, 6, 1, tzinfo=timezone.utc))
        workspace = Sandbox(clock=clock, **options).workspace
        return {name: workspace.rows(name) for name in workspace.tables}

    one, again, other, empty = made(seed=3, ids="x"), made(seed=3, ids="x"), made(seed=4), made(seed=3, empty=True)
    assert one == again
    assert not {row["id"] for name in one for row in one[name]} & {row["id"] for name in empty for row in empty[name]}
    assert one["accounts"] != other["accounts"]
    assert not empty["accounts"]
    for name in ("customObjects", "customFields", "admins", "noteCategories"):
        assert [row.get("label", row.get("name")) for row in empty[name]] == [
            row.get("label", row.get("name")) for row in other[name]
        ]
