"""Runs in an environment that has Meltano's Singer SDK: what a source reads, as messages of Singer on stdout.

It does what Meltano's wrapper around Airbyte's sources (tap-airbyte) does in native mode: the command's catalog becomes
Singer streams, its records pass the SDK, which brings each value to the type that the schema says. The wrapper itself
is in no package index and needs Python 3.10 or older.

Arguments: the source's command, and the files of its config and its configured catalog.
"""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

sdk: Any = import_module("singer_sdk")

command, config, configured = sys.argv[1:]
catalog = json.loads(Path(configured).read_text())
records = defaultdict(list)
arguments = [command, "read", "--config", config, "--catalog", configured]
for line in subprocess.run(arguments, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines():
    message = json.loads(line)
    if message["type"] == "RECORD":
        records[message["record"]["stream"]].append(message["record"]["data"])


class Stream(sdk.Stream):  # type: ignore[misc]
    """A stream of the source."""

    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:
        """Yield what the source has read."""
        del context
        yield from records[self.name]


class Tap(sdk.Tap):  # type: ignore[misc]
    """The source."""

    __module__ = "singer_sdk"  # the SDK looks for its own settings in the package of a tap
    name = "tap-vitally"
    config_jsonschema: Any = {"type": "object", "properties": {}}  # noqa: RUF012

    def discover_streams(self) -> list[Any]:
        """Return the streams of the catalog."""
        found = []
        for entry in catalog["streams"]:
            stream = Stream(self, entry["stream"]["json_schema"], entry["stream"]["name"])
            stream.primary_keys = [key for [key] in entry["stream"]["source_defined_primary_key"]]
            found.append(stream)
        return found


Tap(config={}).sync_all()
