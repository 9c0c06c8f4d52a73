"""Adding an object, a field or a key as CONTRIBUTING describes it: each step that is forgotten is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from destination_vitally.objects.model import Field, Object
from destination_vitally.objects.table import BY_NAME, OBJECTS
from integration_tests.destination import test_docs, test_matrix, test_table, world
from integration_tests.sandbox import Sandbox
from integration_tests.sandbox.resources import RESOURCES
from shipping import pages
from unit_tests.pages import ROOT

ACCOUNT = BY_NAME["account"]
PLAYBOOK = replace(ACCOUNT, name="playbook", path="/playbooks", streams=("playbooks",))


@pytest.mark.parametrize(
    ("module", "check", "file"),
    [
        (test_matrix, "test_the_families_hold_every_operation_of_the_table", "integration_tests/destination/objects/"),
        (
            test_matrix,
            "test_the_families_try_every_way_to_write_every_object",
            "integration_tests/destination/objects/",
        ),
    ],
)
def test_a_step_of_a_new_object_is_named(module: Any, check: str, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OBJECTS", (*OBJECTS, PLAYBOOK))
    with pytest.raises(AssertionError, match=file):
        getattr(module, check)()


def test_pages_that_are_behind_the_table_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "OBJECTS", (*OBJECTS, PLAYBOOK))
    with pytest.raises(AssertionError, match=r"all-fields.md is behind the code: make docs"):
        test_docs.test_what_the_code_makes_of_a_page_is_up_to_date(ROOT / "docs" / "destination-vitally-all-fields.md")


def test_an_object_that_the_sandbox_does_not_know_is_named() -> None:
    with pytest.raises(AssertionError, match=r"/playbooks.*integration_tests/sandbox/resources/"):
        test_table.test_an_object_is_known_to_the_sandbox(PLAYBOOK)


def test_a_resource_that_the_table_does_not_have_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    playbooks = replace(RESOURCES["accounts"], name="playbooks")
    monkeypatch.setattr(test_table, "RESOURCES", {**RESOURCES, "playbooks": playbooks})
    with pytest.raises(AssertionError, match=r"playbooks.*destination_vitally/objects/"):
        test_table.test_every_resource_that_can_be_written_has_an_object()


def test_a_row_that_is_missing_is_named(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "prepare", lambda _: None)
    with pytest.raises(AssertionError, match=r"notes in prepare\(\) of integration_tests/destination/cases.py"):
        world.World(sandbox, BY_NAME["note"], True, {})


@pytest.mark.parametrize(
    ("entry", "check", "sentence"),
    [
        (
            replace(ACCOUNT, fields=(*ACCOUNT.fields, Field("motto", description="What they say"))),
            lambda entry: test_table.test_what_rest_takes_is_in_the_table(entry, "create"),
            "account.motto is in the table of objects, but .*integration_tests/sandbox/resources/",
        ),
        (
            replace(ACCOUNT, fields=tuple(f for f in ACCOUNT.fields if f.name != "organizationId")),
            lambda entry: test_table.test_what_rest_takes_is_in_the_table(entry, "create"),
            "Vitally takes organizationId .*destination_vitally/objects/",
        ),
        (
            replace(BY_NAME["project"], keys=BY_NAME["account"].keys),
            test_table.test_rows_are_found_by_the_keys_that_rest_takes,
            "project is matched by an externalId in the path.*integration_tests/sandbox/resources/",
        ),
    ],
)
def test_a_step_of_a_new_field_or_key_is_named(entry: Object, check: Callable[[Object], None], sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check(entry)


@pytest.mark.parametrize(("heading", "steps"), [("object", 5), ("field", 2), ("matching key", 3)])
def test_contributing_lists_the_files(heading: str, steps: int) -> None:
    section = (ROOT / "CONTRIBUTING.md").read_text().split(f"\n## A new {heading}\n")[1].split("\n## ")[0]
    assert len(re.findall(r"^\d\. ", section, re.MULTILINE)) == steps
    for path in re.findall(r"`([a-z_]+/[\w/.-]*)`", section):
        assert (ROOT / path).exists(), f"CONTRIBUTING names {path}, which is not there"
