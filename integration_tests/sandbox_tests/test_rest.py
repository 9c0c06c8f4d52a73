"""The REST half behaves as Vitally's REST docs say, and as strictly as they can be read."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from integration_tests.sandbox import Page, Row, Sandbox, Switches
from integration_tests.sandbox.data.inline import CONVERSATION_LIST
from integration_tests.sandbox.testing.client import Client, ids, stored, tracked
from integration_tests.sandbox.testing.fixtures import MakeSandbox

PAGED = (
    *("accounts", "organizations", "users", "conversations", "notes", "tasks", "projects", "npsResponses"),
    *("meetings", "customObjects", "projectTemplates"),
)
UNSORTED = ["admins", "noteCategories", "taskCategories", "projectCategories", "meetingTranscripts"]


class TestAuthorization:
    def test_missing_header(self, sandbox: Sandbox) -> None:
        response = requests.get(f"{sandbox.url}/resources/accounts", timeout=30)
        assert (response.status_code, response.json()) == (
            401,
            {"error": "Authorization header not present."},
        )

    @pytest.mark.parametrize(
        "auth", [("sk_live_another_not_real", ""), ("sk_live_example_not_real", "password"), ("", "")]
    )
    def test_wrong_key(self, sandbox: Sandbox, auth: tuple[str, str]) -> None:
        response = requests.get(f"{sandbox.url}/resources/accounts", auth=auth, timeout=30)
        assert response.status_code == 401
        assert response.json()["error"]

    @pytest.mark.parametrize("path", ["contacts", "nps_responses", "accounts/1/2/3", "customObjects/x/y"])
    def test_unknown_path(self, client: Client, path: str) -> None:
        response = client.rest("GET", path)
        assert response.status_code == 404
        assert "error" in response.json()


class TestLists:
    @pytest.mark.parametrize("resource", PAGED)
    @pytest.mark.parametrize("sort", ["createdAt", "updatedAt"])
    def test_pages_hold_every_row_once_newest_first(self, client: Client, resource: str, sort: str) -> None:
        whole = client.get(resource, sortBy=sort, limit=100)["results"]
        rows = client.scan(resource, sortBy=sort, limit=7)
        assert [row["id"] for row in rows][: len(whole)] == [row["id"] for row in whole]
        assert len(ids(rows)) == len(rows) > 0
        assert [row[sort] for row in rows] == sorted((row[sort] for row in rows), reverse=True)

    def test_updated_at_is_the_default_order(self, client: Client) -> None:
        assert client.get("users", limit=5)["results"] == client.get("users", limit=5, sortBy="updatedAt")["results"]

    def test_envelope(self, client: Client) -> None:
        first = client.get("users", limit=1)
        assert set(first) == {"results", "next", "atEnd"}
        assert first["atEnd"] is False
        assert client.get("projectTemplates") | {"results": []} == {
            "results": [],
            "next": None,
            "atEnd": True,
        }

    @pytest.mark.parametrize(
        ("path", "query"),
        [
            ("users", {"limit": 0}),
            ("users", {"limit": 101}),
            ("users", {"limit": "ten"}),
            ("users", {"limit": -1}),
            ("users", {"sortBy": "name"}),
            ("users", {"from": "not a cursor"}),
            ("users", {"from": "e30="}),
            ("users", {"updatedAt": "2026-01-01"}),
            ("users", {"archived": "true"}),
            ("accounts", {"status": "open"}),
            ("notes", {"archived": "maybe"}),
            ("npsResponses", {"target": "organizations"}),
        ],
    )
    def test_refused_parameters(self, client: Client, path: str, query: Row) -> None:
        response = client.rest("GET", path, **query)
        assert response.status_code == 400
        assert next(iter(query)) in response.json()["error"]

    @pytest.mark.parametrize(
        "other",
        [{"sortBy": "createdAt"}, {"status": "churned"}, {"sortBy": "createdAt", "status": "churned"}],
    )
    def test_a_cursor_belongs_to_one_scan(self, client: Client, other: Row) -> None:
        cursor = client.get("accounts", limit=1)["next"]
        assert client.rest("GET", "accounts", **{"limit": 1, "from": cursor}).status_code == 200
        assert client.rest("GET", "accounts", **{"limit": 1, "from": cursor, **other}).status_code == 400
        assert client.rest("GET", "users", **{"from": cursor}).status_code == 400

    @pytest.mark.parametrize("resource", UNSORTED)
    def test_lists_without_documented_order(self, sandbox: Sandbox, client: Client, resource: str) -> None:
        assert ids(client.scan(resource, limit=2)) == ids(sandbox.workspace.rows(resource))
        whole = client.scan(resource, limit=2, sortBy="updatedAt")
        assert ids(whole) == ids(sandbox.workspace.rows(resource))
        assert whole == client.scan(resource, limit=2, sortBy="createdAt"), "sortBy is ignored"
        sandbox.switches.undocumented_sort = "honoured"
        assert ids(client.scan(resource, limit=2, sortBy="createdAt")) == ids(sandbox.workspace.rows(resource))
        sandbox.switches.undocumented_sort = "refused"
        assert client.rest("GET", resource, sortBy="createdAt").status_code == 400

    def test_an_order_that_is_ignored(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.workspace.update("users", client.scan("users", sortBy="createdAt")[-1]["id"], {"name": "edited"})
        assert client.scan("users", sortBy="updatedAt") != client.scan("users", sortBy="createdAt")
        sandbox.switches.sort_ignored = True
        assert client.scan("users", sortBy="updatedAt") == client.scan("users", sortBy="createdAt")

    @pytest.mark.parametrize("answer", [400, 404, 410, 422, 500, "error", "empty page"])
    def test_a_cursor_that_is_no_longer_known(self, sandbox: Sandbox, client: Client, answer: Any) -> None:
        cursor = client.get("users", limit=1)["next"]
        sandbox.switches.expired_cursor = answer
        sandbox.expire_cursors()
        response = client.rest("GET", "users", **{"limit": 1, "from": cursor})
        assert response.status_code == (answer if isinstance(answer, int) else 200)
        assert response.json().get("results") == ([] if answer == "empty page" else None)
        assert client.rest("GET", "users", limit=1).status_code == 200

    def test_the_end_of_a_list_that_has_a_next(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.switches.next_after_end = sandbox.switches.null_error_in_pages = True
        page = client.get("taskCategories")
        assert page["next"]
        assert page["atEnd"] is True
        assert page["error"] is None

    def test_unknown_parameters_can_be_ignored(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.switches.strict_parameters = False
        assert client.get("users", updatedAt="2026-01-01")["results"]

    def test_admins_have_no_timestamps(self, client: Client) -> None:
        assert set(client.get("admins")["results"][0]) == {"id", "name", "email", "licenseStatus"}

    def test_conversation_rows_name_nobody(self, client: Client) -> None:
        assert {tuple(row) for row in client.get("conversations")["results"]} == {CONVERSATION_LIST}


class TestEditsDuringAScan:
    @pytest.mark.parametrize(("sort", "skipped"), [("updatedAt", True), ("createdAt", False)])
    def test_an_edited_row_moves_ahead_of_the_cursor(
        self, sandbox: Sandbox, client: Client, sort: str, skipped: bool
    ) -> None:
        last = client.scan("users", sortBy=sort)[-1]["id"]
        seen: list[int] = []

        def edit(page: Page) -> None:
            seen.append(page.number)
            if page.number == 0:
                sandbox.workspace.update("users", last, {"name": "Renamed"})

        sandbox.after_page = edit
        rows = client.scan("users", sortBy=sort, limit=50)
        assert (last not in ids(rows)) is skipped
        assert seen == [0, 1, 2]

    def test_the_hook_sees_the_page_and_may_send_requests(self, sandbox: Sandbox, client: Client) -> None:
        pages: list[Page] = []

        def hook(page: Page) -> None:
            sandbox.after_page = None
            pages.append(page)
            Client(sandbox).rest("DELETE", f"users/{page.rows[0]['id']}")

        sandbox.after_page = hook
        rows = client.get("users", limit=3)["results"]
        assert (pages[0].resource, pages[0].rows, pages[0].query) == ("users", rows, {"limit": "3"})
        assert client.rest("GET", f"users/{rows[0]['id']}").status_code == 404

    def test_expired_cursors(self, sandbox: Sandbox, client: Client) -> None:
        cursor = client.get("users", limit=1)["next"]
        sandbox.expire_cursors()
        assert client.rest("GET", "users", **{"limit": 1, "from": cursor}).status_code == 400
        assert client.scan("users")

    def test_cursors_that_expire_with_the_pages_served(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.switches.cursors_expire_after = 2
        cursor = client.get("users", limit=1)["next"]
        statuses = [client.rest("GET", "users", **{"limit": 1, "from": cursor}).status_code for _ in range(3)]
        assert statuses == [200, 200, 400]

    def test_empty_pages(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.switches.empty_page_with_next = True
        first = client.get("users", limit=50)
        second = client.get("users", **{"limit": 50, "from": first["next"]})
        assert second["results"] == []
        assert second["next"] not in (None, first["next"])
        assert ids(client.scan("users", limit=50)) == ids(sandbox.workspace.rows("users"))

    def test_short_pages(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.switches.short_pages = True
        assert len(client.get("users", limit=50)["results"]) == 25
        assert ids(client.scan("users", limit=50)) == ids(sandbox.workspace.rows("users"))

    def test_repeated_cursor(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.switches.repeat_cursor = True
        cursor = client.get("users", limit=100)["next"]
        assert client.get("users", **{"limit": 100, "from": cursor})["next"] == cursor


class TestFilters:
    @pytest.mark.parametrize(
        ("status", "churned"),
        [(None, (False,)), ("active", (False,)), ("churned", (True,)), ("activeOrChurned", (False, True))],
    )
    def test_account_status(
        self, sandbox: Sandbox, client: Client, status: str | None, churned: tuple[bool, ...]
    ) -> None:
        query = {} if status is None else {"status": status}
        expected = [
            row for row in stored(sandbox, "accounts", untracked=False) if (row["churnedAt"] is not None) in churned
        ]
        assert ids(client.scan("accounts", limit=10, **query)) == ids(expected) != set()

    def test_untracked_accounts_can_only_be_got(self, sandbox: Sandbox, client: Client) -> None:
        hidden = stored(sandbox, "accounts", untracked=True)[0]
        body = client.get(f"accounts/{hidden['id']}")
        assert body["name"] == hidden["name"]
        assert "untracked" not in body

    def test_a_churned_account_leaves_the_active_ones(self, sandbox: Sandbox, client: Client) -> None:
        account = tracked(sandbox)
        client.rest("PUT", f"accounts/{account}", {"traits": {"churnedAt": "2026-01-01T00:00:00.000Z"}})
        assert account not in ids(client.scan("accounts"))
        assert account in ids(client.scan("accounts", status="churned"))

    @pytest.mark.parametrize("resource", ["notes", "tasks", "projects", "meetings"])
    @pytest.mark.parametrize("everything", [False, True])
    def test_archived(self, sandbox: Sandbox, client: Client, resource: str, everything: bool) -> None:
        sandbox.switches.archived_omitted_means_all = everything
        live = ids(stored(sandbox, resource, archivedAt=None))
        archived = ids(sandbox.workspace.rows(resource)) - live
        assert live
        assert archived
        assert ids(client.scan(resource, archived="false", limit=9)) == live
        assert ids(client.scan(resource, archived="true", limit=9)) == live | archived
        sandbox.switches.archived_true = "only archived"
        assert ids(client.scan(resource, archived="true", limit=3)) == archived
        sandbox.switches.archived_ignored = True
        assert ids(client.scan(resource, archived="false", limit=9)) == live | archived
        sandbox.switches.archived_ignored = False
        assert ids(client.scan(resource, limit=9)) == (live | archived if everything else live)

    def test_archived_instances(self, sandbox: Sandbox, client: Client) -> None:
        definition = stored(sandbox, "customObjects", name="featureRequest")[0]["id"]
        rows = stored(sandbox, "instances", customObjectId=definition)
        path = f"customObjects/{definition}/instances"
        sandbox.switches.archived_true = "only archived"
        sandbox.workspace.archive("instances", rows[0]["id"])
        assert rows[0]["id"] in ids(client.scan(path, archived="true"))
        assert ids(client.scan(path, archived="true") + client.scan(path, archived="false")) == ids(rows)

    def test_source_ignores_case(self, sandbox: Sandbox, client: Client) -> None:
        expected = ids(stored(sandbox, "notes", source="hubspot", archivedAt=None))
        assert ids(client.scan("notes", source="HubSpot", archived="false", limit=2)) == expected != set()

    def test_nps_targets_overlap_and_differ(self, client: Client, sandbox: Sandbox) -> None:
        accounts = ids(client.scan("npsResponses", target="accounts"))
        organizations = ids(client.scan("npsResponses", target="organization"))
        assert accounts == ids(client.scan("npsResponses"))
        assert accounts & organizations
        assert accounts - organizations
        assert organizations - accounts
        assert accounts | organizations == ids(sandbox.workspace.rows("npsResponses"))

    def test_templates_of_a_category(self, sandbox: Sandbox, client: Client) -> None:
        template = sandbox.workspace.rows("projectTemplates")[0]
        rows = client.scan("projectTemplates", categoryId=template["projectCategoryId"])
        assert ids(rows) == {template["id"]}

    @pytest.mark.parametrize(
        ("resource", "attribute"),
        [
            ("users", "accountIds"),
            ("notes", "accountId"),
            ("tasks", "accountId"),
            ("projects", "accountId"),
            ("conversations", "accountIds"),
            ("npsResponses", "accountIds"),
            ("meetings", "accountIds"),
        ],
    )
    def test_rows_of_an_account(self, sandbox: Sandbox, client: Client, resource: str, attribute: str) -> None:
        account = next(
            value if isinstance(value, str) else value[0]
            for row in sandbox.workspace.rows(resource)
            if not row.get("archivedAt") and (value := row[attribute])
        )
        expected = {
            row["id"]
            for row in sandbox.workspace.rows(resource)
            if (account == row[attribute] or account in (row[attribute] or [])) and not row.get("archivedAt")
        }
        assert ids(client.scan(f"accounts/{account}/{resource}", limit=2)) == expected
        assert client.rest("GET", f"accounts/nobody/{resource}").status_code == 404

    def test_accounts_of_an_organization(self, sandbox: Sandbox, client: Client) -> None:
        organization = next(r["organizationId"] for r in stored(sandbox, "accounts") if r["organizationId"])
        expected = ids(stored(sandbox, "accounts", organizationId=organization, untracked=False, churnedAt=None))
        assert ids(client.scan(f"organizations/{organization}/accounts")) == expected


def test_bulk_rows_are_rows(sandbox: Sandbox, client: Client) -> None:
    others = ids(client.scan("accounts"))
    sandbox.workspace.bulk("accounts", 2000, lambda i: {"name": f"Bulk {i}"})
    sandbox.workspace.bulk("accounts", 2000, lambda i: {"name": f"Bulk {2000 + i}"})
    rows = client.scan("accounts", sortBy="createdAt")
    bulk = {row["name"]: row["id"] for row in rows if row["id"] not in others}
    assert set(bulk) == {f"Bulk {n}" for n in range(4000)}
    assert len(rows) == len(ids(rows)) == len(others) + 4000
    edited = bulk["Bulk 2007"]
    client.rest("PUT", f"accounts/{edited}", {"name": "Edited"})
    assert client.get("accounts", limit=1)["results"][0]["name"] == "Edited"
    for gone in (edited, bulk["Bulk 7"]):
        assert client.rest("DELETE", f"accounts/{gone}").status_code == 204
        assert client.rest("GET", f"accounts/{gone}").status_code == 404
    assert ids(client.scan("accounts")) == ids(rows) - {edited, bulk["Bulk 7"]}
    assert client.rest("GET", f"accounts/{edited[:-12]}{4000:012x}").status_code == 404


def test_switches_and_journal(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(switches=Switches(strict_parameters=False))
    client = Client(sandbox)
    client.rest("GET", "accounts", limit=1)
    client.rest("POST", "accounts", {"externalId": "a/b", "name": "A"})
    client.rest("GET", "accounts/a%2Fb")
    assert [(r.index, r.method, r.path, r.query, r.status) for r in sandbox.journal] == [
        (0, "GET", "/resources/accounts", {"limit": "1"}, 200),
        (1, "POST", "/resources/accounts", {}, 200),
        (2, "GET", "/resources/accounts/a%2Fb", {}, 200),
    ]
    assert sandbox.journal[1].body == {"externalId": "a/b", "name": "A"}
    assert sandbox.journal.count(path_regex="/accounts$") == 2
    assert sandbox.journal.count(method="POST") == 1
    sandbox.journal.clear()
    assert sandbox.journal.count() == 0
