"""The manifest with what both connectors know of Vitally put into it."""

from __future__ import annotations

import pkgutil
from functools import cache
from typing import Any

from airbyte_cdk.utils.yaml_loader import safe_load_yaml

from vitally_api import settings

Json = dict[str, Any]

_SHARED: Json = {
    "data_center": settings.data_center(analytics=False),
    "secret_token": settings.SECRET_TOKEN,
    "num_workers": settings.NUM_WORKERS,
    "requests_per_minute": settings.REQUESTS_PER_MINUTE,
}


@cache
def manifest() -> Json:
    """Return the content of `manifest.yaml`, its form completed by the settings that both connectors share."""
    text = pkgutil.get_data("source_vitally", "manifest.yaml")
    assert text is not None
    found: Json = safe_load_yaml(text.decode())
    properties = found["spec"]["connection_specification"]["properties"]
    for name, shared in _SHARED.items():
        properties[name] = {**properties[name], **shared}
    return found
