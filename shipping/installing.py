"""`make install`: what is locked, into the environment that runs this, and how far it is. Needs nothing but Python."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from shipping.names import CONNECTORS, ROOT

LINES_OF_A_FAILURE = 20
EVERY = 25
"""Packages per line, where no terminal can show one line anew."""


def main(lock: Path) -> int:
    """Install what a lock names, then both commands from the repository; return 0, or pip's code after its reason."""
    print(f"== Installing what {lock.name} names; the first time this takes some minutes.", flush=True)
    total = len(re.findall(r"^\S+==", lock.read_text(), re.MULTILINE))
    code = _pip(["--require-hashes", "--requirement", str(lock)], total)
    code = code or _pip(["--no-build-isolation", "--editable", str(ROOT)], 1)
    if not code:
        programs = Path(sys.executable).parent
        print(f"== Installed: {' and '.join(str(programs / name) for name in CONNECTORS)}", flush=True)
    return code


def progress(lines: Iterable[str], total: int) -> Iterator[str]:
    """Yield how far pip is, from what it prints: one text per package that it has begun to fetch, one for the rest."""
    done = 0
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "Ignoring":  # locked for another Python or system
            total -= 1
        elif word in ("Collecting", "Processing", "Obtaining"):
            done += 1
            yield f"{done} of {total}: {Path(rest.split()[0]).name}"
        elif word == "Installing":
            yield f"{done} of {total}: unpacking"


def _pip(arguments: list[str], total: int) -> int:
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--progress-bar=off", *arguments]
    last: deque[str] = deque(maxlen=LINES_OF_A_FAILURE)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        assert pip.stdout is not None
        for number, text in enumerate(progress(_remembered(pip.stdout, last), total)):
            if sys.stdout.isatty():
                print(f"\r\033[K   {text}", end="", flush=True)
            elif number % EVERY == 0:
                print(f"   {text}", flush=True)
    if sys.stdout.isatty():
        print("\r\033[K", end="", flush=True)
    if pip.returncode:
        print("".join(last), end="", file=sys.stderr)
    return pip.returncode


def _remembered(lines: Iterable[str], last: deque[str]) -> Iterator[str]:
    for line in lines:
        last.append(line)
        yield line


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
