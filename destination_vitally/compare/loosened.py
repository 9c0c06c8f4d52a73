"""Whether Vitally shows a value that it may have stored otherwise than it was sent; pure.

What it does to values no page says. So blanks, case, fewer decimals, a day and its midnight, tags of HTML and the order
of a list make no difference here: a row that has the value like this has it, and nothing waits for more.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from typing import Any

from destination_vitally.compare.equality import instant, is_empty, same
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
    return _rounded(sent, shown) or _same_day(sent, shown)


def _lists_alike(sent: list[Any], shown: list[Any]) -> bool:
    left, unequal = list(shown), []
    for entry in sent:
        if entry in left:
            left.remove(entry)
        else:
            unequal.append(entry)
    for entry in unequal:
        place = next((place for place, other in enumerate(left) if alike(entry, other)), None)
        if place is None:
            return False
        del left[place]
    return all(any(alike(entry, other) for entry in sent) for other in left)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _rounded(sent: Any, shown: Any) -> bool:
    """Whether a number is another rounded to fewer decimals."""
    if isinstance(sent, str) and isinstance(shown, str):
        return False
    try:
        one, other = Decimal(str(numbers.number(sent))), Decimal(str(numbers.number(shown)))
    except ValueError:
        return False
    exponent = other.normalize().as_tuple().exponent
    return isinstance(exponent, int) and abs(one - other) <= Decimal(5).scaleb(min(exponent, 0) - 1)


def _same_day(sent: Any, shown: Any) -> bool:
    """Whether of two times one is the midnight that begins the day of the other; two numbers are no times."""
    if not isinstance(sent, str) and not isinstance(shown, str):
        return False
    one, other = instant(sent), instant(shown)
    if one is None or other is None or one.date() != other.date():
        return False
    return time.min in (one.time(), other.time())
