"""The change that sets a row back names what it had, and what an update would empty else."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.mapping.values import VitallyId
from destination_vitally.undo.looking import setting_back
from destination_vitally.undo.rows import Past
from unit_tests.destination.undo.test_judging import row_of


@pytest.mark.parametrize(
    ("name", "pasts", "now", "fields", "traits"),
    [
        ("account", [Past.of("name", "a")], {"name": "b", "x": 1}, {"name": "a"}, {}),
        ("account", [Past.of("name", None), Past.of("x", 1, is_trait=True)], {}, {"name": None}, {"x": 1}),
        ("account", [Past.of("organizationId", "O1")], {}, {"organizationId": VitallyId("O1")}, {}),
        ("account", [Past.of("organizationId", None)], {}, {"organizationId": None}, {}),
        ("task", [Past.of("name", "a")], {"tags": ["t"], "name": "b"}, {"name": "a", "tags": ["t"]}, {}),
        ("task", [Past.of("tags", ["a"])], {"tags": ["t"]}, {"tags": ["a"]}, {}),
        (
            "nps_response",
            [Past.of("feedback", "a")],
            {"user": {"id": "U1"}, "score": 0, "respondedAt": "2026"},
            {"feedback": "a", "userId": VitallyId("U1"), "score": 0, "respondedAt": "2026"},
            {},
        ),
    ],
)
def test_what_is_sent(
    name: str, pasts: list[Past], now: dict[str, Any], fields: dict[str, Any], traits: dict[str, Any]
) -> None:
    change = setting_back(row_of(name, id="R1"), now, pasts)
    assert (change.operation, change.fields, change.open_values) == ("update", {**fields, "id": "R1"}, traits)
    ids = {field: type(value) for field, value in change.fields.items() if field in ("id", *fields)}
    assert ids == {field: type(value) for field, value in {**fields, "id": VitallyId("R1")}.items()}
