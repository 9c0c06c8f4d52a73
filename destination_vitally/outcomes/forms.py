"""The forms in which rejected records are kept: a line of JSON each, or a row of a table."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import orjson

COLUMNS = ("record", "reason", "status", "rejected_at")


@dataclass(frozen=True)
class Form:
    """How a file of rejected records is written: its suffix, what stands first, and a line of it.

    A line is made of the record as JSON, the reason, the HTTP status if there is one, and the time.
    """

    suffix: str
    header: bytes
    line: Callable[[bytes, str | None, int | None, str], bytes]


def _as_json(record: bytes, reason: str | None, status: int | None, rejected_at: str) -> bytes:
    why = orjson.dumps({"reason": reason, "status": status, "rejected_at": rejected_at})
    return b'{"record":%b,%b\n' % (record, why[1:])


def _as_row(*cells: object) -> bytes:
    text = io.StringIO()
    values = [cell.decode(errors="replace") if isinstance(cell, bytes) else cell for cell in cells]
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue().encode()


JSON_LINES = Form("jsonl", b"", _as_json)
CSV = Form("csv", _as_row(*COLUMNS), _as_row)
FORMS = {"JSONL": JSON_LINES, "CSV": CSV}
"""By the name that the configuration has for each."""


def records_of(contents: bytes) -> Iterator[bytes]:
    """Yield each line of a file of rejected records as JSON that has a `record`, whichever form the file has."""
    if not contents.startswith(CSV.header):
        yield from filter(bytes.strip, contents.splitlines())
        return
    csv.field_size_limit(sys.maxsize)  # a record may be long
    for row in csv.DictReader(io.StringIO(contents.decode(errors="replace"))):
        yield b'{"record":%b}' % (row["record"] or "").encode()
