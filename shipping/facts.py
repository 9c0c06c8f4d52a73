"""What `make docs` makes of tables whose last column people write: all but that, in the order that the page has."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from airbyte_cdk.models import AirbyteStream

from destination_vitally.commands.spec import connection_specification
from shipping.columns import OF_OBJECTS
from source_vitally import cdk
from source_vitally.source import SourceVitally
from source_vitally.workspace import CUSTOM_OBJECTS

_ROW = re.compile(r"^\|(?P<cells>.*)\| *(?P<words>[^|]*?) *\|$", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
_CONFIG = {
    "data_center": {"region": "custom", "rest_url": "http://127.0.0.1:1"},
    "secret_token": "sk_live_example_not_real",
}


def words_of(body: str, column: int) -> dict[str, str]:
    """Return what people have written in the last column, by the name that stands as code in another."""
    found = {}
    for row in _ROW.finditer(body):
        if name := _CODE.search(row["cells"].split("|")[column]):
            found[name[1]] = row["words"]
    return found


def streams(body: str) -> str:
    """The streams of the source with their modes, keys and cursors."""
    built = {stream.name: stream for stream in _streams()}
    words = words_of(body, 0)
    return table(
        ("Stream", "Sync modes", "Primary key", "Cursor", "What it is"),
        ((f"`{name}`", *_facts(built[name]), words.get(name, "")) for name in _in_order(words, built)),
    )


def settings_of_source(body: str) -> str:
    """The settings of the source."""
    return _settings(SourceVitally().spec(logging.getLogger()).connectionSpecification, body)


def settings_of_destination(body: str) -> str:
    """The settings of the destination."""
    return _settings(connection_specification(), body)


def _settings(spec: Mapping[str, Any], body: str) -> str:
    words = words_of(body, 1)
    shown = {name: field for name, field in spec["properties"].items() if not field.get("airbyte_hidden")}
    fields = sorted(shown.items(), key=lambda field: int(field[1]["order"]))
    return table(
        ("Field", "Key", "Default", "Meaning"),
        (
            (
                field["title"],
                f"`{name}`",
                "required" if name in spec["required"] else _default(field),
                words.get(name, ""),
            )
            for name, field in fields
        ),
    )


def _default(field: Mapping[str, Any]) -> str:
    if "default" not in field:
        return "none"
    default = field["default"]
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _streams() -> list[AirbyteStream]:
    source = SourceVitally(None, _CONFIG)
    source._config = {**source._config, CUSTOM_OBJECTS: [{"id": "", "streamName": OF_OBJECTS}]}
    names = {entry["name"] for entry in source.resolved_manifest["streams"]}
    return [stream.as_airbyte_stream() for stream in cdk.streams_of(source, {*names, OF_OBJECTS})]


def _facts(stream: AirbyteStream) -> tuple[str, str, str]:
    modes = ", ".join(mode.value.replace("_", " ") for mode in stream.supported_sync_modes)
    keys = ", ".join(f"`{name}`" for [name] in stream.source_defined_primary_key or [])
    return modes, keys, ", ".join(f"`{name}`" for name in stream.default_cursor_field or [])


def _in_order(words: Iterable[str], built: Iterable[str]) -> list[str]:
    there = set(built)
    return [*(name for name in words if name in there), *sorted(there - set(words))]


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown, of its titles and its cells."""
    titles = list(head)
    lines = [re.sub(r"\|  (?=\|)", "| ", f"| {' | '.join(line)} |") for line in (titles, *rows)]
    return "\n".join([lines[0], "|---" * len(titles) + "|", *lines[1:]])
