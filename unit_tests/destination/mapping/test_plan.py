"""Which operation a stream gets, and what is wrong with a connection, before the first record."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from destination_vitally.errors import ConfigError
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.objects.model import BatchRoute, RestRoute
from unit_tests.destination.builders import DEFINITION, configured, plans, settings


def mapped(**entry: Any) -> dict[str, Any]:
    """Settings with one mapping, of stream `t`."""
    return {"mappings": [{"stream": "t", "other_columns": "traits", **entry}]}


def planned(stream: dict[str, Any], **changes: Any) -> StreamPlan:
    return next(iter(plans(settings(**changes), stream).values()))


@pytest.mark.parametrize(
    ("name", "wanted", "operation"),
    [
        ("accounts", "account", "upsert"),
        ("account", "account", "upsert"),
        ("events", "event", "create"),
        ("projects", "project", "create"),
        ("membership", "membership", "upsert"),
        ("nps_responses", "nps_response", "upsert"),
        ("custom_objects", "custom_object_definition", "create"),
        ("custom_object/Feature Request", "custom_object/Feature Request", "upsert"),
        ("custom_object_feature_request", "custom_object/feature_request", "upsert"),
        ("messages", "message", "create"),
        ("ACCOUNTS", "account", "upsert"),
        ("NpsResponses", "nps_response", "upsert"),
        ("CUSTOM_OBJECT_feature_request", "custom_object/feature_request", "upsert"),
        ("meeting_transcripts", "meeting_transcript", "upsert"),
    ],
)
@pytest.mark.parametrize("mode", ["append", "append_dedup", "overwrite"])
def test_the_name_of_a_stream_says_its_object(name: str, wanted: str, operation: str, mode: str) -> None:
    plan = planned(configured(name, mode))
    assert (plan.entry.name, plan.operation) == (wanted, operation)


@pytest.mark.parametrize("mode", [("update", "update"), ("soft_delete", "delete")])
def test_who_asks_for_updates_or_deletes_gets_nothing_else(mode: tuple[str, str]) -> None:
    assert planned(configured("accounts", mode[0])).operation == mode[1]
    with pytest.raises(ConfigError, match="event has no"):
        planned(configured("events", mode[0]))


@pytest.mark.parametrize(
    ("mode", "operation"),
    [("append", "create"), ("append_dedup", "upsert"), ("update", "update"), ("soft_delete", "delete")],
)
def test_a_destination_object_and_sync_mode_are_taken_literally(mode: str, operation: str) -> None:
    plan = planned(configured("whatever", mode, destination_object_name="account"))
    assert (plan.entry.name, plan.operation) == ("account", operation)


@pytest.mark.parametrize(
    ("name", "entry"),
    [("accounts", "account"), ("Account", "account"), ("USERS", "user"), ("npsResponses", "nps_response"),
     ("custom_object", "custom_object/"), ("Custom Object", "custom_object/"), ("custom_object/*", "custom_object/")],
)  # fmt: skip
def test_an_object_is_named_as_streams_are(name: str, entry: str) -> None:
    assert planned(configured("t"), **mapped(object=name)).entry.name == entry


def test_a_mapping_goes_before_everything() -> None:
    mapping = {"stream": "accounts", "object": "user", "operation": "update", "other_columns": "traits"}
    plan = planned(configured("accounts", destination_object_name="note"), mappings=[mapping])
    assert (plan.entry.name, plan.operation) == ("user", "update")
    del mapping["operation"]
    assert planned(configured("accounts"), mappings=[mapping]).operation == "upsert"


def test_a_mapping_may_use_the_other_names_of_a_field() -> None:
    entry = {"object": "user", "fields": {"externalId": "id"}, "constants": {"accountId": "everyone"}}
    change = planned(configured("t"), **mapped(**entry)).mapper.change({"id": 1})
    assert change.fields == {"externalId": "1", "accountIds": ["everyone"]}


def test_mappings_are_told_apart_by_namespace() -> None:
    mappings = [
        {"stream": "t", "namespace": "crm", "object": "account", "other_columns": "traits"},
        {"stream": "t", "object": "user", "other_columns": "traits"},
    ]
    crm = configured("t")
    crm["stream"]["namespace"] = "crm"
    made = plans(settings(mappings=mappings), crm, configured("t"))
    assert {key: plan.entry.name for key, plan in made.items()} == {
        ("crm", "t"): "account",
        (None, "t"): "user",
    }


def test_instances_are_addressed_by_the_id_of_their_definition() -> None:
    plan = planned(configured("custom_object/deal"))
    assert plan.entry.path == f"/customObjects/{DEFINITION}/instances"
    assert plan.entry.constants == {"customObjectId": DEFINITION}


@pytest.mark.parametrize(
    ("stream", "changes", "problem"),
    [
        (configured("dim_accounts"), {}, "its name is not that of an object of Vitally. Add an entry to Mappings"),
        (configured("custom_object_"), {}, "custom_object/<name>"),
        (configured("x", destination_object_name="acount"), {}, "there is no object 'acount'"),
        (configured("events", properties=["userId"]), {}, "Map a column to it in Fields, or enter it in Fixed values"),
        (configured("x", "overwrite", destination_object_name="account"), {}, "Vitally cannot be emptied"),
        (configured("x", destination_object_name="project"), {}, "possible: create, update, delete"),
        (configured("t"), mapped(object="acount"), "there is no object 'acount'"),
        (
            configured("t"), mapped(object="event", operation="upsert"),
            "event has no upsert; possible: create",
        ),
        (
            configured("t"), mapped(object="account", fields={"plan": "p"}),
            "no field 'plan'. Fields: id, externalId, name, avatar, organizationId, accountOwnerId, "
            "timestamp, messageId. Anything else is a trait",
        ),
        (
            configured("t"), mapped(object="account", constants={"mrr": 1}),
            "account has no field 'mrr'",
        ),
        (
            configured("t"), mapped(object="nps_response", constants={"score": "hidden"}),
            "the fixed value of score must be a whole number",
        ),
        (
            configured("t"),
            mapped(object="account", constants={"name": 1}, fields={"name": "n"}),
            "name is in Fields and in Fixed values (constants)",
        ),
        (
            configured("t"), mapped(object="nps_response", traits={"a": "b"}),
            "nps_response has no traits",
        ),
        (
            configured("t"), {"mappings": 2 * mapped(object="account")["mappings"]},
            "entries 1 and 2 of Mappings are the same; leave one",
        ),
        (configured("events"), {"analytics_token": None}, "to create event, the Analytics API key ("),
        (configured("notes"), {"secret_token": None}, "to upsert note, the REST API key (secret_token) is needed"),
        (configured("accounts", "update"), {"secret_token": None}, "to update account, the REST API key ("),
        (
            configured("accounts", properties=["_ab_cdc_deleted_at"]),
            {"secret_token": None, "allow_deletes": True},
            "to delete account, the REST API key (secret_token) is needed",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_found_before_the_first_record(stream: dict[str, Any], changes: Any, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        planned(stream, **changes)
    assert problem in str(caught.value)
    assert stream["stream"]["name"] in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_the_configured_keys_choose_the_transport() -> None:
    both = planned(configured("accounts"))
    rest = planned(configured("accounts"), analytics_token=None)
    analytics = planned(configured("accounts"), secret_token=None)
    assert [plan.batched for plan in (both, rest, analytics)] == [True, False, True]
    change = rest.mapper.change({"externalId": "a"})
    assert isinstance(change.route, RestRoute)
    assert isinstance(analytics.mapper.change({"externalId": "a"}).route, BatchRoute)


@pytest.mark.parametrize(
    "stream",
    [
        configured("accounts", "append", generation_id=3, minimum_generation_id=3),
        configured("accounts", "overwrite"),
    ],
)
def test_a_request_to_truncate_is_said_to_be_impossible(
    stream: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="airbyte")
    assert planned(stream).operation == "upsert"
    assert "Vitally cannot be emptied" in caplog.text


def test_a_plain_refresh_says_nothing_about_truncating(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="airbyte")
    planned(configured("accounts", "append", generation_id=3, minimum_generation_id=0))
    assert "emptied" not in caplog.text


def test_deletes_that_are_switched_off_are_announced(caplog: pytest.LogCaptureFixture) -> None:
    planned(configured("accounts", "soft_delete"))
    assert "Allow deletes (allow_deletes) is off" in caplog.text
