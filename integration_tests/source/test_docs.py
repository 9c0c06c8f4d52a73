"""The source's documentation says what the source does: its tables are held against discover, spec and the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from integration_tests.platform import Json, run_source, source_config

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "source-vitally.md").read_text()
ANY_NAME = re.compile("<.+>")


def table(heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading, without its title row and markup."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = section[section.index("\n|") + 1 :].split("\n\n", 1)[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names(cell: str) -> list[str]:
    return re.findall("`([^`]+)`", cell)


def test_the_table_of_streams_is_what_discover_finds(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=1)
    catalog = run_source("discover", source_config(sandbox.url, sandbox.rest_key)).catalog
    documented = {names(row[0])[0]: row for row in table("Supported streams")}
    assert len(documented) == len(table("Supported streams"))
    used = set()
    for stream in catalog["streams"]:
        row = row_of(stream["name"], documented)
        used.add(row)
        _, modes, key, cursor, _ = documented[row]
        assert modes.replace(" r", "_r").split(", ") == stream["supported_sync_modes"], row
        assert [[name] for name in names(key)] == stream["source_defined_primary_key"], row
        assert names(cursor) == stream.get("default_cursor_field", []), row
    assert used == set(documented)


def row_of(stream: str, documented: dict[str, Any]) -> str:
    """Return the row of a stream: the one of its name, or the one whose `<name>` stands for a part of it."""
    if stream in documented:
        return stream
    [row] = [row for row in documented if "<" in row and re.fullmatch(ANY_NAME.sub(".+", row), stream)] or [stream]
    assert row in documented, f"{stream} is not documented"
    return row


def test_the_table_of_fields_is_the_spec() -> None:
    [message] = run_source("spec").of_type("SPEC")
    spec: Json = message["spec"]["connectionSpecification"]
    fields = sorted(spec["properties"].items(), key=lambda field: field[1]["order"])
    expected = []
    for name, field in fields:
        default = str(field["default"]).replace("True", "true") if "default" in field else "none"
        expected.append([field["title"], name, "required" if name in spec["required"] else default])
    found = [[title, *names(key), default.strip("`")] for title, key, default, _ in table("Set up in the Airbyte UI")]
    assert found == expected


def code() -> str:
    """Return the manifest and the source's code as one text, with strings that go on in the next line joined."""
    files = [*(ROOT / "source_vitally").glob("*.py"), ROOT / "source_vitally" / "manifest.yaml"]
    text = "\n".join(path.read_text() for path in files)
    text = re.sub(r'"\s*\n\s*f?"', "", text)
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("message", [row[0] for row in table("Troubleshooting")])
def test_each_message_in_troubleshooting_is_one_the_source_has(message: str) -> None:
    for part in re.split(r"…| / ", message):
        assert part.strip(" ,.'") in code(), part


def test_each_behaviour_ends_with_why_it_matters() -> None:
    entries = (ROOT / "docs" / "BEHAVIOR.md").read_text().split("\n## ")[1:]
    assert [int(entry.split(".")[0]) for entry in entries] == list(range(1, len(entries) + 1))
    for entry in entries:
        assert entry.strip().split("\n\n")[-1].startswith("**Why it matters:**"), entry.splitlines()[0]


@pytest.mark.parametrize("page", ["docs/source-vitally.md", "docs/BEHAVIOR.md", "README.md", "CONTRIBUTING.md"])
def test_links_to_files_of_this_repository_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text()):
        assert (ROOT / page).parent.joinpath(target).exists(), target
    for path in re.findall(
        r"`((?:source_vitally|unit_tests|integration_tests)/[\w/]+\.\w+)`", (ROOT / page).read_text()
    ):
        assert (ROOT / path).exists(), path
