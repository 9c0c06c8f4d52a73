"""What no page says of values that are stored, of merged and of archived rows: each answer is a switch."""

from __future__ import annotations

from typing import Any

from integration_tests.sandbox_facts.bodies import INSTANCES, post
from integration_tests.sandbox_facts.messages import EARLIER, LATER, TIME, single
from integration_tests.sandbox_facts.pages import QUESTION
from integration_tests.sandbox_facts.telling import ABSENT, SET, Fact, Passes, Says, Step, check, every_fact, fact

KEPT = QUESTION + "whether values are stored as sent"
MOVES = QUESTION + "what bumps updatedAt"
ARCHIVED = QUESTION + "whether a POST on an archived row brings it back"
EXISTS = QUESTION + "whether POST with a known externalId updates, fails or duplicates"

# How a trait is sent, how it is stored, and by which switch
STORED: tuple[tuple[str, Any, Any, dict[str, Any]], ...] = (
    ("as it is", " A ", " A ", {"texts_trimmed": False}),
    ("without the blanks at its ends", " A ", "A", {"texts_trimmed": True}),
    ("with few decimals", 1.23456, 1.23, {"decimals": 2}),
    ("as a time where it is a day", "2026-03-04", "2026-03-04T00:00:00.000Z", {"days_as_times": True}),
    ("as a day where it is a time", "2026-03-04T05:06:07Z", "2026-03-04", {"times_as_days": True}),
    ("as cleaned HTML", "<h1>A</h1><b>B</b>", "A<b>B</b>", {"html": "cleaned everywhere"}),
    ("without any tag", "<h1>A</h1><b>B</b>", "AB", {"html": "no tags"}),
    ("in order where it is a list", ["b", "a"], ["a", "b"], {"lists_sorted": True}),
    ("cut off where it is long", "abcdef", "abc", {"longest_text": 3}),
    ("not at all where no custom field is defined", "A", ABSENT, {"undefined_traits_dropped": True}),
)

EMAILS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("as it is", "Ole@X.example", {"emails_lowered": False}),
    ("in lower case", "ole@x.example", {"emails_lowered": True}),
)

EDITED = (Passes(60), Step("PUT accounts/cust-2", {"name": "edited"}, shows={"updatedAt": "2026-11-01T12:01:00.000Z"}))

FACTS = (
    *(
        fact(f"a trait of a message is stored {how}", KEPT, single("account", traits={"x": sent}), LATER, look, **on)
        for how, sent, stored, on in STORED
        for look in [Step("GET accounts/n", shows={"traits": {"x": stored}})]
    ),
    *(
        fact(
            f"a trait by REST is stored {how}", KEPT, Step("POST accounts", body, shows={"traits": {"x": stored}}), **on
        )
        for how, sent, stored, on in STORED
        for body in [post("account", traits={"x": sent})]
    ),
    fact(
        "an attribute is stored like a trait",
        KEPT,
        Step("POST accounts", {**post("account"), "name": " N "}, shows={"name": "N", "externalId": "n"}),
        texts_trimmed=True,
    ),
    fact(
        "a defined trait stays where others are dropped",
        KEPT,
        Step(
            "PUT accounts/cust-2",
            {"traits": {"vitally.custom.tier": "A"}},
            shows={"traits": {"vitally.custom.tier": "A"}},
        ),
        undefined_traits_dropped=True,
    ),
    *(
        fact(
            f"an email is stored {how}",
            KEPT,
            Step("PUT users/u-2", {"email": "Ole@X.example"}, shows={"email": kept}),
            **on,
        )
        for how, kept, on in EMAILS
    ),
    fact(
        "a message moves updatedAt to when it is applied",
        MOVES,
        single("account", accountId="cust-2", traits={"a": 2}),
        LATER,
        Step("GET accounts/cust-2", shows={"updatedAt": "2026-11-01T12:02:01.000Z"}),
        updated_at_by_message="moves",
    ),
    fact(
        "or to its timestamp",
        MOVES,
        single("account", accountId="cust-2", traits={"a": 2}, timestamp=EARLIER),
        LATER,
        Step("GET accounts/cust-2", shows={"updatedAt": EARLIER.replace("Z", ".000Z"), "traits": {"a": 2}}),
        updated_at_by_message="to its timestamp",
    ),
    fact(
        "also of a new row",
        MOVES,
        single("account"),
        LATER,
        Step(
            "GET accounts/n", shows={"updatedAt": TIME.replace("Z", ".000Z"), "createdAt": "2026-11-01T12:02:01.000Z"}
        ),
        updated_at_by_message="to its timestamp",
    ),
    fact(
        "or a minute later",
        MOVES,
        *EDITED,
        single("account", accountId="cust-2", traits={"a": 2}),
        LATER,
        Step("GET accounts/cust-2", shows={"updatedAt": "2026-11-01T12:01:00.000Z", "traits": {"a": 2}}),
        Passes(61),
        Step("GET accounts/cust-2", shows={"updatedAt": "2026-11-01T12:04:02.000Z"}),
        updated_at_by_message="a minute later",
    ),
    fact(
        "or not at all",
        MOVES,
        *EDITED,
        single("account", accountId="cust-2", traits={"a": 2}),
        LATER,
        Step("GET accounts/cust-2", shows={"updatedAt": "2026-11-01T12:01:00.000Z", "traits": {"a": 2}}),
        updated_at_by_message="stays",
    ),
    fact(
        "the Analytics API knows no Vitally id of an account",
        QUESTION + "which ids messages take",
        Step("GET accounts/{other}", shows={"externalId": "cust-2"}),
        single("user", accountId="{other}"),
        LATER,
        Step("GET users/n", None, 404),
    ),
    *(
        fact(
            f"an archived {name} that is posted again {what}",
            ARCHIVED,
            Step(f"POST {path}", post(name, externalId="n"), keep="n"),
            Step(f"DELETE {path}/{{n}}", None, 204),
            Step(f"POST {path}", post(name, externalId="n"), shows={"archivedAt": archived}),
            Step(f"GET {path}/{{n}}", shows={"archivedAt": first}),
            archived_upsert=what,
            note_post_existing="update",
        )
        for name, path in (("note", "notes"), ("task", "tasks"))
        for what, archived, first in (
            ("stays archived", SET, SET),
            ("comes back", None, None),
            ("is made anew", None, SET),
        )
    ),
    *(
        fact(
            f"an archived instance that a message writes {what}",
            ARCHIVED,
            Step(f"POST {INSTANCES}", post("instance", externalId="n"), keep="n"),
            Step(f"DELETE {INSTANCES}/{{n}}", None, 204),
            single("customobjectinstance"),
            LATER,
            Step(f"GET {INSTANCES}/search?externalId=n", shows=shown),
            archived_upsert=what,
            instance_delete="soft",
        )
        for what, shown in (
            ("stays archived", []),
            ("comes back", [{"archivedAt": None}]),
            ("is made anew", [{"archivedAt": None}]),
        )
    ),
    *(
        fact(f"what exists is refused with {status}", EXISTS, twice, exists_status=status)
        for status in (400, 409, 422)
        for twice in [Step("POST accounts", post("account", externalId="cust-2"), status, Says("exists"))]
    ),
    fact(
        "the words of it are anyone's guess",
        EXISTS,
        Step("POST accounts", post("account", externalId="cust-2"), 409, Says("already taken by another account")),
        exists_status=409,
        exists_words="{key} is already taken by another account",
    ),
)


@every_fact(FACTS)
def test_kept(told: Fact) -> None:
    check(told)
