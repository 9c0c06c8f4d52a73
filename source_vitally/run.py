"""Starts the source: `source-vitally spec | check | discover | read`."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.exception_handler import init_uncaught_exception_handler
from airbyte_cdk.logger import PRINT_BUFFER
from airbyte_cdk.models import ConnectorSpecification, FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_vitally.cdk import quieten
from source_vitally.config import require_valid
from source_vitally.memory import give_memory_back
from source_vitally.source import SourceVitally
from vitally_api.catalogs import problem_of_catalog

Loaded = TypeVar("Loaded")

_PRINTED_AT_ONCE = 100_000
_PRINTED_AFTER = 0.5


class Entrypoint(AirbyteEntrypoint):
    """The CDK's command line, with config errors that name the field and never quote its value."""

    @staticmethod
    def validate_connection(source_spec: ConnectorSpecification, config: Mapping[str, Any]) -> None:
        """Raise a config error that lists what is wrong with the config."""
        require_valid(config, source_spec.connectionSpecification)


def run(args: list[str] | None = None) -> None:
    """Run one command of the Airbyte protocol: messages to stdout, errors as TRACE messages with exit code 1."""
    logger = logging.getLogger("airbyte")
    init_uncaught_exception_handler(logger)
    quieten(logger)
    give_memory_back()
    # The CDK's own buffer, which log lines of other threads take too: past it they would land inside records.
    with PRINT_BUFFER, _printed_in_time():
        waiting = 0
        for message in messages(sys.argv[1:] if args is None else args):
            print(f"{message}\n", end="")
            waiting += len(message)
            if waiting > _PRINTED_AT_ONCE:  # the buffer is emptied by time, and takes four bytes a letter
                PRINT_BUFFER.flush()
                waiting = 0


@contextmanager
def _printed_in_time() -> Iterator[None]:
    """Print what waits in the buffer, which empties itself only when more comes: the next page may take minutes."""
    ended = Event()

    def flush() -> None:
        while not ended.wait(_PRINTED_AFTER):
            PRINT_BUFFER.flush()

    thread = Thread(target=flush, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def messages(args: list[str]) -> Iterator[str]:
    """Yield the messages of one command, each a line of JSON; errors are raised."""
    entrypoint = Entrypoint(_source(args))
    yield from entrypoint.run(entrypoint.parse_args(args))


def _source(args: list[str]) -> SourceVitally:
    config_path = AirbyteEntrypoint.extract_config(args)
    catalog = _load("catalog", SourceVitally.read_catalog, AirbyteEntrypoint.extract_catalog(args))
    config = _load("config", SourceVitally.read_config, config_path)
    state = _load("state", SourceVitally.read_state, AirbyteEntrypoint.extract_state(args))
    # Where the CDK saves a migrated config; it also sends it to the platform, so a read-only file is no obstacle.
    saved_at = config_path if config_path and os.access(config_path, os.W_OK) else None
    try:
        return SourceVitally(catalog, config, state, saved_at)
    except Exception:
        # The CDK works with the config before it validates it; what is wrong with it is the better error.
        if config is not None:
            Entrypoint.validate_connection(SourceVitally().spec(logging.getLogger("airbyte")), config)
        raise


def _load(what: str, read: Callable[[str], Loaded], path: str | None) -> Loaded | None:
    if not path:
        return None
    try:
        return read(path)
    except Exception as error:  # the CDK raises whatever its parsers raise
        discovered = problem_of_catalog(Path(path).read_bytes()) if what == "catalog" and Path(path).is_file() else None
        raise AirbyteTracedException(
            message=discovered
            or f"The {what} file cannot be read: it must be JSON of the shape that the Airbyte protocol gives it.",
            internal_message=f"Reading the {what} file: {type(error).__name__}",
            failure_type=FailureType.config_error,
        ) from None
