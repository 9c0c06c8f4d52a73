"""Which trait a name stands for: the path of a custom field, its label, or a plain trait; pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from destination_vitally.mapping.columns import folded
from vitally_api.traits import CustomField

CustomFields = Mapping[str, CustomField] | None
"""The custom fields of an object by their path; None when nobody can know them."""

PLAIN = "traits."
"""What a name begins with that stands for a plain trait, whatever custom fields there are."""


class Labels:
    """The custom fields of an object, by names that people have for them."""

    def __init__(self, known: CustomFields, plain: Callable[[], Collection[str]] = frozenset) -> None:
        """`plain` returns the traits that rows of the object have; it is asked only where a label could be meant."""
        self.known = known
        self._plain = plain
        self._known: Mapping[str, CustomField] = known or {}
        self._by_fold: dict[str, list[str]] = {}
        for path, field in self._known.items():
            for name in {folded(path), folded(path.rpartition(".")[2]), folded(field.label)} - {""}:
                self._by_fold.setdefault(name, []).append(path)

    def near(self, name: str) -> list[str]:
        """Return the paths that a name nearly is: path, its last member or label, in whatever spelling; not exactly."""
        return [] if name in self._known else self._by_fold.get(folded(name), [])

    def meant(self, name: str) -> tuple[str, list[str]]:
        """Return the trait that a name stands for, and the paths that it nearly is if it might stand for one of them.

        A path goes first, then a plain trait that rows have, then the label of one custom field.
        """
        if name.startswith(PLAIN) and name not in self._known:
            return name.removeprefix(PLAIN), []
        near = self.near(name)
        if not near or name in self._plain():
            return name, []
        labelled = [path for path in near if self._known[path].label == name]
        return (labelled[0], []) if len(labelled) == 1 else (name, near)
