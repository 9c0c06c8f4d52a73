"""The source as the CDK and PyAirbyte see it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import requests
from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    FailureType,
    Status,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_vitally import cdk
from source_vitally.config import complete, require_valid
from source_vitally.manifest import manifest
from source_vitally.schema import TRAIT_TYPES
from source_vitally.workspace import FIELDS_STREAM, trait_types
from vitally_api.keys import rest_authorization
from vitally_api.names import STREAM_PREFIX
from vitally_api.regions import REST_PATH, other_regions


class SourceVitally(ConcurrentDeclarativeSource):
    """Reads a Vitally workspace through its REST API; `manifest.yaml` says what is read."""

    def __init__(
        self,
        catalog: ConfiguredAirbyteCatalog | None = None,
        config: Mapping[str, Any] | None = None,
        state: list[AirbyteStateMessage] | None = None,
        config_path: str | None = None,
    ) -> None:
        super().__init__(
            catalog or ConfiguredAirbyteCatalog(streams=[]),
            config or {},
            state or [],
            source_config=deepcopy(manifest()),
            config_path=config_path,
        )
        cdk.extend(self._constructor)
        cdk.shorten_queue(self)
        if self._config:
            self._config = complete(self._config, self._specification)

    @property
    def _specification(self) -> Mapping[str, Any]:
        assert self._spec_component is not None
        return self._spec_component.connection_specification

    def _given(
        self,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog | None = None,
        state: list[AirbyteStateMessage] | None = None,
    ) -> SourceVitally:
        """Return this source, or, where it was made without a config, one that has what a command is given.

        Raises:
            AirbyteTracedException: A config error that says what is wrong with the config.
        """
        if self._config:
            return self
        require_valid(config, self._specification)
        return type(self)(catalog, config, state)

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Ask for one account page, once, and say what stands in the way if it does not come."""
        try:
            return self._given(config)._check()
        except AirbyteTracedException as error:
            if error.failure_type != FailureType.config_error:
                raise
            return AirbyteConnectionStatus(status=Status.FAILED, message=error.message)

    def discover(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteCatalog:
        """List the streams, with the custom fields of this workspace as types of their traits. Reads no data stream."""
        return self._given(config)._discover(logger)

    def read(
        self,
        logger: logging.Logger,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None = None,
    ) -> Iterator[AirbyteMessage]:
        """Yield the messages of the selected streams: records, states, statuses."""
        source = self._given(config, catalog, state)
        if source._config["flatten_traits"]:
            source._learn_trait_types(all_needed=True)  # a column that is left out would be emptied
        yield from ConcurrentDeclarativeSource.read(source, logger, source._config, catalog, state)

    def _check(self) -> AirbyteConnectionStatus:
        cdk.disable_retries(self._constructor)
        [stream] = cdk.static_streams(self, ["accounts"])
        availability = stream.check_availability()
        if availability.is_available:
            return AirbyteConnectionStatus(status=Status.SUCCEEDED)
        reason = f"{availability.reason}{self._region_hint()}"
        return AirbyteConnectionStatus(status=Status.FAILED, message=reason)

    def _region_hint(self) -> str:
        """Ask Vitally's other regions whether they know the key: a refusal alone does not tell key from region."""
        headers = {"Authorization": rest_authorization(str(self._config.get("secret_token")))}
        for title, address in other_regions(self._config.get("data_center")):
            try:
                answer = requests.get(f"{address}{REST_PATH}/accounts?limit=1", headers=headers, timeout=10)
            except requests.RequestException:
                continue
            if answer.ok:
                return f" This key does work in the {title} region: choose that in 'data_center'."
        return ""

    def _discover(self, logger: logging.Logger) -> AirbyteCatalog:
        self._learn_trait_types()
        return super().discover(logger, self._config)

    def _learn_trait_types(self, *, all_needed: bool = False) -> None:
        """Put the types of custom fields into the config, where the streams that are built after this find them."""
        [fields] = cdk.static_streams(self, [FIELDS_STREAM])
        types = trait_types(fields, self._config["num_workers"], all_needed=all_needed)
        self._config = {**self._config, TRAIT_TYPES: types}

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
