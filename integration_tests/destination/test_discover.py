"""Discover: what a data-activation connection can choose, and that each choice then works."""

from __future__ import annotations

import logging
from dataclasses import replace

import jsonschema
import pytest
from airbyte_protocol.models import AirbyteMessage

from destination_vitally import DestinationVitally
from destination_vitally.errors import ConfigError
from destination_vitally.mapping.plan import BY_SYNC_MODE
from destination_vitally.objects.table import INSTANCE, OBJECTS
from integration_tests.destination.cases import Case, check_after, filled, prepare
from integration_tests.destination.test_matrix import CASES
from integration_tests.harness import Json, QuickClock, destination_config, record, run_process, stream, write
from integration_tests.sandbox import Fault, Sandbox
from vitally_api.names import snake_case


def operations(settings: Json) -> list[Json]:
    """What discover answers, after the protocol's own model has looked at it."""
    message = DestinationVitally(QuickClock()).discover(settings)
    AirbyteMessage.model_validate(message)
    found: list[Json] = message["destination_catalog"]["operations"]
    return found


def schema(found: list[Json], name: str, sync_mode: str) -> Json:
    [operation] = [o for o in found if (o["object_name"], o["sync_mode"]) == (name, sync_mode)]
    return dict(operation["json_schema"])


def test_every_operation_of_the_table_is_offered_once(sandbox: Sandbox) -> None:
    found = operations(destination_config(sandbox))
    definitions = [row["name"] for row in sandbox.workspace.rows("customObjects")]
    objects = [entry for entry in OBJECTS if entry is not INSTANCE]
    objects += [replace(INSTANCE, name=f"custom_object/{name}") for name in definitions]
    offered = [(o["object_name"], BY_SYNC_MODE[o["sync_mode"]]) for o in found]
    assert sorted(offered) == sorted((entry.name, operation) for entry in objects for operation in entry.operations)
    for operation in found:
        form = operation["json_schema"]
        jsonschema.Draft7Validator.check_schema(form)
        assert {*form["required"], *(name for key in operation["matching_keys"] for name in key)} <= set(
            form["properties"]
        )
        assert bool(operation["matching_keys"]) == (operation["sync_mode"] != "append")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_each_operation_works_as_it_is_offered(case: Case) -> None:
    if case.outcome != "accepted":
        pytest.skip("what is skipped is no choice")
    with Sandbox(empty=True) as sandbox:
        prepare(sandbox)
        settings = destination_config(sandbox, allow_deletes=True)
        if case.transport == "rest":
            del settings["analytics_token"]
        elif not case.object.startswith("custom_object/"):
            del settings["secret_token"]
        row = filled(case.record, sandbox)
        for operation in operations(settings):
            if (operation["object_name"], BY_SYNC_MODE[operation["sync_mode"]]) == (case.object, case.operation):
                break
        else:
            raise AssertionError("it is not offered")
        form = operation["json_schema"]
        row = {_canonical(case, name): value for name, value in row.items()}
        known = {n: v for n, v in row.items() if n in form["properties"] or form["additionalProperties"]}
        keys = [key for key in operation["matching_keys"] if set(key) <= set(known)]
        assert keys or not operation["matching_keys"]
        assert set(form["required"]) <= set(known)
        activated = stream(
            "rows",
            operation["sync_mode"],
            destination_object_name=case.object,
            primary_key=[[name] for name in keys[0]] if keys else None,
        )

        result = write(settings, [activated], [record("rows", known)])

        assert result.error is None
        assert result.counts("rows")["accepted"] == 1, result.log
        if known == row:
            check_after(case, sandbox)


def test_every_field_is_shown_with_its_description(sandbox: Sandbox) -> None:
    found = operations(destination_config(sandbox))
    for entry in OBJECTS:
        name = entry.name.replace("*", "featureRequest")
        shown = [o["json_schema"] for o in found if o["object_name"] == name]
        for field in (field for field in entry.fields if not field.is_named):
            texts = [
                form["properties"][field.name]["description"] for form in shown if field.name in form["properties"]
            ]
            assert texts, f"{entry.name}.{field.name} is in no form: nobody can map a column to it"
            assert all(text.startswith(field.description) for text in texts)
        for operation in found:
            if operation["object_name"] == name and operation["sync_mode"] != "soft_delete":
                assert operation["json_schema"]["description"] == entry.description


@pytest.mark.parametrize(
    ("name", "sync_mode", "required", "choice"),
    [
        ("nps_response", "append", ["score", "respondedAt"], "userId or userEmail is required"),
        ("nps_response", "append_dedup", ["score", "respondedAt"], "userId or userEmail is required"),
        ("membership", "append_dedup", ["accountId"], "userId or userEmail is required"),
        ("membership", "soft_delete", ["accountId"], "userId or userEmail is required"),
        ("event", "append", ["event"], "userId or accountId or organizationId or userEmail is required"),
    ],
)
def test_a_user_may_be_given_by_email(
    sandbox: Sandbox, name: str, sync_mode: str, required: list[str], choice: str
) -> None:
    form = schema(operations(destination_config(sandbox)), name, sync_mode)
    assert form["required"] == required
    for field in ("userId", "userEmail"):
        assert choice in form["properties"][field]["description"]


def test_the_email_of_a_user_can_be_a_part_of_the_matching_key(sandbox: Sandbox) -> None:
    settings = destination_config(sandbox)
    keys = {o["object_name"]: o["matching_keys"] for o in operations(settings) if o["sync_mode"] == "append_dedup"}
    assert keys["membership"] == [["userId", "accountId"], ["userEmail", "accountId"]]
    del settings["secret_token"]
    [without] = [
        o for o in operations(settings) if o["object_name"] == "membership" and o["sync_mode"] != "soft_delete"
    ]
    assert without["matching_keys"] == [["userId", "accountId"]]
    assert without["json_schema"]["required"] == ["userId", "accountId"], "nothing looks an email up"
    assert "userEmail" not in without["json_schema"]["properties"]


def _canonical(case: Case, column: str) -> str:
    """A column under the name that the form has for it; records of the matrix use other spellings as well."""
    entry = next(o for o in OBJECTS if case.object in (o.name, o.name.replace("*", "featureRequest")))
    return next((f.name for f in entry.fields if column in (f.name, snake_case(f.name), *f.aliases)), column)


def test_traits_are_offered_by_their_path_and_type(sandbox: Sandbox) -> None:
    found = operations(destination_config(sandbox))
    account = schema(found, "account", "append_dedup")["properties"]
    assert account["vitally.custom.renewalRisk"]["type"] == "number"
    assert account["vitally.custom.isReference"]["type"] == "boolean"
    assert account["vitally.custom.contractDate"]["format"] == "date-time"
    assert account["vitally.custom.moonPhase"]["type"] == "string"
    for operation in found:
        without = [name for name, of in operation["json_schema"]["properties"].items() if "type" not in of]
        assert without == [], operation["object_name"]
    assert "vitally.custom.stage" in schema(found, "custom_object/featureRequest", "append")["properties"]
    is_open = {name: schema(found, name, "append")["additionalProperties"] for name in ("account", "event", "note")}
    assert is_open == {"account": True, "event": True, "note": False}
    assert not schema(found, "account", "soft_delete")["additionalProperties"]


def test_the_cost_is_a_request_per_list_of_custom_fields(sandbox: Sandbox) -> None:
    operations(destination_config(sandbox))
    paths = [request.path for request in sandbox.journal]
    assert all(request.method == "GET" for request in sandbox.journal)
    assert len(paths) == 2 + 7 + len(sandbox.workspace.rows("customObjects"))


def test_without_a_rest_key_what_needs_none_is_offered(sandbox: Sandbox) -> None:
    settings = destination_config(sandbox)
    del settings["secret_token"]
    offered = {(o["object_name"], o["sync_mode"]) for o in operations(settings)}
    assert offered == {
        ("organization", "append_dedup"), ("account", "append_dedup"), ("user", "append_dedup"),
        ("membership", "append_dedup"), ("membership", "soft_delete"), ("event", "append"),
    }  # fmt: skip
    assert len(sandbox.journal) == 0


@pytest.mark.parametrize("status", [403, 404, 500])
def test_what_cannot_be_read_costs_only_itself(sandbox: Sandbox, status: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="airbyte")
    whole = {o["object_name"] for o in operations(destination_config(sandbox))}
    sandbox.faults.add(Fault(path="/customFields", kind="status", status=status, times=None))
    found = operations(destination_config(sandbox))
    assert {o["object_name"] for o in found} == whole
    assert "vitally.custom.tier" not in schema(found, "account", "append_dedup")["properties"]
    assert schema(found, "note", "append")["additionalProperties"], "traits that are not known can still be mapped"
    assert "The traits of account are not listed" in caplog.text

    sandbox.faults.clear()
    sandbox.faults.add(Fault(path="/customObjects", kind="status", status=status, times=None))
    found = operations(destination_config(sandbox))
    assert {o["object_name"] for o in found} == {n for n in whole if not n.startswith("custom_object/")}
    assert "vitally.custom.tier" in schema(found, "account", "append_dedup")["properties"]
    assert status == 404 or "The custom objects are missing" in caplog.text


def test_a_wrong_key_is_an_error(sandbox: Sandbox) -> None:
    with pytest.raises(ConfigError, match=r"Check REST API key \(secret_token\)"):
        operations(destination_config(sandbox, secret_token="sk_live_wrong"))


def test_definitions_of_one_name_are_told_apart_by_their_ids(sandbox: Sandbox) -> None:
    namesake = sandbox.workspace.insert("customObjects", {"name": "featureRequest", "label": "Twin"})
    offered = {o["object_name"] for o in operations(destination_config(sandbox))}
    assert f"custom_object/{namesake['id']}" in offered
    assert "custom_object/featureRequest" not in offered


def test_as_a_process(sandbox: Sandbox) -> None:
    run = run_process("destination-vitally", "discover", config=destination_config(sandbox))
    assert run.exit_code == 0
    assert [message["type"] for message in run.messages if message["type"] != "LOG"] == ["DESTINATION_CATALOG"]
