"""Check: each key, each mapping, each custom object is proved, and what is wrong is said with the remedy."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from destination_vitally import DestinationVitally
from destination_vitally.errors import ConfigError
from integration_tests.harness import QuickClock, destination_config, record, stream, write, write_chunks
from integration_tests.sandbox import Fault, Sandbox

LOGGER = logging.getLogger("airbyte")
REST, ANALYTICS = "sk_live_example_not_real", "analytics_example_not_real"


def checked(settings: dict[str, Any]) -> tuple[str, str]:
    status = DestinationVitally(QuickClock()).check(LOGGER, settings)
    return status.status.value, status.message or ""


@pytest.mark.parametrize("missing", [None, "secret_token", "analytics_token"])
def test_good_keys_and_mappings(sandbox: Sandbox, missing: str | None) -> None:
    mappings = [{"stream": "dim", "object": "account", "fields": [{"field": "externalId", "column": "id"}]}]
    if missing != "secret_token":
        mappings.append({"stream": "fr", "object": "custom_object/featureRequest", "other_columns": "traits"})
    settings = destination_config(sandbox, mappings=mappings)
    settings.pop(missing or "", None)
    assert checked(settings) == ("SUCCEEDED", "")
    assert not any(sandbox.workspace.rows(name) for name in ("accounts", "users", "organizations"))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"secret_token": "sk_live_wrong"}, "Check REST API key (secret_token)"),
        ({"analytics_token": "wrong_one"}, "Check Analytics API key (analytics_token)"),
        (
            {"secret_token": "Basic YWJjZGU6"},
            "REST API key (secret_token) is shorter than 6 letters: copy the whole key",
        ),
        (
            {"analytics_token": "wrong"},
            "Analytics API key (analytics_token) is shorter than 6 letters: copy the whole key",
        ),
        ({"secret_token": None, "analytics_token": None}, "enter REST API key (secret_token)"),
        (
            {"secret_token": ANALYTICS, "analytics_token": REST},
            "The keys are swapped: what is in REST API key (secret_token) belongs",
        ),
        ({"secret_token": REST, "analytics_token": REST}, "hold the same key, that of the REST API"),
        ({"secret_token": ANALYTICS, "analytics_token": ANALYTICS}, "hold the same key, that of the Analytics API"),
        (
            {"secret_token": ANALYTICS, "analytics_token": None},
            "holds that of the Analytics API: enter it in Analytics API key",
        ),
        (
            {"secret_token": None, "analytics_token": REST},
            "holds that of the REST API: enter it in REST API key (secret_token)",
        ),
        (
            {"secret_token": "sk_live_wrong", "analytics_token": REST},
            "holds that of the REST API: enter it in REST API key (secr",
        ),
        ({"mappings": [{"stream": "s", "object": "acount", "other_columns": "traits"}]}, "there is no object 'acount'"),
        (
            {"mappings": [{"stream": "s", "object": "event", "operation": "delete", "other_columns": "traits"}]},
            "event has no delete",
        ),
        (
            {"mappings": [{"stream": "s", "object": "account", "traits": [{"trait": "TIER", "column": "c"}]}]},
            "Write vitally.custom.tier to mean that, or traits.TIER to mean a trait of its own",
        ),
        (
            {"mappings": [{"stream": "s", "object": "custom_object/wish", "other_columns": "traits"}]},
            "There is no custom object 'wish' in Vitally. Custom objects: ",
        ),
        (
            {"mappings": [{"stream": "s", "object": "Custom object", "other_columns": "traits"}]},
            "Say which: custom_object/<name>. Custom objects: ",
        ),
        (
            {"mappings": [{"stream": "s", "object": "custom_object/Deal room", "other_columns": "traits"}]},
            "Several custom objects could be meant by 'Deal room'",
        ),
        (
            {
                "secret_token": None,
                "mappings": [{"stream": "s", "object": "custom_object/wish", "other_columns": "traits"}],
            },
            "To find custom object 'wish', the REST API key (secret_token) is needed",
        ),
        (
            {"analytics_token": None, "mappings": [{"stream": "s", "object": "event", "other_columns": "traits"}]},
            "the Analytics API key (analytics_token) is needed",
        ),
    ],
)
def test_each_mistake_is_named(sandbox: Sandbox, changes: dict[str, Any], problem: str) -> None:
    status, text = checked(destination_config(sandbox, **changes))
    assert status == "FAILED"
    assert problem in text
    assert "sk_live" not in text


def test_an_address_where_nobody_answers(sandbox: Sandbox) -> None:
    place = {"region": "custom", "rest_url": "http://127.0.0.1:9", "analytics_url": "http://127.0.0.1:9"}
    status, text = checked(destination_config(sandbox, data_center=place))
    assert status == "FAILED"
    assert "no answer from 127.0.0.1:9 (NewConnectionError); check Data center (data_center)" in text


@pytest.mark.parametrize("path", ["users", "batch"])
def test_an_address_where_somebody_else_answers(sandbox: Sandbox, path: str) -> None:
    sandbox.faults.add(Fault(path=path, kind="status", status=404, times=None))
    status, text = checked(destination_config(sandbox))
    assert (status, "Check Data center (data_center)" in text) == ("FAILED", True)


def test_a_custom_object_can_be_named_by_its_id_without_a_rest_key(sandbox: Sandbox) -> None:
    identifier = next(r["id"] for r in sandbox.workspace.rows("customObjects") if r["name"] == "featureRequest")
    sandbox.workspace.insert("accounts", {"externalId": "a"})
    settings = destination_config(sandbox)
    del settings["secret_token"]
    row = {"externalId": "i", "name": "I", "accountId": "a"}

    result = write(settings, [stream(f"custom_object/{identifier}")], [record(f"custom_object/{identifier}", row)])

    assert result.error is None
    assert [r["customObjectId"] for r in sandbox.workspace.rows("instances")] == [identifier]


def test_a_mistake_ends_a_sync_before_its_input_is_read(sandbox: Sandbox) -> None:
    def unread() -> Any:
        raise AssertionError("the input was read")
        yield

    with pytest.raises(ConfigError, match="dim_accounts"):
        list(write_chunks(destination_config(sandbox), [stream("dim_accounts")], unread()))
