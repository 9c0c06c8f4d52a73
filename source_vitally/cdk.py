"""Everything this source knows about the inside of airbyte-cdk, in one place.

The CDK's own data-feed cursor cannot resume a first scan, caps its window at the connector's clock and lets a scan by
`createdAt` move the state past edits it missed. So the manifest's `DatetimeBasedCursor` is built as a `FeedCursor`,
and its `HTTPAPIBudget` as a `RequestBudget`. `unit_tests/source/test_cdk_contract.py` fails when an upgrade changes
what this leans on.
"""

from __future__ import annotations

from typing import Any

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.sources.declarative.interpolation import InterpolatedString
from airbyte_cdk.sources.declarative.models.declarative_component_schema import (
    DatetimeBasedCursor,
    DeclarativeStream,
    HTTPAPIBudget,
)
from airbyte_cdk.sources.declarative.parsers.model_to_component_factory import ModelToComponentFactory
from airbyte_cdk.sources.declarative.partition_routers import PartitionRouter
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor
from airbyte_cdk.sources.streams.http.exceptions import BaseBackoffException
from airbyte_cdk.sources.types import Config
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from isodate import parse_duration

from source_vitally.budget import RequestBudget
from source_vitally.feed_cursor import FeedCursor

QUEUED_RECORDS = 1_000


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
        return RequestBudget(requests_per_minute=int(per_minute))

    factory._build_concurrent_cursor = build_cursor  # type: ignore[assignment,method-assign]
    factory.PYDANTIC_MODEL_TO_CONSTRUCTOR[HTTPAPIBudget] = build_budget  # type: ignore[index]


def shorten_queue(source: ConcurrentDeclarativeSource) -> None:
    """Let few records wait to be printed: the CDK's ten thousand hold tens of megabytes when reading is the faster."""
    source._concurrent_source._queue.maxsize = QUEUED_RECORDS


def disable_retries(factory: ModelToComponentFactory) -> None:
    """Make the streams that the factory builds from now on ask once: a check must not wait for minutes."""
    factory._disable_retries = True


def static_streams(source: ConcurrentDeclarativeSource, names: list[str]) -> list[AbstractStream]:
    """Build the named streams of the manifest without asking the workspace for its custom objects."""
    return source._streams_by_name(names) or []


def in_plain_words(error: AirbyteTracedException) -> AirbyteTracedException:
    """Return the error after the last retry with the error handler's own text instead of the CDK's wrapping of it."""
    cause = error._exception
    if not isinstance(cause, BaseBackoffException):
        return error
    return AirbyteTracedException(
        message=str(cause),
        internal_message=error.internal_message,
        failure_type=cause.failure_type or FailureType.transient_error,
        exception=cause,
    )


def _build_feed_cursor(
    factory: ModelToComponentFactory,
    stream: DeclarativeStream,
    model: DatetimeBasedCursor,
    router: PartitionRouter,
    config: Config,
) -> FeedCursor:
    def evaluate(text: Any) -> str:
        return str(InterpolatedString.create(text or "", parameters=model.parameters or {}).eval(config) or "")

    name = stream.name or ""
    return FeedCursor(
        stream_name=name,
        cursor_field=evaluate(model.cursor_field),
        start=evaluate(model.start_datetime),
        lookback=parse_duration(evaluate(model.lookback_window) or "PT0S"),
        slices=router.stream_slices(),
        stream_state=factory._connector_state_manager.get_stream_state(name, None),
        state_manager=factory._connector_state_manager,
        message_repository=factory._message_repository,
    )
