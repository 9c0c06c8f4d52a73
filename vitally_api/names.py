"""The names that custom objects get as streams, so that what was read under a name is written back under it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from anyascii import anyascii

STREAM_PREFIX = "custom_object_"
LONGEST_NAME = 60
"""What the shortest limit of the usual warehouses (63) leaves, with room for a prefix of theirs."""


def snake_case(name: str) -> str:
    """Return a name in lower case with underscores: `dealRoom`, `Deal Room` and `deal-room!` are `deal_room`."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", anyascii(name))
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_") or "unnamed"


def cut(name: str, origin: str) -> str:
    """Return a name of at most `LONGEST_NAME` characters: a longer one ends with a part of the hash of its origin."""
    return name if len(name) <= LONGEST_NAME else with_hash(name, origin)


def with_hash(name: str, origin: str) -> str:
    """Return a name of at most `LONGEST_NAME` characters that ends with a part of the hash of its origin."""
    suffix = sha256(origin.encode()).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - len(suffix) - 1]}_{suffix}"


def possible_names(definition: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the stream names that a definition may have: plain, or with a part of its id, or with all of it."""
    machine_name = str(definition.get("name") or definition.get("label") or "")
    plain = cut(STREAM_PREFIX + snake_case(machine_name), machine_name)
    own = snake_case(str(definition["id"]))
    return plain, f"{plain[: LONGEST_NAME - 9]}_{own[:8]}", f"{plain[: max(LONGEST_NAME - len(own) - 1, 0)]}_{own}"


def stream_names(definitions: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return a unique stream name per definition id, made of the machine names.

    The oldest definition of a cleaned name has it plain, later ones carry a part of their id, so that a new custom
    object never renames the stream of an older one.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for definition in sorted(definitions, key=lambda found: (str(found.get("createdAt")), str(found["id"]))):
        name = next(name for name in possible_names(definition) if name not in taken)
        taken.add(name)
        names[definition["id"]] = name
    return names


def definition_of_stream(stream_name: str, definitions: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the custom object whose rows are read as the stream of this name, or None.

    A name with a part of an id in it may be of another workspace: then it is the only one here that needs such a part.
    """
    known, wanted = list(definitions), stream_name.lower()
    names = stream_names(known)
    alike = [one for one in known if names[one["id"]] == possible_names(one)[1] and _ends_as_one(wanted, one)]
    exact = next((found for found in known if names[found["id"]] == wanted), None)
    return exact or (alike[0] if len(alike) == 1 else None)


def _ends_as_one(name: str, definition: Mapping[str, Any]) -> bool:
    start = possible_names(definition)[1][:-8]
    return name.startswith(start) and re.fullmatch(r"[0-9a-f]{8}", name[len(start) :]) is not None
