"""Field types of Vitally, whatever their case."""

from __future__ import annotations

import pytest

from vitally_api.traits import Kind, kind_of


@pytest.mark.parametrize(
    ("field_type", "kind"),
    [
        ("string", Kind.TEXT),
        ("STRING", Kind.TEXT),
        ("textarea", Kind.TEXT),
        (" Currency ", Kind.NUMBER),
        ("checkbox", Kind.BOOLEAN),
        ("datetime", Kind.DATETIME),
        ("date", Kind.DATE),
        ("multiselect", Kind.LIST),
        ("moonPhase", None),
        ("", None),
    ],
)
def test_the_kind_of_a_field_type(field_type: str, kind: Kind | None) -> None:
    assert kind_of(field_type) == kind
