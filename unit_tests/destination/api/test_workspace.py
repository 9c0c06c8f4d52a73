"""Custom objects of a workspace, found by whatever people and streams call them."""

from __future__ import annotations

import pytest
import requests_mock

from destination_vitally.api.http import connect
from destination_vitally.api.workspace import Workspace
from destination_vitally.clock import SystemClock
from destination_vitally.errors import ConfigError
from unit_tests.destination.builders import settings
from vitally_api.names import STREAM_PREFIX

UBERBLICK = "\N{LATIN CAPITAL LETTER U WITH DIAERESIS}berblick"
DEFINITIONS = [
    {"id": "a1b2c3d4-1", "createdAt": "2026-01-01T00:00:00Z", "name": "dealRoom", "label": "Deal room"},
    {"id": "d2a36368-2", "createdAt": "2026-01-02T00:00:00Z", "name": "deal_room", "label": "Deals"},
    {
        "id": "00000000-3",
        "createdAt": "2026-01-03T00:00:00Z",
        "name": UBERBLICK,
    },
    {"id": "00000000-4", "createdAt": "2026-01-04T00:00:00Z", "name": "wish1", "label": "Wish"},
    {"id": "00000000-5", "createdAt": "2026-01-05T00:00:00Z", "name": "wish2", "label": "wish"},
]


def found(name: str) -> str:
    """The id for a name, or for a stream's name."""
    with requests_mock.Mocker() as mock:
        mock.get("https://rest.vitally-eu.io/resources/customObjects", json={"results": DEFINITIONS, "next": None})
        workspace = Workspace(connect(settings(), SystemClock()).rest)
        return workspace.of_stream(name) if name.startswith(STREAM_PREFIX) else workspace.named(name)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("dealRoom", 1),
        ("deal_room", 2),
        ("custom_object_deal_room", 1),  # the oldest of two names that are the same once cleaned
        ("custom_object_deal_room_d2a36368", 2),
        ("custom_object_uberblick", 3),
        ("uberblick", 3),
        ("custom_object_Deals", 2),
        ("Deals", 2),
        ("WISH1", 4),
        ("00000000-5", 5),
    ],
)
def test_a_custom_object_is_found_by_id_machine_name_stream_and_label(name: str, number: int) -> None:
    assert found(name) == DEFINITIONS[number - 1]["id"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [("Wish", "Several custom objects could be meant by 'Wish': wish1, wish2"), ("deal", "There is no custom object")],
)
def test_what_cannot_be_told_is_said(name: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        found(name)
