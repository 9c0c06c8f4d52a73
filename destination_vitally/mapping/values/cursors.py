"""Which of two rows is newer, by the cursor of their stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from destination_vitally.mapping.values.times import moment, seconds_of

_INSTANT, _NUMBER, _TEXT = b"i", b"n", b"t"
_UNITS = 10**9
_BYTES = 15
_HALF = 1 << (8 * _BYTES - 1)
_LONGEST = 200


def cursor_of(row: Mapping[str, Any], path: Sequence[str]) -> bytes:
    """Return the cursor of a record as bytes that sort as it does among cursors of its type; none where it has none.

    The first byte is the type: an instant (to the microsecond), a number (to nine decimals), else a text. Of a text
    longer than 200 bytes the rest is left out, and a number from 27 digits on is no cursor.

    Args:
        row: the record as it arrived, mapped or not.
        path: where the cursor is in it, as a configured stream names it.
    """
    value: Any = row
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is None or isinstance(value, (bool, list, dict)) or not path:
        return b""
    written = str(value).strip()
    try:
        if isinstance(value, str):
            return _INSTANT + _sortable(round(seconds_of(moment(value)) * 1_000_000))
    except ValueError:
        pass
    try:
        return _NUMBER + _sortable(int(Decimal(written) * _UNITS))
    except OverflowError:
        return b""
    except (InvalidOperation, ValueError):
        return _TEXT + written.encode(errors="surrogatepass")[:_LONGEST] if written else b""


def is_older(cursor: bytes, kept: bytes) -> bool:
    """Tell whether a row is surely older than the one that is kept; equals and what cannot be compared are not."""
    return cursor[:1] == kept[:1] and cursor < kept


def _sortable(number: int) -> bytes:
    """Return a whole number as bytes that sort as it does."""
    return (number + _HALF).to_bytes(_BYTES, "big")
