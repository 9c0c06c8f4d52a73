"""Messages of the Analytics API: what is in them, the ids by which Vitally drops what it has seen, and merging."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.objects.model import Operation
from destination_vitally.outcomes.ledger import PendingRecord, Segment
from destination_vitally.send.messages import Emission, QueuedMessage, messages_of
from unit_tests.destination.builders import (
    EMISSION,
    REFERENCES,
    change,
    configured,
    message,
    plans,
    queued,
    record_of,
    settings,
)

AN_ID = "11111111-1111-4111-8111-111111111111"
EVENT = {"event": "e", "userId": "u", "timestamp": "2026-01-01T00:00:00Z", "a": 1, "b": [2]}


def one_id(name: str, data: dict[str, Any], **emission: int) -> str:
    made = Emission(**{"sync": 1, "emitted_at": 2, "line": 3, **emission})
    return str(message(queued(name, data, made)[0])["messageId"])


def of_stream(name: str, data: dict[str, Any], **stream: str) -> dict[str, Any]:
    """The message of an event of another stream."""
    catalog = configured(name)
    catalog["stream"].update(stream)
    plan = next(iter(plans(settings(), catalog).values()))
    record = PendingRecord(plan, Segment(), b"", 1)
    return message(messages_of(change("event", "create", data), record, EMISSION, REFERENCES)[0])


def merged(*messages: QueuedMessage) -> QueuedMessage:
    first, *others = messages
    for later in others:
        first.merge(later)
    return first


def test_an_event_has_its_id_from_its_id_or_its_content() -> None:
    later = {"sync": 9, "emitted_at": 9, "line": 9}
    by_content = one_id("event", EVENT)
    assert by_content == one_id("event", dict(reversed(EVENT.items())), **later)
    assert by_content != one_id("event", {**EVENT, "a": 2})
    assert len({one_id("event", {**EVENT, "a": number}) for number in (10, 10.0)}) == 1
    assert len({one_id("event", {**EVENT, "timestamp": f"2026-01-01T00:00:00{zone}"}) for zone in ("Z", ".000Z")}) == 1
    assert len({one_id("event", {**EVENT, "a": f"2026-01-01T00:00:00{zone}"}) for zone in ("Z", ".000Z")}) == 1
    by_id = one_id("event", {**EVENT, "id": 7})
    assert by_id == one_id("event", {**EVENT, "messageId": 7, "a": 2}, **later)
    assert by_id != by_content
    assert by_id != one_id("event", {**EVENT, "id": 7, "event": "other"})


def test_events_of_another_stream_are_others() -> None:
    streams = [("accounts", {}), ("notes", {}), ("accounts", {"namespace": "a"}), ("accounts", {"namespace": "b"})]
    for data in (EVENT, {**EVENT, "id": 7}):
        assert len({of_stream(name, data, **more)["messageId"] for name, more in streams}) == 4


@pytest.mark.parametrize(
    ("data", "stream", "identifier"),
    [
        (EVENT, {}, "6f952dcbd089d4b494e9eec00dfa6eae"),
        ({**EVENT, "id": 7}, {}, "4c7829912b9caf2a18e4554ddc09bc57"),
        ({**EVENT, "id": 7}, {"namespace": "public"}, "fbfb0431a0934c1948d7675cfa39300c"),
    ],
)
def test_an_event_keeps_its_id_in_the_versions_to_come(
    data: dict[str, Any], stream: dict[str, str], identifier: str
) -> None:
    """Otherwise what is sent again after an upgrade counts twice."""
    assert of_stream("accounts", data, **stream)["messageId"] == identifier


def test_an_upsert_has_its_id_from_content_and_emission() -> None:
    account = {"externalId": "a", "plan": "A"}
    first = one_id("account", account)
    assert first == one_id("account", account)
    assert first != one_id("account", {**account, "plan": "B"})
    for changed in ("sync", "emitted_at", "line"):
        assert first != one_id("account", account, **{changed: 99})


def test_what_is_merged_has_its_id_from_all_its_content_and_the_last_emission() -> None:
    def identifier(plan: str, line: int) -> str:
        emission = EMISSION._replace(line=line)
        rows: list[dict[str, Any]] = [{"plan": plan}, {"seats": 1}]
        made = [queued("account", {"externalId": "a", **row}, emission)[0] for row in rows]
        return str(message(merged(*made))["messageId"])

    assert identifier("A", 1) == identifier("A", 1)
    assert len({identifier("A", 1), identifier("B", 1), identifier("A", 2)}) == 3


def test_times_are_those_of_the_record() -> None:
    assert message(queued("account", {"externalId": "a"})[0])["timestamp"] == "2026-09-21T14:13:20Z"
    assert message(queued("event", EVENT)[0])["timestamp"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("name", "operation", "data", "expected"),
    [
        (
            "account", "upsert",
            {"id": AN_ID, "externalId": "a", "organizationId": "o", "name": "Acme", "plan": "x"},
            {"type": "account", "accountId": "a", "organizationId": "o", "traits": {"name": "Acme", "plan": "x"}},
        ),
        (
            "user", "upsert",
            {"id": AN_ID, "externalId": "u", "accountId": "a", "email": "e@x.example", "joinDate": "2026-01-01"},
            {
                "type": "user", "userId": "u", "accountId": "a",
                "traits": {"email": "e@x.example", "createdAt": "2026-01-01T00:00:00Z"},
            },
        ),
        (
            "custom_object/*", "upsert",
            {"id": AN_ID, "externalId": "i", "name": "n", "customerId": "a", "organizationId": "o", "plan": 1},
            {
                "type": "customobjectinstance", "externalId": "i", "name": "n",
                "accountId": "a", "organizationId": "o", "traits": {"plan": 1},
            },
        ),
        ("membership", "upsert", {"userId": "u", "accountId": "a"},
         {"type": "user", "userId": "u", "accountId": "a", "traits": {}}),
        ("membership", "delete", {"userId": "u", "accountId": "a", "plan": 1},
         {"type": "unlink", "userId": "u", "accountId": "a"}),
        (
            "event", "create", {"id": 7, **EVENT, "organizationId": "o"},
            {
                "type": "track", "event": "e", "userId": "u", "organizationId": "o",
                "timestamp": "2026-01-01T00:00:00Z", "properties": {"a": 1, "b": [2]},
            },
        ),
    ],
)  # fmt: skip
def test_each_field_travels_under_the_name_it_has_in_messages(
    name: str, operation: Operation, data: dict[str, Any], expected: dict[str, Any]
) -> None:
    asked = change(name, operation, data, allow_deletes=True)
    [made] = messages_of(asked, record_of(), EMISSION, REFERENCES)
    sealed = {"messageId": message(made)["messageId"], "timestamp": "2026-09-21T14:13:20Z"}
    assert message(made) == {**sealed, **expected}


@pytest.mark.parametrize(
    ("accounts", "organizations", "pairs"),
    [
        (["a", "b", "c"], ["o"], [("a", "o"), ("b", None), ("c", None)]),
        (["a"], ["o", "p"], [("a", "o"), (None, "p")]),
        ([], ["o", "p"], [(None, "o"), (None, "p")]),
    ],
)
def test_a_user_of_several_parents_becomes_several_messages(
    accounts: list[str], organizations: list[str], pairs: list[tuple[str | None, str | None]]
) -> None:
    data = {"externalId": "u", "accountIds": accounts, "organizationIds": organizations, "plan": "x"}
    made = queued("user", data)
    assert [(m.get("accountId"), m.get("organizationId")) for m in map(message, made)] == pairs
    assert len({message(one)["messageId"] for one in made}) == len(pairs)
    assert made[0].records[0].parts == len(pairs)


@pytest.mark.parametrize(
    ("name", "parents"),
    [("account", {}), ("user", {"accountId": "b"}), ("custom_object/*", {"customerId": "b"})],
)
def test_a_parent_that_is_empty_does_not_travel(name: str, parents: dict[str, str]) -> None:
    parent = "organizationIds" if name == "user" else "organizationId"
    row = {"externalId": "a", parent: None, **parents, "plan": None}
    asked = change(name, "upsert", row, clear_nulls=True, tokens=frozenset({"analytics_token"}))
    assert asked.fields[parent] is None
    [made] = messages_of(asked, record_of(), EMISSION, REFERENCES)
    assert "organizationId" not in message(made)
    assert message(made)["traits"] == {"plan": None}
    assert all(value in message(made).values() for value in parents.values()), "the others do"


@pytest.mark.parametrize(
    ("name", "first", "later", "same_key", "mergeable"),
    [
        ("account", {"externalId": "a", "plan": "A"}, {"externalId": "a", "plan": "B"}, True, True),
        ("account", {"externalId": "a", "plan": "A"}, {"externalId": "b", "plan": "A"}, False, False),
        ("account", {"externalId": "a", "organizationId": "o"}, {"externalId": "a"}, True, False),
        ("user", {"externalId": "u", "accountId": "a"}, {"externalId": "u", "accountId": "b"}, True, False),
        ("user", {"externalId": "u", "accountId": "a"}, {"externalId": "u", "accountId": "a", "x": 1}, True, True),
        ("membership", {"userId": "u", "accountId": "a"}, {"userId": "u", "accountId": "b"}, False, False),
        ("event", EVENT, {**EVENT, "a": 2}, False, True),
        ("event", {**EVENT, "id": 7}, {**EVENT, "id": 7, "userId": "v"}, True, True),
    ],
)
def test_rows_of_a_key_keep_their_order_and_of_the_same_parents_are_merged(
    name: str, first: dict[str, Any], later: dict[str, Any], same_key: bool, mergeable: bool
) -> None:
    [one], [other] = queued(name, first), queued(name, later)
    assert one.key is not None
    assert (one.key == other.key) is same_key
    assert (one.merge_key == other.merge_key) is mergeable


def test_of_rows_that_are_merged_the_later_values_win_and_the_others_stay() -> None:
    rows: list[dict[str, Any]] = [{"plan": "A", "seats": 1}, {"plan": "B", "name": "Acme"}, {"region": "EU"}]
    emissions = [Emission(1, 1_790_000_000_000 + number, number) for number in range(3)]
    messages = [
        queued("account", {"externalId": "a", **row}, emission)[0]
        for row, emission in zip(rows, emissions, strict=True)
    ]
    alone = [one.encoded for one in messages]
    records = [one.records[0] for one in messages]
    made = merged(*messages)
    traits = {"plan": "B", "seats": 1, "name": "Acme", "region": "EU"}
    assert message(made) == {
        "type": "account",
        "accountId": "a",
        "traits": traits,
        "messageId": message(made)["messageId"],
        "timestamp": "2026-09-21T14:13:20.002Z",
    }
    assert made.change.fields | made.change.open_values == {"externalId": "a", **traits}
    assert (made.superseded, made.standing) == (records[:2], records[2])

    apart = list(made.apart())
    assert [one.encoded for one in apart] == alone, "each as it was by itself"
    assert [one.records for one in apart] == [[record] for record in records]
    assert [one.unmerged for one in apart] == [[one] for one in alone]


def test_of_equal_events_the_first_counts() -> None:
    first, second = (queued("event", {**EVENT, "id": 7, "userId": user})[0] for user in "uv")
    encoded = first.encoded
    made = merged(first, second)
    assert made.encoded == encoded
    assert made.standing is made.records[0]
    assert made.superseded == second.records
