"""Configurations of both connectors for a sandbox."""

from __future__ import annotations

from integration_tests.harness.runs import Json
from integration_tests.sandbox import Sandbox


def source_config(rest_url: str, key: str = "sk_live_example_not_real", **fields: object) -> Json:
    """Return a config of the source that reads the workspace at an address."""
    return {"data_center": {"region": "custom", "rest_url": rest_url}, "secret_token": key, **fields}


def destination_config(sandbox: Sandbox, **fields: object) -> Json:
    """Return a config of the destination that writes into a sandbox with both keys, as fast as it can.

    What was written is not looked at again, so that the requests are those that write.
    """
    return {
        "data_center": {"region": "custom", "rest_url": sandbox.url, "analytics_url": sandbox.url},
        "secret_token": sandbox.rest_key,
        "analytics_token": sandbox.analytics_token,
        "requests_per_minute": 100_000,
        "verify": "none",
        **fields,
    }
