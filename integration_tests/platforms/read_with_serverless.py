"""Runs in an environment that has airbyte-serverless: a connection that prints what a source reads.

Arguments: the source's command, its config as JSON, and the names of streams with commas between them.
"""

import json
import sys
from importlib import import_module

connections = import_module("airbyte_serverless.connections")

command, config, streams = sys.argv[1:]
connection = connections.Connection(
    {
        "source": {"executable": command, "config": json.loads(config), "streams": streams},
        "destination": {"connector": "print", "config": {}},
        "remote_runner": {"type": "cloud_run_job", "config": {}},
    }
)
connection.run()
