"""Facts about what the REST API takes: required and known members, references, upserts, updates."""

from __future__ import annotations

from typing import Any

from integration_tests.sandbox_facts.bodies import INSTANCES, MESSAGE, PERSON, POSTS, SPOKEN, post, without
from integration_tests.sandbox_facts.pages import (
    CUSTOM_OBJECTS,
    FISCALTEC,
    MEETINGS,
    NPS,
    QUESTION,
    QUILL,
    TEMPLATES,
    TRANSCRIBED,
)
from integration_tests.sandbox_facts.telling import ABSENT, SET, Fact, Says, Step, check, every_fact, fact, ids

BROKEN: tuple[dict[str, Any], ...] = ({"speaker": {}}, {"speaker": None}, {"sentences": None})
OF_THE_ACCOUNT = {"accountId": "{account}"}
BY_YOUR_ID = {**MESSAGE, "from": {"type": "user", "id": "u+1"}}
CREATE = (
    *(
        fact(
            f"a new {name} needs {' and '.join(told.body)}",
            told.page,
            *(
                Step(f"POST {told.path}", body, 400, Says(member))
                for member in told.body
                for body in (without(name, member), {**told.body, member: None}, {**told.body, member: ""})
            ),
            Step(f"POST {told.path}", told.body, shows={"id": SET}),
        )
        for name, told in POSTS.items()
    ),
    fact(
        "a POST may be answered with 201",
        QUESTION + "200 or 201",
        Step("POST accounts", post("account"), 201, {"id": SET}),
        create_status=201,
    ),
    *(
        fact(
            f"a new {name} does not take {member}",
            POSTS[name].page,
            Step(f"POST {POSTS[name].path}", {**POSTS[name].body, member: "x"}, 400, Says(member)),
        )
        for name, members in (
            ("account", "accountOwnerId csmId healthScore"),
            ("organization", "organizationOwnerId"),
            ("user", "accounts segments"),
            ("conversation", "status source users accountId"),
            ("note", "users archivedAt source"),
            ("task", "projects createdById archivedAt source"),
            ("project", "externalId actualStartDate archivedAt customerId"),
            ("NPS response", "dismissedAt accountId"),
            ("instance", "archivedAt accountId"),
            ("meeting", "accountIds startDate externalStatus archivedAt transcript"),
            ("custom object", "syncActive"),
        )
        for member in members.split()
    ),
    fact(
        "what cannot be written may be ignored instead",
        QUESTION + "what becomes of unknown members",
        Step("POST accounts", post("account", colour="red"), shows={"colour": ABSENT}),
        unknown_fields_rejected=False,
    ),
    *(
        fact(
            f"the {member} of a new {name} is a Vitally id, not one of yours",
            POSTS[name].page,
            Step(f"POST {POSTS[name].path}", {**POSTS[name].body, member: value}, 400, Says(member)),
        )
        for name, member, value in (
            ("account", "organizationId", "org-1"),
            ("user", "accountIds", ["cust-2"]),
            ("user", "organizationIds", ["org-1"]),
            ("note", "accountId", "cust-2"),
            ("note", "authorId", "{unknown}"),
            ("note", "categoryId", "Meeting"),
            ("task", "assignedToId", "{unknown}"),
            ("project", "templateId", "{unknown}"),
            ("project", "projectStatusId", "{unknown}"),
            ("NPS response", "userId", "u-2"),
            ("instance", "customerId", "cust-2"),
            ("instance", "organizationId", "org-1"),
        )
    ),
    *(
        fact(
            f"the {member} of a new {name} is not {value!r}",
            POSTS[name].page,
            Step(f"POST {POSTS[name].path}", {**POSTS[name].body, member: value}, 400, Says(member)),
        )
        for name, member, value in (
            ("account", "externalId", 7),
            ("account", "traits", []),
            ("user", "accountIds", "{account}"),
            ("user", "unsubscribedFromConversations", "yes"),
            ("user", "joinDate", "yesterday"),
            ("note", "noteDate", "02/05/2026"),
            ("note", "tags", "a"),
            ("task", "dueDate", "soon"),
            ("NPS response", "score", 11),
            ("NPS response", "score", "9"),
            ("NPS response", "respondedAt", 1788249600),
            ("message", "to", []),
            ("custom object", "writeMode", "open"),
            ("meeting", "participants", []),
            ("transcript", "transcript", "Hi"),
        )
    ),
    fact(
        "a speaker in a transcript has an externalId",
        MEETINGS,
        *(
            Step("POST meetings/{meeting}/transcript", {"transcript": [{**SPOKEN, **broken}]}, 400, {"error": SET})
            for broken in BROKEN
        ),
    ),
    fact(
        "a person in a message is an admin or a user, by Vitally's id",
        "docs.vitally.io, REST API: Messages",
        *(
            Step("POST conversations/{conversation}/messages", {**MESSAGE, "from": person}, 400, Says("type"))
            for person in ({"type": "robot", "id": "{user}"}, {"id": "{user}"})
        ),
        Step("POST conversations", post("conversation", messages=[BY_YOUR_ID]), 400, Says("id")),
    ),
    fact(
        "a message by a user is inbound, one by an admin outbound",
        "docs.vitally.io, REST API: Messages",
        Step("POST conversations/{conversation}/messages", MESSAGE, shows={"type": "inbound"}),
        Step(
            "POST conversations/{conversation}/messages",
            {**MESSAGE, "externalId": "n-2", "from": {"type": "admin", "id": "{admin}"}},
            shows={"type": "outbound"},
        ),
    ),
    fact(
        "a message is of a conversation that is there",
        TRANSCRIBED,
        Step("POST conversations/{unknown}/messages", MESSAGE, 404, {"error": SET}),
        Step("POST conversations/ticket-1/messages", MESSAGE, 404, {"error": SET}),
    ),
    fact(
        "a project has one parent, not two",
        TEMPLATES,
        Step("POST projects", post("project", organizationId="{organization}"), 400, Says("only one")),
        Step("POST projects", {"templateId": "{template}", "organizationId": "{organization}"}),
    ),
    fact(
        "what a new project leaves out comes from its template",
        TRANSCRIBED,
        Step("POST projects", post("project"), shows={"name": "Onboarding"}),
        Step("POST projects", post("project"), shows={"projectCategoryId": "{template_category}"}),
    ),
    fact(
        "one page and a client call the account of a project customerId",
        QUILL,
        Step("POST projects", post("project"), 400, Says("accountId")),
        Step("POST projects", {"templateId": "{template}", "customerId": "{account}"}, shows=OF_THE_ACCOUNT),
        project_account="customerId",
    ),
    fact(
        "of the people of a new meeting one at least belongs to a customer",
        MEETINGS,
        Step("POST meetings", post("meeting", participants=[{"vitallyUserId": "{admin}", "type": "organizer"}]), 400),
        Step("POST meetings", post("meeting", participants=[{"email": "ida+1@example.com", "type": "attendee"}])),
    ),
    fact(
        "a participant is named in exactly one way, with a type and perhaps an answer",
        FISCALTEC,
        *(
            Step("POST meetings/{meeting}/participants", {**PERSON, **broken}, 400, {"error": SET})
            for broken in (
                *({"email": "a@b.c"}, {"vitallyUserId": "{admin}"}, {"userId": None}, {"type": "guest"}),
                *({"responseStatus": "maybe"}, {"isOrganizer": "yes"}),
            )
        ),
        Step("POST meetings/{meeting}/participants", {**PERSON, "responseStatus": "tentative", "isOrganizer": True}),
    ),
    fact(
        "the userId of a participant is your id",
        QUESTION + "whose id it is",
        Step("POST meetings", post("meeting", participants=[{**PERSON, "userId": "{user}"}]), 400),
    ),
    fact(
        "or Vitally's",
        QUESTION + "whose id it is",
        Step("POST meetings", post("meeting"), 400),
        Step("POST meetings", post("meeting", participants=[{**PERSON, "userId": "{user}"}])),
        participant_user_id="id",
    ),
    fact(
        "a custom field of a new custom object has label, type and the model CustomObject",
        TRANSCRIBED,
        *(
            Step("POST customObjects", post("custom object", customFields=[field]), 400, {"error": SET})
            for field in (
                {"label": "A", "type": "string"},
                {"type": "string", "model": "CustomObject"},
                {"label": "A", "type": "string", "model": "customObjects"},
            )
        ),
        Step(
            "POST customObjects",
            post("custom object", customFields=[{"label": "Serial no", "type": "string", "model": "CustomObject"}]),
            shows={"customFields": [{"path": "vitally.custom.serialNo", "id": SET}]},
        ),
    ),
    fact(
        "a readonly custom object takes no instance",
        QUESTION + "whether writeMode holds for the API",
        Step("PUT customObjects/{object}", {"writeMode": "readonly"}),
        Step(f"POST {INSTANCES}", post("instance"), 400, Says("readonly")),
        Step(f"PUT {INSTANCES}/{{instance}}", {"name": "N"}, 400, Says("readonly")),
        Step(f"DELETE {INSTANCES}/{{instance}}", None, 400, Says("readonly")),
    ),
    fact(
        "or takes them nevertheless",
        CUSTOM_OBJECTS,
        Step("PUT customObjects/{object}", {"writeMode": "readonly"}),
        Step(f"POST {INSTANCES}", post("instance")),
        readonly_objects_refuse=False,
    ),
)  # fmt: skip

UPSERT = (
    *(
        fact(
            f"a POST of a known {name} updates it",
            page,
            Step(f"POST {POSTS[name].path}", post(name, externalId=known), shows={"id": f"{{{row}}}"}),
        )
        for name, known, row, page in (
            ("organization", "org-1", "organization", QUILL),
            ("task", "task-1", "task", TRANSCRIBED),
            ("NPS response", "nps-1", "nps", NPS),
        )
    ),
    *(
        fact(
            f"a POST of a known {name} {what}",
            QUESTION + "whether it updates, fails or duplicates",
            Step(f"POST {POSTS[name].path}", post(name, externalId=known), status, shows),
            **dict[str, Any]({switch: value} if value else {}),
        )
        for name, known, row, switch in (
            ("account", "cust-2", "other", "account_post_existing"),
            ("user", "u-2", "member", "account_post_existing"),
            ("note", "note-1", "own_note", "note_post_existing"),
            ("conversation", "ticket-1", "conversation", "conversation_post_existing"),
            ("meeting", "cal-1", "meeting", "meeting_post_existing"),
            ("message", "ticket-1-1", "message", "message_post_existing"),
        )
        for what, value, status, shows in (
            ("fails", "", 400, Says("externalId")),
            ("or updates it", "update", 200, {"id": f"{{{row}}}"}),
            ("or makes another", "duplicate", 200, {"id": SET, "externalId": known}),
        )
    ),
    fact(
        "an instance is no upsert by REST",
        QUESTION + "whether externalId is unique",
        Step(f"POST {INSTANCES}", post("instance", externalId="fr-1"), keep="second"),
        Step(f"GET {INSTANCES}/search?externalId=fr-1", shows=ids("instance second")),
    ),
    fact(
        "a project has nothing that tells it from another",
        TRANSCRIBED,
        Step("POST projects", post("project"), keep="first"),
        Step("POST projects", post("project"), keep="second"),
        Step("GET projects", shows={"results": ids("second first project")}),
    ),
    fact(
        "a transcript is replaced as a whole",
        MEETINGS,
        Step("POST meetings/{meeting}/transcript", {"transcript": [SPOKEN, SPOKEN]}, shows={"id": "{transcript}"}),
        Step("POST meetings/{meeting}/transcript", {"transcript": [SPOKEN]}),
        Step("GET meetings/{meeting}/transcript", shows={"transcript": [SPOKEN]}),
    ),
)


@every_fact(CREATE)
def test_create(told: Fact) -> None:
    check(told)


@every_fact(UPSERT)
def test_upsert(told: Fact) -> None:
    check(told)
