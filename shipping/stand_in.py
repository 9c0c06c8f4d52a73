"""What to do where there is neither a container engine nor a registry: Debian's podman, and a base of Debian packages.

The stand-in has the Python, the user and the places of Airbyte's python-connector-base, not its bytes. It proves the
Dockerfile and the connectors inside, not the digest the Dockerfile pins.
"""

from __future__ import annotations

import os
import shutil
import ssl
from pathlib import Path

from shipping.engines import Engine
from shipping.packages import require, succeed

IMAGE = "localhost/python-connector-base-stand-in"
PACKAGES = "python3,python3-venv,ca-certificates,adduser,tzdata"
UNNEEDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")
HOOKS = (
    "adduser --system --group --uid 1000 --no-create-home airbyte",
    "python3 -m venv /usr/local",
    "install --directory --owner=airbyte --group=airbyte /airbyte /config /secrets",
    "touch /etc/pip.conf",  # private_podman mounts the machine's over it
)
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"

CONTAINERS_CONF = """\
[containers]
netns = "host"
default_ulimits = ["nofile=8192:8192", "nproc=8192:8192"]
volumes = ["{certificates}:{inside}:ro", "{folder}/pip.conf:/etc/pip.conf:ro"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{folder}/tmp"
"""
STORAGE_CONF = """\
[storage]
driver = "overlay"
graphroot = "{folder}/storage"
runroot = "{folder}/run"
"""


def private_podman(folder: Path) -> Engine:
    """Debian's podman with settings that work without systemd, cgroup delegation and a network of its own.

    Its mounts let builds trust the certificates this machine trusts; no image contains them.
    """
    require("podman", "runc")
    folder.mkdir(parents=True, exist_ok=True)
    certificates = ssl.get_default_verify_paths().cafile or CERTIFICATES
    values = {"folder": folder, "certificates": Path(certificates).resolve(), "inside": CERTIFICATES}
    files = {"pip.conf": f"[global]\ncert = {CERTIFICATES}\n"}
    files |= {"containers.conf": CONTAINERS_CONF.format(**values), "storage.conf": STORAGE_CONF.format(**values)}
    for name, text in files.items():
        (folder / name).write_text(text)
    names = {"CONTAINERS_CONF": "containers.conf", "CONTAINERS_STORAGE_CONF": "storage.conf"}
    return Engine("podman", {variable: str(folder / name) for variable, name in names.items()})


def stand_in(engine: Engine, suite: str, folder: Path) -> str:
    """Make a base image from a Debian release's packages; return its name."""
    image = f"{IMAGE}:{suite}"
    context = folder / f"stand-in-{suite}"
    if not (context / "base.tar").exists():
        _make_file_system(suite, context)
    engine.build(context, image)
    return image


def _make_file_system(suite: str, context: Path) -> None:
    require("mmdebstrap")
    context.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).parent / "stand_in/Dockerfile", context)
    unfinished = context / "unfinished.tar"
    succeed(
        "mmdebstrap",
        f"--mode={'root' if os.geteuid() == 0 else 'unshare'}",
        "--variant=minbase",
        f"--include={PACKAGES}",
        '--aptopt=Apt::Install-Recommends "false"',
        *(f"--dpkgopt=path-exclude={path}" for path in UNNEEDED),
        *(f'--customize-hook=chroot "$1" {hook}' for hook in HOOKS),
        "--skip=output/dev",
        "--quiet",
        suite,
        str(unfinished),
    )
    unfinished.rename(context / "base.tar")
