"""What no page says of the Analytics API: the harder reading, and by a switch the other."""

from __future__ import annotations

from integration_tests.sandbox_facts.bodies import INSTANCES
from integration_tests.sandbox_facts.messages import EARLIER, LATER, SUCCESS, batch, say, single
from integration_tests.sandbox_facts.pages import (
    CENSUS,
    QUESTION,
)
from integration_tests.sandbox_facts.telling import (
    ABSENT,
    Fact,
    Fewer,
    Passes,
    Says,
    Step,
    check,
    every_fact,
    fact,
)

MISS = 404

SILENCE = (
    *(
        fact(
            f"{kind} of a parent that is not there comes to nothing",
            QUESTION + "what becomes of orphans",
            Step(f"POST analytics/{kind}", say(kind) | orphan, 200, SUCCESS),
            LATER,
            look,
        )
        for kind, orphan, look in (
            ("user", {"accountId": "nobody"}, Step("GET users/n", None, MISS)),
            ("account", {"organizationId": "nobody"}, Step("GET accounts/n", None, MISS)),
            ("customobjectinstance", {"accountId": "nobody"}, Step(f"GET {INSTANCES}/search?externalId=n", shows=[])),
        )
    ),
    fact(
        "or makes its account",
        CENSUS,
        single("user", accountId="nobody"),
        LATER,
        Step("GET accounts/nobody"),
        Step("GET users/n"),
        orphans="create",
    ),
    fact(
        "or is refused",
        QUESTION + "what becomes of orphans",
        single("user", 400, Says("accountId"), accountId="nobody"),
        orphans="reject",
    ),
    fact(
        "an instance of an unknown custom object comes to nothing",
        QUESTION + "dropped or refused",
        single("customobjectinstance", customObjectId="{unknown}"),
        LATER,
        Step(f"GET {INSTANCES}/search?externalId=n", shows=[]),
    ),
    fact(
        "or is refused, too",
        QUESTION + "dropped or refused",
        single("customobjectinstance", 400, Says("customObjectId"), customObjectId="{unknown}"),
        unknown_custom_object="reject",
    ),
    fact(
        "an invalid message has its batch refused as a whole",
        QUESTION + "all or nothing",
        batch(say("account"), say("user", userId=None), status=400, shows=Says("userId")),
        LATER,
        Step("GET accounts/n", None, MISS),
    ),
    fact(
        "or refused, when the others have been taken",
        QUESTION + "all or nothing",
        batch(say("user", userId=None), say("account"), status=400, shows=Says("userId")),
        LATER,
        Step("GET accounts/n"),
        batch_invalid="reject_after_the_rest",
    ),
    fact(
        "or is dropped by itself",
        QUESTION + "all or nothing",
        batch(say("user", userId=None), say("account")),
        LATER,
        Step("GET accounts/n"),
        batch_invalid="drop_silently",
    ),
    *(
        fact(
            f"the messages of one batch take effect {order}",
            QUESTION + "the order within a batch",
            batch(say("account"), *(say("user", accountId="n", userId=f"u{n}") for n in range(9))),
            LATER,
            Step("GET accounts/n", keep="n"),
            Step("GET accounts/{n}/users", shows={"results": found}),
            batch_order=order,
        )
        for order, found in (("shuffled", Fewer(9)), ("as sent", [...] * 9))
    ),
    fact(
        "a late message overwrites a newer one",
        QUESTION + "whether the older time wins",
        single("account", traits={"a": "newer"}),
        single("account", traits={"a": "older"}, timestamp=EARLIER),
        LATER,
        Step("GET accounts/n", shows={"traits": {"a": "older"}}),
    ),
    fact(
        "or does not",
        QUESTION + "whether the older time wins",
        single("account", traits={"a": "newer"}),
        single("account", traits={"a": "older"}, timestamp=EARLIER),
        LATER,
        Step("GET accounts/n", shows={"traits": {"a": "newer"}}),
        older_timestamp_overwrites=False,
    ),
    fact(
        "a null takes a trait away, as by REST",
        QUESTION + "what a null does",
        single("account", traits={"a": 1}),
        single("account", traits={"a": None}),
        LATER,
        Step("GET accounts/n", shows={"traits": {"a": ABSENT}}),
    ),
    fact(
        "or does nothing",
        QUESTION + "what a null does",
        single("account", traits={"a": 1}),
        single("account", traits={"a": None}),
        LATER,
        Step("GET accounts/n", shows={"traits": {"a": 1}}),
        analytics_null_removes=False,
    ),
    fact(
        "how long a messageId is remembered is not said: for good, or for a while",
        QUESTION + "the window of messageId",
        single("account", messageId="m", traits={"a": 1}),
        Passes(301),
        single("account", messageId="n", traits={"a": 2}),
        single("account", messageId="m", traits={"a": 1}),
        LATER,
        Step("GET accounts/n", shows={"traits": {"a": 1}}),
        message_id_window=300,
    ),
    fact(
        "a readonly custom object takes no instance",
        QUESTION + "whether writeMode holds for the API",
        Step("PUT customObjects/{object}", {"writeMode": "readonly"}),
        single("customobjectinstance", 400, Says("readonly")),
    ),
)


@every_fact(SILENCE)
def test_silence(told: Fact) -> None:
    check(told)
