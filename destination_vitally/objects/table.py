"""The table of objects: what Vitally lets one write, and how. A new object is a new entry in one of its parts."""

from __future__ import annotations

from destination_vitally.objects.activities import ACTIVITIES
from destination_vitally.objects.companies import COMPANIES_AND_PEOPLE
from destination_vitally.objects.model import ID, Directory, Object, Operation, RestRoute, Route, Verb

OBJECTS = COMPANIES_AND_PEOPLE + ACTIVITIES
BY_NAME: dict[str, Object] = {entry.name: entry for entry in OBJECTS}
_READ: dict[Operation, tuple[Route, ...]] = {"upsert": (RestRoute(Verb.POST),)}
DIRECTORIES = {
    one: Object(one.title, "Only looked up", (ID,), _READ, (one.stream,), one.path) for one in Directory if one.stream
}
BY_NAME |= {entry.name: entry for entry in DIRECTORIES.values()}
INSTANCE = BY_NAME["custom_object/*"]
"""The entry that stands for the instances of any custom object."""


def rank(entry: Object) -> int:
    """Return how many generations of objects must be written before this one: 0 for what refers to nothing."""
    before = (*entry.written_after, *(f.refers for f in entry.references() if f.refers))
    return max((1 + rank(BY_NAME[name]) for name in before), default=0)
