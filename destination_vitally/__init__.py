"""Airbyte destination for Vitally, the customer-success platform."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from destination_vitally.destination import DestinationVitally

__all__ = ["DestinationVitally"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        # Importing the CDK takes a second; the parts of this package that do without it need not wait.
        return getattr(import_module("destination_vitally.destination"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
