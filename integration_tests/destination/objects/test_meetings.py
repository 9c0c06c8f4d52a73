"""Meetings, who takes part, and what was said: what each operation sends, and what it leaves in Vitally."""

from __future__ import annotations

import pytest

from integration_tests.destination.cases import MEET, PART, Case, check_case, every_case, rest
from integration_tests.destination.ways import Way, check_way, every_way
from integration_tests.destination.world import Samples
from integration_tests.sandbox import Sandbox

PARTICIPANTS = [{"email": "ida@example.com", "type": "organizer"}, {"userId": "user-1", "type": "attendee"}]
TRANSCRIPT = [{"speaker": {"externalId": "user-1"}, "sentences": [{"text": "Hi", "startTime": 0, "endTime": 1}]}]
SAMPLES: Samples = {
    ("meeting", "participants"): PARTICIPANTS,
    ("meeting_participant", "type"): "organizer",
    ("meeting_participant", "responseStatus"): "tentative",
    ("meeting_transcript", "transcript"): TRANSCRIPT,
}
CASES = [
    Case(
        "meeting", "create", "rest", {"externalId": "mt2", "title": "New", "participants": PARTICIPANTS},
        [
            rest("GET", "/meetings/mt2"),
            rest("POST", "/meetings", {"externalId": "mt2", "title": "New", "participants": PARTICIPANTS}),
        ],
        ("meetings", "mt2", {"title": "New"}),
    ),
    Case(
        "meeting", "upsert", "rest", {"externalId": "meet-1", "title": "New", "participants": PARTICIPANTS},
        [rest("PUT", "/meetings/meet-1", {"title": "New"})],
        ("meetings", "meet-1", {"id": MEET, "title": "New"}),
    ),
    Case(
        "meeting", "upsert", "rest", {"externalId": "mt2", "title": "New", "participants": PARTICIPANTS},
        [
            rest("PUT", "/meetings/mt2", {"title": "New"}),
            rest("POST", "/meetings", {"externalId": "mt2", "title": "New", "participants": PARTICIPANTS}),
        ],
        ("meetings", "mt2", {"title": "New"}), name="new",
    ),
    Case(
        "meeting", "update", "rest", {"id": MEET, "summary": "New", "keyPoints": ["a"]},
        [rest("PUT", f"/meetings/{MEET}", {"summary": "New", "keyPoints": ["a"]})],
        ("meetings", "meet-1", {"summary": "New", "keyPoints": ["a"]}),
    ),
    Case(
        "meeting", "delete", "rest", {"id": MEET}, [rest("DELETE", f"/meetings/{MEET}")],
        ("meetings", "meet-1", {"archivedAt": True}),
    ),
    Case(
        "meeting_participant", "create", "rest",
        {"meetingId": "meet-1", "email": "ida@example.com", "type": "attendee", "isOrganizer": False},
        [
            rest("GET", "/meetings/meet-1"),
            rest("POST", f"/meetings/{MEET}/participants",
                 {"email": "ida@example.com", "type": "attendee", "isOrganizer": False}),
        ],
        None,
    ),
    Case(
        "meeting_participant", "delete", "rest", {"meetingId": MEET, "id": PART},
        [rest("GET", f"/meetings/{MEET}"), rest("DELETE", f"/meetings/{MEET}/participants/{PART}")],
        ("meetingParticipants", PART, None),
    ),
    Case(
        "meeting_transcript", "upsert", "rest", {"meetingId": "meet-1", "transcript": TRANSCRIPT},
        [
            rest("GET", "/meetings/meet-1"),
            rest("POST", f"/meetings/{MEET}/transcript", {"transcript": TRANSCRIPT}),
        ],
        None,
    ),
]  # fmt: skip


@every_case(CASES)
def test_each_operation_sends_exactly_this(
    case: Case, region: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_case(case, region, sandbox, monkeypatch)


@every_way("meeting", "meeting_participant", "meeting_transcript")
def test_every_field_and_key_arrives(way: Way, sandbox: Sandbox) -> None:
    check_way(way, sandbox, SAMPLES)
