"""What the images are called and built from, read where it is written down."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build/images"
SHIM = FOLDER / "bin/docker"
METADATA = {"source-vitally": "metadata.yaml", "destination-vitally": "destination_vitally/metadata.yaml"}
CONNECTORS = tuple(METADATA)
LOCKS = {name: f"locks/{name.removesuffix('-vitally')}.lock" for name in CONNECTORS}
"""What the image of a connector has, besides its code."""

CODE = "pyproject.toml"
DISTRIBUTIONS = {name: f"shipping/distributions/{name}/pyproject.toml" for name in CONNECTORS}
"""What is installed by name. It has no files: it asks for the distribution that has the code and both commands."""


def pinned_base() -> str:
    """The base image that the Dockerfile pins by tag and digest."""
    [base] = re.findall(r"^ARG BASE_IMAGE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    return str(base)


def image_name(target: str) -> str:
    """The name and tag that a target is built under: for a connector what its metadata says."""
    if target not in METADATA:
        return f"localhost/vitally-{target}"
    text = (ROOT / METADATA[target]).read_text()
    name, tag = (
        re.findall(rf"^  {key}: (\S+)$", text, re.MULTILINE)[0] for key in ("dockerRepository", "dockerImageTag")
    )
    return f"docker.io/{name}:{tag}"


def project(path: str) -> Any:
    """What a pyproject.toml says of its distribution."""
    toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    return toml.loads((ROOT / path).read_text())["project"]


def dependencies(connector: str) -> str:
    """The target with a connector's locked dependencies and nothing of ours: what its image's size is compared with."""
    return f"{connector}-dependencies"


def distribution_files(*connectors: str, suffix: str = ".whl") -> list[Path]:
    """What `make dist` made for these connectors: the code with both commands, and the name of each."""
    names = ["airbyte_vitally", *(f"airbyte_{connector.replace('-', '_')}" for connector in connectors)]
    return [next((ROOT / "dist").glob(f"{name}-[0-9]*{suffix}")) for name in names]
