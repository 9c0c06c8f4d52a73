"""Folders for temporary files that are full, small, or cannot be written.

A limit of this process on the size of its files (`RLIMIT_FSIZE`) needs no rights and no mount: what would pass it
fails, as on a full disk, and the limit can be lifted again. A folder that nobody can write is mounted in a namespace of
a process's own, where the machine lets everybody do so; elsewhere the limit of 0 takes its place.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest.mock import patch

from integration_tests.harness import Json, Run, run_process
from integration_tests.sandbox import Maker, Sandbox

COMMAND = str(Path(sys.executable).parent / "destination-vitally")
MEGABYTE = 1024 * 1024
LIMITS = {"full from the start": (0, 0), "full after some requests": (0, 4), "1 MB": (MEGABYTE, 0)}
"""How many bytes a file may have, and after how many requests that begins to hold."""

READ_ONLY = """
mount --rbind /tmp /tmp && mount -o remount,bind,ro /tmp || exit 9
for folder in "$TMPDIR" /var/tmp /usr/tmp; do
  [ ! -d "$folder" ] || mount -t tmpfs -o ro none "$folder" || exit 9
done
cd "$TMPDIR" && exec "$@"
"""
"""Leaves a process no folder that SQLite or Python would take for temporary files."""


def set_limit(size: int) -> None:
    """Let no file of this process grow beyond some bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@contextmanager
def limited(sandbox: Sandbox, folder: Path, disk: str) -> Iterator[None]:
    """Let temporary files of this process be in `folder`, on such a disk."""
    size, after = LIMITS[disk]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    variables = {"TMPDIR": str(folder), "SQLITE_TMPDIR": str(folder)}
    filling = Maker(lambda _: set_limit(size), skip=after)
    with patch.dict(os.environ, variables), patch.object(tempfile, "tempdir", str(folder)):
        try:
            if after:
                sandbox.makers.add(filling)
            else:
                set_limit(size)
            yield
        finally:
            sandbox.makers.remove(filling)  # it may be left where there were fewer requests
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


@cache
def may_mount() -> bool:
    """Tell whether a process may have mounts of its own here."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return _in_namespace(Path(folder), ["true"]) == 0
        except OSError:
            return False


def _in_namespace(folder: Path, command: list[str]) -> int:
    return subprocess.run([*_namespace(folder), *command], check=False, capture_output=True, timeout=60).returncode


def _namespace(folder: Path) -> list[str]:
    script = f'export TMPDIR="{folder}" SQLITE_TMPDIR="{folder}"; {READ_ONLY}'
    return ["unshare", "--map-root-user", "--mount", "bash", "-c", script, "bash"]


def write_read_only(folder: Path, config: Json, streams: list[Json], messages: list[Json]) -> Run:
    """Run a sync in a process that can write no file at all."""
    nowhere = [*_namespace(folder)] if may_mount() else ["bash", "-c", 'ulimit -f 0; exec "$@"', "bash"]
    return run_process([*nowhere, COMMAND], "write", config=config, catalog={"streams": streams}, stdin=messages)
