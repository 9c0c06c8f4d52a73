"""Which rows a table lacks, and which of them are deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from destination_vitally.errors import ListError, NotYetError, RejectedError
from destination_vitally.mapping.change import Change
from destination_vitally.mapping.values import VitallyId
from destination_vitally.mirror.missing import IDS_NAMED, Missing
from destination_vitally.objects.model import Object
from destination_vitally.objects.table import BY_NAME, INSTANCE
from destination_vitally.rows.store import Store
from destination_vitally.send.rest import Made
from unit_tests.destination.listed import START, Lists, Workspace, row

BEGAN = START + 30.0
OWN, YOURS = "r5", "x5"
NOTE = row(5)
NOTES = BY_NAME["note"]


def missing_in(fake: Any, *in_the_sync: tuple[str, ...], entry: Object = NOTES, began: float = BEGAN) -> Missing:
    """What is missing of a table, which has rows of some identities."""
    return Missing(fake, entry, lambda identity: identity in in_the_sync, began, Store())


def read(*rows: dict[str, Any], **more: Any) -> Missing:
    missing = missing_in(Lists(createdAt=[list(rows)]), *more.pop("in_the_sync", ()), **more)
    missing.read()
    return missing


# What is missing


@pytest.mark.parametrize(
    ("shown", "there", "is_missing", "kept"),
    [
        (NOTE, 1, True, {}),
        ({**NOTE, "source": None, "archivedAt": None}, 1, True, {}),
        # What could not be missing.
        ({**NOTE, "externalId": None}, 0, False, {}),
        ({**NOTE, "externalId": ""}, 0, False, {}),
        ({**NOTE, "archivedAt": NOTE["createdAt"]}, 0, False, {}),
        # What is not the table's.
        ({**NOTE, "source": "hubspot"}, 0, False, {"of an integration": 1}),
        # What the table may be too old for, up to the second.
        (row(29), 1, True, {}),
        (row(30), 1, False, {"newer than the sync": 1}),
        ({**NOTE, "createdAt": None}, 1, False, {"newer than the sync": 1}),
        ({**NOTE, "createdAt": "soon"}, 1, False, {"newer than the sync": 1}),
        # What no table can name.
        ({**NOTE, "externalId": ".."}, 1, False, {}),
    ],
)
def test_what_may_be_deleted(shown: dict[str, Any], there: int, is_missing: bool, kept: dict[str, int]) -> None:
    missing = read(shown)
    assert list(missing) == ([(shown["id"], shown["externalId"])] if is_missing else [])
    assert missing.there == there
    assert missing.missing == is_missing
    assert missing.kept == kept


@pytest.mark.parametrize(("began", "is_missing"), [(START + 5.0, False), (START + 5.9, False), (START + 6.0, True)])
def test_what_was_made_in_the_second_in_which_the_sync_began_is_kept(began: float, is_missing: bool) -> None:
    assert read(NOTE, began=began).missing == is_missing


@pytest.mark.parametrize(
    ("identity", "is_missing"),
    [
        (("user", "externalId", "7"), False),
        (("user", "id", OWN), False),
        (("user", "email", "ida@example.com"), False),
        (("user", "externalId", "x5"), True),
        (("user", "id", "7"), True),
        (("user", "email", "Ida@Example.com"), True),
    ],
)
def test_a_row_that_is_in_the_table_by_any_key_is_not_missing(identity: tuple[str, ...], is_missing: bool) -> None:
    shown = {**NOTE, "externalId": 7, "email": "Ida@Example.com"}
    missing = read(shown, in_the_sync=[identity], entry=BY_NAME["user"])
    assert list(missing) == ([(OWN, "7")] if is_missing else [])
    assert missing.there == 1
    assert missing.kept == {}


@pytest.mark.parametrize("empty", [None, "", " "])
def test_a_key_without_a_value_is_no_key(empty: str | None) -> None:
    shown = {**NOTE, "email": empty}
    assert read(shown, in_the_sync=[("user", "email", str(empty))], entry=BY_NAME["user"]).missing == 1


def test_rows_of_all_parts_of_a_list_count_once() -> None:
    first, second = ("createdAt target=accounts", "createdAt target=organization")
    lists = Lists(**{first: [[row(9), row(5)], [row(5), row(3)]], second: [[row(9), row(41), row(40)], [row(2)]]})
    missing = missing_in(lists, ("nps_response", "externalId", "x3"), entry=BY_NAME["nps_response"])
    missing.read()
    assert list(missing) == [("r2", "x2"), ("r5", "x5"), ("r9", "x9")]
    assert (missing.there, missing.missing) == (6, 3)
    assert missing.kept == {"newer than the sync": 2}
    assert lists.asked == [f"{first} 0", f"{first} 1", f"{second} 0", f"{second} 1"]


def test_a_list_that_is_not_read_to_its_end_is_an_error() -> None:
    with pytest.raises(ListError):
        missing_in(Lists(createdAt=[[NOTE], 400])).read()


@pytest.mark.parametrize("count", [0, 1, 2, IDS_NAMED, IDS_NAMED + 1])
def test_the_first_are_named(count: int) -> None:
    rows = [{**NOTE, "id": f"r{n:02}", "externalId": f"x{n:02}"} for n in range(count)]
    names = ", ".join(f"'x{n:02}'" for n in range(min(count, IDS_NAMED)))
    assert read(*rows).named == (f"{names}, ..." if count > IDS_NAMED else names)


# What is deleted


class Deletes:
    """Takes deletes, or fails with an error each time."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.made: list[Change] = []

    def __call__(self, change: Change) -> Made:
        if self.errors:
            raise self.errors.pop(0)
        self.made.append(change)
        return Made("deleted")


def test_a_row_that_is_as_the_list_showed_it_is_deleted() -> None:
    there = Workspace(notes=[NOTE])
    missing, deletes = missing_in(there), Deletes()
    assert missing.delete(OWN, YOURS, deletes) == "note 'x5': deleted"
    [change] = deletes.made
    assert change == Change(NOTES, "delete", NOTES.operations["delete"][0], "note 'x5'", {"id": OWN}, {})
    assert isinstance(change.fields["id"], VitallyId)
    assert there.asked == ["/notes/r5"]
    assert (missing.deleted, missing.kept, missing.problem) == (1, {}, "")


@pytest.mark.parametrize(
    ("now", "why"),
    [
        ([], "gone meanwhile"),
        ([{**NOTE, "archivedAt": NOTE["createdAt"]}], "gone meanwhile"),
        ([{**NOTE, "externalId": "else"}], "changed meanwhile"),
        ([{**NOTE, "externalId": None}], "changed meanwhile"),
        ([{**NOTE, "source": "hubspot"}], "changed meanwhile"),
        ([{**NOTE, "createdAt": row(31)["createdAt"]}], "changed meanwhile"),
        ([{**NOTE, "email": "Ida@example.com"}], "changed meanwhile"),
    ],
)
def test_a_row_that_is_another_by_now_is_kept(now: list[dict[str, Any]], why: str) -> None:
    missing = missing_in(Workspace(users=now), ("user", "email", "ida@example.com"), entry=BY_NAME["user"])
    deletes = Deletes()
    assert missing.delete(OWN, YOURS, deletes) == f"user 'x5': {why}"
    assert deletes.made == []
    assert (missing.deleted, missing.kept, missing.problem) == (0, {why: 1}, "")


@pytest.mark.parametrize(
    ("entry", "own", "path"),
    [
        (NOTES, "a b/c", "/notes/a%20b%2Fc"),
        (replace(INSTANCE, name="custom_object/feature", path="/features"), "a b/c", "/features/search"),
    ],
)
def test_a_row_is_read_where_its_object_is_read(entry: Object, own: str, path: str) -> None:
    rows = [{**NOTE, "id": own, "externalId": 7}, {**NOTE, "id": "another"}]
    there = Workspace(notes=rows, features=rows[::-1])
    missing = missing_in(there, entry=entry)
    assert missing.delete(own, "7", Deletes()) == f"{entry.name} '7': deleted"
    assert there.asked == [path]


def test_what_is_refused_is_counted_and_the_first_reason_is_kept() -> None:
    there = Workspace(notes=[NOTE, row(6)])
    missing = missing_in(there)
    assert missing.delete(OWN, YOURS, Deletes(RejectedError("Locked."))) == "note 'x5': not deleted"
    there.refused["/notes/r6"] = 400
    assert missing.delete("r6", "x6", Deletes()) == "note 'x6': not deleted"
    del there.refused["/notes/r6"]
    assert missing.delete("r6", "x6", Deletes()) == "note 'x6': deleted"
    assert missing.delete("r7", "x7", Deletes()) == "note 'x7': gone meanwhile"
    assert (missing.deleted, missing.kept, missing.problem) == (1, {"not deleted": 2, "gone meanwhile": 1}, "Locked.")


def test_what_cannot_be_asked_for_is_said() -> None:
    there = Workspace()
    there.refused["/notes/r5"] = 400
    missing = missing_in(there)
    missing.delete(OWN, YOURS, Deletes())
    assert missing.problem == "note 'x5': Vitally does not say whether it is there: No."


def test_a_row_to_which_a_message_is_on_its_way_is_kept() -> None:
    """Given a row that a message of this sync is on its way to, then it is in the sync after all: nothing waits for
    the message, and nothing is deleted."""
    missing, deletes = missing_in(Workspace(notes=[NOTE])), Deletes(NotYetError(NOTES, YOURS, is_acted=True))
    assert missing.delete(OWN, YOURS, deletes) == "note 'x5': changed meanwhile"
    assert (missing.deleted, missing.kept, missing.problem) == (0, {"changed meanwhile": 1}, "")
    missing.delete(OWN, YOURS, deletes)
    assert missing.deleted == 1
