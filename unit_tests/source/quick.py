"""What saves a source in this process from waiting, and from what the CDK does for each."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache, partial
from typing import Any
from unittest.mock import patch

import orjson
from airbyte_cdk.sources.declarative import concurrent_declarative_source
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from pydantic.v1 import BaseModel
from pyrate_limiter import BucketFactory

from source_vitally import SourceVitally, cdk, client, clocks
from source_vitally.budget import RequestBudget
from unit_tests.clock import nowhere

_SCHEMA = cache(concurrent_declarative_source.get_declarative_component_schema)
_RESOLVE = ConcurrentDeclarativeSource._pre_process_manifest
_PARSE = BaseModel.parse_obj.__func__  # type: ignore[attr-defined]


@contextmanager
def without_waiting(passes: Callable[[float], object] = nowhere) -> Iterator[list[float]]:
    """Take note of the waits between retries, in seconds, instead of waiting; `passes` is told of other waits."""
    taken: list[float] = []
    with (
        patch.object(client, "sleep", taken.append),
        patch.object(clocks, "sleep", passes),
        patch.object(cdk, "RequestBudget", partial(RequestBudget, sleep=taken.append)),
    ):
        yield taken


@contextmanager
def quick_start() -> Iterator[None]:
    """Do once what the CDK does for each source, most of a small sync; every process does it.

    The manifest is not checked, and resolved once; the model of a stream is made once of what describes it. No thread
    stays behind that forgets what was counted a minute ago.
    """
    with (
        patch.object(concurrent_declarative_source, "get_declarative_component_schema", _SCHEMA),
        patch.object(ConcurrentDeclarativeSource, "_validate_source", _nothing),
        patch.object(ConcurrentDeclarativeSource, "_pre_process_manifest", _resolved),
        patch.object(BaseModel, "parse_obj", classmethod(_parsed)),
        patch.object(BucketFactory, "schedule_leak", _nothing),
    ):
        yield


def _nothing(*_: Any) -> None:
    pass


@cache
def resolved_manifest() -> Mapping[str, Any]:
    """Return the manifest as the CDK resolves it, the same object each time."""
    with quick_start():
        return SourceVitally().resolved_manifest


def _resolved(source: ConcurrentDeclarativeSource, manifest: dict[str, Any]) -> Any:
    return pickle.loads(_pickled(source, orjson.dumps(manifest)))  # its own, and sooner than a deep copy


_PICKLED: dict[bytes, bytes] = {}


def _pickled(source: ConcurrentDeclarativeSource, manifest: bytes) -> bytes:
    if manifest not in _PICKLED:
        _PICKLED[manifest] = pickle.dumps(_RESOLVE(source, orjson.loads(manifest)))
    return _PICKLED[manifest]


def _parsed(model: type[BaseModel], described: Any) -> Any:
    """Return the model of a component: one of two that are described alike is a copy."""
    try:
        return pickle.loads(_pickled_model(model, orjson.dumps(described)))
    except TypeError:  # it is not described by JSON alone
        return _PARSE(model, described)


@lru_cache(maxsize=1000)
def _pickled_model(model: type[BaseModel], described: bytes) -> bytes:
    return pickle.dumps(_PARSE(model, orjson.loads(described)))
