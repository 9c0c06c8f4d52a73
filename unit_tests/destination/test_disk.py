"""What is remembered on disk: the last value of a key, and of a table of recent rows the newest."""

from __future__ import annotations

import pytest
from destination_vitally.transports import disk
from destination_vitally.transports.disk import DiskTable, RecentTable


def test_a_key_has_the_value_that_was_put_in_last_until_it_is_forgotten() -> None:
    table = DiskTable("id", "time")
    table.put(("account", "a b"), "1", 1.5)
    table.put(("account", "a"), "2", None)
    table.put(("account", "a"), "3", None)
    assert table.get(("account", "a b")) == ("1", 1.5)
    assert table.get(("account", "a")) == ("3", None)
    table.forget(("account", "a"))
    assert table.get(("account", "a")) is None
    assert table.get(("account",)) is None


@pytest.mark.parametrize("known", [("1",), None])
def test_what_was_asked_for_before_is_not_what_was_put_in_or_forgotten_since(known: tuple[str] | None) -> None:
    table = DiskTable("id")
    table.put(("b",), "0")
    if known:
        table.put(("a",), *known)
    assert table.get(("a",)) == known
    table.put_all([(("a",), "2")])
    assert table.get(("a",)) == table.get(("a",)) == ("2",)
    table.forget(("a",))
    assert table.get(("a",)) is None


def test_no_more_answers_are_in_memory_than_it_should_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "ANSWERS", 10)
    table, asked = DiskTable("n"), range(25)
    table.put_all(((str(n),), n) for n in asked)
    assert [table.get((str(n),)) for n in asked] == [(n,) for n in asked]
    assert len(table._answers) <= 10


def test_of_recent_rows_the_newest_are_kept() -> None:
    table = RecentTable(10, "n")
    for n in range(35):
        table.put_all([((str(n),), n)])
    assert [n for n in range(35) if table.get((str(n),))] == [*range(20, 35)]


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2500])
def test_all_rows_come_in_the_order_of_their_keys_even_if_some_are_forgotten_meanwhile(count: int) -> None:
    table = DiskTable("n")
    table.put_all(((f"{n:05}",), n) for n in reversed(range(count)))
    found = []
    for key, number in table:
        table.forget((key,))
        found.append(number)
    assert found == [*range(count)]
