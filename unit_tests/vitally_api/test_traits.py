"""Field types of Vitally, whatever their case."""

from __future__ import annotations

import pytest

from vitally_api.traits import Kind, kind_of


@pytest.mark.parametrize(
    ("field_type", "kind"),
    [
        ("string", "text"),
        ("STRING", "text"),
        ("textarea", "text"),
        (" Currency ", "number"),
        ("checkbox", "flag"),
        ("datetime", "moment"),
        ("date", "day"),
        ("multiselect", "list"),
        ("moonPhase", None),
        ("", None),
    ],
)
def test_the_kind_of_a_field_type(field_type: str, kind: Kind | None) -> None:
    assert kind_of(field_type) == kind
