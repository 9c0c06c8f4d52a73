"""The bugs in planted.yaml, and a copy of the code that one of them is planted in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
COPIED = (
    *("destination_vitally", "source_vitally", "vitally_api", "integration_tests", "unit_tests"),
    *("docs", "shipping", "conftest.py", "pyproject.toml"),
)


class Bug(NamedTuple):
    """A bug: what it is, the module, what is written there and what instead, and the test that finds it."""

    name: str
    path: str
    now: str
    planted: str
    found_by: str

    def is_found(self) -> bool:
        """Plant it in a copy of the code, and tell whether the test fails there; a test that cannot run finds nothing.

        Raises:
            ValueError: the module no longer has, or has several times, what is to be replaced.
        """
        with tempfile.TemporaryDirectory() as folder:
            for name in COPIED:
                copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
                copy(ROOT / name, Path(folder) / name)
            self.plant(Path(folder))
            command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:randomly", self.found_by]
            code = subprocess.run(
                command, cwd=folder, env={**os.environ, "PYTHONPATH": folder}, capture_output=True, check=False
            ).returncode
        return code == 1

    def plant(self, root: Path) -> None:
        """Write the bug into the code below a folder; raises as `is_found`."""
        module = root / self.path
        text = module.read_text()
        if text.count(self.now) != 1:
            raise ValueError(f"{self.path} has {text.count(self.now)} times what '{self.name}' replaces")
        module.write_text(text.replace(self.now, self.planted))


def bugs() -> list[Bug]:
    """Return the bugs, in the order of the file."""
    found = yaml.safe_load((Path(__file__).parent / "planted.yaml").read_text())
    return [Bug(one["bug"], one["in"], one["is"], one["becomes"], one["found_by"]) for one in found]
