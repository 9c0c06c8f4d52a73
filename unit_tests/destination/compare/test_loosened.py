"""Whether Vitally may have stored a value otherwise than it was sent: then nothing waits for more."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.compare.comparison import How, differing
from destination_vitally.compare.equality import same
from destination_vitally.compare.loosened import alike
from destination_vitally.objects.table import BY_NAME


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        # Blanks
        (" Acme  Inc.\n", "Acme Inc."),
        ("Acme\u00a0Inc.", "Acme Inc."),
        ("  ", None),
        ("\t", ""),
        # Case
        ("Ida@Example.com", "ida@example.com"),
        ("STRASSE", "straße"),
        # Fewer decimals, rounded or cut off
        (12.345, 12.35),
        (12.345, 12.34),
        (12.345, 12),
        (12.999, 13),
        (-0.4, 0),
        ("12.345", 12.3),
        (12.345, "12.35"),
        (0.004, 0.0),
        # A day and its midnight, and a time and its day
        ("2026-01-31", "2026-01-31T00:00:00.000Z"),
        ("2026-01-31T09:30:00Z", "2026-01-31"),
        ("2026-01-31T09:30:00.123456Z", "2026-01-31T09:30:00Z"),
        # Tags of HTML
        ("<h1>Hi</h1> <b>you</b>", "Hi <b>you</b>"),
        ("<p>Hi</p>", "Hi"),
        # Lists, in another order, with entries stored otherwise, each entry once more
        (["b", "A"], ["a", "B"]),
        (["a", " b "], ["b", "a"]),
        ([1.234, 5], [5, 1.23]),
        ([1.234, 2], [2, 1.23]),
        ('["b", "A"]', ["a", "b"]),
        (["a", "b"], ["a", "b", "A"]),
        # What is in objects
        ({"a": " x ", "b": 1.26}, {"a": "X", "b": 1.3, "more": 1}),
        ([{"a": "X"}], [{"a": "x"}]),
    ],
)
def test_what_may_be_the_same_value_stored_otherwise(sent: Any, shown: Any) -> None:
    assert alike(sent, shown)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Acme", "Acne"),
        ("Acme", "Ac me"),
        ("Acme", "Acme 2"),
        ("Acme", None),
        ("Acme", ""),
        (None, "Acme"),
        ("", "Acme"),
        (0, None),
        (False, None),
        # Another number, or one of more decimals
        (12, 13),
        (12.345, 12.36),
        (12.345, 12.33),
        (12.345, 11),
        (12, 12.5),
        (0.5, 1e-7),
        (0, 5),
        ("0", 5),
        (86_400, 90_000),
        (12.3, 12.345),
        (10**400, 1.5),
        (1.5, "one"),
        ("one", 1.5),
        (True, 5),
        (True, "maybe"),
        (True, False),
        # Another time
        ("2026-01-31", "2026-02-01"),
        ("2026-01-31T09:30:00Z", "2026-01-31T09:31:00Z"),
        ("<p>Hi</p>", "<p>Ho</p>"),
        # Entries that are missing or new
        (["a", "b"], ["a"]),
        (["a", "a"], ["a"]),
        (["a"], ["a", "b"]),
        ([], ["a"]),
        ({"a": 1}, {}),
        ({"a": 1}, {"a": 2}),
        ({"a": "x"}, "x"),
        ([{"a": 1}], [{"a": 2}]),
    ],
)
def test_what_is_another_value_in_any_form(sent: Any, shown: Any) -> None:
    assert not alike(sent, shown)


def test_emails_are_the_same_in_any_case_even_where_nothing_is_loosened() -> None:
    assert same("Ida@Example.com", "ida@example.com", any_case=True)
    assert alike("Ida@Example.com", " ida@example.com", any_case=True)


def test_a_row_is_compared_by_it_field_by_field_and_trait_by_trait() -> None:
    """Given a row whose values Vitally trimmed, lowered, rounded or never took, when it is compared loosely, then only
    what it never took differs."""
    fields = {"name": " Acme ", "avatar": "https://a.example"}
    traits = {"plan": "Team", "seats": 3.14159, "region": "eu", "gone": None}
    row = {
        "name": "acme",
        "avatar": "https://b.example",
        "traits": {"plan": "TEAM", "seats": 3.14, "region": "us", "gone": "x"},
    }
    entry = BY_NAME["account"]
    assert differing(entry, fields, traits, row, How(equal=alike)) == ["avatar", "traits.region", "traits.gone"]
    assert differing(entry, fields, traits, row) == [
        *("name", "avatar"),
        *("traits.plan", "traits.seats", "traits.region", "traits.gone"),
    ]
