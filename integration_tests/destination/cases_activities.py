"""The cells about what is done with customers: notes, tasks, projects, NPS, conversations, meetings."""

from __future__ import annotations

from integration_tests.destination.cases import (
    ACC,
    CONV,
    MEET,
    MSG,
    NOTE,
    NPS,
    ORG,
    PART,
    PROJ,
    TASK,
    TIME,
    USR,
    Case,
    rest,
)  # fmt: skip

GET_ACC, GET_ORG, GET_USR = (
    rest("GET", "/accounts/acct%2F1"), rest("GET", "/organizations/org-1"), rest("GET", "/users/user-1"),
)  # fmt: skip
ADMIN = {"type": "user", "id": USR}
PROJECT_BODY = {"templateId": "<template>", "accountId": ACC, "name": "New", "targetStartDate": "2026-03-04"}
NPS_BODY = {"userId": USR, "score": 9, "respondedAt": TIME}
MESSAGE_BODY = {"externalId": "m2", "message": "<p>New</p>", "from": ADMIN, "to": [ADMIN]}
PARTICIPANTS = [{"email": "ida@example.com", "type": "organizer"}, {"userId": "user-1", "type": "attendee"}]
TRANSCRIPT = [{"speaker": {"externalId": "user-1"}, "sentences": [{"text": "Hi", "startTime": 0, "endTime": 1}]}]
ACTIVITIES = [
    Case(
        "note", "create", "rest",
        {"externalId": "n2", "accountId": "acct/1", "note": "New", "noteDate": TIME, "tags": ["x"]},
        [
            GET_ACC,
            rest("POST", "/notes", {"externalId": "n2", "accountId": ACC, "note": "New", "noteDate": TIME,
                                    "tags": ["x"]}),
        ],
        ("notes", "n2", {"accountId": ACC, "note": "New", "noteDate": TIME, "tags": ["x"]}),
    ),
    Case(
        "note", "upsert", "rest", {"externalId": "note-1", "accountId": "acct/1", "note": "New"},
        [
            GET_ACC,
            rest("GET", f"/accounts/{ACC}/notes"),
            rest("PUT", f"/notes/{NOTE}", {"note": "New", "tags": ["a", "b"]}),
        ],
        ("notes", "note-1", {"id": NOTE, "note": "New", "tags": ["a", "b"]}),
    ),
    Case(
        "note", "upsert", "rest",
        {"externalId": "n2", "organizationId": "org-1", "note": "New", "noteDate": TIME},
        [
            GET_ORG,
            rest("GET", f"/organizations/{ORG}/notes"),
            rest("POST", "/notes", {"externalId": "n2", "organizationId": ORG, "note": "New",
                                    "noteDate": TIME}),
        ],
        ("notes", "n2", {"organizationId": ORG, "note": "New"}), name="new",
    ),
    Case(
        "note", "update", "rest", {"id": NOTE, "subject": "New"},
        [
            rest("GET", f"/notes/{NOTE}"),
            rest("PUT", f"/notes/{NOTE}", {"subject": "New", "tags": ["a", "b"]}),
        ],
        ("notes", "note-1", {"subject": "New", "note": "Old", "tags": ["a", "b"]}),
    ),
    Case(
        "note", "delete", "rest", {"externalId": "note-1", "accountId": "acct/1"},
        [GET_ACC, rest("GET", f"/accounts/{ACC}/notes"), rest("DELETE", f"/notes/{NOTE}")],
        ("notes", "note-1", {"archivedAt": True}),
    ),
    Case(
        "task", "create", "rest", {"name": "New", "accountId": "acct/1", "dueDate": "2026-03-04T05:06:07Z"},
        [GET_ACC, rest("POST", "/tasks", {"name": "New", "accountId": ACC, "dueDate": "2026-03-04"})],
        None,
    ),
    Case(
        "task", "upsert", "rest",
        {"externalId": "task-1", "name": "New", "accountId": "acct/1", "tags": ["x"]},
        [
            GET_ACC,
            rest("POST", "/tasks", {"externalId": "task-1", "name": "New", "accountId": ACC, "tags": ["x"]}),
        ],
        ("tasks", "task-1", {"id": TASK, "name": "New", "tags": ["x"]}),
    ),
    Case(
        "task", "update", "rest", {"id": TASK, "completedAt": TIME},
        [
            rest("GET", f"/tasks/{TASK}"),
            rest("PUT", f"/tasks/{TASK}", {"completedAt": TIME, "tags": ["a", "b"]}),
        ],
        ("tasks", "task-1", {"completedAt": TIME, "tags": ["a", "b"]}),
    ),
    Case(
        "task", "delete", "rest", {"id": TASK}, [rest("DELETE", f"/tasks/{TASK}")],
        ("tasks", "task-1", {"archivedAt": True}),
    ),
    Case(
        "project", "create", "rest",
        {"templateId": "<template>", "accountId": "acct/1", "name": "New", "targetStartDate": "2026-03-04"},
        [GET_ACC, rest("POST", "/projects", PROJECT_BODY)], None,
    ),
    Case(
        "project", "update", "rest", {"id": PROJ, "name": "New"},
        [rest("PUT", f"/projects/{PROJ}", {"name": "New"})],
        ("projects", PROJ, {"name": "New"}),
    ),
    Case(
        "project", "delete", "rest", {"id": PROJ}, [rest("DELETE", f"/projects/{PROJ}")],
        ("projects", PROJ, {"archivedAt": True}),
    ),
    Case(
        "nps_response", "create", "rest",
        {"userId": "user-1", "score": 9, "respondedAt": TIME},
        [GET_USR, rest("POST", "/npsResponses", NPS_BODY)], None,
    ),
    Case(
        "nps_response", "upsert", "rest",
        {"externalId": "nps-1", "userId": "user-1", "score": "9", "responded_at": "2026-03-04 06:06:07+01"},
        [GET_USR, rest("POST", "/npsResponses", {"externalId": "nps-1", **NPS_BODY})],
        ("npsResponses", "nps-1", {"id": NPS, "score": 9, "respondedAt": TIME}),
    ),
    Case(
        "nps_response", "update", "rest", {"id": NPS, "userId": "user-1", "score": 9, "respondedAt": TIME},
        [GET_USR, rest("PUT", f"/npsResponses/{NPS}", NPS_BODY)],
        ("npsResponses", "nps-1", {"score": 9}),
    ),
    Case(
        "nps_response", "delete", "rest", {"id": NPS}, [rest("DELETE", f"/npsResponses/{NPS}")],
        ("npsResponses", "nps-1", None),
    ),
    Case(
        "conversation", "create", "rest", {"externalId": "c2", "subject": "New", "severity": None},
        [rest("POST", "/conversations", {"externalId": "c2", "subject": "New", "messages": []})],
        ("conversations", "c2", {"subject": "New"}),
    ),
    Case(
        "conversation", "update", "rest", {"id": CONV, "messages": [MESSAGE_BODY]},
        [rest("PUT", f"/conversations/{CONV}", {"messages": [MESSAGE_BODY]})],
        ("messages", "m2", {"conversationId": CONV, "message": "<p>New</p>"}),
    ),
    Case(
        "conversation", "delete", "rest", {"id": CONV}, [rest("DELETE", f"/conversations/{CONV}")],
        ("conversations", "conv-1", None),
    ),
    Case(
        "message", "create", "rest", {"conversationId": CONV, **MESSAGE_BODY},
        [
            rest("GET", f"/conversations/{CONV}"),
            rest("POST", f"/conversations/{CONV}/messages", MESSAGE_BODY),
        ],
        ("messages", "m2", {"conversationId": CONV}),
    ),
    Case(
        "message", "delete", "rest", {"externalId": "msg-1"},
        [rest("GET", "/messages/msg-1"), rest("DELETE", f"/messages/{MSG}")],
        ("messages", "msg-1", None),
    ),
    Case(
        "meeting", "create", "rest", {"externalId": "mt2", "title": "New", "participants": PARTICIPANTS},
        [rest("POST", "/meetings", {"externalId": "mt2", "title": "New", "participants": PARTICIPANTS})],
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
