"""Sandbox A through the source and the destination into sandbox B, which shares no id with it: the same rows."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.comparison import comparable
from integration_tests.destination.mirrored import full
from integration_tests.harness import Json, without_waiting
from integration_tests.platforms import postgres
from integration_tests.round_trip import (
    INSTANCES,
    PARTICIPANTS,
    TABLES,
    catalog_of,
    differences,
    lines_of,
    read_workspace,
    without_untracked,
    write_workspace,
)
from integration_tests.sandbox import Sandbox
from integration_tests.warehouses import Moved, as_read, in_case, through_postgres

OF_IDS = {
    **dict.fromkeys(("organization", "account"), "delete_with_everything_below"),
    **dict.fromkeys(("user", "note", "task", "conversation", "nps_response", "meeting"), "delete"),
}
"""What is deleted in the copy because its id is gone, and how the mapping says so."""

REFRESHED = "custom_object_feature_request"
"""A stream of rows that are deleted in the copy because a whole refresh lacks them: it has no stream of ids."""

DAY = 24 * 3600.0
ONCE = {name: value for name, value in full("any").items() if name != "stream"}


SIZES = {
    "accounts": 30,
    "users": 50,
    "notes": 30,
    "tasks": 30,
    "instances": 40,
    "npsResponses": 20,
    "conversations": 16,
}
NEEDS_POSTGRES = pytest.mark.skipif(postgres.programs() is None, reason="there is no Postgres")


@pytest.mark.parametrize(
    ("seed", "moved"),
    [
        pytest.param(1, as_read, id="as read"),
        pytest.param(5, in_case(str.upper), id="upper case"),
        pytest.param(6, through_postgres, id="Postgres", marks=NEEDS_POSTGRES),
    ],
)
def test_two_workspaces_without_a_common_id_become_equal_and_stay_so(
    make_sandbox: Any, seed: int, moved: Moved
) -> None:
    origin, target = without_untracked(make_sandbox(seed=seed, sizes=SIZES)), make_sandbox(seed=seed + 1, empty=True)
    catalog = catalog_of(origin, *(f"{name}_ids" for name in OF_IDS))
    for stream in catalog["streams"]:
        if stream["stream"]["name"].endswith("_ids") or stream["stream"]["name"] == REFRESHED:
            stream.update(ONCE)
    whole = {f"{name}_ids": (name, word) for name, word in OF_IDS.items()}
    whole[REFRESHED] = ("custom_object/featureRequest", "delete")
    deletes = [
        {"stream": name, "object": entry, "external_id": "from_vitally_id", "missing_rows": word,
         "missing_rows_grace_hours": 0}
        for name, (entry, word) in whole.items()
    ]  # fmt: skip
    settings: Json = {"allow_deletes": True, "max_deletes_percent": 20}

    def sync(state: Any = None) -> Any:
        with without_waiting():
            read = read_workspace(origin, catalog, state)
        assert read.exit_code == 0, read.errors
        written = write_workspace(target, *moved(catalog, lines_of(read)), more=deletes, **settings)
        assert written.error is None
        assert "are not in Vitally" not in written.log, "no false alarm"
        assert [one["stream"] for one in written.states()] == [one["stream"] for one in read.states()]
        return read, written

    first, _ = sync()
    assert differences(origin, target) == []
    for table in [*TABLES.values(), INSTANCES, PARTICIPANTS]:
        assert len(comparable(target, table)) >= 5, table

    for sandbox in (origin, target):
        sandbox.clock.advance(DAY)
    edit(origin)
    assert differences(origin, target)
    states = first.last_states()  # a platform gives a full refresh none
    second, written = sync([one for one in states if one["stream"]["stream_descriptor"]["name"] not in whole])
    assert differences(origin, target) == []
    assert len(second.records("users")) < 10, "the second read is incremental"
    for deleted in ("task (stream task_ids)", f"custom_object/featureRequest (stream {REFRESHED})"):
        assert f"Mirror of {deleted}: 1 deleted of 1 that are not in the sync" in written.log


def edit(origin: Sandbox) -> None:
    """Change, add and delete what people change, add and delete in a day."""
    workspace = origin.workspace

    def alive(table: str, **having: Any) -> Json:
        return next(
            row
            for row in workspace.rows(table)
            if not row.get("archivedAt") and all(bool(row.get(name)) is value for name, value in having.items())
        )

    edits: dict[str, Json] = {
        "organizations": {"name": "Renamed"},
        "accounts": {"name": "Renamed", "traits": {"seats": 99}},
        "users": {"name": "Renamed"},
        "notes": {"subject": "Edited"},
        "tasks": {"name": "Edited", "assignedToId": alive("admins", licenseStatus=True)["id"]},
        "conversations": {"subject": "Edited"},
        "projects": {"targetStartDate": "2030-01-01"},
        "meetings": {"summary": "Edited"},
        "instances": {"traits": {"vitally.custom.dealValue": 7}},
    }
    for table, values in edits.items():
        having = {"subject": True} if table == "conversations" else {}
        workspace.update(table, alive(table, **having)["id"], values)
        if table in ("notes", "tasks", "instances"):
            workspace.update(table, alive(table, externalId=False)["id"], values)
    account, user = alive("accounts"), alive("users", email=True)
    new = {"accountId": account["id"], "note": "<p>New</p>", "noteDate": "2030-01-01T00:00:00.000Z"}
    workspace.insert("notes", new)
    workspace.insert("users", {"externalId": "new", "name": "New", "accountIds": [account["id"]]})
    workspace.insert("npsResponses", {"userId": user["id"], "score": 3, "respondedAt": "2030-01-01T00:00:00.000Z"})
    workspace.archive("notes", alive("notes")["id"])
    workspace.delete("tasks", alive("tasks", externalId=False)["id"])
    refreshed = next(row["id"] for row in workspace.rows("customObjects") if row["name"] == "featureRequest")
    instances = workspace.scoped("instances", "customObjectId", refreshed)
    workspace.delete("instances", next(row["id"] for row in instances if not row["archivedAt"]))
