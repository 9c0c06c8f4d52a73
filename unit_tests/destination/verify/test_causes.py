"""Why a message that was accepted has not landed: the likeliest cause, as far as Vitally can be asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from destination_vitally.verify.causes import NAMED, Causes
from destination_vitally.verify.expected import Expected, expected_of
from unit_tests.destination.builders import DEFINITION
from unit_tests.destination.rows.asking import Asked
from unit_tests.destination.scripted import INSTANCES, Script, page
from unit_tests.destination.verify.expecting import DELETED, NOTHING_KNOWN, SINCE, messages, wanted

DROPPED = "Vitally has dropped the message and does not say why"
BLOCKED = "no 'account' message has landed, so Vitally may block this type; ask Vitally Support"
CHANGED = "Vitally has not taken the value, or somebody has changed it since"
LATER, EARLIER = "1970-01-01T00:02:00Z", "1970-01-01T00:01:00Z"
"""After and before the message was taken."""


def cause(
    script: Script,
    one: Expected,
    row: Any = None,
    differs: tuple[str, ...] = (),
    landed: tuple[str, ...] = ("account",),
) -> str:
    return Causes(Asked(script).api).of(one, row, [*differs], landed, 61.4)


THERE = {"GET /organizations/o": {"id": "O", "externalId": "o"}}
ACCOUNT = {"externalId": "a", "name": "N", "organizationId": "o", "plan": "p", "seats": 1}
TRAITS = ("traits.plan", "traits.seats")
FIELDS = "GET /customFields?model=accounts"


@pytest.mark.parametrize(
    ("script", "row", "differs", "landed", "expected"),
    [
        # It is not there
        ({}, None, (), ("account",), "organizationId: Vitally has no organization with this id"),
        (THERE, None, (), (), BLOCKED),
        (THERE, None, (), ("account",), DROPPED),
        ({"GET /organizations/o": 400}, None, (), ("account",), DROPPED),
        # It shows something else
        ({}, {"id": "A"}, ("organizationId",), (), "organizationId: Vitally has no organization with this id"),
        ({}, {"id": "A"}, ("name",), (), DROPPED),
        ({}, {"id": "A", "updatedAt": EARLIER}, ("name",), (), DROPPED),
        ({}, {"id": "A", "updatedAt": LATER}, ("name",), (), CHANGED),
    ],
)
def test_the_likeliest_cause_is_named(
    script: Script, row: Any, differs: tuple[str, ...], landed: tuple[str, ...], expected: str
) -> None:
    what = f"it does not have {differs[0]} as sent" if row else "it is not there"
    found = cause(script, wanted("account", ACCOUNT), row, differs, landed)
    assert found == f"Vitally accepted it, but 61 s later {what}: {expected}"


def test_a_parent_is_asked_for_once() -> None:
    asked = Asked({"GET /organizations/o": 404})
    causes = Causes(asked.api)
    for _ in range(3):
        causes.of(wanted("account", ACCOUNT), None, [], ("account",), 1.0)
    assert asked.asked == ["GET /organizations/o"]


def test_of_several_parents_the_one_that_is_not_there_is_named_and_the_row_itself_is_none() -> None:
    """Given a membership, which is kept in its user, then the user who is not there is no unknown parent of it."""
    script = {"GET /accounts/a": {"id": "A", "externalId": "a"}}
    user = wanted("user", {"externalId": "u", "accountIds": ["a", "b"]})
    assert cause(script, user).endswith("accountIds: Vitally has no account with this id")
    link = wanted("membership", {"userId": "u", "accountId": "a"})
    assert cause(script, link, landed=("user",)).endswith(DROPPED)
    ended = wanted("membership", {"userId": "u", "accountId": "x", **DELETED})
    assert cause(script, ended).endswith("accountId: Vitally has no account with this id")


@pytest.mark.parametrize("count", [1, NAMED, NAMED + 1, NAMED + 4])
def test_few_fields_are_named(count: int) -> None:
    names = tuple(f"name{n}" for n in range(count))
    listed = ", ".join(names[:NAMED]) + (f" and {count - NAMED} more" if count > NAMED else "")
    said = cause({}, wanted("account", {"externalId": "a"}), {"id": "A"}, names)
    assert said == f"Vitally accepted it, but 61 s later it does not have {listed} as sent: {DROPPED}"


@pytest.mark.parametrize(
    ("answer", "expected"), [(404, "Vitally no longer has this custom object"), (page(), DROPPED), (400, DROPPED)]
)
def test_a_custom_object_may_be_gone(answer: Any, expected: str) -> None:
    [sent] = messages("custom_object/*", {"externalId": "x", "customerId": "a", "name": "N"})
    entry = replace(sent.change.entry, path=INSTANCES, constants={"customObjectId": DEFINITION})
    one = expected_of(replace(sent, change=sent.change._replace(entry=entry)), NOTHING_KNOWN, 100.0, SINCE)
    assert one
    script = {"GET /accounts/a": {"id": "A", "externalId": "a"}, f"GET {INSTANCES}?limit=1": answer}
    assert cause(script, one, landed=("customobjectinstance",)).endswith(f": {expected}")


@pytest.mark.parametrize(
    ("fields", "traits", "expected"),
    [
        ([{"path": "plan", "type": "string"}], {"plan": "old"}, "there is no custom field seats in Vitally"),
        ([], {}, "there is no custom field plan, seats in Vitally"),
        ([{"path": "plan", "type": "string"}, {"path": "seats", "type": "number"}], {}, CHANGED),
        # What shows another value has a field.
        ([], {"plan": "old", "seats": 2}, CHANGED),
        (400, {}, CHANGED),
    ],
)
def test_a_trait_may_have_no_custom_field(fields: Any, traits: dict[str, Any], expected: str) -> None:
    row = {"id": "A", "traits": traits, "updatedAt": LATER}
    said = cause({FIELDS: fields}, wanted("account", ACCOUNT), row, TRAITS)
    assert said == f"Vitally accepted it, but 61 s later it does not have traits.plan, traits.seats as sent: {expected}"
