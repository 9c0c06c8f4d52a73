"""The source as the CDK and PyAirbyte see it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, MutableMapping
from copy import deepcopy
from typing import Any

import requests
from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    AirbyteStream,
    AirbyteStreamStatus,
    ConfiguredAirbyteCatalog,
    FailureType,
    Status,
    StreamDescriptor,
)
from airbyte_cdk.models.airbyte_protocol_serializers import ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_vitally import cdk
from source_vitally.auth import make_known
from source_vitally.client import CHECK_RETRIES, FEW_RETRIES, patience
from source_vitally.config import REST_URL, complete, require_valid, without_nulls
from source_vitally.manifest import manifest
from source_vitally.memory import SHARED, Shared
from source_vitally.progress import HERE
from source_vitally.protocol import in_order, read_json, states_of
from source_vitally.retrievers import FeedRetriever
from source_vitally.schema import TRAIT_TYPES
from source_vitally.sharing import ANSWERS, Answers, Topic
from source_vitally.workspace import (
    CUSTOM_OBJECTS,
    CUSTOM_OBJECTS_PROBLEM,
    DEFINITIONS,
    DEFINITIONS_STREAM,
    FIELDS_STREAM,
    OF_CUSTOM_OBJECTS,
    DefinitionsRetriever,
    is_config_error,
    named,
    owners_of,
    owners_of_traits,
    selected_of,
    trait_types,
)
from vitally_api.bounds import LONGEST_CHECK, TooSlowError, within
from vitally_api.keys import rest_authorization
from vitally_api.masking import without_secrets
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
            without_nulls(config or {}),
            state or [],
            source_config=deepcopy(manifest()),
            config_path=config_path,
        )
        cdk.extend(self._constructor)
        cdk.shorten_queue(self)
        cdk.quieten(self.logger)
        if self._config:
            make_known(self._config)
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

    @staticmethod
    def read_config(config_path: str) -> MutableMapping[str, Any]:
        """Return the config in a file; ValueError where it is no object."""
        config = read_json(config_path)
        if not isinstance(config, MutableMapping):
            raise ValueError("a config is an object")
        return config

    @classmethod
    def read_state(cls, state_path: str) -> list[AirbyteStateMessage]:
        """Return the states in a file: a list of messages, or an object with a state per stream."""
        return states_of(read_json(state_path)) if state_path else []

    @classmethod
    def read_catalog(cls, catalog_path: str) -> ConfiguredAirbyteCatalog:
        """Return the configured catalog in a file."""
        return ConfiguredAirbyteCatalogSerializer.load(read_json(catalog_path))

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Ask for one account page, once, and say what stands in the way if it does not come."""
        try:
            return self._given(config)._check()
        except AirbyteTracedException as error:
            if error.failure_type != FailureType.config_error:
                raise
            return AirbyteConnectionStatus(status=Status.FAILED, message=without_secrets(str(error.message)))

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
        yield from self._given(config, catalog, state)._read(catalog, state or [])

    def _check(self) -> AirbyteConnectionStatus:
        try:
            return within(LONGEST_CHECK, self._ask)
        except TooSlowError:
            message = (
                f"The check was broken off after {LONGEST_CHECK:.0f} s: {self._config[REST_URL]} had not answered by "
                "then. Check Data center (data_center) and the network."
            )
            return AirbyteConnectionStatus(status=Status.FAILED, message=message)

    def _ask(self) -> AirbyteConnectionStatus:
        self._begin()
        [stream] = cdk.streams_of(self, {"accounts"})
        with patience(retries=CHECK_RETRIES, is_check=True):
            availability = stream.check_availability()
        if availability.is_available:
            return AirbyteConnectionStatus(status=Status.SUCCEEDED)
        reason = f"{availability.reason}{self._region_hint()}"
        return AirbyteConnectionStatus(status=Status.FAILED, message=without_secrets(reason))

    def _region_hint(self) -> str:
        """Ask Vitally's other regions whether they know the key: a refusal alone does not tell key from region."""
        headers = {"Authorization": rest_authorization(str(self._config.get("secret_token")))}
        for title, address in other_regions(self._config.get("data_center")):
            try:
                answer = requests.get(
                    f"{address}{REST_PATH}/accounts?limit=1",
                    headers=headers,
                    timeout=10,
                    stream=True,
                    allow_redirects=False,
                )
                answer.close()
            except (requests.RequestException, OSError):
                continue
            if answer.status_code == requests.codes.ok:
                return f" This key does work in the {title} region: choose that in Data center (data_center)."
        return ""

    def _begin(self) -> None:
        """Make what the streams of one command share, and its secrets known, whatever the CDK has made of them."""
        make_known(self._config)
        HERE.begin(self._config["requests_per_minute"])
        shared = {SHARED: Shared(self._config["num_workers"]), ANSWERS: Answers()}
        self._config = {**self._config, **shared, CUSTOM_OBJECTS: []}

    def _discover(self, logger: logging.Logger) -> AirbyteCatalog:
        self._begin()
        with patience(retries=FEW_RETRIES):
            problem = self._learn_custom_objects({})
        if problem:
            if is_config_error(problem):
                raise problem
            logger.warning(f"The streams of custom objects are missing: {problem.message}")
        self._learn_trait_types()
        return super().discover(logger, self._config)

    def _learn_trait_types(self, names: set[str] | None = None) -> None:
        """Put the types of custom fields into the config, where the streams that are built after this find them.

        Args:
            names: The selected streams, whose fields alone are asked for, and are all needed; by default all are
                asked for.
        """
        [stream] = cdk.streams_of(self, {FIELDS_STREAM})
        parts = list(stream.generate_partitions())
        if names is not None:
            owners = owners_of_traits(names, self._config[CUSTOM_OBJECTS])
            parts = [part for part in parts if tuple((part.to_slice() or {}).values()) in owners]
            for _ in range(1 + (FIELDS_STREAM in names)):
                _retriever_of(stream).expect(part.to_slice() for part in parts)  # type: ignore[misc]
        types = trait_types(parts, self._config["num_workers"], all_needed=names is not None)
        self._config = {**self._config, TRAIT_TYPES: types}

    def _learn_custom_objects(
        self, owners: Mapping[str, str], names: set[str] | None = None
    ) -> AirbyteTracedException | None:
        """Put the definitions of custom objects where the streams find them; return why they cannot be had, if so.

        Args:
            owners: The ids of the custom objects whose rows were read under some names so far.
            names: The selected streams, which alone matter; by default all do.
        """
        self._prepare_for_stream_build()
        retriever = cdk.custom_retriever(self, DEFINITIONS, self._config)
        assert isinstance(retriever, DefinitionsRetriever)
        for _ in range(1 + (DEFINITIONS_STREAM in (names or ()))):
            retriever.expect()
        try:
            definitions = named(retriever.definitions(), owners)
        except AirbyteTracedException as problem:
            return problem
        if names is not None:
            definitions = selected_of(definitions, names, owners)
        self._config = {**self._config, CUSTOM_OBJECTS: definitions}
        return None

    def _read(self, catalog: ConfiguredAirbyteCatalog, state: list[AirbyteStateMessage]) -> Iterator[AirbyteMessage]:
        self._begin()
        selected = [configured.stream for configured in catalog.streams]
        self._require_known(selected)
        problem, owners = None, owners_of(catalog, state)
        flat = self._config["flatten_traits"]
        names = {stream.name for stream in selected}
        if names & OF_CUSTOM_OBJECTS or any(name.startswith(STREAM_PREFIX) for name in names):
            problem = self._learn_custom_objects(owners, names)
            self._config = {**self._config, CUSTOM_OBJECTS_PROBLEM: problem}
        if flat:
            self._learn_trait_types(names)  # a column that is left out would be emptied
        streams = {stream.name: stream for stream in cdk.streams_of(self, names)}
        missing = [stream for stream in selected if stream.name not in streams]
        for stream in missing:
            if problem:
                yield problem.as_airbyte_message(StreamDescriptor(name=stream.name))
            else:
                self.logger.warning(f"Stream {stream.name} is not read: {self._why_missing(owners.get(stream.name))}")
            # Incomplete, not empty, so that no destination wipes what it has of it.
            yield as_airbyte_message(stream, AirbyteStreamStatus.INCOMPLETE)
        found = [streams[stream.name] for stream in selected if stream.name in streams]
        if found:
            yield from in_order(self._concurrent_source.read(_together(found)))
        if problem and missing:
            raise problem

    def _why_missing(self, owner: str | None) -> str:
        """Say what has become of a custom object whose stream is not there, by its id where that is known."""
        renamed = [found["streamName"] for found in self._config[CUSTOM_OBJECTS] if found["id"] == owner]
        if renamed:
            return (
                f"its custom object has been renamed in Vitally, and is the stream {renamed[0]} now. Refresh the "
                "source schema, select that one and deselect this one."
            )
        return (
            "its custom object is not (or no longer) in this workspace. If it was deleted there, refresh the source "
            "schema and deselect the stream."
        )

    def _require_known(self, selected: list[AirbyteStream]) -> None:
        """Do nothing where each selected stream is one of this source, or may be that of a custom object.

        Raises:
            AirbyteTracedException: A config error, before the first record.
        """
        known = {stream["name"] for stream in self.resolved_manifest["streams"]}
        names = sorted({stream.name for stream in selected} - known)
        wrong = [name for name in names if not name.startswith(STREAM_PREFIX)]
        if wrong:
            raise AirbyteTracedException(
                message=(
                    f"The connection asks for {', '.join(wrong)}, which Vitally's source does not have. "
                    "Refresh the source schema and deselect it."
                ),
                internal_message=f"Unknown streams: {wrong}; known: {sorted(known)}",
                failure_type=FailureType.config_error,
            )


def _together(streams: list[AbstractStream]) -> list[AbstractStream]:
    """Return streams in the order in which they are started: where they read the same list, one after the other.

    So they go through its pages together, and few of these wait for any of them. Each has to be known before.
    """
    topics: dict[str, Topic | None] = {}
    places: dict[Topic | None, int] = {}
    for place, stream in enumerate(streams):
        topics[stream.name] = _retriever_of(stream).expect()
        places.setdefault(topics[stream.name], place)
    return sorted(streams, key=lambda stream: places[topics[stream.name]])


def _retriever_of(stream: AbstractStream) -> FeedRetriever:
    retriever = cdk.retriever_of(stream)
    assert isinstance(retriever, FeedRetriever)
    return retriever
