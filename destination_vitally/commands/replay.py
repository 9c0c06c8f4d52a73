"""Rejected records, as they are kept in a bucket, turned back into messages: what was corrected is written again."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from destination_vitally.errors import ConfigError
from destination_vitally.lines import parse
from destination_vitally.outcomes.forms import records_of

GZIPPED = b"\x1f\x8b"


def replay(paths: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield a RECORD for each line of files of rejected records, gzipped or not, in their order.

    Raises:
        ConfigError: a file cannot be read, or a line of it holds no rejected record.
    """
    for path in paths:
        for number, line in enumerate(records_of(_contents(path)), start=1):
            yield {"type": "RECORD", "record": _record(path, number, line)}


def _contents(path: str) -> bytes:
    try:
        found = Path(path).read_bytes()
        return gzip.decompress(found) if found.startswith(GZIPPED) else found
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or "it is not whole"
        raise ConfigError(f"The file of rejected records cannot be read: {reason}: {path}") from None


def _record(path: str, number: int, line: bytes) -> dict[str, Any]:
    try:
        record = parse(line)["record"]
        if isinstance(record["stream"], str) and isinstance(record["data"], dict):
            return dict(record)
    except (ValueError, KeyError, TypeError):
        pass
    raise ConfigError(
        f"Row {number} of {path} is no rejected record: it must be JSON with a 'record' that has 'stream' and 'data'."
    )
