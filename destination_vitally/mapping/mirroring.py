"""Whether rows in Vitally that a stream lacks may be deleted: what the settings must say, and what the catalog must."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import NamedTuple

from destination_vitally.config import Config, StreamMapping
from destination_vitally.errors import ConfigError
from destination_vitally.objects.model import PARENT, Object, Operation
from destination_vitally.objects.table import INSTANCE, OBJECTS
from destination_vitally.protocol import ConfiguredAirbyteStream, DestinationSyncMode, SyncMode

logger = logging.getLogger("airbyte")

EVERYTHING = "delete_with_everything_below"

_NO_IDS = (
    "the platform asks to overwrite and gives no generation ids. Airbyte does so for a connector that was added by its "
    "image, and does not tell it whether the source was read to its end. Add the connector from a registry, which may "
    "be your own, whose entry says supportsRefreshes: true; or delete by rows that are marked as deleted"
)

PARENTS = {field.refers for entry in OBJECTS for field in entry.references() if field.name in PARENT}
"""The objects that unknown_parents makes."""


class Mirror(NamedTuple):
    """A stream whose object is to have no other rows.

    `doubt` says why this sync may not read the whole table; rows younger than `grace_hours` before the sync are kept.
    """

    doubt: str = ""
    grace_hours: int = 0


def is_mirrorable(entry: Object) -> bool:
    """Tell whether all rows of an object can be listed, identified by your id, and deleted."""
    is_listed = entry.is_listed or entry is INSTANCE
    return bool(is_listed and entry.field("externalId") and "delete" in entry.operations)


def mirror_of(
    config: Config,
    configured: ConfiguredAirbyteStream,
    entry: Object,
    operation: Operation,
    mapping: StreamMapping | None,
) -> Mirror | None:
    """Return how a stream is mirrored; None when it is not.

    Raises:
        ConfigError: it cannot be, or may not be.
    """
    chosen = mapping.missing_rows if mapping else "keep"
    if chosen == "keep":
        return None
    if problem := _problem(config, entry, operation, chosen):
        raise ConfigError(f"stream '{configured.stream.name}': Missing rows (missing_rows) is {chosen}, {problem}")
    logger.warning(
        "Stream %s: after a full refresh, rows of %s in Vitally that have an externalId and are not in it are deleted, "
        "if they are %d %% at most. Each delete %s.",
        *(configured.stream.name, entry.name, config.max_deletes_percent, entry.on_delete),
    )
    return Mirror(_doubt(configured), mapping.missing_rows_grace_hours if mapping else 0)


def _problem(config: Config, entry: Object, operation: Operation, chosen: str) -> str:
    """Say what keeps rows of an object from being deleted because they are missing, and what to do about it."""
    possible = ", ".join(o.name.replace("*", "<name>") for o in OBJECTS if is_mirrorable(o))
    problems = (
        (
            not is_mirrorable(entry),
            f"but which rows of {entry.name} are missing cannot be known. Set it to keep. Possible for: {possible}",
        ),
        (
            operation == "delete",
            "but the rows of the stream are deleted themselves. Set it to keep, or choose another operation",
        ),
        (
            not config.allow_deletes,
            "but deletes are switched off. Switch Allow deletes (allow_deletes) on if you mean it, or set Missing rows "
            "(missing_rows) to keep",
        ),
        (
            "secret_token" not in config.tokens,
            f"and to delete {entry.name}, the REST API key (secret_token) is needed",
        ),
        (
            entry.destroys_below and chosen != EVERYTHING,
            f"and each delete {entry.on_delete}. Set it to {EVERYTHING} if that is what you want, or to keep",
        ),
        (
            not entry.destroys_below and chosen == EVERYTHING,
            f"but nothing else is below {entry.name}. Set it to delete, or to keep",
        ),
        (
            entry.name in PARENTS and config.unknown_parents == "create",
            "and Unknown accounts and organizations (unknown_parents) is create, so a row of "
            f"{entry.name} is created and deleted in turn. Change one",
        ),
    )
    return next((text for is_so, text in problems if is_so), "")


def _doubt(configured: ConfiguredAirbyteStream) -> str:
    """Say why the catalog does not mean that the whole table is read, to replace what was there; nothing if it does."""
    ids = configured.generation_id, configured.minimum_generation_id, configured.sync_id
    if configured.destination_sync_mode is DestinationSyncMode.overwrite and None in ids:
        return _NO_IDS
    if configured.sync_mode is not SyncMode.full_refresh:
        return "it is read incrementally, not as a full refresh"
    if None in ids:
        return "the platform gives no generation ids, which would say that the whole table is read"
    if ids == (1, 1, 1):
        return "its generation ids are all 1, as PyAirbyte fills them in where it knows nothing"
    if not ids[1] or ids[0] != ids[1]:
        return "its generation ids do not ask to replace what earlier syncs wrote: choose Full refresh and Overwrite"
    return ""


def check_together(streams: Iterable[tuple[str, Object, Mirror | None]]) -> None:
    """Check that the streams that write one object agree on what becomes of missing rows.

    Args:
        streams: the title of each, its object, and how it is mirrored.

    Raises:
        ConfigError: they do not.
    """
    streams = list(streams)
    mirrored = {entry.path: title for title, entry, mirror in streams if mirror}
    for title, entry, mirror in streams:
        if not mirror and entry.path in mirrored:
            raise ConfigError(
                f"stream '{mirrored[entry.path]}': Missing rows (missing_rows) deletes rows of {entry.name} that are "
                f"in no stream, but stream '{title}' writes {entry.name} too and does not say so. Set it in the "
                "mappings of both, or of none: a row counts as missing only if it is in neither."
            )


def explain_deletes(config: Config, title: str, entry: Object, operation: Operation, marks: list[str]) -> None:
    """Log what a delete does to rows; `marks` are the columns that say of one that it was deleted."""
    which = "each record"
    if operation != "delete":
        if not marks or "delete" not in entry.operations:
            return
        which = f"each record with {marks[0]} set"
    if config.allow_deletes:
        logger.warning("Stream %s: %s %s.", title, which, entry.on_delete)
    else:
        off = "because Allow deletes (allow_deletes) is off"
        logger.warning("Stream %s: %s will be rejected, %s.", title, which, off)


def explain_truncation(configured: ConfiguredAirbyteStream, title: str, mirror: Mirror | None) -> None:
    """Log that a sync which asks to replace what was written deletes nothing."""
    minimum, current = configured.minimum_generation_id, configured.generation_id
    overwrites = configured.destination_sync_mode.value == "overwrite"
    if not mirror and (overwrites or (minimum and minimum == current)):
        logger.info(
            "Stream %s: the sync asks to replace what earlier syncs wrote. Vitally cannot be emptied, so the "
            "records are written as usual and nothing is deleted.",
            title,
        )
