"""Which of the jobs that Airbyte's platform makes lets a mirror delete: catalogs and input are those of its model."""

from __future__ import annotations

import pytest

from integration_tests.airbyte_platform import (
    CLEAR,
    FULL_REFRESH_APPEND,
    FULL_REFRESH_OVERWRITE,
    FULL_REFRESH_OVERWRITE_DEDUP,
    INCREMENTAL_APPEND,
    INCREMENTAL_APPEND_DEDUP,
    MENU,
    MERGE,
    SYNC,
    TRUNCATE,
    Destination,
    Mode,
    SourceStream,
    offered,
)
from integration_tests.destination.jobs import CUSTOM, sync
from integration_tests.destination.mirrored import REGISTRY, Scene, objects, said
from integration_tests.sandbox import Sandbox

WHOLE = {FULL_REFRESH_OVERWRITE, FULL_REFRESH_OVERWRITE_DEDUP}
KINDS = (SYNC, MERGE, TRUNCATE, CLEAR, "retry")
PAIRS = [(name, FULL_REFRESH_OVERWRITE) for name in objects(Sandbox(empty=True))]
PAIRS += [(name, mode) for name in ("note", "user", "account") for mode in MENU if mode != FULL_REFRESH_OVERWRITE]
"""All objects, and one of each way of deleting in all modes: what an object is says nothing of a mode."""


def test_the_menu_has_every_mode() -> None:
    stream = SourceStream("table", {})
    assert offered(stream, REGISTRY) == list(MENU)
    assert offered(stream, CUSTOM) == list(MENU[:4])


@pytest.mark.parametrize(("name", "mode"), PAIRS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_of_a_registry(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, name: str, mode: Mode, kind: str) -> None:
    """Only a whole table, in the first attempt of a job that brings rows, deletes what it lacks."""
    scene = Scene(sandbox, name, there=["a", "missing"])
    keys = ("a", "acme" if name == "account" else "ida")
    run = sync(scene, REGISTRY, mode, kind, keys=keys, monkeypatch=monkeypatch)
    assert run.error is None, run.errors
    deletes = kind in ((SYNC, MERGE, TRUNCATE) if mode in WHOLE else (TRUNCATE,) if mode == FULL_REFRESH_APPEND else ())
    assert ("missing" not in scene.left()) == deletes, said(run)
    assert ("nothing is deleted: " in said(run)) != deletes


@pytest.mark.parametrize("mode", MENU[:4], ids=str)
@pytest.mark.parametrize("kind", [SYNC, CLEAR])
@pytest.mark.parametrize("source_succeeds", [True, False])
def test_of_a_connector_that_was_added_by_its_image(
    sandbox: Sandbox, mode: Mode, kind: str, source_succeeds: bool
) -> None:
    """Nothing tells a failed read from a whole one, so nothing is deleted, whatever the mode says."""
    scene = Scene(sandbox, there=["a", "missing"])
    run = sync(scene, CUSTOM, mode, kind, source_succeeds=source_succeeds)
    assert run.error is None, run.errors
    assert "missing" in scene.left()
    [line] = said(run).splitlines()
    if mode in WHOLE or kind == CLEAR:
        assert "the platform asks to overwrite and gives no generation ids" in line
        assert "Add the connector from a registry" in line
    elif mode == FULL_REFRESH_APPEND:
        assert "the platform gives no generation ids" in line


@pytest.mark.parametrize("destination", [REGISTRY, CUSTOM], ids=["registry", "image"])
def test_overwrite_alone_deletes_nothing_and_says_so_once(sandbox: Sandbox, destination: Destination) -> None:
    scene = Scene(sandbox, there=["a", "missing"])
    run = sync(scene, destination, FULL_REFRESH_OVERWRITE, mappings=[scene.mapping(missing_rows="keep")])
    assert run.error is None, run.errors
    assert scene.left() >= {"a", "missing"}
    assert sum("nothing is deleted" in line for line in run.logs()) == 1


@pytest.mark.parametrize("mode", [INCREMENTAL_APPEND, INCREMENTAL_APPEND_DEDUP], ids=str)
def test_a_source_that_fails_is_no_whole_table(sandbox: Sandbox, mode: Mode) -> None:
    scene = Scene(sandbox, there=["a", "missing"])
    for one in (mode, FULL_REFRESH_OVERWRITE):
        run = sync(scene, REGISTRY, one, source_succeeds=False)
        assert run.error is None, run.errors
        assert "missing" in scene.left()
    assert "does not say that stream table was read to its end" in said(run)
