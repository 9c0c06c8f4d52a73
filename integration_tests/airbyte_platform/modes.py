"""Which modes a person can choose for a stream and a destination, in Airbyte's form and by its public API."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Json = dict[str, Any]
Path = Sequence[str]


class NotOffered(Exception):  # noqa: N818
    """Nobody can choose this in Airbyte; the text says what stands against it."""


class Mode(NamedTuple):
    """How a stream is read, and how it is written: what a connection keeps, before anything is translated."""

    sync_mode: str
    destination_sync_mode: str

    def __str__(self) -> str:
        words = {"append_dedup": "Append + Deduped", "overwrite_dedup": "Overwrite + Deduped"}
        written = words.get(self.destination_sync_mode, self.destination_sync_mode.capitalize().replace("_", " "))
        return f"{self.sync_mode.capitalize().replace('_', ' ')} | {written}"

    @property
    def dedups(self) -> bool:
        """Whether it needs a primary key."""
        return self.destination_sync_mode in ("append_dedup", "overwrite_dedup")


INCREMENTAL_APPEND_DEDUP = Mode("incremental", "append_dedup")
FULL_REFRESH_OVERWRITE = Mode("full_refresh", "overwrite")
INCREMENTAL_APPEND = Mode("incremental", "append")
FULL_REFRESH_APPEND = Mode("full_refresh", "append")
FULL_REFRESH_OVERWRITE_DEDUP = Mode("full_refresh", "overwrite_dedup")

MENU = (
    INCREMENTAL_APPEND_DEDUP,
    FULL_REFRESH_OVERWRITE,
    INCREMENTAL_APPEND,
    FULL_REFRESH_APPEND,
    FULL_REFRESH_OVERWRITE_DEDUP,
)
"""All that the menu of a stream ever shows, in its order: SUPPORTED_MODES of the webapp's `formConfig.tsx`."""

ACTIVATION = ("append", "append_dedup", "update", "soft_delete")
"""What data activation calls Insert, Upsert, Update and Soft delete: `SelectDestinationSyncMode.tsx`."""

BY_API = {
    "full_refresh": ("overwrite", "append", "overwrite_dedup", "update", "soft_delete"),
    "incremental": ("append", "append_dedup", "update", "soft_delete"),
}
"""What the public API has a name for: `ConnectionReadMapper.syncModesToConnectionSyncModeEnum`."""


@dataclass(frozen=True)
class SourceStream:
    """A stream as a source's catalog shows it; `properties` are its columns, by name, each with its schema."""

    name: str
    properties: Mapping[str, Json]
    namespace: str | None = None
    supported_sync_modes: Collection[str] = ("full_refresh", "incremental")
    source_defined_primary_key: Sequence[Path] = ()
    source_defined_cursor: bool = False
    default_cursor_field: Path = ()
    is_resumable: bool = False


@dataclass(frozen=True)
class Destination:
    """A destination as the platform knows it: by its spec, and by an entry in a registry if it has one."""

    declared: Collection[str]
    supports_refreshes: bool = False
    operations: Mapping[str, Collection[str]] | None = field(default=None)

    @classmethod
    def from_registry(cls, declared: Collection[str], supports_refreshes: bool = True) -> Destination:
        """One that a registry lists; `declared` are the spec's supported_destination_sync_modes."""
        return cls(declared, supports_refreshes)

    @classmethod
    def custom_docker(cls, declared: Collection[str]) -> Destination:
        """One that was added by its image: no registry says that it supports refreshes, or anything else.

        `ActorDefinitionHandlerHelper.defaultDefinitionVersionFromCreate`.
        """
        return cls(declared)

    @classmethod
    def data_activation(
        cls, declared: Collection[str], operations: Mapping[str, Collection[str]], supports_refreshes: bool = True
    ) -> Destination:
        """One whose entry in a registry has supportsDataActivation: it is always set up by objects and fields.

        Args:
            declared: the spec's supported_destination_sync_modes, which its form does not look at.
            operations: by object, the sync modes that its DESTINATION_CATALOG offers.
            supports_refreshes: what the entry says of that.
        """
        return cls(declared, supports_refreshes, operations)

    @property
    def modes(self) -> set[str]:
        """What it is said to support: `ConnectorDefinitionSpecificationHandler.getFinalDestinationSyncModes`."""
        found = set(self.declared)
        if self.supports_refreshes and {"append_dedup", "overwrite"} <= found:
            found.add("overwrite_dedup")
        return found


def offered(stream: SourceStream, destination: Destination, object_name: str = "") -> list[Mode]:
    """Return what the menu of a stream shows: `SyncModeCell.tsx`, and `SelectDestinationSyncMode.tsx` for an object."""
    if destination.operations is not None:
        of_object = destination.operations.get(object_name, ())
        return [Mode(read, write) for read in stream.supported_sync_modes for write in ACTIVATION if write in of_object]
    return [
        mode
        for mode in MENU
        if mode.sync_mode in stream.supported_sync_modes and mode.destination_sync_mode in destination.modes
    ]


def accepted_by_api(stream: SourceStream, destination: Destination) -> set[Mode]:
    """Return the modes with which the public API makes a connection.

    It has update and soft_delete where a spec declares them, and takes full refresh and overwrite without a look at
    the spec: `AirbyteCatalogHelper.validateStreamConfig`, `validCombinedSyncModes`.
    """
    return {FULL_REFRESH_OVERWRITE} | {
        Mode(read, write)
        for read in stream.supported_sync_modes
        for write in BY_API[read]
        if write in destination.modes
    }
