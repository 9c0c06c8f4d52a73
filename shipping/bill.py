"""What each connector is shipped with: a bill of materials (CycloneDX) in `dist`, made by `make dist`.

It lists what the image has besides its base: the lock of a connector, for the base's Python, with hashes and licences.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from email.message import Message
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import NamedTuple, cast

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement

from shipping.names import CONNECTORS, DISTRIBUTIONS, LOCKS, ROOT, project
from shipping.packages import ShippingError

BASE = {
    "python_version": "3.13",
    "python_full_version": "3.13.0",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "sys_platform": "linux",
    "os_name": "posix",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
}
"""The Python of the base image, as markers of a lock ask for it."""

STRONG = re.compile(r"\bA?GPL|GNU (Affero )?General Public License", re.IGNORECASE)
"""Licences that an image labelled MIT must not carry. LGPL and MPL are none: they ask nothing of who only uses it."""


class Part(NamedTuple):
    """A package of a lock; `licence` as it says itself, or nothing where it is not installed here."""

    name: str
    version: str
    hashes: list[str]
    licence: str


def parts(lock: str) -> list[Part]:
    """Return what a lock installs beside the base image's Python, by name."""
    return [
        Part(one.name, str(one.specifier).removeprefix("=="), hashes, licence(one.name))
        for one, hashes in requirements(lock)
        if one.marker is None or one.marker.evaluate(BASE)
    ]


def requirements(lock: str) -> Iterator[tuple[Requirement, list[str]]]:
    """Yield each requirement of a lock, with the hashes (sha256) of its files."""
    for text in re.sub(r"\\\n\s+", "", (ROOT / lock).read_text()).splitlines():
        wanted, *hashes = text.split("--hash=sha256:")
        yield Requirement(wanted), [one.strip() for one in hashes]


def licence(name: str) -> str:
    """Return the licence that an installed package names, as an SPDX expression where it has one."""
    try:
        found = cast(Message, metadata(name))
    except PackageNotFoundError:
        return ""
    classified = [one.split(" :: ")[-1] for one in found.get_all("Classifier") or [] if one.startswith("License ::")]
    named = str(found.get("License") or "").strip().splitlines()
    return str(found.get("License-Expression") or (named and named[0]) or " OR ".join(classified) or "not named")


def bill(connector: str) -> str:
    """Return the bill of materials of a connector, as JSON.

    Raises:
        ShippingError: a part has a licence that the image must not carry, or names none.
    """
    described = project(DISTRIBUTIONS[connector])
    found = parts(LOCKS[connector])
    if wrong := [
        f"{one.name} ({one.licence})" for one in found if STRONG.search(one.licence) or one.licence == "not named"
    ]:
        raise ShippingError(f"The image of {connector} must not carry {', '.join(wrong)}: leave it out of the lock.")
    whole = _component(described["name"], described["version"], described["license"], ComponentType.APPLICATION)
    components = [_component(one.name, one.version, one.licence, hashes=one.hashes) for one in found]
    made = Bom(components=components)
    made.metadata.component = whole
    made.register_dependency(whole, components)
    return JsonV1Dot6(made).output_as_string(indent=2) + "\n"


def _component(
    name: str,
    version: str,
    licence: str,
    kind: ComponentType = ComponentType.LIBRARY,
    hashes: Iterable[str] = (),
) -> Component:
    purl = PackageURL("pypi", name=name, version=version)
    return Component(
        name=name,
        version=version,
        type=kind,
        purl=purl,
        bom_ref=str(purl),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in hashes],
        licenses=[LicenseFactory().make_from_string(licence)] if licence else [],
    )


def main(folder: Path = ROOT / "dist") -> int:
    """Write the bill of each connector; return 0, or 1 after saying what must not be shipped."""
    for connector in CONNECTORS:
        described = project(DISTRIBUTIONS[connector])
        path = folder / f"{described['name']}-{described['version']}.cdx.json"
        try:
            path.write_text(bill(connector))
        except ShippingError as error:
            print(f"== {error}", file=sys.stderr)
            return 1
        print(f"== {path.name}: {len(parts(LOCKS[connector]))} packages", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
