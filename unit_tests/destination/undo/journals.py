"""Lines of journals, and files of them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from destination_vitally.journal.journal import framed
from destination_vitally.journal.lines import Header, Intent, Link, Outcome, Value
from destination_vitally.lines import dumps
from destination_vitally.undo.reading import Trust

KEY = "sk_live_example"
HERE = "https://rest.example.com"
TRUST = Trust(HERE, KEY)
HEADER = Header(
    v=1,
    workspace=HERE,
    sync_id=7,
    attempt=0,
    started_at="2026-01-01T00:00:00.000Z",
    journal="changes",
    dry_run=False,
)


def value(name: str = "name", before: Any = "a", sent: Any = "b", *, known: bool = True) -> Value:
    """Return one value of a row; a trait has `traits.` in front of its name."""
    is_trait = name.startswith("traits.")
    plain = name.removeprefix("traits.")
    return Value(place="trait" if is_trait else "field", name=plain, known=known, before=before, sent=sent)


def intent(seq: int = 1, *values: Value, **more: Any) -> Intent:
    """Return an intent to update account `acme`."""
    said: dict[str, Any] = {
        "line": 1,
        "entry": 0,
        "stream": "s",
        "namespace": None,
        "object": "account",
        "operation": "update",
        "route": "rest",
        "key": {"externalId": "acme"},
        "id": None,
        "existed": True,
        "read_at": None,
        "values": list(values),
        "links": [],
        "row": None,
    }
    return Intent(seq=seq, **{**said, **more})


def outcome(seq: int = 1, said: str = "accepted", **more: Any) -> Outcome:
    """Return what became of an intent."""
    names = ("reason", "status", "effect", "id", "taken_at", "landed_at", "seen")
    fixed: dict[str, Any] = {"line": 1, "entry": 0, "stream": "s", "namespace": None, "object": "account", "label": "l"}
    return Outcome(seq=seq, outcome=said, **{**fixed, **dict.fromkeys(names), **more})


def link(own: str | None = "A", external_id: str | None = None, was: bool | None = False) -> Link:
    """Return a link to an account."""
    return Link(name="accountIds", id=own, external_id=external_id, was=was)


def file_of(path: Path, *lines: Intent | Outcome | bytes, header: Header = HEADER, key: str | None = KEY) -> str:
    """Write a file as a sync does; returns its path."""
    contents = [
        one if isinstance(one, bytes) else dumps({type(one).__name__.lower(): one.model_dump()}) + b"\n"
        for one in lines
    ]
    path.write_bytes(gzip.compress(framed(header.model_dump(), key)(contents)))
    return str(path)
