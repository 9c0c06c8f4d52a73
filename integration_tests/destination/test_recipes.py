"""The recipes of the page, typed as a person would: Airbyte's form saves them, and the first sync lands every row."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import jsonschema
import pytest

from destination_vitally import DestinationVitally
from integration_tests.destination.one_row import START, slow_workspace
from integration_tests.form import rules
from integration_tests.harness import Json, QuickClock, destination_config, record, stream, write
from integration_tests.sandbox import Sandbox
from unit_tests.pages import Page

PAGE = Page("destination-vitally-recipes.md")
SPEC = DestinationVitally().spec(logging.getLogger("airbyte")).connectionSpecification
MODES = {"Incremental | Append": "append", "Incremental | Append + Deduped": "append_dedup"}
FIELDS = {
    "Customers": (("Annual revenue", "annualRevenue", "number"), ("Renewal date", "renewalDate", "date")),
    "Product usage": (),
    "HubSpot deals": (
        ("Amount", "amount", "number"),
        ("Stage", "stage", "string"),
        ("Close date", "closeDate", "datetime"),
    ),
}
"""The custom fields that an admin has made, as each recipe says: label, path, type."""


@pytest.fixture
def vitally() -> Iterator[Sandbox]:
    with slow_workspace() as served:
        yield served


def tables(title: str) -> list[tuple[list[str], list[list[Any]]]]:
    """The tables of a recipe: the names of their columns, and the rows."""
    found = []
    for text in re.findall(r"(?:^\|.*\n)+", PAGE.section(title), re.MULTILINE):
        head, _, *rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines()]
        found.append((head, [[value(cell) for cell in row + [""] * (len(head) - len(row))] for row in rows]))
    return found


def value(cell: str) -> Any:
    with suppress(ValueError):
        return json.loads(cell.strip("`"))
    return cell or None


def in_warehouse(cell: Any, number: Callable[[Any], Any]) -> Any:
    """A value as a source reads it out of a warehouse: what is no scalar is a text."""
    if isinstance(cell, (list, dict)):
        return json.dumps(cell)
    return number(cell) if type(cell) is int else cell


def prepare(sandbox: Sandbox, title: str) -> None:
    """Make what a recipe says that Vitally has before it."""
    definition = ""
    if title == "HubSpot deals":
        definition = sandbox.workspace.insert("customObjects", {"name": "deal", "label": "Deal"})["id"]
        for key in ("10001", "10002", "10003"):
            sandbox.workspace.insert("accounts", {"externalId": key, "name": key})
    for label, path, kind in FIELDS[title]:
        where = {"model": "customObjects", "customObjectId": definition} if definition else {"model": "accounts"}
        named = {"label": label, "path": f"vitally.custom.{path}", "type": kind}
        sandbox.workspace.insert("customFields", {**where, **named})


def shown(sandbox: Sandbox, title: str) -> Iterator[list[Json]]:
    """What Vitally has, table by table, each row flat."""
    workspace = sandbox.workspace
    for rows in [workspace.rows("instances" if title == "HubSpot deals" else "accounts"), workspace.events]:
        yield [{**row, **(row.get("traits") or row.get("properties") or {})} for row in rows]


def test_stream_and_object_are_enough_where_columns_are_named_like_fields(vitally: Sandbox) -> None:
    """Given two tables, one of them without an id, then the one lands, and of the other it is said before."""
    config = rules.typed(SPEC, {**destination_config(vitally), "mappings": [{"stream": "DIM", "object": "account"}]})
    row = {"EXTERNAL_ID": 7, "NAME": "Acme", "PLAN": "team"}
    run = write(config, [stream("DIM")], [record("DIM", row)], clock=QuickClock(START, passes=vitally.clock.advance))
    assert run.error is None
    vitally.clock.advance(3600)
    assert [(a["externalId"], a["name"], a["traits"]) for a in vitally.workspace.rows("accounts")] == [
        ("7", "Acme", {"PLAN": "team"})
    ]
    misfit = stream("DIM")
    misfit["stream"]["json_schema"] = {"properties": {"CUSTOMER": {"type": "string"}}}
    refused = write(config, [misfit], [])
    assert "stream 'DIM': no column gives externalId" in str(refused.error), refused.error


@pytest.mark.parametrize("number", [int, float])
@pytest.mark.parametrize("title", FIELDS)
def test_a_recipe_typed_into_the_form_lands_every_row(vitally: Sandbox, title: str, number: Any) -> None:
    prepare(vitally, title)
    [mappings] = PAGE.examples(title)
    (columns, cells), *expected = tables(title)
    answers = {**destination_config(vitally), "mappings": mappings}
    del answers["verify"], answers["requests_per_minute"]
    name = mappings[0]["stream"]
    [mode] = re.findall(r"In Airbyte: \*([^*]+)\*", PAGE.section(title))
    rows = [dict(zip(columns, [in_warehouse(cell, number) for cell in row], strict=True)) for row in cells]

    config = rules.typed(SPEC, answers)
    assert config["mappings"] == mappings, "the form saves what the page shows"
    jsonschema.validate(config, SPEC)
    clock = QuickClock(START, passes=vitally.clock.advance)
    checked = DestinationVitally(clock).check(logging.getLogger("airbyte"), config)
    assert checked.status.value == "SUCCEEDED", checked.message
    run = write(config, [stream(name, MODES[mode])], [record(name, row) for row in rows], clock=clock)

    assert (run.error, run.logs("WARN")) == (None, [])
    assert [run.counts(of)["accepted"] for of in run.summary] == [len(rows)] * len(mappings)
    for (names, wanted), found in zip(expected, shown(vitally, title), strict=False):
        texts = {"externalId", "accountId"}
        lines = [[str(cell) if key in texts else cell for key, cell in zip(names, row, strict=True)] for row in wanted]
        assert sorted([row.get(key) for key in names] for row in found) == lines
