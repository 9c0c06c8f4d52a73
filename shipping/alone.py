"""`make test-dist`: install what is shipped into environments that have nothing, and start what it brings."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from shipping.environments import environment
from shipping.names import CONNECTORS, LOCKS, ROOT, distribution_files

SOURCE, DESTINATION = CONNECTORS
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
    """Try each connector by its name, both as sdists, then the repository as a folder and by git; raise what fails."""
    for connector in CONNECTORS:
        _brings_no_file(connector)
        _try(f"airbyte-{connector}", distribution_files(connector), has_s3=connector == DESTINATION)
    _try("the sdists", distribution_files(*CONNECTORS, suffix=".gz"), has_s3=True)
    # What they need is the same each time: here it comes from a lock, which is quicker.
    lock = ROOT / LOCKS[SOURCE]
    _try("pip install .", [str(ROOT)], has_s3=False, lock=lock)
    with tempfile.TemporaryDirectory() as folder:
        _try("pip install git+…", [f"git+file://{repository(Path(folder))}"], has_s3=False, lock=lock)
    return 0


def repository(folder: Path) -> Path:
    """Make a git repository of what `make dist` packed, which is this one; return where it is."""
    [code] = distribution_files(suffix=".gz")
    with tarfile.open(code) as packed:
        packed.extractall(folder, filter="data")
    made = folder / code.name.removesuffix(".tar.gz")
    someone = ("-c", "user.name=Someone", "-c", "user.email=someone@example.com")
    for arguments in (("init", "--quiet"), ("add", "--all"), (*someone, "commit", "--message", "Everything")):
        subprocess.run(["git", "-C", str(made), *arguments], stdout=subprocess.DEVNULL, check=True)
    return made


def _brings_no_file(connector: str) -> None:
    # Two distributions that bring the same command overwrite it, and whichever is removed first takes it along.
    [_, wheel] = distribution_files(connector)
    files = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name or "entry_points" in name]
    _hold(not files, f"{wheel.name} brings {', '.join(files)}")


def _try(what: str, wanted: Iterable[Path | str], has_s3: bool, lock: Path | None = None) -> None:
    programs = environment("alone", lock, wanted)
    try:
        commands = {path.name for path in programs.iterdir()} & set(CONNECTORS)
        _hold(commands == set(CONNECTORS), f"{what}: the commands are {', '.join(commands) or 'none'}")
        missing = DATA - set(_run(programs / "python", "-c", LIST_DATA).split())
        _hold(not missing, f"{what}: {', '.join(missing)} missing")
        found = _run(programs / "python", "-c", HAS_S3).strip() == "True"
        _hold(found == has_s3, f"{what}: the client of S3: {found}")
        for command in CONNECTORS:
            messages = [json.loads(line) for line in _run(programs / command, "spec").splitlines()]
            _hold("SPEC" in {message["type"] for message in messages}, f"{what}: {command} has no spec")
    finally:
        shutil.rmtree(programs.parent)
    print(f"== {what}: installed, and both commands started.", flush=True)


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
