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
    """Return the content of `manifest.yaml` with the form, which the settings that both connectors share complete."""
    found, form = _content("manifest.yaml"), _content("form.yaml")
    for name, shared in _SHARED.items():
        form["properties"][name] |= shared
    found["spec"]["connection_specification"] = form
    return found


def _content(name: str) -> Json:
    text = pkgutil.get_data("source_vitally", name)
    assert text is not None
    found: Json = safe_load_yaml(text.decode())
    return found
