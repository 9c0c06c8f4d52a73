"""docs/operations.md and docs/platforms.md are held against the metadata and run as they stand."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration_tests.harness import destination_config, stream
from integration_tests.sandbox import Sandbox
from shipping.names import METADATA, ROOT, image_name
from unit_tests.pages import Page, names
from vitally_api.network import CA_VARIABLES

OPERATIONS, PLATFORMS = Page("operations.md"), Page("platforms.md")


def hosts(connector: str) -> list[str]:
    metadata = yaml.safe_load((ROOT / METADATA[connector]).read_text())
    return [host for host in metadata["data"]["allowedHosts"]["hosts"] if not host.startswith("${")]


def test_the_hosts_to_open_are_those_that_airbyte_is_told() -> None:
    documented: dict[str, set[str]] = {connector: set() for connector in METADATA}
    for cell, who, _ in OPERATIONS.table("Hosts to open"):
        for host in names(cell):
            for connector in METADATA:
                if who in ("both", connector.split("-")[0]):
                    documented[connector].add(re.sub("<.*?>", "x", host))
    for connector, found in documented.items():
        allowed = hosts(connector)
        assert {host for host in found if not any(fnmatch(host, pattern) for pattern in allowed)} == set()
        unsaid = {pattern for pattern in allowed if not any(fnmatch(host, pattern) for host in found)}
        assert unsaid <= {"*.amazonaws.com.cn"}, "the same addresses in China"


def test_rejected_rows_are_replayed_as_is_said(sandbox: Sandbox, tmp_path: Path) -> None:
    [script] = re.findall(r"```bash\n(.+?)```", OPERATIONS.section("Replaying rejected rows"), re.DOTALL)
    record = {"stream": "accounts", "data": {"externalId": "replayed", "name": "Replayed"}, "emitted_at": 1}
    (tmp_path / "rejected").mkdir()
    line = json.dumps({"record": record, "reason": "no such parent"}) + "\n"
    (tmp_path / "rejected/1.jsonl.gz").write_bytes(gzip.compress(line.encode()))
    (tmp_path / "config.json").write_text(json.dumps(destination_config(sandbox)))
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": [stream("accounts")]}))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Counter({'no such parent': 1})")
    assert "Replayed" in {row["name"] for row in sandbox.workspace.rows("accounts")}


@pytest.mark.parametrize("page", [OPERATIONS, PLATFORMS], ids=["operations", "platforms"])
def test_images_are_named_with_their_versions(page: Page) -> None:
    versions = dict(image_name(connector).rsplit("/", 1)[1].split(":") for connector in METADATA)
    found = re.findall(r"/((?:source|destination)-vitally):([\d.]+\d)", page.text)
    assert found
    assert {name: version for name, version in found} == {name: versions[name] for name, _ in found}


def test_the_states_that_are_explained_are_those_of_the_source() -> None:
    states: list[Any] = [names(row[0]) for row in OPERATIONS.table("Reading a state")]
    assert [cell[0].split(":")[0] for cell in states if cell] == [
        '{"updatedAt"',
        '{"states"',
        '{"__ab_no_cursor_state_message"',
    ]


def test_every_platform_has_its_section_and_says_what_was_run() -> None:
    sections = {line.removeprefix("## ") for line in PLATFORMS.text.splitlines() if line.startswith("## ")}
    rows = [line for line in PLATFORMS.text.splitlines() if line.startswith("| ") and "](#" in line]
    assert len(rows) == 8
    anchors = {re.sub(r"[^\w -]", "", section).lower().replace(" ", "-") for section in sections}
    for row in rows:
        [anchor] = re.findall(r"\]\(#([\w-]+)\)", row)
        assert anchor in anchors, anchor
        assert re.search(r"\b(run|read)\b", row.rsplit("|", 2)[1]), row


def test_the_variables_for_private_authorities_are_those_that_are_honoured() -> None:
    named = re.findall(r"`([A-Z_]+)`", OPERATIONS.section("Private certificate authorities"))
    assert [name for name in named if name != "AWS_CA_BUNDLE"] == list(CA_VARIABLES)
