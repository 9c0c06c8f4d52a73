"""The command line: `destination-vitally spec | check | discover | write`."""

from __future__ import annotations

import gc
import sys

from airbyte_cdk.logger import init_logger

from destination_vitally.destination import DestinationVitally


def run() -> None:
    """Run the destination with the arguments of the command line."""
    init_logger("airbyte")
    # What is here by now stays to the end; the collector need not look through it again and again.
    gc.freeze()
    DestinationVitally().run(sys.argv[1:])
