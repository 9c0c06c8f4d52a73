"""Runs in an environment that has PyAirbyte: a workspace into a DuckDB file, and from there into the destination.

Arguments: a JSON object with the `source` and `destination` executables, their configs, the `database` file and the
`streams`, and the streams of `ids`, if any, whose tables are replaced; without a destination it only reads. The last
line printed is how many records the source sent.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path

os.environ.update(AIRBYTE_OFFLINE_MODE="1", DO_NOT_TRACK="1")

airbyte = import_module("airbyte")  # reads the environment when it is imported
caches = import_module("airbyte.caches")

wish = json.loads(sys.argv[1])
source = airbyte.get_source(
    "source-vitally",
    local_executable=Path(wish["source"]),
    config=wish["source_config"],
    streams=wish["streams"],
)
source.check()
cache = caches.DuckDBCache(db_path=wish["database"], schema_name="vitally")
result = source.read(cache=cache)
if "ids" in wish:
    source.read(cache=cache, streams=wish["ids"], write_strategy="replace", force_full_refresh=True)
if "destination" in wish:
    destination = airbyte.get_destination(
        "destination-vitally",
        local_executable=Path(wish["destination"]),
        config=wish["destination_config"],
    )
    destination.check()
    destination.write(result)
print(f"processed: {result.processed_records}")
