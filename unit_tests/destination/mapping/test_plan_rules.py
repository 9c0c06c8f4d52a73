"""What the plan of a stream says, in the log and in errors, and what it hands to the mapper: rule by rule."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from destination_vitally.errors import ConfigError, ListError, RejectedError
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.objects.table import OBJECTS
from unit_tests.destination.builders import DEFINITION, OneDefinition, configured, plans, settings, warnings
from vitally_api.traits import CustomField

DELETED = "_ab_cdc_deleted_at"
NAMES = (
    "organization, account, user, membership, event, custom_object_definition, custom_object/<name>, note, task, "
    "project, nps_response, conversation, message, meeting, meeting_participant, meeting_transcript"
)


def planned(stream: dict[str, Any], workspace: OneDefinition | None = None, **changes: Any) -> StreamPlan:
    [plan] = plans(settings(**changes), stream, workspace=workspace).values()
    return plan


def activated(name: str, mode: str, *key: str, **more: Any) -> dict[str, Any]:
    """A stream of a data-activation connection, with the columns of its matching key."""
    return configured(
        "x", mode, destination_object_name=name, primary_key=[column.split(".") for column in key], **more
    )


def mapped(**entry: Any) -> dict[str, Any]:
    """Settings with one mapping, of stream `x`."""
    return {"mappings": [{"stream": "x", "other_columns": "traits", **entry}]}


# What the log says before the first record


CREATED = "Stream crm.accounts: upsert account"
EMPTIED = (
    "Stream crm.accounts: the sync asks to replace what earlier syncs wrote. Vitally cannot be emptied, so the records "
    "are written as usual and nothing is deleted."
)
DESTROYS = "permanently destroys the account and everything that belongs only to it."
OFF = "will be rejected, because Allow deletes (allow_deletes) is off."


@pytest.mark.parametrize(
    ("mode", "more", "said"),
    [
        ("append", {}, [CREATED]),
        ("append", {"generation_id": 3, "minimum_generation_id": 3}, [CREATED, EMPTIED]),
        ("append", {"generation_id": 5, "minimum_generation_id": 3}, [CREATED]),
        ("append", {"generation_id": 0, "minimum_generation_id": 0}, [CREATED]),
        ("overwrite", {}, [CREATED, EMPTIED]),
    ],
)
def test_the_log_says_what_becomes_of_a_stream(
    mode: str, more: Any, said: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="airbyte")
    stream = configured("accounts", mode, **more)
    stream["stream"]["namespace"] = "crm"
    plan = planned(stream)
    assert [entry.getMessage() for entry in caplog.records] == said
    assert (plan.namespace, plan.name, plan.title) == ("crm", "accounts", "crm.accounts")


@pytest.mark.parametrize(
    ("stream", "allowed", "said"),
    [
        (configured("accounts", "soft_delete"), True, [f"Stream accounts: each record {DESTROYS}"]),
        (configured("accounts", "soft_delete"), False, [f"Stream accounts: each record {OFF}"]),
        (
            configured("accounts", properties=[DELETED, "externalId"]),
            True,
            [f"Stream accounts: each record with {DELETED} set {DESTROYS}"],
        ),
        (
            configured("accounts", properties=[DELETED, "externalId"]),
            False,
            [f"Stream accounts: each record with {DELETED} set {OFF}"],
        ),
        (
            configured("accounts", properties=[DELETED.upper(), "externalId"]),
            True,
            [f"Stream accounts: each record with {DELETED.upper()} set {DESTROYS}"],
        ),
        (configured("accounts"), True, []),
        (configured("events", properties=[DELETED, "event", "userId", "timestamp"]), True, []),
        (configured("events"), False, []),
    ],
)
def test_the_log_says_which_records_delete(
    stream: dict[str, Any], allowed: bool, said: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    planned(stream, allow_deletes=allowed)
    assert warnings(caplog) == said


# What rows are matched by


def demand(plan: StreamPlan, row: dict[str, Any]) -> str:
    """What a row lacks; nothing when it can be written."""
    try:
        plan.mapper.change(row)
    except RejectedError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("stream", "row", "lacks"),
    [
        (activated("account", "update", "externalId"), {"externalId": "a"}, ""),
        (activated("account", "update", "externalId"), {"id": "a"}, "account: externalId is required to update"),
        (activated("account", "update", "id"), {"externalId": "a"}, "account 'a': id is required to update"),
        (activated("account", "append_dedup", "id"), {"externalId": "a"}, "account 'a': id is required to upsert"),
        (activated("account", "update"), {"id": "a"}, ""),
        (activated("user", "append_dedup", "email"), {"externalId": "u"}, "user 'u': email is required to upsert"),
        (activated("membership", "append_dedup", "userId", "accountId"), {"userId": "u", "accountId": "a"}, ""),
        (activated("membership", "append_dedup", "accountId", "userEmail"), {"userEmail": "u", "accountId": "a"}, ""),
        # Who creates rows matches none; a mapping, or the name alone, says nothing of it.
        (activated("account", "append", "name"), {"externalId": "a", "name": "A"}, ""),
        (configured("accounts", primary_key=[["name"]]), {"externalId": "a"}, ""),
    ],
)
def test_data_activation_says_by_its_key_what_rows_are_matched_by(
    stream: dict[str, Any], row: dict[str, Any], lacks: str
) -> None:
    assert demand(planned(stream), row).partition(";")[0] == lacks


@pytest.mark.parametrize("operation", ["create", "upsert"])
def test_where_there_is_a_mapping_the_key_of_data_activation_is_not_asked_for(operation: str) -> None:
    stream = activated("user", "append_dedup", "nothing")
    assert planned(stream, **mapped(object="account", operation=operation)).entry.name == "account"


@pytest.mark.parametrize("entry", [entry for entry in OBJECTS if entry.keys], ids=lambda entry: entry.name)
def test_each_key_of_an_object_leaves_a_way_to_upsert_update_and_delete(entry: Any) -> None:
    name = entry.name.replace("*", "deal")
    modes = {"upsert": "append_dedup", "update": "update", "delete": "soft_delete"}
    for key in entry.keys:
        for mode in (mode for operation, mode in modes.items() if operation in entry.operations):
            plan = planned(activated(name, mode, *key.fields), allow_deletes=True)
            assert [one.fields for one in plan.entry.keys] == [key.fields]


# What is wrong


@pytest.mark.parametrize(
    ("stream", "changes", "problem"),
    [
        (
            activated("account", "update", "name"), {},
            "stream 'x': rows of account cannot be matched by name. Choose as matching key: externalId; or id",
        ),
        (
            activated("account", "update", "plan", "a.b", "externalId"), {},
            "stream 'x': rows of account cannot be matched by a.b, externalId, plan. Choose as matching key: "
            "externalId; or id",
        ),
        (
            activated("membership", "soft_delete", "userId"), {},
            "stream 'x': rows of membership cannot be matched by userId. Choose as matching key: userId and accountId",
        ),
        (
            activated("account", "overwrite"), {},
            "stream 'x': sync mode overwrite is not possible, Vitally cannot be emptied. Choose append (create), "
            "append_dedup (upsert), update or soft_delete (delete).",
        ),
        (
            configured("x"), mapped(object="customer"),
            f"stream 'x': there is no object 'customer' in Vitally. Objects: {NAMES}",
        ),
        (
            configured("x"), {},
            "stream 'x': its name is not that of an object of Vitally. Add an entry to Mappings that says which object "
            f"its rows become. Objects: {NAMES}",
        ),
        (
            configured("accounts", "soft_delete"), {"secret_token": None},
            "stream 'accounts': to delete account, the REST API key (secret_token) is needed",
        ),
        (
            activated("account", "append_dedup", "id"), {"secret_token": None},
            "stream 'x': to upsert account, the REST API key (secret_token) is needed",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_along_with_the_remedy(stream: dict[str, Any], changes: Any, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        planned(stream, **changes)
    assert str(caught.value) == problem


@pytest.mark.parametrize(("allowed", "columns"), [(True, ["externalId"]), (False, ["externalId", DELETED])])
def test_the_key_for_deletes_is_not_asked_for_where_nothing_can_be_deleted(allowed: bool, columns: list[str]) -> None:
    stream = configured("accounts", properties=columns)
    assert planned(stream, secret_token=None, allow_deletes=allowed).batched


# What is asked of the workspace


CUSTOM_OBJECT = {"object": "custom_object/deal", "operation": "upsert"}


@pytest.mark.parametrize(
    ("stream", "changes", "asked"),
    [
        (configured("custom_object/deal"), {}, ("named", "deal")),
        (configured("custom_object_deal"), {}, ("of stream", "custom_object_deal")),
        (configured("Custom_Object_Deal"), {}, ("of stream", "Custom_Object_Deal")),
        (activated("custom_object/deal", "append"), {}, ("named", "deal")),
        (
            configured("custom_object_deal", "append", destination_object_name="custom_object/deal"), {},
            ("of stream", "custom_object_deal"),
        ),
        (configured("x"), mapped(**CUSTOM_OBJECT), ("named", "deal")),
        (
            configured("custom_object_deal"),
            {"mappings": [{"stream": "custom_object_deal", "other_columns": "traits", **CUSTOM_OBJECT}]},
            ("named", "deal"),
        ),
    ],
)  # fmt: skip
def test_a_custom_object_is_asked_for_as_the_source_or_as_a_person_calls_it(
    stream: dict[str, Any], changes: Any, asked: tuple[str, str]
) -> None:
    workspace = OneDefinition()
    assert planned(stream, workspace, **changes).entry.name.startswith("custom_object/")
    assert workspace.asked == [asked]


SEATS = {"vitally.custom.seats": CustomField("number", "Seats")}


@pytest.mark.parametrize(
    ("stream", "row", "asked"),
    [
        (configured("accounts"), {"externalId": "a"}, ("custom fields", "accounts", "")),
        (
            configured("custom_object_deal"), {"externalId": "i", "customerId": "c"},
            ("custom fields", "customObjects", DEFINITION),
        ),
        (configured("accounts", "soft_delete"), {"externalId": "a"}, None),
        (configured("events"), {"event": "e", "userId": "u", "messageId": "m"}, None),
        (configured("memberships"), {"userId": "u", "accountId": "a"}, None),
    ],
)  # fmt: skip
def test_custom_fields_are_asked_for_where_there_are_any_and_once(
    stream: dict[str, Any], row: dict[str, Any], asked: tuple[str, ...] | None
) -> None:
    workspace = OneDefinition(SEATS)
    if stream["stream"]["name"] == "memberships":
        stream = {**stream, "destination_object_name": "membership"}
    mapper = planned(stream, workspace, allow_deletes=True).mapper
    for _ in range(2):
        made = mapper.change({**row, "vitally.custom.seats": "3"})
    assert [one for one in workspace.asked if one[0] == "custom fields"] == ([asked] if asked else [])
    if asked:
        assert made.open_values == {"vitally.custom.seats": 3}


class Unlisted(OneDefinition):
    """A workspace that does not list its custom fields."""

    def custom_fields(self, model: str, definition: str) -> dict[str, CustomField] | None:
        raise ListError("/customFields", "403")


def test_without_a_list_of_custom_fields_values_go_as_they_are_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = planned(configured("accounts"), Unlisted()).mapper.change({"externalId": "a", "vitally.custom.seats": "3"})
    assert made.open_values == {"vitally.custom.seats": "3"}
    assert warnings(caplog) == [
        "Custom fields of account are not known, so traits are written as they are: "
        "Vitally does not list /customFields to its end: 403"
    ]


# What the mapper is told


@pytest.mark.parametrize(
    ("everywhere", "here", "cleared"),
    [
        ("omit", None, False), ("clear", None, True), ("omit", "clear", True), ("clear", "omit", False),
        (None, None, False), (None, "clear", True),
    ],
)  # fmt: skip
def test_what_an_empty_value_does_says_the_mapping_else_the_settings(
    everywhere: str | None, here: str | None, cleared: bool
) -> None:
    plan = planned(configured("x"), null_values=everywhere, **mapped(object="account", null_values=here))
    made = plan.mapper.change({"externalId": "a", "name": None, "plan": None})
    assert ("name" in made.fields, "plan" in made.open_values) == (cleared, cleared)


def test_columns_are_of_the_type_that_the_schema_of_the_stream_says() -> None:
    stream = configured("accounts", properties=["externalId", "seats", "plan"])
    stream["stream"]["json_schema"]["properties"]["seats"] = {"type": ["null", "integer"]}
    made = planned(stream).mapper.change({"externalId": "a", "seats": "3", "plan": "3"})
    assert made.open_values == {"seats": 3, "plan": "3"}


@pytest.mark.parametrize("allowed", [True, False])
def test_records_delete_where_the_settings_allow_it(allowed: bool) -> None:
    plan = planned(configured("accounts"), allow_deletes=allowed)
    lacks = demand(plan, {"externalId": "a", DELETED: "2026-01-01"})
    assert lacks == (
        "" if allowed else "account 'a': deletes are switched off; set Allow deletes (allow_deletes) to allow them"
    )


@pytest.mark.parametrize(("given", "kept"), [({"sync_id": 8}, 8), ({}, 0)])
def test_the_number_of_the_sync_is_kept(given: dict[str, Any], kept: int) -> None:
    assert planned(configured("accounts", **given)).sync_id == kept
