"""Which of several rows of a key counts: what is remembered of each, in what order, and how large it is."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from destination_vitally.errors import RejectedError
from destination_vitally.mapping.change import Change
from destination_vitally.mapping.values.cursors import cursor_of
from destination_vitally.objects.table import BY_NAME
from destination_vitally.outcomes.ledger import PendingRecord, Segment
from destination_vitally.rows.store import Store
from destination_vitally.sync import versions
from destination_vitally.sync.versions import Versions


class Plan(SimpleNamespace):
    """A stream as far as versions look at it."""

    __hash__ = object.__hash__  # type: ignore[assignment]


def plan(title: str = "accounts", rank: int = 0) -> Any:
    return Plan(title=title, rank=rank, is_dated=True, number=0)


def change(key: str = "a", *, cursor: Any = None, name: str = "account", **more: Any) -> Change:
    entry, at = BY_NAME[name], cursor_of({"at": cursor}, ["at"])
    told: Any = {"operation": "upsert", "route": None, "label": key, "open_values": {}, **more}
    return Change(entry, fields={"externalId": key}, cursor=at, **told)


def row(of: Any, number: int, line: bytes = b"x" * 10) -> PendingRecord:
    return PendingRecord(of, Segment(), line, number)


@pytest.fixture
def kept() -> Versions:
    return Versions(Store())


@pytest.mark.parametrize(
    ("cursors", "superseded"),
    [
        ([2, 1], [False, True]),
        ([1, 2, 1], [False, False, True]),
        ([1, 1], [False, False]),
        ([2, None, 1], [False, False, True]),
        ([None, 1], [False, False]),
        ([2, "text", 1, "s"], [False, False, False, False]),
        (["2026-01-02", "2026-01-01T23:59:59Z"], [False, True]),
        (["b", "a"], [False, True]),
        ([0, -1], [False, True]),
        ([10**30, 9 * 10**29], [False, False]),
    ],
)
def test_an_older_cursor_is_superseded(kept: Versions, cursors: list[Any], superseded: list[bool]) -> None:
    assert [kept.is_superseded(plan(), change(cursor=cursor)) for cursor in cursors] == superseded


def test_keys_of_others_and_dated_rows_are_apart(kept: Versions) -> None:
    assert not kept.is_superseded(plan(), change(cursor=2))
    assert not kept.is_superseded(plan(), change("b", cursor=1))
    assert not kept.is_superseded(plan(), change(cursor=1, name="organization"))
    assert not kept.is_superseded(plan(), change(cursor=1, sent_at="2026-01-01T00:00:00Z"))
    assert kept.is_superseded(plan(), change(cursor=1, operation="delete"))


@pytest.mark.parametrize("cursor", [1_790_000_000, "2026-09-21T14:13:20.123456Z", 1_790_000_000_123.5])
def test_a_key_takes_few_bytes_on_disk(kept: Versions, cursor: Any) -> None:
    count = 5_000
    before = size(kept)
    for number in range(count):
        kept.is_superseded(plan(), change(f"customer-{number}", cursor=cursor))
    assert (size(kept) - before) / count <= 40


def size(kept: Versions) -> int:
    store = kept._store
    return int(store.one("PRAGMA page_count")[0] * store.one("PRAGMA page_size")[0])


def test_each_stream_with_too_many_keys_is_named_once(
    kept: Versions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(versions, "MOST_KEYS", 1)
    with caplog.at_level(logging.WARNING, "airbyte"):
        for title in ("one", "two"):
            for key in ("a", "b", "c"):
                kept.is_superseded(plan(title), change(key, cursor=1))
    assert [text.split(":")[0] for text in caplog.messages] == ["Stream one", "Stream two"]
    assert kept.is_superseded(plan(), change("a", cursor=0)), "what was remembered is"
    assert not kept.is_superseded(plan(), change("b", cursor=0))


def test_a_message_id_is_of_one_content(kept: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    said: Any = {"message_id": "m", "open_values": {"seats": 10, "at": "2026-01-01T00:00:00Z"}}
    kept.check_own_id(plan(), change(**said))
    kept.check_own_id(plan(), change(message_id="m", open_values={"at": "2026-01-01T01:00:00+01:00", "seats": 10.0}))
    kept.check_own_id(plan(), change())
    for other in (
        change("b", **said),
        change(**{**said, "open_values": {"seats": 11}}),
        change(**said, sent_at="2026-01-01T00:00:00Z"),
        change(**said, name="organization"),
    ):
        with pytest.raises(RejectedError, match="another row has this messageId"):
            kept.check_own_id(plan(), other)
    monkeypatch.setattr(versions, "MOST_KEYS", 1)
    for key in ("a", "b"):
        kept.check_own_id(plan(), change(key, message_id="beyond the budget"))


# Dated rows


def keep(kept: Versions, of: Any, number: int, at: str = "") -> bool:
    return kept.keeps(row(of, number), change(sent_at=at and f"{at}T00:00:00Z"))


def test_dated_rows_leave_oldest_first_and_parents_before_children(kept: Versions) -> None:
    users, accounts = plan("users", 1), plan("accounts", 0)
    assert keep(kept, users, 1, "2026-01-01")
    for number, at in enumerate(["2026-03-01", "", "2026-01-01", "2026-02-01", "2026-01-01", ""], 2):
        assert keep(kept, accounts, number, at)
    assert [*kept.take(9)] == []
    kept.end(users)
    assert [*kept.take(1)] == []
    kept.end(accounts)
    taken = [*kept.take(9)]
    assert [one.number for one in taken] == [4, 6, 5, 2, 3, 7, 1]
    assert [one.plan for one in taken] == [accounts] * 6 + [users]
    assert all(one.is_sorted and not kept.keeps(one, change()) for one in taken)
    assert [*kept.take(9)] == []


def test_what_is_too_much_leaves_before_its_stream_ends(kept: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "MOST_BYTES", 20)
    accounts = plan()
    assert keep(kept, accounts, 1, "2026-02-01")
    assert not kept.is_full
    assert keep(kept, accounts, 2, "2026-01-01")
    assert kept.is_full
    assert [one.number for one in kept.take(9)] == [2, 1]
    assert not kept.is_full
