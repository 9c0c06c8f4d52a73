"""What is wrong with a file that should hold a configured catalog: mostly it holds what discover prints."""

from __future__ import annotations

import json
from typing import Any

DISCOVERED = (
    "The catalog file holds what discover prints, which is not a configured catalog: it does not say which streams are "
    'wanted, and how. Write {"streams": [...]} with one of these for each stream that you want: {"stream": what '
    'discover prints, "sync_mode": "full_refresh" or "incremental", "destination_sync_mode": "append" or another}.'
)


def problem_of_catalog(text: bytes) -> str | None:
    """Return what to say of a file that is given as a configured catalog and is the answer of discover, else None.

    Args:
        text: the file: all that discover prints, a line per message, or the catalog out of it.
    """
    documents = _documents(text.decode(errors="replace"))
    return DISCOVERED if any(map(_is_discovered, documents)) else None


def _documents(text: str) -> list[Any]:
    """The JSON of a file: one document, or one in each of its lines."""
    for parts in ([text], text.splitlines()):
        try:
            return [json.loads(part) for part in parts if part.strip()]
        except ValueError:
            continue
    return []


def _is_discovered(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    if document.get("type") in ("CATALOG", "DESTINATION_CATALOG"):
        return True
    streams = document.get("streams")
    entries = streams if isinstance(streams, list) else []
    return any(isinstance(entry, dict) and "name" in entry and "stream" not in entry for entry in entries)
