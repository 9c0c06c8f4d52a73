"""Whether a row shows what was sent, in whatever spelling Vitally gives it back."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.compare.comparison import How, differing, referred_to, refers_to, would_change
from destination_vitally.mapping.mapper import Change
from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.model import Operation
from destination_vitally.objects.table import BY_NAME, OBJECTS

ID, OTHER = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


ACCOUNT = {"id": ID, "externalId": "a", "name": "Acme", "organizationId": OTHER, "traits": {"plan": "team"}}
ORGANIZATION = {"id": OTHER, "externalId": "o", "name": "Group"}
USER = {
    "id": ID,
    "email": "Ida@Example.com",
    "joinDate": "2026-01-31T00:00:00.000Z",
    "createdAt": "2026-05-01T00:00:00Z",
}
LINKED = {**USER, "accounts": [{"id": OTHER, "externalId": "a"}, {"id": "x", "externalId": "b"}]}


@pytest.mark.parametrize(
    ("name", "fields", "traits", "row", "differs"),
    [
        ("account", {"externalId": "a", "name": "Acme"}, {"plan": "team"}, ACCOUNT, []),
        ("account", {"name": "Old"}, {"plan": "free", "seats": 3}, ACCOUNT, ["name", "traits.plan", "traits.seats"]),
        ("account", {"name": None}, {"plan": None}, ACCOUNT, ["name", "traits.plan"]),
        ("account", {}, {"gone": None, "empty": ""}, ACCOUNT, []),
        ("account", {"name": "Other"}, {"plan": "other"}, {"id": ID}, []),
        ("account", {"name": "Acme"}, {"plan": "team"}, {"name": "Acme", "traits": None}, []),
        ("account", {}, {"vitally.custom.seats": 3}, {"traits": {"vitally.custom.seats": "3"}}, []),
        # A trait that feeds an attribute
        ("account", {}, {"mrr": 12}, {"mrr": 12.0, "traits": {}}, []),
        ("account", {}, {"mrr": 12}, {"mrr": 11, "traits": {"mrr": 12}}, []),
        ("account", {}, {"mrr": 12}, {"mrr": 11, "traits": {}}, ["traits.mrr"]),
        ("account", {"healthScore": 3}, {}, {"healthScore": 4}, []),
        # A field that travels as a trait, shown as the attribute, as the trait, or nowhere
        ("user", {"joinDate": "2026-01-31T00:00:00Z"}, {}, USER, []),
        ("user", {"joinDate": "2026-01-30T00:00:00Z"}, {}, USER, ["joinDate"]),
        ("account", {"avatar": "https://a"}, {}, {"traits": {"avatar": "https://a"}}, []),
        ("account", {"avatar": "https://a"}, {}, {"traits": {"avatar": "https://b"}}, ["avatar"]),
        ("account", {"avatar": "https://a"}, {}, {"traits": {}}, []),
        ("account", {"avatar": "https://a"}, {}, {"avatar": "https://b", "traits": {"avatar": "https://a"}}, []),
        ("account", {"avatar": "https://a"}, {}, {"avatar": "https://b", "traits": {}}, ["avatar"]),
        ("account", {"avatar": None}, {}, {"avatar": None, "traits": {"avatar": "https://b"}}, ["avatar"]),
        ("user", {"email": "ida@example.com"}, {}, USER, []),
        ("user", {"email": "ada@example.com"}, {}, USER, ["email"]),
        ("note", {"source": "zapier", "id": OTHER}, {}, {"id": ID, "source": "x"}, []),
        ("note", {"note": "<h1>Hi</h1>", "tags": ["b", "a"]}, {}, {"note": "Hi", "tags": ["a", "b"]}, []),
        ("note", {"tags": []}, {}, {"tags": ["a"]}, ["tags"]),
        ("task", {"dueDate": "2026-01-31"}, {}, {"dueDate": "2026-01-31T00:00:00.000Z"}, []),
        # One that it refers to
        ("account", {"organizationId": VitallyId(OTHER)}, {}, ACCOUNT, []),
        ("account", {"organizationId": VitallyId(ID)}, {}, ACCOUNT, ["organizationId"]),
        ("account", {"organizationId": "o"}, {}, ACCOUNT, []),
        ("account", {"organizationId": "known"}, {}, ACCOUNT, ["organizationId"]),
        ("account", {"organizationId": "o"}, {}, {"organizationId": None}, ["organizationId"]),
        ("account", {"organizationId": None}, {}, ACCOUNT, ["organizationId"]),
        ("account", {"organizationId": None}, {}, {"organizationId": None, "organization": None}, []),
        ("account", {"organizationId": "o"}, {}, {**ACCOUNT, "organization": ORGANIZATION}, []),
        ("account", {"organizationId": "p"}, {}, {**ACCOUNT, "organization": ORGANIZATION}, ["organizationId"]),
        ("account", {"organizationId": "o"}, {}, {"organization": None}, ["organizationId"]),
        ("account", {"organizationId": "o"}, {}, {"name": "Acme"}, []),
        ("custom_object/*", {"customerId": "c"}, {}, {"customer": {"id": ID, "externalId": "c"}}, []),
        ("custom_object/*", {"customerId": "c"}, {}, {"customer": {"id": ID, "externalId": "d"}}, ["customerId"]),
        # Several that it refers to
        ("user", {"accountIds": ["a"]}, {}, LINKED, []),
        ("user", {"accountIds": ["a", VitallyId("x")]}, {}, LINKED, []),
        ("user", {"accountIds": ["a", "c"]}, {}, LINKED, ["accountIds"]),
        ("user", {"accountIds": ["a"]}, {}, {"accounts": []}, ["accountIds"]),
        ("user", {"accountIds": ["a"]}, {}, {"accountIds": [OTHER]}, []),
        ("user", {"accountIds": ["known"]}, {}, {"accountIds": [OTHER]}, ["accountIds"]),
        ("user", {"accountIds": ["known"]}, {}, {"accountIds": [OTHER, ID]}, []),
        ("user", {"accountIds": [VitallyId(ID), VitallyId(OTHER)]}, {}, {"accountIds": [OTHER, ID]}, []),
        ("user", {"accountIds": [VitallyId("x")]}, {}, {"accountIds": [OTHER, ID]}, ["accountIds"]),
        ("user", {"accountIds": ["a"]}, {}, USER, []),
        ("user", {"accountIds": None}, {}, LINKED, []),
    ],
)
def test_what_differs(
    name: str, fields: dict[str, Any], traits: dict[str, Any], row: dict[str, Any], differs: Any
) -> None:
    known = {("organization", "known"): ID, ("account", "known"): ID}
    assert differing(BY_NAME[name], fields, traits, row, How(lambda *which: known.get(which))) == differs


@pytest.mark.parametrize("entry", OBJECTS, ids=lambda entry: str(entry.name))
def test_a_row_of_any_object_shows_itself(entry: Any) -> None:
    values = {"date": "2026-01-31", "datetime": "2026-01-31T09:30:00Z", "number": 3, "boolean": True}
    row = {f.name: [ID] if f.kind.value == "list of texts" else values.get(f.kind.value, ID) for f in entry.fields}
    assert differing(entry, row, {}, row) == []
    changed = {name: "another" for name, value in row.items() if value == ID}
    writable = [n for n in changed if (f := entry.field(n)) and (f.in_body or f.analytics) and not f.refers]
    assert differing(entry, changed, {}, row) == writable


ROW = {"id": ID, "externalId": "x", "name": "N", "traits": {"plan": "a"}, "organization": None}


@pytest.mark.parametrize(
    ("name", "fields", "traits", "row", "found"),
    [
        ("account", {"name": "N"}, {"plan": "a"}, ROW, []),
        ("account", {"name": "M"}, {"plan": "b"}, ROW, ["name", "traits.plan"]),
        ("account", {"avatar": "http://a"}, {}, ROW, ["avatar"]),
        ("account", {"name": None}, {}, {"id": ID}, ["name"]),
        ("account", {}, {"new": 1}, ROW, ["traits.new"]),
        ("account", {}, {"new": None}, ROW, []),
        ("account", {}, {"mrr": 1}, {**ROW, "mrr": 1}, []),
        ("account", {}, {"mrr": 1}, {**ROW, "mrr": 1, "traits": {"mrr": 2}}, ["traits.mrr"]),
        ("account", {}, {"plan": "a"}, {"id": ID}, ["traits.plan"]),
        ("account", {"organizationId": None}, {}, ROW, []),
        ("account", {"organizationId": "o"}, {}, ROW, ["organizationId"]),
        ("account", {"organizationId": "o"}, {}, {"organization": {"id": OTHER, "externalId": "o"}}, []),
        ("account", {"organizationId": "o"}, {}, {"organization": {"id": OTHER}}, ["organizationId"]),
        ("account", {"organizationId": VitallyId(OTHER)}, {}, {"organizationId": OTHER}, []),
        ("account", {"organizationId": None}, {}, {"organizationId": OTHER}, ["organizationId"]),
        ("account", {"organizationId": None}, {}, {}, ["organizationId"]),
        ("user", {"accountIds": ["a", "b"]}, {}, LINKED, []),
        ("user", {"accountIds": ["a", "c"]}, {}, LINKED, ["accountIds"]),
        ("user", {"email": "Ida@x.com"}, {}, {"email": "ida@x.com"}, []),
        ("note", {"note": "<h1>Hi</h1>", "subject": "<h1>Hi</h1>"}, {}, {"note": "Hi", "subject": "Hi"}, ["subject"]),
        ("user", {"joinDate": "2026-01-31T00:00:00Z"}, {}, {"traits": {"createdAt": "2026-01-31T00:00:00.000Z"}}, []),
    ],
)
def test_what_a_row_does_not_show_may_change(
    name: str, fields: dict[str, Any], traits: dict[str, Any], row: dict[str, Any], found: list[str]
) -> None:
    entry = BY_NAME[name]
    change = Change(entry, "upsert", entry.operations["upsert"][0], name, fields, traits)
    assert would_change(change, row) == found


@pytest.mark.parametrize(
    ("name", "operation", "fields", "found"),
    [
        # REST takes neither your id of a row that is there nor an avatar; a batch takes both.
        ("account", "update", {"externalId": "y", "avatar": "http://a", "name": "M"}, ["name"]),
        ("account", "update", {"externalId": "y", "avatar": "http://a", "name": "N"}, []),
        ("account", "upsert", {"externalId": "y", "avatar": "http://a", "name": "N"}, ["externalId", "avatar"]),
    ],
)
def test_what_does_not_travel_changes_nothing(
    name: str, operation: Operation, fields: dict[str, Any], found: list[str]
) -> None:
    entry = BY_NAME[name]
    assert would_change(Change(entry, operation, entry.operations[operation][0], name, fields, {}), ROW) == found


# What a row refers to

ORGANIZATION_ID, ACCOUNT_IDS = BY_NAME["account"].field("organizationId"), BY_NAME["user"].field("accountIds")


@pytest.mark.parametrize(
    ("field", "row", "others"),
    [
        (ORGANIZATION_ID, {}, None),
        (ORGANIZATION_ID, {"organization": None}, []),
        (ORGANIZATION_ID, {"organizationId": None}, []),
        (ORGANIZATION_ID, {"organizationId": OTHER}, [{"id": OTHER}]),
        (ORGANIZATION_ID, {"organization": ORGANIZATION, "organizationId": ID}, [ORGANIZATION]),
        (ORGANIZATION_ID, {"organization": OTHER}, None),
        (ACCOUNT_IDS, {"accounts": []}, []),
        (ACCOUNT_IDS, {"accounts": None}, []),
        (ACCOUNT_IDS, {"accountIds": [ID, OTHER]}, [{"id": ID}, {"id": OTHER}]),
        (ACCOUNT_IDS, LINKED, LINKED["accounts"]),
    ],
)
def test_a_row_says_what_it_refers_to_by_the_rows_themselves_by_their_ids_or_not_at_all(
    field: Any, row: dict[str, Any], others: Any
) -> None:
    assert referred_to(field, row) == others


@pytest.mark.parametrize(
    ("value", "accounts", "is_one"),
    [
        ("a", [{"id": ID, "externalId": "a"}], True),
        ("a", [{"id": "a", "externalId": "x"}], True),
        ("a", [{"id": ID, "externalId": "b"}], False),
        ("a", [{"id": ID}], None),
        ("a", [{"id": ID, "externalId": "b"}, {"id": OTHER}], None),
        ("a", None, None),
        ("a", [], False),
        # Where its id is known, that decides.
        ("known", [{"id": ID}], True),
        ("known", [{"id": OTHER}], False),
        (VitallyId(ID), [{"id": ID}], True),
        (VitallyId(ID), [{"id": OTHER}], False),
    ],
)
def test_whether_a_row_refers_to_another_may_stay_open(value: str, accounts: Any, is_one: bool | None) -> None:
    """Given a row that carries ids of one kind, when it is asked for by the other kind, then only what is known of
    both can tell."""
    row = {} if accounts is None else {"accounts": accounts}
    assert ACCOUNT_IDS
    assert refers_to(ACCOUNT_IDS, value, row, lambda target, one: {"known": ID}.get(one)) is is_one
