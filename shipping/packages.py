"""Debian packages, installed when they are missing: `python -m shipping.packages PROGRAM...`."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys


class ShippingError(Exception):
    """Something cannot be made here; the message says why and what to do."""


def can_install() -> bool:
    """Whether Debian packages can be installed."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def require(*programs: str) -> None:
    """Install Debian packages named like the programs that are missing; ShippingError where that cannot be done."""
    missing = [program for program in programs if shutil.which(program) is None]
    if not missing:
        return
    if not can_install():
        raise ShippingError(f"Missing: {', '.join(missing)}. Install what has them and try again.")
    succeed("apt-get", "update", "--quiet")
    succeed("apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *missing)


def succeed(*command: str) -> None:
    """Run a command; ShippingError with the end of its output when it fails."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise ShippingError(f"{shlex.join(command)} failed:\n{done.stdout[-3000:]}")


if __name__ == "__main__":
    try:
        require(*sys.argv[1:])
    except ShippingError as error:
        sys.exit(str(error))
