"""Create, update, upsert and delete in the REST half; a refusal names the attribute and changes nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from integration_tests.sandbox import Row, Sandbox
from integration_tests.sandbox.testing.client import Client, ids, tracked
from integration_tests.sandbox.testing.examples import (
    BODIES,
    UNKNOWN,
    first,
    instances_path,
    path_of,
    post,
)

REQUIRED = {
    "accounts": "externalId name",
    "organizations": "externalId name",
    "users": "externalId accountIds",
    "conversations": "externalId subject messages",
    "notes": "accountId note noteDate",
    "tasks": "accountId name",
    "projects": "templateId accountId",
    "npsResponses": "userId respondedAt score",
    "instances": "name customerId",
    "meetings": "externalId title participants",
    "customObjects": "name label writeMode",
}
CASES = [(resource, name) for resource, names in REQUIRED.items() for name in names.split()]


class TestCreate:
    @pytest.mark.parametrize("resource", BODIES)
    @pytest.mark.parametrize("status", [200, 201])
    def test_the_smallest_body(self, sandbox: Sandbox, client: Client, resource: str, status: Any) -> None:
        sandbox.switches.create_status = status
        body = BODIES[resource](sandbox)
        response = client.rest("POST", path_of(sandbox, resource), body)
        assert response.status_code == status, response.text
        row = response.json()
        assert row["createdAt"] == row["updatedAt"]
        assert sandbox.workspace.get(resource, row["id"])["createdAt"] == row["createdAt"]

    @pytest.mark.parametrize(("resource", "name"), CASES)
    @pytest.mark.parametrize("absent", [True, False])
    def test_required_attributes(
        self, sandbox: Sandbox, client: Client, resource: str, name: str, absent: bool
    ) -> None:
        body = {**BODIES[resource](sandbox), name: None}
        if absent:
            del body[name]
        before = len(sandbox.workspace.rows(resource))
        response = client.rest("POST", path_of(sandbox, resource), body)
        assert response.status_code == 400
        assert name in response.json()["error"]
        assert len(sandbox.workspace.rows(resource)) == before

    @pytest.mark.parametrize(
        ("resource", "change"),
        [
            ("accounts", {"externalId": 8841}),
            ("accounts", {"organizationId": UNKNOWN}),
            ("accounts", {"healthScore": 7}),
            ("accounts", {"traits": ["a"]}),
            ("users", {"accountIds": [UNKNOWN]}),
            ("users", {"joinDate": "yesterday"}),
            ("notes", {"accountId": "cust-0"}),
            ("notes", {"noteDate": "02.05.2026"}),
            ("notes", {"categoryId": UNKNOWN}),
            ("notes", {"tags": "one"}),
            ("notes", {"traits": {"unheard.of": 1}}),
            ("tasks", {"traits": {"unheard.of": 1}}),
            ("tasks", {"dueDate": "soon"}),
            ("projects", {"templateId": UNKNOWN}),
            ("projects", {"traits": {"unheard.of": 1}}),
            ("projects", {"customerId": UNKNOWN}),
            ("npsResponses", {"userId": UNKNOWN}),
            ("npsResponses", {"score": 11}),
            ("npsResponses", {"score": "9"}),
            ("instances", {"customerId": UNKNOWN}),
            ("instances", {"traits": {"unheard.of": 1}}),
            ("meetings", {"participants": []}),
            ("meetings", {"participants": [{"email": "stranger@nowhere.example", "type": "attendee"}]}),
            ("customObjects", {"name": "dealRoom"}),
            ("customObjects", {"writeMode": "open"}),
        ],
    )
    def test_refused_values(self, sandbox: Sandbox, client: Client, resource: str, change: Row) -> None:
        body = {**BODIES[resource](sandbox), **change}
        response = client.rest("POST", path_of(sandbox, resource), body)
        assert response.status_code == 400
        assert next(iter(change)) in response.json()["error"]

    def test_a_project_has_exactly_one_parent(self, sandbox: Sandbox, client: Client) -> None:
        body = {**BODIES["projects"](sandbox), "organizationId": first(sandbox, "organizations")}
        assert client.rest("POST", "projects", body).status_code == 400

    def test_a_project_takes_its_name_from_the_template(self, client: Client) -> None:
        assert post(client, "projects")["name"] == "Onboarding"

    def test_a_project_may_call_its_account_customer(self, sandbox: Sandbox, client: Client) -> None:
        body = BODIES["projects"](sandbox)
        body["customerId"] = body.pop("accountId")
        assert client.rest("POST", "projects", body).status_code == 400
        sandbox.switches.project_account = "either"
        assert client.rest("POST", "projects", body).json()["accountId"] == body["customerId"]

    def test_unknown_attributes_and_traits_can_be_dropped(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.switches.unknown_fields_rejected = sandbox.switches.unknown_traits_rejected = False
        row = post(client, "notes", colour="red", traits={"unheard.of": 1, "vitally.custom.sentiment": "Good"})
        assert "colour" not in row
        assert row["traits"] == {"vitally.custom.sentiment": "Good"}

    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ('<p onclick="x()">A &amp; <b>b</b></p>', "<p>A &amp; <b>b</b></p>"),
            ("<h1>Title</h1><script>alert(1)</script>", "Title"),
            ('<a href="https://example.com/?a=1&amp;b=2" class="c">x</a>', '<a href="https://example.com/?a=1&amp;b=2">x</a>'),
            ("<ul><li>a</li></ul><br/>1 < 2", "<ul><li>a</li></ul><br/>1 < 2"),
        ],
    )  # fmt: skip
    def test_html_outside_the_allow_list_is_stripped(self, client: Client, text: str, kept: str) -> None:
        assert post(client, "notes", note=text)["note"] == kept
        assert post(client, "tasks", description=text)["description"] == kept

    def test_a_due_date_has_no_time(self, client: Client) -> None:
        assert post(client, "tasks", dueDate="2026-09-15T10:00:00Z")["dueDate"] == "2026-09-15"

    @pytest.mark.parametrize("body", ["[]", "{", '"x"', ""])
    def test_the_body_is_an_object(self, sandbox: Sandbox, client: Client, body: str) -> None:
        url, auth = f"{sandbox.url}/resources/accounts", (sandbox.rest_key, "")
        assert client.session.post(url, data=body, auth=auth, timeout=30).status_code == 400


class TestUpdate:
    def test_put_is_partial_and_merges_traits(self, client: Client) -> None:
        row = post(client, "accounts", traits={"a": 1, "b": 2, "c.d": 3, "gone": None})
        assert row["traits"] == {"a": 1, "b": 2, "c.d": 3}
        body = client.rest("PUT", f"accounts/{row['id']}", {"traits": {"a": 9, "b": None, "e": False}}).json()
        assert body["traits"] == {"a": 9, "c.d": 3, "e": False}
        assert (body["name"], body["createdAt"]) == (row["name"], row["createdAt"])
        assert body["updatedAt"] > row["updatedAt"]

    @pytest.mark.parametrize("resource", ["accounts", "organizations", "users"])
    def test_by_external_id(self, client: Client, resource: str) -> None:
        row = post(client, resource, externalId="a/b c+d@e")
        path = f"{resource}/{quote('a/b c+d@e', safe='')}"
        assert client.rest("PUT", path, {"name": "Renamed"}).json()["id"] == row["id"]
        assert client.rest("DELETE", path).status_code == 204
        assert client.rest("GET", path).status_code == 404

    def test_the_organization_of_an_account(self, sandbox: Sandbox, client: Client) -> None:
        organization = sandbox.workspace.rows("organizations")[0]
        account = tracked(sandbox)
        for value, expected in (
            (organization["externalId"], organization["id"]),
            (None, None),
            (organization["id"], organization["id"]),
        ):
            row = client.rest("PUT", f"accounts/{account}", {"organizationId": value}).json()
            assert row["organizationId"] == expected

    @pytest.mark.parametrize(
        "body", [{"accountOwnerId": UNKNOWN}, {"externalId": "other"}, {"name": None}, {"usersCount": 3}]
    )
    def test_what_an_account_does_not_take(self, sandbox: Sandbox, client: Client, body: Row) -> None:
        response = client.rest("PUT", f"accounts/{tracked(sandbox)}", body)
        assert response.status_code == 400
        assert next(iter(body)) in response.json()["error"]

    @pytest.mark.parametrize("feeds", [True, False])
    def test_traits_that_feed_attributes(self, sandbox: Sandbox, client: Client, feeds: bool) -> None:
        sandbox.switches.traits_feed_attributes = feeds
        assert post(client, "accounts", traits={"mrr": 12})["mrr"] == (12 if feeds else None)

    @pytest.mark.parametrize("wipes", [True, False])
    @pytest.mark.parametrize("resource", ["notes", "tasks"])
    def test_tags_left_out(self, sandbox: Sandbox, client: Client, resource: str, wipes: bool) -> None:
        sandbox.switches.put_without_tags_wipes = wipes
        row = post(client, resource, tags=["a", "b"])
        body = client.rest("PUT", f"{resource}/{row['id']}", {"traits": {}}).json()
        assert body["tags"] == ([] if wipes else ["a", "b"])
        assert client.rest("PUT", f"{resource}/{row['id']}", {"tags": ["c"]}).json()["tags"] == ["c"]

    def test_accounts_are_added_to_a_user(self, sandbox: Sandbox, client: Client) -> None:
        row = post(client, "users")
        other = next(r["id"] for r in sandbox.workspace.rows("accounts") if r["id"] != tracked(sandbox))
        body = client.rest("PUT", f"users/{row['id']}", {"accountIds": [other]}).json()
        assert [account["id"] for account in body["accounts"]] == [tracked(sandbox), other]

    @pytest.mark.parametrize("resource", ["notes", "tasks"])
    def test_an_external_id_needs_the_source(self, sandbox: Sandbox, client: Client, resource: str) -> None:
        sandbox.switches.api_source = "zapier"
        row = post(client, resource, externalId="own")
        assert client.get(f"{resource}/own", source="Zapier")["id"] == row["id"]
        assert client.rest("PUT", f"{resource}/own", {"tags": ["x"]}, source="zapier").json()["tags"] == ["x"]
        assert client.rest("GET", f"{resource}/own").status_code == 400
        assert client.rest("GET", f"{resource}/own", source="hubspot").status_code == 404
        assert client.rest("DELETE", f"{resource}/own").status_code == 404

    @pytest.mark.parametrize("partial", [True, False])
    def test_an_answer_is_written_whole(self, sandbox: Sandbox, client: Client, partial: bool) -> None:
        sandbox.switches.nps_put_partial = partial
        row = post(client, "npsResponses")
        response = client.rest("PUT", f"npsResponses/{row['id']}", {"feedback": "Good"})
        assert response.status_code == (200 if partial else 400)

    def test_more_resources_by_external_id(self, sandbox: Sandbox, client: Client) -> None:
        post(client, "conversations")
        assert client.rest("GET", "conversations/ticket-new").status_code == 404
        sandbox.switches.also_by_external_id = frozenset({"conversations"})
        assert client.get("conversations/ticket-new")["subject"] == "Export fails"


class TestPostOfAKnownExternalId:
    @pytest.mark.parametrize("resource", ["organizations", "tasks", "npsResponses"])
    def test_updates(self, sandbox: Sandbox, client: Client, resource: str) -> None:
        row = post(client, resource, externalId="known")
        again = post(client, resource, externalId="known")
        assert again["id"] == row["id"]
        assert again["updatedAt"] > row["updatedAt"]

    @pytest.mark.parametrize(
        ("resource", "switch"),
        [
            ("accounts", "account_post_existing"),
            ("users", "account_post_existing"),
            ("notes", "note_post_existing"),
            ("conversations", "conversation_post_existing"),
            ("meetings", "meeting_post_existing"),
        ],
    )
    def test_is_up_to_a_switch(self, sandbox: Sandbox, client: Client, resource: str, switch: str) -> None:
        row = post(client, resource, externalId="known")
        body = {**BODIES[resource](sandbox), "externalId": "known"}
        refused = client.rest("POST", resource, body)
        assert refused.status_code == 400
        assert "externalId" in refused.json()["error"]
        setattr(sandbox.switches, switch, "update")
        assert client.rest("POST", resource, body).json()["id"] == row["id"]
        setattr(sandbox.switches, switch, "duplicate")
        assert client.rest("POST", resource, body).json()["id"] != row["id"]

    def test_of_an_instance_duplicates(self, client: Client) -> None:
        row = post(client, "instances", externalId="known")
        assert post(client, "instances", externalId="known")["id"] != row["id"]


class TestDelete:
    @pytest.mark.parametrize("status", [200, 204])
    @pytest.mark.parametrize(
        ("resource", "soft"),
        [
            ("accounts", False),
            ("organizations", False),
            ("users", False),
            ("conversations", False),
            ("npsResponses", False),
            ("notes", True),
            ("tasks", True),
            ("projects", True),
            ("meetings", True),
        ],
    )
    def test_hard_or_soft(self, sandbox: Sandbox, client: Client, resource: str, soft: bool, status: Any) -> None:
        sandbox.switches.delete_status = status
        row = post(client, resource)
        response = client.rest("DELETE", f"{resource}/{row['id']}")
        assert response.status_code == status
        assert bool(response.content) == (status == 200)
        after = client.rest("GET", f"{resource}/{row['id']}")
        if not soft:
            assert after.status_code == 404
            return
        assert after.json()["archivedAt"]
        assert after.json()["updatedAt"] > row["updatedAt"]
        assert row["id"] in ids(client.scan(resource, archived="true"))

    @pytest.mark.parametrize("mode", ["hard", "soft"])
    def test_instances(self, sandbox: Sandbox, client: Client, mode: Any) -> None:
        sandbox.switches.instance_delete = mode
        row, path = post(client, "instances"), instances_path(sandbox)
        assert client.rest("DELETE", f"{path}/{row['id']}").status_code == 204
        assert (row["id"] in ids(client.scan(path, archived="true"))) == (mode == "soft")

    def test_archiving_need_not_move_a_row(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.switches.archive_bumps_updated_at = False
        row = post(client, "notes")
        client.rest("DELETE", f"notes/{row['id']}")
        assert client.get(f"notes/{row['id']}")["updatedAt"] == row["updatedAt"]

    def test_an_account_takes_along_what_only_it_owns(self, sandbox: Sandbox, client: Client) -> None:
        account = post(client, "accounts")["id"]
        organization = first(sandbox, "organizations")
        note = post(client, "notes", accountId=account)["id"]
        shared = post(client, "notes", accountId=account, organizationId=organization)["id"]
        user = post(client, "users", accountIds=[account, tracked(sandbox)])["id"]
        client.rest("DELETE", f"accounts/{account}")
        assert client.rest("GET", f"notes/{note}").status_code == 404
        assert client.get(f"notes/{shared}")["accountId"] is None
        assert [a["id"] for a in client.get(f"users/{user}")["accounts"]] == [tracked(sandbox)]

    def test_a_scheduled_deletion_waits_for_its_day(self, sandbox: Sandbox, client: Client) -> None:
        user = post(client, "users")["id"]
        assert client.rest("DELETE", f"users/{user}", deleteOn="soon").status_code == 400
        day = sandbox.clock.now().date().replace(year=sandbox.clock.now().year + 1, day=1)
        assert client.rest("DELETE", f"users/{user}", deleteOn=day.isoformat()).status_code == 204
        assert client.get(f"users/{user}")["id"] == user
        sandbox.clock.advance(366 * 86400)
        assert client.rest("GET", f"users/{user}").status_code == 404
