"""The programs that `make test-platforms` brings together, each in an environment of its own, made from its lock."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from integration_tests.harness import Json, configured
from shipping.environments import environment
from shipping.names import LOCKS, ROOT, distribution_files

HERE = Path(__file__).parent
QUIET = {"AIRBYTE_OFFLINE_MODE": "1", "DO_NOT_TRACK": "1", "PYTHONPATH": ""}


@cache
def connector(name: str) -> Path:
    """The command of a connector, installed by its name."""
    return environment(name, ROOT / LOCKS[name], distribution_files(name)) / name


@cache
def tool(name: str) -> Path:
    """Where the programs of a tool are."""
    return environment(name, HERE / f"{name}.lock")


def run(*command: str | Path, folder: Path | None = None, **variables: str) -> str:
    """Run a program, see it succeed, and return what it printed.

    Programs beside it are found by name, as in an activated environment.
    """
    environment_variables = {
        **os.environ,
        **QUIET,
        "PATH": f"{Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        [str(part) for part in command],
        env={**environment_variables, **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=900,  # of a machine that has much else to do
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout + done.stderr


def messages(*command: str | Path) -> Iterator[Any]:
    """Run a command of a connector; yield its messages."""
    return map(orjson.loads, run(*command).splitlines())


def read(config: Json, folder: Path, *names: str) -> tuple[Path, dict[str, list[Json]]]:
    """Read streams (all by default) with the source; return the file of the catalog, and the rows by stream."""
    source = connector("source-vitally")
    (folder / "config.json").write_bytes(orjson.dumps(config))
    discovered = messages(source, "discover", "--config", folder / "config.json")
    [found] = [message["catalog"] for message in discovered if message["type"] == "CATALOG"]
    catalog = folder / "catalog.json"
    catalog.write_bytes(orjson.dumps(configured(found, names)))
    rows: dict[str, list[Json]] = {
        stream["name"]: [] for stream in found["streams"] if not names or stream["name"] in names
    }
    for message in messages(source, "read", "--config", folder / "config.json", "--catalog", catalog):
        if message["type"] == "RECORD":
            rows[message["record"]["stream"]].append(message["record"]["data"])
    return catalog, rows
