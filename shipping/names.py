"""What the images are called and built from, read where it is written down."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build/images"
SHIM = FOLDER / "bin/docker"
METADATA = {"source-vitally": "metadata.yaml", "destination-vitally": "destination_vitally/metadata.yaml"}
DEPENDENCIES = "localhost/vitally-dependencies"
"""The base with the locked dependencies and nothing of ours: what the images' size is compared with."""


def pinned_base() -> str:
    """The base image that the Dockerfile pins by tag and digest."""
    [base] = re.findall(r"^ARG BASE_IMAGE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    return str(base)


def image_name(target: str) -> str:
    """The name and tag that a target is built under: for a connector what its metadata says."""
    if target not in METADATA:
        return DEPENDENCIES
    text = (ROOT / METADATA[target]).read_text()
    name, tag = (
        re.findall(rf"^  {key}: (\S+)$", text, re.MULTILINE)[0] for key in ("dockerRepository", "dockerImageTag")
    )
    return f"docker.io/{name}:{tag}"
