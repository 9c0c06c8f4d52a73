"""`make advisories`: which packages of the locks have known advisories, asked of OSV (https://osv.dev), once per lock.

Nothing but names and versions is sent. Where OSV cannot be reached, a lock counts as not checked, and that is said.
"""

from __future__ import annotations

import sys
from typing import Any

import requests

from shipping.bill import requirements
from shipping.names import LOCKS

ADDRESS = "https://api.osv.dev/v1/querybatch"
CHECKED = (*LOCKS.values(), "locks/dev.lock")
TIMEOUT = 30


def main() -> int:
    """Print what was found; return 1 if anything was, 0 if nothing was or nothing could be asked."""
    found = 0
    for lock in CHECKED:
        packages = [(one.name, str(one.specifier).removeprefix("==")) for one, _ in requirements(lock)]
        try:
            advisories = known(packages)
        except (requests.RequestException, ValueError) as error:
            print(f"{lock}: not checked ({type(error).__name__} of {ADDRESS})")
            continue
        for package, ids in advisories.items():
            print(f"{lock}: {package}: {', '.join(ids)}")
        print(f"{lock}: {len(packages)} packages checked, {len(advisories)} with known advisories")
        found += len(advisories)
    return 1 if found else 0


def known(packages: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the ids of known advisories, by package as `name==version`.

    Raises:
        requests.RequestException: OSV cannot be reached, or answers with an error.
        ValueError: it answers with something else than a result per package.
    """
    queries = [{"version": version, "package": {"ecosystem": "PyPI", "name": name}} for name, version in packages]
    response = requests.post(ADDRESS, json={"queries": queries}, timeout=TIMEOUT)
    response.raise_for_status()
    answer: Any = response.json()
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(results, list) or len(results) != len(packages):
        raise ValueError("not a result per package")
    return {
        f"{name}=={version}": [one["id"] for one in result["vulns"]]
        for (name, version), result in zip(packages, results, strict=True)
        if result.get("vulns")
    }


if __name__ == "__main__":
    sys.exit(main())
