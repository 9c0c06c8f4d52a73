"""What is remembered of a list between syncs, and the times in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta, timezone
from typing import Any

import pytest

from source_vitally.scan import Scan, ScanState, StateError
from source_vitally.times import format_time, parse_time


@pytest.mark.parametrize(
    ("blob", "complaint"),
    [
        ({"cursor": "x"}, "unknown keys cursor"),
        ({"page": 3, "cursor": "x", "updatedAt": None}, "unknown keys cursor, page$"),
        ({"updatedAt": 12345}, "not an ISO 8601 time"),
        ({"updatedAt": "yesterday"}, "not an ISO 8601 time"),
        ({"resume": "token"}, "no page cursor"),
        ({"resume": {"page": 3}}, "no page cursor"),
        ({"failed": ["x"]}, "no ids"),
    ],
)
def test_a_state_of_another_shape_is_refused_with_a_reason(blob: dict[str, Any], complaint: str) -> None:
    with pytest.raises(StateError, match=complaint):
        ScanState.from_json(blob, "updatedAt")


@pytest.fixture
def far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own zone is not UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T02:00:00.5+02:00", "2026-01-01T00:00:00.500Z"),
        ("2026-01-01T00:00:00.123999Z", "2026-01-01T00:00:00.123Z"),
        ("2026-01-01", "2026-01-01T00:00:00.000Z"),
        ("2026-W01-4T00:00:00Z", "2026-01-01T00:00:00.000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999Z"),
    ],
)
@pytest.mark.usefixtures("far_from_greenwich")
def test_times_are_read_in_every_iso_form_and_never_rounded_up(text: str, expected: str) -> None:
    parsed = parse_time(text)
    assert parsed is not None
    assert parsed.tzinfo is timezone.utc
    assert format_time(parsed) == expected


def test_the_look_back_ends_where_the_calendar_does() -> None:
    first = parse_time("0001-01-01T00:05:00Z")
    assert Scan(ScanState(first), timedelta(minutes=10)).floor == parse_time("0001-01-01T00:00:00Z")


@pytest.mark.parametrize(
    "value",
    [
        *(None, 5, "", "soon", {}, "2026-02-30T00:00:00Z", "+275760-09-13T00:00:00.000Z"),
        *("0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-05:00", "9999-12-31T24:00:00Z"),
    ],
)
def test_what_is_no_time_is_none(value: Any) -> None:
    assert parse_time(value) is None
