"""A folder for temporary files that is full, small or read-only costs speed where that is possible.

Elsewhere it ends the sync with a sentence that names the folder, what was needed and what to set; and no state covers
what is not in Vitally, and nothing is deleted that must not be.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration_tests.destination.disks import LIMITS, limited, write_read_only
from integration_tests.destination.mirrored import complete, full
from integration_tests.harness import Json, Run, destination_config, record, state, stream, write
from integration_tests.sandbox import Request, Sandbox, Switches

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


@each_disk
def test_a_disk_is_as_large_as_before_when_its_test_has_ended(sandbox: Sandbox, folder: Path, disk: str) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with limited(sandbox, folder, disk):
        pass
    passing = Request(0, "GET", "/resources/accounts", {})
    assert [sandbox.makers.acting(passing, "before") for _ in range(9)] == [[]] * 9, "it would be filled later"
    assert resource.getrlimit(resource.RLIMIT_FSIZE) == before


# What nobody can ask about is not kept


@each_disk
@pytest.mark.parametrize("verify", ["none", "sample"])
def test_rows_of_batches_on_which_nothing_depends_need_no_disk(
    sandbox: Sandbox, folder: Path, disk: str, verify: str
) -> None:
    """Given a table of accounts alone, when there is next to no disk, all rows are written."""
    messages: list[Json] = [*accounts(2_000), state("accounts", 1)]
    config = destination_config(sandbox, verify=verify)
    with limited(sandbox, folder, disk):
        run = write(config, [stream("accounts")], messages)
    assert run.exit_code == 0, run.lines[-3:]
    assert run.counts("accounts")["accepted"] == 2_000
    assert run.state_ids == [1]
    assert len(sandbox.workspace.rows("accounts")) == 2_000


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
def test_unchanged_rows_are_told_from_changed_ones(sandbox: Sandbox, folder: Path, disk: str) -> None:
    """Given `skip_unchanged`, when what was read cannot be kept, it is read again, or the rows are sent."""
    for one in accounts(1_200):
        data = one["record"]["data"]
        sandbox.workspace.insert(
            "accounts", {"externalId": data["externalId"], "name": "A", "traits": {"text": data["text"]}}
        )
    changed = [record("accounts", {"externalId": "a7", "name": "Changed"})]
    config = destination_config(sandbox, skip_unchanged=True)
    with limited(sandbox, folder, disk):
        run = write(config, [stream("accounts")], [*accounts(1_200), *changed])
    assert run.exit_code == 0, run.lines[-3:]
    assert (sandbox.workspace.find("accounts", "a7") or {})["name"] == "Changed"
    assert run.counts("accounts")["rejected"] == 0


@each_disk
def test_children_by_rest_of_rows_just_sent(sandbox: Sandbox, folder: Path, disk: str) -> None:
    """Given accounts by batch and their notes by REST, all are written, or the sync says what it needs."""
    messages = [*accounts(1_250), *notes(150), state("accounts", 1), state("notes", 2)]
    names = [stream("accounts"), stream("notes")]
    with limited(sandbox, folder, disk):
        run = write(destination_config(sandbox), names, messages)
    if check_end(run, folder):
        assert run.counts("notes")["accepted"] == 150, run.lines[-3:]
        assert run.state_ids == [1, 2]
    check_states(sandbox, run, {1: ("accounts", 1_250), 2: ("notes", 150)})


@each_disk
def test_children_that_come_before_their_parents(sandbox: Sandbox, folder: Path, disk: str) -> None:
    """Given 2 MB of notes that wait for accounts that come last, all are written, or the sync says what it needs."""
    messages = [*notes(200, size=10_000), state("notes", 2), *accounts(200), state("accounts", 1)]
    names = [stream("notes"), stream("accounts")]
    with limited(sandbox, folder, disk):
        run = write(destination_config(sandbox), names, messages)
    if check_end(run, folder):
        assert run.counts("notes")["accepted"] == 200, run.lines[-3:]
    check_states(sandbox, run, {1: ("accounts", 200), 2: ("notes", 200)})


def check_states(sandbox: Sandbox, run: Run, covered: dict[int, tuple[str, int]]) -> None:
    """Assert that what a state covers is in Vitally."""
    for identifier in run.state_ids:
        table, count = covered[identifier]
        assert len(landed(sandbox, table)) >= count, f"a state covers rows of {table} that are not there"


@each_disk
def test_a_mirror_deletes_no_living_row(sandbox: Sandbox, folder: Path, disk: str) -> None:
    """Given a mirror, when the keys of its table cannot be kept, nothing is deleted that is in the table."""
    count = 1_500
    for n in range(count + 20):
        sandbox.workspace.insert("accounts", {"externalId": f"a{n}", "name": "A"})
    sandbox.clock.advance(60)
    mapping = {
        "stream": "accounts",
        "object": "account",
        "other_columns": "traits",
        "missing_rows": "delete_with_everything_below",
        "missing_rows_grace_hours": 0,
    }
    config = destination_config(sandbox, allow_deletes=True, max_deletes_percent=100, mappings=[mapping])
    messages: list[Json] = [*accounts(count), complete("accounts")]
    with limited(sandbox, folder, disk):
        run = write(config, [full("accounts")], messages)
    left = landed(sandbox, "accounts")
    assert {f"a{n}" for n in range(count)} <= left, "a living row is gone"
    if check_end(run, folder):
        assert len(left) == count


@each_disk
@pytest.mark.parametrize("verify", ["sample", "all"])
def test_proof_needs_little(sandbox: Sandbox, folder: Path, disk: str, verify: str) -> None:
    config = destination_config(sandbox, verify=verify)
    with limited(sandbox, folder, disk):
        run = write(config, [stream("accounts")], accounts(1_250))
    if check_end(run, folder):
        assert run.counts("accounts")["accepted"] == 1_250, run.lines[-3:]


# No folder can be written at all


@pytest.mark.parametrize("verify", ["none", "sample"])
def test_without_any_folder_a_table_of_batches_is_written(sandbox: Sandbox, folder: Path, verify: str) -> None:
    """Given a container whose file system is read-only, when accounts are written, all are."""
    config = destination_config(sandbox, verify=verify)
    run = write_read_only(folder, config, [stream("accounts")], accounts(1_250))
    assert run.exit_code == 0, run.errors
    assert run.counts("accounts")["accepted"] == 1_250


def test_without_any_folder_children_are_written_or_it_is_said_why_not(sandbox: Sandbox, folder: Path) -> None:
    messages = [*notes(200, size=10_000), *accounts(200)]
    config = destination_config(sandbox)
    run = write_read_only(folder, config, [stream("notes"), stream("accounts")], messages)
    if check_end(run, folder):
        assert run.counts("notes")["accepted"] == 200, run.errors
