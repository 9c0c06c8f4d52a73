"""Runs a connector's image as a platform on Kubernetes does: not as root, nothing writable but /tmp, no privilege."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from integration_tests.harness import Json, Run, as_files
from shipping.names import SHIM, image_name

TIMEOUT = 180
CONFINED = [
    "run", "--rm", "--interactive", "--pull=never", "--network=host", "--read-only", "--tmpfs=/tmp",
    "--cap-drop=ALL", "--security-opt=no-new-privileges",
]  # fmt: skip
KINDS = {"LOG", "SPEC", "CONNECTION_STATUS", "CATALOG", "RECORD", "STATE", "TRACE", "CONTROL", "DESTINATION_CATALOG"}


def engine(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run the engine that built the images."""
    return subprocess.run(
        [str(SHIM), *arguments], input=given, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )


def inspect(target: str) -> Json:
    """Return what the engine knows of a target's image."""
    done = engine("image", "inspect", image_name(target))
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)[0])


def inside(target: str, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run another program than the connector inside its image."""
    return engine(*CONFINED, f"--entrypoint={program}", image_name(target), *arguments)


def run_image(target: str, action: str, stdin: Iterable[str] = (), **files: Any) -> Run:
    """Run one command of a connector with `files` (config, catalog, state) mounted, and `stdin` as its input.

    Everything on stdout must be a message.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # the user inside is not the one outside
        arguments = as_files(folder, seen_at=Path("/secrets"), **files)
        mount = f"--volume={folder}:/secrets:ro,z"
        command = [*CONFINED, mount, image_name(target), action, *arguments]
        done = engine(*command, given="".join(f"{line}\n" for line in stdin))
    run = Run(exit_code=done.returncode, stderr=done.stderr)
    for line in done.stdout.splitlines():
        run.take(line)
    assert {message["type"] for message in run.messages} <= KINDS, done.stdout
    return run


def seconds(target: str, *command: str) -> float:
    """Return the time of a container of the image from start to end; an entry point other than its own comes first."""
    begun = time.perf_counter()
    done = inside(target, *command) if len(command) > 1 else engine(*CONFINED, image_name(target), *command)
    assert done.returncode == 0, done.stderr
    return time.perf_counter() - begun
