"""Lists read as far as they are worth it, and what they prove."""

from __future__ import annotations

import pytest

from destination_vitally.objects.table import BY_NAME
from destination_vitally.transports.listing import SINGLES_FIRST, Listing
from destination_vitally.transports.reply import Reply
from integration_tests.harness import QuickClock


class Paged:
    """A list of pages, each a list of the times at which its rows were made, in seconds."""

    def __init__(self, *pages: list[int]) -> None:
        self._pages = list(pages)

    def send(self, method: str, path: str) -> Reply:
        assert method == "GET"
        assert path.startswith("/tasks?")
        page = self._pages.pop(0) if self._pages else []
        rows = [{"id": f"r{second}", "createdAt": f"2026-01-01T00:00:{second:02}.000Z"} for second in page]
        return Reply(200, {"results": rows, "next": f"more{len(self._pages)}" if self._pages else None}, "")


@pytest.mark.parametrize(
    ("pages", "is_complete"),
    [
        ([[9, 8], [8, 1]], True),
        ([[]], True),
        ([[9, 8], [9]], False),
        ([[8, 9]], False),
        ([[9, 8], []], False),
        ([[9], [], [8]], False),
    ],
)
def test_only_a_whole_list_in_order_proves_that_a_row_is_not_there(pages: list[list[int]], is_complete: bool) -> None:
    listing = Listing(Paged(*pages), BY_NAME["task"], QuickClock(), lambda rows: None)  # type: ignore[arg-type]
    listing.want(SINGLES_FIRST + 1)
    assert listing.is_read
    assert listing.is_complete is is_complete


def test_few_rows_read_no_list() -> None:
    listing = Listing(Paged([1]), BY_NAME["task"], QuickClock(), lambda rows: None)  # type: ignore[arg-type]
    listing.want(SINGLES_FIRST)
    assert not listing.is_read


def test_a_list_of_exactly_as_many_pages_as_are_worth_it_is_known_to_be_read() -> None:
    pages = [[9]] * (SINGLES_FIRST + 1)
    listing = Listing(Paged(*pages), BY_NAME["task"], QuickClock(), lambda rows: None)  # type: ignore[arg-type]
    listing.want(SINGLES_FIRST + 1)
    assert listing.is_read
    assert listing.is_complete
