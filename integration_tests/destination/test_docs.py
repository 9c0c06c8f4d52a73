"""The destination's page says what the destination does: it is held against the table of objects and the code."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from destination_vitally.commands.spec import connection_specification
from destination_vitally.objects.model import OPERATIONS, UNSET, BatchRoute, Lookup, Object, Operation
from destination_vitally.objects.table import OBJECTS
from integration_tests.destination.mirrored import complete, full, said
from integration_tests.harness import destination_config, record, stream, write
from integration_tests.pages import Page, code, fields_of, names, unknown_parts
from integration_tests.sandbox import Sandbox

PAGE = Page("destination-vitally*.md")
EXAMPLES = {example["stream"]: example for example in PAGE.examples("Mappings")}


def transports(entry: Object, operation: Operation) -> str:
    kinds = ["Analytics" if isinstance(route, BatchRoute) else "REST" for route in entry.operations.get(operation, ())]
    return ", else ".join(dict.fromkeys(kinds)) or "\N{EN DASH}"


def test_the_table_of_objects_is_the_catalog() -> None:
    documented = {names(row[0])[0].replace("<name>", "*"): row[1:] for row in PAGE.table("Objects")}
    assert list(documented) == [entry.name for entry in OBJECTS], (
        "Give each object its row in docs/destination-vitally-fields.md, Objects, in the order of the table of objects."
    )
    for entry in OBJECTS:
        *operations, keys = documented[entry.name]
        assert operations == [transports(entry, operation) for operation in OPERATIONS], (
            f"Correct how {entry.name} is written in docs/destination-vitally-fields.md, Objects."
        )
        matched = [tuple(names(key)) for key in keys.split(";")] if names(keys) else []
        assert matched == [key.fields for key in entry.keys], (
            f"Correct what {entry.name} is matched by in docs/destination-vitally-fields.md, Objects."
        )


def test_the_table_of_fields_that_leave_a_batch_is_the_catalog() -> None:
    section = PAGE.section("Objects").split("### Fields that leave a batch", 1)[1]
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| ([^|]+) \|$", section, re.MULTILINE)
    documented = {(name.replace("<name>", "*"), field): text for name, field, text in rows}
    batched = [o for o in OBJECTS if any(isinstance(route, BatchRoute) for route in o.operations.get("upsert", ()))]
    fields = {(o.name, f.name): f for o in batched for f in o.fields if f.in_body and not f.analytics}
    assert set(documented) == set(fields), (
        "Correct the table in docs/destination-vitally-fields.md, Fields that leave a batch."
    )
    for key, field in fields.items():
        initial = "never" if field.initial is UNSET else f"`{json.dumps(field.initial)}`"
        assert initial in documented[key], f"{key}: what stays in the batch"


def test_the_table_of_deletes_is_the_catalog() -> None:
    documented = [(names(row[0])[0].replace("<name>", "*"), row[1]) for row in PAGE.table("Deletes")]
    deletes = [(entry.name, entry.on_delete) for entry in OBJECTS if "delete" in entry.operations]
    assert documented == deletes, "Give each object its row in docs/destination-vitally-deletes.md, Deletes."


def test_the_table_of_creates_is_the_catalog() -> None:
    section = PAGE.section("Objects").split("### Create means insert", 1)[1].split("\n### ", 1)[0]
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|$", section, re.MULTILINE)
    documented = {name.replace("<name>", "*"): how for objects, how in rows for name in names(objects)}
    expected = {entry.name: second_create(entry) for entry in OBJECTS if "create" in entry.operations}
    wrong = {name for name, how in expected.items() if not documented.get(name, "").startswith(how)}
    assert not wrong | (documented.keys() - expected.keys()), (
        f"Correct how rows are looked up in docs/destination-vitally-fields.md, Create means insert: {wrong}"
    )


def second_create(entry: Object) -> str:
    """Return what the page says of creates, which is what makes of a second one."""
    if entry.counts_once:
        return "not at all: Vitally counts"
    looks_up = entry.field("externalId") and entry.can_look_up()
    return ("by", "below")[entry.can_look_up(Lookup.IN_PARENT)] if looks_up else "not at all: they have no `externalId`"


def test_the_table_of_fields_is_the_spec() -> None:
    table = PAGE.table("Set up in the Airbyte UI")
    found = [[title, *names(key), default.strip("`")] for title, key, default, _ in table]
    assert found == fields_of(connection_specification())


@pytest.mark.parametrize("message", [row[0] for row in PAGE.table("Troubleshooting")])
def test_each_message_in_troubleshooting_is_one_the_destination_has(message: str) -> None:
    assert unknown_parts(message, code("destination_vitally") + code("vitally_api")) == []


@pytest.mark.parametrize(
    ("name", "row", "check"),
    [
        (
            "dim_customers",
            {"customer_id": 7, "company": "Acme", "group_id": "g", "plan_name": "team", "seats": 4, "_loaded_at": "x"},
            lambda workspace: (
                [row["name"] for row in workspace.rows("accounts")] == ["Acme"]
                and workspace.rows("accounts")[0]["traits"] == {"plan": "team", "seats": 4}
            ),
        ),
        (
            "orders",
            {
                "order_id": 1,
                "customer_user_id": "u",
                "ordered_at": "2026-01-02 03:04:05",
                "total": 9,
                "currency": "EUR",
            },
            lambda workspace: (
                [(e["event"], e["properties"]) for e in workspace.events]
                == [("order placed", {"total": 9, "currency": "EUR"})]
            ),
        ),
        (
            "requests",
            {"id": 5, "title": "Dark mode", "customer_id": "c", "stage": "Planned", "votes": 12},
            lambda workspace: (
                [(i["name"], i["externalId"], i["traits"]) for i in workspace.rows("instances")]
                == [("Dark mode", "5", {"vitally.custom.stage": "Planned", "vitally.custom.dealValue": 12})]
            ),
        ),
    ],
)
def test_the_worked_examples_do_what_is_said(make_sandbox: Any, name: str, row: dict[str, Any], check: Any) -> None:
    sandbox = make_sandbox(empty=True)
    sandbox.workspace.insert("organizations", {"externalId": "g"})
    if name != "dim_customers":
        sandbox.workspace.insert("accounts", {"externalId": "c"})
        sandbox.workspace.insert("users", {"externalId": "u"})
    settings = destination_config(sandbox, mappings=[EXAMPLES[name]])
    for _ in range(2):
        result = write(settings, [stream(name)], [record(name, row)])
        assert result.error is None
    assert check(sandbox.workspace)


@pytest.mark.parametrize(("rows", "left"), [(97, 97), (94, 100)])
def test_the_worked_example_of_missing_rows_does_what_is_said(sandbox: Sandbox, rows: int, left: int) -> None:
    [example] = PAGE.examples("Missing rows")
    account = sandbox.workspace.insert("accounts", {"externalId": "c"})["id"]
    for number in range(100):
        sandbox.workspace.insert("tasks", {"externalId": f"t{number}", "name": "Call", "accountId": account})
    sandbox.clock.advance(25 * 3600)
    name = example["stream"]
    table = [record(name, {"task_id": f"t{number}", "title": "Call", "customer_id": "c"}) for number in range(rows)]

    settings = destination_config(sandbox, mappings=[example], allow_deletes=True)
    result = write(settings, [full(name)], [*table, complete(name)])

    assert sum(not task["archivedAt"] for task in sandbox.workspace.rows("tasks")) == left
    assert (result.error is None) == (rows == left)
    assert said(result) in PAGE.section("Missing rows")


def test_the_storage_example_fits_the_form() -> None:
    [example] = PAGE.examples("Rejected records")
    s3 = connection_specification()["properties"]["object_storage_config"]["oneOf"][1]
    assert set(s3["required"]) <= set(example) <= set(s3["properties"])
