"""Keys that many different rows share, which most often is a default value where an id is missing."""

from __future__ import annotations

from collections.abc import Hashable

ROWS = 20
PERCENT = 5
"""A key with more different contents than this, and of more than so many rows of the stream, is pointed out."""

KEPT = 1_000
"""Of so many keys the rows are counted at once. A key of more than one row in a thousand is never missed."""


class RepeatedKeys:
    """Finds the keys of a stream that come with many different contents, in bounded memory (some 2 MB at most)."""

    def __init__(self) -> None:
        self._rows = 0
        self._counts: dict[Hashable, int] = {}
        self._contents: dict[Hashable, set[int]] = {}

    def add(self, key: Hashable, content: Hashable) -> None:
        """Count a row that is not dated: its key, and all that it says."""
        self._rows += 1
        if key not in self._counts and len(self._counts) >= KEPT:
            for known in [known for known, count in self._counts.items() if count == 1]:
                del self._counts[known], self._contents[known]
            for known in self._counts:
                self._counts[known] -= 1
            return
        self._counts[key] = self._counts.get(key, 0) + 1
        contents = self._contents.setdefault(key, set())
        if len(contents) <= ROWS:
            contents.add(hash(content))

    def found(self) -> list[tuple[Hashable, int]]:
        """Return the keys of too many contents, each with its number of rows (at least), the most frequent first."""
        shared = [
            (key, count)
            for key, count in self._counts.items()
            if len(self._contents[key]) > ROWS and count * 100 > self._rows * PERCENT
        ]
        return sorted(shared, key=lambda one: -one[1])

    def sentences(self, title: str) -> list[str]:
        """Return what the log says of each at the end of stream `title`."""
        return [
            f"Stream {title}: {count} rows of {self._rows} differ and have one key, {_named(key)}. In Vitally they "
            "are one row, with what the last of them says. Is it a default value where the id is missing?"
            for key, count in self.found()
        ]


def _named(key: Hashable) -> str:
    """Return an identity (object, names of the fields, their values) in words."""
    parts = key if isinstance(key, tuple) else (key,)
    half = (len(parts) + 1) // 2
    pairs = zip(parts[1:half], parts[half:], strict=True) if len(parts) % 2 else [("key", parts[-1])]
    return " and ".join(f"{name} '{value}'" for name, value in pairs)
