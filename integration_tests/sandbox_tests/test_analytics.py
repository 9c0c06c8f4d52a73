"""The Analytics half accepts, drops and refuses messages as Vitally's docs say, or as a switch decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
import requests

from integration_tests.harness import QuickClock
from integration_tests.sandbox import Clock, Row, Sandbox, Switches
from integration_tests.sandbox.testing.client import Client, stored
from integration_tests.sandbox.testing.fixtures import MakeSandbox

UNKNOWN = "00000000-0000-4000-8000-000000000000"
TIME = "2026-09-01T08:00:00Z"
NOON = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
TYPES = ("organization", "account", "user", "track", "customobjectinstance", "unlink")
SUCCESS = (200, {"message": "Success."})
MakeMessage = Callable[..., Row]


@pytest.fixture
def message(sandbox: Sandbox) -> MakeMessage:
    """Makes the smallest message of a type; its parents exist."""
    account = sandbox.workspace.rows("accounts")[0]["externalId"]
    user = sandbox.workspace.rows("users")[0]["externalId"]
    custom_object = stored(sandbox, "customObjects", name="dealRoom")[0]["id"]
    instance = {"externalId": "deal", "customObjectId": custom_object, "accountId": account, "traits": {}}
    bodies: dict[str, Row] = {
        "organization": {"organizationId": "new-org"},
        "account": {"accountId": "new-account"},
        "user": {"userId": "new-user", "accountId": account, "traits": {}},
        "track": {"userId": user, "event": "exported", "properties": {}},
        "customobjectinstance": instance,
        "unlink": {"userId": user, "accountId": account},
    }

    def make(kind: str, **changes: Any) -> Row:
        return {"type": kind, "timestamp": TIME, **bodies[kind], **changes}

    return make


def by_own_id(sandbox: Sandbox, resource: str, external_id: str) -> Row:
    row = sandbox.workspace.find(resource, external_id)
    assert row is not None
    return row


class TestRequests:
    @pytest.mark.parametrize(
        "headers",
        [{}, {"Authorization": "Basic wrong"}, {"Authorization": "Bearer analytics_example_not_real"}],
    )
    def test_the_token_is_sent_verbatim(self, sandbox: Sandbox, headers: dict[str, str]) -> None:
        url = f"{sandbox.url}/analytics/v1/batch"
        response = requests.post(url, json=[], headers=headers, timeout=30)
        assert response.status_code == 401
        assert response.json()["error"]

    @pytest.mark.parametrize("kind", TYPES)
    def test_single_messages(self, client: Client, message: MakeMessage, kind: str) -> None:
        response = client.analytics(kind, message(kind))
        assert (response.status_code, response.json()) == SUCCESS

    def test_a_batch_of_every_type(self, sandbox: Sandbox, client: Client, message: MakeMessage) -> None:
        response = client.analytics("batch", [message(kind) for kind in TYPES])
        assert (response.status_code, response.json()) == SUCCESS
        sandbox.clock.advance(Switches().effect_delay)
        assert client.get("organizations/new-org")["externalId"] == "new-org"
        assert client.get("accounts/new-account")["externalId"] == "new-account"
        assert client.get("users/new-user")["externalId"] == "new-user"
        assert len(sandbox.workspace.events) == 1

    @pytest.mark.parametrize("path", ["identify", "group", "alias", ""])
    def test_no_other_endpoints(self, client: Client, path: str) -> None:
        assert client.analytics(path, {}).status_code == 404

    @pytest.mark.parametrize("count", [0, 101])
    def test_the_size_of_a_batch(self, client: Client, message: MakeMessage, count: int) -> None:
        batch = [message("track", messageId=str(n)) for n in range(count)]
        assert client.analytics("batch", batch).status_code == 400
        assert client.analytics("batch", {"batch": batch}).status_code == 400

    def test_the_bytes_of_a_body(self, sandbox: Sandbox, client: Client, message: MakeMessage) -> None:
        large = [message("account", traits={"text": "x" * 500_000})]
        assert client.analytics("batch", large).status_code == 413
        sandbox.switches.max_body_bytes = None
        assert client.analytics("batch", large).status_code == 200


class TestValidation:
    @pytest.mark.parametrize(
        ("kind", "change", "named"),
        [
            ("organization", {"organizationId": None}, "organizationId"),
            ("account", {"accountId": ""}, "accountId"),
            ("account", {"accountId": 7}, "accountId"),
            ("account", {"traits": None}, "traits"),
            ("user", {"userId": None}, "userId"),
            ("user", {"accountId": None}, "accountId"),
            ("user", {"traits": None}, "traits"),
            ("track", {"event": None}, "event"),
            ("track", {"userId": None}, "userId"),
            ("track", {"properties": None}, "properties"),
            ("customobjectinstance", {"externalId": None}, "externalId"),
            ("customobjectinstance", {"accountId": None}, "accountId"),
            ("customobjectinstance", {"traits": None}, "traits"),
            ("customobjectinstance", {"traits": {"unheard.of": 1}}, "traits"),
            ("unlink", {"accountId": None}, "accountId"),
            ("track", {"timestamp": None}, "timestamp"),
            ("track", {"timestamp": "yesterday"}, "timestamp"),
            ("track", {"timestamp": 1788249600}, "timestamp"),
            ("track", {"messageId": {}}, "messageId"),
        ],
    )
    def test_a_refusal_names_the_field(
        self, client: Client, message: MakeMessage, kind: str, change: Row, named: str
    ) -> None:
        sandbox, broken = client.sandbox, message(kind, **change)
        single = client.analytics(kind, broken)
        assert single.status_code == 400
        assert named in single.json()["error"]
        batch = client.analytics("batch", [message("account"), broken])
        assert batch.status_code == 400
        assert sandbox.workspace.find("accounts", "new-account") is None
        sandbox.switches.batch_invalid = "drop_silently"
        assert client.analytics("batch", [message("account"), broken]).status_code == 200
        assert sandbox.workspace.find("accounts", "new-account") is not None

    def test_a_batch_needs_types(self, client: Client, message: MakeMessage) -> None:
        assert client.analytics("batch", [message("account", type="group")]).status_code == 400

    def test_an_unknown_custom_object_is_dropped_or_refused(
        self, sandbox: Sandbox, client: Client, message: MakeMessage
    ) -> None:
        before = len(sandbox.workspace.rows("instances"))
        body = message("customobjectinstance", customObjectId=UNKNOWN)
        assert client.analytics("customobjectinstance", body).status_code == 200
        sandbox.switches.unknown_custom_object = "reject"
        refused = client.analytics("customobjectinstance", {**body, "messageId": "another"})
        assert (refused.status_code, "customObjectId" in refused.json()["error"]) == (400, True)
        assert len(sandbox.workspace.rows("instances")) == before


class TestBlockedTypes:
    def test_silent_in_a_mixed_batch(self, sandbox: Sandbox, client: Client, message: MakeMessage) -> None:
        sandbox.switches.blocked_types = frozenset({"track"})
        assert client.analytics("batch", [message("track"), message("account")]).status_code == 200
        assert sandbox.workspace.events == []
        assert sandbox.workspace.find("accounts", "new-account") is not None

    def test_refused_alone(self, sandbox: Sandbox, client: Client, message: MakeMessage) -> None:
        sandbox.switches.blocked_types = frozenset({"track"})
        assert client.analytics("track", message("track")).status_code == 400
        assert client.analytics("batch", [message("track"), message("track")]).status_code == 400


class TestOrphans:
    CASES = (
        ("user", {"accountId": "nobody"}),
        ("track", {"userId": "nobody"}),
        ("customobjectinstance", {"accountId": "nobody"}),
        ("account", {"organizationId": "nobody"}),
        ("unlink", {"userId": "nobody"}),
    )

    @pytest.mark.parametrize(("kind", "change"), CASES)
    def test_dropped_without_a_word(
        self, sandbox: Sandbox, client: Client, message: MakeMessage, kind: str, change: Row
    ) -> None:
        before = {name: sandbox.workspace.rows(name) for name in sandbox.workspace.tables}
        assert client.analytics(kind, message(kind, **change)).status_code == 200
        assert {name: sandbox.workspace.rows(name) for name in sandbox.workspace.tables} == before
        assert sandbox.workspace.events == []

    @pytest.mark.parametrize(("kind", "change"), CASES)
    def test_or_refused(self, sandbox: Sandbox, client: Client, message: MakeMessage, kind: str, change: Row) -> None:
        sandbox.switches.orphans = "reject"
        assert client.analytics(kind, message(kind, **change)).status_code == 400
        parent, own = next(iter(change.items()))
        created = {
            "accountId": message("account", accountId=own),
            "userId": message("user", userId=own),
            "organizationId": message("organization", organizationId=own),
        }[parent]
        assert client.analytics("batch", [created, message(kind, **change)]).status_code == 200

    def test_or_created(self, sandbox: Sandbox, client: Client, message: MakeMessage) -> None:
        sandbox.switches.orphans = "create"
        client.analytics("user", message("user", accountId="nobody"))
        account = by_own_id(sandbox, "accounts", "nobody")
        assert by_own_id(sandbox, "users", "new-user")["accountIds"] == [account["id"]]


class TestEffects:
    def test_traits_merge(self, sandbox: Sandbox, client: Client, message: MakeMessage) -> None:
        client.analytics("account", message("account", traits={"name": "New", "a": 1, "b": 2, "mrr": 5}))
        client.analytics("account", message("account", traits={"b": None, "c": [1]}))
        row = by_own_id(sandbox, "accounts", "new-account")
        assert (row["name"], row["mrr"], row["traits"]) == ("New", 5, {"a": 1, "mrr": 5, "c": [1]})

    def test_null_can_be_ignored(self, sandbox: Sandbox, client: Client, message: MakeMessage) -> None:
        sandbox.switches.analytics_null_removes = False
        client.analytics("account", message("account", traits={"a": 1}))
        client.analytics("account", message("account", traits={"a": None, "name": None}))
        assert by_own_id(sandbox, "accounts", "new-account")["traits"] == {"a": 1}

    def test_special_traits_of_a_user(self, sandbox: Sandbox, client: Client, message: MakeMessage) -> None:
        traits = {"name": "Ida", "email": "ida@example.com", "createdAt": "2025-11-03T00:00:00Z", "role": "x"}
        client.analytics("user", message("user", traits=traits))
        row = by_own_id(sandbox, "users", "new-user")
        assert (row["name"], row["email"], row["traits"]) == ("Ida", "ida@example.com", {"role": "x"})
        assert row["joinDate"] == "2025-11-03T00:00:00.000Z"

    def test_a_user_joins_accounts_one_by_one_and_leaves(
        self, sandbox: Sandbox, client: Client, message: MakeMessage
    ) -> None:
        accounts = sandbox.workspace.rows("accounts")[:2]
        for account in accounts:
            client.analytics("user", message("user", accountId=account["externalId"]))
        row = by_own_id(sandbox, "users", "new-user")
        assert row["accountIds"] == [account["id"] for account in accounts]
        client.analytics("unlink", message("unlink", userId="new-user", accountId=accounts[0]["externalId"]))
        assert by_own_id(sandbox, "users", "new-user")["accountIds"] == [accounts[1]["id"]]

    def test_an_event_without_account_counts_for_the_users_last(
        self, sandbox: Sandbox, client: Client, message: MakeMessage
    ) -> None:
        one, two = (account["externalId"] for account in sandbox.workspace.rows("accounts")[:2])
        for n, account in enumerate((one, two, one)):
            client.analytics("user", message("user", accountId=account, messageId=f"link-{n}"))
        client.analytics("track", message("track", userId="new-user"))
        assert sandbox.workspace.events[0]["accountId"] == one

    def test_an_instance_is_upserted_by_its_own_id(
        self, sandbox: Sandbox, client: Client, message: MakeMessage
    ) -> None:
        kind = "customobjectinstance"
        client.analytics(kind, message(kind, traits={"vitally.custom.stage": "Won"}))
        client.analytics(kind, message(kind, name="Renewal", traits={"vitally.custom.dealValue": 1}))
        rows = stored(sandbox, "instances", externalId="deal")
        assert len(rows) == 1
        assert rows[0]["name"] == "Renewal"
        assert rows[0]["traits"] == {"vitally.custom.stage": "Won", "vitally.custom.dealValue": 1}

    @pytest.mark.parametrize("overwrites", [True, False])
    def test_late_messages(self, sandbox: Sandbox, client: Client, message: MakeMessage, overwrites: bool) -> None:
        sandbox.switches.older_timestamp_overwrites = overwrites
        for text, timestamp in (("new", "2026-09-01T08:00:00.500Z"), ("old", TIME)):
            client.analytics("account", message("account", traits={"a": text}, timestamp=timestamp))
        expected = "old" if overwrites else "new"
        assert by_own_id(sandbox, "accounts", "new-account")["traits"] == {"a": expected}


class TestDeduplication:
    def test_by_message_id_whatever_the_type(self, sandbox: Sandbox, client: Client, message: MakeMessage) -> None:
        for kind in ("account", "organization"):
            client.analytics(kind, message(kind, messageId="m1"))
        assert sandbox.workspace.find("accounts", "new-account") is not None
        assert sandbox.workspace.find("organizations", "new-org") is None

    def test_by_content_and_timestamp_without_one(self, sandbox: Sandbox, client: Client, message: MakeMessage) -> None:
        for timestamp in (TIME, TIME, "2026-09-01T08:00:01Z"):
            client.analytics("batch", [message("track", timestamp=timestamp)])
        assert len(sandbox.workspace.events) == 2

    def test_an_event_keeps_its_id_and_gets_a_time(
        self, sandbox: Sandbox, client: Client, message: MakeMessage
    ) -> None:
        body = {**message("track", messageId="e1", properties={"a": 1})}
        del body["timestamp"]
        client.analytics("track", body)
        client.analytics("track", body)
        (event,) = sandbox.workspace.events
        assert (event["messageId"], event["properties"]) == ("e1", {"a": 1})
        assert event["timestamp"]


class TestDelays:
    @pytest.fixture
    def sandbox(self, make_sandbox: MakeSandbox) -> Sandbox:
        """A workspace whose clock moves only when told to, and that applies messages a minute after it took them."""
        return make_sandbox(seed=1, clock=Clock(at=NOON), switches=Switches(effect_delay=60))

    def test_a_message_takes_effect_when_its_time_has_come(
        self, sandbox: Sandbox, client: Client, message: MakeMessage
    ) -> None:
        assert client.analytics("batch", [message("account"), message("track")]).json() == SUCCESS[1]
        sandbox.clock.advance(59)
        assert client.rest("GET", "accounts/new-account").status_code == 404
        with sandbox.workspace.settled():
            assert sandbox.workspace.events == []
        sandbox.clock.advance(1)
        assert len(sandbox.workspace.events) == 1
        assert client.get("accounts/new-account")["updatedAt"] >= "2026-11-01T12:01:00"

    @pytest.mark.parametrize("delays", ["random", "growing"])
    @pytest.mark.parametrize("overtakes", [False, True])
    def test_delays_differ_and_change_the_order_only_when_told_to(
        self, sandbox: Sandbox, client: Client, message: MakeMessage, delays: Any, overtakes: bool
    ) -> None:
        sandbox.switches = Switches(effect_delay=60, effect_delays=delays, effects_overtake=overtakes)
        for n in range(12):
            client.analytics("track", message("track", messageId=str(n)))
        arrived = []
        for _ in range(60):
            sandbox.clock.advance(1)
            with sandbox.workspace.settled():
                arrived.append(len(sandbox.workspace.events))
        order = [int(event["messageId"]) for event in sandbox.workspace.events]
        assert sorted(order) == list(range(12))
        assert (order == sorted(order)) is (delays == "growing" or not overtakes)
        assert len(set(arrived)) > 2

    @pytest.mark.parametrize("orphans", ["drop", "create"])
    def test_an_orphan_is_one_when_its_message_takes_effect(
        self, sandbox: Sandbox, client: Client, message: MakeMessage, orphans: Any
    ) -> None:
        sandbox.switches.orphans = orphans
        client.analytics("user", message("user", userId="late", accountId="unknown"))
        client.analytics("user", message("user", userId="in time", accountId="new-account"))
        sandbox.workspace.insert("accounts", {"externalId": "new-account", "name": "New"})
        sandbox.clock.advance(60)
        assert (sandbox.workspace.find("users", "late") is not None) is (orphans == "create")
        assert sandbox.workspace.find("users", "in time") is not None
        assert len(stored(sandbox, "accounts", externalId="new-account")) == 1

    def test_waits_that_take_no_time_let_it_pass_here_too(
        self, sandbox: Sandbox, client: Client, message: MakeMessage
    ) -> None:
        client.analytics("account", message("account"))
        QuickClock(passes=sandbox.clock.advance).wait(60)
        assert sandbox.workspace.find("accounts", "new-account") is not None

    def test_a_message_id_is_remembered_within_a_window(
        self, sandbox: Sandbox, client: Client, message: MakeMessage
    ) -> None:
        sandbox.switches.message_id_window = 300
        for wait in (0, 300, 301):
            sandbox.clock.advance(wait)
            client.analytics("track", message("track", messageId="m"))
        sandbox.clock.advance(60)
        assert len(sandbox.workspace.events) == 2


def test_messages_can_be_accepted_unread(sandbox: Sandbox, client: Client, message: MakeMessage) -> None:
    sandbox.switches.discard_messages = True
    assert client.analytics("batch", [message("account")]).status_code == 200
    assert sandbox.workspace.find("accounts", "new-account") is None
