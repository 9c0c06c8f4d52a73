"""`make test-dist`: install the distributions into environments that have nothing, and start what they bring."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from shipping.environments import environment
from shipping.names import CONNECTORS, distribution_files

DATA = {
    "vitally_api/py.typed",
    *(f"source_vitally/{name}" for name in ("manifest.yaml", "form.yaml", "schemas.yaml", "py.typed")),
}
LIST_DATA = """
import pathlib, source_vitally, vitally_api
for package in (source_vitally, vitally_api):
    print(*(f"{package.__name__}/{file.name}" for file in pathlib.Path(package.__file__).parent.iterdir()))
"""
HAS_S3 = "import importlib.util; print(importlib.util.find_spec('boto3') is not None)"


def main() -> int:
    """Try each connector alone and both together, from wheels, and both from sdists; any failure is raised."""
    for connectors, suffix in [*(([name], ".whl") for name in CONNECTORS), (CONNECTORS, ".whl"), (CONNECTORS, ".gz")]:
        _try(list(connectors), suffix)
        print(f"== {' and '.join(connectors)} ({suffix}): installed alone, and started.", flush=True)
    return 0


def _try(connectors: list[str], suffix: str) -> None:
    programs = environment("alone", distributions=distribution_files(*connectors, suffix=suffix))
    commands = {path.name for path in programs.iterdir()} & set(CONNECTORS)
    _hold(commands == set(connectors), f"the commands are {', '.join(commands)}")
    missing = DATA - set(_run(programs / "python", "-c", LIST_DATA).split())
    _hold(not missing, f"{', '.join(missing)} missing")
    has_s3 = _run(programs / "python", "-c", HAS_S3).strip() == "True"
    _hold(has_s3 == ("destination-vitally" in connectors), f"the client of S3: {has_s3}")
    for command in connectors:
        messages = [json.loads(line) for line in _run(programs / command, "spec").splitlines()]
        _hold("SPEC" in {message["type"] for message in messages}, f"{command} has no spec")
    shutil.rmtree(programs.parent)


def _hold(condition: bool, problem: str) -> None:
    if not condition:
        raise SystemExit(problem)


def _run(program: Path, *arguments: str) -> str:
    # From a folder of its own, so that nothing is imported from the repository.
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [str(program), *arguments], cwd=folder, stdout=subprocess.PIPE, text=True, check=True
        ).stdout


if __name__ == "__main__":
    sys.exit(main())
