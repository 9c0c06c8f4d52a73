"""Batches: full, small enough, in order."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.send.batches import BYTES, MESSAGES, OPEN_BATCHES, Batch, Batcher
from destination_vitally.send.messages import QueuedMessage
from unit_tests.destination.builders import message, queued


def test_bytes_and_messages_of_a_batch_are_bounded() -> None:
    sent: list[Batch] = []
    batcher = Batcher(sent.append)
    for n in range(60):
        batcher.add(queued("account", {"externalId": f"a{n}", "text": "x" * 20_000})[0])
    for n in range(250):
        batcher.add(queued("account", {"externalId": f"b{n}"})[0])
    batcher.flush()
    bodies = [b"[" + b",".join(queued.encoded for queued in batch.messages) + b"]" for batch in sent]
    assert sum(len(batch.messages) for batch in sent) == 310
    assert all(len(body) <= BYTES for body in bodies)
    assert [batch.size for batch in sent] == [*map(len, bodies)]
    assert all(len(batch.messages) <= MESSAGES for batch in sent)
    assert len(sent) <= 6


LIMIT = 500_000


def of_length(name: str, length: int, **traits: Any) -> QueuedMessage:
    """A message of so many bytes."""
    bare = queued("account", {"externalId": name, "text": "", **traits})[0]
    return queued("account", {"externalId": name, "text": "x" * (length - len(bare.encoded)), **traits})[0]


@pytest.mark.parametrize("beyond", [-1, 0, 1])
@pytest.mark.parametrize("lengths", [[], [200_000], [100_000, 150_000, 200_000]])
def test_a_body_has_the_bytes_it_may_have_and_not_one_more(lengths: list[int], beyond: int) -> None:
    sent: list[Batch] = []

    def take(batch: Batch) -> None:
        assert batch.messages
        sent.append(batch)

    batcher = Batcher(take)
    last = LIMIT + beyond - sum(lengths) - len(b"[,]") - max(0, len(lengths) - 1)
    for n, length in enumerate([*lengths, last] if lengths else [min(last, LIMIT - len(b"[]"))]):
        batcher.add(of_length(f"a{n}", length))
    batcher.flush()
    bodies = [b"[" + b",".join(one.encoded for one in batch.messages) + b"]" for batch in sent]
    assert len(bodies) == (2 if lengths and beyond > 0 else 1)
    assert max(map(len, bodies)) <= LIMIT


def test_a_message_as_long_as_a_body_may_be_travels_alone() -> None:
    sent: list[Batch] = []
    batcher = Batcher(sent.append)
    for name, length in {"small": 200, "largest": LIMIT - len(b"[]"), "next": 200}.items():
        batcher.add(of_length(name, length))
    batcher.flush()
    assert [batch.size for batch in sent] == [202, LIMIT, 202]


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_rows_of_a_key_are_merged_if_both_would_fit_in(beyond: int) -> None:
    sent: list[Batch] = []
    batcher = Batcher(sent.append)
    batcher.add(of_length("a", 200_000))
    batcher.add(of_length("a", LIMIT + beyond - 200_000 - len(b"[,]")))
    batcher.flush()
    assert [len(one.records) for batch in sent for one in batch.messages] == ([1, 1] if beyond > 0 else [2])


@pytest.mark.parametrize("other", [0, 250_000])
def test_rows_of_a_key_are_not_merged_into_what_would_be_too_long(other: int) -> None:
    sent: list[Batch] = []
    batcher = Batcher(sent.append)
    batcher.add(of_length("a", 200_000))
    if other:
        batcher.add(of_length("b", other))
    later = queued("account", {"externalId": "a", "more": "y" * (400_000 - other)})[0]
    batcher.add(later)
    batcher.flush()
    assert max(sum(len(one.encoded) for one in batch.messages) for batch in sent) < LIMIT
    assert [one.records for one in sent[-1].messages] == [later.records], "after the row before it"


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_what_is_merged_counts_for_the_rows_after_it(beyond: int) -> None:
    sent: list[Batch] = []
    batcher = Batcher(sent.append)
    batcher.add(merged := of_length("a", 200_000))
    batcher.add(queued("account", {"externalId": "a", "more": "y" * 100_000})[0])
    assert len(merged.records) == 2
    batcher.add(of_length("b", LIMIT + beyond - len(merged.encoded) - len(b"[,]")))
    batcher.flush()
    assert len(sent) == (2 if beyond > 0 else 1)


class Users:
    """Messages of users of accounts, whose rows are not merged when their accounts differ."""

    def __init__(self) -> None:
        self.sent: list[list[str]] = []
        self.batcher = Batcher(lambda batch: self.sent.append([self._told(one) for one in batch.messages]))

    @staticmethod
    def _told(one: QueuedMessage) -> str:
        body = message(one)
        return f"{body['userId']} of {body['accountId']}"

    def add(self, user: str, *accounts: str) -> None:
        for one in queued("user", {"externalId": user, "accountIds": [*accounts]}):
            self.batcher.add(one)

    def fill(self, count: int, prefix: str) -> None:
        """Add so many other users."""
        for number in range(count):
            self.add(f"{prefix}{number}", "other")

    def sizes(self) -> list[int]:
        return [len(batch) for batch in self.sent]


def test_a_batch_goes_when_it_is_full_and_leaves_those_after_it_open() -> None:
    users = Users()
    for account in "abcd":
        users.add("u", account)
    assert users.sent == []
    for number in range(3):
        users.fill(MESSAGES - 2, f"{number}-")
        assert users.sizes() == [MESSAGES] * number
        users.fill(1, "last-")
        assert users.sizes() == [MESSAGES] * (number + 1)
        assert users.sent[-1][0] == f"u of {'abcd'[number]}"
    users.add("u", "d")
    users.add("u", "e")
    users.batcher.flush()
    assert users.sent[3:] == [["u of d"], ["u of e"]]


def test_a_batch_that_has_no_room_goes_with_those_before_it_and_no_other() -> None:
    sent: list[str] = []
    batcher = Batcher(lambda batch: sent.append(" ".join(message(one)["accountId"] for one in batch.messages)))
    rows = [("x", 10_000), ("x", 400_000), ("x", 10_000), ("y", 10_000), ("y", 200_000)]
    for n, expected in enumerate([["x0 y0", "x0"], ["x0 y0 x1 y1", "x1"], ["x1 y1 x2 y2", "x2"]]):
        for organization, (name, length) in enumerate(rows):
            assert sent == []
            batcher.add(of_length(f"{name}{n}", length, organizationId=f"{organization}"))
        assert sent == expected
        sent.clear()
    batcher.flush()
    assert sent == ["x2 y2"]


@pytest.mark.parametrize(("rows", "sent"), [(OPEN_BATCHES, 0), (OPEN_BATCHES + 1, 1), (OPEN_BATCHES + 3, 3)])
def test_only_so_many_batches_are_open_at_once(rows: int, sent: int) -> None:
    users = Users()
    for account in range(rows):
        users.add("u", str(account))
    assert users.sent == [[f"u of {account}"] for account in range(sent)]


@pytest.mark.parametrize(
    ("rows", "batches"),
    [
        (["a", "a"], ["a"]),
        (["abc", "abc"], ["abc", "abc"]),
        (["a", "ab"], ["a", "ab"]),
        (["ab", "b"], ["ab", "b"]),
        (["ab", "b", "b"], ["ab", "b"]),
    ],
)
def test_a_row_of_several_messages_is_merged_with_none_and_travels_whole(rows: list[str], batches: list[str]) -> None:
    users = Users()
    for accounts in rows:
        users.add("u", *accounts)
    users.batcher.flush()
    assert users.sent == [[f"u of {account}" for account in accounts] for accounts in batches]


def test_rows_of_a_key_are_merged_in_each_batch() -> None:
    users = Users()
    for number in range(3):
        users.add("u", "a")
        users.fill(MESSAGES - 1, f"{number}-")
        users.add("u", "a")
        users.add("u", "a")
    assert users.sizes() == [MESSAGES] * 3
    assert users.batcher.holds([("/users", "externalId", "u")])
    users.batcher.flush()
    assert users.sizes() == [MESSAGES] * 3 + [1]
    assert not users.batcher.holds([("/users", "externalId", "u")])


def test_rows_without_a_key_do_not_wait_for_each_other() -> None:
    sent: list[Batch] = []
    batcher = Batcher(sent.append)
    for one in [of_length("a", 1000), of_length("a", 1000)]:
        one.key = None
        batcher.add(one)
    batcher.flush()
    assert [len(batch.messages) for batch in sent] == [2]
