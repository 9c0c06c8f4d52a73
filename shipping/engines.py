"""docker, podman and buildah as one thing that gets, runs and builds images."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shipping.packages import ShippingError

PROGRAMS = ("docker", "podman", "buildah")
PULL_TIMEOUT = 900
PROBE = ("python", "-c", "import sys, venv; print(sys.version_info)")


@dataclass(frozen=True)
class Engine:
    """A container engine; `environment` names its configuration where the machine's own does not work."""

    program: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        words = self._output("--version").replace(",", "").split()
        number = next((word for word in words if word[:1].isdigit()), "")
        return f"{self.program} {number}" + (" with a private configuration" if self.environment else "")

    @property
    def runs_containers(self) -> bool:
        """Whether tests can run images with it; buildah only builds them."""
        return self.program != "buildah"

    def answers(self) -> bool:
        """Whether it is there and, if it needs a service, that runs."""
        return shutil.which(self.program) is not None and self._succeeds("info", timeout=60)

    def obtains(self, image: str) -> bool:
        """Whether the image is here already or can be pulled."""
        present = ["inspect", "--type", "image", image] if self.program == "buildah" else ["image", "inspect", image]
        return self._succeeds(*present) or self._succeeds("pull", "--quiet", image, timeout=PULL_TIMEOUT)

    def runs(self, image: str) -> bool:
        """Whether a container of a Python image starts: engines that build may still be unable to run."""
        if self.runs_containers:
            return self._succeeds("run", "--rm", "--pull=never", image, *PROBE)
        name = "vitally-probe"
        try:
            return self._succeeds("from", "--pull-never", "--name", name, image) and self._succeeds(
                "run", name, "--", *PROBE
            )
        finally:
            self._succeeds("rm", name)

    def build(self, context: Path, tag: str, target: str | None = None, **arguments: str) -> None:
        """Build a target of the Dockerfile in a folder, never pulling; ShippingError when it fails."""
        command = ["build", "--tag", tag, *(["--target", target] if target else [])]
        command += [f"--build-arg={name}={value}" for name, value in arguments.items()]
        # docker takes images that are here unless told to pull.
        command += [] if self.program == "docker" else ["--pull-never"]
        if self._run(*command, str(context), quiet=False).returncode:
            raise ShippingError(f"{self.program} could not build {tag}: its reason is above.")

    def push(self, image: str, name: str) -> None:
        """Push an image under another name, which begins with its registry; ShippingError when it fails."""
        if self._run("tag", image, name, quiet=False).returncode or self._run("push", name, quiet=False).returncode:
            raise ShippingError(f"{self.program} could not push {name}: its reason is above. Is it logged in there?")

    def shim(self, path: Path) -> None:
        """Write an executable named as the caller likes that is this engine, configuration included."""
        exports = "".join(f"export {name}='{value}'\n" for name, value in self.environment.items())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{exports}exec '{shutil.which(self.program)}' \"$@\"\n")
        path.chmod(0o755)

    def _succeeds(self, *arguments: str, timeout: float = 120) -> bool:
        try:
            return self._run(*arguments, timeout=timeout).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def _output(self, *arguments: str) -> str:
        return self._run(*arguments).stdout

    def _run(
        self, *arguments: str, timeout: float | None = None, quiet: bool = True
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *arguments],
            env={**os.environ, **self.environment},
            capture_output=quiet,
            text=True,
            timeout=timeout,
            check=False,
        )
