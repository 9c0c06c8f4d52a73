"""Hypothesis strategies for what comes from outside and is not as it should be."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st

from vitally_api.bounds import within

Json = Any
Found = TypeVar("Found")

SECRET = "sk_live_example_not_real"
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
"""How many examples of each kind; 0 leaves it to the test."""

LONGEST = 120.0
"""Seconds after which something hangs. Nothing here waits for real, so this is never near."""

TEXTS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "id", "../x?y=1#z", "\0"]
    ),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), TEXTS
)
JSON: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn, valid: Json) -> Json:
    """Return something valid in which a few values anywhere are replaced, removed or added."""
    found = {"all": copy.deepcopy(valid)}
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(list(_places(found))))
        if draw(st.integers(0, 3)) or holder is found:
            holder[key] = draw(JSON)
        elif isinstance(holder, dict):
            del holder[key]
            holder[draw(TEXTS)] = draw(JSON)
        else:
            holder.insert(key, draw(JSON))
    return found["all"]


def _places(value: Json) -> Any:
    """Yield every container in a value with each of its keys."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield value, key
        yield from _places(inner)


def in_time(action: Callable[[], Found]) -> Found:
    """Return or raise what the action does; TooSlowError when it hangs."""
    return within(LONGEST, action)
