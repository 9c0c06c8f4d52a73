"""What can be proved before a sync: keys, mappings, custom objects. Nothing here writes to Vitally."""

from __future__ import annotations

from collections.abc import Callable

from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from destination_vitally.api.http import Api, Apis
from destination_vitally.api.workspace import Workspace
from destination_vitally.config import Config, S3Storage
from destination_vitally.errors import ConfigError
from destination_vitally.mapping import plan
from destination_vitally.outcomes.store import open_bucket
from destination_vitally.protocol import AirbyteStream, ConfiguredAirbyteStream, DestinationSyncMode, SyncMode


def check(config: Config, reach: Callable[[Config], Apis]) -> None:
    """Prove that each key is good, that rejected records can be kept, and that what each mapping names exists.

    Args:
        reach: Gives the ways to Vitally that a configuration opens.

    Raises:
        ConfigError: what is wrong and what to do about it.
        OutageError: Vitally cannot be reached.
    """
    apis = reach(config)
    try:
        _prove(apis)
    except ConfigError as error:
        raise ConfigError(_keys_mixed_up(config, reach) or str(error.message)) from None
    if isinstance(config.object_storage_config, S3Storage):
        open_bucket(config.object_storage_config).prove()
    streams = [
        ConfiguredAirbyteStream(
            AirbyteStream(mapping.stream, {}, [SyncMode.full_refresh], namespace=mapping.namespace),
            SyncMode.full_refresh,
            DestinationSyncMode.append,
        )
        for mapping in {(mapping.stream, mapping.namespace): mapping for mapping in config.mappings}.values()
    ]
    plan.build(config, streams, Workspace(apis.rest), is_check=True)


def _prove(apis: Apis) -> None:
    if apis.rest:
        prove_rest(apis.rest)
    if apis.analytics:
        prove_analytics(apis.analytics)


def _keys_mixed_up(config: Config, reach: Callable[[Config], Apis]) -> str:
    """Say whether each API takes the key that is entered for the other; nothing if none does."""
    rest_key, analytics_key = config.secret_token, config.analytics_token
    apis = reach(config.model_copy(update={"secret_token": analytics_key, "analytics_token": rest_key}))
    rest_takes_it = apis.rest is not None and _is_taken(prove_rest, apis.rest)
    analytics_takes_it = apis.analytics is not None and _is_taken(prove_analytics, apis.analytics)
    if rest_key == analytics_key:
        if rest_takes_it or analytics_takes_it:
            own, other = ("REST", "Analytics") if rest_takes_it else ("Analytics", "REST")
            return (
                "REST API key (secret_token) and Analytics API key (analytics_token) hold the same key, that of the "
                f"{own} API. The {other} API has a key of its own: enter it, or leave its field empty."
            )
    elif rest_takes_it and analytics_takes_it:
        return (
            "The keys are swapped: what is in REST API key (secret_token) belongs into Analytics API key "
            "(analytics_token), and the other way round."
        )
    elif rest_takes_it:
        return (
            "Analytics API key (analytics_token) holds that of the REST API: enter it in REST API key (secret_token)."
        )
    elif analytics_takes_it:
        return (
            "REST API key (secret_token) holds that of the Analytics API: enter it in Analytics API key "
            "(analytics_token)."
        )
    return ""


def _is_taken(prove: Callable[[Api], None], api: Api) -> bool:
    try:
        prove(api)
    except AirbyteTracedException:
        return False
    return True


def prove_analytics(analytics: Api) -> None:
    """Send the Analytics API an empty batch: whatever it makes of it, it looks at the key first. Raises as `check`."""
    reply = analytics.send("POST", "/batch", b"[]")
    if reply.status == 404:
        raise ConfigError("There is no Analytics API at this address (HTTP 404). Check Data center (data_center).")


def prove_rest(rest: Api) -> None:
    """Ask the REST API for one row; raises as `check`."""
    reply = rest.send("GET", "/users?limit=1")
    if not reply.ok or not isinstance(reply.body, dict) or "results" not in reply.body:
        raise ConfigError(
            f"There is no REST API of Vitally at this address ({reply.reason}). Check Data center (data_center)."
        )
