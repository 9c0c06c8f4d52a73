"""Everything this source knows about the inside of airbyte-cdk, in one place.

The CDK's own data-feed cursor cannot resume a first scan, caps its window at the connector's clock and lets a scan by
`createdAt` move the state past edits it missed; its HTTP client waits without a word. So the manifest's
`DatetimeBasedCursor` is built as a `FeedCursor`, its `HTTPAPIBudget` as a `RequestBudget`, and its `HttpRequester` with
a `PatientClient`. `unit_tests/source/test_cdk_contract.py` fails when an upgrade changes what this leans on.
"""

from __future__ import annotations

import logging
from typing import Any

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.sources.declarative.interpolation import InterpolatedString
from airbyte_cdk.sources.declarative.models.declarative_component_schema import (
    CustomRetriever,
    DatetimeBasedCursor,
    DeclarativeStream,
    HTTPAPIBudget,
)
from airbyte_cdk.sources.declarative.models.declarative_component_schema import HttpRequester as HttpRequesterModel
from airbyte_cdk.sources.declarative.parsers.manifest_component_transformer import ManifestComponentTransformer
from airbyte_cdk.sources.declarative.parsers.model_to_component_factory import ModelToComponentFactory
from airbyte_cdk.sources.declarative.partition_routers import PartitionRouter
from airbyte_cdk.sources.declarative.requesters import HttpRequester
from airbyte_cdk.sources.declarative.retrievers import Retriever
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor
from airbyte_cdk.sources.types import Config
from airbyte_cdk.utils.memory_monitor import MemoryMonitor
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from isodate import parse_duration

from source_vitally.budget import RequestBudget
from source_vitally.client import PatientClient
from source_vitally.feed_cursor import FeedCursor
from source_vitally.memory import QUEUED_BYTES, WeighedQueue


class Entrypoint(AirbyteEntrypoint):
    """The CDK's command line, without its filter of addresses, which asks DNS for what a proxy looks up."""

    def __init__(self, source: ConcurrentDeclarativeSource) -> None:
        self.source = source
        self.logger = logging.getLogger(f"airbyte.{source.name}")
        self._memory_monitor = MemoryMonitor()


def extend(factory: ModelToComponentFactory) -> None:
    """Make a factory build this source's cursor and request budget from the manifest's standard components."""
    build_stock_cursor = factory._build_concurrent_cursor

    def build_cursor(model: DeclarativeStream, router: PartitionRouter, config: Config) -> Cursor:
        if not isinstance(model.incremental_sync, DatetimeBasedCursor):
            return build_stock_cursor(model, router, config)
        return _build_feed_cursor(factory, model, model.incremental_sync, router, config)

    def build_budget(model: HTTPAPIBudget, config: Config, **kwargs: Any) -> RequestBudget:
        [policy] = model.policies
        [rate] = policy.rates  # type: ignore[union-attr]
        per_minute = InterpolatedString.create(str(rate.limit), parameters={}).eval(config)
        return RequestBudget(requests_per_minute=int(per_minute), num_workers=int(config["num_workers"]))

    def build_requester(model: HttpRequesterModel, config: Config, *, name: str, **kwargs: Any) -> HttpRequester:
        requester = factory.create_http_requester(model, config, name=name, **kwargs)
        requester._http_client = PatientClient(requester)
        return requester

    factory._build_concurrent_cursor = build_cursor  # type: ignore[assignment,method-assign]
    factory.PYDANTIC_MODEL_TO_CONSTRUCTOR[HTTPAPIBudget] = build_budget  # type: ignore[index]
    factory.PYDANTIC_MODEL_TO_CONSTRUCTOR[HttpRequesterModel] = build_requester  # type: ignore[index]


def shorten_queue(source: ConcurrentDeclarativeSource) -> None:
    """Let few bytes of records wait to be printed: the CDK's ten thousand records may be hundreds of megabytes."""
    queue = WeighedQueue(QUEUED_BYTES)
    source._concurrent_source._queue = queue
    source._constructor._message_repository._queue = queue  # type: ignore[attr-defined]


def quieten(logger: logging.Logger) -> None:
    """Leave the stack out of what a source logs about errors that say in words of their own what is wrong."""
    logger.addFilter(_without_stack)


def _without_stack(entry: logging.LogRecord) -> bool:
    error = entry.exc_info[1] if entry.exc_info else None
    if isinstance(error, AirbyteTracedException) and error.message:
        entry.exc_info = None
        said = entry.getMessage()
        entry.msg, entry.args = said if error.message in said else f"{said}: {error.message}", ()
    return True


def custom_retriever(source: ConcurrentDeclarativeSource, definition: str, config: Config) -> Retriever:
    """Build a retriever that stands under `definitions` in the manifest."""
    described = source.resolved_manifest["definitions"][definition]
    described = ManifestComponentTransformer().propagate_types_and_parameters("", described, {})
    retriever = source._constructor.create_component(CustomRetriever, described, config, name=definition)
    assert isinstance(retriever, Retriever)
    return retriever


def streams_of(source: ConcurrentDeclarativeSource, names: set[str]) -> list[AbstractStream]:
    """Build the named streams, as far as there are such, and no other: each takes some milliseconds."""
    there = source._stream_configs(source._source_config)
    if not names <= {config["name"] for config in there}:
        there += source.dynamic_streams
    source._prepare_for_stream_build()
    return source._create_streams([config for config in there if config["name"] in names], there)


def retriever_of(stream: AbstractStream) -> Retriever:
    """Return what reads a stream."""
    retriever: Retriever = stream._stream_partition_generator._partition_factory._retriever  # type: ignore[attr-defined]
    return retriever


def _build_feed_cursor(
    factory: ModelToComponentFactory,
    stream: DeclarativeStream,
    model: DatetimeBasedCursor,
    router: PartitionRouter,
    config: Config,
) -> FeedCursor:
    def evaluate(text: Any) -> str:
        return str(InterpolatedString.create(text, parameters=model.parameters or {}).eval(config) or "")

    name = str(stream.name)
    return FeedCursor(
        stream_name=name,
        cursor_field=evaluate(model.cursor_field),
        start=evaluate(model.start_datetime),
        lookback=parse_duration(evaluate(model.lookback_window)),
        is_order_known=not (stream.parameters or {}).get("sort_optional"),
        slices=router.stream_slices(),
        stream_state=factory._connector_state_manager.get_stream_state(name, None),
        state_manager=factory._connector_state_manager,
        message_repository=factory._message_repository,
    )
