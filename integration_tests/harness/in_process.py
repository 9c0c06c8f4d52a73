"""Runs a command of a connector in this process."""

from __future__ import annotations

import io
import logging
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import orjson
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.logger import AirbyteLogFormatter
from airbyte_cdk.models.airbyte_protocol_serializers import ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from destination_vitally import DestinationVitally
from integration_tests.harness.clock import QuickClock, settle
from integration_tests.harness.processes import as_files
from integration_tests.harness.runs import Json, Run
from source_vitally.run import messages as source_messages
from source_vitally.run import trace as source_trace
from unit_tests.source.quick import quick_start


def run_source(
    action: str, config: Any = None, catalog: Any = None, state: Any = None, *, level: int = logging.INFO
) -> Run:
    """Run a command of the source, whose manifest is not checked: every process does that."""
    run = Run()
    with tempfile.TemporaryDirectory() as folder, logged(run, level), redirect_stdout(_Printed(run)), quick_start():
        arguments = as_files(Path(folder), config=config, catalog=catalog, state=state)
        try:
            for line in source_messages([action, *arguments]):
                run.take(line)
        except Exception as error:
            _end(run, error)
            run.take(source_trace(error))
        saved = Path(folder, "config.json")
        run.saved_config = saved.read_text() if saved.exists() else ""
    run.assert_no_secret(config)
    return run


def run_destination(action: str, config: Any = None, catalog: Any = None, *, level: int = logging.INFO) -> Run:
    """Run a command of the destination; `write` is one without input, `write()` one with."""
    run = Run()
    destination = DestinationVitally(QuickClock())
    with tempfile.TemporaryDirectory() as folder, logged(run, level):
        arguments = as_files(Path(folder), config=config, catalog=catalog)
        try:
            for line in destination.run_cmd(destination.parse_args([action, *arguments])):
                run.take(line.decode())
        except Exception as error:
            run.take(filter_secrets(_end(run, error)))
    run.assert_no_secret(config)
    return run


def write(
    settings: Json,
    streams: Iterable[Json],
    messages: Iterable[Json | bytes],
    *,
    clock: Any = None,
    level: int = logging.INFO,
) -> Run:
    """Run one sync of the destination, whose waits take no time."""
    run = Run()
    lines = [message if isinstance(message, bytes) else orjson.dumps(message) for message in messages]
    with logged(run, level):
        try:
            for line in _given_back(settings, streams, [lines], clock):
                run.take(line.decode())
        except Exception as error:
            run.take(filter_secrets(_end(run, error)))
    settle()
    run.assert_no_secret(settings)
    return run


def write_chunks(
    settings: Json, streams: Iterable[Json], chunks: Iterable[list[bytes]], clock: Any = None
) -> Iterator[Json]:
    """Yield the states of one sync of the destination as they are given back; errors are raised.

    Its input comes in `chunks` of lines, as fast as they are made.
    """
    lines = _given_back(settings, streams, chunks, clock)
    return (orjson.loads(line) for line in lines)


def _given_back(
    settings: Json, streams: Iterable[Json], chunks: Iterable[list[bytes]], clock: Any = None
) -> Iterator[bytes]:
    catalog = ConfiguredAirbyteCatalogSerializer.load({"streams": list(streams)})
    return DestinationVitally(clock or QuickClock()).write_lines(settings, catalog, chunks)


@contextmanager
def logged(run: Run, level: int = logging.INFO) -> Iterator[None]:
    """Take the log into a run, as the platform gets it, and nowhere else."""
    logger = logging.getLogger("airbyte")
    before = logger.handlers, logger.propagate, logger.level
    logger.handlers, logger.propagate = [_Collector(run)], False
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.handlers, logger.propagate = before[0], before[1]
        logger.setLevel(before[2])


class _Printed(io.TextIOBase):
    """Takes what is printed, which is what the CDK does with a rewritten config."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._text = ""

    def write(self, text: str) -> int:
        *lines, self._text = (self._text + text).split("\n")
        for line in lines:
            self._run.take(line)
        return len(text)


class _Collector(logging.Handler):
    def __init__(self, run: Run) -> None:
        super().__init__()
        self.setFormatter(AirbyteLogFormatter())
        self._run = run

    def emit(self, entry: logging.LogRecord) -> None:
        self._run.take(self.format(entry))


def _end(run: Run, error: Exception) -> str:
    """Take note of an error and return what the handler of uncaught exceptions prints of it for a process."""
    run.error, run.exit_code = error, 1
    traced = error if isinstance(error, AirbyteTracedException) else AirbyteTracedException.from_exception(error)
    return AirbyteEntrypoint.airbyte_message_to_string(traced.as_airbyte_message())
