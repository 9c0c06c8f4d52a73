"""What can be proved before a sync: keys, mappings, custom objects. Nothing here writes to Vitally."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from . import plan
from .config import Config
from .errors import ConfigError
from .http import Api, Apis
from .mapping import snake_case
from .protocol import AirbyteStream, ConfiguredAirbyteStream, DestinationSyncMode, SyncMode
from .references import all_rows


def check(config: Config, apis: Apis) -> None:
    """Prove that each key is good, and that each mapping names an object, operation and fields that exist.

    Raises:
        ConfigError: what is wrong and what to do about it.
        Outage: Vitally cannot be reached.
    """
    if apis.rest:
        reply = apis.rest.send("GET", "/users?limit=1")
        if not reply.ok:
            raise ConfigError(f"There is no REST API at this address ({reply.reason}). Check data_center.")
    if apis.analytics:
        # An empty batch: whatever Vitally makes of it, it has looked at the key first.
        reply = apis.analytics.send("POST", "/batch", b"[]")
        if reply.status == 404:
            raise ConfigError("There is no Analytics API at this address (HTTP 404). Check data_center.")
    streams = [
        ConfiguredAirbyteStream(
            AirbyteStream(mapping.stream, {}, [SyncMode.full_refresh], namespace=mapping.namespace),
            SyncMode.full_refresh,
            DestinationSyncMode.append,
        )
        for mapping in config.mappings
    ]
    plan.build(config, streams, definition_finder(apis.rest))


def definition_finder(rest: Api | None) -> Callable[[str], str]:
    """What finds the id of a custom object by its id, its name, or its name in snake case.

    The definitions are read once, when the first custom object is asked for. Without a REST key only ids can
    be used, since Vitally lists definitions nowhere else.
    """

    @cache
    def definitions() -> list[dict[str, Any]]:
        return list(all_rows(rest, "/customObjects")) if rest else []

    def find(name: str) -> str:
        known = definitions()
        exact = [d for d in known if name in (d["id"], d.get("name"))]
        found = exact or [d for d in known if snake_case(str(d.get("name"))) == name]
        if len(found) == 1:
            return str(found[0]["id"])
        if not rest and len(name) == len("00000000-0000-0000-0000-000000000000"):
            return name
        if not rest:
            raise ConfigError(
                f"To find custom object '{name}', secret_token is needed in the configuration; or write "
                "custom_object/<id> with the id from the address of its settings page in Vitally."
            )
        if found:
            raise ConfigError(
                f"Several custom objects could be meant by '{name}': {', '.join(d['name'] for d in found)}"
            )
        raise ConfigError(
            f"There is no custom object '{name}' in Vitally. Custom objects: "
            + (", ".join(str(d.get("name")) for d in known) or "none")
        )

    return find
