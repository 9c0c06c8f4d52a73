"""Whether a value is as before, as the sync has left it, or somebody else's."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.journal.lines import Intent, Outcome
from destination_vitally.objects.table import BY_NAME
from destination_vitally.undo.judging import ABSENT, beyond, is_as_before, is_ours, shown, why_not_writable
from destination_vitally.undo.reading import Entry, Place
from destination_vitally.undo.rows import Past, Row, rows_of
from unit_tests.destination.undo.journals import intent, link, outcome, value


def row_of(name: str, *values: Any, seen: dict[str, Any] | None = None, **more: Any) -> Row:
    said: list[Intent | Outcome] = [intent(1, *values, object=name, **more), outcome(1, seen=seen)]
    entries = [Entry(Place("2026", 1, 0, 1), one, "a file") for one in said]
    [row] = rows_of(lambda: iter(entries), BY_NAME.__getitem__)
    return row


def past_of(name: str, field: str, before: Any, sent: Any, **more: Any) -> Past:
    return row_of(name, value(field, before, sent), **more).values[field]


IDS = {"org-1": "O1", "acme": "A1"}


def known(target: str, identifier: str) -> str | None:
    """Return Vitally's id of a row by yours."""
    return IDS.get(identifier)


@pytest.mark.parametrize(
    ("name", "field", "row", "found"),
    [
        ("account", "name", {"name": "x"}, "x"),
        ("account", "name", {"name": None}, None),
        ("account", "name", {}, ABSENT),
        ("account", "timestamp", {"timestamp": "x"}, ABSENT),
        ("account", "organizationId", {"organizationId": "O1"}, "O1"),
        ("account", "organizationId", {"organization": {"id": "O1"}}, "O1"),
        ("account", "organizationId", {"organizationId": None}, None),
        ("account", "organizationId", {}, ABSENT),
        ("user", "accountIds", {"accounts": [{"id": "A1"}, {"id": "A2"}]}, ["A1", "A2"]),
        ("task", "assignedToId", {"assignedToId": "P1", "assignedTo": {"id": "else"}}, "P1"),
        ("task", "assignedToId", {"assignedTo": {"id": "P1"}}, "P1"),
        ("account", "traits.x", {"traits": {"x": 1}}, 1),
        ("account", "traits.x", {"traits": {}}, None),
        ("account", "traits.x", {}, ABSENT),
        ("account", "traits.x", {"traits": {}, "x": "sent"}, "sent"),
        ("account", "traits.x", {"traits": {}, "x": "else"}, None),
        ("account", "traits.x", {"traits": {"x": None}, "x": "sent"}, None),
    ],
)
def test_what_a_row_shows(name: str, field: str, row: dict[str, Any], found: Any) -> None:
    assert shown(BY_NAME[name], past_of(name, field, None, "sent"), row) == found


@pytest.mark.parametrize(
    ("name", "field", "before", "now", "is_before"),
    [
        ("account", "name", "a", "a", True),
        ("account", "name", "a", "A", False),
        ("account", "name", "a", ABSENT, False),
        ("account", "name", None, ABSENT, False),
        ("account", "name", None, "", True),
        ("account", "traits.x", 1, "1", True),
        ("account", "traits.x", 1.5, 2, False),
        ("user", "email", "a@example.com", "A@example.com", True),
        ("note", "note", "<p>a</p>", "<p>a</p><script>x</script>", True),
    ],
)
def test_what_is_as_before(name: str, field: str, before: Any, now: Any, is_before: bool) -> None:
    assert is_as_before(BY_NAME[name], past_of(name, field, before, "sent"), now) is is_before


@pytest.mark.parametrize(
    ("name", "field", "sent", "row", "is_the_syncs"),
    [
        ("account", "name", "New  Name", {"name": "new name"}, True),
        ("account", "name", "New", {"name": "Newer"}, False),
        ("account", "name", None, {"name": None}, True),
        ("account", "name", None, {"name": "x"}, False),
        ("account", "name", None, {}, False),
        ("account", "traits.x", 1.004, {"traits": {"x": 1}}, True),
        ("user", "email", "A@example.com", {"email": "a@example.com"}, True),
        ("account", "organizationId", "org-1", {"organizationId": "O1"}, True),
        ("account", "organizationId", "O1", {"organizationId": "O1"}, True),
        ("account", "organizationId", "org-1", {"organizationId": "O2"}, False),
        ("account", "organizationId", "org-1", {"organizationId": None}, False),
        ("account", "organizationId", "unknown", {"organizationId": "O1"}, False),
        ("account", "organizationId", None, {"organizationId": "O1"}, False),
        ("account", "organizationId", None, {"organizationId": None}, True),
    ],
)
def test_what_the_sync_has_left(name: str, field: str, sent: Any, row: dict[str, Any], is_the_syncs: bool) -> None:
    assert is_ours(BY_NAME[name], past_of(name, field, "before", sent), row, known) is is_the_syncs


def test_what_was_seen_is_compared_exactly() -> None:
    entry, past = BY_NAME["account"], past_of("account", "name", "a", "New", seen={"name": "new!"})
    assert is_ours(entry, past, {"name": "new!"}, known)
    assert not is_ours(entry, past, {"name": "New!"}, known)
    assert not is_ours(entry, past, {"name": "New"}, known)


@pytest.mark.parametrize(
    ("name", "field", "before", "can"),
    [
        ("account", "name", "a", True),
        ("account", "traits.x", "a", True),
        ("account", "avatar", "a", False),
        ("account", "accountOwnerId", "a", False),
        ("account", "accountOwnerId", None, True),
        ("account", "timestamp", "a", False),
        ("note", "externalId", "a", False),
        ("task", "tags", ["a"], True),
        ("user", "accountIds", ["a"], False),
        ("conversation", "messages", [{}], False),
        ("message", "message", "a", False),
        ("meeting_participant", "type", "a", False),
    ],
)
def test_what_rest_can_write(name: str, field: str, before: Any, can: bool) -> None:
    assert (not why_not_writable(BY_NAME[name], past_of(name, field, before, "sent"))) is can


SENT = {"name": "New", "traits.x": 1, "organizationId": "org-1"}
ROW = {"id": "A9", "externalId": "acme", "name": "New", "traits": {"x": 1, "y": None}, "organizationId": "O1"}


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({}, []),
        ({"name": "new"}, []),
        ({"name": None}, []),
        ({"name": "Else"}, ["name"]),
        ({"externalId": "else"}, ["externalId"]),
        ({"accountOwnerId": "P1"}, ["accountOwnerId"]),
        ({"organizationId": "O2"}, ["organizationId"]),
        ({"traits": {"x": 2}}, ["traits.x"]),
        ({"traits": {"x": 1, "z": 0}}, ["traits.z"]),
        ({"traits": {"x": 1, "name": "New"}}, []),
        ({"traits": {"x": 1, "name": "Else"}}, ["traits.name"]),
        ({"traits": None}, []),
        ({"healthScore": 7, "csmId": "P1"}, []),
    ],
)
def test_what_somebody_has_added_to_a_row(change: dict[str, Any], more: list[str]) -> None:
    row = row_of("account", *(value(name, None, sent) for name, sent in SENT.items()), operation="create")
    assert [*beyond(row, {**ROW, **change}, known)] == more


@pytest.mark.parametrize(("now", "more"), [({"x": "b "}, []), ({"x": "b"}, ["traits.x"])])
def test_a_trait_that_was_seen_is_compared_exactly(now: dict[str, Any], more: list[str]) -> None:
    row = row_of("account", value("traits.x", None, "b"), seen={"traits.x": "b "}, operation="create")
    assert [*beyond(row, {"id": "A9", "traits": now}, known)] == more


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({"accounts": [{"id": "A1"}]}, []),
        ({"accounts": [{"id": "A1"}, {"id": "A2", "externalId": "two"}]}, []),
        ({"accounts": [{"id": "A1"}, {"id": "A3"}]}, ["accountIds"]),
        ({"accounts": [{"id": "A4"}]}, ["accountIds"]),
        ({"organizations": [{"id": "O1"}]}, ["organizationIds"]),
        ({"unsubscribedFromConversations": False}, []),
        ({"unsubscribedFromConversations": True}, ["unsubscribedFromConversations"]),
    ],
)
def test_links_that_somebody_has_added_to_a_user(change: dict[str, Any], more: list[str]) -> None:
    """A link that was there before the sync (to A4) is not the sync's."""
    links = [link("A1"), link(None, "two"), link("A4", was=True)]
    row = row_of("user", links=links, operation="create", existed=False)
    assert [*beyond(row, {"id": "U1", **change}, known)] == more
