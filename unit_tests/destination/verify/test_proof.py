"""Whether what was sent in batches has landed: what is looked for, which records have their outcome, what is logged."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.api.reply import Reply
from destination_vitally.outcomes.ledger import Ledger, PendingRecord
from destination_vitally.rows.known import Rows
from destination_vitally.send.messages import Emission, QueuedMessage, messages_of
from destination_vitally.verify.proof import Proof, Sampling, Verification, verification_for
from destination_vitally.verify.sampling import SAMPLE
from unit_tests.destination.builders import REFERENCES, change, settings
from unit_tests.destination.rows.asking import START, Asked, logged
from unit_tests.destination.scripted import Script
from unit_tests.destination.verify.expecting import PLAN

TAKEN = Reply(200, {}, "", time=START)


def row(key: str, **more: Any) -> dict[str, Any]:
    return {"id": key.upper(), "externalId": key, "updatedAt": "2026-01-01T00:00:02Z", "name": "N", **more}


class Proving:
    """A sync that sends accounts in batches and proves that they land, in a workspace as a script has it."""

    def __init__(self, verify: str, script: Script | None = None) -> None:
        self.asked = Asked(script)
        self.rejected: list[str] = []
        self.ledger = Ledger(lambda record: self.rejected.append(str(record.reason)))
        self.ledger.expect(PLAN)
        self.verification = verification_for(settings(verify=verify), self.asked.rows, self.ledger)

    def message(self, key: str = "a", **more: Any) -> QueuedMessage:
        record: PendingRecord = self.ledger.receive(PLAN, b"0123456789", 1)
        asked = change("account", "upsert", {"externalId": key, "name": "N", **more})
        [message] = messages_of(asked, record, Emission(1, 2, 3), REFERENCES)
        return message

    def send(self, *messages: QueuedMessage) -> list[QueuedMessage]:
        """Let Vitally take messages; returns those whose records have their outcome, which is entered."""
        settled = self.verification.accepted([*messages], TAKEN)
        self.ledger.settle_all((record for one in settled for record in one.records), "accepted")
        return settled

    @property
    def outcomes(self) -> dict[str, int]:
        return {str(name): count for name, count in self.ledger.tallies[PLAN].outcomes.items()}

    @property
    def sentences(self) -> list[tuple[str, bool]]:
        return [*self.verification.sentences()]


# What is chosen


@pytest.mark.parametrize(
    ("chosen", "kind"),
    [
        ({"verify": "none"}, Verification),
        ({"verify": "sample"}, Sampling),
        ({"verify": "all"}, Proof),
        ({"verify": "all", "dry_run": True}, Verification),
        ({"verify": "sample", "analytics_token": None}, Verification),
    ],
)
def test_what_looks_is_as_the_settings_ask_for(chosen: dict[str, Any], kind: type[Verification]) -> None:
    found = verification_for(settings(**chosen), Asked().rows, Ledger(lambda record: None))
    assert type(found) is kind


def test_without_a_rest_key_nobody_looks_and_that_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "airbyte")
    rows = Rows(None, Asked().clock, lambda job: None)
    found = verification_for(settings(secret_token=None), rows, Ledger(lambda record: None))
    assert type(found) is Verification
    assert logged(caplog)[-1] == (
        "Whether rows have landed in Vitally is not looked at: that needs the REST API key (secret_token)."
    )


def test_what_looks_for_nothing_leaves_all_outcomes_as_they_are() -> None:
    proving = Proving("none")
    message, sent = proving.message(), list[Any]()
    assert proving.verification.delivery([message], sent.append)() is None
    assert sent == [[message]]
    assert proving.send(message) == [message]
    assert proving.verification.has_room()
    proving.verification.begin_end()
    assert (proving.sentences, proving.asked.jobs) == ([], [])


# Every message


def test_a_record_has_its_outcome_once_it_has_landed() -> None:
    proving = Proving("all", {"GET /accounts/a": (404, row("a"))})
    assert proving.send(proving.message()) == []
    assert proving.outcomes == {}
    proving.asked.poll()
    assert proving.outcomes == {"accepted": 1}
    assert proving.sentences == [
        (
            "Stream accounts: of 1 rows sent in batches 1 were looked for, 1 are in Vitally (after 1 s in the median, "
            "1 s at the longest).",
            False,
        )
    ]


def test_a_record_that_does_not_land_is_rejected_with_the_cause() -> None:
    proving = Proving("all")
    proving.send(proving.message())
    proving.asked.poll()
    reason = (
        "account 'a': Vitally accepted it, but 600 s later it is not there: no 'account' message has landed, so "
        "Vitally may block this type; ask Vitally Support"
    )
    assert (proving.outcomes, proving.rejected) == ({"rejected": 1}, [reason])
    assert proving.sentences == [
        (
            "Stream accounts: of 1 rows sent in batches 1 were looked for, 0 are in Vitally, 1 is not, for example "
            f"{reason}.",
            True,
        )
    ]


def test_what_is_stored_otherwise_has_landed_and_is_named() -> None:
    proving = Proving("all", {"GET /accounts/a": row("a", name="n")})
    proving.send(proving.message())
    proving.asked.poll()
    assert proving.outcomes == {"accepted": 1}
    assert proving.sentences[1:] == [
        (
            "Stream accounts: some values are stored otherwise than they were sent: name (1 rows). They count as "
            "landed.",
            False,
        )
    ]


def test_of_two_messages_to_a_row_the_earlier_is_not_expected_to_show_what_the_later_says() -> None:
    proving = Proving("all", {"GET /accounts/a": row("a", name="Later", traits={"plan": "p"})})
    proving.send(proving.message(name="Earlier", plan="p"))
    proving.send(proving.message(name="Later"))
    proving.asked.poll()
    assert proving.outcomes == {"accepted": 2}


def test_what_follows_of_the_same_rows_waits_until_a_batch_has_landed() -> None:
    """Given messages that may overtake each other, when a batch is delivered, then its job is done when its rows have
    landed, and it is sent once."""
    proving = Proving("all", {"GET /accounts/a": (404, row("a"))})
    message, sent = proving.message(), list[Any]()

    def send(messages: list[QueuedMessage]) -> None:
        sent.append(messages)
        proving.send(*messages)

    deliver = proving.verification.delivery([message], send)
    assert deliver() == 1.0
    assert deliver() == 1.0
    proving.asked.poll()
    assert deliver() is None
    assert sent == [[message]]


@pytest.mark.parametrize(("limit", "value"), [("PENDING", 2), ("PENDING_BYTES", 15)])
def test_no_more_is_waited_for_at_once_than_there_is_room_for(
    limit: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"destination_vitally.verify.proof.{limit}", value)
    proving = Proving("all", {f"GET /accounts/{key}": row(key) for key in "ab"})
    room = [proving.verification.has_room()]
    for key in "ab":
        proving.send(proving.message(key))
        room.append(proving.verification.has_room())
    assert room == [True, True, False]
    proving.asked.poll()
    assert proving.verification.has_room()


# A sample


def test_records_of_a_sample_have_their_outcome_at_once_and_what_is_missing_is_logged() -> None:
    proving = Proving("sample")
    message = proving.message()
    assert proving.send(message) == [message]
    proving.asked.poll()
    assert (proving.outcomes, proving.rejected) == ({"accepted": 1}, [])
    [(text, has_missing)] = proving.sentences
    assert has_missing
    assert "1 were looked for, 0 are in Vitally, 1 is not, for example account 'a': Vitally accepted it" in text


def test_of_many_messages_a_sample_is_looked_for() -> None:
    proving = Proving("sample")
    count = SAMPLE + 50
    proving.send(*(proving.message(f"a{n}") for n in range(count)))
    proving.verification.begin_end()
    looked_for = [one.external_id for one in proving.asked.poller.all()]
    assert len(looked_for) == len({*looked_for}) == SAMPLE
    assert [*looked_for[:3], looked_for[-1]] == ["a0", "a1", "a2", f"a{count - 1}"]


def test_only_the_first_are_looked_for_while_the_sync_runs() -> None:
    """Given messages that later ones may follow, then those that are looked for in any case are, at once; the others
    when nothing more is accepted."""
    proving = Proving("sample")
    proving.send(*(proving.message(f"a{n}") for n in range(10)))
    assert [one.external_id for one in proving.asked.poller.all()] == ["a0", "a1", "a2"]
    proving.verification.begin_end()
    assert sorted(one.external_id for one in proving.asked.poller.all()) == [f"a{n}" for n in range(10)]


def test_of_a_row_that_is_sent_again_all_that_is_left_in_the_end_is_expected() -> None:
    proving = Proving("sample", {"GET /accounts/a": row("a", name="Later", traits={"plan": "p"})})
    proving.send(proving.message(name="Earlier", plan="p"))
    proving.send(proving.message(name="Later"))
    [one] = proving.asked.poller.all()
    proving.asked.poll()
    [(text, has_missing)] = proving.sentences
    assert not has_missing
    assert text.startswith("Stream accounts: of 2 rows sent in batches 1 were looked for, 1 are in Vitally")
    assert one.external_id == "a"
