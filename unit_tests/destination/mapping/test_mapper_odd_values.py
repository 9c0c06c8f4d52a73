"""Odd values in each kind of field: each is one value, refused for a reason, or left alone; never another value."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from destination_vitally.compare.equality import same
from destination_vitally.errors import RejectedError
from unit_tests.destination.builders import change, mapper
from unit_tests.destination.odd_values import DAY, LEFT, PLACES, SAME, TABLE, TYPES, UUID, ZEROS, Place, Refused


def outcome(place: Place, value: Any) -> Any:
    """What a value becomes, or LEFT; raises RejectedError."""
    record = {**place.rest, place.name: value}
    operation: Any = "create" if place.entry == "event" else "upsert"
    made = change(place.entry, operation, record, types=TYPES)
    return {**made.fields, **made.open_values}.get(place.name, LEFT)


@pytest.mark.parametrize(("value", "cells"), TABLE)
def test_each_cell_says_what_a_value_is(value: Any, cells: dict[str, Any]) -> None:
    assert cells.keys() == PLACES.keys()
    for kind, expected in cells.items():
        for place in PLACES[kind]:
            if isinstance(expected, Refused):
                with pytest.raises(RejectedError) as caught:
                    outcome(place, value)
                assert f"{place.name} {expected.reason or place.problem}" in str(caught.value) or (
                    expected.reason and expected.reason in str(caught.value)
                ), kind
                continue
            found = outcome(place, value)
            wanted = value if expected is SAME else expected
            assert (found, type(found)) == (wanted, type(wanted)), f"{kind}: {place.name}"


def test_an_email_that_stands_for_a_user_is_an_id_as_well() -> None:
    with pytest.raises(RejectedError, match="userEmail must be an id"):
        change("membership", "upsert", {"userEmail": "null", "accountId": "a"})


@pytest.mark.parametrize("value", ["null", ZEROS, "[object Object]"])
@pytest.mark.parametrize("name", ["externalId", "organizationId"])
def test_a_mapping_can_say_that_a_placeholder_is_an_id_like_any_other(name: str, value: str) -> None:
    row = {"externalId": "a", "id": UUID, name: value}
    mapping = {"fields": [{"field": name, "column": name, "cast": "text"}], "other_columns": "ignore"}
    assert change("account", "upsert", row, mapping=mapping).fields[name] == value
    constant = {"constants": [{"field": name, "value": value}]}
    assert change("account", "upsert", row, mapping=constant).fields[name] == value


CASTS = {
    ("unix_seconds", 0): "1970-01-01T00:00:00Z",
    ("unix_seconds", "2026013109"): "2034-03-15T05:25:09Z",
    ("unix_milliseconds", 20260131): "1970-01-01T05:37:40.131Z",
    ("unix_milliseconds", -1): "1969-12-31T23:59:59.999Z",
    ("date", 1769860800): DAY,
    ("text", 20260131): "20260131",
}


@pytest.mark.parametrize(("cast", "value"), CASTS)
def test_a_cast_says_which_of_two_things_a_value_is(cast: str, value: Any) -> None:
    mapping = {"fields": {"externalId": "id"}, "traits": [{"trait": "p", "column": "p", "cast": cast}]}
    assert change("account", "upsert", {"id": 1, "p": value}, mapping=mapping).open_values["p"] == CASTS[cast, value]
    if cast.startswith("unix"):
        fields = [{"field": "externalId", "column": "id"}, {"field": "joinDate", "column": "p", "cast": cast}]
        made = change("user", "update", {"id": 1, "p": value}, mapping={"fields": fields})
        assert made.fields["joinDate"] == CASTS[cast, value]


ZONES = {
    "2026-01-31 09:30": ("2026-01-31T08:30:00Z", "2026-01-31"),
    "2026-07-31T00:30:00": ("2026-07-30T22:30:00Z", "2026-07-31"),
    "20260131093000": ("2026-01-31T08:30:00Z", "2026-01-31"),
    "2026-01-31T23:30:00Z": ("2026-01-31T23:30:00Z", "2026-02-01"),
    "2026-01-31": ("2026-01-31T00:00:00Z", "2026-01-31"),
    "20260131": ("2026-01-31T00:00:00Z", "2026-01-31"),
    1769901000: ("2026-01-31T23:10:00Z", "2026-02-01"),
}


@pytest.mark.parametrize("value", ZONES)
def test_a_table_may_be_in_local_time(value: Any) -> None:
    mapping = {"fields": {"externalId": "id", "completedAt": "x", "dueDate": "x"}, "time_zone": "Europe/Berlin"}
    made = change("task", "update", {"id": 1, "x": value}, mapping=mapping)
    assert (made.fields["completedAt"], made.fields["dueDate"]) == ZONES[value]


def test_a_number_that_is_no_time_is_logged_once_per_column(caplog: pytest.LogCaptureFixture) -> None:
    tasks = mapper("task", "update", types=TYPES)
    for value in (0, 46053, "0"):
        made = tasks.change({"externalId": "t", "dueDate": value, "traits": {"date": value}})
        assert (made.fields, made.open_values) == ({"externalId": "t"}, {})
    assert caplog.text.count("column 'dueDate' holds numbers that are no time between 1990 and 2100") == 1
    assert len(caplog.records) == 2


# Generated rows

DIGITS = st.text("0123456789", min_size=1, max_size=16)
WRITTEN = st.one_of(
    DIGITS,
    st.builds("{}{}{}".format, DIGITS, st.sampled_from(["_", ".", ",", "e", "-", ":", " "]), DIGITS),
    st.datetimes(datetime(1970, 1, 1), datetime(2110, 1, 1)).map(lambda when: when.isoformat()),
    st.dates().map(lambda when: when.strftime("%Y%m%d")),
    st.text("[]{}\"',ab\\ ", max_size=8),
    st.text(max_size=6),
    st.sampled_from(["true", "No", "null", "NaN", "y", "1.0"]),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), WRITTEN)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.sampled_from("ab"), SCALARS, max_size=2))
TIMES = st.integers(-(10**5), 5 * 10**9) | st.integers(5 * 10**11, 5 * 10**12)


def is_that(kind: str, value: Any, found: Any) -> bool:
    """Whether what was made of a value says the same, by rules that are not those of the code."""
    written = str(value).strip()
    if kind == "number":
        is_exact = (
            isinstance(value, float) or abs(found) < 2**53 or Decimal(written) in (Decimal(found), Decimal(repr(found)))
        )
        return float(written) == float(found) and is_exact
    if kind == "boolean":
        return found is (written.lower()[:1] in "ty1")
    if kind in ("date", "datetime"):
        return bool(found[:10].replace("-", "") == written.replace("-", "")[:8]) or is_unix(written, found)
    if kind in ("id", "reference", "text"):
        entries = value if isinstance(value, list) else [value]
        alone = next((one for one in entries if one is not None and str(one).strip()), None)
        return found == value or visible(found) == visible(str(alone)) or bool(same(found, alone))
    return same(found, value) or kind in ("references", "tags", "list")


def visible(text: str) -> str:
    """A text without what nobody sees at its ends."""
    seen = [n for n, letter in enumerate(text) if not letter.isspace() and unicodedata.category(letter) != "Cf"]
    return text[seen[0] : seen[-1] + 1] if seen else ""


def is_unix(written: str, found: str) -> bool:
    seconds = Decimal(written) / (1000 if Decimal(written) > 10**11 else 1)
    when = datetime.fromtimestamp(int(seconds), timezone.utc)
    return datetime(1990, 1, 1, tzinfo=timezone.utc) <= when and when.isoformat()[: len(found[:19])] == found[:19]


@settings(max_examples=300, deadline=None)
@example("1000000000000001e2", ("number", PLACES["number"][0]))
@example(" ", ("text", PLACES["text"][0]))
@given(VALUES | TIMES, st.sampled_from([(kind, place) for kind, places in PLACES.items() for place in places]))
def test_no_value_becomes_another_in_silence(value: Any, where: tuple[str, Place]) -> None:
    kind, place = where
    try:
        found = outcome(place, value)
    except RejectedError as error:
        assert place.name in str(error)  # noqa: PT017 - either is right
        return
    if found is LEFT:
        is_blank = not str(value).strip() or value in (None, []) or (isinstance(value, list) and not any(value))
        assert is_blank or kind in ("date", "datetime"), value
    else:
        assert is_that(kind, value, found), (kind, value, found)
