"""The source's documentation says what the source does: its tables are held against discover, spec and the code."""

from __future__ import annotations

import re
from typing import Any

import pytest

from integration_tests.harness import run_source, source_config
from unit_tests.pages import ROOT, Page, code, fields_of, names, unknown_parts
from vitally_api.regions import REGIONS, Region

PAGE = Page("source-vitally*.md")
ANY_NAME = re.compile("<.+>")


def test_the_table_of_streams_is_what_discover_finds(make_sandbox: Any) -> None:
    sandbox = make_sandbox(seed=1)
    catalog = run_source("discover", source_config(sandbox.url, sandbox.rest_key)).catalog
    documented = {names(row[0])[0]: row for row in PAGE.table("Supported Streams")}
    assert len(documented) == len(PAGE.table("Supported Streams"))
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
    table = PAGE.table("Setup guide")
    found = [[title, *names(key), default.strip("`")] for title, key, default, _ in table]
    assert found == fields_of(message["spec"]["connectionSpecification"])


@pytest.mark.parametrize("region", REGIONS.values(), ids=lambda region: region.name)
def test_the_page_says_how_to_choose_each_region(region: Region) -> None:
    section = PAGE.section("Setup guide")
    assert f"**{region.title}**" in section, f"step 2 of the set-up does not name {region.title}"
    assert f'{{"region": "{region.name}"' in section, f"the row of `data_center` does not show the region {region.name}"
    assert region.domain in section, f"step 2 of the set-up does not say that addresses end in {region.domain}"


@pytest.mark.parametrize("message", [row[0] for row in PAGE.table("Troubleshooting")])
def test_each_message_in_troubleshooting_is_one_the_source_has(message: str) -> None:
    assert unknown_parts(message, code("source_vitally") + code("vitally_api")) == []


def test_each_behaviour_ends_with_why_it_matters() -> None:
    entries = (ROOT / "docs" / "BEHAVIOR.md").read_text().split("\n## ")[1:]
    assert [int(entry.split(".")[0]) for entry in entries] == list(range(1, len(entries) + 1))
    for entry in entries:
        assert entry.strip().split("\n\n")[-1].startswith("**Why it matters:**"), entry.splitlines()[0]


@pytest.mark.parametrize(
    "page", [*sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")), "README.md", "CONTRIBUTING.md"]
)
def test_links_to_files_of_this_repository_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text()):
        assert (ROOT / page).parent.joinpath(target).exists(), target
    for path in re.findall(
        r"`((?:vitally_api|source_vitally|destination_vitally|unit_tests|integration_tests)/[\w/]+\.\w+)`",
        (ROOT / page).read_text(),
    ):
        assert (ROOT / path).exists(), path
