"""Texts and ids. An id that many rows share by mistake, such as null, is refused."""

from __future__ import annotations

import re
from typing import Any

from destination_vitally.lines import Rounded
from destination_vitally.mapping.values.numbers import EXACT_UP_TO
from destination_vitally.objects.model import names


class VitallyId(str):
    """An id that Vitally gave out, as opposed to one of yours: in this workspace, or in the one a row was read from.

    `called` is the email or the name that goes with it, by which the same is found in another workspace.
    """

    called: str

    def __new__(cls, value: str, called: str = "") -> VitallyId:
        """Return the id; `called` is empty where the row does not say."""
        made = super().__new__(cls, value)
        made.called = called
        return made


EXACT_DIGITS = 15
"""So many digits of a decimal fraction a floating-point number keeps for sure."""

_OTHER_PLACES = frozenset((".", ".."))
"""What a path takes for a place instead of a name, even percent-encoded."""

_INVISIBLE = re.compile("^[\\s\u00ad\u200b-\u200d\u2060\ufeff]+|[\\s\u00ad\u200b-\u200d\u2060\ufeff]+$")
"""Blanks and characters of no width, which people copy along with an id."""

_PLACEHOLDERS = names(
    r"null undefined none nil nan nat n/a #n/a n.a. - -- — \n \\n <na> <null> (null) [null] #null! #ref! #value! "
    "#name? #div/0! #num! #error! pd.na {} [] () '' \"\""
) | {"[object object]", "not available", "not applicable"}
"""What programs write where they have no value, in lower case."""

_ZEROS = re.compile(r"[{(]?[0-]{24,}[)}]?")
"""A UUID or an ObjectId of nothing but zeros."""


def text(value: Any) -> str:
    """Return a text; a number becomes its digits, because ids are texts in Vitally whatever they are at home."""
    if type(value) is str:
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("must be a text")
    if isinstance(value, Rounded):
        return value.digits
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def identifier(value: Any) -> str:
    """Return an id as text, without what is invisible around it; what is not exact or is no name is refused."""
    if isinstance(value, float) and not _is_exact(value):
        raise ValueError("must be exact, and this number was rounded on its way: give it as a text")
    if type(value) is VitallyId:
        return value
    found = text(value).strip()
    if found and not (found[0].isalnum() and found[-1].isalnum()):
        found = _INVISIBLE.sub("", found)
    if found in _OTHER_PLACES:
        raise ValueError("must not be . or ..")
    return found


def key(value: Any) -> str:
    """Return an id that stands for one row: an `identifier` that is no placeholder."""
    found = identifier(value)
    if found.lower() in _PLACEHOLDERS or _ZEROS.fullmatch(found):
        raise ValueError(
            "must be an id, and this is a placeholder that many rows may share (such as null, undefined, N/A, or a "
            "UUID of zeros). If it is an id like any other, give it the Type (cast) text"
        )
    return found


def _is_exact(value: float) -> bool:
    if value.is_integer():
        return abs(value) < EXACT_UP_TO
    return len(repr(value).partition("e")[0].replace(".", "").strip("-0")) <= EXACT_DIGITS
