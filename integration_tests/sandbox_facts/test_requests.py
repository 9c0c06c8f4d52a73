"""Facts about requests: keys, paths that there are not, refusals, the budget."""

from __future__ import annotations

from functools import partial

from integration_tests.sandbox import Limits
from integration_tests.sandbox_facts.pages import (
    ACCOUNTS,
    ADMINS,
    AIRBYTE,
    API_EVANGELIST,
    CLIENTS,
    CUSTOM_OBJECTS,
    FISCALTEC,
    OLD_OVERVIEW,
    OVERVIEW,
    QUESTION,
    QUILL,
    SURVEYS,
    TRAITS,
    TRANSCRIBED,
)
from integration_tests.sandbox_facts.telling import (
    ABSENT,
    SET,
    Fact,
    Step,
    check,
    every_fact,
    fact,
    keys,
)

REFUSED = {"error": SET}

KEYS = (
    fact(
        "a request without Authorization is refused in these words",
        API_EVANGELIST,
        Step("GET accounts", None, 401, {"error": "Authorization header not present."}, headers={"Authorization": ""}),
    ),
    fact(
        "the REST key is the user name of Basic authorization, the password is empty",
        OLD_OVERVIEW,
        # sk_live_example_not_real, then sk_live_example_not_real: and one with a password
        Step("GET accounts", None, 401, REFUSED, headers={"Authorization": "Basic c2tfbGl2ZV9leGFtcGxlX25vdF9yZWFs"}),
        Step("GET accounts", headers={"Authorization": "Basic c2tfbGl2ZV9leGFtcGxlX25vdF9yZWFsOg=="}),
        Step("GET accounts", None, 401, headers={"Authorization": "Basic c2tfbGl2ZV9leGFtcGxlX25vdF9yZWFsOng="}),
    ),
    fact(
        "the Analytics token is no REST key",
        CLIENTS,
        Step("GET accounts", None, 401, headers={"Authorization": "Basic analytics_example_not_real"}),
    ),
    fact(
        "a body is JSON and says so",
        "docs.vitally.io, HTTPS Analytics API: Batch",
        Step("POST accounts", {"externalId": "n", "name": "N"}, 400, REFUSED, headers={"Content-Type": "text/plain"}),
        Step("POST analytics/account", {"accountId": "n", "messageId": "1"}, 400, headers={"Content-Type": ""}),
        Step("POST accounts", '{"externalId": ', 400, REFUSED),
        Step("POST accounts", '["externalId"]', 400, REFUSED),
    ),
)

REFUSALS = (
    *(
        fact(
            f"{path} is no path",
            page,
            *(
                Step(f"{method} {path}", {} if method in ("POST", "PUT") else None, 404, REFUSED)
                for method in methods.split()
            ),
        )
        for path, page, methods in (
            ("nps_responses", AIRBYTE, "GET"),
            ("accounts/external/cust-2", QUESTION + "recipes that no client follows", "GET PUT"),
            ("playbooks", QUESTION + "recipes that no client follows", "GET POST"),
            ("segments", ACCOUNTS, "GET"),
            ("projectStatuses", TRANSCRIBED, "GET"),
            ("conversations/{conversation}/messages", "one client only", "GET"),
            ("projectTemplates/{template}", "one client only", "GET"),
            ("customObjects/{object}/instances/{instance}", FISCALTEC, "GET"),
            ("customObjects/{object}/instances", "claimed by a third party", "DELETE"),
            ("customObjects/{object}", CUSTOM_OBJECTS, "DELETE"),
            ("messages/{message}", TRANSCRIBED, "PUT"),
            ("admins", ADMINS, "POST"),
            ("noteCategories", TRANSCRIBED, "POST PUT DELETE"),
            ("customFields", TRAITS, "POST"),
            ("surveyResponses/{response}", SURVEYS, "PUT DELETE"),
            ("accounts/{account}", API_EVANGELIST, "PATCH POST"),
            ("organizations/{organization}/healthScores", QUESTION + "no page has it", "GET"),
        )
    ),
    fact(
        "a refusal is an object with error",
        API_EVANGELIST,
        Step("GET accounts/nobody", None, 404, keys("error")),
        Step("POST accounts", {}, 400, keys("error")),
    ),
    fact(
        "or with message, as a client has it",
        FISCALTEC,
        Step("POST accounts", {}, 400, keys("message")),
        refusal_member="message",
    ),
    fact(
        "a miss may come with success as its status, told by error alone",
        QUILL,
        Step("GET accounts/nobody", None, 200, keys("error")),
        not_found_status=200,
    ),
    fact(
        "a body that is too large is refused, by either API; how large nobody says",
        QUESTION + "the size of a body",
        Step("POST accounts", {"externalId": "n", "name": "N", "traits": {"a": "x" * 500_000}}, 413, REFUSED),
        Step(
            "POST analytics/account", {"accountId": "n", "messageId": "1", "traits": {"a": "x" * 500_000}}, 413, REFUSED
        ),
        Step("POST accounts", {"externalId": "n", "name": "N", "traits": {"a": "x" * 400_000}}),
    ),
)


def _limits(rate: int, cost: int = 1, **more: object) -> Limits:
    return Limits(rate, write_cost=cost, monotonic=lambda: 0.0, **more)  # type: ignore[arg-type]


LIMITS = (
    fact(
        "the budget is told by three headers, the first of which is no number",
        OLD_OVERVIEW,
        Step(
            "GET users",
            shows={
                "headers": {
                    "RateLimit-Limit": "1000, 1000;window=60",
                    "RateLimit-Remaining": "999",
                    "RateLimit-Reset": "1",
                    "Retry-After": ABSENT,
                }
            },
        ),
        limits=lambda: _limits(1000),
    ),
    fact(
        "beyond it the answer is 429, and says when one unit comes back",
        OVERVIEW,
        Step("GET users"),
        Step("GET users", None, 429, REFUSED),
        Step("GET users", None, 429, {"headers": {"RateLimit-Reset": "60", "Retry-After": ABSENT}}),
        limits=lambda: _limits(1),
    ),
    *(
        fact(
            f"the budget may be told as {dialect}",
            page,
            Step("GET users"),
            Step("GET users", None, 429, {"headers": {**headers, "RateLimit-Reset": ABSENT}}),
            limits=partial(_limits, 1, dialect=dialect),
        )
        for dialect, headers, page in (
            ("x-ratelimit", {"X-RateLimit-Limit": "1", "X-RateLimit-Reset": "60"}, "Nexla's page on Vitally"),
            ("x-ratelimit-epoch", {"X-RateLimit-Reset": "1793534461"}, FISCALTEC),
            ("retry-after", {"Retry-After": "60"}, FISCALTEC),
            ("none", {"Retry-After": ABSENT}, QUESTION + "whether every answer tells it"),
        )
    ),
    fact(
        "a write may cost more than one unit",
        OVERVIEW,
        Step("PUT users/{user}", {}, 200, {"headers": {"RateLimit-Remaining": "4"}}),
        Step("PUT users/{user}", {}, 429),
        Step("GET users"),
        limits=lambda: _limits(9, cost=5),
    ),
    fact(
        "each key has a budget of its own",
        API_EVANGELIST,
        Step("GET users"),
        Step("POST analytics/account", {"accountId": "n", "messageId": "1"}),
        Step("POST analytics/account", {"accountId": "n", "messageId": "2"}, 429),
        limits=lambda: _limits(1),
    ),
)  # fmt: skip


@every_fact(KEYS)
def test_keys(told: Fact) -> None:
    check(told)


@every_fact(REFUSALS + LIMITS)
def test_refusals(told: Fact) -> None:
    check(told)
