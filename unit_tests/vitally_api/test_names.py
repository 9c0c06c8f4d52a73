"""Names of custom objects, whatever a workspace calls them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitally_api.names import LONGEST_NAME, definition_of_stream, snake_case, stream_names


def definition(key: str, name: Any, created: str = "2026-01-01T00:00:00.000Z") -> dict[str, Any]:
    return {"id": key, "name": name, "createdAt": created}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("featureRequest", "feature_request"),
        ("Feature Request (v2)", "feature_request_v2"),
        ("deal-room", "deal_room"),
        ("externalId", "external_id"),
        ("npsScore2", "nps_score2"),
        ("HTTPServer", "httpserver"),
        ("Überblick", "uberblick"),
        ("客户", "ke_hu"),
        ("__x__", "x"),
        ("!!!", "unnamed"),
        ("", "unnamed"),
    ],
)
def test_names_are_cleaned(name: str, expected: str) -> None:
    assert snake_case(name) == expected


OLDER = definition("bbbb1111-2222", "dealRoom", "2024-01-01T00:00:00.000Z")
NEWER = definition("d2a36368-2222", "Deal Room", "2025-01-01T00:00:00.000Z")
UMLAUT = definition("cccc1111-2222", "Überblick")


def test_of_colliding_names_the_oldest_stays_plain() -> None:
    names = {"bbbb1111-2222": "custom_object_deal_room", "d2a36368-2222": "custom_object_deal_room_d2a36368"}
    assert stream_names([NEWER, OLDER]) == names
    assert stream_names([OLDER]) == {"bbbb1111-2222": "custom_object_deal_room"}


@pytest.mark.parametrize(
    ("stream", "found"),
    [
        ("custom_object_deal_room", OLDER),
        ("custom_object_deal_room_d2a36368", NEWER),
        ("CUSTOM_OBJECT_UBERBLICK", UMLAUT),
        ("custom_object_überblick", None),
        ("deal_room", None),
        ("accounts", None),
    ],
)
def test_a_streams_name_leads_back_to_its_custom_object(stream: str, found: Any) -> None:
    assert definition_of_stream(stream, iter([NEWER, UMLAUT, OLDER])) is found


@given(st.lists(st.tuples(st.uuids(), st.text(max_size=6), st.datetimes()), unique_by=lambda found: found[0]))
def test_names_are_unique_clean_and_stable(found: list[Any]) -> None:
    definitions = [definition(str(key), name, created.isoformat()) for key, name, created in found]
    names = stream_names(definitions)
    assert len(set(names.values())) == len(definitions)
    assert all(re.fullmatch(r"custom_object_[a-z0-9_]+", name) for name in names.values())
    assert stream_names(reversed(definitions)) == names
    assert all(definition_of_stream(names[one["id"]], definitions) is one for one in definitions)
    oldest_first = sorted(definitions, key=lambda one: (one["createdAt"], one["id"]))
    for count in range(len(definitions)):
        assert stream_names(oldest_first[:count]).items() <= names.items()


def test_names_stay_unique_where_ids_begin_alike() -> None:
    alike = [definition(f"aaaa1111-{n}", "same") for n in range(3)]
    assert len(set(stream_names(alike).values())) == 3


def test_long_names_of_custom_objects_are_cut_where_every_warehouse_takes_them_and_stay_different() -> None:
    long = "a very long name of a custom object that goes on and on and on"
    alike = [
        {"id": f"{number}aaaaaaa-1111-4111-8111-111111111111", "name": f"{long} {ending}", "createdAt": str(number)}
        for number, ending in enumerate(["one", "two", "two", "two!"])
    ]
    names = list(stream_names(alike).values())
    assert len({name[:LONGEST_NAME] for name in names}) == 4
    assert max(map(len, names)) <= LONGEST_NAME
    assert stream_names(alike[1:2])[alike[1]["id"]] == names[1], "whatever others there are"
