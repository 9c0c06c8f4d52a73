"""Virtual environments, each named after what is in it, so that one that is there already is used again.

They are made by uv, in seconds, where it is and reaches a package index; else by pip, which every Python brings.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable
from pathlib import Path

from shipping.names import ROOT

FOLDER = ROOT / "build/environments"
COMPLETE = "complete"


def environment(name: str, lock: Path | None = None, distributions: Iterable[Path | str] = ()) -> Path:
    """Return the folder of an environment's programs, made now unless it is there.

    Args:
        name: what it is called; an older one of this name with other contents is removed.
        lock: what is installed first, exactly as locked.
        distributions: wheels and sdists, or addresses that pip takes; with a lock nothing but they themselves is
            installed, else what they need too.
    """
    contents = hashlib.sha256(sys.version.encode())
    for part in [*([lock] if lock else []), *distributions]:
        contents.update(part.encode() if isinstance(part, str) else part.read_bytes())
    folder = FOLDER / f"{name}@{contents.hexdigest()[:12]}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{name}.lock").open("w") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)  # tests that run side by side may want the same one
        if not (folder / COMPLETE).exists():
            for older in FOLDER.glob(f"{name}@*"):
                shutil.rmtree(older)
            steps = [["--no-deps", "--require-hashes", "--requirement", str(lock)]] if lock else []
            if distributions:
                steps.append([*(["--no-deps"] if lock else []), *map(str, distributions)])
            if not _make_quickly(folder, steps):
                venv.create(folder, with_pip=True, clear=True)
                for step in steps:
                    subprocess.run([str(folder / "bin/python"), "-m", "pip", "install", "--quiet", *step], check=True)
            (folder / COMPLETE).touch()
    return folder / "bin"


def _make_quickly(folder: Path, steps: list[list[str]]) -> bool:
    """Whether the environment could be made by uv, which does not know how this machine's pip finds its index."""
    uv = Path(sys.executable).with_name("uv")
    commands = [["venv", "--python", sys.executable, str(folder)]]
    commands += [["pip", "install", "--python", str(folder / "bin/python"), *step] for step in steps]
    return uv.exists() and all(
        subprocess.run([str(uv), *command], capture_output=True, check=False).returncode == 0 for command in commands
    )
