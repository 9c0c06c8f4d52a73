"""What became of the records of a sync, in words; and when it has to stop because of it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from destination_vitally.errors import ConfigError
from destination_vitally.outcomes.ledger import Outcome
from destination_vitally.outcomes.reasons import ALL_ALIKE
from destination_vitally.sync.report import Report
from unit_tests.destination.builders import configured, plans, settings
from unit_tests.destination.syncs import Rejected

NAMES = ("accounts", "users")


class Account:
    """The report of a sync of two streams."""

    def __init__(self, **chosen: Any) -> None:
        self.failures: list[ConfigError] = []
        self.rejected = Rejected()
        config = settings(**chosen)
        self.plans = list(plans(config, *map(configured, NAMES)).values())
        self.report = Report(config, self.rejected, self.failures.append)
        for plan in self.plans:
            self.report.ledger.expect(plan)

    def settle(self, outcome: Outcome | None, count: int = 1, stream: int = 0) -> None:
        for _ in range(count):
            row = self.report.ledger.receive(self.plans[stream], b"", 1)
            row.label = "account 'a'"
            if outcome:
                self.report.ledger.settle(row, outcome, "account 'a': why" if outcome == "rejected" else None, 400)


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({}, "Stream accounts (upsert account): 7 records = 2 accepted, 1 superseded, 0 skipped, 1 rejected"),
        (
            {"skip_unchanged": True},
            "Stream accounts (upsert account): 7 records = 2 accepted, 1 superseded, 1 unchanged, 0 skipped, "
            "1 rejected",
        ),
        (
            {"dry_run": True},
            "Dry run, nothing was sent. Stream accounts (upsert account): 7 records = 0 created, 0 updated, "
            "0 created or updated, 0 deleted, 1 superseded, 0 skipped, 1 rejected",
        ),
    ],
)
def test_each_stream_has_its_account(chosen: dict[str, Any], sentence: str) -> None:
    account = Account(**chosen)
    account.settle("accepted", 2)
    outcomes: tuple[Outcome | None, ...] = ("superseded", "unchanged", "rejected", None, None)
    for outcome in outcomes:
        account.settle(outcome)
    level, text = next(account.report.sentences())
    assert level == logging.INFO
    assert text == sentence + ", 2 without outcome, they come again with the next sync"


def test_what_is_remarked_of_rows_is_in_one_sentence_with_a_count_and_of_their_stream() -> None:
    account = Account()
    for plan, remark in [(0, "stay so"), (1, "stay so"), (0, "stay so"), (0, "are others")]:
        account.report.remark(account.plans[plan], remark)
    assert [text for level, text in account.report.sentences() if level == logging.WARNING] == [
        "Stream accounts: 2 rows stay so.", "Stream accounts: 1 rows are others.", "Stream users: 1 rows stay so.",
    ]  # fmt: skip


def test_the_reasons_of_rejections_follow_their_stream() -> None:
    account = Account()
    account.settle("rejected", 3)
    account.settle("accepted", stream=1)
    texts = [text for _, text in account.report.sentences()]
    assert [text.split(" (")[0] for text in (texts[0], texts[-1])] == ["Stream accounts", "Stream users"]
    assert "3 rejected" in texts[1]
    assert "why" in texts[1]


@pytest.mark.parametrize(
    ("chosen", "before", "problem"),
    [
        ({}, 1, None),
        (
            {"on_rejected": "fail"}, 1,
            "Stopped at a rejected record of stream accounts, as it is set: account 'a': why. Correct the "
            "record, or set When a row is rejected (on_rejected) to skip.",
        ),
        (
            {}, 0,
            f"Stopped: the first {ALL_ALIKE} rows of stream accounts were all rejected for the same reason. "
            f"{ALL_ALIKE} rejected: why (for example account 'a'). Correct the settings or the table; "
            "the rows come again with the next sync.",
        ),
    ],
)  # fmt: skip
def test_rejections_stop_a_sync_that_is_hopeless_or_asks_for_it(
    chosen: dict[str, Any], before: int, problem: str | None
) -> None:
    account = Account(**chosen)
    account.settle("accepted", before)
    account.settle("rejected", ALL_ALIKE)
    assert [str(error.message) for error in account.failures[:1]] == ([problem] if problem else [])
    assert account.rejected.reasons == ["account 'a': why"] * ALL_ALIKE


@pytest.mark.parametrize(("limit", "is_failure"), [(100, False), (50, False), (49, True)])
def test_more_rejections_than_the_limit_are_a_failure(limit: int, is_failure: bool) -> None:
    account = Account(reject_limit_percent=limit)
    account.settle("accepted", 2)
    account.settle("rejected", 2)
    assert ("2 of 4 rows were rejected, which is more than the 49 %" in account.report.failure) is is_failure
    assert bool(account.report.failure) is is_failure


@pytest.mark.parametrize(("accepted", "is_failure"), [(0, True), (1, False)])
def test_a_stream_of_which_nothing_could_be_written_is_a_failure(accepted: int, is_failure: bool) -> None:
    account = Account()
    account.settle("accepted", accepted)
    account.settle("rejected", 2)
    failure = account.report.failure
    assert failure.startswith("Stream accounts: none of its 2 rows could be written.") is is_failure
    assert bool(failure) is is_failure
