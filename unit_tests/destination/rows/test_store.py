"""What a sync remembers on disk: all of it as long as there is room, and then only what cannot be asked for again."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import pytest

from destination_vitally.errors import ConfigError
from destination_vitally.rows import store as module
from destination_vitally.rows.store import REMEMBERED, Recent, Store, Table
from unit_tests.destination.rows.asking import logged

SCHEMA = "CREATE TABLE kept (x); CREATE TABLE cached (x);"
BIG = "x" * 40_000
"""A value that takes ten pages."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def small(store: Store, pages: int) -> Store:
    """Let the file of a store grow to so many pages of 4 KiB at most, as in a folder of that size."""
    store.one(f"PRAGMA max_page_count={pages}")
    return store


def put(store: Store, table: str, *values: Any) -> None:
    store.write((f"INSERT INTO {table} VALUES (?)", [(value,) for value in values]))


def count(store: Store, table: str) -> int:
    return int(store.one(f"SELECT count(*) FROM {table}")[0])


# The file


def test_the_file_is_gone_with_the_process_however_that_ends(folder: Path) -> None:
    """Given a store that is in use, then its folder has no file that somebody would have to delete."""
    store = Store()
    store.create(SCHEMA)
    put(store, "kept", 1)
    assert os.listdir(folder) == []
    assert count(store, "kept") == 1


def test_a_change_is_made_as_a_whole_or_not_at_all(folder: Path) -> None:
    store = Store()
    store.create("CREATE TABLE kept (x UNIQUE)")
    put(store, "kept", 1)
    with pytest.raises(sqlite3.IntegrityError):
        store.write(("INSERT INTO kept VALUES (?)", [(2,)]), ("INSERT INTO kept VALUES (?)", [(3,), (1,)]))
    assert store.all("SELECT x FROM kept ORDER BY x") == [(1,)]
    put(store, "kept", 2)
    assert store.all("SELECT x FROM kept ORDER BY x") == [(1,), (2,)]


def test_each_name_is_new(folder: Path) -> None:
    store = Store()
    assert len({store.new_name() for _ in range(3)}) == 3


# A folder that cannot be written


@pytest.mark.parametrize("problem", ["read-only", "full", "nowhere"])
def test_where_no_file_can_be_written_all_is_kept_in_memory_and_that_is_logged(
    problem: str, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Given a folder for temporary files that is read-only, full from the start, or not to be found, when a sync
    begins, then it works, and one line says which folder it is and what is wrong with it."""
    named = f", {folder},"
    if problem == "read-only":
        reason = "Permission denied"

        def refuse(*_: Any, **__: Any) -> Any:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(tempfile, "mkstemp", refuse)
    elif problem == "full":
        reason, opened = "database or disk is full", module._opened

        def too_small(path: str) -> sqlite3.Connection:
            database = opened(path)
            if path != ":memory:":
                database.execute("PRAGMA page_size=512")
                database.execute("PRAGMA max_page_count=1")
            return database

        monkeypatch.setattr(module, "_opened", too_small)
    else:
        reason, named = "No usable temporary directory found", ""

        def nothing() -> str:
            raise FileNotFoundError(2, reason)

        monkeypatch.setattr(tempfile, "gettempdir", nothing)
    store = Store()
    assert logged(caplog) == [
        f"The folder for temporary files{named} cannot be written ({reason}). What is known of rows is kept in memory."
    ]
    store.create(SCHEMA)
    put(store, "kept", 1, 2)
    assert count(store, "kept") == 2
    assert os.listdir(folder) == []


def test_memory_is_bounded_where_there_is_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(folder / "nowhere"))
    monkeypatch.setattr(module, "IN_MEMORY_PAGES", 50)
    store = Store()
    store.create(SCHEMA)
    with pytest.raises(ConfigError, match="has no room for what this sync has to remember of its rows"):
        put(store, "kept", *[BIG] * 10)


# A folder without room


class Cache:
    """Rows of a table that may be forgotten; `asked` counts how often that was necessary."""

    def __init__(self, store: Store) -> None:
        self.asked = 0
        store.on_full(self.forget, {"cached": "0"})

    def forget(self) -> None:
        self.asked += 1


def test_a_full_folder_costs_only_what_may_be_forgotten(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Given a store that is full of what can be asked for again, when something is written that cannot, then it has
    room, once and for all, and one line of the log says so."""
    store = small(Store(), 60)
    store.create(SCHEMA)
    cache = Cache(store)
    put(store, "cached", *[BIG] * 4)
    assert cache.asked == 0
    put(store, "kept", *[BIG] * 3)
    assert (count(store, "cached"), count(store, "kept"), cache.asked) == (0, 3, 1)
    put(store, "kept", BIG)
    assert (count(store, "kept"), cache.asked) == (4, 1)
    assert logged(caplog) == [
        f"The folder for temporary files, {folder}, has no room left. What was read of rows is forgotten and asked for "
        "again where it is needed, which takes longer."
    ]


@pytest.mark.parametrize(("has_cache", "pages"), [(True, 60), (True, 20), (False, 60)])
def test_a_folder_that_is_too_small_for_the_rest_ends_the_sync_and_says_what_to_do(
    folder: Path, has_cache: bool, pages: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given nothing that can be forgotten, or no room in memory for the rest, when the file cannot grow, then the error
    names the folder, what was needed and what to set; what was written before can still be read, and nothing is half
    written."""
    monkeypatch.setattr(module, "IN_MEMORY_PAGES", pages)
    store = small(Store(), 60)
    store.create(SCHEMA)
    cache = Cache(store) if has_cache else None
    if has_cache:
        put(store, "cached", BIG)
    put(store, "kept", *[BIG] * 3)
    with pytest.raises(ConfigError) as caught:
        store.write(
            ("INSERT INTO kept VALUES (?)", [("half",)]), ("INSERT INTO kept VALUES (?)", [(BIG,) for _ in range(9)])
        )
    assert caught.value.message == (
        f"The folder for temporary files, {folder}, has no room for what this sync has to remember of its rows: 0 MB "
        "were taken so far. Give it more room (in Kubernetes the ephemeral-storage of the pod, or the sizeLimit of the "
        "volume), or let the environment variable TMPDIR name a folder that has it. The rows that have no outcome yet "
        "come again with the next sync."
    )
    assert store.all("SELECT length(x) FROM kept") == [(len(BIG),)] * 3
    assert len(logged(caplog)) == bool(cache)


@pytest.mark.parametrize("problem", ["disk I/O error", "unable to open database file", "database or disk is full"])
def test_whatever_the_disk_says_of_a_file_that_cannot_grow_is_taken_for_full(problem: str, folder: Path) -> None:
    store = Store()
    store.create(SCHEMA)
    cache, turns = Cache(store), [problem]

    def change() -> None:
        if turns:
            raise sqlite3.OperationalError(turns.pop())

    store._run(change)
    assert cache.asked == 1


def test_what_is_no_matter_of_room_is_no_matter_of_the_folder(folder: Path) -> None:
    store = Store()
    cache = Cache(store)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        put(store, "nowhere", 1)
    assert cache.asked == 0


# A table


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2500])
def test_all_rows_of_a_table_are_read_in_the_order_of_their_keys(count: int, folder: Path) -> None:
    table = Table(Store())
    table.put_all((f"{n:05}", str(n)) for n in reversed(range(count)))
    assert list(table) == [(f"{n:05}", str(n)) for n in range(count)]


def test_a_table_may_be_written_while_it_is_read(folder: Path) -> None:
    """Given a table that is read a few rows at a time, when one is put in behind that place, then it is read too."""
    table = Table(Store())
    table.put_all((f"{n:05}", "") for n in range(1500))
    rows = iter(table)
    assert next(rows) == ("00000", "")
    table.put_all([("99999", "late")])
    assert list(rows)[-1] == ("99999", "late")


def test_a_key_of_a_table_has_the_value_that_was_put_in_last(folder: Path) -> None:
    store = Store()
    table, other = Table(store), Table(store)
    table.put_all([("a", "1"), ("b", "2"), ("a", "3")])
    table.put_all([("b", "4")])
    assert list(table) == [("a", "3"), ("b", "4")]
    assert [table.has(key) for key in ("a", "b", "c", "")] == [True, True, False, False]
    assert (list(other), other.has("a")) == ([], False)


def test_a_table_is_not_forgotten_when_room_is_needed(folder: Path) -> None:
    store = small(Store(), 60)
    store.create(SCHEMA)
    Cache(store)
    table = Table(store)
    put(store, "cached", *[BIG] * 4)
    table.put_all((f"{n:05}", BIG) for n in range(3))
    assert [key for key, _ in table] == ["00000", "00001", "00002"]


# What was used last


@pytest.fixture
def recent() -> Recent[str]:
    recent: Recent[str] = Recent(3)
    for key in "abc":
        recent.put(key, key.upper())
    return recent


def kept(recent: Recent[str]) -> str:
    return "".join(key for key in "abcdef" if recent.get(key))


def test_the_oldest_entry_goes_when_there_are_too_many(recent: Recent[str]) -> None:
    recent.put("d", "D")
    assert kept(recent) == "bcd"
    recent.put("e", "E")
    assert kept(recent) == "cde"


def test_what_is_asked_for_or_put_again_is_not_the_oldest(recent: Recent[str]) -> None:
    assert recent.get("a") == "A"
    recent.put("b", "B2")
    recent.put("d", "D")
    assert [recent.get(key) for key in "abcd"] == ["A", "B2", None, "D"]


def test_who_puts_an_entry_hears_in_the_same_breath_what_was_there(recent: Recent[str]) -> None:
    assert [recent.put("d", "4"), recent.put("d", "5")] == [None, "4"]


def test_what_is_forgotten_is_gone(recent: Recent[str]) -> None:
    recent.forget("b")
    recent.forget("x")
    assert kept(recent) == "ac"


def test_nothing_is_got_from_what_is_empty() -> None:
    recent: Recent[str] = Recent()
    recent.forget("a")
    assert recent.get("a") is None


def test_unless_a_number_is_given_many_are_kept() -> None:
    recent: Recent[int] = Recent()
    for n in range(REMEMBERED + 1):
        recent.put(n, n)
    assert recent.get(0) is None
    assert recent.get(1) == 1
