"""What an undo has done, left alone and cannot do: counted, and each row named that is not as it was."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import Enum

MOST_LINES = 1_000
"""So many rows are named."""

LONGEST_LINE = 2_000
"""So many characters of a line are logged: names in files that nobody vouches for may be of any length."""


class Kind(Enum):
    """What became of a value or a row: in a real run, in a dry run, and whether it is named."""

    SET_BACK = ("values set back", "values would be set back", False)
    AS_BEFORE = ("values are as before", "values are as before", False)
    DELETED = ("rows deleted", "rows would be deleted", False)
    GONE = ("rows that were created are gone", "rows that were created are gone", False)
    BACK = ("rows brought back", "archived rows would be brought back, if Vitally does that", False)
    THERE = ("rows that were deleted are there", "rows that were deleted are there", False)
    UNLINKED = ("links taken out", "links would be taken out", False)
    LINKED = ("links made again", "links would be made again", False)
    LINK_AS_BEFORE = ("links are as before", "links are as before", False)
    PENDING = ("cannot be undone yet, Vitally took it a moment ago: run this again in ten minutes", "", True)
    CHANGED = ("left alone, changed since", "", True)
    EXTENDED = ("left alone, created by the sync and extended since", "", True)
    ELSEWHERE = ("left alone, no longer the row that was written", "", True)
    KEPT = ("left alone, created by the sync and not to be deleted", "", True)
    NEVER = ("cannot be undone", "", True)
    UNKNOWN = ("cannot be undone, not known what was there before", "", True)
    UNSEEN = ("cannot be undone, Vitally does not show it", "", True)
    UNWRITABLE = ("cannot be undone, Vitally does not let it be written", "", True)
    UNRESTORED = ("cannot be undone, the value of before was sent and Vitally shows another", "", True)
    REFUSED = ("cannot be undone, refused", "", True)
    LOST = ("cannot be undone, deleted for good: a message that creates it anew is in the output", "", True)

    @property
    def words(self) -> str:
        """What a line says of it."""
        return str(self.value[0])

    def counted(self, count: int, *, is_dry_run: bool) -> str:
        """Return what the last line says of so many."""
        return f"{count} {self.value[1] if is_dry_run and self.value[1] else self.words}"

    @property
    def is_named(self) -> bool:
        """Whether each row of it is named."""
        return bool(self.value[2])


class Report:
    """Keeps the account. Safe to use from several threads."""

    def __init__(self, *, is_dry_run: bool) -> None:
        self._is_dry_run = is_dry_run
        self._lock = threading.Lock()
        self._counts: Counter[Kind] = Counter()
        self._lines: list[str] = []
        self._unnamed = 0

    def add(self, kind: Kind, label: str, what: Iterable[str] = (), why: str = "") -> None:
        """Take what became of a row, or `what` became of some of its values; `why` is for a person."""
        names = list(what)
        with self._lock:
            self._counts[kind] += len(names) or 1
            if not kind.is_named:
                return
            if len(self._lines) >= MOST_LINES:
                self._unnamed += 1
                return
            more = f": {', '.join(names)}" if names else ""
            line = f"{label}: {kind.words}{more}{f' ({why})' if why else ''}"
            self._lines.append(line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}...")

    def sentences(self) -> Iterator[str]:
        """Yield what to log at the end."""
        yield from self._lines
        if self._unnamed:
            yield f"{self._unnamed} more are not named."
        prefix = "Dry run, nothing was sent. " if self._is_dry_run else ""
        counts = (kind.counted(self._counts[kind], is_dry_run=self._is_dry_run) for kind in Kind if self._counts[kind])
        yield f"{prefix}Undo: {'; '.join(counts) or 'there is nothing to undo'}."
