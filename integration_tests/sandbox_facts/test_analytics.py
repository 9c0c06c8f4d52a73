"""Facts about the Analytics API: what it takes, what it answers, and what comes of it."""

from __future__ import annotations

from integration_tests.sandbox_facts.bodies import INSTANCES
from integration_tests.sandbox_facts.messages import EARLIER, LATER, MESSAGES, SUCCESS, TIME, batch, say, single
from integration_tests.sandbox_facts.pages import (
    ACCOUNT,
    AUTHENTICATION,
    BATCH,
    CENSUS,
    INSTANCE,
    QUESTION,
    TRACK,
    UNLINK,
    USER,
)
from integration_tests.sandbox_facts.telling import (
    ABSENT,
    SET,
    Fact,
    Passes,
    Says,
    Step,
    check,
    every_fact,
    fact,
    ids,
)

REFUSED = {"error": SET}
MISS = 404

ACCEPTANCE = (
    fact(
        "the token stands after Basic as it is",
        AUTHENTICATION,
        Step("POST analytics/batch", [say("account")], 200, SUCCESS),
        # The same, encoded.
        Step("POST analytics/batch", [], 401, headers={"Authorization": "Basic YW5hbHl0aWNzX2V4YW1wbGVfbm90X3JlYWw6"}),
        Step("POST analytics/batch", [], 401, REFUSED, headers={"Authorization": ""}),
        Step("POST analytics/batch", [], 401, headers={"Authorization": "Basic c2tfbGl2ZV9leGFtcGxlX25vdF9yZWFsOg=="}),
        Step("POST analytics/batch", [], 401, headers={"Authorization": "Bearer analytics_example_not_real"}),
    ),
    *(
        fact(f"{kind} is an endpoint and a type of a batch", page, single(kind), batch(say(kind, timestamp=EARLIER)))
        for kind, (page, _) in MESSAGES.items()
    ),
    *(
        fact(
            f"{method} {path} is nothing",
            QUESTION + "no page has it",
            Step(f"{method} analytics/{path}", {} if method == "POST" else None, 404, REFUSED),
        )
        for method, path in (
            *(("POST", path) for path in ("identify", "group", "alias", "delete", "unlinkOrganization")),
            *(("GET", "account"), ("DELETE", "account"), ("PUT", "account"), ("GET", "batch")),
        )
    ),
    fact(
        "a batch is an array of 1 to 100 messages",
        BATCH,
        batch(*(say("track", messageId=str(n)) for n in range(100))),
        batch(*(say("track", messageId=str(n)) for n in range(101)), status=400, shows=REFUSED),
        batch(status=400, shows=REFUSED),
        Step("POST analytics/batch", {"batch": [say("account")]}, 400, REFUSED),
        Step("POST analytics/batch", say("account"), 400, REFUSED),
    ),
    fact(
        "types are in lower case, and each message of a batch has one",
        BATCH,
        *(
            batch(say("account", type=kind), status=400, shows=Says("type"))
            for kind in ("Account", "identify", "", None)
        ),
    ),
    *(
        fact(
            f"a message of the type {kind} needs {member}",
            MESSAGES[kind][0],
            single(kind, 400, Says(member), **{member: None}),
            batch(say(kind, **{member: None}), status=400, shows=Says(member)),
        )
        for kind, members in (
            ("organization", "organizationId"),
            ("account", "accountId"),
            ("user", "userId accountId traits"),
            ("track", "userId event properties"),
            ("customobjectinstance", "externalId customObjectId accountId traits"),
            ("unlink", "userId accountId"),
        )
        for member in members.split()
    ),
    *(
        fact(
            f"{member} of a message is not {value!r}",
            page,
            single(kind, 400, Says(member), **{member: value}),
        )
        for kind, member, value, page in (
            ("account", "accountId", 7, ACCOUNT),
            ("account", "accountId", "", ACCOUNT),
            ("account", "traits", [], ACCOUNT),
            ("track", "properties", "none", TRACK),
            ("track", "timestamp", "yesterday", INSTANCE),
            ("track", "timestamp", 1788249600, INSTANCE),
            ("track", "timestamp", "2026-10-31T10:00:00+02:00", INSTANCE),
            ("track", "timestamp", "2026-10-31", INSTANCE),
            ("track", "messageId", 7, INSTANCE),
        )
    ),
    fact(
        "a user or an instance names an account or an organization",
        USER,
        single("user", accountId=None, organizationId="org-1"),
        single("customobjectinstance", accountId=None, organizationId="org-1"),
    ),
    fact(
        "an event names a user, an account or an organization",
        TRACK,
        single("track", userId=None, accountId="cust-2"),
        single("track", userId=None, organizationId="org-1"),
    ),
    fact(
        "a message has a timestamp or a messageId",
        INSTANCE,
        single("account", 400, Says("timestamp"), timestamp=None),
        single("account", timestamp=None, messageId="m"),
        single("account", timestamp=TIME),
    ),
    fact(
        "a blocked type is refused alone, and in a batch of nothing else",
        BATCH,
        single("track", 400, REFUSED),
        batch(say("track"), say("track", userId="u+1"), status=400, shows=REFUSED),
        blocked_types=frozenset({"track"}),
    ),
    fact(
        "among others, a blocked type is ignored without a word",
        BATCH,
        batch(say("organization"), say("account")),
        LATER,
        Step("GET accounts/n"),
        Step("GET organizations/n", None, MISS),
        blocked_types=frozenset({"organization"}),
    ),
)  # fmt: skip

EFFECTS = (
    fact(
        "what is taken shows minutes later",
        CENSUS,
        batch(say("account")),
        Step("GET accounts/n", None, MISS),
        Passes(119),
        Step("GET accounts/n", None, MISS),
        Passes(2),
        Step("GET accounts/n", shows={"externalId": "n"}),
    ),
    *(
        fact(
            f"{kind} makes a row, and changes it: your id is its externalId, traits are merged",
            MESSAGES[kind][0],
            single(kind, traits={"a": 1, "b": 1, "name": "One"}),
            LATER,
            single(kind, traits={"b": 2, "name": "Two"}),
            LATER,
            Step(f"GET {kind}s/n", shows={"externalId": "n", "name": "Two"}),
            Step(f"GET {kind}s/n", shows={"traits": {"a": 1, "b": 2, "name": ABSENT}}),
        )
        for kind in ("organization", "account", "user")
    ),
    fact(
        "special traits of a user are its attributes",
        USER,
        single("user", traits={"name": "N", "email": "n@example.com", "avatar": "https://n", "createdAt": EARLIER}),
        LATER,
        Step(
            "GET users/n",
            shows={
                "name": "N",
                "email": "n@example.com",
                "avatar": "https://n",
                "joinDate": "2026-10-30T08:00:00.000Z",
                "traits": {"name": ABSENT, "email": ABSENT, "avatar": ABSENT, "createdAt": ABSENT},
            },
        ),
    ),
    fact(
        "an account joins an organization by your ids",
        ACCOUNT,
        single("account", organizationId="org-1"),
        LATER,
        Step("GET accounts/n", shows={"organizationId": "{organization}"}),
    ),
    fact(
        "a user joins one account per message, and leaves by unlink",
        UNLINK,
        single("user"),
        single("user", accountId="cust/1"),
        LATER,
        Step("GET users/n", shows={"accounts": ids("other account")}),
        single("unlink", userId="n", accountId="cust-2"),
        LATER,
        Step("GET users/n", shows={"accounts": ids("account")}),
    ),
    fact(
        "an instance is made and changed by your id of it",
        INSTANCE,
        single("customobjectinstance", traits={"vitally.custom.stage": "Won"}, name="Deal"),
        LATER,
        single("customobjectinstance", traits={"vitally.custom.dealValue": 1}),
        LATER,
        Step(
            f"GET {INSTANCES}/search?externalId=n",
            shows=[{"name": "Deal", "traits": {"vitally.custom.stage": "Won", "vitally.custom.dealValue": 1}}],
        ),
    ),
    fact(
        "a trait of an instance must have been defined",
        INSTANCE,
        single("customobjectinstance", 400, Says("unheard.of"), traits={"unheard.of": 1}),
    ),
    fact(
        "one messageId counts once, whatever the type",
        INSTANCE,
        single("account", messageId="m"),
        single("organization", messageId="m"),
        LATER,
        Step("GET accounts/n"),
        Step("GET organizations/n", None, MISS),
    ),
    fact(
        "without messageId, equal content of one time counts once",
        INSTANCE,
        *(single("account", traits={"a": value}) for value in (1, 2, 1)),
        single("account", traits={"b": 1}, timestamp=EARLIER),
        LATER,
        Step("GET accounts/n", shows={"traits": {"a": 2, "b": 1}}),
    ),
    fact(
        "members that a page does not name are passed over",
        QUESTION + "what becomes of unknown members",
        single("account", name="Not a trait", colour="red"),
        LATER,
        Step("GET accounts/n", shows={"name": None, "traits": {}}),
    ),
)  # fmt: skip


@every_fact(ACCEPTANCE)
def test_acceptance(told: Fact) -> None:
    check(told)


@every_fact(EFFECTS)
def test_effects(told: Fact) -> None:
    check(told)
