"""Values in the form Vitally wants."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destination_vitally.mapping.values import casts, identifier, moment_of
from destination_vitally.mapping.values.lists import identifiers
from destination_vitally.mapping.values.times import date_time
from destination_vitally.objects.model import Field, Kind


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (Kind.TEXT, "x", "x"),
        (Kind.TEXT, 42, "42"),
        (Kind.TEXT, 42.0, "42"),
        (Kind.TEXT, 1.5, "1.5"),
        (Kind.NUMBER, "12.50", 12.5),
        (Kind.NUMBER, "7", 7),
        (Kind.NUMBER, 3, 3),
        (Kind.NUMBER, "7.0", 7),
        (Kind.SCORE, "9", 9),
        (Kind.SCORE, 0, 0),
        (Kind.SCORE, 10.0, 10),
        (Kind.BOOLEAN, "TRUE", True),
        (Kind.BOOLEAN, 0, False),
        (Kind.BOOLEAN, "1", True),
        (Kind.BOOLEAN, "False", False),
        (Kind.DATE, "2026-03-04", "2026-03-04"),
        (Kind.DATE, "2026-03-04T23:30:00-02:00", "2026-03-05"),
        (Kind.TEXTS, ["a", 1, None, ""], ["a", "1"]),
        (Kind.TEXTS, "a", ["a"]),
        (Kind.LIST, [{}], [{}]),
        (Kind.OBJECT, {"a": 1}, {"a": 1}),
    ],
)
def test_accepted(kind: Kind, value: Any, wanted: Any) -> None:
    coerced = casts.of_field(Field("x", kind))(value)
    assert coerced == wanted
    assert type(coerced) is type(wanted)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("2026-03-04T05:06:07Z", "2026-03-04T05:06:07Z"),
        ("2026-03-04T05:06:07.123456Z", "2026-03-04T05:06:07.123456Z"),
        ("2026-01-31T05:06:07.000Z", "2026-01-31T05:06:07.000Z"),
        ("2024-02-29T05:06:07.000Z", "2024-02-29T05:06:07.000Z"),
        ("2026-03-04T05:06:07.123456789Z", "2026-03-04T05:06:07.123456Z"),
        ("2026-03-04T05:06:07", "2026-03-04T05:06:07Z"),
        ("2026-03-04 05:06", "2026-03-04T05:06:00Z"),
        ("2026-03-04", "2026-03-04T00:00:00Z"),
        ("2026-03-04T05:06:07+02:00", "2026-03-04T03:06:07Z"),
        ("2026-03-04T15:06:07+12", "2026-03-04T03:06:07Z"),
        ("2026-03-04 05:06:07.5-0130", "2026-03-04T06:36:07.500Z"),
        ("2026-03-04 05:06:07 UTC", "2026-03-04T05:06:07Z"),
        (1_772_600_767, "2026-03-04T05:06:07Z"),
        (1_772_600_767_250, "2026-03-04T05:06:07.250Z"),
        (631_152_000, "1990-01-01T00:00:00Z"),
        (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
    ],
)
def test_moments(value: Any, wanted: str) -> None:
    assert date_time(value) == wanted


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.TEXT, {"hidden": 1}), (Kind.TEXT, ["hidden"]), (Kind.TEXT, True),
        (Kind.NUMBER, "hidden"), (Kind.NUMBER, "nan"), (Kind.NUMBER, "inf"), (Kind.NUMBER, True),
        (Kind.SCORE, 11), (Kind.SCORE, -1), (Kind.SCORE, 7.5), (Kind.SCORE, "hidden"),
        (Kind.BOOLEAN, "hidden"), (Kind.BOOLEAN, 2),
        (Kind.DATETIME, "hidden"), (Kind.DATETIME, "2026-13-45"), (Kind.DATETIME, "2026-02-29T00:00:00Z"),
        (Kind.DATETIME, {}),
        (Kind.DATE, "2026-02-30"), (Kind.DATE, "hidden"),
        (Kind.TEXTS, [["hidden"], "a"]), (Kind.LIST, "hidden"), (Kind.OBJECT, "hidden"),
    ],
)  # fmt: skip
def test_refused_without_being_quoted(kind: Kind, value: Any) -> None:
    with pytest.raises(ValueError, match=r"^must be ") as caught:
        casts.of_field(Field("x", kind))(value)
    assert "hidden" not in str(caught.value)


@given(st.sampled_from(Kind), st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_nothing_but_a_value_error_comes_out(kind: Kind, value: Any) -> None:
    with suppress(ValueError):
        casts.of_field(Field("x", kind))(value)


@given(st.datetimes())
def test_any_time_survives(when: Any) -> None:
    assert date_time(date_time(when.isoformat())) == date_time(when.isoformat())


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(7.0, "7"), (2.0**53 - 1, "9007199254740991"), (0.123456789012345, "0.123456789012345"), (" x ", "x"), (5, "5")],
)
def test_an_id_is_its_digits_or_its_text_without_the_spaces_around_it(value: Any, wanted: str) -> None:
    assert identifier(value) == wanted
    assert identifiers(value) == identifiers([None, value, ""]) == [wanted]


@pytest.mark.parametrize("value", [2.0**53, -(2.0**53), 0.1234567890123456, ".", ".."])
def test_a_number_that_may_have_been_rounded_is_no_id_nor_is_a_place(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^must (be exact|not be)"):
        identifier(value)


def test_emission_times() -> None:
    assert moment_of(1_772_600_767_250.0) == "2026-03-04T05:06:07.250Z"
