"""The batcher against a model of it: rows of a key stay in order, none is lost, no batch is too large."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import orjson
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from destination_vitally.outcomes.ledger import PendingRecord
from destination_vitally.send.batches import OPEN_BATCHES, Batch, Batcher
from unit_tests.destination.builders import queued

MESSAGES, BYTES = 100, 500_000
USERS = st.sampled_from("abc")
ACCOUNTS = st.sampled_from("xyz")
SIZES = st.sampled_from([1, 1, 1, 3_000, 150_000, 240_000, 499_000])


@dataclass
class Row:
    """A row that has not left yet: its record, its accounts, and the lengths of its messages that are to leave."""

    record: PendingRecord
    accounts: list[str]
    lengths: list[int]


class UsersOfAccounts(RuleBasedStateMachine):
    """Users who are linked to accounts arrive in any order, small and large; the batches are applied as they come."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = 0
        self.waiting: dict[str, list[Row]] = defaultdict(list)
        self.lanes: dict[str, tuple[Hashable, ...]] = {}
        self.expected: dict[str, dict[str, Any]] = defaultdict(dict)
        self.applied: dict[str, dict[str, Any]] = defaultdict(dict)
        self.links: set[tuple[str, str]] = set()
        self.linked: set[tuple[str, str]] = set()
        self.batcher = Batcher(self.apply)

    def apply(self, batch: Batch) -> None:
        assert 0 < len(batch.messages) <= MESSAGES
        assert batch.size == len(b"[%b]" % b",".join(one.encoded for one in batch.messages)) <= BYTES
        whose: dict[str, list[PendingRecord]] = {}
        for one in batch.messages:
            user = orjson.loads(one.encoded)["userId"]
            assert whose.setdefault(user, one.records) == one.records, "one batch has two rows of a user"
            for record in one.records:
                first = self.waiting[user][0]
                assert first.record is record, "a row of a user left before another"
                first.lengths.pop()
                if not first.lengths:
                    self.waiting[user].pop(0)
        if len(batch.messages) < MESSAGES:
            began = [rows[0] for user, rows in self.waiting.items() if rows and rows[0].record in whose.get(user, [])]
            assert all(batch.size + row.lengths[0] >= BYTES for row in began), "a row travels whole where there is room"
        for one in reversed(batch.messages):  # Vitally does not say in which order it applies the messages of a batch.
            body = orjson.loads(one.encoded)
            self.applied[body["userId"]] |= body["traits"]
            self.linked.add((body["userId"], body["accountId"]))

    @rule(user=USERS, accounts=st.lists(ACCOUNTS, min_size=1, unique=True), size=SIZES)
    def row(self, user: str, accounts: list[str], size: int) -> None:
        self.rows += 1
        traits = {f"trait {accounts[0]}": self.rows, "last": "x" * (size // len(accounts))}
        messages = queued("user", {"externalId": user, "accountIds": accounts, **traits})
        self.expected[user] |= traits
        self.links |= {(user, account) for account in accounts}
        self.lanes[user] = messages[0].lanes
        lengths = [len(one.encoded) for one in messages]
        self.waiting[user].append(Row(messages[0].records[0], accounts, lengths))
        for one in messages:
            self.batcher.add(one)

    @rule(count=st.integers(1, 110))
    def rows_of_many(self, count: int) -> None:
        for _ in range(count):
            self.row(f"user {self.rows}", ["x"], 1)

    @rule(user=USERS, accounts=st.lists(ACCOUNTS, min_size=1, max_size=20))
    def rows_of_one(self, user: str, accounts: list[str]) -> None:
        for account in accounts:
            self.row(user, [account], 1)

    @rule()
    def flush(self) -> None:
        self.batcher.flush()
        assert not any(self.waiting.values())
        assert self.applied == self.expected
        assert self.linked == self.links

    @invariant()
    def it_knows_what_it_holds(self) -> None:
        held = {user for user, rows in self.waiting.items() if rows}
        assert {user for user, lanes in self.lanes.items() if self.batcher.holds(lanes)} == held

    @invariant()
    def it_holds_no_more_than_some_batches(self) -> None:
        assert sum(1 for rows in self.waiting.values() if rows) <= OPEN_BATCHES * MESSAGES
        for rows in self.waiting.values():
            apart = sum(one.accounts != other.accounts for one, other in itertools.pairwise(rows))
            assert apart < OPEN_BATCHES

    def teardown(self) -> None:
        self.flush()


TestUsersOfAccounts = UsersOfAccounts.TestCase
TestUsersOfAccounts.settings = examples(max_examples=30, stateful_step_count=30)
