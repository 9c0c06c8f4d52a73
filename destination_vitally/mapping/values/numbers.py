"""Numbers, and true and false: read from texts as well, refused where they would become another value."""

from __future__ import annotations

import math
import re
from typing import Any

from destination_vitally.lines import Rounded, is_rounded

EXACT_UP_TO = 2**53
"""From here on a floating-point number leaves whole numbers out."""

_LONGEST = 400
"""No number of more characters is one that a floating-point number can hold."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_TRUE = frozenset(("true", "t", "yes", "y", "1", "1.0"))
_FALSE = frozenset(("false", "f", "no", "n", "0", "0.0"))
_INEXACT = "must be exact, and a number of this size would be rounded: give it the Type (cast) text"


def number(value: Any) -> int | float:
    """Return a number, also one written as text: digits with a point, without signs between them.

    Raises:
        ValueError: it is none, or it is so large that Vitally's numbers would round it to another whole number.
    """
    found = parsed(value)
    is_long = abs(found) > EXACT_UP_TO
    if is_long and isinstance(value, str) and not _WHOLE.fullmatch(value.strip()):
        is_inexact = is_rounded(value.strip(), found)
    else:
        is_inexact = isinstance(found, Rounded) or (isinstance(found, int) and not is_exact(found))
    if is_inexact:
        raise ValueError(_INEXACT)
    return found


def parsed(value: Any) -> int | float:
    """Return a number, also one written as text, however exact. Raises as `number`."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    written = value.strip() if isinstance(value, str) and len(value) <= _LONGEST else ""
    if not _NUMBER.fullmatch(written):
        raise ValueError("must be a number")
    if _WHOLE.fullmatch(written):
        return int(written)
    found = float(written)
    if not math.isfinite(found):
        raise ValueError("must be a number")
    return int(found) if found.is_integer() and abs(found) <= EXACT_UP_TO else found


def is_exact(value: int) -> bool:
    """Tell whether a whole number stays itself as a floating-point number, as which Vitally holds numbers."""
    if -EXACT_UP_TO <= value <= EXACT_UP_TO:
        return True
    try:
        return int(float(value)) == value
    except OverflowError:
        return False


def sent_exactly(value: Any) -> Any:
    """Return a value of no known type, with whole numbers that would be rounded as texts of their digits."""
    if type(value) is int:
        return value if is_exact(value) else str(value)
    if isinstance(value, Rounded):
        return value.digits
    if isinstance(value, list):
        return [sent_exactly(entry) for entry in value]
    if isinstance(value, dict):
        return {name: sent_exactly(entry) for name, entry in value.items()}
    return value


def score(value: Any) -> int:
    """Return a whole number from 0 to 10, the scale of NPS."""
    try:
        parsed = number(value)
    except ValueError:
        parsed = -1
    if not 0 <= parsed <= 10 or parsed != int(parsed):
        raise ValueError("must be a whole number from 0 to 10")
    return int(parsed)


def boolean(value: Any) -> bool:
    """Return true or false, as people and databases write it."""
    word = str(value).strip().lower()
    if isinstance(value, (str, int, float)) and word in _TRUE | _FALSE:
        return word in _TRUE
    raise ValueError("must be true or false")
