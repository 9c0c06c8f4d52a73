"""Runs in an environment that has PyAirbyte: source-faker's users and purchases into a sandbox.

Arguments: address of the sandbox, REST key, Analytics key, the executables of source-faker and of
destination-vitally, and how many users.
"""

import os
import sys
from importlib import import_module
from pathlib import Path

os.environ.update(AIRBYTE_OFFLINE_MODE="1", DO_NOT_TRACK="1")

airbyte = import_module("airbyte")  # reads the environment when it is imported

url, rest_key, analytics_token, faker, vitally, count = sys.argv[1:]
source = airbyte.get_source(
    "source-faker",
    local_executable=Path(faker),
    config={"count": int(count), "seed": 1},
    streams=["users", "purchases"],
)
destination = airbyte.get_destination(
    "destination-vitally",
    local_executable=Path(vitally),
    config={
        "data_center": {"region": "custom", "rest_url": url, "analytics_url": url},
        "secret_token": rest_key,
        "analytics_token": analytics_token,
        "mappings": [
            {
                "stream": "users",
                "object": "user",
                "fields": [{"field": "externalId", "column": "id"}],
                "constants": [{"field": "accountIds", "value": "everyone"}],
            },
            {
                "stream": "purchases",
                "object": "event",
                "fields": [
                    {"field": "messageId", "column": "id"},
                    {"field": "userId", "column": "user_id"},
                    {"field": "timestamp", "column": "purchased_at"},
                ],
                "constants": [{"field": "event", "value": "order placed"}],
            },
        ],
    },
)
destination.check()
destination.write(source, cache=False)
