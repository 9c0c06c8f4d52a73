"""The command: journals are read, and what they say is undone, row by row."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import cache, partial
from typing import Any, NamedTuple

from destination_vitally.api.http import Apis
from destination_vitally.api.workspace import Workspace
from destination_vitally.clock import Clock
from destination_vitally.config import Config
from destination_vitally.errors import ConfigError, StoppedError
from destination_vitally.journal.recorder import Recorder
from destination_vitally.mapping.naming import PREFIX, placed
from destination_vitally.objects.model import Object
from destination_vitally.objects.table import BY_NAME, INSTANCE, OBJECTS
from destination_vitally.rows.known import Rows
from destination_vitally.send.rest import Rest
from destination_vitally.sync.lanes import Lanes
from destination_vitally.undo.deleting import Deleting
from destination_vitally.undo.links import Links
from destination_vitally.undo.looking import Looking
from destination_vitally.undo.reading import Trust, read
from destination_vitally.undo.report import Report
from destination_vitally.undo.restoring import Hands, Restoring, why_never
from destination_vitally.undo.rows import Row, rows_of
from vitally_api.names import STREAM_PREFIX, snake_case

logger = logging.getLogger("airbyte")


class Options(NamedTuple):
    """What is asked for besides the files."""

    is_dry_run: bool = False
    any_workspace: bool = False
    unsigned: bool = False


class Undo:
    """One run of the command."""

    def __init__(self, config: Config, apis: Apis, clock: Clock, options: Options, recorder: Recorder) -> None:
        """Prepare; sends nothing yet. `recorder` keeps the journal of the undo itself.

        Raises:
            ConfigError: the REST API key is missing.
        """
        if apis.rest is None:
            raise ConfigError("To undo, the REST API key (secret_token) is needed: rows are read and written with it.")
        self._trust = Trust(config.data_center.rest, config.secret_token or "", options.any_workspace, options.unsigned)
        self._workspace = Workspace(apis.rest)
        self._lanes = Lanes(config.num_workers, clock)
        rows = Rows(apis.rest, clock, self._lanes.again)
        assert rows.asking is not None  # there is a key
        self._report = Report(is_dry_run=options.is_dry_run)
        looking = Looking(rows, rows.asking)
        rest, is_dry_run = Rest(rows, rows.asking), options.is_dry_run
        self._recorder = recorder
        hands = Hands(looking, rest, self._report, recorder, now=clock.now, is_dry_run=is_dry_run)
        self._restoring = Restoring(hands)
        self._links = Links(hands, apis.analytics, clock)
        self._deleting = Deleting(hands, config, apis.rest, rows.memory.store, self._instances)
        self._anew: list[dict[str, Any]] = []

    def run(self, paths: Iterable[str], is_stopped: Callable[[], bool]) -> Iterator[dict[str, Any]]:
        """Undo what files say, and yield a RECORD for each row that has to be created anew.

        Raises:
            ConfigError: a file is refused; then nothing was done.
            OutageError: Vitally cannot be reached.
        """
        with closing(self._lanes):
            rows = rows_of(partial(read, [*paths], self._trust), cache(self._entry_of))
            try:
                self._undo(rows, is_stopped)
            except StoppedError:
                pass
            finally:
                for line in self._report.sentences():
                    logger.info(line)
                self._recorder.flush()
        if is_stopped():
            logger.warning("Stopped after SIGTERM, before the end. Run the same command again to go on.")
        yield from self._anew

    def _undo(self, rows: list[Row], is_stopped: Callable[[], bool]) -> None:
        created = [row for row in rows if row.first.is_created and not why_never(row)]
        there = [row for row in rows if not row.first.is_created or why_never(row)]
        self._each(((row, partial(self._restore, row)) for row in there if _says_more_than_links(row)), is_stopped)
        self._each(((row, partial(self._links.restore, row)) for row in there if row.links), is_stopped)
        self._links.wait(is_stopped)
        for jobs in self._deleting.jobs(created):
            self._each(jobs, is_stopped)

    def _each(self, jobs: Iterable[tuple[Row, Callable[[], None]]], is_stopped: Callable[[], bool]) -> None:
        """Do something with rows, several at once; all is done when it returns."""
        for row, job in jobs:
            if is_stopped():
                break
            self._lanes.submit([(row.entry.path, row.label), *([(row.entry.path, row.id)] if row.id else [])], job)
        self._lanes.finish()

    def _restore(self, row: Row) -> None:
        if data := self._restoring.restore(row):
            self._anew.append({"type": "RECORD", "record": {"stream": _stream_of(row.entry), "data": data}})

    def _entry_of(self, name: str) -> Object:
        entry = BY_NAME.get(name)
        if entry in OBJECTS and entry is not INSTANCE:
            return entry
        if name.startswith(PREFIX):
            return placed(replace(INSTANCE, name=name), self._workspace.named(name.removeprefix(PREFIX)))
        raise ConfigError(f"A journal names an object that Vitally does not have: {name[:100]!r}. Leave its file out.")

    def _instances(self) -> list[Object]:
        return [placed(INSTANCE, str(one["id"])) for one in self._workspace.definitions]


def _stream_of(entry: Object) -> str:
    """Return the name of a stream whose records become rows of an object without being mapped."""
    return entry.streams[0] if entry.streams else STREAM_PREFIX + snake_case(entry.name.removeprefix(PREFIX))


def _says_more_than_links(row: Row) -> bool:
    return bool(row.values or row.last.is_deleted or not row.links)
