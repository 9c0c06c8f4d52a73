"""Parts of a destination to try rules on, without a network."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import orjson
import pytest
from airbyte_cdk.models.airbyte_protocol_serializers import ConfiguredAirbyteCatalogSerializer

from destination_vitally import config
from destination_vitally.mapping import plan
from destination_vitally.mapping.change import Change
from destination_vitally.mapping.layout import NO_TYPES, Types
from destination_vitally.mapping.mapper import Mapper, Rules
from destination_vitally.mapping.plan import StreamKey, StreamPlan
from destination_vitally.objects.model import Object, Operation
from destination_vitally.objects.table import BY_NAME, OBJECTS
from destination_vitally.outcomes.ledger import PendingRecord, Segment
from destination_vitally.rows.memory import Memory
from destination_vitally.rows.references import References
from destination_vitally.send.messages import Emission, QueuedMessage, messages_of
from unit_tests.clock import QuickClock
from vitally_api.traits import CustomField

SETTINGS: dict[str, Any] = {
    "data_center": {"region": "eu"},
    "secret_token": "sk_live_example",
    "analytics_token": "example",
}
DEFINITION = "11111111-1111-4111-8111-111111111111"


class OneDefinition:
    """A workspace with one custom object of any name, and the same custom fields for each object.

    `asked` is what it was asked for.
    """

    def __init__(self, fields: dict[str, CustomField] | None = None, plain: Iterable[str] = ()) -> None:
        self.fields = fields
        self.plain = frozenset(plain)
        self.asked: list[tuple[str, ...]] = []

    def named(self, name: str) -> str:
        self.asked.append(("named", name))
        return DEFINITION

    def of_stream(self, stream_name: str) -> str:
        self.asked.append(("of stream", stream_name))
        return DEFINITION

    def custom_fields(self, model: str, definition: str) -> dict[str, CustomField] | None:
        self.asked.append(("custom fields", model, definition))
        return self.fields

    def traits(self, entry: Object) -> frozenset[str]:
        self.asked.append(("traits", entry.name))
        return self.plain


LINES = {
    "fields": ("field", "column"),
    "traits": ("trait", "column"),
    "constants": ("field", "value"),
    "constant_traits": ("trait", "value"),
}
"""What the lines of a mapping hold."""


def mapping_of(short: dict[str, Any]) -> dict[str, Any]:
    """A mapping as people write it, of its short form in tests: `{"fields": {"externalId": "id"}}`."""
    return {
        name: [dict(zip(LINES[name], line, strict=True)) for line in lines.items()]
        if name in LINES and isinstance(lines, dict)
        else lines
        for name, lines in short.items()
    }


def settings(**changes: Any) -> config.Config:
    if "mappings" in changes:
        changes["mappings"] = [mapping_of(short) for short in changes["mappings"]]
    return config.read({k: v for k, v in {**SETTINGS, **changes}.items() if v is not None})


def configured(name: str, mode: str = "append_dedup", **more: Any) -> dict[str, Any]:
    properties: list[str] = more.pop("properties", [])
    schema: dict[str, Any] = {"properties": {column: {} for column in properties}}
    return {
        "stream": {"name": name, "json_schema": schema, "supported_sync_modes": ["full_refresh"]},
        "sync_mode": "full_refresh",
        "destination_sync_mode": mode,
        **more,
    }


def planned(
    chosen: config.Config,
    *streams: dict[str, Any],
    fields: dict[str, CustomField] | None = None,
    workspace: plan.Definitions | None = None,
    is_check: bool = False,
) -> list[StreamPlan]:
    """The plans of a catalog: one for each stream, or for each entry of its mappings."""
    catalog = ConfiguredAirbyteCatalogSerializer.load({"streams": list(streams)})
    return plan.build(chosen, catalog.streams, workspace or OneDefinition(fields), is_check=is_check)


def plans(chosen: config.Config, *streams: dict[str, Any], **more: Any) -> dict[StreamKey, StreamPlan]:
    """The plan of each stream of a catalog, of which none has several."""
    return {plan.key: plan for plan in planned(chosen, *streams, **more)}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log points out."""
    return [entry.getMessage() for entry in caplog.records if entry.levelno >= logging.WARNING]


BOTH_KEYS = frozenset({"secret_token", "analytics_token"})


def mapper(
    name: str,
    operation: Operation,
    mapping: dict[str, Any] | None = None,
    tokens: frozenset[str] = BOTH_KEYS,
    types: Types = NO_TYPES,
    **rules: Any,
) -> Mapper:
    """A mapper of an object with the routes its operations have with some keys."""
    entry = BY_NAME[name] if name in BY_NAME else next(o for o in OBJECTS if name.startswith(o.name[:-1]))
    usable = {o: plan.usable(entry, o, tokens) for o in (operation, "delete")}
    routes = {o: found for o, found in usable.items() if found}
    spelled = mapping and config.StreamMapping(stream="s", object=name, **mapping_of(mapping))
    return Mapper(entry, operation, routes, spelled or None, Rules(types=types, **rules))


def change(name: str, operation: Operation, data: dict[str, Any], **more: Any) -> Change:
    return mapper(name, operation, **more).change(data)


PLAN = next(iter(plans(settings(), configured("accounts")).values()))
REFERENCES = References(Memory(QuickClock()), None)
"""What is known where nothing is known and nobody can be asked."""

EMISSION = Emission(1, 1_790_000_000_000, 1)


def record_of(number: int = 1) -> PendingRecord:
    """A record of accounts."""
    return PendingRecord(PLAN, Segment(), b"", number)


def queued(name: str, data: dict[str, Any], emission: Emission = EMISSION) -> list[QueuedMessage]:
    """The messages of a record."""
    operation: Operation = "create" if name == "event" else "upsert"
    return messages_of(change(name, operation, data), record_of(), emission, REFERENCES)


def message(one: QueuedMessage) -> dict[str, Any]:
    """A message as Vitally reads it."""
    parsed = orjson.loads(one.encoded)
    assert isinstance(parsed, dict)
    return parsed
