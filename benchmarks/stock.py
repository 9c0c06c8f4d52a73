"""`stock.yaml` as a process: `python -m benchmarks.stock read --config … --catalog …`."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from airbyte_cdk.entrypoint import AirbyteEntrypoint, launch
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource


def main() -> None:
    """Run one command of the Airbyte protocol."""
    args = sys.argv[1:]
    catalog, config = AirbyteEntrypoint.extract_catalog(args), AirbyteEntrypoint.extract_config(args)
    source = ConcurrentDeclarativeSource(
        catalog=ConcurrentDeclarativeSource.read_catalog(catalog) if catalog else None,
        config=ConcurrentDeclarativeSource.read_config(config) if config else None,
        state=None,
        source_config=yaml.safe_load(Path(__file__).with_name("stock.yaml").read_text()),
    )
    launch(source, args)


if __name__ == "__main__":
    main()
