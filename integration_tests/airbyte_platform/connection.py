"""A connection and its jobs: which generations, and which configured catalog, each attempt has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace

from integration_tests.airbyte_platform.modes import (
    FULL_REFRESH_OVERWRITE,
    Destination,
    Json,
    Mode,
    NotOffered,
    Path,
    SourceStream,
    accepted_by_api,
    offered,
)
from integration_tests.airbyte_platform.replication import Renaming, Replication

SYNC = "sync"
MERGE = "refresh, records are kept"
TRUNCATE = "refresh, records are removed"
CLEAR = "clear"
JOBS = (SYNC, MERGE, TRUNCATE, CLEAR)


@dataclass(frozen=True)
class Selected:
    """A stream of a connection, and what was chosen for it.

    Attributes:
        stream: what the source's catalog shows.
        mode: one that is offered.
        primary_key: where the source defines none, the chosen one; in data activation the columns of matching keys.
        cursor_field: the chosen one, where the source defines none.
        object_name: in data activation, the object of the destination.
        fields: the selected columns, each with its name in the destination; None: all, as they are.
        keeps: the row filter, of a record's data as the source has it.
    """

    stream: SourceStream
    mode: Mode
    primary_key: Sequence[Path] = ()
    cursor_field: Path = ()
    object_name: str = ""
    fields: Mapping[str, str] | None = None
    keeps: Callable[[Json], bool] = field(default=lambda data: True)

    @property
    def keys(self) -> Sequence[Path]:
        """The primary key, with the source's own first: `CatalogConverter.generateDefaultConfiguration`."""
        return self.stream.source_defined_primary_key or self.primary_key

    @property
    def cursor(self) -> Path:
        """The cursor field, found likewise."""
        return self.cursor_field or self.stream.default_cursor_field


class Connection:
    """Streams of a source to a destination; keeps the generation of each stream, and counts its jobs."""

    def __init__(
        self,
        destination: Destination,
        *selected: Selected,
        renaming: Renaming | None = None,
        by_api: bool = False,
        resumes_full_refreshes: bool = False,
    ) -> None:
        """Save the connection.

        Args:
            destination: where to.
            selected: the streams.
            renaming: prefix and namespace; by default those of the form, which are none.
            by_api: it is made by the public API, which takes other modes than the form.
            resumes_full_refreshes: the feature flag platform.enable-resumable-full-refresh, off by default.

        Raises:
            NotOffered: the platform would not save it.
        """
        self.destination = destination
        self.selected = selected
        self.renaming = renaming or Renaming()
        self.resumes = resumes_full_refreshes and destination.supports_refreshes
        self.generations = dict.fromkeys((one.stream.name for one in selected), 0)
        self._jobs = 0
        for one in selected:
            self._check(one, by_api)

    def _check(self, one: Selected, by_api: bool) -> None:
        """Refuse what `SyncModeCell.tsx`, `validators.ts` and the public API do not take."""
        stream, destination = one.stream, self.destination
        possible = accepted_by_api(stream, destination) if by_api else offered(stream, destination, one.object_name)
        if one.mode not in possible:
            raise NotOffered(f"{stream.name}: no {one.mode}, only {', '.join(sorted(map(str, possible))) or 'nothing'}")
        if one.mode.dedups and not one.keys and destination.operations is None:
            raise NotOffered(f"{stream.name}: {one.mode} needs a primary key")
        if one.mode.sync_mode == "incremental" and not stream.source_defined_cursor and not one.cursor:
            raise NotOffered(f"{stream.name}: {one.mode} needs a cursor field")

    def job(self, kind: str = SYNC, attempt: int = 1, streams: Collection[str] = ()) -> Job:
        """Run a job up to an attempt, each before it having failed; return that one.

        Args:
            kind: one of `JOBS`.
            attempt: counted from one.
            streams: what is refreshed or cleared; all by default.
        """
        if kind in (MERGE, TRUNCATE) and not self.destination.supports_refreshes:
            raise NotOffered("the destination does not support refreshes")  # StreamRefreshesHandler
        self._jobs += 1
        names = frozenset(streams or self.generations) if kind != SYNC else frozenset()
        job = Job(self, kind, self._jobs, names, 1)
        for _ in range(attempt - 1):
            job = job.retried()
        return job


class Job:
    """One attempt of a job.

    Attributes:
        id: the number of the job, which all its attempts have.
        attempt: counted from one.
        from_start: the streams whose saved state was deleted before this attempt, so that the source reads all of them.
    """

    def __init__(self, connection: Connection, kind: str, identifier: int, streams: frozenset[str], attempt: int):
        """Begin an attempt: what is read anew gets a new generation, and loses its state (`AttemptHandler`)."""
        self.connection, self.kind, self.id, self.streams, self.attempt = connection, kind, identifier, streams, attempt
        selected = self._selected()
        whole = {one.stream.name for one in selected if one.mode.sync_mode == "full_refresh"}
        if attempt == 1:
            self.from_start = frozenset(whole | streams)
        else:
            # A refresh is not begun again; of full refreshes, those that cannot go on in the middle are.
            resumed = {one.stream.name for one in selected if one.stream.is_resumable and connection.resumes}
            self.from_start = frozenset(whole - resumed)
        for name in self.from_start:
            connection.generations[name] += 1  # GenerationBumper
        self._generations = dict(connection.generations)

    def retried(self) -> Job:
        """Let this attempt fail, and return the next."""
        return Job(self.connection, self.kind, self.id, self.streams, self.attempt + 1)

    @property
    def catalog(self) -> Json:
        """The configured catalog that the destination is given."""
        return {"streams": [self._configured(one) for one in self._selected()]}

    @property
    def source_catalog(self) -> Json:
        """The one that the source is given: its own names and columns, and modes of the first protocol only."""
        wide = replace(self.connection.destination, supports_refreshes=False)
        return {"streams": [self._of_source(one, wide) for one in self._selected()]}

    def delivered(
        self, messages: Iterable[Json] = (), source_succeeds: bool = True, saved_state: str | None = "STREAM"
    ) -> list[Json]:
        """Return what arrives on the destination's stdin until it ends.

        Args:
            messages: what the source prints, in its own names; a clear job has no source.
            source_succeeds: whether the source exits with 0.
            saved_state: of a clear job, the type of the state that was saved before, or None.
        """
        replication = Replication(self._selected(), self.connection.renaming)
        if self.kind == CLEAR:
            messages = replication.cleared(saved_state)
        completes = self.connection.destination.supports_refreshes
        return replication.delivered(messages, source_succeeds, completes)

    def _selected(self) -> list[Selected]:
        """The streams of the catalog; of a clear job what is cleared, each to be replaced (`CatalogTransforms`)."""
        if self.kind != CLEAR:
            return list(self.connection.selected)
        cleared = (one for one in self.connection.selected if one.stream.name in self.streams)
        return [replace(one, mode=FULL_REFRESH_OVERWRITE) for one in cleared]

    def _configured(self, one: Selected) -> Json:
        stream = one.stream
        shown = one.fields or {name: name for name in stream.properties}
        described: Json = {
            **self.connection.renaming.descriptor({"name": stream.name, "namespace": stream.namespace}),
            # DestinationCatalogGenerator makes it anew, from the columns that the mappers leave.
            "json_schema": {
                "$schema": "http://json-schema.org/schema#",
                "type": "object",
                "properties": {shown[name]: deepcopy(of) for name, of in stream.properties.items() if name in shown},
                "additionalProperties": True,
            },
        }
        return self._entry(one, described, self.connection.destination, shown)

    def _of_source(self, one: Selected, destination: Destination) -> Json:
        stream = one.stream
        wanted = [name for name in stream.properties if one.fields is None or name in {*one.fields, *one.cursor}]
        described: Json = {
            "name": stream.name,
            **({"namespace": stream.namespace} if stream.namespace is not None else {}),
            "json_schema": {
                "type": "object",
                "properties": {name: deepcopy(stream.properties[name]) for name in wanted},
            },
        }
        entry = self._entry(one, described, destination, {name: name for name in stream.properties})
        if entry["destination_sync_mode"] in ("update", "soft_delete"):
            entry["destination_sync_mode"] = "append"
        return entry

    def _entry(self, one: Selected, described: Json, destination: Destination, shown: Mapping[str, str]) -> Json:
        stream = one.stream

        def renamed(path: Path) -> list[str]:
            return [shown.get(path[0], path[0]), *path[1:]]

        cursor = one.cursor if one.cursor and one.cursor[0] in shown else ()  # else a mapper has taken it out
        entry: Json = {
            "stream": {
                **described,
                "supported_sync_modes": list(stream.supported_sync_modes),
                "source_defined_cursor": stream.source_defined_cursor,
                "default_cursor_field": renamed(stream.default_cursor_field) if stream.default_cursor_field else [],
                "source_defined_primary_key": [renamed(path) for path in stream.source_defined_primary_key],
                "is_resumable": stream.is_resumable,
            },
            "sync_mode": one.mode.sync_mode,
            "destination_sync_mode": written(one.mode.destination_sync_mode, destination.supports_refreshes),
            "cursor_field": renamed(cursor) if cursor else [],
            "primary_key": [renamed(path) for path in one.keys],
        }
        if one.object_name:
            entry["destination_object_name"] = one.object_name
        if self.connection.destination.supports_refreshes:  # else ReplicationInputHydrator asks without the job
            current = self._generations[stream.name]
            entry |= {"generation_id": current, "minimum_generation_id": current if self._replaces(one) else 0}
            entry["sync_id"] = self.id
        return entry

    def _replaces(self, one: Selected) -> bool:
        """Whether only this generation is to stay: `CatalogGenerationSetter`."""
        if self.kind in (TRUNCATE, CLEAR) and one.stream.name in self.streams:
            return True
        return one.mode.sync_mode == "full_refresh" and one.mode.destination_sync_mode.startswith("overwrite")


def written(destination_sync_mode: str, supports_refreshes: bool) -> str:
    """Return the word that a destination gets: `DefaultProtocolSerializer.replaceDestinationSyncModes`.

    One that supports refreshes never gets the word overwrite; generations say it.
    """
    if supports_refreshes:
        return destination_sync_mode.replace("overwrite_dedup", "append_dedup").replace("overwrite", "append")
    return destination_sync_mode.replace("overwrite_dedup", "overwrite")
