"""The Airbyte face of the destination: commands in, protocol messages out."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airbyte_cdk.destinations import Destination
from airbyte_cdk.exception_handler import init_uncaught_exception_handler
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from destination_vitally import config as configuration
from destination_vitally.api.http import CHECK_PATIENCE, connect
from destination_vitally.api.workspace import Workspace
from destination_vitally.clock import Clock, SystemClock
from destination_vitally.commands.check import check
from destination_vitally.commands.discover import destination_catalog
from destination_vitally.commands.files import read_catalog, read_object
from destination_vitally.commands.input import Lines, chunks_from, chunks_of
from destination_vitally.commands.replay import replay
from destination_vitally.commands.spec import connection_specification
from destination_vitally.config import NoStorage
from destination_vitally.errors import ConfigError, InputError, OutageError, StoppedError
from destination_vitally.journal.journal import Journal
from destination_vitally.journal.recorder import Recorder
from destination_vitally.lines import dumps, parse
from destination_vitally.mapping import plan
from destination_vitally.masking import make_known, values_without_secrets, without_secrets
from destination_vitally.outcomes.forms import FORMS
from destination_vitally.outcomes.rejected import RejectedRecords
from destination_vitally.outcomes.store import RejectedStore, open_bucket
from destination_vitally.protocol import (
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteMessageSerializer,
    ConfiguredAirbyteCatalog,
    ConnectorSpecification,
    ConnectorSpecificationSerializer,
    Status,
    Type,
)
from destination_vitally.sync.writer import Writer
from destination_vitally.undo.undo import Options, Undo
from vitally_api.bounds import LONGEST_CHECK, TooSlowError, within
from vitally_api.ends import TERMINATED, end_unread

if TYPE_CHECKING:
    from destination_vitally.outcomes.bucket import Bucket

logger = logging.getLogger("airbyte")

RawMessage = dict[str, Any]

COMMANDS: dict[str, tuple[tuple[str, ...], str]] = {
    "spec": ((), "print the settings, as a JSON schema"),
    "check": (("config",), "try the settings; nothing is written to Vitally"),
    "discover": (("config",), "list the objects and operations of the workspace"),
    "write": (("config", "catalog"), "write the records that arrive on stdin"),
    "replay": ((), "print rejected records as messages, to be written again"),
    "undo": (("config",), "set back what syncs have changed, by their journals"),
}
"""What each command needs and does."""

UNDO_FLAGS = {
    "--dry-run": "send nothing, say what would be done",
    "--any-workspace": "take journals that name another address of the workspace",
    "--unsigned": "take journals that are not whole, or not signed with the key of the configuration",
}

SYNC_MODES = ["append", "overwrite", "append_dedup", "update", "soft_delete"]
"""What a connection may choose. Airbyte's menu offers nothing else; overwrite by itself deletes nothing."""

DOCUMENTATION = "https://docs.airbyte.com/integrations/destinations/vitally"
GRACE = 20.0
"""Seconds for finishing after SIGTERM; Kubernetes kills after 30."""


class DestinationVitally(Destination):
    """Writes the records of an Airbyte sync to Vitally."""

    def __init__(self, clock: Clock | None = None) -> None:
        """`clock` is what waits and deadlines go by; the real time when left out."""
        self._clock = clock or SystemClock()
        self._stop = threading.Event()

    # Commands

    def spec(self, logger: logging.Logger) -> ConnectorSpecification:
        """The settings, for Airbyte's form."""
        return ConnectorSpecificationSerializer.load(
            {
                "documentationUrl": DOCUMENTATION,
                "supportsIncremental": True,
                "supported_destination_sync_modes": SYNC_MODES,
                "connectionSpecification": connection_specification(),
            }
        )

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Prove the configuration without writing anything."""
        try:
            found = _settings(config)
            within(LONGEST_CHECK, lambda: check(found, lambda one: connect(one, self._clock, CHECK_PATIENCE)))
        except TooSlowError:
            message = (
                f"The check was broken off after {LONGEST_CHECK:.0f} s: what it asked had not been answered by then. "
                "Check Data center (data_center), Rejected records (object_storage_config) and the network; the log "
                "names who is waited for."
            )
            return AirbyteConnectionStatus(status=Status.FAILED, message=message)
        except AirbyteTracedException as error:
            return AirbyteConnectionStatus(status=Status.FAILED, message=without_secrets(str(error.message)))
        return AirbyteConnectionStatus(status=Status.SUCCEEDED)

    def discover(self, config: Mapping[str, Any]) -> RawMessage:
        """The objects and operations for a data-activation connection, as a DESTINATION_CATALOG message.

        The CDK's message class has no place for it, hence the raw form.
        """
        settings = _settings(config)
        found = destination_catalog(settings, connect(settings, self._clock, CHECK_PATIENCE))
        return dict(values_without_secrets(found))

    def write(
        self,
        config: Mapping[str, Any],
        configured_catalog: ConfiguredAirbyteCatalog,
        input_messages: Iterable[AirbyteMessage],
    ) -> Iterable[AirbyteMessage]:
        """Write messages handed over as objects; gives back the states whose records are done."""
        lines = (dumps(AirbyteMessageSerializer.dump(message)) for message in input_messages)
        for line in self.write_lines(config, configured_catalog, chunks_of(lines)):
            yield AirbyteMessageSerializer.load(parse(line))

    def write_lines(
        self,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        chunks: Iterable[list[bytes]],
    ) -> Iterator[bytes]:
        """Write messages as they come from the platform: lines of JSON, in chunks.

        The states given back are the original lines with their statistics put in, byte for byte: the platform looks
        for the `id` it added to each of them, and a cursor may be a number that no parser keeps.

        Raises:
            ConfigError: before the first record when the configuration or the catalog is wrong, later when
                Vitally refuses the key or a type of message.
            InputError: a line is not an Airbyte message.
            OutageError: Vitally cannot be reached.
        """
        settings = _settings(config)
        apis = connect(settings, self._clock)
        plans = plan.build(settings, catalog.streams, Workspace(apis.rest), now=self._clock.now)
        bucket = self._bucket(settings)
        rejected, recorder = self._rejected(settings, bucket), self._recorder(settings, bucket, plans)
        writer = Writer(plans, settings, apis, rejected, self._clock, recorder=recorder)
        failure: Exception | None = None
        try:
            yield from self._feed(writer, Lines(chunks))
            writer.finish(is_all=not self._stop.is_set())
            # What has its outcome is not held up by looking whether it has landed, nor by deleting what is missing.
            yield from writer.states()
            if not self._stop.is_set():
                writer.verify()
                writer.mirror(self._stop.is_set)
        except StoppedError:
            logger.warning("Out of time after SIGTERM: what has no outcome comes again with the next sync.")
        except Exception as error:
            failure = error
        finally:
            writer.close()
        # What was done before a failure is done: its states save the next sync that work.
        try:
            writer.store()
            yield from writer.states()
        except AirbyteTracedException as error:
            failure = failure or error
        for level, line in writer.summary():
            logger.log(level, line)
        if failure is not None:
            raise failure

    def _bucket(self, settings: configuration.Config) -> Bucket | None:
        storage = settings.object_storage_config
        is_idle = settings.dry_run and settings.journal == "none"
        return None if isinstance(storage, NoStorage) or is_idle else open_bucket(storage)

    def _rejected(self, settings: configuration.Config, bucket: Bucket | None) -> RejectedRecords:
        """Where rejected records go: into the log, and into the bucket if there is one and this is no dry run."""
        storage = settings.object_storage_config
        if bucket is None or isinstance(storage, NoStorage) or settings.dry_run:
            return RejectedRecords()
        return RejectedStore(bucket, self._clock, FORMS[storage.format.format_type])

    def _recorder(
        self, settings: configuration.Config, bucket: Bucket | None, plans: list[plan.StreamPlan]
    ) -> Recorder:
        """What keeps the journal: where there is a bucket, at least of what a mirror deletes."""
        if bucket is None:
            return Recorder()
        return Recorder(Journal(bucket, self._clock, settings, next((one.sync_id for one in plans), 0)))

    def _feed(self, writer: Writer, lines: Lines) -> Iterator[bytes]:
        number = 0
        for chunk in lines:
            for line in chunk:
                if self._stop.is_set():
                    return
                number += 1
                if line and not line.isspace():
                    writer.take(line, number)
                if writer.has_states:
                    writer.tick()
                    yield from writer.states()
            if self._stop.is_set():
                return
            writer.tick()
            yield from writer.states()

    # The process

    def parse_args(self, args: list[str]) -> argparse.Namespace:
        """The command and its files; the CDK's own parser knows no `discover` for destinations."""
        parser = argparse.ArgumentParser(prog="destination-vitally")
        commands = parser.add_subparsers(dest="command", required=True)
        for command, (files, purpose) in COMMANDS.items():
            subparser = commands.add_parser(command, help=purpose)
            for file in files:
                subparser.add_argument(f"--{file}", required=True, help=f"path of the {file} file, JSON")
        commands.choices["replay"].add_argument("files", nargs="+", help="a file out of the bucket of rejected records")
        commands.choices["undo"].add_argument("files", nargs="+", help="a file of a journal, out of the bucket")
        for flag, help_text in UNDO_FLAGS.items():
            commands.choices["undo"].add_argument(flag, action="store_true", help=help_text)
        return parser.parse_args(args)

    def run_cmd(self, parsed_args: argparse.Namespace) -> Iterator[bytes]:  # type: ignore[override]
        """Run one command; its messages as they go to stdout, each a line."""
        command = parsed_args.command
        if command == "spec":
            yield _dumped(AirbyteMessage(type=Type.SPEC, spec=self.spec(logger)))
            return
        if command == "replay":
            yield from map(dumps, replay(parsed_args.files))
            return
        config = read_object(parsed_args.config, "configuration")
        make_known(config)
        if command == "check":
            status = self.check(logger, config)
            yield _dumped(AirbyteMessage(type=Type.CONNECTION_STATUS, connectionStatus=status))
        elif command == "discover":
            yield dumps(self.discover(config))
        elif command == "write":
            catalog = read_catalog(parsed_args.catalog)
            yield from self.write_lines(config, catalog, chunks_from(_read_stdin))
        elif command == "undo":
            yield from map(dumps, self.undo(config, parsed_args))

    def undo(self, config: Mapping[str, Any], asked: argparse.Namespace) -> Iterator[RawMessage]:
        """Undo what journals say; gives back RECORDs of what has to be created anew.

        Raises:
            ConfigError: a file is refused, or the configuration is wrong: nothing was done.
            OutageError: Vitally cannot be reached.
        """
        settings = _settings(config)
        options = Options(asked.dry_run or settings.dry_run, asked.any_workspace, asked.unsigned)
        recorder = Recorder() if options.is_dry_run else self._recorder(settings, self._bucket(settings), [])
        started = Undo(settings, connect(settings, self._clock), self._clock, options, recorder)
        yield from started.run(asked.files, self._stop.is_set)

    def run(self, args: list[str]) -> None:
        """Run as a process: messages to stdout, one writer for them and for the log.

        A write and an undo heed SIGTERM; the other commands have nothing to finish, and end as any process does.
        """
        out = _Stdout(self._on_sigterm)
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(out)
        init_uncaught_exception_handler(logger)
        make_known()
        parsed = self.parse_args(args)
        if parsed.command in ("write", "undo"):
            signal.signal(signal.SIGTERM, self._on_sigterm)
        code = 0
        try:
            try:
                for line in self.run_cmd(parsed):
                    out.write_line(line)
            except (ConfigError, OutageError, InputError) as error:
                code = 1
                out.write_line(_trace(error))
        except BrokenPipeError:
            pass
        if out.is_closed:
            end_unread()
        if code:
            sys.exit(code)
        if self._stop.is_set():
            sys.exit(TERMINATED)

    def _on_sigterm(self, *_: Any) -> None:
        self._stop.set()
        if isinstance(self._clock, SystemClock):
            self._clock.stop_within(GRACE)


class _Stdout:
    """Whole lines to stdout, whoever writes them: workers log while states are given back."""

    def __init__(self, on_closed: Callable[[], None]) -> None:
        """`on_closed` is called when nobody reads any longer."""
        self._lock = threading.Lock()
        self._on_closed = on_closed
        self.is_closed = False

    def write(self, text: str) -> None:
        """Write what is logged; lost where nobody reads, as the log has nobody to tell."""
        with suppress(BrokenPipeError):
            self._write(text.encode(errors="replace"))

    def write_line(self, line: bytes) -> None:
        """Write a message as it is, whatever encoding the locale asks for.

        Raises:
            BrokenPipeError: nobody reads any longer.
        """
        self._write(line + b"\n")

    def _write(self, content: bytes) -> None:
        with self._lock:
            try:
                sys.stdout.buffer.write(content)
                sys.stdout.flush()
            except BrokenPipeError:
                self.is_closed = True
                self._on_closed()
                raise

    def flush(self) -> None:
        """Nothing to do: each write is flushed."""


def _settings(config: Mapping[str, Any]) -> configuration.Config:
    """Read a configuration whose secrets are known before anything is logged; raises `ConfigError`."""
    make_known(config)
    return configuration.read(config)


def _dumped(message: AirbyteMessage) -> bytes:
    return dumps(AirbyteMessageSerializer.dump(message))


def _trace(error: AirbyteTracedException) -> bytes:
    """Return what a person reads of an error: its sentence; where in our code it was found helps nobody."""
    message = dict(AirbyteMessageSerializer.dump(error.as_sanitized_airbyte_message()))
    said = values_without_secrets(message["trace"]["error"])
    message["trace"]["error"] = {name: said[name] for name in ("message", "internal_message", "failure_type")}
    return dumps(message)


def _read_stdin(size: int) -> bytes:
    # Not sys.stdin.buffer: the reading thread may still wait in it when the process ends.
    return os.read(0, size)
