"""Facts about lists of the REST API: pages, order, filters, searches."""

from __future__ import annotations

from integration_tests.sandbox_facts.pages import (
    ACCOUNTS,
    ADMINS,
    FISCALTEC,
    OLD_OVERVIEW,
    OVERVIEW,
    POSTHOG,
    QUESTION,
    SURVEYS,
    TEMPLATES,
    TRACK_RULES,
    TRAITS,
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

REFUSED = {"error": SET}
SEARCH = "customObjects/{object}/instances/search"
ENVELOPE = keys("results next atEnd")
PAGED = (
    *("accounts", "organizations", "users", "conversations", "notes", "tasks", "projects", "npsResponses", "meetings"),
    *("meetingTranscripts", "customObjects", "customObjects/{object}/instances", "projectTemplates", "noteCategories"),
    *("taskCategories", "projectCategories", "admins"),
    *(f"accounts/{{account}}/{name}" for name in ("users", "conversations", "notes", "tasks", "projects", "meetings")),
    *(f"organizations/{{organization}}/{name}" for name in ("accounts", "users", "notes", "tasks", "npsResponses")),
)

PAGES = (
    *(fact(f"{path} comes in pages", OVERVIEW, Step(f"GET {path}", None, 200, ENVELOPE)) for path in PAGED),
    fact("pages need not say atEnd", OVERVIEW, Step("GET users", shows=keys("results next")), at_end_absent=True),
    fact("no page tells how many rows there are", FISCALTEC, Step("GET users?limit=1", shows=ENVELOPE)),
    fact(
        "limit is from 1 to 100",
        OLD_OVERVIEW,
        *(Step(f"GET users?limit={limit}", None, 400, Says("limit")) for limit in ("0", "101", "-1", "many", "")),
        Step("GET users?limit=100", shows={"results": ids("member user")}),
    ),
    fact(
        "next is null on the last page, and leads to the next page before it",
        OLD_OVERVIEW,
        Step("GET users?limit=1", shows={"results": ids("member"), "next": SET, "atEnd": False}, keep="next"),
        Step("GET users?limit=1&from={next}", shows={"results": ids("user"), "next": None, "atEnd": True}),
    ),
    fact(
        "the order is updatedAt, newest first, or createdAt",
        OLD_OVERVIEW,
        Step("PUT users/{user}", {"name": "Changed"}),
        Step("GET users", shows={"results": ids("user member")}),
        Step("GET users?sortBy=updatedAt", shows={"results": ids("user member")}),
        Step("GET users?sortBy=createdAt", shows={"results": ids("member user")}),
        *(Step(f"GET users?sortBy={by}", None, 400, Says("sortBy")) for by in ("name", "updatedAt:asc")),
    ),
    fact(
        "a row that changes during a scan by updatedAt is skipped, by createdAt it is not",
        OLD_OVERVIEW,
        Step("GET users?limit=1", keep="next"),
        Step("PUT users/{user}", {"name": "Changed"}),
        Step("GET users?limit=1&from={next}", shows={"results": []}),
        Step("GET users?limit=1&sortBy=createdAt", keep="next"),
        Step("PUT users/{user}", {"name": "Changed again"}),
        Step("GET users?limit=1&sortBy=createdAt&from={next}", shows={"results": ids("user")}),
    ),
    fact(
        "a cursor belongs to the scan that gave it: list, filters, order and limit stay",
        QUESTION + "what a cursor holds",
        Step("GET accounts?limit=1", keep="next"),
        Step("GET users?limit=1&from={next}", None, 400, REFUSED),
        Step("GET accounts?limit=2&from={next}", None, 400, REFUSED),
        Step("GET accounts?limit=1&sortBy=createdAt&from={next}", None, 400, REFUSED),
        Step("GET accounts?limit=1&status=churned&from={next}", None, 400, REFUSED),
        Step("GET accounts?limit=1&from={next}"),
        Step("GET accounts?limit=1&from=nonsense", None, 400, Says("from")),
    ),
    fact(
        "the lists of categories name no sortBy: it is ignored",
        TRANSCRIBED,
        Step("GET noteCategories?sortBy=updatedAt&limit=1", shows={"results": [{"name": "Risiko & Chancen"}]}),
    ),
    fact(
        "or refused",
        QUESTION + "what an undocumented sortBy does",
        Step("GET noteCategories?sortBy=updatedAt", None, 400, Says("sortBy")),
        undocumented_sort="refused",
    ),
    fact(
        "an empty page can have a next",
        POSTHOG,
        Step("GET users?limit=1", keep="next"),
        Step("GET users?limit=1&from={next}", shows={"results": [], "next": SET}, keep="next"),
        Step("GET users?limit=1&from={next}", shows={"results": ids("user")}),
        empty_page_with_next=True,
    ),
    fact(
        "a cursor may be forgotten",
        QUESTION + "how long a cursor lives",
        Step("GET users?limit=1", keep="next"),
        Step("GET users?limit=1&from={next}", None, 400, Says("expired")),
        cursors_expire_after=0,
    ),
    fact(
        "search of users has no next",
        TRANSCRIBED,
        Step("GET users/search?email=x", shows={"results": [], "next": ABSENT}),
    ),
    fact(
        "search of admins answers one object",
        ADMINS,
        Step("GET admins/search?email=sam@vendor.example", shows=keys("id name email licenseStatus")),
        *(Step(f"GET admins/search{query}", None, 400, Says("email")) for query in ("", "?email=")),
    ),
    fact(
        "custom fields are a bare array by label, for a model",
        TRAITS,
        Step("GET customFields?model=users", shows=[{"label": "Champion"}, {"label": "Role"}]),
        Step("GET customFields?model=customObjects&customObjectId={object}", shows=[...] * 5),
        Step("GET customFields?model=customObjects", None, 400, Says("customObjectId")),
        Step("GET customFields?model=meetings", None, 400, Says("model")),
        Step("GET customFields?model=users&limit=1", None, 400, Says("limit")),
    ),
    fact(
        "custom fields cannot be had without a model, though one example does",
        TRAITS,
        Step("GET customFields", None, 400, Says("model")),
        Step("GET customFields/notes", None, 404, REFUSED),
    ),
    fact(
        "the example of custom fields has no id",
        TRAITS,
        Step("GET customFields?model=tasks", shows=[{"id": ABSENT, "path": "vitally.custom.effort"}]),
        custom_field_ids=False,
    ),
    fact(
        "search of instances is a bare array, empty on a miss, by exactly one criterion",
        FISCALTEC,
        Step(f"GET {SEARCH}?externalId=fr-1", shows=ids("instance")),
        Step(f"GET {SEARCH}?id={{instance}}", shows=ids("instance")),
        Step(f"GET {SEARCH}?customerId={{account}}", shows=ids("instance")),
        Step(f"GET {SEARCH}?externalId=none", shows=[]),
        *(
            Step(f"GET {SEARCH}{query}", None, 400, REFUSED)
            for query in ("", "?id=1&externalId=2", "?id=1&limit=1", "?customFieldId={stage}", "?customFieldValue=a")
        ),
    ),
    fact(
        "a value is searched by field and value together",
        FISCALTEC,
        Step("PUT customObjects/{object}/instances/{instance}", {"traits": {"vitally.custom.stage": "Won"}}),
        *(
            Step(f"GET {SEARCH}?customFieldId={{stage}}&customFieldValue={value}", shows=found)
            for value, found in (("Won", ids("instance")), ("Lost", []))
        ),
    ),
    fact(
        "responses of a survey come as data",
        SURVEYS,
        Step("GET surveys/{survey}/responses", shows=keys("data next")),
        Step("GET surveyResponses/{response}", shows={"data": {"surveyId": "{survey}", "questionResponses": [...]}}),
        Step("GET surveyQuestions/{question}", shows={"data": keys("id title body type isRequired")}),
        Step("GET surveys", None, 404),
    ),
    fact(
        "the user of a survey's response is spelled userID",
        SURVEYS,
        Step("GET surveyResponses/{response}", shows={"data": {"userID": "{user}", "userId": ABSENT}}),
    ),
)  # fmt: skip

FILTERS = (
    fact(
        "accounts are the active ones, unless another status is asked for",
        ACCOUNTS,
        Step("GET accounts", shows={"results": ids("other account")}),
        Step("GET accounts?status=active", shows={"results": ids("other account")}),
        Step("GET accounts?status=churned", shows={"results": ids("churned")}),
        Step("GET accounts?status=activeOrChurned", shows={"results": ids("churned other account")}),
        Step("GET accounts?status=all", None, 400, Says("status")),
    ),
    fact(
        "what the track rules ignore is in no list, accounts and organizations alike",
        TRACK_RULES,
        Step("GET accounts?status=activeOrChurned", shows={"results": lacks("ignored")}),
        Step("GET organizations", shows={"results": ids("organization")}),
        Step("GET accounts/{ignored}", shows={"id": "{ignored}"}),
        Step("GET organizations/{ignored_organization}", shows={"id": "{ignored_organization}"}),
    ),
    fact(
        "the list of organizations takes no status: churned ones are in it",
        QUESTION + "who is left out",
        Step("PUT organizations/{organization}", {"traits": {"churnedAt": "2026-01-01T00:00:00.000Z"}}),
        Step("GET organizations", shows={"results": ids("organization")}),
        Step("GET organizations/{organization}", shows={"churnedAt": SET}),
        Step("GET organizations?status=active", None, 400, Says("status")),
    ),
    fact(
        "the accounts of an organization take no status, and are the active ones",
        QUESTION + "which accounts that list shows",
        Step("GET organizations/{organization}/accounts", shows={"results": ids("account")}),
        Step("GET organizations/{organization}/accounts?status=churned", None, 400, Says("status")),
    ),
    fact(
        "or the churned ones too",
        QUESTION + "which accounts that list shows",
        Step("GET organizations/{organization}/accounts", shows={"results": ids("churned account")}),
        below_organization="activeOrChurned",
    ),
    *(
        fact(
            f"{path} take archived, and show the rest without it",
            TRANSCRIBED,
            Step(f"DELETE {path}/{{{name}}}", None, 204),
            Step(f"GET {path}", shows={"results": lacks(name)}),
            Step(f"GET {path}?archived=false", shows={"results": lacks(name)}),
            Step(f"GET {path}?archived=true", shows={"results": holds(name)}),
            Step(f"GET {path}?archived=1", None, 400, Says("archived")),
            instance_delete="soft",
        )
        for path, name in (
            *(("notes", "own_note"), ("tasks", "task"), ("projects", "project"), ("meetings", "meeting")),
            ("customObjects/{object}/instances", "instance"),
        )
    ),
    fact(
        "archived=true is read as 'archived ones too' by a client",
        FISCALTEC,
        Step("GET notes?archived=true", shows={"results": ids("old_note hub_note own_note")}),
    ),
    fact(
        "archived=true is 'only archived' by the docs",
        TRANSCRIBED,
        Step("GET notes?archived=true", shows={"results": ids("old_note")}),
        archived_true="only archived",
    ),
    fact(
        "without archived, archived rows may come as well",
        QUESTION + "what archived left out means",
        Step("GET notes", shows={"results": holds("old_note")}),
        archived_omitted_means_all=True,
    ),
    fact(
        "source filters notes and tasks, whatever its case",
        TRANSCRIBED,
        Step("GET notes?source=HubSpot", shows={"results": ids("hub_note")}),
        Step("GET accounts/{account}/notes?source=hubspot", shows={"results": ids("hub_note")}),
        Step("GET tasks?source=salesforce", shows={"results": ids("task")}),
        Step("GET accounts/{account}/tasks?source=zapier", shows={"results": []}),
        Step("GET notes?source=", None, 400, Says("source")),
    ),
    fact(
        "NPS responses are those of accounts, or with target those of organizations",
        TRANSCRIBED,
        Step("GET npsResponses", shows={"results": ids("nps")}),
        Step("GET npsResponses?target=accounts", shows={"results": ids("nps")}),
        Step("GET npsResponses?target=organization", shows={"results": ids("member_nps")}),
        Step("GET npsResponses?target=organizations", None, 400, Says("target")),
    ),
    fact(
        "project templates are filtered by their category",
        TEMPLATES,
        Step("GET projectTemplates?categoryId={template_category}", shows={"results": ids("template")}),
        Step("GET projectTemplates?categoryId={unknown}", shows={"results": []}),
    ),
    fact(
        "users are searched by exactly one of three",
        TRANSCRIBED,
        Step("GET users/search?externalId=u-2", shows={"results": ids("member")}),
        Step("GET users/search?email=ida%2B1@example.com", shows={"results": ids("user")}),
        Step("GET users/search?email=ida+1@example.com", shows={"results": []}),
        Step("GET users/search?emailSubdomain=example.org", shows={"results": ids("member")}),
        *(
            Step(f"GET users/search{query}", None, 400, REFUSED)
            for query in ("", "?query=ida", "?email=a&externalId=b", "?emailDomain=example.org", "?email=")
        ),
    ),
    *(
        fact(f"{path} take no {name}", FISCALTEC, Step(f"GET {path}?{name}=true", None, 400, Says(name)))
        for path, name in (
            *(("accounts", "updatedAt"), ("users", "name"), ("users", "fields"), ("users", "archived")),
            *(("conversations", "archived"), ("npsResponses", "archived"), ("accounts/{account}/tasks", "archived")),
            *(("accounts/{account}/projects", "archived"), ("projects", "source"), ("users", "status")),
        )
    ),
)


@every_fact(PAGES + FILTERS)
def test_lists(told: Fact) -> None:
    check(told)
