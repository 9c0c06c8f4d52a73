"""Whether Vitally shows a value that it may have stored otherwise than it was sent; pure.

What it does to values no page says. So blanks, case, fewer decimals, a day and its midnight, tags of HTML and the order
of a list make no difference here: a row that has the value like this has it, and nothing waits for more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from destination_vitally.compare.equality import is_empty, same
from destination_vitally.mapping.values import lists, numbers


def alike(sent: Any, shown: Any, *, any_case: bool = False) -> bool:
    """Return whether what is shown may be what was sent, as it was stored."""
    if same(sent, shown, any_case=any_case):
        return True
    if is_empty(shown):
        return isinstance(sent, str) and not sent.strip()
    sent, shown = lists.structure(sent), lists.structure(shown)
    if isinstance(sent, Mapping) and isinstance(shown, Mapping):
        return all(alike(value, shown.get(name)) for name, value in sent.items())
    if isinstance(sent, list) and isinstance(shown, list):
        return _lists_alike(sent, shown)
    if isinstance(sent, str) and isinstance(shown, str) and _folded(sent) == _folded(shown):
        return True
    return _rounded(sent, shown)


def _lists_alike(sent: list[Any], shown: list[Any]) -> bool:
    left = list(shown)
    for entry in sent:
        place = next((place for place, other in enumerate(left) if alike(entry, other)), None)
        if place is None:
            return False
        del left[place]
    return all(any(alike(entry, other) for entry in sent) for other in left)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _rounded(sent: Any, shown: Any) -> bool:
    """Whether a number is another with fewer decimals."""
    try:
        one, other = numbers.number(sent), numbers.number(shown)
    except ValueError:
        return False
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    text = f"{other:f}".rstrip("0") if isinstance(other, float) else str(other)
    decimals = len(text.partition(".")[2])
    try:
        return abs(float(one) - float(other)) < 10.0**-decimals
    except OverflowError:
        return False
