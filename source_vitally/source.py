"""The source as the CDK and PyAirbyte see it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import requests
from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteConnectionStatus,
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    FailureType,
    Status,
)
from airbyte_cdk.sources.declarative.yaml_declarative_source import YamlDeclarativeSource
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_vitally import cdk
from source_vitally.config import complete, other_region
from source_vitally.key import authorization
from source_vitally.schema import TRAIT_TYPES
from source_vitally.workspace import FIELDS_STREAM, STREAM_PREFIX, trait_types


class SourceVitally(YamlDeclarativeSource):
    """Reads a Vitally workspace through its REST API; `manifest.yaml` says what is read."""

    def __init__(
        self,
        catalog: ConfiguredAirbyteCatalog | None = None,
        config: Mapping[str, Any] | None = None,
        state: list[AirbyteStateMessage] | None = None,
        config_path: str | None = None,
    ) -> None:
        super().__init__("manifest.yaml", catalog=catalog, config=config, state=state, config_path=config_path)
        cdk.extend(self._constructor)
        cdk.shorten_queue(self)
        if self._config and self._spec_component:
            self._config = complete(self._config, self._spec_component.connection_specification)

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Ask for one account page, once, and say what stands in the way if it does not come."""
        cdk.disable_retries(self._constructor)
        [stream] = cdk.static_streams(self, ["accounts"])
        availability = stream.check_availability()
        if availability.is_available:
            return AirbyteConnectionStatus(status=Status.SUCCEEDED)
        reason = f"{availability.reason}{self._region_hint()}"
        return AirbyteConnectionStatus(status=Status.FAILED, message=reason)

    def _region_hint(self) -> str:
        """Ask Vitally's other region whether it knows the key: a refusal alone does not tell key from region."""
        other = other_region(self._config.get("data_center") or {})
        if not other:
            return ""
        name, address = other
        headers = {"Authorization": authorization(str(self._config.get("secret_token")))}
        try:
            answer = requests.get(f"{address}/resources/accounts?limit=1", headers=headers, timeout=10)
        except requests.RequestException:
            return ""
        return f" This key does work in the {name} region: choose that in 'data_center'." if answer.ok else ""

    def discover(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteCatalog:
        """List the streams, with the custom fields of this workspace as types of their traits. Reads no data stream."""
        [fields] = cdk.static_streams(self, [FIELDS_STREAM])
        self._config = {**self._config, TRAIT_TYPES: trait_types(fields, self._config["num_workers"])}
        return super().discover(logger, config)

    def _select_streams(
        self, streams: list[AbstractStream], configured_catalog: ConfiguredAirbyteCatalog
    ) -> list[AbstractStream]:
        """Select the configured streams; one this source does not have is an error before the first record.

        A custom object's stream may have lost its definition since discover: that is a warning for that stream, which
        is reported as incomplete rather than as empty, so that no destination wipes what it has of it.
        """
        known = {stream.name for stream in streams}
        unknown = sorted({configured.stream.name for configured in configured_catalog.streams} - known)
        wrong = [name for name in unknown if not name.startswith(STREAM_PREFIX)]
        if wrong:
            raise AirbyteTracedException(
                message=(
                    f"The connection asks for {', '.join(wrong)}, which Vitally's source does not have. "
                    "Refresh the source schema and deselect it."
                ),
                internal_message=f"Unknown streams: {wrong}; known: {sorted(known)}",
                failure_type=FailureType.config_error,
            )
        for name in unknown:
            self.logger.warning(
                f"Stream {name} is not read: its custom object is not (or no longer) in this workspace. "
                "If it was deleted there, refresh the source schema and deselect the stream."
            )
        return super()._select_streams(streams, configured_catalog)
