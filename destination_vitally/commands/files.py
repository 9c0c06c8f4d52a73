"""The files that a command is given: configurations and configured catalogs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from destination_vitally.errors import ConfigError, describe
from destination_vitally.protocol import (
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
    DestinationSyncMode,
    SyncMode,
)
from vitally_api.catalogs import problem_of_catalog


def read_object(path: str, what: str) -> dict[str, Any]:
    """The JSON object in a file; ConfigError when there is none, without quoting the file."""
    try:
        found = orjson.loads(Path(path).read_bytes())
    except OSError as error:
        raise ConfigError(f"The {what} cannot be read: {error.strerror}: {path}") from None
    except orjson.JSONDecodeError:
        raise ConfigError(f"The {what} is not valid JSON: {path}") from None
    if not isinstance(found, dict):
        raise ConfigError(f"The {what} is not a JSON object: {path}")
    return found


def read_catalog(path: str) -> ConfiguredAirbyteCatalog:
    """The configured catalog in a file; ConfigError when it is not one."""
    text = Path(path).read_bytes() if Path(path).is_file() else b""
    if problem := problem_of_catalog(text):
        raise ConfigError(problem)
    found = read_object(path, "configured catalog")
    _check_modes(found)
    try:
        return ConfiguredAirbyteCatalogSerializer.load(found)
    except Exception as error:  # the serializer raises a family of its own
        raise ConfigError(f"The configured catalog is not as the protocol says: {describe(error)}") from None


def _check_modes(catalog: Mapping[str, Any]) -> None:
    """Refuse sync modes that nobody knows, in a sentence that lists those there are."""
    streams = catalog.get("streams")
    for configured in streams if isinstance(streams, list) else ():
        for setting, known in (("sync_mode", SyncMode), ("destination_sync_mode", DestinationSyncMode)):
            mode = configured.get(setting) if isinstance(configured, dict) else None
            modes = [one.value for one in known]
            if isinstance(mode, str) and mode not in modes:
                stream = configured.get("stream")
                name = stream.get("name") if isinstance(stream, dict) else None
                raise ConfigError(
                    f"stream '{name}': there is no {setting} '{mode}' in a configured catalog. It is one of "
                    f"{', '.join(modes)}."
                )
