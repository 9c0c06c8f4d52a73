"""Bodies of requests as JSON; a value that cannot be said in JSON is its record's matter, and named."""

from __future__ import annotations

from typing import Any

from destination_vitally.errors import RejectedError
from destination_vitally.lines import dumps
from destination_vitally.mapping.change import Change, problem_of


def encoded(change: Change, body: Any, *, sort_keys: bool = False) -> bytes:
    """Return what is sent for a change, as JSON.

    Raises:
        RejectedError: a value of it cannot be sent; the text names its field.
    """
    try:
        return dumps(body, sort_keys=sort_keys)
    except MemoryError:
        raise
    except Exception as error:
        raise _culprit(change, error) from None


def _culprit(change: Change, error: Exception) -> RejectedError:
    for name, value in (*change.fields.items(), *change.open_values.items()):
        try:
            dumps(value)
        except Exception as own:
            return change.rejected(f"{name} {problem_of(own)}")
    return change.rejected(f"it {problem_of(error)}")
