"""Reasons of rejections: our own words stay, what Vitally says is masked, and alike ones are counted together."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.outcomes.ledger import PendingRecord, Segment
from destination_vitally.outcomes.reasons import REASONS_COUNTED, Rejections, masked, reason_of
from unit_tests.destination.builders import configured, plans, settings

PLAN: StreamPlan = next(iter(plans(settings(), configured("accounts")).values()))


def rejected(reason: str, label: str = "", **data: Any) -> PendingRecord:
    line = orjson.dumps({"type": "RECORD", "record": {"stream": "accounts", "data": data}})
    return PendingRecord(PLAN, Segment(), line, 1, label=label, reason=reason, place=1000)


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("account 'a': name must be a text", "account 'a': name must be a text"),
        ("account 'a': Vitally refused it: Acme is taken", "account 'a': Vitally refused it: *** is taken"),
        ("account 'a': Vitally refused it: Acmeville is taken", "account 'a': Vitally refused it: Acmeville is taken"),
        ("account 'a': Vitally refused it: 12345 x", "account 'a': Vitally refused it: *** x"),
        ("account 'a': Vitally refused it: 123456 text", "account 'a': Vitally refused it: 123456 ***"),
        (
            "account 'a': Vitally does not list /x to its end: Acme",
            "account 'a': Vitally does not list /x to its end: ***",
        ),
    ],
)
def test_only_what_vitally_says_is_masked_and_only_whole_values(reason: str, shown: str) -> None:
    record = rejected(reason, name="Acme", seats=12345, must={"deep": ["text", "a"]}, taken="must")
    assert masked(record) == shown
    assert reason_of(record) == ("account 'a'", shown.removeprefix("account 'a': "))


def test_the_key_may_be_anything() -> None:
    record = rejected("account 'it's: odd': name is required", label="account 'it's: odd'")
    assert reason_of(record) == ("account 'it's: odd'", "name is required")
    assert reason_of(rejected("account: name is required")) == ("account", "name is required")


def test_no_flood_of_reasons_is_kept() -> None:
    rejections = Rejections(100)
    for n in range(1000):
        rejections.note(rejected(f"account 'a': reason {n}"))
    lines = list(rejections.summary(PLAN))
    assert len(lines) == REASONS_COUNTED + 1
    assert lines[0] == "Stream accounts: 900 rejected: other reasons"
