"""What is said at the end: counts, and the rows that are not as they were, within bounds."""

from __future__ import annotations

import pytest

from destination_vitally.undo.report import LONGEST_LINE, MOST_LINES, Kind, Report


def report(*, is_dry_run: bool = False) -> Report:
    return Report(is_dry_run=is_dry_run)


def test_values_are_counted_and_rows_named() -> None:
    said = report()
    said.add(Kind.SET_BACK, "account 'a'", ["name", "traits.x"])
    said.add(Kind.CHANGED, "account 'b'", ["name", "traits.x"])
    said.add(Kind.CHANGED, "account 'c'", why="it is archived")
    said.add(Kind.DELETED, "account 'd'")
    assert [*said.sentences()] == [
        "account 'b': left alone, changed since: name, traits.x",
        "account 'c': left alone, changed since (it is archived)",
        "Undo: 2 values set back; 1 rows deleted; 3 left alone, changed since.",
    ]


@pytest.mark.parametrize("is_dry_run", [True, False])
def test_each_kind_has_words(is_dry_run: bool) -> None:
    for kind in Kind:
        said = report(is_dry_run=is_dry_run)
        said.add(kind, "account 'a'")
        *lines, last = said.sentences()
        assert len(lines) == kind.is_named
        assert last.endswith(f"Undo: {kind.counted(1, is_dry_run=is_dry_run)}.")
        assert "would be" not in last or is_dry_run
        assert last.startswith("Dry run, nothing was sent.") is is_dry_run


def test_lines_are_bounded() -> None:
    said = report()
    for number in range(MOST_LINES + 2):
        said.add(Kind.NEVER, f"account '{number}'", why="x" * 10_000)
    *lines, more, last = said.sentences()
    assert len(lines) == MOST_LINES
    assert max(map(len, lines)) <= LONGEST_LINE + 3
    assert (more, last) == ("2 more are not named.", f"Undo: {MOST_LINES + 2} cannot be undone.")


def test_nothing_to_undo() -> None:
    assert [*report().sentences()] == ["Undo: there is nothing to undo."]
