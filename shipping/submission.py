"""`make submission`: both connectors as the monorepo of Airbyte's connectors holds them, below build/submission.

What the monorepo has, and this repository has elsewhere or not at all: a folder per connector with everything in it,
a project that Poetry understands, and the pages of the documentation site, where links of this repository lead nowhere.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from shipping.environments import environment
from shipping.names import CODE, CONNECTORS, DISTRIBUTIONS, METADATA, ROOT, project

FOLDER = ROOT / "build/submission"
CONNECTORS_FOLDER = "airbyte-integrations/connectors"
SHARED = "vitally_api"
DEADLINE = timedelta(days=90)
"""How long users have for a breaking change, at the least, from the day of the submission."""

PAGES = {
    "source-vitally.md": "integrations/sources/vitally",
    **{
        f"source-vitally-{page}.md": f"integrations/sources/vitally-{page}"
        for page in ("migrations", "columns", "reading", "troubleshooting")
    },
    "destination-vitally.md": "integrations/destinations/vitally",
    **{
        f"destination-vitally-{page}.md": f"integrations/destinations/vitally-{page}"
        for page in ("mappings", "recipes", "fields", "all-fields", "deletes", "copies", "rows", "troubleshooting")
    },
}
"""Our pages, and where the documentation site has them."""

IN_A_REGISTRY = (
    *("name", "dockerRepository", "dockerImageTag", "documentationUrl", "githubIssueLabel", "license", "tags"),
    *("releaseStage", "supportLevel", "allowedHosts", "suggestedStreams", "releases"),
    *("supportsRefreshes", "supportsDataActivation"),
)
"""What a connector registry takes from the metadata as it is."""

PYPROJECT = """\
[build-system]
requires = ["poetry-core>=1.0.0"]
build-backend = "poetry.core.masonry.api"

[tool.poetry]
name = "{name}"
version = "{version}"
description = "{description}"
authors = ["Airbyte <contact@airbyte.io>"]
license = "{license}"
readme = "README.md"
documentation = "{documentation}"
homepage = "https://airbyte.com"
repository = "https://github.com/airbytehq/airbyte"
packages = [{{ include = "{package}" }}, {{ include = "{shared}" }}]

[tool.poetry.dependencies]
python = "{python}"
{dependencies}

[tool.poetry.scripts]
{connector} = "{package}.run:run"

[tool.poe]
include = ["${{POE_GIT_DIR}}/poe-tasks/poetry-connector-tasks.toml"]
"""

ACCEPTANCE = """\
# The standard tests of the CDK: `airbyte-cdk connector test`. The config is that of a workspace, and no part of this.
connector_image: airbyte/{connector}:dev
acceptance_tests:
  spec:
    tests:
      - config_path: secrets/config.json
  connection:
    tests:
      - config_path: secrets/config.json
        status: succeed
"""
ACCEPTANCE_OF_SOURCE = """\
  discovery:
    tests:
      - config_path: secrets/config.json
  basic_read:
    tests:
      - config_path: secrets/config.json
        empty_streams:
"""
EMPTY = {
    "survey_responses": "The API lists no surveys, and the config names none.",
    "survey_questions": "The API lists no surveys, and the config names none.",
    "custom_object_legacy_asset": "The workspace has no instance of it.",
}
"""Streams of the sandbox's workspace that the standard tests find empty, with the reason."""


def main() -> int:
    """Write the folders and pages anew, or with the argument `lock` the locks of Poetry; return 0."""
    if sys.argv[1:] == ["lock"]:
        lock()
        return 0
    shutil.rmtree(FOLDER, ignore_errors=True)
    write(FOLDER)
    print(f"== written: {FOLDER}", flush=True)
    return 0


def lock() -> None:
    """Let Poetry resolve again what each connector needs."""
    poetry = environment("poetry", ROOT / "integration_tests/submission/poetry.lock") / "poetry"
    for connector in CONNECTORS:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "pyproject.toml").write_text(pyproject(connector))
            subprocess.run([str(poetry), "lock"], cwd=folder, check=True)
            shutil.copy(Path(folder, "poetry.lock"), (ROOT / DISTRIBUTIONS[connector]).parent)


def write(folder: Path) -> None:
    """Write both connectors and their pages below a folder, as if it were the monorepo."""
    for connector in CONNECTORS:
        write_connector(connector, folder / CONNECTORS_FOLDER / connector, date.today())
        entry = folder / "registry" / f"{connector}.json"
        entry.parent.mkdir(exist_ok=True)
        entry.write_text(json.dumps(registry_entry(connector), indent=2) + "\n")
    for page, place in PAGES.items():
        path = folder / "docs" / f"{place}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(for_the_site((ROOT / "docs" / page).read_text()))


def registry_entry(connector: str) -> dict[str, Any]:
    """Return what a connector registry says of a connector, for an Airbyte that is pointed at a registry of its own."""
    data = yaml.safe_load((ROOT / METADATA[connector]).read_text())["data"]
    kind = data["connectorType"]
    entry = {key: data[key] for key in IN_A_REGISTRY if key in data}
    entry |= {f"{kind}DefinitionId": data["definitionId"], "tombstone": False, "public": True, "custom": False}
    if kind == "source":
        entry["sourceType"] = data["connectorSubtype"]
    return {**entry, "language": "python", "spec": json.loads(spec(connector.replace("-", "_")))}


def write_connector(connector: str, folder: Path, today: date) -> None:
    """Write everything of one connector into a folder."""
    package = connector.replace("-", "_")
    unwanted = shutil.ignore_patterns("__pycache__", "metadata.yaml", "*.svg")
    for name in (package, SHARED):
        shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
    (folder / package / "spec.json").write_text(spec(package))
    metadata = ROOT / METADATA[connector]
    (folder / "metadata.yaml").write_text(with_a_later_deadline(metadata.read_text(), today + DEADLINE))
    shutil.copy(metadata.with_name("icon.svg"), folder)
    distribution = (ROOT / DISTRIBUTIONS[connector]).parent
    for name in ("README.md", "poetry.lock"):
        shutil.copy(distribution / name, folder)
    (folder / "pyproject.toml").write_text(pyproject(connector))
    empty = (f"          - name: {name}\n            bypass_reason: {reason}\n" for name, reason in EMPTY.items())
    more = ACCEPTANCE_OF_SOURCE + "".join(empty) if connector.startswith("source") else ""
    (folder / "acceptance-test-config.yml").write_text(ACCEPTANCE.format(connector=connector) + more)


def spec(package: str) -> str:
    """Return a connector's spec as JSON; the monorepo's tools look for it in a file."""
    command = [sys.executable, "-m", package, "spec"]
    lines = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    [found] = [message["spec"] for message in map(json.loads, lines) if message["type"] == "SPEC"]
    return json.dumps(found, indent=2) + "\n"


def pyproject(connector: str) -> str:
    """Return a connector's project in Poetry's own terms: its command, its code and what that needs."""
    command, code = project(DISTRIBUTIONS[connector]), project(CODE)
    needed = [*code["dependencies"]]
    if "[s3]" in command["dependencies"][0]:
        needed += code["optional-dependencies"]["s3"]
    return PYPROJECT.format(
        **{key: command[key] for key in ("name", "version", "description", "license")},
        documentation=f"https://docs.airbyte.com/{PAGES[f'{connector}.md']}",
        python=command["requires-python"],
        dependencies="\n".join(sorted(map(_in_poetrys_terms, needed), key=str.lower)),
        connector=connector,
        package=connector.replace("-", "_"),
        shared=SHARED,
    )


def _in_poetrys_terms(requirement: str) -> str:
    [(name, versions)] = re.findall(r"^([\w.-]+)(.*)$", requirement)
    return f'{name} = "{versions}"'


def with_a_later_deadline(metadata: str, earliest: date) -> str:
    """Return metadata whose deadlines for breaking changes are not before a day: they count from the submission."""

    def later(found: Any) -> str:
        return f'upgradeDeadline: "{max(date.fromisoformat(found[1]), earliest)}"'

    return re.sub(r'upgradeDeadline: "([\d-]+)"', later, metadata)


def for_the_site(page: str) -> str:
    """Return a page with links that work on the documentation site; what the site has not stays as plain text."""

    def link(found: Any) -> str:
        text, target, anchor = found.groups()
        return f"[{text}](/{PAGES[target]}{anchor or ''})" if target in PAGES else str(text)

    return re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)", link, page)


if __name__ == "__main__":
    sys.exit(main())
