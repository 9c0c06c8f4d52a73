"""What is read of rows that come from Vitally, beside rows of any table."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.errors import RejectedError
from destination_vitally.mapping.layout import Types
from destination_vitally.mapping.values import VitallyId
from unit_tests.destination.builders import change
from vitally_api.traits import CustomField

UUID, OTHER = "0f0d5a52-0000-4000-8000-000000000000", "0f0d5a52-0000-4000-8000-000000000001"
READ = {"id": UUID, "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "traits": {}}
"""What makes a row one that was read from Vitally."""

TYPES = Types(lambda: {"vitally.custom.seats": CustomField("number", "Seats")})


@pytest.mark.parametrize(
    ("given", "native", "other"),
    [
        ({"traits": {"vitally.custom.seats": "3", "plan": "3"}}, "3", 3),
        ({"traits": {"vitally.custom.seats": 4, "plan": "3"}}, 4, 4),
        ({"traits": {"vitally.custom.seats": None, "plan": "3"}}, None, None),
        ({"vitally.custom.seats": "3", "plan": "3"}, "3", 3),
        ({"vitally.custom.seats": " ", "plan": "3"}, " ", None),
    ],
)
def test_traits_that_vitally_has_shown_stay_as_they_are_others_are_brought_to_their_type(
    given: dict[str, Any], native: Any, other: Any
) -> None:
    for row, seats in (({**READ, "externalId": "a", **given}, native), ({"externalId": "a", **given}, other)):
        made = change("account", "upsert", row, types=TYPES, clear_nulls=True)
        assert made.open_values == {"vitally.custom.seats": seats, "plan": "3"}


def test_a_trait_that_is_not_of_its_type_is_named() -> None:
    with pytest.raises(RejectedError) as caught:
        change("account", "upsert", {"externalId": "a", "traits": {"vitally.custom.seats": "many"}}, types=TYPES)
    assert str(caught.value) == "account 'a': traits vitally.custom.seats must be a number; the value is a text"


@pytest.mark.parametrize(
    ("name", "column", "value", "ids"),
    [
        ("account", "organizationId", OTHER, OTHER),
        ("account", "organizationId", "", None),
        ("account", "organizationId", None, None),
        ("user", "accountIds", [OTHER, UUID], [OTHER, UUID]),
        ("user", "accountIds", f'["{OTHER}"]', [OTHER]),
        ("user", "accountIds", "", []),
        ("user", "accountIds", [], []),
    ],
)
def test_ids_in_rows_of_vitally_are_vitallys(name: str, column: str, value: Any, ids: Any) -> None:
    row = {**READ, "externalId": "a", "organizationIds": [UUID], column: value}
    made = change(name, "upsert", {key: row[key] for key in row if name == "user" or key != "organizationIds"})
    found = made.fields.get(column)
    assert found == ids
    assert all(isinstance(one, VitallyId) for one in (found if isinstance(found, list) else [found] if found else []))


@pytest.mark.parametrize("parent", [{}, {"name": "Acme"}, {"id": None, "externalId": ""}, "Acme", 7, ["a"]])
def test_a_parent_in_a_row_of_vitally_that_has_no_id_is_refused(parent: Any) -> None:
    row = {**READ, "externalId": "n", "note": "N", "noteDate": "2026-01-01", "account": parent}
    with pytest.raises(RejectedError) as caught:
        change("note", "upsert", row)
    assert str(caught.value) == "note 'n': accountId has neither externalId nor id"
