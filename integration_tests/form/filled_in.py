"""A person fills in each connector's form in Chromium, and the connector takes the config that comes out of it.

The form is that of a general JSON-schema library from npm: it draws what Airbyte's form cannot draw, and strips
nothing. What Airbyte's form does with both specs is tested by `test_form.py`. Screenshots go to SCREENSHOTS,
or to the folder of the built page.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from integration_tests.harness import Json, run_process
from integration_tests.sandbox import Sandbox
from unit_tests.pages import Page

HERE = Path(__file__).parent
BUILT = HERE.parents[1] / "build/form"
SCREENSHOTS = Path(os.environ.get("SCREENSHOTS") or BUILT).absolute()
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# connector: the labels of its form
LABELS = {
    "source-vitally": {
        "us": "US",
        "custom": "Another address",
        "key": "REST API key",
        "rest": "Address of the REST API",
    },
    "destination-vitally": {
        "us": "US",
        "custom": "Another address",
        "key": "REST API key",
        "rest": "Address of the REST API",
    },
}
each = pytest.mark.parametrize("connector", LABELS)
EXAMPLE = Page("destination-vitally*.md").examples("Mappings")[0]
CHOICES = ("operation", "other_columns", "null_values", "cast")


def typed(mapping: Json) -> list[list[str]]:
    """Return the steps that add a mapping to the form of the destination."""
    steps = [["add", "mappings"]]
    for name, value in mapping.items():
        if isinstance(value, list):
            for number, entry in enumerate(value):
                place = f"mappings_0_{name}"
                steps += [["add", place], *(_typed(f"{place}_{number}_{key}", text) for key, text in entry.items())]
        else:
            steps.append(_typed(f"mappings_0_{name}", value))
    return steps


def _typed(path: str, value: str) -> list[str]:
    return ["pick" if path.endswith(CHOICES) else "type", path, value]


def fill(connector: str, steps: list[list[str]], screenshot: Path | None = None, shown: str = "") -> Json:
    """Fill in a connector's form and save it; return `config`, null when the form refuses it, and its `errors`.

    The picture is of the whole form, or of the part at the path `shown`.
    """
    page = BUILT / connector
    page.mkdir(parents=True, exist_ok=True)
    for name in ("page.html", "page.css"):
        shutil.copy(HERE / name, page)
    shutil.copy(BUILT / "page.js", page)
    [message] = run_process(connector, "spec").of_type("SPEC")
    spec = message["spec"]["connectionSpecification"]
    (page / "spec.js").write_text(f"window.spec = {json.dumps(spec)};")
    browser = next(path for path in map(shutil.which, BROWSERS) if path)
    command = ["node", "fill.mjs", browser, str(page / "page.html"), json.dumps(steps)]
    command += [str(screenshot), shown] if screenshot else []
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    result: Json = json.loads(done.stdout)
    assert result["broken"] == []
    return result


@each
def test_a_workspace_in_the_us(connector: str) -> None:
    labels = LABELS[connector]
    steps = [
        ["choose", "Data center", labels["us"]],
        ["fill", "Subdomain", "acme"],
        ["fill", labels["key"], "sk_live_example_not_real"],
    ]
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    result = fill(connector, steps, SCREENSHOTS / f"{connector}-form.png")
    assert result["errors"] == []
    config = result["config"]
    assert config["data_center"] == {"region": "us", "subdomain": "acme"}
    assert config["secret_token"] == "sk_live_example_not_real"
    assert config["requests_per_minute"] == 1000, "defaults are filled in"


@each
def test_the_config_of_the_form_passes_the_check(connector: str, sandbox: Sandbox) -> None:
    labels = LABELS[connector]
    steps = [
        ["choose", "Data center", labels["custom"]],
        ["fill", labels["rest"], sandbox.url],
        ["fill", labels["key"], sandbox.rest_key],
    ]
    if connector == "destination-vitally":
        steps += [
            ["fill", "Address of the Analytics API", sandbox.url],
            ["fill", "Analytics API key", sandbox.analytics_token],
            *typed(EXAMPLE),
        ]
    result = fill(connector, steps)
    assert result["errors"] == []
    run = run_process(connector, "check", config=result["config"])
    assert run.connection_status["status"] == "SUCCEEDED", run.raw


def test_a_mapping_is_typed_in() -> None:
    steps = [["choose", "Data center", "EU"], ["fill", "Analytics API key", "example"], *typed(EXAMPLE)]
    picture = SCREENSHOTS / "destination-vitally-mapping.png"
    result = fill("destination-vitally", steps, picture, "mappings_0")
    assert result["errors"] == []
    [mapping] = result["config"]["mappings"]
    # What is left alone the form saves as its default.
    left_alone = {"missing_rows": "keep", "missing_rows_grace_hours": 24}
    assert {name: value for name, value in mapping.items() if value} == {**EXAMPLE, **left_alone}


@each
def test_the_form_refuses_an_address_as_subdomain(connector: str) -> None:
    labels = LABELS[connector]
    steps = [
        ["choose", "Data center", labels["us"]],
        ["fill", "Subdomain", "https://acme.vitally.io"],
        ["fill", labels["key"], "sk_live_example_not_real"],
    ]
    result = fill(connector, steps)
    assert result["config"] is None
    assert any("must match pattern" in error for error in result["errors"])


@each
def test_the_form_asks_for_what_is_required(connector: str) -> None:
    result: Any = fill(connector, [["choose", "Data center", LABELS[connector]["us"]]])
    assert result["config"] is None
    assert any("required" in error for error in result["errors"])
