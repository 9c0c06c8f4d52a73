"""`make test-pythons`: the unit tests on every supported CPython that this machine has."""

from __future__ import annotations

import os
import shutil
import subprocess

import nox

PYTHONS = ["3.10", "3.11", "3.12", "3.13"]

# pyenv's shims start only versions that are switched on: switch on all there are.
if shutil.which("pyenv") and "PYENV_VERSION" not in os.environ:
    installed = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True, check=True).stdout
    os.environ["PYENV_VERSION"] = ":".join(reversed(installed.split()))

nox.options.error_on_missing_interpreters = False


@nox.session(python=PYTHONS)
def unit(session: nox.Session) -> None:
    """Install what is locked, then the project, and run the unit tests."""
    session.install("--quiet", "--no-deps", "--require-hashes", "--requirement", "locks/dev.lock")
    session.install("--quiet", "--no-deps", "--no-build-isolation", "--editable", ".")
    session.run("python", "-m", "pytest", "unit_tests", *session.posargs)
