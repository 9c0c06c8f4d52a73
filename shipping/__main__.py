"""`make image`: build both images with the engine that is there, from the base image that can be had."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

from shipping.engines import PROGRAMS, Engine
from shipping.names import CONNECTORS, FOLDER, ROOT, SHIM, dependencies, image_name, pinned_base
from shipping.packages import ShippingError, can_install
from shipping.stand_in import IMAGE, private_podman, stand_in


def main() -> int:
    """Build the images; return 0, or 1 after saying why they cannot be built here."""
    parser = argparse.ArgumentParser(prog="python -m shipping", description=__doc__)
    parser.add_argument("--base-image", default="", help="default: the one the Dockerfile pins, else a stand-in")
    parser.add_argument(
        "--stand-in-suite", default="trixie", help="Debian release of the stand-in (default: %(default)s)"
    )
    parser.add_argument("--registry", default="", help="push the images below this, such as registry.example.com/team")
    options = parser.parse_args()
    begun = time.monotonic()
    try:
        engine, base = choose(options.base_image, options.stand_in_suite)
        _say(f"engine: {engine}")
        _say(f"base image: {base}")
        for target in (*map(dependencies, CONNECTORS), *CONNECTORS):
            engine.build(ROOT, image_name(target), target, BASE_IMAGE=base)
        if options.registry:
            push(engine, base, options.registry)
    except ShippingError as error:
        _say(str(error))
        return 1
    SHIM.unlink(missing_ok=True)
    if engine.runs_containers:
        engine.shim(SHIM)
    _say(f"built {' and '.join(map(image_name, CONNECTORS))} in {time.monotonic() - begun:.0f} s")
    return 0


def push(engine: Engine, base: str, registry: str) -> None:
    """Push both images below a registry's address, under their names; ShippingError if they stand on a stand-in."""
    if base.startswith(IMAGE):
        raise ShippingError(f"Not pushed to {registry}: the base image is a stand-in, which is for tests only.")
    for connector in CONNECTORS:
        name = f"{registry.rstrip('/')}/{image_name(connector).rsplit('/', 1)[1]}"
        engine.push(image_name(connector), name)
        _say(f"pushed {name}")


def choose(given: str, suite: str) -> tuple[Engine, str]:
    """Return the first engine that gets and runs the wanted base image, or else one that runs a stand-in.

    A base image that was asked for is never replaced by a stand-in.
    """
    wanted = given or pinned_base()
    for engine in _engines():
        if engine.obtains(wanted) and engine.runs(wanted):
            return engine, wanted
    if given:
        raise ShippingError(f"No engine here can get and run {given}.")
    _say(f"{wanted} cannot be had here. A stand-in of Debian packages takes its place, so that digest stays unproven.")
    # A real docker first; then the configuration that is known to work, before engines that may build and not run.
    for engine in sorted(_engines(), key=lambda engine: (engine.program != "docker", not engine.environment)):
        image = stand_in(engine, suite, FOLDER)
        if engine.runs(image):
            return engine, image
    raise ShippingError("No container engine works here. As root on Debian, podman would be installed and set up.")


def _engines() -> Iterator[Engine]:
    """The machine's own engines as they are set up, then podman with ours, where Debian's packages can be installed."""
    yield from (engine for engine in map(Engine, PROGRAMS) if engine.answers())
    if can_install():
        yield private_podman(FOLDER / "podman")


def _say(text: str) -> None:
    print(f"== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
