"""What is in the images, and that the connectors do all they can do from inside."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import yaml

from integration_tests.harness import configured, destination_config, record, source_config, state, stream
from integration_tests.images.container import engine, inside, inspect, run_image, seconds
from integration_tests.sandbox import Sandbox, Switches
from shipping.bill import parts
from shipping.names import LOCKS, METADATA, ROOT, SHIM, dependencies, pinned_base

SOURCE, DESTINATION = METADATA
BASE_LABEL = "org.opencontainers.image.base.name"
MODULES = {SOURCE: "source_vitally", DESTINATION: "destination_vitally"}
MAX_SIZE, MAX_START = 1.15, 1.5
LIST_PACKAGES = """
import sys
from importlib.metadata import distributions
beside_the_base = [path for path in sys.path if path.startswith("/opt/vitally")]
print(*(f"{found.name}=={found.version}" for found in distributions(path=beside_the_base)))
"""
both = pytest.mark.parametrize("target", METADATA)


@pytest.fixture(scope="module", autouse=True)
def said(request: pytest.FixtureRequest) -> None:
    """Say which engine and base image the results are of."""
    if not SHIM.exists():
        pytest.exit("There is no image to test: run `make image` with docker or podman first.", returncode=1)
    base = inspect(SOURCE)["Config"]["Labels"][BASE_LABEL]
    pinned = base == pinned_base()
    _say(request, f"engine: {engine('--version').stdout.strip()}")
    _say(request, f"base image: {base}" + ("" if pinned else " (not the pinned one, which these results do not prove)"))


@both
def test_labels_entry_point_and_user(target: str) -> None:
    data = yaml.safe_load((ROOT / METADATA[target]).read_text())["data"]
    image = inspect(target)["Config"]
    entry_point = ["python", "-m", MODULES[target]]
    assert image["Entrypoint"] == entry_point
    assert f"AIRBYTE_ENTRYPOINT={' '.join(entry_point)}" in image["Env"]
    assert image["User"] == "1000"
    labels = image["Labels"]
    assert (labels["io.airbyte.name"], labels["io.airbyte.version"]) == (
        data["dockerRepository"],
        data["dockerImageTag"],
    )


@both
def test_what_is_inside(target: str) -> None:
    assert inside(target, "id", "-u").stdout.strip() == "1000"
    assert inside(target, "touch", "/airbyte/integration_code/file").returncode
    listed = inside(target, "ls", "-A", "/airbyte/integration_code").stdout.split()
    assert sorted(listed) == [MODULES[target], "vitally_api"], "the connector and what both know of Vitally, no more"
    looked_for = ("pip", "pytest", "mypy", "hatchling", "boto3")
    found = f"import importlib.util as u; print([n for n in {looked_for} if u.find_spec(n)])"
    client_of_s3 = ["boto3"] if target == DESTINATION else []
    assert inside(target, "python", "-c", found).stdout.strip() == str(client_of_s3)


@both
def test_the_bill_of_materials_is_what_is_installed_beside_the_base(target: str) -> None:
    """By the names and versions that the packages have themselves, and without Unidecode (SECURITY.md)."""
    installed = inside(target, "python", "-c", LIST_PACKAGES).stdout.split()
    named = [f"{part.name}=={part.version}" for part in parts(LOCKS[target])]
    assert sorted(map(_as_written, installed)) == sorted(map(_as_written, named))


@both
def test_the_entry_point_of_the_platform_starts_the_connector(target: str) -> None:
    done = inside(target, "sh", "-c", "cd /tmp && $AIRBYTE_ENTRYPOINT spec")
    assert '"SPEC"' in done.stdout, done.stderr


@both
def test_spec(target: str) -> None:
    [message] = run_image(target, "spec").of_type("SPEC")
    assert message["spec"]["connectionSpecification"]["required"][0] == "data_center"


@both
def test_a_wrong_key_fails_the_check(target: str, sandbox: Sandbox) -> None:
    config = source_config(sandbox.url, "sk_live_wrong_example")
    assert run_image(target, "check", config=config).connection_status["status"] == "FAILED"


def test_the_source_reads_a_workspace(sandbox: Sandbox) -> None:
    config = source_config(sandbox.url, sandbox.rest_key, requests_per_minute=100_000)
    assert run_image(SOURCE, "check", config=config).connection_status["status"] == "SUCCEEDED"
    catalog = configured(run_image(SOURCE, "discover", config=config).catalog)

    first = run_image(SOURCE, "read", config=config, catalog=catalog)
    assert first.exit_code == 0, first.errors
    assert set(first.statuses.values()) == {"COMPLETE"}
    users = {row["id"] for row in first.records("users")}
    assert users == {row["id"] for row in sandbox.workspace.rows("users")}
    assert sandbox.rest_key not in first.raw + first.stderr

    second = run_image(SOURCE, "read", config=config, catalog=catalog, state=first.last_states())
    assert second.exit_code == 0, second.errors
    assert len(second.records("users")) < len(users)


def test_the_destination_writes_a_workspace(make_sandbox: Any) -> None:
    sandbox = make_sandbox(empty=True, switches=Switches(effect_delay=1))
    config = destination_config(sandbox)
    assert run_image(DESTINATION, "check", config=config).connection_status["status"] == "SUCCEEDED"
    rows = [{"externalId": f"acme-{number}", "name": f"Acme {number}"} for number in range(250)]
    messages = [*(record("accounts", row) for row in rows), state("accounts", 7)]

    run = run_image(
        DESTINATION,
        "write",
        config=config,
        catalog={"streams": [stream("accounts")]},
        stdin=[_line(message) for message in messages],
    )

    assert run.exit_code == 0, run.raw + run.stderr
    assert {row["externalId"] for row in sandbox.workspace.rows("accounts")} == {row["externalId"] for row in rows}
    [echoed] = run.states()
    assert echoed["id"] == 7
    assert echoed["destinationStats"]["recordCount"] == len(rows)
    assert sandbox.rest_key not in run.raw + run.stderr


@both
def test_size(target: str, request: pytest.FixtureRequest) -> None:
    size, bare = inspect(target)["Size"], inspect(dependencies(target))["Size"]
    _say(request, f"{target}: {size / 1e6:.1f} MB, {size / bare:.3f} of base and dependencies ({bare / 1e6:.1f} MB)")
    assert size <= MAX_SIZE * bare


@both
def test_start(target: str, request: pytest.FixtureRequest) -> None:
    spec, bare = [], []
    for _ in range(5):
        bare.append(seconds(target, "python", "-c", "import airbyte_cdk"))
        spec.append(seconds(target, "spec"))
    ratio = min(spec) / min(bare)  # the fastest of each: what else the machine does only adds
    _say(request, f"{target}: spec {min(spec):.2f} s, {ratio:.2f} of a bare import of the CDK ({min(bare):.2f} s)")
    assert ratio <= MAX_START


def _line(message: Any) -> str:
    return str(orjson.dumps(message), "utf-8")


def _say(request: pytest.FixtureRequest, text: str) -> None:
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n{text}", flush=True)


def _as_written(package: str) -> str:
    return package.lower().replace("_", "-").replace(".", "-")
