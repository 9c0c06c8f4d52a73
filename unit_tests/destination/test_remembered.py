"""What is remembered in memory: so many entries, the least recently used of which go first."""

from __future__ import annotations

import pytest
from destination_vitally.transports.memory import REMEMBERED, Memory


@pytest.fixture
def memory() -> Memory[str]:
    memory: Memory[str] = Memory(3)
    for key in "abc":
        memory.put(key, key.upper())
    return memory


def kept(memory: Memory[str]) -> str:
    return "".join(key for key in "abcdef" if memory.get(key))


def test_the_oldest_entry_goes_when_there_are_too_many(memory: Memory[str]) -> None:
    memory.put("d", "D")
    assert kept(memory) == "bcd"
    memory.put("e", "E")
    assert kept(memory) == "cde"


def test_what_is_asked_for_or_put_again_is_not_the_oldest(memory: Memory[str]) -> None:
    assert memory.get("a") == "A"
    memory.put("b", "B2")
    memory.put("d", "D")
    assert memory.values() == ["A", "B2", "D"]
    assert kept(memory) == "abd"


def test_what_is_taken_or_forgotten_is_gone(memory: Memory[str]) -> None:
    assert [memory.take("a"), memory.take("a"), memory.get("a")] == ["A", None, None]
    memory.forget("b")
    memory.forget("x")
    assert kept(memory) == "c"


def test_all_entries_of_a_value_may_be_forgotten(memory: Memory[str]) -> None:
    memory.put("b", "A")
    memory.forget_value("A")
    assert kept(memory) == "c"


def test_nothing_is_taken_from_what_is_empty() -> None:
    memory: Memory[str] = Memory()
    memory.forget("a")
    assert memory.take("a") is None
    assert memory.values() == []


def test_unless_said_otherwise_many_are_kept() -> None:
    memory: Memory[int] = Memory()
    for n in range(REMEMBERED + 1):
        memory.put(n, n)
    assert memory.get(0) is None
    assert memory.get(1) == 1
