"""The command line: `destination-vitally spec | check | discover | write`."""

from __future__ import annotations

import sys

from airbyte_cdk.logger import init_logger

from destination_vitally.destination import DestinationVitally


def run() -> None:
    """Run the destination with the arguments of the command line."""
    init_logger("airbyte")
    DestinationVitally().run(sys.argv[1:])
