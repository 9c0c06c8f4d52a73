"""Whether two values are one: as a reader would say, and as one must be sure of before nothing is sent."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.compare.equality import is_empty, same, unchanged


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


@pytest.mark.parametrize(
    ("value", "is_none"),
    [(None, True), ("", True), ([], True), ({}, True), (0, False), (False, False), (" ", False), ([None], False)],
)
def test_a_value_that_is_removed_is_shown_as_null_as_an_empty_text_or_list_or_not_at_all(
    value: Any, is_none: bool
) -> None:
    assert is_empty(value) is is_none
