"""Metadata, Dockerfile, projects, locks and changelog say the same, and the metadata fits the schema that is published.

What Airbyte's own validator says of them is another matter: `make test-submission`.
"""

from __future__ import annotations

import json
import re
import sys
from datetime import date
from fnmatch import fnmatch
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from jsonschema import Draft7Validator, FormatChecker

from destination_vitally.destination import DOCUMENTATION
from shipping import submission
from shipping.__main__ import push
from shipping.engines import Engine
from shipping.names import CODE, DISTRIBUTIONS, LOCKS, METADATA, ROOT, dependencies, pinned_base, project
from shipping.packages import ShippingError
from vitally_api.regions import REGIONS

SCHEMAS = "airbyte_connector_models"
SCHEMA = "metadata/v0/ConnectorMetadataDefinitionV0.json"
SOURCE, DESTINATION = METADATA
TOML = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
both = pytest.mark.parametrize("target", METADATA)
with_schemas = pytest.mark.skipif(find_spec(SCHEMAS) is None, reason="the schemas have no release for this Python")


def metadata(target: str) -> Any:
    return yaml.safe_load((ROOT / METADATA[target]).read_text())


def allowed_hosts(target: str) -> list[str]:
    return list(metadata(target)["data"]["allowedHosts"]["hosts"])


def locked(path: str) -> set[str]:
    """What a lock installs: names with versions."""
    return set(re.findall(r"^(\S+==\S+) ", (ROOT / path).read_text(), re.MULTILINE))


def stages() -> dict[str, str]:
    """The Dockerfile's text by stage."""
    _, *parts = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    return {part.splitlines()[0].split(" AS ")[1]: part for part in parts}


def labels(target: str) -> dict[str, str]:
    """The labels of a target's image, as they stand in the Dockerfile."""
    text = stages()["connector"] + stages()[target]
    return dict(re.findall(r'([\w.]+)="([^"]*)"', text))


def without_ids(node: Any) -> Any:
    """A published schema without the `$id`s inside it, which would make its own references lead nowhere."""
    if isinstance(node, dict):
        return {key: without_ids(value) for key, value in node.items() if key not in ("$id", "$schema")}
    return [without_ids(entry) for entry in node] if isinstance(node, list) else node


def registry_schema() -> Any:
    """The published schema of metadata."""
    return without_ids(json.loads((files(SCHEMAS) / SCHEMA).read_text()))


@both
@with_schemas
def test_metadata_is_valid(target: str) -> None:
    errors = Draft7Validator(registry_schema(), format_checker=FormatChecker()).iter_errors(metadata(target))
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


@with_schemas
def test_a_mistake_in_metadata_is_found() -> None:
    wrong = metadata(SOURCE)
    wrong["data"]["releaseStage"] = "finished"
    assert not Draft7Validator(registry_schema()).is_valid(wrong)


@both
def test_one_version(target: str) -> None:
    version = project(DISTRIBUTIONS[target])["version"]
    assert metadata(target)["data"]["dockerImageTag"] == version
    assert labels(target)["io.airbyte.version"] == labels(target)["org.opencontainers.image.version"] == version
    _, newest, *_ = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert newest.startswith(project(CODE)["version"])
    assert f"\n### {target} {version}\n" in newest


@both
def test_what_is_installed_by_name_is_the_code_and_its_commands(target: str) -> None:
    found, code = project(DISTRIBUTIONS[target]), project(CODE)
    assert found["name"] == f"airbyte-{target}"
    # A command that two distributions bring is overwritten by one and removed with the other.
    assert "scripts" not in found
    assert code["scripts"][target] == f"{target.replace('-', '_')}.run:run"
    extra = {SOURCE: "", DESTINATION: "[s3]"}[target]
    assert found["dependencies"] == [f"{code['name']}{extra}=={code['version']}"]
    assert found["requires-python"] == code["requires-python"]


def test_only_the_destination_has_the_client_of_s3() -> None:
    names = {target: {line.split("==")[0] for line in locked(LOCKS[target])} for target in METADATA}
    assert not names[SOURCE] & {"boto3", "botocore"}
    assert names[DESTINATION] - names[SOURCE] == {"boto3", "botocore", "jmespath", "s3transfer"}
    # The destination's dependencies are installed over the source's; tests run with those of both.
    assert locked(LOCKS[SOURCE]) < locked(LOCKS[DESTINATION]) < locked("locks/dev.lock")


@both
def test_an_image_has_what_its_lock_says(target: str) -> None:
    assert f"COPY {LOCKS[target]} " in stages()[dependencies(target)]
    assert f"COPY --from={dependencies(target)} " in stages()[target]
    assert f"!{LOCKS[target]}" in (ROOT / ".dockerignore").read_text().splitlines()


@both
def test_one_name(target: str) -> None:
    data = metadata(target)["data"]
    assert data["dockerRepository"] == labels(target)["io.airbyte.name"] == f"airbyte/{target}"
    assert data["githubIssueLabel"] == target
    assert data["connectorType"] == target.removesuffix("-vitally")
    assert data["remoteRegistries"]["pypi"]["packageName"] == project(DISTRIBUTIONS[target])["name"]
    assert target in stages()


@both
def test_one_licence_and_documentation(target: str) -> None:
    data = metadata(target)["data"]
    licences = {project(path)["license"] for path in (CODE, DISTRIBUTIONS[target])}
    assert licences == {data["license"]} == {labels(target)["org.opencontainers.image.licenses"]}
    manifest = yaml.safe_load((ROOT / "source_vitally/manifest.yaml").read_text())
    documentation = {SOURCE: manifest["spec"]["documentation_url"], DESTINATION: DOCUMENTATION}
    assert data["documentationUrl"] == labels(target)["org.opencontainers.image.documentation"] == documentation[target]


@both
def test_one_base_image_by_tag_and_digest(target: str) -> None:
    assert metadata(target)["data"]["connectorBuildOptions"]["baseImage"] == pinned_base()
    assert re.fullmatch(r"\S+:[\d.]+@sha256:[0-9a-f]{64}", pinned_base())


def test_suggested_streams_exist() -> None:
    manifest = yaml.safe_load((ROOT / "source_vitally/manifest.yaml").read_text())
    suggested = metadata(SOURCE)["data"]["suggestedStreams"]["streams"]
    assert set(suggested) <= {stream["name"] for stream in manifest["streams"]}


@both
@pytest.mark.parametrize("region", REGIONS)
def test_every_region_is_an_allowed_host(target: str, region: str) -> None:
    wanted = REGIONS[region].hosts(analytics=target == DESTINATION)
    missing = set(wanted) - set(allowed_hosts(target))
    assert not missing, f"add {', '.join(sorted(missing))} to allowedHosts in {METADATA[target]}"


@pytest.mark.parametrize(
    "host",
    [
        "acme.s3.eu-central-1.amazonaws.com",
        "s3.us-east-1.amazonaws.com",
        "sts.amazonaws.com",
        "b.s3.cn-north-1.amazonaws.com.cn",
    ],
)
def test_a_bucket_of_rejected_records_is_an_allowed_host(host: str) -> None:
    assert any(fnmatch(host, allowed) for allowed in allowed_hosts(DESTINATION))
    assert "${object_storage_config.s3_endpoint}" in allowed_hosts(DESTINATION)


@both
def test_each_image_holds_its_own_code_and_the_facts_of_vitally(target: str) -> None:
    packages = {"vitally_api", target.replace("-", "_")}
    assert set(re.findall(r"^COPY --from=code /code/(\w+) ", stages()[target], re.MULTILINE)) == packages
    assert packages <= set(re.findall(r"^COPY (\w+) /code/\1$", stages()["code"], re.MULTILINE))
    assert packages <= set(re.findall(r"^!(\w+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))


@both
def test_the_icon_is_a_square_drawing(target: str) -> None:
    path = Path(ROOT, METADATA[target]).with_name(metadata(target)["data"]["icon"])
    _, _, width, height = ElementTree.parse(path).getroot().attrib["viewBox"].split()
    assert width == height


@both
def test_the_platform_starts_what_the_image_starts(target: str) -> None:
    text = stages()[target]
    [command] = re.findall(r'^ENV AIRBYTE_ENTRYPOINT="(.+)"$', text, re.MULTILINE)
    [entry_point] = re.findall(r"^ENTRYPOINT (.+)$", text, re.MULTILINE)
    assert json.loads(entry_point) == command.split()


@both
def test_the_submission_asks_for_what_the_distribution_asks_for(target: str) -> None:
    poetry = TOML.loads(submission.pyproject(target))["tool"]["poetry"]
    needed = list(project(CODE)["dependencies"])
    if target == DESTINATION:
        needed += project(CODE)["optional-dependencies"]["s3"]
    stated = poetry["dependencies"]
    assert {f"{name}{versions}" for name, versions in stated.items() if name != "python"} == set(needed)
    assert stated["python"] == project(CODE)["requires-python"]
    assert poetry["scripts"] == {target: f"{target.replace('-', '_')}.run:run"}
    for name in ("name", "version", "license", "description"):
        assert poetry[name] == project(DISTRIBUTIONS[target])[name]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            "[migration\nguide](source-vitally-migrations.md)",
            "[migration\nguide](/integrations/sources/vitally-migrations)",
        ),
        ("[it](destination-vitally-deletes.md#deletes)", "[it](/integrations/destinations/vitally-deletes#deletes)"),
        ("the [README](../README.md) says how", "the README says how"),
        (
            "[below](#deletes), [Vitally](https://www.vitally.io)",
            "[below](#deletes), [Vitally](https://www.vitally.io)",
        ),
    ],
)
def test_links_of_a_submitted_page_lead_somewhere_on_the_site(ours: str, theirs: str) -> None:
    assert submission.for_the_site(ours) == theirs


@pytest.mark.parametrize(("earliest", "deadline"), [("2026-01-01", "2026-06-30"), ("2026-12-24", "2026-12-24")])
def test_a_deadline_that_has_come_too_near_is_put_off(earliest: str, deadline: str) -> None:
    given = 'message: "2020-01-01"\nupgradeDeadline: "2026-06-30"'
    found = submission.with_a_later_deadline(given, date.fromisoformat(earliest))
    assert found == f'message: "2020-01-01"\nupgradeDeadline: "{deadline}"'


def test_a_breaking_change_has_its_migration_guide() -> None:
    releases = metadata(SOURCE)["data"]["releases"]
    guide = (ROOT / "docs/source-vitally-migrations.md").read_text()
    assert re.findall(r"^## Upgrading to (\S+)$", guide, re.MULTILINE) == list(releases["breakingChanges"])
    place = submission.PAGES["source-vitally-migrations.md"]
    assert releases["migrationDocumentationUrl"] == f"https://docs.airbyte.com/{place}"


@with_schemas
def test_the_entries_of_a_registry_of_ones_own_are_valid() -> None:
    schema = json.loads((files(SCHEMAS) / "metadata/v0/ConnectorRegistryV0.json").read_text())
    registry = {f"{target.split('-')[0]}s": [submission.registry_entry(target)] for target in METADATA}
    assert [error.message for error in Draft7Validator(without_ids(schema)).iter_errors(registry)] == []
    assert registry["destinations"][0]["supportsDataActivation"] is True
    assert registry["destinations"][0]["spec"]["connectionSpecification"]["required"] == ["data_center"]


def test_images_are_pushed_under_their_names(tmp_path: Path) -> None:
    program = tmp_path / "engine"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n')
    program.chmod(0o755)
    push(Engine(str(program)), "docker.io/airbyte/python-connector-base:9", "registry.example.com/team/")
    names = [f"registry.example.com/team/{target}:{project(DISTRIBUTIONS[target])['version']}" for target in METADATA]
    ours = [f"docker.io/airbyte/{name.rsplit('/', 1)[1]}" for name in names]
    expected = [line for own, name in zip(ours, names, strict=True) for line in (f"tag {own} {name}", f"push {name}")]
    assert (tmp_path / "calls").read_text().splitlines() == expected


def test_an_image_on_a_stand_in_is_not_pushed() -> None:
    with pytest.raises(ShippingError, match="stand-in"):
        push(Engine("false"), "localhost/python-connector-base-stand-in:trixie", "registry.example.com")


def test_a_push_that_is_refused_says_so() -> None:
    with pytest.raises(ShippingError, match="logged in"):
        push(Engine("false"), "docker.io/airbyte/python-connector-base:9", "registry.example.com")


WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_what_there_is_and_only_pinned_actions(path: Path) -> None:
    jobs = yaml.safe_load(path.read_text())["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    assert [step["uses"] for step in steps if not re.search(r"@[0-9a-f]{40}$", step.get("uses", f"@{'0' * 40}"))] == []
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = [word for step in steps for word in re.findall(r"^make ([a-z -]+)", step.get("run", ""))]
    assert {target for words in called for target in words.split()} <= targets
    assert all("timeout-minutes" in job for job in jobs.values())


def test_only_the_publisher_may_ask_for_a_token() -> None:
    rights = {
        (path.stem, name): job.get("permissions")
        for path in WORKFLOWS
        for name, job in yaml.safe_load(path.read_text())["jobs"].items()
    }
    assert {place: found for place, found in rights.items() if found} == {("publish", "pypi"): {"id-token": "write"}}
