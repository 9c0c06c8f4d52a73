"""How many rows a page is asked for: as many as Vitally gives, or fewer where these cannot be had, down to one."""

from __future__ import annotations

from dataclasses import dataclass, field

LARGEST = 100
_PAGES_UNTIL_LARGER = 10
_RETRIES, _RETRIES_OF_ONE = 4, 6


@dataclass
class PageSize:
    """The page size of one scan: halved by what fails, doubled by what goes well."""

    limit: int = LARGEST
    is_bound: bool = False
    """Whether a page cursor is refused beside another limit than that of the page it came with."""
    of_cursor: int | None = field(init=False, default=None)
    """The limit of the page that the cursor came with."""
    _too_large: int = field(init=False, default=2 * LARGEST)
    _good: int = field(init=False, default=0)

    @property
    def has_changed(self) -> bool:
        """Whether the page cursor came with a page of another size."""
        return self.of_cursor not in (None, self.limit)

    @property
    def is_reduced(self) -> bool:
        """Whether a page could not be had at its full size."""
        return self._too_large <= LARGEST

    @property
    def retries(self) -> int:
        """How often a page is tried again before less is asked for, or, of one row, before it is taken to be broken."""
        if self.limit == 1:
            return _RETRIES_OF_ONE
        return 1 if self.is_reduced else _RETRIES

    def halve(self) -> bool:
        """Ask for fewer rows; return False where it is one already."""
        if self.limit == 1:
            return False
        self._too_large, self._good, self.limit = self.limit, 0, self.limit // 2
        return True

    def went_well(self) -> None:
        """Take note of a page that came: ask for more, but only after a while for what was too much."""
        self.of_cursor = self.limit
        if self.is_bound:
            return
        self._good += 1
        if self._good >= _PAGES_UNTIL_LARGER:
            self._good, self._too_large = 0, min(2 * self._too_large, 2 * LARGEST)
        larger = min(LARGEST, 2 * self.limit)
        self.limit = larger if larger < self._too_large else self.limit

    def resume(self, limit: int) -> None:
        """Go on with a page cursor that came with a limit."""
        self.limit = self.of_cursor = limit

    def begin_again(self) -> None:
        """Forget the page cursor, because it goes with another limit: from now on the limit stays."""
        self.is_bound, self.of_cursor = True, None
