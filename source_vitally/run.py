"""Starts the source: `source-vitally spec | check | discover | read`."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar

import orjson
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.exception_handler import assemble_uncaught_exception
from airbyte_cdk.logger import PRINT_BUFFER
from airbyte_cdk.models import ConnectorSpecification, FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_vitally import cdk
from source_vitally.auth import make_known
from source_vitally.config import require_valid
from source_vitally.memory import give_memory_back
from source_vitally.progress import HERE
from source_vitally.source import SourceVitally
from vitally_api.catalogs import problem_of_catalog
from vitally_api.ends import OUTPUT_CLOSED, TERMINATED
from vitally_api.masking import values_without_secrets, without_secrets

Loaded = TypeVar("Loaded")

_PRINTED_AT_ONCE = 100_000
_PRINTED_AFTER = 0.5
_RECORD = '{"type":"RECORD"'


class Entrypoint(cdk.Entrypoint):
    """The command line, with config errors that name the field and never quote its value."""

    @staticmethod
    def validate_connection(source_spec: ConnectorSpecification, config: Mapping[str, Any]) -> None:
        """Raise a config error that lists what is wrong with the config."""
        require_valid(config, source_spec.connectionSpecification)

    @staticmethod
    def set_up_secret_filter(config: Any, connection_specification: Mapping[str, Any]) -> None:
        """Make the secrets known, in more spellings than the CDK does."""
        make_known(config)


def run(args: list[str] | None = None) -> None:
    """Run one command of the Airbyte protocol: messages to stdout, errors as TRACE messages with exit code 1."""
    logger = logging.getLogger("airbyte")
    cdk.quieten(logger)
    give_memory_back()
    # The CDK's own buffer, which log lines of other threads take too: past it they would land inside records.
    with PRINT_BUFFER, _ended_by_others(), _printed_in_time():
        waiting = 0
        try:
            for message in messages(sys.argv[1:] if args is None else args):
                waiting += len(message)
                if len(message) > _PRINTED_AT_ONCE:
                    _print_past_buffer(message)
                else:
                    print(f"{message}\n", end="")
                if waiting > _PRINTED_AT_ONCE:  # the buffer is emptied by time, and takes four bytes a letter
                    PRINT_BUFFER.flush()
                    waiting = 0
        except Exception as error:
            logger.critical(error, exc_info=error)
            print(f"{trace(error)}\n", end="")
            sys.exit(1)


def _print_past_buffer(message: str) -> None:
    with PRINT_BUFFER.lock, _ended_unread():
        PRINT_BUFFER.flush()
        for text in (message, "\n"):
            sys.__stdout__.write(text)  # type: ignore[union-attr]


@contextmanager
def _ended_unread() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        os._exit(OUTPUT_CLOSED)


@contextmanager
def _ended_by_others() -> Iterator[None]:
    """End at once and in silence, after a whole line, where nobody reads any longer or the platform asks for it.

    Nothing is waited for: what threads still read comes again with the next sync.
    """
    flush = PRINT_BUFFER.flush

    def flush_or_end() -> None:
        with _ended_unread():
            flush()

    def end() -> None:
        PRINT_BUFFER.flush()
        os._exit(TERMINATED)

    PRINT_BUFFER.flush = flush_or_end  # type: ignore[method-assign]
    # In another thread, as this one may be in the middle of a line.
    before = signal.signal(signal.SIGTERM, lambda *_: Thread(target=end).start())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        PRINT_BUFFER.flush = flush  # type: ignore[method-assign]


@contextmanager
def _printed_in_time() -> Iterator[None]:
    """Print what waits in the buffer, which empties itself only when more comes: the next page may take minutes."""
    ended = Event()

    def flush() -> None:
        while not ended.wait(_PRINTED_AFTER):
            HERE.say()
            PRINT_BUFFER.flush()

    thread = Thread(target=flush, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        PRINT_BUFFER.flush()


def messages(args: list[str]) -> Iterator[str]:
    """Yield the messages of one command, each a line of JSON; errors are raised."""
    make_known()
    entrypoint = Entrypoint(_source(args))
    yield from map(_masked, entrypoint.run(entrypoint.parse_args(args)))


def trace(error: Exception) -> str:
    """Return the message that says what a command ended with."""
    message = assemble_uncaught_exception(type(error), error).as_airbyte_message()
    return _masked(AirbyteEntrypoint.airbyte_message_to_string(message))


def _masked(line: str) -> str:
    """Return a message without secrets. Records are as Vitally has them."""
    if line.startswith(_RECORD) or ("\\\\" not in line and without_secrets(line) == line):
        return line
    return orjson.dumps(values_without_secrets(orjson.loads(line), names=True)).decode()


def _source(args: list[str]) -> SourceVitally:
    config_path = AirbyteEntrypoint.extract_config(args)
    config = _load("config", SourceVitally.read_config, config_path)
    make_known(config)
    catalog = _load("catalog", SourceVitally.read_catalog, AirbyteEntrypoint.extract_catalog(args))
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
