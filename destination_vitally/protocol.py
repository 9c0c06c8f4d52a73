"""The classes of the Airbyte protocol, from where each is defined, in one place."""

from __future__ import annotations

from airbyte_cdk.models.airbyte_protocol import AirbyteMessage, ConnectorSpecification
from airbyte_cdk.models.airbyte_protocol_serializers import (
    AirbyteMessageSerializer,
    ConfiguredAirbyteCatalogSerializer,
    ConnectorSpecificationSerializer,
)
from airbyte_protocol_dataclasses.models import (
    AirbyteConnectionStatus,
    AirbyteStream,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    FailureType,
    Status,
    SyncMode,
    Type,
)

__all__ = [
    "AirbyteConnectionStatus",
    "AirbyteMessage",
    "AirbyteMessageSerializer",
    "AirbyteStream",
    "ConfiguredAirbyteCatalog",
    "ConfiguredAirbyteCatalogSerializer",
    "ConfiguredAirbyteStream",
    "ConnectorSpecification",
    "ConnectorSpecificationSerializer",
    "DestinationSyncMode",
    "FailureType",
    "Status",
    "SyncMode",
    "Type",
]
