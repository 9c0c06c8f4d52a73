"""Airbyte's validator and the CDK's standard tests, on both connectors as the monorepo would hold them.

Their verdicts are in verdicts.yaml, each that is not a pass with its reason: a verdict that changes fails here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from integration_tests.harness import destination_config, source_config
from integration_tests.sandbox import Sandbox
from shipping.environments import environment
from shipping.names import CONNECTORS
from shipping.submission import CONNECTORS_FOLDER, write

HERE = Path(__file__).parent
VERDICTS = yaml.safe_load((HERE / "verdicts.yaml").read_text())
SOURCE, _ = CONNECTORS
QUIET = {"DO_NOT_TRACK": "1", "PYTHONWARNINGS": "ignore", "PYTHONPATH": ""}
both = pytest.mark.parametrize("connector", CONNECTORS)


@pytest.fixture(scope="module")
def monorepo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like the monorepo, with our two connectors in it."""
    folder = tmp_path_factory.mktemp("monorepo")
    write(folder)
    return folder


def explained(tool: str, connector: str) -> dict[str, set[str]]:
    """What verdicts.yaml lists, by verdict."""
    found: dict[str, set[str]] = {}
    for entry in VERDICTS[tool][connector]:
        assert entry["because"].strip(), "each verdict that is not a pass has its reason"
        found.setdefault(entry["verdict"], set()).update(entry["checks"])
    return found


def run(*command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **QUIET, **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@both
def test_the_verdict_of_airbytes_validator(monorepo: Path, connector: str, tmp_path: Path) -> None:
    python = environment("validator", HERE / "validator.lock") / "python"
    report = tmp_path / "report.json"
    done = run(
        str(python), str(HERE / "validate.py"), "--name", connector, "--report-path", str(report), folder=monorepo
    )
    assert report.exists(), done.stdout + done.stderr
    found = json.loads(report.read_text())["connectors"][connector]
    verdicts = {verdict: {check["check"] for check in found[f"{verdict}_checks"]} for verdict in ("failed", "skipped")}
    listed = explained("airbyte-ops local connector qa", connector)
    assert verdicts == {verdict: listed.get(verdict, set()) for verdict in verdicts}, done.stdout
    assert found["passed_checks"]
    # What passes on our own answers is a pass with a reservation, which stands there too.
    assert listed["answered here"] <= {check["check"] for check in found["passed_checks"]}


@both
def test_the_verdict_of_the_standard_tests(monorepo: Path, connector: str) -> None:
    folder = monorepo / CONNECTORS_FOLDER / connector
    with Sandbox(seed=1) as sandbox:
        config = source_config(sandbox.url, sandbox.rest_key) if connector == SOURCE else destination_config(sandbox)
        (folder / "secrets").mkdir()
        (folder / "secrets/config.json").write_text(json.dumps(config))
        # A connector's own folder is imported, not this repository.
        command = [str(Path(sys.executable).with_name("airbyte-cdk")), "connector", "test", str(folder)]
        done = run(*command, "--pytest-arg=-k", "--pytest-arg=not docker", folder=folder, PYTHONPATH=str(folder))
    shutil.rmtree(folder / "secrets")  # no part of the connector
    results = ElementTree.parse(folder / "build/test-results/standard-tests-junit.xml").iter("testcase")
    outcomes = {str(case.attrib["name"]).split("[")[0]: _outcome(case) for case in results}
    listed = explained("airbyte-cdk connector test", connector)
    assert done.returncode == 0, done.stdout[-5000:]
    assert {name for name, outcome in outcomes.items() if outcome != "passed"} == listed.get("skipped", set())
    assert outcomes.keys() & listed["not run"] == set()
    assert {"test_check", "test_config_matches_spec"} <= outcomes.keys()


def _outcome(case: ElementTree.Element) -> Any:
    return next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")


@both
def test_poetrys_lock_is_that_of_the_project(monorepo: Path, connector: str) -> None:
    poetry = environment("poetry", HERE / "poetry.lock") / "poetry"
    done = run(str(poetry), "check", "--lock", folder=monorepo / CONNECTORS_FOLDER / connector)
    assert done.returncode == 0, done.stdout + done.stderr
