"""What one may take from a row that is known, and from an answer."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.rows.facts import Answer, Known
from unit_tests.destination.rows.asking import ARCHIVED


@pytest.mark.parametrize(
    ("row", "external_id"),
    [
        ({"id": "A"}, ""),
        ({"id": "A", "externalId": None}, ""),
        ({"id": "A", "externalId": "a"}, "a"),
        ({"id": "A", "externalId": 7}, "7"),
    ],
)
def test_a_row_has_vitallys_id_and_may_have_yours(row: dict[str, Any], external_id: str) -> None:
    assert (Known(row).id, Known(row).external_id) == ("A", external_id)


@pytest.mark.parametrize(("written", "is_own"), [(None, False), (0.0, True), (5.0, True)])
def test_a_row_that_was_written_is_this_syncs_own(written: float | None, is_own: bool) -> None:
    """Given a row that was written in the first second of the clock, then it is no less the sync's own."""
    assert Known({"id": "A"}, written=written).is_own is is_own


def test_live_are_those_rows_that_nobody_has_archived() -> None:
    live, again, gone = Known({"id": "A", "archivedAt": None}), Known({"id": "C"}), Known({"id": "B", **ARCHIVED})
    assert Answer((live, gone, again)).live == {"A": live, "C": again}
    assert [one.is_archived for one in (live, gone, again)] == [False, True, False]
    assert Answer((gone,)).live == Answer().live == {}
