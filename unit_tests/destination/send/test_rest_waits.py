"""Requests that depend on rows of batches."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.errors import NotYetError, RejectedError
from destination_vitally.mapping.change import Change
from destination_vitally.rows.facts import Missed, Seen, Shown
from destination_vitally.rows.poller import Arrival
from destination_vitally.send.rest import Made
from unit_tests.destination.builders import change
from unit_tests.destination.scripted import Parts, asks, page

MADE = {"id": "new"}


# What batches have brought


BATCHED: dict[str, Any] = {"externalId": "u", "accountIds": ["a"], "email": "Ida@example.com", "name": "Ida"}
LATER = {"updatedAt": "2026-01-01T00:00:01.000Z"}
LANDED = {"id": "U", **LATER, **BATCHED, "accounts": [{"id": "A", "externalId": "a"}]}
MEETING = {"externalId": "n", "title": "T"}


def taking_part(**who: str) -> Change:
    return asks("meeting_participant", "create", {"meetingId": "m", "type": "attendee", **who})


@pytest.mark.parametrize(
    "dependent",
    [
        asks("user", "update", {"externalId": "u", "name": "I"}),
        asks("user", "update", {"id": "U", "email": "ida@example.com"}),
        asks("meeting", "create", {**MEETING, "participants": [{"userId": "other"}, {"userId": "u"}]}),
        asks("meeting", "create", {**MEETING, "participants": [{"email": "IDA@example.com"}]}),
        taking_part(userId="u"),
        taking_part(email="ida@example.com"),
    ],
)
def test_a_request_that_depends_on_a_row_of_a_batch_waits_for_it(dependent: Change) -> None:
    """Given a message to a user, then a request to the user waits until that has acted, and so does one that names them
    by the email in it; others wait until the user is there."""
    parts = Parts({
        **{"GET /meetings/m": {"id": "M"}, "POST /meetings": MADE, "POST /meetings/M/participants": MADE},
        **{f"PUT /users/{key}": LANDED for key in "uU"},
    })  # fmt: skip
    user = change("user", "upsert", BATCHED)
    parts.sent_in_a_batch(user)
    with pytest.raises(NotYetError) as caught:
        parts.rest.make(dependent)
    assert (caught.value.entry.name, caught.value.external_id) == ("user", "u")
    assert caught.value.is_acted is (dependent.entry is user.entry or "email" in str(dependent.fields))
    assert parts.vitally.asked == []
    parts.memory.note(Shown(user.entry, [LANDED]), Seen(user.entry, LANDED))
    parts.rest.make(dependent)
    assert len(parts.vitally.written) == 1


FROM_IDA = {"type": "user", "email": "ida@example.com"}
MESSAGE = {"externalId": "m", "conversationId": "c", "message": "M", "from": FROM_IDA, "to": [FROM_IDA]}


@pytest.mark.parametrize("dependent", [asks("message", "create", MESSAGE), taking_part(email="ida@example.com")])
def test_who_is_named_by_an_email_that_is_on_its_way_is_waited_for_until_it_is_there(dependent: Change) -> None:
    """Given a user who is there with another email, when the message that changes it has not acted, then a request that
    names the new one waits until it has, or the patience ends, and not without end."""
    parts = Parts({
        "GET /users/u": ({**LANDED, "email": "old@example.com"}, LANDED),
        "GET /users/search?email=ida%40example.com": page(LANDED), "GET /conversations/c": {"id": "C"},
        "GET /meetings/m": {"id": "M"}, "POST /meetings/M/participants": MADE, "POST /conversations/C/messages": MADE,
    })  # fmt: skip
    user = change("user", "upsert", BATCHED)
    parts.sent_in_a_batch(user)
    with pytest.raises(NotYetError) as caught:
        parts.rest.make(dependent)
    coming = parts.memory.ask(user.entry, ("user", "externalId", "u")).coming
    assert coming
    assert caught.value.is_acted
    parts.poller.watch(Arrival(user.entry, coming, parts.memory, lambda one: None, is_acted=True))
    parts.poll()
    assert parts.rest.make(dependent) == Made("created")
    assert parts.vitally.asked.count("GET /users/u") == 2


def test_who_is_there_with_the_email_of_a_message_that_has_not_acted_is_not_waited_for() -> None:
    parts = Parts({"GET /conversations/c": {"id": "C"}, "POST /conversations/C/messages": MADE})
    user = change("user", "upsert", BATCHED)
    parts.sent_in_a_batch(user)
    parts.memory.note(Shown(user.entry, [LANDED]))
    assert parts.rest.make(asks("message", "create", MESSAGE)) == Made("created")
    assert parts.vitally.written[0][1]["from"] == {"type": "user", "id": "U"}


@pytest.mark.parametrize(
    "dependent",
    [
        pytest.param(
            asks("user", "update", {"externalId": "u"}),
        ),
        taking_part(userId="u"),
    ],
)
def test_what_depends_on_a_row_that_never_lands_is_refused(dependent: Change) -> None:
    """Given a message that Vitally took and did not apply in time, then what depends on it is rejected, not skipped."""
    parts = Parts()
    user = change("user", "upsert", BATCHED)
    parts.sent_in_a_batch(user)
    reason = RejectedError("Vitally took the row and has not applied it")
    parts.memory.note(Missed(user.entry, ("user", "externalId", "u"), reason), Seen(user.entry, {"externalId": "u"}))
    with pytest.raises(RejectedError, match="Vitally took the row and has not applied it"):
        parts.rest.make(dependent)
    assert parts.vitally.written == []
