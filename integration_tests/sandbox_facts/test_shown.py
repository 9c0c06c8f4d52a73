"""Facts about what REST shows of rows, and what a delete leaves of them."""

from __future__ import annotations

from integration_tests.sandbox_facts.bodies import INSTANCES, post
from integration_tests.sandbox_facts.pages import (
    ACCOUNTS,
    AIRBYTE,
    CUSTOM_OBJECTS,
    FISCALTEC,
    MEETINGS,
    MESSAGES,
    NOTES,
    NPS,
    OLD_OVERVIEW,
    PROJECTS,
    QUESTION,
    TASKS,
    TRANSCRIBED,
)
from integration_tests.sandbox_facts.telling import (
    ABSENT,
    SET,
    Fact,
    Says,
    Step,
    check,
    every_fact,
    fact,
    holds,
    ids,
    keys,
    lacks,
)

MISS = {"error": SET}
OBJECT_FIELD = keys("id label path type createdAt options")
ADMIN_ROW = keys("id name email licenseStatus")
CONVERSATION_ROW = keys("id createdAt updatedAt externalId subject status rating source traits")

SHOWN = (
    fact(
        "rows of the list of conversations name nobody",
        FISCALTEC,
        Step("GET conversations", shows={"results": [CONVERSATION_ROW]}),
        Step("GET accounts/{account}/conversations", shows={"results": [CONVERSATION_ROW]}),
        Step(
            "GET conversations/{conversation}",
            shows={
                "messages": ids("message"),
                "accounts": ids("account"),
                "users": ids("user"),
                "admins": ids("admin"),
            },
        ),
    ),
    fact(
        "a user shows whole accounts and organizations, not their ids",
        AIRBYTE,
        Step("GET users/{user}", shows={"accounts": [{"id": "{account}", "traits": {"a": 1}}], "accountIds": ABSENT}),
        Step("GET users/{member}", shows={"organizations": ids("organization"), "organizationIds": ABSENT}),
    ),
    fact(
        "notes and tasks show their parents whole",
        AIRBYTE,
        Step("GET notes/{own_note}", shows={"account": {"id": "{account}", "traits": {"a": 1}}, "organization": None}),
        Step("GET tasks/{task}", shows={"account": {"name": "Northwind"}, "assignedTo": None, "projects": []}),
    ),
    fact("admins have no times", AIRBYTE, Step("GET admins?limit=1", shows={"results": [ADMIN_ROW]})),
    fact(
        "instances call the account customer",
        CUSTOM_OBJECTS,
        Step(f"GET {INSTANCES}", shows={"results": [{"customer": {"id": "{account}"}, "customers": ids("account")}]}),
    ),
    fact(
        "a custom object shows its fields, each with id, path and, as a client has it, model",
        CUSTOM_OBJECTS,
        Step("GET customObjects/{object}", shows={"customFields": holds("stage"), "writeMode": "writableByAll"}),
        Step("GET customObjects/{object}", shows={"customFields": [OBJECT_FIELD] * 5}),
    ),
    fact(
        "a message has no times of its own making",
        MESSAGES,
        Step("GET messages/{message}", shows=keys("id externalId type timestamp message from to cc bcc")),
    ),
    fact(
        "a meeting shows who takes part and whose customers they are",
        MEETINGS,
        Step("GET meetings/{meeting}", shows={"participants": ids("participant"), "accounts": ids("account")}),
        Step("GET accounts/{account}/meetings", shows={"results": ids("meeting")}),
    ),
    fact(
        "whether the list of transcripts holds them is not said: it does not",
        QUESTION + "what the list of transcripts holds",
        Step("GET meetingTranscripts", shows={"results": [{"transcript": ABSENT, "meetingId": "{meeting}"}]}),
        Step("GET meetingTranscripts/{transcript}", shows={"transcript": SET}),
        Step("GET meetings/{meeting}/transcript", shows={"id": "{transcript}", "transcript": SET}),
    ),
    *(
        fact(
            f"health scores may be {shape}",
            QUESTION + "the shape of health scores",
            Step("GET accounts/{account}/healthScores", shows=shown),
            health_scores_shape=shape,
        )
        for shape, shown in (
            ("object", {"accountId": "{account}"}),
            ("array", [..., ...]),
            ("results", {"results": SET}),
            ("data", {"data": SET}),
        )
    ),
)  # fmt: skip

DELETES = (
    *(
        fact(
            f"{path} are deleted for good",
            page,
            Step(f"DELETE {path}/{{{name}}}", None, 204, None),
            Step(f"GET {path}/{{{name}}}", None, 404, MISS),
            Step(f"DELETE {path}/{{{name}}}", None, 404, MISS),
        )
        for path, name, page in (
            ("accounts", "account", ACCOUNTS),
            ("organizations", "organization", "a digest of Vitally's REST pages, 2026-04"),
            ("users", "user", TRANSCRIBED),
            ("conversations", "conversation", TRANSCRIBED),
            ("messages", "message", TRANSCRIBED),
            ("npsResponses", "nps", NPS),
        )
    ),
    *(
        fact(
            f"{path} are archived",
            page,
            Step(f"DELETE {path}/{{{name}}}", None, 204),
            Step(f"GET {path}/{{{name}}}", shows={"archivedAt": SET}),
        )
        for path, name, page in (
            ("notes", "own_note", NOTES),
            ("tasks", "task", TASKS),
            ("projects", "project", PROJECTS),
            ("meetings", "meeting", FISCALTEC),
        )
    ),
    fact(
        "an instance is deleted for good, or archived: the sources differ",
        "Nexla's page on Vitally as a destination",
        Step(f"DELETE {INSTANCES}/{{instance}}", None, 204),
        Step(f"GET {INSTANCES}?archived=true", shows={"results": []}),
        Step(f"GET {INSTANCES}/search?id={{instance}}", shows=[]),
    ),
    fact(
        "an archived instance is in the list of archived ones, and in no search",
        QUESTION + "whether a search shows archived ones",
        Step(f"DELETE {INSTANCES}/{{instance}}", None, 204),
        Step(f"GET {INSTANCES}?archived=true", shows={"results": ids("instance")}),
        Step(f"GET {INSTANCES}/search?externalId=fr-1", shows=[]),
        instance_delete="soft",
    ),
    fact(
        "a participant leaves the meeting they are in",
        MEETINGS,
        Step("DELETE meetings/cal-1/participants/{participant}", None, 404, MISS),
        Step("DELETE meetings/{meeting}/participants/{participant}", None, 204),
        Step("GET meetings/{meeting}", shows={"participants": [], "accounts": []}),
        Step("DELETE meetings/{meeting}/participants/{participant}", None, 404, MISS),
    ),
    fact(
        "a DELETE may be answered with 200 and a body",
        QUESTION + "what a DELETE is answered",
        Step("DELETE notes/{own_note}", None, 200, {}),
        delete_status=200,
    ),
    fact(
        "an account takes along what only it has: notes, tasks, projects, conversations",
        ACCOUNTS,
        Step("DELETE accounts/{account}", None, 204),
        *(
            Step(f"GET {path}", None, 404, MISS)
            for path in ("notes/{own_note}", "tasks/{task}", "projects/{project}", "conversations/{conversation}")
        ),
        Step("GET users/{user}", shows={"accounts": []}),
    ),
    fact(
        "the deletion of a user can wait for its day",
        TRANSCRIBED,
        Step("DELETE users/{user}?deleteOn=soon", None, 400, Says("deleteOn")),
        Step("DELETE users/{user}?deleteOn=2027-01-31", None, 204),
        Step("GET users/{user}", shows={"id": "{user}"}),
    ),
    fact(
        "archiving moves updatedAt; that is assumed, and need not be so",
        QUESTION + "what moves updatedAt",
        Step("DELETE notes/{own_note}", None, 204),
        Step("GET notes?archived=true&limit=1", shows={"results": ids("own_note")}),
    ),
    fact(
        "or it does not",
        QUESTION + "what moves updatedAt",
        Step("DELETE notes/{own_note}", None, 204),
        Step("GET notes?archived=true&limit=1", shows={"results": ids("old_note")}),
        archive_bumps_updated_at=False,
    ),
    fact(
        "a participant who comes may leave the meeting's updatedAt as it is",
        QUESTION + "what moves updatedAt",
        Step("POST meetings", post("meeting"), keep="newer"),
        Step("POST meetings/{meeting}/participants", post("participant")),
        Step("GET meetings", shows={"results": ids("newer meeting")}),
        children_bump_updated_at=False,
    ),
    fact(
        "what is shown of a parent changes with it, and leaves the updatedAt of the row",
        OLD_OVERVIEW,
        Step("PUT tasks/{task}", {"tags": ["a"]}),
        Step("PUT notes/{own_note}", {"tags": ["a"]}),
        Step("PUT accounts/{account}", {"name": "New"}),
        Step("GET notes?limit=1", shows={"results": [{"id": "{own_note}", "account": {"name": "New"}}]}),
        Step("GET notes", shows={"results": lacks("old_note")}),
    ),
)  # fmt: skip


@every_fact(SHOWN)
def test_shown(told: Fact) -> None:
    check(told)


@every_fact(DELETES)
def test_deleted(told: Fact) -> None:
    check(told)
