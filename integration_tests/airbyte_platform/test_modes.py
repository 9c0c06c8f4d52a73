"""Which modes can be chosen, for each kind of destination."""

from __future__ import annotations

import pytest

from integration_tests.airbyte_platform import (
    FULL_REFRESH_APPEND,
    FULL_REFRESH_OVERWRITE,
    FULL_REFRESH_OVERWRITE_DEDUP,
    INCREMENTAL_APPEND,
    INCREMENTAL_APPEND_DEDUP,
    MENU,
    Connection,
    Destination,
    Mode,
    NotOffered,
    Selected,
    SourceStream,
    accepted_by_api,
    offered,
)

ALL = ("append", "overwrite", "append_dedup", "update", "soft_delete")
WITHOUT_OVERWRITE = ("append", "append_dedup", "update", "soft_delete")
STREAM = SourceStream("accounts", {"id": {"type": "string"}})
KEYED = SourceStream("accounts", {"id": {"type": "string"}}, source_defined_primary_key=[["id"]])


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        (Destination.from_registry(ALL), list(MENU)),
        (Destination.from_registry(ALL, supports_refreshes=False), list(MENU[:4])),
        (Destination.custom_docker(ALL), list(MENU[:4])),
        (
            Destination.from_registry(WITHOUT_OVERWRITE),
            [INCREMENTAL_APPEND_DEDUP, INCREMENTAL_APPEND, FULL_REFRESH_APPEND],
        ),
        (Destination.from_registry(["append"]), [INCREMENTAL_APPEND, FULL_REFRESH_APPEND]),
        (Destination.from_registry(["append", "overwrite"]), [FULL_REFRESH_OVERWRITE, *MENU[2:4]]),
    ],
)
def test_the_menu_is_what_both_sides_declare(destination: Destination, expected: list[Mode]) -> None:
    assert offered(STREAM, destination) == expected
    full_refresh = SourceStream("accounts", {}, supported_sync_modes=["full_refresh"])
    assert offered(full_refresh, destination) == [mode for mode in expected if mode.sync_mode == "full_refresh"]


def test_data_activation_offers_the_operations_of_an_object() -> None:
    destination = Destination.data_activation(ALL, {"account": ["append_dedup", "soft_delete"]})
    modes = {(read, write) for read in STREAM.supported_sync_modes for write in ("append_dedup", "soft_delete")}
    assert set(offered(STREAM, destination, "account")) == modes
    assert offered(STREAM, destination, "event") == []


def test_the_api_takes_overwrite_of_any_destination_and_update_of_those_that_declare_it() -> None:
    taken = accepted_by_api(STREAM, Destination.custom_docker(["append", "update"]))
    assert FULL_REFRESH_OVERWRITE in taken
    assert Mode("incremental", "update") in taken
    assert not {FULL_REFRESH_OVERWRITE_DEDUP, INCREMENTAL_APPEND_DEDUP} & taken


@pytest.mark.parametrize(
    ("selected", "reason"),
    [
        (Selected(KEYED, Mode("full_refresh", "append_dedup")), "no Full refresh | Append + Deduped, only"),
        (Selected(KEYED, Mode("full_refresh", "update")), "no Full refresh | Update, only"),
        (Selected(STREAM, FULL_REFRESH_OVERWRITE_DEDUP), "needs a primary key"),
        (Selected(KEYED, INCREMENTAL_APPEND_DEDUP), "needs a cursor field"),
    ],
)
def test_a_connection_that_the_form_would_not_save_is_refused(selected: Selected, reason: str) -> None:
    with pytest.raises(NotOffered) as refused:
        Connection(Destination.from_registry(ALL), selected)
    assert reason in str(refused.value)
