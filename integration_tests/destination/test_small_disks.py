"""A folder for temporary files that is full, small or read-only costs speed where that is possible.

Elsewhere it ends the sync with a sentence that names the folder, what was needed and what to set; and no state covers
what is not in Vitally, and nothing is deleted that must not be.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration_tests.destination.disks import LIMITS, limited, write_read_only
from integration_tests.harness import Json, Run, destination_config, record, state, stream, write
from integration_tests.sandbox import Sandbox, Switches

WHEN = "2026-01-01T00:00:00Z"
TEXT = "x" * 900
"""With it a row has the size of most: about 1 kB."""

each_disk = pytest.mark.parametrize("disk", LIMITS)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(empty=True, switches=Switches(effect_delay=0)) as served:
        served.journal.keep_bodies = False
        yield served


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for the temporary files of a process."""
    found = tmp_path / "tmp"
    found.mkdir()
    return found


def accounts(count: int, start: int = 0) -> list[Json]:
    return [record("accounts", {"externalId": f"a{n}", "name": "A", "text": TEXT}) for n in range(start, start + count)]


def notes(count: int, size: int = 900) -> list[Json]:
    data = {"note": "x" * size, "noteDate": WHEN}
    return [record("notes", {"externalId": f"n{n}", "accountId": f"a{n}", **data}) for n in range(count)]


def check_end(run: Run, folder: Path) -> bool:
    """Assert that a sync ended well, or with a sentence that a person can act upon; tell which."""
    if run.exit_code == 0:
        return True
    [message] = run.errors
    assert "Something went wrong" not in message
    assert str(folder) in message, f"it does not name the folder: {message}"
    assert "TMPDIR" in message, f"it does not say what to set: {message}"
    assert "MB" in message, f"it does not say what was needed: {message}"
    assert run.failure_types <= {"config_error", "transient_error"}
    return False


def landed(sandbox: Sandbox, table: str) -> set[str]:
    return {str(row["externalId"]) for row in sandbox.workspace.rows(table)}


# What nobody can ask about is not kept


@each_disk
def test_rows_by_rest_on_which_nothing_depends_need_no_disk(sandbox: Sandbox, folder: Path, disk: str) -> None:
    sandbox.workspace.insert("accounts", {"externalId": "a0"})
    rows = [record("tasks", {"externalId": f"t{n}", "accountId": "a0", "name": "T", "tags": []}) for n in range(600)]
    with limited(sandbox, folder, disk):
        run = write(destination_config(sandbox), [stream("tasks")], rows)
    assert run.exit_code == 0, run.lines[-3:]
    assert run.counts("tasks")["accepted"] == 600


# What is kept can be asked for again, or the sync ends with a sentence


@each_disk
def test_children_that_come_before_their_parents(sandbox: Sandbox, folder: Path, disk: str) -> None:
    """Given 4 MB of notes that wait for accounts that come last, all are written, or the sync says what it needs."""
    messages = [*notes(400, size=10_000), state("notes", 2), *accounts(400), state("accounts", 1)]
    names = [stream("notes"), stream("accounts")]
    with limited(sandbox, folder, disk):
        run = write(destination_config(sandbox), names, messages)
    if check_end(run, folder):
        assert run.counts("notes")["accepted"] == 400, run.lines[-3:]
    check_states(sandbox, run, {1: ("accounts", 400), 2: ("notes", 400)})


def check_states(sandbox: Sandbox, run: Run, covered: dict[int, tuple[str, int]]) -> None:
    """Assert that what a state covers is in Vitally."""
    for identifier in run.state_ids:
        table, count = covered[identifier]
        assert len(landed(sandbox, table)) >= count, f"a state covers rows of {table} that are not there"


# No folder can be written at all


def test_without_any_folder_children_are_written_or_it_is_said_why_not(sandbox: Sandbox, folder: Path) -> None:
    messages = [*notes(400, size=10_000), *accounts(400)]
    config = destination_config(sandbox)
    run = write_read_only(folder, config, [stream("notes"), stream("accounts")], messages)
    if check_end(run, folder):
        assert run.counts("notes")["accepted"] == 400, run.errors
