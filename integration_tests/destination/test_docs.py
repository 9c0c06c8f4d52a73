"""The destination's page says what the destination does: it is held against the table of objects and the code."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from destination_vitally.commands.spec import connection_specification
from integration_tests.destination.mirrored import complete, full, said
from integration_tests.harness import destination_config, record, stream, write
from integration_tests.sandbox import Sandbox
from shipping import facts, pages, sentences
from unit_tests.pages import ROOT, Page, code, fields_of, names, unknown_parts

PAGE = Page("destination-vitally*.md")
EXAMPLES = {example["stream"]: example for example in PAGE.examples("Mappings")}


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_what_the_code_makes_of_a_page_is_up_to_date(page: Path) -> None:
    assert pages.made(page.read_text()) == page.read_text(), f"docs/{page.name} is behind the code: make docs"


def test_a_marked_region_and_nothing_else_is_made() -> None:
    page = "# A\n<!-- {}: made by `make docs` -->\nold\n<!-- end -->\nB\n"
    made = pages.made(page.format("the deletes"))
    assert made.startswith("# A\n<!--")
    assert made.endswith("<!-- end -->\nB\n")
    assert "| `user` | permanently destroys the user |" in made
    assert "old" not in made
    with pytest.raises(KeyError):
        pages.made(page.format("the unknown"))


def test_a_table_of_facts_keeps_its_words_and_its_order_and_makes_the_rest() -> None:
    """Given a table whose facts are wrong, which lacks all streams but two, then the words of these two stay."""
    body = "| Stream | What it is |\n|---|---|\n| `users` | old | people |\n| `admins` | | your own |\n| `gone` | x |\n"
    [_, _, users, admins, new, *_] = lines = facts.streams(body).splitlines()
    assert users == "| `users` | full refresh, incremental | `id` | `updatedAt` | people |"
    assert admins == "| `admins` | full refresh | `id` | | your own |"
    assert new.endswith("| `accountUpdatedAt` | |"), "it says nothing yet"
    assert "`gone`" not in "".join(lines)


@pytest.mark.parametrize("page", ["destination-vitally*.md", "source-vitally*.md"])
def test_the_list_of_sentences_has_each_message_that_is_explained(page: str) -> None:
    listed = " ".join(Page("sentences.md").text.split())
    explained = Page(page).table("Troubleshooting")
    assert explained
    assert [part for row in explained for part in unknown_parts(row[0], listed)] == []


def test_a_sentence_is_a_text_of_three_words_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences, "ROOT", tmp_path)
    code = '''
        def said(x):
            """What nobody is told."""
            return ["one two", f"{x} rows were %s", "Say this " "at 5 %%.", "SELECT this FROM that"]
    '''
    (tmp_path / "a.py").write_text(dedent(code))
    (tmp_path / "b.yaml").write_text("a: {title: A title of it, order: not for people at all}")
    lines = [line for line in sentences.of(".").splitlines() if line and "```" not in line]
    assert lines == ["### a.py", "… rows were …", "Say this at 5 %.", "### b.yaml", "A title of it"]


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
