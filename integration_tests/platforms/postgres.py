"""A Postgres of the machine's own, in a folder, on a socket in it: for as long as a test needs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OTHER_USER = "nobody"
"""Who runs it where the tests run as root, which a Postgres refuses."""


def programs() -> Path | None:
    """Return where the programs of a Postgres are; None where there is none."""
    found = shutil.which("initdb") or next(iter(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None)
    return Path(found).resolve().parent if found else None


@contextmanager
def served() -> Iterator[Path]:
    """Make a database and serve it; yield the folder of its socket, which is its host."""
    found = programs()
    assert found is not None
    user = {"user": OTHER_USER} if os.getuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as name:
        if user:
            shutil.chown(name, OTHER_USER)
        data = f"{name}/data"

        def run(program: str, *arguments: str) -> None:
            command = [str(found / program), "-D", data, *arguments]
            subprocess.run(command, check=True, cwd=name, stdout=subprocess.DEVNULL, **user)  # type: ignore[call-overload]

        run("initdb", "--username=vitally", "--auth=trust", "--no-sync")
        run("pg_ctl", "start", "--wait", "--log", f"{name}/log", "-o", f"-k {name} -c listen_addresses= -c fsync=off")
        try:
            yield Path(name)
        finally:
            run("pg_ctl", "stop", "--mode=immediate")
