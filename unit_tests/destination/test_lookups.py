"""Looking rows up, where an answer or a list holds more than the row that is meant."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from destination_vitally.objects.table import BY_NAME
from destination_vitally.transports.landing import Landing
from destination_vitally.transports.listing import SINGLES_FIRST, Listing
from destination_vitally.transports.lookups import Finder, Paths
from destination_vitally.transports.references import References
from destination_vitally.transports.reply import Reply
from integration_tests.harness import QuickClock
from unit_tests.destination.builders import change

REFERENCES = References(None, Landing(None, QuickClock()))


class Rest:
    """Answers each path with its rows, no more than it is asked for."""

    def __init__(self, **lists: list[dict[str, Any]]) -> None:
        self.lists = {name.replace("_", "/"): rows for name, rows in lists.items()}
        self.asked: list[str] = []

    def send(self, method: str, path: str, *_: Any, **__: Any) -> Reply:
        assert method == "GET"
        address = urlsplit(path)
        self.asked.append(address.path)
        limit = int(parse_qs(address.query).get("limit", ["100"])[0])
        rows = next((rows for name, rows in self.lists.items() if address.path.endswith(name)), None)
        return Reply(404, {"error": "Not found"}, "") if rows is None else Reply(200, {"results": rows[:limit]}, "")


class Below(Paths):
    """Paths below parents that are known by any id."""

    def parent(self, name: str) -> str:
        return str(self._change.fields[name])


def found(rest: Rest, name: str, data: dict[str, Any]) -> Any:
    asked = change(name, "update", data)
    row = Finder(rest).find(asked, Below(asked, REFERENCES))  # type: ignore[arg-type]
    return row and row["id"]


@pytest.mark.parametrize("given", ["ida@example.com", "Ida@Example.com", "IDA@EXAMPLE.COM"])
@pytest.mark.parametrize("stored", ["ida@example.com", "Ida@Example.com"])
def test_an_email_is_the_same_in_any_case(given: str, stored: str) -> None:
    rest = Rest(users_search=[{"id": "other", "email": "ida@example.org"}, {"id": "ida", "email": stored}])
    assert found(rest, "user", {"email": given, "name": "Ida"}) == "ida"


@pytest.mark.parametrize("name", ["note", "task"])
@pytest.mark.parametrize("holder", ["accounts/a", "organizations/o"])
def test_a_row_is_looked_for_below_each_of_its_parents(name: str, holder: str) -> None:
    lists = {f"{parent}_{name}s": list[dict[str, Any]]() for parent in ("accounts_a", "organizations_o")}
    lists[f"{holder.replace('/', '_')}_{name}s"] = [{"id": "found", "externalId": "x"}]
    rest = Rest(**lists)
    assert found(rest, name, {"externalId": "x", "accountId": "a", "organizationId": "o"}) == "found"
    assert found(rest, name, {"externalId": "y", "accountId": "a", "organizationId": "o"}) is None


@pytest.mark.parametrize("place", [0, 1, 99])
def test_each_of_the_newest_rows_is_looked_at(place: int) -> None:
    rows = [{"id": f"r{n}", "externalId": f"x{n}"} for n in range(120)]
    assert found(Rest(conversations=rows), "conversation", {"externalId": f"x{place}", "subject": "S"}) == f"r{place}"


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
