"""Airbyte source for Vitally, the customer-success platform."""

from source_vitally.source import SourceVitally

__all__ = ["SourceVitally"]
