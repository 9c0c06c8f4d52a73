"""Batches on their way: what is refused is halved, what fails is told from an outage, each record has an outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import orjson
import pytest
import requests
import requests_mock

from destination_vitally.api.http import Api, Shared
from destination_vitally.api.limiter import Limiter
from destination_vitally.api.reply import Reply
from destination_vitally.errors import ConfigError, OutageError
from destination_vitally.outcomes.ledger import Ledger, PendingRecord
from destination_vitally.rows.memory import Memory
from destination_vitally.send.batches import REFUSALS_TELLING, Analytics
from destination_vitally.send.messages import QueuedMessage, messages_of
from unit_tests.clock import QuickClock
from unit_tests.destination.builders import EMISSION, PLAN, REFERENCES, change

URL = "http://a.example/analytics/v1"
LONG = [1, 2, 4, 8, 16, 32, 60, 60, 60]
"""The waits of a request that gets no good answer for as long as one may take."""
SHORT = [1, 2, 4, 8, 16]
"""The same once it is known that there are such requests."""

Answer = dict[str, Any]
GOOD: Answer = {"json": {"message": "Success."}}
BAD: Answer = {"status_code": 400, "json": {"error": "No such thing."}}
BLOCKED: Answer = {"status_code": 400, "json": {"error": "Messages of this type are blocked."}}
BROKEN: Answer = {"status_code": 500}


class Vitally:
    """The Analytics API, which answers by what is in the names of a batch, and a sync that sends to it."""

    def __init__(self, mock: requests_mock.Mocker) -> None:
        self.answers: dict[str, Answer] = {"bad": BAD, "blocked": BLOCKED, "broken": BROKEN}
        """By what a batch has in it."""
        self.once: dict[str, Answer] = {}
        """The same, for the first batch that has it."""
        mock.add_matcher(self._answer)
        self.batches: list[str] = []
        self.clock = QuickClock()
        shared = Shared(requests.Session(), Limiter(100_000, self.clock), self.clock, jitter=lambda: 1.0)
        self.api = Api("analytics_token", URL, "Basic example", shared)
        self.rejected: dict[str, str | None] = {}
        self.ledger = Ledger(self._reject)
        self.ledger.expect(PLAN)
        self.memory = Memory(self.clock)
        self.analytics = Analytics(self.api, self.ledger, self.memory, lambda messages, reply: messages)

    def _reject(self, record: PendingRecord) -> None:
        self.rejected[record.label] = f"{record.status}: {record.reason}"

    def _answer(self, request: Any) -> requests.Response | None:
        assert (request.method, request.url) == ("POST", f"{URL}/batch")
        messages = orjson.loads(request.body or b"")
        told = " ".join("+".join([one.get("userId") or one["accountId"], *one["traits"]]) for one in messages)
        self.batches.append(told)
        answers = (table.pop(w) for table in (self.once, {**self.answers}) for w in [*table] if w in told)
        return requests_mock.create_response(request, **next(answers, GOOD))

    def messages(self, *names: str, kind: str = "account", traits: Any = None) -> list[QueuedMessage]:
        """Messages of new records."""
        made = []
        for name in names:
            record = self.ledger.receive(PLAN, b"", 1)
            record.label = name
            data = {"externalId": name, **({} if kind == "account" else {"organizationId": "o"}), **(traits or {})}
            made += messages_of(change(kind, "upsert", data), record, EMISSION, REFERENCES)
        return made

    def merged(self, *rows: str) -> list[QueuedMessage]:
        """One message of rows of an account, which are told by what is in them."""
        messages = [self.messages("a", traits={row: 1})[0] for row in rows]
        for message, row in zip(messages, rows, strict=True):
            message.records[0].label = row
        for later in messages[1:]:
            messages[0].merge(later)
        return messages[:1]

    def send(self, *names: str, kind: str = "account") -> None:
        self.analytics.send(self.messages(*names, kind=kind))

    @property
    def outcomes(self) -> Counter[Any]:
        return self.ledger.tallies[PLAN].outcomes


@pytest.fixture
def vitally() -> Iterator[Vitally]:
    with requests_mock.Mocker() as mock:
        yield Vitally(mock)


def refused(name: str, words: str = "No such thing.", status: int = 400) -> dict[str, str]:
    return {name: f"{status}: {name}: Vitally refused it: {words}"}


def test_what_is_taken_is_accepted_and_remembered(vitally: Vitally) -> None:
    vitally.send("a", "b", "c")
    vitally.analytics.send(vitally.merged("first", "second"))
    assert vitally.batches == ["a b c", "a+first+second"]
    assert vitally.outcomes == {"accepted": 4, "superseded": 1}
    assert vitally.memory.count(PLAN.entry) == 4


def test_what_is_looked_for_has_its_outcome_from_who_looks(vitally: Vitally) -> None:
    """Given that some of the messages are waited for, then only the others are accepted when Vitally takes them.

    That they are on their way is known before any of them has an outcome: what depends on them is decided by it.
    """
    vitally.memory.expect(PLAN.entry, sent=True, contents=False)
    known: list[bool] = []

    def watch(messages: list[QueuedMessage], reply: Reply) -> list[QueuedMessage]:
        keys = [("account", "externalId", message.change.fields["externalId"]) for message in messages]
        known.extend(vitally.memory.ask(PLAN.entry, key).coming is not None for key in keys)
        return messages[1:]

    Analytics(vitally.api, vitally.ledger, vitally.memory, watch).send(vitally.messages("a", "b", "c"))
    assert known == [True] * 3
    assert vitally.outcomes == {"accepted": 2}
    assert vitally.ledger.tallies[PLAN].open == 1


@pytest.mark.parametrize(
    ("sent", "batches"),
    [
        ("bad", ["bad"]),
        ("a bad", ["a bad", "a", "bad"]),
        ("bad b c", ["bad b c", "bad", "b c"]),
        ("a b c bad e f g h", ["a b c bad e f g h", "a b c bad", "a b", "c bad", "c", "bad", "e f g h"]),
    ],
)
def test_what_is_refused_is_halved_until_the_bad_one_stands_alone(
    vitally: Vitally, sent: str, batches: list[str]
) -> None:
    vitally.send(*sent.split())
    assert vitally.batches == batches
    assert +vitally.outcomes == +Counter({"accepted": sent.count(" "), "rejected": 1})
    assert vitally.rejected == refused("bad")


@pytest.mark.parametrize("rows", [("good", "bad"), ("bad", "good"), ("good", "bad", "better")])
def test_rows_whose_merged_message_is_refused_are_sent_one_by_one(vitally: Vitally, rows: tuple[str, ...]) -> None:
    vitally.analytics.send(vitally.merged(*rows))
    assert vitally.batches == ["a+" + "+".join(rows), *(f"a+{row}" for row in rows)]
    assert vitally.outcomes == {"accepted": len(rows) - 1, "rejected": 1}
    assert vitally.rejected == refused("bad")
    assert vitally.memory.count(PLAN.entry) == len(rows) - 1


def test_the_other_half_of_what_is_refused_is_tried_for_as_long_as_any_batch(vitally: Vitally) -> None:
    vitally.once["c"], vitally.once["c d"] = BAD, BROKEN
    vitally.send("bad", "b", "c", "d")
    assert vitally.batches == ["bad b c d", "bad b", "bad", "b", "c d", "c d"]
    assert vitally.clock.waits == [1]


def test_what_fails_while_others_are_taken_is_refused(vitally: Vitally) -> None:
    vitally.send("early")
    vitally.send("a", "b", "broken", "d")
    assert vitally.batches == [
        *["early", *["a b broken d"] * 10, "early"],
        *["a b", "broken d", "b", *["broken"] * 6, "b", "d"],
    ]  # fmt: skip
    assert vitally.clock.waits == LONG + SHORT
    assert vitally.outcomes == {"accepted": 4, "rejected": 1}
    words = "HTTP 500, again and again, while it answers other requests"
    assert vitally.rejected == refused("broken", words, 500)


@pytest.mark.parametrize(
    ("sent", "then"),
    [
        ("a broken", "a * 2, broken * 6, a"),
        ("broken b", "broken, b, broken * 6, b * 2"),
        ("broken b c d e", "broken, c, broken b, c, broken * 6, c, b, c d e"),
        ("broken b broken d e", "broken * 2, e, broken b, e, broken * 6, e, b, broken d e, b, broken * 6, b, d e"),
        ("a b c d broken", "a, a b, c d broken, b, c, d broken, c, d, broken * 6, d"),
    ],
)
def test_before_anything_is_taken_some_of_a_batch_are_tried_alone(vitally: Vitally, sent: str, then: str) -> None:
    """Then it is the last one taken that tells."""
    vitally.send(*sent.split())
    batches = [(name, len([*times])) for name, times in groupby(vitally.batches)]
    told = [f"{name} * {count}" if count > 1 else name for name, count in batches]
    assert told == [f"{sent} * 10", *then.split(", ")]
    assert vitally.clock.waits == LONG + SHORT * sent.count("broken")
    assert vitally.outcomes == {"accepted": len(sent.split()) - sent.count("broken"), "rejected": sent.count("broken")}


@pytest.mark.parametrize("sent", ["broken", "broken broken", "broken b broken d broken"])
def test_when_nothing_is_taken_it_is_an_outage(vitally: Vitally, sent: str) -> None:
    with pytest.raises(OutageError, match="HTTP 500"):
        vitally.send(*sent.split())
    tried = [name for name in sent.split() if name == "broken"] if " " in sent else []
    assert set(vitally.batches[10:]) == set(tried)
    assert vitally.outcomes == {}


@pytest.mark.parametrize("status", [400, 405, 413, 422])
def test_each_refusal_has_the_words_and_the_status_of_vitally(vitally: Vitally, status: int) -> None:
    vitally.answers["odd"] = {"status_code": status, "json": {"error": "Not like this."}}
    vitally.send("odd", "good")
    assert vitally.rejected == refused("odd", "Not like this.", status)


def test_no_api_at_the_address_is_a_config_error(vitally: Vitally) -> None:
    vitally.answers["a"] = {"status_code": 404, "json": {"error": "Not found"}}
    with pytest.raises(
        ConfigError, match=r"no Analytics API at this address \(HTTP 404\). Check Data center \(data_center\)"
    ):
        vitally.send("a")


def test_a_404_without_a_word_where_there_is_an_api_is_about_the_message(vitally: Vitally) -> None:
    vitally.answers["odd"] = {"status_code": 404}
    vitally.send("good")
    vitally.send("odd")
    assert vitally.outcomes == {"accepted": 1, "rejected": 1}
    [reason] = vitally.rejected.values()
    assert str(reason).startswith("404: odd: Vitally refused it: HTTP 404 without a word from Vitally, again")


@pytest.mark.parametrize("good", ["user", "account", ""])
@pytest.mark.parametrize("count", [REFUSALS_TELLING - 1, REFUSALS_TELLING, REFUSALS_TELLING + 20])
def test_refusals_of_all_there_is_of_a_type_stop_a_sync_and_others_do_not(
    vitally: Vitally, good: str, count: int
) -> None:
    if good:
        vitally.send("good", kind=good)
    failure = None
    try:
        for number in range(count):
            vitally.send(f"bad{number}", kind="user")
    except ConfigError as error:
        failure = str(error)
    if good == "user" or count < REFUSALS_TELLING:
        assert failure is None
        assert vitally.outcomes["rejected"] == len(vitally.rejected) == count
    else:
        assert failure == (
            "Vitally refused every one of 100 'user' messages (the last: No such thing.). Correct what it complains "
            "about, or ask Vitally whether the workspace blocks this type."
        )
        assert len(vitally.rejected) == REFUSALS_TELLING


@pytest.mark.parametrize(
    ("sent", "is_type"),
    [
        (["blocked"], True),
        (["blocked good"], False),
        (["blocked1 blocked2"], True),
        (["bad", "blocked good"], False),
        (["blocked1 bad", "blocked2 bad"], True),
        (["blocked1 bad", "good", "blocked2 bad"], False),
        (["good", "blocked", "blocked1 blocked2"], False),
        (["bad", "bad", "bad good"], False),
    ],
)
def test_a_type_is_blocked_when_vitally_says_so_and_takes_none(
    vitally: Vitally, sent: list[str], is_type: bool
) -> None:
    failure = None
    try:
        for names in sent:
            vitally.send(*names.split())
    except ConfigError as error:
        failure = str(error)
    expected = (
        "Vitally blocks 'account' messages in this workspace (Messages of this type are blocked.). Ask Vitally Support "
        "to unblock them, or take the streams that need them out of the connection."
    )
    assert failure == (expected if is_type else None)
    assert is_type or vitally.ledger.tallies[PLAN].open == 0


def test_each_type_is_blocked_by_itself(vitally: Vitally) -> None:
    vitally.send("good", kind="account")
    with pytest.raises(ConfigError, match="blocks 'user' messages"):
        vitally.send("blocked", kind="user")


def test_one_row_of_merged_ones_may_just_be_bad_when_it_is_called_blocked(vitally: Vitally) -> None:
    vitally.analytics.send(vitally.merged("blocked", "good"))
    assert vitally.outcomes == {"accepted": 1, "rejected": 1}
    assert [*vitally.rejected] == ["blocked"]
