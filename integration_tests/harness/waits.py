"""What saves a source in this process from waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from unittest.mock import patch

from airbyte_cdk.sources.declarative import concurrent_declarative_source

from source_vitally import cdk, client
from source_vitally.budget import RequestBudget

_SCHEMA = cache(concurrent_declarative_source.get_declarative_component_schema)


@contextmanager
def without_waiting() -> Iterator[list[float]]:
    """Take note of the waits between retries, in seconds, instead of waiting."""
    taken: list[float] = []
    with (
        patch.object(client, "sleep", taken.append),
        patch.object(cdk, "RequestBudget", partial(RequestBudget, sleep=taken.append)),
    ):
        yield taken


@contextmanager
def quick_start() -> Iterator[None]:
    """Do without the CDK's check of the manifest, half the time of a small sync; every process makes it."""
    with (
        patch.object(concurrent_declarative_source, "get_declarative_component_schema", _SCHEMA),
        patch.object(concurrent_declarative_source.ConcurrentDeclarativeSource, "_validate_source"),
    ):
        yield
