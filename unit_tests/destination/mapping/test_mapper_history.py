"""When the values of a row were so, which of two rows is the newer, and which of two contents are one."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from destination_vitally.compare.comparison import would_change
from destination_vitally.compare.equality import canonical
from destination_vitally.errors import ConfigError, RejectedError
from destination_vitally.lines import parse
from destination_vitally.mapping.layout import Types
from destination_vitally.mapping.values.cursors import cursor_of, is_older
from destination_vitally.mapping.values.times import emitted
from destination_vitally.objects.model import BatchRoute
from unit_tests.destination.builders import change, configured, plans, settings
from vitally_api.traits import CustomField

NOW = 1_790_000_000.0  # 2026-09-21T14:13:20Z
UUID = "0f0d5a52-0000-4000-8000-000000000000"
ACCOUNT = {"externalId": "a", "name": "A"}


def now() -> float:
    return NOW


# A time and an id of its own

HISTORY = {"fields": {"externalId": "id", "timestamp": "month", "messageId": "key"}, "traits": {"plan": "plan"}}


def test_a_row_may_carry_the_time_and_the_id_of_its_message() -> None:
    row = {"id": 1, "month": "2025-03-01", "key": "1-2025-03", "plan": "x"}
    made = change("account", "upsert", row, mapping=HISTORY, now=now)
    assert (made.sent_at, made.message_id) == ("2025-03-01T00:00:00Z", "1-2025-03")
    assert (made.fields, made.open_values) == ({"externalId": "1"}, {"plan": "x"})
    assert would_change(made, {"externalId": "1", "traits": {"plan": "x"}}) == ["timestamp"]
    undated = change("account", "upsert", {**row, "month": None, "key": ""}, mapping=HISTORY, clear_nulls=True)
    assert (undated.sent_at, undated.message_id, undated.fields) == ("", "", {"externalId": "1"})


def test_a_column_that_merely_has_the_name_stays_what_it_is() -> None:
    made = change("account", "upsert", {**ACCOUNT, "timestamp": "2025-03-01", "messageId": "m"})
    assert (made.sent_at, made.open_values) == ("", {"timestamp": "2025-03-01", "messageId": "m"})


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("2026-09-22T14:13:21Z", "timestamp is more than a day ahead of now"),
        ("1989-12-31", "timestamp must be between 1990 and 2100"),
        ("9999-12-31", "timestamp must be between 1990 and 2100"),
        (20260922, None),
    ],
)
def test_a_message_is_dated_in_our_days(when: Any, reason: str | None) -> None:
    row = {"id": 1, "month": when}
    event = {"event": "e", "userId": "u", "timestamp": when}
    if reason is None:
        assert change("account", "upsert", row, mapping=HISTORY, now=now).sent_at
        assert change("event", "create", event, now=now).fields["timestamp"]
        return
    with pytest.raises(RejectedError, match=f"account '1': {reason}"):
        change("account", "upsert", row, mapping=HISTORY, now=now)
    with pytest.raises(RejectedError, match=f"event: {reason}"):
        change("event", "create", event, now=now)


def test_a_row_with_a_time_of_its_own_goes_as_a_message(caplog: pytest.LogCaptureFixture) -> None:
    fields = {"externalId": "id", "timestamp": "at", "accountIds": "a", "unsubscribedFromConversations": "u"}
    row = {"id": 1, "at": "2025-03-01", "a": "x", "u": True}
    made = change("user", "upsert", row, mapping={"fields": fields}, now=now)
    assert isinstance(made.route, BatchRoute)
    assert "unsubscribedFromConversations is left out of rows with a timestamp" in caplog.text
    with pytest.raises(RejectedError, match="user '1': accountIds or organizationIds is required to upsert"):
        change("user", "upsert", {**row, "a": None}, mapping={"fields": fields}, now=now)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"operation": "update"}, "timestamp and messageId travel in messages of the Analytics API"),
        ({"analytics_token": None}, "timestamp and messageId travel in messages of the Analytics API"),
        ({"object": "task"}, "task has no field 'timestamp'"),
        ({"fields": {}, "constants": {"timestamp": "2025-03-01"}}, "account has no field 'timestamp'"),
    ],
)
def test_an_operation_without_messages_has_no_time(more: dict[str, Any], problem: str) -> None:
    token = {"analytics_token": more.pop("analytics_token")} if "analytics_token" in more else {}
    mapping = {"stream": "t", "object": "account", **HISTORY, **more}
    with pytest.raises(ConfigError, match=problem):
        plans(settings(mappings=[mapping], **token), configured("t"))


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [(1_790_000_000_000, 1_790_000_000_000), (1_790_000_000, 1_790_000_000_000), (1_790_000_000.5, 1_790_000_000_500),
     (0, None), (-1, None), (1, None), (1_790_000_000_000_000, None), ("1790000000", None), (None, None), (True, None)],
)  # fmt: skip
def test_the_time_of_emission_is_of_our_days(value: Any, milliseconds: float | None) -> None:
    assert emitted(value) == milliseconds


# What can only be emptied


def test_the_owner_of_an_account_can_be_emptied_where_a_mapping_names_it(caplog: pytest.LogCaptureFixture) -> None:
    mapping = {"fields": [
        {"field": "externalId", "column": "id"}, {"field": "accountOwnerId", "column": "owner", "null_values": "clear"},
    ]}  # fmt: skip
    made = change("account", "update", {"id": 1, "owner": None}, mapping=mapping)
    assert made.fields == {"externalId": "1", "accountOwnerId": None}
    assert not isinstance(change("account", "upsert", {"id": 1, "owner": None}, mapping=mapping).route, BatchRoute)
    with pytest.raises(RejectedError, match="accountOwnerId can only be emptied in Vitally, not set; the"):
        change("account", "update", {"id": 1, "owner": UUID}, mapping=mapping)
    assert change("account", "update", {**ACCOUNT, "accountOwnerId": UUID}).open_values == {"accountOwnerId": UUID}
    native = {"id": UUID, "createdAt": "2026", "updatedAt": "2026", **ACCOUNT, "accountOwnerId": UUID}
    assert not change("account", "update", native).open_values


# One content, and the newer row


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        (10, 10.0, True),
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.000Z", True),
        ("2026-01-31T09:30:00Z", "2026-01-31T10:30:00+01:00", True),
        ({"a": [1.0, {"b": 2.0}]}, {"a": [1, {"b": 2}]}, True),
        (10, "10", False),
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.001Z", False),
        ("2026-01-31", "2026-01-31T00:00:00Z", False),
        ("a", "A", False),
    ],
)
def test_the_meaning_of_an_event_does_not_change_with_its_spelling(one: Any, other: Any, is_one: bool) -> None:
    assert (canonical(one) == canonical(other)) is is_one


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2026-01-31T09:30:00Z", "2026-01-31T10:31:00+01:00"),
        ("2026-01-31T09:30:00.123456Z", "2026-01-31 09:30:00.123457"),
        (9, 10),
        ("9", "10"),
        (-5, 3.5),
        (2**60, 2**60 + 1),
        (0.1, 0.2),
        ("a9", "b10"),
        ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAW"),
    ],
)
def test_of_two_cursors_the_higher_is_newer(older: Any, newer: Any) -> None:
    one, other = (cursor_of({"a": {"b": value}}, ("a", "b")) for value in (older, newer))
    assert is_older(one, other)
    assert not is_older(other, one)
    assert not is_older(one, one)


@pytest.mark.parametrize(
    ("arrives", "kept"), [(None, 5), (5, None), (5, "2026-01-31"), ("a", 5), (True, 5), ([], 5), ("", "a"), ({}, {})]
)
def test_what_cannot_be_compared_is_not_older(arrives: Any, kept: Any) -> None:
    assert not is_older(cursor_of({"c": arrives}, ("c",)), cursor_of({"c": kept}, ("c",)))
    assert cursor_of({"c": 1}, ()) == cursor_of({}, ("c",)) == cursor_of({"c": 1}, ("c", "d")) == b""


@pytest.mark.parametrize(
    ("mode", "more", "cursor"),
    [
        ("append_dedup", {"cursor_field": ["updated_at"]}, ("updated_at",)),
        ("append_dedup", {"cursor_field": ["meta", "at"]}, ("meta", "at")),
        ("append_dedup", {}, ()),
        ("append", {"cursor_field": ["updated_at"]}, ()),
        ("overwrite", {"cursor_field": ["updated_at"]}, ()),
    ],
)
def test_the_cursor_is_that_of_a_deduplicated_stream(mode: str, more: Any, cursor: tuple[str, ...]) -> None:
    [plan] = plans(settings(), configured("accounts", mode, **more)).values()
    assert plan.cursor_field == cursor
    stream = configured("accounts", mode)
    stream["stream"] |= {"source_defined_cursor": True, "default_cursor_field": ["at"]}
    [plan] = plans(settings(), stream).values()
    assert plan.cursor_field == (("at",) if mode == "append_dedup" else ())


def test_a_decimal_that_would_be_rounded_arrives_as_its_digits() -> None:
    line = b'{"a": 12345678901234567.12345678, "b": 0.12345678901234567890, "c": 18014398509481984.0, "d": 4.928e+16}'
    row = parse(line)
    assert change("account", "upsert", {**ACCOUNT, **row}).open_values == {
        "a": "12345678901234567.12345678", "b": 0.12345678901234568, "c": 2.0**54, "d": 4.928e16,
    }  # fmt: skip
    assert change("account", "upsert", {**ACCOUNT, "name": row["a"]}).fields["name"] == "12345678901234567.12345678"
    seats = Types(lambda: {"seats": CustomField("number")})
    with pytest.raises(
        RejectedError,
        match=r"seats must be exact, and a number of this size would be rounded: give it the Type .cast. text",
    ):
        change("account", "upsert", {**ACCOUNT, "seats": row["a"]}, types=seats)


def test_nothing_is_logged_of_a_plain_row(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    types = Types(lambda: {"seats": CustomField("number")})
    change("account", "upsert", {**ACCOUNT, "seats": 3, "plan": "x", "traits": {"a": 1}}, types=types)
    assert not caplog.records
