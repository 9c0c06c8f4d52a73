"""`make test-dist`: install each distribution into an environment that has nothing, and start what it brings."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

COMMANDS = ("source-vitally", "destination-vitally")
DATA = {"vitally_api/py.typed", *(f"source_vitally/{name}" for name in ("manifest.yaml", "schemas.yaml", "py.typed"))}
LIST_DATA = """
import pathlib, source_vitally, vitally_api
for package in (source_vitally, vitally_api):
    print(*(f"{package.__name__}/{file.name}" for file in pathlib.Path(package.__file__).parent.iterdir()))
"""


def main() -> int:
    """Try each distribution that is named as an argument; any failure is raised."""
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            _try(Path(name).absolute(), Path(folder))
        print(f"== {name} installs alone; {' and '.join(COMMANDS)} start.", flush=True)
    return 0


def _try(distribution: Path, folder: Path) -> None:
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv/bin"
    _run(folder, str(programs / "pip"), "install", "--quiet", str(distribution))
    missing = DATA - set(_run(folder, str(programs / "python"), "-c", LIST_DATA).split())
    if missing:
        raise SystemExit(f"{distribution.name} lacks {', '.join(missing)}")
    for command in COMMANDS:
        messages = [json.loads(line) for line in _run(folder, str(programs / command), "spec").splitlines()]
        if "SPEC" not in {message["type"] for message in messages}:
            raise SystemExit(f"{command} of {distribution.name} has no spec")


def _run(folder: Path, *command: str) -> str:
    # From a folder of its own, so that nothing is imported from the repository.
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
