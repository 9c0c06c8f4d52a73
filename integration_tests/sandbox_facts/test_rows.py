"""Facts about rows by REST: how they are addressed, what an update does."""

from __future__ import annotations

from integration_tests.sandbox_facts.bodies import INSTANCES, MESSAGE, TIME, post, without
from integration_tests.sandbox_facts.pages import (
    ACCOUNTS,
    API_EVANGELIST,
    CONVERSATIONS,
    CUSTOM_OBJECTS,
    FISCALTEC,
    MEETINGS,
    NOTES,
    ORGANIZATIONS,
    PROJECTS,
    QUESTION,
    TASKS,
    TRAITS,
    TRANSCRIBED,
    USERS,
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
    ids,
)

MISS = {"error": SET}
NEW_TRAIT = {"traits": {"new": 1}}

ADDRESSES = (
    *(
        fact(
            f"{path} take Vitally's id or yours, to read, to change and to delete",
            page,
            Step(f"GET {path}/{yours}", shows={"id": f"{{{name}}}"}),
            Step(f"GET {path}/{{{name}}}", shows={"id": f"{{{name}}}"}),
            Step(f"PUT {path}/{yours}", change, shows={"id": f"{{{name}}}", **change}),
            Step(f"DELETE {path}/{yours}", None, 204),
        )
        for path, yours, name, change, page in (
            ("accounts", "cust%2F1", "account", {"name": "N"}, ACCOUNTS),
            ("organizations", "org-1", "organization", {"name": "N"}, ORGANIZATIONS),
            ("users", "u%2B1", "user", {"name": "N"}, USERS),
            ("meetings", "cal-1", "meeting", {"title": "N"}, FISCALTEC),
        )
    ),
    fact(
        "ids are told apart by their case",
        QUESTION + "the case of ids",
        Step("GET accounts/CUST-2", None, 404, MISS),
        Step("PUT accounts/CUST-2", {"name": "N"}, 404, MISS),
        Step("GET users/search?externalId=U-2", shows={"results": []}),
    ),
    fact("health scores are found by either id", ACCOUNTS, Step("GET accounts/cust%2F1/healthScores", shows=SET)),
    *(
        fact(
            f"{path} take your id only along with the source",
            TRANSCRIBED,
            Step(f"GET {path}/{yours}?source={source.upper()}", shows={"id": f"{{{name}}}"}),
            Step(f"PUT {path}/{yours}?source={source}", {"traits": {}}, shows={"id": f"{{{name}}}"}),
            Step(f"GET {path}/{yours}", None, 400, Says("source")),
            Step(f"GET {path}/{yours}?source=zapier", None, 404, MISS),
            Step(f"DELETE {path}/{yours}", None, 404, MISS),
        )
        for path, yours, source, name in (
            ("notes", "note-2", "hubspot", "hub_note"),
            ("tasks", "task-1", "salesforce", "task"),
        )
    ),
    fact(
        "a note made by REST has no source, so that your id finds it nowhere",
        QUESTION + "the source of what REST has made",
        Step("POST notes", post("note", externalId="n"), shows={"source": None}),
        *(Step(f"GET notes/n{query}", None, status, MISS) for query, status in (("", 400), ("?source=", 400))),
        Step("GET notes/n?source=api", None, 404, MISS),
    ),
    fact(
        "a message is read by either id and deleted by Vitally's",
        "docs.vitally.io, REST API: Messages",
        Step("GET messages/ticket-1-1", shows={"id": "{message}"}),
        Step("DELETE messages/ticket-1-1", None, 404, MISS),
        Step("DELETE messages/{message}", None, 204),
    ),
    *(
        fact(f"{path} take Vitally's id alone", TRANSCRIBED, Step(f"{method} {path}/{yours}", body, 404, MISS))
        for path, yours in (("conversations", "ticket-1"), ("npsResponses", "nps-1"), (INSTANCES, "fr-1"))
        for method, body in (("GET", None), ("PUT", {}), ("DELETE", None))
        if (path, method) != (INSTANCES, "GET")
    ),
    fact(
        "or yours as well, as some clients have it",
        "one client each",
        Step("GET conversations/ticket-1", shows={"id": "{conversation}"}),
        also_by_external_id=frozenset({"conversations"}),
    ),
    fact(
        "the lists below a customer take Vitally's id",
        TRANSCRIBED,
        Step("GET accounts/cust%2F1/users", None, 404, MISS),
        Step("GET organizations/org-1/accounts", None, 404, MISS),
    ),
    *(
        fact(f"there is no row: {path}", QUESTION + "how a miss looks", Step(f"GET {path}", None, 404, MISS))
        for path in (
            *("accounts/x", "notes/{unknown}", "surveys/x/responses", "customObjects/x/instances", "meetings/x"),
            *("admins/search?email=nobody@example.com", "meetings/{unknown}/transcript"),
        )
    ),
    *(
        fact(
            f"no admin may also be {shown}",
            QUESTION + "how a miss looks",
            Step("GET admins/search?email=nobody@example.com", shows=shown),
            admin_search_miss=miss,
        )
        for miss, shown in (("empty_object", {}), ("null", None), ("empty_array", []))
    ),
)  # fmt: skip

UPDATES = (
    fact(
        "PUT changes what it names; traits are merged, a null takes one away",
        ACCOUNTS,
        Step("PUT accounts/{account}", {"traits": {"b.c": 2}}, shows={"traits": {"a": 1, "b.c": 2}, "name": SET}),
        Step("PUT accounts/{account}", {"traits": {"a": None}}, shows={"traits": {"a": ABSENT, "b.c": 2}}),
        Step("PUT accounts/{account}", {"name": "New"}, shows={"name": "New", "traits": {"b.c": 2}}),
    ),
    fact(
        "the organization of an account is given by either id, or taken away",
        ACCOUNTS,
        Step("PUT accounts/{other}", {"organizationId": "org-1"}, shows={"organizationId": "{organization}"}),
        Step("PUT accounts/{other}", {"organizationId": None}, shows={"organizationId": None}),
        Step("PUT accounts/{other}", {"organizationId": "{organization}"}, shows={"organizationId": "{organization}"}),
        Step("PUT accounts/{other}", {"organizationId": "none"}, 400, Says("organizationId")),
    ),
    fact(
        "the owner of an account can only be taken away",
        ACCOUNTS,
        Step("PUT accounts/{account}", {"accountOwnerId": "{admin}"}, 400, Says("accountOwnerId")),
        Step("PUT accounts/{account}", {"accountOwnerId": None}),
    ),
    *(
        fact(
            f"an update of {path} does not take {member}",
            page,
            Step(f"PUT {path}", {member: value}, 400, Says(member)),
        )
        for path, member, value, page in (
            ("accounts/{account}", "externalId", "cust/1", ACCOUNTS),
            ("accounts/{account}", "mrr", 5, ACCOUNTS),
            ("accounts/{account}", "churnedAt", TIME, ACCOUNTS),
            ("organizations/{organization}", "externalId", "org-1", ORGANIZATIONS),
            ("organizations/{organization}", "organizationOwnerId", "{admin}", ORGANIZATIONS),
            ("users/{user}", "externalId", "u+1", USERS),
            ("users/{user}", "deactivatedAt", TIME, USERS),
            ("conversations/{conversation}", "externalId", "ticket-1", CONVERSATIONS),
            ("conversations/{conversation}", "status", "closed", CONVERSATIONS),
            ("notes/{own_note}", "externalId", "note-1", NOTES),
            ("notes/{own_note}", "archivedAt", None, NOTES),
            ("tasks/{task}", "projects", [], TASKS),
            ("projects/{project}", "accountId", "{account}", TRANSCRIBED),
            ("projects/{project}", "templateId", "{template}", PROJECTS),
            (f"{INSTANCES}/{{instance}}", "customerId", "{account}", TRANSCRIBED),
            ("meetings/{meeting}", "participants", [], MEETINGS),
            ("meetings/{meeting}", "startTimeZone", "utc", MEETINGS),
        )
    ),
    fact(
        "the externalId of an instance can be changed",
        CUSTOM_OBJECTS,
        Step(f"PUT {INSTANCES}/{{instance}}", {"externalId": "fr-9"}, shows={"externalId": "fr-9"}),
    ),
    fact(
        "accounts are added to those of a user; REST takes none away",
        API_EVANGELIST,
        Step("PUT users/{user}", {"accountIds": ["{other}"]}, shows={"accounts": ids("account other")}),
        Step("PUT users/{user}", {"accountIds": []}, shows={"accounts": ids("account other")}),
    ),
    *(
        fact(
            f"the tags of {path} are gone unless they are sent along",
            TRANSCRIBED,
            Step(f"PUT {path}", {"traits": {}}, shows={"tags": []}),
            Step(f"PUT {path}", {"tags": ["c"]}, shows={"tags": ["c"]}),
        )
        for path in ("notes/{own_note}", "tasks/{task}")
    ),
    fact(
        "or they stay, as another team reads it",
        "polymetrics' notes on Vitally",
        Step("PUT notes/{own_note}", {"traits": {}}, shows={"tags": ["a", "b"]}),
        Step("PUT notes/{own_note}", {"tags": ["c"]}, shows={"tags": ["c"]}),
        put_without_tags_wipes=False,
    ),
    fact(
        "an update of an NPS response names user, time and score",
        "a digest of Vitally's REST pages, 2026-04",
        *(
            Step("PUT npsResponses/{nps}", without("NPS response", member), 400, Says(member))
            for member in ("userId", "respondedAt", "score")
        ),
        Step("PUT npsResponses/{nps}", post("NPS response", feedback="Good"), shows={"feedback": "Good"}),
    ),
    fact(
        "PUT of a conversation adds messages, and changes those whose externalId it has",
        TRANSCRIBED,
        Step(
            "PUT conversations/{conversation}",
            {"messages": [{**MESSAGE, "externalId": "ticket-1-1", "message": "Changed"}, MESSAGE]},
            shows={"messages": [{"id": "{message}", "message": "Changed"}, {"externalId": "n-1"}]},
        ),
    ),
    fact(
        "an archived meeting can be read and not be changed",
        MEETINGS,
        Step("DELETE meetings/{meeting}", None, 204),
        Step("GET meetings/{meeting}", shows={"archivedAt": SET}),
        Step("PUT meetings/{meeting}", {"title": "N"}, 400, Says("archived")),
    ),
    *(
        fact(
            f"a trait of {path} must have been defined",
            page,
            Step(f"PUT {path}", {"traits": {"unheard.of": 1}}, 400, Says("unheard.of")),
            Step(f"PUT {path}", {"traits": {trait: 1}}, shows={"traits": {trait: 1}}),
        )
        for path, trait, page in (
            ("notes/{own_note}", "vitally.custom.sentiment", NOTES),
            ("tasks/{task}", "vitally.custom.effort", TASKS),
            ("projects/{project}", "vitally.custom.nextStep", PROJECTS),
            (f"{INSTANCES}/{{instance}}", "vitally.custom.dealValue", CUSTOM_OBJECTS),
        )
    ),
    *(
        fact(f"a trait of {path} comes into being", TRAITS, Step(f"PUT {path}", NEW_TRAIT, shows=NEW_TRAIT))
        for path in ("accounts/{account}", "organizations/{organization}", "users/{user}")
    ),
    fact(
        "undefined traits may be dropped instead",
        QUESTION + "what becomes of an undefined trait",
        Step("PUT notes/{own_note}", {"traits": {"unheard.of": 1}}, shows={"traits": {}}),
        unknown_traits_rejected=False,
    ),
    *(
        fact(
            f"HTML outside the allow-list is taken out of a {name}",
            API_EVANGELIST,
            Step(
                f"POST {path}",
                {**post(name), member: '<h1>A</h1><p class="x">B <b>C</b></p><a href="h" onclick="j">D</a>'},
                shows={member: 'A<p>B <b>C</b></p><a href="h">D</a>'},
            ),
        )
        for name, path, member in (("note", "notes", "note"), ("task", "tasks", "description"))
    ),
    fact(
        "times are shown in UTC with milliseconds, in whatever form they came; a due date has no time",
        NOTES,
        Step("POST notes", post("note", noteDate="2026-05-02T11:00:00+02:00"), shows={"noteDate": TIME}),
        Step("POST notes", post("note", noteDate="2026-05-02T09:00:00Z"), shows={"noteDate": TIME}),
        Step("POST tasks", post("task", dueDate="2026-05-02T09:00:00Z"), shows={"dueDate": "2026-05-02"}),
    ),
    fact(
        "a trait feeds an attribute, which the body does not take",
        ACCOUNTS,
        Step("PUT accounts/{account}", {"traits": {"mrr": 12}}, shows={"mrr": 12}),
    ),
    fact(
        "which trait does is a setting of the workspace",
        QUESTION + "which traits feed attributes",
        Step("PUT accounts/{account}", {"traits": {"mrr": 12}}, shows={"mrr": None, "traits": {"mrr": 12}}),
        traits_feed_attributes=False,
    ),
)  # fmt: skip


@every_fact(ADDRESSES)
def test_addresses(told: Fact) -> None:
    check(told)


@every_fact(UPDATES)
def test_updates(told: Fact) -> None:
    check(told)
