"""What can be proved before a sync: keys, mappings, custom objects. Nothing here writes to Vitally."""

from __future__ import annotations

from destination_vitally.config import Config, S3Storage
from destination_vitally.errors import ConfigError
from destination_vitally.mapping import plan
from destination_vitally.outcomes.store import open_bucket
from destination_vitally.protocol import AirbyteStream, ConfiguredAirbyteStream, DestinationSyncMode, SyncMode
from destination_vitally.transports.http import Api, Apis
from destination_vitally.transports.workspace import Workspace


def check(config: Config, apis: Apis) -> None:
    """Prove that each key is good, that rejected records can be kept, and that what each mapping names exists.

    Raises:
        ConfigError: what is wrong and what to do about it.
        OutageError: Vitally cannot be reached.
    """
    if apis.rest:
        prove_rest(apis.rest)
    if apis.analytics:
        # An empty batch: whatever Vitally makes of it, it has looked at the key first.
        reply = apis.analytics.send("POST", "/batch", b"[]")
        if reply.status == 404:
            raise ConfigError("There is no Analytics API at this address (HTTP 404). Check data_center.")
    if isinstance(config.object_storage_config, S3Storage):
        open_bucket(config.object_storage_config).prove()
    streams = [
        ConfiguredAirbyteStream(
            AirbyteStream(mapping.stream, {}, [SyncMode.full_refresh], namespace=mapping.namespace),
            SyncMode.full_refresh,
            DestinationSyncMode.append,
        )
        for mapping in config.mappings
    ]
    plan.build(config, streams, Workspace(apis.rest))


def prove_rest(rest: Api) -> None:
    """Ask the REST API for one row; raises as `check`."""
    reply = rest.send("GET", "/users?limit=1")
    if not reply.ok or not isinstance(reply.body, dict) or "results" not in reply.body:
        raise ConfigError(f"There is no REST API of Vitally at this address ({reply.reason}). Check data_center.")
