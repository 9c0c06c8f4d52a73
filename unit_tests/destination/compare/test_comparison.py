"""Whether a row shows what was sent, in whatever spelling Vitally gives it back."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.compare.comparison import differing, would_change
from destination_vitally.compare.equality import same, unchanged
from destination_vitally.mapping.change import Change
from destination_vitally.mapping.values import VitallyId
from destination_vitally.objects.model import Operation
from destination_vitally.objects.table import BY_NAME, OBJECTS

ID, OTHER = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("a", "a"),
        ("a", " a "),
        # Removed
        (None, None),
        (None, ""),
        ("", None),
        (None, []),
        ([], None),
        # Numbers
        (3, 3.0),
        (3, "3"),
        ("3", 3),
        ("12000.50", 12000.5),
        (0.1 + 0.2, 0.3),
        (2**53 + 1, float(2**53)),
        # True and false
        (True, True),
        (True, "true"),
        ("yes", True),
        (False, 0),
        # Times
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.000Z"),
        ("2026-01-31T09:30:00Z", "2026-01-31T10:30:00+01:00"),
        ("2026-01-31 09:30", "2026-01-31T09:30:00.000Z"),
        ("2026-01-31T09:30:00.123456Z", "2026-01-31T09:30:00.123Z"),
        ("2026-01-31T09:30:00.123456Z", "2026-01-31T09:30:00Z"),
        (1_769_851_800, "2026-01-31T09:30:00.000Z"),
        ("2026-01-31T09:30:00.000Z", 1_769_851_800_000),
        ("2026-01-31", "2026-01-31T00:00:00.000Z"),
        ("2026-01-31T23:30:00-02:00", "2026-02-01"),
        ("2026-01-31T23:30:00-02:00", "2026-01-31"),
        ("2026-01-31", "2026-01-31T23:30:00-02:00"),
        # Lists and objects
        (["a", "b"], ["b", "a"]),
        ([1, 2], ["2", "1"]),
        (["a"], "a"),
        (2.0**53, 2**53 + 1),
        (2**53, 2**53 + 1),
        ("2026-01-31T09:30:00.124Z", "2026-01-31T09:30:00.123Z"),
        ("a", ["a"]),
        ("words", ["words"]),
        ('["a","b"]', ["b", "a"]),
        ({"a": 1}, {"a": 1.0, "more": 2}),
        ([{"id": 1}, {"id": 2}], [{"id": "1", "x": 0}, {"id": "2"}]),
        # HTML
        ("<p>Hi</p>", "<p>Hi</p>\n"),
        ("<h1>Hi</h1><script>alert(1)</script> there", "Hi there"),
        ("<p>Hi</p><p>you</p>", "Hi you"),
        ("<style>p {}</style><p>Hi</p>", "<p>Hi</p>"),
        ("a < b & c", "a &lt; b &amp; c"),
        (
            '<p style="x"><a href="https://a.example" class="y">here</a></p>',
            '<p><a href="https://a.example">here</a></p>',
        ),
    ],
)
def test_the_same(sent: Any, shown: Any) -> None:
    assert same(sent, shown)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("a", "A"),
        ("a", "b"),
        ("007", "7"),
        ("a", None),
        (None, "a"),
        (0, None),
        (False, None),
        (None, 0),
        (3, 4),
        (3, "three"),
        (10**12 + 1, 10**12 + 2),
        (10**400, 1.5),
        (True, False),
        (True, "maybe"),
        ("maybe", True),
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:01Z"),
        ("2026-01-31T09:30:00.123Z", "2026-01-31T09:30:00.125Z"),
        ("2026-01-31", "2026-02-01"),
        ("2026-01-31", "2026-02-01T00:00:00Z"),
        (1_769_851_800, "2026-01-31T09:30:05Z"),
        (["a"], ["a", "b"]),
        (["a", "a"], ["a", "b"]),
        ([{"id": 1}, {"id": 2}], [{"id": 2}, {"id": 1}]),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {}),
        ({"a": 1}, "a"),
        ({}, {"a": 1}),
        ("X b", "Xb"),
        ("<p>Hi</p>", "<p>Ho</p>"),
        (0.1, 0.10000000001),
        (2**53, 2**53 + 10),
        ("2026-01-31T23:30:00-02:00", "2026-02-02"),
        ("<script>one</script>", "<script>one</script> two"),
        ("<style><script>x</script></style>y", "<p>x</p>y"),
        ('<a href="https://a.example">x</a>', '<a href="https://b.example">x</a>'),
    ],
)
def test_not_the_same(sent: Any, shown: Any) -> None:
    assert not same(sent, shown)


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
    assert differing(BY_NAME[name], fields, traits, row, lambda *which: known.get(which)) == differs


@pytest.mark.parametrize("entry", OBJECTS, ids=lambda entry: str(entry.name))
def test_a_row_of_any_object_shows_itself(entry: Any) -> None:
    values = {"date": "2026-01-31", "datetime": "2026-01-31T09:30:00Z", "number": 3, "boolean": True}
    row = {f.name: [ID] if f.kind.value == "list of texts" else values.get(f.kind.value, ID) for f in entry.fields}
    assert differing(entry, row, {}, row) == []
    changed = {name: "another" for name, value in row.items() if value == ID}
    writable = [n for n in changed if (f := entry.field(n)) and (f.in_body or f.analytics) and not f.refers]
    assert differing(entry, changed, {}, row) == writable


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("a", "a"),
        (None, ""),
        ([], None),
        (3, 3.0),
        (3, "3"),
        ("3", 3),
        ("-1.50", -1.5),
        ("2026-01-31T09:30:00Z", "2026-01-31T10:30:00.000+01:00"),
        ("2026-01-31T09:30:00.123456Z", "2026-01-31T09:30:00.123Z"),
        ("2026-01-31", "2026-01-31T00:00:00.000Z"),
        (["a", "b"], ["b", "a"]),
        ({"a": 1, "gone": None}, {"a": 1}),
        ([{"id": 1}], [{"id": 1}]),
    ],
)
def test_what_says_the_same_changes_nothing(sent: Any, shown: Any) -> None:
    assert unchanged(sent, shown)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("a", "A"),
        ("a", "a "),
        ("a", None),
        (0, None),
        (False, None),
        (False, 0),
        (True, 1),
        ("yes", True),
        (True, "true"),
        ("false", False),
        (1_769_851_800, "2026-01-31T09:30:00.000Z"),
        ("2026-01-31T09:30:00.000Z", 1_769_851_800),
        (20260131, "2026-01-31"),
        ("20260131", "2026-01-31"),
        ("a", ["a"]),
        (["a"], '["a"]'),
        ('["a", "b"]', '["b", "a"]'),
        ('{"a": 1}', {"a": 1}),
        (2**53, 2**53 + 1),
        (0.1 + 0.2, 0.3),
        (7, "007"),
        ("007", 7),
        ("+7", 7),
        ("1e3", "1000"),
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.500Z"),
        ("2026-01-31T09:30:00.123Z", "2026-01-31T09:30:00.124Z"),
        (1_769_851_800, "2026-01-31T09:30:01Z"),
        ("2026-01-31", "2026-01-31T09:30:00.000Z"),
        ("2026-01-31T23:30:00-02:00", "2026-01-31"),
        (["a"], ["a", "a"]),
        (["a", "a", "b"], ["a", "b", "b"]),
        ({"a": 1}, {"a": 1, "more": 2}),
        ({"a": 1}, "a"),
        ({"a": None}, {}),
        ([None], None),
        ([{"id": 1}], [{"id": 1, "more": 2}]),
        ("<p>Hi</p>", "Hi"),
        ("<h1>Hi</h1>", "Hi"),
    ],
)
def test_what_may_say_something_else_is_a_change(sent: Any, shown: Any) -> None:
    assert not unchanged(sent, shown)


@pytest.mark.parametrize(
    ("sent", "shown", "same_to_a_reader"),
    [
        ("<h1>Hi</h1><script>x</script> <b>there</b>", "Hi <b>there</b>", True),
        ('<p style="x">Hi<br/>\n you</p>', "<p>Hi<br> you</p>", True),
        ('<a href="/x" onclick="y">Hi</a>', '<a href="/x">Hi</a>', True),
        ("&lt;Hi&gt; &amp; you", "&lt;Hi&gt; & you", True),
        ("<b>Hi</b>", "<i>Hi</i>", False),
        ("<b>Hi</b> you", "Hi <b>you</b>", False),
        ('<a href="/x">Hi</a>', '<a href="/y">Hi</a>', False),
        ("<p>Hi</p>", "<p>Ho</p>", False),
        ("<ul><li>a</li></ul>", "<ol><li>a</li></ol>", False),
    ],
)
def test_html_is_compared_as_vitally_keeps_it(sent: str, shown: str, same_to_a_reader: bool) -> None:
    assert unchanged(sent, shown, is_html=True) is same_to_a_reader


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
